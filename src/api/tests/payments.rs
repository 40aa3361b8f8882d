//! What is known of a payment beside its amount: instalments, the channel's numbers, discounts, the receipt.

use std::sync::atomic::Ordering;

use payment::channel::Wallet;
use payment::channel::outcome::{Details, Discount, DiscountBy};
use payment::money::Fen;
use serde_json::Value;

use super::machine::Machine;

fn told() -> Details {
    let discount = |name: &str, by| Discount { name: name.to_owned(), amount: Fen::new(25), by };
    Details {
        wallet: Some(Wallet::UnionPay),
        request_no: Some("q-1".to_owned()),
        channel_no: Some("c-1".to_owned()),
        wallet_no: Some("w-1".to_owned()),
        buyer_paid: Some(Fen::new(300)),
        merchant_gets: Some(Fen::new(325)),
        discounts: vec![discount("满减", DiscountBy::Merchant), discount("红包", DiscountBy::Channel)],
        instalments: None,
    }
}

/// A machine whose channel tells a lot, and an order that was paid there.
pub async fn sold() -> (Machine, Value) {
    let machine = Machine::start().await;
    *machine.weather.tells.lock().unwrap() = told();
    machine.weather.pays.store(true, Ordering::SeqCst);
    let body =
        r#"{"amount":900,"currency":"CNY","items":[{"slot":"12"},{"slot":"12"},{"slot":"11"}],"reference":"shop-7"}"#;
    let id = machine.post("/v1/orders", body).await.json()["id"].as_str().unwrap().to_owned();
    let order = machine.until(&id, "completed").await;
    (machine, order)
}

#[tokio::test]
async fn what_the_channel_told_is_shown_and_each_of_the_five_numbers_finds_the_order() {
    let (machine, order) = sold().await;
    let attempt = &order["attempts"][0];
    for (field, value) in [("wallet", "union_pay"), ("request_no", "q-1"), ("channel_no", "c-1"), ("wallet_no", "w-1")]
    {
        assert_eq!(attempt[field], value, "{attempt}");
    }
    assert_eq!((&attempt["buyer_paid"], &attempt["merchant_gets"]), (&300.into(), &325.into()));
    assert_eq!((&attempt["discounts"][0]["by"], &attempt["discounts"][1]["amount"]), (&"merchant".into(), &25.into()));
    let number = attempt["number"].as_str().unwrap();
    for number in [number, "2026013122001", "q-1", "c-1", "w-1"] {
        assert_eq!(machine.get(&format!("/v1/orders/{number}")).await.json()["id"], order["id"], "by {number}");
        let listed = machine.get(&format!("/v1/orders?number={number}")).await.json();
        assert_eq!(listed["orders"][0]["id"], order["id"], "by {number}");
    }
}

