//! The truth: who owes, who paid, which codes live. Everything here happens at a given moment and at once.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use super::buyers::{App, Buyer, PayCode};
use super::calls::CallRecord;
use super::ledger::TradeState;
use super::notice::Notice;
use super::options::{House, LateMoney};
use super::order::{Confirm, Order, Origin, Refund, RefundState, Terms, Why};
use super::wallet::WalletError;
use super::weather::Weather;

/// Something that happens by itself at its time.
#[derive(Debug, Clone)]
pub(crate) enum Due {
    /// A confirmed payment reaches the channel.
    Land { number: String, payer: (String, App), despite_close: bool },
    /// The payment of an undecided order fails.
    Fail { number: String },
    /// An undecided refund decides.
    Decide { order: String, refund: String, fails: bool },
    /// The channel sends late money back.
    SendBack { number: String },
    /// An unpaid order ends.
    Expire { number: String },
}

/// A filed terminal (终端报备).
#[derive(Debug, Clone)]
pub(crate) struct Terminal {
    pub(crate) devicetype: String,
    pub(crate) address: String,
}

/// What a number was used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Use {
    Order,
    /// A refund or cancel of this order.
    Refund(String),
    /// A confirmation of this order.
    Confirm(String),
}

pub(crate) struct World {
    seed: u64,
    counter: u64,
    late_money: LateMoney,
    pub(crate) weather: Weather,
    pub(crate) calls: VecDeque<CallRecord>,
    pub(crate) buyers: BTreeMap<String, Buyer>,
    pub(crate) pay_codes: HashMap<String, PayCode>,
    pub(crate) terminals: BTreeMap<String, Terminal>,
    pub(crate) merchant_fen: Option<i64>,
    /// By the merchant's number.
    pub(crate) orders: BTreeMap<String, Order>,
    orders_by_text: HashMap<String, String>,
    /// Every number that the merchant ever used.
    pub(crate) numbers: HashMap<String, Use>,
    /// The merchant's numbers by the channel's.
    pub(crate) by_trade_no: HashMap<String, String>,
    waiting: BTreeSet<String>,
    dues: Vec<(i64, Due)>,
    pub(crate) notices: VecDeque<Notice>,
}

impl World {
    pub(crate) fn new(house: &House) -> Self {
        let filed =
            |number: &String| (number.clone(), Terminal { devicetype: "10".to_owned(), address: "sandbox".to_owned() });
        Self {
            seed: house.seed,
            counter: 0,
            late_money: house.late_money,
            weather: Weather::fair(),
            calls: VecDeque::new(),
            buyers: BTreeMap::new(),
            pay_codes: HashMap::new(),
            terminals: house.filed_terminals.iter().map(filed).collect(),
            merchant_fen: house.merchant_balance_fen,
            orders: BTreeMap::new(),
            orders_by_text: HashMap::new(),
            numbers: HashMap::new(),
            by_trade_no: HashMap::new(),
            waiting: BTreeSet::new(),
            dues: Vec::new(),
            notices: VecDeque::new(),
        }
    }

