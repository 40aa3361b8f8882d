//! The protocol against the simulated machine: named histories, thousands of random ones, and one through a real pty.

use std::time::Duration;

use super::*;
use crate::{
    board::SlotSpec,
    sim::xy::{Fate, XyMachine, XySlot},
    vend::{
        driven::Driven,
        runs::{Run, Truth, Wire},
    },
};

const SECOND: Duration = Duration::from_secs(1);

fn spec() -> VendSpec {
    let slots = ["7", "8"].map(|name| SlotSpec { name: name.into(), ..SlotSpec::default() });
    let aisle = SlotSpec { name: "A1".into(), number: Some(31), ..SlotSpec::default() };
    VendSpec { slots: slots.into_iter().chain([aisle]).collect(), ..VendSpec::default() }
}

fn machine() -> XyMachine {
    let slot = |price| XySlot { price, stock: 200, ..XySlot::default() };
    XyMachine::new([(7, slot(350)), (8, slot(350)), (31, slot(500))].into())
}

fn started_with(spec: &VendSpec, wire: Wire, seed: u64) -> Run<Xy, XyMachine> {
    let mut run = Run::new(Xy::new(spec), machine(), seed, wire);
    run.ready();
    run
}

fn started() -> Run<Xy, XyMachine> {
    started_with(&spec(), Wire::default(), 1)
}

/// The orders to deliver that went out, by the packet's number.
fn orders(run: &Run<Xy, XyMachine>) -> Vec<u8> {
    let orders = run.sent.iter().filter(|bytes| matches!(bytes[2], command::DRIVE | command::BUY));
    orders.map(|bytes| bytes[4]).collect()
}

#[test]
fn a_paid_item_falls_and_is_told_once() {
    let mut run = started();
    assert_eq!(run.deliver(1, "7"), (VendResult::Dropped, None));
    assert_eq!(run.deliver(2, "A1"), (VendResult::Dropped, None));
    run.pass(SECOND * 200);
    assert_eq!((run.device.turned(), run.device.fell()), (&[7, 31][..], &[7, 31][..]));
    assert_eq!((run.results(1).len(), run.results(2).len()), (1, 1));
    assert_eq!(orders(&run).len(), 2);
}

#[test]
fn only_a_jam_and_a_missing_motor_say_that_nothing_fell() {
    let fates = [
        (Fate::Falls, VendResult::Dropped),
        (Fate::Jams, VendResult::NotDropped),
        (Fate::NoMotor, VendResult::NotDropped),
        (Fate::RunsOn, VendResult::Unknown),
        (Fate::BrokenOff { fell: true }, VendResult::Unknown),
        (Fate::BrokenOff { fell: false }, VendResult::Unknown),
        (Fate::Silent, VendResult::Unknown),
    ];
    for (fate, result) in fates {
        let mut run = started();
        run.device.script(7, fate);
        let (told, why) = run.deliver(1, "7");
        assert_eq!(told, result, "{fate:?}");
        assert_eq!(why.is_some(), result != VendResult::Dropped, "{fate:?}: {why:?}");
    }
}

#[test]
fn an_empty_slot_is_never_driven() {
    let mut run = Run::new(Xy::new(&spec()), XyMachine::new([(7, XySlot::default())].into()), 1, Wire::default());
    run.ready();
    let (result, told) = run.deliver(1, "7");
    assert_eq!((result, told.as_deref()), (VendResult::NotDropped, Some("the controller says that the slot is empty")));
    assert_eq!(run.deliver(2, "8").0, VendResult::NotDropped);
    assert_eq!(orders(&run), [] as [u8; 0]);
}

#[test]
fn without_the_check_the_order_goes_out_at_once() {
    let mut spec = spec();
    spec.xy.check = false;
    spec.xy.drive = XyDrive::Buy;
    let mut run = started_with(&spec, Wire::default(), 1);
    assert_eq!(run.deliver(1, "7").0, VendResult::Dropped);
    assert_eq!(orders(&run).len(), 1);
}

#[test]
fn an_order_whose_ack_is_lost_is_not_sent_again_and_its_report_is_believed() {
    let mut spec = spec();
    spec.xy.check = false;
    let mut results = [0; 3];
    for seed in 0..60 {
        let mut run = started_with(&spec, Wire::default(), seed);
        run.wire.lost = 300;
        let (result, _) = run.deliver(1, "7");
        assert_eq!(orders(&run).len(), 1, "seed {seed}");
        results[result as usize] += 1;
    }
    // Most losses hit the ACK or one of the repeated reports, the others the order itself.
    assert!(results[VendResult::Dropped as usize] > 25 && results[VendResult::Unknown as usize] > 10, "{results:?}");
}

