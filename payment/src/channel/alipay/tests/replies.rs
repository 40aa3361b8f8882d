//! What replies mean for the money.

use super::super::wire::Method;
use super::super::{Alipay, Config, Decoded};
use super::{
    alipay, answer, config, decoded, every_request, failure, filled, kind, offer, refund, reply, show, take, trade,
    unsigned,
};
use crate::channel::outcome::{CodeAnswer, Details, DoubtKind, Outcome, Receipt, Refusal, Waiting, Why};
use crate::channel::{Answer, Instalment, Offer, Request};
use crate::money::Fen;
use crate::redact::{PayCode, Secret};

fn refusal(code: &str, why: Why) -> Refusal {
    Refusal { code: code.into(), why }
}

fn not_paid(code: &str, why: Why) -> Answer {
    Answer::Payment(Outcome::NotPaid(refusal(code, why)))
}

fn paid(paid_at: &str) -> Answer {
    Answer::Payment(Outcome::Paid(Receipt {
        trade_no: "2025060122001400001000000001".into(),
        amount: Fen::new(350),
        paid_at: Some(paid_at.into()),
        buyer: Some("vec***@example.com".into()),
        details: Details::default(),
    }))
}

const PAID: &str = r#"{"code":"10000","msg":"Success","out_trade_no":"$NO","trade_no":"2025060122001400001000000001",
    "total_amount":"3.50","gmt_payment":"2025-06-01 12:00:03","buyer_logon_id":"vec***@example.com","receipt_amount":"3.50"}"#;

const QUERIED: &str = r#"{"code":"10000","msg":"Success","out_trade_no":"$NO","trade_no":"2025060122001400001000000001",
    "total_amount":3.50,"send_pay_date":"2025-06-01 12:00:03","buyer_logon_id":"vec***@example.com","trade_status":"STATUS"}"#;

fn query(content: &str) -> Answer {
    answer(&Request::Query(trade()), content)
}

#[test]
fn a_code_is_drawn_exactly_as_it_came() {
    let content = r#"{"code":"10000","msg":"Success","out_trade_no":"$NO","qr_code":"https:\/\/qr.alipay.com\/bax1"}"#;
    assert_eq!(answer(&show(), content), Answer::Code(CodeAnswer::Ready("https://qr.alipay.com/bax1".into())));
    let without = r#"{"code":"10000","msg":"Success","out_trade_no":"$NO"}"#;
    assert_eq!(kind(&answer(&show(), without)), Some(DoubtKind::Malformed));
}

#[test]
fn a_number_that_alipay_knows_is_asked_about_before_a_new_code() {
    let expected = Answer::Code(CodeAnswer::Ask { code: "ACQ.TRADE_HAS_SUCCESS".into() });
    assert_eq!(answer(&show(), &failure("ACQ.TRADE_HAS_SUCCESS")), expected);
    let expected = Answer::Code(CodeAnswer::Refused(refusal("ACQ.TRADE_HAS_CLOSE", Why::NewNumber)));
    assert_eq!(answer(&show(), &failure("ACQ.TRADE_HAS_CLOSE")), expected);
}

#[test]
fn a_pay_is_paid_confirming_or_refused() {
    assert_eq!(answer(&take(), PAID), paid("2025-06-01 12:00:03"));
    let confirming = r#"{"code":"10003","msg":" order success pay inprocess","out_trade_no":"$NO","total_amount":"3.50",
        "trade_no":"2025060122001400001000000001","receipt_amount":"0.00"}"#;
    assert_eq!(answer(&take(), confirming), Answer::Payment(Outcome::Pending(Waiting::Confirming)));
    for (code, why) in [
        ("ACQ.PAYMENT_AUTH_CODE_INVALID", Why::RefreshCode),
        ("ACQ.BUYER_BALANCE_NOT_ENOUGH", Why::Buyer),
        ("ACQ.TRADE_HAS_CLOSE", Why::NewNumber),
        ("ACQ.TOTAL_FEE_EXCEED", Why::Order),
        ("ACQ.INVALID_STORE_ID", Why::Setup),
        ("ACQ.SECONDARY_MERCHANT_NOT_MATCH", Why::Setup),
    ] {
        assert_eq!(answer(&take(), &failure(code)), not_paid(code, why));
    }
}

