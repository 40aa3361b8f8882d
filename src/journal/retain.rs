//! Retention: whole orders go that are closed, old, and the hub's. What was removed leaves a gap that holds the hashes on
//! both its sides, so the chain can still be followed across it.
//!
//! A prefix would not do: one order that is owed for weeks would keep everything after it. And nothing goes that is not
//! as it was written: what was tampered with stays for the evidence.

use payment::engine::entry::Entry;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::append::beside;
use super::chain::{Hash, Record, read_seq, sql_seq};
use super::project::{self, Number};
use super::trouble::AppendError;
use super::{Journal, asked, audit, outbox, recover, store, vouchers};

/// The newest entries stay, whatever their age: each start proves the newest 100, also one of the version before, which
/// knows no gaps.
const NEWEST_KEPT: u64 = 1_000;
/// So many orders are looked at in one call: between two calls the writer serves the till.
const ORDERS_LOOKED_AT: u32 = 500;
/// An entry without a trusted time is as old as the next that has one; so far is looked for it.
const LOOKED_FOR_TIME: u32 = 1_000;

/// What one call removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retained {
    /// So many orders.
    pub orders: u64,
    /// So many entries.
    pub entries: u64,
    /// Whether another call may find more; if not, there is nothing to do before the hub acknowledges or time passes.
    pub more: bool,
}

/// Places that were emptied, neighbours in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gap {
    /// The first of them.
    pub(super) first: u64,
    /// The last of them.
    pub(super) last: u64,
    /// What the first was tied to.
    pub(super) prev: Hash,
    /// The hash of the last.
    pub(super) hash: Hash,
}

impl Gap {
    /// Reads a row of `first_seq, last_seq, prev, hash`.
    pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let hash = |column| Ok::<_, rusqlite::Error>(Hash::of_bytes(row.get_ref(column)?.as_blob()?));
        Ok(Self { first: read_seq(row, 0)?, last: read_seq(row, 1)?, prev: hash(2)?, hash: hash(3)? })
    }
}

/// All gaps in the order of the journal. They are few: orders that are kept lie between them.
pub(super) fn gaps(connection: &Connection) -> rusqlite::Result<Vec<Gap>> {
    if !store::has_additions(connection)? {
        return Ok(Vec::new());
    }
    connection
        .prepare("SELECT first_seq, last_seq, prev, hash FROM gaps ORDER BY first_seq")?
        .query_map([], Gap::from_row)?
        .collect()
}

impl Journal {
    /// Removes orders that are closed, whose last entry the hub has and is older than `keep_from_ms` (milliseconds since
    /// 1970), the oldest first: about `entries_max` entries, and at least one order when there is one. To be called
    /// again while it says that there is more.
    ///
    /// An order stays as long as the hub refused one of its entries, as a member or voucher code that it used may not
    /// have expired, as a refund of it waits for a decision, and as it reaches into the newest 1,000 entries. Its
    /// idempotency keys are forgotten with it.
    ///
    /// # Errors
    ///
    /// What an [`append`](Self::append) would meet.
    pub async fn retain(&self, keep_from_ms: i64, entries_max: u32) -> Result<Retained, AppendError> {
        self.have(move |writer| {
            let (newest, after) = (writer.head.seq, writer.looked_at);
            let (retained, looked_at) = writer.in_transaction(|transaction| {
                beside(transaction, "totals", audit::count_behind)?;
                let round = Round::of(transaction, newest, keep_from_ms)?;
                round.remove(transaction, after, entries_max)
            })?;
            writer.looked_at = looked_at;
            Ok(retained)
        })
        .await
    }
}

/// What holds for one call.
struct Round {
    /// Nothing behind this place goes.
    last_max: u64,
    keep_from_ms: i64,
    /// Codes that expire later are still remembered.
    remembered_from_ms: i64,
}

impl Round {
    fn of(connection: &Connection, newest: u64, keep_from_ms: i64) -> rusqlite::Result<Self> {
        let acknowledged = outbox::marks(connection)?.acknowledged;
        let newest_ms = recover::certain_time(connection)?;
        Ok(Self {
            last_max: acknowledged.min(newest.saturating_sub(NEWEST_KEPT)),
            keep_from_ms,
            remembered_from_ms: vouchers::remembered_from_ms(newest_ms),
        })
    }