#[test]
fn a_status_that_is_repeated_because_our_ack_was_lost_ends_one_job() {
    let mut run = started();
    run.deliver(1, "7");
    let before = run.events.len();
    // The machine did not hear our ACK: it says so again under the same number, and we acknowledge again.
    let said = super::super::packet::Packet::numbered(command::DELIVERY, 77, &[2, 0, 7]);
    for _ in 0..3 {
        run.protocol.received(run.now, &said.to_bytes());
        assert_eq!(run.protocol.to_send().unwrap(), [0xFA, 0xFB, 0x42, 0x00, 0x43]);
    }
    assert_eq!(run.events.len(), before);
    assert_eq!(run.results(1), [VendResult::Dropped]);
}

#[test]
fn a_machine_without_power_in_the_middle_of_a_vend_is_never_told_again() {
    for fell in [true, false] {
        let mut run = started();
        run.give(1, "7");
        while run.device.turned().is_empty() {
            run.pass(Duration::from_millis(50));
        }
        run.device.power_off(fell);
        run.pass(SECOND * 5);
        let now = run.now;
        run.device.power_on(now);
        run.pass(SECOND * 120);
        assert_eq!(run.results(1), [VendResult::Unknown], "{:?}", run.events);
        assert_eq!(run.device.turned(), [7]);
        assert_eq!(orders(&run).len(), 1);
    }
}

#[test]
fn an_order_that_was_never_sent_is_not_dropped_for_certain() {
    let mut run = started();
    run.device.power_off(false);
    let (result, told) = run.deliver(1, "7");
    assert_eq!(result, VendResult::NotDropped, "{told:?}");
    assert_eq!(run.deliver(2, "7").0, VendResult::NotDropped);
    let now = run.now;
    run.device.power_on(now);
    run.ready();
    assert_eq!(run.deliver(3, "7").0, VendResult::Dropped);
    assert_eq!(run.device.turned(), [7]);
}

#[test]
fn a_late_report_is_not_taken_for_the_next_vend_of_its_slot() {
    let mut run = started();
    run.give(1, "7");
    while run.device.turned().is_empty() {
        run.pass(Duration::from_millis(50));
    }
    run.unplug();
    assert_eq!(run.results(1), [VendResult::Unknown]);
    run.plug();
    run.ready();
    let (result, _) = run.deliver(2, "7");
    assert_eq!(result, VendResult::NotDropped, "the report of job 1 is still to come");
    assert_eq!(run.deliver(3, "8").0, VendResult::Dropped);
    // It came while slot 8 was served.
    assert_eq!(run.deliver(4, "7").0, VendResult::Dropped);
    assert_eq!(run.device.turned(), [7, 8, 7]);
}

#[test]
fn a_report_that_comes_before_the_order_left_is_not_of_this_job() {
    let mut spec = spec();
    spec.xy.check = false;
    let mut run = started_with(&spec, Wire::default(), 1);
    run.pass(SECOND * 3);
    run.device.script(7, Fate::Jams);
    run.give(1, "7");
    let said = super::super::packet::Packet::numbered(command::DELIVERY, 200, &[2, 0, 7]);
    run.protocol.received(run.now, &said.to_bytes());
    assert_eq!(run.protocol.to_send().unwrap(), [0xFA, 0xFB, 0x42, 0x00, 0x43]);
    run.pass(SECOND * 10);
    assert_eq!(run.results(1), [VendResult::NotDropped]);
    assert_eq!(run.device.turned(), [7]);
}

#[test]
fn a_choice_at_the_machine_is_told_with_its_price_and_can_be_turned_away() {
    let mut run = started();
    run.pass(SECOND * 3);
    run.device.choose(31);
    run.pass(SECOND);
    let chosen = DeviceEvent::Chosen { slot: Some("A1".into()), price: Some(500) };
    assert_eq!(run.events.last().unwrap().1, chosen);
    run.device.choose(0);
    run.pass(SECOND);
    assert_eq!(run.events.last().unwrap().1, DeviceEvent::ChoiceEnded);
    run.device.choose(7);
    run.pass(SECOND);
    run.protocol.wanted(run.now, Job::TurnAway);
    run.pass(SECOND);
    assert_eq!(run.device.cancelled(), 1);
    // A slot that the board does not name is turned away at once; inserted money is no sale.
    run.device.choose(99);
    run.device.insert_coin(100);
    let before = run.events.len();
    run.pass(SECOND * 2);
    assert_eq!((run.device.cancelled(), run.events.len()), (2, before));
}

