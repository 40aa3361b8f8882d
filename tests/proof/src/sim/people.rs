//! The people around a terminal: buyers with phones and fingers, callers of the API, operators.

use payment::channel::alipay::codes::Class;
use payment::channel::alipay::wire::Method;
use payment::channel::outcome::Why;
use payment::engine::entry::{IdempotencyKey, Item, Origin, SlotId, WhoScans};
use payment::engine::input::{Done, Input, Key, NewOrder, RefundWanted, Refused};
use payment::ids::{AttemptId, OrderId};
use payment::money::Fen;

use super::channel::{Standing, Wallet};
use super::failures;
use super::verdict::must;
use super::world::World;

/// The slots of the machine.
pub const SLOTS: [&str; 3] = ["11", "12", "21"];

/// Why a buyer's wallet refuses. The merchant's set-up is not its business.
const WALLETS_REASONS: [Why; 4] = [Why::RefreshCode, Why::Buyer, Why::NewNumber, Why::Order];

/// Lines that are no pay code of ours.
const ODD_LINES: [&str; 5] = ["6901028075831", "130000000000000000", "", "28", "https://example.com/a"];

/// A slot's name.
#[must_use]
pub fn slot(name: &str) -> SlotId {
    SlotId::new(name).expect("a slot's name")
}

impl World {
    // ---- at the keypad ----

    /// Types a slot's number and presses OK.
    pub fn buys(&mut self, slot: &str) -> Result<Done, Refused> {
        for digit in slot.bytes() {
            self.input(Input::Key(Key::Digit(digit - b'0')))?;
        }
        self.input(Input::Key(Key::Ok))
    }

    /// Somebody plays with the keypad.
    pub(super) fn mashes_keys(&mut self) {
        self.fault("keys mashed");
        for _ in 0..=self.dice.roll(12) {
            let digit = u8::try_from(self.dice.roll(10)).unwrap_or(0);
            let key = *self.dice.pick(&[Key::Digit(1), Key::Digit(digit), Key::Ok, Key::Cancel]);
            let _answer = self.input(Input::Key(key));
        }
    }

    // ---- with a phone ----

    /// The phone scans the screen.
    pub(super) fn scans(&mut self) -> Option<AttemptId> {
        let attempt = self.code_on_screen()?;
        self.note(|| format!("a phone scans {attempt}"));
        self.alipay.scan(attempt, self.at);
        Some(attempt)
    }

    /// The buyer confirms on the phone.
    pub(super) fn confirms(&mut self, attempt: AttemptId) {
        if self.alipay.confirm(attempt, self.at) {
            self.note(|| format!("a buyer pays {attempt}"));
        }
    }

    /// The phone scans the screen and pays.
    pub(super) fn scans_and_pays(&mut self) {
        if let Some(attempt) = self.scans() {
            self.confirms(attempt);
        }
    }

    /// The buyer holds a new pay code in front of the scanner, perhaps twice.
    pub(super) fn shows_pay_code(&mut self, wallet: Wallet) -> Result<Done, Refused> {
        let line = format!("28{:016}", self.number());
        self.alipay.make_pay_code(&line, wallet, self.at);
        let done = self.input(Input::Scanned(line.clone()));
        if self.dice.one_in(8) {
            self.fault("code scanned twice");
            let _refused = self.input(Input::Scanned(line));
        }
        done
    }

    /// Something that is no code of ours is held in front of the scanner.
    pub(super) fn shows_odd_line(&mut self) {
        self.fault("odd line scanned");
        let line = *self.dice.pick(&ODD_LINES);
        let _refused = self.input(Input::Scanned(line.to_owned()));
    }

    /// Some wallet.
    pub(super) fn some_wallet(&mut self) -> Wallet {
        match self.dice.roll(5) {
            0 | 1 => Wallet::PaysAtOnce,
            2 | 3 => Wallet::Confirms,
            _ => {
                let why = *self.dice.pick(&WALLETS_REASONS);
                let code = *self.dice.pick(&failures::codes(Method::Pay, Some(Class::Refused(why))));
                self.fault("wallet refuses");
                Wallet::Refuses(code)
            }
        }
    }

    /// Whoever can still do something with a phone may do it, however late.
    pub(super) fn phone_goes_on(&mut self) {
        let payable = self.alipay.payable();
        if payable.is_empty() || self.dice.one_in(2) {
            return;
        }
        let attempt = *self.dice.pick(&payable);
        if self.dice.one_in(4) {
            self.note(|| format!("a buyer refuses {attempt}"));
            return self.alipay.refuse(attempt);
        }
        self.alipay.scan(attempt, self.at);
        self.confirms(attempt);
        let reversing = self.memory.reversing.contains(&attempt);
        let paid = self.alipay.trades.get(&attempt).is_some_and(|trade| trade.standing == Standing::Paid);
        if reversing && paid {
            self.fault("payment after the order was given up");
        }
    }

