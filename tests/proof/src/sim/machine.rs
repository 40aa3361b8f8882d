//! A model of the machine: slots with one motor each, perhaps jammed, and perhaps a counter of what fell.

use std::collections::{BTreeMap, BTreeSet};

use payment::engine::effect::{JobId, Vend, VendWhat};
use payment::engine::entry::{SlotId, VendResult};
use payment::ids::OrderId;

use super::verdict::must;

/// How long a motor turns until something falls.
pub const FALL_MS: u64 = 1_500;

/// A motor's run: for which item of which order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Run {
    /// The order.
    pub order: OrderId,
    /// Which of its items, from 0.
    pub item: usize,
    /// The slot.
    pub slot: SlotId,
}

/// The machine.
#[derive(Debug)]
pub struct Machine {
    /// What the drop sensor counted, for a machine that has one.
    pub counter: Option<u64>,
    /// Slots from which nothing falls.
    pub jammed: BTreeSet<SlotId>,
    /// Whether it is plugged in and has reported.
    pub ready: bool,
    /// Runs that the journal permits and that were not begun.
    permitted: Vec<Run>,
    turning: BTreeMap<JobId, Run>,
    /// Inspections that wait for the machine.
    pub waiting: Vec<Vend>,
    begun: BTreeSet<Run>,
    /// What fell.
    pub fallen: BTreeSet<(OrderId, usize)>,
}

impl Machine {
    /// A machine with this counter.
    #[must_use]
    pub fn new(counter: Option<u64>) -> Self {
        Self {
            counter,
            jammed: BTreeSet::new(),
            ready: true,
            permitted: Vec::new(),
            turning: BTreeMap::new(),
            waiting: Vec::new(),
            begun: BTreeSet::new(),
            fallen: BTreeSet::new(),
        }
    }

    /// A `VendStarted` is durable: one motor may turn once.
    pub fn permit(&mut self, run: Run) {
        must!(!self.begun.contains(&run), Doubled, "{run:?} is written as started, and it turned before");
        self.permitted.push(run);
    }

    /// A `VendEnded` is durable: a motor that has not turned for it never does.
    pub fn forbid(&mut self, order: OrderId, item: usize) {
        self.permitted.retain(|run| (run.order, run.item) != (order, item));
    }

    /// The run that a motor of this slot may make now.
    #[must_use]
    pub fn permitted(&self, slot: &SlotId) -> Option<&Run> {
        self.permitted.iter().find(|run| run.slot == *slot)
    }

    /// A motor is told to turn; `false` when the machine is not there.
    pub fn dispense(&mut self, job: JobId, run: &Run) -> bool {
        self.permitted.retain(|permitted| permitted != run);
        if self.ready {
            must!(self.turning.is_empty(), Broken, "one motor at a time: {:?} turns", self.turning);
            must!(self.begun.insert(run.clone()), Doubled, "{run:?} turns again");
            self.turning.insert(job, run.clone());
        }
        self.ready
    }

    /// The motor of `job` is done.
    pub fn finish(&mut self, job: JobId) -> VendResult {
        let Some(run) = self.turning.remove(&job) else {
            return VendResult::Unknown;
        };
        if self.jammed.contains(&run.slot) {
            return VendResult::NotDropped;
        }
        must!(self.fallen.insert((run.order, run.item)), Doubled, "{run:?} fell twice");
        self.counter = self.counter.map(|count| count + 1);
        VendResult::Dropped
    }

    /// What the counter says about a run before a restart.
    #[must_use]
    pub const fn inspect(&self, what: VendWhat) -> VendResult {
        let VendWhat::Inspect { drops_before } = what else {
            return VendResult::Unknown;
        };
        match (self.counter, drops_before) {
            (Some(count), Some(before)) if count > before => VendResult::Dropped,
            (Some(_), Some(_)) => VendResult::NotDropped,
            (None, _) | (_, None) => VendResult::Unknown,
        }
    }

    /// The daemon died: what it permitted is void. With the power gone the motors stand still as well; without, they
    /// finish.
    pub fn daemon_died(&mut self, power_gone: bool) {
        self.permitted.clear();
        self.waiting.clear();
        self.ready = false;
        let turning: Vec<JobId> = self.turning.keys().copied().collect();
        for job in turning {
            if power_gone {
                self.turning.remove(&job);
            } else {
                let _nobody_hears = self.finish(job);
            }
        }
    }
}