#[test]
fn another_choice_ends_the_one_before_and_the_same_key_again_is_no_other() {
    let mut run = started();
    run.pass(SECOND * 3);
    let before = run.events.len();
    for slot in [7, 7, 31] {
        run.device.choose(slot);
        run.pass(SECOND);
    }
    let told: Vec<&DeviceEvent> = run.events.iter().skip(before).map(|(_, event)| event).collect();
    let chosen = |slot: &str, price| DeviceEvent::Chosen { slot: Some(slot.into()), price: Some(price) };
    assert_eq!(told, [&chosen("7", 350), &DeviceEvent::ChoiceEnded, &chosen("A1", 500)]);
    // A slot that cannot be sold ends it, too: the machine is told to let go.
    run.device.choose(99);
    run.pass(SECOND);
    assert_eq!((&run.events.last().unwrap().1, run.device.cancelled()), (&DeviceEvent::ChoiceEnded, 1));
}

#[test]
fn a_machine_that_does_not_ask_is_told_once_and_comes_back_by_itself() {
    let mut machine = machine();
    machine.power_off(false);
    let mut run = Run::new(Xy::new(&spec()), machine, 1, Wire::default());
    run.pass(SECOND * 60);
    let (at, event) = run.events.first().unwrap();
    assert!(matches!(event, DeviceEvent::VendDown { reason } if reason.contains("asks for nothing")), "{event:?}");
    assert_eq!((*at, run.events.len()), (SECOND * 13, 1));
    let now = run.now;
    run.device.power_on(now);
    run.ready();
}

#[test]
fn in_thousands_of_bad_histories_no_item_falls_twice_and_nothing_is_told_wrong() {
    let mut seen = [0; 3];
    for seed in 0..2000 {
        let wire = Wire { lost: 0, garbled: 0, repeated: 0, noise: 0, delay_ms: seed % 8 };
        let mut spec = spec();
        spec.xy.check = seed % 3 != 0;
        spec.xy.vend_ms = 8000;
        let mut run = started_with(&spec, wire, seed);
        run.wire =
            Wire { lost: seed % 7 * 40, garbled: seed % 5 * 30, repeated: seed % 3 * 20, noise: seed % 4 * 30, ..wire };
        let fates =
            [Fate::Falls, Fate::Jams, Fate::NoMotor, Fate::RunsOn, Fate::BrokenOff { fell: true }, Fate::Silent];
        let mut jobs: [Vec<u64>; 2] = [Vec::new(), Vec::new()];
        for job in 1..=6 {
            let slot = run.dice.roll(2) as usize;
            let fate = fates[run.dice.roll(10) as usize % fates.len()];
            run.device.script(7 + slot as u16, if run.dice.in_thousand(500) { Fate::Falls } else { fate });
            run.give(job, ["7", "8"][slot]);
            jobs[slot].push(job);
            let pause = Duration::from_millis(run.dice.roll(4000));
            run.pass(pause);
            match run.dice.roll(12) {
                0 => {
                    let fell = run.dice.in_thousand(500);
                    run.device.power_off(fell);
                    let off = Duration::from_millis(run.dice.roll(6000));
                    run.pass(off);
                    let now = run.now;
                    run.device.power_on(now);
                }
                1 => {
                    run.unplug();
                    let out = Duration::from_millis(run.dice.roll(3000));
                    run.pass(out);
                    run.plug();
                }
                _ => {
                    let pause = Duration::from_millis(run.dice.roll(12_000));
                    run.pass(pause);
                }
            }
        }
        run.pass(SECOND * 30);
        for (place, jobs) in jobs.into_iter().enumerate() {
            let number = 7 + place as u16;
            let count = |all: &[u16]| all.iter().filter(|slot| **slot == number).count();
            for job in &jobs {
                seen[run.results(*job).first().map_or(0, |result| *result as usize)] += 1;
            }
            let (turned, fell) = (count(run.device.turned()), count(run.device.fell()));
            run.judge(seed, &Truth { slot: ["7", "8"][place], jobs, turned, fell });
        }
    }
    assert!(seen.iter().all(|count| *count > 300), "the histories prove little: {seen:?}");
}

#[test]
fn through_a_real_pty_the_machine_delivers_and_is_missed_when_it_is_unplugged() {
    let mut driven = Driven::start(machine(), Xy::new(&spec()));
    driven.is_ready();
    driven.give(1, "7");
    driven.ends(1, VendResult::Dropped);
    assert_eq!(driven.port.with(|machine, _| machine.fell().to_vec()), [7]);
    driven.port.unplug();
    driven.is_away();
    driven.port.replug().unwrap();
    driven.comes_back();
    driven.stop();
}
