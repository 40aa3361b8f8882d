//! The engine: one value that owns every open order.
//!
//! ```text
//! restore(entries) ─► Engine ─┬─ handle(now, Input) ─► Done | Refused
//!                             ├─ poll_effect() ─► Effect, in order, until there is none
//!                             ├─ poll_timeout() ─► when to come back, and why
//!                             └─ view(now) ─► what the buyer sees
//! ```
//!
//! It has no clock, no disk and no network. Whatever it wants done is an [`effect::Effect`]; whatever happened comes
//! back as an [`input::Input`]. A record is durable before the effects behind it start, so killing the process at any
//! instant leaves a journal from which [`Engine::restore`] goes on.

pub(crate) mod attempt;
mod cash;
pub mod choice;
pub(crate) mod desk;
mod duties;
pub mod effect;
pub mod entry;
pub mod faults;
pub mod input;
pub mod mutant;
pub(crate) mod offer;
mod open;
pub(crate) mod order;
mod plans;
pub(crate) mod purse;
pub mod record;
mod refunds;
pub(crate) mod retry;
pub(crate) mod session;
pub mod settings;
pub mod slots;
#[cfg(test)]
mod tests;
pub mod view;
mod window;

use std::collections::{BTreeMap, VecDeque};

use crate::channel::{Answer, ChannelId, Request};
use crate::ids::{IdMint, OrderId};
use crate::money::Fen;
use crate::time::{Mono, Now};
use crate::voucher::VoucherSpent;
use desk::{Numbers, Office};
use effect::{Beep, Call, CallId, Effect, Queue, Record};
use entry::{CancelledBy, Origin, SlotId, Stored, WhoScans};
use faults::{Fault, Faults};
use input::{Done, Input, Key, Refused};
use mutant::{Mutant, is_planted};
use order::Order;
use purse::Purse;
use record::OrderRecord;
use retry::Backoff;
use session::{KeyPressed, Session};
use settings::Settings;
use slots::{SlotCount, Slots};

/// So many pay codes are remembered, to refuse one that was read before. A code lives about a minute.
const CODES_REMEMBERED: usize = 64;

/// Why the engine wants to be woken; for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WakeReason {
    /// The customer at the machine: a screen that goes away, a time to pay that ends.
    Session,
    /// An attempt or a refund has its next call, or a call is overdue.
    Order,
    /// A channel is tried again.
    Channel,
    /// The journal is tried again.
    Journal,
}

/// How the journal does.
#[derive(Debug, Default)]
struct JournalHealth {
    failing: bool,
    try_at: Option<Mono>,
    backoff: Backoff,
}

/// The engine. See the module's page.
#[derive(Debug)]
pub struct Engine {
    settings: Settings,
    orders: BTreeMap<OrderId, Order>,
    session: Session,
    faults: Faults,
    queue: Queue,
    mint: IdMint,
    numbers: Numbers,
    journal: JournalHealth,
    probes: BTreeMap<CallId, ChannelId>,
    codes_seen: VecDeque<[u8; 32]>,
    purse: Purse,
    slots: Slots,
    drops: Option<u64>,
    scanner_armed: bool,
    lamp_on: bool,
    /// The order that the machine's own controller waits for.
    choice: Option<OrderId>,
}

impl Engine {
    /// An engine that takes up the given open orders, each as its entries in order, and knows what was `spent` of the
    /// member and voucher codes, those of open orders included.
    #[must_use]
    pub fn restore(settings: Settings, mint: IdMint, now: Now, open: &[Vec<Stored>], spent: Vec<VoucherSpent>) -> Self {
        let mut engine = Self {
            settings,
            orders: BTreeMap::new(),
            session: Session::Idle,
            faults: Faults::default(),
            queue: Queue::default(),
            mint,
            numbers: Numbers::default(),
            journal: JournalHealth::default(),
            probes: BTreeMap::new(),
            codes_seen: VecDeque::new(),
            purse: Purse::restore(spent),
            slots: Slots::default(),
            drops: None,
            scanner_armed: false,
            lamp_on: false,
            choice: None,
        };
        for entries in open {
            engine.take_up(now, entries);
        }
        engine.watch_clock(now);
        // A machine without a network says so before its first customer finds out.
        for channel in engine.settings.channels.clone() {
            engine.probe(channel);
        }
        engine.finish(now);
        engine
    }

