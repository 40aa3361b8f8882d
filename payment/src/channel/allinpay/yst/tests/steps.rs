//! What is made in two steps: closing, which needs Allinpay's number, and the confirmation of a guaranteed payment.

use serde_json::{Value, json};

use super::*;
use crate::channel::outcome::{DutyOutcome, Outcome, Reversal, Waiting};

fn close() -> Request {
    Request::Close(shown())
}

fn in_progress() -> Value {
    with(paid_fields(), "result", json!("0"))
}

fn told(yst: &Yst, request: &Request, fields: &Value) -> Answer {
    understood(yst, request, "00000", fields)
}

fn call(yst: &Yst, request: &Request) -> (String, Value) {
    let (envelope, fields) = sent(&yst.encode(request, NIGHT, ENTROPY));
    (envelope["transCode"].as_str().unwrap().to_owned(), fields)
}

#[test]
fn an_order_whose_number_is_known_is_closed_by_it() {
    for request in [show(), take(), Request::Query(shown())] {
        let yst = yst();
        told(&yst, &request, &in_progress());
        let (code, fields) = call(&yst, &close());
        assert_eq!((code.as_str(), fields), ("2295", json!({ "orgRespTraceNum": TRADE_NO })), "{request:?}");
    }
}

#[test]
fn an_order_whose_number_is_not_known_is_asked_after_first() {
    for request in [close(), Request::Cancel(taken())] {
        let yst = yst();
        let (code, fields) = call(&yst, &request);
        assert_eq!(code, "3001");
        assert_eq!(fields, json!({ "reqTraceNum": attempt().as_str(), "oriTransDate": "20260529" }));
        assert_eq!(told(&yst, &request, &in_progress()), Answer::Reversal(Reversal::Again));
        assert_eq!(call(&yst, &request).0, "2295");
    }
}

#[test]
fn the_question_in_place_of_a_close_tells_what_became_of_it() {
    for (fields, expected) in [
        (paid_fields(), Reversal::Ask { code: "paid".into() }),
        (with(paid_fields(), "result", json!("2")), Reversal::Closed),
        (in_progress(), Reversal::Again),
        (json!({ "respCode": "20404" }), Reversal::NoTrade),
    ] {
        let yst = taught();
        assert_eq!(call(&yst, &close()).0, "3001");
        assert_eq!(told(&yst, &close(), &fields), Answer::Reversal(expected));
    }
}

#[test]
fn a_close_that_was_not_understood_is_asked_after_and_then_tried_again() {
    let yst = yst();
    told(&yst, &show(), &in_progress());
    assert_eq!(call(&yst, &close()).0, "2295");
    let answer = told(&yst, &close(), &json!({ "respCode": "31415" }));
    assert_eq!(kind(&answer), Some(DoubtKind::Unlisted));
    assert_eq!(call(&yst, &close()).0, "3001");
    assert_eq!(call(&yst, &close()).0, "2295");
}

#[test]
fn a_close_is_believed_by_its_own_word_or_the_orders_state() {
    let close_answer = |result: Value, close_result: Value| {
        let fields = json!({ "reqTraceNum": attempt().as_str(), "respTraceNum": TRADE_NO, "respCode": "00000" });
        answer(&close(), &with(with(fields, "result", result), "closeResult", close_result))
    };
    for (result, close_result, expected) in [
        (Value::Null, json!("1"), Reversal::Closed),
        (json!("0"), json!("1"), Reversal::Closed),
        (json!("2"), json!("1"), Reversal::Closed),
        (json!("2"), Value::Null, Reversal::Closed),
        (Value::Null, json!("0"), Reversal::Again),
        (Value::Null, json!("2"), Reversal::Again),
        (Value::Null, json!("CLOSED"), Reversal::Again),
        (Value::Null, Value::Null, Reversal::Again),
        (json!("1"), json!("1"), Reversal::Closed),
        (json!("1"), Value::Null, Reversal::Ask { code: "paid".into() }),
        (json!("1"), json!("2"), Reversal::Ask { code: "paid".into() }),
    ] {
        assert_eq!(close_answer(result, close_result), Answer::Reversal(expected));
    }
}

#[test]
fn a_close_may_name_its_order_by_allinpays_number() {
    let yst = yst();
    told(&yst, &show(), &in_progress());
    let closed =
        |number: &str| json!({ "orgRespTraceNum": number, "result": "1", "closeResult": "1", "respCode": "00000" });
    assert_eq!(told(&yst, &close(), &closed(TRADE_NO)), Answer::Reversal(Reversal::Closed));
    assert_eq!(kind(&told(&yst, &close(), &closed("1"))), Some(DoubtKind::WrongOrder));
    assert_eq!(
        kind(&answer(&Request::Close(Trade { attempt: AttemptId::from_entropy([9; 16]), ..shown() }), &closed("1"))),
        Some(DoubtKind::Malformed)
    );
}

#[test]
fn a_paid_order_is_never_closed() {
    let yst = yst();
    told(&yst, &Request::Query(taken()), &paid_fields());
    for request in [Request::Close(paid()), Request::Cancel(paid())] {
        for _ in 0..3 {
            assert_eq!(call(&yst, &request).0, "3001");
        }
        assert_eq!(told(&yst, &request, &paid_fields()), Answer::Reversal(Reversal::Ask { code: "paid".into() }));
        let failed = with(paid_fields(), "result", json!("2"));
        assert_eq!(kind(&told(&yst, &request, &failed)), Some(DoubtKind::WrongOrder));
    }
}

