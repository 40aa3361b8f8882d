//! One open order: its record, its attempts, its delivery and its refunds.
//!
//! Every event ends in [`Order::settle`], which looks at the facts and does what is due: undo what lost, deliver what
//! is paid, return what was not delivered, close what is over.

use std::collections::BTreeMap;

use super::attempt::refund::Refund;
use super::attempt::show_code::ShowCode;
use super::attempt::take_code::TakeCode;
use super::attempt::{Attempt, News, Subject};
use super::desk::{Desk, Office};
use super::effect::{CallId, JobId, VendWhat};
use super::entry::{
    CancelledBy, Ending, Entry, IdempotencyKey, Method, RefundReason, ReverseReason, SlotId, VendResult,
};
use super::faults::Fault;
use super::offer::offer;
use super::record::{AttemptEnd, OrderRecord, VendRecord};
use super::view::PayTrouble;
use crate::channel::outcome::{Refusal, Why};
use crate::channel::{Answer, ChannelId};
use crate::ids::{AttemptId, RefundId};
use crate::money::Fen;
use crate::redact::PayCode;
use crate::time::{Mono, Wall};

/// An open order.
#[derive(Debug)]
pub(crate) struct Order {
    pub record: OrderRecord,
    attempts: BTreeMap<AttemptId, Attempt>,
    refunds: BTreeMap<RefundId, Refund>,
    /// The buyer is at the machine: only then are goods delivered.
    pub attended: bool,
    /// When the time to pay is over; `None` once nobody may pay.
    pay_until: Option<Mono>,
    grace_given: bool,
    /// Goods may be delivered for the payment that came.
    deliver: bool,
    job: Option<Job>,
    /// Until then a machine that is not there is waited for: after a start it reports a little later than we do.
    machine_by: Option<Mono>,
    pub trouble: Option<PayTrouble>,
}

/// What the machine does for an order.
#[derive(Debug, Clone, Copy)]
struct Job {
    id: JobId,
    item: usize,
    /// A motor turns; if not, the machine's counter is looked at.
    turns: bool,
    /// A motor that waits for the journal until then does not turn any more: nobody stands there.
    start_by: Option<Mono>,
}

impl Order {
    /// A new order. It is in the journal before anything else of it leaves the terminal.
    pub(crate) fn open(office: &mut Office, entry: Entry, pay_within_ms: u64) -> Option<Self> {
        let mut record = OrderRecord::opened(&entry, office.now.wall)?;
        let pay_until = office.now.mono.plus(pay_within_ms);
        Desk { office, record: &mut record }.note(entry);
        let mut order = Self::idle(record);
        order.attended = true;
        order.pay_until = Some(pay_until);
        order.offer_code(office);
        Some(order)
    }

    /// Takes up an order that was open when the daemon stopped, or that gets a refund after it was closed.
    pub(crate) fn restore(office: &mut Office, record: OrderRecord) -> Self {
        let mut order = Self::idle(record);
        let waits = !order.record.is_delivered() && !order.record.is_given_back();
        order.attended = waits && order.is_recent(office);
        let in_time = order.record.paid_in_time || order.record.is_begun();
        order.deliver = order.attended && in_time && !order.record.is_given_back();
        order.restore_attempts(office);
        order.restore_vend(office);
        order.restore_refunds(office);
        if !order.attended {
            order.cancel(office, CancelledBy::Restart);
        }
        if order.has_goods_waiting() {
            order.machine_by = Some(office.now.mono.plus(office.settings.pace.release_ms));
        } else {
            order.settle(office);
        }
        order
    }

    fn idle(record: OrderRecord) -> Self {
        Self {
            record,
            attempts: BTreeMap::new(),
            refunds: BTreeMap::new(),
            attended: false,
            pay_until: None,
            grace_given: false,
            deliver: false,
            job: None,
            machine_by: None,
            trouble: None,
        }
    }

    /// Whether the buyer may still stand there after a restart: judged by the wall clock, and only by a trusted one.
    fn is_recent(&self, office: &Office) -> bool {
        let paid_at = self.record.winner().and_then(|winner| match winner.end {
            Some(AttemptEnd::Paid { noted_at, .. }) => Some(noted_at),
            Some(AttemptEnd::NotPaid { .. }) | None => None,
        });
        let pace = &office.settings.pace;
        match paid_at {
            Some(at) => is_younger(at, office.now.wall, pace.resume_ms),
            None => {
                let limit = self.record.pay_within_ms.saturating_add(pace.resume_ms);
                self.record.cancelled.is_none() && is_younger(self.record.opened_at, office.now.wall, limit)
            }
        }
    }

