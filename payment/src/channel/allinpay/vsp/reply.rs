//! What an answer means for the money.
//!
//! Source: VSP apiweb, answers and `trxstatus` (reference/allinpay.md 2.4). Whatever is not exactly one of the documented
//! answers is a doubt. A cancel or close that was not done is no doubt but a question: how the trade stands says the query.

use super::answer::{Members, malformed, trouble};
use super::cancels::{Cancels, Known, cancel_number};
use super::closes::Closes;
use super::codes::{self, Moves, REFUSALS, SUCCESS, SYSTEM_ERROR, Status, moves};
use super::setup::Config;
use super::wire::PROBE;
use crate::channel::outcome::{
    CodeAnswer, Details, Doubt, DoubtKind, DutyOutcome, Outcome, Receipt, RefundOutcome, Refusal, Reversal, Waiting,
    Why,
};
use crate::channel::{Answer, Decoded, Method, Offer, RefundOrder, Request, Trade};
use crate::money::Fen;
use crate::time::Wall;

/// So long after it began nothing of an unpaid pay code's trade is on its way, our own cancel included.
const UNPAID_SETTLES_MS: i64 = 5 * 60 * 1000;
/// Within 24 hours Allinpay sends back what moved although its cancel went wrong.
const CANCEL_SETTLES_MS: i64 = 24 * 60 * 60 * 1000;

/// What answers are read against.
pub(super) struct Reading<'a> {
    pub(super) config: &'a Config,
    pub(super) cancels: &'a Cancels,
    pub(super) closes: &'a Closes,
    pub(super) wall: Wall,
}

/// An answer's state, known and listed.
struct Stand<'a> {
    code: &'a str,
    status: Status,
    members: &'a Members,
}

/// The meaning of an answer without a signature. Nobody vouches for it, so it is believed only where no money is at stake:
/// a code that nobody has seen is not made, and a close that is refused asks how the trade stands.
pub(super) fn unsigned(request: &Request, members: &Members) -> Result<Answer, Doubt> {
    let refusal = members.get("retcode").filter(|code| REFUSALS.contains(code));
    match (request, refusal) {
        (Request::ShowCode(_), Some(code)) => Ok(Answer::Code(refused(code, Why::Setup))),
        (Request::Close(_), Some(code)) => Ok(ask(code)),
        _ if members.get("retcode") == Some(SYSTEM_ERROR) => Err(trouble(members.reason())),
        _ => Err(Doubt::new(DoubtKind::BadSignature, format!("not signed: {}", members.reason()))),
    }
}

