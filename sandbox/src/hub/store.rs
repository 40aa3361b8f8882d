//! The hub's SQLite file.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::receiver::Durability;
use super::seal::{Hash, beginning};
use super::wire::Refusal;

/// Opens the file, or books in memory without one, and makes what is missing.
pub(crate) fn open(path: Option<&Path>, durability: Durability) -> rusqlite::Result<Connection> {
    let connection = path.map_or_else(Connection::open_in_memory, Connection::open)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", durability.pragma())?;
    connection.execute_batch(include_str!("schema.sql"))?;
    Ok(connection)
}

/// A place or number as SQLite holds it. Those that come near the limit of its integers are refused before.
pub(crate) fn sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The place or number in a column.
pub(crate) fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, number))
}

/// The last place that the hub has of a terminal, and its hash.
pub(crate) fn head(connection: &Connection, terminal: &str) -> rusqlite::Result<(u64, Hash)> {
    let mut query =
        connection.prepare_cached("SELECT seq, hash FROM entries WHERE terminal = ? ORDER BY seq DESC LIMIT 1")?;
    let last = query.query_row([terminal], |row| Ok((number(row, 0)?, row.get(1)?))).optional()?;
    Ok(last.unwrap_or_else(|| (0, beginning())))
}

/// The hash of an entry that the hub has.
pub(crate) fn hash_at(connection: &Connection, terminal: &str, seq: u64) -> rusqlite::Result<Hash> {
    let mut query = connection.prepare_cached("SELECT hash FROM entries WHERE terminal = ? AND seq = ?")?;
    query.query_row(params![terminal, sql(seq)], |row| row.get(0))
}

/// The key of a terminal that joined.
pub(crate) fn public_key(connection: &Connection, terminal: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    let mut query = connection.prepare_cached("SELECT public_key FROM terminals WHERE terminal = ?")?;
    query.query_row([terminal], |row| row.get(0)).optional()
}

/// The greatest number of the commands for a terminal; 0 without any.
pub(crate) fn newest_command(connection: &Connection, terminal: &str) -> rusqlite::Result<u64> {
    let mut query = connection.prepare_cached(
        "SELECT max(
            (SELECT coalesce(max(number), 0) FROM commands WHERE terminal = ?1),
            (SELECT coalesce(max(handled), 0) FROM terminals WHERE terminal = ?1)
        )",
    )?;
    query.query_row([terminal], |row| number(row, 0))
}

/// The key of a terminal, or the refusal that one without gets.
pub(crate) fn known_key(connection: &Connection, terminal: &str) -> Result<Vec<u8>, Refusal> {
    public_key(connection, terminal)?.ok_or_else(|| {
        let detail = format!("the hub has no key of {terminal}: join with a code from the operator");
        Refusal::new(403, "unknown_terminal", detail)
    })
}