    fn restore_attempts(&mut self, office: &mut Office) {
        let open: Vec<_> = self.record.attempts.iter().filter(|known| known.end.is_none()).cloned().collect();
        for known in open {
            let subject =
                Subject { attempt: known.attempt, channel: known.channel, method: known.method, amount: known.amount };
            let mut desk = Desk { office, record: &mut self.record };
            let attempt = Attempt::restore(&mut desk, subject, known.reversing);
            self.attempts.insert(known.attempt, attempt);
        }
    }

    /// A motor that was to turn is never turned again: the machine is only asked whether something fell.
    fn restore_vend(&mut self, office: &mut Office) {
        let started = self.record.items.iter().enumerate().find_map(|(index, item)| match item.vend {
            VendRecord::Started { drops_before } => Some((index, item.item.slot.clone()?, drops_before)),
            VendRecord::Waiting | VendRecord::Ended(_) => None,
        });
        if let Some((index, slot, drops_before)) = started {
            let mut desk = Desk { office, record: &mut self.record };
            let id = desk.vend(slot, VendWhat::Inspect { drops_before });
            self.job = Some(Job { id, item: index, turns: false, start_by: None });
        }
    }

    fn restore_refunds(&mut self, office: &mut Office) {
        let open: Vec<_> = self.record.refunds.iter().filter(|known| !known.done).cloned().collect();
        for known in open {
            let Some(channel) = self.record.attempt(known.attempt).map(|attempt| attempt.channel) else {
                continue;
            };
            let mut desk = Desk { office, record: &mut self.record };
            self.refunds.insert(known.refund, Refund::restore(&mut desk, channel, &known));
        }
    }

    // ---- what the buyer and the API ask ----

    /// Starts to show a code, if this order may and a channel can.
    fn offer_code(&mut self, office: &mut Office) {
        let channel = office.faults.usable(&office.settings.channels);
        let Some(channel) = channel.filter(|_| self.record.who_scans.shows_code()) else {
            return;
        };
        let mut desk = Desk { office, record: &mut self.record };
        let (subject, offer) = offer(&mut desk, channel, Method::ShowCode);
        let (phase, request) = ShowCode::enter(&desk, offer);
        let attempt = Attempt::start(&mut desk, subject, phase, request);
        self.attempts.insert(attempt.subject.attempt, attempt);
    }

    /// Pays with the buyer's code.
    pub(crate) fn take_code(&mut self, office: &mut Office, channel: ChannelId, code: PayCode) -> AttemptId {
        self.trouble = None;
        let mut desk = Desk { office, record: &mut self.record };
        let (subject, offer) = offer(&mut desk, channel, Method::TakeCode);
        let (phase, request) = TakeCode::enter(&desk, offer, code);
        let attempt = Attempt::start(&mut desk, subject, phase, request);
        self.attempts.insert(subject.attempt, attempt);
        subject.attempt
    }

    /// Whether a pay code may be taken now: the order waits, and no other code is being tried.
    pub(crate) fn wants_code(&self) -> bool {
        let trying = self.attempts.values().any(|attempt| attempt.subject.method == Method::TakeCode);
        self.record.who_scans.takes_code() && self.is_payable() && !trying
    }

    pub(crate) fn is_payable(&self) -> bool {
        self.record.cancelled.is_none() && self.record.winner().is_none() && self.pay_until.is_some()
    }

    /// Nobody may pay any more. Payments that are already on their way still win.
    pub(crate) fn cancel(&mut self, office: &mut Office, by: CancelledBy) {
        if self.record.cancelled.is_some() || self.record.winner().is_some() {
            return;
        }
        self.pay_until = None;
        let mut desk = Desk { office, record: &mut self.record };
        let order = desk.order();
        desk.note(Entry::OrderCancelled { order, by });
        self.settle(office);
    }

    /// What can still be returned of the payment that bought the order.
    pub(crate) fn returnable(&self) -> Fen {
        let winner = self.record.winner();
        winner.map_or(Fen::ZERO, |winner| winner.amount.less(self.record.returned_of(winner.attempt)))
    }

    pub(crate) fn is_delivering(&self) -> bool {
        self.job.is_some() || (self.deliver && self.next_item().is_some())
    }

    /// Returns money on somebody's word.
    pub(crate) fn refund(
        &mut self,
        office: &mut Office,
        amount: Fen,
        idempotency: Option<IdempotencyKey>,
    ) -> Option<RefundId> {
        let attempt = self.record.winner()?.attempt;
        self.start_refund(office, attempt, amount, RefundReason::Operator, idempotency)
    }

