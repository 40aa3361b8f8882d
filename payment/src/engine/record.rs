//! What is known of an order: its entries, added up. The engine, the journal's readers and the API all use this one sum.

mod duty;
mod refund;

use super::attempt::Subject;
use super::entry::{
    CancelledBy, Ending, Entry, IdempotencyKey, Item, Method, OrderState, Origin, RefundReason, ReverseReason, Stored,
    VendResult, VoucherUse, WhoScans,
};
use crate::channel::outcome::Details;
use crate::channel::{ChannelId, Instalment, Trade, Wallet};
use crate::ids::{AttemptId, OrderId};
use crate::money::Fen;
use crate::time::Wall;
pub use duty::DutyRecord;
pub use refund::{Decision, RefundRecord, RefundStage};

/// An order as its entries tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRecord {
    /// Its number.
    pub order: OrderId,
    /// What it costs.
    pub amount: Fen,
    /// ISO 4217.
    pub currency: String,
    /// What is bought.
    pub items: Vec<ItemRecord>,
    /// Who may scan.
    pub who_scans: WhoScans,
    /// Where it came from.
    pub origin: Origin,
    /// The line for the buyer's bill.
    pub subject: String,
    /// How long the buyer had to pay, in milliseconds.
    pub pay_within_ms: u64,
    /// What a person took in cash beforehand; not part of `amount`.
    pub down_payment: Fen,
    /// The plan of instalments that was agreed at the opening.
    pub instalment: Option<Instalment>,
    /// The caller's own number.
    pub reference: Option<String>,
    /// The caller's key.
    pub idempotency: Option<IdempotencyKey>,
    /// When it was opened.
    pub opened_at: Wall,
    /// The attempts, oldest first.
    pub attempts: Vec<AttemptRecord>,
    /// Coins and notes that the machine took for it.
    pub cash: Fen,
    /// The refunds, oldest first.
    pub refunds: Vec<RefundRecord>,
    /// What is owed to channels after the delivery.
    pub duties: Vec<DutyRecord>,
    /// Who ended the wait for payment.
    pub cancelled: Option<CancelledBy>,
    /// The first payment came while the order still waited for it, and before a cancel of it could have left.
    pub paid_in_time: bool,
    /// How it ended, while nothing is open about it.
    pub ending: Option<Ending>,
    /// It was closed before: what was due by itself was returned then.
    pub(crate) was_closed: bool,
    first_paid: Option<AttemptId>,
    state: OrderState,
}

/// One item and its way to the buyer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemRecord {
    /// What it is.
    pub item: Item,
    /// How its delivery stands.
    pub vend: VendRecord,
    /// What the machine charged for it, where that is less than its price.
    pub taken: Option<Fen>,
}

