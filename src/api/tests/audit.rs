//! The audit's interval begins anew when somebody says so, and only then.

use serde_json::json;

use super::machine::Machine;
use crate::journal::audit::{Counted, Tally};

async fn cash(machine: &Machine, key: &str) -> Counted {
    let body = r#"{"amount":350,"currency":"CNY","items":[{"slot":"12"}]}"#;
    assert_eq!(machine.post_with_key("/v1/cash-sales", key, body).await.status, 201);
    machine.terminal.journal().audit().await.unwrap().cash_vends()
}

#[tokio::test]
async fn a_reset_begins_at_the_totals_that_are_given_or_now() {
    let machine = Machine::start().await;
    cash(&machine, "a").await;
    let taken = machine.terminal.journal().audit().await.unwrap().totals();
    cash(&machine, "b").await;
    let body = json!({ "totals": taken }).to_string();
    let reset = machine.post("/v1/audit/reset", &body).await;
    assert_eq!((reset.status, &reset.json()["resets"]), (200, &json!(1)), "{}", reset.text());
    let counted = cash(&machine, "c").await;
    assert_eq!((counted.ever.number, counted.since_reset.number), (3, 2));
    assert_eq!(machine.post("/v1/audit/reset", "").await.json()["resets"], 2);
    let counted = machine.terminal.journal().audit().await.unwrap().cash_vends();
    assert_eq!((counted.ever.number, counted.since_reset), (3, Tally::default()));
}

#[tokio::test]
async fn totals_that_cannot_be_are_refused_and_change_nothing() {
    let machine = Machine::start().await;
    let before = cash(&machine, "a").await;
    for totals in [
        json!(null),
        json!([{"kind": "cash_vend", "of": "12", "number": 2, "amount": 350}]),
        json!([{"kind": "cash_vend", "of": "12", "number": 1, "amount": 350}, {"kind": "vend", "of": "77", "number": 1, "amount": 1}]),
        json!([{"kind": "counted", "of": "", "number": 1, "amount": 0}]),
        json!([["cash_vend", "12", 1, 350]]),
        json!([{"kind": "cash_vend", "of": "12", "number": -1, "amount": 350}]),
    ] {
        let body = json!({ "totals": totals }).to_string();
        machine.post("/v1/audit/reset", &body).await.is_problem(422, "invalid_field");
    }
    machine.post("/v1/audit/reset", r#"{"total":[]}"#).await.is_problem(422, "invalid_field");
    assert_eq!(machine.terminal.journal().audit().await.unwrap().cash_vends(), before);
    assert_eq!(machine.terminal.journal().audit().await.unwrap().resets, 0);
}