    // ---- events ----

    /// The channel of this call, when it is one that is waited for here.
    pub(crate) fn channel_of(&self, call: CallId) -> Option<ChannelId> {
        let attempt = self.attempts.values().find(|attempt| attempt.awaits(call));
        let refund = || self.refunds.values().find(|refund| refund.awaits(call)).map(Refund::channel);
        attempt.map(|attempt| attempt.subject.channel).or_else(refund)
    }

    pub(crate) fn on_answer(&mut self, office: &mut Office, call: CallId, answer: &Answer) {
        let attempt = self.attempts.values().find(|attempt| attempt.awaits(call));
        if let Some(id) = attempt.map(|attempt| attempt.subject.attempt) {
            self.with_attempt(office, id, |attempt, desk| attempt.on_answer(desk, call, answer));
        }
        let refund = self.refunds.values().find(|refund| refund.awaits(call)).map(Refund::refund);
        if let Some(id) = refund {
            self.on_refund_answer(office, id, answer);
        }
        self.settle(office);
    }

    fn on_refund_answer(&mut self, office: &mut Office, id: RefundId, answer: &Answer) {
        let mut desk = Desk { office, record: &mut self.record };
        let done = self.refunds.get_mut(&id).is_some_and(|refund| refund.on_answer(&mut desk, answer));
        if done {
            self.refunds.remove(&id);
        }
    }

    pub(crate) fn on_vended(&mut self, office: &mut Office, job: JobId, result: VendResult) {
        let Some(job) = self.job.take_if(|running| running.id == job) else {
            return;
        };
        self.note_vend_ended(office, job.item, result);
        // After a restart nobody knows whether the motor turned at all: that is no jam.
        if result == VendResult::NotDropped
            && job.turns
            && let Some(slot) = self.record.items.get(job.item).and_then(|item| item.item.slot.clone())
        {
            office.faults.raise(Fault::Slot(slot));
        }
        self.settle(office);
    }

    fn note_vend_ended(&mut self, office: &mut Office, item: usize, result: VendResult) {
        let mut desk = Desk { office, record: &mut self.record };
        let order = desk.order();
        desk.note(Entry::VendEnded { order, item, result });
    }

    /// The journal kept a motor waiting for too long: it does not turn, and the money goes back.
    fn on_start_by(&mut self, office: &mut Office) {
        let due = |job: &&mut Job| job.start_by.is_some_and(|at| at <= office.now.mono);
        let Some(job) = self.job.as_mut().filter(due) else {
            return;
        };
        job.start_by = None;
        let job = *job;
        if office.queue.withdraw_vend(job.id) {
            self.job = None;
            self.deliver = false;
            self.note_vend_ended(office, job.item, VendResult::NotDropped);
        }
    }

    pub(crate) fn deadline(&self) -> Option<Mono> {
        let attempts = self.attempts.values().filter_map(Attempt::deadline);
        let refunds = self.refunds.values().filter_map(Refund::deadline);
        let start_by = self.job.and_then(|job| job.start_by);
        attempts.chain(refunds).chain(self.pay_until).chain(start_by).chain(self.machine_by).min()
    }

    pub(crate) fn on_timer(&mut self, office: &mut Office) {
        let attempts: Vec<AttemptId> = self.attempts.keys().copied().collect();
        for id in attempts {
            self.with_attempt(office, id, Attempt::on_timer);
        }
        let mut desk = Desk { office, record: &mut self.record };
        for refund in self.refunds.values_mut() {
            refund.on_timer(&mut desk);
        }
        self.on_start_by(office);
        if self.pay_until.is_some_and(|until| until <= office.now.mono) {
            self.on_time_up(office);
        }
        self.settle(office);
    }

    /// A buyer who is confirming gets a little longer, once.
    fn on_time_up(&mut self, office: &mut Office) {
        let confirming = self.attempts.values().any(Attempt::is_confirming);
        if confirming && !self.grace_given {
            self.grace_given = true;
            self.pay_until = Some(office.now.mono.plus(office.settings.pace.confirm_grace_ms));
        } else {
            self.cancel(office, CancelledBy::Timeout);
        }
    }

    fn with_attempt(
        &mut self,
        office: &mut Office,
        id: AttemptId,
        event: impl FnOnce(&mut Attempt, &mut Desk) -> News,
    ) {
        let Some(attempt) = self.attempts.get_mut(&id) else {
            return;
        };
        let may_deliver = attempt.may_deliver();
        let method = attempt.subject.method;
        let news = event(attempt, &mut Desk { office, record: &mut self.record });
        match news {
            News::Open => {}
            News::Paid => {
                self.attempts.remove(&id);
                self.on_paid(id, may_deliver);
            }
            News::NotPaid(refusal) => {
                self.attempts.remove(&id);
                self.on_refused(method, &refusal);
            }
        }
    }

