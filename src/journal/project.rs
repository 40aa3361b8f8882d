//! What the entries of an order add up to: its row and the numbers by which it is found.
//!
//! One pure function, used by the writer, by [`rebuild`] and by the verifier.

use payment::engine::entry::{Entry, IdempotencyKey, OrderState, Origin};
use payment::ids::{OrderId, RefundId};
use payment::money::Fen;
use payment::time::Wall;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};
use serde::Deserialize;
use serde::de::value::{Error as NameError, StrDeserializer};
use thiserror::Error;

use super::chain::{Record, read_seq, sql_seq, state_named};
use super::{asked, vouchers};

/// An order at a glance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderSummary {
    /// Place of its first entry: a small number that only grows, and the cursor of lists.
    pub opened_seq: u64,
    /// Its number.
    pub order: OrderId,
    /// Its public state.
    pub state: OrderState,
    /// What it costs.
    pub amount: Fen,
    /// ISO 4217.
    pub currency: String,
    /// Where it came from.
    pub origin: Origin,
    /// The caller's own number.
    pub reference: Option<String>,
    /// When it was taken, milliseconds since 1970.
    pub opened_ms: i64,
    /// Place of its newest entry.
    pub last_seq: u64,
    /// When that was recorded, milliseconds since 1970.
    pub last_ms: i64,
    /// What was paid, over all attempts.
    pub paid: Fen,
    /// What went back.
    pub refunded: Fen,
    /// Whether anything is still to be done about it.
    pub open: bool,
}

/// What a number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberKind {
    /// Ours, of an attempt; the channel's `out_trade_no`.
    Attempt,
    /// The channel's own, of a paid attempt.
    Trade,
    /// Ours, of a refund; the channel's `out_request_no`.
    Refund,
    /// The caller's, of an order.
    Reference,
    /// The caller's idempotency key of an order.
    OrderKey,
    /// The caller's idempotency key of a refund.
    RefundKey,
}

impl NumberKind {
    /// The name in the table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Attempt => "attempt",
            Self::Trade => "trade",
            Self::Refund => "refund",
            Self::Reference => "reference",
            Self::OrderKey => "order_key",
            Self::RefundKey => "refund_key",
        }
    }
}

/// A number by which an order is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    /// The number.
    pub number: String,
    /// What it is.
    pub kind: NumberKind,
    /// How much it is about, for an attempt and a refund.
    pub amount: Option<Fen>,
    /// Which refund it made, for a refund's key.
    pub refund: Option<RefundId>,
    /// Hash of the request's body, for a key.
    pub body_sha256: Option<String>,
}

impl Number {
    fn plain(kind: NumberKind, number: impl Into<String>) -> Self {
        Self { number: number.into(), kind, amount: None, refund: None, body_sha256: None }
    }

    fn key(kind: NumberKind, key: &IdempotencyKey, refund: Option<RefundId>) -> Self {
        Self { refund, body_sha256: Some(key.body_sha256.clone()), ..Self::plain(kind, &key.key) }
    }
}

/// An entry that cannot follow what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Misplaced {
    /// About an order that was never opened.
    #[error("its first entry must be order_opened")]
    NeverOpened,
    /// The order exists.
    #[error("it was opened before")]
    OpenedTwice,
}

/// One entry and its circumstances.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// Its place.
    pub seq: u64,
    /// What the wall clock said.
    pub at: Wall,
    /// The order's state after it.
    pub state: OrderState,
    /// The fact.
    pub entry: &'a Entry,
}

/// Whose amount the entry moves: the attempt that was paid or the refund that is done.
#[must_use]
pub fn moves(entry: &Entry) -> Option<(NumberKind, &str)> {
    match entry {
        Entry::AttemptPaid { attempt, .. } => Some((NumberKind::Attempt, attempt.as_str())),
        Entry::RefundDone { refund, .. } => Some((NumberKind::Refund, refund.as_str())),
        Entry::OrderOpened { .. }
        | Entry::AttemptStarted { .. }
        | Entry::CashTaken { .. }
        | Entry::AttemptNotPaid { .. }
        | Entry::ReverseStarted { .. }
        | Entry::OrderCancelled { .. }
        | Entry::VendStarted { .. }
        | Entry::VendEnded { .. }
        | Entry::RefundStarted { .. }
        | Entry::RefundOwed { .. }
        | Entry::RefundAsked { .. }
        | Entry::RefundDecided { .. }
        | Entry::RefundFailed { .. }
        | Entry::DutyBegun { .. }
        | Entry::DutyDone { .. }
        | Entry::DutyRefused { .. }
        | Entry::OrderClosed { .. } => None,
    }
}

