//! What to send to the hub, when, and what its answer means. No socket, no clock, no disk: the leaf in
//! [`link`](super::link) does what it says, and so does the simulator.
//!
//! ```text
//! poll(now) ─► Send(span) ─► read the journal, post ─► on_answer ─► Acknowledgement ─► make it durable ─► acknowledged
//!           └► Wait(until)                                       └► nothing: poll again
//! ```
//!
//! Sent is a hint and acknowledged is a fact: only what the journal holds as acknowledged is never sent again, so a
//! restart, a lost answer or a failing disk lead to the same batch once more, which does no harm.

use std::fmt;

use payment::time::{Mono, Now};

use super::backoff::Backoff;
use super::wire::{Answer, BATCH_BYTES_MAX, Batch, ENTRIES_MAX, RefusedEntry, Said};

/// After the first entry, how long the others of the same sale are waited for: a sale is one request, not five.
const GATHER_MS: u64 = 1_000;
/// How often a hub is asked again whose answer a person has to look at.
const STOPPED_MS: u64 = 3_600_000;
/// So many entries in a row that the hub cannot read are set aside; of more than that the hub is to blame, and they go
/// one in an hour.
const UNREADABLE_IN_A_ROW: u32 = 3;

/// What to do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Send these entries and hand the answer to [`Uplink::on_answer`].
    Send(Span),
    /// Nothing until then, or until something is told; `None` waits for ever.
    Wait(Option<Mono>),
}

/// Which entries to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The entries after this place.
    pub after: u64,
    /// At most so many.
    pub entries_max: u32,
    /// The one entry goes as unreadable, with this code.
    pub unreadable: Option<String>,
}

/// What the hub has and the journal is to remember.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// The hub has every entry up to here.
    pub up_to: u64,
    /// Those that it refuses for good.
    pub refused: Vec<RefusedEntry>,
}

/// What keeps entries from the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// No answer, or "not now".
    NotNow(String),
    /// The journal cannot be read, or does not take the acknowledgement.
    Journal(String),
    /// The signature or the key is not accepted.
    NotAccepted(Said),
    /// Not even the place of an entry can be read.
    BadBatch(Said),
    /// One entry after the other cannot be read.
    Illiterate(Said),
    /// Whoever answers is no hub.
    Nonsense(String),
    /// The hub has another history than this journal.
    Fork(String),
    /// The hub has entries that this journal never had.
    Ahead {
        /// What the hub says it has.
        hub: u64,
        /// Where the journal ends.
        newest: u64,
    },
    /// The hub has less than it said before.
    LostData {
        /// What the hub has now.
        hub: u64,
        /// What it had.
        acknowledged: u64,
    },
    /// The hub lost entries that the journal does not hold any more.
    Gone {
        /// The first of them.
        seq: u64,
    },
    /// A command of the operator cannot be done now, and those after it wait.
    Undone {
        /// Its number.
        number: u64,
        /// Why.
        why: String,
        /// So often it was tried in a row.
        tries: u32,
    },
}

/// A command that could not be done so often is for a person.
const UNDONE_IN_A_ROW: u32 = 3;

