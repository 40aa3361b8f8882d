//! The power fails at every instant of what the journal writes.
//!
//! A journal lives on a [simulated card](hal::sim::disk): sales, acknowledgements, commands, removals, restarts. Then the card is
//! rebuilt as it would be found at every instant of that life, with what was not safe kept, lost, torn and out of order; the
//! real journal opens it, and must be what it promised. No file system is touched.
//!
//! | file | subject |
//! |---|---|
//! | [`sales`] | what terminals record |
//! | [`life`] | a journal in use: what was asked and promised, and when |
//! | [`fates`] | what becomes of what was not safe |
//! | [`cut`] | one cut, and what must hold after it |

pub mod cut;
pub mod fates;
pub mod life;
pub mod sales;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::thread;

use anyhow::{Context, anyhow};
use hal::sim::disk::Replay;

use crate::dice::Dice;
use cut::{Cut, Found, Seen, Story, Wrong};
use fates::Plan;
use life::{Kind, Life, Lives};

/// A cut's number is its life's number times this, plus its place in that life.
const CUTS_PER_LIFE_MAX: u64 = 1_000_000;
/// So much of the log is shown before the cut.
const OPS_SHOWN: usize = 30;

/// Which journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalKind {
    /// The one that ships.
    Real,
    /// With `synchronous=NORMAL`: it must be caught losing something.
    Weakened,
}

/// Which card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardKind {
    /// A sync is a sync.
    Honest,
    /// A sync does nothing: losses must be found.
    Lying,
}

/// What is to be tried.
#[derive(Debug, Clone)]
pub struct PowerOptions {
    /// Decides everything.
    pub seed: u64,
    /// How many power cuts, at least.
    pub cuts: u64,
    /// Threads that share them.
    pub threads: u64,
    /// The journal.
    pub journal: JournalKind,
    /// The card.
    pub card: CardKind,
    /// Whether one life in forty, by chance, has a journal of more than a thousand entries, of which old ones are removed. Slow without
    /// `--release`.
    pub large_journals: bool,
    /// Whether the first failure ends the run.
    pub stop_at_first: bool,
}

impl PowerOptions {
    /// The real journal on an honest card.
    #[must_use]
    pub const fn new(seed: u64, cuts: u64) -> Self {
        Self {
            seed,
            cuts,
            threads: 1,
            journal: JournalKind::Real,
            card: CardKind::Honest,
            large_journals: true,
            stop_at_first: false,
        }
    }
}

/// What was found. All but `lives`, `cuts` and `disks` must be zero.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PowerCard {
    /// Journals that lived, by their kind.
    pub lives: BTreeMap<Kind, u64>,
    /// Power cuts; one that is followed by a second counts once.
    pub cuts: u64,
    /// Different disks among what they left; each was opened at least once.
    pub disks: u64,
    /// The journal did not open.
    pub unopened: u64,
    /// It opened, and could not be read or went no further.
    pub stuck: u64,
    /// The chain or a derived table did not hold.
    pub chain_broken: u64,
    /// Something that was promised was missing.
    pub lost: u64,
    /// Something was there that was never asked for, or half of a batch.
    pub invented: u64,
    /// The number of the first cut that failed.
    pub first_failed: Option<u64>,
    /// What was wrong with it, and the command that shows it step by step.
    pub first_failure: Option<String>,
}

impl PowerCard {
    /// Whether nothing went wrong.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.unopened == 0 && self.stuck == 0 && self.chain_broken == 0 && self.lost == 0 && self.invented == 0
    }

    fn count(&mut self, options: &PowerOptions, number: u64, found: Found<()>) {
        self.cuts += 1;
        let Err((wrong, why)) = found else { return };
        match wrong {
            Wrong::Unopened => self.unopened += 1,
            Wrong::Stuck => self.stuck += 1,
            Wrong::Broken => self.chain_broken += 1,
            Wrong::Lost => self.lost += 1,
            Wrong::Invented => self.invented += 1,
        }
        if self.first_failed.is_none() {
            self.first_failed = Some(number);
            let seed = options.seed;
            self.first_failure = Some(format!(
                "{wrong:?}: {why}; replay: cargo run --release -p proof -- power --seed {seed} --cut {number}"
            ));
        }
    }

    /// Adds what another thread or another seed found.
    pub fn add(&mut self, other: Self) {
        for (kind, lives) in other.lives {
            *self.lives.entry(kind).or_default() += lives;
        }
        self.cuts += other.cuts;
        self.disks += other.disks;
        self.unopened += other.unopened;
        self.stuck += other.stuck;
        self.chain_broken += other.chain_broken;
        self.lost += other.lost;
        self.invented += other.invented;
        let earlier = match (self.first_failed, other.first_failed) {
            (Some(ours), Some(theirs)) => theirs < ours,
            (None, Some(_)) => true,
            (Some(_) | None, None) => false,
        };
        if earlier {
            (self.first_failed, self.first_failure) = (other.first_failed, other.first_failure);
        }
    }
}

