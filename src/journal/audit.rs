//! Running totals for an audit: what was sold, by which slot and for which money, since the journal began.
//!
//! Retention removes old entries, and "since the beginning" must never go down: the totals stand in a table of their own,
//! counted in the transaction of the entries. A mark says up to which place. Whatever is behind it, because another
//! version wrote it or the table was damaged, is counted with the next entries or at the next start.

use std::collections::BTreeMap;

use payment::channel::{ChannelId, Wallet};
use payment::engine::entry::{Entry, SlotId, VendResult};
use payment::engine::record::OrderRecord;
use payment::money::Fen;
use rusqlite::{Connection, OptionalExtension, params};
use serde::de::DeserializeOwned;
use serde::de::value::{Error as NameError, StrDeserializer};
use serde::{Deserialize, Serialize};

use super::chain::{Record, read_seq, sql_seq};
use super::trouble::AppendError;
use super::{Journal, NewEntry, project, recover, store};

/// Entries looked at in one commit of others, so that none waits for long.
const PORTION: u32 = 256;
/// The mark follows at least so often: less than a portion is ever behind it.
const MARKED_EVERY: u64 = 64;
/// Entries looked at in one transaction at start.
const PORTION_AT_START: u32 = 50_000;

/// How many, and what they are worth together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// How many.
    pub number: u64,
    /// What they are worth.
    pub amount: Fen,
}

/// A running total and its part since the last reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counted {
    /// Since the journal began. Never goes down.
    pub ever: Tally,
    /// Since the audit was reset; since the journal began if it never was.
    pub since_reset: Tally,
}

/// What a slot did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotTally {
    /// The slot.
    pub slot: SlotId,
    /// Items that fell for an order paid by phone, card or code, at what the machine charged for them.
    pub cashless: Counted,
    /// Items that the machine sold by itself for coins and notes.
    pub cash: Counted,
    /// Items whose motor was to turn and of which nobody saw that they fell, at their prices: that money went back.
    pub failed: Counted,
}

/// What a channel collected for one wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidTally {
    /// The channel.
    pub channel: ChannelId,
    /// The wallet that paid, where it is known.
    pub wallet: Option<Wallet>,
    /// Payments, refunds not taken off.
    pub paid: Counted,
    /// Refunds that are done.
    pub refunded: Counted,
}

/// All totals.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Audit {
    /// By slot.
    pub slots: Vec<SlotTally>,
    /// By channel and wallet.
    pub paid: Vec<PaidTally>,
    /// Sales for coins and notes, with what was sold for them without a slot.
    pub cash: Counted,
    /// Of these, items of which nobody knows the slot; they are in none of `slots`.
    pub cash_elsewhere: Counted,
    /// How often the audit was reset.
    pub resets: u64,
    /// When it was last reset, milliseconds since 1970.
    pub reset_ms: Option<i64>,
}

/// Where one total stood when an audit was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditTotal {
    kind: Kind,
    of: String,
    number: u64,
    amount: i64,
}

impl Counted {
    fn plus(self, other: Self) -> Self {
        Self { ever: self.ever.plus(other.ever), since_reset: self.since_reset.plus(other.since_reset) }
    }
}

impl Tally {
    fn plus(self, other: Self) -> Self {
        let amount = [self.amount, other.amount].into_iter().sum();
        Self { number: self.number.saturating_add(other.number), amount }
    }

    fn less(self, other: Self) -> Self {
        Self { number: self.number.saturating_sub(other.number), amount: self.amount.less(other.amount) }
    }
}

impl Audit {
    /// Items that fell, for whatever money.
    #[must_use]
    pub fn vends(&self) -> Counted {
        self.sum(|slot| slot.cashless.plus(slot.cash))
    }

    /// Items that fell for orders that were not paid in cash.
    #[must_use]
    pub fn cashless_vends(&self) -> Counted {
        self.sum(|slot| slot.cashless)
    }

