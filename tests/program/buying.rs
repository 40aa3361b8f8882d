//! Both payment flows end to end, and either at once.

use serde_json::json;

use crate::shop::{Shop, TEA, WATER, within};

#[tokio::test]
async fn a_buyer_scans_the_screen_and_the_item_drops() {
    let shop = Shop::open().await;
    shop.choose("11");
    let picture = shop.code_on_screen().await;
    let asked = shop.wallet().scan_picture(&picture).unwrap();
    assert_eq!(asked.amount_fen, WATER);
    shop.wallet().confirm(&asked.id).unwrap();

    shop.machine_until("the item", |machine| machine.drops == 1).await;
    let order = shop.order_until(&shop.newest_order().await, &["completed"]).await;
    assert_eq!(order["amount"], WATER);
    assert_eq!(shop.gateway().ledger().net_fen(), WATER);
    assert_eq!(shop.scene.machine.state().motor_starts(), 1);
}

#[tokio::test]
async fn a_pay_code_held_to_the_scanner_pays_and_the_item_drops() {
    let shop = Shop::open().await;
    let order = shop.order("12", TEA, "merchant_scans").await;
    let code = shop.wallet().pay_code();
    shop.scene.scan(&code).unwrap();

    let order = shop.order_until(&order, &["completed"]).await;
    assert_eq!(order["attempts"][0]["method"], "take_code");
    assert_eq!(shop.fallen(), 1);
    assert_eq!(shop.gateway().ledger().net_fen(), TEA);
}

#[tokio::test]
async fn a_buyer_who_has_to_confirm_on_the_phone_is_waited_for() {
    use sandbox::Fault;

    let shop = Shop::open().await;
    shop.gateway().add_weather(Fault::BuyerConfirms.times(1));
    let order = shop.order("12", TEA, "merchant_scans").await;
    shop.scene.scan(&shop.wallet().pay_code()).unwrap();

    shop.order_until(&order, &["confirming"]).await;
    assert_eq!(shop.fallen(), 0, "goods before the payment was confirmed");
    let request = within("the request on the phone", async {
        let mut changes = shop.gateway().changes();
        loop {
            if let Some(request) = shop.wallet().requests().pop() {
                return request;
            }
            changes.next().await;
        }
    })
    .await;
    shop.wallet().confirm(&request.id).unwrap();
    shop.order_until(&order, &["completed"]).await;
    assert_eq!(shop.fallen(), 1);
}

#[tokio::test]
async fn either_may_scan_and_the_first_to_pay_closes_the_other() {
    let shop = Shop::open().await;
    let order = shop.order("11", WATER, "either").await;
    let picture = shop.code_on_screen().await;
    let asked = shop.wallet().scan_picture(&picture).unwrap();
    shop.scene.scan(&shop.wallet().pay_code()).unwrap();

    let paid = shop.order_until(&order, &["completed"]).await;
    let attempts = paid["attempts"].as_array().unwrap();
    let state = |method| attempts.iter().find(|attempt| attempt["method"] == method).unwrap()["state"].clone();
    assert_eq!(state("take_code"), json!("paid"));
    // Closed at the channel, and watched until its code is dead.
    assert_eq!(state("show_code"), json!("reversing"));
    assert!(shop.wallet().confirm(&asked.id).is_err(), "the closed code could still be paid");
    assert_eq!(shop.gateway().ledger().net_fen(), WATER);
    assert_eq!(shop.fallen(), 1);
}

#[tokio::test]
async fn two_items_are_delivered_one_after_the_other() {
    let shop = Shop::open().await;
    let body = json!({"amount": WATER + TEA, "currency": "CNY", "items": [{"slot": "11"}, {"slot": "12"}], "who_scans": "buyer_scans"});
    let (status, order) = shop.call(reqwest::Method::POST, "/v1/orders", Some(body)).await;
    assert_eq!(status, 201, "{order}");
    let asked = shop.wallet().scan_picture(&shop.code_on_screen().await).unwrap();
    shop.wallet().confirm(&asked.id).unwrap();
    shop.order_until(order["id"].as_str().unwrap(), &["completed"]).await;
    assert_eq!(shop.fallen(), 2);
    assert_eq!(shop.gateway().ledger().net_fen(), WATER + TEA);
}

#[tokio::test]
async fn the_same_sale_works_in_certificate_mode() {
    let shop = Shop::open_with(|options| options.certificates = true, None).await;
    shop.choose("11");
    let asked = shop.wallet().scan_picture(&shop.code_on_screen().await).unwrap();
    shop.wallet().confirm(&asked.id).unwrap();
    shop.machine_until("the item", |machine| machine.drops == 1).await;
}