impl Reading<'_> {
    /// The meaning of an answer whose signature held.
    pub(super) fn verified(&self, request: &Request, members: &Members) -> Result<Decoded, Doubt> {
        self.must_be_ours(request, members)?;
        let retcode = members.get("retcode").ok_or_else(|| malformed("the answer has no retcode"))?;
        match retcode {
            SYSTEM_ERROR => Err(trouble(members.reason())),
            _ if *request == Request::Probe => Ok(Decoded::Answer(Answer::Reachable(true))),
            SUCCESS => self.carried_out(request, members),
            _ if REFUSALS.contains(&retcode) => not_carried_out(request, retcode, members).map(Decoded::Answer),
            _ => Err(Doubt::new(DoubtKind::Unlisted, members.reason())),
        }
    }

    /// Whatever the answer names must be ours: the merchant, the application and the number.
    fn must_be_ours(&self, request: &Request, members: &Members) -> Result<(), Doubt> {
        let number = number(request);
        let ours = [("cusid", self.config.cusid.as_str()), ("appid", &self.config.appid), ("reqsn", &number)];
        for (name, ours) in ours {
            if let Some(named) = members.get(name).filter(|named| *named != ours) {
                let detail = format!("the answer to {number} names {name} {named:?}");
                return Err(Doubt::new(DoubtKind::WrongOrder, detail));
            }
        }
        Ok(())
    }

    fn carried_out(&self, request: &Request, members: &Members) -> Result<Decoded, Doubt> {
        let code = members.get("trxstatus").unwrap_or_default();
        let Some(status) = codes::status(code) else {
            return unlisted(request, code, members).map(Decoded::Answer);
        };
        let stand = Stand { code, status, members };
        let answer = match request {
            Request::ShowCode(_) => Answer::Code(stand.code_made()?),
            Request::TakeCode(offer, _) => Answer::Payment(stand.pay_code_taken(offer)?),
            Request::Query(trade) => Answer::Payment(self.standing(trade, &stand)?),
            Request::Cancel(trade) => return self.cancelled(trade, &stand),
            Request::Close(_) => Answer::Reversal(stand.closed()),
            Request::Refund(refund) => Answer::Refund(stand.refunded(refund)?),
            Request::RefundQuery(refund) => Answer::Refund(stand.refund_standing(refund)?),
            Request::Duty(_) => Answer::Duty(DutyOutcome::Done),
            Request::Probe => Answer::Reachable(true),
        };
        Ok(Decoded::Answer(answer))
    }

    fn standing(&self, trade: &Trade, stand: &Stand<'_>) -> Result<Outcome, Doubt> {
        match stand.status {
            Status::Done => self.done(trade, stand),
            Status::InProgress if self.may_be_unscanned(trade) => Ok(Outcome::Pending(Waiting::NoTrade)),
            Status::InProgress => Ok(Outcome::Pending(Waiting::Confirming)),
            Status::Absent => Ok(Outcome::Pending(Waiting::NoTrade)),
            Status::Undone => stand.not_paid(Why::Closed),
            Status::KnownNumber | Status::Foreign => Err(stand.trouble()),
            // It cannot have failed: a query said before that it was paid.
            Status::Failed(_) | Status::ShortOfFunds | Status::Unpaid | Status::CancelWentWrong
                if trade.trade_no.is_some() =>
            {
                Err(stand.wrong("it was paid before"))
            }
            Status::Failed(why) => stand.failed(trade.method, why),
            Status::ShortOfFunds => stand.failed(trade.method, Why::Buyer),
            Status::Unpaid if trade.method == Method::ShowCode => Ok(Outcome::Pending(Waiting::NoTrade)),
            Status::Unpaid => self.settled(trade, stand, UNPAID_SETTLES_MS),
            Status::CancelWentWrong => self.settled(trade, stand, CANCEL_SETTLES_MS),
        }
    }

    /// VSP may say the same of a shown code that nobody has scanned and of one that is being paid. While the code is on the
    /// screen it counts as the first, so that it stays there; once it is being closed as the second, so that it is not given
    /// up before VSP says how it ended.
    fn may_be_unscanned(&self, trade: &Trade) -> bool {
        match trade.method {
            Method::ShowCode => !self.closes.has_begun(trade.attempt),
            Method::TakeCode => false,
        }
    }

    /// Done is paid, unless our own cancel was done or the kind of trade says that the money went back. A cancel is always
    /// over all of it; a refund is, where it names our whole sum.
    fn done(&self, trade: &Trade, stand: &Stand<'_>) -> Result<Outcome, Doubt> {
        let returned = || Outcome::NotPaid(Refusal { code: "returned".to_owned(), why: Why::Closed });
        if self.cancels.of(trade.attempt) == Some(Known::Done) {
            return stand.must_name_all().map(|()| returned());
        }
        let receipt = stand.receipt(trade.amount)?;
        match stand.moves() {
            Some(Moves::Cancel) => Ok(returned()),
            Some(Moves::Refund) if receipt.details.buyer_paid.is_none() => Ok(returned()),
            Some(Moves::Refund) => Err(stand.wrong("a part of it was returned")),
            Some(Moves::Payment(_)) | None => Ok(Outcome::Paid(receipt)),
        }
    }

    /// Not paid, once the time is over in which money could still be on its way; before that it is not known.
    fn settled(&self, trade: &Trade, stand: &Stand<'_>, after_ms: i64) -> Result<Outcome, Doubt> {
        let over = self.wall.ms.saturating_sub(trade.begun.ms) >= after_ms;
        if over && self.wall.trusted && trade.begun.trusted {
            return stand.not_paid(Why::Closed);
        }
        Err(stand.trouble())
    }

    /// A cancel sent twice is known by its number: then the same request asks how the first one went.
    fn cancelled(&self, trade: &Trade, stand: &Stand<'_>) -> Result<Decoded, Doubt> {
        let known = self.cancels.of(trade.attempt);
        let reversal = match stand.status {
            Status::Done => {
                stand.must_name_all()?;
                stand.charged(trade.amount)?;
                self.cancels.note(trade.attempt, Known::Done);
                Reversal::Refunded
            }
            Status::InProgress => {
                self.cancels.note(trade.attempt, known.unwrap_or(Known::Received));
                Reversal::Again
            }
            Status::KnownNumber if known.is_none() => {
                self.cancels.note(trade.attempt, Known::Received);
                return Ok(Decoded::EncodeAgain);
            }
            Status::Absent if known.is_none() => Reversal::NoTrade,
            Status::Absent
            | Status::KnownNumber
            | Status::Failed(_)
            | Status::ShortOfFunds
            | Status::Undone
            | Status::Unpaid
            | Status::CancelWentWrong
            | Status::Foreign => Reversal::Ask { code: stand.code.to_owned() },
        };
        Ok(Decoded::Answer(Answer::Reversal(reversal)))
    }
}

