//! The operator's member and voucher codes, and coins: what is paid without a channel.

use payment::engine::entry::{Entry, IdempotencyKey, Item, Origin, WhoScans};
use payment::engine::input::{Done, Input, NewOrder};
use payment::engine::settings::VoucherSettings;
use payment::ids::{AttemptId, OrderId};
use payment::money::Fen;
use payment::voucher::{Kind, OperatorKey, Voucher};

use super::people::{SLOTS, slot};
use super::verdict::must;
use super::world::{BEGIN_MS, DAY, World};

/// The operator's key of every simulated terminal. It is worth nothing elsewhere.
const OPERATOR_SEED: [u8; 32] = [7; 32];

/// The most that is taken by codes before the hub has it.
const UNSETTLED_MAX: Fen = Fen::new(6_000);

/// What a terminal needs to take codes.
#[must_use]
pub fn voucher_settings() -> VoucherSettings {
    VoucherSettings {
        terminal: "VM-0001".to_owned(),
        operator_key: OperatorKey::from_seed(&OPERATOR_SEED).public(),
        per_sale_max: Fen::new(1_500),
        unsettled_max: UNSETTLED_MAX,
    }
}

/// The codes that the people around a terminal have, as they are scanned.
#[must_use]
pub fn codes_of_a_life() -> Vec<String> {
    let key = OperatorKey::from_seed(&OPERATOR_SEED);
    let days = |days: u64| BEGIN_MS + i64::try_from(days * DAY).unwrap_or(0);
    let code = |id: &str, kind, fen, expires_ms, terminal: &str| {
        let terminals = vec![terminal.to_owned()];
        Voucher { id: id.to_owned(), kind, amount: Fen::new(fen), expires_ms, terminals }
    };
    let codes = [
        code("M-1", Kind::Member, 1_700, days(10_000), "VM-0001"),
        code("M-2", Kind::Member, 900, days(15), "VM-0001"),
        code("V-1", Kind::Voucher, 500, days(10_000), "VM-0001"),
        code("V-2", Kind::Voucher, 2_000, days(3), "VM-0001"),
        code("V-3", Kind::Voucher, 2_000, days(10_000), "VM-0002"),
    ];
    codes.iter().filter_map(|code| key.sign(code)).map(|code| code.expose().to_owned()).collect()
}

/// A use of a code.
#[derive(Debug, Clone)]
pub struct Use {
    order: OrderId,
    code: String,
    allowance: Fen,
    once: bool,
    amount: Fen,
    paid: bool,
    returned: Fen,
}

impl Use {
    fn net(&self) -> Fen {
        if self.paid { self.amount.less(self.returned) } else { Fen::ZERO }
    }
}

impl World {
    /// Somebody holds one of the operator's codes in front of the scanner.
    pub(super) fn shows_code(&mut self) {
        let code = self.dice.pick(&self.codes).clone();
        let scanned = !self.dice.one_in(4);
        if scanned {
            let _answer = self.input(Input::Scanned(code));
        } else if let Some(order) = self.engine.order_at_machine() {
            let _answer = self.input(Input::CodeGiven { order, line: code });
        }
    }

    /// The machine sold something for coins, by itself.
    pub(super) fn sells_for_cash(&mut self) {
        let name = *self.dice.pick(&SLOTS);
        let product = self.settings.products[&slot(name)].clone();
        let item = Item { slot: Some(slot(name)), code: product.code, name: product.name, price: product.price };
        let key = format!("cash{}", self.number());
        let sold = NewOrder {
            origin: Origin::Api,
            amount: item.price,
            items: vec![item],
            subject: None,
            who_scans: WhoScans::Either,
            pay_within_ms: None,
            down_payment: Fen::ZERO,
            periods: None,
            reference: None,
            idempotency: Some(IdempotencyKey { key, body_sha256: "0".repeat(64) }),
        };
        let runs = self.runs;
        let done = self.input(Input::CashSale(Box::new(sold)));
        // What could not be stored the API does not promise either: its caller asks again.
        if let Ok(Done::Opened(order)) = done
            && !self.is_journal_failing()
        {
            self.tally.add("cash sale");
            self.memory.cash.push((order, runs));
        }
    }

    /// Notes what an entry does to the operator's codes.
    pub(super) fn note_codes(&mut self, entry: &Entry) {
        match entry {
            Entry::AttemptStarted { order, attempt, amount, voucher: Some(of), .. } => {
                let begun = Use {
                    order: *order,
                    code: of.code.clone(),
                    allowance: of.allowance,
                    once: of.once,
                    amount: *amount,
                    paid: false,
                    returned: Fen::ZERO,
                };
                self.memory.uses.insert(*attempt, begun);
            }
            Entry::AttemptPaid { attempt, .. } => {
                if let Some(known) = self.memory.uses.get_mut(attempt) {
                    known.paid = true;
                    self.invariant_code_is_not_overspent(*attempt);
                }
            }
            Entry::RefundDone { refund, .. } => {
                let started = self.memory.refunds.get(refund).copied();
                let amount = self.memory.refund_amounts.get(refund).copied().unwrap_or(Fen::ZERO);
                if let Some(known) = started.and_then(|attempt| self.memory.uses.get_mut(&attempt)) {
                    known.returned = [known.returned, amount].into_iter().sum();
                }
            }
            Entry::RefundStarted { refund, amount, .. } => {
                self.memory.refund_amounts.insert(*refund, *amount);
            }
            Entry::AttemptStarted { .. }
            | Entry::OrderOpened { .. }
            | Entry::CashTaken { .. }
            | Entry::AttemptNotPaid { .. }
            | Entry::ReverseStarted { .. }
            | Entry::OrderCancelled { .. }
            | Entry::VendStarted { .. }
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

    /// Whether the attempt is paid by one of the operator's codes.
    pub(super) fn is_by_code(&self, attempt: AttemptId) -> bool {
        self.memory.uses.contains_key(&attempt)
    }

    /// What the order's buyer paid with codes in the end.
    pub(super) fn paid_by_code(&self, order: OrderId) -> i64 {
        self.memory.uses.values().filter(|known| known.order == order).map(|known| known.net().get()).sum()
    }

    /// Line 4 and 6: of a code no more is spent than it is worth, and a voucher buys once, whatever died in between.
    fn invariant_code_is_not_overspent(&self, attempt: AttemptId) {
        let now = &self.memory.uses[&attempt];
        let of_code = || self.memory.uses.values().filter(|known| known.code == now.code);
        let spent: Fen = of_code().map(Use::net).sum();
        must!(spent <= now.allowance, Doubled, "{} is worth {:?}, and {spent:?} were spent", now.code, now.allowance);
        let times = of_code().filter(|known| known.net().is_positive()).count();
        must!(!now.once || times <= 1, Doubled, "{} is good for one sale and bought {times}", now.code);
    }

    /// Line 5: what the machine sold for coins is recorded, unless the process that was told of it died before it could.
    pub(super) fn invariant_cash_is_recorded(&self) {
        let known: Vec<OrderId> = self.memory.orders().collect();
        let forgotten = self.memory.cash.iter().find(|(order, runs)| *runs == self.runs && !known.contains(order));
        must!(forgotten.is_none(), Lost, "a cash sale was taken and is nowhere: {forgotten:?}");
    }
}
