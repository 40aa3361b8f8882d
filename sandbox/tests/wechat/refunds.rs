//! Refunds: accepted is not finished.

use sandbox::wechat::{Fault, RefundState, TradeState, Weather};
use serde_json::{Value, json};

use crate::calling::open;
use crate::till::{REFUNDS, Till, refund_body};

async fn till_with_a_sale() -> Till {
    let till = Till::open().await;
    till.paid("N00001", 350).await;
    till
}

async fn status(till: &Till, refund: &str) -> String {
    till.get(&format!("{REFUNDS}/{refund}")).await.member("/status")
}

#[tokio::test]
async fn a_refund_is_accepted_first_and_arrives_later() {
    let till = till_with_a_sale().await;
    let answer = till.refund("N00001", "R1", 350, 350).await;
    assert_eq!((answer.status, &*answer.member("/status")), (200, "PROCESSING"));
    assert!(answer.json().get("success_time").is_none());
    let trade = till.trade("N00001");
    assert_eq!((trade.refunded_fen, trade.on_its_way_fen, trade.net_fen()), (0, 350, 0));
    assert_eq!(till.query("N00001").await.member("/trade_state"), "REFUND");
    till.pass(3000);
    assert_eq!(status(&till, "R1").await, "SUCCESS");
    let trade = till.trade("N00001");
    assert_eq!((trade.refunded_fen, trade.on_its_way_fen, till.phone.balance_fen()), (350, 0, 10_000_000));
}

#[tokio::test]
async fn the_same_number_moves_nothing_and_another_amount_is_refused() {
    let till = till_with_a_sale().await;
    let first = till.refund("N00001", "R1", 100, 350).await;
    let again = till.refund("N00001", "R1", 100, 350).await;
    assert_eq!(first.body, again.body);
    assert_eq!(till.refund("N00001", "R1", 101, 350).await.code(), "REFUND_FEE_MISMATCH");
    assert_eq!(till.trade("N00001").refunds.len(), 1);
}

#[tokio::test]
async fn no_more_goes_back_than_came_and_not_twice_in_a_minute() {
    let till = till_with_a_sale().await;
    till.refund("N00001", "R1", 100, 350).await;
    let hasty = till.refund("N00001", "R2", 100, 350).await;
    assert_eq!((hasty.status, &*hasty.code()), (429, "FREQUENCY_LIMITED"));
    till.pass(60_000);
    assert_eq!(till.refund("N00001", "R2", 251, 350).await.code(), "INVALID_REQUEST");
    assert_eq!(till.refund("N00001", "R2", 250, 349).await.code(), "INVALID_REQUEST");
    assert_eq!(till.refund("N00001", "R2", 250, 350).await.status, 200);
    assert_eq!(till.trade("N00001").net_fen(), 0);
}

#[tokio::test]
async fn an_order_is_refunded_at_most_fifty_times_and_for_a_year() {
    let till = till_with_a_sale().await;
    for number in 0..50 {
        assert_eq!(till.refund("N00001", &format!("R{number}"), 1, 350).await.status, 200);
        till.pass(60_000);
    }
    assert_eq!(till.refund("N00001", "R50", 1, 350).await.code(), "INVALID_REQUEST");
    till.paid("N00002", 350).await;
    till.pass(365 * 24 * 3_600_000 + 1);
    assert_eq!(till.refund("N00002", "R60", 1, 350).await.code(), "TRADE_OVERDUE");
}

#[tokio::test]
async fn unknown_and_unpaid_orders_and_unknown_refunds_are_not_there() {
    let till = Till::open().await;
    till.code("N00001", 350).await;
    for number in ["N00001", "N00009"] {
        let answer = till.refund(number, "R1", 350, 350).await;
        assert_eq!((answer.status, &*answer.code()), (404, "RESOURCE_NOT_EXISTS"));
    }
    let answer = till.get(&format!("{REFUNDS}/R1")).await;
    assert_eq!((answer.status, &*answer.code()), (404, "RESOURCE_NOT_EXISTS"));
}

