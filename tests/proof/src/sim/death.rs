//! The process is killed or the power fails, at any entry and at any effect; later it starts again from its disk.

use payment::engine::Engine;
use payment::engine::effect::Record;
use payment::engine::entry::Stored;
use payment::engine::faults::Fault;
use payment::engine::input::Input;
use payment::ids::IdMint;
use till::daemon::Broken;
use till::journal::AppendError;

use super::store::Found;
use super::verdict::{Wrong, must, violated};
use super::world::{Coming, World};
use crate::dice::Dice;

/// How long the daemon waits before it looks again at a disk that cannot be opened.
const LOOK_AGAIN_MS: u64 = 2_000;

/// A disk that cannot be opened so often is mended by a person.
const LOOKS_MAX: u32 = 30;

/// The instant of a death, counted down from now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instant {
    /// As a commit was asked for and not made.
    BeforeCommit(u64),
    /// When it is durable, and nothing behind it has left.
    AfterCommit(u64),
    /// As an effect was to be carried out.
    BeforeEffect(u64),
    /// When everything that followed from an input has left.
    AfterEffects(u64),
}

/// A death that comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Death {
    /// When.
    pub instant: Instant,
    /// The power fails: the motors stand still, and what the disk was not told to keep is lost. If not, only the process
    /// dies.
    pub power: bool,
    /// How long nothing runs.
    pub gap_ms: u64,
}

/// What can be counted down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Passed {
    CommitAsked,
    CommitMade,
    EffectTaken,
    EffectsOver,
}

impl Instant {
    /// Counts down when this is what passed; `true` when the time has come.
    const fn passes(&mut self, passed: Passed) -> bool {
        let left = match (self, passed) {
            (Self::BeforeCommit(left), Passed::CommitAsked)
            | (Self::AfterCommit(left), Passed::CommitMade)
            | (Self::BeforeEffect(left), Passed::EffectTaken)
            | (Self::AfterEffects(left), Passed::EffectsOver) => left,
            _ => return false,
        };
        let due = *left == 0;
        *left = left.saturating_sub(1);
        due
    }
}

impl World {
    pub(super) fn dies_before_commit(&mut self, batch: &[Record]) -> bool {
        let due = self.death_due(Passed::CommitAsked);
        if let Some(death) = due {
            self.dies_within_commit(death, batch);
        }
        due.is_some()
    }

    /// Anything from nothing to all of the commit reached the disk, and nobody was told.
    fn dies_within_commit(&mut self, death: Death, batch: &[Record]) {
        self.memory.in_flight.push(batch.to_vec());
        let before = self.disk.instant();
        if let Some(store) = self.store.as_mut() {
            let _nobody_hears = self.disk.append(store, batch.to_vec());
        }
        let asked = self.disk.instant().saturating_sub(before);
        let within = self.dice.roll(asked as u64 + 1);
        let instant = before + usize::try_from(within).unwrap_or(0);
        if death.power {
            let fates = Dice::new(self.dice.roll(u64::MAX));
            self.disk.power_fails(Some(instant), fates);
        } else {
            self.disk.process_died_at(instant);
        }
        self.store = None;
        self.die(death, "killed within a commit");
    }

    pub(super) fn dies_after_commit(&mut self) -> bool {
        let due = self.death_due(Passed::CommitMade);
        due.into_iter().for_each(|death| self.die(death, "killed after a commit"));
        due.is_some()
    }

    pub(super) fn dies_before_effect(&mut self) -> bool {
        let due = self.death_due(Passed::EffectTaken);
        due.into_iter().for_each(|death| self.die(death, "killed before an effect"));
        due.is_some()
    }

    pub(super) fn dies_after_effects(&mut self) -> bool {
        let due = self.death_due(Passed::EffectsOver);
        due.into_iter().for_each(|death| self.die(death, "killed after all effects"));
        due.is_some()
    }

    /// The journal and this run disagree: the daemon ends itself, and is started anew.
    pub(super) fn dies_of_journal(&mut self) -> bool {
        let whole = self.store.as_ref().map_or(Ok(()), |store| store.is_whole());
        match whole {
            Ok(()) => return false,
            Err(Broken::Journal(AppendError::Changed | AppendError::Stopped)) => {}
            Err(broken) => violated(Wrong::Broken, format!("the journal refuses what the engine wrote: {broken}")),
        }
        self.die(Death { instant: Instant::AfterEffects(0), power: false, gap_ms: 1_000 }, "ended by the journal");
        true
    }

    fn death_due(&mut self, passed: Passed) -> Option<Death> {
        let death = self.death.as_mut()?;
        if death.instant.passes(passed) { self.death.take() } else { None }
    }

