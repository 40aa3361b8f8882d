//! A model of WeChat Pay for one merchant, with its ledger (reference/wechatpay.md 3 to 7): what differs from Alipay.
//!
//! | | here |
//! |---|---|
//! | a code that nobody scanned | is a trade, and closing it kills it for good |
//! | undoing a pay code | is refused in its first 15 s, with "again" |
//! | a refund | is taken at once and carried out later, or it ends CLOSED: then its number is spent |
//! | after the delivery | it is to be told |

use std::collections::{BTreeMap, BTreeSet};

use super::alipay::{Standing, Trade, Wallet, name, refusal};
use super::world::no_reply;
use crate::channel::outcome::{
    CodeAnswer, Details, DutyOutcome, Outcome, Receipt, RefundOutcome, Reversal, Waiting, Why,
};
use crate::channel::{Answer, Duty, Offer, RefundOrder, Request, Trade as Asked};
use crate::ids::{AttemptId, RefundId};
use crate::money::Fen;

/// How long a pay code lives.
const PAY_CODE_MS: u64 = 60_000;

/// No reverse before, counted from the arrival of the pay code.
pub const REVERSE_FROM_MS: u64 = 15_000;

/// How long a refund is PROCESSING.
const PROCESSING_MS: u64 = 70_000;

/// What the merchant's account or WeChat Pay itself does to calls.
#[derive(Debug, Clone, Default)]
pub struct Mood {
    /// It makes no code.
    pub refuses_codes: bool,
    /// Its number is known and nothing else is told: of a code that nobody saw.
    pub knows_every_number: bool,
    pub short_of_funds: bool,
    pub refuses_duties: bool,
    /// So many of the next refunds end CLOSED.
    pub closes_refunds: u32,
    /// A refund that it works on is not told of, and sent again it is refused: the repeat, not the refund.
    pub refuses_repeats: bool,
    /// It neither closes nor reverses, and its answer is no answer.
    pub mumbles: bool,
}

/// A refund that was taken.
#[derive(Debug, Clone, Copy)]
struct Processing {
    attempt: AttemptId,
    amount: Fen,
    until: u64,
    closes: bool,
}

#[derive(Debug, Clone, Default)]
pub struct Wechat {
    pub trades: BTreeMap<AttemptId, Trade>,
    wallets: BTreeMap<String, (Wallet, u64)>,
    processing: BTreeMap<RefundId, Processing>,
    /// Refunds that ended CLOSED.
    pub closed_refunds: BTreeSet<RefundId>,
    arrived: BTreeMap<AttemptId, u64>,
    /// Deliveries that it knows of.
    pub told: BTreeSet<AttemptId>,
    pub mood: Mood,
    /// How often each kind of call arrived.
    pub calls: BTreeMap<&'static str, u64>,
}

impl Wechat {
    /// The phone makes a pay code.
    pub fn make_pay_code(&mut self, code: &str, wallet: Wallet, now: u64) {
        self.wallets.insert(code.to_owned(), (wallet, now + PAY_CODE_MS));
    }

    /// Carries one call out.
    pub fn execute(&mut self, request: &Request, now: u64) -> Answer {
        self.carry_on(now);
        *self.calls.entry(name(request)).or_default() += 1;
        match request {
            Request::ShowCode(offer) => Answer::Code(self.show_code(offer, now)),
            Request::TakeCode(offer, code) => Answer::Payment(self.take_code(offer, code.expose(), now)),
            Request::Query(trade) => Answer::Payment(self.query(trade)),
            Request::Cancel(trade) => Answer::Reversal(self.undo(trade.attempt, now, Self::reverse)),
            Request::Close(trade) => Answer::Reversal(self.undo(trade.attempt, now, Self::close)),
            Request::Refund(refund) => Answer::Refund(self.refund(refund, now)),
            Request::RefundQuery(refund) => Answer::Refund(self.refund_query(refund)),
            Request::Duty(duty) => Answer::Duty(self.duty(duty)),
            Request::Probe => Answer::Reachable(true),
        }
    }

    /// Refunds that were being processed until now.
    fn carry_on(&mut self, now: u64) {
        let due: Vec<RefundId> =
            self.processing.iter().filter(|(_, refund)| refund.until <= now).map(|(number, _)| *number).collect();
        for number in due {
            let Some(refund) = self.processing.remove(&number) else {
                continue;
            };
            if refund.closes {
                self.closed_refunds.insert(number);
            } else if let Some(trade) = self.trades.get_mut(&refund.attempt) {
                trade.refunds.insert(number, refund.amount);
            }
        }
    }

    fn show_code(&mut self, offer: &Offer, now: u64) -> CodeAnswer {
        if self.mood.refuses_codes {
            return CodeAnswer::Refused(refusal("APPID_MCHID_NOT_MATCH", Why::NewNumber));
        }
        let valid_until = now + offer.valid_ms;
        let made = || Trade::new(offer.amount, Standing::Code { valid_until });
        let trade = self.trades.entry(offer.attempt).or_insert_with(made);
        match trade.standing {
            _ if self.mood.knows_every_number => CodeAnswer::Ask { code: "OUT_TRADE_NO_USED".to_owned() },
            Standing::Code { .. } => CodeAnswer::Ready(format!("weixin://wxpay/bizpayurl/{}", offer.attempt)),
            Standing::Confirming | Standing::Paid => CodeAnswer::Ask { code: "ORDERPAID".to_owned() },
            Standing::Closed => CodeAnswer::Refused(refusal("ORDER_CLOSED", Why::NewNumber)),
        }
    }

