//! Relays are off when they are opened, when they are dropped, and when something panics.
//!
//! In a test binary of its own: the panic hook is the whole process's.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails, and passes over the events it does not ask for"
)]

mod common;

use std::sync::Mutex;

use common::*;
use hal::sim::{machine::Machine, protocol::ToMachine};
use tempfile::tempdir;

/// The panic hook switches off the outputs of every test here, so they take turns.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Another program leaves the relay on and goes away; the pin stays driven.
fn leave_relay_on(machine: &Machine) {
    use std::io::{BufRead, BufReader, Write};
    let stream = std::os::unix::net::UnixStream::connect(machine.socket()).unwrap();
    let question = ToMachine::Output { line: "relay-11".into(), high: true };
    let line = serde_json::to_string(&question).unwrap() + "\n";
    (&stream).write_all(line.as_bytes()).unwrap();
    let mut answer = String::new();
    BufReader::new(&stream).read_line(&mut answer).unwrap();
    assert_eq!(answer, "\"done\"\n");
}

#[test]
fn a_relay_that_was_left_on_is_off_once_the_devices_are_open() {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(|turn| turn.into_inner());
    block_on(async {
        let directory = tempdir().unwrap();
        let board = vend_only(&directory);
        let machine = start(&board);
        leave_relay_on(&machine);
        assert!(machine.state().slot("11").unwrap().relay_on);
        let (_devices, mut events) = open(&board);
        vend_ready(&mut events).await;
        assert!(!machine.state().slot("11").unwrap().relay_on);
    });
}

#[test]
fn a_killed_daemons_relay_is_off_after_release_outputs() {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(|turn| turn.into_inner());
    block_on(async {
        let directory = tempdir().unwrap();
        let board = vend_only(&directory);
        let machine = start(&board);
        leave_relay_on(&machine);
        hal::release_outputs(&board).unwrap();
        assert!(!machine.state().slot("11").unwrap().relay_on);
    });
}

#[test]
fn dropping_the_devices_in_the_middle_of_a_pulse_releases_the_relay() {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(|turn| turn.into_inner());
    block_on(async {
        let directory = tempdir().unwrap();
        let board = slow_motor(&directory);
        let machine = start(&board);
        let (devices, mut events) = open(&board);
        vend_ready(&mut events).await;
        devices.dispense(1, "11", 350).unwrap();
        machine_is(&machine, |state| state.slot("11").unwrap().relay_on).await;
        drop(devices);
        let state = machine_is(&machine, |state| !state.slot("11").unwrap().relay_on).await;
        assert_eq!((state.drops, state.slots[0].one_shot_trips), (0, 0));
    });
}

#[test]
fn a_panic_anywhere_releases_the_relay_in_the_middle_of_a_pulse() {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(|turn| turn.into_inner());
    block_on(async {
        let directory = tempdir().unwrap();
        let board = slow_motor(&directory);
        let machine = start(&board);
        let (devices, mut events) = open(&board);
        vend_ready(&mut events).await;
        hal::safe_state::install_panic_hook();
        devices.dispense(1, "11", 350).unwrap();
        machine_is(&machine, |state| state.slot("11").unwrap().relay_on).await;
        let died = std::thread::spawn(|| panic!("a broken invariant, on purpose")).join();
        assert!(died.is_err());
        let state = machine_is(&machine, |state| !state.slot("11").unwrap().relay_on).await;
        assert_eq!((state.drops, state.slots[0].one_shot_trips), (0, 0));
        // No motor turns any more in this process: a daemon that went on selling would take money for nothing.
        assert!(devices.dead_driver().is_some());
        drop(devices);
    });
}

/// A motor that would turn for long, so that only the release under test ends it.
fn slow_motor(directory: &tempfile::TempDir) -> hal::board::BoardSpec {
    let mut board = vend_only(directory);
    board.vend.max_on_ms = 15_000;
    board.sim.motor_ms = 14_000;
    board.sim.one_shot_ms = 30_000;
    board
}

fn block_on(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}
