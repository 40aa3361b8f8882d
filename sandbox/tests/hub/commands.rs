//! Commands down and their results up.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, UnparsedPublicKey};
use sandbox::hub::SignedCommand;
use serde_json::{Value, json};

use crate::calling::Answer;
use crate::terminal::{START, World, hex, order};

fn numbers(answer: &Answer) -> Vec<u64> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["commands"].as_array().unwrap().iter().map(|each| each["number"].as_u64().unwrap()).collect()
}

/// What a command says, if the operator signed it.
fn open(world: &World, command: &Value) -> Option<Value> {
    let text = command["command"].as_str().unwrap();
    let signature = STANDARD.decode(command["signature"].as_str().unwrap()).unwrap();
    let key = UnparsedPublicKey::new(&ED25519, world.control.operator_public_key());
    key.verify(format!("till command 1\n{text}").as_bytes(), &signature).ok()?;
    Some(serde_json::from_str(text).unwrap())
}

#[tokio::test]
async fn commands_come_signed_and_numbered_from_one() {
    let world = World::open().await;
    let terminal = world.terminal("VM-0001").await;
    let control = &world.control;
    let toml = "[goods]\n";
    assert_eq!(control.order_refund("VM-0001", &order(1), Some(350)), 1);
    assert_eq!(control.order_refund("VM-0001", &order(2), None), 2);
    assert_eq!(control.send_config("VM-0001", toml), 3);
    assert_eq!(control.restart("VM-0001"), 4);
    assert_eq!(control.send_now("VM-0001"), 5);
    assert_eq!(control.send_now("VM-0002"), 1);
    let sha256 = hex(ring::digest::digest(&ring::digest::SHA256, toml.as_bytes()).as_ref());
    let wanted = [
        json!({ "kind": "refund", "order": order(1), "amount": 350 }),
        json!({ "kind": "refund", "order": order(2) }),
        json!({ "kind": "config", "toml": toml, "sha256": sha256 }),
        json!({ "kind": "restart" }),
        json!({ "kind": "send_now" }),
    ];
    let answer = terminal.poll(0, json!([]), 0).await;
    assert_eq!(numbers(&answer), [1, 2, 3, 4, 5]);
    for (place, wanted) in wanted.into_iter().enumerate() {
        let said = open(&world, &answer.body["commands"][place]).expect("signed by the operator");
        let whole = json!({ "terminal": "VM-0001", "number": place + 1, "issued_ms": START, "do": wanted });
        assert_eq!(said, whole);
    }
    assert_eq!(numbers(&terminal.poll(3, json!([]), 0).await), [4, 5]);
    assert!(numbers(&terminal.poll(5, json!([]), 0).await).is_empty());
}

#[tokio::test]
async fn results_are_kept_by_their_number_and_never_changed() {
    let world = World::open().await;
    let terminal = world.terminal("VM-0001").await;
    world.control.restart("VM-0001");
    world.control.restart("VM-0001");
    let done = json!([{ "number": 1, "outcome": "done", "detail": "restarted" }]);
    terminal.poll(1, done, 0).await;
    let other = json!([
        { "number": 1, "outcome": "refused", "detail": "again" },
        { "number": 2, "outcome": "refused", "detail": "no" },
    ]);
    assert_eq!(terminal.poll(2, other, 0).await.status, 200);
    let results = world.control.books(|books| books.results("VM-0001"));
    let told: Vec<_> = results.iter().map(|each| (each.number, each.outcome.as_str(), each.detail.as_str())).collect();
    assert_eq!(told, [(1, "done", "restarted"), (2, "refused", "no")]);
    assert_eq!(world.control.books(|books| books.handled("VM-0001")), 2);
}

