//! What a verified reply means for the money.
//!
//! Source: Alipay gateway 1.0, "common error codes" (公共错误码), the response tables of each method, and "face-to-face
//! payment, polling" (轮询). Whatever is not exactly one of the documented answers is a doubt.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::codes::{Class, class};
use super::details::Told;
use super::wire::{Method, PROBE};
use crate::channel::outcome::{
    CodeAnswer, Doubt, DoubtKind, DutyOutcome, Outcome, Receipt, RefundOutcome, Refusal, Reversal, Waiting, Why,
};
use crate::channel::{Answer, Offer, RefundOrder, Request};
use crate::money::Fen;
use crate::redact::without_codes;

/// The members of a reply's node that Till reads. A member that is absent, null or empty is `None`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Node {
    pub(super) code: Text,
    msg: Text,
    pub(super) sub_code: Text,
    out_trade_no: Text,
    out_request_no: Text,
    trade_no: Text,
    trade_status: Text,
    total_amount: Text,
    gmt_payment: Text,
    send_pay_date: Text,
    buyer_logon_id: Text,
    qr_code: Text,
    action: Text,
    retry_flag: Text,
    fund_change: Text,
    refund_status: Text,
    refund_amount: Text,
    /// The certificate that was asked for, Base64 of PEM.
    pub(super) alipay_cert_content: Text,
    /// Where the bill lies, and a word instead of it or beside it.
    pub(super) bill_download_url: Text,
    pub(super) bill_file_code: Text,
    #[serde(skip)]
    told: Told,
}

/// A member's text. A bare number is kept as it is written: parsing it would lose its zeros.
#[derive(Debug, Default)]
pub(super) struct Text(Option<String>);

impl Text {
    pub(super) fn get(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        let text = match raw.as_bytes().first() {
            Some(b'"') => serde_json::from_str(raw).map_err(serde::de::Error::custom)?,
            Some(b'-' | b'0'..=b'9') => raw.to_owned(),
            _ if raw == "null" => String::new(),
            _ => {
                return Err(serde::de::Error::custom("a member is neither text nor number"));
            }
        };
        Ok(Self((!text.is_empty()).then_some(text)))
    }
}

impl Node {
    pub(super) fn parse(text: &str) -> Result<Self, Doubt> {
        let mut node: Self = serde_json::from_str(text).map_err(|error| malformed(format!("the node: {error}")))?;
        // They go to the log and the journal, and nobody promises what is in them.
        for words in [&mut node.code, &mut node.msg, &mut node.sub_code] {
            words.0 = words.0.as_deref().map(|words| without_codes(words).into_owned());
        }
        node.told = Told::read(text);
        Ok(node)
    }

    /// The most telling code in it, for people.
    pub(super) fn reason(&self) -> String {
        let code = self.sub_code.get().or(self.code.get()).unwrap_or("no code");
        match self.msg.get() {
            Some(msg) => format!("{code} ({})", msg.trim()),
            None => code.to_owned(),
        }
    }

    /// The code that a refusal carries: the business code where there is one.
    fn refusal(&self, why: Why) -> Refusal {
        let code = self.sub_code.get().or(self.code.get()).unwrap_or_default();
        Refusal { code: code.to_owned(), why }
    }

    /// Whether the gateway refused before its business layer, so that nothing was executed.
    fn is_gateway_refusal(&self) -> bool {
        let throttled = self.sub_code.get().is_some_and(|code| code.ends_with("call-limited"));
        !throttled && matches!(self.code.get(), Some("20001" | "40001" | "40002" | "40003" | "40006"))
    }

    /// The doubt that the answer is about another order, when it names one.
    fn wrong_order(&self, request: &Request) -> Option<Doubt> {
        let (attempt, refund) = numbers(request);
        let other = |text: &Text, ours: &str| text.get().filter(|named| *named != ours).map(str::to_owned);
        let named =
            other(&self.out_trade_no, attempt).or_else(|| refund.and_then(|ours| other(&self.out_request_no, ours)))?;
        let detail = format!("the answer to {attempt} names {named:?}");
        Some(Doubt::new(DoubtKind::WrongOrder, detail))
    }

    /// A good answer must say which order it is about.
    fn must_name_the_order(&self) -> Result<(), Doubt> {
        self.out_trade_no.get().map(|_| ()).ok_or_else(|| malformed("the answer names no out_trade_no"))
    }