/// The order's row after `step`; `moved` is the amount of what [`moves`] named.
///
/// # Errors
///
/// When the entry cannot follow what is there.
pub fn project(before: Option<OrderSummary>, step: &Step<'_>, moved: Fen) -> Result<OrderSummary, Misplaced> {
    let mut after = match before {
        None => opened(step).ok_or(Misplaced::NeverOpened)?,
        Some(_) if matches!(step.entry, Entry::OrderOpened { .. }) => {
            return Err(Misplaced::OpenedTwice);
        }
        Some(order) => order,
    };
    after.state = step.state;
    after.last_seq = step.seq;
    after.last_ms = step.at.ms;
    after.open = !matches!(step.entry, Entry::OrderClosed { .. });
    if let Entry::CashTaken { amount, .. } = step.entry {
        after.paid = sum(after.paid, *amount);
    }
    match moves(step.entry) {
        Some((NumberKind::Attempt, _)) => after.paid = sum(after.paid, moved),
        Some((NumberKind::Refund, _)) => after.refunded = sum(after.refunded, moved),
        Some((NumberKind::Trade | NumberKind::Reference | NumberKind::OrderKey | NumberKind::RefundKey, _)) | None => {}
    }
    Ok(after)
}

fn sum(so_far: Fen, moved: Fen) -> Fen {
    so_far.checked_add(moved).unwrap_or(so_far)
}

fn opened(step: &Step<'_>) -> Option<OrderSummary> {
    let Entry::OrderOpened { order, amount, currency, origin, reference, .. } = step.entry else {
        return None;
    };
    Some(OrderSummary {
        opened_seq: step.seq,
        order: *order,
        state: step.state,
        amount: *amount,
        currency: currency.clone(),
        origin: *origin,
        reference: reference.clone(),
        opened_ms: step.at.ms,
        last_seq: step.seq,
        last_ms: step.at.ms,
        paid: Fen::ZERO,
        refunded: Fen::ZERO,
        open: true,
    })
}

/// The numbers that the entry brings.
#[must_use]
pub fn numbers(entry: &Entry) -> Vec<Number> {
    match entry {
        Entry::OrderOpened { reference, idempotency, .. } => {
            let reference = reference.as_ref();
            let key = idempotency.as_ref();
            reference
                .map(|number| Number::plain(NumberKind::Reference, number))
                .into_iter()
                .chain(key.map(|key| Number::key(NumberKind::OrderKey, key, None)))
                .collect()
        }
        Entry::AttemptStarted { attempt, amount, .. } => {
            vec![Number { amount: Some(*amount), ..Number::plain(NumberKind::Attempt, attempt.as_str()) }]
        }
        Entry::AttemptPaid { trade_no, details, .. } => std::iter::once(trade_no)
            .chain([&details.request_no, &details.channel_no, &details.wallet_no].into_iter().flatten())
            .map(|number| Number::plain(NumberKind::Trade, number))
            .collect(),
        Entry::RefundStarted { refund, amount, idempotency, .. }
        | Entry::RefundAsked { refund, amount, idempotency, .. } => {
            let number = Number { amount: Some(*amount), ..Number::plain(NumberKind::Refund, refund.as_str()) };
            let key = idempotency.as_ref();
            std::iter::once(number)
                .chain(key.map(|key| Number::key(NumberKind::RefundKey, key, Some(*refund))))
                .collect()
        }
        Entry::CashTaken { .. }
        | Entry::AttemptNotPaid { .. }
        | Entry::ReverseStarted { .. }
        | Entry::OrderCancelled { .. }
        | Entry::VendStarted { .. }
        | Entry::VendEnded { .. }
        | Entry::RefundDone { .. }
        | Entry::RefundOwed { .. }
        | Entry::RefundDecided { .. }
        | Entry::RefundFailed { .. }
        | Entry::DutyBegun { .. }
        | Entry::DutyDone { .. }
        | Entry::DutyRefused { .. }
        | Entry::OrderClosed { .. } => Vec::new(),
    }
}

