//! The real program is stopped or killed while a motor turns: the relay is off at once or by `till board safe`, and the
//! buyer ends with the goods or with the money.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

#[path = "program/shop.rs"]
#[expect(dead_code, reason = "other stories need more of the shop")]
mod shop;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use hal::sim::machine::MachineState;
use sandbox::Ledger;
use serde_json::{Value, json};
use shop::{PROGRAM, Shop, WATER};

/// A release under test comes long before the driver's own, which comes after `MAX_ON_MS`.
const AT_ONCE: Duration = Duration::from_secs(8);
const MAX_ON_MS: i64 = 15_000;

fn relay_on(machine: &MachineState) -> bool {
    machine.slot("11").is_some_and(|slot| slot.relay_on)
}

/// A shop whose motor turns for an order that is paid, and nothing falls that would end it.
async fn in_the_middle_of_a_vend() -> Shop {
    let mut shop = Shop::open().await;
    assert!(shop.daemon.stop().await.unwrap().success());
    let mut board: toml::Table = std::fs::read_to_string(&shop.scene.board_path).unwrap().parse().unwrap();
    board["vend"]["max_on_ms"] = MAX_ON_MS.into();
    board["sim"]["one_shot_ms"] = (2 * MAX_ON_MS).into();
    std::fs::write(&shop.scene.board_path, board.to_string()).unwrap();
    shop.restart().await;
    shop.scene.machine.jam("11");
    shop.choose("11");
    let asked = shop.wallet().scan_picture(&shop.code_on_screen().await).unwrap();
    shop.wallet().confirm(&asked.id).unwrap();
    shop.machine_until("the motor", relay_on).await;
    shop
}

async fn relay_goes_off(shop: &Shop) {
    let off = shop.machine_until("the release", |machine| !relay_on(machine));
    tokio::time::timeout(AT_ONCE, off).await.expect("a release at once");
}

/// As much money as goods, and no second motor.
async fn comes_out_even(shop: &mut Shop) {
    shop.restart().await;
    shop.until_rest().await;
    let even = |ledger: &Ledger| ledger.net_fen() == i64::try_from(shop.fallen()).unwrap() * WATER;
    shop.ledger_until("as much money as goods", even).await;
    assert_eq!(shop.scene.machine.state().motor_starts(), 1);
}

/// The exit code of `till board safe` and what it says.
fn board_safe(shop: &Shop, board: &Path) -> (Option<i32>, Value) {
    let mut command = Command::new(PROGRAM);
    command.args(["board", "safe", "--json", "--board"]).arg(board);
    command.arg("--socket").arg(&shop.scene.socket_path).env("RUNTIME_DIRECTORY", &shop.scene.dir);
    let output = command.output().unwrap();
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap())
}

#[tokio::test]
async fn stopped_in_the_middle_of_a_vend_the_relay_goes_off_and_the_money_goes_back() {
    let mut shop = in_the_middle_of_a_vend().await;
    // A reader that stays is no reason to stay.
    let events = reqwest::Client::builder().unix_socket(shop.scene.socket_path.clone()).build().unwrap();
    let stream = events.get("http://till/v1/events?after=0").send().await.unwrap();
    assert_eq!(stream.status(), 200);
    shop.daemon.terminate().unwrap();
    relay_goes_off(&shop).await;
    let ended = tokio::time::timeout(AT_ONCE, shop.daemon.ended()).await.expect("an end in time");
    assert_eq!(ended.unwrap().code(), Some(0));
    comes_out_even(&mut shop).await;
}

#[tokio::test]
async fn killed_in_the_middle_of_a_vend_the_relay_goes_off_by_board_safe() {
    let mut shop = in_the_middle_of_a_vend().await;
    let board = shop.scene.board_path.clone();
    let (code, refused) = board_safe(&shop, &board);
    assert_eq!(code, Some(1), "{refused}");
    assert!(refused["detail"].as_str().unwrap().contains("Stop it first"), "{refused}");
    assert!(relay_on(&shop.scene.machine.state()));

    shop.daemon.kill().await.unwrap();
    assert!(relay_on(&shop.scene.machine.state()), "a killed daemon switches nothing off");
    let (code, done) = board_safe(&shop, &board);
    assert_eq!((code, &done["safe"], &done["problems"]), (Some(0), &json!(true), &json!([])), "{done}");
    assert!(done["outputs"].as_u64().unwrap() >= 3, "{done}");
    relay_goes_off(&shop).await;
    comes_out_even(&mut shop).await;

    let (code, nothing) = board_safe(&shop, Path::new("/nowhere/board.toml"));
    assert_eq!(code, Some(78), "{nothing}");
}
