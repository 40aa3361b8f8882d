//! What a reply means for the money.
//!
//! Source: WeChat Pay APIv3, the answers and error lists of each interface (reference 3 to 6). Whatever is not exactly one
//! of the documented answers is a doubt.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::codes::{Class, class};
use super::order::{Order, wrong_order};
use super::setup::Config;
use super::wire::{Operation, PROBE};
use crate::channel::outcome::{
    CodeAnswer, Doubt, DoubtKind, DutyOutcome, Outcome, RefundOutcome, Refusal, Reversal, Waiting,
};
use crate::channel::{Answer, HttpReply, RefundOrder, Request};
use crate::redact::without_codes;

/// Our number of the order that a request is about.
pub(super) fn number(request: &Request) -> &str {
    match request {
        Request::ShowCode(offer) | Request::TakeCode(offer, _) => offer.attempt.as_str(),
        Request::Query(trade) | Request::Cancel(trade) | Request::Close(trade) => trade.attempt.as_str(),
        Request::Duty(duty) => duty.trade.attempt.as_str(),
        Request::Refund(refund) | Request::RefundQuery(refund) => refund.trade.attempt.as_str(),
        Request::Probe => PROBE,
    }
}

/// The body of a failure.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Failure {
    pub(super) code: String,
    pub(super) message: String,
}

impl Failure {
    pub(super) fn read(reply: &HttpReply) -> Self {
        object(&reply.body).unwrap_or_default()
    }

    /// One line for the log.
    pub(super) fn reason(&self, status: u16) -> String {
        format!("HTTP status {status} {} {}", self.code, self.message).trim_end().to_owned()
    }
}

/// The meaning of a reply with status 200 or 204 whose signature held.
pub(super) fn success(config: &Config, request: &Request, reply: &HttpReply) -> Result<Answer, Doubt> {
    match request {
        Request::ShowCode(_) => code(&json(reply)?).map(Answer::Code),
        Request::TakeCode(offer, _) => {
            let order = our_order(config, request, reply)?;
            order.standing(crate::channel::Method::TakeCode, offer.amount).map(Answer::Payment)
        }
        Request::Query(trade) => {
            let order = our_order(config, request, reply)?;
            order.standing(trade.method, trade.amount).map(Answer::Payment)
        }
        Request::Cancel(trade) | Request::Close(trade) => match Operation::of(config, request) {
            Operation::Close if reply.status == 204 => Ok(Answer::Reversal(Reversal::Closed)),
            Operation::Close => Err(malformed(format!("HTTP status {} to a close", reply.status))),
            Operation::Reverse => our_order(config, request, reply).map(|_| Answer::Reversal(Reversal::Closed)),
            Operation::Query
            | Operation::Native
            | Operation::CodePay
            | Operation::Micropay
            | Operation::V2Query
            | Operation::V2Reverse
            | Operation::Refund
            | Operation::RefundQuery
            | Operation::Delivery => {
                let order = our_order(config, request, reply)?;
                order.standing(trade.method, trade.amount).map(|outcome| asked(request, outcome))
            }
        },
        Request::Refund(refund) | Request::RefundQuery(refund) => refunded(refund, &json(reply)?).map(Answer::Refund),
        Request::Duty(_) => Ok(Answer::Duty(DutyOutcome::Done)),
        Request::Probe => Ok(Answer::Reachable(true)),
    }
}

/// The answer to a request that was put as a question.
pub(super) fn asked(request: &Request, outcome: Outcome) -> Answer {
    if !matches!(request, Request::Close(_) | Request::Cancel(_)) {
        return Answer::Payment(outcome);
    }
    Answer::Reversal(match outcome {
        Outcome::Paid(_) => Reversal::Ask { code: "paid".to_owned() },
        Outcome::NotPaid(_) => Reversal::Closed,
        Outcome::Pending(Waiting::NoTrade) => Reversal::NoTrade,
        Outcome::Pending(Waiting::Confirming) => Reversal::Again,
        Outcome::Unknown(doubt) => Reversal::Unknown(doubt),
    })
}

fn our_order(config: &Config, request: &Request, reply: &HttpReply) -> Result<Order, Doubt> {
    let order: Order = json(reply)?;
    order.must_be_ours(config)?;
    order.must_name(request)?;
    Ok(order)
}

#[derive(Deserialize)]
struct Code {
    code_url: String,
}

/// The text goes into the picture unchanged and is never read (reference 3).
fn code(answer: &Code) -> Result<CodeAnswer, Doubt> {
    if answer.code_url.is_empty() {
        return Err(malformed("an empty code_url"));
    }
    Ok(CodeAnswer::Ready(answer.code_url.clone()))
}

/// A refund, as its own interfaces tell of it.
#[derive(Debug, Deserialize)]
struct Refunded {
    out_refund_no: String,
    out_trade_no: String,
    status: String,
    amount: RefundedAmount,
}

#[derive(Debug, Deserialize)]
struct RefundedAmount {
    refund: i64,
    total: i64,
    currency: Option<String>,
}

