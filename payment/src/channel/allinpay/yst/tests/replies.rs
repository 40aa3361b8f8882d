//! Answers as they come: who signed them, which order they are about, what a receipt holds.

use serde_json::{Value, json};

use super::super::notice::Notice;
use super::super::terminal::{Filed, FiledState, Filing};
use super::*;
use crate::channel::Wallet;
use crate::channel::outcome::{CodeAnswer, Details, DutyOutcome, Outcome, Receipt, RefundOutcome, Waiting};

fn query() -> Request {
    Request::Query(taken())
}

fn receipt_of(answer: &Answer) -> Receipt {
    let Answer::Payment(Outcome::Paid(receipt)) = answer else { panic!("not paid: {answer:?}") };
    receipt.clone()
}

#[test]
fn a_paid_order_gives_its_receipt() {
    let receipt = receipt_of(&answer(&query(), &paid_fields()));
    assert_eq!(receipt.trade_no, TRADE_NO);
    assert_eq!(receipt.amount, Fen::new(350));
    assert_eq!(receipt.paid_at.as_deref(), Some("2026-05-29 04:27:01"));
    assert!(receipt.details.is_empty());
}

#[test]
fn amounts_are_read_as_numbers_and_as_texts() {
    for (amount, fen) in [(json!(350), Some(350)), (json!("350"), Some(350))] {
        let receipt = receipt_of(&answer(&query(), &with(paid_fields(), "orderAmount", amount)));
        assert_eq!(Some(receipt.amount.get()), fen);
    }
    for amount in
        [json!("3.50"), json!(350.0), json!("+350"), json!(-350), json!(0), json!(""), json!("1e2"), json!({})]
    {
        let answer = answer(&query(), &with(paid_fields(), "orderAmount", amount.clone()));
        assert_eq!(kind(&answer), Some(DoubtKind::Malformed), "{amount}");
    }
}

#[test]
fn the_channels_numbers_are_kept_in_either_spelling_and_shape() {
    let inner = json!({ "reqsn": "R1", "trxid": "C1", "chnltrxid": "W1", "trxcode": "VSP511", "fee": 2 });
    let expected = Details {
        wallet: Some(Wallet::Alipay),
        request_no: Some("R1".into()),
        channel_no: Some("C1".into()),
        wallet_no: Some("W1".into()),
        buyer_paid: Some(Fen::new(300)),
        ..Details::default()
    };
    for name in ["channelParamInfo", "channelparamInfo"] {
        for value in [inner.clone(), json!(inner.to_string())] {
            let fields = with(with(paid_fields(), name, value), "payAmount", json!(300));
            assert_eq!(receipt_of(&answer(&query(), &fields)).details, expected, "{name}");
        }
    }
    for unreadable in [json!("no JSON"), json!([1]), json!({ "trxid": "0", "trxcode": "VSP999" }), json!(7)] {
        let fields = with(paid_fields(), "channelParamInfo", unreadable);
        assert!(receipt_of(&answer(&query(), &fields)).details.is_empty(), "details never stand in the way");
    }
}

#[test]
fn an_answer_about_another_order_says_nothing_about_ours() {
    for request in every_request() {
        for result in ["0", "1", "2"] {
            let fields = with(with(paid_fields(), "reqTraceNum", json!("P0000")), "result", json!(result));
            assert_eq!(kind(&answer(&request, &fields)), Some(DoubtKind::WrongOrder), "{result} to {request:?}");
        }
    }
}

#[test]
fn a_good_answer_names_its_order() {
    let undone = |answer: &Answer| *answer == Answer::Reversal(crate::channel::outcome::Reversal::Again);
    for request in every_request() {
        for result in ["0", "1", "2"] {
            let fields = with(with(paid_fields(), "reqTraceNum", Value::Null), "result", json!(result));
            let answer = answer(&request, &fields);
            let harmless = matches!(
                answer,
                Answer::Code(CodeAnswer::Ask { .. })
                    | Answer::Reversal(crate::channel::outcome::Reversal::Ask { .. })
                    | Answer::Refund(RefundOutcome::NotMoved)
                    | Answer::Duty(DutyOutcome::Again)
            ) || undone(&answer);
            let refused = matches!(kind(&answer), Some(DoubtKind::Malformed));
            assert!(harmless || refused, "{result} to {request:?}: {answer:?}");
        }
    }
}