    /// A payment lands although its trade was closed.
    pub(super) fn lands_despite_close(&mut self) {
        let trades: Vec<AttemptId> = self.alipay.trades.keys().copied().collect();
        let landed = trades.into_iter().find(|attempt| self.alipay.lands_despite_close(*attempt, self.at));
        if let Some(attempt) = landed {
            self.fault("payment lands after the close");
            self.note(|| format!("the payment of {attempt} lands"));
        }
    }

    // ---- through the API ----

    /// An order of goods through the API.
    pub(super) fn orders_basket(&mut self, who_scans: WhoScans) -> Result<Done, Refused> {
        let count = 1 + self.dice.roll(3);
        let items: Vec<Item> = (0..count).map(|_| self.some_item()).collect();
        let amount = items.iter().map(|item| item.price).sum();
        self.opens(NewOrder { amount, items, ..bare(who_scans) })
    }

    /// An order of a bare amount through the API: a person hands the goods over.
    pub(super) fn orders_bare(&mut self, who_scans: WhoScans) -> Result<Done, Refused> {
        let amount = Fen::new(*self.dice.pick(&[1, 250, 100_000]));
        let pay_within_ms = *self.dice.pick(&[None, None, Some(5_000), Some(600_000)]);
        self.opens(NewOrder { amount, pay_within_ms, ..bare(who_scans) })
    }

    fn opens(&mut self, order: NewOrder) -> Result<Done, Refused> {
        self.input(Input::Open(Box::new(order)))
    }

    fn some_item(&mut self) -> Item {
        let name = *self.dice.pick(&SLOTS);
        let product = self.settings.products[&slot(name)].clone();
        let handed_over = self.dice.one_in(6);
        Item { slot: (!handed_over).then(|| slot(name)), code: product.code, name: product.name, price: product.price }
    }

    /// The API's caller has a scanner of its own.
    pub(super) fn gives_code(&mut self) {
        let Some(order) = self.engine.order_at_machine() else {
            return;
        };
        let wallet = self.some_wallet();
        let line = format!("28{:016}", self.number());
        self.alipay.make_pay_code(&line, wallet, self.at);
        let _answer = self.input(Input::CodeGiven { order, line });
    }

    // ---- the operator ----

    /// Somebody cancels an order or wants money of it back; most often of a new one, sometimes twice.
    pub(super) fn operates(&mut self) {
        let Some(order) = self.some_order() else {
            return;
        };
        if self.dice.one_in(3) {
            self.fault("cancelled through the API");
            let _answer = self.input(Input::Cancel { order });
            return;
        }
        let amount = *self.dice.pick(&[None, Some(1), Some(100), Some(1_000_000)]);
        let key = format!("k{}", self.number());
        for _ in 0..=self.dice.roll(2) {
            self.fault("refund through the API");
            self.refunds(order, amount, &key);
            let ms = *self.dice.pick(&[0, 100, 20_000]);
            self.run(ms);
        }
    }

    fn some_order(&mut self) -> Option<OrderId> {
        if self.dice.one_in(2) {
            return self.memory.newest();
        }
        let orders: Vec<OrderId> = self.memory.orders().collect();
        (!orders.is_empty()).then(|| *self.dice.pick(&orders))
    }

    /// Money goes back, once for one key, as the API does it: a closed order is read from the journal first.
    fn refunds(&mut self, order: OrderId, amount: Option<i64>, key: &str) {
        let Some(store) = &self.store else {
            return;
        };
        let entries = self.disk.order(store, order.as_str());
        self.engine.load(self.now(), &entries);
        let runs = self.runs;
        let idempotency = Some(IdempotencyKey { key: key.to_owned(), body_sha256: "0".repeat(64) });
        let done =
            self.input(Input::Refund(RefundWanted { order, amount: amount.map(Fen::new), idempotency, said: None }));
        let Ok(Done::Refunding(refund)) = done else {
            return;
        };
        // What a dead process was about to say nobody heard.
        if self.runs == runs && self.memory.refunds.contains_key(&refund) {
            let known = *self.memory.keys.entry(key.to_owned()).or_insert(refund);
            must!(known == refund, Doubled, "one request made two refunds, {known} and {refund}");
        }
    }
}

/// An order of nothing through the API.
fn bare(who_scans: WhoScans) -> NewOrder {
    NewOrder {
        origin: Origin::Api,
        amount: Fen::ZERO,
        items: Vec::new(),
        subject: None,
        who_scans,
        pay_within_ms: None,
        down_payment: Fen::ZERO,
        periods: None,
        reference: None,
        idempotency: None,
    }
}
