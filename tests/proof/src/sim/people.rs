//! The buyers at a terminal, with phones and fingers, and the callers of the API.

use payment::channel::outcome::Why;
use payment::engine::entry::{Item, Origin, SlotId, WhoScans};
use payment::engine::input::{Done, Input, Key, NewOrder, Refused};
use payment::engine::view::View;
use payment::ids::AttemptId;
use payment::money::Fen;

use super::ledger::{Standing, Wallet};
use super::world::World;

/// The slots of the machine.
pub const SLOTS: [&str; 3] = ["11", "12", "21"];

/// Why a buyer's wallet refuses. The merchant's set-up is not its business.
const WALLETS_REASONS: [Why; 4] = [Why::RefreshCode, Why::Buyer, Why::NewNumber, Why::Order];

/// How the wallets' pay codes begin, and how many digits follow: Alipay, WeChat Pay, UnionPay, e-CNY.
const PAY_CODES: [(&str, usize); 5] = [("28", 16), ("28", 16), ("13", 16), ("62", 17), ("01", 17)];

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
        let codes = self.codes_on_screen();
        let attempt = *codes.get(usize::try_from(self.dice.roll(codes.len() as u64)).unwrap_or(0))?;
        self.scans_code(attempt);
        Some(attempt)
    }

    fn scans_code(&mut self, attempt: AttemptId) {
        self.note(|| format!("a phone scans {attempt}"));
        if let Some(channel) = self.channels.holder_mut(attempt) {
            channel.scan(attempt, self.at);
        }
    }

    /// The buyer confirms on the phone.
    pub(super) fn confirms(&mut self, attempt: AttemptId) {
        let at = self.at;
        if self.channels.holder_mut(attempt).is_some_and(|channel| channel.confirm(attempt, at)) {
            self.note(|| format!("a buyer pays {attempt}"));
        }
    }

    /// Two buyers, or one with two phones: every code that is on the screen is paid.
    pub(super) fn pays_every_code(&mut self) {
        let codes = self.codes_on_screen();
        if codes.len() > 1 {
            self.fault("both codes paid");
        }
        codes.iter().for_each(|attempt| self.scans_code(*attempt));
        codes.iter().for_each(|attempt| self.confirms(*attempt));
    }

    /// The buyer chooses instalments at the keypad, or the API's caller does; sometimes they are not offered.
    pub(super) fn chooses_instalments(&mut self) {
        if let View::Pay { plans, .. } = self.view()
            && !plans.is_empty()
        {
            self.tally.add("instalments chosen");
        }
        if self.dice.one_in(3)
            && let Some(order) = self.engine.order_at_machine()
        {
            let periods = *self.dice.pick(&[None, Some(3), Some(6), Some(9)]);
            let _answer = self.input(Input::ChooseInstalments { order, periods });
            return;
        }
        let digit = u8::try_from(self.dice.roll(5)).unwrap_or(0);
        let _answer = self.input(Input::Key(Key::Digit(digit)));
    }

    /// The phone scans the screen and pays.
    pub(super) fn scans_and_pays(&mut self) {
        if let Some(attempt) = self.scans() {
            self.confirms(attempt);
        }
    }

    /// The buyer holds a new pay code in front of the scanner, perhaps twice.
    pub(super) fn shows_pay_code(&mut self, wallet: Wallet) -> Result<Done, Refused> {
        let line = self.makes_pay_code(wallet);
        let done = self.input(Input::Scanned(line.clone()));
        if self.dice.one_in(8) {
            self.fault("code scanned twice");
            let _refused = self.input(Input::Scanned(line));
        }
        done
    }

    /// A phone makes a pay code of some wallet, most often of one that is taken here.
    fn makes_pay_code(&mut self, wallet: Wallet) -> String {
        let rows = self.settings.routes.rows().iter().filter(|row| !row.channels.is_empty());
        let taken: Vec<&String> = rows.flat_map(|row| &row.first).collect();
        let fits = |(first, _): &(&str, usize)| taken.iter().any(|known| known.as_str() == *first);
        let fitting: Vec<_> = PAY_CODES.into_iter().filter(fits).collect();
        let elsewhere = self.dice.one_in(12);
        let kind = *self.dice.pick(if elsewhere { &PAY_CODES } else { &fitting });
        let (first, digits) = kind;
        let line = format!("{first}{:0digits$}", self.number());
        self.channels.phones.make_pay_code(&line, wallet, self.at);
        line
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
                self.fault("wallet refuses");
                Wallet::Refuses(why)
            }
        }
    }

    /// Whoever can still do something with a phone may do it, however late.
    pub(super) fn phone_goes_on(&mut self) {
        let payable = self.channels.payable();
        if payable.is_empty() || self.dice.one_in(2) {
            return;
        }
        let attempt = *self.dice.pick(&payable);
        if self.dice.one_in(4) {
            self.note(|| format!("a buyer refuses {attempt}"));
            return self.channels.holder_mut(attempt).into_iter().for_each(|channel| channel.refuse(attempt));
        }
        let at = self.at;
        if let Some(channel) = self.channels.holder_mut(attempt) {
            channel.scan(attempt, at);
        }
        self.confirms(attempt);
        let reversing = self.memory.reversing.contains(&attempt);
        let paid = self.channels.trade(attempt).is_some_and(|trade| trade.standing == Standing::Paid);
        if reversing && paid {
            self.fault("payment after the order was given up");
        }
    }

    /// A payment lands although its trade was closed.
    pub(super) fn lands_despite_close(&mut self) {
        let at = self.at;
        let found = self.channels.trades().find(|(_, trade)| trade.may_land(at)).map(|(attempt, _)| attempt);
        if let Some(attempt) = found {
            if let Some(channel) = self.channels.holder_mut(attempt) {
                channel.lands_despite_close(attempt, at);
            }
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
        let periods = *self.dice.pick(&[None, None, None, Some(3)]);
        let periods = periods.filter(|_| self.settings.instalments.is_some());
        self.opens(NewOrder { amount, pay_within_ms, periods, ..bare(who_scans) })
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
        let line = self.makes_pay_code(wallet);
        let _answer = self.input(Input::CodeGiven { order, line });
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