#[test]
fn another_amount_is_not_our_payment() {
    for amount in [349, 351, 35_000] {
        let fields = with(paid_fields(), "orderAmount", json!(amount));
        for request in [query(), Request::Query(shown()), take()] {
            assert_eq!(kind(&answer(&request, &fields)), Some(DoubtKind::WrongOrder), "{amount} to {request:?}");
        }
    }
    for request in [Request::Refund(refund()), Request::RefundQuery(refund()), confirm()] {
        let fields = with(with(paid_fields(), "reqTraceNum", json!(number(&request))), "orderAmount", json!(99));
        assert_eq!(kind(&answer(&request, &fields)), Some(DoubtKind::WrongOrder), "{request:?}");
    }
}

#[test]
fn another_payment_behind_a_refund_is_not_ours() {
    for (member, other) in [("orgReqTraceNum", "P0000"), ("orgRespTraceNum", "1")] {
        for request in [Request::Refund(refund()), Request::RefundQuery(refund())] {
            let fields = with(with(paid_fields(), "reqTraceNum", json!(number(&request))), "orderAmount", json!(100));
            assert_eq!(answer(&request, &fields), Answer::Refund(RefundOutcome::Done));
            let answer = answer(&request, &with(fields, member, json!(other)));
            assert_eq!(kind(&answer), Some(DoubtKind::WrongOrder), "{member} to {request:?}");
        }
    }
}

/// A refund asks after the trade it belongs to, and "not paid" would end it as if the money had gone back.
#[test]
fn what_was_paid_is_never_unpaid_again() {
    for fields in [with(paid_fields(), "result", json!("2")), json!({ "respCode": "20404" })] {
        for request in [Request::Query(paid()), Request::Query(Trade { method: Method::ShowCode, ..paid() })] {
            let answer = answer_of(&taught(), &request, &reply("00000", &fields));
            assert_eq!(kind(&answer), Some(DoubtKind::WrongOrder), "{answer:?}");
        }
    }
    let other = with(paid_fields(), "respTraceNum", json!("20260529042640208500000002"));
    assert_eq!(kind(&answer(&Request::Query(paid()), &other)), Some(DoubtKind::WrongOrder));
}

#[test]
fn money_that_is_only_reserved_is_not_paid() {
    assert!(matches!(
        answer(&query(), &with(paid_fields(), "isPreConsume", json!("0"))),
        Answer::Payment(Outcome::Paid(_))
    ));
    for reserved in ["1", "Y", "true"] {
        let answer = answer(&query(), &with(paid_fields(), "isPreConsume", json!(reserved)));
        assert_eq!(kind(&answer), Some(DoubtKind::Unlisted), "{reserved}");
    }
}

/// The documented answer to a pay request has no amount: the question after it proves the payment.
#[test]
fn a_success_without_an_amount_is_asked_after() {
    let fields = with(paid_fields(), "orderAmount", Value::Null);
    assert_eq!(answer(&take(), &fields), Answer::Payment(Outcome::Pending(Waiting::Confirming)));
    assert_eq!(kind(&answer(&query(), &fields)), Some(DoubtKind::Malformed));
    let fields = with(fields, "reqTraceNum", json!(refund_id().as_str()));
    assert_eq!(answer(&Request::Refund(refund()), &fields), Answer::Refund(RefundOutcome::NotMoved));
    assert_eq!(kind(&answer(&Request::RefundQuery(refund()), &fields)), Some(DoubtKind::Malformed));
}

#[test]
fn the_code_to_draw_comes_out_of_both_shapes() {
    let code = "https://syb.allinpay.com/apiweb/h5unionpay/native?key=THROWAWAY";
    let fields = |front: Value| {
        json!({
            "reqTraceNum": attempt().as_str(), "respTraceNum": TRADE_NO, "result": "0", "respCode": "66666",
            "chnlFrontParamInfo": front,
        })
    };
    let inner = json!({ "chnlPayInfo": code });
    for front in [inner.clone(), json!(inner.to_string())] {
        assert_eq!(answer(&show(), &fields(front)), Answer::Code(CodeAnswer::Ready(code.into())));
    }
    for front in [Value::Null, json!(""), json!("{}"), json!("https://x"), json!({ "chnlPayInfo": "" }), json!([code])]
    {
        assert_eq!(kind(&answer(&show(), &fields(front.clone()))), Some(DoubtKind::Malformed), "{front}");
    }
}

