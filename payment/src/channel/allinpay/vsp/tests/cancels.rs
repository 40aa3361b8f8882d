//! A cancel sent twice, a cancel on its way, and a payment that was cancelled.

use serde_json::json;

use super::super::Vsp;
use super::{ENTROPY, NOON, answer_of, attempt, cancel_no, field, kind, members, sealed, trade, vsp, with};
use crate::channel::outcome::{DoubtKind, Outcome, Refusal, Reversal, Why};
use crate::channel::{Answer, Decoded, Request};

fn cancel() -> Request {
    Request::Cancel(trade())
}

fn said(vsp: &Vsp, status: &str) -> Decoded {
    vsp.decode(&cancel(), NOON, &sealed(&members(&cancel(), status)))
}

fn reversal(reversal: Reversal) -> Decoded {
    Decoded::Answer(Answer::Reversal(reversal))
}

/// The path, and the number that it is about.
fn next(vsp: &Vsp) -> (String, String) {
    let sent = vsp.encode(&cancel(), NOON, ENTROPY);
    (sent.url.rsplit('/').next().unwrap().to_owned(), field(&sent, "reqsn").unwrap())
}

#[test]
fn a_cancel_that_is_known_is_asked_after_and_not_sent_again() {
    let vsp = vsp();
    assert_eq!(next(&vsp), ("cancel".into(), cancel_no()));
    assert_eq!(said(&vsp, "3888"), Decoded::EncodeAgain);
    assert_eq!(next(&vsp), ("query".into(), cancel_no()));
    assert_eq!(said(&vsp, "2000"), reversal(Reversal::Again));
    assert_eq!(next(&vsp), ("query".into(), cancel_no()));
    assert_eq!(said(&vsp, "0000"), reversal(Reversal::Refunded));
}

#[test]
fn it_is_encoded_again_only_once() {
    let vsp = vsp();
    assert_eq!(said(&vsp, "3888"), Decoded::EncodeAgain);
    assert_eq!(said(&vsp, "3888"), reversal(Reversal::Ask { code: "3888".into() }));
}

#[test]
fn a_known_cancel_that_did_nothing_asks_how_the_trade_stands() {
    for status in ["3999", "3089", "1001"] {
        let vsp = vsp();
        said(&vsp, "3888");
        assert_eq!(said(&vsp, status), reversal(Reversal::Ask { code: status.into() }));
    }
}

/// Whether VSP changes a cancelled payment's own state is not documented: with the cancel proven it must not matter.
#[test]
fn a_payment_whose_cancel_was_done_is_not_paid_whatever_its_own_state() {
    let (vsp, query) = (vsp(), Request::Query(trade()));
    let asked = |vsp: &Vsp, status: &str| answer_of(vsp, &query, NOON, &sealed(&members(&query, status)));
    assert!(matches!(asked(&vsp, "0000"), Answer::Payment(Outcome::Paid(_))));
    said(&vsp, "2000");
    assert!(matches!(asked(&vsp, "0000"), Answer::Payment(Outcome::Paid(_))), "a cancel on its way proves nothing");
    said(&vsp, "0000");
    let returned = Answer::Payment(Outcome::NotPaid(Refusal { code: "returned".into(), why: Why::Closed }));
    assert_eq!(asked(&vsp, "0000"), returned);
    // Nor does the sum matter that is left of it.
    let nothing_left = with(members(&query, "0000"), &json!({ "trxamt": "0", "initamt": "350" }));
    assert_eq!(answer_of(&vsp, &query, NOON, &sealed(&nothing_left)), returned);
    // Nobody else's payment is.
    let other = crate::channel::Trade { attempt: crate::ids::AttemptId::from_entropy([3; 16]), ..trade() };
    let theirs = with(members(&query, "0000"), &json!({ "reqsn": other.attempt.as_str() }));
    let found = answer_of(&vsp, &Request::Query(other), NOON, &sealed(&theirs));
    assert!(matches!(found, Answer::Payment(Outcome::Paid(_))));
}

#[test]
fn a_cancel_is_done_only_for_the_whole_sum_and_under_its_own_number() {
    for changed in [json!({ "trxamt": "349" }), json!({ "reqsn": attempt().as_str() })] {
        let vsp = vsp();
        let told = with(members(&cancel(), "0000"), &changed);
        assert_eq!(kind(&answer_of(&vsp, &cancel(), NOON, &sealed(&told))), Some(DoubtKind::WrongOrder));
        assert_eq!(next(&vsp).0, "cancel");
    }
    // The whole sum, less a coupon.
    for changed in [json!({ "trxamt": null }), json!({ "trxamt": "300", "initamt": "350" })] {
        let told = with(members(&cancel(), "0000"), &changed);
        assert_eq!(answer_of(&vsp(), &cancel(), NOON, &sealed(&told)), Answer::Reversal(Reversal::Refunded));
    }
}
