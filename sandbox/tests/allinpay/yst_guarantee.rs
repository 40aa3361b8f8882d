//! Guaranteed orders: the money waits until it is confirmed, once or in several parts.

use serde_json::{Value, json};

use crate::yst_till::{Till, code_pay};

fn guarantee(till: &Till, number: &str, first: i64, second: i64) -> Value {
    json!({
        "reqTraceNum": number, "orderAmount": first + second, "payMode": code_pay(&till.phone.pay_code()),
        "receiverList": [{ "signNum": "OPERATOR001", "amount": first }, { "signNum": "OPERATOR002", "amount": second }],
    })
}

fn confirm(number: &str, payee: &str, fen: i64) -> Value {
    json!({
        "reqTraceNum": number, "orgReqTraceNum": "G1", "orgTransDate": "20250601",
        "receiverList": [{ "signNum": payee, "amount": fen }],
    })
}

fn back(number: &str, fen: i64, from: Option<&str>) -> Value {
    let mut biz =
        json!({ "reqTraceNum": number, "orderAmount": fen, "orgReqTraceNum": "G1", "orgTransDate": "20250601" });
    if let Some(payee) = from {
        biz["refundDetail"] = json!([{ "signNum": payee, "orderAmount": fen }]);
    }
    biz
}

async fn guaranteed() -> Till {
    let till = Till::open().await;
    let biz = guarantee(&till, "G1", 300, 200);
    assert_eq!(till.ask("2089", biz).await.resp(), "66666");
    assert_eq!(till.query("G1").await.member("result"), "1");
    till
}

#[tokio::test]
async fn the_shares_make_the_amount() {
    let till = Till::open().await;
    let mut biz = guarantee(&till, "G1", 300, 200);
    biz["orderAmount"] = json!(501);
    assert_eq!(till.ask("2089", biz).await.resp(), "10001");
    let mut biz = guarantee(&till, "G1", 300, 200);
    biz["receiverList"] = json!([]);
    assert_eq!(till.ask("2089", biz).await.resp(), "10001");
}

#[tokio::test]
async fn several_confirmations_release_no_more_than_was_applied_for() {
    let till = guaranteed().await;
    for (biz, resp) in [
        (confirm("C1", "OPERATOR001", 301), "40019"),
        (confirm("C1", "NOBODY", 1), "30000"),
        (confirm("C1", "OPERATOR001", 100), "66666"),
        (confirm("C1", "OPERATOR001", 100), "40017"),
        (confirm("C2", "OPERATOR001", 201), "40019"),
        (confirm("C2", "OPERATOR001", 200), "66666"),
        (confirm("C3", "OPERATOR002", 200), "66666"),
        (confirm("C4", "OPERATOR002", 1), "40019"),
    ] {
        assert_eq!(till.ask("2090", biz.clone()).await.resp(), resp, "{biz}");
    }
    let confirmed = till.query("C2").await;
    assert_eq!((confirmed.state(), confirmed.member("orgReqTraceNum")), (("00000", "1"), "G1"));
    assert_eq!(confirmed.biz["orderAmount"], 200);
    assert_eq!(till.control.ledger().trades[0].confirmed_fen, 500);
}

#[tokio::test]
async fn what_is_not_guaranteed_or_not_paid_is_not_confirmed() {
    let till = Till::open().await;
    assert_eq!(till.ask("2090", confirm("C1", "OPERATOR001", 1)).await.resp(), "40000");
    till.sell("G1", 500).await;
    assert_eq!(till.ask("2090", confirm("C1", "OPERATOR001", 1)).await.resp(), "40019");
    let till = Till::open().await;
    let mut biz = guarantee(&till, "G1", 300, 200);
    biz["payMode"] = json!({ "SCAN_ALIPAY": {} });
    till.ask("2089", biz).await;
    assert_eq!(till.ask("2090", confirm("C1", "OPERATOR001", 1)).await.resp(), "40019");
}

#[tokio::test]
async fn a_refund_before_the_confirmation_lowers_what_can_be_confirmed() {
    let till = guaranteed().await;
    assert_eq!(till.ask("2294", back("R1", 400, None)).await.resp(), "66666");
    assert_eq!(till.ask("2090", confirm("C1", "OPERATOR001", 101)).await.resp(), "40019");
    assert_eq!(till.ask("2090", confirm("C1", "OPERATOR001", 100)).await.resp(), "66666");
    assert_eq!(till.control.ledger().net_fen(), 100);
}

#[tokio::test]
async fn a_refund_after_the_confirmation_comes_from_who_holds_the_money() {
    let till = guaranteed().await;
    till.ask("2090", confirm("C1", "OPERATOR001", 300)).await;
    for (biz, resp) in [
        (back("R1", 201, None), "40014"),
        (back("R1", 301, Some("OPERATOR001")), "40014"),
        (back("R1", 1, Some("OPERATOR002")), "40014"),
        (back("R1", 300, Some("OPERATOR001")), "66666"),
        (back("R2", 1, Some("OPERATOR001")), "40014"),
        (back("R2", 200, None), "66666"),
        (back("R3", 1, None), "40019"),
    ] {
        assert_eq!(till.ask("2294", biz.clone()).await.resp(), resp, "{biz}");
    }
    assert_eq!(till.control.ledger().net_fen(), 0);
    assert_eq!(till.ask("2090", confirm("C2", "OPERATOR002", 1)).await.resp(), "40019");
}