/// One public client leaves `signType` out of the check, Allinpay's own demo takes it in: both are read.
#[test]
fn an_answer_is_verified_with_and_without_the_kind_of_signature() {
    let fields = paid_fields().to_string();
    let members = [("code", "00000"), ("bizData", &fields), ("signType", "SM3withSM2")];
    for with_sign_type in [false, true] {
        let answer = answer_of(&yst(), &query(), &sealed(&members, with_sign_type));
        assert!(matches!(answer, Answer::Payment(Outcome::Paid(_))), "{answer:?}");
    }
}

#[test]
fn unsigned_tampered_and_foreign_answers_are_doubts_to_everything() {
    let good = String::from_utf8(reply("00000", &paid_fields()).body).unwrap();
    let (before, after) = (r#""bizData":"{"#, r#""bizData":"{ "#);
    assert!(good.contains(before));
    let envelope: Value = serde_json::from_str(&good).unwrap();
    let ours = with(envelope.clone(), "sign", json!(yst().setup.key.sign_sm3(b"", ENTROPY)));
    let mut more = envelope.clone();
    more.as_object_mut().unwrap().insert("later".into(), json!("x"));
    let broken = [
        (good.replace(before, after), DoubtKind::BadSignature),
        (good.replace("350", "351"), DoubtKind::BadSignature),
        (ours.to_string(), DoubtKind::BadSignature),
        (more.to_string(), DoubtKind::BadSignature),
        (with(envelope.clone(), "sign", Value::Null).to_string(), DoubtKind::BadSignature),
        (with(envelope, "sign", json!("")).to_string(), DoubtKind::BadSignature),
        (good.replacen('{', r#"{"code":"00000","#, 1), DoubtKind::Malformed),
        (String::new(), DoubtKind::Malformed),
        ("null".into(), DoubtKind::Malformed),
        ("<html>".into(), DoubtKind::Malformed),
    ];
    let yst = yst();
    for (body, expected) in broken {
        for request in every_request() {
            let reply = HttpReply { status: 200, headers: Vec::new(), body: body.clone().into_bytes() };
            assert_eq!(kind(&answer_of(&yst, &request, &reply)), Some(expected), "{body} to {request:?}");
        }
    }
}

#[test]
fn members_that_we_do_not_know_take_part_in_the_signature() {
    let fields = paid_fields().to_string();
    let members = [("code", "00000"), ("bizData", fields.as_str()), ("addedLater", "x"), ("empty", "")];
    assert!(matches!(answer_of(&yst(), &query(), &sealed(&members, false)), Answer::Payment(Outcome::Paid(_))));
}

#[test]
fn an_answer_for_another_application_is_not_ours() {
    let fields = paid_fields().to_string();
    let reply = sealed(&[("appId", "20000000000000000002"), ("code", "00000"), ("bizData", &fields)], false);
    assert_eq!(kind(&answer_of(&yst(), &query(), &reply)), Some(DoubtKind::WrongOrder));
}

#[test]
fn another_http_status_is_the_channels_trouble() {
    let (yst, good) = (yst(), reply("00000", &paid_fields()));
    for status in [0, 204, 302, 400, 500, 502] {
        for request in every_request() {
            let reply = HttpReply { status, ..good.clone() };
            assert_eq!(kind(&answer_of(&yst, &request, &reply)), Some(DoubtKind::ChannelTrouble));
        }
    }
}

#[test]
fn no_damaged_byte_makes_it_panic_or_pay() {
    let good = reply("00000", &paid_fields());
    let paid = answer_of(&yst(), &query(), &good);
    assert!(matches!(paid, Answer::Payment(Outcome::Paid(_))));
    let yst = yst();
    for place in (0..good.body.len()).step_by(11) {
        for byte in [b'"', b'\\', b'{', b'}', b'0', 0xFF] {
            let mut damaged = good.clone();
            damaged.body[place] = byte;
            let answer = answer_of(&yst, &query(), &damaged);
            assert!(damaged == good || answer.doubt().is_some() || answer == paid, "{place}: {answer:?}");
        }
        let cut = HttpReply { body: good.body[..place].to_vec(), ..good.clone() };
        assert!(answer_of(&yst, &query(), &cut).doubt().is_some());
    }
}

#[test]
fn a_probe_is_answered_by_any_signature_that_holds() {
    let unknown = reply("00000", &json!({ "respCode": "20404", "respMsg": "订单不存在" }));
    assert_eq!(answer_of(&yst(), &Request::Probe, &unknown), Answer::Reachable(true));
    assert_eq!(yst().resp_code(&unknown).unwrap(), "20404");
    assert_eq!([yst().meaning_of("20404"), taught().meaning_of("20404")], [None, Some(Meaning::NoOrder)]);
    let refused = reply("99999", &json!({}));
    assert_eq!(answer_of(&yst(), &Request::Probe, &refused), Answer::Reachable(true));
    assert!(yst().resp_code(&refused).is_err());
    let unsigned = HttpReply { status: 200, headers: Vec::new(), body: b"{\"code\":\"00000\"}".to_vec() };
    assert_eq!(answer_of(&yst(), &Request::Probe, &unsigned), Answer::Reachable(false));
}

#[test]
fn a_notice_only_says_what_to_ask_after() {
    let fields = json!({
        "reqTraceNum": "R1", "respTraceNum": TRADE_NO, "orgReqTraceNum": "P1", "result": "1", "orderAmount": "350",
    });
    let expected = Notice { number: "R1".into(), trade_no: Some(TRADE_NO.into()), original: Some("P1".into()) };
    let enveloped = sealed(&[("bizData", &fields.to_string())], false).body;
    let members: Vec<(&str, &str)> =
        fields.as_object().unwrap().iter().map(|(name, text)| (name.as_str(), text.as_str().unwrap())).collect();
    let flat = sealed(&members, false).body;
    for body in [&enveloped, &flat] {
        assert_eq!(yst().notice(body).unwrap(), expected);
        let tampered = String::from_utf8(body.clone()).unwrap().replace("R1", "R2");
        assert_eq!(yst().notice(tampered.as_bytes()).unwrap_err().kind, DoubtKind::BadSignature);
    }
    assert_eq!(yst().notice(fields.to_string().as_bytes()).unwrap_err().kind, DoubtKind::BadSignature);
    for body in [&b"success"[..], b"", b"\xFF"] {
        assert_eq!(yst().notice(body).unwrap_err().kind, DoubtKind::Malformed);
    }
    let nameless = sealed(&[("bizData", "{}")], false).body;
    assert_eq!(yst().notice(&nameless).unwrap_err().kind, DoubtKind::Malformed);
}

#[test]
fn the_filing_is_told_in_allinpays_words() {
    let fields = json!({
        "respCode": "00000", "retCode": "SUCCESS", "retMsg": "成功", "wxState": "1", "alState": "0", "alMsg": "处理中",
    });
    let state =
        |code: &str, words: Option<&str>| FiledState { code: Some(code.into()), words: words.map(str::to_owned) };
    let expected = Filed {
        whole: state("SUCCESS", Some("成功")),
        wechat: state("1", None),
        alipay: state("0", Some("处理中")),
        ..Filed::default()
    };
    assert_eq!(Filing::Ask.operation(), "03");
    assert_eq!(yst().terminal_answer(&reply("00000", &fields)).unwrap(), expected);
    let refused = with(with(fields, "respCode", json!("12345")), "respMsg", json!("终端号不存在"));
    let refused = yst().terminal_answer(&reply("00000", &refused)).unwrap_err();
    assert_eq!((refused.kind, refused.detail.as_str()), (DoubtKind::Unlisted, "respCode 12345 (终端号不存在)"));
}

/// Words of others go to the log: what looks like a code or an account is shown as its outline.
#[test]
fn doubts_hold_no_pay_code() {
    let fields = json!({ "respCode": "99999", "respMsg": "付款码285000000000000017无效" });
    let printed = format!("{:?}", answer(&take(), &fields));
    assert!(printed.contains("99999") && !printed.contains("285000000000000017"), "{printed}");
}
