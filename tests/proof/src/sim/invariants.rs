//! What must always hold: the nine lines of the design's list, each as one or more named functions. Those here are checked
//! after every step; those of the end of a life are in `ending.rs`, that of a restart in `death.rs`.

use payment::channel::{ChannelId, Request};
use payment::engine::effect::{Call, Record, Vend};
use payment::engine::entry::{Entry, Item, OrderState};
use payment::engine::faults::Fault;
use payment::engine::input::Input;
use payment::engine::view::View;
use payment::ids::{AttemptId, OrderId, RefundId};
use payment::money::Fen;

use super::channel::attempt_of;
use super::ledger::{PAY_CODE_MS, Standing};
use super::machine::Run;
use super::verdict::{Wrong, must, violated};
use super::world::World;

impl World {
    /// After every input.
    pub(super) fn check(&mut self) {
        self.invariant_states_move_forward();
        self.invariant_open_orders_are_known();
        self.invariant_fault_shows_no_code();
        self.invariant_one_code_in_one_place();
        self.invariant_codes_say_what_was_chosen();
        self.invariant_refused_duty_is_visible();
        let armed = self.engine.is_scanner_armed();
        must!(self.scanner_armed == armed, Broken, "the engine thinks that the scanner is armed: {armed}");
    }

    /// Line 1: nothing leaves the terminal before its journal entry is durable. Line 2: an attempt has one number, and
    /// money moves under numbers that the journal knows.
    pub(super) fn invariant_call_is_journalled(&self, call: &Call) {
        let Some(attempt) = attempt_of(&call.request) else {
            return;
        };
        let channel = self.memory.channels.get(&attempt);
        must!(channel.is_some(), Lost, "a call under a number that no journal has: {call:?}");
        must!(channel == Some(&call.channel), Lost, "a call about an attempt of {channel:?}: {call:?}");
        match &call.request {
            Request::Cancel(_) | Request::Close(_) => {
                let written = self.memory.reversing.contains(&attempt);
                must!(written, Broken, "undone before it was written: {call:?}");
            }
            Request::Refund(refund) | Request::RefundQuery(refund) => {
                let of = self.memory.refunds.get(&refund.refund);
                must!(of == Some(&attempt), Doubled, "a refund under a number that no journal has: {call:?}");
            }
            Request::Duty(duty) => {
                let written = self.memory.duties.contains(&(attempt, duty.kind));
                must!(written, Broken, "a delivery is told before it was written: {call:?}");
            }
            Request::ShowCode(_) | Request::TakeCode(..) | Request::Query(_) | Request::Probe => {}
        }
    }

    /// Line 8: a call carries its time and a signature over it, so none leaves while the time is not certain.
    pub(super) fn invariant_no_call_without_the_time(&self, call: &Call) {
        let stands = self.engine.faults().any(|fault| *fault == Fault::Clock);
        must!(self.trusted && !stands, Broken, "a call leaves without the time: {call:?}");
    }

    /// What an entry claims is true when it is written.
    pub(super) fn invariant_entry_follows(&mut self, record: &Record) {
        let entry = &record.entry;
        let order = entry.order();
        let known = self.memory.states.entry(order).or_insert(OrderState::Waiting);
        must!(
            known.may_become(record.state),
            Broken,
            "{order} went back from {known:?} to {:?}: {entry:?}",
            record.state
        );
        *known = record.state;
        match entry {
            Entry::AttemptStarted { attempt, channel, instalment, .. } => {
                let new = self.memory.started.insert(*attempt, order).is_none();
                must!(new, Doubled, "{attempt} is started again");
                self.memory.channels.insert(*attempt, *channel);
                self.note_fail_over(entry);
                self.memory.instalments.insert(*attempt, *instalment);
            }
            Entry::ReverseStarted { attempt, .. } => {
                must!(self.memory.reversing.insert(*attempt), Broken, "{attempt} is undone a second time");
            }
            Entry::RefundStarted { refund, attempt, .. } => {
                let new = self.memory.refunds.insert(*refund, *attempt).is_none();
                must!(new, Doubled, "{refund} is started again");
                self.invariant_refund_is_permitted(entry);
                self.invariant_no_more_is_returned_than_was_paid(entry);
            }
            Entry::RefundAsked { refund, said, .. } => drop(self.memory.asked.insert(*refund, said.clone())),
            Entry::RefundDecided { refund, approved, said, .. } => {
                self.invariant_another_person_decides(*refund, *approved, said);
            }
            Entry::RefundFailed { refund, .. } => self.invariant_refund_failed_for_good(*refund),
            Entry::DutyBegun { attempt, duty, .. } => {
                must!(self.memory.duties.insert((*attempt, *duty)), Doubled, "{attempt} is owed a second word");
            }
            Entry::DutyDone { said: Some(_), .. } => {}
            Entry::DutyDone { attempt, .. } => self.invariant_delivery_was_told(*attempt),
            Entry::AttemptPaid { attempt, .. } => self.invariant_paid_is_true(order, *attempt),
            Entry::AttemptNotPaid { attempt, code, .. } => self.invariant_not_paid_is_certain(*attempt, code),
            Entry::VendStarted { item, .. } => self.invariant_item_is_started_once(order, *item),
            Entry::RefundDone { refund, .. } => self.invariant_refund_moved(*refund),
            Entry::OrderOpened { items, .. } => self.invariant_jammed_machine_sells_nothing(order, items),
            Entry::CashTaken { .. }
            | Entry::OrderCancelled { .. }
            | Entry::VendEnded { .. }
            | Entry::RefundOwed { .. }
            | Entry::DutyRefused { .. }
            | Entry::OrderClosed { .. } => {}
        }
    }