/// Runs until there were enough cuts. The same options give the same card.
///
/// # Errors
///
/// When a journal refuses something while the power is on.
pub fn run(options: &PowerOptions) -> anyhow::Result<PowerCard> {
    let threads = options.threads.max(1);
    let workers: Vec<_> = (0..threads)
        .map(|worker| {
            let options = options.clone();
            let cuts = options.cuts.div_ceil(threads);
            thread::spawn(move || work(&options, worker, cuts))
        })
        .collect();
    let mut card = PowerCard::default();
    for worker in workers {
        card.add(worker.join().map_err(|_| anyhow!("a worker ended by a panic"))??);
    }
    Ok(card)
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().build().context("a runtime")
}

/// Every so many-th life, until there were `cuts` cuts.
fn work(options: &PowerOptions, first: u64, cuts: u64) -> anyhow::Result<PowerCard> {
    let runtime = runtime()?;
    let lives = Lives { options, runtime: &runtime };
    let mut card = PowerCard::default();
    let step = usize::try_from(options.threads.max(1))?;
    for number in (first..).step_by(step) {
        let life = lives.live(number).with_context(|| format!("life {number} of seed {}", options.seed))?;
        *card.lives.entry(life.kind).or_default() += 1;
        let mut cutting = Cutting::of(options, number, &life);
        let mut seen = Seen::default();
        while let Some((cut, replay)) = cutting.next() {
            let before = seen.disks();
            let found = cut.perform(&lives, &life, replay, &mut seen, &mut Story::default());
            card.disks += seen.disks() - before;
            card.count(options, number * CUTS_PER_LIFE_MAX + cutting.place - 1, found);
            if card.cuts >= cuts || (options.stop_at_first && !card.is_clean()) {
                return Ok(card);
            }
        }
    }
    Ok(card)
}

/// All cuts of one life, one after the other.
struct Cutting {
    replay: Replay,
    plans: &'static [Plan],
    next_plan: usize,
    /// How many cuts there were.
    place: u64,
    stride: usize,
    seed: u64,
}

impl Cutting {
    fn of(options: &PowerOptions, number: u64, life: &Life) -> Self {
        let seed = Dice::new(options.seed.rotate_left(17) ^ number).roll(u64::MAX);
        Self { replay: life.card.replay(), plans: Plan::all(0), next_plan: 0, place: 0, stride: life.stride, seed }
    }

    fn next(&mut self) -> Option<(Cut, &Replay)> {
        while self.next_plan == self.plans.len() {
            for _ in 0..self.stride {
                self.replay.step()?;
            }
            (self.plans, self.next_plan) = (Plan::all(self.replay.pending()), 0);
        }
        let plan = self.plans[self.next_plan];
        self.next_plan += 1;
        self.place += 1;
        Some((Cut { plan, seed: self.seed ^ self.place.wrapping_mul(0xD134_2543_DE82_EF95) }, &self.replay))
    }
}

/// Performs the cut with this number again and tells it step by step.
///
/// # Errors
///
/// When there is no such cut.
pub fn replay(options: &PowerOptions, cut: u64) -> anyhow::Result<String> {
    let runtime = runtime()?;
    let lives = Lives { options, runtime: &runtime };
    let (number, place) = (cut / CUTS_PER_LIFE_MAX, cut % CUTS_PER_LIFE_MAX);
    let life = lives.live(number)?;
    let mut cutting = Cutting::of(options, number, &life);
    for _ in 0..place {
        cutting.next().with_context(|| format!("life {number} has fewer cuts than {place}"))?;
    }
    let (cut, replay) = cutting.next().with_context(|| format!("life {number} has fewer cuts than {place}"))?;
    let mut story = Story(Some(before(&life, replay.instant())));
    let found = cut.perform(&lives, &life, replay, &mut Seen::default(), &mut story);
    story.tell(|| match found {
        Ok(()) => "nothing is wrong".to_owned(),
        Err((wrong, why)) => format!("WRONG: {wrong:?}: {why}"),
    });
    let mut told = format!("life {number} of seed {}, cut {place}\n", options.seed);
    for line in story.0.unwrap_or_default() {
        writeln!(told, "{line}")?;
    }
    Ok(told)
}

/// What was asked of the journal and of the card before the instant.
fn before(life: &Life, instant: usize) -> Vec<String> {
    let asked = life.requests.iter().enumerate().filter(|(_, request)| request.sent < instant);
    let mut lines: Vec<String> = asked
        .map(|(number, request)| {
            let promised = if request.promised <= instant { "promised" } else { "not yet promised" };
            format!(
                "request {}: {}, instants {} to {}, {promised}",
                number + 1,
                request.what,
                request.sent,
                request.promised
            )
        })
        .collect();
    let log = life.card.log();
    let shown = instant.saturating_sub(OPS_SHOWN)..instant.min(log.len());
    lines.extend(shown.map(|place| format!("  {place:>5} {}", log[place])));
    lines
}
