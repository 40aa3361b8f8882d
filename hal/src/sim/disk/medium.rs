//! What is on the card itself, and what it was asked for that is not safe yet. Pure.
//!
//! The rules are those of a Linux file system on an honest card:
//!
//! - what was written to a file is safe once that file was synced, and may be kept, lost or torn before, each write for itself;
//! - a new file's name is safe once that file was synced, because SQLite syncs the directory with it;
//! - a deletion is safe when it was asked to be, or once the directory was synced for something else;
//! - what a failed sync was to make safe is never made safe by a later one: the kernel has forgotten it.
//!
//! A write touches no byte beside its own. Real cards can do worse; SQLite trusts them not to, and so does this one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A file, whatever its name is.
pub type FileId = u32;

/// Bytes that a card writes at once.
pub const SECTOR: u64 = 512;

/// One thing that the card was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Op {
    /// The file.
    pub file: FileId,
    /// Its name.
    pub name: Arc<str>,
    /// What was asked for.
    pub what: What,
}

/// What can be asked of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A new, empty file.
    Create,
    /// Bytes at a place.
    Write {
        /// The place.
        offset: u64,
        /// The bytes.
        bytes: Arc<[u8]>,
    },
    /// Cut off or filled up to a size.
    Truncate {
        /// The size.
        size: u64,
    },
    /// Everything written to the file is to be safe.
    Sync,
    /// The same, and the card said that it cannot.
    SyncFailed,
    /// The same, and the card said "done" without doing it.
    SyncIgnored,
    /// The name goes.
    Delete {
        /// And it is to be safe that it went.
        synced: bool,
    },
}

impl What {
    /// Whether it is about names, not about content.
    const fn is_name(&self) -> bool {
        matches!(self, Self::Create | Self::Delete { .. })
    }
}

impl std::fmt::Display for Op {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = &self.name;
        match &self.what {
            What::Create => write!(f, "create {name}"),
            What::Write { offset, bytes } => write!(f, "write {name} {} bytes at {offset}", bytes.len()),
            What::Truncate { size } => write!(f, "truncate {name} to {size}"),
            What::Sync => write!(f, "sync {name}"),
            What::SyncFailed => write!(f, "sync {name}: failed"),
            What::SyncIgnored => write!(f, "sync {name}: said done, did nothing"),
            What::Delete { synced: true } => write!(f, "delete {name}, synced"),
            What::Delete { synced: false } => write!(f, "delete {name}"),
        }
    }
}

/// What becomes of something that was not safe when the power failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is there.
    Kept,
    /// It never happened.
    Lost,
    /// Of a write, the first so many bytes; anything else is lost.
    Torn(usize),
    /// Of a write, the sectors whose bit is set, counted from its first and again after 64; anything else is lost.
    Sectors(u64),
}

/// Files and their names.
#[derive(Debug, Clone, Default)]
pub(super) struct Image {
    names: BTreeMap<Arc<str>, FileId>,
    files: BTreeMap<FileId, Arc<Vec<u8>>>,
}

impl Image {
    /// The files that have a name.
    pub(super) fn named(&self) -> impl Iterator<Item = (&Arc<str>, FileId, &Arc<Vec<u8>>)> {
        self.names.iter().filter_map(|(name, file)| Some((name, *file, self.files.get(file)?)))
    }

    pub(super) fn put(&mut self, name: Arc<str>, file: FileId, content: Arc<Vec<u8>>) {
        self.names.insert(name, file);
        self.files.insert(file, content);
    }

    /// What has no name when the power comes back is gone, and a file that is made then may get its number.
    fn forget_nameless(&mut self) {
        let named: BTreeSet<FileId> = self.names.values().copied().collect();
        self.files.retain(|file, _| named.contains(file));
    }

    fn apply(&mut self, op: &Op, fate: Fate) {
        match (&op.what, fate) {
            (_, Fate::Lost) | (What::Sync | What::SyncFailed | What::SyncIgnored, _) => {}
            (What::Write { offset, bytes }, fate) => self.write(op.file, *offset, bytes, fate),
            (_, Fate::Torn(_) | Fate::Sectors(_)) => {}
            (What::Create, Fate::Kept) => {
                self.names.insert(Arc::clone(&op.name), op.file);
                self.files.entry(op.file).or_default();
            }
            (What::Truncate { size }, Fate::Kept) => resize(self.content(op.file), *size),
            (What::Delete { .. }, Fate::Kept) => {
                if self.names.get(&op.name) == Some(&op.file) {
                    self.names.remove(&op.name);
                }
            }
        }
    }