    fn on_paid(&mut self, attempt: AttemptId, may_deliver: bool) {
        let is_winner = self.record.winner().is_some_and(|winner| winner.attempt == attempt);
        if is_winner {
            self.pay_until = None;
            self.deliver = self.attended && may_deliver;
        }
    }

    fn on_refused(&mut self, method: Method, refusal: &Refusal) {
        self.trouble = Some(match (method, refusal.why) {
            (Method::ShowCode, _) => PayTrouble::NoCode,
            (Method::TakeCode, Why::RefreshCode | Why::NewNumber) => PayTrouble::RefreshCode,
            (Method::TakeCode, Why::Buyer | Why::Order | Why::Setup | Why::Closed) => PayTrouble::TryAnother,
        });
    }

    // ---- what is due ----

    /// Does what the facts call for.
    pub(crate) fn settle(&mut self, office: &mut Office) {
        if self.record.ending.is_some() {
            return;
        }
        if self.record.winner().is_some() {
            // First what is decided about this payment: in the journal it is one commit with the payment itself.
            self.deliver_next(office);
            self.return_undelivered(office);
            self.undo_others(office, ReverseReason::OtherPaid);
            self.return_double_payments(office);
        } else if self.record.cancelled.is_some() {
            self.undo_others(office, ReverseReason::OrderCancelled);
        } else if self.attempts.is_empty() && !self.can_still_be_paid(office) {
            self.end_unpaid(office);
        }
        self.close_if_over(office);
    }

    fn undo_others(&mut self, office: &mut Office, reason: ReverseReason) {
        let open: Vec<AttemptId> = self.attempts.keys().copied().collect();
        for id in open {
            self.with_attempt(office, id, |attempt, desk| attempt.give_up(desk, reason));
        }
    }

    fn return_double_payments(&mut self, office: &mut Office) {
        let winner = self.record.winner().map(|winner| winner.attempt);
        let paid = self.record.attempts.iter().filter(|attempt| attempt.is_paid() && Some(attempt.attempt) != winner);
        let double: Vec<(AttemptId, Fen)> = paid
            .map(|attempt| (attempt.attempt, attempt.amount.less(self.record.returned_of(attempt.attempt))))
            .collect();
        for (attempt, amount) in double.into_iter().filter(|(_, amount)| amount.is_positive()) {
            self.start_refund(office, attempt, amount, RefundReason::PaidTwice, None);
        }
    }

    /// The next item that a motor has to deliver, and its slot.
    fn next_item(&self) -> Option<(usize, SlotId)> {
        let waiting = self.record.items.iter().enumerate().filter(|(_, item)| item.vend == VendRecord::Waiting);
        waiting.filter_map(|(index, item)| Some((index, item.item.slot.clone()?))).next()
    }

    /// Whether the next item's motor may be started.
    fn has_goods_waiting(&self) -> bool {
        self.deliver && self.job.is_none() && self.next_item().is_some()
    }

