//! What a verified answer means for the money.
//!
//! Source: 云商通 generation 2 (reference/allinpay.md 3.1, 3.5). An answer is read in layers: HTTP status, `code`, `respCode`,
//! `result`; "00000" in the upper ones never means paid. Whatever is not exactly one of the documented answers is a doubt.

use super::codes::{CodeRule, Meaning, OK, Standing, standing};
use super::envelope::Members;
use super::receipt::{self, amount};
use super::wire::confirm_number;
use crate::channel::outcome::{
    CodeAnswer, Doubt, DoubtKind, DutyOutcome, Outcome, RefundOutcome, Refusal, Reversal, Waiting, Why,
};
use crate::channel::{Duty, Method, Offer, RefundOrder, Trade};

/// The word for `result` 2, which carries no code of its own.
const FAILED: &str = "failed";
/// The word for an order that cannot be closed because it was paid.
const PAID: &str = "paid";
/// `closeResult` of an order that is closed, as far as is known.
const CLOSED: &str = "1";

/// The business part of an answer, and how its order stands.
pub(super) struct Node {
    pub(super) fields: Members,
    standing: Result<Standing, Doubt>,
}

impl Node {
    /// Reads the layers of an envelope whose signature held.
    pub(super) fn open(envelope: &Members, rules: &[CodeRule]) -> Result<Self, Doubt> {
        let fields = business(envelope)?;
        let told = standing(fields.get("respCode"), fields.get("result"), rules);
        let standing = told.map_err(|doubt| Doubt::new(doubt.kind, with_words(doubt.detail, fields.get("respMsg"))));
        Ok(Self { fields, standing })
    }

    /// How the order `ours` stands. An answer that names another order says nothing about ours.
    fn standing_of(&self, ours: &str) -> Result<Standing, Doubt> {
        self.not_about_another("reqTraceNum", Some(ours))?;
        self.standing.clone()
    }

    /// A good answer must say which order it is about.
    fn must_name_the_order(&self) -> Result<(), Doubt> {
        self.fields.get("reqTraceNum").map(|_| ()).ok_or_else(|| malformed("the answer names no reqTraceNum"))
    }

    /// The same for a close, which may name the order by Allinpay's number alone.
    fn must_name_the_closed(&self, trade_no: Option<&str>) -> Result<(), Doubt> {
        let by_theirs = trade_no.is_some() && self.fields.get("orgRespTraceNum") == trade_no;
        if by_theirs { Ok(()) } else { self.must_name_the_order() }
    }

    fn not_about_another(&self, member: &str, ours: Option<&str>) -> Result<(), Doubt> {
        match (self.fields.get(member), ours) {
            (Some(named), Some(ours)) if named != ours => Err(wrong(format!("the answer to {ours} names {named:?}"))),
            _ => Ok(()),
        }
    }

    fn resp_code(&self) -> String {
        self.fields.get("respCode").unwrap_or_default().to_owned()
    }

    /// Allinpay's number of the order `ours`, when the answer tells it.
    pub(super) fn trade_no_of(&self, ours: &str) -> Option<&str> {
        self.fields.get("respTraceNum").filter(|_| self.fields.get("reqTraceNum") == Some(ours))
    }
}

/// The second layer: `code`, then the text in `bizData`.
pub(super) fn business(envelope: &Members) -> Result<Members, Doubt> {
    match envelope.get("code") {
        Some(OK) => Members::parse(envelope.get("bizData").ok_or_else(|| malformed("no bizData in the answer"))?),
        Some(other) => Err(unlisted(with_words(format!("code {other:?}"), envelope.get("msg")))),
        None => Err(malformed("the answer has no code")),
    }
}

pub(super) fn code(offer: &Offer, node: &Node) -> Result<CodeAnswer, Doubt> {
    match node.standing_of(offer.attempt.as_str())? {
        Standing::Untold | Standing::InProgress => {
            node.must_name_the_order()?;
            text_to_draw(node).map(CodeAnswer::Ready)
        }
        Standing::Success => Ok(CodeAnswer::Ask { code: PAID.to_owned() }),
        Standing::Failed => {
            node.must_name_the_order()?;
            Ok(CodeAnswer::Refused(Refusal { code: FAILED.to_owned(), why: Why::NewNumber }))
        }
        Standing::Listed(Meaning::NumberUsed) => Ok(CodeAnswer::Ask { code: node.resp_code() }),
        Standing::Listed(Meaning::NoOrder | Meaning::ShortOfFunds) => Err(senseless(node)),
    }
}

