//! Paying, asking, closing and returning by 云商通.

use sandbox::allinpay::{App, Fault, Method, NoticeShape, WalletError, Weather};
use serde_json::{Value, json};

use crate::calling::Cut;
use crate::receiver::Receiver;
use crate::yst_till::{Till, code_pay, consume, front, holds};

#[tokio::test]
async fn a_code_is_for_its_wallet_and_its_result_is_asked_for() {
    let till = Till::open().await;
    for (mode, app, trxcode) in [
        ("SCAN_WEIXIN", App::Wechat, "VSP501"),
        ("SCAN_ALIPAY", App::Alipay, "VSP511"),
        ("SCAN_UNIONPAY", App::UnionPay, "VSP551"),
    ] {
        let made = till.ask("2085", consume(mode, 350, json!({ mode: {} }))).await;
        assert_eq!(made.state(), ("66666", "0"));
        assert_eq!(made.member("respTraceNum").len(), 26);
        assert_eq!(till.query(mode).await.state(), ("00000", "0"));
        let text = front(&made);
        assert_eq!(till.phone.using(App::Ecny).scan_text(&text), Err(WalletError::WrongApp));
        let phone = till.phone.using(app);
        phone.confirm(&phone.scan_text(&text).unwrap().id).unwrap();
        let paid = till.query(mode).await;
        assert_eq!((paid.state(), paid.member("finishTime")), (("00000", "1"), "2025-06-01 12:00:00"));
        assert_eq!(paid.biz["orderAmount"], 350);
        let info: Value = serde_json::from_str(paid.member("channelParamInfo")).unwrap();
        assert_eq!(info["trxcode"], trxcode);
    }
    assert_eq!(till.control.ledger().charged_fen(), 1050);
}

#[tokio::test]
async fn a_pay_code_is_accepted_first_and_decided_by_3001() {
    let till = Till::open().await;
    let sold = till.sell("N1", 350).await;
    assert_eq!(sold.state(), ("66666", "0"), "though the money moved");
    assert_eq!(till.control.ledger().charged_fen(), 350);
    assert_eq!(till.query("N1").await.member("result"), "1");
    let failed = till.ask("2085", consume("N2", 350, code_pay("130000000000000001"))).await;
    assert_eq!(failed.state(), ("66666", "0"), "though nobody has this code");
    assert_eq!(till.query("N2").await.state(), ("00000", "2"));
    till.sell("N3", 20_001).await;
    assert_eq!(till.query("N3").await.member("result"), "0");
    till.phone.confirm(&till.phone.requests()[0].id).unwrap();
    assert_eq!(till.query("N3").await.member("result"), "1");
}

#[tokio::test]
async fn a_pay_code_can_be_decided_at_once() {
    let till = Till::with(|options| options.answers_at_once = true).await;
    assert_eq!(till.sell("N1", 350).await.state(), ("00000", "1"));
    let failed = till.ask("2085", consume("N2", 350, code_pay("130000000000000001"))).await;
    assert_eq!(failed.state(), ("40006", "2"));
    let back = json!({ "reqTraceNum": "R1", "orderAmount": 350, "orgReqTraceNum": "N1", "orgTransDate": "20250601" });
    assert_eq!(till.ask("2294", back).await.state(), ("00000", "1"));
}

#[tokio::test]
async fn by_our_own_number_an_order_is_found_only_with_its_day() {
    let till = Till::open().await;
    let (_, trade_no) = till.code("N1", 350).await;
    for (biz, resp) in [
        (json!({ "reqTraceNum": "N1" }), "10001"),
        (json!({ "reqTraceNum": "N1", "oriTransDate": "20250602" }), "40000"),
        (json!({ "reqTraceNum": "N9", "oriTransDate": "20250601" }), "40000"),
        (json!({ "reqTraceNum": "N1", "oriTransDate": "20250601" }), "00000"),
        (json!({ "respTraceNum": trade_no }), "00000"),
        (json!({ "respTraceNum": "20250601120000208500000009" }), "40000"),
        (json!({}), "10001"),
    ] {
        for code in ["3001", "3002"] {
            assert_eq!(till.ask(code, biz.clone()).await.resp(), resp, "{code} {biz}");
        }
    }
}

