//! A model of Alipay for one merchant, with its ledger (reference/alipay.md 5.1 to 5.7, 6 and 7.3).

use std::collections::BTreeMap;

use crate::channel::outcome::{
    CodeAnswer, Details, DutyOutcome, Outcome, Receipt, RefundOutcome, Refusal, Reversal, Waiting, Why,
};
use crate::channel::{Answer, Offer, RefundOrder, Request};
use crate::ids::{AttemptId, RefundId};
use crate::money::Fen;

/// How long a pay code lives.
const PAY_CODE_MS: u64 = 60_000;

/// How a trade stands at Alipay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// A code was made and nobody scanned it: no trade yet.
    Code {
        valid_until: u64,
    },
    /// The buyer sees the cashier.
    Confirming,
    Paid,
    Closed,
}

#[derive(Debug, Clone)]
pub struct Trade {
    pub amount: Fen,
    pub standing: Standing,
    pub charged: Fen,
    pub refunds: BTreeMap<RefundId, Fen>,
    pub cancelled_back: Fen,
    /// Its code was on the screen.
    pub seen: bool,
}

/// What a pay code of the buyer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wallet {
    PaysAtOnce,
    Confirms,
    Refuses(Why),
}

/// What the merchant's account or Alipay itself does to calls.
#[derive(Debug, Clone, Default)]
pub struct Mood {
    pub refuses_setup: bool,
    pub refuses_refunds: bool,
    pub short_of_funds: bool,
    pub refuses_cancels: bool,
    /// Payments are told with another amount.
    pub tells_wrong_amounts: bool,
    /// It lends to nobody.
    pub refuses_instalments: bool,
    /// So many cancels are answered "again" and do nothing.
    pub again: u32,
}

#[derive(Debug, Clone, Default)]
pub struct Alipay {
    pub trades: BTreeMap<AttemptId, Trade>,
    wallets: BTreeMap<String, (Wallet, u64)>,
    pub mood: Mood,
    /// How often each kind of call arrived.
    pub calls: BTreeMap<&'static str, u64>,
}

impl Trade {
    pub fn new(amount: Fen, standing: Standing) -> Self {
        let (charged, cancelled_back) = (Fen::ZERO, Fen::ZERO);
        Self { amount, standing, charged, refunds: BTreeMap::new(), cancelled_back, seen: false }
    }

    fn returned(&self) -> Fen {
        self.refunds.values().copied().chain([self.cancelled_back]).sum()
    }

    /// What the buyer has paid in the end.
    pub fn net(&self) -> Fen {
        Fen::new(self.charged.get() - self.returned().get())
    }

    /// The phone scans the shown code; the trade begins.
    pub fn scan(&mut self, now: u64) {
        if matches!(self.standing, Standing::Code { valid_until } if now <= valid_until) {
            self.standing = Standing::Confirming;
        }
    }

    /// The buyer confirms on the phone.
    pub fn confirm(&mut self) {
        if self.standing == Standing::Confirming {
            self.pay();
        }
    }

    /// The buyer refuses on the phone.
    pub fn refuse(&mut self) {
        if self.standing == Standing::Confirming {
            self.standing = Standing::Closed;
        }
    }

    /// Takes the money. A confirmation that was on its way may land although the trade was closed meanwhile: it should not
    /// be; it is charged.
    pub fn pay(&mut self) {
        self.standing = Standing::Paid;
        self.charged = self.amount;
    }
}

impl Alipay {
    /// The phone makes a pay code.
    pub fn make_pay_code(&mut self, code: &str, wallet: Wallet, now: u64) {
        self.wallets.insert(code.to_owned(), (wallet, now + PAY_CODE_MS));
    }

