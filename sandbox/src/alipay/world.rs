//! The truth: who owes, who paid, which codes live. Everything here happens at a given moment and at once.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use super::bill::BillLink;
use super::calls::CallRecord;
use super::china_time;
use super::code::{self, Offer, PayCode};
use super::common::Biz;
use super::coupon::{self, Coupon, CouponBy, Redeemed, sum_by};
use super::ledger::TradeState;
use super::options::GatewayOptions;
use super::refusal::Refusal;
use super::terms::Terms;
use super::trade::{Landing, Origin, Parts, Refund, Trade};
use super::wallet::WalletError;
use super::weather::Weather;

/// A person with an account.
#[derive(Debug, Clone)]
pub(crate) struct Buyer {
    pub(crate) user_id: String,
    pub(crate) balance_fen: i64,
    /// What Huabei still lends.
    pub(crate) huabei_fen: i64,
    /// By id, oldest first.
    pub(crate) coupons: Vec<(String, Coupon)>,
    pub(crate) auto_confirm: bool,
}

impl Buyer {
    /// The account as answers show it.
    pub(crate) fn masked(&self) -> String {
        format!("sbx***{}@example.com", self.user_id.get(12..).unwrap_or(""))
    }

    /// What a payment on these terms is taken from: Huabei for instalments, otherwise the account.
    fn purse(&mut self, terms: &Terms) -> &mut i64 {
        match terms.plan {
            Some(_) => &mut self.huabei_fen,
            None => &mut self.balance_fen,
        }
    }
}

#[derive(Debug)]
pub(crate) struct World {
    seed: u64,
    counter: u64,
    pub(crate) weather: Weather,
    pub(crate) calls: VecDeque<CallRecord>,
    pub(crate) buyers: BTreeMap<String, Buyer>,
    pub(crate) pay_codes: HashMap<String, PayCode>,
    /// By `out_trade_no`.
    pub(crate) offers: BTreeMap<String, Offer>,
    offers_by_text: HashMap<String, String>,
    /// By `out_trade_no`.
    pub(crate) trades: BTreeMap<String, Trade>,
    numbers_by_trade_no: HashMap<String, String>,
    /// Unpaid trades, so that time need not look at the paid ones.
    pub(crate) waiting: BTreeSet<String>,
    pub(crate) landings: Vec<Landing>,
    /// The stores whose orders are synchronised (订单同步); new ones are not.
    pub(crate) synced_stores: BTreeSet<String>,
    /// Where the gateway listens, for the addresses that it gives.
    pub(crate) address: String,
    pub(crate) bill_links: HashMap<String, BillLink>,
}

impl World {
    pub(crate) fn new(options: &GatewayOptions) -> Self {
        Self {
            seed: options.seed,
            counter: 0,
            weather: Weather::fair(),
            calls: VecDeque::new(),
            buyers: BTreeMap::new(),
            pay_codes: HashMap::new(),
            offers: BTreeMap::new(),
            offers_by_text: HashMap::new(),
            trades: BTreeMap::new(),
            numbers_by_trade_no: HashMap::new(),
            waiting: BTreeSet::new(),
            landings: Vec::new(),
            synced_stores: BTreeSet::new(),
            address: String::new(),
            bill_links: HashMap::new(),
        }
    }

    /// The next number of this world's own sequence.
    pub(crate) fn next(&mut self) -> u64 {
        self.counter += 1;
        code::scatter(self.seed, self.counter)
    }

    /// Lets time pass: payments land and unpaid trades close, in the order in which they are due.
    /// Tells whether anything changed.
    pub(crate) fn settle(&mut self, now: i64) -> bool {
        let mut changed = false;
        loop {
            let due = self.next_due().filter(|(at, _)| *at <= now);
            let Some((at, due)) = due else { break };
            changed = true;
            match due {
                Due::Land(index) => self.land(index, at),
                Due::Close(number) => self.close(&number),
            }
        }
        changed
    }

    /// When something happens next by itself.
    pub(crate) fn next_due_at(&self) -> Option<i64> {
        self.next_due().map(|(at, _)| at)
    }

    fn next_due(&self) -> Option<(i64, Due)> {
        let landings = self.landings.iter().enumerate();
        let landing = landings.map(|(index, landing)| (landing.at, Due::Land(index)));
        let waiting = self.waiting.iter().filter_map(|number| self.trades.get(number));
        let closing = waiting.map(|trade| {
            let number = trade.terms.out_trade_no.clone();
            (trade.deadline, Due::Close(number))
        });
        landing.chain(closing).min_by_key(|(at, _)| *at)
    }

    fn land(&mut self, index: usize, at: i64) {
        let landing = self.landings.remove(index);
        let open = self
            .trades
            .get(&landing.out_trade_no)
            .is_some_and(|trade| trade.is_waiting() || (landing.despite_close && trade.charged_fen == 0));
        if open {
            self.charge(&landing.out_trade_no, at);
        }
    }

    /// A code on a buyer's phone.
    pub(crate) fn make_pay_code(&mut self, buyer: &str, expires_at: i64) -> String {
        loop {
            let code = code::pay_code(self.next());
            if !self.pay_codes.contains_key(&code) {
                let fresh = PayCode { buyer: buyer.to_owned(), expires_at, used_by: None };
                self.pay_codes.insert(code.clone(), fresh);
                return code;
            }
        }
    }

    /// Makes the QR of a precreate; the old one of the same number, if any, is dead.
    pub(crate) fn make_offer(&mut self, terms: Terms, now: i64, expires_at: i64) -> String {
        let text = code::qr_text(self.next());
        let number = terms.out_trade_no.clone();
        let offer = Offer { terms, text: text.clone(), created_at: now, expires_at };
        if let Some(old) = self.offers.insert(number.clone(), offer) {
            self.offers_by_text.remove(&old.text);
        }
        self.offers_by_text.insert(text.clone(), number);
        text
    }

