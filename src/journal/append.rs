//! The writer: one thread, one connection, durable when it answers.
//!
//! Batches that wait while a commit is on its way to the disk go together into the next one, each in its own savepoint:
//! a batch that contradicts the journal is refused alone. After trouble with the disk the connection is thrown away and
//! opened again for the next attempt, so the journal heals without a restart.

use std::thread::{self, JoinHandle};

use payment::engine::entry::SlotId;
use payment::engine::slots::SlotNews;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, TransactionBehavior, params};
use tokio::sync::{mpsc, oneshot};

use super::chain::{Head, Record, sql_seq};
use super::location::Location;
use super::project::{self, ProjectError, Step};
use super::store::{self, Lock};
use super::trouble::{AppendError, OpenError, Trouble};
use super::view::Reader;
use super::{NewEntry, audit, recover, slots};

/// Batches that may wait; a sender beyond that waits itself. One machine has one customer and a few refunds.
const WAITING_MAX: usize = 64;
/// Batches in one commit, so that the first of them does not wait for ever.
const MERGED_MAX: usize = 32;
/// Between commits the write-ahead log is emptied after this many: about 1 MiB.
const COMMITS_PER_CHECKPOINT: u32 = 64;
/// What the probe writes: as many pages as a large batch.
const PROBE_BYTES: u32 = 32 << 10;
/// What must be free for the probe to succeed: a sale that begins shall also find room to end.
const ROOM_BYTES_MIN: u64 = 1 << 20;

/// Entries that are recorded together, and what they mean for slots.
struct Batch {
    entries: Vec<NewEntry>,
    slots: Vec<(SlotId, SlotNews)>,
}

type Reply<T> = oneshot::Sender<Result<T, AppendError>>;

enum Command {
    Append(Batch, Reply<Vec<u64>>),
    Probe(Reply<()>),
    Chore(Chore),
    #[cfg(test)]
    WithConnection(Box<dyn FnOnce(&Connection) + Send>),
}

/// Something that is written beside the entries; it sends its own answer.
type Chore = Box<dyn FnOnce(&mut Writer) + Send>;

/// The open journal: hands what is to be recorded to the writer thread.
///
/// Dropping it finishes what waits, empties the write-ahead log, ends the thread and gives up the lock.
#[derive(Debug)]
pub struct Journal {
    commands: Option<mpsc::Sender<Command>>,
    thread: Option<JoinHandle<()>>,
    reader: Reader,
}

impl Journal {
    pub(super) fn start(
        location: &Location,
        lock: Lock,
        connection: Connection,
        head: Head,
    ) -> Result<Self, OpenError> {
        let reader = Reader::open_at(location)?;
        let (commands, waiting) = mpsc::channel(WAITING_MAX);
        let writer = Writer {
            location: location.clone(),
            connection: Some(connection),
            head,
            commits: 0,
            looked_at: 0,
            _lock: lock,
        };
        let thread = thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || writer.run(waiting))
            .map_err(|source| OpenError::File { path: location.path().to_owned(), source })?;
        Ok(Self { commands: Some(commands), thread: Some(thread), reader })
    }

    /// Records the batch, all of it or nothing, and returns the entries' places. It is durable when this returns.
    ///
    /// One who stops waiting for the answer does not call the batch back: it may be recorded nevertheless.
    ///
    /// # Errors
    ///
    /// See [`AppendError`]; nothing of the batch is recorded then.
    pub async fn append(&self, batch: Vec<NewEntry>) -> Result<Vec<u64>, AppendError> {
        self.append_with(batch, Vec::new()).await
    }

    /// The same with what the entries mean for the machine's slots, kept in the same transaction. That is no money: when
    /// its table is damaged, the entries are recorded without it.
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append).
    pub async fn append_with(
        &self,
        entries: Vec<NewEntry>,
        slots: Vec<(SlotId, SlotNews)>,
    ) -> Result<Vec<u64>, AppendError> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        self.ask(|reply| Command::Append(Batch { entries, slots }, reply)).await
    }

    /// Writes something small and durable that is no entry, to learn whether the disk takes writes and has room for a
    /// sale.
    ///
    /// # Errors
    ///
    /// What an [`append`](Self::append) would meet.
    pub async fn probe(&self) -> Result<(), AppendError> {
        self.ask(Command::Probe).await
    }

    /// Questions to the journal.
    #[must_use]
    pub fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// Has the writer do something between two batches.
    pub(super) async fn have<T: Send + 'static>(
        &self,
        chore: impl FnOnce(&mut Writer) -> Result<T, AppendError> + Send + 'static,
    ) -> Result<T, AppendError> {
        self.ask(move |reply| {
            Command::Chore(Box::new(move |writer| {
                let _ = reply.send(chore(writer));
            }))
        })
        .await
    }

    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, AppendError> {
        let (reply, answer) = oneshot::channel();
        let commands = self.commands.as_ref().ok_or(AppendError::Stopped)?;
        let sent = commands.send(command(reply)).await;
        sent.map_err(|_| AppendError::Stopped)?;
        answer.await.map_err(|_| AppendError::Stopped)?
    }

    #[cfg(test)]
    pub(super) async fn with_connection(&self, act: impl FnOnce(&Connection) + Send + 'static) {
        let commands = self.commands.as_ref().unwrap();
        let command = Command::WithConnection(Box::new(act));
        assert!(commands.send(command).await.is_ok());
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.commands = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the journal's writer ended by a panic");
        }
    }
}

