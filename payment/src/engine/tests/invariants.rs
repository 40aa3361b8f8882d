//! What must always hold, checked after every step of every test.

use std::collections::{BTreeMap, BTreeSet};

use super::alipay::{Standing, attempt_of};
use super::returns::Returns;
use super::world::World;
use crate::channel::{ChannelId, Request};
use crate::engine::effect::{Call, Record, Vend};
use crate::engine::entry::{Entry, OrderState, RefundReason, SlotId, VendResult};
use crate::engine::faults::Fault;
use crate::engine::record::{OrderRecord, RefundRecord, VendRecord};
use crate::engine::slots::SlotCount;
use crate::engine::view::View;
use crate::ids::{AttemptId, OrderId, RefundId};
use crate::money::Fen;

/// What was seen so far and must not be unsaid.
#[derive(Debug, Default)]
pub struct Watched {
    states: BTreeMap<OrderId, OrderState>,
    started: BTreeSet<AttemptId>,
    /// Those of them that spend a member or voucher code.
    codes: BTreeSet<AttemptId>,
    reversing: BTreeSet<AttemptId>,
    refunds: BTreeSet<RefundId>,
    paid: BTreeSet<OrderId>,
    vends: BTreeSet<(OrderId, usize)>,
    /// Attempts with a pay code of the buyer, and when that left.
    sent: BTreeMap<AttemptId, u64>,
    pub returns: Returns,
    /// Attempts that the engine has begun, written or not.
    begun: BTreeSet<AttemptId>,
}

impl World {
    /// After every input.
    pub fn check(&mut self) {
        self.invariant_states_move_forward();
        self.invariant_fault_shows_no_code();
        self.invariant_quiet_engine_sleeps();
        self.invariant_duty_troubles_are_seen();
        self.invariant_slots_agree();
        assert_eq!(self.scanner_armed, self.engine.is_scanner_armed(), "the scanner does what the engine thinks");
    }

    /// With nothing left to be written, the engine and the journal know the same of every slot, and a lock is a fault.
    fn invariant_slots_agree(&self) {
        if self.engine.queue.has_record() || self.refuse_writes {
            return;
        }
        let known = |counts: &BTreeMap<SlotId, SlotCount>| {
            let known = counts.iter().filter(|(_, count)| **count != SlotCount::default());
            known.map(|(slot, count)| (slot.clone(), *count)).collect::<Vec<_>>()
        };
        let engine: BTreeMap<SlotId, SlotCount> =
            self.engine.slots().map(|(slot, count)| (slot.clone(), *count)).collect();
        assert_eq!(known(&engine), known(&self.slots));
        for slot in engine.iter().filter(|(_, count)| count.locked).map(|(slot, _)| slot) {
            assert!(self.engine.faults().any(|fault| *fault == Fault::Slot(slot.clone())), "slot {slot} is locked");
        }
    }

    /// Nothing leaves the terminal before its journal entry is durable.
    pub fn invariant_call_is_journalled(&self, call: &Call) {
        let Some(attempt) = attempt_of(&call.request) else {
            return;
        };
        assert!(self.watched.started.contains(&attempt), "a call of an unknown attempt: {call:?}");
        match &call.request {
            Request::Cancel(_) | Request::Close(_) => {
                assert!(self.watched.reversing.contains(&attempt), "undone before it was written: {call:?}");
            }
            Request::Refund(refund) | Request::RefundQuery(refund) => {
                assert!(self.watched.refunds.contains(&refund.refund), "a refund of an unknown number: {call:?}");
                self.invariant_refund_may_be_sent(refund);
            }
            Request::Duty(duty) => {
                assert!(self.watched.returns.is_duty(duty), "a duty that is not written: {call:?}");
            }
            Request::ShowCode(_) | Request::TakeCode(..) | Request::Query(_) | Request::Probe => {}
        }
    }

    /// A call carries its time and a signature over it: none leaves while the time is not certain.
    pub fn invariant_no_call_without_the_time(&self, call: &Call) {
        assert!(self.trusted, "a call leaves without the time: {call:?}");
        assert!(self.engine.faults().all(|fault| *fault != Fault::Clock), "a call leaves without the time: {call:?}");
    }