/// Allinpay makes the order with the code. While it is shown "in progress" is a code nobody scanned; once it is being undone
/// it must not be given up before Allinpay says that it is closed.
#[test]
fn a_shown_code_in_progress_is_held_as_soon_as_it_is_undone() {
    let yst = yst();
    let ask = Request::Query(shown());
    assert_eq!(told(&yst, &ask, &in_progress()), Answer::Payment(Outcome::Pending(Waiting::NoTrade)));
    call(&yst, &close());
    assert_eq!(told(&yst, &ask, &in_progress()), Answer::Payment(Outcome::Pending(Waiting::Confirming)));
    let failed = with(paid_fields(), "result", json!("2"));
    assert!(matches!(told(&yst, &ask, &failed), Answer::Payment(Outcome::NotPaid(_))));
}

#[test]
fn only_an_answer_about_this_order_teaches_its_number() {
    let yst = yst();
    told(&yst, &show(), &with(in_progress(), "reqTraceNum", json!("P0000")));
    let unsigned = HttpReply { status: 200, headers: Vec::new(), body: in_progress().to_string().into_bytes() };
    answer_of(&yst, &show(), &unsigned);
    assert_eq!(call(&yst, &close()).0, "3001");
}

fn confirm_answer(code: &str, result: Value) -> Value {
    let fields = json!({ "reqTraceNum": confirm_no(), "respTraceNum": "20260529050000209000000009", "respCode": code });
    with(fields, "result", result)
}

#[test]
fn a_confirmation_has_the_attempts_number_with_another_letter() {
    let (code, fields) = call(&yst(), &confirm());
    assert_eq!(code, "2090");
    let receivers = json!([{ "signNum": "OPERATOR001", "amount": 350 }]);
    let expected = json!({ "reqTraceNum": confirm_no(), "orgRespTraceNum": TRADE_NO, "receiverList": receivers });
    assert_eq!(fields, expected);
    assert_eq!(confirm_no().len(), attempt().as_str().len());
}

#[test]
fn an_accepted_confirmation_is_asked_after_until_it_is_done() {
    let yst = yst();
    assert_eq!(call(&yst, &confirm()).0, "2090");
    assert_eq!(told(&yst, &confirm(), &confirm_answer("66666", Value::Null)), Answer::Duty(DutyOutcome::Again));
    let (code, fields) = call(&yst, &confirm());
    assert_eq!((code.as_str(), fields["reqTraceNum"].as_str()), ("3001", Some(confirm_no().as_str())));
    assert_eq!(told(&yst, &confirm(), &confirm_answer("00000", json!("0"))), Answer::Duty(DutyOutcome::Again));
    assert_eq!(call(&yst, &confirm()).0, "3001");
    assert_eq!(told(&yst, &confirm(), &confirm_answer("00000", json!("1"))), Answer::Duty(DutyOutcome::Done));
}

/// What was not delivered went back before, and only the rest is confirmed.
#[test]
fn an_order_that_was_delivered_in_part_is_confirmed_over_that_part() {
    let part = Request::Duty(Duty { amount: Fen::new(200), ..duty(DutyKind::ConfirmGuarantee) });
    let yst = yst();
    let (code, fields) = call(&yst, &part);
    assert_eq!((code.as_str(), &fields["receiverList"][0]["amount"]), ("2090", &json!(200)));
    let said = |fen: i64| told(&yst, &part, &with(confirm_answer("00000", json!("1")), "orderAmount", json!(fen)));
    assert_eq!(kind(&said(350)), Some(DoubtKind::WrongOrder));
    assert_eq!(said(200), Answer::Duty(DutyOutcome::Done));
}

/// After a restart the same number is sent again. Whatever code says "used before", the next call asks.
#[test]
fn a_repeated_confirmation_that_is_not_understood_becomes_a_question() {
    let yst = yst();
    for (sent, next) in [("2090", "3001"), ("3001", "2090")] {
        assert_eq!(call(&yst, &confirm()).0, sent);
        let answer = told(&yst, &confirm(), &json!({ "respCode": "31415" }));
        assert_eq!(kind(&answer), Some(DoubtKind::Unlisted));
        assert_eq!(call(&yst, &confirm()).0, next);
    }
    let taught = taught();
    assert_eq!(told(&taught, &confirm(), &json!({ "respCode": "20409" })), Answer::Duty(DutyOutcome::Again));
    assert_eq!(call(&taught, &confirm()).0, "3001");
    assert_eq!(told(&taught, &confirm(), &json!({ "respCode": "20404" })), Answer::Duty(DutyOutcome::Again));
    assert_eq!(call(&taught, &confirm()).0, "2090");
}

#[test]
fn an_answer_that_nobody_vouches_for_changes_no_step() {
    let yst = yst();
    let body = confirm_answer("66666", Value::Null).to_string().into_bytes();
    let unsigned = HttpReply { status: 200, headers: Vec::new(), body };
    assert!(answer_of(&yst, &confirm(), &unsigned).doubt().is_some());
    assert_eq!(call(&yst, &confirm()).0, "2090");
}

#[test]
fn a_delivery_is_reported_to_nobody() {
    let report = Request::Duty(duty(DutyKind::ReportDelivery));
    for reply in [HttpReply::default(), reply("99999", &json!({}))] {
        assert_eq!(answer_of(&yst(), &report, &reply), Answer::Duty(DutyOutcome::Done));
    }
}
