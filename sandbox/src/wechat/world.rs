//! The truth: who owes, who paid, which codes live. Everything here happens at a given moment and at once.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use super::bill::Token;
use super::calls::{CallRecord, Probe};
use super::options::GatewayOptions;
use super::order::{Account, CodeUrl, Landing, Order, OrderKey, Origin, RefundState, Terms, TradeState};
use super::weather::Weather;
use crate::alipay::china_time;
use crate::alipay::code::scatter;

/// A person with an account.
#[derive(Debug, Clone)]
pub(crate) struct Buyer {
    pub(crate) openid: String,
    pub(crate) balance_fen: i64,
    pub(crate) auto_confirm: bool,
}

/// A code on a buyer's phone: 18 digits, single use, short-lived.
#[derive(Debug, Clone)]
pub(crate) struct PayCode {
    pub(crate) buyer: String,
    pub(crate) expires_at: i64,
    pub(crate) used: bool,
}

/// What a buyer has to say about an order.
#[derive(Debug, Clone)]
pub(crate) struct Complaint {
    pub(crate) id: String,
    pub(crate) key: OrderKey,
    pub(crate) detail: String,
    pub(crate) at: i64,
    pub(crate) is_answered: bool,
}

#[derive(Debug)]
pub(crate) struct World {
    seed: u64,
    counter: u64,
    /// Ids count up beside the scattered numbers.
    serial: u64,
    pub(crate) rotated: bool,
    pub(crate) weather: Weather,
    pub(crate) calls: VecDeque<CallRecord>,
    pub(crate) probes: Vec<Probe>,
    pub(crate) buyers: BTreeMap<String, Buyer>,
    pub(crate) pay_codes: HashMap<String, PayCode>,
    pub(crate) orders: BTreeMap<OrderKey, Order>,
    pub(crate) codes: HashMap<String, OrderKey>,
    /// Orders that time alone may change, so that it need not look at the others.
    pub(crate) restless: BTreeSet<OrderKey>,
    pub(crate) landings: Vec<Landing>,
    pub(crate) complaints: Vec<Complaint>,
    pub(crate) bills: HashMap<String, Token>,
    /// Access tokens and when they end.
    pub(crate) tokens: HashMap<String, i64>,
}

impl World {
    pub(crate) fn new(options: &GatewayOptions) -> Self {
        Self {
            seed: options.seed,
            counter: 0,
            serial: 0,
            rotated: false,
            weather: Weather::fair(),
            calls: VecDeque::new(),
            probes: Vec::new(),
            buyers: BTreeMap::new(),
            pay_codes: HashMap::new(),
            orders: BTreeMap::new(),
            codes: HashMap::new(),
            restless: BTreeSet::new(),
            landings: Vec::new(),
            complaints: Vec::new(),
            bills: HashMap::new(),
            tokens: HashMap::new(),
        }
    }

    /// The next number of this world's own sequence.
    pub(crate) fn next(&mut self) -> u64 {
        self.counter += 1;
        scatter(self.seed, self.counter)
    }

    /// `prefix`, the day and a count, as `transaction_id` (28 digits) and `refund_id` (29 digits) are built.
    pub(crate) fn serial(&mut self, prefix: &str, now: i64) -> String {
        self.serial += 1;
        format!("{prefix}{}{:010}", china_time::day(now), self.serial)
    }

    /// `count` letters and digits.
    pub(crate) fn letters(&mut self, count: usize) -> String {
        let mut text = String::new();
        while text.len() < count {
            let mut number = self.next();
            for _ in 0..8 {
                let digit = u32::try_from(number % 36).unwrap_or_default();
                text.push(char::from_digit(digit, 36).unwrap_or('0'));
                number /= 36;
            }
        }
        text.truncate(count);
        text
    }

    /// Lets time pass, in the order in which things are due. Tells whether anything changed.
    pub(crate) fn settle(&mut self, now: i64) -> bool {
        let mut changed = false;
        let orders = &self.orders;
        self.restless.retain(|key| orders.get(key).is_some_and(Order::is_restless));
        while let Some((at, due)) = self.next_due().filter(|(at, _)| *at <= now) {
            changed = true;
            match due {
                Due::Land(index) => self.land(index, at),
                Due::End(key) => self.end(&key),
                Due::Refund(key, index) => self.end_refund(&key, index),
            }
        }
        changed
    }

    /// When something happens next by itself.
    pub(crate) fn next_due_at(&self) -> Option<i64> {
        self.next_due().map(|(at, _)| at)
    }

    fn next_due(&self) -> Option<(i64, Due)> {
        let landings = self.landings.iter().enumerate().map(|(index, landing)| (landing.at, Due::Land(index)));
        let restless = || self.restless.iter().filter_map(|key| self.orders.get_key_value(key));
        let waiting = restless().filter(|(_, order)| order.is_waiting());
        let ending = waiting.map(|(key, order)| (order.ends_at, Due::End(key.clone())));
        let refunds = restless().flat_map(|(key, order)| {
            let open = order.refunds.iter().enumerate().filter(|(_, refund)| refund.state == RefundState::Processing);
            open.map(move |(index, refund)| (refund.ends_at, Due::Refund(key.clone(), index)))
        });
        landings.chain(ending).chain(refunds).min_by_key(|(at, _)| *at)
    }

