//! The orders whose money moved, or may have moved, within a stretch of time, and those that a statement names: for
//! whoever holds the journal against the channels' statements.

use std::collections::BTreeSet;
use std::path::Path;

use payment::engine::entry::Stored;
use payment::engine::record::OrderRecord;
use rusqlite::{Connection, OptionalExtension, params};

use super::chain::{Unreadable, read_seq};
use super::location::Location;
use super::recover;
use super::retain;
use super::store;
use super::trouble::Trouble;

/// Why the orders could not be read.
#[derive(Debug, thiserror::Error)]
pub enum WindowError {
    /// The journal cannot be read.
    #[error("the journal cannot be read: {0}")]
    Storage(#[source] Trouble),
    /// An entry is damaged.
    #[error("the journal has an entry that cannot be read: {0}; see `till journal verify`")]
    Unreadable(#[from] Unreadable),
}

/// What the journal has.
#[derive(Debug)]
pub struct Moved {
    /// The orders, oldest first.
    pub orders: Vec<OrderRecord>,
    /// Retention removed orders: some of what happened up to this moment, in milliseconds since 1970, may be gone.
    pub removed_until: Option<i64>,
}

/// The orders that have an entry about money between the two moments, in milliseconds since 1970, the first included; and
/// those, of whatever time, that have one of the numbers: of an attempt, a refund, or the channel's.
///
/// # Errors
///
/// [`WindowError`].
pub fn orders_moved(path: &Path, from_ms: i64, to_ms: i64, numbers: &BTreeSet<&str>) -> Result<Moved, WindowError> {
    let location = Location::of(path);
    let storage = |error| WindowError::Storage(Trouble::of(error, &location));
    let connection = store::connect_read_only(&location).map_err(storage)?;
    let mut places = moved_between(&connection, from_ms, to_ms).map_err(storage)?;
    places.extend(numbered(&connection, numbers).map_err(storage)?);
    let mut orders = Vec::new();
    for opened_seq in places {
        let records = recover::entries_of(&connection, opened_seq).map_err(storage)?;
        let stored = records.iter().map(|record| Ok(Stored { seq: record.seq, at: record.at, entry: record.entry()? }));
        orders.extend(OrderRecord::from_entries(&stored.collect::<Result<Vec<_>, Unreadable>>()?));
    }
    Ok(Moved { orders, removed_until: removed_until(&connection).map_err(storage)? })
}

fn moved_between(connection: &Connection, from_ms: i64, to_ms: i64) -> rusqlite::Result<BTreeSet<u64>> {
    let mut statement = connection.prepare(include_str!("sql/orders_moved.sql"))?;
    statement.query_map(params![from_ms, to_ms], |row| read_seq(row, 0))?.collect()
}

fn numbered(connection: &Connection, numbers: &BTreeSet<&str>) -> rusqlite::Result<BTreeSet<u64>> {
    let mut statement = connection.prepare(include_str!("sql/orders_numbered.sql"))?;
    let mut places = BTreeSet::new();
    for number in numbers {
        for place in statement.query_map([number], |row| read_seq(row, 0))? {
            places.insert(place?);
        }
    }
    Ok(places)
}

/// The latest moment of which something may have been removed; the end of all time when no clock tells.
fn removed_until(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    if retain::gaps(connection)?.is_empty() {
        return Ok(None);
    }
    let next = connection.query_row(include_str!("sql/removed_until.sql"), [], |row| row.get(0)).optional()?;
    Ok(Some(next.unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use payment::channel::allinpay::vsp::cancel_number;

    use super::super::Journal;
    use super::super::fixture::{Place, START_MS, numbers, trade_no, whole};
    use super::*;

    fn minute(minute: i64) -> i64 {
        START_MS + minute * 60_000
    }

    /// 200 orders of 13 entries each, a minute apart.
    async fn filled(place: &Place) -> Journal {
        let journal = place.open().journal;
        journal.append((1..=200).flat_map(whole).collect()).await.unwrap();
        journal
    }

    fn named(place: &Place, number: &str) -> Vec<String> {
        let moved = orders_moved(&place.path, 0, 0, &BTreeSet::from([number])).unwrap();
        moved.orders.iter().map(|order| order.order.to_string()).collect()
    }

    #[tokio::test]
    async fn orders_are_found_by_time_and_by_the_numbers_of_a_statement_whatever_their_time() {
        let place = Place::new();
        filled(&place).await;
        let by_time = orders_moved(&place.path, minute(7), minute(9), &BTreeSet::new()).unwrap();
        assert_eq!(by_time.orders.len(), 2);
        let of = numbers(50);
        for number in [of.attempt.as_str(), of.refund.as_str(), &trade_no(50)] {
            assert_eq!(named(&place, number), [of.order.to_string()], "{number}");
        }
        assert!(named(&place, "stranger").is_empty());
    }

    #[tokio::test]
    async fn an_undone_attempt_is_found_by_the_number_of_its_cancel_too() {
        let place = Place::new();
        let reader = filled(&place).await.reader();
        let cancelled = |seed| cancel_number(numbers(seed).other);
        let shown = reader.order(&cancelled(50)).await.unwrap().unwrap();
        assert_eq!(shown.summary.order, numbers(50).order);
        assert_eq!(reader.order(&cancelled(201)).await.unwrap(), None);
    }

    #[tokio::test]
    async fn it_is_known_up_to_when_orders_may_have_been_removed() {
        let place = Place::new();
        let journal = filled(&place).await;
        let until = || orders_moved(&place.path, 0, 0, &BTreeSet::new()).unwrap().removed_until;
        assert_eq!(until(), None);
        journal.acknowledge(2_600, Vec::new()).await.unwrap();
        while journal.retain(minute(50), 500).await.unwrap().more {}
        assert_eq!(until(), Some(minute(50)));
    }
}