impl Trouble {
    /// Whether waiting will not mend it: the fault `hub`.
    #[must_use]
    pub const fn needs_a_person(&self) -> bool {
        match self {
            Self::NotNow(_) | Self::Journal(_) => false,
            Self::Undone { tries, .. } => *tries >= UNDONE_IN_A_ROW,
            Self::NotAccepted(_)
            | Self::BadBatch(_)
            | Self::Illiterate(_)
            | Self::Nonsense(_)
            | Self::Fork(_)
            | Self::Ahead { .. }
            | Self::LostData { .. }
            | Self::Gone { .. } => true,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotNow(detail) => write!(f, "the hub cannot be reached now: {detail}"),
            Self::Journal(detail) => f.write_str(detail),
            Self::NotAccepted(said) => write!(
                f,
                "the hub does not accept this terminal ({said}). Join it with a new code (`till hub join`), or give the hub \
                 the key that `till hub key` shows. Everything is kept and sent afterwards"
            ),
            Self::BadBatch(said) => write!(
                f,
                "the hub cannot read even the place of an entry ({said}): look at the hub's log. Everything is kept"
            ),
            Self::Illiterate(said) => write!(
                f,
                "the hub cannot read one entry after the other ({said}): look at the hub. {UNREADABLE_IN_A_ROW} were set \
                 aside, and so is one in an hour now; everything else is kept"
            ),
            Self::Nonsense(what) => write!(
                f,
                "whoever answers at hub.url is not a hub: {what}. Check the address and what stands in between. \
                 Everything is kept"
            ),
            Self::Fork(detail) => write!(
                f,
                "the hub has another history of this terminal ({detail}): a second machine uses its number, or the journal \
                 was replaced. Nothing is sent; keep both records and ask the operator"
            ),
            Self::Ahead { hub, newest } => write!(
                f,
                "the hub has entries up to {hub}, and this journal ends at {newest}: an older journal was put in its place. \
                 Nothing is sent; keep both records and ask the operator"
            ),
            Self::LostData { hub, acknowledged } => write!(
                f,
                "the hub had everything up to {acknowledged} and now has only up to {hub}: it lost data. What the \
                 journal still holds is sent again"
            ),
            Self::Gone { seq } => write!(
                f,
                "the hub lost entry {seq}, and the journal does not hold it any more: restore the hub from a backup. \
                 Everything since is kept"
            ),
            Self::Undone { number, why, .. } => write!(
                f,
                "command {number} of the operator cannot be done now: {why}. It is tried again, and what was ordered after \
                 it waits"
            ),
        }
    }
}

/// Why nothing is sent before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hold {
    /// More entries of the same sale are on their way.
    Gathering,
    /// Something failed.
    Failing,
    /// The hub said when to come again.
    Asked,
    /// A person has to look.
    Stopped,
}

/// The state of what is sent to the hub.
#[derive(Debug, Clone)]
pub struct Uplink {
    /// What the journal holds as acknowledged.
    acknowledged: u64,
    /// The journal's newest entry.
    newest: u64,
    /// What the hub has. Below `acknowledged` only while it gets again what it lost.
    at_hub: u64,
    /// The hub said where it stands, and has nothing that this journal never had.
    is_compared: bool,
    /// Where it said so last.
    hub_said: u64,
    entries_max: u32,
    unreadable: Option<String>,
    /// Entries in a row that went as unreadable.
    unreadable_row: u32,
    backoff: Backoff,
    hold: Option<(Hold, Mono)>,
    trouble: Option<Trouble>,
}

impl Uplink {
    /// At a start: what the journal holds as acknowledged, and its newest entry. What waits is sent at once; when nothing
    /// waits, the newest entry goes once more: only so it shows whether an older journal was put in its place. A journal
    /// without entries has nothing to compare, and no order that a command could return money of.
    #[must_use]
    pub fn new(acknowledged: u64, newest: u64) -> Self {
        Self {
            acknowledged,
            newest: newest.max(acknowledged),
            at_hub: acknowledged,
            is_compared: newest.max(acknowledged) == 0,
            hub_said: 0,
            entries_max: ENTRIES_MAX,
            unreadable: None,
            unreadable_row: 0,
            backoff: Backoff::default(),
            hold: None,
            trouble: None,
        }
    }

    /// What to do now. Nothing leaves while the wall clock is not trusted: a signature holds the time.
    #[must_use]
    pub fn poll(&self, now: Now) -> Next {
        if (self.is_empty() && self.is_compared) || !now.wall.trusted {
            return Next::Wait(None);
        }
        match self.hold {
            Some((_, until)) if now.mono < until => Next::Wait(Some(until)),
            Some(_) | None => Next::Send(self.span()),
        }
    }

    fn span(&self) -> Span {
        let unreadable = self.unreadable.clone();
        if self.is_empty() {
            return Span { after: self.newest.saturating_sub(1), entries_max: 1, unreadable };
        }
        Span { after: self.at_hub, entries_max: self.entries_max, unreadable }
    }

    /// Whether hub and journal have one history, as far as the hub said since the start. Until then no command is done: an
    /// older journal does not know which ones were.
    #[must_use]
    pub const fn agrees(&self) -> bool {
        self.is_compared
    }