    /// Items that the machine sold out of its slots by itself for coins and notes.
    #[must_use]
    pub fn cash_vends(&self) -> Counted {
        self.sum(|slot| slot.cash)
    }

    /// Items that were sold for coins and notes, out of whatever slot.
    #[must_use]
    pub fn cash_items(&self) -> Counted {
        self.cash_vends().plus(self.cash_elsewhere)
    }

    /// Items that did not fall, or of which nobody knows.
    #[must_use]
    pub fn failed_vends(&self) -> Counted {
        self.sum(|slot| slot.failed)
    }

    /// Payments over all channels.
    #[must_use]
    pub fn paid(&self) -> Counted {
        self.paid.iter().map(|paid| paid.paid).fold(Counted::default(), Counted::plus)
    }

    /// Refunds over all channels.
    #[must_use]
    pub fn refunded(&self) -> Counted {
        self.paid.iter().map(|paid| paid.refunded).fold(Counted::default(), Counted::plus)
    }

    fn sum(&self, of: impl Fn(&SlotTally) -> Counted) -> Counted {
        self.slots.iter().map(of).fold(Counted::default(), Counted::plus)
    }

    /// Where the totals stand that moved since the last reset: up to there [`Journal::reset_audit`] may reset.
    #[must_use]
    pub fn totals(&self) -> Vec<AuditTotal> {
        let slots = self.slots.iter().flat_map(|slot| {
            [(Kind::Vend, slot.cashless), (Kind::CashVend, slot.cash), (Kind::Failed, slot.failed)]
                .map(|(kind, counted)| (kind, slot.slot.to_string(), counted))
        });
        let paid = self.paid.iter().flat_map(|paid| {
            [(Kind::Paid, paid.paid), (Kind::Refunded, paid.refunded)]
                .map(|(kind, counted)| (kind, payer(paid.channel, paid.wallet), counted))
        });
        let whole = [(Kind::Cash, self.cash), (Kind::CashElsewhere, self.cash_elsewhere)]
            .map(|(kind, counted)| (kind, String::new(), counted));
        let moved = slots.chain(paid).chain(whole).filter(|(_, _, counted)| counted.since_reset != Tally::default());
        let total =
            |(kind, of, Counted { ever, .. })| AuditTotal { kind, of, number: ever.number, amount: ever.amount.get() };
        moved.map(total).collect()
    }
}

impl Journal {
    /// Begins the audit's interval anew: from the totals that an audit had, so that what was counted since then is in the
    /// new interval, or from those of this moment. What was counted since the journal began stays. Durable when this returns.
    ///
    /// `false`, and nothing is changed, when a total was never so high: it is of another journal.
    ///
    /// # Errors
    ///
    /// What an [`append`](Self::append) would meet.
    pub async fn reset_audit(&self, at_ms: i64, from: Option<Vec<AuditTotal>>) -> Result<bool, AppendError> {
        self.have(move |writer| {
            writer.in_transaction(|transaction| {
                // Dropped, it takes back what it did.
                let savepoint = transaction.savepoint()?;
                if !begin_anew(&savepoint, from.as_deref())? {
                    return Ok(false);
                }
                savepoint.execute(
                    "INSERT INTO tally_resets (id, resets, reset_ms) VALUES (1, 1, ?1) \
                     ON CONFLICT (id) DO UPDATE SET resets = resets + 1, reset_ms = ?1",
                    [at_ms],
                )?;
                savepoint.commit()?;
                Ok(true)
            })
        })
        .await
    }
}

