//! The file: one owner, safe settings that are read back, and a schema that only moves forward.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::location::Location;
use super::trouble::{OpenError, Trouble};
use crate::durable;

/// Marks the file as ours: "Till" in ASCII.
const APPLICATION: i64 = 0x5469_6c6c;
/// The schema, step by step. A released step is never changed; `format_tests.rs` holds their hashes.
pub(super) const MIGRATIONS: [&str; 3] = [
    include_str!("schema/0001_entries.sql"),
    include_str!("schema/0002_orders.sql"),
    include_str!("schema/0003_views.sql"),
];
/// What the versions before can do without. It does nothing where its work is done.
pub(super) const ADDITIONS: &str = include_str!("schema/additions.sql");
/// So many tables, indexes, triggers and views come of it, and none of those that it takes away is left.
const ADDITIONS_MADE: i64 = 16;
/// How long a write waits for a program that holds the file: a backup is done by then, a buyer still waits.
const BUSY_MS_MAX: u64 = 2_000;
/// The write-ahead log may grow to this many pages of 4 KiB before a commit itself empties it. Normally the writer
/// does so between commits, see `append.rs`.
const WAL_PAGES_MAX: u32 = 2_000;
/// The log's file is cut back to this size when it was larger.
const WAL_BYTES_KEPT: u32 = 4 << 20;
/// Memory for pages of one connection, in KiB. The daemon is to stay small.
const CACHE_KIB: u32 = 1_024;

/// The right to write to a journal; given up when dropped, also when the process dies.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "held, not read")] Option<File>);

/// Takes the lock file beside a journal of this system and writes our process number into it.
pub(super) fn lock(location: &Location) -> Result<Lock, OpenError> {
    if location.is_real() { lock_file(location.path()).map(|file| Lock(Some(file))) } else { Ok(Lock(None)) }
}

fn lock_file(path: &Path) -> Result<File, OpenError> {
    let beside = lock_path(path);
    let failed = |source| OpenError::File { path: beside.clone(), source };
    let mut file = private(&beside).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(OpenError::InUse { path: path.to_owned(), pid: written_pid(&mut file) });
        }
        Err(TryLockError::Error(source)) => return Err(failed(source)),
    }
    // A full disk must not keep the daemon from starting: the number is only a help for people.
    if let Err(error) = write_pid(&mut file) {
        tracing::debug!(%error, "could not write the process number into the lock file");
    }
    Ok(file)
}

fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

fn write_pid(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn written_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// Opens the journal for writing, making it and bringing it up to date as needed.
pub(super) fn create(location: &Location) -> Result<Connection, OpenError> {
    if location.is_real() {
        make_file(location.path())?;
    }
    let storage = |error| OpenError::Storage(Trouble::of(error, location));
    let mut connection = connect(location).map_err(storage)?;
    own(&connection, location)?;
    make_safe(&connection, location).map_err(storage)??;
    migrate(&mut connection).map_err(storage)??;
    Ok(connection)
}

fn make_file(path: &Path) -> Result<(), OpenError> {
    if path.exists() {
        return Ok(());
    }
    let failed = |source| OpenError::File { path: path.to_owned(), source };
    private(path).map_err(failed)?;
    // Its name must survive a power cut too.
    File::open(durable::folder(path)).and_then(|folder| folder.sync_all()).map_err(failed)
}

/// Opens a journal that exists, again, after trouble.
pub(super) fn reopen(location: &Location) -> Result<Connection, OpenError> {
    let storage = |error| OpenError::Storage(Trouble::of(error, location));
    let connection = connect(location).map_err(storage)?;
    make_safe(&connection, location).map_err(storage)??;
    Ok(connection)
}

fn connect(location: &Location) -> rusqlite::Result<Connection> {
    let connection = location.connect(OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    // SQLite opens a file that it may not write as read-only, without a word.
    if connection.is_readonly("main")? {
        let refused = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_READONLY);
        return Err(rusqlite::Error::SqliteFailure(refused, None));
    }
    settle(&connection)?;
    Ok(connection)
}

/// Opens a journal so that it cannot be changed through this connection.
pub(super) fn connect_read_only(location: &Location) -> rusqlite::Result<Connection> {
    let connection = location.connect(OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    settle(&connection)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn settle(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::from_millis(BUSY_MS_MAX))?;
    connection.pragma_update(None, "cache_size", -i64::from(CACHE_KIB))?;
    connection.pragma_update(None, "trusted_schema", false)
}

/// Refuses a database of something else before anything in it is touched.
fn own(connection: &Connection, location: &Location) -> Result<(), OpenError> {
    let read = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let storage = |error| OpenError::Storage(Trouble::of(error, location));
    let application = read("PRAGMA application_id").map_err(storage)?;
    let tables = read("SELECT count(*) FROM sqlite_schema").map_err(storage)?;
    if application == APPLICATION || (application == 0 && tables == 0) {
        return Ok(());
    }
    Err(OpenError::NotAJournal { path: location.path().to_owned() })
}

/// What makes a commit survive a power cut (reference/hardware.md 5.6). Asked for, then read back: SQLite does not
/// complain about a pragma that it did not follow.
pub(super) fn make_safe(connection: &Connection, location: &Location) -> rusqlite::Result<Result<(), OpenError>> {
    let (synchronous, says) = location.synchronous().pragma();
    connection.pragma_update(None, "journal_size_limit", WAL_BYTES_KEPT)?;
    connection.pragma_update(None, "wal_autocheckpoint", WAL_PAGES_MAX)?;
    for (pragma, wanted, says) in [("journal_mode", "WAL", "wal"), ("synchronous", synchronous, says)] {
        connection.pragma_update(None, pragma, wanted)?;
        let found = connection.pragma_query_value(None, pragma, |row| {
            row.get_ref(0).map(|value| match value {
                rusqlite::types::ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                rusqlite::types::ValueRef::Integer(number) => number.to_string(),
                rusqlite::types::ValueRef::Null
                | rusqlite::types::ValueRef::Real(_)
                | rusqlite::types::ValueRef::Blob(_) => String::new(),
            })
        })?;
        if found != says {
            return Ok(Err(OpenError::Unsafe { pragma, wanted, found }));
        }
    }
    Ok(Ok(()))
}

/// Runs the steps that the file has not seen, each in its own transaction, then what was added without a step.
fn migrate(connection: &mut Connection) -> rusqlite::Result<Result<(), OpenError>> {
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if !(0..=known).contains(&found) {
        return Ok(Err(OpenError::Newer { found, known }));
    }
    for (step, sql) in (1..).zip(MIGRATIONS) {
        if step <= found {
            continue;
        }
        let transaction = connection.transaction()?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", step)?;
        transaction.commit()?;
    }
    if !has_all_additions(connection)? {
        let transaction = connection.transaction()?;
        transaction.execute_batch(ADDITIONS)?;
        transaction.commit()?;
    }
    Ok(Ok(()))
}

/// Whether the additions have nothing left to do. One look is cheaper than trying all of them, and this is asked at
/// every start.
pub(super) fn has_all_additions(connection: &Connection) -> rusqlite::Result<bool> {
    let found: i64 = connection.query_row(include_str!("sql/additions_made.sql"), [], |row| row.get(0))?;
    Ok(found == ADDITIONS_MADE)
}

/// Whether the file has this table: one who only reads does not make it.
pub(super) fn has_table(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    connection.prepare_cached("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1")?.exists([name])
}

/// Whether the file has the additions: a version before never made them, and one who only reads does not.
pub(super) fn has_additions(connection: &Connection) -> rusqlite::Result<bool> {
    connection.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'voucher_uses'")?.exists([])
}