    fn take_code(&mut self, offer: &Offer, code: &str, now: u64) -> Outcome {
        self.arrived.entry(offer.attempt).or_insert(now);
        let known = self.trades.contains_key(&offer.attempt);
        if !known {
            // A pay code is single use.
            let wallet = self.wallets.remove(code).filter(|(_, until)| now <= *until);
            let standing = match wallet {
                None => return Outcome::NotPaid(refusal("AUTH_CODE_INVALID", Why::RefreshCode)),
                Some((Wallet::Refuses(why), _)) => return Outcome::NotPaid(refusal("REFUSED_IN_THE_TEST", why)),
                Some((Wallet::PaysAtOnce, _)) => Standing::Paid,
                Some((Wallet::Confirms, _)) => Standing::Confirming,
            };
            let mut trade = Trade::new(offer.amount, standing);
            if standing == Standing::Paid {
                trade.pay();
            }
            self.trades.insert(offer.attempt, trade);
        }
        self.standing(offer.attempt)
    }

    fn query(&self, asked: &Asked) -> Outcome {
        self.standing(asked.attempt)
    }

    /// A code that is shown has an order from the first moment; nothing tells whether anybody scanned it.
    fn standing(&self, attempt: AttemptId) -> Outcome {
        let Some(trade) = self.trades.get(&attempt) else {
            return Outcome::Pending(Waiting::NoTrade);
        };
        match trade.standing {
            Standing::Code { .. } => Outcome::Pending(Waiting::NoTrade),
            Standing::Confirming if !self.arrived.contains_key(&attempt) => Outcome::Pending(Waiting::NoTrade),
            Standing::Confirming => Outcome::Pending(Waiting::Confirming),
            Standing::Paid => Outcome::Paid(Receipt {
                trade_no: format!("4200{attempt}"),
                amount: trade.amount,
                paid_at: None,
                buyer: Some("openid-of-a-test".to_owned()),
                details: Details::default(),
            }),
            Standing::Closed => Outcome::NotPaid(refusal("CLOSED", Why::Closed)),
        }
    }

    fn undo(&mut self, attempt: AttemptId, now: u64, how: impl Fn(&mut Self, AttemptId, u64) -> Reversal) -> Reversal {
        if self.mood.mumbles { Reversal::Unknown(no_reply()) } else { how(self, attempt, now) }
    }

    fn reverse(&mut self, attempt: AttemptId, now: u64) -> Reversal {
        if self.arrived.get(&attempt).is_some_and(|arrived| now < arrived + REVERSE_FROM_MS) {
            return Reversal::Again;
        }
        let Some(trade) = self.trades.get_mut(&attempt) else {
            return Reversal::NoTrade;
        };
        let said = match trade.standing {
            Standing::Paid => {
                trade.cancelled_back = trade.net();
                Reversal::Refunded
            }
            Standing::Code { .. } | Standing::Confirming | Standing::Closed => Reversal::Closed,
        };
        trade.standing = Standing::Closed;
        said
    }

    fn close(&mut self, attempt: AttemptId, _now: u64) -> Reversal {
        let Some(trade) = self.trades.get_mut(&attempt) else {
            return Reversal::NoTrade;
        };
        match trade.standing {
            Standing::Paid => Reversal::Ask { code: "ORDERPAID".to_owned() },
            Standing::Code { .. } | Standing::Confirming | Standing::Closed => {
                trade.standing = Standing::Closed;
                Reversal::Closed
            }
        }
    }

    fn refund(&mut self, wanted: &RefundOrder, now: u64) -> RefundOutcome {
        if self.how_it_stands(wanted.refund).is_some() {
            if self.mood.refuses_repeats {
                return RefundOutcome::Failed { code: "3051".to_owned() };
            }
            return self.refund_query(wanted);
        }
        if self.mood.short_of_funds {
            return RefundOutcome::ShortOfFunds;
        }
        let attempt = wanted.trade.attempt;
        let on_its_way = self.processing.values().filter(|refund| refund.attempt == attempt && !refund.closes);
        let on_its_way: Fen = on_its_way.map(|refund| refund.amount).sum();
        let left = self.trades.get(&attempt).map_or(Fen::ZERO, |trade| trade.net().less(on_its_way));
        if wanted.amount > left {
            return RefundOutcome::Refused { code: "INVALID_REQUEST".to_owned() };
        }
        let closes = self.mood.closes_refunds > 0;
        self.mood.closes_refunds = self.mood.closes_refunds.saturating_sub(1);
        let until = now + PROCESSING_MS;
        self.processing.insert(wanted.refund, Processing { attempt, amount: wanted.amount, until, closes });
        RefundOutcome::NotMoved
    }

    fn refund_query(&self, wanted: &RefundOrder) -> RefundOutcome {
        if self.mood.refuses_repeats && self.processing.contains_key(&wanted.refund) {
            return RefundOutcome::Absent;
        }
        self.how_it_stands(wanted.refund).unwrap_or(RefundOutcome::Absent)
    }

    fn how_it_stands(&self, refund: RefundId) -> Option<RefundOutcome> {
        if self.closed_refunds.contains(&refund) {
            return Some(RefundOutcome::Failed { code: "CLOSED".to_owned() });
        }
        if self.processing.contains_key(&refund) {
            return Some(RefundOutcome::NotMoved);
        }
        let moved = self.trades.values().any(|trade| trade.refunds.contains_key(&refund));
        moved.then_some(RefundOutcome::Done)
    }

    fn duty(&mut self, duty: &Duty) -> DutyOutcome {
        if self.mood.refuses_duties {
            return DutyOutcome::Refused { code: "10060001".to_owned() };
        }
        self.told.insert(duty.trade.attempt);
        DutyOutcome::Done
    }
}