    /// Content may come before the name is safe.
    fn content(&mut self, file: FileId) -> &mut Vec<u8> {
        Arc::make_mut(self.files.entry(file).or_default())
    }

    fn write(&mut self, file: FileId, offset: u64, bytes: &[u8], fate: Fate) {
        let content = self.content(file);
        match fate {
            Fate::Kept => put(content, offset, bytes),
            Fate::Lost => {}
            Fate::Torn(length) => put(content, offset, bytes.get(..length).unwrap_or(bytes)),
            Fate::Sectors(mask) => {
                for (number, (at, part)) in sectors(offset, bytes).enumerate() {
                    if mask >> (number % 64) & 1 == 1 {
                        put(content, at, part);
                    }
                }
            }
        }
    }
}

/// The parts of a write by the sectors that they fall into.
fn sectors(offset: u64, bytes: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let mut at = offset;
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let room = usize_of(SECTOR - at % SECTOR);
        let (part, after) = rest.split_at(room.min(rest.len()));
        let place = at;
        at += part.len() as u64;
        rest = after;
        (!part.is_empty()).then_some((place, part))
    })
}

/// Writes `bytes` at `offset`; a gap before it reads as zeros.
pub(super) fn put(content: &mut Vec<u8>, offset: u64, bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    let (start, end) = (usize_of(offset), usize_of(offset) + bytes.len());
    if content.len() < end {
        content.resize(end, 0);
    }
    if let Some(place) = content.get_mut(start..end) {
        place.copy_from_slice(bytes);
    }
}

pub(super) fn resize(content: &mut Vec<u8>, size: u64) {
    content.resize(usize_of(size), 0);
}

/// A card is far smaller than the address space of what simulates it.
pub(super) fn usize_of(size: u64) -> usize {
    usize::try_from(size).unwrap_or(usize::MAX)
}

/// Something that is not safe, or not only.
#[derive(Debug, Clone)]
struct Waiting {
    number: usize,
    op: Op,
    /// A sync failed on it: it may be lost for ever.
    doomed: bool,
    /// It is safe, and waits only for a doomed one that must be laid below it.
    safe: bool,
}

/// Something whose fate is open when the power fails.
#[derive(Debug, Clone, Copy)]
pub struct Pending<'a> {
    /// Its place in the log.
    pub number: usize,
    /// What it is.
    pub op: &'a Op,
}

/// The card without its power: what is safe, and what waits for a sync.
#[derive(Debug, Clone, Default)]
pub(super) struct Medium {
    image: Image,
    waiting: Vec<Waiting>,
    /// How many things were asked of it.
    pub(super) taken: usize,
}

impl Medium {
    pub(super) fn of(image: Image) -> Self {
        Self { image, ..Self::default() }
    }

    /// Goes on by one thing that was asked for.
    pub(super) fn take(&mut self, op: &Op) {
        match op.what {
            What::Sync => {
                let renewed = self.waiting.iter().any(|one| one.op.file == op.file && one.op.what == What::Create);
                self.settle(|one| one.file == op.file || (renewed && one.what.is_name()));
            }
            What::SyncFailed => {
                for one in &mut self.waiting {
                    one.doomed |= one.op.file == op.file && !one.op.what.is_name() && !one.safe;
                }
            }
            What::SyncIgnored => {}
            What::Create | What::Write { .. } | What::Truncate { .. } | What::Delete { .. } => {
                let op = op.clone();
                let synced = op.what == What::Delete { synced: true };
                self.waiting.push(Waiting { number: self.taken, op, doomed: false, safe: false });
                if synced {
                    self.settle(|one| one.what.is_name());
                }
            }
        }
        self.taken += 1;
    }

    /// Makes safe what `now_safe` accepts.
    fn settle(&mut self, now_safe: impl Fn(&Op) -> bool) {
        let mut held_up = BTreeSet::new();
        let image = &mut self.image;
        self.waiting.retain_mut(|one| {
            one.safe |= !one.doomed && now_safe(&one.op);
            if one.doomed {
                held_up.insert(one.op.file);
            }
            let laid = one.safe && (one.op.what.is_name() || !held_up.contains(&one.op.file));
            if laid {
                image.apply(&one.op, Fate::Kept);
            }
            !laid
        });
    }