/// A failure of one batch, or of everything.
enum Failure {
    /// This batch is wrong; the others may go on.
    Batch(AppendError),
    /// The disk; nothing can be committed now.
    Disk(rusqlite::Error),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Disk(error)
    }
}

/// The one that writes, on its own thread.
pub(super) struct Writer {
    location: Location,
    /// `None` after trouble, until the next attempt.
    connection: Option<Connection>,
    /// Where the journal ends, as far as anybody was told.
    pub(super) head: Head,
    commits: u32,
    /// Orders opened before this place were looked at by retention in this round.
    pub(super) looked_at: u64,
    _lock: Lock,
}

impl Writer {
    fn run(mut self, mut waiting: mpsc::Receiver<Command>) {
        while let Some(first) = waiting.blocking_recv() {
            let mut commands = vec![first];
            while commands.len() < MERGED_MAX
                && let Ok(next) = waiting.try_recv()
            {
                commands.push(next);
            }
            self.serve(commands);
            if waiting.is_empty() && self.commits >= COMMITS_PER_CHECKPOINT {
                self.checkpoint("PRAGMA wal_checkpoint(PASSIVE)");
            }
        }
        self.checkpoint("PRAGMA wal_checkpoint(TRUNCATE)");
    }

    fn serve(&mut self, commands: Vec<Command>) {
        let mut batches = Vec::new();
        let mut probes = Vec::new();
        let mut chores = Vec::new();
        for command in commands {
            match command {
                Command::Append(batch, reply) => batches.push((batch, reply)),
                Command::Probe(reply) => probes.push(reply),
                Command::Chore(chore) => chores.push(chore),
                #[cfg(test)]
                Command::WithConnection(act) => {
                    if let Some(connection) = &self.connection {
                        act(connection);
                    }
                }
            }
        }
        if !batches.is_empty() {
            self.serve_batches(batches);
        }
        if !probes.is_empty() {
            let probed = self.probe();
            for reply in probes {
                let _ = reply.send(probed.clone());
            }
        }
        for chore in chores {
            chore(self);
        }
    }

    fn serve_batches(&mut self, batches: Vec<(Batch, Reply<Vec<u64>>)>) {
        let (batches, replies): (Vec<_>, Vec<_>) = batches.into_iter().unzip();
        match self.commit(&batches) {
            Ok(answers) => {
                for (reply, answer) in replies.into_iter().zip(answers) {
                    let _ = reply.send(answer);
                }
            }
            Err(error) => {
                for reply in replies {
                    let _ = reply.send(Err(error.clone()));
                }
            }
        }
    }

    /// Commits all batches at once. One that is refused does not hold up the others.
    fn commit(&mut self, batches: &[Batch]) -> Result<Vec<Result<Vec<u64>, AppendError>>, AppendError> {
        let mut head = self.head;
        let answers = self.in_transaction(|transaction| {
            let mut answers = Vec::with_capacity(batches.len());
            for batch in batches {
                let savepoint = transaction.savepoint()?;
                match insert(&savepoint, head, batch) {
                    Ok(after) => {
                        savepoint.commit()?;
                        answers.push(Ok((head.seq + 1..=after.seq).collect()));
                        head = after;
                    }
                    Err(Failure::Batch(refused)) => answers.push(Err(refused)),
                    Err(Failure::Disk(error)) => return Err(error),
                }
            }
            Ok(answers)
        })?;
        self.head = head;
        Ok(answers)
    }

    /// Does `act` and commits, or does nothing. What it did is durable when this returns.
    pub(super) fn in_transaction<T>(
        &mut self,
        act: impl FnOnce(&mut Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, AppendError> {
        let done = self.write(|connection| {
            let mut transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = act(&mut transaction)?;
            transaction.commit()?;
            Ok(done)
        })?;
        self.commits += 1;
        Ok(done)
    }

    fn probe(&mut self) -> Result<(), AppendError> {
        self.write(|connection| {
            connection.execute(include_str!("sql/probe.sql"), [PROBE_BYTES])?;
            Ok(())
        })?;
        if self.location.room().is_some_and(|bytes| bytes < ROOM_BYTES_MIN) {
            return Err(AppendError::Storage(Trouble::StorageFull { source: None }));
        }
        Ok(())
    }

    /// Acts through the connection. When that fails, the next attempt begins with a new one.
    pub(super) fn write<T>(
        &mut self,
        act: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, AppendError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.reconnect()?,
        };
        match act(&mut connection) {
            Ok(done) => {
                self.connection = Some(connection);
                Ok(done)
            }
            // The place that was ours is taken.
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                Err(AppendError::Changed)
            }
            Err(error) => Err(AppendError::Storage(Trouble::of(error, &self.location))),
        }
    }

