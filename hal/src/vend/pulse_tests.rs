//! The imitated coin acceptor against a receiver that records every change of the line.

use std::sync::{
    Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use super::*;
use crate::{
    board::{LineSpec, SlotSpec},
    gpio::{Edge, Lines, OutputLine},
};

/// What the machine's coin input sees.
#[derive(Default)]
struct Receiver {
    /// Changes only, with their times; idle at first.
    changes: Mutex<Vec<(Duration, bool)>>,
    inhibited: AtomicBool,
    /// How many changes work before the line fails; 0: all.
    fails_after: AtomicUsize,
    /// A pulse during which the machine's CPU is busy this long.
    held: Mutex<Option<Duration>>,
}

impl Receiver {
    fn record(&self, level: bool) {
        let mut changes = self.changes.lock().unwrap();
        if changes.last().is_some_and(|(_, last)| *last) != level {
            changes.push((pace::now(), level));
        }
    }

    fn is_idle(&self) -> bool {
        self.changes.lock().unwrap().last().is_none_or(|(_, level)| !level)
    }

    /// Lengths of the pulses, and of the rests between them.
    fn lengths(&self) -> (Vec<Duration>, Vec<Duration>) {
        let changes = self.changes.lock().unwrap();
        let lengths: Vec<Duration> = changes.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
        (lengths.iter().copied().step_by(2).collect(), lengths.iter().copied().skip(1).step_by(2).collect())
    }
}

#[derive(Clone)]
struct Wires(Arc<Receiver>);

impl OutputLine for Wires {
    fn set(&self, active: bool) -> Result<(), LineError> {
        let fails_after = self.0.fails_after.load(Ordering::SeqCst);
        if active && fails_after > 0 && self.0.changes.lock().unwrap().len() >= fails_after {
            return Err(LineError::Gone("bench".into()));
        }
        if !active && let Some(held) = self.0.held.lock().unwrap().take() {
            pace::sleep(held);
        }
        self.0.record(active);
        Ok(())
    }

    fn set_inactive_now(&self) {
        self.0.record(false);
    }
}

impl InputLines for Wires {
    fn is_active(&mut self, _: usize) -> Result<bool, LineError> {
        Ok(self.0.inhibited.load(Ordering::SeqCst))
    }

    fn wait_edge(&mut self, _: Duration) -> Result<Option<Edge>, LineError> {
        Ok(None)
    }
}

impl Lines for Wires {
    fn output(&self, _: &LineSpec) -> Result<Box<dyn OutputLine>, LineError> {
        self.0.record(false);
        Ok(Box::new(self.clone()))
    }

    fn inputs(&self, _: &[LineSpec], _: Duration) -> Result<Box<dyn InputLines>, LineError> {
        Ok(Box::new(self.clone()))
    }
}

const ON: Duration = Duration::from_millis(5);
const OFF: Duration = Duration::from_millis(4);
const GAP: Duration = Duration::from_millis(30);

fn opened() -> (PulseVend, Arc<Receiver>, Arc<Bank>) {
    let receiver = Arc::new(Receiver::default());
    let bank = Bank::new(Arc::new(Wires(Arc::clone(&receiver))));
    let slots = ["1", "2"].map(|name| SlotSpec { name: name.into(), ..SlotSpec::default() });
    let pulse = PulseSpec {
        line: Some(LineSpec::default()),
        inhibit: Some(LineSpec::default()),
        on_ms: 5,
        off_ms: 4,
        gap_ms: 30,
        ..PulseSpec::default()
    };
    let spec = VendSpec { slots: slots.into(), pulse, ..VendSpec::default() };
    (PulseVend::open(&bank, &spec).unwrap(), receiver, bank)
}

#[test]
fn a_price_becomes_its_pulses_with_their_lengths_and_a_gap_between_orders() {
    let (mut vend, receiver, _bank) = opened();
    assert_eq!(vend.dispense("1", 300).result, VendResult::Dropped);
    assert_eq!(vend.dispense("2", 200).result, VendResult::Dropped);
    let (pulses, rests) = receiver.lengths();
    assert_eq!((pulses.len(), rests.len()), (5, 4));
    assert!(pulses.iter().all(|length| (ON..PULSE_MAX).contains(length)), "{pulses:?}");
    assert!(rests.iter().all(|length| *length >= OFF) && rests[2] >= GAP, "{rests:?}");
    assert!(receiver.is_idle());
}

#[test]
fn an_inhibited_machine_gets_no_pulse() {
    let (mut vend, receiver, _bank) = opened();
    receiver.inhibited.store(true, Ordering::SeqCst);
    assert!(matches!(vend.check(), Err(VendError::Inhibited)));
    let ended = vend.dispense("1", 300);
    assert_eq!(ended.result, VendResult::NotDropped);
    assert!(matches!(ended.fault, Some(VendError::Inhibited)));
    assert!(ended.told.unwrap().contains("inhibits"));
    assert!(receiver.changes.lock().unwrap().is_empty());
    receiver.inhibited.store(false, Ordering::SeqCst);
    vend.check().unwrap();
}

#[test]
fn a_price_that_is_no_whole_number_of_pulses_gets_none() {
    let (mut vend, receiver, _bank) = opened();
    for price in [0, 50, 350, 100_000] {
        let ended = vend.dispense("1", price);
        assert_eq!((ended.result, ended.fault.is_none()), (VendResult::NotDropped, true), "{price}");
    }
    assert_eq!(vend.dispense("9", 100).result, VendResult::NotDropped);
    assert!(receiver.changes.lock().unwrap().is_empty());
}

#[test]
fn a_train_that_was_cut_short_is_unknown_and_is_not_resumed() {
    let (mut vend, receiver, _bank) = opened();
    // Two whole pulses, then the line fails.
    receiver.fails_after.store(4, Ordering::SeqCst);
    let ended = vend.dispense("1", 500);
    assert_eq!(ended.result, VendResult::Unknown);
    assert!(ended.fault.is_some());
    receiver.fails_after.store(0, Ordering::SeqCst);
    assert_eq!(vend.inspect(None).result, VendResult::Unknown);
    assert_eq!(receiver.lengths().0.len(), 2);
    assert!(receiver.is_idle());
}

#[test]
fn a_pulse_that_became_too_long_ends_the_train_and_nobody_claims_to_know() {
    let (mut vend, receiver, _bank) = opened();
    *receiver.held.lock().unwrap() = Some(PULSE_MAX);
    assert_eq!(vend.dispense("1", 300).result, VendResult::Unknown);
    assert_eq!(receiver.lengths().0.len(), 1);
    assert!(receiver.is_idle());
}

#[test]
fn a_closed_bank_ends_the_train_at_the_idle_level() {
    use crate::safe_state::MakeSafe;

    let (mut vend, receiver, bank) = opened();
    let train = std::thread::spawn(move || vend.dispense("1", 5000).result);
    while receiver.changes.lock().unwrap().len() < 5 {
        std::thread::yield_now();
    }
    bank.make_safe();
    assert_eq!(train.join().unwrap(), VendResult::Unknown);
    assert!(receiver.is_idle());
    assert!(receiver.lengths().0.len() < 50);
}
