//! The rules of an acquirer like Allinpay's VSP (reference/allinpay.md 2): one contract and one code for several wallets.
//!
//! | | here |
//! |---|---|
//! | what is paid | may be told as 2000, on its way, for a while |
//! | a cancel | has a number of its own: sent again it is asked how the first one went |
//! | a refund that fails | has used its number up, for whatever reason |
//! | a close | works on shown codes only, and kills them |

use payment::channel::outcome::{CodeAnswer, Outcome, RefundOutcome, Refusal, Reversal, Waiting, Why};
use payment::channel::{Answer, Offer, RefundOrder, Request};
use payment::ids::AttemptId;

use super::channel::Channel;
use super::failures::{Meaning, No};
use super::ledger::{Phones, Returned, Standing, Trade};

/// On its way.
const IN_PROGRESS: No = No::With("2000");

impl Channel {
    pub(super) fn as_acquirer(&mut self, request: &Request, phones: &mut Phones, now: u64) -> Result<Answer, No> {
        match request {
            Request::ShowCode(offer) => self.acquirer_show(offer, now).map(Answer::Code),
            Request::TakeCode(offer, code) => {
                self.acquirer_take(offer, code.expose(), phones, now).map(Answer::Payment)
            }
            Request::Query(trade) => self.acquirer_query(trade.attempt, now).map(Answer::Payment),
            Request::Cancel(trade) => self.acquirer_cancel(trade.attempt, now).map(Answer::Reversal),
            Request::Close(trade) => self.acquirer_close(trade.attempt).map(Answer::Reversal),
            Request::Refund(refund) => self.acquirer_refund(request, refund, now).map(Answer::Refund),
            Request::RefundQuery(refund) => self.acquirer_refund_query(refund, now).map(Answer::Refund),
            Request::Duty(_) | Request::Probe => Ok(Answer::Reachable(true)),
        }
    }

    fn acquirer_show(&mut self, offer: &Offer, now: u64) -> Result<CodeAnswer, No> {
        if let Some(no) = self.refuses_code() {
            return Err(no);
        }
        if self.trades.contains_key(&offer.attempt) {
            return Err(No::With("3888"));
        }
        let valid_until = now + offer.valid_ms.next_multiple_of(60_000);
        self.trades.insert(offer.attempt, Trade::new(offer.amount, Standing::Code { valid_until }, 0));
        Ok(CodeAnswer::Ready(format!("https://syb.allinpay.com/apiweb/{}", offer.attempt)))
    }

    fn acquirer_take(&mut self, offer: &Offer, code: &str, phones: &mut Phones, now: u64) -> Result<Outcome, No> {
        if self.mood.refuses_setup {
            return Err(No::Some(Meaning::Refused(Why::Setup)));
        }
        if self.trades.contains_key(&offer.attempt) {
            return Err(No::With("3888"));
        }
        let wallet = phones.use_up(code, now).ok_or(No::Some(Meaning::Refused(Why::Buyer)))?;
        self.begin_taken(offer, wallet, 0, now)?;
        self.acquirer_query(offer.attempt, now)
    }

    fn acquirer_query(&self, attempt: AttemptId, now: u64) -> Result<Outcome, No> {
        let trade = self.trades.get(&attempt).ok_or(No::With("1001"))?;
        match trade.standing {
            Standing::Code { .. } => Ok(Outcome::Pending(Waiting::NoTrade)),
            Standing::Confirming { .. } => Err(IN_PROGRESS),
            Standing::Paid if now < trade.paid_at + self.mood.pending_ms => Err(IN_PROGRESS),
            Standing::Paid => Ok(self.paid(attempt, trade)),
            Standing::Closed => Ok(Outcome::NotPaid(Refusal { code: "3050".to_owned(), why: Why::Closed })),
        }
    }

    fn acquirer_cancel(&mut self, attempt: AttemptId, now: u64) -> Result<Reversal, No> {
        let mood = &mut self.mood;
        let trade = self.trades.get_mut(&attempt).ok_or(No::With("1001"))?;
        match trade.standing {
            Standing::Paid if mood.refuses_cancels > 0 => {
                mood.refuses_cancels -= 1;
                return Err(No::Some(Meaning::Ask));
            }
            Standing::Paid => trade.cancel(now),
            Standing::Code { .. } | Standing::Confirming { .. } => trade.standing = Standing::Closed,
            Standing::Closed => {}
        }
        // It is done, and said to be on its way.
        if mood.again > 0 {
            mood.again -= 1;
            return Err(IN_PROGRESS);
        }
        Ok(Reversal::Refunded)
    }

    fn acquirer_close(&mut self, attempt: AttemptId) -> Result<Reversal, No> {
        let trade = self.trades.get_mut(&attempt).ok_or(No::With("1001"))?;
        match trade.standing {
            Standing::Code { .. } | Standing::Confirming { .. } => {
                trade.standing = Standing::Closed;
                Ok(Reversal::Closed)
            }
            Standing::Paid | Standing::Closed => Err(No::Some(Meaning::Ask)),
        }
    }

    fn acquirer_refund(&mut self, request: &Request, wanted: &RefundOrder, now: u64) -> Result<RefundOutcome, No> {
        let trade = self.trades.get(&wanted.trade.attempt).ok_or(No::With("1001"))?;
        if trade.refunds.contains_key(&wanted.refund) {
            return Err(No::With("3888"));
        }
        if self.mood.short_of_funds {
            self.spend_number(request, now);
            return Err(No::With("3008"));
        }
        if self.mood.refuses_refunds || trade.standing != Standing::Paid || wanted.amount > trade.net() {
            self.spend_number(request, now);
            return Err(No::Some(Meaning::Failed));
        }
        if self.mood.drops_refunds > 0 {
            self.mood.drops_refunds -= 1;
            return Err(IN_PROGRESS);
        }
        let fails = self.mood.fails_refunds > 0;
        self.mood.fails_refunds = self.mood.fails_refunds.saturating_sub(1);
        let moves_at = now + self.mood.refunds_take_ms;
        let refund = Returned { amount: wanted.amount, moves_at, fails };
        if let Some(trade) = self.trades.get_mut(&wanted.trade.attempt) {
            trade.refunds.insert(wanted.refund, refund);
        }
        standing_of(&refund, now)
    }

    fn acquirer_refund_query(&self, wanted: &RefundOrder, now: u64) -> Result<RefundOutcome, No> {
        let trade = self.trades.get(&wanted.trade.attempt);
        let known = trade.and_then(|trade| trade.refunds.get(&wanted.refund)).ok_or(No::With("1001"))?;
        standing_of(known, now)
    }
}

fn standing_of(refund: &Returned, now: u64) -> Result<RefundOutcome, No> {
    match (refund.is_over(now), refund.fails) {
        (false, _) => Err(IN_PROGRESS),
        (true, false) => Ok(RefundOutcome::Done),
        (true, true) => Err(No::Some(Meaning::Failed)),
    }
}