    fn receipt(&self) -> Result<Receipt, Doubt> {
        self.must_name_the_order()?;
        let trade_no = self.trade_no.get().ok_or_else(|| malformed("paid, without a trade_no"))?;
        let paid_at = self.gmt_payment.get().or(self.send_pay_date.get());
        let amount = amount("total_amount", &self.total_amount)?;
        Ok(Receipt {
            trade_no: trade_no.to_owned(),
            amount,
            paid_at: paid_at.map(str::to_owned),
            buyer: self.buyer_logon_id.get().map(str::to_owned),
            details: self.told.details(amount),
        })
    }
}

/// Our numbers of what a request is about: the attempt's, and the refund's where the answer repeats it.
fn numbers(request: &Request) -> (&str, Option<&str>) {
    match request {
        Request::ShowCode(offer) | Request::TakeCode(offer, _) => (offer.attempt.as_str(), None),
        Request::Query(trade) | Request::Cancel(trade) | Request::Close(trade) => (trade.attempt.as_str(), None),
        Request::Duty(duty) => (duty.trade.attempt.as_str(), None),
        Request::Refund(refund) | Request::RefundQuery(refund) => {
            (refund.trade.attempt.as_str(), Some(refund.refund.as_str()))
        }
        Request::Probe => (PROBE, None),
    }
}

/// The answer to `request` when it is a business failure (`code` 40004) with this `sub_code`, signed.
#[must_use]
pub fn failed(request: &Request, sub_code: &str) -> Answer {
    let text = |text: &str| Text(Some(text.to_owned()));
    let node = Node { code: text("40004"), sub_code: text(sub_code), ..Node::default() };
    verified(request, &node, false)
}

/// The meaning of a reply whose signature held.
pub(super) fn verified(request: &Request, node: &Node, is_error_node: bool) -> Answer {
    read(request, node, is_error_node).unwrap_or_else(|doubt| Answer::in_doubt(request, doubt))
}

fn read(request: &Request, node: &Node, is_error_node: bool) -> Result<Answer, Doubt> {
    let code = node.code.get().ok_or_else(|| malformed("the answer has no code"))?;
    if let Some(doubt) = node.wrong_order(request) {
        return Err(doubt);
    }
    if code == "20000" {
        return Err(trouble(node.reason()));
    }
    if *request == Request::Probe {
        return Ok(Answer::Reachable(true));
    }
    match code {
        "10000" if !is_error_node => success(request, node),
        "10003" if matches!(request, Request::TakeCode(..)) && !is_error_node => {
            node.must_name_the_order()?;
            Ok(Answer::Payment(Outcome::Pending(Waiting::Confirming)))
        }
        "40004" => business_failure(request, node),
        "40005" => Err(trouble(node.reason())),
        _ if node.is_gateway_refusal() => gateway_refusal(request, node),
        "40001" | "40002" | "40003" | "40006" => Err(trouble(node.reason())),
        _ => Err(Doubt::new(DoubtKind::Unlisted, node.reason())),
    }
}

/// The meaning of a reply without a signature. Alipay's gateway may leave failures unsigned; nobody vouches for them, so
/// only where no money is at stake, a code that nobody has seen, is one believed.
pub(super) fn unsigned(request: &Request, node: &Node) -> Answer {
    if matches!(request, Request::ShowCode(_)) && node.is_gateway_refusal() {
        return Answer::Code(CodeAnswer::Refused(node.refusal(Why::Setup)));
    }
    let doubt = match node.code.get() {
        Some("20000") => trouble(node.reason()),
        _ => Doubt::new(DoubtKind::BadSignature, format!("not signed: {}", node.reason())),
    };
    Answer::in_doubt(request, doubt)
}

/// Refused before the business layer: nothing was executed, and the set-up is wrong. A refund or a question is asked
/// again when the set-up is right: it must not end here.
fn gateway_refusal(request: &Request, node: &Node) -> Result<Answer, Doubt> {
    let refusal = node.refusal(Why::Setup);
    match request {
        Request::ShowCode(_) => Ok(Answer::Code(CodeAnswer::Refused(refusal))),
        Request::TakeCode(..) => Ok(Answer::Payment(Outcome::NotPaid(refusal))),
        Request::Query(_)
        | Request::Cancel(_)
        | Request::Close(_)
        | Request::Refund(_)
        | Request::RefundQuery(_)
        | Request::Duty(_)
        | Request::Probe => Err(trouble(node.reason())),
    }
}

