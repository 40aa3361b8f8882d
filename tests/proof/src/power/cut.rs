//! One power cut: the card as it is found, opened by the real journal, and what must hold.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use hal::sim::disk::{Card, Fate, Replay};
use till::journal::{Journal, Opened};

use super::fates::{Fates, Plan};
use super::life::{Life, Lives, State, keep};
use super::sales::Sales;
use crate::dice::Dice;

/// One in so many journals goes on after the cut, and takes another sale.
const GOES_ON: u64 = 8;
/// One in so many of these loses its power again meanwhile.
const CUT_AGAIN: u64 = 2;
/// Of one in so many every entry is read and compared; of all the hash of the newest, which covers them.
const READ_THROUGH: u64 = 16;

/// What was wrong after a cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// The journal does not open.
    Unopened,
    /// It opens, and cannot be read or goes no further.
    Stuck,
    /// The chain or a derived table does not hold.
    Broken,
    /// Something that was promised is not there.
    Lost,
    /// Something is there that was never asked for, or half of a batch.
    Invented,
}

/// What is told of a cut, for people. Costs nothing when nobody listens.
#[derive(Debug, Default)]
pub struct Story(pub Option<Vec<String>>);

impl Story {
    /// Adds a line.
    pub fn tell(&mut self, line: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.0 {
            lines.push(line());
        }
    }
}

/// What went wrong, in one word and in many.
pub type Found<T> = Result<T, (Wrong, String)>;

/// The disks of one life that were opened and held. Many cuts leave the same bytes: what was found in them once is found
/// again, and is only held against what was promised by then.
#[derive(Debug, Default)]
pub struct Seen {
    /// By the card's fingerprint: the number of the state that was found.
    states: HashMap<u64, usize>,
}

impl Seen {
    /// How many different disks there were.
    #[must_use]
    pub fn disks(&self) -> u64 {
        self.states.len() as u64
    }

    fn holds(&self, fingerprint: u64, life: &Life, allowed: &RangeInclusive<usize>) -> bool {
        let found = self.states.get(&fingerprint).map(|found| &life.states[*found]);
        found.is_some_and(|found| allowed.clone().any(|number| life.states[number] == *found))
    }
}

/// One cut of a life.
#[derive(Debug, Clone, Copy)]
pub struct Cut {
    /// How the card treats what was not safe.
    pub plan: Plan,
    /// Everything else that is left to chance.
    pub seed: u64,
}

impl Cut {
    /// Cuts the power where `replay` stands, opens the journal that is found, and holds it against what the life allows.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn perform(
        self,
        lives: &Lives<'_>,
        life: &Life,
        replay: &Replay,
        seen: &mut Seen,
        story: &mut Story,
    ) -> Found<()> {
        let card = decide(self.plan, self.seed, replay, story);
        let allowed = life.allowed(replay.instant());
        story.tell(|| format!("what may be found: the state after request {} to {}", allowed.start(), allowed.end()));
        let mut dice = Dice::new(self.seed ^ 0x5eed);
        let (reads_through, goes_on) = (dice.one_in(READ_THROUGH), dice.one_in(GOES_ON));
        let fingerprint = card.fingerprint();
        if !reads_through && !goes_on && seen.holds(fingerprint, life, &allowed) {
            return Ok(());
        }
        let opened = open(lives, &card)?;
        let found = invariant_journal_is_what_was_promised(lives, &card, &opened, &life.states, allowed)?;
        story.tell(|| format!("found: the state after request {found}; the chain and the tables hold"));
        seen.states.insert(fingerprint, found);
        if reads_through {
            invariant_entries_are_as_sent(lives, &opened.journal, life, &life.states[found])?;
        }
        if goes_on {
            go_on(lives, life, opened, &card, found, &mut dice, story)?;
        }
        Ok(())
    }
}

/// The card that is found after the power failed where `replay` stands.
fn decide(plan: Plan, seed: u64, replay: &Replay, story: &mut Story) -> Card {
    let pending = replay.pending();
    story.tell(|| {
        format!("the power fails after instant {}, {pending} changes are not safe: {plan:?}", replay.instant())
    });
    let mut fates = Fates::new(plan, pending, seed);
    replay.cut(&mut |pending| {
        let fate = fates.decide(pending);
        story.tell(|| format!("  {:>5} {}: {}", pending.number, pending.op, in_words(fate)));
        fate
    })
}

fn in_words(fate: Fate) -> String {
    match fate {
        Fate::Kept => "kept".to_owned(),
        Fate::Lost => "lost".to_owned(),
        Fate::Torn(bytes) => format!("torn after {bytes} bytes"),
        Fate::Sectors(mask) => format!("torn, sectors kept by the mask {mask:#x}"),
    }
}

