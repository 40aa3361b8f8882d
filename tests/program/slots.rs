//! A slot that jams is closed until a technician has been there, over restarts; and what is sold out is not sold.

use payment::engine::view::{ChooseTrouble, ProductView, View};
use payment::money::Fen;
use reqwest::Method;
use serde_json::{Value, json};

use crate::shop::{Shop, TEA, WATER};

/// Somebody buys from slot 11 by pay code.
async fn sell(shop: &Shop, ending: &str) {
    let order = shop.order("11", WATER, "merchant_scans").await;
    shop.scene.scan(&shop.wallet().pay_code()).unwrap();
    shop.order_until(&order, &[ending]).await;
    shop.until_free().await;
}

/// Why slot 11 is not sold from.
async fn refused(shop: &Shop) -> Value {
    let body = json!({"amount": WATER, "currency": "CNY", "items": [{"slot": "11"}]});
    let (status, problem) = shop.call(Method::POST, "/v1/orders", Some(body)).await;
    assert_eq!(status, 409, "{problem}");
    problem["code"].clone()
}

fn chosen(trouble: ChooseTrouble) -> View {
    let product = Some(ProductView { name: "Spring water".to_owned(), price: Fen::new(WATER) });
    View::Choose { typed: "11".to_owned(), product, trouble: Some(trouble) }
}

/// The buyer presses cancel. Until the machine has seen that, it would be meant for whatever comes next.
async fn gives_up(shop: &Shop) {
    shop.press(hal::Key::Cancel);
    shop.until_shown("the invitation", &View::Idle { codes_only: None }).await;
}

#[tokio::test]
async fn a_slot_that_jams_twice_is_locked_over_a_restart_until_a_technician_clears_it() {
    let mut shop = Shop::open().await;
    shop.scene.machine.jam("11");
    sell(&shop, "refunded").await;
    sell(&shop, "refunded").await;
    assert_eq!(refused(&shop).await, "slot_blocked");
    shop.daemon.kill().await.unwrap();
    shop.restart().await;
    assert_eq!(refused(&shop).await, "slot_blocked");
    shop.choose("11");
    shop.until_shown("a slot that does not sell", &chosen(ChooseTrouble::SlotBlocked)).await;
    assert!(shop.till(&["stock"]).await.contains("locked"));
    gives_up(&shop).await;

    shop.scene.machine.unjam("11");
    shop.till(&["faults", "clear", "slot-11"]).await;
    shop.daemon.kill().await.unwrap();
    shop.restart().await;
    sell(&shop, "completed").await;
    assert_eq!((shop.fallen(), shop.gateway().ledger().net_fen()), (1, WATER));
}

#[tokio::test]
async fn the_last_item_is_sold_and_then_nothing_before_somebody_fills_the_slot() {
    let mut shop = Shop::open().await;
    shop.till(&["stock", "set", "11", "1"]).await;
    sell(&shop, "completed").await;
    assert_eq!(refused(&shop).await, "sold_out");
    shop.daemon.kill().await.unwrap();
    shop.restart().await;
    shop.choose("11");
    shop.until_shown("a slot that is sold out", &chosen(ChooseTrouble::SoldOut)).await;
    gives_up(&shop).await;
    let body = json!({"amount": TEA, "currency": "CNY", "items": [{"slot": "12"}], "who_scans": "merchant_scans"});
    let (_, tea) = shop.call(Method::POST, "/v1/orders", Some(body)).await;
    shop.scene.scan(&shop.wallet().pay_code()).unwrap();
    shop.order_until(tea["id"].as_str().unwrap(), &["completed"]).await;
    shop.until_free().await;

    shop.till(&["stock", "set", "11", "5"]).await;
    sell(&shop, "completed").await;
    assert!(!shop.till(&["stock"]).await.contains("sold out"));
    assert_eq!(shop.get("/v1/slots").await["slots"][0]["stock"], 4);
    assert_eq!((shop.fallen(), shop.gateway().ledger().net_fen()), (3, 2 * WATER + TEA));
}
