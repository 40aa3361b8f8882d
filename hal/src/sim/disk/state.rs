//! The card as a running system sees it: every write is seen at once, safe or not, by everybody who has the file open.

use std::collections::BTreeMap;
use std::ffi::c_int;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use rusqlite::ffi;

use super::faults::{Failure, Faults};
use super::locks::{Handle, IndexLocks, Locks};
use super::medium::{FileId, Image, Medium, Op, What, put, resize, usize_of};

/// Why something was refused: a result code of SQLite.
pub(super) type Code = c_int;

/// A part of a write-ahead log's index, shared by all who have the log open.
pub(super) type Region = Arc<[AtomicU64]>;

/// A file that has a name or is open.
#[derive(Debug)]
pub(super) struct File {
    name: Arc<str>,
    content: Arc<Vec<u8>>,
    /// SQLite's scratch files have no name: nothing of them outlives a restart, so they are not on the card.
    scratch: bool,
    opened: u32,
    pub(super) locks: Locks,
    pub(super) index_locks: IndexLocks,
    regions: Vec<Region>,
    mapped: Vec<Handle>,
}

/// Everything about one card.
#[derive(Debug, Default)]
pub(super) struct Disk {
    /// What was on it where the log begins.
    pub(super) before: Medium,
    pub(super) log: Vec<Op>,
    pub(super) faults: Faults,
    names: BTreeMap<Arc<str>, FileId>,
    files: BTreeMap<FileId, File>,
    next_file: FileId,
    next_handle: Handle,
}

impl Disk {
    pub(super) fn of(image: Image, faults: Faults) -> Self {
        let mut disk = Self { faults, ..Self::default() };
        for (name, file, content) in image.named() {
            disk.names.insert(Arc::clone(name), file);
            disk.files.insert(file, File::new(Arc::clone(name), Arc::clone(content), false));
            disk.next_file = disk.next_file.max(file + 1);
        }
        disk.before = Medium::of(image);
        disk
    }

    /// What everybody sees, as if all of it were safe.
    pub(super) fn image(&self) -> Image {
        let mut image = Image::default();
        for (name, file) in &self.names {
            if let Some(found) = self.files.get(file) {
                image.put(Arc::clone(name), *file, Arc::clone(&found.content));
            }
        }
        image
    }

    /// Bytes of all files.
    pub(super) fn used(&self) -> u64 {
        self.files.values().filter(|file| !file.scratch).map(|file| file.content.len() as u64).sum()
    }

