//! Refunds through two pairs of hands, and what of them can be seen.

use std::sync::atomic::Ordering;

use payment::money::Fen;
use serde_json::Value;

use super::machine::Machine;

/// A machine where refunds above one yuan need a second person, and an order of 3.50 that is paid and delivered.
async fn sold() -> (Machine, String) {
    let machine = Machine::start_with_approval(Fen::new(100)).await;
    let id = another(&machine).await;
    (machine, id)
}

async fn another(machine: &Machine) -> String {
    let id = machine.order_of_slot_12().await;
    machine.weather.pays.store(true, Ordering::SeqCst);
    machine.until(&id, "completed").await;
    id
}

async fn asked(machine: &Machine, id: &str, key: &str) -> Value {
    let body = r#"{"amount":350,"by":"Li","why":"spoilt"}"#;
    let asked = machine.post_with_key(&format!("/v1/orders/{id}/refunds"), key, body).await;
    assert_eq!(asked.status, 201, "{}", asked.text());
    asked.json()
}

fn decision(refund: &Value) -> String {
    let text = |field: &str| refund[field].as_str().unwrap().to_owned();
    format!("/v1/orders/{}/refunds/{}/decision", text("order"), text("number"))
}

async fn waiting(machine: &Machine) -> Vec<String> {
    let page = machine.get("/v1/refunds?state=asked").await.json();
    let refunds = page["refunds"].as_array().unwrap();
    refunds.iter().map(|refund| refund["number"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_refund_above_the_limit_waits_and_nothing_is_sent_until_another_person_approves() {
    let (machine, id) = sold().await;
    let refund = asked(&machine, &id, "r-1").await;
    assert_eq!(
        (&refund["state"], &refund["asked_by"], &refund["why"]),
        (&"asked".into(), &"Li".into(), &"spoilt".into())
    );
    assert!(refund["asked_at"].as_str().unwrap().starts_with("2026-01-31T00:00:"), "{refund}");
    let order = machine.get(&format!("/v1/orders/{id}")).await.json();
    assert_eq!((&order["state"], &order["refunded"]), (&"completed".into(), &0.into()), "{order}");

    let path = decision(&refund);
    machine.post(&path, r#"{"approved":true,"by":" Li "}"#).await.is_problem(409, "same_person");
    let approval = r#"{"approved":true,"by":"Wang","why":"seen it"}"#;
    let approved = machine.post(&path, approval).await;
    assert_eq!(approved.status, 200, "{}", approved.text());
    let order = machine.until(&id, "refunded").await;
    let done = &order["refunds"][0];
    assert_eq!(order["refunded"], 350);
    for (field, value) in [("state", "done"), ("asked_by", "Li"), ("decided_by", "Wang"), ("decided_why", "seen it")] {
        assert_eq!(done[field], value, "{done}");
    }
    assert_eq!(done["asked_at"], refund["asked_at"], "approving does not change when it was asked for");
    assert!(done["decided_at"].is_string());
    assert_eq!((&refund["started_at"], &refund["done_at"]), (&Value::Null, &Value::Null), "nothing was sent");
    assert!(done["started_at"].is_string() && done["done_at"].is_string(), "{done}");
}

#[tokio::test]
async fn a_refund_without_a_name_says_when_it_was_asked_for_when_it_left_and_when_the_money_was_back() {
    let (machine, id) = sold().await;
    machine.post_with_key(&format!("/v1/orders/{id}/refunds"), "r-1", r#"{"amount":1}"#).await;
    let order = machine.until(&id, "refunded").await;
    let refund = &order["refunds"][0];
    for time in ["asked_at", "started_at", "done_at"] {
        assert!(refund[time].as_str().is_some_and(|at| at.starts_with("2026-01-31T00:0")), "{time}: {refund}");
    }
}

#[tokio::test]
async fn a_decision_counts_once_however_often_it_is_sent() {
    let (machine, id) = sold().await;
    let path = decision(&asked(&machine, &id, "r-1").await);
    let decline = r#"{"approved":false,"by":"Wang","why":"was eaten"}"#;
    let first = machine.post(&path, decline).await;
    let again = machine.post(&path, decline).await;
    assert_eq!((first.status, again.status), (200, 200), "{} {}", first.text(), again.text());
    assert_eq!(first.json(), again.json());
    assert_eq!(first.json()["state"], "declined");
    machine.post(&path, r#"{"approved":true,"by":"Wang"}"#).await.is_problem(409, "not_asked");
    machine.post(&path, r#"{"approved":false,"by":"Zhao","why":"was eaten"}"#).await.is_problem(409, "not_asked");
    let order = machine.get(&format!("/v1/orders/{id}")).await.json();
    assert_eq!((&order["refunded"], &order["state"], &order["open"]), (&0.into(), &"completed".into(), &false.into()));
    asked(&machine, &id, "r-2").await;
}

#[tokio::test]
async fn two_equal_decisions_at_once_are_one() {
    let (machine, id) = sold().await;
    let path = decision(&asked(&machine, &id, "r-1").await);
    let approval = r#"{"approved":true,"by":"Wang"}"#;
    let (one, other) = tokio::join!(machine.post(&path, approval), machine.post(&path, approval));
    assert_eq!((one.status, other.status), (200, 200), "{} {}", one.text(), other.text());
    let order = machine.until(&id, "refunded").await;
    assert_eq!((&order["refunded"], order["refunds"].as_array().unwrap().len()), (&350.into(), 1));
}

#[tokio::test]
async fn a_refund_that_was_asked_for_is_found_by_its_number_and_by_its_key() {
    let (machine, id) = sold().await;
    let refund = asked(&machine, &id, "r-1").await;
    let number = refund["number"].as_str().unwrap();
    assert_eq!(machine.get(&format!("/v1/orders/{number}")).await.json()["id"], id.as_str());
    assert_eq!(machine.get(&format!("/v1/orders?number={number}")).await.json()["orders"][0]["id"], id.as_str());
    let body = r#"{"amount":350,"by":"Li","why":"spoilt"}"#;
    let again = machine.post_with_key(&format!("/v1/orders/{number}/refunds"), "r-1", body).await;
    assert_eq!((again.status, again.json()), (200, refund.clone()));
    let other = machine.post_with_key(&format!("/v1/orders/{id}/refunds"), "r-2", r#"{"by":"Li"}"#).await;
    other.is_problem(409, "refund_under_way");
}

#[tokio::test]
async fn what_waits_is_listed_the_longest_wait_first_and_by_pages() {
    let (machine, first) = sold().await;
    assert!(waiting(&machine).await.is_empty());
    let second = another(&machine).await;
    let third = another(&machine).await;
    let mut numbers = Vec::new();
    for (id, key) in [(&first, "r-1"), (&second, "r-2"), (&third, "r-3")] {
        numbers.push(asked(&machine, id, key).await["number"].as_str().unwrap().to_owned());
    }
    assert_eq!(waiting(&machine).await, numbers);
    let page = machine.get("/v1/refunds?state=asked&limit=2").await.json();
    let cursor = page["next_cursor"].as_str().expect("another page");
    let last = machine.get(&format!("/v1/refunds?state=asked&limit=2&cursor={cursor}")).await.json();
    assert_eq!((&last["refunds"][0]["number"], last.get("next_cursor")), (&numbers[2].as_str().into(), None));
    machine
        .post(&format!("/v1/orders/{second}/refunds/{}/decision", numbers[1]), r#"{"approved":false,"by":"Wang"}"#)
        .await;
    assert_eq!(waiting(&machine).await, [numbers[0].clone(), numbers[2].clone()]);
    assert!(machine.get("/metrics").await.text().contains("\ntill_refunds_waiting 2\n"));
}

#[tokio::test]
async fn below_the_limit_money_goes_back_at_once_and_a_name_is_kept_if_given() {
    let (machine, id) = sold().await;
    let path = format!("/v1/orders/{id}/refunds");
    let small = machine.post_with_key(&path, "r-1", r#"{"amount":100,"by":"Li"}"#).await;
    assert_eq!((small.status, &small.json()["asked_by"]), (201, &"Li".into()), "{}", small.text());
    let order = machine.until(&id, "refunded").await;
    assert_eq!(order["refunds"][0].get("why"), None);
    machine.post_with_key(&path, "r-2", "").await.is_problem(422, "name_wanted");
}

#[tokio::test]
async fn a_refund_that_failed_under_its_number_names_the_one_that_took_its_place() {
    let machine = Machine::start().await;
    let id = another(&machine).await;
    machine.weather.fails_refunds.store(2, Ordering::SeqCst);
    let path = format!("/v1/orders/{id}/refunds");
    let first = machine.post_with_key(&path, "r-1", r#"{"by":"Li"}"#).await.json();
    let order = machine.until(&id, "refunded").await;
    let states: Vec<&Value> = order["refunds"].as_array().unwrap().iter().map(|refund| &refund["state"]).collect();
    assert_eq!(states, ["replaced", "replaced", "done"]);
    assert_eq!(order["refunded"], 350);
    for pair in order["refunds"].as_array().unwrap().windows(2) {
        assert_eq!((&pair[0]["replaced_by"], &pair[0]["number"]), (&pair[1]["number"], &pair[1]["instead_of"]));
        assert_eq!(pair[0]["asked_at"], pair[1]["asked_at"], "one wish, whatever its number");
    }
    let again = machine.post_with_key(&path, "r-1", r#"{"by":"Li"}"#).await.json();
    assert_eq!((&again["number"], &again["state"]), (&first["number"], &"replaced".into()));
    assert_eq!(again["replaced_by"], order["refunds"][1]["number"]);
}

#[tokio::test]
async fn wrong_words_about_refunds_change_nothing() {
    let (machine, id) = sold().await;
    let refund = asked(&machine, &id, "r-1").await;
    let path = decision(&refund);
    let long = "x".repeat(65);
    for (body, field) in [
        (r#"{"by":"Wang"}"#.to_owned(), "approved"),
        (r#"{"approved":"yes","by":"Wang"}"#.to_owned(), "approved"),
        (r#"{"approved":true}"#.to_owned(), "by"),
        (r#"{"approved":true,"by":" "}"#.to_owned(), "by"),
        (format!(r#"{{"approved":true,"by":"{long}"}}"#), "by"),
        (r#"{"approved":true,"by":"Wang","why":""}"#.to_owned(), "why"),
    ] {
        assert_eq!(machine.post(&path, &body).await.is_problem(422, "invalid_field")["field"], field, "{body}");
    }
    let approval = r#"{"approved":true,"by":"Wang"}"#;
    let elsewhere = format!("/v1/orders/{id}/refunds/R0000000000000000000000001/decision");
    machine.post(&elsewhere, approval).await.is_problem(409, "not_asked");
    machine.post("/v1/orders/nobody/refunds/R/decision", approval).await.is_problem(404, "no_such_order");
    for query in ["", "?state=done", "?state=asked&limit=0", "?state=asked&cursor=x", "?state=asked&colour=1"] {
        machine.get(&format!("/v1/refunds{query}")).await.is_problem(422, "invalid_query");
    }
    assert_eq!(waiting(&machine).await, [refund["number"].as_str().unwrap()]);
}