/// Why the tables could not be brought up to date.
#[derive(Debug, Error)]
pub(super) enum ProjectError {
    #[error("order {order}: {source}")]
    Misplaced { order: OrderId, source: Misplaced },
    #[error(transparent)]
    Sql(#[from] rusqlite::Error),
    #[error(transparent)]
    Unreadable(#[from] super::chain::Unreadable),
}

/// Brings the tables up to date with one more entry. To be called inside the entry's own transaction.
pub(super) fn apply(connection: &Connection, step: &Step<'_>) -> Result<(), ProjectError> {
    let before = order(connection, step.entry.order().as_str())?;
    let moved = match (&before, moves(step.entry)) {
        (Some(order), Some((kind, number))) => amount(connection, order.opened_seq, kind, number)?.unwrap_or_default(),
        (Some(_) | None, _) => Fen::ZERO,
    };
    let after =
        project(before, step, moved).map_err(|source| ProjectError::Misplaced { order: step.entry.order(), source })?;
    write_order(connection, &after)?;
    connection
        .prepare_cached("INSERT INTO order_entries (opened_seq, seq) VALUES (?1, ?2)")?
        .execute(params![sql_seq(after.opened_seq), sql_seq(step.seq)])?;
    for number in numbers(step.entry) {
        write_number(connection, after.opened_seq, &number)?;
    }
    asked::apply(connection, after.opened_seq, step.seq, step.entry)?;
    vouchers::apply(connection, after.opened_seq, step.entry)
}

/// Makes the derived tables again from the entries. To be called inside a transaction.
pub(super) fn rebuild(connection: &Connection) -> Result<(), ProjectError> {
    connection.execute_batch(
        "DELETE FROM refunds_asked; DELETE FROM voucher_uses; DELETE FROM numbers; DELETE FROM order_entries; \
         DELETE FROM orders;",
    )?;
    let mut entries = connection.prepare(include_str!("sql/entries_since.sql"))?;
    for record in entries.query_map(params![0, i64::MAX], Record::from_row)? {
        let record = record?;
        let step = Step { seq: record.seq, at: record.at, state: record.state()?, entry: &record.entry()? };
        apply(connection, &step)?;
    }
    Ok(())
}

/// The order's row.
pub(super) fn order(connection: &Connection, number: &str) -> rusqlite::Result<Option<OrderSummary>> {
    connection.prepare_cached(include_str!("sql/order.sql"))?.query_row([number], read_order).optional()
}

fn amount(connection: &Connection, opened_seq: u64, kind: NumberKind, number: &str) -> rusqlite::Result<Option<Fen>> {
    let amount: Option<Option<i64>> = connection
        .prepare_cached(include_str!("sql/number_amount.sql"))?
        .query_row(params![number, kind.name(), sql_seq(opened_seq)], |row| row.get(0))
        .optional()?;
    Ok(amount.flatten().map(Fen::new))
}

fn write_order(connection: &Connection, order: &OrderSummary) -> rusqlite::Result<()> {
    connection.prepare_cached(include_str!("sql/upsert_order.sql"))?.execute(params![
        sql_seq(order.opened_seq),
        order.order.as_str(),
        order.state.name(),
        order.amount.get(),
        order.currency,
        origin_name(order.origin),
        order.reference,
        order.opened_ms,
        sql_seq(order.last_seq),
        order.last_ms,
        order.paid.get(),
        order.refunded.get(),
        order.open,
    ])?;
    Ok(())
}

fn write_number(connection: &Connection, opened_seq: u64, number: &Number) -> rusqlite::Result<()> {
    connection.prepare_cached(include_str!("sql/insert_number.sql"))?.execute(params![
        number.number,
        number.kind.name(),
        sql_seq(opened_seq),
        number.amount.map(Fen::get),
        number.refund.as_ref().map(RefundId::as_str),
        number.body_sha256,
    ])?;
    Ok(())
}

/// Whether the table holds exactly this number for this order.
pub(super) fn holds(connection: &Connection, opened_seq: u64, number: &Number) -> rusqlite::Result<bool> {
    connection
        .prepare_cached(
            "SELECT 1 FROM numbers WHERE number = :number AND kind = :kind AND opened_seq = :opened_seq \
             AND amount IS :amount AND refund_id IS :refund AND body_sha256 IS :body",
        )?
        .exists(named_params! {
            ":number": number.number,
            ":kind": number.kind.name(),
            ":opened_seq": sql_seq(opened_seq),
            ":amount": number.amount.map(Fen::get),
            ":refund": number.refund.as_ref().map(RefundId::as_str),
            ":body": number.body_sha256,
        })
}

/// Reads a row of the columns that `sql/order.sql` names.
pub(super) fn read_order(row: &Row<'_>) -> rusqlite::Result<OrderSummary> {
    let text = |column| row.get_ref(column)?.as_str().map_err(rusqlite::Error::from);
    let bad =
        |column, what: &str| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, what.to_owned().into());
    Ok(OrderSummary {
        opened_seq: read_seq(row, 0)?,
        order: (text(1)?.parse()).map_err(|_| bad(1, "not an order number"))?,
        state: state_named(text(2)?).ok_or_else(|| bad(2, "not a state"))?,
        amount: Fen::new(row.get(3)?),
        currency: row.get(4)?,
        origin: origin_named(text(5)?).ok_or_else(|| bad(5, "not an origin"))?,
        reference: row.get(6)?,
        opened_ms: row.get(7)?,
        last_seq: read_seq(row, 8)?,
        last_ms: row.get(9)?,
        paid: Fen::new(row.get(10)?),
        refunded: Fen::new(row.get(11)?),
        open: row.get(12)?,
    })
}

/// The name in the journal's tables and exports.
pub(super) const fn origin_name(origin: Origin) -> &'static str {
    match origin {
        Origin::Keypad => "keypad",
        Origin::Api => "api",
        Origin::Machine => "machine",
    }
}

fn origin_named(name: &str) -> Option<Origin> {
    Origin::deserialize(StrDeserializer::<NameError>::new(name)).ok()
}
