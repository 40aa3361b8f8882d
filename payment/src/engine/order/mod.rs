//! One open order: its record, its attempts, its delivery and its refunds.
//!
//! Every event ends in [`Order::settle`], which looks at the facts and does what is due: undo what lost, deliver what
//! is paid ([`delivery`], by a code of the operator [`allowance`]), return what was not delivered ([`returning`]), tell the channel of the
//! delivery ([`duties`]), close what is over. After a restart
//! [`recovery`] takes the order up again.

mod allowance;
mod codes;
mod delivery;
mod duties;
mod recovery;
mod returning;

use std::collections::BTreeMap;

use crate::channel::outcome::{Refusal, Why};
use crate::channel::{Answer, ChannelId, Instalment, Wallet};
use crate::engine::attempt::duty::Duty;
use crate::engine::attempt::refund::Refund;
use crate::engine::attempt::take_code::TakeCode;
use crate::engine::attempt::{Attempt, News};
use crate::engine::desk::{Desk, Office};
use crate::engine::effect::{CallId, JobId};
use crate::engine::entry::{CancelledBy, Ending, Entry, Method, RefundReason, ReverseReason, SlotId};
use crate::engine::faults::Fault;
use crate::engine::offer::offer;
use crate::engine::record::{OrderRecord, RefundRecord};
use crate::engine::slots::SlotNews;
use crate::engine::view::PayTrouble;
use crate::ids::AttemptId;
use crate::redact::PayCode;
use crate::time::Mono;
use allowance::Taking;
use codes::CodePlace;