/// How a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VendRecord {
    /// Not begun.
    Waiting,
    /// The motor was to turn.
    Started {
        /// The machine's drop counter before it.
        drops_before: Option<u64>,
    },
    /// Over.
    Ended(VendResult),
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRecord {
    /// Its number.
    pub attempt: AttemptId,
    /// Its channel.
    pub channel: ChannelId,
    /// Its method.
    pub method: Method,
    /// Its amount.
    pub amount: Fen,
    /// When it got its number.
    pub begun: Wall,
    /// Whose code was shown or read; `None` for one code that several wallets can scan.
    pub wallet: Option<Wallet>,
    /// The plan of instalments that the buyer chose.
    pub instalment: Option<Instalment>,
    /// Why it is or was undone.
    pub reversing: Option<ReverseReason>,
    /// The operator's code that it spends of.
    pub voucher: Option<VoucherUse>,
    /// How it ended.
    pub end: Option<AttemptEnd>,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptEnd {
    /// The money was taken.
    Paid {
        /// The channel's number.
        trade_no: String,
        /// When, in the channel's words.
        paid_at: Option<String>,
        /// The buyer's masked account.
        buyer: Option<String>,
        /// What else the channel told.
        details: Details,
        /// When the terminal learnt of it.
        noted_at: Wall,
    },
    /// No money was taken.
    NotPaid {
        /// The channel's code or our word.
        code: String,
    },
}

impl OrderRecord {
    /// Adds up the entries of one order. `None` when they do not begin with its opening.
    #[must_use]
    pub fn from_entries(entries: &[Stored]) -> Option<Self> {
        let (first, rest) = entries.split_first()?;
        let mut record = Self::opened(&first.entry, first.at)?;
        for stored in rest {
            record.apply(&stored.entry, stored.at);
        }
        Some(record)
    }

    /// The record of a new order; `None` for any other entry.
    pub(crate) fn opened(entry: &Entry, at: Wall) -> Option<Self> {
        let Entry::OrderOpened {
            order,
            amount,
            currency,
            items,
            who_scans,
            origin,
            subject,
            pay_within_ms,
            down_payment,
            instalment,
            reference,
            idempotency,
        } = entry
        else {
            return None;
        };
        Some(Self {
            order: *order,
            amount: *amount,
            currency: currency.clone(),
            items: items.iter().cloned().map(ItemRecord::waiting).collect(),
            who_scans: *who_scans,
            origin: *origin,
            subject: subject.clone(),
            pay_within_ms: *pay_within_ms,
            down_payment: *down_payment,
            instalment: *instalment,
            reference: reference.clone(),
            idempotency: idempotency.clone(),
            opened_at: at,
            attempts: Vec::new(),
            cash: Fen::ZERO,
            refunds: Vec::new(),
            duties: Vec::new(),
            cancelled: None,
            paid_in_time: false,
            ending: None,
            was_closed: false,
            first_paid: None,
            state: OrderState::Waiting,
        })
    }

    /// The order's public state.
    #[must_use]
    pub const fn state(&self) -> OrderState {
        self.state
    }

    /// Moves the public state to `state` if it may become that.
    pub(crate) fn advance_state(&mut self, state: OrderState) {
        if self.state.may_become(state) {
            self.state = state;
        }
    }

    /// Adds one entry to the sum.
    pub(crate) fn apply(&mut self, entry: &Entry, at: Wall) {
        self.ending = None;
        match entry {
            Entry::OrderOpened { .. } => {}
            Entry::AttemptStarted { attempt, channel, method, amount, voucher, wallet, instalment, .. } => {
                let (attempt, channel, method, amount) = (*attempt, *channel, *method, *amount);
                let voucher = voucher.clone();
                self.attempts.push(AttemptRecord {
                    attempt,
                    channel,
                    method,
                    amount,
                    begun: at,
                    wallet: *wallet,
                    instalment: *instalment,
                    reversing: None,
                    voucher,
                    end: None,
                });
                if method == Method::TakeCode {
                    self.advance_state(OrderState::Confirming);
                }
            }
            Entry::CashTaken { amount, .. } => self.take_cash(*amount),
            Entry::AttemptPaid { attempt, trade_no, paid_at, buyer, details, .. } => {
                let keeps = !self.attempt(*attempt).is_some_and(AttemptRecord::may_still_be_cancelled);
                self.paid_in_time |= self.first_paid.is_none() && self.cancelled.is_none() && keeps;
                self.first_paid = self.first_paid.or(Some(*attempt));
                let (trade_no, paid_at, buyer) = (trade_no.clone(), paid_at.clone(), buyer.clone());
                self.end_attempt(
                    *attempt,
                    AttemptEnd::Paid { trade_no, paid_at, buyer, details: details.clone(), noted_at: at },
                );
            }
            Entry::AttemptNotPaid { attempt, code, .. } => {
                self.end_attempt(*attempt, AttemptEnd::NotPaid { code: code.clone() });
            }
            Entry::ReverseStarted { attempt, reason, .. } => {
                if let Some(known) = self.attempts.iter_mut().find(|known| known.attempt == *attempt) {
                    known.reversing = Some(*reason);
                }
                self.advance_state(OrderState::Unknown);
            }
            Entry::OrderCancelled { by, .. } => self.cancelled = Some(*by),
            Entry::VendStarted { item, drops_before, .. } => {
                self.set_vend(*item, VendRecord::Started { drops_before: *drops_before });
            }
            Entry::VendEnded { item, result, taken, .. } => {
                self.set_vend(*item, VendRecord::Ended(*result));
                self.set_taken(*item, *taken);
            }
            Entry::RefundStarted { .. }
            | Entry::RefundAsked { .. }
            | Entry::RefundDecided { .. }
            | Entry::RefundFailed { .. }
            | Entry::RefundDone { .. }
            | Entry::RefundOwed { .. } => self.apply_refund(entry, at),
            Entry::DutyBegun { .. } | Entry::DutyDone { .. } | Entry::DutyRefused { .. } => self.apply_duty(entry, at),
            Entry::OrderClosed { ending, .. } => {
                self.ending = Some(*ending);
                self.was_closed = true;
            }
        }
        self.advance_state(self.state_of_facts());
    }

    /// The machine has sold by itself, and says so because the buyer has it all.
    fn take_cash(&mut self, amount: Fen) {
        self.cash = amount;
        for item in self.items.iter_mut().filter(|item| item.item.slot.is_some()) {
            item.vend = VendRecord::Ended(VendResult::Dropped);
        }
    }

    fn end_attempt(&mut self, attempt: AttemptId, end: AttemptEnd) {
        if let Some(known) = self.attempts.iter_mut().find(|known| known.attempt == attempt) {
            known.end = Some(end);
        }
    }

    fn set_vend(&mut self, item: usize, vend: VendRecord) {
        if let Some(known) = self.items.get_mut(item) {
            known.vend = vend;
        }
    }

    /// A machine that claims to have taken more than was paid for the item took what was paid.
    fn set_taken(&mut self, item: usize, taken: Option<Fen>) {
        if let Some(known) = self.items.get_mut(item) {
            known.taken = taken.filter(|taken| *taken < known.item.price && taken.get() >= 0);
        }
    }

    fn state_of_facts(&self) -> OrderState {
        if let Some(ending) = self.ending {
            return match ending {
                // A second payment was owed back for a while: the state moves on, never back.
                Ending::Delivered if self.state > OrderState::Completed => OrderState::Refunded,
                Ending::Delivered => OrderState::Completed,
                Ending::Cancelled => OrderState::Cancelled,
                Ending::Expired => OrderState::Expired,
                Ending::Failed => OrderState::Failed,
                Ending::Refunded => OrderState::Refunded,
            };
        }
        let moving = || self.refunds.iter().filter(|refund| refund.moves_money());
        // What was paid twice and goes back changes nothing for a buyer who has the goods.
        let is_given_back = moving().any(|refund| refund.reason != RefundReason::PaidTwice);
        if self.refunds.iter().any(|refund| refund.owed.is_some()) {
            OrderState::Owed
        } else if is_given_back && moving().any(|refund| !refund.is_done()) {
            OrderState::Refunding
        } else if is_given_back {
            OrderState::Refunded
        } else if self.is_delivered() {
            // A code that lost may still be watched: that keeps the order open, not the buyer waiting.
            OrderState::Completed
        } else if self.is_begun() {
            OrderState::Delivering
        } else if self.is_paid() {
            OrderState::Paid
        } else if self.cancelled.is_some() {
            OrderState::Cancelling
        } else {
            OrderState::Waiting
        }
    }

    /// The attempt that paid for the order: the first that was found paid.
    #[must_use]
    pub fn winner(&self) -> Option<&AttemptRecord> {
        self.attempt(self.first_paid?)
    }

    /// Whether it is paid, by an attempt or in cash.
    #[must_use]
    pub fn is_paid(&self) -> bool {
        self.first_paid.is_some() || self.cash.is_positive()
    }

    /// The attempt under this number.
    #[must_use]
    pub fn attempt(&self, attempt: AttemptId) -> Option<&AttemptRecord> {
        self.attempts.iter().find(|known| known.attempt == attempt)
    }

    /// What the buyer has paid over all attempts, refunds not taken off.
    #[must_use]
    pub fn paid(&self) -> Fen {
        let attempts: Fen =
            self.attempts.iter().filter(|attempt| attempt.is_paid()).map(|attempt| attempt.amount).sum();
        [attempts, self.cash].into_iter().sum()
    }

    /// What went back or is on its way back of `attempt`'s money.
    #[must_use]
    pub fn returned_of(&self, attempt: AttemptId) -> Fen {
        let of_it = |refund: &&RefundRecord| refund.attempt == attempt && refund.counts();
        self.refunds.iter().filter(of_it).map(|refund| refund.amount).sum()
    }

    /// What of `attempt`'s money neither went back nor is on its way back.
    #[must_use]
    pub(crate) fn stays_of(&self, attempt: AttemptId) -> Fen {
        self.attempt(attempt).map_or(Fen::ZERO, |known| known.amount.less(self.returned_of(attempt)))
    }

    /// Whether the terminal itself decided to return money of the payment that bought the order.
    #[must_use]
    pub fn is_given_back(&self) -> bool {
        let own = |reason| matches!(reason, RefundReason::Undelivered | RefundReason::Late | RefundReason::Change);
        self.refunds.iter().any(|refund| own(refund.reason))
    }

    /// Whether the buyer paid and has everything.
    #[must_use]
    pub fn is_delivered(&self) -> bool {
        let accepted = self.paid_in_time || self.is_begun() || self.cash.is_positive();
        self.is_paid() && accepted && self.delivered_worth() == self.amount
    }

    /// Whether the delivery was begun.
    #[must_use]
    pub(crate) fn is_begun(&self) -> bool {
        self.items.iter().any(|item| item.vend != VendRecord::Waiting)
    }

    /// Whether the buyer has every item, whatever the machine charged for it.
    #[must_use]
    pub fn has_everything(&self) -> bool {
        self.items.iter().all(ItemRecord::is_delivered)
    }

    /// What went back for certain.
    #[must_use]
    pub fn refunded(&self) -> Fen {
        self.refunds.iter().filter(|refund| refund.is_done()).map(|refund| refund.amount).sum()
    }

    /// The price of what was delivered, less the down payment; the whole amount for an order without items.
    #[must_use]
    pub fn delivered_worth(&self) -> Fen {
        if self.items.is_empty() {
            return self.amount;
        }
        let delivered = self.items.iter().filter(|item| item.is_delivered());
        delivered.map(ItemRecord::worth).sum::<Fen>().less(self.down_payment)
    }
}

impl ItemRecord {
    fn waiting(item: Item) -> Self {
        Self { item, vend: VendRecord::Waiting, taken: None }
    }

    /// What of the payment is for it, when the buyer has it.
    #[must_use]
    pub fn worth(&self) -> Fen {
        self.taken.unwrap_or(self.item.price)
    }

    /// Whether the buyer has it. What a person hands over counts as delivered.
    #[must_use]
    pub fn is_delivered(&self) -> bool {
        self.item.slot.is_none() || self.vend == VendRecord::Ended(VendResult::Dropped)
    }
}

impl AttemptRecord {
    /// What never changes about it.
    pub(crate) const fn subject(&self) -> Subject {
        let Self { attempt, channel, method, amount, begun, wallet, instalment, .. } = *self;
        Subject { attempt, channel, method, amount, begun, wallet, instalment }
    }

    /// What a call about it names.
    #[must_use]
    pub fn trade(&self) -> Trade {
        let trade_no = match &self.end {
            Some(AttemptEnd::Paid { trade_no, .. }) => Some(trade_no.clone()),
            Some(AttemptEnd::NotPaid { .. }) | None => None,
        };
        Trade { trade_no, ..self.subject().trade() }
    }

    /// Whether the buyer's money was taken.
    #[must_use]
    pub const fn is_paid(&self) -> bool {
        matches!(self.end, Some(AttemptEnd::Paid { .. }))
    }

    /// What the buyer paid of the amount, where the channel told that discounts make it another sum.
    #[must_use]
    pub fn buyer_paid(&self) -> Option<Fen> {
        match &self.end {
            Some(AttemptEnd::Paid { details, .. }) => details.buyer_paid,
            Some(AttemptEnd::NotPaid { .. }) | None => None,
        }
    }

    /// The wallet that paid or is to pay, where it is known and the channel takes money of several.
    #[must_use]
    pub fn payer(&self) -> Option<Wallet> {
        let told = match &self.end {
            Some(AttemptEnd::Paid { details, .. }) => details.wallet,
            Some(AttemptEnd::NotPaid { .. }) | None => None,
        };
        told.or(self.wallet).filter(|_| self.channel.own_wallet().is_none())
    }

    /// Whether a cancel that has left may return its money at any time, even when a later one was refused. Nothing is
    /// sold for such money. A close never touches a paid trade.
    #[must_use]
    pub(crate) fn may_still_be_cancelled(&self) -> bool {
        self.reversing.is_some() && self.method == Method::TakeCode
    }
}
