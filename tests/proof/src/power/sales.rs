//! Sales as a terminal records them: one batch of entries for each thing that happens, each order with its own end.

use payment::channel::ChannelId;
use payment::channel::outcome::Details;
use payment::engine::entry::{
    CancelledBy, Ending, Entry, IdempotencyKey, Item, Method, OrderState, Origin, RefundReason, ReverseReason, SlotId,
    VendResult, VoucherUse, WhoScans,
};
use payment::ids::{AttemptId, IdMint, OrderId, RefundId};
use payment::money::Fen;
use payment::time::Wall;
use till::journal::NewEntry;

use crate::dice::Dice;

/// When the first sale begins: in November 2026.
const START_MS: i64 = 1_795_000_000_000;

/// How long the member codes are good: longer than anything here lasts.
const EXPIRES_MS: i64 = START_MS + 400 * 24 * 60 * 60 * 1_000;

/// Customers, one after the other and several at once, and the clock that they keep.
pub struct Sales {
    dice: Dice,
    mint: IdMint,
    now_ms: i64,
    count: u64,
    /// Batches that are still to come, of each order that is going on.
    going_on: Vec<Vec<Batch>>,
}

type Batch = Vec<(OrderState, Entry)>;

impl Sales {
    /// The sales of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let mut entropy = [0; 32];
        entropy.fill_with(|| u8::try_from(dice.roll(256)).unwrap_or(0));
        Self { dice, mint: IdMint::new(entropy), now_ms: START_MS, count: 0, going_on: Vec::new() }
    }

    /// What is recorded next, all of it or nothing.
    pub fn next_batch(&mut self) -> Vec<NewEntry> {
        self.now_ms += i64::try_from(self.dice.roll(20_000)).unwrap_or(0);
        if self.going_on.is_empty() || self.dice.one_in(3) {
            let order = self.order();
            self.going_on.push(order);
        }
        let which = usize::try_from(self.dice.roll(self.going_on.len() as u64)).unwrap_or(0);
        let order = &mut self.going_on[which];
        let batch = order.remove(0);
        if order.is_empty() {
            self.going_on.swap_remove(which);
        }
        let at = Wall { ms: self.now_ms, trusted: !self.dice.one_in(20) };
        batch.into_iter().map(|(state, entry)| NewEntry { at, entry, state }).collect()
    }

    /// The time of the newest batch, milliseconds since 1970.
    #[must_use]
    pub const fn now_ms(&self) -> i64 {
        self.now_ms
    }

    fn order(&mut self) -> Vec<Batch> {
        self.count += 1;
        let sale = Sale {
            number: self.count,
            order: self.mint.order(),
            attempt: self.mint.attempt(),
            refund: self.mint.refund(),
            from_api: self.dice.one_in(2),
            price: Fen::new(100 + i64::try_from(self.dice.roll(900)).unwrap_or(0)),
        };
        match self.dice.roll(6) {
            0 | 1 => sale.delivered(),
            2 => sale.jammed(self.mint.attempt()),
            3 => sale.expired(),
            4 => sale.by_cash(),
            _ => sale.by_member_code(),
        }
    }
}

/// One order and its numbers.
struct Sale {
    number: u64,
    order: OrderId,
    attempt: AttemptId,
    refund: RefundId,
    from_api: bool,
    price: Fen,
}

impl Sale {
    fn delivered(&self) -> Vec<Batch> {
        vec![
            vec![self.opened(), self.started(self.attempt, ChannelId::Alipay, None)],
            vec![self.paid(), self.vend_started()],
            self.vend_ended(VendResult::Dropped),
        ]
    }

    /// Two attempts, goods that do not come, and a refund that is owed first.
    fn jammed(&self, other: AttemptId) -> Vec<Batch> {
        let order = self.order;
        let owed = Entry::RefundOwed { order, refund: self.refund, code: "SELLER_BALANCE_NOT_ENOUGH".to_owned() };
        vec![
            vec![self.opened(), self.started(self.attempt, ChannelId::Alipay, None)],
            vec![self.started(other, ChannelId::Alipay, None)],
            vec![self.paid(), self.reversed(other), self.vend_started()],
            vec![(OrderState::Refunding, self.not_dropped()), self.refund_started()],
            vec![(OrderState::Refunding, not_paid(order, other))],
            vec![(OrderState::Owed, owed)],
            vec![
                (OrderState::Refunded, Entry::RefundDone { order, refund: self.refund }),
                self.closed(Ending::Refunded),
            ],
        ]
    }

    fn expired(&self) -> Vec<Batch> {
        let order = self.order;
        let cancelled = Entry::OrderCancelled { order, by: CancelledBy::Timeout };
        vec![
            vec![self.opened()],
            vec![self.started(self.attempt, ChannelId::Alipay, None)],
            vec![(OrderState::Cancelling, cancelled)],
            vec![(OrderState::Expired, not_paid(order, self.attempt)), self.closed(Ending::Expired)],
        ]
    }

