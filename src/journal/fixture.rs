//! Stories for the tests of the journal.

use std::path::PathBuf;

use payment::channel::ChannelId;
use payment::channel::outcome::Details;
use payment::engine::entry::{
    CancelledBy, Ending, Entry, IdempotencyKey, Item, Method, OrderState, Origin, RefundReason, ReverseReason, SlotId,
    VendResult, VoucherUse, WhoScans,
};
use payment::ids::{AttemptId, IdMint, OrderId, RefundId};
use payment::money::Fen;
use payment::time::Wall;
use rusqlite::Connection;
use tempfile::TempDir;

use super::{Journal, NewEntry, Opened};

/// A directory with room for one journal.
pub(super) struct Place {
    _directory: TempDir,
    pub(super) path: PathBuf,
}

impl Place {
    pub(super) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal.db");
        Self { _directory: directory, path }
    }

    pub(super) fn open(&self) -> Opened {
        Journal::open(&self.path).unwrap()
    }

    /// The file as somebody with a database browser has it, the guards taken off.
    pub(super) fn as_tamperer(&self) -> Connection {
        let connection = Connection::open(&self.path).unwrap();
        connection
            .execute_batch("DROP TRIGGER entries_are_not_changed; DROP TRIGGER entries_stay_but_in_gaps; DROP TRIGGER gaps_are_acknowledged;")
            .unwrap();
        connection
    }
}

/// The numbers of one order.
#[derive(Clone, Copy)]
pub(super) struct Numbers {
    pub(super) order: OrderId,
    pub(super) attempt: AttemptId,
    pub(super) other: AttemptId,
    pub(super) refund: RefundId,
}

pub(super) fn numbers(seed: u8) -> Numbers {
    let mut mint = IdMint::new([seed; 32]);
    Numbers { order: mint.order(), attempt: mint.attempt(), other: mint.attempt(), refund: mint.refund() }
}

pub(super) const START_MS: i64 = 1_795_000_000_000;

pub(super) fn new(minute: i64, state: OrderState, entry: Entry) -> NewEntry {
    let at = Wall { ms: START_MS + minute * 60_000, trusted: true };
    NewEntry { at, entry, state }
}

pub(super) fn opened(seed: u8) -> NewEntry {
    let item =
        Item { slot: SlotId::new("A1"), code: "tea".to_owned(), name: "绿茶".to_owned(), price: Fen::new(350) };
    let entry = Entry::OrderOpened {
        order: numbers(seed).order,
        amount: Fen::new(350),
        currency: "CNY".to_owned(),
        items: vec![item],
        who_scans: WhoScans::Either,
        origin: Origin::Api,
        subject: "Green tea".to_owned(),
        pay_within_ms: 120_000,
        down_payment: Fen::ZERO,
        instalment: None,
        reference: Some(format!("ref,\"{seed}\"")),
        idempotency: Some(key(&format!("order-{seed}"))),
    };
    new(i64::from(seed), OrderState::Waiting, entry)
}

pub(super) fn key(key: &str) -> IdempotencyKey {
    IdempotencyKey { key: key.to_owned(), body_sha256: "ab".repeat(32) }
}

pub(super) fn closed(seed: u8) -> NewEntry {
    let entry = Entry::OrderClosed { order: numbers(seed).order, ending: Ending::Refunded };
    new(i64::from(seed), OrderState::Refunded, entry)
}

/// A whole story, with every kind of entry in it but the closing one: two attempts, a jam, a refund that is owed first.
pub(super) fn going_on(seed: u8) -> Vec<NewEntry> {
    let Numbers { order, attempt, other, refund } = numbers(seed);
    let started = |attempt, method| Entry::AttemptStarted {
        voucher: None,
        order,
        attempt,
        channel: ChannelId::Alipay,
        method,
        amount: Fen::new(350),
        wallet: None,
        instalment: None,
    };
    let steps = [
        (OrderState::Waiting, started(attempt, Method::ShowCode)),
        (OrderState::Confirming, started(other, Method::TakeCode)),
        (OrderState::Confirming, not_paid(order, other)),
        (OrderState::Paid, paid(seed)),
        (OrderState::Paid, Entry::ReverseStarted { order, attempt: other, reason: ReverseReason::OtherPaid }),
        (OrderState::Paid, cancelled(order)),
        (OrderState::Delivering, vend_started(order)),
        (OrderState::Delivering, vend_ended(order)),
        (OrderState::Refunding, refund_started(seed)),
        (OrderState::Owed, Entry::RefundOwed { order, refund, code: "SELLER_BALANCE_NOT_ENOUGH".to_owned() }),
        (OrderState::Refunding, Entry::RefundDone { order, refund }),
    ];
    let later = steps.into_iter().map(|(state, entry)| new(i64::from(seed), state, entry));
    std::iter::once(opened(seed)).chain(later).collect()
}

