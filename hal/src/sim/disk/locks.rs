//! Who may read and write a file, and who may touch which part of a write-ahead log. Pure; SQLite's own rules.

use std::collections::BTreeMap;

/// One who has a file open.
pub(super) type Handle = u64;

/// How far one holder has a file for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Not at all.
    Open,
    /// Reads; so may others.
    Shared,
    /// Will write; others still read.
    Reserved,
    /// Waits for the readers to go; no new ones come.
    Pending,
    /// Alone.
    Exclusive,
}

/// The locks on one file.
#[derive(Debug, Default)]
pub(super) struct Locks(BTreeMap<Handle, Level>);

impl Locks {
    fn others(&self, who: Handle) -> impl Iterator<Item = Level> {
        self.0.iter().filter(move |(holder, _)| **holder != who).map(|(_, level)| *level)
    }

    /// Raises the lock of `who`; false when another is in the way. One that wants the file alone keeps new readers
    /// out from then on.
    pub(super) fn raise(&mut self, who: Handle, to: Level) -> bool {
        if self.level(who) >= to {
            return true;
        }
        let in_the_way = if to == Level::Shared { Level::Pending } else { Level::Reserved };
        if self.others(who).any(|level| level >= in_the_way) {
            return false;
        }
        if to == Level::Exclusive && self.others(who).any(|level| level >= Level::Shared) {
            self.0.insert(who, Level::Pending);
            return false;
        }
        self.0.insert(who, to);
        true
    }

    /// Lowers the lock of `who`.
    pub(super) fn lower(&mut self, who: Handle, to: Level) {
        if to == Level::Open {
            self.0.remove(&who);
        } else if self.level(who) > to {
            self.0.insert(who, to);
        }
    }

    /// Whether anybody will write.
    pub(super) fn is_reserved(&self) -> bool {
        self.0.values().any(|level| *level >= Level::Reserved)
    }

    fn level(&self, who: Handle) -> Level {
        self.0.get(&who).copied().unwrap_or(Level::Open)
    }
}

/// Which of the eight places of a write-ahead log's index one holder has.
#[derive(Debug, Clone, Copy, Default)]
struct Held {
    shared: u8,
    alone: u8,
}

/// The locks on the index of a write-ahead log.
#[derive(Debug, Default)]
pub(super) struct IndexLocks(BTreeMap<Handle, Held>);

impl IndexLocks {
    /// Takes `places` beside other readers.
    pub(super) fn share(&mut self, who: Handle, places: u8) -> bool {
        let free = self.others(who).all(|held| held.alone & places == 0);
        if free {
            self.0.entry(who).or_default().shared |= places;
        }
        free
    }

    /// Takes `places` alone.
    pub(super) fn take(&mut self, who: Handle, places: u8) -> bool {
        let free = self.others(who).all(|held| (held.alone | held.shared) & places == 0);
        if free {
            self.0.entry(who).or_default().alone |= places;
        }
        free
    }

    /// Gives `places` back.
    pub(super) fn give_back(&mut self, who: Handle, places: u8) {
        if let Some(held) = self.0.get_mut(&who) {
            held.shared &= !places;
            held.alone &= !places;
        }
    }

    /// Gives everything back.
    pub(super) fn leave(&mut self, who: Handle) {
        self.0.remove(&who);
    }

    fn others(&self, who: Handle) -> impl Iterator<Item = &Held> {
        self.0.iter().filter(move |(holder, _)| **holder != who).map(|(_, held)| held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_read_one_will_write_and_only_one_is_alone() {
        let mut locks = Locks::default();
        assert!(locks.raise(1, Level::Shared));
        assert!(locks.raise(2, Level::Shared));
        assert!(locks.raise(1, Level::Reserved));
        assert!(!locks.raise(2, Level::Reserved));
        assert!(locks.is_reserved());
        assert!(!locks.raise(1, Level::Exclusive), "the other still reads");
        assert!(!locks.raise(3, Level::Shared), "no new reader while one waits");
        locks.lower(2, Level::Open);
        assert!(locks.raise(1, Level::Exclusive));
        locks.lower(1, Level::Shared);
        assert!(locks.raise(3, Level::Shared));
    }

    #[test]
    fn places_of_the_index_are_shared_or_held_alone() {
        let mut locks = IndexLocks::default();
        assert!(locks.share(1, 0b0001));
        assert!(locks.share(2, 0b0011));
        assert!(!locks.take(3, 0b0010));
        assert!(locks.take(3, 0b1100));
        assert!(!locks.share(1, 0b0100));
        locks.give_back(2, 0b0010);
        assert!(locks.take(1, 0b0010));
        locks.leave(3);
        assert!(locks.share(1, 0b0100));
    }
}
