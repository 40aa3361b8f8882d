//! The end of a life: the weather clears, everything comes to rest, and the books are added up to the fen.

use payment::engine::entry::{RefundReason, VendResult};
use payment::engine::faults::Fault;
use payment::engine::input::Input;
use payment::engine::record::{OrderRecord, RefundRecord, RefundStage, VendRecord};
use payment::ids::OrderId;

use super::network::Weather;
use super::people::{SLOTS, slot};
use super::verdict::{Wrong, must, violated};
use super::world::{BEGIN_MS, World};

/// Longer than any clock jump of a life takes to be noticed.
const SOON_MS: u64 = 1_000;

impl World {
    /// Everything works again, and has time.
    pub(super) fn clear_up(&mut self) {
        self.note(|| "the weather clears".to_owned());
        self.death = None;
        self.channels.set_weather(Weather::default());
        self.channels.cheer_up();
        self.mend_disk();
        self.trusted = true;
        self.machine.jammed.clear();
        for fault in [Fault::Scanner, Fault::Machine, Fault::SwitchedOff, Fault::Display] {
            let _taken = self.input(Input::Clear(fault));
        }
        self.machine.ready = true;
        for name in SLOTS {
            let _taken = self.input(Input::Clear(Fault::Slot(slot(name))));
        }
        self.run(SOON_MS);
        self.settle();
        // A hub does not believe a terminal whose clock is wrong.
        self.wall_shift = if self.hub.is_some() { BEGIN_MS } else { self.wall_shift };
    }

    /// Everything that must hold when nothing moves any more.
    pub(super) fn judge(&mut self) {
        self.invariant_everything_rests();
        self.syncs_all();
        for order in self.memory.orders().collect::<Vec<_>>() {
            self.invariant_order_has_ended(order);
        }
        self.invariant_no_money_without_a_number();
        self.invariant_channels_and_journal_agree();
        self.invariant_spent_numbers_moved_nothing();
        self.invariant_deliveries_were_told();
        self.invariant_cash_is_recorded();
        self.invariant_journal_says_what_it_told();
        self.invariant_journal_verifies();
        self.invariant_hub_has_each_entry_once_in_order();
    }

    /// Line 5: nothing is stuck, and the machine sells again.
    fn invariant_everything_rests(&mut self) {
        let faults: Vec<_> = self.engine.faults().collect();
        must!(faults.is_empty(), Stuck, "in fine weather, and still: {faults:?}");
        let open: Vec<_> = self.engine.orders().map(|record| record.order).collect();
        must!(open.is_empty(), Stuck, "still open: {open:?}");
        let sold = self.buys(SLOTS[0]);
        must!(sold.is_ok(), Stuck, "the machine does not sell again: {sold:?}");
        self.run(1_000);
        let (codes, places) = (self.codes_on_screen().len(), self.settings.shows.len().max(1));
        let _cancelled = self.input(Input::Key(payment::engine::input::Key::Cancel));
        self.settle();
        let all = codes == places || !self.settings.who_scans.shows_code();
        must!(all, Stuck, "{codes} codes are shown in fine weather, and there are places for {places}");
    }

    /// Line 5 and 6: every order has ended, once, and its buyer has paid what the goods that were had are worth.
    fn invariant_order_has_ended(&self, order: OrderId) {
        let Some(record) = self.memory.record(order) else {
            violated(Wrong::Broken, format!("{order} has no opening"));
        };
        must!(record.ending.is_some(), Stuck, "{order} never ended: {record:#?}");
        let settled = |refund: &RefundRecord| match refund.stage {
            RefundStage::Asked | RefundStage::Declined | RefundStage::Replaced => true,
            RefundStage::Sent | RefundStage::Failed => false,
            RefundStage::Done => refund.owed.is_none(),
        };
        must!(record.refunds.iter().all(settled), Lost, "{order} has ended, and money is still owed: {record:#?}");
        let open = record.attempts.iter().find(|attempt| attempt.end.is_none());
        must!(open.is_none(), Lost, "{order} has ended, and an attempt of it has not: {record:#?}");
        let trades = record.attempts.iter().filter_map(|attempt| self.channels.trade(attempt.attempt));
        let net = trades.map(|trade| trade.net().get()).sum::<i64>() + self.paid_by_code(order);
        let due = self.due(&record);
        must!(net <= due, Lost, "the buyer of {order} paid {net} fen, and {due} were due: {record:#?}");
        must!(net >= due, Doubled, "the buyer of {order} paid {net} fen, and {due} were due: {record:#?}");
    }

    /// What the buyer shall have paid in the end.
    fn due(&self, record: &OrderRecord) -> i64 {
        let by_hand =
            record.refunds.iter().filter(|refund| refund.reason == RefundReason::Operator && refund.is_done());
        let by_hand: i64 = by_hand.map(|refund| refund.amount.get()).sum();
        let late = record.refunds.iter().any(|refund| refund.reason == RefundReason::Late);
        if record.cash.is_positive() {
            must!(record.cash == record.amount && record.attempts.is_empty(), Broken, "not a cash sale: {record:#?}");
            return 0;
        }
        let had: i64 = self.had(record);
        if record.winner().is_none() || late {
            must!(had == 0, Doubled, "goods without money: {record:#?}");
            return 0;
        }
        had - by_hand
    }

    /// What the goods that the buyer has are worth.
    fn had(&self, record: &OrderRecord) -> i64 {
        let late = record.refunds.iter().any(|refund| refund.reason == RefundReason::Late);
        // What a person hands over is had when the payment counts.
        let handed_over = record.winner().is_some() && !late;
        if record.items.is_empty() {
            return if handed_over { record.amount.get() } else { 0 };
        }
        let items = record.items.iter().enumerate();
        let had = items.filter(|(index, item)| match item.item.slot {
            Some(_) => self.is_had(record.order, *index, item.vend),
            None => handed_over,
        });
        had.map(|(_, item)| item.item.price.get()).sum()
    }

    /// Whether the buyer has the item: by the sensor, or by the terminal's word where the machine has none.
    fn is_had(&self, order: OrderId, item: usize, vend: VendRecord) -> bool {
        let fell = self.machine.fallen.contains(&(order, item));
        let told = vend == VendRecord::Ended(VendResult::Dropped);
        must!(fell || !told, Lost, "item {item} of {order} is told fallen, and it did not");
        if self.machine.counter.is_some() { fell } else { told }
    }

    /// Line 2: the channel knows no trade under a number that the journal does not have.
    fn invariant_no_money_without_a_number(&self) {
        let mut trades = self.channels.trades().map(|(attempt, _)| attempt);
        let unknown = trades.find(|attempt| !self.memory.started.contains_key(attempt));
        must!(unknown.is_none(), Lost, "the channel has a trade under {unknown:?}, and the journal does not");
    }

    /// Line 1 and 6: the journal holds all that it ever called durable, and nothing else.
    fn invariant_journal_says_what_it_told(&mut self) {
        let entries = self.store.as_ref().map(|store| self.disk.entries_since(store, 0)).unwrap_or_default();
        let told = &self.memory.told;
        must!(entries.len() >= told.len(), Lost, "{} entries are left of {}", entries.len(), told.len());
        must!(entries == *told, Broken, "the journal does not say what it told");
    }

    /// Line 9: the chain is whole, and the tables beside it say what the entries say.
    fn invariant_journal_verifies(&mut self) {
        match self.disk.verify() {
            Ok(report) => must!(report.is_sound(), Broken, "the journal does not verify: {:?}", report.faults),
            Err(error) => violated(Wrong::Broken, error),
        }
    }
}