#[test]
fn a_pay_that_may_have_been_paid_is_a_doubt() {
    for code in [
        "ACQ.TRADE_HAS_SUCCESS",
        "ACQ.CONTEXT_INCONSISTENT",
        "ACQ.TRADE_BUYER_NOT_MATCH",
        "ACQ.TRADE_STATUS_ERROR",
        "ACQ.SYSTEM_ERROR",
    ] {
        assert_eq!(kind(&answer(&take(), &failure(code))), Some(DoubtKind::ChannelTrouble), "{code}");
    }
}

#[test]
fn a_pay_over_another_amount_is_a_doubt() {
    assert_eq!(kind(&answer(&take(), &PAID.replace("3.50", "3.49"))), Some(DoubtKind::WrongOrder));
}

#[test]
fn paid_needs_a_trade_and_an_exact_amount() {
    for (part, instead) in [
        (r#""total_amount":"3.50","#, ""),
        (r#""3.50""#, r#""3.505""#),
        (r#""3.50""#, r#""""#),
        (r#""3.50""#, r#""3,50""#),
        (r#""3.50""#, r#""0.00""#),
        (r#""3.50""#, r#""-3.50""#),
        (r#""3.50""#, r#"{"yuan":3}"#),
        (r#""trade_no":"2025060122001400001000000001","#, ""),
        (r#""out_trade_no":"$NO","#, ""),
    ] {
        let broken = PAID.replacen(part, instead, 1);
        assert_ne!(broken, PAID);
        assert_eq!(kind(&answer(&take(), &broken)), Some(DoubtKind::Malformed), "{broken}");
        let broken = broken.replacen("{\"code\"", "{\"trade_status\":\"TRADE_SUCCESS\",\"code\"", 1);
        assert_eq!(kind(&query(&broken)), Some(DoubtKind::Malformed), "{broken}");
    }
}

#[test]
fn a_query_tells_how_the_trade_stands() {
    for status in ["TRADE_SUCCESS", "TRADE_FINISHED"] {
        assert_eq!(query(&QUERIED.replace("STATUS", status)), paid("2025-06-01 12:00:03"));
    }
    let waiting = QUERIED.replace("STATUS", "WAIT_BUYER_PAY");
    assert_eq!(query(&waiting), Answer::Payment(Outcome::Pending(Waiting::Confirming)));
    let closed = r#"{"code":"10000","msg":"Success","out_trade_no":"$NO","trade_status":"TRADE_CLOSED"}"#;
    assert_eq!(query(closed), not_paid("TRADE_CLOSED", Why::Closed));
    let given_back = QUERIED.replace("STATUS", "TRADE_CLOSED");
    assert_eq!(query(&given_back), not_paid("refunded_in_full", Why::Closed));
    assert_eq!(kind(&query(&QUERIED.replace("STATUS", "TRADE_NEW"))), Some(DoubtKind::Unlisted));
    assert_eq!(kind(&query(r#"{"code":"10000","out_trade_no":"$NO"}"#)), Some(DoubtKind::Malformed));
}

#[test]
fn a_trade_that_does_not_exist_yet_is_waited_for() {
    let content = r#"{"code":"40004","msg":"Business Failed","sub_code":"ACQ.TRADE_NOT_EXIST","sub_msg":"交易不存在",
        "buyer_pay_amount":"0.00","out_trade_no":"$NO","receipt_amount":"0.00"}"#;
    assert_eq!(query(content), Answer::Payment(Outcome::Pending(Waiting::NoTrade)));
}

#[test]
fn an_unlisted_code_is_a_doubt_for_every_method() {
    for request in every_request() {
        for content in [
            failure("ACQ.NEVER_SEEN_BEFORE"),
            failure(""),
            r#"{"code":"40004"}"#.to_owned(),
            r#"{"code":"50000","msg":"?"}"#.to_owned(),
        ] {
            assert_eq!(kind(&answer(&request, &content)), Some(DoubtKind::Unlisted), "{request:?} {content}");
        }
    }
}

#[test]
fn confirming_is_an_answer_to_a_pay_alone() {
    let content = r#"{"code":"10003","msg":"x","out_trade_no":"$NO"}"#;
    for request in every_request() {
        let expected = (!matches!(request, Request::TakeCode(..))).then_some(DoubtKind::Unlisted);
        assert_eq!(kind(&answer(&request, content)), expected, "{request:?}");
    }
}

#[test]
fn trouble_and_throttling_are_doubts_for_every_method() {
    for request in every_request() {
        for content in [
            r#"{"code":"20000","msg":"Service Currently Unavailable","sub_code":"aop.unknow-error"}"#,
            r#"{"code":"40005","msg":"Call Limited"}"#,
            r#"{"code":"40006","msg":"x","sub_code":"isv.app-call-limited"}"#,
        ] {
            assert_eq!(kind(&answer(&request, content)), Some(DoubtKind::ChannelTrouble), "{request:?} {content}");
        }
    }
}

#[test]
fn a_refused_plan_ends_its_attempt_and_stops_no_other_sale() {
    let content = r#"{"code":"40004","msg":"x","sub_code":"ACQ.INVALID_PARAMETER"}"#;
    for (instalment, why) in [(None, Why::Setup), (Some(Instalment { periods: 3, seller_percent: 0 }), Why::Order)] {
        let offer = Offer { instalment, ..offer() };
        let refused = refusal("ACQ.INVALID_PARAMETER", why);
        let shown = answer(&Request::ShowCode(offer.clone()), content);
        assert_eq!(shown, Answer::Code(CodeAnswer::Refused(refused.clone())));
        let taken = answer(&Request::TakeCode(offer, PayCode::new("281234567890123456")), content);
        assert_eq!(taken, Answer::Payment(Outcome::NotPaid(refused)));
    }
}

#[test]
fn a_signed_gateway_refusal_is_a_fault_of_the_set_up() {
    for code in ["20001", "40001", "40002", "40003", "40006"] {
        let content = format!(r#"{{"code":"{code}","msg":"x","sub_code":"isv.invalid-app-id"}}"#);
        for request in every_request() {
            let node = Method::of(&request).node();
            for node in [node.as_str(), "error_response"] {
                let found = decoded(&request, 200, &reply(node, content.as_bytes()));
                let why = refusal("isv.invalid-app-id", Why::Setup);
                match request {
                    Request::ShowCode(_) => {
                        assert_eq!(found, Answer::Code(CodeAnswer::Refused(why)))
                    }
                    Request::TakeCode(..) => {
                        assert_eq!(found, Answer::Payment(Outcome::NotPaid(why)))
                    }
                    Request::Query(_)
                    | Request::Cancel(_)
                    | Request::Close(_)
                    | Request::Refund(_)
                    | Request::RefundQuery(_)
                    | Request::Duty(_)
                    | Request::Probe => assert_eq!(kind(&found), Some(DoubtKind::ChannelTrouble)),
                }
            }
        }
    }
}

#[test]
fn an_unsigned_failure_is_believed_only_where_no_money_is_at_stake() {
    let refused = r#"{"code":"40002","msg":"x","sub_code":"isv.invalid-app-id"}"#;
    let business = failure("ACQ.PAYMENT_AUTH_CODE_INVALID");
    for request in every_request() {
        let node = Method::of(&request).node();
        let unsigned_answer = |content: &str| decoded(&request, 200, &unsigned(&node, content));
        assert_eq!(kind(&unsigned_answer(&business)), Some(DoubtKind::BadSignature), "{request:?}");
        if request == show() {
            let expected = Answer::Code(CodeAnswer::Refused(refusal("isv.invalid-app-id", Why::Setup)));
            assert_eq!(unsigned_answer(refused), expected);
        } else {
            assert_eq!(kind(&unsigned_answer(refused)), Some(DoubtKind::BadSignature), "{request:?}");
        }
        let busy = r#"{"code":"20000","msg":"x"}"#;
        assert_eq!(kind(&unsigned_answer(busy)), Some(DoubtKind::ChannelTrouble));
    }
}

#[test]
fn nothing_good_is_believed_unsigned_or_badly_signed() {
    let good = [
        (take(), PAID.to_owned()),
        (Request::Query(trade()), QUERIED.replace("STATUS", "TRADE_SUCCESS")),
        (Request::Close(trade()), r#"{"code":"10000","out_trade_no":"$NO"}"#.to_owned()),
        (Request::Refund(refund()), r#"{"code":"10000","out_trade_no":"$NO","fund_change":"Y"}"#.to_owned()),
    ];
    for (request, content) in good {
        let node = Method::of(&request).node();
        let content = filled(&content);
        let bad = Some(DoubtKind::BadSignature);
        assert_eq!(kind(&decoded(&request, 200, &unsigned(&node, &content))), bad);
        let signed = String::from_utf8(reply(&node, content.as_bytes())).unwrap();
        assert_eq!(kind(&decoded(&request, 200, signed.as_bytes())), None);
        let tampered = signed.replacen("10000", "10000 ", 1);
        assert_eq!(kind(&decoded(&request, 200, tampered.as_bytes())), bad);
    }
}

#[test]
fn a_good_answer_under_the_error_node_is_a_doubt() {
    let content = filled(PAID);
    let found = decoded(&take(), 200, &reply("error_response", content.as_bytes()));
    assert_eq!(kind(&found), Some(DoubtKind::Unlisted));
}

#[test]
fn an_answer_about_another_order_is_a_doubt() {
    for request in every_request() {
        for content in [
            PAID.replace("$NO", "OTHER"),
            QUERIED.replace("$NO", "OTHER").replace("STATUS", "TRADE_SUCCESS"),
            failure("ACQ.TRADE_NOT_EXIST").replacen('{', "{\"out_trade_no\":\"OTHER\",", 1),
        ] {
            assert_eq!(kind(&answer(&request, &content)), Some(DoubtKind::WrongOrder), "{request:?}");
        }
    }
}

#[test]
fn other_statuses_and_other_bodies_are_doubts() {
    for request in every_request() {
        let node = Method::of(&request).node();
        let body = reply(&node, filled(PAID).as_bytes());
        for status in [201, 204, 302, 400, 403, 500, 502, 504] {
            assert_eq!(kind(&decoded(&request, status, &body)), Some(DoubtKind::ChannelTrouble));
        }
        for body in ["", "<html>busy</html>", "{}", "null", r#"{"alipay_other_response":{"code":"10000"},"sign":"x"}"#]
        {
            assert_eq!(kind(&decoded(&request, 200, body.as_bytes())), Some(DoubtKind::Malformed), "{body}");
        }
        for content in ["{}", "[]", "1", r#"{"code":"10000","code":"10000"}"#, "\"c2VhbGVk\""] {
            assert_eq!(kind(&answer(&request, content)), Some(DoubtKind::Malformed), "{content}");
        }
    }
}

#[test]
fn an_encrypted_answer_is_opened_after_its_signature_held() {
    let key = "AAECAwQFBgcICQoLDA0ODw==";
    let sealed = super::super::aes::Key::load(key).unwrap().encrypt(filled(PAID).as_bytes());
    let body = reply("alipay_trade_pay_response", format!("\"{sealed}\"").as_bytes());
    let with_key = Alipay::new(Config { aes_key: Some(Secret::new(key.into())), ..config() }).unwrap();
    assert_eq!(with_key.decode(&take(), 200, &body), Decoded::Answer(paid("2025-06-01 12:00:03")));
    let Decoded::Answer(without_key) = alipay().decode(&take(), 200, &body) else { panic!() };
    assert_eq!(kind(&without_key), Some(DoubtKind::Malformed));
    let other = "AAECAwQFBgcICQoLDA0ODg==";
    let other_key = Alipay::new(Config { aes_key: Some(Secret::new(other.into())), ..config() }).unwrap();
    let Decoded::Answer(other_key) = other_key.decode(&take(), 200, &body) else { panic!() };
    assert_eq!(kind(&other_key), Some(DoubtKind::Malformed));
    // What the gateway could not decrypt, it answers in the open.
    let plain = reply("alipay_trade_pay_response", filled(PAID).as_bytes());
    assert_eq!(with_key.decode(&take(), 200, &plain), Decoded::Answer(paid("2025-06-01 12:00:03")));
}

#[test]
fn a_probe_reaches_when_a_signed_answer_comes() {
    let missing = failure("ACQ.TRADE_NOT_EXIST").replacen('{', "{\"out_trade_no\":\"TILL_PROBE\",", 1);
    assert_eq!(answer(&Request::Probe, &missing), Answer::Reachable(true));
    assert_eq!(answer(&Request::Probe, r#"{"code":"20000","msg":"x"}"#), Answer::Reachable(false));
    let node = Method::Query.node();
    assert_eq!(decoded(&Request::Probe, 200, &unsigned(&node, &missing)), Answer::Reachable(false));
    assert_eq!(decoded(&Request::Probe, 502, b""), Answer::Reachable(false));
}
