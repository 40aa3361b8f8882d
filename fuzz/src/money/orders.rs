//! One order, and every request about it.

use payment::channel::outcome::{CodeAnswer, DutyOutcome, Outcome, RefundOutcome, Reversal};
use payment::channel::{Answer, Duty, DutyKind, Method, Offer, RefundOrder, Request, Trade};
use payment::ids::{AttemptId, RefundId};
use payment::money::Fen;
use payment::redact::PayCode;
use payment::time::Wall;

/// 2026-05-29 04:26:40 in China, the moment of the vectors.
pub(super) const NOW: Wall = Wall { ms: 1_780_000_000_000, trusted: true };
pub(super) const AMOUNT: Fen = Fen::new(350);

pub(super) fn attempt() -> AttemptId {
    AttemptId::from_entropy([1; 16])
}

pub(super) fn refund_id() -> RefundId {
    RefundId::from_entropy([2; 16])
}

fn offer() -> Offer {
    Offer {
        attempt: attempt(),
        amount: AMOUNT,
        subject: "cola".into(),
        goods: Vec::new(),
        valid_ms: 180_000,
        begun: NOW,
        wallet: None,
        instalment: None,
    }
}

fn refund() -> RefundOrder {
    let trade = Trade { trade_no: Some("T1".into()), ..offer().trade(Method::TakeCode) };
    RefundOrder {
        trade,
        refund: refund_id(),
        begun: NOW,
        amount: Fen::new(100),
        reason: "none".into(),
        confirmed: None,
    }
}

fn duty(kind: DutyKind) -> Request {
    let trade = refund().trade;
    Request::Duty(Duty { amount: AMOUNT, trade, kind, goods: "cola".into(), buyer: Some("o1".into()), delivered: NOW })
}

/// How many kinds of requests [`request`] has before it comes to the duties.
pub(super) const ABOUT_MONEY: u8 = 11;

/// One of all requests.
pub(super) fn request(pick: u8) -> Request {
    let (shown, taken) = (offer().trade(Method::ShowCode), offer().trade(Method::TakeCode));
    match pick % 13 {
        0 => Request::ShowCode(offer()),
        1 => Request::TakeCode(offer(), PayCode::new("285000000000000017")),
        2 => Request::Query(shown),
        3 => Request::Query(taken),
        4 => Request::Cancel(shown),
        5 => Request::Cancel(taken),
        6 => Request::Close(shown),
        7 => Request::Close(taken),
        8 => Request::Refund(refund()),
        9 => Request::RefundQuery(refund()),
        10 => Request::Probe,
        11 => duty(DutyKind::ConfirmGuarantee),
        _ => duty(DutyKind::ReportDelivery),
    }
}

/// `text` with `$NO` for the attempt's number, `$RF` for the refund's and `$CF` for the confirmation's.
pub(super) fn filled(text: &str) -> String {
    let (attempt, refund) = (attempt(), refund_id());
    text.replace("$NO", attempt.as_str())
        .replace("$RF", refund.as_str())
        .replace("$CF", &format!("G{}", &attempt.as_str()[1..]))
        .replace("$CC", &attempt.as_str().replacen('P', "C", 1))
}

/// Whether this answer settles something about money or shows a buyer where to pay: only the channel may say so.
pub(super) fn settles(answer: &Answer) -> bool {
    match answer {
        Answer::Code(code) => matches!(code, CodeAnswer::Ready(_)),
        Answer::Payment(outcome) => matches!(outcome, Outcome::Paid(_) | Outcome::NotPaid(_)),
        Answer::Reversal(reversal) => matches!(reversal, Reversal::Closed | Reversal::Refunded),
        Answer::Refund(refund) => matches!(refund, RefundOutcome::Done | RefundOutcome::Failed { .. }),
        Answer::Duty(duty) => *duty == DutyOutcome::Done,
        Answer::Reachable(_) => false,
    }
}

/// Whether an answer is of the kind that `request` asks for, and says nothing impossible.
pub(super) fn fits(request: &Request, answer: &Answer) -> bool {
    match (request, answer) {
        (Request::ShowCode(_), Answer::Code(code)) => *code != CodeAnswer::Ready(String::new()),
        (Request::TakeCode(offer, _), Answer::Payment(Outcome::Paid(receipt))) => {
            receipt.amount == offer.amount && !receipt.trade_no.is_empty()
        }
        (Request::Query(_), Answer::Payment(Outcome::Paid(receipt))) => {
            receipt.amount.is_positive() && !receipt.trade_no.is_empty()
        }
        (Request::TakeCode(..) | Request::Query(_), Answer::Payment(_))
        | (Request::Cancel(_) | Request::Close(_), Answer::Reversal(_))
        | (Request::Refund(_) | Request::RefundQuery(_), Answer::Refund(_))
        | (Request::Duty(_), Answer::Duty(_))
        | (Request::Probe, Answer::Reachable(_)) => true,
        _ => false,
    }
}
