//! What was spent of the operator's member and voucher codes: a derived table of the attempts that were paid by one.
//!
//! Without it a start would have to read every entry to know which codes are used up.

use payment::engine::entry::{Entry, VoucherUse};
use payment::ids::{AttemptId, RefundId};
use payment::money::Fen;
use payment::voucher::CODES_MAX;
pub use payment::voucher::VoucherSpent;
use rusqlite::{Connection, Row, params};

use super::chain::sql_seq;
use super::project::ProjectError;
use super::recover;
use super::store;

/// An order is kept so long after the code that it used expired, counted from the newest entry: the clock may be put right meanwhile.
const KEPT_AFTER_MS: i64 = 24 * 60 * 60 * 1_000;

/// One attempt that spends of a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Use {
    pub(super) attempt: String,
    pub(super) code: String,
    pub(super) once: bool,
    pub(super) expires_ms: i64,
    pub(super) amount: Fen,
    /// Place of the entry that says it was paid.
    pub(super) paid_seq: Option<u64>,
    pub(super) refunded: Fen,
}

impl Use {
    fn started(attempt: AttemptId, of: &VoucherUse, amount: Fen) -> Self {
        Self {
            attempt: attempt.to_string(),
            code: of.code.clone(),
            once: of.once,
            expires_ms: of.expires_ms,
            amount,
            paid_seq: None,
            refunded: Fen::ZERO,
        }
    }

    fn is_of(&self, attempt: &AttemptId) -> bool {
        self.attempt == attempt.as_str()
    }

    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let paid_seq: Option<i64> = row.get(5)?;
        Ok(Self {
            attempt: row.get(0)?,
            code: row.get(1)?,
            once: row.get(2)?,
            expires_ms: row.get(3)?,
            amount: Fen::new(row.get(4)?),
            paid_seq: paid_seq.and_then(|seq| u64::try_from(seq).ok()),
            refunded: Fen::new(row.get(6)?),
        })
    }
}

/// The uses in the entries of one order, given with their places and in their order.
pub(super) fn uses<'a>(entries: impl IntoIterator<Item = (u64, &'a Entry)>) -> Vec<Use> {
    let mut uses: Vec<Use> = Vec::new();
    let mut refunds: Vec<(RefundId, AttemptId, Fen)> = Vec::new();
    for (seq, entry) in entries {
        match entry {
            Entry::AttemptStarted { attempt, amount, voucher: Some(of), .. } => {
                uses.push(Use::started(*attempt, of, *amount));
            }
            Entry::AttemptPaid { attempt, .. } => {
                for paid in uses.iter_mut().filter(|spent| spent.is_of(attempt)) {
                    paid.paid_seq = paid.paid_seq.or(Some(seq));
                }
            }
            Entry::RefundStarted { attempt, refund, amount, .. } => refunds.push((*refund, *attempt, *amount)),
            Entry::RefundDone { refund, .. } => {
                let Some((_, attempt, amount)) = refunds.iter().find(|(number, ..)| number == refund) else { continue };
                for back in uses.iter_mut().filter(|spent| spent.is_of(attempt)) {
                    back.refunded = back.refunded.checked_add(*amount).unwrap_or(back.refunded);
                }
            }
            Entry::OrderOpened { .. }
            | Entry::AttemptStarted { voucher: None, .. }
            | Entry::CashTaken { .. }
            | Entry::AttemptNotPaid { .. }
            | Entry::ReverseStarted { .. }
            | Entry::OrderCancelled { .. }
            | Entry::VendStarted { .. }
            | Entry::VendEnded { .. }
            | Entry::RefundOwed { .. }
            | Entry::RefundAsked { .. }
            | Entry::RefundDecided { .. }
            | Entry::RefundFailed { .. }
            | Entry::DutyBegun { .. }
            | Entry::DutyDone { .. }
            | Entry::DutyRefused { .. }
            | Entry::OrderClosed { .. } => {}
        }
    }
    uses
}

