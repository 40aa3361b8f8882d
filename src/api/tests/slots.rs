//! What is in the slots, and what a technician says of them.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::machine::{Machine, slot};
use crate::journal::Journal;

const TEA: &str = r#"{"amount":350,"currency":"CNY","items":[{"slot":"12"}]}"#;

async fn row(machine: &Machine, name: &str) -> Value {
    let list = machine.get("/v1/slots").await.json();
    list["slots"].as_array().unwrap().iter().find(|row| row["slot"] == name).unwrap().clone()
}

async fn sell(machine: &Machine, ending: &str) {
    machine.weather.pays.store(true, Ordering::SeqCst);
    let id = machine.order_of_slot_12().await;
    machine.until(&id, ending).await;
}

#[tokio::test]
async fn the_last_item_is_sold_and_the_next_buyer_hears_that_nothing_is_left() {
    let machine = Machine::start().await;
    assert_eq!(row(&machine, "11").await.get("stock"), None, "nobody counted");
    let counted = machine.post("/v1/slots/12", r#"{"stock":1}"#).await;
    assert_eq!((counted.status, &counted.json()["stock"]), (200, &json!(1)), "{}", counted.text());
    sell(&machine, "completed").await;
    let row = row(&machine, "12").await;
    assert_eq!((&row["stock"], &row["sold_out"], &row["capacity"]), (&json!(0), &json!(true), &json!(8)));
    let problem = machine.post("/v1/orders", TEA).await.is_problem(409, "sold_out");
    assert_eq!(problem["field"], "items");
    let status = machine.get("/v1/terminal").await.json();
    assert_eq!((&status["selling"], &status["slots"][1]["sold_out"]), (&json!(true), &json!(true)));
    assert!(machine.get("/metrics").await.text().contains("\ntill_slots_sold_out 1\n"));
    machine.post("/v1/slots/12", r#"{"stock":null}"#).await;
    sell(&machine, "completed").await;
}

#[tokio::test]
async fn what_a_technician_says_is_in_the_journals_file_before_it_is_answered() {
    let machine = Machine::start().await;
    machine.weather.jams.store(true, Ordering::SeqCst);
    sell(&machine, "refunded").await;
    machine.post("/v1/slots/12", r#"{"stock":7}"#).await;
    let known = row(&machine, "12").await;
    assert_eq!((&known["failures"], &known["blocked"], &known["stock"]), (&json!(1), &json!(true), &json!(7)));
    machine.post("/v1/orders", TEA).await.is_problem(409, "slot_blocked");
    let cleared = machine.send("DELETE", "/v1/faults/slot-12").await.json();
    assert_eq!(cleared["faults"], json!([]));
    // A copy of the file, as the power cut leaves it.
    let copy = tempfile::tempdir().unwrap();
    for name in ["till.db", "till.db-wal"] {
        std::fs::copy(machine.dir.path().join(name), copy.path().join(name)).unwrap();
    }
    let found = Journal::open(&copy.path().join("till.db")).unwrap().slots;
    let [(name, count)] = &found[..] else { panic!("{found:?}") };
    assert_eq!((name, count.stock, count.failures, count.locked), (&slot("12"), Some(7), 0, false));
}

#[tokio::test]
async fn a_count_that_cannot_be_is_refused_and_changes_nothing() {
    let machine = Machine::start().await;
    machine.post("/v1/slots/99", r#"{"stock":1}"#).await.is_problem(422, "no_such_slot");
    machine.post("/v1/slots/no%20slot", r#"{"stock":1}"#).await.is_problem(422, "invalid_field");
    for body in ["{}", r#"{"stock":9}"#, r#"{"stock":-1}"#, r#"{"stock":1.5}"#, r#"{"stock":"all"}"#, r#"{"stok":1}"#] {
        machine.post("/v1/slots/12", body).await.is_problem(422, "invalid_field");
    }
    machine.post("/v1/slots/11", r#"{"stock":10000}"#).await.is_problem(422, "invalid_field");
    assert_eq!(row(&machine, "12").await.get("stock"), None);
}

#[tokio::test]
async fn a_fault_of_a_slot_that_only_the_machine_knows_can_be_cleared_too() {
    use payment::engine::faults::Fault;
    use payment::engine::input::Input;
    let machine = Machine::start().await;
    machine.send("DELETE", "/v1/faults/slot-77").await.is_problem(404, "no_such_fault");
    machine.terminal.act(Input::Raise(Fault::Slot(slot("77")))).await.unwrap();
    assert_eq!(machine.send("DELETE", "/v1/faults/slot-77").await.json()["faults"], json!([]));
}
