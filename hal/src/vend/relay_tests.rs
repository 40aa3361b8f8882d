//! The relay driver against scripted lines: what it drives, and what it concludes.

use std::{
    collections::VecDeque,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use super::*;
use crate::{
    board::{LineSpec, SlotSpec},
    gpio::{Edge, Lines, OutputLine},
};

/// What the next looks at the sensor see.
#[derive(Clone, Copy)]
enum Look {
    Break,
    Clear,
    Nothing,
    Gone,
}

#[derive(Default)]
struct Bench {
    relay: Mutex<Vec<bool>>,
    looks: Mutex<VecDeque<Look>>,
    blocked: Mutex<bool>,
    counter: AtomicU64,
    relay_fails: Mutex<bool>,
}

#[derive(Clone)]
struct Wires(Arc<Bench>);

impl OutputLine for Wires {
    fn set(&self, active: bool) -> Result<(), LineError> {
        self.0.relay.lock().unwrap().push(active);
        if active && *self.0.relay_fails.lock().unwrap() {
            return Err(LineError::Gone("bench".into()));
        }
        Ok(())
    }

    fn set_inactive_now(&self) {}
}

impl InputLines for Wires {
    fn is_active(&mut self, _: usize) -> Result<bool, LineError> {
        Ok(*self.0.blocked.lock().unwrap())
    }

    fn wait_edge(&mut self, timeout: Duration) -> Result<Option<Edge>, LineError> {
        if timeout.is_zero() {
            return Ok(None);
        }
        let look = self.0.looks.lock().unwrap().pop_front();
        match look.unwrap_or(Look::Nothing) {
            Look::Break => Ok(Some(Edge { index: 0, active: true })),
            Look::Clear => Ok(Some(Edge { index: 0, active: false })),
            Look::Nothing => Ok(None),
            Look::Gone => Err(LineError::Gone("bench".into())),
        }
    }
}

impl Lines for Wires {
    fn output(&self, _: &LineSpec) -> Result<Box<dyn OutputLine>, LineError> {
        Ok(Box::new(self.clone()))
    }

    fn inputs(&self, _: &[LineSpec], _: Duration) -> Result<Box<dyn InputLines>, LineError> {
        Ok(Box::new(self.clone()))
    }
}

impl DropCounter for Wires {
    fn drops(&self) -> Option<u64> {
        Some(self.0.counter.load(Ordering::SeqCst))
    }
}

fn spec(sensor: bool) -> VendSpec {
    VendSpec {
        max_on_ms: 2,
        drop_window_ms: 1,
        settle_ms: 0,
        drop_sensor: sensor.then(LineSpec::default),
        slots: vec![SlotSpec { name: "11".into(), line: Some(LineSpec::default()), ..SlotSpec::default() }],
        ..VendSpec::default()
    }
}

fn open(spec: &VendSpec, counter: bool) -> (RelayVend, Arc<Bench>) {
    let bench = Arc::new(Bench::default());
    let wires = Wires(Arc::clone(&bench));
    let counter = counter.then(|| Arc::new(wires.clone()) as Arc<dyn DropCounter>);
    let bank = Bank::new(Arc::new(wires));
    (RelayVend::open(&bank, counter, spec).unwrap(), bench)
}

fn look(bench: &Bench, looks: &[Look]) {
    bench.looks.lock().unwrap().extend(looks);
}

fn relay(bench: &Bench) -> Vec<bool> {
    bench.relay.lock().unwrap().clone()
}

#[test]
fn a_drop_releases_the_relay() {
    let (mut vend, bench) = open(&spec(true), false);
    look(&bench, &[Look::Clear, Look::Break]);
    assert_eq!(vend.dispense("11", 350).result, VendResult::Dropped);
    assert_eq!(relay(&bench), [true, false]);
}

#[test]
fn an_item_that_falls_after_the_release_still_counts() {
    let (mut vend, bench) = open(&spec(true), false);
    look(&bench, &[Look::Nothing, Look::Break]);
    assert_eq!(vend.dispense("11", 350).result, VendResult::Dropped);
}

#[test]
fn nothing_seen_is_not_dropped() {
    let (mut vend, bench) = open(&spec(true), true);
    let ended = vend.dispense("11", 350);
    assert_eq!(ended.result, VendResult::NotDropped);
    assert_eq!(ended.drops, Some(0));
    assert_eq!(relay(&bench), [true, false]);
}

#[test]
fn a_blocked_curtain_turns_no_motor() {
    let (mut vend, bench) = open(&spec(true), false);
    *bench.blocked.lock().unwrap() = true;
    let ended = vend.dispense("11", 350);
    assert_eq!(ended.result, VendResult::NotDropped);
    assert!(matches!(ended.fault, Some(VendError::Blocked)));
    assert_eq!(relay(&bench), [] as [bool; 0]);
}

#[test]
fn an_unknown_slot_turns_no_motor() {
    let (mut vend, bench) = open(&spec(true), false);
    assert_eq!(vend.dispense("99", 350).result, VendResult::NotDropped);
    assert_eq!(relay(&bench), [] as [bool; 0]);
}

#[test]
fn a_sensor_lost_under_way_releases_the_relay_and_leaves_the_result_unknown() {
    let (mut vend, bench) = open(&spec(true), false);
    look(&bench, &[Look::Gone]);
    let ended = vend.dispense("11", 350);
    assert_eq!(ended.result, VendResult::Unknown);
    assert!(ended.fault.is_some());
    assert_eq!(relay(&bench), [true, false]);
}

#[test]
fn a_relay_that_fails_is_released_all_the_same_and_nobody_claims_to_know() {
    let (mut vend, bench) = open(&spec(true), false);
    *bench.relay_fails.lock().unwrap() = true;
    assert_eq!(vend.dispense("11", 350).result, VendResult::Unknown);
    assert_eq!(relay(&bench), [true, false]);
}

#[test]
fn without_a_sensor_the_board_says_what_a_pulse_means() {
    for (says, result) in [(WithoutSensor::Dropped, VendResult::Dropped), (WithoutSensor::Unknown, VendResult::Unknown)]
    {
        let spec = VendSpec { without_sensor: Some(says), ..spec(false) };
        let (mut vend, bench) = open(&spec, false);
        assert_eq!(vend.dispense("11", 350).result, result);
        assert_eq!(relay(&bench), [true, false]);
    }
}

#[test]
fn an_inspection_compares_the_counter_and_turns_no_motor() {
    let (mut vend, bench) = open(&spec(true), true);
    bench.counter.store(7, Ordering::SeqCst);
    let cases = [
        (Some(6), VendResult::Dropped),
        (Some(7), VendResult::NotDropped),
        (Some(8), VendResult::Unknown),
        (None, VendResult::Unknown),
    ];
    for (before, result) in cases {
        assert_eq!(vend.inspect(before).result, result, "{before:?}");
    }
    assert_eq!(relay(&bench), [] as [bool; 0]);
}

#[test]
fn without_a_counter_an_inspection_knows_nothing() {
    let (mut vend, _) = open(&spec(true), false);
    assert_eq!(vend.inspect(Some(3)).result, VendResult::Unknown);
}
