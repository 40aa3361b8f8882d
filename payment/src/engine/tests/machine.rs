//! A model of the machine: slots with one motor each, perhaps jammed, and perhaps a counter of what fell.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::effect::{JobId, Vend, VendWhat};
use crate::engine::entry::{SlotId, VendResult};
use crate::ids::OrderId;

/// How long a motor turns until something falls.
pub const FALL_MS: u64 = 1_500;

/// A motor's run: for which item of which order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Run {
    pub order: OrderId,
    pub item: usize,
    pub slot: SlotId,
}

#[derive(Debug)]
pub struct Machine {
    /// What the drop sensor counted, for a machine that has one.
    pub counter: Option<u64>,
    pub jammed: BTreeSet<SlotId>,
    pub ready: bool,
    /// Runs that the journal permits and that were not begun.
    permitted: Vec<Run>,
    turning: BTreeMap<JobId, Run>,
    /// Inspections that wait for the machine.
    pub waiting: Vec<Vend>,
    pub begun: Vec<Run>,
    pub fallen: BTreeSet<(OrderId, usize)>,
}

impl Machine {
    pub fn new(counter: Option<u64>) -> Self {
        Self {
            counter,
            jammed: BTreeSet::new(),
            ready: true,
            permitted: Vec::new(),
            turning: BTreeMap::new(),
            waiting: Vec::new(),
            begun: Vec::new(),
            fallen: BTreeSet::new(),
        }
    }

    /// A `VendStarted` is durable: one motor may turn once.
    pub fn permit(&mut self, run: Run) {
        assert!(!self.begun.contains(&run), "{run:?} was started before");
        self.permitted.push(run);
    }

    /// A `VendEnded` is durable: a motor that has not turned for it never does.
    pub fn forbid(&mut self, order: OrderId, item: usize) {
        self.permitted.retain(|run| (run.order, run.item) != (order, item));
    }

    /// A motor is told to turn; `false` when the machine is not there.
    pub fn dispense(&mut self, job: JobId, slot: &SlotId) -> bool {
        let place = self.permitted.iter().position(|run| run.slot == *slot);
        let run = self.permitted.remove(place.expect("a motor turns only for a VendStarted of this run of the daemon"));
        if self.ready {
            assert!(self.turning.is_empty(), "one motor at a time: {:?}", self.turning);
            self.begun.push(run.clone());
            self.turning.insert(job, run);
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
        assert!(self.fallen.insert((run.order, run.item)), "{run:?} fell twice");
        self.counter = self.counter.map(|count| count + 1);
        VendResult::Dropped
    }

    /// What the counter says about a run before a restart.
    pub fn inspect(&self, what: VendWhat) -> VendResult {
        let VendWhat::Inspect { drops_before } = what else {
            return VendResult::Unknown;
        };
        match (self.counter, drops_before) {
            (Some(count), Some(before)) if count > before => VendResult::Dropped,
            (Some(_), Some(_)) => VendResult::NotDropped,
            (None, _) | (_, None) => VendResult::Unknown,
        }
    }

    /// The daemon died: what it permitted is void. With the power gone the motors stand still as well.
    pub fn daemon_died(&mut self, power_gone: bool) {
        self.permitted.clear();
        self.waiting.clear();
        self.ready = false;
        let turning = std::mem::take(&mut self.turning);
        if !power_gone {
            for (job, run) in turning {
                self.turning.insert(job, run);
                let _result = self.finish(job);
            }
        }
    }
}