    /// Whether the hub has everything.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.at_hub >= self.newest
    }

    /// What keeps entries from the hub; `None` while all goes well.
    #[must_use]
    pub const fn trouble(&self) -> Option<&Trouble> {
        self.trouble.as_ref()
    }

    // ---- what wakes it ----

    /// The journal has a new entry, `newest`.
    pub fn woken(&mut self, now: Mono, newest: u64) {
        if newest > self.newest {
            let was_empty = self.is_empty();
            self.newest = newest;
            if was_empty && self.hold.is_none_or(|(_, until)| until <= now) {
                self.hold = Some((Hold::Gathering, now.plus(GATHER_MS)));
            }
        }
    }

    /// The network is back: a failed try is made again soon. What the hub asked for, and what a person has to look at,
    /// stays.
    pub fn link_back(&mut self, now: Mono) {
        if let Some((Hold::Failing, until)) = &mut self.hold
            && self.trouble.as_ref().is_none_or(|trouble| !trouble.needs_a_person())
        {
            *until = now.plus(GATHER_MS).min(*until);
        }
    }

    /// The hub just answered something else as wished, after it did not: what failed may work too.
    pub fn hub_back(&mut self, now: Mono) {
        if let Some((Hold::Failing, until)) = &mut self.hold {
            *until = now.plus(GATHER_MS).min(*until);
        }
    }

    /// Somebody wants it sent now, whatever it waits for.
    pub fn send_now(&mut self) {
        self.hold = None;
        self.backoff.over();
    }

    // ---- what came of sending ----

    /// The hub's answer to `batch`. What it acknowledges is to be made durable, then
    /// [`acknowledged`](Self::acknowledged) is to be called, or [`not_stored`](Self::not_stored).
    #[must_use]
    pub fn on_answer(&mut self, now: Mono, batch: &Batch, answer: Answer, entropy: u64) -> Option<Acknowledgement> {
        self.newest = self.newest.max(batch.last);
        match answer {
            Answer::Taken { acknowledged, refused } => {
                return self.on_taken(now, batch, acknowledged, refused, entropy);
            }
            Answer::Gap { acknowledged } if acknowledged < self.at_hub => self.on_gap(now, acknowledged, entropy),
            Answer::Gap { acknowledged } => {
                let what = format!("it says that entry {} leaves a gap after {acknowledged}", batch.first);
                self.fail(now, Trouble::Nonsense(what), None, entropy);
            }
            Answer::Fork { detail } => self.disagree(now, Trouble::Fork(detail)),
            Answer::BadBatch(said) => self.on_bad_batch(now, batch, said, entropy),
            Answer::NotAccepted(said) => self.fail(now, Trouble::NotAccepted(said), None, entropy),
            Answer::NotNow { detail, retry_after_s } => {
                self.fail(now, Trouble::NotNow(detail), retry_after_s, entropy);
            }
            Answer::Nonsense(what) => self.fail(now, Trouble::Nonsense(what), None, entropy),
        }
        None
    }

    fn on_taken(
        &mut self,
        now: Mono,
        batch: &Batch,
        hub: u64,
        mut refused: Vec<RefusedEntry>,
        entropy: u64,
    ) -> Option<Acknowledgement> {
        if hub > self.newest {
            self.disagree(now, Trouble::Ahead { hub, newest: self.newest });
            return None;
        }
        if hub < self.at_hub {
            self.on_gap(now, hub, entropy);
            return None;
        }
        if hub < batch.first {
            self.fail(now, Trouble::Nonsense("it takes entries and keeps none of them".to_owned()), None, entropy);
            return None;
        }
        // The hub may have more from an earlier life of this terminal. What it refused of that is named when it comes
        // again, so nothing is skipped.
        let up_to = hub.min(batch.last);
        self.hub_said = hub;
        if batch.last <= self.at_hub {
            // It went once more to compare. What was refused of it is known, and a person may have seen it since.
            return Some(Acknowledgement { up_to, refused: Vec::new() });
        }
        refused.retain(|entry| (batch.first..=up_to).contains(&entry.seq));
        if let Some(code) = self.unreadable.clone()
            && refused.is_empty()
        {
            refused.push(RefusedEntry { seq: up_to, code, detail: String::new() });
        }
        Some(Acknowledgement { up_to, refused })
    }

    /// The acknowledgement up to here is durable.
    pub fn acknowledged(&mut self, now: Mono, batch: &Batch, up_to: u64) {
        self.at_hub = up_to;
        self.is_compared |= self.hub_said <= up_to;
        self.acknowledged = self.acknowledged.max(up_to);
        self.unreadable_row = if self.unreadable.take().is_some() { self.unreadable_row + 1 } else { 0 };
        let was_full = batch.entries() >= u64::from(self.entries_max) || batch.lines.len() > BATCH_BYTES_MAX / 2;
        self.entries_max = self.entries_max.saturating_mul(2).min(ENTRIES_MAX);
        // A hub that forgets again and again is asked more slowly, however much it takes in between.
        if self.at_hub >= self.acknowledged {
            self.backoff.over();
            self.trouble = None;
        }
        // A batch that could not hold all that waited is followed at once; what came meanwhile is a new sale.
        let goes_on = up_to < batch.last || was_full;
        self.hold = (!goes_on && !self.is_empty()).then(|| (Hold::Gathering, now.plus(GATHER_MS)));
    }

    /// The acknowledgement could not be made durable: the same batch is sent again, and answered the same.
    pub fn not_stored(&mut self, now: Mono, why: impl fmt::Display, entropy: u64) {
        self.fail(now, Trouble::Journal(why.to_string()), None, entropy);
    }

    /// The journal cannot be read now.
    pub fn on_unread(&mut self, now: Mono, why: impl fmt::Display, entropy: u64) {
        self.fail(now, Trouble::Journal(why.to_string()), None, entropy);
    }

    /// The journal does not hold the entry after the hub's last one any more.
    pub fn on_gone(&mut self, now: Mono) {
        self.stop(now, Trouble::Gone { seq: self.at_hub + 1 });
    }

    /// The hub lost entries. What it lacks is sent at once; a hub that says so again and again is asked more slowly.
    fn on_gap(&mut self, now: Mono, hub: u64, entropy: u64) {
        let again = self.backoff.is_failing();
        let acknowledged = self.acknowledged;
        self.fail(now, Trouble::LostData { hub, acknowledged }, None, entropy);
        self.at_hub = hub;
        // It has less than this journal, so nothing that is not in it.
        self.is_compared = true;
        self.unreadable = None;
        if !again {
            self.hold = None;
        }
    }

    /// Smaller batches until the entry is found that the hub cannot read. That one goes as unreadable.
    fn on_bad_batch(&mut self, now: Mono, batch: &Batch, said: Said, entropy: u64) {
        let half = u32::try_from(batch.entries() / 2).unwrap_or(ENTRIES_MAX);
        if half > 0 {
            self.entries_max = half;
            self.hold = None;
        } else if self.unreadable.is_none() && self.unreadable_row >= UNREADABLE_IN_A_ROW {
            self.unreadable_row = UNREADABLE_IN_A_ROW - 1;
            self.stop(now, Trouble::Illiterate(said));
        } else if self.unreadable.is_none() {
            self.unreadable = Some(said.code);
            self.hold = None;
        } else {
            // It is not the entry, then.
            self.unreadable = None;
            self.fail(now, Trouble::BadBatch(said), None, entropy);
        }
    }

    fn fail(&mut self, now: Mono, trouble: Trouble, asked_for_s: Option<u64>, entropy: u64) {
        let until = self.backoff.failed(now, asked_for_s, entropy);
        let hold = if asked_for_s.is_some() { Hold::Asked } else { Hold::Failing };
        self.hold = Some((hold, until));
        self.trouble = Some(trouble);
    }

    /// The hub has what this journal does not.
    fn disagree(&mut self, now: Mono, trouble: Trouble) {
        self.is_compared = false;
        self.stop(now, trouble);
    }

    fn stop(&mut self, now: Mono, trouble: Trouble) {
        self.hold = Some((Hold::Stopped, now.plus(STOPPED_MS)));
        self.trouble = Some(trouble);
    }
}

#[cfg(test)]
#[path = "uplink_tests.rs"]
mod tests;
