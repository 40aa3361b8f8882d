//! What goes wrong between a terminal and its hub, and that nothing is lost or doubled by it.

use std::time::Duration;

use sandbox::hub::{Call, Durability, Fault, Hub, HubOptions, Receiver, Weather};
use serde_json::json;

use crate::calling::Cut;
use crate::terminal::{START, Terminal, World, order};

async fn stocked(world: &World) -> Terminal {
    let mut terminal = world.terminal("VM-0001").await;
    terminal.sale(&order(1), 350, None);
    terminal
}

#[tokio::test]
async fn a_lost_request_changes_nothing_and_a_lost_answer_hides_what_was_kept() {
    let world = World::open().await;
    let terminal = stocked(&world).await;
    world.control.set_weather(Weather::fair().with(Fault::RequestLost.times(1)));
    assert_eq!(terminal.try_send(terminal.batch(&terminal.lines)).await.unwrap_err(), Cut);
    assert_eq!(world.control.acknowledged("VM-0001"), 0);
    world.control.set_weather(Weather::fair().with(Fault::AnswerLost.times(1)));
    assert_eq!(terminal.try_send(terminal.batch(&terminal.lines)).await.unwrap_err(), Cut);
    assert_eq!(world.control.acknowledged("VM-0001"), 4);
    assert_eq!(terminal.sync_all().await.acknowledged(), 4);
    assert_eq!(world.control.entries("VM-0001").len(), 4);
}

#[tokio::test]
async fn a_bare_status_comes_with_when_to_try_again() {
    let world = World::open().await;
    let terminal = stocked(&world).await;
    world.control.set_weather(Weather::fair().with(Fault::busy(7).times(1)).with(Fault::unavailable().on(Call::Poll)));
    let answer = terminal.sync_all().await;
    assert_eq!(answer.status, 429);
    assert!(answer.head.contains("retry-after: 7"), "{}", answer.head);
    assert_eq!(terminal.poll(0, json!([]), 0).await.status, 503);
    assert_eq!(terminal.sync_all().await.acknowledged(), 4);
}

#[tokio::test]
async fn a_failure_after_the_work_hides_what_was_kept() {
    let world = World::open().await;
    let terminal = stocked(&world).await;
    let fault = Fault::Status { status: 500, retry_after_s: None, executed: true };
    world.control.set_weather(Weather::fair().with(fault.times(1)));
    assert_eq!(terminal.sync_all().await.status, 500);
    assert_eq!(world.control.acknowledged("VM-0001"), 4);
}

#[tokio::test]
async fn what_is_carried_out_twice_is_kept_once() {
    let world = World::open().await;
    let terminal = stocked(&world).await;
    world.control.set_weather(Weather::fair().with(Fault::Twice));
    assert_eq!(terminal.sync_all().await.acknowledged(), 4);
    assert_eq!(world.control.entries("VM-0001").len(), 4);
}

#[tokio::test]
async fn a_slow_hub_keeps_what_a_terminal_no_longer_waits_for() {
    let world = World::open().await;
    let terminal = stocked(&world).await;
    world.control.set_weather(Weather::fair().with(Fault::Slow(200)));
    let impatient = terminal.try_send(terminal.batch(&terminal.lines));
    assert!(tokio::time::timeout(Duration::from_millis(50), impatient).await.is_err());
    let kept = world.control.until(|books| books.acknowledged("VM-0001") == 4);
    tokio::time::timeout(Duration::from_secs(20), kept).await.unwrap();
}

#[tokio::test]
async fn a_stopped_hub_refuses_connections_and_is_found_again_at_its_port() {
    let world = World::open().await;
    let terminal = stocked(&world).await;
    terminal.sync(1, 2).await;
    let (control, port) = (world.control.clone(), world.hub.port());
    world.hub.stop().await;
    assert_eq!(terminal.try_send(terminal.batch(&terminal.lines)).await.unwrap_err(), Cut);
    let hub = Hub::again(&control, port).await.unwrap();
    assert_eq!(terminal.sync(3, 4).await.acknowledged(), 4);
    hub.stop().await;
}

#[tokio::test]
async fn a_hub_that_starts_again_from_its_file_has_everything() {
    let folder = Folder::new();
    let database = Some(folder.0.join("hub.db"));
    let start =
        || HubOptions { database: database.clone(), clock: sandbox::Clock::new(|| START), ..HubOptions::default() };
    let world = World::open().await;
    let mut terminal = world.stranger("VM-0001");
    terminal.sale(&order(1), 350, None);
    let hub = Hub::start(start()).await.unwrap();
    terminal.url = hub.url();
    assert_eq!(terminal.join(&hub.control().join_code()).await.status, 200);
    assert_eq!(terminal.sync(1, 3).await.acknowledged(), 3);
    hub.stop().await;
    let hub = Hub::start(start()).await.unwrap();
    terminal.url = hub.url();
    assert_eq!(hub.control().acknowledged("VM-0001"), 3);
    assert_eq!(terminal.sync(4, 4).await.acknowledged(), 4);
    hub.stop().await;
}

/// Without socket and clock, as a simulation drives it.
#[tokio::test]
async fn the_receiver_needs_no_socket() {
    let world = World::open().await;
    let mut terminal = world.stranger("VM-0001");
    terminal.sale(&order(1), 350, None);
    let mut receiver = Receiver::in_memory().unwrap();
    receiver.add_join_code("1").unwrap();
    let join = terminal.json("join", &json!({ "public_key": terminal.public_key(), "code": "1" }));
    assert_eq!(receiver.handle(&terminal.sign(join), START).status, 200);
    let batch = terminal.sign(terminal.batch(&terminal.lines));
    assert_eq!(receiver.handle(&batch, START + 301_000).status, 401);
    assert_eq!(receiver.handle(&batch, START + 300_000).status, 200);
    assert_eq!(receiver.books().acknowledged("VM-0001"), 4);
    let poll = terminal.sign(terminal.json("poll", &json!({ "handled": 0, "results": [], "wait_s": 50 })));
    let waiting = receiver.handle(&poll, START);
    assert_eq!((waiting.status, waiting.wait_s), (200, Some(50)));
    let operator = sandbox::hub::OperatorKey::from_seed(&[1; 32]);
    let command = operator.command("VM-0001", 1, START, &json!({ "kind": "restart" }));
    receiver.queue_command("VM-0001", receiver.next_number("VM-0001").unwrap(), &command).unwrap();
    assert_eq!(receiver.handle(&poll, START).wait_s, None);
}

#[test]
fn a_file_is_opened_as_durable_as_wished() {
    let folder = Folder::new();
    for durability in [Durability::Full, Durability::Normal, Durability::Off] {
        let receiver = Receiver::open(&folder.0.join(format!("{durability:?}.db")), durability).unwrap();
        assert_eq!(receiver.durability().unwrap(), durability);
    }
}

/// A folder that goes with the test.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("till-hub-{}-{count}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
