//! The orders whose money moved, or may have moved, within a stretch of time: for whoever holds the journal against the
//! channels' statements.

use std::path::Path;

use payment::engine::entry::Stored;
use payment::engine::record::OrderRecord;
use rusqlite::params;

use super::chain::{Unreadable, read_seq};
use super::location::Location;
use super::recover;
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

/// The orders that have an entry about money between the two moments, in milliseconds since 1970, the first included.
///
/// # Errors
///
/// [`WindowError`].
pub fn orders_between(path: &Path, from_ms: i64, to_ms: i64) -> Result<Vec<OrderRecord>, WindowError> {
    let location = Location::of(path);
    let storage = |error| WindowError::Storage(Trouble::of(error, &location));
    let connection = store::connect_read_only(&location).map_err(storage)?;
    let mut statement = connection.prepare(include_str!("sql/orders_moved.sql")).map_err(storage)?;
    let rows = statement.query_map(params![from_ms, to_ms], |row| read_seq(row, 0)).map_err(storage)?;
    let mut orders = Vec::new();
    for opened_seq in rows {
        let records = recover::entries_of(&connection, opened_seq.map_err(storage)?).map_err(storage)?;
        let stored = records.iter().map(|record| Ok(Stored { seq: record.seq, at: record.at, entry: record.entry()? }));
        orders.extend(OrderRecord::from_entries(&stored.collect::<Result<Vec<_>, Unreadable>>()?));
    }
    Ok(orders)
}