    /// What an entry claims is true when it is written.
    pub fn invariant_entry_follows(&mut self, record: &Record) {
        let entry = &record.entry;
        let known = self.watched.states.entry(entry.order()).or_insert(OrderState::Waiting);
        assert!(known.may_become(record.state), "{known:?} went back to {:?} with {entry:?}", record.state);
        *known = record.state;
        self.invariant_return_follows(entry);
        match entry {
            Entry::AttemptStarted { attempt, voucher, .. } => {
                assert!(self.watched.started.insert(*attempt));
                self.watched.codes.extend(voucher.is_some().then_some(*attempt));
            }
            Entry::ReverseStarted { attempt, .. } => assert!(self.watched.reversing.insert(*attempt)),
            Entry::RefundStarted { refund, .. } => assert!(self.watched.refunds.insert(*refund)),
            Entry::AttemptPaid { order, attempt, .. } => {
                let by_code = self.watched.codes.contains(attempt);
                let charged = self.trade(*attempt).is_some_and(|trade| trade.charged.is_positive());
                assert!(by_code || charged, "{attempt} was not paid");
                self.watched.paid.insert(*order);
            }
            Entry::AttemptNotPaid { attempt, code, .. } => self.invariant_not_paid_is_certain(*attempt, code),
            Entry::VendStarted { order, item, .. } => {
                assert!(self.watched.vends.insert((*order, *item)), "item {item} of {order} is started again");
            }
            Entry::RefundDone { order, refund } => self.invariant_refund_moved(*order, *refund),
            Entry::OrderOpened { .. }
            | Entry::CashTaken { .. }
            | Entry::OrderCancelled { .. }
            | Entry::VendEnded { .. }
            | Entry::RefundOwed { .. }
            | Entry::RefundAsked { .. }
            | Entry::RefundDecided { .. }
            | Entry::RefundFailed { .. }
            | Entry::DutyBegun { .. }
            | Entry::DutyDone { .. }
            | Entry::DutyRefused { .. }
            | Entry::OrderClosed { .. } => {}
        }
    }

    /// Not knowing is a state: "not paid" is said only when nothing can be paid any more.
    fn invariant_not_paid_is_certain(&self, attempt: AttemptId, code: &str) {
        assert!(!self.is_being_sent(attempt), "{attempt} is {code}, and its pay request is still on its way");
        let Some(trade) = self.trade(attempt) else {
            return;
        };
        let payable = match trade.standing {
            Standing::Code { valid_until } => trade.seen && self.at <= valid_until,
            Standing::Confirming | Standing::Paid => true,
            Standing::Closed => false,
        };
        assert!(!payable, "{attempt} is {code}, and its channel says {:?} at {}", trade.standing, self.at);
    }

    fn invariant_refund_moved(&self, order: OrderId, refund: RefundId) {
        let moved = self.trades().any(|(_, trade)| trade.refunds.contains_key(&refund));
        let record = self.record(order);
        let attempt = record.refunds.iter().find(|known| known.refund == refund).map(|known| known.attempt);
        if attempt.is_some_and(|attempt| self.watched.codes.contains(&attempt)) {
            return;
        }
        let trade = attempt.and_then(|attempt| self.trade(attempt));
        let cancelled = trade.is_some_and(|trade| trade.cancelled_back.is_positive());
        assert!(moved || cancelled, "{refund} is done, and no money moved");
    }

    /// No goods without confirmed payment.
    pub fn invariant_motor_needs_payment(&self, vend: &Vend) {
        let started = self
            .stored
            .iter()
            .rev()
            .map(|stored| &stored.entry)
            .find(|entry| matches!(entry, Entry::VendStarted { slot, .. } if *slot == vend.slot));
        let order = started.expect("a motor turns only after its VendStarted").order();
        assert!(self.watched.paid.contains(&order), "{order} is not paid, and its motor turns");
    }

    /// The public state of an order only moves forward, but for money that must go back once more.
    fn invariant_states_move_forward(&mut self) {
        // What cannot be written yet is not public either.
        if self.engine.journal.failing {
            return;
        }
        for record in self.engine.orders() {
            let known = self.watched.states.entry(record.order).or_insert(OrderState::Waiting);
            assert!(known.may_become(record.state()), "{known:?} went back to {:?}", record.state());
            *known = record.state();
        }
    }

