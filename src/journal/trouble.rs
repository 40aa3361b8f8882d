//! What can go wrong with the journal: what happened, what it means for the money, what to do.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::ErrorCode;
use thiserror::Error;

use super::chain::Unreadable;
use super::location::Location;
use crate::durable;

/// What is wrong with the disk or the file.
#[derive(Debug, Clone, Error)]
pub enum Trouble {
    /// No room left.
    #[error("the disk that holds the journal is full. Free some space on it; till goes on by itself")]
    StorageFull {
        /// What SQLite said; `None` when room was measured.
        #[source]
        source: Option<Arc<rusqlite::Error>>,
    },
    /// The file or its file system takes no writes.
    #[error(
        "the journal is read-only. A card that is worn out turns its file system read-only: look at `dmesg` and at the \
         mount options and owner of the file; till goes on by itself once it can write"
    )]
    ReadOnly {
        /// What SQLite said.
        #[source]
        source: Arc<rusqlite::Error>,
    },
    /// Reading or writing failed.
    #[error(
        "the disk that holds the journal fails ({source}). Look at `dmesg`, check the card and its contacts; \
         till goes on by itself once it can write"
    )]
    Io {
        /// What SQLite said.
        #[source]
        source: Arc<rusqlite::Error>,
    },
    /// The file is not a sound database any more.
    #[error(
        "the journal file is damaged ({source}). Stop till, keep the file and its -wal beside it for the evidence \
         (`till journal export` saves what is readable), move both aside and start again with a new one"
    )]
    Corrupt {
        /// What SQLite said.
        #[source]
        source: Arc<rusqlite::Error>,
    },
    /// Another program holds the file.
    #[error(
        "another program keeps the journal locked. Close the database browser or backup that has it open; \
         till goes on by itself"
    )]
    Busy {
        /// What SQLite said.
        #[source]
        source: Arc<rusqlite::Error>,
    },
}

impl Trouble {
    /// What `error`, met on the file at `location`, means for a person.
    ///
    /// SQLite calls every failed write an I/O error but "disk full"; the file system is asked for the rest.
    pub(super) fn of(error: rusqlite::Error, location: &Location) -> Self {
        let code = error.sqlite_error_code();
        let source = Arc::new(error);
        if code == Some(ErrorCode::DiskFull) {
            return Self::StorageFull { source: Some(source) };
        }
        if code == Some(ErrorCode::ReadOnly) || location.is_read_only() {
            return Self::ReadOnly { source };
        }
        if matches!(code, Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)) {
            return Self::Busy { source };
        }
        if matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)) {
            return Self::Corrupt { source };
        }
        match location.room() {
            Some(0) => Self::StorageFull { source: Some(source) },
            Some(_) | None => Self::Io { source },
        }
    }
}

/// Bytes that may still be written beside `path`; `None` when the file system does not say.
pub(super) fn room(path: &Path) -> Option<u64> {
    let about = rustix::fs::statvfs(durable::folder(path)).ok()?;
    Some(about.f_bavail.saturating_mul(about.f_frsize))
}

/// Whether the file system of `path` takes no writes.
pub(super) fn is_read_only(path: &Path) -> bool {
    rustix::fs::statvfs(durable::folder(path))
        .is_ok_and(|about| about.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY))
}

