//! `openapi.json` is kept by hand: these tests hold it against the code, both ways.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::http::ask;
use super::machine::Machine;
use crate::api::openapi;
use crate::api::{problem, wire};

fn document() -> Value {
    serde_json::from_str(&openapi::document()).unwrap()
}

#[test]
fn the_description_and_the_router_have_the_same_paths() {
    let source = include_str!("../mod.rs");
    let routed: BTreeSet<&str> = source.split(".route(").skip(1).filter_map(|rest| rest.split('"').nth(1)).collect();
    let document = document();
    let described: BTreeSet<&str> = document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(routed, described);
}

#[tokio::test]
async fn the_description_and_the_router_have_the_same_methods() {
    let machine = Machine::start().await;
    for (path, methods) in document()["paths"].as_object().unwrap() {
        let address =
            path.replace("{number}", "x").replace("{name}", "x").replace("{refund}", "x").replace("{slot}", "x");
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
            let described = methods.get(method.to_lowercase()).is_some();
            // An open stream would not end; a start that is no place is refused at once.
            let address = if path == "/v1/events" { "/v1/events?after=x" } else { &address };
            let answer = ask(&machine.socket, method, address, "", "").await;
            assert_eq!(answer.status != 405, described, "{method} {path}: {}", answer.status);
        }
    }
}

