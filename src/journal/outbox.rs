//! What the hub does not have yet: a view of the entries after one mark, never a second queue.
//!
//! What was sent is a hint that a restart forgets; what the hub acknowledged is a fact and stands in the file. An entry
//! that the hub refuses for good counts as acknowledged and is set aside, where a person sees it.

use payment::money::Fen;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::Journal;
use super::chain::{Record, read_seq, sql_seq};
use super::recover;
use super::store;
use super::trouble::AppendError;

/// So many of the entries set aside are read: a hub may have refused all there are.
const SET_ASIDE_SHOWN: u32 = 100;
/// So many results that were not reported are read. The link lets no more than 50 come together, but the file may be older
/// than that rule.
const RESULTS_READ: u32 = 1_000;

/// How far the hub has the journal, and what it refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncStatus {
    /// Every entry up to this place is the hub's too; 0 when none is.
    pub acknowledged: u64,
    /// Place of the last entry; 0 when there is none.
    pub newest: u64,
    /// How many entries wait for the hub.
    pub waiting: u64,
    /// What was paid in them.
    pub amount: Fen,
    /// When the oldest of them was recorded, milliseconds since 1970.
    pub oldest_ms: Option<i64>,
    /// The newest 100 entries that the hub refused for good, in the order of the journal.
    pub set_aside: Vec<SetAside>,
    /// How many it refused.
    pub set_aside_count: u64,
    /// Number of the hub's newest command that was done or refused; 0 when there was none.
    pub handled: u64,
    /// What became of commands and was not reported yet, in the order of their numbers.
    pub results: Vec<CommandResult>,
    /// What the journal takes of the disk, without the room inside it that is free again.
    pub used_bytes: u64,
}

/// What of [`SyncStatus`] is found at once, however much waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyncCounts {
    /// Every entry up to this place is the hub's too; 0 when none is.
    pub acknowledged: u64,
    /// How many entries wait for the hub.
    pub waiting: u64,
    /// How many entries the hub refused for good.
    pub set_aside: u64,
    /// What the journal takes of the disk, without the room inside it that is free again.
    pub used_bytes: u64,
}

/// An entry that the hub refused for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Its place.
    pub seq: u64,
    /// The order that it is about.
    pub order: String,
    /// The hub's code.
    pub code: String,
    /// The hub's words.
    pub detail: String,
    /// When it was refused, milliseconds since 1970.
    pub at_ms: i64,
}

/// How a command of the hub ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandOutcome {
    /// It was done.
    Done,
    /// Nothing of it was done.
    Refused,
}

impl CommandOutcome {
    /// The name on the wire and in the journal's table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }
}

/// What became of a command of the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandResult {
    /// Its number.
    pub number: u64,
    /// How it ended.
    pub outcome: CommandOutcome,
    /// What a person at the hub should know.
    pub detail: String,
}

impl Journal {
    /// Notes that the hub has every entry up to `up_to`, those in `set_aside` as refused for good. Durable when this
    /// returns. A mark below the one that stands changes nothing; what is set aside is kept nevertheless, each once.
    ///
    /// # Errors
    ///
    /// [`AppendError::Beyond`] when there is no such entry; else what an [`append`](Self::append) would meet.
    pub async fn acknowledge(&self, up_to: u64, set_aside: Vec<SetAside>) -> Result<(), AppendError> {
        self.have(move |writer| {
            let newest = writer.head.seq;
            let last = set_aside.iter().map(|entry| entry.seq).max().unwrap_or(0).max(up_to);
            if last > newest {
                return Err(AppendError::Beyond { up_to: last, newest });
            }
            writer.in_transaction(|transaction| acknowledge(transaction, up_to, &set_aside))
        })
        .await
    }

    /// Notes what became of a command, so that it is never done again and the hub can be told. Durable when this
    /// returns. The first result of a number is the one that stays.
    ///
    /// # Errors
    ///
    /// What an [`append`](Self::append) would meet.
    pub async fn command_handled(&self, result: CommandResult) -> Result<(), AppendError> {
        self.have(move |writer| writer.in_transaction(|transaction| handled(transaction, &result))).await
    }