/// Why nothing was recorded. Nothing of the batch is in the journal, so nothing of it may be acted upon.
#[derive(Debug, Clone, Error)]
pub enum AppendError {
    /// The disk does not take it. The same batch may be appended again.
    #[error("nothing was recorded, so no money moves and no goods are given: {0}")]
    Storage(#[source] Trouble),
    /// The entry contradicts the journal. Appending it again is useless: this is a fault in till.
    #[error(
        "the entry was refused, nothing was recorded: order {order}: {why}. This is a fault in till; please report it"
    )]
    Refused {
        /// The order.
        order: String,
        /// The contradiction.
        why: String,
    },
    /// Somebody else wrote to the file, or put another in its place.
    #[error(
        "the journal on the disk no longer ends where till left it: another program wrote to it or replaced it. \
         Nothing more is recorded and no sale starts. Restart till; it goes on from what the file says"
    )]
    Changed,
    /// The hub says that it has entries which were never written here. Nothing was changed.
    #[error(
        "the hub acknowledged entry {up_to}, but this journal ends at entry {newest}: the hub knows another journal \
         under this terminal's number. Nothing was changed; nothing is sent until a person has looked at the hub"
    )]
    Beyond {
        /// What the hub acknowledged.
        up_to: u64,
        /// Where the journal ends.
        newest: u64,
    },
    /// The journal was closed.
    #[error("the journal is closed: nothing was recorded. Restart till")]
    Stopped,
}

/// Why a journal cannot be used.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another daemon has it.
    #[error(
        "the journal {} is in use by {}: two daemons on one journal would charge buyers twice. \
         Stop the other one, or give this one its own journal",
        path.display(), holder(*pid)
    )]
    InUse {
        /// The journal.
        path: PathBuf,
        /// Who holds it, when its lock file says so.
        pid: Option<u32>,
    },
    /// The file cannot be made or locked.
    #[error(
        "cannot use the journal {} ({source}): its directory must exist and belong to the user that runs till",
        path.display()
    )]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// An SQLite file of something else.
    #[error("{} is a database, but not a journal of till: check the path in the settings", path.display())]
    NotAJournal {
        /// The file.
        path: PathBuf,
    },
    /// Written by a newer till.
    #[error(
        "the journal was written by a newer till (its format is {found}, this one knows up to {known}). \
         Install that till again; an older one must not write to it"
    )]
    Newer {
        /// Format of the file.
        found: i64,
        /// Newest format that is known here.
        known: i64,
    },
    /// A setting that keeps money safe did not take.
    #[error(
        "SQLite did not accept {pragma} = {wanted} (it says {found:?}): entries would not be safe against a power cut. \
         Put the journal on a local disk with a proper file system, not on a network share"
    )]
    Unsafe {
        /// Name of the pragma.
        pragma: &'static str,
        /// What was asked for.
        wanted: &'static str,
        /// What it says.
        found: String,
    },
    /// The newest entries, or those of an open order, are not what was written.
    #[error(
        "the journal was changed: {what}. Till does not move money on such a record. Run `till journal verify`, keep the \
         file for the evidence, settle the open orders by the channel's own list, and start again with a new journal"
    )]
    Tampered {
        /// What is wrong, and where.
        what: String,
    },
    /// An entry of an open order cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// The disk or the file.
    #[error("the journal cannot be opened: {0}")]
    Storage(#[source] Trouble),
}

impl OpenError {
    /// Whether waiting may mend it: the disk is full, read-only or fails. Everything else wants a person.
    #[must_use]
    pub fn may_heal(&self) -> bool {
        match self {
            Self::Storage(Trouble::Corrupt { .. })
            | Self::InUse { .. }
            | Self::NotAJournal { .. }
            | Self::Newer { .. }
            | Self::Unsafe { .. }
            | Self::Tampered { .. }
            | Self::Unreadable(_) => false,
            Self::Storage(
                Trouble::StorageFull { .. } | Trouble::ReadOnly { .. } | Trouble::Io { .. } | Trouble::Busy { .. },
            ) => true,
            Self::File { source, .. } => {
                use io::ErrorKind::{IsADirectory, NotADirectory, NotFound, PermissionDenied};
                ![IsADirectory, NotADirectory, NotFound, PermissionDenied].contains(&source.kind())
            }
        }
    }
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

/// Why a question was not answered. Nothing was changed.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The disk or the file.
    #[error("the journal cannot be read: {0}")]
    Storage(#[source] Trouble),
    /// An entry that is not understood.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// The journal was closed.
    #[error("the journal is closed")]
    Stopped,
}
