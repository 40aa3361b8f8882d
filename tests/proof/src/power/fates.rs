//! What becomes of the writes that were not safe: some plain cases at every instant, and some by chance.

use hal::sim::disk::{Fate, Pending, What};

use crate::dice::Dice;

/// How the card treats what was not safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// All of it is there: a process was killed, and the power stayed.
    AllKept,
    /// None of it is there.
    AllLost,
    /// All but the last.
    LastLost,
    /// None but the last: the card wrote out of order.
    LastKept,
    /// In order up to some instant; the one there is torn.
    CutInOrder,
    /// Each by a throw of the dice, so that later ones come before earlier ones.
    Scattered,
    /// Each write torn into sectors of 512 bytes, some of which are there.
    TornSectors,
    /// Each write broken off at some byte.
    TornBytes,
    /// Everything of the above by chance.
    Mixed,
}

/// Plans for an instant at which nothing, one thing or more is not safe.
const NOTHING_OPEN: [Plan; 1] = [Plan::AllKept];
const ONE_OPEN: [Plan; 4] = [Plan::AllKept, Plan::AllLost, Plan::TornSectors, Plan::TornBytes];
const SOME_OPEN: [Plan; 10] = [
    Plan::AllKept,
    Plan::AllLost,
    Plan::LastLost,
    Plan::LastKept,
    Plan::CutInOrder,
    Plan::Scattered,
    Plan::Scattered,
    Plan::TornSectors,
    Plan::TornBytes,
    Plan::Mixed,
];

impl Plan {
    /// What is worth trying when `pending` things are not safe.
    #[must_use]
    pub const fn all(pending: usize) -> &'static [Self] {
        match pending {
            0 => &NOTHING_OPEN,
            1 => &ONE_OPEN,
            _ => &SOME_OPEN,
        }
    }
}

/// The fates of one power cut.
pub struct Fates {
    plan: Plan,
    dice: Dice,
    pending: usize,
    seen: usize,
    /// Where the order breaks off.
    breaks_at: usize,
}

impl Fates {
    /// By `plan`, over so many things that are not safe.
    #[must_use]
    pub fn new(plan: Plan, pending: usize, seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let breaks_at = usize::try_from(dice.roll(pending as u64)).unwrap_or(0);
        Self { plan, dice, pending, seen: 0, breaks_at }
    }

    /// The fate of the next.
    pub fn decide(&mut self, pending: Pending<'_>) -> Fate {
        let length = match &pending.op.what {
            What::Write { bytes, .. } => bytes.len(),
            What::Create
            | What::Truncate { .. }
            | What::Sync
            | What::SyncFailed
            | What::SyncIgnored
            | What::Delete { .. } => 0,
        };
        let number = self.seen;
        self.seen += 1;
        let last = self.seen == self.pending;
        match self.plan {
            Plan::AllKept => Fate::Kept,
            Plan::AllLost => Fate::Lost,
            Plan::LastLost => kept(!last),
            Plan::LastKept => kept(last),
            Plan::CutInOrder if number == self.breaks_at => self.torn(length),
            Plan::CutInOrder => kept(number < self.breaks_at),
            Plan::Scattered => kept(self.dice.one_in(2)),
            Plan::TornSectors => Fate::Sectors(self.dice.roll(u64::MAX)),
            Plan::TornBytes => self.torn(length),
            Plan::Mixed => self.mixed(length),
        }
    }

    fn torn(&mut self, length: usize) -> Fate {
        let bytes = usize::try_from(self.dice.roll(length as u64 + 1)).unwrap_or(0);
        // Half of the tears are where the card itself ends a write.
        Fate::Torn(if self.dice.one_in(2) { bytes / 512 * 512 } else { bytes })
    }

    fn mixed(&mut self, length: usize) -> Fate {
        match self.dice.roll(8) {
            0 => Fate::Lost,
            1 => self.torn(length),
            2 => Fate::Sectors(self.dice.roll(u64::MAX)),
            _ => Fate::Kept,
        }
    }
}

const fn kept(kept: bool) -> Fate {
    if kept { Fate::Kept } else { Fate::Lost }
}
