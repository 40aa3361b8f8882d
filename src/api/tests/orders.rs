//! Orders from the first request to the last refund.

use std::sync::atomic::Ordering;

use payment::engine::entry::{IdempotencyKey, Origin, WhoScans};
use payment::engine::input::{Input, NewOrder};
use payment::money::Fen;

use super::machine::Machine;

#[tokio::test]
async fn an_order_is_opened_paid_delivered_and_found_by_every_number() {
    let machine = Machine::start().await;
    let body = r#"{"amount":350,"currency":"CNY","items":[{"slot":"12"}],"reference":"shop-7","pay_within_s":60}"#;
    let made = machine.post("/v1/orders", body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let order = made.json();
    let id = order["id"].as_str().unwrap().to_owned();
    assert_eq!(made.header("location"), Some(format!("/v1/orders/{id}")));
    assert_eq!(order["state"], "waiting");
    assert_eq!(order["items"][0]["name"], "可口可乐");
    assert_eq!(order["items"][0]["code"], "cola-330");

    machine.weather.pays.store(true, Ordering::SeqCst);
    let done = machine.until(&id, "completed").await;
    assert_eq!((&done["paid"], &done["ending"], &done["open"]), (&350.into(), &"delivered".into(), &false.into()));
    assert_eq!(done["items"][0]["delivery"], "delivered");

    let attempt = done["attempts"][0]["number"].as_str().unwrap();
    for number in [id.as_str(), attempt, "shop-7", "2026013122001"] {
        let found = machine.get(&format!("/v1/orders/{number}")).await;
        assert_eq!(found.json()["id"], id.as_str(), "by {number}");
        let listed = machine.get(&format!("/v1/orders?number={number}")).await;
        assert_eq!(listed.json()["orders"][0]["id"], id.as_str(), "by {number}");
    }
}

#[tokio::test]
async fn the_same_key_and_body_open_one_order() {
    let machine = Machine::start().await;
    let body = r#"{"amount":100,"currency":"CNY"}"#;
    let first = machine.post_with_key("/v1/orders", "k-1", body).await;
    let second = machine.post_with_key("/v1/orders", "k-1", body).await;
    assert_eq!((first.status, second.status), (201, 200));
    assert_eq!(first.json()["id"], second.json()["id"]);
    let other = machine.post_with_key("/v1/orders", "k-1", r#"{"amount":101,"currency":"CNY"}"#).await;
    other.is_problem(422, "key_reused");
    assert_eq!(machine.get("/v1/orders").await.json()["orders"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_request_that_its_caller_gave_up_is_found_by_the_same_key() {
    let machine = Machine::start().await;
    let key = IdempotencyKey { key: "k-1".into(), body_sha256: "ab".repeat(32) };
    let wanted = NewOrder {
        origin: Origin::Api,
        amount: Fen::new(100),
        items: Vec::new(),
        subject: Some("by hand".into()),
        who_scans: WhoScans::Either,
        pay_within_ms: None,
        down_payment: Fen::ZERO,
        periods: None,
        reference: None,
        idempotency: Some(key),
    };
    tokio::select! {
        biased;
        _ = machine.terminal.act(Input::Open(Box::new(wanted.clone()))) => panic!("the loop had no turn yet"),
        () = std::future::ready(()) => {}
    }
    let (order, is_new) = machine.terminal.open(wanted).await.unwrap();
    assert!(!is_new, "a second order was opened beside {}", order.order);
}

#[tokio::test]
async fn a_refund_by_number_is_of_the_order_that_has_it_and_not_of_one_that_refers_to_it() {
    let machine = Machine::start().await;
    machine.weather.pays.store(true, Ordering::SeqCst);
    let id = machine.order_of_slot_12().await;
    machine.until(&id, "completed").await;
    let body = format!(r#"{{"amount":100,"currency":"CNY","reference":"{id}"}}"#);
    let other = machine.post("/v1/orders", &body).await.json()["id"].as_str().unwrap().to_owned();
    machine.until(&other, "completed").await;
    let refund = machine.post_with_key(&format!("/v1/orders/{id}/refunds"), "r-1", "").await;
    assert_eq!((refund.status, &refund.json()["order"]), (201, &id.as_str().into()), "{}", refund.text());
    assert_eq!(refund.json()["amount"], 350);
}

#[tokio::test]
async fn a_cancelled_order_stays_cancelled_and_cancelling_again_is_harmless() {
    let machine = Machine::start().await;
    let id = machine.order_of_slot_12().await;
    let path = format!("/v1/orders/{id}/cancel");
    let cancelled = machine.post(&path, "{}").await;
    assert!([200, 202].contains(&cancelled.status), "{}", cancelled.text());
    assert_eq!(cancelled.json()["cancelled_by"], "api");
    let again = machine.send("POST", &path).await;
    assert!([200, 202].contains(&again.status), "{}", again.text());
}

#[tokio::test]
async fn a_paid_order_is_not_cancelled_but_refunded_once_per_key() {
    let machine = Machine::start().await;
    let id = machine.order_of_slot_12().await;
    machine.weather.pays.store(true, Ordering::SeqCst);
    machine.until(&id, "completed").await;
    let refused = machine.post(&format!("/v1/orders/{id}/cancel"), "{}").await.is_problem(409, "already_paid");
    assert_eq!(refused["order"], id.as_str());
    assert_eq!(refused["instance"], format!("/v1/orders/{id}"));

    let refunds = format!("/v1/orders/{id}/refunds");
    let part = machine.post_with_key(&refunds, "r-1", r#"{"amount":100}"#).await;
    let repeated = machine.post_with_key(&refunds, "r-1", r#"{"amount":100}"#).await;
    assert_eq!((part.status, repeated.status), (201, 200), "{} {}", part.text(), repeated.text());
    assert_eq!(part.json()["number"], repeated.json()["number"]);
    assert_eq!(part.json()["order"], id.as_str());
    machine.until(&id, "refunded").await;

    machine.post_with_key(&refunds, "r-2", r#"{"amount":251}"#).await.is_problem(422, "refund_too_large");
    machine.post_with_key(&refunds, "r-1", r#"{"amount":99}"#).await.is_problem(422, "key_reused");
    let rest = machine.post_with_key(&refunds, "r-3", "").await;
    assert_eq!((rest.status, &rest.json()["amount"]), (201, &250.into()), "{}", rest.text());
}

#[tokio::test]
async fn a_jam_is_refunded_and_what_the_channel_refuses_is_shown_as_owed() {
    let machine = Machine::start().await;
    machine.weather.jams.store(true, Ordering::SeqCst);
    machine.weather.refuses_refunds.store(true, Ordering::SeqCst);
    let id = machine.order_of_slot_12().await;
    machine.weather.pays.store(true, Ordering::SeqCst);
    let owed = machine.until(&id, "owed").await;
    assert_eq!(owed["items"][0]["delivery"], "not_delivered");
    assert_eq!(owed["refunds"][0]["state"], "owed");
    assert_eq!(owed["refunds"][0]["code"], "ACQ.SELLER_BALANCE_NOT_ENOUGH");
    assert_eq!(owed["refunded"], 0);
}

#[tokio::test]
async fn a_code_from_the_callers_scanner_pays_the_order_and_is_nowhere_to_be_read() {
    let machine = Machine::start().await;
    let body = r#"{"amount":350,"currency":"CNY","items":[{"slot":"12"}],"who_scans":"merchant_scans"}"#;
    let id = machine.post("/v1/orders", body).await.json()["id"].as_str().expect("an order").to_owned();
    let code = "285000000000000017";
    let scan = |order: &str, code: &str| format!(r#"{{"order":"{order}","code":"{code}"}}"#);
    let taken = machine.post("/v1/scans", &scan(&id, code)).await;
    assert_eq!(taken.status, 202, "{}", taken.text());
    machine.until(&id, "completed").await;
    machine.post("/v1/scans", &scan(&id, "285000000000000018")).await.is_problem(409, "not_waiting");
    machine.post("/v1/scans", &scan("nobody", code)).await.is_problem(404, "no_such_order");
    let unquoted = machine.post("/v1/scans", &format!(r#"{{"order":"{id}","code":{code}}}"#)).await;
    assert_eq!(unquoted.is_problem(422, "invalid_field")["field"], "code");
    assert!(!unquoted.text().contains(code), "{}", unquoted.text());
    assert!(!machine.get(&format!("/v1/orders/{id}")).await.text().contains(code));
}

#[tokio::test]
async fn pages_of_orders_follow_each_other_without_a_gap() {
    let machine = Machine::start().await;
    machine.weather.pays.store(true, Ordering::SeqCst);
    let mut made = Vec::new();
    for amount in [100, 200, 300] {
        let order = machine.post("/v1/orders", &format!(r#"{{"amount":{amount},"currency":"CNY"}}"#)).await.json();
        let id = order["id"].as_str().expect("an order").to_owned();
        machine.until(&id, "completed").await;
        made.push(id);
    }
    made.reverse();
    let first = machine.get("/v1/orders?limit=2&state=completed").await.json();
    let cursor = first["next_cursor"].as_str().expect("another page");
    let second = machine.get(&format!("/v1/orders?limit=2&state=completed&cursor={cursor}")).await.json();
    assert_eq!(second.get("next_cursor"), None);
    let pages = [&first, &second].into_iter().flat_map(|page| page["orders"].as_array().unwrap());
    let listed: Vec<&str> = pages.map(|order| order["id"].as_str().unwrap()).collect();
    assert_eq!(listed, made);
    let count = |page: serde_json::Value| page["orders"].as_array().unwrap().len();
    assert_eq!(count(machine.get("/v1/orders?from=2026-01-31T08:00:00+08:00").await.json()), 3);
    assert_eq!(count(machine.get("/v1/orders?to=2026-01-31T00:00:00Z").await.json()), 0);
    assert_eq!(count(machine.get("/v1/orders?from=1769817600000&limit=1").await.json()), 1);
}