fn success(request: &Request, node: &Node) -> Result<Answer, Doubt> {
    match request {
        Request::ShowCode(_) => code(node).map(Answer::Code),
        Request::TakeCode(offer, _) => paid_by_code(offer, node).map(Answer::Payment),
        Request::Query(_) => standing(node).map(Answer::Payment),
        Request::Cancel(_) => cancelled(node).map(Answer::Reversal),
        Request::Close(_) => {
            node.must_name_the_order()?;
            Ok(Answer::Reversal(Reversal::Closed))
        }
        Request::Refund(_) => refunded(node).map(Answer::Refund),
        Request::RefundQuery(refund) => refund_standing(refund, node).map(Answer::Refund),
        Request::Duty(_) => Ok(Answer::Duty(DutyOutcome::Done)),
        Request::Probe => Ok(Answer::Reachable(true)),
    }
}

fn code(node: &Node) -> Result<CodeAnswer, Doubt> {
    node.must_name_the_order()?;
    let text = node.qr_code.get().ok_or_else(|| malformed("no qr_code in the answer"))?;
    Ok(CodeAnswer::Ready(text.to_owned()))
}

fn paid_by_code(offer: &Offer, node: &Node) -> Result<Outcome, Doubt> {
    let receipt = node.receipt()?;
    if receipt.amount != offer.amount {
        let detail = format!("{} was charged, and {} was asked", receipt.amount, offer.amount);
        return Err(Doubt::new(DoubtKind::WrongOrder, detail));
    }
    Ok(Outcome::Paid(receipt))
}

/// Paid means `TRADE_SUCCESS` or `TRADE_FINISHED`, and nothing else.
fn standing(node: &Node) -> Result<Outcome, Doubt> {
    node.must_name_the_order()?;
    match node.trade_status.get() {
        Some("TRADE_SUCCESS" | "TRADE_FINISHED") => node.receipt().map(Outcome::Paid),
        Some("WAIT_BUYER_PAY") => Ok(Outcome::Pending(Waiting::Confirming)),
        Some("TRADE_CLOSED") => Ok(Outcome::NotPaid(closed(node))),
        Some(other) => Err(Doubt::new(DoubtKind::Unlisted, format!("trade_status {other}"))),
        None => Err(malformed("no trade_status in the answer")),
    }
}

/// Closed unpaid; or, when there is a payment date, paid and given back in full. Either way no money stays with us.
fn closed(node: &Node) -> Refusal {
    let code = if node.send_pay_date.get().is_some() { "refunded_in_full" } else { "TRADE_CLOSED" };
    Refusal { code: code.to_owned(), why: Why::Closed }
}

/// `code` 10000 alone says nothing: an unknown number is answered so too, and a code nobody scanned stays payable.
fn cancelled(node: &Node) -> Result<Reversal, Doubt> {
    if node.retry_flag.get() == Some("Y") {
        return Ok(Reversal::Again);
    }
    match node.action.get() {
        Some("close") => node.must_name_the_order().map(|()| Reversal::Closed),
        Some("refund") => node.must_name_the_order().map(|()| Reversal::Refunded),
        Some(other) => Err(Doubt::new(DoubtKind::Unlisted, format!("cancel action {other}"))),
        None => Ok(Reversal::NoTrade),
    }
}

/// Only `fund_change` `Y` says that money moved. `refund_fee` is the trade's total so far and proves nothing.
fn refunded(node: &Node) -> Result<RefundOutcome, Doubt> {
    match node.fund_change.get() {
        Some("Y") => node.must_name_the_order().map(|()| RefundOutcome::Done),
        Some(_) | None => Ok(RefundOutcome::NotMoved),
    }
}

/// A missing status means that the refund was not received or failed, never that it is under way.
fn refund_standing(refund: &RefundOrder, node: &Node) -> Result<RefundOutcome, Doubt> {
    match node.refund_status.get() {
        None => Ok(RefundOutcome::Absent),
        Some("REFUND_SUCCESS") => {
            node.must_name_the_order()?;
            let moved = amount("refund_amount", &node.refund_amount)?;
            if moved == refund.amount {
                return Ok(RefundOutcome::Done);
            }
            let detail = format!("{moved} was refunded, and {} was asked", refund.amount);
            Err(Doubt::new(DoubtKind::WrongOrder, detail))
        }
        Some(other) => Err(Doubt::new(DoubtKind::Unlisted, format!("refund_status {other}"))),
    }
}

