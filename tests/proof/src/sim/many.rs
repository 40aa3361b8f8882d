//! Many lives on a few threads, and the card of what became of them.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use super::errors;
use super::failures::listed;
use super::life::{Lived, live};
use super::log::Log;
use super::tally::Tally;
use super::verdict::Wrong;

/// So many failures are kept; more tell nothing new.
const FAILURES_MAX: usize = 20;

/// What to simulate.
#[derive(Debug, Clone)]
pub struct SimOptions {
    /// The first seed; the others follow it.
    pub first_seed: u64,
    /// At least so many orders, unless the time is over before.
    pub orders: u64,
    /// So many lives at once.
    pub threads: usize,
    /// No life begins after this.
    pub limit: Option<Duration>,
}

/// A life that broke a promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its seed.
    pub seed: u64,
    /// What happened.
    pub message: String,
}

impl Failure {
    /// The command that lives it again.
    #[must_use]
    pub fn command(&self) -> String {
        format!("cargo run --release -p proof -- sim --seed {}", self.seed)
    }
}

/// What became of many lives.
#[derive(Debug, Clone, Default)]
pub struct SimCard {
    /// The seeds.
    pub seeds: Range<u64>,
    /// Orders that were opened.
    pub orders: u64,
    /// Events of all lives.
    pub events: u64,
    /// What was done to the terminals, by kind.
    pub faults: Tally,
    /// Deaths of processes.
    pub crashes: u64,
    /// Lives in which somebody paid too much.
    pub lost: u64,
    /// Lives in which somebody had something twice or without paying.
    pub doubled: u64,
    /// Lives in which something never came to rest.
    pub stuck: u64,
    /// Lives in which another promise was broken before it cost anything, or an ERROR was logged.
    pub broken: u64,
    /// The codes that the channels said, as [`Interface::name`](super::failures::Interface::name) has them.
    pub said: BTreeSet<String>,
    /// Every life that broke a promise, the first ones.
    pub failures: Vec<Failure>,
}

impl SimCard {
    /// One more life, and the errors that were logged meanwhile.
    pub(super) fn add(&mut self, seed: u64, lived: Lived, errors: &[String]) {
        let broke = lived.broke(errors);
        // A life counts once, as what ended it.
        if let Some((wrong, _)) = broke.first() {
            self.count(*wrong);
        }
        broke.into_iter().for_each(|(_, what)| self.fail(seed, what));
        self.orders += lived.orders;
        self.events += lived.events;
        self.crashes += lived.tally.of("process killed") + lived.tally.of("power cut");
        self.faults.add_all(&lived.tally);
        self.said.extend(lived.said);
    }

    const fn count(&mut self, wrong: Wrong) {
        match wrong {
            Wrong::Lost => self.lost += 1,
            Wrong::Doubled => self.doubled += 1,
            Wrong::Stuck => self.stuck += 1,
            Wrong::Broken => self.broken += 1,
        }
    }

    /// How many rows of the channels' tables were said, of how many, and how many codes that the method does not list.
    #[must_use]
    pub fn codes_said(&self) -> (usize, usize, usize) {
        let said = listed().filter(|row| self.said.contains(row)).count();
        (said, listed().count(), self.said.len() - said)
    }

    /// The simulator itself cannot tell whether something held.
    fn is_blind(&mut self, seed: u64, why: &str) {
        self.count(Wrong::Broken);
        self.fail(seed, why.to_owned());
    }

    fn fail(&mut self, seed: u64, message: String) {
        if self.failures.len() < FAILURES_MAX {
            self.failures.push(Failure { seed, message });
        }
    }

    /// Adds what other lives found; the seeds stay those of this one.
    pub fn add_all(&mut self, other: Self) {
        self.orders += other.orders;
        self.events += other.events;
        self.crashes += other.crashes;
        self.faults.add_all(&other.faults);
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.stuck += other.stuck;
        self.broken += other.broken;
        self.said.extend(other.said);
        let room = FAILURES_MAX - self.failures.len().min(FAILURES_MAX);
        self.failures.extend(other.failures.into_iter().take(room));
    }
}

impl fmt::Display for SimCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seeds {} to {}", self.seeds.start, self.seeds.end.saturating_sub(1))?;
        writeln!(f, "{} orders, {} events, {} deaths", self.orders, self.events, self.crashes)?;
        writeln!(f, "{} faults:", self.faults.sum())?;
        for (kind, count) in self.faults.iter() {
            writeln!(f, "  {count:>10}  {kind}")?;
        }
        let (said, rows, unlisted) = self.codes_said();
        writeln!(
            f,
            "{said} of the {rows} codes of the channels' methods were said, and {unlisted} that are not listed"
        )?;
        let Self { lost, doubled, stuck, broken, .. } = self;
        write!(f, "lost {lost}, doubled {doubled}, stuck {stuck}, broken {broken}, failures {}", self.failures.len())?;
        for failure in &self.failures {
            let message: String = failure.message.chars().take(600).collect();
            write!(f, "\nseed {}: {message}\n    {}", failure.seed, failure.command())?;
        }
        Ok(())
    }
}

/// The seeds that are still to be lived.
struct Plan {
    next: AtomicU64,
    orders: AtomicU64,
    wanted: u64,
    until: Option<std::time::Instant>,
}

impl Plan {
    fn next_seed(&self) -> Option<u64> {
        let over = self.orders.load(Ordering::Relaxed) >= self.wanted || self.is_late();
        (!over).then(|| self.next.fetch_add(1, Ordering::Relaxed))
    }

    fn is_late(&self) -> bool {
        self.until.is_some_and(|until| now() >= until)
    }
}

#[expect(clippy::disallowed_methods, reason = "how long the proof itself may run; nothing in a life sees it")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

/// Lives until there were enough orders.
#[must_use]
pub fn run(options: &SimOptions) -> SimCard {
    let mut card = SimCard::default();
    if !errors::listen() {
        card.is_blind(options.first_seed, errors::DEAF);
    }
    let plan = Plan {
        next: AtomicU64::new(options.first_seed),
        orders: AtomicU64::new(0),
        wanted: options.orders,
        until: options.limit.map(|limit| now() + limit),
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..options.threads.max(1)).map(|_| scope.spawn(|| live_on(&plan))).collect();
        for thread in threads {
            match thread.join() {
                Ok(part) => card.add_all(part),
                Err(_) => card.is_blind(options.first_seed, "a thread of the simulator ended by a panic"),
            }
        }
    });
    card.failures.sort_by_key(|failure| failure.seed);
    card.seeds = options.first_seed..plan.next.into_inner();
    card
}

fn live_on(plan: &Plan) -> SimCard {
    let mut card = SimCard::default();
    while let Some(seed) = plan.next_seed() {
        let lived = live(seed, Log::counted());
        plan.orders.fetch_add(lived.orders, Ordering::Relaxed);
        card.add(seed, lived, &errors::take());
    }
    card
}
