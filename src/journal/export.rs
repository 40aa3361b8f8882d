//! The journal for other programs: all entries as JSON lines, all orders as CSV. The daemon may be running.
//!
//! Both formats are stable: fields and columns may be added at the end, never renamed or removed.

use std::io::{self, Write};
use std::path::Path;

use jiff::Timestamp;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use thiserror::Error;

use super::chain::Record;
use super::location::Location;
use super::project::{OrderSummary, origin_name, read_order};
use super::store;
use super::trouble::Trouble;

/// Why an export stopped. What was written so far is right as far as it goes.
#[derive(Debug, Error)]
pub enum ExportError {
    /// The journal cannot be read.
    #[error("the journal cannot be read: {0}")]
    Storage(#[source] Trouble),
    /// The target does not take more.
    #[error("the export cannot be written ({0}): it is not complete")]
    Write(#[from] io::Error),
}

#[derive(Serialize)]
struct Line<'a> {
    seq: u64,
    at: String,
    at_ms: i64,
    trusted: bool,
    order: &'a str,
    kind: String,
    state: &'a str,
    body: Box<RawValue>,
    prev: String,
    hash: String,
}

#[derive(Deserialize)]
struct Kind {
    kind: String,
}

/// Writes every entry as one line of JSON and returns how many. `body` holds exactly the bytes that were hashed; one
/// that is damaged beyond JSON stands there as a string.
///
/// # Errors
///
/// When the journal cannot be read or `out` not written.
pub fn entries(path: &Path, mut out: impl Write) -> Result<u64, ExportError> {
    let statement = include_str!("sql/entries_since.sql");
    each(path, statement, &[0, i64::MAX], Record::from_row, |record| {
        serde_json::to_writer(&mut out, &line(&record)?).map_err(io::Error::from)?;
        out.write_all(b"\n")
    })
}

fn line(record: &Record) -> Result<Line<'_>, serde_json::Error> {
    let kind: Option<Kind> = serde_json::from_str(&record.body).ok();
    let body = match RawValue::from_string(record.body.clone()) {
        Ok(body) => body,
        Err(_) => serde_json::value::to_raw_value(&record.body)?,
    };
    Ok(Line {
        seq: record.seq,
        at: instant(record.at.ms),
        at_ms: record.at.ms,
        trusted: record.at.trusted,
        order: &record.order,
        kind: kind.map(|body| body.kind).unwrap_or_default(),
        state: &record.state,
        body,
        prev: record.prev.to_string(),
        hash: record.hash.to_string(),
    })
}

/// Writes every order as one row of CSV (RFC 4180) under a heading and returns how many. Amounts are in fen.
///
/// # Errors
///
/// When the journal cannot be read or `out` not written.
pub fn orders(path: &Path, mut out: impl Write) -> Result<u64, ExportError> {
    out.write_all(b"order,state,opened_at,last_at,amount,paid,refunded,currency,origin,reference,open\r\n")?;
    let statement = "SELECT opened_seq, order_id, state, amount, currency, origin, reference, opened_ms, last_seq, \
                     last_ms, paid, refunded, open FROM orders ORDER BY opened_seq";
    each(path, statement, &[], read_order, |order| out.write_all(csv_row(&order).as_bytes()))
}

fn csv_row(order: &OrderSummary) -> String {
    let fields = [
        order.order.to_string(),
        order.state.name().to_owned(),
        instant(order.opened_ms),
        instant(order.last_ms),
        order.amount.get().to_string(),
        order.paid.get().to_string(),
        order.refunded.get().to_string(),
        csv_text(&order.currency),
        origin_name(order.origin).to_owned(),
        csv_text(order.reference.as_deref().unwrap_or_default()),
        order.open.to_string(),
    ];
    fields.join(",") + "\r\n"
}

fn csv_text(text: &str) -> String {
    if text.contains([',', '"', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// RFC 3339 in UTC; empty when the clock said something that is no time.
fn instant(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map_or_else(|_| String::new(), |time| format!("{time:.3}"))
}

/// Streams the rows of one statement, in one snapshot.
fn each<T>(
    path: &Path,
    statement: &str,
    arguments: &[i64],
    read: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    mut write: impl FnMut(T) -> io::Result<()>,
) -> Result<u64, ExportError> {
    let location = Location::of(path);
    let storage = |error| ExportError::Storage(Trouble::of(error, &location));
    let connection: Connection = store::connect_read_only(&location).map_err(storage)?;
    let mut statement = connection.prepare(statement).map_err(storage)?;
    let arguments = rusqlite::params_from_iter(arguments);
    let mut rows = statement.query(arguments).map_err(storage)?;
    let mut count = 0;
    while let Some(row) = rows.next().map_err(storage)? {
        write(read(row).map_err(storage)?)?;
        count += 1;
    }
    Ok(count)
}