    /// Takes up one order from the journal: at start, or because a closed order gets a refund.
    fn take_up(&mut self, now: Now, entries: &[Stored]) {
        let Some(record) = OrderRecord::from_entries(entries) else {
            return;
        };
        let id = record.order;
        let restored = Order::restore(&mut self.office(now), record);
        if restored.attended && self.session == Session::Idle {
            let leave_at = Some(now.mono.plus(self.settings.pace.release_ms));
            self.session = Session::Order { order: id, leave_at };
        }
        self.orders.insert(id, restored);
    }

    /// Makes a closed order known again, so that money of it can be returned. An open one is left as it is.
    pub fn load(&mut self, now: Now, entries: &[Stored]) {
        let known = entries.first().is_some_and(|first| self.orders.contains_key(&first.entry.order()));
        if known {
            return;
        }
        if let Some(record) = OrderRecord::from_entries(entries)
            && record.ending.is_some()
        {
            let order = Order::restore(&mut self.office(now), record);
            self.orders.insert(order.record.order, order);
        }
    }

    /// Takes in one event. What is refused changed nothing.
    ///
    /// # Errors
    ///
    /// [`Refused`] says why, in words for whoever asked.
    pub fn handle(&mut self, now: Now, input: Input) -> Result<Done, Refused> {
        self.watch_clock(now);
        let done = self.dispatch(now, input);
        self.finish(now);
        done
    }

    fn dispatch(&mut self, now: Now, input: Input) -> Result<Done, Refused> {
        match input {
            Input::Timer => self.on_timer(now),
            Input::Key(key) => return self.on_key(now, key),
            Input::Scanned(line) => return self.on_scanned(now, &line),
            Input::Open(wanted) => return self.open(now, *wanted).map(Done::Opened),
            Input::CashSale(sold) => return self.cash_sale(now, *sold).map(Done::Opened),
            Input::Chosen(choice) => return self.on_chosen(now, choice).map(Done::Opened),
            Input::ChoiceEnded => self.on_choice_ended(now),
            Input::MachineSold(choice) => return self.on_machine_sold(now, choice).map(Done::Opened),
            Input::CodeGiven { order, line } => return self.on_code_given(now, order, &line).map(Done::Trying),
            Input::Cancel { order } => return self.on_cancel(now, order),
            Input::Refund(wanted) => return self.on_refund(now, wanted).map(Done::Refunding),
            Input::RefundDecided { order, refund, approved, said } => {
                return self.on_refund_decided(now, order, refund, approved, said).map(Done::Refunding);
            }
            Input::DutyDone { order, said } => return self.on_duty_done(now, order, &said),
            Input::ChooseInstalments { order, periods } => return self.on_instalments(now, order, periods),
            Input::Answered { call, answer } => self.on_answered(now, call, &answer),
            Input::Vended { job, result, drops, taken } => {
                self.drops = drops.or(self.drops);
                self.on_machine_answered(job);
                self.each_order(now, |order, office| order.on_vended(office, job, result, taken));
            }
            Input::Drops(drops) => self.drops = drops,
            Input::Recorded => self.on_recorded(now),
            Input::NotRecorded(batch) => self.on_not_recorded(now, batch),
            Input::Unsettled(amount) => self.purse.tell_unsettled(amount),
            Input::Slot { slot, count } => self.on_slot(slot, count),
            Input::Raise(fault) => self.faults.raise(fault),
            // Only a durable write ends what a failed one began.
            Input::Clear(Fault::Storage) if self.journal.failing => {}
            Input::Clear(fault) => {
                if let Fault::Slot(slot) = &fault {
                    self.slots.set(slot.clone(), self.slots.count(slot).cleared());
                }
                self.faults.clear(&fault);
                self.each_order(now, Order::settle);
            }
        }
        Ok(Done::Taken)
    }

