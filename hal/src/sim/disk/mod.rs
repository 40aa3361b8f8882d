//! A simulated memory card below SQLite, all in memory: it remembers every write, sync, truncation and deletion, and can be
//! rebuilt as it would be found if the power had failed at any instant.
//!
//! | file | subject |
//! |---|---|
//! | [`medium`] | what is safe, what waits for a sync, and what a power cut makes of it |
//! | `state` | what the running system sees: files, and who has them open |
//! | `locks` | SQLite's locks |
//! | [`faults`] | a card that is full, read-only, failing |
//! | `vfs` | the way SQLite asks |
//!
//! All cards are behind one VFS, which is registered once; the path says which card is meant. A connection keeps its card.
//!
//! ```
//! use hal::sim::disk::{Card, Fate};
//! use rusqlite::{Connection, OpenFlags};
//!
//! let card = Card::new(1);
//! let connection = Connection::open_with_flags_and_vfs(card.path(), OpenFlags::default(), card.vfs())?;
//! connection.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE sold (what TEXT)")?;
//! let found = card.power_cut(&mut |_| Fate::Lost);
//! let again = Connection::open_with_flags_and_vfs(found.path(), OpenFlags::default(), found.vfs())?;
//! again.execute("INSERT INTO sold VALUES ('tea')", [])?;
//! # Ok::<(), rusqlite::Error>(())
//! ```

pub mod faults;
mod locks;
pub mod medium;
mod state;
mod vfs;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

pub use faults::Failure;
use faults::Faults;
use medium::Medium;
pub use medium::{Fate, FileId, Op, Pending, SECTOR, What};
use state::Disk;

/// The database that [`Card::path`] names.
const DATABASE: &str = "till.db";

/// A simulated card. Clones are the same card; it is gone with the last of them and of the connections on it.
#[derive(Debug, Clone)]
pub struct Card(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    number: u64,
    disk: Mutex<Disk>,
}

impl Shared {
    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The cards that there are, by the number in their paths.
fn cards() -> MutexGuard<'static, HashMap<u64, Weak<Shared>>> {
    static CARDS: OnceLock<Mutex<HashMap<u64, Weak<Shared>>>> = OnceLock::new();
    CARDS.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Shared {
    fn drop(&mut self) {
        cards().remove(&self.number);
    }
}

impl Card {
    /// An empty card.
    ///
    /// SQLite draws the salts of its log from a generator that the whole process shares; it begins anew here, from `seed`.
    /// One who uses one card at a time gets the same bytes in every run; several threads get the same but for the salts.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        vfs::seed_sqlite(seed);
        Self::of(Disk::default())
    }