/// An open order.
#[derive(Debug)]
pub(crate) struct Order {
    pub record: OrderRecord,
    attempts: BTreeMap<AttemptId, Attempt>,
    refunds: Vec<Refund>,
    duties: Vec<Duty>,
    codes: Vec<CodePlace>,
    /// How the buyer wants to pay: `None` at once.
    instalment: Option<Instalment>,
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
    /// No channel could be used: codes are shown once one can.
    waits_for_channel: bool,
    taking: Option<Taking>,
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
        order.instalment = order.record.instalment;
        order.codes = CodePlace::all(&office.settings.codes_shown());
        order.waits_for_channel = office.faults.usable(&office.settings.channels).is_none();
        order.offer_codes(office);
        Some(order)
    }

    /// What was sold for cash: over as soon as it is known. All of it is one commit.
    pub(crate) fn sold_for_cash(office: &mut Office, entry: Entry) {
        let Some(mut record) = OrderRecord::opened(&entry, office.now.wall) else {
            return;
        };
        let mut desk = Desk { office, record: &mut record };
        desk.note(entry);
        let (order, amount) = (desk.order(), desk.record.amount);
        let slots: Vec<SlotId> = desk.record.items.iter().filter_map(|item| item.item.slot.clone()).collect();
        slots.iter().for_each(|slot| desk.office.slots.sell(order, slot.clone()));
        let news = slots.into_iter().map(|slot| (slot, SlotNews::Sold)).collect();
        desk.note_with(Entry::CashTaken { order, amount }, news);
        desk.note(Entry::OrderClosed { order, ending: Ending::Delivered });
    }

    fn idle(record: OrderRecord) -> Self {
        Self {
            record,
            attempts: BTreeMap::new(),
            refunds: Vec::new(),
            duties: Vec::new(),
            codes: Vec::new(),
            instalment: None,
            attended: false,
            pay_until: None,
            grace_given: false,
            deliver: false,
            job: None,
            machine_by: None,
            trouble: None,
            waits_for_channel: false,
            taking: None,
        }
    }

    // ---- what the buyer and the API ask ----

    /// Pays with the buyer's code.
    pub(crate) fn take_code(
        &mut self,
        office: &mut Office,
        channel: ChannelId,
        wallet: Wallet,
        code: PayCode,
    ) -> AttemptId {
        self.trouble = None;
        let instalment = self.instalment;
        let mut desk = Desk { office, record: &mut self.record };
        let (subject, offer) = offer(&mut desk, channel, Method::TakeCode, Some(wallet), instalment);
        let (phase, request) = TakeCode::enter(&desk, &subject, offer, code);
        let attempt = Attempt::start(&mut desk, subject, phase, request);
        self.attempts.insert(subject.attempt, attempt);
        subject.attempt
    }

    /// Whether no wallet can have paid: no code was seen and none was read.
    pub(crate) fn no_wallet_began(&self) -> bool {
        self.attempts.values().all(Attempt::was_never_seen)
    }

    /// Whether a pay code may be taken now: the order waits, and no other code is being tried.
    pub(crate) fn wants_code(&self) -> bool {
        let trying = self.attempts.values().any(|attempt| attempt.subject.method == Method::TakeCode);
        self.record.who_scans.takes_code() && self.is_payable() && !trying
    }

    pub(crate) fn is_payable(&self) -> bool {
        let open = self.record.cancelled.is_none() && !self.record.is_paid() && self.pay_until.is_some();
        open && !self.is_taking()
    }

    /// Nobody may pay any more. Payments that are already on their way still win.
    pub(crate) fn cancel(&mut self, office: &mut Office, by: CancelledBy) {
        if self.record.cancelled.is_some() || self.record.is_paid() || self.is_taking() {
            return;
        }
        self.pay_until = None;
        let mut desk = Desk { office, record: &mut self.record };
        let order = desk.order();
        desk.note(Entry::OrderCancelled { order, by });
        self.settle(office);
    }

    // ---- events ----

    /// The channel of this call, when it is one that is waited for here.
    pub(crate) fn channel_of(&self, call: CallId) -> Option<ChannelId> {
        let attempt = self.attempts.values().find(|attempt| attempt.awaits(call));
        let refund = || self.refunds.iter().find(|refund| refund.awaits(call)).map(Refund::channel);
        let duty = || self.duties.iter().find(|duty| duty.awaits(call)).map(Duty::channel);
        attempt.map(|attempt| attempt.subject.channel).or_else(refund).or_else(duty)
    }

    pub(crate) fn on_answer(&mut self, office: &mut Office, call: CallId, answer: &Answer) {
        let attempt = self.attempts.values().find(|attempt| attempt.awaits(call));
        if let Some(id) = attempt.map(|attempt| attempt.subject.attempt) {
            self.with_attempt(office, id, |attempt, desk| attempt.on_answer(desk, call, answer));
        }
        self.on_refund_answer(office, call, answer);
        self.on_duty_answer(office, call, answer);
        self.settle(office);
    }

    pub(crate) fn deadline(&self) -> Option<Mono> {
        let attempts = self.attempts.values().filter_map(Attempt::deadline);
        let refunds = self.refunds.iter().filter_map(Refund::deadline);
        let duties = self.duties.iter().filter_map(Duty::deadline);
        let start_by = self.job.and_then(|job| job.start_by);
        attempts.chain(refunds).chain(duties).chain(self.pay_until).chain(start_by).chain(self.machine_by).min()
    }

    pub(crate) fn on_timer(&mut self, office: &mut Office) {
        let attempts: Vec<AttemptId> = self.attempts.keys().copied().collect();
        for id in attempts {
            self.with_attempt(office, id, Attempt::on_timer);
        }
        let mut desk = Desk { office, record: &mut self.record };
        for refund in &mut self.refunds {
            refund.on_timer(&mut desk);
        }
        for duty in &mut self.duties {
            duty.on_timer(&mut desk);
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
                self.on_refused(office, id, method, &refusal);
            }
        }
    }

    fn on_paid(&mut self, attempt: AttemptId, may_deliver: bool) {
        let is_winner = self.record.winner().is_some_and(|winner| winner.attempt == attempt);
        if is_winner {
            self.pay_until = None;
            // After a cancel only a machine's delivery still counts: it begins in the commit of the payment. What a person
            // hands over leaves no such entry, and a restart could not tell that the payment was accepted.
            let leaves_a_trace = self.record.paid_in_time || self.next_item().is_some();
            self.deliver = self.attended && may_deliver && leaves_a_trace;
        }
    }

    fn on_refused(&mut self, office: &mut Office, id: AttemptId, method: Method, refusal: &Refusal) {
        let another_code = method == Method::ShowCode && !self.code_failed(office, id);
        if another_code || (method == Method::ShowCode && self.waits_for_channel) {
            return;
        }
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
            self.begin_duty(office);
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
        let open =
            !self.attempts.is_empty() || !self.refunds.is_empty() || !self.duties.is_empty() || self.is_delivering();
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
        let back = |refund: &RefundRecord| refund.moves_money() && refund.reason != RefundReason::PaidTwice;
        let returned = self.record.refunds.iter().any(back);
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

    /// Whether the channel confirmed of every attempt that nothing was paid.
    pub(crate) fn is_surely_unpaid(&self) -> bool {
        self.attempts.values().all(Attempt::is_closed)
    }

    pub(crate) fn is_confirming(&self) -> bool {
        self.attempts.values().any(|attempt| attempt.is_confirming() && !attempt.is_reversing())
    }

    pub(crate) fn is_in_doubt(&self) -> bool {
        // A code that was replaced by another one, or by a choice that none can serve now, is watched in the background.
        let replaced = self.has_code_coming() || self.has_chosen_a_plan();
        let replaced = |attempt: &Attempt| attempt.subject.method == Method::ShowCode && replaced;
        let open = |attempt: &&Attempt| !attempt.was_never_seen() && !replaced(attempt);
        self.attempts.values().filter(open).any(|attempt| attempt.is_unknown() || attempt.is_reversing())
    }

    pub(crate) const fn pay_until(&self) -> Option<Mono> {
        self.pay_until
    }
}