#[tokio::test]
async fn an_account_stands_encrypted_in_the_details() {
    let till = Till::open().await;
    till.sell("N1", 350).await;
    let detail = till.ask("3002", json!({ "reqTraceNum": "N1", "oriTransDate": "20250601" })).await;
    let hex = detail.member("acctNum");
    assert!(hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()), "{hex}");
    assert!(!detail.outer.to_string().contains("\"acctNum\":\"oSandbox"));
    assert_eq!(detail.member("payMode"), "CODEPAY_VSP");
}

#[tokio::test]
async fn only_an_unpaid_order_closes() {
    let till = Till::open().await;
    let (text, trade_no) = till.code("N1", 350).await;
    let close = |number: &str| json!({ "orgRespTraceNum": number, "closeReason": "no goods" });
    let closed = till.ask("2295", close(&trade_no)).await;
    assert_eq!((closed.resp(), closed.member("closeFinishTime")), ("00000", "2025-06-01 12:00:00"));
    assert_eq!(till.phone.scan_text(&text), Err(WalletError::Closed));
    assert_eq!(till.query("N1").await.member("result"), "2");
    let paid = till.sell("N2", 350).await.member("respTraceNum").to_owned();
    assert_eq!(till.ask("2295", close(&paid)).await.resp(), "40004");
    assert_eq!(till.ask("2295", close("1")).await.resp(), "40000");
    assert_eq!(till.ask("2295", json!({ "orgReqTraceNum": "N1" })).await.resp(), "10001");
    assert_eq!(till.query("N2").await.member("result"), "1");
}

#[tokio::test]
async fn a_payment_can_land_after_the_close() {
    let till = Till::open().await;
    till.control.set_weather(Weather::fair().with(Fault::PaysLate { ms: 1000, despite_close: true }));
    let (text, trade_no) = till.code("N1", 350).await;
    till.phone.confirm(&till.phone.scan_text(&text).unwrap().id).unwrap();
    assert_eq!(till.ask("2295", json!({ "orgRespTraceNum": trade_no })).await.resp(), "00000");
    assert_eq!(till.query("N1").await.member("result"), "2");
    till.pass(1000);
    assert_eq!(till.query("N1").await.member("result"), "1");
}

#[tokio::test]
async fn an_order_ends_at_its_time() {
    let till = Till::open().await;
    let mut biz = consume("N1", 350, json!({ "SCAN_WEIXIN": {} }));
    biz["orderValidTime"] = "2025-06-01 12:01:00".into();
    let text = front(&till.ask("2085", biz).await);
    till.pass(60_000);
    assert_eq!(till.phone.scan_text(&text), Err(WalletError::CodeInvalid));
    assert_eq!(till.query("N1").await.member("result"), "2");
}

#[tokio::test]
async fn refunds_return_parts_and_never_more_than_was_paid() {
    let till = Till::open().await;
    till.sell("N1", 350).await;
    let back = |number: &str, fen: i64| json!({ "reqTraceNum": number, "orderAmount": fen, "orgReqTraceNum": "N1", "orgTransDate": "20250601" });
    let mut wrong_day = back("R0", 1);
    wrong_day["orgTransDate"] = "20250531".into();
    for (biz, resp) in [
        (wrong_day, "40000"),
        (back("N1", 100), "40017"),
        (back("R1", 351), "40019"),
        (back("R1", 100), "66666"),
        (back("R1", 100), "40017"),
        (back("R2", 251), "40019"),
        (back("R2", 250), "66666"),
    ] {
        assert_eq!(till.ask("2294", biz.clone()).await.resp(), resp, "{biz}");
    }
    let state = till.query("R1").await;
    assert_eq!((state.state(), state.member("orgReqTraceNum")), (("00000", "1"), "N1"));
    assert_eq!(till.query("N1").await.member("result"), "1");
    assert_eq!(till.control.ledger().net_fen(), 0);
    till.code("N2", 350).await;
    let unpaid = json!({ "reqTraceNum": "R3", "orderAmount": 1, "orgReqTraceNum": "N2", "orgTransDate": "20250601" });
    assert_eq!(till.ask("2294", unpaid).await.resp(), "40041");
}