    /// The next number of this world's own sequence: looks random, the same for the same seed (SplitMix64).
    pub(crate) fn next(&mut self) -> u64 {
        self.counter += 1;
        let mut z = self.seed.wrapping_add(self.counter.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Counts the orders, refunds and confirmations that there are, for the channel's own numbers.
    pub(crate) fn serial(&self) -> usize {
        self.by_trade_no.len() + 1
    }

    /// Lets time pass: everything due happens, in the order in which it is due. Tells whether anything did.
    pub(crate) fn settle(&mut self, now: i64) -> bool {
        let mut changed = false;
        while let Some((at, due)) = self.take_due(now) {
            changed = true;
            self.happen(due, at);
        }
        changed
    }

    /// When something happens next by itself.
    pub(crate) fn next_due_at(&self) -> Option<i64> {
        self.dues.iter().map(|(at, _)| *at).chain(self.expiries().map(|(at, _)| at)).min()
    }

    fn expiries(&self) -> impl Iterator<Item = (i64, &String)> {
        self.waiting.iter().filter_map(|number| Some((self.orders.get(number)?.deadline, number)))
    }

    fn take_due(&mut self, now: i64) -> Option<(i64, Due)> {
        let expiry = self.expiries().min_by_key(|(at, _)| *at).map(|(at, number)| (at, number.clone()));
        let first = self.dues.iter().enumerate().min_by_key(|(_, (at, _))| *at).map(|(index, (at, _))| (index, *at));
        // What lands at the very moment of the end is in time.
        match (first, expiry) {
            (Some((index, at)), expiry) if at <= now && expiry.as_ref().is_none_or(|(end, _)| at <= *end) => {
                Some(self.dues.remove(index))
            }
            (_, Some((end, number))) if end <= now => Some((end, Due::Expire { number })),
            _ => None,
        }
    }

    fn happen(&mut self, due: Due, at: i64) {
        match due {
            Due::Land { number, payer, despite_close } => self.land(&number, payer, despite_close, at),
            Due::Fail { number } => self.end(&number, TradeState::Failed, at),
            Due::Decide { order, refund, fails } => self.decide(&order, &refund, fails, at),
            Due::SendBack { number } => self.send_back(&number, at),
            Due::Expire { number } => self.end(&number, TradeState::Expired, at),
        }
    }

    /// Something will happen.
    pub(crate) fn plan(&mut self, at: i64, due: Due) {
        self.dues.push((at, due));
    }

    /// Whether a payment of this order by this buyer is on its way.
    pub(crate) fn is_on_its_way(&self, order: &str, buyer: &str) -> bool {
        self.dues.iter().any(|(_, due)| match due {
            Due::Land { number, payer, .. } => number == order && payer.0 == buyer,
            Due::Fail { number } => number == order,
            Due::Decide { .. } | Due::SendBack { .. } | Due::Expire { .. } => false,
        })
    }

    fn land(&mut self, number: &str, payer: (String, App), despite_close: bool, at: i64) {
        let Some(order) = self.orders.get(number) else { return };
        let (state, unpaid) = (order.state, order.charged_fen == 0);
        if state == TradeState::Waiting {
            self.charge(number, payer, at);
        } else if unpaid && despite_close {
            self.charge(number, payer, at);
            self.keep_or_send_back(number, state, at);
        }
    }

    fn keep_or_send_back(&mut self, number: &str, state: TradeState, at: i64) {
        match self.late_money {
            LateMoney::Counts => {}
            LateMoney::SentBack { after_ms } => {
                if let Some(order) = self.orders.get_mut(number) {
                    order.state = state;
                }
                self.plan(at + after_ms, Due::SendBack { number: number.to_owned() });
            }
        }
    }

    fn send_back(&mut self, number: &str, at: i64) {
        let Some(fen) = self.orders.get(number).map(Order::returnable_fen).filter(|fen| *fen > 0) else { return };
        let refund = Refund {
            number: format!("{number}-late"),
            trade_no: String::new(),
            why: Why::TooLate,
            fen,
            state: RefundState::Done,
            failure: "",
            at,
            notify_url: None,
            from_payees: Vec::new(),
        };
        if let Some(order) = self.orders.get_mut(number) {
            order.refunds.push(refund);
        }
        self.move_back(number, fen);
    }

    /// A code on a buyer's phone.
    pub(crate) fn make_pay_code(&mut self, buyer: &str, app: App, expires_at: i64) -> String {
        loop {
            let code = app.pay_code(self.next());
            if !self.pay_codes.contains_key(&code) {
                let fresh = PayCode { buyer: buyer.to_owned(), app, expires_at, used: false };
                self.pay_codes.insert(code.clone(), fresh);
                return code;
            }
        }
    }

    /// The order behind a QR text, payable or not.
    pub(crate) fn order_of_text(&self, text: &str) -> Option<&Order> {
        self.orders.get(self.orders_by_text.get(text)?)
    }

    /// The order with the channel's own number.
    pub(crate) fn order_by_trade_no(&self, trade_no: &str) -> Option<&Order> {
        self.orders.get(self.by_trade_no.get(trade_no)?)
    }

    /// Opens an order that waits for a buyer.
    pub(crate) fn open_order(&mut self, terms: Terms, trade_no: String, origin: Origin, now: i64, deadline: i64) {
        let number = terms.number.clone();
        if let Origin::Code { text, .. } = &origin {
            self.orders_by_text.insert(text.clone(), number.clone());
        }
        self.numbers.insert(number.clone(), Use::Order);
        self.by_trade_no.insert(trade_no.clone(), number.clone());
        self.waiting.insert(number.clone());
        let order = Order {
            trade_no,
            terms,
            origin,
            state: TradeState::Waiting,
            created_at: now,
            deadline,
            openers: Vec::new(),
            refused_by: Vec::new(),
            payer: None,
            paid_at: None,
            ended_at: None,
            charged_fen: 0,
            refunds: Vec::new(),
            confirms: Vec::new(),
        };
        self.orders.insert(number, order);
    }

    /// Takes the buyer's money. The only place where a buyer is debited.
    pub(crate) fn charge(&mut self, number: &str, payer: (String, App), now: i64) {
        let Some(order) = self.orders.get_mut(number).filter(|order| order.charged_fen == 0) else { return };
        let fen = order.terms.amount_fen;
        order.state = TradeState::Paid;
        order.paid_at = Some(now);
        order.charged_fen = fen;
        if let Some(buyer) = self.buyers.get_mut(&payer.0) {
            buyer.balance_fen -= fen;
        }
        order.payer = Some(payer);
        self.merchant_fen = self.merchant_fen.map(|held| held + fen);
        self.waiting.remove(number);
        self.notices.extend(Notice::of_order(order, now));
    }

    /// Whether a buyer has enough for an order.
    pub(crate) fn can_pay(&self, buyer: &str, fen: i64) -> Result<(), WalletError> {
        let balance = self.buyers.get(buyer).map_or(0, |buyer| buyer.balance_fen);
        if balance < fen {
            return Err(WalletError::NotEnoughMoney);
        }
        Ok(())
    }

    /// Whether the merchant has enough to give back.
    pub(crate) fn can_return(&self, fen: i64) -> bool {
        self.merchant_fen.is_none_or(|held| held >= fen)
    }

    /// Returns money, now or, when it is undecided, at its time. The merchant's money is set aside at once.
    pub(crate) fn give_back(&mut self, number: &str, refund: Refund, undecided: Option<(u64, bool)>) {
        let Some(order) = self.orders.get_mut(number) else { return };
        let (fen, at, refund_number) = (refund.fen, refund.at, refund.number.clone());
        self.numbers.insert(refund_number.clone(), Use::Refund(number.to_owned()));
        self.by_trade_no.insert(refund.trade_no.clone(), refund_number.clone());
        order.refunds.push(Refund { state: RefundState::Pending, ..refund });
        self.merchant_fen = self.merchant_fen.map(|held| held - fen);
        match undecided {
            None => self.decide(number, &refund_number, false, at),
            Some((ms, fails)) => {
                let due = Due::Decide { order: number.to_owned(), refund: refund_number, fails };
                self.plan(at.saturating_add_unsigned(ms), due);
            }
        }
    }

    fn decide(&mut self, number: &str, refund: &str, fails: bool, at: i64) {
        let Some(order) = self.orders.get_mut(number) else { return };
        let Some(refund) = order.refunds.iter_mut().find(|each| each.number == refund) else { return };
        let (fen, why) = (refund.fen, refund.why);
        refund.state = if fails { RefundState::Failed } else { RefundState::Done };
        refund.at = at;
        let (refund, order) = (refund.clone(), order.clone());
        if fails {
            self.merchant_fen = self.merchant_fen.map(|held| held + fen);
        } else {
            self.credit(number, fen);
            self.undone(number, why);
        }
        self.notices.extend(Notice::of_refund(&order, &refund, at));
    }

    /// Remembers a return that the channel refused: its number is used.
    pub(crate) fn refuse_refund(&mut self, number: &str, refund: Refund) {
        self.numbers.insert(refund.number.clone(), Use::Refund(number.to_owned()));
        self.by_trade_no.insert(refund.trade_no.clone(), refund.number.clone());
        if let Some(order) = self.orders.get_mut(number) {
            order.refunds.push(Refund { state: RefundState::Failed, ..refund });
        }
    }

    fn undone(&mut self, number: &str, why: Why) {
        let paid = |order: &&mut Order| why == Why::Cancel && order.charged_fen > 0;
        if let Some(order) = self.orders.get_mut(number).filter(paid) {
            order.state = TradeState::Cancelled;
        }
    }

    fn move_back(&mut self, number: &str, fen: i64) {
        self.merchant_fen = self.merchant_fen.map(|held| held - fen);
        self.credit(number, fen);
    }

    /// The only place where a buyer is credited.
    fn credit(&mut self, number: &str, fen: i64) {
        let payer = self.orders.get(number).and_then(|order| order.payer.as_ref());
        if let Some(buyer) = payer.and_then(|(name, _)| self.buyers.get_mut(name)) {
            buyer.balance_fen += fen;
        }
    }

    /// Releases guaranteed money.
    pub(crate) fn confirm(&mut self, number: &str, confirm: Confirm) {
        self.numbers.insert(confirm.number.clone(), Use::Confirm(number.to_owned()));
        self.by_trade_no.insert(confirm.trade_no.clone(), confirm.number.clone());
        if let Some(order) = self.orders.get_mut(number) {
            order.confirms.push(confirm);
        }
    }

    /// Ends an unpaid order.
    pub(crate) fn end(&mut self, number: &str, state: TradeState, now: i64) {
        if let Some(order) = self.orders.get_mut(number).filter(|order| order.is_waiting()) {
            order.state = state;
            order.ended_at = Some(now);
        }
        self.waiting.remove(number);
    }
}