    /// Forgets the results of all commands up to the number `up_to`: the hub has them.
    ///
    /// # Errors
    ///
    /// What an [`append`](Self::append) would meet.
    pub async fn results_reported(&self, up_to: u64) -> Result<(), AppendError> {
        self.have(move |writer| {
            writer.in_transaction(|transaction| {
                transaction.execute("DELETE FROM command_results WHERE number <= ?1", [sql_seq(up_to)])?;
                Ok(())
            })
        })
        .await
    }

    /// Notes that a person knows of every entry that is set aside now. Durable when this returns.
    ///
    /// # Errors
    ///
    /// What an [`append`](Self::append) would meet.
    pub async fn set_aside_seen(&self) -> Result<(), AppendError> {
        self.have(|writer| {
            writer.in_transaction(|transaction| {
                transaction.execute(
                    "INSERT INTO set_aside_seen (seq) SELECT seq FROM set_aside WHERE true ON CONFLICT DO NOTHING",
                    [],
                )?;
                Ok(())
            })
        })
        .await
    }

    /// What the journal takes of the disk in bytes, without the room inside it that retention made free: new entries
    /// go there first.
    ///
    /// # Errors
    ///
    /// When the journal cannot be read.
    pub async fn used_bytes(&self) -> Result<u64, AppendError> {
        self.have(|writer| writer.write(|connection| used_bytes(connection))).await
    }
}

fn acknowledge(transaction: &Transaction<'_>, up_to: u64, set_aside: &[SetAside]) -> rusqlite::Result<()> {
    transaction.execute("UPDATE sync SET acknowledged = ?1 WHERE acknowledged < ?1", [sql_seq(up_to)])?;
    let mut keep = transaction.prepare_cached(
        "INSERT INTO set_aside (seq, order_id, code, detail, at_ms) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
    )?;
    for entry in set_aside {
        keep.execute(params![sql_seq(entry.seq), entry.order, entry.code, entry.detail, entry.at_ms])?;
    }
    Ok(())
}

fn handled(transaction: &Transaction<'_>, result: &CommandResult) -> rusqlite::Result<()> {
    let number = sql_seq(result.number);
    // One that was reported already stays so.
    let new = transaction.execute("UPDATE sync SET handled = ?1 WHERE handled < ?1", [number])?;
    if new > 0 {
        transaction.execute(
            "INSERT INTO command_results (number, outcome, detail) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            params![number, result.outcome.name(), result.detail],
        )?;
    }
    Ok(())
}

/// The two marks of a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Marks {
    pub(super) acknowledged: u64,
    pub(super) handled: u64,
}

/// Reads the marks. A file of the version before has none yet.
pub(super) fn marks(connection: &Connection) -> rusqlite::Result<Marks> {
    if !store::has_additions(connection)? {
        return Ok(Marks::default());
    }
    let found = connection
        .prepare_cached("SELECT acknowledged, handled FROM sync")?
        .query_row([], |row| Ok(Marks { acknowledged: read_seq(row, 0)?, handled: read_seq(row, 1)? }))
        .optional()?;
    Ok(found.unwrap_or_default())
}

/// The results that were not reported yet, the oldest of them.
pub(super) fn results(connection: &Connection) -> rusqlite::Result<Vec<CommandResult>> {
    if !store::has_additions(connection)? {
        return Ok(Vec::new());
    }
    connection
        .prepare_cached("SELECT number, outcome = 'done', detail FROM command_results ORDER BY number LIMIT ?1")?
        .query_map([RESULTS_READ], |row| {
            let outcome = if row.get(1)? { CommandOutcome::Done } else { CommandOutcome::Refused };
            Ok(CommandResult { number: read_seq(row, 0)?, outcome, detail: row.get(2)? })
        })?
        .collect()
}

/// Whether an entry is set aside that no person has seen. For the start, which has made the table.
pub(super) fn has_unseen(connection: &Connection) -> rusqlite::Result<bool> {
    connection.prepare("SELECT 1 FROM set_aside WHERE seq NOT IN (SELECT seq FROM set_aside_seen)")?.exists([])
}