    /// The offer behind a QR text, live or not.
    pub(crate) fn offer_of_text(&self, text: &str) -> Option<&Offer> {
        self.offers.get(self.offers_by_text.get(text)?)
    }

    /// Makes a trade that waits for its buyer.
    pub(crate) fn open_trade(&mut self, terms: Terms, origin: Origin, buyer: &str, now: i64, deadline: i64) {
        let number = terms.out_trade_no.clone();
        let serial = self.trades.len() + 1;
        let trade_no = format!("{}2200140000{serial:010}", china_time::day(now));
        self.numbers_by_trade_no.insert(trade_no.clone(), number.clone());
        self.waiting.insert(number.clone());
        let trade = Trade {
            trade_no,
            terms,
            origin,
            buyer: buyer.to_owned(),
            state: TradeState::WaitBuyerPay,
            created_at: now,
            deadline,
            paid_at: None,
            cancelled: false,
            refused: false,
            charged_fen: 0,
            paid: Parts::default(),
            redeemed: Vec::new(),
            refunds: Vec::new(),
        };
        self.trades.insert(number, trade);
    }

    /// Takes the buyer's money and coupons. The only place where a buyer is debited.
    pub(crate) fn charge(&mut self, number: &str, now: i64) {
        let Some(trade) = self.trades.get(number) else {
            return;
        };
        let redeemed = self.redeemable(&trade.buyer, &trade.terms);
        let Some(trade) = self.trades.get_mut(number) else {
            return;
        };
        trade.state = TradeState::TradeSuccess;
        trade.paid_at = Some(now);
        trade.charged_fen += trade.terms.amount_fen;
        trade.paid = parts(trade.terms.amount_fen, &redeemed);
        if let Some(buyer) = self.buyers.get_mut(&trade.buyer) {
            *buyer.purse(&trade.terms) -= trade.paid.buyer;
            buyer.coupons.retain(|(id, _)| !redeemed.iter().any(|used| used.id == *id));
        }
        trade.redeemed = redeemed;
        self.waiting.remove(number);
    }

    /// The coupons that `buyer` would use. They need a store whose orders are synchronised.
    fn redeemable(&self, buyer: &str, terms: &Terms) -> Vec<Redeemed> {
        let wallet = self.buyers.get(buyer).filter(|_| self.synced_stores.contains(terms.text("store_id")));
        wallet.map(|buyer| coupon::redeemable(&buyer.coupons, terms)).unwrap_or_default()
    }

    /// Whether `buyer` has what a payment on these terms takes.
    pub(crate) fn can_pay(&self, buyer: &str, terms: &Terms) -> Result<(), WalletError> {
        let needed = parts(terms.amount_fen, &self.redeemable(buyer, terms)).buyer;
        let Some(buyer) = self.buyers.get(buyer) else {
            return Err(WalletError::NotEnoughMoney);
        };
        match terms.plan {
            Some(_) if buyer.huabei_fen < needed => Err(WalletError::HuabeiTooLow),
            None if buyer.balance_fen < needed => Err(WalletError::NotEnoughMoney),
            Some(_) | None => Ok(()),
        }
    }

    /// Returns money. The only place where a buyer is credited; a trade without money left is closed.
    pub(crate) fn give_back(&mut self, number: &str, refund: Refund) {
        let Some(trade) = self.trades.get_mut(number) else {
            return;
        };
        if let Some(buyer) = self.buyers.get_mut(&trade.buyer) {
            *buyer.purse(&trade.terms) += refund.parts.buyer;
        }
        trade.refunds.push(refund);
        if trade.left_fen() == 0 {
            trade.state = TradeState::TradeClosed;
        }
    }

    /// Closes a trade.
    pub(crate) fn close(&mut self, number: &str) {
        if let Some(trade) = self.trades.get_mut(number) {
            trade.state = TradeState::TradeClosed;
        }
        self.waiting.remove(number);
    }

    /// The trade with the gateway's own number.
    pub(crate) fn trade_by_no(&self, trade_no: &str) -> Option<&Trade> {
        self.trades.get(self.numbers_by_trade_no.get(trade_no)?)
    }

    /// The number that a request names by `trade_no`, which wins, or `out_trade_no`; the trade may not exist.
    pub(crate) fn number_of(&self, biz: &Biz) -> Result<String, Refusal> {
        if let Some(trade_no) = super::fields::text(biz, "trade_no", 64)? {
            let number = self.numbers_by_trade_no.get(trade_no);
            return number.cloned().ok_or_else(trade_not_exist);
        }
        super::fields::out_trade_no(biz).map(str::to_owned)
    }

    /// The trade that a request names.
    pub(crate) fn trade_of(&self, biz: &Biz) -> Result<&Trade, Refusal> {
        let number = self.number_of(biz)?;
        self.trades.get(&number).ok_or_else(trade_not_exist)
    }
}

/// `ACQ.TRADE_NOT_EXIST`: also what an unscanned code gets.
pub(crate) fn trade_not_exist() -> Refusal {
    Refusal::business("ACQ.TRADE_NOT_EXIST", "交易不存在")
}

/// Whose money an amount is when these coupons are used.
fn parts(amount_fen: i64, redeemed: &[Redeemed]) -> Parts {
    let (merchant, alipay) = (sum_by(redeemed, CouponBy::Merchant), sum_by(redeemed, CouponBy::Alipay));
    Parts { buyer: amount_fen - merchant - alipay, alipay, merchant }
}

enum Due {
    Land(usize),
    Close(String),
}
