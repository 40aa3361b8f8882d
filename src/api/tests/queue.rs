//! The queue to the hub, and what is sold without a network: for cash, and to member codes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use payment::channel::ChannelId;
use payment::engine::entry::OrderState;
use payment::engine::faults::Fault;
use payment::engine::input::Input;
use ring::signature::{Ed25519KeyPair, KeyPair};

use super::machine::{LIMIT_BYTES, Machine};
use crate::daemon::terminal::SyncWish;
use crate::journal::SetAside;
use crate::sync::status::{LinkNews, LinkState};

const CASH: &str = r#"{"amount":350,"currency":"CNY","items":[{"slot":"12"}],"reference":"coin-7"}"#;

impl Machine {
    /// The hub has taken everything up to here, but refuses those.
    async fn acknowledge(&self, up_to: u64, refused: Vec<SetAside>) {
        self.terminal.sync(SyncWish::Acknowledge { up_to, set_aside: refused }).await.unwrap();
    }

    fn link_is(&self, state: LinkState, trouble: Option<&str>) {
        let trouble = trouble.map(str::to_owned);
        self.link.send_replace(LinkNews { state, last_success_ms: Some(1_769_817_600_000), next_try: None, trouble });
    }
}

#[tokio::test]
async fn what_waits_for_the_hub_is_counted_with_its_money_and_age() {
    let machine = Machine::start().await;
    machine.link_is(LinkState::Waiting, Some("no answer in time"));
    machine.post_with_key("/v1/cash-sales", "k-1", CASH).await;
    let queue = machine.get("/v1/queue").await.json();
    let newest = queue["newest_seq"].as_u64().unwrap();
    assert!(newest > 0, "{queue}");
    assert_eq!((&queue["waiting"], &queue["paid"], &queue["currency"]), (&newest.into(), &350.into(), &"CNY".into()));
    assert_eq!((&queue["link"], &queue["trouble"]), (&"waiting".into(), &"no answer in time".into()));
    assert!(queue["oldest_at"].is_string() && queue["oldest_age_s"].is_u64(), "{queue}");
    assert_eq!(queue["last_success_at"], "2026-01-31T00:00:00.000Z");
    assert_eq!(queue["limit_bytes"], LIMIT_BYTES);
    assert!(queue["used_bytes"].as_u64().unwrap() > 0);

    machine.acknowledge(newest, Vec::new()).await;
    machine.link_is(LinkState::Idle, None);
    let queue = machine.get("/v1/queue").await.json();
    assert_eq!((&queue["waiting"], &queue["paid"], &queue["acknowledged_seq"]), (&0.into(), &0.into(), &newest.into()));
    assert!(queue.get("oldest_at").is_none() && queue.get("trouble").is_none(), "{queue}");
}