    /// Goes through the orders opened after place `after`. Returns where to go on; 0 is from the beginning.
    fn remove(&self, connection: &Connection, after: u64, entries_max: u32) -> rusqlite::Result<(Retained, u64)> {
        let mut retained = Retained::default();
        let mut looked_at = after;
        let orders = self.old_orders(connection, after)?;
        for (opened_seq, last_seq) in &orders {
            let removable = match self.is_old(connection, *last_seq)? {
                true => self.removable(connection, *opened_seq)?,
                false => None,
            };
            if let Some(records) = removable {
                let entries = u64::try_from(records.len()).unwrap_or(u64::MAX);
                if retained.orders > 0 && retained.entries + entries > u64::from(entries_max) {
                    return Ok((Retained { more: true, ..retained }, looked_at));
                }
                remove_order(connection, *opened_seq, &records)?;
                retained.orders += 1;
                retained.entries += entries;
            }
            looked_at = *opened_seq;
        }
        let more = orders.len() == usize::try_from(ORDERS_LOOKED_AT).unwrap_or(usize::MAX);
        Ok((Retained { more, ..retained }, if more { looked_at } else { 0 }))
    }

    /// Places of the first and the last entry of the next orders that are closed and look old.
    fn old_orders(&self, connection: &Connection, after: u64) -> rusqlite::Result<Vec<(u64, u64)>> {
        connection
            .prepare_cached(include_str!("sql/orders_to_retain.sql"))?
            .query_map(params![sql_seq(after), sql_seq(self.last_max), self.keep_from_ms, ORDERS_LOOKED_AT], |row| {
                Ok((read_seq(row, 0)?, read_seq(row, 1)?))
            })?
            .collect()
    }

    /// Whether what stands at `seq` is older than what is to be kept. Of a clock that was not believed nothing follows:
    /// then the next entry counts that had a better one.
    fn is_old(&self, connection: &Connection, seq: u64) -> rusqlite::Result<bool> {
        let at_ms: Option<i64> = connection
            .prepare_cached(include_str!("sql/trusted_time.sql"))?
            .query_row(params![sql_seq(seq), LOOKED_FOR_TIME], |row| row.get(0))
            .optional()?;
        Ok(at_ms.is_some_and(|at_ms| at_ms < self.keep_from_ms))
    }

    /// The entries of an order that may go; `None` when something keeps it. Decided by the entries alone: the derived
    /// tables only say where to look.
    fn removable(&self, connection: &Connection, opened_seq: u64) -> rusqlite::Result<Option<Vec<Record>>> {
        let records = recover::entries_of(connection, opened_seq)?;
        let entries: Option<Vec<Entry>> = records.iter().map(|record| record.entry().ok()).collect();
        let may_go = match (&entries, records.last()) {
            (Some(entries), Some(last)) => {
                last.seq <= self.last_max
                    && matches!(entries.last(), Some(Entry::OrderClosed { .. }))
                    && !entries.iter().any(|entry| self.remembers_voucher(entry))
                    && asked::waiting((0..).zip(entries)).is_empty()
                    && !is_set_aside(connection, &last.order)?
                    && is_whole(connection, opened_seq, &records)?
            }
            (Some(_) | None, _) => false,
        };
        Ok(may_go.then_some(records))
    }

    fn remembers_voucher(&self, entry: &Entry) -> bool {
        matches!(entry, Entry::AttemptStarted { voucher: Some(of), .. } if of.expires_ms > self.remembered_from_ms)
    }
}

fn is_set_aside(connection: &Connection, order: &str) -> rusqlite::Result<bool> {
    connection.prepare_cached("SELECT 1 FROM set_aside WHERE order_id = ?1")?.exists([order])
}

