//! Refunds that wait for the decision of another person: a derived table, because their orders are closed, and nobody
//! shall look through all of those for the few that wait.

use payment::engine::entry::{Entry, Stored};
use payment::ids::RefundId;
use rusqlite::{Connection, params};

use super::chain::{Record, read_seq, sql_seq};
use super::view::NoAnswer;

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    /// Place of the entry that asks.
    pub(super) seq: u64,
    pub(super) refund: String,
}

/// What an entry means for the refunds that wait.
enum Change {
    Asks(RefundId),
    Ends(RefundId),
    Nothing,
}

impl Change {
    const fn of(entry: &Entry) -> Self {
        match entry {
            Entry::RefundAsked { refund, .. } => Self::Asks(*refund),
            Entry::RefundDecided { refund, .. } | Entry::RefundStarted { refund, .. } => Self::Ends(*refund),
            Entry::OrderOpened { .. }
            | Entry::AttemptStarted { .. }
            | Entry::CashTaken { .. }
            | Entry::AttemptPaid { .. }
            | Entry::AttemptNotPaid { .. }
            | Entry::ReverseStarted { .. }
            | Entry::OrderCancelled { .. }
            | Entry::VendStarted { .. }
            | Entry::VendEnded { .. }
            | Entry::RefundDone { .. }
            | Entry::RefundOwed { .. }
            | Entry::RefundFailed { .. }
            | Entry::DutyBegun { .. }
            | Entry::DutyDone { .. }
            | Entry::DutyRefused { .. }
            | Entry::OrderClosed { .. } => Self::Nothing,
        }
    }
}

/// Those that wait by the entries of one order, given with their places and in their order.
pub(super) fn waiting<'a>(entries: impl IntoIterator<Item = (u64, &'a Entry)>) -> Vec<Asked> {
    let mut waiting: Vec<Asked> = Vec::new();
    for (seq, entry) in entries {
        match Change::of(entry) {
            Change::Asks(refund) => waiting.push(Asked { seq, refund: refund.to_string() }),
            Change::Ends(refund) => waiting.retain(|asked| asked.refund != refund.as_str()),
            Change::Nothing => {}
        }
    }
    waiting
}

/// Brings the table up to date with one more entry of the order whose first entry is at `opened_seq`.
pub(super) fn apply(connection: &Connection, opened_seq: u64, seq: u64, entry: &Entry) -> rusqlite::Result<()> {
    match Change::of(entry) {
        Change::Asks(refund) => connection
            .prepare_cached("INSERT INTO refunds_asked (asked_seq, opened_seq, refund) VALUES (?1, ?2, ?3)")?
            .execute(params![sql_seq(seq), sql_seq(opened_seq), refund.as_str()])?,
        Change::Ends(refund) => connection
            .prepare_cached("DELETE FROM refunds_asked WHERE opened_seq = ?1 AND refund = ?2")?
            .execute(params![sql_seq(opened_seq), refund.as_str()])?,
        Change::Nothing => 0,
    };
    Ok(())
}

/// What the table says of one order.
pub(super) fn held(connection: &Connection, opened_seq: u64) -> rusqlite::Result<Vec<Asked>> {
    connection
        .prepare_cached("SELECT asked_seq, refund FROM refunds_asked WHERE opened_seq = ?1 ORDER BY asked_seq")?
        .query_map([sql_seq(opened_seq)], |row| Ok(Asked { seq: read_seq(row, 0)?, refund: row.get(1)? }))?
        .collect()
}

/// The entries that ask, after place `after`, those that wait longest first.
pub(super) fn page(connection: &Connection, after: u64, limit: u32) -> Result<Vec<Stored>, NoAnswer> {
    if !has_table(connection)? {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare_cached(include_str!("sql/refunds_asked.sql"))?;
    let records = statement.query_map(params![sql_seq(after), limit], Record::from_row)?;
    records.map(|record| Ok(record?.proved()?)).collect()
}

/// Whether the file has the table: a version before never made it, and one who only reads does not.
pub(super) fn has_table(connection: &Connection) -> rusqlite::Result<bool> {
    connection.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'refunds_asked'")?.exists([])
}