/// Brings the table up to date after `entry` of the order whose first entry is at `opened_seq`.
pub(super) fn apply(connection: &Connection, opened_seq: u64, entry: &Entry) -> Result<(), ProjectError> {
    let concerns = match entry {
        Entry::AttemptStarted { voucher, .. } => voucher.is_some(),
        Entry::AttemptPaid { .. } | Entry::RefundDone { .. } => has_uses(connection, opened_seq)?,
        Entry::OrderOpened { .. }
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
        | Entry::OrderClosed { .. } => false,
    };
    if !concerns {
        return Ok(());
    }
    let entries: Vec<(u64, Entry)> = recover::entries_of(connection, opened_seq)?
        .iter()
        .map(|record| Ok((record.seq, record.entry()?)))
        .collect::<Result<_, ProjectError>>()?;
    forget(connection, opened_seq)?;
    for spent in uses(entries.iter().map(|(seq, entry)| (*seq, entry))) {
        write(connection, opened_seq, &spent)?;
    }
    Ok(())
}

fn has_uses(connection: &Connection, opened_seq: u64) -> rusqlite::Result<bool> {
    connection.prepare_cached("SELECT 1 FROM voucher_uses WHERE opened_seq = ?1")?.exists([sql_seq(opened_seq)])
}

/// Removes the rows of one order.
pub(super) fn forget(connection: &Connection, opened_seq: u64) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM voucher_uses WHERE opened_seq = ?1")?.execute([sql_seq(opened_seq)])?;
    Ok(())
}

fn write(connection: &Connection, opened_seq: u64, spent: &Use) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO voucher_uses (opened_seq, attempt, code, once, expires_ms, amount, paid_seq, refunded) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            sql_seq(opened_seq),
            spent.attempt,
            spent.code,
            spent.once,
            spent.expires_ms,
            spent.amount.get(),
            spent.paid_seq.map(sql_seq),
            spent.refunded.get(),
        ])?;
    Ok(())
}

/// What the table says of one order, in the order of the attempts' numbers.
pub(super) fn held(connection: &Connection, opened_seq: u64) -> rusqlite::Result<Vec<Use>> {
    connection
        .prepare_cached(
            "SELECT attempt, code, once, expires_ms, amount, paid_seq, refunded FROM voucher_uses \
             WHERE opened_seq = ?1 ORDER BY attempt",
        )?
        .query_map([sql_seq(opened_seq)], Use::from_row)?
        .collect()
}

/// Until when an order that used a code must be kept, by the time of the newest entry: codes that expired before do not
/// hold it.
pub(super) const fn remembered_from_ms(newest_ms: i64) -> i64 {
    newest_ms.saturating_sub(KEPT_AFTER_MS)
}

/// What was spent of as many codes as the engine remembers, those that expire last first. Time does not matter: a clock
/// that went past a code's end may come back.
pub(super) fn spent(connection: &Connection) -> rusqlite::Result<Vec<VoucherSpent>> {
    if !store::has_additions(connection)? {
        return Ok(Vec::new());
    }
    connection
        .prepare_cached(include_str!("sql/vouchers_spent.sql"))?
        .query_map([i64::try_from(CODES_MAX).unwrap_or(i64::MAX)], |row| {
            Ok(VoucherSpent {
                code: row.get(0)?,
                spent: Fen::new(row.get(1)?),
                used_once: row.get(2)?,
                expires_ms: row.get(3)?,
            })
        })?
        .collect()
}

/// What was paid in entries after `acknowledged`, less what of it went back.
pub(super) fn unsettled(connection: &Connection, acknowledged: u64) -> rusqlite::Result<Fen> {
    if !store::has_additions(connection)? {
        return Ok(Fen::ZERO);
    }
    connection
        .prepare_cached(include_str!("sql/vouchers_unsettled.sql"))?
        .query_row([sql_seq(acknowledged)], |row| row.get(0).map(Fen::new))
}
