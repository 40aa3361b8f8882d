//! What happens to the money when the goods do not come, and who can give it back.

use reqwest::Method;
use serde_json::json;

use crate::shop::{Shop, TEA, WATER};

#[tokio::test]
async fn a_jam_returns_the_money_by_itself() {
    let shop = Shop::open().await;
    shop.scene.machine.jam("11");
    shop.choose("11");
    let asked = shop.wallet().scan_picture(&shop.code_on_screen().await).unwrap();
    shop.wallet().confirm(&asked.id).unwrap();
    shop.ledger_until("the refund", |ledger| ledger.refunded_fen() == WATER).await;
    let order = shop.order_until(&shop.newest_order().await, &["refunded"]).await;
    assert_eq!(order["refunds"][0]["reason"], "undelivered");
    assert_eq!(shop.fallen(), 0);
}

#[tokio::test]
async fn only_what_jammed_is_returned() {
    let shop = Shop::open().await;
    shop.scene.machine.jam("12");
    let body = json!({"amount": WATER + TEA, "currency": "CNY", "items": [{"slot": "11"}, {"slot": "12"}], "who_scans": "buyer_scans"});
    let (_, order) = shop.call(Method::POST, "/v1/orders", Some(body)).await;
    let asked = shop.wallet().scan_picture(&shop.code_on_screen().await).unwrap();
    shop.wallet().confirm(&asked.id).unwrap();
    shop.order_until(order["id"].as_str().unwrap(), &["refunded"]).await;
    assert_eq!(shop.fallen(), 1);
    assert_eq!(shop.gateway().ledger().net_fen(), WATER);
}

#[tokio::test]
async fn an_operator_returns_part_and_then_the_rest_and_never_more() {
    let shop = Shop::open().await;
    let order = shop.order("11", WATER, "merchant_scans").await;
    shop.scene.scan(&shop.wallet().pay_code()).unwrap();
    shop.order_until(&order, &["completed"]).await;

    let path = format!("/v1/orders/{order}/refunds");
    let (status, first) = shop.call_with_key(Method::POST, &path, Some(json!({"amount": 100})), Some("r1")).await;
    assert_eq!(status, 201, "{first}");
    shop.ledger_until("the first refund", |ledger| ledger.refunded_fen() == 100).await;
    shop.order_until(&order, &["refunded"]).await;
    let (status, again) = shop.call_with_key(Method::POST, &path, Some(json!({"amount": 100})), Some("r1")).await;
    assert_eq!(status, 200, "{again}");
    let (status, too_much) =
        shop.call_with_key(Method::POST, &path, Some(json!({"amount": WATER - 99})), Some("r2")).await;
    assert_eq!(status, 422, "{too_much}");
    let (status, rest) = shop.call_with_key(Method::POST, &path, Some(json!({})), Some("r3")).await;
    assert_eq!(status, 201, "{rest}");
    shop.ledger_until("the rest", |ledger| ledger.net_fen() == 0).await;
}

#[tokio::test]
async fn the_cancel_key_ends_the_order_and_nothing_is_charged() {
    let shop = Shop::open().await;
    shop.choose("11");
    let picture = shop.code_on_screen().await;
    let order = shop.newest_order().await;
    shop.press(hal::Key::Cancel);
    shop.order_until(&order, &["cancelling", "cancelled"]).await;
    shop.machine_until("a picture without the code", |_| !shop.shows_code()).await;
    let late = shop.wallet().scan_picture(&picture);
    if let Ok(asked) = late {
        // A code that nobody had scanned cannot be killed at the channel: a late payment comes back by itself.
        shop.wallet().confirm(&asked.id).unwrap();
        shop.ledger_until("the late payment's refund", |ledger| ledger.refunded_fen() == WATER).await;
        shop.order_until(&order, &["refunded"]).await;
    }
    assert_eq!(shop.gateway().ledger().net_fen(), 0);
    assert_eq!(shop.fallen(), 0);
}

#[tokio::test]
async fn an_order_of_a_counter_without_goods_is_complete_when_it_is_paid() {
    let shop = Shop::open().await;
    let body = json!({"amount": 1234, "currency": "CNY", "who_scans": "merchant_scans", "reference": "POS-7-0001"});
    let (status, order) = shop.call(Method::POST, "/v1/orders", Some(body)).await;
    assert_eq!(status, 201, "{order}");
    let id = order["id"].as_str().unwrap();
    let (status, taken) =
        shop.call(Method::POST, "/v1/scans", Some(json!({"order": id, "code": shop.wallet().pay_code()}))).await;
    assert!(matches!(status, 200..=202), "{taken}");
    shop.order_until(id, &["completed"]).await;
    assert_eq!(shop.get("/v1/orders/POS-7-0001").await["id"], id);
    assert_eq!(shop.gateway().ledger().net_fen(), 1234);
}