    /// Line 3: "paid" is what the ledger says.
    fn invariant_paid_is_true(&mut self, order: OrderId, attempt: AttemptId) {
        if self.memory.paid.contains(&order) {
            self.tally.add("second payment");
        }
        if self.is_by_code(attempt) {
            self.memory.paid.insert(order);
            return;
        }
        let charged = self.channels.trade(attempt).is_some_and(|trade| trade.charged.is_positive());
        must!(charged, Doubled, "{attempt} is written as paid, and nobody paid");
        self.memory.paid.insert(order);
    }

    /// Line 3: not knowing is a state. "Not paid" is said only when nothing can be paid any more.
    fn invariant_not_paid_is_certain(&self, attempt: AttemptId, code: &str) {
        must!(!self.is_being_sent(attempt), Lost, "{attempt} is {code}, and its pay request is still on its way");
        let Some(trade) = self.channels.trade(attempt) else {
            return;
        };
        let payable = match trade.standing {
            Standing::Code { valid_until } => trade.seen && self.at <= valid_until,
            Standing::Confirming { until } => self.at <= until,
            Standing::Paid => true,
            Standing::Closed => false,
        };
        must!(!payable, Lost, "{attempt} is {code}, and its channel says {:?} at {}", trade.standing, self.at);
    }

    /// Line 3: "returned" is what the ledger says: as much is back as was written as returned, by whichever call.
    fn invariant_refund_moved(&mut self, refund: RefundId) {
        let Some(attempt) = self.memory.refunds.get(&refund).copied().filter(|attempt| !self.is_by_code(*attempt))
        else {
            return;
        };
        let new = self.memory.refunds_done.insert(refund);
        must!(new, Doubled, "{refund} is written as done again");
        let done = self.memory.refunds_done.iter().filter(|done| self.memory.refunds.get(done) == Some(&attempt));
        let written: Fen = done.filter_map(|done| self.memory.refund_amounts.get(done).copied()).sum();
        let back = self.channels.trade(attempt).map_or(Fen::ZERO, |trade| trade.is_back(self.at));
        must!(written <= back, Lost, "{refund} is written as done: of {attempt} {written:?}, and {back:?} is back");
    }

    /// Line 4: no item is dispensed twice.
    fn invariant_item_is_started_once(&mut self, order: OrderId, item: usize) {
        must!(self.memory.vends.insert((order, item)), Doubled, "item {item} of {order} is started again");
    }

    /// Line 4: no goods without confirmed payment, none for somebody who has left, and a motor turns only for an entry of
    /// this very run: never by recovery.
    pub(super) fn invariant_motor_is_permitted(&self, vend: &Vend) -> Run {
        let Some(run) = self.machine.permitted(&vend.slot) else {
            violated(Wrong::Doubled, format!("a motor turns without a durable entry of this run: {vend:?}"));
        };
        must!(self.memory.paid.contains(&run.order), Doubled, "{} is not paid, and its motor turns", run.order);
        let here = self.engine.order_at_machine();
        must!(here == Some(run.order), Lost, "goods of {} fall in front of {here:?}", run.order);
        run.clone()
    }

    /// Line 5: the public state of an order only moves forward, but for money that must go back once more.
    fn invariant_states_move_forward(&mut self) {
        if self.is_journal_failing() {
            // What cannot be written yet is not public either.
            return;
        }
        for record in self.engine.orders() {
            let known = self.memory.states.entry(record.order).or_insert(OrderState::Waiting);
            let state = record.state();
            must!(known.may_become(state), Broken, "{} went back from {known:?} to {state:?}", record.order);
            *known = state;
        }
    }