/// The names of an enum, as serde lists them when it meets another.
fn names<T: DeserializeOwned>(unknown: Value) -> BTreeSet<String> {
    let error = serde_json::from_value::<T>(unknown).err().expect("not a name").to_string();
    error.split('`').skip(3).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_description_has_every_name_of_every_closed_set() {
    use payment::channel::outcome::DiscountBy;
    use payment::channel::{ChannelId, DutyKind, Wallet};
    use payment::engine::entry;
    use payment::instalment::Bearer;
    let of = |schema: &str| -> BTreeSet<String> {
        let names = document()["components"]["schemas"][schema]["enum"].as_array().unwrap().clone();
        names.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    let no = || json!("?");
    assert_eq!(of("OrderState"), names::<entry::OrderState>(no()));
    assert_eq!(of("WhoScans"), names::<entry::WhoScans>(no()));
    assert_eq!(of("Origin"), names::<entry::Origin>(no()));
    assert_eq!(of("Channel"), names::<ChannelId>(no()));
    assert_eq!(of("Method"), names::<entry::Method>(no()));
    assert_eq!(of("CancelledBy"), names::<entry::CancelledBy>(no()));
    assert_eq!(of("Ending"), names::<entry::Ending>(no()));
    assert_eq!(of("ReverseReason"), names::<entry::ReverseReason>(no()));
    assert_eq!(of("RefundReason"), names::<entry::RefundReason>(no()));
    assert_eq!(of("Delivery"), names::<wire::Delivery>(no()));
    assert_eq!(of("AttemptState"), names::<wire::AttemptState>(no()));
    assert_eq!(of("RefundState"), names::<wire::RefundState>(no()));
    assert_eq!(of("Wallet"), names::<Wallet>(no()));
    assert_eq!(of("DutyKind"), names::<DutyKind>(no()));
    assert_eq!(of("DutyState"), names::<wire::DutyState>(no()));
    assert_eq!(of("DiscountBy"), names::<DiscountBy>(no()));
    assert_eq!(of("Bearer"), names::<Bearer>(no()));
    assert_eq!(of("ProblemCode"), names::<problem::Code>(no()));
    assert_eq!(of("Link"), names::<wire::queue::Link>(no()));
    assert_eq!(of("Became"), names::<crate::daemon::notices::Became>(no()));
    let kinds =
        document()["components"]["schemas"]["Event"]["properties"]["entry"]["properties"]["kind"]["enum"].clone();
    let kinds: BTreeSet<String> = serde_json::from_value(kinds).unwrap();
    assert_eq!(kinds, names::<entry::Entry>(json!({ "kind": "?" })));
}

/// Holds `value` against the schema: types, names, ranges, what must be there, and nothing that is not described.
fn check(schemas: &Value, schema: &Value, value: &Value, at: &str) {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/components/schemas/")) {
        assert!(schemas.get(name).is_some(), "{at}: no schema {name}");
        return check(schemas, &schemas[name], value, at);
    }
    let fits = match schema["type"].as_str().expect("a type") {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        other => panic!("{at}: type {other}"),
    };
    assert!(fits, "{at}: {value} is no {}", schema["type"]);
    if let Some(names) = schema["enum"].as_array() {
        assert!(names.contains(value), "{at}: {value}");
    }
    if let Some(least) = schema["minimum"].as_i64() {
        assert!(value.as_i64().is_some_and(|number| number >= least), "{at}: {value}");
    }
    for item in value.as_array().into_iter().flatten() {
        check(schemas, &schema["items"], item, at);
    }
    let Some(fields) = value.as_object() else {
        return;
    };
    for required in schema["required"].as_array().into_iter().flatten() {
        assert!(fields.contains_key(required.as_str().unwrap()), "{at}: {required} is missing");
    }
    for (name, field) in fields {
        match schema["properties"].get(name) {
            Some(schema) => check(schemas, schema, field, &format!("{at}.{name}")),
            // An entry is described by its kind alone; the journal's format says the rest.
            None => assert!(at.ends_with(".entry"), "{at}.{name} is not described"),
        }
    }
}

fn conforms(schema: &str, value: &Value) {
    let document = document();
    let schemas = &document["components"]["schemas"];
    check(schemas, &schemas[schema], value, schema);
}

#[tokio::test]
async fn real_answers_are_as_described() {
    let machine = Machine::start().await;
    machine.weather.jams.store(true, Ordering::SeqCst);
    machine.weather.refuses_refunds.store(true, Ordering::SeqCst);
    let body = r#"{"amount":450,"currency":"CNY","reference":"a","items":[{"slot":"12"},{"name":"bag","price":100}]}"#;
    let made = machine.post("/v1/orders", body).await.json();
    conforms("Order", &made);
    machine.weather.pays.store(true, Ordering::SeqCst);
    let id = made["id"].as_str().unwrap();
    conforms("Order", &machine.until(id, "owed").await);
    conforms("OrderPage", &machine.get("/v1/orders").await.json());
    machine.send("PUT", "/v1/faults/switched-off").await;
    conforms("Terminal", &machine.get("/v1/terminal").await.json());
    conforms("Reach", &machine.get("/v1/reach").await.json());
    conforms("Slot", &machine.post("/v1/slots/12", r#"{"stock":8}"#).await.json());
    conforms("SlotList", &machine.get("/v1/slots").await.json());
    conforms("AuditReset", &machine.post("/v1/audit/reset", "").await.json());
    let cash = machine.post_with_key("/v1/cash-sales", "k", r#"{"amount":100,"currency":"CNY"}"#).await;
    conforms("Order", &cash.json());
    machine.link.send_modify(|news| news.trouble = Some("no answer".into()));
    conforms("Queue", &machine.get("/v1/queue").await.json());
    conforms("Problem", &machine.post(&format!("/v1/orders/{id}/cancel"), "").await.json());
    conforms("Problem", &machine.get("/v1/orders?limit=x").await.json());
    let entries = machine.terminal.entries_since(0, 100).await.unwrap();
    for recorded in entries {
        conforms("Event", &serde_json::to_value(wire::Event::from(recorded)).unwrap());
    }
}

#[tokio::test]
async fn a_refund_is_as_described() {
    let machine = Machine::start().await;
    let id = machine.order_of_slot_12().await;
    machine.weather.pays.store(true, Ordering::SeqCst);
    machine.until(&id, "completed").await;
    let made = machine.post_with_key(&format!("/v1/orders/{id}/refunds"), "r", "{}").await;
    conforms("RefundMade", &made.json());
    machine.weather.printer.store(2, Ordering::SeqCst);
    conforms("Printed", &machine.post(&format!("/v1/orders/{id}/print"), "").await.json());
}

#[tokio::test]
async fn what_two_people_do_is_as_described() {
    let machine = Machine::start_with_approval(payment::money::Fen::ZERO).await;
    let id = machine.order_of_slot_12().await;
    machine.weather.pays.store(true, Ordering::SeqCst);
    machine.until(&id, "completed").await;
    let refunds = format!("/v1/orders/{id}/refunds");
    let asked = machine.post_with_key(&refunds, "r", r#"{"by":"Li","why":"spoilt"}"#).await.json();
    conforms("RefundMade", &asked);
    conforms("RefundPage", &machine.get("/v1/refunds?state=asked").await.json());
    machine.weather.fails_refunds.store(1, Ordering::SeqCst);
    let path = format!("{refunds}/{}/decision", asked["number"].as_str().unwrap());
    conforms("RefundMade", &machine.post(&path, r#"{"approved":true,"by":"Wang","why":"seen"}"#).await.json());
    conforms("Order", &machine.until(&id, "refunded").await);
    conforms("Receipt", &machine.get(&format!("/v1/orders/{id}/receipt")).await.json());
    for recorded in machine.terminal.entries_since(0, 100).await.unwrap() {
        conforms("Event", &serde_json::to_value(wire::Event::from(recorded)).unwrap());
    }
}

#[tokio::test]
async fn all_that_is_known_of_a_payment_is_as_described() {
    let (machine, order) = super::payments::sold().await;
    conforms("Order", &order);
    let receipt = machine.get(&format!("/v1/orders/{}/receipt", order["id"].as_str().unwrap())).await.json();
    conforms("Receipt", &receipt);
    let machine = Machine::start_with_instalments().await;
    conforms("Plans", &machine.get("/v1/instalments?amount=100000").await.json());
    conforms("Plans", &machine.get("/v1/instalments?amount=1").await.json());
    let body = r#"{"amount":20000,"currency":"CNY","instalments":3,"down_payment":10000}"#;
    conforms("Order", &machine.post("/v1/orders", body).await.json());
    let machine = Machine::start_with_duties().await;
    let id = machine.order_of_slot_12().await;
    machine.weather.pays.store(true, Ordering::SeqCst);
    conforms("Order", &machine.until(&id, "completed").await);
}

#[tokio::test]
async fn complaints_and_alarms_are_as_described() {
    use super::notices::{Told, complaint};
    use crate::daemon::complaints::Complaints;
    let told = Told::start().await;
    let machine = &told.machine;
    conforms("Complaints", &machine.get("/v1/complaints").await.json());
    let reached = machine.get("/v1/reach").await.json();
    conforms("Reach", &reached);
    assert_eq!(reached, json!({ "channel": "wechat" }));
    let (open, trouble) = (vec![complaint("P1")], Some("timed out".to_owned()));
    told.complaints.send_modify(|known| *known = Complaints { open, trouble, fetched_ms: Some(1), ..known.clone() });
    conforms("Complaints", &machine.get("/v1/complaints").await.json());
    conforms("NoticeTaken", &told.forwards(&told.warning()).await.json());
    conforms("AlarmList", &machine.get("/v1/alarms").await.json());
    conforms("Terminal", &machine.get("/v1/terminal").await.json());
}

#[tokio::test]
async fn the_description_is_served_as_it_is_committed() {
    let machine = Machine::start().await;
    assert_eq!(machine.get("/v1/openapi.json").await.text(), openapi::document());
}
