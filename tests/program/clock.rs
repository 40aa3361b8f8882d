//! A machine whose clock is wrong: what counts is the time by which the channel judges, so here the channel's moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use reqwest::Method;
use sandbox::Clock;
use serde_json::json;

use crate::shop::{PROGRAM, Shop, WATER};

const HOUR_MS: i64 = 3_600_000;
/// A little more, so that what is cut to the second still has three hours.
const THREE_HOURS_MS: i64 = 3 * HOUR_MS + 60_000;

/// A gateway whose clock is so far ahead of ours.
async fn shop_behind(ahead_ms: &Arc<AtomicI64>) -> Shop {
    let ahead_ms = Arc::clone(ahead_ms);
    let ours = Clock::system();
    Shop::open_with(
        |options| options.gateway.clock = Clock::new(move || ours.now() + ahead_ms.load(Ordering::SeqCst)),
        None,
    )
    .await
}

async fn status_in_words(shop: &Shop) -> (Option<i32>, String) {
    let status = tokio::process::Command::new(PROGRAM)
        .args(["status", "--socket"])
        .arg(&shop.scene.socket_path)
        .output()
        .await
        .unwrap();
    (status.status.code(), String::from_utf8(status.stdout).unwrap())
}

#[tokio::test]
async fn with_a_wrong_clock_nothing_is_signed_and_nothing_sold_until_it_is_right() {
    let ahead_ms = Arc::new(AtomicI64::new(THREE_HOURS_MS));
    let shop = shop_behind(&ahead_ms).await;
    shop.fault_until("clock", true).await;
    // A kernel that claims a good clock is believed until the channel contradicts it, which takes one call.
    let believed = hal::clock::is_synchronised() || hal::clock::clock_chip().is_some();
    let signed = shop.gateway().calls().len();
    assert!(signed == 0 || believed, "{:?}", shop.gateway().calls());

    let terminal = shop.get("/v1/terminal").await;
    assert_eq!(terminal["blocking"]["name"], "clock");
    assert_eq!(terminal["clock"]["trusted"], false);
    assert_eq!(terminal["clock"]["why"], "the clock is 3 h behind alipay's answers");
    let body = json!({"amount": WATER, "currency": "CNY", "items": [{"slot": "11"}]});
    let (code, refused) = shop.call(Method::POST, "/v1/orders", Some(body)).await;
    assert_eq!(code, 503, "{refused}");
    let (code, said) = status_in_words(&shop).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("not trusted: the clock is 3 h behind alipay's answers"), "{said}");
    assert_eq!(shop.gateway().calls().len(), signed, "a signed request left");

    ahead_ms.store(0, Ordering::SeqCst);
    shop.fault_until("clock", false).await;
    assert!(shop.get("/v1/terminal").await["clock"]["why"].as_str().unwrap().contains("confirmed by"));
    shop.choose("11");
    shop.code_on_screen().await;
}

#[tokio::test]
async fn a_clock_that_turns_out_wrong_in_the_middle_of_a_sale_takes_the_code_away() {
    let ahead_ms = Arc::new(AtomicI64::new(0));
    let shop = shop_behind(&ahead_ms).await;
    shop.choose("11");
    shop.code_on_screen().await;
    ahead_ms.store(-THREE_HOURS_MS, Ordering::SeqCst);
    shop.fault_until("clock", true).await;
    shop.until_no_code_is_shown().await;
    assert_eq!(shop.get("/v1/terminal").await["clock"]["why"], "the clock is 3 h ahead of alipay's answers");
    ahead_ms.store(0, Ordering::SeqCst);
    shop.fault_until("clock", false).await;
    shop.until_free().await;
    let order = shop.order("12", crate::shop::TEA, "merchant_scans").await;
    shop.scene.scan(&shop.wallet().pay_code()).unwrap();
    shop.order_until(&order, &["completed"]).await;
    assert_eq!(shop.gateway().ledger().net_fen(), crate::shop::TEA);
}