    /// Whether delivery waits for the machine. One that does not come back in time does not deliver.
    fn waits_for_machine(&mut self, office: &Office) -> bool {
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
    fn deliver_next(&mut self, office: &mut Office) {
        if !self.has_goods_waiting() {
            self.machine_by = None;
            return;
        }
        if self.waits_for_machine(office) {
            return;
        }
        while self.deliver
            && self.job.is_none()
            && let Some((item, slot)) = self.next_item()
        {
            let broken = office.faults.has(&Fault::Slot(slot.clone()));
            let drops_before = office.drops;
            let mut desk = Desk { office, record: &mut self.record };
            let order = desk.order();
            if broken {
                let result = VendResult::NotDropped;
                desk.note(Entry::VendEnded { order, item, result });
            } else {
                desk.note(Entry::VendStarted { order, item, slot: slot.clone(), drops_before });
                let start_by = Some(desk.now().plus(desk.pace().resume_ms));
                let id = desk.vend(slot, VendWhat::Dispense);
                self.job = Some(Job { id, item, turns: true, start_by });
            }
        }
    }

    /// What was paid and will not be delivered goes back by itself.
    fn return_undelivered(&mut self, office: &mut Office) {
        if self.is_delivering() || self.record.is_given_back() || self.record.was_closed {
            return;
        }
        let Some(winner) = self.record.winner().cloned() else {
            return;
        };
        let in_time = self.deliver || self.record.paid_in_time || self.record.is_begun();
        let (kept, reason) = if in_time {
            (self.record.delivered_worth(), RefundReason::Undelivered)
        } else {
            (Fen::ZERO, RefundReason::Late)
        };
        let back = winner.amount.less(kept).less(self.record.returned_of(winner.attempt));
        if back.is_positive() {
            self.start_refund(office, winner.attempt, back, reason, None);
        }
    }

    fn start_refund(
        &mut self,
        office: &mut Office,
        attempt: AttemptId,
        amount: Fen,
        reason: RefundReason,
        idempotency: Option<IdempotencyKey>,
    ) -> Option<RefundId> {
        let channel = self.record.attempt(attempt)?.channel;
        let mut desk = Desk { office, record: &mut self.record };
        let (order, refund) = (desk.order(), desk.new_refund());
        let entry = Entry::RefundStarted { order, attempt, refund, amount, reason, idempotency };
        let state = Refund::start(&mut desk, channel, entry)?;
        self.refunds.insert(refund, state);
        Some(refund)
    }

    fn can_still_be_paid(&self, office: &Office) -> bool {
        let scanner = office.settings.has_scanner && !office.faults.has(&Fault::Scanner);
        let by_api = self.record.origin == super::entry::Origin::Api;
        self.pay_until.is_some() && self.record.who_scans.takes_code() && (scanner || by_api)
    }

    /// Every way to pay was refused, or the daemon restarted and found nothing paid.
    fn end_unpaid(&mut self, office: &mut Office) {
        let by = if self.pay_until.is_some() { CancelledBy::Refused } else { CancelledBy::Restart };
        self.cancel(office, by);
    }

    fn close_if_over(&mut self, office: &mut Office) {
        let open = !self.attempts.is_empty() || !self.refunds.is_empty() || self.is_delivering();
        let decided = self.record.winner().is_some() || self.record.cancelled.is_some();
        if open || !decided || self.record.ending.is_some() {
            return;
        }
        let ending = self.ending();
        let mut desk = Desk { office, record: &mut self.record };
        let order = desk.order();
        desk.note(Entry::OrderClosed { order, ending });
    }

    fn ending(&self) -> Ending {
        let returned = self.record.refunds.iter().any(|refund| refund.reason != RefundReason::PaidTwice);
        match self.record.cancelled {
            _ if self.record.winner().is_some() && returned => Ending::Refunded,
            _ if self.record.winner().is_some() => Ending::Delivered,
            Some(CancelledBy::Timeout) => Ending::Expired,
            Some(CancelledBy::Refused | CancelledBy::Fault) => Ending::Failed,
            Some(CancelledBy::Buyer | CancelledBy::Api | CancelledBy::Restart) | None => Ending::Cancelled,
        }
    }

    // ---- what the screen and the API want to know ----

    pub(crate) fn is_over(&self) -> bool {
        self.record.ending.is_some()
    }

    pub(crate) fn calls_on_their_way(&self) -> Vec<CallId> {
        self.attempts.values().filter_map(Attempt::call_on_its_way).collect()
    }

    pub(crate) fn shown_code(&self) -> Option<&str> {
        self.attempts.values().find_map(Attempt::shown_code)
    }

    /// Whether the channel confirmed of every attempt that nothing was paid.
    pub(crate) fn is_surely_unpaid(&self) -> bool {
        self.attempts.values().all(Attempt::is_closed)
    }

    pub(crate) fn is_fetching_code(&self) -> bool {
        let showing = |attempt: &Attempt| attempt.subject.method == Method::ShowCode && !attempt.is_reversing();
        self.attempts.values().any(showing) && self.shown_code().is_none()
    }

    pub(crate) fn is_confirming(&self) -> bool {
        self.attempts.values().any(|attempt| attempt.is_confirming() && !attempt.is_reversing())
    }

    pub(crate) fn is_in_doubt(&self) -> bool {
        self.attempts.values().any(|attempt| attempt.is_unknown() || attempt.is_reversing())
    }

    /// The item that is being delivered, from 0.
    pub(crate) fn delivering_item(&self) -> Option<usize> {
        self.job.map(|job| job.item)
    }

    pub(crate) fn is_refunding(&self) -> bool {
        !self.refunds.is_empty()
    }

    pub(crate) const fn pay_until(&self) -> Option<Mono> {
        self.pay_until
    }
}

fn is_younger(then: Wall, now: Wall, limit_ms: u64) -> bool {
    let age = now.ms.saturating_sub(then.ms);
    then.trusted && now.trusted && u64::try_from(age).is_ok_and(|age| age <= limit_ms)
}