    /// Carries one call out.
    pub fn execute(&mut self, request: &Request, now: u64) -> Answer {
        *self.calls.entry(name(request)).or_default() += 1;
        match request {
            Request::ShowCode(offer) => Answer::Code(self.show_code(offer, now)),
            Request::TakeCode(offer, code) => Answer::Payment(self.take_code(offer, code.expose(), now)),
            Request::Query(trade) => Answer::Payment(self.query(trade.attempt)),
            Request::Cancel(trade) => Answer::Reversal(self.cancel(trade.attempt)),
            Request::Close(trade) => Answer::Reversal(self.close(trade.attempt)),
            Request::Refund(refund) => Answer::Refund(self.refund(refund)),
            Request::RefundQuery(refund) => Answer::Refund(self.refund_query(refund)),
            Request::Duty(_) => Answer::Duty(DutyOutcome::Done),
            Request::Probe => Answer::Reachable(true),
        }
    }

    fn show_code(&mut self, offer: &Offer, now: u64) -> CodeAnswer {
        if self.mood.refuses_setup {
            return CodeAnswer::Refused(refusal("ACQ.ACCESS_FORBIDDEN", Why::Setup));
        }
        if self.mood.refuses_instalments && offer.instalment.is_some() {
            return CodeAnswer::Refused(refusal("ACQ.INVALID_PARAMETER", Why::Order));
        }
        let valid_until = now + offer.valid_ms.next_multiple_of(60_000);
        let made = || Trade::new(offer.amount, Standing::Code { valid_until });
        let trade = self.trades.entry(offer.attempt).or_insert_with(made);
        match trade.standing {
            Standing::Code { .. } => CodeAnswer::Ready(format!("https://qr.alipay.com/{}", offer.attempt)),
            Standing::Confirming | Standing::Paid => CodeAnswer::Ask { code: "ACQ.TRADE_HAS_SUCCESS".to_owned() },
            Standing::Closed => CodeAnswer::Refused(refusal("ACQ.TRADE_HAS_CLOSE", Why::NewNumber)),
        }
    }

    fn take_code(&mut self, offer: &Offer, code: &str, now: u64) -> Outcome {
        if self.mood.refuses_setup {
            return Outcome::NotPaid(refusal("ACQ.ACCESS_FORBIDDEN", Why::Setup));
        }
        if self.trades.contains_key(&offer.attempt) {
            return self.query(offer.attempt);
        }
        // A pay code is single use.
        let wallet = self.wallets.remove(code).filter(|(_, until)| now <= *until);
        let standing = match wallet {
            None => return Outcome::NotPaid(refusal("ACQ.PAYMENT_AUTH_CODE_INVALID", Why::RefreshCode)),
            Some((Wallet::Refuses(why), _)) => return Outcome::NotPaid(refusal("ACQ.REFUSED_IN_THE_TEST", why)),
            Some((Wallet::PaysAtOnce, _)) => Standing::Paid,
            Some((Wallet::Confirms, _)) => Standing::Confirming,
        };
        let mut trade = Trade::new(offer.amount, standing);
        if standing == Standing::Paid {
            trade.pay();
        }
        self.trades.insert(offer.attempt, trade);
        self.query(offer.attempt)
    }

    fn query(&self, attempt: AttemptId) -> Outcome {
        let Some(trade) = self.trades.get(&attempt) else {
            return Outcome::Pending(Waiting::NoTrade);
        };
        match trade.standing {
            Standing::Code { .. } => Outcome::Pending(Waiting::NoTrade),
            Standing::Confirming => Outcome::Pending(Waiting::Confirming),
            Standing::Paid => Outcome::Paid(Receipt {
                trade_no: format!("2026{attempt}"),
                amount: Fen::new(trade.amount.get() + i64::from(self.mood.tells_wrong_amounts)),
                paid_at: None,
                buyer: None,
                details: Details::default(),
            }),
            Standing::Closed => Outcome::NotPaid(refusal("TRADE_CLOSED", Why::Closed)),
        }
    }