    /// A machine that cannot record, tell the time or reach the channel shows no code, and arms its scanner for nothing
    /// but member and voucher codes, which need no channel.
    fn invariant_fault_shows_no_code(&mut self) {
        let shown = self.codes_on_screen();
        shown.iter().for_each(|attempt| self.has_seen(*attempt));
        let blocks = |fault: &Fault| match fault {
            Fault::Storage | Fault::Clock | Fault::SwitchedOff | Fault::JournalFull => true,
            Fault::Network(_) | Fault::Setup(_) => false,
            Fault::Hub
            | Fault::Duty(_)
            | Fault::Scanner
            | Fault::Machine
            | Fault::Slot(_)
            | Fault::Display
            | Fault::Printer => false,
        };
        let blocked = self.engine.faults().any(blocks);
        if blocked || self.wallets_down() {
            assert_eq!(shown, [], "a code is shown in spite of {:?}", self.engine.faults().collect::<Vec<_>>());
        }
        self.invariant_one_code_in_each_place(&shown);
        // A member code needs no channel: for it the scanner may be armed. That no wallet is tried then has an
        // invariant of its own.
        if blocked || (self.wallets_down() && self.engine.settings().vouchers.is_none()) {
            assert!(!self.scanner_armed, "the scanner is armed in spite of a fault");
        }
        if matches!(self.view(), View::Idle { .. } | View::OutOfService { .. }) {
            assert!(!self.scanner_armed && !self.lamp_on, "nobody is here, and the devices wait for somebody");
        }
    }

    /// Never two codes of one place, and none of a channel that cannot be used.
    fn invariant_one_code_in_each_place(&self, shown: &[AttemptId]) {
        let View::Pay { codes, .. } = self.view() else {
            return;
        };
        let places = self.engine.settings().shows.len().max(1);
        let wallets: BTreeSet<_> = codes.iter().map(|code| code.wallet).collect();
        assert!(codes.len() <= places && wallets.len() == codes.len(), "two codes in one place: {codes:?}");
        let down = self.channels_down();
        let attempts = self.engine.orders().flat_map(|record| &record.attempts);
        for attempt in attempts.filter(|attempt| shown.contains(&attempt.attempt)) {
            assert!(!down.contains(&attempt.channel), "a code of {:?} is shown, and it is down", attempt.channel);
        }
    }

    /// The channels that cannot be used.
    pub fn channels_down(&self) -> BTreeSet<ChannelId> {
        let channel = |fault: &Fault| match fault {
            Fault::Network(channel) | Fault::Setup(channel) => Some(*channel),
            Fault::Storage | Fault::Clock | Fault::SwitchedOff | Fault::JournalFull | Fault::Hub | Fault::Duty(_) => {
                None
            }
            Fault::Scanner | Fault::Machine | Fault::Slot(_) | Fault::Display | Fault::Printer => None,
        };
        self.engine.faults().filter_map(channel).collect()
    }

    /// Whether no wallet can be reached.
    pub fn wallets_down(&self) -> bool {
        let down = self.channels_down();
        self.engine.settings().channels.iter().all(|channel| down.contains(channel))
    }

    /// While a channel cannot be reached, it is not tried.
    pub fn invariant_no_wallet_without_channel(&mut self, down_before: &BTreeSet<ChannelId>) {
        let attempts = self.engine.orders().flat_map(|record| &record.attempts);
        let begun: Vec<(AttemptId, ChannelId)> = attempts.map(|attempt| (attempt.attempt, attempt.channel)).collect();
        let down = self.channels_down();
        for (attempt, channel) in begun {
            let is_new = self.watched.begun.insert(attempt) && !self.watched.started.contains(&attempt);
            let is_down = down_before.contains(&channel) && down.contains(&channel);
            assert!(!is_new || !is_down, "{attempt} is tried, and {channel:?} cannot be reached");
        }
    }

    /// Some channels take no cancel of a pay code in its first seconds.
    pub fn invariant_no_cancel_too_early(&mut self, call: &Call) {
        match &call.request {
            Request::TakeCode(offer, _) => {
                self.watched.sent.insert(offer.attempt, self.at);
            }
            Request::Cancel(trade) => {
                let from = self.engine.settings().pace_of(call.channel).cancel_after_ms;
                let sent = self.watched.sent.get(&trade.attempt).copied().unwrap_or(0);
                assert!(self.at >= sent + from, "{} was sent at {sent} and is cancelled at {}", trade.attempt, self.at);
            }
            Request::ShowCode(_)
            | Request::Query(_)
            | Request::Close(_)
            | Request::Refund(_)
            | Request::RefundQuery(_)
            | Request::Duty(_)
            | Request::Probe => {}
        }
    }