/// Another reset may have come in between: an interval never begins before where it does already.
fn begin_anew(connection: &Connection, from: Option<&[AuditTotal]>) -> rusqlite::Result<bool> {
    let Some(totals) = from else {
        connection.execute("UPDATE tallies SET reset_number = number, reset_fen = fen", [])?;
        return Ok(true);
    };
    let mut statement = connection.prepare_cached(
        "UPDATE tallies SET reset_number = max(reset_number, ?3), reset_fen = max(reset_fen, ?4) \
         WHERE kind = ?1 AND of = ?2 AND number >= ?3 AND fen >= ?4",
    )?;
    for AuditTotal { kind, of, number, amount } in totals {
        if statement.execute(params![kind.name(), of, sql_seq(*number), amount])? == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

// ---- counting ----

/// What is counted, by its kind in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Vend,
    CashVend,
    Failed,
    Paid,
    Refunded,
    Cash,
    CashElsewhere,
}

impl Kind {
    const ALL: [Self; 7] =
        [Self::Vend, Self::CashVend, Self::Failed, Self::Paid, Self::Refunded, Self::Cash, Self::CashElsewhere];

    const fn name(self) -> &'static str {
        match self {
            Self::Vend => "vend",
            Self::CashVend => "cash_vend",
            Self::Failed => "failed",
            Self::Paid => "paid",
            Self::Refunded => "refunded",
            Self::Cash => "cash",
            Self::CashElsewhere => "cash_elsewhere",
        }
    }
}

type Tallies = BTreeMap<(Kind, String), Tally>;

/// How the bodies of entries that count begin.
const COUNTED: [&str; 4] = ["attempt_paid", "cash_taken", "vend_ended", "refund_done"];