#[tokio::test]
async fn what_the_hub_refused_for_good_is_listed_and_of_many_the_newest() {
    let machine = Machine::start().await;
    for key in 0..60 {
        machine.post_with_key("/v1/cash-sales", &key.to_string(), r#"{"amount":100,"currency":"CNY"}"#).await;
    }
    let newest = machine.get("/v1/queue").await.json()["newest_seq"].as_u64().unwrap();
    assert!(newest > 110, "{newest}");
    let refused = (1..=110).map(|seq| SetAside {
        seq,
        order: "S0000000000000000000000001".into(),
        code: "bad_hash".into(),
        detail: "the hash is not that of the body".into(),
        at_ms: 1_769_817_600_000,
    });
    machine.acknowledge(110, refused.collect()).await;
    let queue = machine.get("/v1/queue").await.json();
    let listed = queue["set_aside"].as_array().unwrap();
    assert_eq!((&queue["set_aside_count"], listed.len()), (&110.into(), 100));
    assert_eq!((&listed[0]["seq"], &listed[99]["seq"]), (&11.into(), &110.into()));
    assert_eq!((&listed[0]["code"], &listed[0]["at"]), (&"bad_hash".into(), &"2026-01-31T00:00:00.000Z".into()));
    let page = machine.get("/metrics").await.text();
    for line in ["till_queue_set_aside_entries 110", "till_queue_acknowledged_seq 110"] {
        assert!(page.lines().any(|known| known == line), "no {line:?} in\n{page}");
    }
}

#[tokio::test]
async fn flush_sends_now_and_without_a_hub_says_so() {
    let machine = Machine::start().await;
    machine.post("/v1/queue/flush", "").await.is_problem(409, "no_hub");
    assert_eq!(machine.nudges.borrow().send_now, 0);
    machine.link_is(LinkState::Waiting, Some("no answer in time"));
    let sent = machine.post("/v1/queue/flush", "").await;
    assert_eq!((sent.status, &sent.json()["link"]), (202, &"waiting".into()));
    assert_eq!(machine.nudges.borrow().send_now, 1);
}

#[tokio::test]
async fn the_numbers_of_the_queue_are_served() {
    let machine = Machine::start().await;
    machine.link_is(LinkState::Idle, None);
    machine.post_with_key("/v1/cash-sales", "k-1", CASH).await;
    let newest = machine.get("/v1/queue").await.json()["newest_seq"].clone();
    let page = machine.get("/metrics").await.text();
    for line in [
        &format!("till_queue_waiting_entries {newest}"),
        "till_queue_acknowledged_seq 0",
        "till_hub_link{state=\"idle\"} 1",
        "till_hub_last_success_timestamp_seconds 1769817600",
        &format!("till_journal_limit_bytes {LIMIT_BYTES}"),
    ] {
        assert!(page.lines().any(|known| known == line), "no {line:?} in\n{page}");
    }
    assert!(page.contains("\ntill_journal_used_bytes "));
}

#[tokio::test]
async fn a_cash_sale_is_recorded_once_and_complete() {
    let machine = Machine::start().await;
    let made = machine.post_with_key("/v1/cash-sales", "k-1", CASH).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let sold = made.json();
    let id = sold["id"].as_str().unwrap();
    assert_eq!(made.header("location"), Some(format!("/v1/orders/{id}")));
    assert_eq!((&sold["state"], &sold["cash"], &sold["paid"]), (&"completed".into(), &350.into(), &350.into()));
    assert_eq!(sold["items"][0]["delivery"], "delivered");
    assert_eq!(sold["attempts"].as_array().unwrap().len(), 0);

    let again = machine.post_with_key("/v1/cash-sales", "k-1", CASH).await;
    assert_eq!((again.status, &again.json()["id"]), (200, &sold["id"]));
    let other = CASH.replace("coin-7", "coin-8");
    machine.post_with_key("/v1/cash-sales", "k-1", &other).await.is_problem(422, "key_reused");
    let listed = machine.get("/v1/orders").await.json();
    assert_eq!(listed["orders"].as_array().unwrap().len(), 1);
    assert_eq!(machine.get("/v1/orders/coin-7").await.json()["id"], sold["id"]);
}

#[tokio::test]
async fn the_key_of_an_order_is_no_key_of_a_cash_sale_with_the_same_body() {
    let machine = Machine::start().await;
    let body = r#"{"amount":300,"currency":"CNY"}"#;
    assert_eq!(machine.post_with_key("/v1/orders", "k-1", body).await.status, 201);
    machine.post_with_key("/v1/cash-sales", "k-1", body).await.is_problem(422, "key_reused");
    assert_eq!(machine.post_with_key("/v1/cash-sales", "k-2", body).await.status, 201);
    machine.post_with_key("/v1/orders", "k-2", body).await.is_problem(422, "key_reused");
}

#[tokio::test]
async fn a_cash_sale_needs_a_key_and_is_returned_by_hand_only() {
    let machine = Machine::start().await;
    let refused = machine.post("/v1/cash-sales", CASH).await.is_problem(400, "invalid_header");
    assert_eq!(refused["field"], "Idempotency-Key");
    let sold = machine.post_with_key("/v1/cash-sales", "k-1", CASH).await.json();
    let path = format!("/v1/orders/{}/refunds", sold["id"].as_str().unwrap());
    machine.post_with_key(&path, "r-1", "").await.is_problem(409, "paid_in_cash");
}

#[tokio::test]
async fn a_cash_sale_happened_whatever_the_machine_thinks_of_it() {
    let machine = Machine::start().await;
    machine.send("PUT", "/v1/faults/switched-off").await;
    let cheaper = r#"{"amount":300,"currency":"CNY","items":[{"slot":"12","price":300}]}"#;
    let sold = machine.post_with_key("/v1/cash-sales", "k-1", cheaper).await;
    assert_eq!((sold.status, &sold.json()["items"][0]["price"]), (201, &300.into()), "{}", sold.text());
    // Somebody at the machine is not disturbed either.
    machine.send("DELETE", "/v1/faults/switched-off").await;
    let waiting = machine.order_of_slot_12().await;
    assert_eq!(machine.post_with_key("/v1/cash-sales", "k-2", cheaper).await.status, 201);
    let order = machine.get(&format!("/v1/orders/{waiting}")).await.json();
    assert_eq!(order["state"], OrderState::Waiting.name());
}

#[tokio::test]
async fn a_cash_sale_that_does_not_add_up_names_its_field() {
    let machine = Machine::start().await;
    for (body, code, field) in [
        (r#"{"amount":350,"currency":"EUR"}"#, "invalid_field", "currency"),
        (r#"{"amount":0,"currency":"CNY"}"#, "invalid_field", "amount"),
        (r#"{"amount":350,"currency":"CNY","who_scans":"either"}"#, "invalid_field", "who_scans"),
        (r#"{"amount":300,"currency":"CNY","items":[{"slot":"12"}]}"#, "sum_differs", "amount"),
        (r#"{"amount":350,"currency":"CNY","items":[{"slot":"99"}]}"#, "no_such_slot", "items[0].slot"),
    ] {
        let refused = machine.post_with_key("/v1/cash-sales", "k", body).await.is_problem(422, code);
        assert_eq!(refused["field"], field, "{body}");
    }
    assert_eq!(machine.get("/v1/orders").await.json()["orders"].as_array().unwrap().len(), 0);
}

/// A member code of 5.00 yuan, as docs/hub.md describes it.
fn member_code(operator: &Ed25519KeyPair) -> String {
    let payload = r#"{"id":"M-1001","kind":"member","amount":500,"expires_ms":1800000000000,"terminals":["VM-0001"]}"#;
    let signature = operator.sign(format!("till voucher 1\n{payload}").as_bytes());
    format!("TILL1.{}.{}", URL_SAFE_NO_PAD.encode(payload), URL_SAFE_NO_PAD.encode(signature))
}

#[tokio::test]
async fn a_member_code_pays_and_only_its_number_is_to_be_read() {
    let operator = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let public = operator.public_key().as_ref().try_into().unwrap();
    let machine = Machine::start_with_codes(public).await;
    let code = member_code(&operator);
    let id = machine.order_of_slot_12().await;
    let scan = |id: &str| format!(r#"{{"order":"{id}","code":"{code}"}}"#);
    let taken = machine.post("/v1/scans", &scan(&id)).await;
    assert_eq!(taken.status, 202, "{}", taken.text());
    let done = machine.until(&id, "completed").await;
    let attempts = done["attempts"].as_array().unwrap();
    let paid = attempts.iter().find(|attempt| attempt["channel"] == "voucher").expect("an attempt by the code");
    assert_eq!((&paid["voucher"], &paid["state"], &paid["amount"]), (&"M-1001".into(), &"paid".into(), &350.into()));

    // 1.50 yuan are left of it, and nothing more is taken.
    let second = machine.order_of_slot_12().await;
    let refused = machine.post("/v1/scans", &scan(&second)).await.is_problem(409, "voucher_refused");
    assert_eq!(refused["field"], "code");
    let entries = machine.terminal.entries_since(0, 100).await.unwrap();
    let seen = format!("{entries:?}{refused}{done}{}", machine.get("/v1/queue").await.text());
    assert!(seen.contains("M-1001") && !seen.contains("TILL1."), "{seen}");
    let signature = code.rsplit('.').next().unwrap();
    assert!(!seen.contains(signature), "{seen}");
}

#[tokio::test]
async fn a_machine_that_takes_codes_only_says_for_which_fault() {
    let operator = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let machine = Machine::start_with_codes(operator.public_key().as_ref().try_into().unwrap()).await;
    assert!(machine.get("/v1/terminal").await.json().get("codes_only").is_none());
    machine.terminal.act(Input::Raise(Fault::Network(ChannelId::Alipay))).await.unwrap();
    let terminal = machine.get("/v1/terminal").await.json();
    assert_eq!((&terminal["selling"], &terminal["codes_only"]["name"]), (&true.into(), &"network-alipay".into()));
}
