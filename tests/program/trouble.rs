//! Bad weather: at the channel, on the disk, at the devices.

use reqwest::Method;
use sandbox::{Fault, Weather};
use serde_json::json;

use crate::shop::{Shop, WATER};

#[tokio::test]
async fn a_lost_reply_charges_once() {
    let shop = Shop::open().await;
    shop.gateway().add_weather(Fault::DropReply.on(sandbox::Method::Pay).times(1));
    let order = shop.order("11", WATER, "merchant_scans").await;
    shop.scene.scan(&shop.wallet().pay_code()).unwrap();
    shop.order_until(&order, &["completed"]).await;
    assert_eq!(shop.gateway().ledger().charged_fen(), WATER);
    assert_eq!(shop.fallen(), 1);
}

#[tokio::test]
async fn an_answer_that_cannot_be_verified_is_asked_again_and_never_believed() {
    let shop = Shop::open().await;
    shop.gateway().add_weather(Fault::BadSignature.on(sandbox::Method::Pay).times(1));
    let order = shop.order("11", WATER, "merchant_scans").await;
    shop.scene.scan(&shop.wallet().pay_code()).unwrap();
    let done = shop.order_until(&order, &["completed"]).await;
    assert_eq!(done["attempts"].as_array().unwrap().len(), 1);
    assert_eq!(shop.gateway().ledger().charged_fen(), WATER);
}

#[tokio::test]
async fn a_service_unavailable_in_gbk_is_a_doubt_and_no_refusal() {
    let shop = Shop::open().await;
    shop.gateway().add_weather(Fault::Unavailable { executed: true }.on(sandbox::Method::Pay).times(1));
    let order = shop.order("11", WATER, "merchant_scans").await;
    shop.scene.scan(&shop.wallet().pay_code()).unwrap();
    shop.order_until(&order, &["completed"]).await;
    assert_eq!(shop.gateway().ledger().charged_fen(), WATER);
}

#[tokio::test]
async fn without_the_network_the_machine_stops_selling_and_comes_back_by_itself() {
    let shop = Shop::open().await;
    shop.gateway().set_weather(Weather::network_down());
    shop.choose("11");
    shop.order_until(&shop.newest_order().await, &["failed", "cancelled"]).await;
    let (status, refused) = loop {
        let body = json!({"amount": WATER, "currency": "CNY", "items": [{"slot": "11"}]});
        let answer = shop.call(Method::POST, "/v1/orders", Some(body)).await;
        if answer.0 != 201 && answer.0 != 409 {
            break answer;
        }
        if let Some(id) = answer.1["id"].as_str() {
            shop.order_until(id, &["failed", "cancelled"]).await;
        }
    };
    assert_eq!(status, 503, "{refused}");
    shop.gateway().set_weather(Weather::fair());
    let mut answer = (503, json!(null));
    while answer.0 == 503 || answer.0 == 409 {
        let body = json!({"amount": WATER, "currency": "CNY", "items": [{"slot": "11"}]});
        answer = shop.call(Method::POST, "/v1/orders", Some(body)).await;
    }
    assert_eq!(answer.0, 201, "{}", answer.1);
    shop.code_on_screen().await;
}

#[tokio::test]
async fn a_refund_whose_reply_is_lost_moves_the_money_once() {
    let shop = Shop::open().await;
    shop.scene.machine.jam("11");
    shop.gateway().add_weather(Fault::DropReply.on(sandbox::Method::Refund).times(1));
    shop.choose("11");
    let asked = shop.wallet().scan_picture(&shop.code_on_screen().await).unwrap();
    shop.wallet().confirm(&asked.id).unwrap();
    shop.order_until(&shop.newest_order().await, &["refunded"]).await;
    assert_eq!(shop.gateway().ledger().refunded_fen(), WATER);
}

#[tokio::test]
async fn a_scanner_that_is_unplugged_and_plugged_in_again_reads_again() {
    let shop = Shop::open().await;
    shop.scene.unplug_scanner();
    shop.fault_until("scanner", true).await;
    shop.scene.replug_scanner().unwrap();
    shop.fault_until("scanner", false).await;
    let order = shop.order("11", WATER, "merchant_scans").await;
    shop.scene.scan(&shop.wallet().pay_code()).unwrap();
    shop.order_until(&order, &["completed"]).await;
}

#[tokio::test]
async fn two_daemons_do_not_share_a_journal() {
    let shop = Shop::open().await;
    let output = tokio::process::Command::new(crate::shop::PROGRAM)
        .args(["run", "--config"])
        .arg(&shop.scene.config_path)
        .arg("--board")
        .arg(&shop.scene.board_path)
        .env("RUNTIME_DIRECTORY", &shop.scene.dir)
        .env("STATE_DIRECTORY", &shop.scene.dir)
        .output()
        .await
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("journal"), "{said}");
    shop.choose("11");
    shop.code_on_screen().await;
}
