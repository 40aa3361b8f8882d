//! The protocol against the simulated boards: named histories, thousands of random ones, and one through a real pty.

use std::time::Duration;

use super::*;
use crate::{
    board::{ModbusMap, SlotSpec},
    sim::motor::{ReplyFate, RtuBoard, RunFate, Speech},
    vend::{
        driven::Driven,
        motor::rtu,
        runs::{Run, Truth, Wire},
    },
};

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);
const BOTH: [Speech; 2] = [Speech::Registers, Speech::Lane];

fn spec(speech: Speech) -> VendSpec {
    let slots = ["11", "12"].map(|name| SlotSpec { name: name.into(), ..SlotSpec::default() });
    let mut spec = VendSpec { slots: slots.into(), ..VendSpec::default() };
    spec.modbus.map = match speech {
        Speech::Registers => ModbusMap::Registers,
        Speech::Lane => ModbusMap::Lane,
    };
    spec
}

fn started(speech: Speech) -> Run<MotorBoard, RtuBoard> {
    let mut run = Run::new(MotorBoard::new(&spec(speech)), RtuBoard::new(speech), 1, Wire::default());
    run.ready();
    run
}

/// The orders to run that went out.
fn orders(run: &Run<MotorBoard, RtuBoard>) -> usize {
    let order = |bytes: &&Vec<u8>| bytes[1] == rtu::WRITE && bytes.len() == 8 || bytes[1] == 5 && bytes.len() == 5;
    run.sent.iter().filter(order).count()
}

fn running(run: &mut Run<MotorBoard, RtuBoard>) {
    for _ in 0..500 {
        if !run.device.turned().is_empty() {
            return;
        }
        run.pass(MS * 10);
    }
    panic!("no motor turns");
}

#[test]
fn a_paid_item_falls_and_is_told_once() {
    for speech in BOTH {
        let mut run = started(speech);
        assert_eq!(run.deliver(1, "11"), (VendResult::Dropped, None));
        assert_eq!(run.deliver(2, "12"), (VendResult::Dropped, None));
        assert_eq!(run.deliver(3, "11"), (VendResult::Dropped, None));
        run.pass(SECOND * 60);
        assert_eq!((run.device.turned(), orders(&run)), (&[11, 12, 11][..], 3));
    }
}

#[test]
fn an_empty_slot_a_jam_and_a_missing_motor_are_not_dropped_with_their_reasons() {
    for speech in BOTH {
        let mut run = started(speech);
        for (job, (fate, why)) in (1..).zip([
            (RunFate::Empty, "nothing fell"),
            (RunFate::Jams, "did not get round"),
            (RunFate::NoMotor, "no motor"),
        ]) {
            run.device.script_run(fate);
            let (result, told) = run.deliver(job, "11");
            assert_eq!(result, VendResult::NotDropped, "{fate:?}");
            assert!(told.as_deref().is_some_and(|told| told.contains(why)), "{fate:?}: {told:?}");
        }
        assert_eq!(run.deliver(9, "11").0, VendResult::Dropped);
    }
}

#[test]
fn a_late_reply_never_turns_a_motor_twice() {
    for speech in BOTH {
        for late in [100, 300, 500, 900, 1200] {
            let mut run = started(speech);
            // Looked at in time; the reply to the order comes late, and perhaps into the next question.
            run.device.script_reply(ReplyFate::Prompt);
            run.device.script_reply(ReplyFate::Late(MS * late));
            assert_eq!(run.deliver(1, "11").0, VendResult::Dropped, "{speech:?} {late} ms");
            assert_eq!((run.device.turned(), orders(&run)), (&[11][..], 1), "{speech:?} {late} ms");
        }
    }
}

#[test]
fn after_a_lost_reply_the_state_is_asked_and_the_order_is_not_repeated() {
    for speech in BOTH {
        let mut run = started(speech);
        run.device.script_reply(ReplyFate::Prompt);
        run.device.script_reply(ReplyFate::Lost);
        assert_eq!(run.deliver(1, "11").0, VendResult::Dropped);
        assert_eq!((run.device.turned(), orders(&run)), (&[11][..], 1));
    }
}