    fn by_cash(&self) -> Vec<Batch> {
        let taken = Entry::CashTaken { order: self.order, amount: self.price };
        vec![vec![self.opened(), (OrderState::Paid, taken), self.vend_started()], self.vend_ended(VendResult::Dropped)]
    }

    fn by_member_code(&self) -> Vec<Batch> {
        let member = VoucherUse {
            code: format!("member-{}", self.number % 7),
            allowance: Fen::new(1_000_000),
            once: false,
            expires_ms: EXPIRES_MS,
        };
        vec![
            vec![self.opened(), self.started(self.attempt, ChannelId::Voucher, Some(member)), self.paid()],
            vec![self.vend_started()],
            self.vend_ended(VendResult::Dropped),
        ]
    }

    fn opened(&self) -> (OrderState, Entry) {
        let slot = SlotId::new("A1");
        let item = Item { slot, code: "tea".to_owned(), name: "绿茶".to_owned(), price: self.price };
        let entry = Entry::OrderOpened {
            order: self.order,
            amount: self.price,
            currency: "CNY".to_owned(),
            items: vec![item],
            who_scans: WhoScans::Either,
            origin: if self.from_api { Origin::Api } else { Origin::Keypad },
            subject: "Green tea".to_owned(),
            pay_within_ms: 120_000,
            down_payment: Fen::ZERO,
            instalment: None,
            reference: self.from_api.then(|| format!("sale {}", self.number)),
            idempotency: self.from_api.then(|| key(&format!("order-{}", self.number))),
        };
        (OrderState::Waiting, entry)
    }

    fn started(&self, attempt: AttemptId, channel: ChannelId, voucher: Option<VoucherUse>) -> (OrderState, Entry) {
        let (order, amount) = (self.order, self.price);
        (
            OrderState::Waiting,
            Entry::AttemptStarted {
                order,
                attempt,
                channel,
                method: Method::TakeCode,
                amount,
                voucher,
                wallet: None,
                instalment: None,
            },
        )
    }

    fn paid(&self) -> (OrderState, Entry) {
        let entry = Entry::AttemptPaid {
            order: self.order,
            attempt: self.attempt,
            trade_no: format!("20261118220014000000{:08}", self.number),
            paid_at: Some("2026-11-18 19:06:40".to_owned()),
            buyer: Some("159****5620".to_owned()),
            details: Details::default(),
        };
        (OrderState::Paid, entry)
    }

    fn reversed(&self, attempt: AttemptId) -> (OrderState, Entry) {
        let reason = ReverseReason::OtherPaid;
        (OrderState::Paid, Entry::ReverseStarted { order: self.order, attempt, reason })
    }

    fn vend_started(&self) -> (OrderState, Entry) {
        // A slot name this plain is always accepted.
        let slot = SlotId::new("A1").unwrap_or_else(|| unreachable!("A1 names a slot"));
        (
            OrderState::Delivering,
            Entry::VendStarted { order: self.order, item: 0, slot, drops_before: Some(self.number) },
        )
    }

    fn vend_ended(&self, result: VendResult) -> Batch {
        let ended = Entry::VendEnded { order: self.order, item: 0, result, taken: None };
        vec![(OrderState::Completed, ended), self.closed(Ending::Delivered)]
    }

    fn not_dropped(&self) -> Entry {
        Entry::VendEnded { order: self.order, item: 0, result: VendResult::NotDropped, taken: None }
    }

    fn refund_started(&self) -> (OrderState, Entry) {
        let entry = Entry::RefundStarted {
            order: self.order,
            attempt: self.attempt,
            refund: self.refund,
            amount: self.price,
            reason: RefundReason::Undelivered,
            idempotency: self.from_api.then(|| key(&format!("refund-{}", self.number))),
            said: None,
            instead_of: None,
        };
        (OrderState::Refunding, entry)
    }

    fn closed(&self, ending: Ending) -> (OrderState, Entry) {
        let state = match ending {
            Ending::Delivered => OrderState::Completed,
            Ending::Cancelled => OrderState::Cancelled,
            Ending::Expired => OrderState::Expired,
            Ending::Failed => OrderState::Failed,
            Ending::Refunded => OrderState::Refunded,
        };
        (state, Entry::OrderClosed { order: self.order, ending })
    }
}

fn not_paid(order: OrderId, attempt: AttemptId) -> Entry {
    Entry::AttemptNotPaid { order, attempt, code: "TRADE_CLOSED".to_owned() }
}

fn key(key: &str) -> IdempotencyKey {
    IdempotencyKey { key: key.to_owned(), body_sha256: "ab".repeat(32) }
}