    /// A new connection, provided that the file still ends where we left it.
    fn reconnect(&self) -> Result<Connection, AppendError> {
        let connection = store::reopen(&self.location).map_err(|error| match error {
            OpenError::Storage(trouble) => AppendError::Storage(trouble),
            OpenError::InUse { .. }
            | OpenError::File { .. }
            | OpenError::NotAJournal { .. }
            | OpenError::Newer { .. }
            | OpenError::Unsafe { .. }
            | OpenError::Tampered { .. }
            | OpenError::Unreadable(_) => AppendError::Changed,
        })?;
        let head = recover::head(&connection).map_err(|error| match error.sqlite_error_code() {
            // Another file, without our tables.
            Some(ErrorCode::Unknown) => AppendError::Changed,
            Some(_) | None => AppendError::Storage(Trouble::of(error, &self.location)),
        })?;
        if head == self.head { Ok(connection) } else { Err(AppendError::Changed) }
    }

    /// Moves what was committed from the log into the file. Failing is harmless: the log keeps it.
    fn checkpoint(&mut self, pragma: &str) {
        self.commits = 0;
        let Some(connection) = &self.connection else {
            return;
        };
        let done = connection.query_row(pragma, [], |_| Ok(())).optional();
        if let Err(error) = done {
            tracing::warn!(%error, "the journal's write-ahead log could not be emptied; nothing is lost");
        }
    }
}

/// Writes the batch behind `head` and returns the new head.
fn insert(connection: &Connection, head: Head, batch: &Batch) -> Result<Head, Failure> {
    let Batch { entries, slots } = batch;
    let after = entries.iter().try_fold(head, |head, new| insert_one(connection, &head, new))?;
    if !slots.is_empty() {
        beside(connection, "slots", |connection| slots::apply(connection, slots))?;
    }
    if audit::is_due(head.seq, entries) {
        beside(connection, "totals", |connection| audit::apply(connection, entries.len()))?;
    }
    Ok(after)
}

/// Keeps in this transaction what is no entry. What its own table refuses is left out, for the entries matter more; what
/// the disk refuses fails the whole.
pub(super) fn beside(
    connection: &Connection,
    what: &str,
    act: impl FnOnce(&Connection) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    connection.execute_batch("SAVEPOINT beside")?;
    match act(connection) {
        Ok(()) => connection.execute_batch("RELEASE beside"),
        Err(error) if is_of_the_disk(&error) => Err(error),
        Err(error) => {
            tracing::error!(%error, what, "a table beside the journal's entries is damaged; the entries are recorded without it");
            connection.execute_batch("ROLLBACK TO beside; RELEASE beside")
        }
    }
}

/// Whether the entries would meet the same.
fn is_of_the_disk(error: &rusqlite::Error) -> bool {
    use ErrorCode::{
        CannotOpen, DatabaseBusy, DatabaseLocked, DiskFull, FileLockingProtocolFailed, OperationInterrupted,
        OutOfMemory, PermissionDenied, ReadOnly, SystemIoFailure,
    };
    let disk = [
        CannotOpen,
        DatabaseBusy,
        DatabaseLocked,
        DiskFull,
        FileLockingProtocolFailed,
        OperationInterrupted,
        OutOfMemory,
        PermissionDenied,
        ReadOnly,
        SystemIoFailure,
    ];
    error.sqlite_error_code().is_some_and(|code| disk.contains(&code))
}

fn insert_one(connection: &Connection, head: &Head, new: &NewEntry) -> Result<Head, Failure> {
    let refused = |why: String| Failure::Batch(AppendError::Refused { order: new.entry.order().to_string(), why });
    let record = Record::after(head, new).map_err(|error| refused(error.to_string()))?;
    insert_record(connection, &record)?;
    let step = Step { seq: record.seq, at: new.at, state: new.state, entry: &new.entry };
    match project::apply(connection, &step) {
        Ok(()) => Ok(record.head()),
        Err(ProjectError::Sql(error)) => Err(Failure::Disk(error)),
        Err(ProjectError::Misplaced { source, .. }) => Err(refused(source.to_string())),
        Err(ProjectError::Unreadable(unreadable)) => Err(refused(unreadable.to_string())),
    }
}

fn insert_record(connection: &Connection, record: &Record) -> rusqlite::Result<()> {
    connection.prepare_cached(include_str!("sql/insert_entry.sql"))?.execute(params![
        sql_seq(record.seq),
        record.order,
        record.at.ms,
        record.at.trusted,
        record.state,
        record.body,
        record.prev.as_bytes(),
        record.hash.as_bytes(),
    ])?;
    Ok(())
}