#[test]
fn after_a_missing_reply_nothing_is_sent_until_the_slowest_would_have_come() {
    for speech in BOTH {
        let mut run = started(speech);
        run.device.script_reply(ReplyFate::Prompt);
        run.device.script_reply(ReplyFate::Lost);
        run.deliver(1, "11");
        let order =
            run.sent.iter().position(|bytes| *bytes == Dialect::of(&spec(speech).modbus).request(Asked::Run(11)));
        let order = order.unwrap();
        // reply_ms and late_ms of the board file.
        assert_eq!(run.sent_at[order + 1] - run.sent_at[order], MS * 1300);
    }
}

#[test]
fn an_order_that_was_lost_itself_is_unknown_and_not_repeated() {
    for speech in BOTH {
        let mut run = started(speech);
        // Looked at, then the line dies for the order alone.
        run.give(1, "11");
        while !run.protocol.current.as_ref().is_some_and(|current| matches!(current.stage, Stage::Free { .. })) {
            run.pass(MS);
        }
        run.device.set_off(true);
        run.pass(MS * 200);
        run.device.set_off(false);
        run.pass(SECOND * 30);
        assert_eq!(run.results(1), [VendResult::Unknown], "{speech:?}");
        assert_eq!((run.device.turned().len(), orders(&run)), (0, 1));
    }
}

#[test]
fn a_reply_that_comes_twice_is_read_once() {
    for speech in BOTH {
        let mut run = started(speech);
        for _ in 0..40 {
            run.device.script_reply(ReplyFate::Twice);
        }
        assert_eq!(run.deliver(1, "11").0, VendResult::Dropped);
        run.device.script_run(RunFate::Empty);
        assert_eq!(run.deliver(2, "11").0, VendResult::NotDropped);
        assert_eq!(run.device.turned(), [11, 11]);
    }
}

#[test]
fn a_board_that_loses_its_power_in_the_middle_of_a_vend_is_unknown() {
    for speech in BOTH {
        for tipped in [true, false] {
            let mut run = started(speech);
            run.give(1, "11");
            running(&mut run);
            let now = run.now;
            run.device.power_cycle(now, tipped);
            run.pass(SECOND * 30);
            assert_eq!(run.results(1), [VendResult::Unknown], "{speech:?} {tipped}: {:?}", run.events);
            assert_eq!((run.device.turned().len(), orders(&run)), (1, 1));
        }
    }
}

#[test]
fn a_result_that_was_left_over_is_not_taken_for_this_vend_s() {
    for speech in BOTH {
        let mut run = started(speech);
        let now = run.now;
        run.device.turn_by_hand(now, 11);
        run.pass(SECOND * 5);
        run.device.script_run(RunFate::Empty);
        assert_eq!(run.deliver(1, "11").0, VendResult::NotDropped, "{speech:?}");
        assert_eq!(run.device.turned(), [11, 11]);
    }
}

#[test]
fn a_copy_of_an_old_result_is_not_read_behind_the_next_order() {
    for later in (20..950).step_by(10) {
        let mut run = started(Speech::Lane);
        let now = run.now;
        run.device.turn_by_hand(now, 11);
        // The idle board is asked once while it stands with its result; then for the job.
        run.pass(SECOND * 4);
        run.device.script_reply(ReplyFate::Again(MS * later));
        run.device.script_run(RunFate::Empty);
        assert_eq!(run.deliver(1, "11").0, VendResult::NotDropped, "{later} ms");
    }
}

#[test]
fn a_board_that_turns_already_or_does_not_answer_is_not_told_to_run() {
    for speech in BOTH {
        let mut run = started(speech);
        let now = run.now;
        run.device.turn_by_hand(now, 12);
        let (result, told) = run.deliver(1, "11");
        assert_eq!(result, VendResult::NotDropped, "{told:?}");
        run.pass(SECOND * 5);
        run.device.set_off(true);
        assert_eq!(run.deliver(2, "11").0, VendResult::NotDropped);
        assert!(matches!(run.events.last().unwrap().1, DeviceEvent::VendDown { .. }), "{:?}", run.events);
        assert_eq!((run.device.turned(), orders(&run)), (&[12][..], 0));
        run.device.set_off(false);
        run.ready();
        assert_eq!(run.deliver(3, "11").0, VendResult::Dropped);
    }
}

#[test]
fn what_is_told_to_be_wrong_is_what_is_wrong_now() {
    let mut run = started(Speech::Registers);
    for _ in 0..3 {
        run.unplug();
    }
    run.device.set_off(true);
    run.plug();
    run.pass(SECOND * 60);
    let reasons: Vec<&str> = run.events.iter().filter_map(|(_, event)| reason(event)).collect();
    assert_eq!(reasons.len(), 2, "{reasons:?}");
    assert!(reasons[0].contains("cable") && reasons[1].contains("does not answer"), "{reasons:?}");
}

