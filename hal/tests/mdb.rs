//! A sale through a real pseudo-terminal with the driver that ships, at each kind of adapter.

#![expect(clippy::expect_used, clippy::panic, reason = "a bench that cannot be set up fails the test")]

use std::{path::Path, time::Duration};

use hal::{
    DeviceEvent, Devices, VendResult,
    board::{BoardSpec, HexSpec},
    sim::{
        mdb::{
            Adapter,
            hex_adapter::HexAdapter,
            text_adapter::TextAdapter,
            vmc::{Act, Vmc, VmcSpec},
        },
        port::SimPort,
    },
};
use tokio::sync::mpsc::{self, Receiver};

/// Generous: a busy computer is no failure.
const LIMIT: Duration = Duration::from_secs(60);

const BOARD: &str = r#"
name = "bench"
[vend]
kind = "mdb"
[vend.mdb]
path = "adapter"
adapter = "ADAPTER"
[[vend.slots]]
name = "5"
[[vend.slots]]
name = "A6"
number = 6
"#;

fn open(directory: &Path, adapter: &str) -> (Devices, Receiver<DeviceEvent>) {
    let board = BoardSpec::parse(Path::new("bench.toml"), &BOARD.replace("ADAPTER", adapter)).expect("sound");
    let (events, heard) = mpsc::channel(16);
    (hal::open(&board.relative_to(directory), events).expect("open"), heard)
}

async fn until(heard: &mut Receiver<DeviceEvent>, wanted: DeviceEvent) {
    loop {
        match tokio::time::timeout(LIMIT, heard.recv()).await {
            Ok(Some(mut event)) => {
                if let DeviceEvent::VendEnded { told, .. } = &mut event {
                    *told = None;
                }
                if event == wanted {
                    return;
                }
            }
            Ok(None) | Err(_) => panic!("{wanted:?} never came"),
        }
    }
}

fn machine() -> Vmc {
    Vmc::new(VmcSpec::default().faster(10))
}

/// Waits until the machine is as wanted.
async fn comes_to<A: Adapter>(port: &SimPort<A>, wanted: impl FnMut(&mut A) -> bool) {
    tokio::time::timeout(LIMIT, port.until(wanted)).await.expect("the machine came to it");
}

/// The customer selects as soon as the machine lets him.
async fn select<A: Adapter>(port: &SimPort<A>, item: u16) {
    comes_to(port, |adapter| adapter.vmc().takes_selections()).await;
    port.with(|adapter, now| adapter.vmc().plan(now, Act::Select(item)));
}

async fn sell<A: Adapter>(adapter: A, kind: &str) {
    let directory = tempfile::tempdir().expect("a directory");
    let mut port = SimPort::start(directory.path().join("adapter"), adapter).expect("a pty");
    let (devices, mut heard) = open(directory.path(), kind);
    assert_eq!(devices.slots(), ["5", "A6"]);
    let ready = || DeviceEvent::VendReady { drops: None };
    let ended = |job, result| DeviceEvent::VendEnded { job, result, drops: None, taken: None, told: None };

    until(&mut heard, ready()).await;
    select(&port, 6).await;
    until(&mut heard, DeviceEvent::Chosen { slot: Some("A6".into()), price: Some(500) }).await;
    devices.dispense(1, "A6", 500).expect("taken");
    until(&mut heard, ended(1, VendResult::Dropped)).await;

    // The next one turns away, and the one after him meets a cable that is pulled while the motor turns.
    select(&port, 5).await;
    until(&mut heard, DeviceEvent::Chosen { slot: Some("5".into()), price: Some(350) }).await;
    devices.turn_away();
    select(&port, 5).await;
    until(&mut heard, DeviceEvent::Chosen { slot: Some("5".into()), price: Some(350) }).await;
    devices.dispense(2, "5", 350).expect("taken");
    comes_to(&port, |adapter| adapter.vmc().ledger().approvals >= 2).await;
    port.unplug();
    until(&mut heard, ended(2, VendResult::Unknown)).await;
    port.replug().expect("a pty");
    until(&mut heard, ready()).await;
}

#[tokio::test]
async fn a_machine_behind_a_text_adapter_sells() {
    sell(TextAdapter::new(machine()), "text").await;
}

#[tokio::test]
async fn a_machine_behind_a_pass_through_box_sells() {
    sell(HexAdapter::new(machine(), 0x10, HexSpec::default()), "hex").await;
}