#[tokio::test]
async fn a_refund_is_decided_later_or_wants_money() {
    for (fails, result, net) in [(false, "1", 0), (true, "2", 350)] {
        let till = Till::open().await;
        till.sell("N1", 350).await;
        let back =
            json!({ "reqTraceNum": "R1", "orderAmount": 350, "orgReqTraceNum": "N1", "orgTransDate": "20250601" });
        till.control.set_merchant_balance_fen(Some(349));
        assert_eq!(till.ask("2294", back.clone()).await.resp(), "40014");
        till.control.set_merchant_balance_fen(Some(350));
        till.control.set_weather(Weather::fair().with(Fault::Undecided { ms: 5_000, fails }));
        assert_eq!(till.ask("2294", back).await.resp(), "66666");
        assert_eq!(till.query("R1").await.member("result"), "0");
        till.pass(5_000);
        assert_eq!(till.query("R1").await.member("result"), result);
        assert_eq!(till.control.ledger().net_fen(), net);
    }
}

#[tokio::test]
async fn the_weather_reaches_this_gateway_too() {
    let till = Till::open().await;
    let sell = |number: &'static str| consume(number, 350, code_pay(&till.phone.pay_code()));
    till.control.set_weather(Weather::fair().with(Fault::DropReply.on(Method::Consume).times(1)));
    assert_eq!(till.try_ask("2085", sell("N1")).await.unwrap_err(), Cut);
    assert_eq!(till.query("N1").await.member("result"), "1");
    till.control.set_weather(Weather::fair().with(Fault::SystemError { executed: true }.times(1)));
    let answer = till.try_ask("2085", sell("N2")).await.unwrap();
    assert!(answer.code() != "00000" && answer.biz.is_null());
    assert_eq!(till.query("N2").await.member("result"), "1");
    let fault = Fault::Code { code: "77777".to_owned(), executed: false };
    till.control.set_weather(Weather::fair().with(fault.times(1)));
    assert_eq!(till.ask("2085", sell("N3")).await.resp(), "77777");
    assert_eq!(till.query("N3").await.resp(), "40000");
    for (fault, has_sign) in [(Fault::BadSignature, true), (Fault::Unsigned, false)] {
        till.control.set_weather(Weather::fair().with(fault.times(1)));
        let answer = till.try_ask("3001", json!({ "reqTraceNum": "N1", "oriTransDate": "20250601" })).await.unwrap();
        assert_eq!((answer.has_sign, answer.signed), (has_sign, false));
    }
}

#[tokio::test]
async fn a_notice_comes_in_either_shape() {
    for shape in [NoticeShape::TopLevel, NoticeShape::Envelope] {
        let till = Till::with(|options| options.notice_shape = shape).await;
        let mut receiver = Receiver::open(&["success"]).await;
        let mut biz = consume("N1", 350, code_pay(&till.phone.pay_code()));
        biz["respUrl"] = receiver.url.clone().into();
        till.ask("2085", biz).await;
        let told: Value = serde_json::from_str(&receiver.next().await.expect("not told")).unwrap();
        assert!(holds(told.as_object().unwrap()), "{told}");
        let members = match shape {
            NoticeShape::TopLevel => told,
            NoticeShape::Envelope => serde_json::from_str(told["bizData"].as_str().unwrap()).unwrap(),
        };
        assert_eq!((&members["reqTraceNum"], &members["result"]), (&json!("N1"), &json!("1")));
    }
}