#[tokio::test]
async fn a_refund_names_its_order_by_one_number() {
    let till = till_with_a_sale().await;
    let id = till.trade("N00001").transaction_id;
    let mut body = refund_body("N00001", "R1", 350, 350);
    body["transaction_id"] = json!(id);
    assert_eq!(till.post(REFUNDS, body.clone()).await.code(), "PARAM_ERROR");
    body.as_object_mut().unwrap().remove("out_trade_no");
    assert_eq!(till.post(REFUNDS, body).await.member("/out_trade_no"), "N00001");
}

#[tokio::test]
async fn the_weather_says_how_a_refund_ends() {
    for (state, kept) in [(RefundState::Closed, 350), (RefundState::Abnormal, 0), (RefundState::Processing, 0)] {
        let till = till_with_a_sale().await;
        till.control.set_weather(Weather::fair().with(Fault::RefundEnds(state).times(1)));
        till.refund("N00001", "R1", 350, 350).await;
        till.pass(3_600_000);
        assert_eq!(status(&till, "R1").await, state.wire());
        let trade = till.trade("N00001");
        assert_eq!((trade.refunded_fen, trade.net_fen()), (0, kept));
        assert_eq!((trade.state, till.phone.balance_fen()), (TradeState::Refund, 9_999_650));
    }
}

#[tokio::test]
async fn after_a_closed_refund_a_new_number_returns_the_money() {
    let till = till_with_a_sale().await;
    till.control.set_weather(Weather::fair().with(Fault::RefundEnds(RefundState::Closed).times(1)));
    till.refund("N00001", "R1", 350, 350).await;
    till.pass(60_000);
    assert_eq!(till.refund("N00001", "R2", 350, 350).await.status, 200);
    till.pass(3000);
    assert_eq!(till.trade("N00001").refunded_fen, 350);
}

#[tokio::test]
async fn a_merchant_without_money_refunds_nothing() {
    let till = till_with_a_sale().await;
    till.control.set_weather(Weather::fair().with(Fault::NotEnough.times(1)));
    let answer = till.refund("N00001", "R1", 350, 350).await;
    assert_eq!((answer.status, &*answer.code()), (403, "NOT_ENOUGH"));
    assert_eq!(till.trade("N00001").net_fen(), 350);
    assert_eq!(till.refund("N00001", "R1", 350, 350).await.status, 200);
}

#[tokio::test]
async fn notices_are_signed_and_encrypted_and_tell_only_what_happened() {
    let till = Till::open().await;
    till.code("N00001", 350).await;
    assert_eq!(till.control.payment_notice("N00001"), None);
    till.paid("N00001", 350).await;
    let notice = till.control.payment_notice("N00001").unwrap();
    let header = |name: &str| notice.headers.iter().find(|(each, _)| each == name).unwrap().1.clone();
    let content = format!("{}\n{}\n{}\n", header("Wechatpay-Timestamp"), header("Wechatpay-Nonce"), notice.body);
    assert!(crate::calling::verify(&till.keys.public_key_pem, content.as_bytes(), &header("Wechatpay-Signature")));
    let body: Value = serde_json::from_str(&notice.body).unwrap();
    assert_eq!(
        (&body["event_type"], &body["resource"]["original_type"]),
        (&json!("TRANSACTION.SUCCESS"), &json!("transaction"))
    );
    let plain: Value = serde_json::from_str(&open(&till.keys.apiv3_key, &body["resource"]).unwrap()).unwrap();
    assert_eq!((&plain["out_trade_no"], &plain["trade_state"]), (&json!("N00001"), &json!("SUCCESS")));

    till.refund("N00001", "R1", 350, 350).await;
    assert_eq!(till.control.refund_notice("R1"), None);
    till.pass(3000);
    let notice = till.control.refund_notice("R1").unwrap();
    let body: Value = serde_json::from_str(&notice.body).unwrap();
    let plain: Value = serde_json::from_str(&open(&till.keys.apiv3_key, &body["resource"]).unwrap()).unwrap();
    assert_eq!((&plain["refund_status"], plain.get("status")), (&json!("SUCCESS"), None));
}