    /// Of no code more is spent than it allows, and a voucher pays one order. What the hub does not have, and what one
    /// sale costs, stays within the terminal's limits.
    pub fn invariant_voucher_within_allowance(&self) {
        let uses = self.code_uses();
        let mut net: BTreeMap<&str, (i64, usize)> = BTreeMap::new();
        for used in &uses {
            let (spent, sales) = net.entry(&used.of.code).or_default();
            *spent += used.net;
            *sales += usize::from(used.net > 0);
            assert!(*spent <= used.of.allowance.get(), "{spent} fen are spent of {:?}", used.of);
            assert!(!used.of.once || *sales <= 1, "{:?} paid {sales} sales", used.of);
        }
        if let Some(limits) = &self.engine.settings().vouchers {
            assert!(uses.iter().all(|used| used.paid <= limits.per_sale_max.get()));
            assert!(self.unsettled() <= limits.unsettled_max.get(), "{} fen wait for the hub", self.unsettled());
        }
    }

    /// With nothing open and no fault the engine wants to be woken for nothing.
    fn invariant_quiet_engine_sleeps(&self) {
        if self.is_idle() && self.engine.faults().next().is_none() && self.engine.faults.deadline().is_none() {
            assert_eq!(self.engine.poll_timeout(), None, "woken for nothing");
        }
    }

    /// A timer that was served does not want to be served again at once.
    pub fn invariant_timer_was_served(&mut self) {
        let now = self.now().mono;
        if let Some((at, why)) = self.engine.poll_timeout() {
            assert!(at > now, "the timer for {why:?} stays due: {:#?}", self.engine);
        }
    }

    /// Every order has ended in exactly one way, and the buyers have paid for what they got.
    pub fn invariant_money_is_right(&self) {
        assert!(self.is_idle(), "still open: {:#?}", self.engine);
        for order in self.order_ids() {
            let record = self.record(order);
            assert!(record.ending.is_some(), "{order} never ended: {record:#?}");
            assert!(record.attempts.iter().all(|attempt| attempt.end.is_some()), "an attempt never ended: {record:#?}");
            let attempts = record.attempts.iter().filter_map(|attempt| self.trade(attempt.attempt));
            let net: i64 = attempts.map(|trade| trade.net().get()).sum();
            let net = net + self.net_of_codes(order);
            assert_eq!(net, self.due(&record), "the buyer of {order} paid another sum: {record:#?}");
            let over = |refund: &RefundRecord| refund.owed.is_none() && (refund.is_done() || !refund.moves_money());
            assert!(record.refunds.iter().all(over), "{record:#?}");
            self.invariant_duties_are_done(&record);
        }
        let known: BTreeSet<AttemptId> = self.watched.started.iter().copied().collect();
        assert!(self.trades().all(|(attempt, _)| known.contains(attempt)), "money under an unknown number");
        self.invariant_replaced_refunds_moved_nothing();
    }

    /// What the machine took for an item of this price, where it is one that names its own.
    fn charged(&self, price: i64) -> i64 {
        let named = self.charges.map(Fen::get).filter(|charges| (0..price).contains(charges));
        named.unwrap_or(price)
    }

    /// What the buyer shall have paid in the end.
    fn due(&self, record: &OrderRecord) -> i64 {
        let by_hand = |refund: &&RefundRecord| refund.reason == RefundReason::Operator && refund.moves_money();
        let given_back = record.refunds.iter().filter(by_hand);
        let given_back: i64 = given_back.map(|refund| refund.amount.get()).sum();
        if record.cash.is_positive() {
            assert!(record.attempts.is_empty() && record.refunds.is_empty(), "cash moves by hand: {record:#?}");
            return 0;
        }
        let late = record.refunds.iter().any(|refund| refund.reason == RefundReason::Late);
        if record.winner().is_none() || late {
            assert!(record.items.iter().all(|item| item.vend == VendRecord::Waiting), "goods without money");
            return 0;
        }
        if record.items.is_empty() {
            return record.amount.get() - given_back;
        }
        let items = record
            .items
            .iter()
            .enumerate()
            .filter(|(index, item)| item.item.slot.is_none() || self.is_had(record.order, *index, item.vend));
        items.map(|(_, item)| self.charged(item.item.price.get())).sum::<i64>() - record.down_payment.get() - given_back
    }

    /// Whether the buyer has the item: by the sensor, or by the machine's word where there is none.
    fn is_had(&self, order: OrderId, item: usize, vend: VendRecord) -> bool {
        let fallen = self.machine.fallen.contains(&(order, item));
        let told = vend == VendRecord::Ended(VendResult::Dropped);
        assert!(fallen || !told, "item {item} of {order} is told fallen, and it did not");
        if self.machine.counter.is_some() { fallen } else { told }
    }
}