    /// The next thing to do, `None` when nothing is to be done now.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        if self.journal.failing && self.journal.try_at.is_some() {
            return self.queue.pop_for_devices();
        }
        if self.faults.has(&Fault::Clock) {
            return self.queue.pop_all_but_calls();
        }
        self.queue.pop()
    }

    /// The calls that wait behind a record: they may be signed while it is written, and not sent.
    pub fn waiting_calls(&self) -> impl Iterator<Item = &Call> {
        self.queue.calls()
    }

    /// When to come back with [`Input::Timer`], and why.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<(Mono, WakeReason)> {
        let orders = self.orders.values().filter_map(Order::deadline).min();
        [
            self.session.deadline().map(|at| (at, WakeReason::Session)),
            orders.map(|at| (at, WakeReason::Order)),
            self.faults.deadline().map(|at| (at, WakeReason::Channel)),
            self.journal.try_at.map(|at| (at, WakeReason::Journal)),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// The faults that stand.
    pub fn faults(&self) -> impl Iterator<Item = &Fault> {
        self.faults.standing()
    }

    /// The order under this number while it is open.
    #[must_use]
    pub fn order(&self, order: OrderId) -> Option<&OrderRecord> {
        self.orders.get(&order).map(|order| &order.record)
    }

    /// All open orders.
    pub fn orders(&self) -> impl Iterator<Item = &OrderRecord> {
        self.orders.values().map(|order| &order.record)
    }

    /// What is known of a slot.
    #[must_use]
    pub fn slot(&self, slot: &SlotId) -> SlotCount {
        self.slots.count(slot)
    }

    /// The slots of which something is known.
    pub fn slots(&self) -> impl Iterator<Item = (&SlotId, &SlotCount)> {
        self.slots.counts()
    }

    /// A number that grows whenever what is known of a slot changes.
    #[must_use]
    pub const fn slot_changes(&self) -> u64 {
        self.slots.changes()
    }

    /// The order at the machine.
    #[must_use]
    pub fn order_at_machine(&self) -> Option<OrderId> {
        self.session.order()
    }

    /// Whether the machine's scanner lets codes through.
    #[must_use]
    pub const fn is_scanner_armed(&self) -> bool {
        self.scanner_armed
    }

    /// The settings it runs with.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    // ---- events ----

    /// No clock, no sale, and no call: each carries its time and a signature over it. Calls wait until the clock is right.
    fn watch_clock(&mut self, now: Now) {
        if now.wall.trusted {
            self.faults.clear(&Fault::Clock);
        } else {
            self.faults.raise(Fault::Clock);
        }
    }

    fn on_timer(&mut self, now: Now) {
        if self.journal.try_at.is_some_and(|at| at <= now.mono) {
            self.journal.try_at = None;
            if !self.queue.has_record() {
                self.queue.push(Effect::ProbeJournal);
            }
        }
        for channel in self.faults.due(now.mono) {
            if self.faults.has(&Fault::Network(channel)) {
                self.probe(channel);
            }
        }
        self.each_order(now, |order, office| order.on_timer(office));
        if self.session.deadline().is_some_and(|at| at <= now.mono) {
            self.on_session_over(now);
        }
    }

    fn probe(&mut self, channel: ChannelId) {
        let id = self.numbers.call();
        self.probes.insert(id, channel);
        self.queue.push(Effect::Call(Call { id, channel, request: Request::Probe }));
    }

    fn on_key(&mut self, now: Now, key: Key) -> Result<Done, Refused> {
        let done = match self.session.on_key(key, now.mono, &self.settings) {
            KeyPressed::Plan(order, digit) => self.on_plan_key(now, order, digit),
            KeyPressed::Ignored => return Ok(Done::Taken),
            KeyPressed::Taken => Ok(Done::Taken),
            KeyPressed::Buy(slot) => self.buy(now, slot).map(Done::Opened),
            KeyPressed::Cancel(order) => {
                self.cancel(now, order, CancelledBy::Buyer);
                Ok(Done::Taken)
            }
        };
        self.queue.push(Effect::Beep(if done.is_ok() { Beep::Taken } else { Beep::Bad }));
        done
    }

    fn on_cancel(&mut self, now: Now, id: OrderId) -> Result<Done, Refused> {
        let order = self.orders.get(&id).ok_or(Refused::NoSuchOrder(id))?;
        if order.record.is_paid() || order.is_taking() {
            return Err(Refused::AlreadyPaid(id));
        }
        self.cancel(now, id, CancelledBy::Api);
        Ok(Done::Taken)
    }

    fn cancel(&mut self, now: Now, id: OrderId, by: CancelledBy) {
        self.with_order(now, id, |order, office| order.cancel(office, by));
    }

    fn on_answered(&mut self, now: Now, call: CallId, answer: &Answer) {
        if let Some(channel) = self.probes.remove(&call) {
            match answer {
                Answer::Reachable(true) => self.faults.reached(channel),
                Answer::Reachable(false)
                | Answer::Code(_)
                | Answer::Payment(_)
                | Answer::Reversal(_)
                | Answer::Refund(_)
                | Answer::Duty(_) => self.faults.probe_failed(channel, now.mono, &self.settings.pace),
            }
            return;
        }
        let owner = self.orders.iter().find_map(|(id, order)| Some((*id, order.channel_of(call)?)));
        let Some((id, channel)) = owner else {
            return;
        };
        let reached = answer.doubt().is_none_or(|doubt| doubt.kind.was_reached());
        self.note_reach(now, channel, reached);
        self.with_order(now, id, |order, office| order.on_answer(office, call, answer));
    }

    fn note_reach(&mut self, now: Now, channel: ChannelId, reached: bool) {
        if reached {
            self.faults.reached(channel);
        } else {
            self.faults.lost(channel, now.mono, &self.settings.pace);
        }
    }

    /// What is known of a slot, from the journal. A lock that a fault stands for ends by clearing that fault.
    fn on_slot(&mut self, slot: SlotId, count: SlotCount) {
        if count.locked {
            self.faults.raise(Fault::Slot(slot.clone()));
        }
        self.slots.set(slot, count);
    }

    fn on_recorded(&mut self, now: Now) {
        self.journal = JournalHealth::default();
        self.slots.settle_sold(|order| !self.queue.has_record_of(order));
        self.faults.clear(&Fault::Storage);
        self.each_order(now, Order::on_recorded);
    }

    /// The disk refused. What waits behind the record keeps waiting; orders of which nothing is written are forgotten.
    fn on_not_recorded(&mut self, now: Now, batch: Vec<Record>) {
        self.faults.raise(Fault::Storage);
        self.journal.failing = true;
        let pace = self.settings.pace;
        self.journal.try_at = Some(self.journal.backoff.next(now.mono, pace.probe_ms, &pace));
        self.queue.put_back(batch);
        self.each_order(now, Order::forget_taking);
        for id in self.queue.unwritten_orders() {
            let calls = self.orders.remove(&id).map(|order| order.calls_on_their_way());
            self.queue.forget(id, &calls.unwrap_or_default());
            self.slots.forget(id);
            if self.session.order() == Some(id) {
                self.session = Session::Idle;
            }
        }
    }

    // ---- common ends ----

    fn office(&mut self, now: Now) -> Office<'_> {
        Office {
            now,
            settings: &self.settings,
            faults: &mut self.faults,
            queue: &mut self.queue,
            mint: &mut self.mint,
            numbers: &mut self.numbers,
            drops: self.drops,
            purse: &mut self.purse,
            slots: &mut self.slots,
        }
    }

    fn with_order(&mut self, now: Now, id: OrderId, event: impl FnOnce(&mut Order, &mut Office)) {
        if let Some(mut order) = self.orders.remove(&id) {
            event(&mut order, &mut self.office(now));
            self.orders.insert(id, order);
        }
    }

    fn each_order(&mut self, now: Now, event: impl Fn(&mut Order, &mut Office)) {
        let mut orders = std::mem::take(&mut self.orders);
        for order in orders.values_mut() {
            event(order, &mut self.office(now));
        }
        self.orders = orders;
    }

    /// After every event: faults take effect, the session follows its order, what is over is let go, and the devices
    /// are told what changed.
    fn finish(&mut self, now: Now) {
        self.follow_faults(now);
        self.follow_order(now);
        self.follow_choice();
        self.watch_duties(now);
        self.orders.retain(|_, order| !order.is_over());
        for (fault, began) in self.faults.take_news() {
            self.queue.push(if began { Effect::Raised(fault) } else { Effect::Cleared(fault) });
        }
        self.tell_devices();
    }

    /// A machine that cannot record, tell the time, deliver or reach the channel shows no code and takes none. But where
    /// member and voucher codes can be read, an order that no wallet has begun to pay waits on for one of these.
    fn follow_faults(&mut self, now: Now) {
        if is_planted(Mutant::CodeShownInFault) {
            return;
        }
        let payable = self.orders.values().filter(|order| order.is_payable());
        let waiting: Vec<(OrderId, bool)> = payable.map(|order| (order.record.order, self.is_blocked(order))).collect();
        for (id, blocked) in waiting {
            if blocked {
                self.cancel(now, id, CancelledBy::Fault);
            } else {
                self.with_order(now, id, Order::follow_channels);
            }
        }
    }

    fn is_blocked(&self, order: &Order) -> bool {
        let record = &order.record;
        let vends = record.items.iter().any(|item| item.item.slot.is_some());
        let codes = order.no_wallet_began() && self.takes_codes(record.who_scans, record.origin, record.amount);
        self.blocked_by(codes, vends).is_some()
    }

    /// The fault that keeps the machine from selling; a board may want a receipt for each sale.
    fn blocked_by(&self, codes: bool, vends: bool) -> Option<Fault> {
        let no_receipt = self.settings.printer_required && self.faults.has(&Fault::Printer);
        let anyway = self.faults.blocking(&self.settings.channels, codes, vends);
        anyway.or_else(|| no_receipt.then_some(Fault::Printer))
    }

    /// Whether a member or voucher code can be read for such an order, and the limits leave room for it.
    fn takes_codes(&self, who_scans: WhoScans, origin: Origin, amount: Fen) -> bool {
        self.codes_have_room(amount) && who_scans.takes_code() && (origin == Origin::Api || self.has_scanner())
    }

    fn codes_have_room(&self, amount: Fen) -> bool {
        self.settings.vouchers.as_ref().is_some_and(|limits| self.purse.has_room(amount, limits))
    }

    fn has_scanner(&self) -> bool {
        self.settings.has_scanner && !self.faults.has(&Fault::Scanner)
    }

    fn tell_devices(&mut self) {
        let armed = self.wants_scan();
        if armed != self.scanner_armed {
            self.scanner_armed = armed;
            self.queue.push(Effect::ArmScanner(armed));
        }
        let lamp = self.is_delivering();
        if lamp != self.lamp_on {
            self.lamp_on = lamp;
            self.queue.push(Effect::Lamp(lamp));
        }
    }

    fn wants_scan(&self) -> bool {
        let at_machine = self.session.order().and_then(|id| self.orders.get(&id));
        self.has_scanner() && at_machine.is_some_and(Order::wants_code)
    }

    fn is_delivering(&self) -> bool {
        self.session.order().and_then(|id| self.orders.get(&id)).is_some_and(Order::is_delivering)
    }
}