fn business_failure(request: &Request, node: &Node) -> Result<Answer, Doubt> {
    let code = node.sub_code.get().unwrap_or_default();
    let known = class(Method::of(request), code);
    let class = known.ok_or_else(|| Doubt::new(DoubtKind::Unlisted, node.reason()))?;
    let class = if is_about_the_plan(request, code) { Class::Refused(Why::Order) } else { class };
    let answer = match request {
        Request::ShowCode(_) => code_refused(class, node).map(Answer::Code),
        Request::TakeCode(..) | Request::Query(_) => not_paid(class, node).map(Answer::Payment),
        Request::Cancel(_) | Request::Close(_) => not_reversed(class, node).map(Answer::Reversal),
        Request::Refund(_) | Request::RefundQuery(_) => not_refunded(class, code).map(Answer::Refund),
        Request::Duty(_) => None,
        Request::Probe => Some(Answer::Reachable(true)),
    };
    answer.ok_or_else(|| trouble(node.reason()))
}

/// Of an order in instalments "invalid parameter" is about its plan as often as about the merchant's set-up: periods that the
/// contract does not have, or a way to pay that leaves no Huabei. It ends this attempt; the other orders sell on.
fn is_about_the_plan(request: &Request, code: &str) -> bool {
    let offer = match request {
        Request::ShowCode(offer) | Request::TakeCode(offer, _) => Some(offer),
        Request::Query(_)
        | Request::Cancel(_)
        | Request::Close(_)
        | Request::Refund(_)
        | Request::RefundQuery(_)
        | Request::Duty(_)
        | Request::Probe => None,
    };
    code == "ACQ.INVALID_PARAMETER" && offer.is_some_and(|offer| offer.instalment.is_some())
}

fn code_refused(class: Class, node: &Node) -> Option<CodeAnswer> {
    match class {
        Class::Refused(why) => Some(CodeAnswer::Refused(node.refusal(why))),
        Class::Ask => Some(CodeAnswer::Ask { code: node.refusal(Why::NewNumber).code }),
        Class::Trouble | Class::NoTrade | Class::Again | Class::ShortOfFunds | Class::Rejected => None,
    }
}

/// `Ask` is a doubt here: the number may already be paid, and a query tells.
fn not_paid(class: Class, node: &Node) -> Option<Outcome> {
    match class {
        Class::Refused(why) => Some(Outcome::NotPaid(node.refusal(why))),
        Class::NoTrade => Some(Outcome::Pending(Waiting::NoTrade)),
        Class::Trouble | Class::Ask | Class::Again | Class::ShortOfFunds | Class::Rejected => None,
    }
}

fn not_reversed(class: Class, node: &Node) -> Option<Reversal> {
    if node.retry_flag.get() == Some("Y") && class != Class::ShortOfFunds {
        return Some(Reversal::Again);
    }
    match class {
        Class::NoTrade => Some(Reversal::NoTrade),
        Class::Again => Some(Reversal::Again),
        // It cannot be undone by a cancel now. If it is paid, a refund takes over: that is shown, and waits for funds.
        Class::Ask | Class::ShortOfFunds => Some(Reversal::Ask { code: node.refusal(Why::Closed).code }),
        Class::Trouble | Class::Refused(_) | Class::Rejected => None,
    }
}

fn not_refunded(class: Class, code: &str) -> Option<RefundOutcome> {
    match class {
        Class::ShortOfFunds => Some(RefundOutcome::ShortOfFunds),
        Class::Ask => Some(RefundOutcome::NotMoved),
        Class::NoTrade => Some(RefundOutcome::Absent),
        Class::Rejected => Some(RefundOutcome::Refused { code: code.to_owned() }),
        Class::Trouble | Class::Refused(_) | Class::Again => None,
    }
}

fn amount(name: &str, text: &Text) -> Result<Fen, Doubt> {
    let text = text.get().ok_or_else(|| malformed(format!("no {name} in the answer")))?;
    let amount: Fen = text.parse().map_err(|error| malformed(format!("{name}: {error}")))?;
    amount.is_positive().then_some(amount).ok_or_else(|| malformed(format!("{name} is {amount}")))
}

fn malformed(detail: impl Into<String>) -> Doubt {
    Doubt::new(DoubtKind::Malformed, detail)
}

fn trouble(detail: impl Into<String>) -> Doubt {
    Doubt::new(DoubtKind::ChannelTrouble, detail)
}