/// A 200 says that the refund was taken, not that it is done: the status says how it stands.
fn refunded(refund: &RefundOrder, answer: &Refunded) -> Result<RefundOutcome, Doubt> {
    let named = (answer.out_trade_no.as_str(), answer.out_refund_no.as_str());
    if named != (refund.trade.attempt.as_str(), refund.refund.as_str()) {
        return Err(wrong_order(format!("the answer to {} names {named:?}", refund.refund)));
    }
    let RefundedAmount { refund: part, total, currency } = &answer.amount;
    let is_same = (*part, *total) == (refund.amount.get(), refund.trade.amount.get());
    if !is_same || currency.as_deref().is_some_and(|currency| currency != "CNY") {
        let detail =
            format!("{part} of {total} fen were refunded, and {} of {} were asked", refund.amount, refund.trade.amount);
        return Err(wrong_order(detail));
    }
    let code = || answer.status.clone();
    match answer.status.as_str() {
        "SUCCESS" => Ok(RefundOutcome::Done),
        "PROCESSING" => Ok(RefundOutcome::NotMoved),
        "CLOSED" => Ok(RefundOutcome::Failed { code: code() }),
        // The buyer's card is dead: a person decides where the money goes.
        "ABNORMAL" => Ok(RefundOutcome::Refused { code: code() }),
        other => Err(Doubt::new(DoubtKind::Unlisted, format!("refund status {other}"))),
    }
}

/// The meaning of a failure (4xx). WeChat Pay leaves them unsigned, so nobody vouches for them: that a pay code took no
/// money is believed of a signed one only. Everything else that a failure can say is no proof about money: nobody has seen
/// the code that was refused, "no such order" is not final, and a refund goes out again under its own number.
pub(super) fn refused(config: &Config, request: &Request, reply: &HttpReply, is_signed: bool) -> Result<Answer, Doubt> {
    let failure = Failure::read(reply);
    if failure.code.is_empty() {
        return Err(trouble(failure.reason(reply.status)));
    }
    let known = class(Operation::of(config, request), &failure.code);
    if *request == Request::Probe {
        return Ok(Answer::Reachable(is_signed || known == Some(Class::NoTrade)));
    }
    if !is_signed && matches!(request, Request::TakeCode(..)) && matches!(known, Some(Class::Refused(_))) {
        return Err(Doubt::new(DoubtKind::BadSignature, format!("not signed: {}", failure.reason(reply.status))));
    }
    failed(request, known, &failure.code, &failure.message)
}

/// The answer to `request` when it failed with this code.
pub(super) fn failed(request: &Request, known: Option<Class>, code: &str, words: &str) -> Result<Answer, Doubt> {
    let reason = format!("{code} {words}").trim_end().to_owned();
    let class = known.ok_or_else(|| Doubt::new(DoubtKind::Unlisted, reason.as_str()))?;
    let code = without_codes(code).into_owned();
    let answer = match request {
        Request::ShowCode(_) => code_refused(class, code).map(Answer::Code),
        Request::TakeCode(..) | Request::Query(_) => not_paid(class, code).map(Answer::Payment),
        Request::Cancel(_) | Request::Close(_) => not_reversed(class, code).map(Answer::Reversal),
        Request::Refund(_) | Request::RefundQuery(_) => not_refunded(class, code).map(Answer::Refund),
        Request::Duty(_) => None,
        Request::Probe => Some(Answer::Reachable(class == Class::NoTrade)),
    };
    answer.ok_or_else(|| trouble(reason))
}

fn code_refused(class: Class, code: String) -> Option<CodeAnswer> {
    match class {
        Class::Refused(why) => Some(CodeAnswer::Refused(Refusal { code, why })),
        Class::Ask => Some(CodeAnswer::Ask { code }),
        Class::Trouble
        | Class::Paying
        | Class::NoTrade
        | Class::Again
        | Class::Absent
        | Class::ShortOfFunds
        | Class::Rejected => None,
    }
}

/// `Ask` is a doubt here: the number may already be paid, and a query tells.
fn not_paid(class: Class, code: String) -> Option<Outcome> {
    match class {
        Class::Refused(why) => Some(Outcome::NotPaid(Refusal { code, why })),
        Class::NoTrade => Some(Outcome::Pending(Waiting::NoTrade)),
        Class::Paying => Some(Outcome::Pending(Waiting::Confirming)),
        Class::Trouble | Class::Ask | Class::Again | Class::Absent | Class::ShortOfFunds | Class::Rejected => None,
    }
}

fn not_reversed(class: Class, code: String) -> Option<Reversal> {
    match class {
        Class::NoTrade => Some(Reversal::NoTrade),
        Class::Again => Some(Reversal::Again),
        Class::Ask => Some(Reversal::Ask { code }),
        Class::Trouble | Class::Paying | Class::Refused(_) | Class::Absent | Class::ShortOfFunds | Class::Rejected => {
            None
        }
    }
}

fn not_refunded(class: Class, code: String) -> Option<RefundOutcome> {
    match class {
        Class::Absent => Some(RefundOutcome::Absent),
        Class::ShortOfFunds => Some(RefundOutcome::ShortOfFunds),
        Class::Rejected => Some(RefundOutcome::Refused { code }),
        Class::Trouble | Class::Paying | Class::Refused(_) | Class::Ask | Class::NoTrade | Class::Again => None,
    }
}

/// The JSON object of an answer. The library would take a list for an object, member by member.
pub(super) fn json<T: DeserializeOwned>(reply: &HttpReply) -> Result<T, Doubt> {
    object(&reply.body).map_err(malformed)
}

/// As [`json`], of any bytes.
pub(super) fn object<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err("it is no JSON object".to_owned());
    }
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}

pub(super) fn malformed(detail: impl Into<String>) -> Doubt {
    Doubt::new(DoubtKind::Malformed, detail)
}

pub(super) fn trouble(detail: impl Into<String>) -> Doubt {
    Doubt::new(DoubtKind::ChannelTrouble, detail)
}