/// The same with its end.
pub(super) fn whole(seed: u8) -> Vec<NewEntry> {
    let mut story = going_on(seed);
    story.push(closed(seed));
    story
}

pub(super) fn trade_no(seed: u8) -> String {
    format!("20260101220014000000000{seed:05}")
}

fn paid(seed: u8) -> Entry {
    Entry::AttemptPaid {
        order: numbers(seed).order,
        attempt: numbers(seed).attempt,
        trade_no: trade_no(seed),
        paid_at: Some("2026-11-18 19:06:40".to_owned()),
        buyer: Some("159****5620".to_owned()),
        details: Details::default(),
    }
}

fn not_paid(order: OrderId, attempt: AttemptId) -> Entry {
    Entry::AttemptNotPaid { order, attempt, code: "ACQ.PAYMENT_AUTH_CODE_INVALID".to_owned() }
}

fn cancelled(order: OrderId) -> Entry {
    Entry::OrderCancelled { order, by: CancelledBy::Timeout }
}

fn vend_started(order: OrderId) -> Entry {
    Entry::VendStarted { order, item: 0, slot: SlotId::new("A1").unwrap(), drops_before: Some(7) }
}

fn vend_ended(order: OrderId) -> Entry {
    Entry::VendEnded { order, item: 0, result: VendResult::NotDropped, taken: None }
}

fn refund_started(seed: u8) -> Entry {
    Entry::RefundStarted {
        order: numbers(seed).order,
        attempt: numbers(seed).attempt,
        refund: numbers(seed).refund,
        amount: Fen::new(150),
        reason: RefundReason::Undelivered,
        idempotency: Some(key(&format!("refund-{seed}"))),
        said: None,
        instead_of: None,
    }
}

/// A sale for coins: nothing to scan, nothing to give back.
pub(super) fn cash(seed: u8) -> Vec<NewEntry> {
    let order = numbers(seed).order;
    let steps = [
        (OrderState::Paid, Entry::CashTaken { order, amount: Fen::new(350) }),
        (OrderState::Completed, Entry::OrderClosed { order, ending: Ending::Delivered }),
    ];
    let later = steps.into_iter().map(|(state, entry)| new(i64::from(seed), state, entry));
    std::iter::once(opened(seed)).chain(later).collect()
}

/// A code of the operator that is valid for so many minutes from the beginning of the stories.
pub(super) fn voucher(code: &str, once: bool, minutes: i64) -> VoucherUse {
    VoucherUse { code: code.to_owned(), allowance: Fen::new(5_000), once, expires_ms: START_MS + minutes * 60_000 }
}

/// A sale for a code of the operator, paid and not delivered yet.
pub(super) fn paid_by_voucher(seed: u8, of: VoucherUse) -> Vec<NewEntry> {
    let Numbers { order, attempt, .. } = numbers(seed);
    let started = Entry::AttemptStarted {
        voucher: Some(of),
        order,
        attempt,
        channel: ChannelId::Voucher,
        method: Method::TakeCode,
        amount: Fen::new(350),
        wallet: None,
        instalment: None,
    };
    let minute = i64::from(seed);
    vec![opened(seed), new(minute, OrderState::Confirming, started), new(minute, OrderState::Paid, paid(seed))]
}

/// Of which 1.50 goes back: what [`paid_by_voucher`] began.
pub(super) fn given_back(seed: u8) -> Vec<NewEntry> {
    let Numbers { order, refund, .. } = numbers(seed);
    let steps =
        [(OrderState::Refunding, refund_started(seed)), (OrderState::Refunding, Entry::RefundDone { order, refund })];
    steps.into_iter().map(|(state, entry)| new(i64::from(seed), state, entry)).collect()
}