    fn land(&mut self, index: usize, at: i64) {
        let landing = self.landings.remove(index);
        let open = self
            .orders
            .get(&landing.key)
            .is_some_and(|order| order.is_waiting() || landing.despite_close && order.charged_fen == 0);
        if open {
            self.charge(&landing.key, at);
        }
    }

    /// What becomes of an order that nobody paid in time.
    fn end(&mut self, key: &OrderKey) {
        if let Some(order) = self.orders.get_mut(key) {
            order.state = match order.terms.origin {
                Origin::Native => TradeState::Closed,
                Origin::PayCode => TradeState::PayError,
            };
        }
    }

    fn end_refund(&mut self, key: &OrderKey, index: usize) {
        let refund = self.orders.get_mut(key).and_then(|order| {
            let refund = order.refunds.get_mut(index)?;
            refund.state = refund.ends_as;
            Some((order.buyer.clone()?, refund.fen, refund.state))
        });
        if let Some((buyer, fen, RefundState::Success)) = refund {
            self.credit(&buyer, fen);
        }
    }

    /// The only place where a buyer is credited.
    pub(crate) fn credit(&mut self, buyer: &str, fen: i64) {
        if let Some(buyer) = self.buyers.get_mut(buyer) {
            buyer.balance_fen += fen;
        }
    }

    /// A code on a buyer's phone: 18 digits that begin with 10 to 15 (reference/wechatpay.md 13).
    pub(crate) fn make_pay_code(&mut self, buyer: &str, expires_at: i64) -> String {
        loop {
            let number = self.next();
            let code = format!("{}{:016}", 10 + number % 6, (number / 6) % 10_000_000_000_000_000);
            if !self.pay_codes.contains_key(&code) {
                let fresh = PayCode { buyer: buyer.to_owned(), expires_at, used: false };
                self.pay_codes.insert(code.clone(), fresh);
                return code;
            }
        }
    }

    /// Gives an order a fresh `code_url`; the old one is dead.
    pub(crate) fn make_code(&mut self, key: &OrderKey, expires_at: i64) -> String {
        // Both forms that are seen today (reference/wechatpay.md 3).
        let short = self.letters(9);
        let text = match self.next() % 2 {
            0 => format!("weixin://wxpay/bizpayurl?pr={short}"),
            _ => format!("weixin://wxpay/bizpayurl/up?pr={short}&groupid=00"),
        };
        self.codes.insert(text.clone(), key.clone());
        if let Some(order) = self.orders.get_mut(key)
            && let Some(old) = order.code.replace(CodeUrl { text: text.clone(), expires_at })
        {
            self.codes.remove(&old.text);
        }
        text
    }

    /// Makes an order that waits for its buyer.
    pub(crate) fn open_order(&mut self, terms: Terms, state: TradeState, times: Times) -> OrderKey {
        let key = terms.key.clone();
        let order = Order {
            transaction_id: self.serial("4200000001", times.now),
            terms,
            state,
            buyer: None,
            code: None,
            created_at: times.now,
            payable_until: times.payable_until,
            ends_at: times.ends_at,
            hidden_until: times.now,
            at_query: None,
            paid_at: None,
            reversed_at: None,
            charged_fen: 0,
            refunds: Vec::new(),
            deliveries: Vec::new(),
        };
        self.restless.insert(key.clone());
        self.orders.insert(key.clone(), order);
        key
    }

    /// Takes the buyer's money. The only place where a buyer is debited.
    pub(crate) fn charge(&mut self, key: &OrderKey, now: i64) {
        let Some(order) = self.orders.get_mut(key) else {
            return;
        };
        order.state = TradeState::Success;
        order.paid_at = Some(now);
        order.charged_fen += order.terms.total_fen;
        if let Some(buyer) = order.buyer.as_ref().and_then(|name| self.buyers.get_mut(name)) {
            buyer.balance_fen -= order.terms.total_fen;
        }
    }

    /// The order with the gateway's own number, once it is paid.
    pub(crate) fn order_by_id(&self, account: &Account, transaction_id: &str) -> Option<&Order> {
        self.orders.values().find(|order| {
            order.transaction_id == transaction_id && order.terms.key.account == *account && order.paid_at.is_some()
        })
    }

    /// The first order with this number, of whatever account.
    pub(crate) fn order_numbered(&self, number: &str) -> Option<&Order> {
        self.orders.values().find(|order| order.terms.key.number == number)
    }

    /// Who pays with this balance can pay this much.
    pub(crate) fn can_pay(&self, buyer: &str, fen: i64) -> bool {
        self.buyers.get(buyer).is_some_and(|buyer| buyer.balance_fen >= fen)
    }
}

/// The times of a new order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub(crate) now: i64,
    pub(crate) payable_until: i64,
    pub(crate) ends_at: i64,
}

enum Due {
    Land(usize),
    End(OrderKey),
    Refund(OrderKey, usize),
}