#[tokio::test]
async fn a_poll_that_cannot_be_right_is_refused() {
    let world = World::open().await;
    let terminal = world.terminal("VM-0001").await;
    world.control.restart("VM-0001");
    let result = |number: u64, outcome: &str| json!([{ "number": number, "outcome": outcome, "detail": "" }]);
    let table = [
        (json!({ "handled": 1, "results": result(2, "done"), "wait_s": 0 }), "unknown_command"),
        (json!({ "handled": 1, "results": result(1, "half"), "wait_s": 0 }), "bad_body"),
        (json!({ "handled": 1, "results": [], "wait_s": 301 }), "bad_wait"),
        (json!({ "handled": 1, "results": [] }), "bad_body"),
        (json!({ "handled": -1, "results": [], "wait_s": 0 }), "bad_body"),
        (json!({ "handled": 1, "results": [], "wait_s": 0, "more": 0 }), "bad_body"),
    ];
    for (body, code) in table {
        let answer = terminal.send(terminal.json("poll", &body)).await;
        assert_eq!((answer.status, answer.code()), (422, code), "{body}");
    }
    assert!(world.control.books(|books| books.results("VM-0001")).is_empty());
}

#[tokio::test]
async fn a_hub_from_a_backup_numbers_on_from_what_the_terminal_handled() {
    let world = World::open().await;
    let terminal = world.terminal("VM-0001").await;
    assert_eq!(world.control.restart("VM-0001"), 1);
    let done = json!([{ "number": 9, "outcome": "done", "detail": "of a time that the hub forgot" }]);
    assert_eq!(terminal.poll(9, done, 0).await.status, 200);
    assert_eq!(world.control.restart("VM-0001"), 10, "a command of this number would never be done");
}

#[tokio::test]
async fn a_poll_waits_for_a_command_and_answers_when_it_comes() {
    let world = World::open().await;
    let terminal = world.terminal("VM-0001").await;
    let before = world.control.traffic().requests;
    let order = async {
        // The poll has arrived, and a command for somebody else does not end it.
        world.control.until(|_| world.control.traffic().requests > before).await;
        world.control.send_now("VM-0002");
        world.control.send_now("VM-0001");
    };
    // The client gives up after 20 s: an answer means that the command ended the wait.
    let (answer, ()) = tokio::join!(terminal.poll(0, json!([]), 300), order);
    assert_eq!(numbers(&answer), [1]);
}

#[tokio::test]
async fn a_poll_ends_empty_when_the_time_is_over_or_the_hub_stops() {
    let world = World::open().await;
    let terminal = world.terminal("VM-0001").await;
    assert!(numbers(&terminal.poll(0, json!([]), 1).await).is_empty());
    let before = world.control.traffic().requests;
    let (control, hub) = (world.control.clone(), world.hub);
    let stop = async {
        control.until(|_| control.traffic().requests > before).await;
        tokio::time::timeout(Duration::from_secs(10), hub.stop()).await.unwrap();
    };
    let (answer, ()) = tokio::join!(terminal.poll(0, json!([]), 300), stop);
    assert!(numbers(&answer).is_empty());
}

#[tokio::test]
async fn wrong_commands_can_be_made_for_tests() {
    let world = World::open().await;
    let terminal = world.terminal("VM-0001").await;
    let restart = json!({ "kind": "restart" });
    let control = &world.control;
    control.queue("VM-0001", |operator, number| {
        let right = operator.command("VM-0001", number, START, &restart);
        SignedCommand { command: right.command.replace("restart", "send_now"), ..right }
    });
    control.queue("VM-0001", |operator, number| operator.command("VM-0002", number, START, &restart));
    control.queue("VM-0001", |operator, number| operator.command("VM-0001", number + 7, START, &restart));
    let answer = terminal.poll(0, json!([]), 0).await;
    let commands = &answer.body["commands"];
    assert_eq!(numbers(&answer), [1, 2, 3]);
    assert_eq!(open(&world, &commands[0]), None);
    assert_eq!(open(&world, &commands[1]).unwrap()["terminal"], "VM-0002");
    assert_eq!(open(&world, &commands[2]).unwrap()["number"], 10);
}
