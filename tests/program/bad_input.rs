//! Bad input gets a clear error and changes nothing.

use reqwest::Method;
use serde_json::{Value, json};

use crate::shop::{Shop, TEA, WATER};

#[tokio::test]
async fn bad_orders_are_refused_with_a_problem_and_nothing_is_written() {
    let shop = Shop::open().await;
    let before = shop.get("/v1/terminal").await;
    // The daemon asks once at its start whether the gateway is there.
    let about_orders = |call: &sandbox::CallRecord| call.out_trade_no.as_deref() != Some("TILL_PROBE");
    let bad = [
        json!({"amount": 0, "currency": "CNY"}),
        json!({"amount": -1, "currency": "CNY"}),
        json!({"amount": 3.5, "currency": "CNY"}),
        json!({"amount": "350", "currency": "CNY"}),
        json!({"amount": 10_000_000_001_i64, "currency": "CNY"}),
        json!({"amount": 350, "currency": "USD"}),
        json!({"amount": 350, "currency": "CNY", "items": [{"slot": "99"}]}),
        json!({"amount": WATER + 1, "currency": "CNY", "items": [{"slot": "11"}]}),
        json!({"amount": 350, "currency": "CNY", "colour": "red"}),
        json!([]),
    ];
    for body in bad {
        let (status, problem) = shop.call(Method::POST, "/v1/orders", Some(body.clone())).await;
        assert!((400..500).contains(&status), "{body} gave {status}");
        assert!(problem["title"].is_string() && problem["detail"].is_string(), "{body} gave {problem}");
    }
    let after = shop.get("/v1/terminal").await;
    let newest = |terminal: &Value| terminal["newest_seq"].clone();
    assert_eq!(newest(&before), newest(&after), "a refused order was written");
    assert!(!shop.gateway().calls().iter().any(about_orders), "a refused order reached the gateway");
}

#[tokio::test]
async fn bad_scans_do_not_reach_the_gateway() {
    let shop = Shop::open().await;
    let order = shop.order("11", WATER, "merchant_scans").await;
    for line in ["hello", "6901234567892", "2850000000", "101234567890123456"] {
        shop.scene.scan(line).unwrap();
    }
    shop.scene.scan_bytes(&[0xff; 600]).unwrap();
    shop.scene.scan_bytes(b"\r").unwrap();
    let code = shop.wallet().pay_code();
    shop.scene.scan(&code).unwrap();
    let done = shop.order_until(&order, &["completed"]).await;
    assert_eq!(done["attempts"].as_array().unwrap().len(), 1);

    let second = shop.order("12", TEA, "merchant_scans").await;
    let (status, problem) = shop.call(Method::POST, "/v1/scans", Some(json!({"order": second, "code": code}))).await;
    assert_eq!(status, 409, "{problem}");
    assert_eq!(shop.gateway().ledger().charged_fen(), WATER);
}

#[tokio::test]
async fn the_same_key_opens_one_order_and_another_body_is_refused() {
    let shop = Shop::open().await;
    let body = json!({"amount": WATER, "currency": "CNY", "items": [{"slot": "11"}]});
    let post = |body: Value| shop.call_with_key(Method::POST, "/v1/orders", Some(body), Some("key-1"));
    let (first, order) = post(body.clone()).await;
    let (second, again) = post(body).await;
    assert_eq!((first, second), (201, 200));
    assert_eq!(order["id"], again["id"]);
    let (third, problem) = post(json!({"amount": TEA, "currency": "CNY", "items": [{"slot": "12"}]})).await;
    assert_eq!(third, 422, "{problem}");
}

#[tokio::test]
async fn a_second_order_waits_its_turn() {
    let shop = Shop::open().await;
    shop.order("11", WATER, "buyer_scans").await;
    let body = json!({"amount": TEA, "currency": "CNY", "items": [{"slot": "12"}]});
    let (status, problem) = shop.call(Method::POST, "/v1/orders", Some(body)).await;
    assert_eq!(status, 409, "{problem}");
}