    fn of(disk: Disk) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let shared = Arc::new(Shared { number, disk: Mutex::new(disk) });
        cards().insert(number, Arc::downgrade(&shared));
        Self(shared)
    }

    fn found(number: u64) -> Option<Arc<Shared>> {
        cards().get(&number).and_then(Weak::upgrade)
    }

    /// The name of the VFS to open with.
    #[must_use]
    pub fn vfs(&self) -> &'static str {
        vfs::name()
    }

    /// The path of the one database that a terminal has.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.path_of(DATABASE)
    }

    /// The path of any file on this card.
    #[must_use]
    pub fn path_of(&self, name: &str) -> PathBuf {
        format!("/card-{}/{name}", self.0.number).into()
    }

    /// How many things were asked of the card since it was made: the instant now.
    #[must_use]
    pub fn instant(&self) -> usize {
        let disk = self.0.disk();
        disk.before.taken + disk.log.len()
    }

    /// What was asked of the card, in order, since it was made or last [trimmed](Self::trim).
    #[must_use]
    pub fn log(&self) -> Vec<Op> {
        self.0.disk().log.clone()
    }

    /// Steps through what was asked of the card, to cut the power anywhere.
    #[must_use]
    pub fn replay(&self) -> Replay {
        let disk = self.0.disk();
        Replay { medium: disk.before.clone(), log: disk.log.clone().into(), next: 0, faults: disk.faults.of_the_card() }
    }

    /// The card as it would be found if the power had failed at `instant`, before what was asked for then. `fate` decides
    /// about everything that was not safe. This card is not changed.
    #[must_use]
    pub fn rebuild(&self, instant: usize, fate: &mut dyn FnMut(Pending<'_>) -> Fate) -> Self {
        let mut replay = self.replay();
        while replay.instant() < instant && replay.step().is_some() {}
        replay.cut(fate)
    }

    /// The card as it would be found if the power failed now. This card is not changed: whoever has it open may be
    /// dropped later.
    #[must_use]
    pub fn power_cut(&self, fate: &mut dyn FnMut(Pending<'_>) -> Fate) -> Self {
        self.rebuild(usize::MAX, fate)
    }

    /// Another card with what everybody sees on this one, all of it safe: what a killed process leaves behind.
    #[must_use]
    pub fn copy(&self) -> Self {
        let disk = self.0.disk();
        Self::of(Disk::of(disk.image(), disk.faults.clone()))
    }

    /// Forgets the log of what is safe, so that a long run needs no more memory than its card. The instants before can no
    /// longer be rebuilt.
    pub fn trim(&self) {
        let mut disk = self.0.disk();
        let log = std::mem::take(&mut disk.log);
        log.iter().for_each(|op| disk.before.take(op));
    }

    /// The card fails from now on, until it is [healed](Self::heal).
    pub fn fail(&self, failure: Failure) {
        self.fail_after(0, failure);
    }

    /// The next `changes` writes, syncs, truncations, deletions and new files succeed; then the card fails.
    pub fn fail_after(&self, changes: u64, failure: Failure) {
        self.0.disk().faults.begin(changes, failure);
    }

    /// The card fails no more.
    pub fn heal(&self) {
        self.0.disk().faults.heal();
    }

    /// How many bytes fit on the card; `None` for any number. A write that does not fit finds the card full.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.0.disk().faults.capacity = bytes;
    }

    /// Whether the card says "done" to a sync and does nothing.
    pub fn set_lying(&self, lying: bool) {
        self.0.disk().faults.lying = lying;
    }

    /// Bytes of all files on the card.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.0.disk().used()
    }

    /// A number that two cards share when their files have the same names and contents, and that others do not share but by
    /// a chance of one in 2^64.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for (name, _, content) in self.0.disk().image().named() {
            (name, content).hash(&mut hasher);
        }
        hasher.finish()
    }

    /// How many things would have an open fate if the power failed now. Costs the length of the log.
    #[must_use]
    pub fn pending(&self) -> usize {
        let mut replay = self.replay();
        while replay.step().is_some() {}
        replay.pending()
    }
}

/// The life of a card, instant by instant.
#[derive(Debug, Clone)]
pub struct Replay {
    medium: Medium,
    log: Arc<[Op]>,
    next: usize,
    faults: Faults,
}

impl Replay {
    /// How many things were asked of the card before now.
    #[must_use]
    pub const fn instant(&self) -> usize {
        self.medium.taken
    }

    /// What is asked of the card next.
    #[must_use]
    pub fn next(&self) -> Option<&Op> {
        self.log.get(self.next)
    }

    /// Goes on to the next instant and returns what was asked for in between; `None` at the end.
    pub fn step(&mut self) -> Option<&Op> {
        let op = self.log.get(self.next)?;
        self.medium.take(op);
        self.next += 1;
        Some(op)
    }

    /// How many things have an open fate now.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.medium.pending()
    }

    /// The card as it is found if the power fails now. It does not fail otherwise, whatever the first one did, but it lies
    /// and holds as much as that.
    #[must_use]
    pub fn cut(&self, fate: &mut dyn FnMut(Pending<'_>) -> Fate) -> Card {
        Card::of(Disk::of(self.medium.cut(fate), self.faults.clone()))
    }
}