    fn cancel(&mut self, attempt: AttemptId) -> Reversal {
        if self.mood.again > 0 {
            self.mood.again -= 1;
            return Reversal::Again;
        }
        let Some(trade) = self.trades.get_mut(&attempt) else {
            return Reversal::NoTrade;
        };
        match trade.standing {
            Standing::Code { .. } => Reversal::NoTrade,
            Standing::Paid if self.mood.refuses_cancels => Reversal::Ask { code: "ACQ.CANCEL_NOT_ALLOWED".to_owned() },
            Standing::Paid => {
                trade.cancelled_back = trade.net();
                trade.standing = Standing::Closed;
                Reversal::Refunded
            }
            Standing::Confirming | Standing::Closed => {
                trade.standing = Standing::Closed;
                Reversal::Closed
            }
        }
    }

    fn close(&mut self, attempt: AttemptId) -> Reversal {
        let Some(trade) = self.trades.get_mut(&attempt) else {
            return Reversal::NoTrade;
        };
        match trade.standing {
            Standing::Code { .. } => Reversal::NoTrade,
            Standing::Confirming => {
                trade.standing = Standing::Closed;
                Reversal::Closed
            }
            Standing::Paid | Standing::Closed => Reversal::Ask { code: "ACQ.TRADE_STATUS_ERROR".to_owned() },
        }
    }

    fn refund(&mut self, wanted: &RefundOrder) -> RefundOutcome {
        if self.mood.short_of_funds {
            return RefundOutcome::ShortOfFunds;
        }
        let refused = |code: &str| RefundOutcome::Refused { code: code.to_owned() };
        let Some(trade) = self.trades.get_mut(&wanted.trade.attempt) else {
            return refused("ACQ.TRADE_NOT_EXIST");
        };
        match trade.refunds.get(&wanted.refund) {
            // Nothing moved this time.
            Some(amount) if *amount == wanted.amount => return RefundOutcome::NotMoved,
            Some(_) => return refused("ACQ.DISCORDANT_REPEAT_REQUEST"),
            None => {}
        }
        if self.mood.refuses_refunds {
            return refused("ACQ.TRADE_NOT_ALLOW_REFUND");
        }
        match trade.standing {
            Standing::Code { .. } => refused("ACQ.TRADE_NOT_EXIST"),
            Standing::Confirming | Standing::Closed => RefundOutcome::NotMoved,
            Standing::Paid if wanted.amount > trade.net() => refused("ACQ.REFUND_FEE_ERROR"),
            Standing::Paid => {
                trade.refunds.insert(wanted.refund, wanted.amount);
                if trade.net() == Fen::ZERO {
                    trade.standing = Standing::Closed;
                }
                RefundOutcome::Done
            }
        }
    }

    fn refund_query(&self, wanted: &RefundOrder) -> RefundOutcome {
        let known = self.trades.get(&wanted.trade.attempt).and_then(|trade| trade.refunds.get(&wanted.refund));
        if known.is_some() { RefundOutcome::Done } else { RefundOutcome::Absent }
    }
}

pub fn refusal(code: &str, why: Why) -> Refusal {
    Refusal { code: code.to_owned(), why }
}

pub const fn name(request: &Request) -> &'static str {
    match request {
        Request::ShowCode(_) => "precreate",
        Request::TakeCode(..) => "pay",
        Request::Query(_) => "query",
        Request::Cancel(_) => "cancel",
        Request::Close(_) => "close",
        Request::Refund(_) => "refund",
        Request::RefundQuery(_) => "refund_query",
        Request::Duty(_) => "duty",
        Request::Probe => "probe",
    }
}

/// The attempt that a call is about.
pub const fn attempt_of(request: &Request) -> Option<AttemptId> {
    match request {
        Request::ShowCode(offer) | Request::TakeCode(offer, _) => Some(offer.attempt),
        Request::Query(trade) | Request::Cancel(trade) | Request::Close(trade) => Some(trade.attempt),
        Request::Refund(refund) | Request::RefundQuery(refund) => Some(refund.trade.attempt),
        Request::Duty(duty) => Some(duty.trade.attempt),
        Request::Probe => None,
    }
}