    pub(super) fn exists(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// Opens the file called `name`, or makes it. Without a name it is a scratch file.
    pub(super) fn open(&mut self, name: Option<&str>, create: bool) -> Result<(FileId, Handle), Code> {
        let file = match name.and_then(|name| self.names.get(name)) {
            Some(file) => *file,
            None if name.is_none() => self.add("", true),
            None if create => self.create(name.unwrap_or_default())?,
            None => return Err(ffi::SQLITE_CANTOPEN),
        };
        let handle = self.next_handle;
        self.next_handle += 1;
        self.file(file)?.opened += 1;
        Ok((file, handle))
    }

    fn create(&mut self, name: &str) -> Result<FileId, Code> {
        match self.faults.at_change() {
            Some(Failure::Full) => return Err(ffi::SQLITE_FULL),
            Some(Failure::Write | Failure::ReadOnly) => return Err(ffi::SQLITE_CANTOPEN),
            Some(Failure::Sync | Failure::Read) | None => {}
        }
        let file = self.add(name, false);
        let name: Arc<str> = name.into();
        self.names.insert(Arc::clone(&name), file);
        self.log.push(Op { file, name, what: What::Create });
        Ok(file)
    }

    fn add(&mut self, name: &str, scratch: bool) -> FileId {
        let file = self.next_file;
        self.next_file += 1;
        self.files.insert(file, File::new(name.into(), Arc::default(), scratch));
        file
    }

    /// An open file; SQLite never asks for one that it closed.
    pub(super) fn file(&mut self, file: FileId) -> Result<&mut File, Code> {
        self.files.get_mut(&file).ok_or(ffi::SQLITE_IOERR)
    }

    /// What `who` held is free again.
    pub(super) fn close(&mut self, file: FileId, who: Handle) {
        let Ok(open) = self.file(file) else { return };
        open.locks.lower(who, super::locks::Level::Open);
        open.unmap(who);
        open.opened -= 1;
        self.forget(file);
    }

    /// A file is gone when it has neither a name nor anybody who has it open.
    fn forget(&mut self, file: FileId) {
        let gone = self.files.get(&file).is_some_and(|found| {
            let named = self.names.get(&found.name) == Some(&file);
            found.opened == 0 && !named
        });
        if gone {
            self.files.remove(&file);
        }
    }

    /// Fills `bytes` from `offset` on; what is behind the end reads as zeros. Returns whether all of it was there.
    pub(super) fn read(&mut self, file: FileId, offset: u64, bytes: &mut [u8]) -> Result<bool, Code> {
        if self.faults.now() == Some(Failure::Read) {
            return Err(ffi::SQLITE_IOERR_READ);
        }
        let content = &self.file(file)?.content;
        let start = usize_of(offset).min(content.len());
        let end = start.saturating_add(bytes.len()).min(content.len());
        let (there, missing) = bytes.split_at_mut(end - start);
        there.copy_from_slice(content.get(start..end).unwrap_or_default());
        missing.fill(0);
        Ok(missing.is_empty())
    }

    pub(super) fn write(&mut self, file: FileId, offset: u64, bytes: &[u8]) -> Result<(), Code> {
        let found = self.file(file)?;
        if !found.scratch {
            let grows = (offset + bytes.len() as u64).saturating_sub(found.content.len() as u64);
            self.refuse(ffi::SQLITE_IOERR_WRITE)?;
            self.make_room(grows)?;
            self.note(file, What::Write { offset, bytes: bytes.into() });
        }
        put(Arc::make_mut(&mut self.file(file)?.content), offset, bytes);
        Ok(())
    }

    pub(super) fn truncate(&mut self, file: FileId, size: u64) -> Result<(), Code> {
        if !self.file(file)?.scratch {
            self.refuse(ffi::SQLITE_IOERR_TRUNCATE)?;
            self.note(file, What::Truncate { size });
        }
        resize(Arc::make_mut(&mut self.file(file)?.content), size);
        Ok(())
    }

    pub(super) fn sync(&mut self, file: FileId) -> Result<(), Code> {
        if self.file(file)?.scratch {
            return Ok(());
        }
        let failing = self.faults.at_change() == Some(Failure::Sync);
        let what = match (failing, self.faults.lying) {
            (true, _) => What::SyncFailed,
            (false, true) => What::SyncIgnored,
            (false, false) => What::Sync,
        };
        self.note(file, what);
        if failing { Err(ffi::SQLITE_IOERR_FSYNC) } else { Ok(()) }
    }

    pub(super) fn delete(&mut self, name: &str, synced: bool) -> Result<(), Code> {
        let Some(file) = self.names.get(name).copied() else {
            return Err(ffi::SQLITE_IOERR_DELETE_NOENT);
        };
        self.refuse(ffi::SQLITE_IOERR_DELETE)?;
        // A lying card is no more honest about names than about content.
        let synced = synced && !self.faults.lying;
        self.note(file, What::Delete { synced });
        self.names.remove(name);
        self.forget(file);
        Ok(())
    }

    fn note(&mut self, file: FileId, what: What) {
        if let Some(found) = self.files.get(&file) {
            self.log.push(Op { file, name: Arc::clone(&found.name), what });
        }
    }

    /// Whether a change is refused, and as what; a failing write is `as_write`.
    fn refuse(&mut self, as_write: Code) -> Result<(), Code> {
        match self.faults.at_change() {
            Some(Failure::Full) if as_write == ffi::SQLITE_IOERR_WRITE => Err(ffi::SQLITE_FULL),
            Some(Failure::Write) => Err(as_write),
            Some(Failure::ReadOnly) => Err(ffi::SQLITE_READONLY),
            Some(Failure::Full | Failure::Sync | Failure::Read) | None => Ok(()),
        }
    }

    fn make_room(&self, bytes: u64) -> Result<(), Code> {
        let full = self.faults.capacity.is_some_and(|capacity| bytes > 0 && self.used() + bytes > capacity);
        if full { Err(ffi::SQLITE_FULL) } else { Ok(()) }
    }
}

impl File {
    fn new(name: Arc<str>, content: Arc<Vec<u8>>, scratch: bool) -> Self {
        Self {
            name,
            content,
            scratch,
            opened: 0,
            locks: Locks::default(),
            index_locks: IndexLocks::default(),
            regions: Vec::new(),
            mapped: Vec::new(),
        }
    }

    pub(super) fn size(&self) -> u64 {
        self.content.len() as u64
    }

    /// Part `number` of the log's index, of `bytes` bytes. The first who comes finds it empty, whatever was before.
    pub(super) fn map(&mut self, who: Handle, number: usize, bytes: usize, extend: bool) -> Option<&Region> {
        if !self.mapped.contains(&who) {
            self.mapped.push(who);
        }
        while extend && self.regions.len() <= number {
            self.regions.push((0..bytes.div_ceil(size_of::<u64>())).map(|_| AtomicU64::new(0)).collect());
        }
        self.regions.get(number)
    }

    /// `who` uses the index no more. With the last one it goes, as it does from memory when nobody has the log open.
    pub(super) fn unmap(&mut self, who: Handle) {
        self.index_locks.leave(who);
        self.mapped.retain(|one| *one != who);
        if self.mapped.is_empty() {
            self.regions.clear();
        }
    }
}