    /// How many things have an open fate.
    pub(super) fn pending(&self) -> usize {
        self.waiting.iter().filter(|one| !one.safe).count()
    }

    /// The power fails: what is there when it comes back.
    pub(super) fn cut(&self, fate: &mut dyn FnMut(Pending<'_>) -> Fate) -> Image {
        let mut image = self.image.clone();
        for one in &self.waiting {
            let decided = if one.safe { Fate::Kept } else { fate(Pending { number: one.number, op: &one.op }) };
            image.apply(&one.op, decided);
        }
        image.forget_nameless();
        image
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn op(file: FileId, what: What) -> Op {
        Op { file, name: format!("file-{file}").into(), what }
    }

    fn write(file: FileId, offset: u64, bytes: &[u8]) -> Op {
        op(file, What::Write { offset, bytes: bytes.into() })
    }

    fn medium(ops: &[Op]) -> Medium {
        let mut medium = Medium::default();
        ops.iter().for_each(|op| medium.take(op));
        medium
    }

    fn after(medium: &Medium, fate: Fate) -> Vec<(String, Vec<u8>)> {
        let image = medium.cut(&mut |_| fate);
        image.named().map(|(name, _, content)| (name.to_string(), content.to_vec())).collect()
    }

    fn one(content: &[u8]) -> Vec<(String, Vec<u8>)> {
        vec![("file-1".to_owned(), content.to_vec())]
    }

    #[test]
    fn what_was_synced_stays_and_what_was_not_has_any_fate() {
        let medium = medium(&[op(1, What::Create), write(1, 0, b"safe"), op(1, What::Sync), write(1, 2, b"new!")]);
        assert_eq!(medium.pending(), 1);
        assert_eq!(after(&medium, Fate::Lost), one(b"safe"));
        assert_eq!(after(&medium, Fate::Kept), one(b"sanew!"));
        assert_eq!(after(&medium, Fate::Torn(1)), one(b"sane"));
    }

    #[test]
    fn a_new_name_is_lost_until_its_file_is_synced() {
        let mut medium = medium(&[op(1, What::Create), write(1, 0, b"x")]);
        assert_eq!(after(&medium, Fate::Lost), []);
        medium.take(&op(2, What::Create));
        medium.take(&op(2, What::Sync));
        assert_eq!(after(&medium, Fate::Lost).len(), 2, "the directory was synced with file 2");
    }

    #[test]
    fn a_deletion_comes_undone_until_the_directory_is_synced() {
        let begun = [op(1, What::Create), write(1, 0, b"x"), op(1, What::Sync)];
        let mut medium = medium(&begun);
        medium.take(&op(1, What::Delete { synced: false }));
        assert_eq!(after(&medium, Fate::Lost), one(b"x"));
        assert_eq!(after(&medium, Fate::Kept), []);
        medium.take(&op(2, What::Delete { synced: true }));
        assert_eq!(after(&medium, Fate::Lost), []);
    }

    #[test]
    fn a_tear_keeps_any_sectors_of_a_write() {
        let mut medium = medium(&[op(1, What::Create), op(1, What::Sync)]);
        medium.take(&write(1, 500, &[7; 600]));
        let image = medium.cut(&mut |_| Fate::Sectors(0b101));
        let (_, _, content) = image.named().next().unwrap();
        assert_eq!(content.iter().filter(|byte| **byte == 7).count(), 12 + 76);
        assert_eq!((content[511], content[512], content[1024]), (7, 0, 7));
    }

    #[test]
    fn what_a_failed_sync_was_to_save_no_later_one_saves() {
        let mut medium = medium(&[op(1, What::Create), op(1, What::Sync), write(1, 0, b"doomed")]);
        medium.take(&op(1, What::SyncFailed));
        medium.take(&write(1, 3, b"SAFE"));
        medium.take(&op(1, What::Sync));
        assert_eq!(after(&medium, Fate::Lost), one(b"\0\0\0SAFE"));
        assert_eq!(after(&medium, Fate::Kept), one(b"dooSAFE"));
    }
}