impl Stand<'_> {
    /// Done says only that the code was made. A number that failed is spent, and nobody has seen a code.
    fn code_made(&self) -> Result<CodeAnswer, Doubt> {
        match self.status {
            Status::Done => {
                self.must_name_all()?;
                let text = self.members.get("payinfo").ok_or_else(|| malformed("no payinfo in the answer"))?;
                Ok(CodeAnswer::Ready(text.to_owned()))
            }
            Status::KnownNumber => Ok(CodeAnswer::Ask { code: self.code.to_owned() }),
            // No buyer was there yet.
            Status::Failed(Why::Buyer)
            | Status::ShortOfFunds
            | Status::Undone
            | Status::Unpaid
            | Status::CancelWentWrong => Ok(refused(self.code, Why::NewNumber)),
            Status::Failed(why) => Ok(refused(self.code, why)),
            Status::InProgress | Status::Absent | Status::Foreign => Err(self.trouble()),
        }
    }

    fn pay_code_taken(&self, offer: &Offer) -> Result<Outcome, Doubt> {
        match self.status {
            Status::Done if matches!(self.moves(), Some(Moves::Cancel | Moves::Refund)) => {
                Err(self.wrong("a pay was answered by a return"))
            }
            Status::Done => self.receipt(offer.amount).map(Outcome::Paid),
            Status::InProgress => Ok(Outcome::Pending(Waiting::Confirming)),
            Status::Failed(why) => self.not_paid(why),
            Status::ShortOfFunds => self.not_paid(Why::Buyer),
            Status::Undone => self.not_paid(Why::Closed),
            // The number may be paid, or may be paid yet: a query tells.
            Status::Absent | Status::KnownNumber | Status::Unpaid | Status::CancelWentWrong | Status::Foreign => {
                Err(self.trouble())
            }
        }
    }

    /// A shown code that one buyer failed to pay can be paid by another one until its time is over.
    fn failed(&self, method: Method, why: Why) -> Result<Outcome, Doubt> {
        match method {
            Method::ShowCode => Ok(Outcome::Pending(Waiting::NoTrade)),
            Method::TakeCode => self.not_paid(why),
        }
    }

    fn closed(&self) -> Reversal {
        match self.status {
            Status::Done => Reversal::Closed,
            Status::Absent => Reversal::NoTrade,
            Status::InProgress
            | Status::KnownNumber
            | Status::Failed(_)
            | Status::ShortOfFunds
            | Status::Undone
            | Status::Unpaid
            | Status::CancelWentWrong
            | Status::Foreign => Reversal::Ask { code: self.code.to_owned() },
        }
    }

    fn refunded(&self, refund: &RefundOrder) -> Result<RefundOutcome, Doubt> {
        match self.status {
            Status::ShortOfFunds => Ok(RefundOutcome::ShortOfFunds),
            // The payment is not known, not the refund.
            Status::Absent => Ok(RefundOutcome::Refused { code: self.code.to_owned() }),
            Status::Done
            | Status::InProgress
            | Status::KnownNumber
            | Status::Failed(_)
            | Status::Undone
            | Status::Unpaid
            | Status::CancelWentWrong
            | Status::Foreign => self.refund_standing(refund),
        }
    }

    /// A refund that failed has used up its number: sent again, it would only be known.
    fn refund_standing(&self, refund: &RefundOrder) -> Result<RefundOutcome, Doubt> {
        match self.status {
            Status::Done => {
                self.must_name_all()?;
                self.must_move(refund.amount)?;
                Ok(RefundOutcome::Done)
            }
            Status::InProgress | Status::KnownNumber => Ok(RefundOutcome::NotMoved),
            Status::Absent => Ok(RefundOutcome::Absent),
            Status::Failed(_) | Status::ShortOfFunds | Status::Undone => {
                self.must_name_all()?;
                Ok(RefundOutcome::Failed { code: self.code.to_owned() })
            }
            Status::Unpaid | Status::CancelWentWrong | Status::Foreign => Err(self.trouble()),
        }
    }

    fn receipt(&self, asked: Fen) -> Result<Receipt, Doubt> {
        self.must_name_all()?;
        let trade_no = self.members.get("trxid").ok_or_else(|| malformed("paid, without a trxid"))?;
        let charged = self.charged(asked)?.ok_or_else(|| malformed("paid, without an amount"))?;
        let text = |name: &str| self.members.get(name).map(str::to_owned);
        let wallet = match self.moves() {
            Some(Moves::Payment(wallet)) => wallet,
            Some(Moves::Cancel | Moves::Refund) | None => None,
        };
        Ok(Receipt {
            trade_no: trade_no.to_owned(),
            amount: asked,
            paid_at: text("fintime"),
            // A whole openid, user id or card number is nobody's business.
            buyer: text("acct").filter(|account| account.contains('*')),
            details: Details {
                wallet,
                wallet_no: text("chnltrxid"),
                buyer_paid: Some(charged).filter(|charged| *charged != asked),
                ..Details::default()
            },
        })
    }

    /// What of `asked` the buyer's account was charged, if a sum is told. Less of it is a discount, and only where the trade's
    /// own sum (`initamt`) stands beside it and is ours; more of it, nothing or another sum is not our trade.
    fn charged(&self, asked: Fen) -> Result<Option<Fen>, Doubt> {
        let (initial, charged) = (self.members.fen("initamt")?, self.members.fen("trxamt")?);
        let discounted = |charged: Fen| initial == Some(asked) && charged.is_positive() && charged < asked;
        match (initial, charged) {
            (Some(other), _) if other != asked => {
                Err(self.wrong(&format!("its sum is {other}, and {asked} was asked")))
            }
            (_, Some(charged)) if charged != asked && !discounted(charged) => {
                Err(self.wrong(&format!("{charged} was charged, and {asked} was asked")))
            }
            _ => Ok(charged.or(initial)),
        }
    }

    /// One refund model spells it with a capital.
    fn moves(&self) -> Option<Moves> {
        self.members.get("trxcode").or(self.members.get("trxCode")).and_then(moves)
    }

    fn not_paid(&self, why: Why) -> Result<Outcome, Doubt> {
        self.must_name_all()?;
        Ok(Outcome::NotPaid(Refusal { code: self.code.to_owned(), why }))
    }

    /// What is final must say whom and which order it is about.
    fn must_name_all(&self) -> Result<(), Doubt> {
        let missing = ["cusid", "appid", "reqsn"].into_iter().find(|name| self.members.get(name).is_none());
        missing.map_or(Ok(()), |name| Err(malformed(format!("{} without a {name}", self.code))))
    }

    /// Answers to refunds need not tell an amount; one that they tell must be ours.
    fn must_move(&self, asked: Fen) -> Result<(), Doubt> {
        match self.members.fen("trxamt")? {
            Some(moved) if moved != asked => Err(self.wrong(&format!("{moved} was returned, and {asked} was asked"))),
            Some(_) | None => Ok(()),
        }
    }

    fn trouble(&self) -> Doubt {
        trouble(self.members.reason())
    }

    fn wrong(&self, detail: &str) -> Doubt {
        Doubt::new(DoubtKind::WrongOrder, format!("{}: {detail}", self.code))
    }
}

