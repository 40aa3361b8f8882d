//! Whether the wall clock may be believed: who has confirmed the time, and how far the clock is from it now. Pure.
//!
//! | witness | what it knows | outranks |
//! |---|---|---|
//! | clock chip | the time that the kernel took at boot, while both still agree | nothing |
//! | kernel | a time service keeps the clock right | the chip |
//! | hub | the `Date` of its answers, over verified TLS | both, and the journal |
//! | channel | the `Date` of its answers, over verified TLS: by this time it takes or refuses our requests | all |
//!
//! What a witness says is kept as the distance between the count since boot, which nobody sets, and the true time. So a
//! wall clock that is set to anything later is found out without asking anybody.

use std::fmt;

use payment::channel::ChannelId;
use payment::time::Wall;

/// So far the wall clock may be from the true time: Alipay takes no request that is further off.
pub const TOLERANCE_MS: i64 = 5 * MINUTE_MS;

/// After so long without a word from anybody a server is asked for the time.
pub const ASK_AGAIN_MS: i64 = 7 * DAY_MS;

/// After so long without a word from anybody nothing is believed: a plain crystal is wrong by up to 100 ppm, which makes 5
/// minutes in 34 days.
pub const HOLDS_MS: i64 = 34 * DAY_MS;

/// Two servers' dates that differ by less say the same: a date is cut to the second, and an answer may be slow.
const SAME_MS: i64 = 10_000;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
const YEAR_MS: i64 = 365 * DAY_MS;

/// Before this no Till was built: whoever says so is wrong. 2026-01-01T00:00:00Z.
pub const BUILT_MS: i64 = 1_767_225_600_000;

/// Both clocks at one moment, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Since the kernel started; nobody sets it.
    pub since_boot: i64,
    /// The wall clock, since 1970.
    pub wall: i64,
}

/// Who confirmed the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Witness {
    /// The machine's clock chip.
    Chip,
    /// The kernel, for its time service.
    Kernel,
    /// The operator's hub.
    Hub,
    /// A channel.
    Channel(ChannelId),
}

impl Witness {
    const fn rank(self) -> u8 {
        match self {
            Self::Chip => 0,
            Self::Kernel => 1,
            Self::Hub => 2,
            Self::Channel(_) => 3,
        }
    }

    /// A server's newest word counts. The machine's own word is given once: later it may only echo a clock that was set.
    const fn may_correct_itself(self) -> bool {
        match self {
            Self::Chip | Self::Kernel => false,
            Self::Hub | Self::Channel(_) => true,
        }
    }
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chip => f.write_str("the clock chip"),
            Self::Kernel => f.write_str("the time service"),
            Self::Hub => f.write_str("the hub's answers"),
            Self::Channel(channel) => write!(f, "{}'s answers", channel.name()),
        }
    }
}

/// What the machine itself says about its wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Local {
    /// The kernel says that a time service keeps it right.
    pub synchronised: bool,
    /// What the clock chip says that set it at boot.
    pub chip: Option<i64>,
}

impl Local {
    fn witness(self, wall: i64) -> Option<Witness> {
        let chip_agrees = self.chip.is_some_and(|chip| is_near(chip, wall));
        match (self.synchronised, chip_agrees) {
            (true, _) => Some(Witness::Kernel),
            (false, true) => Some(Witness::Chip),
            (false, false) => None,
        }
    }
}

/// The best word on the time so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Anchor {
    /// The true time less the time since boot.
    offset: i64,
    /// When it was last confirmed, since boot.
    at: i64,
    by: Witness,
}

/// What is known about the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trust {
    /// The newest entry of the journal whose time was trusted: the machine's own word below it is not enough.
    floor: Option<i64>,
    anchor: Option<Anchor>,
}

/// Whether the wall clock is believed now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is, on the word of this witness.
    Trusted(Witness),
    /// It is not.
    Distrusted(Why),
}

/// Why a clock is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It says a time before Till was built.
    NeverSet,
    /// Nobody has confirmed it since the start.
    Unconfirmed,
    /// It is behind an entry of the journal, and no server has said which of them is wrong.
    BehindJournal {
        /// The entry's time.
        newest: i64,
    },
    /// It is that far ahead of what this witness says; less than zero is behind.
    Apart {
        /// How far.
        ahead: i64,
        /// Of whom.
        of: Witness,
    },
    /// It is that far from the time that it had itself when this witness confirmed it: somebody set it.
    Jumped {
        /// How far; less than zero is back.
        ahead: i64,
        /// Who confirmed it before.
        since: Witness,
    },
    /// It was confirmed too long ago.
    Stale {
        /// So long ago.
        age: i64,
    },
}

impl Trust {
    /// Nothing is known but the newest entry of the journal.
    #[must_use]
    pub fn new(newest: Option<Wall>) -> Self {
        Self { floor: newest.filter(|wall| wall.trusted).map(|wall| wall.ms), anchor: None }
    }

    /// Whether the wall clock is believed.
    #[must_use]
    pub fn verdict(&self, now: Reading) -> Verdict {
        self.doubt(now).map_or_else(
            || self.anchor.map_or(Verdict::Distrusted(Why::Unconfirmed), |anchor| Verdict::Trusted(anchor.by)),
            Verdict::Distrusted,
        )
    }

