//! Where a journal lies: in a file, or on a disk that a test made.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::trouble;

/// What a commit waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Synchronous {
    /// Until the disk has it.
    Full,
    /// For nothing: a power cut may take the newest commits back.
    Normal,
}

impl Synchronous {
    /// As it is asked for, and as SQLite says it.
    pub(super) const fn pragma(self) -> (&'static str, &'static str) {
        match self {
            Self::Full => ("FULL", "2"),
            Self::Normal => ("NORMAL", "1"),
        }
    }
}

/// A journal's file and the disk below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    path: PathBuf,
    /// Name of the SQLite VFS that reads and writes it; `None` is the system's own.
    vfs: Option<&'static str>,
    synchronous: Synchronous,
}

impl Location {
    /// A file of this system, with its lock file beside it.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        Self { path: path.to_owned(), vfs: None, synchronous: Synchronous::Full }
    }

    /// The file `path` on the disk behind the SQLite VFS called `vfs`, which must be registered. Nothing goes past that
    /// VFS: there is no lock file, and how much room is left is not known.
    #[must_use]
    pub fn on_vfs(vfs: &'static str, path: &Path) -> Self {
        Self { path: path.to_owned(), vfs: Some(vfs), synchronous: Synchronous::Full }
    }

    /// The same with `synchronous=NORMAL`, for the proof that this loses what was acknowledged, and that the proof
    /// would see it. There is no such thing for a real file: no setting and no API leads here.
    #[doc(hidden)]
    #[must_use]
    pub fn weakened_on_vfs(vfs: &'static str, path: &Path) -> Self {
        Self { synchronous: Synchronous::Normal, ..Self::on_vfs(vfs, path) }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is a file of this system.
    pub(super) const fn is_real(&self) -> bool {
        self.vfs.is_none()
    }

    pub(super) const fn synchronous(&self) -> Synchronous {
        self.synchronous
    }

    /// Bytes that may still be written beside it; `None` when the file system does not say.
    pub(super) fn room(&self) -> Option<u64> {
        self.is_real().then(|| trouble::room(&self.path)).flatten()
    }

    /// Whether its file system takes no writes.
    pub(super) fn is_read_only(&self) -> bool {
        self.is_real() && trouble::is_read_only(&self.path)
    }

    /// A connection with `flags`. A disk of a test makes a missing file itself.
    pub(super) fn connect(&self, flags: OpenFlags) -> rusqlite::Result<Connection> {
        let Some(vfs) = self.vfs else {
            return Connection::open_with_flags(&self.path, flags);
        };
        let creates = flags.contains(OpenFlags::SQLITE_OPEN_READ_WRITE);
        let flags = if creates { flags | OpenFlags::SQLITE_OPEN_CREATE } else { flags };
        let connection = Connection::open_with_flags_and_vfs(&self.path, flags, vfs)?;
        // Such a disk holds the journal and nothing else.
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        Ok(connection)
    }
}