    /// Line 5: an open order is never dropped, by age or by anything else: what the journal holds open, the engine knows.
    fn invariant_open_orders_are_known(&self) {
        if self.is_journal_failing() {
            return;
        }
        let known = self.engine.orders().map(|record| record.order);
        let open = self.memory.open.iter().copied();
        must!(
            known.eq(open),
            Lost,
            "open in the journal and unknown to the engine, or the reverse: {:?}",
            self.memory.open
        );
    }

    /// Line 8: a machine that cannot record, tell the time or reach the channel shows no code and arms no scanner.
    fn invariant_fault_shows_no_code(&mut self) {
        let shown = self.codes_on_screen();
        for attempt in &shown {
            if let Some(trade) = self.channels.holder_mut(*attempt).and_then(|channel| channel.trades.get_mut(attempt))
            {
                trade.seen = true;
            }
        }
        for fault in self.engine.faults() {
            let (blocked, no_scanner) = blocks(fault);
            let stops = |attempt: &AttemptId| match blocked {
                Blocked::Nothing => false,
                Blocked::Channel(channel) => self.memory.channels.get(attempt) == Some(&channel),
                Blocked::Everything => true,
            };
            must!(!shown.iter().any(stops), Broken, "a code is shown in spite of {fault:?}");
            must!(!no_scanner || !self.scanner_armed, Broken, "the scanner is armed in spite of {fault:?}");
        }
        if matches!(self.view(), View::Idle { .. } | View::OutOfService { .. }) {
            must!(!self.scanner_armed && !self.lamp_on, Broken, "nobody is here, and the devices wait for somebody");
        }
    }

    /// What keeps the machine from delivering, before this input. What it sold by itself for coins has fallen already.
    pub(super) fn jams_for(&self, input: &Input) -> Vec<Fault> {
        let sold_already = matches!(input, Input::CashSale(_));
        let is_jam = |fault: &&Fault| !sold_already && matches!(fault, Fault::Machine | Fault::Slot(_));
        self.engine.faults().filter(is_jam).cloned().collect()
    }

    /// The orders that are new were opened in spite of these. Their entries may be durable much later.
    pub(super) fn note_openings(&mut self, jams: &[Fault]) {
        for record in self.engine.orders() {
            self.memory.jams.entry(record.order).or_insert_with(|| jams.to_vec());
        }
    }

    /// Line 8: a machine that cannot deliver sells nothing, and a slot that is jammed nothing of its own.
    fn invariant_jammed_machine_sells_nothing(&self, order: OrderId, items: &[Item]) {
        let mut slots = items.iter().filter_map(|item| item.slot.as_ref());
        let mut stops =
            |fault: &Fault| slots.any(|slot| matches!(fault, Fault::Machine) || *fault == Fault::Slot(slot.clone()));
        let stopped = self.memory.jams.get(&order).and_then(|jams| jams.iter().find(|jam| stops(jam)));
        must!(stopped.is_none(), Broken, "{order} is sold in spite of {stopped:?}");
    }

    /// A timer that was served does not want to be served again at once.
    pub(super) fn invariant_timer_was_served(&self) {
        let now = self.now().mono;
        if let Some((at, why)) = self.engine.poll_timeout() {
            must!(at > now, Stuck, "the timer for {why:?} stays due: {:#?}", self.engine);
        }
    }

    /// Whether the journal does not take writes now.
    pub(super) fn is_journal_failing(&self) -> bool {
        self.store.as_ref().is_none_or(super::store::Store::is_failing)
    }

    /// Whether a pay request of this attempt is on its way and its code would still be good.
    fn is_being_sent(&self, attempt: AttemptId) -> bool {
        self.pay_requests().any(|(of, sent, arrives)| of == attempt && arrives <= sent + PAY_CODE_MS)
    }
}

/// Whether a fault forbids a code on the screen, and an armed scanner: the operator's own codes need no channel. What a
/// jam forbids is to open an order: [`World::invariant_jammed_machine_sells_nothing`].
const fn blocks(fault: &Fault) -> (Blocked, bool) {
    match fault {
        Fault::Storage | Fault::Clock | Fault::SwitchedOff | Fault::JournalFull => (Blocked::Everything, true),
        Fault::Network(channel) | Fault::Setup(channel) => (Blocked::Channel(*channel), false),
        Fault::Hub
        | Fault::Duty(_)
        | Fault::Scanner
        | Fault::Machine
        | Fault::Slot(_)
        | Fault::Display
        | Fault::Printer => (Blocked::Nothing, false),
    }
}

/// The codes that may not be shown.
#[derive(Clone, Copy)]
enum Blocked {
    Nothing,
    Channel(ChannelId),
    Everything,
}
