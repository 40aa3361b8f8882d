//! WeChat Pay's rules for one merchant (reference/wechatpay.md 3 to 7): what differs from Alipay.
//!
//! | | here |
//! |---|---|
//! | a code that nobody scanned | is a trade, and closing it kills it for good |
//! | undoing a pay code | is refused in its first 15 s, with "again" |
//! | a refund | is PROCESSING first; it may end CLOSED, and then its number is spent |
//! | a trade whose money is back | stays paid |

use payment::channel::outcome::{CodeAnswer, Outcome, RefundOutcome, Refusal, Reversal, Waiting, Why};
use payment::channel::{Answer, Offer, RefundOrder, Request, Trade as Asked};
use payment::ids::AttemptId;

use super::channel::Channel;
use super::failures::{Meaning, No};
use super::ledger::{Phones, Returned, Standing, Trade};

/// No reverse before, counted from the arrival of the pay code.
const REVERSE_FROM_MS: u64 = 15_000;

/// How long a refund is PROCESSING at least.
const PROCESSING_MS: u64 = 2_000;

impl Channel {
    pub(super) fn as_wechat(&mut self, request: &Request, phones: &mut Phones, now: u64) -> Result<Answer, No> {
        match request {
            Request::ShowCode(offer) => self.wechat_show(offer, now).map(Answer::Code),
            Request::TakeCode(offer, code) => self.wechat_take(offer, code.expose(), phones, now).map(Answer::Payment),
            Request::Query(trade) => self.wechat_query(trade).map(Answer::Payment),
            Request::Cancel(trade) => self.wechat_reverse(trade.attempt, now).map(Answer::Reversal),
            Request::Close(trade) => self.wechat_close(trade.attempt).map(Answer::Reversal),
            Request::Refund(refund) => self.wechat_refund(refund, now).map(Answer::Refund),
            Request::RefundQuery(refund) => self.wechat_refund_query(refund, now).map(Answer::Refund),
            Request::Duty(_) | Request::Probe => Ok(Answer::Reachable(true)),
        }
    }

    fn wechat_show(&mut self, offer: &Offer, now: u64) -> Result<CodeAnswer, No> {
        if let Some(no) = self.refuses_code() {
            return Err(no);
        }
        let valid_until = now + offer.valid_ms.next_multiple_of(60_000);
        let made = || Trade::new(offer.amount, Standing::Code { valid_until }, 0);
        let trade = self.trades.entry(offer.attempt).or_insert_with(made);
        match trade.standing {
            Standing::Code { .. } => Ok(CodeAnswer::Ready(format!("weixin://wxpay/bizpayurl/{}", offer.attempt))),
            Standing::Confirming { .. } => Err(No::With("OUT_TRADE_NO_USED")),
            Standing::Paid => Err(No::With("ORDER_PAID")),
            Standing::Closed => Err(No::With("ORDER_CLOSED")),
        }
    }

    fn wechat_take(&mut self, offer: &Offer, code: &str, phones: &mut Phones, now: u64) -> Result<Outcome, No> {
        if self.mood.refuses_setup {
            return Err(No::Some(Meaning::Refused(Why::Setup)));
        }
        if !self.trades.contains_key(&offer.attempt) {
            let wallet = phones.use_up(code, now).ok_or(No::With("AUTH_CODE_INVALID"))?;
            self.begin_taken(offer, wallet, 0, now)?;
        }
        let Some(trade) = self.trades.get(&offer.attempt) else {
            return Err(No::With("SYSTEMERROR"));
        };
        match trade.standing {
            Standing::Paid => Ok(self.paid(offer.attempt, trade)),
            Standing::Code { .. } | Standing::Confirming { .. } => Err(No::With("USERPAYING")),
            Standing::Closed => Err(No::With("ORDERCLOSED")),
        }
    }

    /// A code that is shown has an order from the first moment.
    fn wechat_query(&self, asked: &Asked) -> Result<Outcome, No> {
        let trade = self.trades.get(&asked.attempt).ok_or(No::Some(Meaning::NoTrade))?;
        let is_shown = trade.arrived.is_none();
        Ok(match trade.standing {
            Standing::Code { .. } => Outcome::Pending(Waiting::NoTrade),
            // Nothing need tell whether somebody scanned a code.
            Standing::Confirming { until } if is_shown && until % 2 == 0 => Outcome::Pending(Waiting::NoTrade),
            Standing::Confirming { .. } => Outcome::Pending(Waiting::Confirming),
            Standing::Paid => self.paid(asked.attempt, trade),
            Standing::Closed => {
                let code = if is_shown { "CLOSED" } else { "REVOKED" };
                Outcome::NotPaid(Refusal { code: code.to_owned(), why: Why::Closed })
            }
        })
    }