/// The journal opens, whatever became of the writes.
fn open(lives: &Lives<'_>, card: &Card) -> Found<Opened> {
    lives.open(card).map_err(|error| (Wrong::Unopened, error.to_string()))
}

/// The journal is in one of the states from what was promised to what was asked: nothing promised is missing, nothing else
/// is there, no batch is half there; the chain verifies and the derived tables agree. Returns the state's number.
fn invariant_journal_is_what_was_promised(
    lives: &Lives<'_>,
    card: &Card,
    opened: &Opened,
    states: &[State],
    allowed: RangeInclusive<usize>,
) -> Found<usize> {
    let reader = opened.journal.reader();
    let (state, report) = lives.look(card, &reader).map_err(|error| (Wrong::Stuck, error.to_string()))?;
    if let Some(fault) = report.faults.first() {
        return Err((Wrong::Broken, fault.to_string()));
    }
    let at_start = (opened.acknowledged, opened.handled, opened.unsettled, &opened.results);
    if at_start != (state.sync.acknowledged, state.sync.handled, state.unsettled, &state.sync.results) {
        return Err((Wrong::Broken, format!("the start reads {at_start:?}, and later it is {state:?}")));
    }
    if let Some(found) = allowed.clone().find(|number| states[*number] == state) {
        return Ok(found);
    }
    let promised = &states[*allowed.start()];
    let older = states[..*allowed.start()].contains(&state);
    let wrong = if older || state.totals.head.seq < promised.totals.head.seq { Wrong::Lost } else { Wrong::Invented };
    Err((wrong, format!("promised was {promised:?}, and there is {state:?}")))
}

/// Every entry is, byte for byte of its content, what was sent.
fn invariant_entries_are_as_sent(lives: &Lives<'_>, journal: &Journal, life: &Life, state: &State) -> Found<()> {
    let reader = journal.reader();
    let mut after = 0;
    let mut count = 0;
    loop {
        let page = lives.runtime.block_on(reader.entries_since(after, 0));
        let page = page.map_err(|error| (Wrong::Stuck, error.to_string()))?;
        let Some(last) = page.last() else { break };
        after = last.stored.seq;
        count += page.len() as u64;
        for recorded in &page {
            let place = usize::try_from(recorded.stored.seq - 1).unwrap_or(usize::MAX);
            if life.sent.get(place) != Some(&recorded.stored) {
                return Err((Wrong::Invented, format!("never sent: {recorded:?}")));
            }
        }
    }
    if count == state.entries { Ok(()) } else { Err((Wrong::Lost, format!("{count} entries, not {}", state.entries))) }
}

/// The journal that was found takes another sale. Perhaps the power fails again meanwhile.
fn go_on(
    lives: &Lives<'_>,
    life: &Life,
    opened: Opened,
    card: &Card,
    found: usize,
    dice: &mut Dice,
    story: &mut Story,
) -> Found<()> {
    let stuck = |error: String| (Wrong::Stuck, error);
    let batch = Sales::new(dice.roll(u64::MAX)).next_batch();
    let newest = life.states[found].totals.head.seq;
    let mut sent = Vec::new();
    keep(&mut sent, &batch);
    let asked = card.instant();
    lives.runtime.block_on(opened.journal.append(batch)).map_err(|error| stuck(error.to_string()))?;
    let promised = card.instant();
    let reader = opened.journal.reader();
    let (after, report) = lives.look(card, &reader).map_err(|error| stuck(error.to_string()))?;
    if let Some(fault) = report.faults.first() {
        return Err((Wrong::Broken, fault.to_string()));
    }
    if after.totals.head.seq != newest + sent.len() as u64 {
        return Err((Wrong::Lost, format!("{} entries were added to {newest}: {after:?}", sent.len())));
    }
    drop((reader, opened));
    story.tell(|| "another sale is recorded, and the journal is closed".to_owned());
    if !dice.one_in(CUT_AGAIN) {
        return Ok(());
    }
    let instant = usize::try_from(dice.roll(card.instant() as u64 + 1)).unwrap_or(0);
    let mut replay = card.replay();
    while replay.instant() < instant && replay.step().is_some() {}
    let again = decide(Plan::Mixed, dice.roll(u64::MAX), &replay, story);
    let states = [life.states[found].clone(), after];
    let allowed = usize::from(instant >= promised)..=usize::from(instant > asked);
    let opened = open(lives, &again)?;
    let found = invariant_journal_is_what_was_promised(lives, &again, &opened, &states, allowed)?;
    story.tell(|| format!("found after the second cut: {}", ["nothing of it", "all of it"][found]));
    Ok(())
}
