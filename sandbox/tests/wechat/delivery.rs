//! Delivery of a mini-program's orders: tokens, lag, one change.

use sandbox::wechat::{Fault, Operation, Weather};
use serde_json::{Value, json};

use crate::calling::Ask;
use crate::till::Till;

async fn token_with(till: &Till, appid: &str, secret: &str) -> Value {
    let target = format!("/cgi-bin/token?grant_type=client_credential&appid={appid}&secret={secret}");
    Ask::new("GET", &target, "").send(&till.gateway.url()).await.unwrap().json()
}

async fn token(till: &Till) -> String {
    let answer = token_with(till, &till.keys.appid, &till.keys.app_secret).await;
    assert_eq!(answer["expires_in"], json!(7200));
    answer["access_token"].as_str().unwrap().to_owned()
}

fn delivery(till: &Till, number: &str, item: &str) -> Value {
    json!({
        "order_key": { "order_number_type": 1, "mchid": till.keys.mchid, "out_trade_no": number },
        "logistics_type": 4,
        "delivery_mode": 1,
        "shipping_list": [{ "item_desc": item }],
        "upload_time": "2025-06-01T12:00:30.123+08:00",
        "payer": { "openid": till.phone.user_id() },
    })
}

async fn upload(till: &Till, token: &str, body: &Value) -> i64 {
    let target = format!("/wxa/sec/order/upload_shipping_info?access_token={token}");
    let answer = Ask::new("POST", &target, &body.to_string()).send(&till.gateway.url()).await.unwrap();
    assert_eq!(answer.status, 200);
    answer.json()["errcode"].as_i64().unwrap()
}

#[tokio::test]
async fn an_order_is_delivered_and_changed_once() {
    let till = Till::open().await;
    till.paid("N00001", 350).await;
    let token = token(&till).await;
    let first = delivery(&till, "N00001", "可乐");
    assert_eq!(upload(&till, &token, &first).await, 10_060_001, "known too early");
    till.pass(10_000);
    assert_eq!(upload(&till, &token, &first).await, 0);
    assert_eq!(upload(&till, &token, &first).await, 10_060_002);
    assert_eq!(upload(&till, &token, &delivery(&till, "N00001", "雪碧")).await, 0);
    assert_eq!(upload(&till, &token, &delivery(&till, "N00001", "水")).await, 10_060_003);
    assert_eq!(till.trade("N00001").deliveries, 2);
}

#[tokio::test]
async fn unpaid_and_unknown_orders_are_not_delivered() {
    let till = Till::open().await;
    till.code("N00001", 350).await;
    till.pass(60_000);
    let token = token(&till).await;
    for number in ["N00001", "N00009"] {
        assert_eq!(upload(&till, &token, &delivery(&till, number, "可乐")).await, 10_060_001);
    }
}

#[tokio::test]
async fn tokens_are_given_to_the_right_secret_and_end() {
    let till = Till::open().await;
    assert_eq!(token_with(&till, "wx1", &till.keys.app_secret).await["errcode"], json!(40013));
    assert_eq!(token_with(&till, &till.keys.appid, "x").await["errcode"], json!(40125));
    till.paid("N00001", 350).await;
    let token = token(&till).await;
    let body = delivery(&till, "N00001", "可乐");
    assert_eq!(upload(&till, "x", &body).await, 40001);
    till.pass(7_200_000);
    assert_eq!(upload(&till, &token, &body).await, 42001);
}

#[tokio::test]
async fn wrong_deliveries_are_refused() {
    let till = Till::open().await;
    till.paid("N00001", 350).await;
    till.pass(60_000);
    let token = token(&till).await;
    let cases = [
        ("/logistics_type", json!(5)),
        ("/delivery_mode", json!(2)),
        ("/shipping_list", json!([])),
        ("/shipping_list/0/item_desc", json!("可".repeat(121))),
        ("/upload_time", json!("2025-06-01T12:00:30+08:00")),
        ("/payer/openid", json!("oSomebodyElse")),
        ("/order_key/order_number_type", json!(3)),
    ];
    for (pointer, value) in cases {
        let mut body = delivery(&till, "N00001", "可乐");
        *body.pointer_mut(pointer).unwrap() = value;
        assert_ne!(upload(&till, &token, &body).await, 0, "{pointer}");
    }
    let mut express = delivery(&till, "N00001", "可乐");
    express["logistics_type"] = json!(1);
    assert_ne!(upload(&till, &token, &express).await, 0);
    assert_eq!(till.trade("N00001").deliveries, 0);
}

#[tokio::test]
async fn system_trouble_hides_whether_it_was_delivered() {
    for executed in [false, true] {
        let till = Till::open().await;
        till.paid("N00001", 350).await;
        till.pass(60_000);
        let token = token(&till).await;
        let fault = Fault::Code { status: 200, code: "10060012".to_owned(), executed };
        till.control.set_weather(Weather::fair().with(fault.on(Operation::UploadShipping).times(1)));
        assert_eq!(upload(&till, &token, &delivery(&till, "N00001", "可乐")).await, 10_060_012);
        assert_eq!(till.trade("N00001").deliveries, usize::from(executed));
    }
}