/// JSON in a JSON text, or an object: public clients have met both.
fn text_to_draw(node: &Node) -> Result<String, Doubt> {
    let front =
        node.fields.get("chnlFrontParamInfo").ok_or_else(|| malformed("no chnlFrontParamInfo in the answer"))?;
    let front = Members::parse(front)?;
    let text = front.get("chnlPayInfo").ok_or_else(|| malformed("no chnlPayInfo in the answer"))?;
    Ok(text.to_owned())
}

/// To a pay request. Its documented answer has no amount: then the order is asked after, and that answer counts.
pub(super) fn paid_by_code(offer: &Offer, node: &Node) -> Result<Outcome, Doubt> {
    let trade = offer.trade(Method::TakeCode);
    match node.standing_of(offer.attempt.as_str())? {
        Standing::Success if node.fields.get("orderAmount").is_none() => {
            node.must_name_the_order()?;
            Ok(Outcome::Pending(Waiting::Confirming))
        }
        Standing::Listed(_) => Err(senseless(node)),
        Standing::Untold | Standing::InProgress | Standing::Success | Standing::Failed => payment(&trade, node, true),
    }
}

/// To a question after a payment. `scanned`: an order in progress is one that somebody is paying.
pub(super) fn payment(trade: &Trade, node: &Node, scanned: bool) -> Result<Outcome, Doubt> {
    let told = node.standing_of(trade.attempt.as_str())?;
    match told {
        Standing::Untold => Err(malformed("the answer has no result")),
        Standing::InProgress => {
            node.must_name_the_order()?;
            Ok(Outcome::Pending(if scanned { Waiting::Confirming } else { Waiting::NoTrade }))
        }
        Standing::Success => {
            node.must_name_the_order()?;
            receipt::read(trade, &node.fields).map(Outcome::Paid)
        }
        Standing::Failed => {
            node.must_name_the_order()?;
            not_known_as_paid(trade, Outcome::NotPaid(Refusal { code: FAILED.to_owned(), why: why(trade.method) }))
        }
        Standing::Listed(Meaning::NoOrder) => not_known_as_paid(trade, Outcome::Pending(Waiting::NoTrade)),
        Standing::Listed(Meaning::NumberUsed | Meaning::ShortOfFunds) => Err(senseless(node)),
    }
}

/// "Failed" about an order that was paid would end a refund as if all its money had gone back.
fn not_known_as_paid(trade: &Trade, outcome: Outcome) -> Result<Outcome, Doubt> {
    match &trade.trade_no {
        Some(trade_no) => Err(wrong(format!("the answer knows no payment, and {trade_no} was paid"))),
        None => Ok(outcome),
    }
}

const fn why(method: Method) -> Why {
    match method {
        Method::ShowCode => Why::Closed,
        Method::TakeCode => Why::Buyer,
    }
}

/// To a close (2295), or to the question (3001) that stands in for it. Only the question after it proves anything, and the
/// engine always asks it. `trade_no` is the number that was closed.
pub(super) fn reversal(trade: &Trade, trade_no: Option<&str>, node: &Node) -> Result<Reversal, Doubt> {
    let told = node.standing_of(trade.attempt.as_str())?;
    node.not_about_another("orgRespTraceNum", trade_no)?;
    let closes = node.fields.get("closeResult") == Some(CLOSED);
    match told {
        // 1 is then the result of the close itself, or, if it is the order's, the question after it tells.
        Standing::Untold | Standing::InProgress | Standing::Success if closes => {
            node.must_name_the_closed(trade_no).map(|()| Reversal::Closed)
        }
        Standing::Success => Ok(Reversal::Ask { code: PAID.to_owned() }),
        Standing::Failed => {
            node.must_name_the_closed(trade_no)?;
            let closed = |_| Reversal::Closed;
            not_known_as_paid(trade, Outcome::Pending(Waiting::NoTrade)).map(closed)
        }
        Standing::Untold | Standing::InProgress => Ok(Reversal::Again),
        Standing::Listed(Meaning::NoOrder) => Ok(Reversal::NoTrade),
        Standing::Listed(Meaning::NumberUsed | Meaning::ShortOfFunds) => Err(senseless(node)),
    }
}