/// Whether the order is all there, each entry as it was written, of its order, and tied to its neighbours.
fn is_whole(connection: &Connection, opened_seq: u64, records: &[Record]) -> rusqlite::Result<bool> {
    let known = connection
        .prepare_cached("SELECT count(*) FROM order_entries WHERE opened_seq = ?1")?
        .query_row([sql_seq(opened_seq)], |row| read_seq(row, 0))?;
    if usize::try_from(known) != Ok(records.len()) {
        return Ok(false);
    }
    for record in records {
        let is_own = record.entry().is_ok_and(|entry| entry.order().as_str() == record.order);
        if !is_own || !record.is_sealed() || !is_linked(connection, record)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether the record follows the one before it and is followed by the one after it, or by gaps that say so.
fn is_linked(connection: &Connection, record: &Record) -> rusqlite::Result<bool> {
    let hash = |column: &str, seq: u64| {
        connection
            .prepare_cached(&format!("SELECT {column} FROM entries WHERE seq = ?1"))?
            .query_row([sql_seq(seq)], |row| Ok(Hash::of_bytes(row.get_ref(0)?.as_blob()?)))
            .optional()
    };
    let before = match record.seq {
        1 => Some(Hash::beginning()),
        seq => match hash("hash", seq - 1)? {
            Some(hash) => Some(hash),
            None => gap_before(connection, seq)?.map(|gap| gap.hash),
        },
    };
    let after = match hash("prev", record.seq + 1)? {
        Some(prev) => Some(prev),
        None => gap_after(connection, record.seq)?.map(|gap| gap.prev),
    };
    Ok(before == Some(record.prev) && after == Some(record.hash))
}

fn remove_order(connection: &Connection, opened_seq: u64, records: &[Record]) -> rusqlite::Result<()> {
    for record in records {
        if let Ok(entry) = record.entry() {
            project::numbers(&entry).iter().try_for_each(|number| remove_number(connection, opened_seq, number))?;
        }
        empty(connection, record)?;
    }
    vouchers::forget(connection, opened_seq)?;
    for statement in ["DELETE FROM order_entries WHERE opened_seq = ?1", "DELETE FROM orders WHERE opened_seq = ?1"] {
        connection.prepare_cached(statement)?.execute([sql_seq(opened_seq)])?;
    }
    Ok(())
}

fn remove_number(connection: &Connection, opened_seq: u64, number: &Number) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM numbers WHERE number = ?1 AND kind = ?2 AND opened_seq = ?3")?
        .execute(params![number.number, number.kind.name(), sql_seq(opened_seq)])?;
    Ok(())
}

/// Makes the record's place part of a gap: a new one, or the ones beside it.
fn empty(connection: &Connection, record: &Record) -> rusqlite::Result<()> {
    let before = gap_before(connection, record.seq)?;
    let after = gap_after(connection, record.seq)?;
    for gap in [before, after].into_iter().flatten() {
        connection.prepare_cached("DELETE FROM gaps WHERE first_seq = ?1")?.execute([sql_seq(gap.first)])?;
    }
    let gap = Gap {
        first: before.map_or(record.seq, |gap| gap.first),
        last: after.map_or(record.seq, |gap| gap.last),
        prev: before.map_or(record.prev, |gap| gap.prev),
        hash: after.map_or(record.hash, |gap| gap.hash),
    };
    connection
        .prepare_cached("INSERT INTO gaps (first_seq, last_seq, prev, hash) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![sql_seq(gap.first), sql_seq(gap.last), gap.prev.as_bytes(), gap.hash.as_bytes()])?;
    connection.prepare_cached("DELETE FROM entries WHERE seq = ?1")?.execute([sql_seq(record.seq)])?;
    Ok(())
}

/// The gap that ends just before `seq`.
fn gap_before(connection: &Connection, seq: u64) -> rusqlite::Result<Option<Gap>> {
    let found = connection
        .prepare_cached(
            "SELECT first_seq, last_seq, prev, hash FROM gaps WHERE first_seq < ?1 ORDER BY first_seq DESC LIMIT 1",
        )?
        .query_row([sql_seq(seq)], Gap::from_row)
        .optional()?;
    Ok(found.filter(|gap| gap.last + 1 == seq))
}

/// The gap that begins just after `seq`.
fn gap_after(connection: &Connection, seq: u64) -> rusqlite::Result<Option<Gap>> {
    connection
        .prepare_cached("SELECT first_seq, last_seq, prev, hash FROM gaps WHERE first_seq = ?1")?
        .query_row([sql_seq(seq + 1)], Gap::from_row)
        .optional()
}