#[tokio::test]
async fn a_receipt_says_all_that_a_printer_needs() {
    let (machine, order) = sold().await;
    let id = order["id"].as_str().unwrap();
    machine.post_with_key(&format!("/v1/orders/{id}/refunds"), "r", r#"{"amount":100}"#).await;
    machine.until(id, "refunded").await;
    let receipt = machine.get(&format!("/v1/orders/{id}/receipt")).await.json();
    let goods: Vec<(&str, u64)> = receipt["goods"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["name"].as_str().unwrap(), row["quantity"].as_u64().unwrap()))
        .collect();
    assert_eq!(goods, [("可口可乐", 2), ("农夫山泉", 1)]);
    assert_eq!(receipt["ordered_at"].as_str().unwrap().get(..14), Some("2026-01-31 08:"), "China's time: {receipt}");
    let payment = &receipt["payments"][0];
    assert_eq!((&payment["paid_by"], &payment["paid_at"]), (&"云闪付".into(), &"2026-01-31 08:00:05".into()));
    assert_eq!((&payment["amount"], &payment["buyer_paid"]), (&900.into(), &300.into()));
    let names: Vec<&str> =
        payment["numbers"].as_array().unwrap().iter().map(|known| known["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["商户订单号", "支付宝交易号", "请求渠道流水号", "渠道流水号", "后端渠道流水号"]);
    assert_eq!(
        (&receipt["paid"], &receipt["refunded"], &receipt["reference"]),
        (&900.into(), &100.into(), &"shop-7".into())
    );
    let refund = &receipt["refunds"][0];
    assert_eq!((&refund["state"], &refund["amount"]), (&"done".into(), &100.into()));
    assert!(refund["done_at"].as_str().unwrap().starts_with("2026-01-31 08:"), "{refund}");
}

#[tokio::test]
async fn there_is_no_receipt_for_what_was_not_paid() {
    let machine = Machine::start().await;
    let id = machine.order_of_slot_12().await;
    let refused = machine.get(&format!("/v1/orders/{id}/receipt")).await.is_problem(409, "not_paid");
    assert_eq!(refused["order"], id.as_str());
    machine.get("/v1/orders/nobody/receipt").await.is_problem(404, "no_such_order");
    let cash = machine.post_with_key("/v1/cash-sales", "k", r#"{"amount":350,"currency":"CNY"}"#).await.json();
    let receipt = machine.get(&format!("/v1/orders/{}/receipt", cash["id"].as_str().unwrap())).await.json();
    assert_eq!((&receipt["cash"], &receipt["payments"]), (&350.into(), &Value::Array(Vec::new())));
}

#[tokio::test]
async fn a_receipt_shows_no_refund_that_only_somebody_asks_for() {
    let machine = Machine::start_with_approval(Fen::ZERO).await;
    let id = machine.order_of_slot_12().await;
    machine.weather.pays.store(true, Ordering::SeqCst);
    machine.until(&id, "completed").await;
    machine.post_with_key(&format!("/v1/orders/{id}/refunds"), "r", r#"{"by":"Li"}"#).await;
    let receipt = machine.get(&format!("/v1/orders/{id}/receipt")).await.json();
    assert_eq!((&receipt["refunds"], &receipt["refunded"]), (&Value::Array(Vec::new()), &0.into()));
}

#[tokio::test]
async fn the_plans_for_an_amount_are_those_that_an_order_may_ask_for() {
    let machine = Machine::start_with_instalments().await;
    let plans = machine.get("/v1/instalments?amount=100000").await.json();
    let three = &plans["plans"][0];
    assert_eq!((&three["instalments"], &three["bearer"]), (&3.into(), &"buyer".into()));
    // The example of docs/instalments.md.
    let sums = ["first_month", "later_month", "repaid", "fee"].map(|field| three[field].as_i64().unwrap());
    assert_eq!(sums, [34_102, 34_099, 102_300, 2_300]);
    let small = machine.get("/v1/instalments?amount=9999").await.json();
    assert_eq!((&small["plans"], &small["minimum"]), (&Value::Array(Vec::new()), &10_000.into()));
    for query in ["", "?amount=0", "?amount=-1", "?amount=1.5", "?amount=10000000001", "?months=3"] {
        machine.get(&format!("/v1/instalments{query}")).await.is_problem(422, "invalid_query");
    }
    let without = Machine::start().await;
    without.get("/v1/instalments?amount=100000").await.is_problem(422, "no_instalments");
}

#[tokio::test]
async fn an_order_in_instalments_shows_its_plan_and_may_be_chosen_anew_until_it_is_paid() {
    let machine = Machine::start_with_instalments().await;
    let body = r#"{"amount":20000,"currency":"CNY","items":[{"name":"phone","price":30000}],"instalments":3,"down_payment":10000}"#;
    let order = machine.post("/v1/orders", body).await.json();
    let id = order["id"].as_str().expect("an order").to_owned();
    assert_eq!((&order["instalments"], &order["down_payment"]), (&3.into(), &10_000.into()));
    assert_eq!(order["attempts"][0]["instalment"]["periods"], 3, "{order}");

    let path = format!("/v1/orders/{id}/instalments");
    machine.post(&path, r#"{"instalments":5}"#).await.is_problem(422, "no_instalments");
    let six = machine.post(&path, r#"{"instalments":6}"#).await.json();
    let newest = |order: &Value| order["attempts"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(newest(&six)["instalment"]["periods"], 6, "{six}");
    let at_once = machine.post(&path, "").await.json();
    assert_eq!(newest(&at_once).get("instalment"), None, "{at_once}");

    machine.weather.pays.store(true, Ordering::SeqCst);
    machine.until(&id, "completed").await;
    let late = machine.post(&path, r#"{"instalments":3}"#).await.is_problem(409, "too_late_to_choose");
    assert_eq!(late["order"], id.as_str());
    let receipt = machine.get(&format!("/v1/orders/{id}/receipt")).await.json();
    assert_eq!((&receipt["amount"], &receipt["down_payment"]), (&20_000.into(), &10_000.into()));
    machine.post("/v1/orders/nobody/instalments", "").await.is_problem(404, "no_such_order");
}

#[tokio::test]
async fn an_order_shows_what_its_channel_wants_to_hear() {
    let machine = Machine::start_with_duties().await;
    let id = machine.order_of_slot_12().await;
    machine.weather.pays.store(true, Ordering::SeqCst);
    let order = machine.until(&id, "completed").await;
    let duty = &order["duties"][0];
    assert_eq!((&duty["kind"], &duty["state"]), (&"report_delivery".into(), &"done".into()), "{order}");
    assert_eq!((&duty["attempt"], duty.get("code")), (&order["attempts"][0]["number"], None));
}
