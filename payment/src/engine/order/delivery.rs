//! Delivering what is paid: one item at a time, one motor run for one entry, and only while the buyer is there.

use super::{Job, Order};
use crate::engine::desk::{Desk, Office};
use crate::engine::effect::{JobId, VendWhat};
use crate::engine::entry::{Entry, SlotId, VendResult};
use crate::engine::faults::Fault;
use crate::engine::mutant::{Mutant, is_planted};
use crate::engine::record::VendRecord;
use crate::engine::slots::SlotNews;
use crate::money::Fen;

impl Order {
    pub(crate) fn is_delivering(&self) -> bool {
        self.job.is_some() || (self.deliver && self.next_item().is_some())
    }

    /// Whether the machine's answer to this job is awaited.
    pub(crate) fn is_waiting_for(&self, job: JobId) -> bool {
        self.job.is_some_and(|running| running.id == job)
    }

    pub(crate) fn on_vended(&mut self, office: &mut Office, job: JobId, result: VendResult, taken: Option<Fen>) {
        let Some(job) = self.job.take_if(|running| running.id == job || is_planted(Mutant::AnyJobsAnswer)) else {
            return;
        };
        let slots = self.slot_news(office, job, result);
        let mut desk = Desk { office, record: &mut self.record };
        let order = desk.order();
        desk.note_with(Entry::VendEnded { order, item: job.item, result, taken }, slots);
        self.settle(office);
    }

    /// What the end of a vend means for its slot. Where nobody knows whether it fell, or after a restart whether the motor
    /// turned at all, nothing is known of the slot either: the fault was elsewhere.
    fn slot_news(&self, office: &mut Office, job: Job, result: VendResult) -> Vec<(SlotId, SlotNews)> {
        let Some(slot) = self.record.items.get(job.item).and_then(|item| item.item.slot.clone()) else {
            return Vec::new();
        };
        let news = match (result, job.turns) {
            (VendResult::Dropped, _) => SlotNews::Dropped,
            (VendResult::NotDropped, true) => office.slots.failure(&slot, office.settings.lock_slot_after),
            (VendResult::NotDropped, false) | (VendResult::Unknown, _) => return Vec::new(),
        };
        office.slots.take_in(&slot, news);
        if office.slots.count(&slot).locked {
            office.faults.raise(Fault::Slot(slot.clone()));
        }
        vec![(slot, news)]
    }

    /// The journal kept a motor waiting for too long: it does not turn, and the money goes back.
    pub(super) fn on_start_by(&mut self, office: &mut Office) {
        let due = |job: &&mut Job| job.start_by.is_some_and(|at| at <= office.now.mono);
        let Some(job) = self.job.as_mut().filter(due) else {
            return;
        };
        job.start_by = None;
        let job = *job;
        if office.queue.withdraw_vend(job.id) {
            self.job = None;
            self.deliver = false;
            let mut desk = Desk { office, record: &mut self.record };
            let order = desk.order();
            desk.note(Entry::VendEnded { order, item: job.item, result: VendResult::NotDropped, taken: None });
        }
    }

    /// The next item that a motor has to deliver, its slot and its price.
    pub(super) fn next_item(&self) -> Option<(usize, SlotId, Fen)> {
        let waiting = self.record.items.iter().enumerate().filter(|(_, item)| item.vend == VendRecord::Waiting);
        waiting.filter_map(|(index, item)| Some((index, item.item.slot.clone()?, item.item.price))).next()
    }

    /// Whether the next item's motor may be started.
    pub(super) fn has_goods_waiting(&self) -> bool {
        self.deliver && self.job.is_none() && self.next_item().is_some()
    }

    /// Whether delivery waits for the machine. One that does not come back in time does not deliver.
    pub(super) fn waits_for_machine(&mut self, office: &Office) -> bool {
        let now = office.now.mono;
        if !office.faults.has(&Fault::Machine) {
            self.machine_by = None;
            return false;
        }
        let until = *self.machine_by.get_or_insert(now.plus(office.settings.pace.release_ms));
        if until <= now {
            self.machine_by = None;
            self.deliver = false;
        }
        true
    }

    /// One item at a time; a slot that cannot deliver is not asked to.
    pub(super) fn deliver_next(&mut self, office: &mut Office) {
        if !self.has_goods_waiting() {
            self.machine_by = None;
            return;
        }
        if self.waits_for_machine(office) {
            return;
        }
        while self.deliver
            && self.job.is_none()
            && let Some((item, slot, price)) = self.next_item()
        {
            let broken = office.faults.has(&Fault::Slot(slot.clone()));
            let drops_before = office.drops;
            let mut desk = Desk { office, record: &mut self.record };
            let order = desk.order();
            if broken {
                let result = VendResult::NotDropped;
                desk.note(Entry::VendEnded { order, item, result, taken: None });
            } else {
                desk.note(Entry::VendStarted { order, item, slot: slot.clone(), drops_before });
                let start_by = Some(desk.now().plus(desk.pace().resume_ms));
                let id = desk.vend(slot, VendWhat::Dispense { price });
                self.job = Some(Job { id, item, turns: true, start_by });
            }
        }
    }

    /// The item that is being delivered, from 0.
    pub(crate) fn delivering_item(&self) -> Option<usize> {
        self.job.map(|job| job.item)
    }
}