    fn doubt(&self, now: Reading) -> Option<Why> {
        if now.wall < BUILT_MS {
            return Some(Why::NeverSet);
        }
        let Some(anchor) = self.anchor else {
            let newest = self.floor.filter(|_| self.is_below_floor(now.wall));
            return Some(newest.map_or(Why::Unconfirmed, |newest| Why::BehindJournal { newest }));
        };
        let ahead = now.wall.saturating_sub(anchor.offset.saturating_add(now.since_boot));
        let age = now.since_boot.saturating_sub(anchor.at);
        match (ahead.saturating_abs() > TOLERANCE_MS, anchor.by.may_correct_itself()) {
            (true, true) => Some(Why::Apart { ahead, of: anchor.by }),
            (true, false) => Some(Why::Jumped { ahead, since: anchor.by }),
            (false, _) => (age > HOLDS_MS).then_some(Why::Stale { age }),
        }
    }

    /// From when on a server is to be asked again, since boot; `None` before anybody confirmed anything.
    #[must_use]
    pub fn ask_again_at(&self) -> Option<i64> {
        self.anchor.map(|anchor| anchor.at.saturating_add(ASK_AGAIN_MS))
    }

    /// Takes in what the machine itself says.
    pub fn look(&mut self, now: Reading, local: Local) {
        if let Some(witness) = local.witness(now.wall)
            && now.wall >= BUILT_MS
            && !self.is_below_floor(now.wall)
        {
            self.testify(witness, now.wall.saturating_sub(now.since_boot), now.since_boot);
        }
    }

    /// Takes in the `Date` of a server, heard at `since_boot`. It outranks the journal: a floor that a wrong clock left
    /// there is forgotten.
    pub fn heard(&mut self, server: Witness, date: i64, since_boot: i64) {
        if date >= BUILT_MS {
            self.floor = None;
            self.testify(server, date.saturating_sub(since_boot), since_boot);
        }
    }

    fn testify(&mut self, by: Witness, offset: i64, at: i64) {
        let said = Anchor { offset, at, by };
        let Some(known) = self.anchor else {
            self.anchor = Some(said);
            return;
        };
        let outranks = by.rank() > known.by.rank();
        let apart = offset.saturating_sub(known.offset).saturating_abs();
        let corrects = by.rank() == known.by.rank() && by.may_correct_itself() && apart > SAME_MS;
        let is_stale = at.saturating_sub(known.at) > HOLDS_MS;
        self.anchor = match outranks || corrects || is_stale {
            true => Some(said),
            false if apart <= TOLERANCE_MS => Some(Anchor { at, ..known }),
            false => Some(known),
        };
    }

    fn is_below_floor(&self, wall: i64) -> bool {
        self.floor.is_some_and(|floor| wall < floor.saturating_sub(TOLERANCE_MS))
    }
}

fn is_near(one: i64, other: i64) -> bool {
    one.saturating_sub(other).saturating_abs() <= TOLERANCE_MS
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trusted(by) => write!(f, "confirmed by {by}"),
            Self::Distrusted(why) => why.fmt(f),
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeverSet => f.write_str(
                "the clock was never set. A server's certificate cannot be checked by it, so this waits for the time service or the clock chip",
            ),
            Self::Unconfirmed => f.write_str("nothing has confirmed the time since the start"),
            Self::BehindJournal { newest } => {
                write!(f, "the clock is behind the journal, whose newest entry is of {}", Minute(*newest))
            }
            Self::Apart { ahead, of } => write!(f, "the clock is {} {of}", Distance(*ahead, ["ahead of", "behind"])),
            Self::Jumped { ahead, since } => {
                let distance = Distance(*ahead, ["ahead", "back"]);
                write!(f, "the clock was set {distance} after {since} had confirmed it, and no server has agreed")
            }
            Self::Stale { age } => write!(f, "nothing has confirmed the time for {}", Length(*age)),
        }
    }
}

/// A moment to the minute.
struct Minute(i64);

impl fmt::Display for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = jiff::Timestamp::from_millisecond(self.0).unwrap_or_default();
        write!(f, "{} UTC", moment.strftime("%Y-%m-%d %H:%M"))
    }
}

/// How far something is off, and to which side.
struct Distance(i64, [&'static str; 2]);

impl fmt::Display for Distance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = if self.0 > 0 { self.1[0] } else { self.1[1] };
        write!(f, "{} {side}", Length(self.0.saturating_abs()))
    }
}

/// A length of time in the largest unit that it has two of, or in minutes.
struct Length(i64);

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(YEAR_MS, "years"), (DAY_MS, "days"), (HOUR_MS, "h")];
        let (unit, name) = units.into_iter().find(|(unit, _)| self.0 >= 2 * unit).unwrap_or((MINUTE_MS, "min"));
        write!(f, "{} {name}", self.0 / unit)
    }
}

#[cfg(test)]
#[path = "trust_tests.rs"]
mod tests;
