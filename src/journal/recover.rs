//! What the start needs: where the journal ends and what is still open. Closed orders are not read, however many.

use payment::engine::entry::{SlotId, Stored};
use payment::engine::slots::SlotCount;
use payment::time::Wall;
use rusqlite::{Connection, OptionalExtension, params};

use super::chain::{Head, Record, read_seq, sql_seq};
use super::location::Location;
use super::outbox::{self, CommandResult};
use super::slots;
use super::trouble::{OpenError, Trouble};
use super::vouchers::{self, VoucherSpent};
use payment::money::Fen;

/// So many of the newest entries are proved at each start. The whole chain is for `till journal verify`.
const PROVED: u32 = 100;

pub(super) struct Recovered {
    pub(super) head: Head,
    pub(super) last: Option<(u64, Wall)>,
    pub(super) open_orders: Vec<Vec<Stored>>,
    pub(super) acknowledged: u64,
    pub(super) handled: u64,
    pub(super) results: Vec<CommandResult>,
    pub(super) unseen: bool,
    pub(super) spent: Vec<VoucherSpent>,
    pub(super) unsettled: Fen,
    pub(super) slots: Vec<(SlotId, SlotCount)>,
}

/// Proves the newest entries and reads the open orders.
pub(super) fn recover(connection: &Connection, location: &Location) -> Result<Recovered, OpenError> {
    let storage = |error| OpenError::Storage(Trouble::of(error, location));
    let newest = tail(connection, PROVED).map_err(storage)?;
    prove(&newest)?;
    let open = open_orders(connection).map_err(storage)?;
    let last = newest.first();
    let hub = outbox::marks(connection).map_err(storage)?;
    Ok(Recovered {
        head: last.map_or_else(Head::beginning, Record::head),
        last: last.map(|record| (record.seq, record.at)),
        open_orders: open.iter().map(|records| stored(records)).collect::<Result<_, _>>()?,
        acknowledged: hub.acknowledged,
        handled: hub.handled,
        results: outbox::results(connection).map_err(storage)?,
        unseen: outbox::has_unseen(connection).map_err(storage)?,
        spent: vouchers::spent(connection).map_err(storage)?,
        unsettled: vouchers::unsettled(connection, hub.acknowledged).map_err(storage)?,
        slots: slots::recover(connection),
    })
}

/// The newest time that was trusted, and the beginning of all time without one: what an untrusted clock says makes no
/// code forgotten that may still be spent.
pub(super) fn certain_time(connection: &Connection) -> rusqlite::Result<i64> {
    let newest = tail(connection, PROVED)?;
    Ok(newest.iter().find(|record| record.at.trusted).map_or(i64::MIN, |record| record.at.ms))
}

/// Where the journal ends.
pub(super) fn head(connection: &Connection) -> rusqlite::Result<Head> {
    let last = tail(connection, 1)?;
    Ok(last.first().map_or_else(Head::beginning, Record::head))
}

/// The newest entries, the newest first.
fn tail(connection: &Connection, limit: u32) -> rusqlite::Result<Vec<Record>> {
    connection.prepare(include_str!("sql/entries_tail.sql"))?.query_map([limit], Record::from_row)?.collect()
}

/// Refuses when one of `newest` is not what was sealed, or does not follow the one before.
fn prove(newest: &[Record]) -> Result<(), OpenError> {
    let tampered = |what| Err(OpenError::Tampered { what });
    for record in newest {
        if !record.is_sealed() {
            return tampered(changed(record));
        }
    }
    for pair in newest.windows(2) {
        let [after, before] = pair else { continue };
        if after.seq != before.seq + 1 {
            return tampered(format!("entry {} is missing", after.seq - 1));
        }
        if after.prev != before.hash {
            return tampered(format!("entry {} does not follow entry {}", after.seq, before.seq));
        }
    }
    match newest.last() {
        Some(first) if first.seq == 1 && first.prev != Head::beginning().hash => {
            tampered("entry 1 is not the first that was written".to_owned())
        }
        Some(first) if first.seq > 1 && newest.len() < usize_of(PROVED) => {
            tampered(format!("entry {} is missing", first.seq - 1))
        }
        Some(_) | None => Ok(()),
    }
}

fn usize_of(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn changed(record: &Record) -> String {
    format!("entry {} (order {}) is not what was written", record.seq, record.order)
}

fn open_orders(connection: &Connection) -> rusqlite::Result<Vec<Vec<Record>>> {
    let opened: Vec<u64> = connection
        .prepare(include_str!("sql/orders_open.sql"))?
        .query_map([], |row| read_seq(row, 0))?
        .collect::<Result<_, _>>()?;
    opened.into_iter().map(|opened_seq| entries_of(connection, opened_seq)).collect()
}

/// The entries of the order whose first has the place `opened_seq`.
pub(super) fn entries_of(connection: &Connection, opened_seq: u64) -> rusqlite::Result<Vec<Record>> {
    connection
        .prepare_cached(include_str!("sql/order_entries.sql"))?
        .query_map(params![sql_seq(opened_seq)], Record::from_row)?
        .collect()
}

/// The engine acts on these: each is proved by itself, wherever in the journal it is.
fn stored(records: &[Record]) -> Result<Vec<Stored>, OpenError> {
    records
        .iter()
        .map(|record| {
            if !record.is_sealed() {
                return Err(OpenError::Tampered { what: changed(record) });
            }
            Ok(record.stored()?)
        })
        .collect()
}

/// Place and time of the last entry.
pub(super) fn last(connection: &Connection) -> rusqlite::Result<Option<Record>> {
    connection.prepare_cached(include_str!("sql/entries_tail.sql"))?.query_row([1], Record::from_row).optional()
}
