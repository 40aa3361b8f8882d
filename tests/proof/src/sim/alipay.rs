//! Alipay's rules for one merchant: a code that nobody scanned is no trade yet, a cancel returns what was paid, and a trade
//! whose money is all back is closed.

use payment::channel::outcome::{CodeAnswer, Outcome, RefundOutcome, Refusal, Reversal, Waiting, Why};
use payment::channel::{Answer, Offer, RefundOrder, Request};
use payment::ids::AttemptId;

use super::channel::Channel;
use super::failures::{Meaning, No};
use super::ledger::{Phones, Returned, Standing, Trade};

/// How long after a pay code was read its payment may still land although the trade was closed.
const LANDS_WITHIN_MS: u64 = 80_000;

/// There is no trade under this number.
const NO_TRADE: No = No::With("ACQ.TRADE_NOT_EXIST");

impl Channel {
    pub(super) fn as_alipay(
        &mut self,
        request: &Request,
        phones: &mut Phones,
        sent: u64,
        now: u64,
    ) -> Result<Answer, No> {
        match request {
            Request::ShowCode(offer) => self.alipay_show(offer, now).map(Answer::Code),
            Request::TakeCode(offer, code) => {
                self.alipay_take(offer, code.expose(), phones, sent, now).map(Answer::Payment)
            }
            Request::Query(trade) => self.alipay_query(trade.attempt).map(Answer::Payment),
            Request::Cancel(trade) => self.alipay_cancel(trade.attempt, now).map(Answer::Reversal),
            Request::Close(trade) => self.alipay_close(trade.attempt).map(Answer::Reversal),
            Request::Refund(refund) => self.alipay_refund(refund, now).map(Answer::Refund),
            Request::RefundQuery(refund) => Ok(Answer::Refund(self.alipay_refund_query(refund, now))),
            Request::Duty(_) | Request::Probe => Ok(Answer::Reachable(true)),
        }
    }

    fn alipay_show(&mut self, offer: &Offer, now: u64) -> Result<CodeAnswer, No> {
        if let Some(no) = self.refuses_code() {
            return Err(no);
        }
        let valid_until = now + offer.valid_ms.next_multiple_of(60_000);
        let made = || {
            let mut made = Trade::new(offer.amount, Standing::Code { valid_until }, valid_until);
            made.instalment = offer.instalment;
            made
        };
        let trade = self.trades.entry(offer.attempt).or_insert_with(made);
        match trade.standing {
            Standing::Code { .. } => Ok(CodeAnswer::Ready(format!("https://qr.alipay.com/{}", offer.attempt))),
            Standing::Confirming { .. } | Standing::Paid => Err(No::With("ACQ.TRADE_HAS_SUCCESS")),
            Standing::Closed => Err(No::With("ACQ.TRADE_HAS_CLOSE")),
        }
    }

    fn alipay_take(
        &mut self,
        offer: &Offer,
        code: &str,
        phones: &mut Phones,
        sent: u64,
        now: u64,
    ) -> Result<Outcome, No> {
        if self.mood.refuses_setup {
            return Err(No::Some(Meaning::Refused(Why::Setup)));
        }
        if !self.trades.contains_key(&offer.attempt) {
            let wallet = phones.use_up(code, now).ok_or(No::With("ACQ.PAYMENT_AUTH_CODE_INVALID"))?;
            self.begin_taken(offer, wallet, sent + LANDS_WITHIN_MS, now)?;
        }
        self.alipay_query(offer.attempt)
    }

    fn alipay_query(&self, attempt: AttemptId) -> Result<Outcome, No> {
        let trade = self.trades.get(&attempt).ok_or(NO_TRADE)?;
        match trade.standing {
            Standing::Code { .. } => Err(NO_TRADE),
            Standing::Confirming { .. } => Ok(Outcome::Pending(Waiting::Confirming)),
            Standing::Paid => Ok(self.paid(attempt, trade)),
            // Not a code of the table: the trade's own state.
            Standing::Closed => Ok(Outcome::NotPaid(Refusal { code: "TRADE_CLOSED".to_owned(), why: Why::Closed })),
        }
    }

    fn alipay_cancel(&mut self, attempt: AttemptId, now: u64) -> Result<Reversal, No> {
        if self.mood.again > 0 {
            self.mood.again -= 1;
            return Err(No::Some(Meaning::Again));
        }
        let mood = &mut self.mood;
        let trade = self.trades.get_mut(&attempt).ok_or(NO_TRADE)?;
        match trade.standing {
            Standing::Code { .. } => Err(NO_TRADE),
            Standing::Paid if mood.refuses_cancels > 0 => {
                mood.refuses_cancels -= 1;
                Err(No::Some(Meaning::Ask))
            }
            Standing::Paid => {
                trade.cancel(now);
                Ok(Reversal::Refunded)
            }
            Standing::Confirming { .. } => {
                trade.race();
                Ok(Reversal::Closed)
            }
            Standing::Closed => Ok(Reversal::Closed),
        }
    }

    fn alipay_close(&mut self, attempt: AttemptId) -> Result<Reversal, No> {
        let trade = self.trades.get_mut(&attempt).ok_or(NO_TRADE)?;
        match trade.standing {
            Standing::Code { .. } => Err(NO_TRADE),
            Standing::Confirming { .. } => {
                trade.race();
                Ok(Reversal::Closed)
            }
            Standing::Paid | Standing::Closed => Err(No::Some(Meaning::Ask)),
        }
    }

    fn alipay_refund(&mut self, wanted: &RefundOrder, now: u64) -> Result<RefundOutcome, No> {
        if self.mood.short_of_funds {
            return Err(No::Some(Meaning::ShortOfFunds));
        }
        let trade = self.trades.get_mut(&wanted.trade.attempt).ok_or(NO_TRADE)?;
        match trade.refunds.get(&wanted.refund) {
            // Nothing moved this time.
            Some(known) if known.amount == wanted.amount => return Ok(RefundOutcome::NotMoved),
            Some(_) => return Err(No::With("ACQ.DISCORDANT_REPEAT_REQUEST")),
            None => {}
        }
        if self.mood.refuses_refunds {
            return Err(No::Some(Meaning::Rejected));
        }
        match trade.standing {
            Standing::Code { .. } => Err(NO_TRADE),
            Standing::Confirming { .. } | Standing::Closed => Err(No::Some(Meaning::Ask)),
            Standing::Paid if wanted.amount > trade.net() => Err(No::With("ACQ.REFUND_FEE_ERROR")),
            Standing::Paid if self.mood.drops_refunds > 0 => {
                self.mood.drops_refunds -= 1;
                Ok(RefundOutcome::NotMoved)
            }
            Standing::Paid => {
                let later = self.mood.refunds_take_ms;
                let returned = Returned { amount: wanted.amount, moves_at: now + later, fails: false };
                trade.refunds.insert(wanted.refund, returned);
                trade.close_if_returned(now);
                Ok(if later == 0 { RefundOutcome::Done } else { RefundOutcome::NotMoved })
            }
        }
    }

    fn alipay_refund_query(&self, wanted: &RefundOrder, now: u64) -> RefundOutcome {
        let moved = self.trades.get(&wanted.trade.attempt).is_some_and(|trade| trade.has_moved(wanted.refund, now));
        if moved { RefundOutcome::Done } else { RefundOutcome::Absent }
    }
}
