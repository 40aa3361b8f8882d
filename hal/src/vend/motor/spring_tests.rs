//! The 6-byte board: golden bytes, and the rule that silence is never answered by a second order.

use std::time::Duration;

use super::*;
use crate::{
    board::SlotSpec,
    sim::motor::{RunFate, SpringBoard},
    vend::{
        driven::Driven,
        runs::{Run, Truth, Wire},
    },
};

fn spec() -> VendSpec {
    let slots = ["1", "2"].map(|name| SlotSpec { name: name.into(), ..SlotSpec::default() });
    VendSpec { slots: slots.into(), ..VendSpec::default() }
}

fn started(seed: u64, wire: Wire) -> Run<Spring, SpringBoard> {
    let mut run = Run::new(Spring::new(&spec()), SpringBoard::default(), seed, wire);
    assert_eq!(run.events[0].1, DeviceEvent::VendReady { drops: None });
    run.pass(Duration::from_secs(2));
    run
}

#[test]
fn orders_and_replies_have_the_bytes_of_the_reference() {
    assert_eq!(order(1), [0x00, 0xFF, 0x01, 0xFE, 0xAA, 0x55]);
    assert_eq!(order(0x3A), [0x00, 0xFF, 0x3A, 0xC5, 0xAA, 0x55]);
    assert_eq!(reply(GOOD, 0, FELL), [0x00, 0x5D, 0x00, 0xAA, 0x07]);
    assert_eq!(reply(GOOD, 0, 0), [0x00, 0x5D, 0x00, 0x00, 0x5D]);
}

#[test]
fn each_reply_ends_the_job_by_what_is_certain() {
    let cases = [
        (reply(GOOD, 0, FELL), VendResult::Dropped),
        (reply(GOOD, 0, 0), VendResult::NotDropped),
        (reply(FAULT, 4, 0), VendResult::NotDropped),
        (reply(FAULT, 100, 0), VendResult::NotDropped),
        (reply(FAULT, 134, 0), VendResult::NotDropped),
        (reply(FAULT, 2, 0), VendResult::Unknown),
        (reply(FAULT, 128, 0), VendResult::Unknown),
        (reply(FAULT, 200, 0), VendResult::Unknown),
        (reply(GOOD, 0, 0x01), VendResult::Unknown),
    ];
    for (bytes, result) in cases {
        assert_eq!(read(&bytes).map(|(result, _)| result), Some(result), "{bytes:02X?}");
        assert_eq!(read(&[&[0x00, 0x5D], &bytes[..]].concat()).map(|(result, _)| result), Some(result));
        assert_eq!(read(&bytes[..4]), None);
    }
}

#[test]
fn a_lost_reply_is_unknown_and_the_motor_turns_once() {
    let mut run = started(1, Wire::default());
    run.device.lose_reply();
    let (result, told) = run.deliver(1, "1");
    assert_eq!(result, VendResult::Unknown, "{told:?}");
    assert_eq!(run.device.turned(), [1]);
    // The next order waits until the lost reply cannot come any more.
    assert_eq!(run.deliver(2, "2").0, VendResult::Dropped);
    assert_eq!(run.sent.len(), 2);
}

#[test]
fn a_reply_that_comes_after_its_job_was_given_up_is_not_the_next_job_s() {
    let spec = VendSpec { spring: crate::board::SpringSpec { vend_ms: 1200, ..Default::default() }, ..spec() };
    let mut run = Run::new(Spring::new(&spec), SpringBoard::default(), 1, Wire::default());
    run.pass(Duration::from_secs(2));
    // The reply comes after 1600 ms. The next job waits until then, and has a result of its own.
    assert_eq!(run.deliver(1, "1").0, VendResult::Unknown);
    run.device.script_run(RunFate::Empty);
    assert_eq!(run.deliver(2, "2").0, VendResult::Unknown);
    assert_eq!((run.device.turned(), run.device.fell()), (&[1, 2][..], &[1][..]));
}

#[test]
fn a_port_that_comes_back_late_does_not_shorten_the_wait_for_a_late_reply() {
    for closed_again in [false, true] {
        let mut run = started(1, Wire::default());
        run.give(1, "1");
        run.pass(Duration::from_millis(100));
        run.unplug();
        if closed_again {
            // The driver tells of every vain try to open the port.
            run.unplug();
        }
        assert_eq!(run.results(1), [VendResult::Unknown]);
        run.plug();
        // The reply to the first order says that the item fell; the second slot is empty.
        run.device.script_run(RunFate::Empty);
        assert_eq!(run.deliver(2, "2").0, VendResult::NotDropped, "closed again: {closed_again}");
        assert_eq!((run.device.turned(), run.device.fell()), (&[1, 2][..], &[1][..]));
    }
}

#[test]
fn in_thousands_of_bad_histories_no_motor_turns_twice_and_nothing_is_told_wrong() {
    let mut seen = [0; 3];
    for seed in 0..2000 {
        let wire = Wire { lost: seed % 4 * 50, garbled: seed % 3 * 50, noise: seed % 5 * 40, repeated: 0, delay_ms: 3 };
        let mut run = started(seed, wire);
        for job in 1..=5 {
            let fates = [RunFate::Falls, RunFate::Empty, RunFate::Jams, RunFate::NoMotor];
            let fate = fates[usize::try_from(run.dice.roll(4)).unwrap()];
            run.device.script_run(fate);
            run.give(job, "1");
            let pause = Duration::from_millis(run.dice.roll(2500));
            run.pass(pause);
            if run.dice.in_thousand(100) {
                run.unplug();
                run.plug();
            }
            run.pass(Duration::from_secs(45));
        }
        for job in 1..=5 {
            seen[run.results(job)[0] as usize] += 1;
        }
        let (turned, fell) = (run.device.turned().len(), run.device.fell().len());
        run.judge(seed, &Truth { slot: "1", jobs: (1..=5).collect(), turned, fell });
    }
    assert!(seen.iter().all(|count| *count > 500), "the histories prove little: {seen:?}");
}

#[test]
fn through_a_real_pty_the_board_delivers() {
    let mut driven = Driven::start(SpringBoard::default(), Spring::new(&spec()));
    driven.is_ready();
    driven.give(1, "2");
    driven.ends(1, VendResult::Dropped);
    assert_eq!(driven.port.with(|board, _| board.turned().to_vec()), [2]);
    driven.stop();
}