/// To a refund. Its documented answer has no amount, so "done" usually comes from the question after it.
pub(super) fn refunded(refund: &RefundOrder, node: &Node) -> Result<RefundOutcome, Doubt> {
    match refund_standing(refund, node)? {
        Standing::Untold | Standing::InProgress => Ok(RefundOutcome::NotMoved),
        Standing::Success if node.fields.get("orderAmount").is_none() => Ok(RefundOutcome::NotMoved),
        Standing::Success => moved(refund, node),
        Standing::Failed => failed(node),
        Standing::Listed(Meaning::NoOrder) => Ok(RefundOutcome::Refused { code: node.resp_code() }),
        Standing::Listed(Meaning::NumberUsed) => Ok(RefundOutcome::NotMoved),
        Standing::Listed(Meaning::ShortOfFunds) => Ok(RefundOutcome::ShortOfFunds),
    }
}

/// To a question after a refund.
pub(super) fn refund_asked(refund: &RefundOrder, node: &Node) -> Result<RefundOutcome, Doubt> {
    match refund_standing(refund, node)? {
        Standing::Untold => Err(malformed("the answer has no result")),
        Standing::InProgress => Ok(RefundOutcome::NotMoved),
        Standing::Success => moved(refund, node),
        Standing::Failed => failed(node),
        Standing::Listed(Meaning::NoOrder) => Ok(RefundOutcome::Absent),
        Standing::Listed(Meaning::NumberUsed | Meaning::ShortOfFunds) => Err(senseless(node)),
    }
}

fn refund_standing(refund: &RefundOrder, node: &Node) -> Result<Standing, Doubt> {
    let told = node.standing_of(refund.refund.as_str())?;
    node.not_about_another("orgReqTraceNum", Some(refund.trade.attempt.as_str()))?;
    node.not_about_another("orgRespTraceNum", refund.trade.trade_no.as_deref())?;
    Ok(told)
}

fn moved(refund: &RefundOrder, node: &Node) -> Result<RefundOutcome, Doubt> {
    node.must_name_the_order()?;
    let moved = amount("orderAmount", &node.fields)?;
    if moved == refund.amount {
        return Ok(RefundOutcome::Done);
    }
    Err(wrong(format!("{moved} was refunded, and {} was asked", refund.amount)))
}

fn failed(node: &Node) -> Result<RefundOutcome, Doubt> {
    node.must_name_the_order()?;
    Ok(RefundOutcome::Failed { code: FAILED.to_owned() })
}

/// What the answer to a confirmation (2090), or to the question after it, says; and whether to ask next time.
pub(super) fn confirmed(duty: &Duty, node: &Node) -> Result<(DutyOutcome, bool), Doubt> {
    match node.standing_of(&confirm_number(duty.trade.attempt))? {
        Standing::Untold | Standing::InProgress | Standing::Listed(Meaning::NumberUsed) => {
            Ok((DutyOutcome::Again, true))
        }
        Standing::Success => {
            node.must_name_the_order()?;
            right_amount(duty, node).map(|()| (DutyOutcome::Done, true))
        }
        Standing::Failed => {
            node.must_name_the_order()?;
            Ok((DutyOutcome::Refused { code: FAILED.to_owned() }, true))
        }
        Standing::Listed(Meaning::NoOrder) => Ok((DutyOutcome::Again, false)),
        Standing::Listed(Meaning::ShortOfFunds) => Ok((DutyOutcome::Refused { code: node.resp_code() }, false)),
    }
}

/// The answer to 2090 has no amount; where one is told it must be ours.
fn right_amount(duty: &Duty, node: &Node) -> Result<(), Doubt> {
    if node.fields.get("orderAmount").is_none() {
        return Ok(());
    }
    let confirmed = amount("orderAmount", &node.fields)?;
    let asked = duty.amount;
    (confirmed == asked).then_some(()).ok_or_else(|| wrong(format!("{confirmed} was confirmed, and {asked} was asked")))
}

pub(super) fn with_words(code: String, words: Option<&str>) -> String {
    match words {
        Some(words) => format!("{code} ({})", words.trim()),
        None => code,
    }
}

/// A code that the settings give a meaning which this call cannot have.
fn senseless(node: &Node) -> Doubt {
    unlisted(format!("respCode {:?} says nothing here", node.resp_code()))
}

pub(super) fn malformed(detail: impl Into<String>) -> Doubt {
    Doubt::new(DoubtKind::Malformed, detail)
}

pub(super) fn unlisted(detail: impl Into<String>) -> Doubt {
    Doubt::new(DoubtKind::Unlisted, detail)
}

pub(super) fn wrong(detail: impl Into<String>) -> Doubt {
    Doubt::new(DoubtKind::WrongOrder, detail)
}