/// Our number of what a request is about, as the answer repeats it.
fn number(request: &Request) -> String {
    match request {
        Request::ShowCode(offer) | Request::TakeCode(offer, _) => offer.attempt.to_string(),
        Request::Query(trade) | Request::Close(trade) => trade.attempt.to_string(),
        Request::Duty(duty) => duty.trade.attempt.to_string(),
        Request::Cancel(trade) => cancel_number(trade.attempt),
        Request::Refund(refund) | Request::RefundQuery(refund) => refund.refund.to_string(),
        Request::Probe => PROBE.to_owned(),
    }
}

/// A signed refusal of the call as a whole. For a pay code even that proves nothing: a query tells.
fn not_carried_out(request: &Request, retcode: &str, members: &Members) -> Result<Answer, Doubt> {
    match request {
        Request::ShowCode(_) => Ok(Answer::Code(refused(retcode, Why::Setup))),
        Request::Cancel(_) | Request::Close(_) => Ok(ask(retcode)),
        Request::TakeCode(..)
        | Request::Query(_)
        | Request::Refund(_)
        | Request::RefundQuery(_)
        | Request::Duty(_)
        | Request::Probe => Err(trouble(members.reason())),
    }
}

/// A state that is in no list, or none at all. A cancel or close then asks how the trade stands.
fn unlisted(request: &Request, code: &str, members: &Members) -> Result<Answer, Doubt> {
    let is_undoing = matches!(request, Request::Cancel(_) | Request::Close(_));
    match (is_undoing, code.is_empty()) {
        (true, true) => Ok(ask(SUCCESS)),
        (true, false) if code.len() == 4 && code.bytes().all(|byte| byte.is_ascii_digit()) => Ok(ask(code)),
        (true, false) => Ok(ask("unlisted")),
        (false, true) => Err(malformed(format!("no trxstatus: {}", members.reason()))),
        (false, false) => Err(Doubt::new(DoubtKind::Unlisted, members.reason())),
    }
}

fn refused(code: &str, why: Why) -> CodeAnswer {
    CodeAnswer::Refused(Refusal { code: code.to_owned(), why })
}

pub(super) fn ask(code: &str) -> Answer {
    Answer::Reversal(Reversal::Ask { code: code.to_owned() })
}
