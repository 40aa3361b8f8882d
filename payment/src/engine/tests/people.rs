//! What people do in the world: the buyer at the machine and with a phone, and who asks through the API.

use super::alipay::{Trade, Wallet};
use super::world::{World, said, slot};
use crate::channel::ChannelId;
use crate::engine::entry::{Said, SlotId};
use crate::engine::faults::Fault;
use crate::engine::input::{Done, Input, Key, NewOrder, RefundWanted, Refused};
use crate::engine::record::RefundStage;
use crate::engine::slots::SlotCount;
use crate::engine::view::View;
use crate::ids::{AttemptId, OrderId};
use crate::money::Fen;

impl World {
    // ---- the buyer ----

    pub fn key(&mut self, key: Key) -> Result<Done, Refused> {
        self.input(Input::Key(key))
    }

    /// Types a slot's number and presses OK.
    pub fn buy(&mut self, slot: &str) -> Result<Done, Refused> {
        for digit in slot.bytes() {
            self.key(Key::Digit(digit - b'0'))?;
        }
        self.key(Key::Ok)
    }

    /// A technician counts what is in a slot; `false` when the journal does not take it.
    pub fn technician_counts(&mut self, name: &str, stock: Option<u32>) -> bool {
        let slot = slot(name);
        self.technician_writes(&slot, |count| SlotCount { stock, ..count }).is_some_and(|count| {
            self.tell(Input::Slot { slot, count });
            true
        })
    }

    /// A technician repairs a slot and clears it; `false` when the journal does not take it.
    pub fn technician_clears(&mut self, name: &str) -> bool {
        let slot = slot(name);
        self.technician_writes(&slot, SlotCount::cleared).is_some_and(|_| {
            let _taken = self.input(Input::Clear(Fault::Slot(slot)));
            true
        })
    }

    fn technician_writes(&mut self, slot: &SlotId, change: impl FnOnce(SlotCount) -> SlotCount) -> Option<SlotCount> {
        let is_failing = self.refuse_writes || self.engine.faults().any(|fault| *fault == Fault::Storage);
        let count = change(self.engine.slot(slot));
        (!is_failing).then(|| self.slots.insert(slot.clone(), count))?;
        Some(count)
    }

    /// The first code on the screen, as an attempt.
    pub fn code_on_screen(&self) -> Option<AttemptId> {
        self.codes_on_screen().first().copied()
    }

    /// The codes on the screen, as attempts.
    pub fn codes_on_screen(&self) -> Vec<AttemptId> {
        let View::Pay { codes, .. } = self.view() else {
            return Vec::new();
        };
        let attempt = |text: &str| text.rsplit('/').next().and_then(|attempt| attempt.parse().ok());
        codes.iter().filter_map(|code| attempt(&code.text)).collect()
    }

    /// The code of this channel on the screen.
    pub fn code_of(&self, channel: ChannelId) -> Option<AttemptId> {
        let is_alipay = channel == ChannelId::Alipay;
        let of_it = |attempt: &AttemptId| self.alipay.trades.contains_key(attempt) == is_alipay;
        self.codes_on_screen().into_iter().find(of_it)
    }

    /// A phone scans this code.
    pub fn scan(&mut self, attempt: AttemptId) {
        let now = self.at;
        self.with_trade(attempt, |trade| trade.scan(now));
    }

    /// The buyer confirms this trade on the phone.
    pub fn confirm(&mut self, attempt: AttemptId) {
        self.with_trade(attempt, Trade::confirm);
    }

    /// The buyer refuses this trade on the phone.
    pub fn refuse(&mut self, attempt: AttemptId) {
        self.with_trade(attempt, Trade::refuse);
    }

    /// A confirmation lands although the trade was closed meanwhile.
    pub fn lands_despite_close(&mut self, attempt: AttemptId) {
        self.with_trade(attempt, Trade::pay);
    }

    /// The phone scans the code of this channel and pays.
    pub fn phone_pays_by(&mut self, channel: ChannelId) -> Option<AttemptId> {
        let attempt = self.code_of(channel)?;
        self.scan(attempt);
        self.confirm(attempt);
        Some(attempt)
    }

    /// The phone scans the screen.
    pub fn phone_scans(&mut self) -> Option<AttemptId> {
        let attempt = self.code_on_screen()?;
        self.scan(attempt);
        Some(attempt)
    }

    /// The phone scans the screen and pays.
    pub fn phone_pays(&mut self) {
        if let Some(attempt) = self.phone_scans() {
            self.confirm(attempt);
        }
    }

    /// Shows a new pay code to the scanner.
    pub fn show_pay_code(&mut self, wallet: Wallet) -> Result<Done, Refused> {
        self.number += 1;
        let line = format!("28{:016}", self.number);
        self.alipay.make_pay_code(&line, wallet, self.at);
        self.input(Input::Scanned(line))
    }

    /// Shows a new pay code of WeChat to the scanner.
    pub fn show_wechat_code(&mut self, wallet: Wallet) -> Result<Done, Refused> {
        self.number += 1;
        let line = format!("13{:016}", self.number);
        self.wechat.make_pay_code(&line, wallet, self.at);
        self.input(Input::Scanned(line))
    }

    /// The attempt with the buyer's pay code that came last.
    pub fn last_attempt(&self) -> Option<AttemptId> {
        self.order_ids().last().and_then(|order| self.record(*order).attempts.last().map(|attempt| attempt.attempt))
    }

    /// The buyer confirms on the phone whatever the last attempt is.
    pub fn confirms(&mut self) {
        if let Some(attempt) = self.last_attempt() {
            self.confirm(attempt);
        }
    }

    // ---- the API ----

    pub fn open(&mut self, order: NewOrder) -> Result<OrderId, Refused> {
        let done = self.input(Input::Open(Box::new(order)))?;
        let Done::Opened(order) = done else {
            panic!("opened, and told {done:?}");
        };
        Ok(order)
    }

    /// Asks for money back, after the order was loaded again if it is closed.
    pub fn refund(&mut self, order: OrderId, amount: Option<i64>) -> Result<Done, Refused> {
        self.wants_refund(order, amount, None)
    }

    /// Somebody asks for money back in his own name.
    pub fn asks_refund(&mut self, order: OrderId, amount: Option<i64>, by: &str) -> Result<Done, Refused> {
        self.wants_refund(order, amount, Some(said(by)))
    }

    fn wants_refund(&mut self, order: OrderId, amount: Option<i64>, said: Option<Said>) -> Result<Done, Refused> {
        self.load(order);
        self.input(Input::Refund(RefundWanted { order, amount: amount.map(Fen::new), idempotency: None, said }))
    }

    fn load(&mut self, order: OrderId) {
        let entries = self.entries(order);
        self.engine.load(self.now(), &entries);
    }

    /// Somebody decides about the refund of `order` that waits, if one does.
    pub fn decides_refund(&mut self, order: OrderId, approved: bool, by: &str) -> Option<Result<Done, Refused>> {
        let record = self.record(order);
        let refund = record.refunds.iter().find(|refund| refund.stage == RefundStage::Asked)?.refund;
        self.load(order);
        Some(self.input(Input::RefundDecided { order, refund, approved, said: said(by) }))
    }
}