    fn wechat_reverse(&mut self, attempt: AttemptId, now: u64) -> Result<Reversal, No> {
        if self.mood.again > 0 {
            self.mood.again -= 1;
            return Err(No::Some(Meaning::Again));
        }
        let mood = &mut self.mood;
        let trade = self.trades.get_mut(&attempt).ok_or(No::Some(Meaning::NoTrade))?;
        if trade.arrived.is_some_and(|arrived| now < arrived + REVERSE_FROM_MS) {
            return Err(No::With("USERPAYING"));
        }
        match trade.standing {
            Standing::Paid if mood.refuses_cancels > 0 => {
                mood.refuses_cancels -= 1;
                Err(No::With("REVERSE_EXPIRE"))
            }
            Standing::Paid => {
                trade.cancel(now);
                Ok(Reversal::Refunded)
            }
            Standing::Code { .. } | Standing::Confirming { .. } => {
                trade.standing = Standing::Closed;
                Ok(Reversal::Closed)
            }
            Standing::Closed => Err(No::With("ORDERREVERSED")),
        }
    }

    fn wechat_close(&mut self, attempt: AttemptId) -> Result<Reversal, No> {
        let trade = self.trades.get_mut(&attempt).ok_or(No::With("ORDER_NOT_EXIST"))?;
        match trade.standing {
            Standing::Code { .. } => {
                trade.standing = Standing::Closed;
                Ok(Reversal::Closed)
            }
            Standing::Confirming { until } if until % 3 == 0 => Err(No::With("USER_PAYING")),
            Standing::Confirming { .. } => {
                trade.standing = Standing::Closed;
                Ok(Reversal::Closed)
            }
            Standing::Paid => Err(No::With("ORDER_PAID")),
            Standing::Closed => Err(No::With("ORDER_CLOSED")),
        }
    }

    fn wechat_refund(&mut self, wanted: &RefundOrder, now: u64) -> Result<RefundOutcome, No> {
        let trade = self.trades.get_mut(&wanted.trade.attempt).ok_or(No::With("RESOURCE_NOT_EXISTS"))?;
        match trade.refunds.get(&wanted.refund) {
            Some(known) if known.amount == wanted.amount => return Ok(standing_of(known, now)),
            Some(_) => return Err(No::With("PARAM_ERROR")),
            None => {}
        }
        if self.mood.short_of_funds {
            return Err(No::With("NOT_ENOUGH"));
        }
        if self.mood.refuses_refunds {
            return Err(No::Some(Meaning::Rejected));
        }
        if trade.standing != Standing::Paid || wanted.amount > trade.net() {
            return Err(No::With("INVALID_REQUEST"));
        }
        if self.mood.drops_refunds > 0 {
            self.mood.drops_refunds -= 1;
            return Ok(RefundOutcome::NotMoved);
        }
        let fails = self.mood.fails_refunds > 0;
        self.mood.fails_refunds = self.mood.fails_refunds.saturating_sub(1);
        let moves_at = now + PROCESSING_MS.max(self.mood.refunds_take_ms);
        trade.refunds.insert(wanted.refund, Returned { amount: wanted.amount, moves_at, fails });
        Ok(RefundOutcome::NotMoved)
    }

    fn wechat_refund_query(&self, wanted: &RefundOrder, now: u64) -> Result<RefundOutcome, No> {
        let trade = self.trades.get(&wanted.trade.attempt);
        let known = trade.and_then(|trade| trade.refunds.get(&wanted.refund));
        known.map(|known| standing_of(known, now)).ok_or(No::Some(Meaning::Absent))
    }
}

fn standing_of(refund: &Returned, now: u64) -> RefundOutcome {
    match (refund.is_over(now), refund.fails) {
        (false, _) => RefundOutcome::NotMoved,
        (true, false) => RefundOutcome::Done,
        (true, true) => RefundOutcome::Failed { code: "CLOSED".to_owned() },
    }
}