fn counts(body: &str) -> bool {
    let kind = body.strip_prefix(r#"{"kind":""#).unwrap_or_default();
    COUNTED.iter().any(|name| kind.strip_prefix(name).is_some_and(|rest| rest.starts_with('"')))
}

/// Whether the entries of `batch`, written behind place `before`, make it time to count.
pub(super) fn is_due(before: u64, batch: &[NewEntry]) -> bool {
    let after = before.saturating_add(u64::try_from(batch.len()).unwrap_or(u64::MAX));
    let counts = |new: &NewEntry| {
        matches!(
            new.entry,
            Entry::AttemptPaid { .. } | Entry::CashTaken { .. } | Entry::VendEnded { .. } | Entry::RefundDone { .. }
        )
    };
    batch.iter().any(counts) || before / MARKED_EVERY != after / MARKED_EVERY
}

/// Counts what is behind the mark: as many entries as were just written, and a portion of others. To be called inside the
/// entries' own transaction.
pub(super) fn apply(connection: &Connection, written: usize) -> rusqlite::Result<()> {
    count_on(connection, u32::try_from(written).unwrap_or(u32::MAX).saturating_add(PORTION)).map(|_| ())
}

/// Counts what is behind the mark, before entries are removed.
pub(super) fn count_behind(connection: &Connection) -> rusqlite::Result<()> {
    count_on(connection, PORTION_AT_START).map(|_| ())
}

/// Counts all that is behind the mark, at start. What cannot be counted now is counted later.
pub(super) fn catch_up(connection: &mut Connection) {
    let mut more = true;
    while more {
        let counted = connection.transaction().and_then(|transaction| {
            let more = count_on(&transaction, PORTION_AT_START)?;
            transaction.commit()?;
            Ok(more)
        });
        more = counted.unwrap_or_else(|error| {
            tracing::warn!(%error, "the totals for the audit cannot be brought up to date now");
            false
        });
    }
}

/// Counts up to `most` entries behind the mark and moves it; `true` when there may be more.
fn count_on(connection: &Connection, most: u32) -> rusqlite::Result<bool> {
    let counted = connection
        .prepare_cached("SELECT number FROM tallies WHERE kind = 'counted' AND of = ''")?
        .query_row([], |row| read_seq(row, 0))
        .optional()?
        .unwrap_or(0);
    let mut statement = connection.prepare_cached(include_str!("sql/entries_since.sql"))?;
    let mut rows = statement.query(params![sql_seq(counted), most])?;
    let (mut tallies, mut order, mut seen, mut last) = (Tallies::new(), None, 0, counted);
    while let Some(row) = rows.next()? {
        let record = Record::from_row(row)?;
        (seen, last) = (seen + 1, record.seq);
        if counts(&record.body) {
            count(connection, &record, &mut order, &mut tallies)?;
        }
    }
    if last > counted {
        add(connection, &tallies)?;
        connection
            .prepare_cached("INSERT OR REPLACE INTO tallies (kind, of, number, fen) VALUES ('counted', '', ?1, 0)")?
            .execute([sql_seq(last)])?;
    }
    Ok(seen == most)
}

/// An order with the items whose motors were to turn.
struct Known {
    record: OrderRecord,
    started: Vec<usize>,
}

/// Counts one entry; neighbours are mostly of one `order`. What is not understood, or has no order any more, is not counted.
fn count(
    connection: &Connection,
    record: &Record,
    order: &mut Option<Known>,
    tallies: &mut Tallies,
) -> rusqlite::Result<()> {
    let is_known = order.as_ref().is_some_and(|known| known.record.order.as_str() == record.order);
    if !is_known {
        *order = known(connection, &record.order)?;
    }
    if let (Some(known), Ok(entry)) = (&order, record.entry()) {
        known.count(&entry, tallies);
    }
    Ok(())
}

fn known(connection: &Connection, order: &str) -> rusqlite::Result<Option<Known>> {
    let Some(summary) = project::order(connection, order)? else {
        return Ok(None);
    };
    let records = recover::entries_of(connection, summary.opened_seq)?;
    let entries: Vec<_> = records.iter().filter_map(|record| record.stored().ok()).collect();
    let mut started = Vec::new();
    for stored in &entries {
        if let Entry::VendStarted { item, .. } = stored.entry {
            started.push(item);
        }
    }
    Ok(OrderRecord::from_entries(&entries).map(|record| Known { record, started }))
}

impl Known {
    fn count(&self, entry: &Entry, tallies: &mut Tallies) {
        let mut add = |kind, of: String, amount| {
            let tally = tallies.entry((kind, of)).or_default();
            *tally = tally.plus(Tally { number: 1, amount });
        };
        if let Entry::VendEnded { item, result, .. } = entry {
            self.count_vend(*item, *result, &mut add);
        } else if let Entry::CashTaken { amount, .. } = entry {
            add(Kind::Cash, String::new(), *amount);
            if self.record.items.is_empty() {
                add(Kind::CashElsewhere, String::new(), *amount);
            }
            for item in &self.record.items {
                match &item.item.slot {
                    Some(slot) => add(Kind::CashVend, slot.to_string(), item.item.price),
                    None => add(Kind::CashElsewhere, String::new(), item.item.price),
                }
            }
        } else if let Entry::AttemptPaid { attempt, .. } = entry
            && let Some(paid) = self.record.attempt(*attempt)
        {
            add(Kind::Paid, payer(paid.channel, paid.payer()), paid.amount);
        } else if let Entry::RefundDone { refund, .. } = entry
            && let Some(done) = self.record.refunds.iter().find(|known| known.refund == *refund)
            && let Some(paid) = self.record.attempt(done.attempt)
        {
            add(Kind::Refunded, payer(paid.channel, paid.payer()), done.amount);
        }
    }

    fn count_vend(&self, index: usize, result: VendResult, add: &mut impl FnMut(Kind, String, Fen)) {
        let Some(item) = self.record.items.get(index) else { return };
        let Some(slot) = &item.item.slot else { return };
        match result {
            VendResult::Dropped => add(Kind::Vend, slot.to_string(), item.worth()),
            // A slot that was blocked by then was not tried.
            VendResult::NotDropped | VendResult::Unknown if self.started.contains(&index) => {
                add(Kind::Failed, slot.to_string(), item.item.price);
            }
            VendResult::NotDropped | VendResult::Unknown => {}
        }
    }
}

/// The channel, and the wallet that paid where the channel has several, as one name.
fn payer(channel: ChannelId, wallet: Option<Wallet>) -> String {
    let channel = channel.name();
    match wallet {
        Some(wallet) => format!("{channel}/{}", wallet.name()),
        None => channel.to_owned(),
    }
}

fn add(connection: &Connection, tallies: &Tallies) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO tallies (kind, of, number, fen) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (kind, of) DO UPDATE SET number = number + ?3, fen = fen + ?4",
    )?;
    for ((kind, of), tally) in tallies {
        statement.execute(params![kind.name(), of, sql_seq(tally.number), tally.amount.get()])?;
    }
    Ok(())
}

