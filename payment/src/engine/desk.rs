//! All that an order may touch while it handles an event: the time, the settings, its own record, and the way out.

use super::effect::{Call, CallId, Effect, JobId, Queue, Record, Vend, VendWhat};
use super::entry::{Entry, OrderState, SlotId};
use super::faults::Faults;
use super::purse::Purse;
use super::record::OrderRecord;
use super::settings::{Pace, Settings};
use super::slots::{SlotNews, Slots};
use crate::channel::{ChannelId, Request};
use crate::ids::{AttemptId, IdMint, OrderId, RefundId};
use crate::time::{Mono, Now};

/// What all orders share.
pub(crate) struct Office<'a> {
    pub now: Now,
    pub settings: &'a Settings,
    pub faults: &'a mut Faults,
    pub queue: &'a mut Queue,
    pub mint: &'a mut IdMint,
    pub numbers: &'a mut Numbers,
    /// The machine's drop counter, as last told.
    pub drops: Option<u64>,
    /// What was spent of the operator's codes.
    pub purse: &'a mut Purse,
    /// What is known of the machine's slots.
    pub slots: &'a mut Slots,
}

/// Numbers of calls and jobs within this run.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    calls: u64,
    jobs: u64,
}

impl Numbers {
    pub(crate) fn call(&mut self) -> CallId {
        self.calls += 1;
        CallId(self.calls)
    }

    pub(crate) fn job(&mut self) -> JobId {
        self.jobs += 1;
        JobId(self.jobs)
    }
}

/// One order's desk.
pub(crate) struct Desk<'a, 'b> {
    pub office: &'a mut Office<'b>,
    pub record: &'a mut OrderRecord,
}

impl Desk<'_, '_> {
    pub(crate) const fn now(&self) -> Mono {
        self.office.now.mono
    }

    pub(crate) const fn pace(&self) -> &Pace {
        &self.office.settings.pace
    }

    pub(crate) fn pace_of(&self, channel: ChannelId) -> &Pace {
        self.office.settings.pace_of(channel)
    }

    pub(crate) const fn order(&self) -> OrderId {
        self.record.order
    }

    pub(crate) fn new_attempt(&mut self) -> AttemptId {
        self.office.mint.attempt()
    }

    pub(crate) fn new_refund(&mut self) -> RefundId {
        self.office.mint.refund()
    }

    /// Adds a fact to the order and sends it to the journal.
    pub(crate) fn note(&mut self, entry: Entry) {
        self.note_with(entry, Vec::new());
    }

    /// The same with what it means for slots, to be kept in the same transaction.
    pub(crate) fn note_with(&mut self, entry: Entry, slots: Vec<(SlotId, SlotNews)>) {
        let at = self.office.now.wall;
        self.record.apply(&entry, at);
        let state = self.record.state();
        self.office.queue.record(Record { at, entry, state, slots });
    }

    pub(crate) fn advance_state(&mut self, state: OrderState) {
        self.record.advance_state(state);
    }

    pub(crate) fn call(&mut self, channel: ChannelId, request: Request) -> CallId {
        let id = self.office.numbers.call();
        self.office.queue.push(Effect::Call(Call { id, channel, request }));
        id
    }

    /// Whether this call still waits for the journal: then it cannot be lost.
    pub(crate) fn holds(&self, call: CallId) -> bool {
        self.office.queue.holds(call)
    }

    /// Takes a call back that has not left; `false` when it has.
    pub(crate) fn withdraw(&mut self, call: CallId) -> bool {
        self.office.queue.withdraw(call)
    }

    pub(crate) fn vend(&mut self, slot: SlotId, what: VendWhat) -> JobId {
        let job = self.office.numbers.job();
        self.office.queue.push(Effect::Vend(Vend { job, slot, what }));
        job
    }

    pub(crate) fn refused_setup(&mut self, channel: ChannelId) {
        let Office { faults, now, settings, .. } = self.office;
        faults.refused_setup(channel, now.mono, &settings.pace);
    }
}
