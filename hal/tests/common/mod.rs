//! A machine on the simulator board, with short times, and the devices that drive it.

#![expect(
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that cannot go on fails, and passes over the events it does not ask for"
)]
#![allow(dead_code, reason = "each test binary uses its own part of this")]

use std::{path::Path, time::Duration};

use hal::{
    DeviceEvent, Devices,
    board::{BoardSpec, DisplayKind, KeypadKind, ScannerKind, VendKind},
    sim::machine::{Machine, MachineSpec, MachineState},
};
use tempfile::TempDir;
use tokio::sync::mpsc::{Receiver, channel};

/// Far longer than anything takes, so that only a lost event fails.
pub const GENEROUS: Duration = Duration::from_secs(20);

/// The simulator board in a directory of its own, quick enough for tests.
pub fn board(directory: &TempDir) -> BoardSpec {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../boards/sim.toml");
    let mut board = BoardSpec::read(path).expect("the simulator board").relative_to(directory.path());
    board.scanner.stale_ms = 0;
    board.vend.max_on_ms = 600;
    board.vend.drop_window_ms = 150;
    board.vend.settle_ms = 50;
    board.sim.motor_ms = 60;
    board.sim.fall_ms = 20;
    board.sim.one_shot_ms = 900;
    board
}

/// The same board with nothing but relays, drop sensor and counter.
pub fn vend_only(directory: &TempDir) -> BoardSpec {
    let mut board = board(directory);
    board.display.kind = DisplayKind::None;
    board.scanner.kind = ScannerKind::None;
    board.keypad.kind = KeypadKind::None;
    board.keypad.keys.clear();
    assert_eq!(board.vend.kind, VendKind::Relay);
    board
}

pub fn start(board: &BoardSpec) -> Machine {
    let socket = board.sim.socket.clone().expect("a socket");
    Machine::start(socket, MachineSpec::from_board(board)).expect("a machine")
}

pub fn open(board: &BoardSpec) -> (Devices, Receiver<DeviceEvent>) {
    let (sender, events) = channel(64);
    (hal::open(board, sender).expect("devices"), events)
}

/// The next event that `wanted` accepts; others are passed over.
pub async fn event<T>(events: &mut Receiver<DeviceEvent>, mut wanted: impl FnMut(&DeviceEvent) -> Option<T>) -> T {
    let search = async {
        loop {
            let event = events.recv().await.expect("the drivers run");
            if let Some(found) = wanted(&event) {
                return found;
            }
        }
    };
    tokio::time::timeout(GENEROUS, search).await.expect("the event came")
}

/// Who the scanner is that came up.
pub async fn scanner_up(events: &mut Receiver<DeviceEvent>) -> Option<String> {
    event(events, |event| match event {
        DeviceEvent::ScannerUp { identity } => Some(identity.clone()),
        _ => None,
    })
    .await
}

pub async fn scanner_down(events: &mut Receiver<DeviceEvent>) -> String {
    event(events, |event| match event {
        DeviceEvent::ScannerDown { reason } => Some(reason.clone()),
        _ => None,
    })
    .await
}

pub async fn scanned(events: &mut Receiver<DeviceEvent>) -> String {
    event(events, |event| match event {
        DeviceEvent::Scanned(text) => Some(text.clone()),
        _ => None,
    })
    .await
}

/// Waits until so many lines were dropped, which is no event.
pub async fn scans_dropped(devices: &Devices, count: u64) {
    let wait = async {
        while devices.scans_dropped() < count {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(GENEROUS, wait).await.expect("the line was counted");
}

pub async fn vend_ready(events: &mut Receiver<DeviceEvent>) -> Option<u64> {
    event(events, |event| match event {
        DeviceEvent::VendReady { drops } => Some(*drops),
        _ => None,
    })
    .await
}

pub async fn vend_down(events: &mut Receiver<DeviceEvent>) -> String {
    event(events, |event| match event {
        DeviceEvent::VendDown { reason } => Some(reason.clone()),
        _ => None,
    })
    .await
}

pub async fn vend_ended(events: &mut Receiver<DeviceEvent>, wanted: u64) -> (hal::VendResult, Option<u64>) {
    event(events, |event| match event {
        DeviceEvent::VendEnded { job, result, drops, .. } if *job == wanted => Some((*result, *drops)),
        _ => None,
    })
    .await
}

/// Waits until the machine is as wanted.
pub async fn machine_is(machine: &Machine, wanted: impl FnMut(&MachineState) -> bool) -> MachineState {
    let mut states = machine.subscribe();
    tokio::time::timeout(GENEROUS, states.wait_for(wanted))
        .await
        .expect("the machine got there")
        .expect("the machine runs")
        .clone()
}
