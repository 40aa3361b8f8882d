//! What v3 replies mean.

use super::*;
use crate::channel::Wallet;
use crate::channel::outcome::{
    CodeAnswer, Details, Discount, DiscountBy, DutyOutcome, Outcome, Receipt, RefundOutcome, Refusal, Reversal,
    Waiting, Why,
};

fn receipt() -> Receipt {
    let discount = |fen, by| Discount { name: "立减".into(), amount: Fen::new(fen), by };
    Receipt {
        trade_no: TRADE_NO.into(),
        amount: Fen::new(350),
        paid_at: Some("2026-05-29T04:26:38+08:00".into()),
        buyer: Some(OPENID.into()),
        details: Details {
            wallet: Some(Wallet::Wechat),
            buyer_paid: Some(Fen::new(300)),
            discounts: vec![discount(20, DiscountBy::Merchant), discount(30, DiscountBy::Channel)],
            ..Details::default()
        },
    }
}

fn in_state(state: &str) -> HttpReply {
    signed(200, &paid().replace("SUCCESS", state))
}

#[test]
fn a_code_is_handed_on_unchanged() {
    let url = "weixin://pay.weixin.qq.com/bizpayurl/up?pr=NwY5Mz9&groupid=00";
    let answer = decoded(&show(), &signed(200, &format!(r#"{{"code_url":"{url}"}}"#)));
    assert_eq!(answer, Answer::Code(CodeAnswer::Ready(url.into())));
    for body in [r#"{"code_url":""}"#, "{}", r#"{"code_url":7}"#, "", "null"] {
        assert_eq!(kind(&decoded(&show(), &signed(200, body))), Some(DoubtKind::Malformed), "{body}");
    }
}

#[test]
fn paid_is_paid_also_when_a_part_was_refunded() {
    for state in ["SUCCESS", "REFUND"] {
        let answer = decoded(&Request::Query(shown()), &in_state(state));
        assert_eq!(answer, Answer::Payment(Outcome::Paid(receipt())), "{state}");
    }
}

#[test]
fn every_state_of_an_order_has_its_meaning() {
    let closed = |state: &str| Outcome::NotPaid(Refusal { code: state.into(), why: Why::Closed });
    let confirming = Outcome::Pending(Waiting::Confirming);
    for (state, of_shown, of_taken) in [
        ("NOTPAY", Some(Outcome::Pending(Waiting::NoTrade)), Some(confirming.clone())),
        ("USERPAYING", Some(confirming.clone()), Some(confirming.clone())),
        ("ACCEPT", Some(confirming.clone()), Some(confirming)),
        ("CLOSED", Some(closed("CLOSED")), Some(closed("CLOSED"))),
        ("REVOKED", None, Some(closed("REVOKED"))),
        ("PAYERROR", None, Some(Outcome::NotPaid(Refusal { code: "PAYERROR".into(), why: Why::Buyer }))),
        ("A_NEW_ONE", None, None),
        ("", None, None),
    ] {
        for (request, expected) in
            [(Request::Query(shown()), of_shown), (Request::Query(taken()), of_taken.clone()), (take(), of_taken)]
        {
            let answer = decoded_by(v3_config(), &request, &in_state(state));
            match expected {
                Some(outcome) => assert_eq!(answer, Answer::Payment(outcome), "{state} {request:?}"),
                None => assert_eq!(kind(&answer), Some(DoubtKind::Unlisted), "{state} {request:?}"),
            }
        }
    }
}

#[test]
fn an_answer_about_something_else_proves_nothing() {
    for (what, body) in [
        ("another number", paid().replace(attempt().as_str(), "P0000")),
        ("another merchant", paid().replace("\"mchid\":\"1900000001\"", "\"mchid\":\"1900000002\"")),
        ("no merchant", paid().replace("\"mchid\":\"1900000001\",", "")),
        ("another application", paid().replace("wx0000000000000001", "wx0000000000000002")),
        ("a sub-merchant", paid().replace("{\"appid\"", "{\"sub_mchid\":\"1900000109\",\"appid\"")),
        ("more money", paid().replace("\"total\":350", "\"total\":351")),
        ("less money", paid().replace("\"total\":350", "\"total\":349")),
        ("other money", paid().replace("CNY", "HKD")),
    ] {
        let answer = decoded(&Request::Query(shown()), &signed(200, &body));
        assert_eq!(kind(&answer), Some(DoubtKind::WrongOrder), "{what}");
    }
    for (what, body) in [
        ("no number", paid().replace("out_trade_no", "x")),
        ("no transaction", paid().replace("transaction_id", "x")),
        ("no amount", paid().replace("\"amount\":{", "\"x\":{")),
        ("no total", paid().replace("\"total\":350,", "")),
        ("money as text", paid().replace(":350", ":\"350\"")),
        ("money with a point", paid().replace(":350", ":350.0")),
        ("no state", paid().replace("trade_state", "x")),
        ("the state twice", paid().replace("\"trade_type\":\"NATIVE\"", "\"trade_state\":\"NOTPAY\"")),
    ] {
        let answer = decoded(&Request::Query(shown()), &signed(200, &body));
        assert_eq!(kind(&answer), Some(DoubtKind::Malformed), "{what}");
    }
}

#[test]
fn a_service_provider_gets_answers_in_its_own_names() {
    let body = paid()
        .replace("\"appid\":\"wx0000000000000001\",\"mchid\"", "\"sp_appid\":\"wx0000000000000001\",\"sp_mchid\"")
        .replace("\"trade_type\"", "\"sub_mchid\":\"1900000109\",\"trade_type\"")
        .replace("\"openid\"", "\"sp_openid\":\"other\",\"sub_openid\"");
    let answer = decoded_by(partner(config()), &Request::Query(shown()), &signed(200, &body));
    assert_eq!(answer, Answer::Payment(Outcome::Paid(receipt())));
    for foreign in [body.replace("1900000109", "1900000110"), paid()] {
        let answer = decoded_by(partner(config()), &Request::Query(shown()), &signed(200, &foreign));
        assert_eq!(kind(&answer), Some(DoubtKind::WrongOrder));
    }
}

#[test]
fn only_a_signed_204_closes() {
    for request in [Request::Close(shown()), Request::Cancel(shown())] {
        assert_eq!(decoded(&request, &signed(204, "")), Answer::Reversal(Reversal::Closed));
        assert_eq!(kind(&decoded(&request, &unsigned(204, ""))), Some(DoubtKind::BadSignature));
        assert_eq!(kind(&decoded(&request, &signed(200, "{}"))), Some(DoubtKind::Malformed));
    }
}

#[test]
fn a_taken_code_cannot_be_closed_only_asked_after() {
    let close = Request::Close(taken());
    for (state, expected) in [
        ("SUCCESS", Reversal::Ask { code: "paid".into() }),
        ("REVOKED", Reversal::Closed),
        ("USERPAYING", Reversal::Again),
    ] {
        assert_eq!(decoded_by(v3_config(), &close, &in_state(state)), Answer::Reversal(expected), "{state}");
    }
    assert_eq!(kind(&decoded_by(v3_config(), &close, &in_state("NEW"))), Some(DoubtKind::Unlisted));
}

#[test]
fn a_reversal_by_v3_names_the_order() {
    let reverse = Request::Cancel(taken());
    let body = filled(r#"{"appid":"wx0000000000000001","mchid":"1900000001","out_trade_no":"$NO"}"#);
    assert_eq!(decoded_by(v3_config(), &reverse, &signed(200, &body)), Answer::Reversal(Reversal::Closed));
    let other = body.replace(attempt().as_str(), "P0");
    assert_eq!(kind(&decoded_by(v3_config(), &reverse, &signed(200, &other))), Some(DoubtKind::WrongOrder));
    assert_eq!(kind(&decoded_by(v3_config(), &reverse, &signed(200, "{}"))), Some(DoubtKind::WrongOrder));
}

fn refunded(status: &str) -> String {
    filled(
        r#"{"refund_id":"50300","out_refund_no":"$RF","transaction_id":"4200","out_trade_no":"$NO","status":"$ST",
        "amount":{"total":350,"refund":100,"payer_total":350,"payer_refund":100,"currency":"CNY"}}"#,
    )
    .replace("$ST", status)
}

#[test]
fn a_refund_is_what_its_status_says() {
    for request in [Request::Refund(refund()), Request::RefundQuery(refund())] {
        for (status, expected) in [
            ("SUCCESS", RefundOutcome::Done),
            ("PROCESSING", RefundOutcome::NotMoved),
            ("CLOSED", RefundOutcome::Failed { code: "CLOSED".into() }),
            ("ABNORMAL", RefundOutcome::Refused { code: "ABNORMAL".into() }),
        ] {
            assert_eq!(decoded(&request, &signed(200, &refunded(status))), Answer::Refund(expected), "{status}");
        }
        assert_eq!(kind(&decoded(&request, &signed(200, &refunded("NEW")))), Some(DoubtKind::Unlisted));
        for (what, with) in
            [(refund_id().as_str(), "R0"), (attempt().as_str(), "P0"), (":100", ":99"), (":350", ":351")]
        {
            let body = refunded("SUCCESS").replace(what, with);
            assert_eq!(kind(&decoded(&request, &signed(200, &body))), Some(DoubtKind::WrongOrder), "{what}");
        }
        assert_eq!(kind(&decoded(&request, &signed(200, "{}"))), Some(DoubtKind::Malformed));
    }
}

#[test]
fn accepted_limited_and_broken_are_doubts() {
    for request in every_request().iter().filter(|request| !matches!(request, Request::Duty(_))) {
        for status in [100, 201, 202, 301, 429, 500, 502, 503] {
            let reply = signed(status, &failure("AUTH_CODE_INVALID"));
            let answer = decoded_by(v3_config(), request, &reply);
            if *request == Request::Probe {
                assert_eq!(answer, Answer::Reachable(false));
            } else {
                assert_eq!(kind(&answer), Some(DoubtKind::ChannelTrouble), "{status} {request:?}");
            }
        }
    }
}

#[test]
fn the_xml_of_v2_on_a_refund_is_a_doubt() {
    let reply = unsigned(200, "<xml><return_code>FAIL</return_code></xml>");
    assert_eq!(kind(&decoded(&Request::Refund(refund()), &reply)), Some(DoubtKind::BadSignature));
    let reply = signed(200, "<xml><return_code>SUCCESS</return_code></xml>");
    assert_eq!(kind(&decoded(&Request::Refund(refund()), &reply)), Some(DoubtKind::Malformed));
}

#[test]
fn a_probe_reaches_whoever_knows_no_such_order() {
    for (reply, reached) in [
        (unsigned(404, &failure("ORDER_NOT_EXIST")), true),
        (unsigned(404, &failure("ORDERNOTEXIST")), true),
        (signed(404, &failure("ORDER_NOT_EXIST")), true),
        (unsigned(401, &failure("SIGN_ERROR")), false),
        (unsigned(404, ""), false),
        (unsigned(200, "{}"), false),
        (unsigned(404, "<html>login</html>"), false),
    ] {
        assert_eq!(decoded(&Request::Probe, &reply), Answer::Reachable(reached), "{reply:?}");
    }
}

#[test]
fn a_duty_that_wechat_does_not_have_is_done() {
    for request in [duty(DutyKind::ConfirmGuarantee), duty(DutyKind::ReportDelivery)] {
        for reply in [unsigned(404, ""), signed(200, &paid())] {
            assert_eq!(decoded(&request, &reply), Answer::Duty(DutyOutcome::Done));
        }
    }
}