fn set_aside(connection: &Connection) -> rusqlite::Result<Vec<SetAside>> {
    if !store::has_additions(connection)? {
        return Ok(Vec::new());
    }
    connection
        .prepare_cached(include_str!("sql/set_aside_newest.sql"))?
        .query_map([SET_ASIDE_SHOWN], |row| {
            Ok(SetAside {
                seq: read_seq(row, 0)?,
                order: row.get(1)?,
                code: row.get(2)?,
                detail: row.get(3)?,
                at_ms: row.get(4)?,
            })
        })?
        .collect()
}

fn set_aside_count(connection: &Connection) -> rusqlite::Result<u64> {
    match store::has_additions(connection)? {
        true => connection.query_row("SELECT count(*) FROM set_aside", [], |row| read_seq(row, 0)),
        false => Ok(0),
    }
}

/// The records after place `after`, without a gap.
pub(super) fn page(
    connection: &Connection,
    after: u64,
    entries_max: u32,
    bytes_max: usize,
) -> rusqlite::Result<Vec<Record>> {
    let mut statement = connection.prepare_cached(include_str!("sql/entries_since.sql"))?;
    let mut page: Vec<Record> = Vec::new();
    let mut bytes = 0;
    for record in statement.query_map(params![sql_seq(after), entries_max.max(1)], Record::from_row)? {
        let record = record?;
        let next = page.last().map_or(after, |last| last.seq) + 1;
        bytes += line_bytes_max(&record);
        if record.seq != next || (bytes > bytes_max && !page.is_empty()) {
            break;
        }
        page.push(record);
    }
    Ok(page)
}

/// What the line of a record on the wire takes at most (docs/hub.md): names, numbers and hashes, and the body as a
/// string, in which quotes and backslashes are escaped.
fn line_bytes_max(record: &Record) -> usize {
    const NAMES_NUMBERS_AND_HASHES: usize = 300;
    let escaped = record.body.bytes().filter(|byte| matches!(byte, b'"' | b'\\')).count();
    NAMES_NUMBERS_AND_HASHES + record.order.len() + record.state.len() + record.body.len() + escaped
}

/// Where the journal and the hub stand.
pub(super) fn status(connection: &Connection) -> rusqlite::Result<SyncStatus> {
    // One snapshot: all numbers are of one instant.
    let snapshot = connection.unchecked_transaction()?;
    let marks = marks(&snapshot)?;
    let newest = recover::head(&snapshot)?.seq;
    let oldest = "SELECT at_ms FROM entries WHERE seq > ?1 ORDER BY seq LIMIT 1";
    Ok(SyncStatus {
        acknowledged: marks.acknowledged,
        newest,
        // Nothing behind the mark was ever removed.
        waiting: newest.saturating_sub(marks.acknowledged),
        amount: paid_after(&snapshot, marks.acknowledged)?,
        oldest_ms: snapshot
            .prepare_cached(oldest)?
            .query_row([sql_seq(marks.acknowledged)], |row| row.get(0))
            .optional()?,
        set_aside: set_aside(&snapshot)?,
        set_aside_count: set_aside_count(&snapshot)?,
        handled: marks.handled,
        results: results(&snapshot)?,
        used_bytes: used_bytes(&snapshot)?,
    })
}

/// The same, without what must be added up.
pub(super) fn counts(connection: &Connection) -> rusqlite::Result<SyncCounts> {
    let snapshot = connection.unchecked_transaction()?;
    let acknowledged = marks(&snapshot)?.acknowledged;
    let set_aside = set_aside_count(&snapshot)?;
    let waiting = recover::head(&snapshot)?.seq.saturating_sub(acknowledged);
    Ok(SyncCounts { acknowledged, waiting, set_aside, used_bytes: used_bytes(&snapshot)? })
}

fn paid_after(connection: &Connection, seq: u64) -> rusqlite::Result<Fen> {
    connection
        .prepare_cached(include_str!("sql/paid_after.sql"))?
        .query_row([sql_seq(seq)], |row| row.get(0).map(Fen::new))
}

fn used_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let read = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let pages = read("page_count")?.saturating_sub(read("freelist_count")?);
    Ok(u64::try_from(pages.saturating_mul(read("page_size")?)).unwrap_or(0))
}