fn reason(event: &DeviceEvent) -> Option<&str> {
    let DeviceEvent::VendDown { reason } = event else { return None };
    Some(reason)
}

#[test]
fn without_a_sensor_the_board_file_says_what_a_turn_means() {
    for (says, result) in [(WithoutSensor::Dropped, VendResult::Dropped), (WithoutSensor::Unknown, VendResult::Unknown)]
    {
        let mut spec = spec(Speech::Lane);
        spec.modbus.drop_sensor = false;
        spec.without_sensor = Some(says);
        let mut run = Run::new(MotorBoard::new(&spec), RtuBoard::new(Speech::Lane), 1, Wire::default());
        run.ready();
        assert_eq!(run.deliver(1, "11").0, result);
    }
}

fn random_history(seed: u64, speech: Speech) -> Run<MotorBoard, RtuBoard> {
    let mut spec = spec(speech);
    spec.modbus.vend_ms = 10_000;
    let mut run = Run::new(MotorBoard::new(&spec), RtuBoard::new(speech), seed, Wire::default());
    run.ready();
    run.wire =
        Wire { lost: seed % 5 * 30, garbled: seed % 4 * 30, repeated: 0, noise: seed % 3 * 40, delay_ms: seed % 9 };
    for job in 1..=6 {
        for _ in 0..20 {
            let fate = match run.dice.roll(16) {
                0 => ReplyFate::Lost,
                1 => ReplyFate::Twice,
                2 => ReplyFate::Late(MS * u32::try_from(run.dice.roll(1200)).unwrap()),
                _ => ReplyFate::Prompt,
            };
            run.device.script_reply(fate);
        }
        let fates = [RunFate::Empty, RunFate::Jams, RunFate::NoMotor, RunFate::Falls, RunFate::Falls, RunFate::Falls];
        let fate = fates[usize::try_from(run.dice.roll(6)).unwrap()];
        run.device.script_run(fate);
        let slot = ["11", "12"][usize::try_from(run.dice.roll(2)).unwrap()];
        run.give(job, slot);
        let pause = MS * u32::try_from(run.dice.roll(3000)).unwrap();
        run.pass(pause);
        match run.dice.roll(10) {
            0 => {
                let (now, tipped) = (run.now, run.dice.in_thousand(500));
                run.device.power_cycle(now, tipped);
            }
            1 => {
                run.unplug();
                let out = MS * u32::try_from(run.dice.roll(2000)).unwrap();
                run.pass(out);
                run.plug();
            }
            _ => {}
        }
        // The engine gives one job at a time.
        run.pass(SECOND * 30);
    }
    run
}

#[test]
fn in_thousands_of_bad_histories_no_motor_turns_twice_and_nothing_is_told_wrong() {
    let mut seen = [0; 3];
    for seed in 0..2000 {
        let run = random_history(seed, BOTH[usize::try_from(seed % 2).unwrap()]);
        for job in 1..=6 {
            assert_eq!(run.results(job).len(), 1, "seed {seed} job {job}");
            seen[run.results(job)[0] as usize] += 1;
        }
        // The scripts are per board, so the slots are judged together.
        let (turned, fell) = (run.device.turned().len(), run.device.fell().len());
        assert!(orders(&run) <= 6, "seed {seed}");
        run.judge(seed, &Truth { slot: "any", jobs: (1..=6).collect(), turned, fell });
    }
    assert!(seen.iter().all(|count| *count > 500), "the histories prove little: {seen:?}");
}

#[test]
fn through_a_real_pty_the_board_delivers_and_is_missed_when_it_is_unplugged() {
    let mut spec = spec(Speech::Registers);
    spec.modbus.late_ms = 100;
    let mut driven = Driven::start(RtuBoard::new(Speech::Registers), MotorBoard::new(&spec));
    driven.is_ready();
    driven.give(1, "11");
    driven.ends(1, VendResult::Dropped);
    assert_eq!(driven.port.with(|board, _| board.turned().to_vec()), [11]);
    driven.port.unplug();
    driven.is_away();
    driven.port.replug().unwrap();
    driven.comes_back();
    driven.stop();
}