// ---- reading ----

/// All totals; none in a file that a version before wrote and none since opened.
pub(super) fn read(connection: &Connection) -> rusqlite::Result<Audit> {
    if !store::has_table(connection, "tallies")? {
        return Ok(Audit::default());
    }
    // The totals and when they were reset belong together.
    let connection = connection.unchecked_transaction()?;
    let mut audit = Audit::default();
    let mut statement =
        connection.prepare_cached("SELECT kind, of, number, fen, reset_number, reset_fen FROM tallies")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let tally = |number, fen| {
            Ok::<_, rusqlite::Error>(Tally { number: read_seq(row, number)?, amount: Fen::new(row.get(fen)?) })
        };
        let (ever, before) = (tally(2, 3)?, tally(4, 5)?);
        let (kind, of): (String, String) = (row.get(0)?, row.get(1)?);
        if let Some(place) = audit.place(&kind, &of) {
            *place = Counted { ever, since_reset: ever.less(before) };
        }
    }
    let resets = connection
        .prepare_cached("SELECT resets, reset_ms FROM tally_resets")?
        .query_row([], |row| Ok((read_seq(row, 0)?, row.get(1)?)))
        .optional()?;
    if let Some((resets, reset_ms)) = resets {
        (audit.resets, audit.reset_ms) = (resets, Some(reset_ms));
    }
    Ok(audit)
}

impl Audit {
    /// Where a row of the table belongs; `None` for one of a later version.
    fn place(&mut self, kind: &str, of: &str) -> Option<&mut Counted> {
        match Kind::ALL.into_iter().find(|known| known.name() == kind)? {
            Kind::Cash => Some(&mut self.cash),
            Kind::CashElsewhere => Some(&mut self.cash_elsewhere),
            Kind::Vend => Some(&mut self.slot(of)?.cashless),
            Kind::CashVend => Some(&mut self.slot(of)?.cash),
            Kind::Failed => Some(&mut self.slot(of)?.failed),
            Kind::Paid => Some(&mut self.payer(of)?.paid),
            Kind::Refunded => Some(&mut self.payer(of)?.refunded),
        }
    }

    fn slot(&mut self, name: &str) -> Option<&mut SlotTally> {
        let slot = SlotId::new(name)?;
        let place = self.slots.iter().position(|known| known.slot == slot).unwrap_or_else(|| {
            let none = Counted::default();
            self.slots.push(SlotTally { slot, cashless: none, cash: none, failed: none });
            self.slots.len() - 1
        });
        self.slots.get_mut(place)
    }

    fn payer(&mut self, name: &str) -> Option<&mut PaidTally> {
        let (channel, wallet) = match name.split_once('/') {
            Some((channel, wallet)) => (named(channel)?, Some(named(wallet)?)),
            None => (named(name)?, None),
        };
        let is_it = |known: &PaidTally| known.channel == channel && known.wallet == wallet;
        let place = self.paid.iter().position(is_it).unwrap_or_else(|| {
            let none = Counted::default();
            self.paid.push(PaidTally { channel, wallet, paid: none, refunded: none });
            self.paid.len() - 1
        });
        self.paid.get_mut(place)
    }
}

fn named<T: DeserializeOwned>(name: &str) -> Option<T> {
    T::deserialize(StrDeserializer::<NameError>::new(name)).ok()
}
