//! What happens to the money when the goods do not come, and who can give it back.

use reqwest::Method;
use sandbox::Fault;
use serde_json::json;
use till::demo::scene::SceneOptions;

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
async fn a_payment_that_wins_the_race_against_the_cancel_key_gets_its_goods() {
    let shop = Shop::open().await;
    shop.choose("11");
    let asked = shop.wallet().scan_picture(&shop.code_on_screen().await).unwrap();
    shop.gateway().add_weather(Fault::SlowRequest(1_000).on(sandbox::Method::Close));
    shop.press(hal::Key::Cancel);
    shop.order_until(&shop.newest_order().await, &["cancelling"]).await;
    shop.wallet().confirm(&asked.id).unwrap();
    shop.order_until(&shop.newest_order().await, &["completed"]).await;
    assert_eq!(shop.fallen(), 1);
    assert_eq!(shop.gateway().ledger().net_fen(), WATER);
}

#[tokio::test]
async fn a_payment_after_the_buyer_has_left_comes_back() {
    let shop = Shop::open_with(|options| options.extra_config = "[pace]\nrelease_ms = 50\n".to_owned(), None).await;
    shop.choose("11");
    let picture = shop.code_on_screen().await;
    let order = shop.newest_order().await;
    shop.press(hal::Key::Cancel);
    shop.until_free().await;
    shop.until_no_code_is_shown().await;
    // Nobody had scanned the code, so no call could kill it: the phone may still pay it.
    let asked = shop.wallet().scan_picture(&picture).unwrap();
    shop.wallet().confirm(&asked.id).unwrap();
    shop.ledger_until("the late payment's refund", |ledger| ledger.refunded_fen() == WATER).await;
    let order = shop.order_until(&order, &["refunded"]).await;
    assert_eq!(order["refunds"][0]["reason"], "late");
    assert_eq!(shop.fallen(), 0);
}

#[tokio::test]
async fn a_payment_that_lands_after_its_trade_was_closed_comes_back() {
    let quick = |options: &mut SceneOptions| {
        options.pay_within_s = 1;
        options.extra_config = "[pace]\nconfirm_grace_ms = 100\nrelease_ms = 50\n".to_owned();
    };
    let shop = Shop::open_with(quick, None).await;
    shop.choose("11");
    let asked = shop.wallet().scan_picture(&shop.code_on_screen().await).unwrap();
    shop.gateway().add_weather(Fault::PaysLate { ms: 4_000, despite_close: true });
    shop.wallet().confirm(&asked.id).unwrap();
    shop.ledger_until("the late payment", |ledger| ledger.charged_fen() == WATER).await;
    shop.ledger_until("its refund", |ledger| ledger.refunded_fen() == WATER).await;
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