    /// The process dies now, and starts again after the gap.
    pub fn die(&mut self, death: Death, kind: &'static str) {
        self.fault(kind);
        self.tally.add(if death.power { "power cut" } else { "process killed" });
        if self.store.is_some() {
            self.disk_is_left(death.power);
        }
        for (key, coming) in std::mem::take(&mut self.coming) {
            let lost = death.power && self.dice.one_in(3);
            if let Coming::Arrival { call, channel, request, sent, .. } = coming
                && !lost
            {
                let arrival = Coming::Arrival { call, channel, request, sent, reply: false, garbled: None };
                self.coming.insert(key, arrival);
            }
        }
        self.machine.daemon_died(death.power);
        self.scanner_armed = false;
        self.lamp_on = false;
        self.outer_world(death.gap_ms);
        self.start();
    }

    /// What is found of the disk after a death. The dead process changes nothing any more.
    fn disk_is_left(&mut self, power: bool) {
        if power {
            let fates = Dice::new(self.dice.roll(u64::MAX));
            self.disk.power_fails(None, fates);
        } else {
            self.disk.process_dies();
        }
        self.store = None;
    }

    /// Time passes without the terminal: what is on its way arrives, and buyers go on with their phones.
    fn outer_world(&mut self, ms: u64) {
        let end = self.at + ms;
        while let Some(first) = self.coming.first_entry().filter(|first| first.key().0 <= end) {
            self.at = first.key().0.max(self.at);
            if let Coming::Arrival { channel, request, sent, .. } = first.remove() {
                let _unheard = self.execute(channel, &request, sent);
                self.phone_goes_on();
            }
        }
        self.phone_goes_on();
        self.at = end;
    }

    /// Starts a process on what the disk holds.
    pub(super) fn start(&mut self) {
        let found = self.open_journal();
        self.booted = self.at;
        self.runs += 1;
        self.invariant_journal_is_what_was_told(&found);
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.dice.roll(u64::MAX).to_be_bytes());
        seed[8..16].copy_from_slice(&self.runs.to_be_bytes());
        self.engine =
            Engine::restore(self.settings.clone(), IdMint::new(seed), self.now(), &found.open_orders, found.spent);
        self.store = Some(found.store);
        let newest = self.memory.told.len() as u64;
        if let Some(hub) = self.hub.as_mut() {
            hub.started(found.acknowledged, newest);
        }
        self.note(|| format!("started, {} open orders", found.open_orders.len()));
        self.tell(Input::Unsettled(found.unsettled));
        self.tell(Input::Raise(Fault::Machine));
        self.tell(Input::Raise(Fault::Scanner));
        self.later(200, Coming::DevicesUp);
    }

    fn open_journal(&mut self) -> Found {
        for look in 0.. {
            match self.disk.open() {
                Ok(found) => return found,
                Err(error) => {
                    must!(error.may_heal(), Broken, "the journal cannot be opened again: {error}");
                    must!(look < 2 * LOOKS_MAX, Stuck, "the journal is never opened again: {error}");
                    self.fault("journal cannot be opened");
                }
            }
            if look >= LOOKS_MAX {
                self.mend_disk();
            }
            self.outer_world(LOOK_AGAIN_MS);
        }
        violated(Wrong::Stuck, "the journal is never opened".to_owned())
    }

    /// Line 6, and 1: after a restart the disk holds what the journal called durable, and beyond it at most one batch
    /// that was on its way, whole.
    fn invariant_journal_is_what_was_told(&mut self, found: &Found) {
        let told = self.memory.told.len();
        let overlap = told.min(8);
        let entries = self.disk.entries_since(&found.store, (told - overlap) as u64);
        must!(entries.len() >= overlap, Lost, "the journal forgot what it had called durable: {told} entries were");
        let (kept, more) = entries.split_at(overlap);
        must!(kept == &self.memory.told[told - overlap..], Lost, "the journal says something else than before");
        let newest = found.newest;
        must!(newest == (told + more.len()) as u64, Broken, "the newest entry is {newest}, and {told} were told");
        if !more.is_empty() {
            let in_flight = std::mem::take(&mut self.memory.in_flight);
            let batch = in_flight.into_iter().find(|batch| is_batch(batch, more));
            let Some(batch) = batch else {
                violated(Wrong::Broken, format!("the journal holds what nobody wrote: {more:?}"));
            };
            self.note(|| "the last commit was durable after all".to_owned());
            self.acknowledged(batch);
            // Whoever was to act on it is dead.
            self.machine.daemon_died(false);
        }
        self.memory.in_flight.clear();
    }
}

fn is_batch(batch: &[Record], entries: &[Stored]) -> bool {
    let pairs = batch.iter().zip(entries);
    batch.len() == entries.len() && pairs.into_iter().all(|(record, stored)| record.entry == stored.entry)
}
