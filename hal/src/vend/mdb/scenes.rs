//! Whole stories, each on every make of adapter and, where it matters, with and without "always idle".

use std::time::Duration;

use super::bench::{Bench, MAKES, Make, board, chosen, ended};
use crate::{
    board::MdbMode,
    event::{DeviceEvent, VendResult::*},
    sim::mdb::{
        Fault,
        vmc::{Act, VmcSpec},
    },
    vend::Job,
};

const SECOND: Duration = Duration::from_secs(1);
const READY: DeviceEvent = DeviceEvent::VendReady { drops: None };

/// A machine that selects first, ready for its first customer.
fn select_first(vmc: VmcSpec, play: impl Fn(Make, &mut Bench)) {
    for make in MAKES {
        for always_idle in [true, false] {
            if always_idle && !make.can_idle() {
                continue;
            }
            let spec = board(make, MdbMode::SelectFirst, always_idle);
            let mut bench = Bench::new(make, &spec, VmcSpec { always_idle, ..vmc.clone() }, 1);
            bench.until(&READY);
            bench.until_open();
            play(make, &mut bench);
        }
    }
}

/// Asks for item 5, and the order stands on the screen.
fn choose(bench: &mut Bench) {
    bench.act(Act::Select(5));
    bench.until(&chosen("5", 350));
}

pub(super) fn given(bench: &mut Bench) -> usize {
    bench.vmc().ledger().given.len()
}

pub(super) fn assert_ends(bench: &Bench, endings: &[(u64, crate::event::VendResult, Option<i64>)]) {
    assert_eq!(bench.endings(), endings);
}

#[test]
fn a_buyer_selects_pays_and_gets_the_item_again_and_again() {
    select_first(VmcSpec::default(), |make, bench| {
        for job in 1..=3 {
            choose(bench);
            bench.run(SECOND * 20);
            bench.dispense(job, "5", 350);
            bench.until(&ended(job, Dropped, None));
            bench.until_open();
        }
        assert_eq!((given(bench), bench.approvals()), (3, 3), "{make:?}");
        assert!(bench.vmc().ledger().given.iter().all(|given| given.approved == 350));
        assert_eq!(bench.count(&DeviceEvent::ChoiceEnded), 0);
        assert_eq!(bench.vmc().ledger().garbled, 0, "{make:?}");
    });
}

#[test]
fn machines_of_every_level_and_without_an_expansion_are_served() {
    for level in 1..=3 {
        for (expansion, make) in [true, false].into_iter().flat_map(|expansion| MAKES.map(|make| (expansion, make))) {
            // A text adapter does not say what was agreed: for a machine that wants sessions the board says so.
            let spec = board(make, MdbMode::SelectFirst, make != Make::Text);
            let mut bench = Bench::new(make, &spec, VmcSpec { level, expansion, ..VmcSpec::default() }, 1);
            bench.until_open();
            choose(&mut bench);
            bench.dispense(1, "5", 350);
            bench.until(&ended(1, Dropped, None));
            assert_eq!(given(&mut bench), 1, "{make:?} level {level}");
        }
    }
}

#[test]
fn a_slot_is_found_by_its_item_number_and_an_unknown_item_is_denied() {
    let vmc = VmcSpec { items: vec![(6, 500), (99, 100)], ..VmcSpec::default() };
    select_first(vmc, |make, bench| {
        bench.act(Act::Select(99));
        bench.run(SECOND * 8);
        assert_eq!(bench.next_event(Duration::ZERO), None, "{make:?}");
        bench.until_open();
        bench.act(Act::Select(6));
        bench.until(&chosen("A6", 500));
        assert_eq!(bench.vmc().ledger().requests, 2);
    });
}

#[test]
fn whoever_cancels_while_paying_gets_nothing_and_pays_nothing() {
    select_first(VmcSpec::default(), |make, bench| {
        choose(bench);
        bench.run(SECOND * 5);
        bench.act(Act::Cancel);
        bench.until(&DeviceEvent::ChoiceEnded);
        bench.dispense(1, "5", 350);
        bench.until(&ended(1, NotDropped, None));
        bench.run(SECOND * 60);
        assert_eq!((given(bench), bench.approvals()), (0, 0), "{make:?}");
        bench.until_open();
        choose(bench);
    });
}

#[test]
fn a_machine_that_gives_up_before_the_time_that_it_was_told_ends_the_choice() {
    for gives_up_by_failure in [true, false] {
        let vmc = VmcSpec { patience: SECOND * 20, gives_up_by_failure, ..VmcSpec::default() };
        select_first(vmc, |make, bench| {
            choose(bench);
            bench.until(&DeviceEvent::ChoiceEnded);
            bench.dispense(1, "5", 350);
            bench.run(SECOND * 30);
            assert_ends(bench, &[(1, NotDropped, None)]);
            assert_eq!((given(bench), bench.approvals()), (0, 0), "{make:?}");
        });
    }
}

#[test]
fn a_machine_without_patience_of_its_own_is_answered_in_time() {
    let vmc = VmcSpec { patience: SECOND * 600, ..VmcSpec::default() };
    select_first(vmc, |make, bench| {
        choose(bench);
        let asked = bench.now;
        bench.until(&DeviceEvent::ChoiceEnded);
        let waited = bench.now - asked;
        assert!(waited > SECOND * 115 && waited < SECOND * 120, "{make:?} {waited:?}");
        bench.until_open();
        assert_eq!(bench.approvals(), 0);
    });
}

#[test]
fn who_is_turned_away_is_denied_and_the_machine_is_free_for_the_next() {
    select_first(VmcSpec::default(), |make, bench| {
        choose(bench);
        bench.want(Job::TurnAway);
        bench.until_open();
        bench.dispense(1, "5", 350);
        assert_ends(bench, &[(1, NotDropped, None)]);
        choose(bench);
        bench.dispense(2, "5", 350);
        bench.until(&ended(2, Dropped, None));
        assert_eq!((given(bench), bench.approvals()), (1, 1), "{make:?}");
    });
}

#[test]
fn an_item_that_does_not_fall_is_returned() {
    select_first(VmcSpec::default(), |make, bench| {
        bench.act(Act::Jam);
        choose(bench);
        bench.dispense(1, "5", 350);
        bench.until(&ended(1, NotDropped, None));
        assert_eq!((given(bench), bench.approvals()), (0, 1), "{make:?}");
        bench.until_open();
    });
}

#[test]
fn a_success_that_is_told_twice_counts_once() {
    select_first(VmcSpec { success_twice: true, ..VmcSpec::default() }, |make, bench| {
        choose(bench);
        bench.dispense(1, "5", 350);
        bench.until(&ended(1, Dropped, None));
        bench.run(SECOND * 30);
        assert_ends(bench, &[(1, Dropped, None)]);
        assert_eq!(bench.vmc().ledger().resets, 0, "{make:?}");
        bench.until_open();
    });
}

#[test]
fn a_success_that_comes_late_still_counts() {
    select_first(VmcSpec { motor: SECOND * 100, ..VmcSpec::default() }, |make, bench| {
        choose(bench);
        bench.dispense(1, "5", 350);
        bench.until(&ended(1, Dropped, None));
        assert_eq!(given(bench), 1, "{make:?}");
    });
}

#[test]
fn after_an_approval_silence_ends_unknown_and_not_before_its_time() {
    select_first(VmcSpec { motor: SECOND * 300, ..VmcSpec::default() }, |make, bench| {
        choose(bench);
        bench.dispense(1, "5", 350);
        let approved = bench.now;
        bench.until(&ended(1, Unknown, None));
        assert_eq!(bench.now - approved, SECOND * 120, "{make:?}");
        bench.run(SECOND * 300);
        assert_ends(bench, &[(1, Unknown, None)]);
        assert_eq!(given(bench), 1);
    });
}

#[test]
fn a_dispense_that_is_not_what_the_machine_asks_for_is_never_approved() {
    select_first(VmcSpec::default(), |make, bench| {
        bench.dispense(1, "5", 350);
        choose(bench);
        for (job, slot, price) in [(2, "5", 300), (3, "A6", 350), (4, "7", 120), (5, "5", 0), (6, "5", -350)] {
            bench.dispense(job, slot, price);
        }
        bench.run(SECOND * 10);
        assert_eq!(bench.approvals(), 0, "{make:?}");
        // The one who stands there may still pay.
        bench.dispense(7, "5", 350);
        bench.dispense(8, "5", 350);
        bench.until(&ended(7, Dropped, None));
        let refused: Vec<u64> = bench.endings().iter().filter(|end| end.1 == NotDropped).map(|end| end.0).collect();
        assert_eq!(refused, [1, 2, 3, 4, 5, 6, 8]);
        assert_eq!((given(bench), bench.approvals()), (1, 1));
    });
}

#[test]
fn a_reset_while_paying_ends_the_choice_and_the_machine_comes_back() {
    select_first(VmcSpec::default(), |make, bench| {
        choose(bench);
        bench.act(Act::Reset);
        bench.until(&DeviceEvent::ChoiceEnded);
        bench.dispense(1, "5", 350);
        bench.until(&ended(1, NotDropped, None));
        bench.until_open();
        choose(bench);
        assert_eq!(bench.approvals(), 0, "{make:?}");
        assert!(!bench.events.iter().any(|(_, event)| matches!(event, DeviceEvent::VendDown { .. })), "{make:?}");
    });
}

#[test]
fn a_reset_while_the_motor_turns_ends_unknown() {
    select_first(VmcSpec::default(), |make, bench| {
        choose(bench);
        bench.dispense(1, "5", 350);
        bench.run(SECOND);
        bench.act(Act::Reset);
        bench.until(&ended(1, Unknown, None));
        bench.until_open();
        assert_eq!((given(bench), bench.approvals()), (1, 1), "{make:?}");
        assert_ends(bench, &[(1, Unknown, None)]);
    });
}

#[test]
fn an_approval_that_is_lost_on_the_way_is_never_sent_again() {
    select_first(VmcSpec::default(), |make, bench| {
        choose(bench);
        let now = bench.now;
        bench.adapter().fault(now, Fault::LoseIn);
        bench.dispense(1, "5", 350);
        bench.run(SECOND * 300);
        assert_eq!((given(bench), bench.approvals()), (0, 0), "{make:?}");
        // A text adapter is the reader: when the machine gives up, it says that it took the request back.
        let ending = if make == Make::Text { NotDropped } else { Unknown };
        assert_ends(bench, &[(1, ending, None)]);
    });
}

#[test]
fn an_approval_whose_ack_is_lost_is_one_approval() {
    select_first(VmcSpec::default(), |make, bench| {
        choose(bench);
        bench.act(Act::LoseAck);
        bench.dispense(1, "5", 350);
        bench.until(&ended(1, Dropped, None));
        bench.run(SECOND * 20);
        assert_eq!((given(bench), bench.vmc().ledger().approvals), (1, 1), "{make:?}");
    });
}

#[test]
fn a_cable_that_is_pulled_ends_everything_and_is_told_once() {
    select_first(VmcSpec::default(), |make, bench| {
        choose(bench);
        bench.unplug();
        bench.until(&DeviceEvent::ChoiceEnded);
        bench.unplug();
        bench.dispense(1, "5", 350);
        bench.plug();
        bench.until(&READY);
        bench.until_open();
        choose(bench);
        bench.dispense(2, "5", 350);
        bench.run(SECOND);
        bench.unplug();
        assert_ends(bench, &[(1, NotDropped, None), (2, Unknown, None)]);
        let downs = bench.events.iter().filter(|(_, event)| matches!(event, DeviceEvent::VendDown { .. })).count();
        assert_eq!(downs, 2, "{make:?}");
    });
}

#[test]
fn an_adapter_that_reboots_in_the_middle_is_set_up_again() {
    select_first(VmcSpec::default(), |make, bench| {
        choose(bench);
        bench.dispense(1, "5", 350);
        bench.run(SECOND);
        let now = bench.now;
        bench.adapter().fault(now, Fault::Reboot);
        bench.run(SECOND * 300);
        assert_eq!(bench.endings().len(), 1, "{make:?}");
        bench.until_open();
        choose(bench);
        bench.dispense(2, "5", 350);
        bench.until(&ended(2, Dropped, None));
    });
}

#[test]
fn a_machine_that_switches_us_off_for_a_moment_is_no_trouble_and_for_longer_it_is() {
    select_first(VmcSpec::default(), |make, bench| {
        bench.act(Act::Disable);
        bench.run(SECOND * 8);
        bench.act(Act::Enable);
        bench.run(SECOND * 30);
        assert_eq!(bench.next_event(Duration::ZERO), None, "{make:?}");
        bench.act(Act::Disable);
        bench.run(SECOND * 40);
        let event = bench.next_event(Duration::ZERO);
        assert!(
            matches!(&event, Some(DeviceEvent::VendDown { reason }) if reason.contains("service menu")),
            "{event:?}"
        );
        bench.act(Act::Enable);
        bench.until(&READY);
        bench.until_open();
    });
}

#[test]
fn being_switched_off_while_paying_denies_the_buyer() {
    select_first(VmcSpec::default(), |make, bench| {
        choose(bench);
        bench.act(Act::Disable);
        bench.until(&DeviceEvent::ChoiceEnded);
        bench.dispense(1, "5", 350);
        bench.run(SECOND * 10);
        assert_ends(bench, &[(1, NotDropped, None)]);
        assert_eq!(bench.approvals(), 0, "{make:?}");
    });
}

#[test]
fn being_switched_off_while_the_motor_turns_waits_for_the_item() {
    select_first(VmcSpec::default(), |make, bench| {
        choose(bench);
        bench.dispense(1, "5", 350);
        bench.run(SECOND);
        bench.act(Act::Disable);
        bench.until(&ended(1, Dropped, None));
        assert_eq!(given(bench), 1, "{make:?}");
    });
}

#[test]
fn an_adapter_without_a_machine_is_reported_with_what_to_do() {
    for make in [Make::Text, Make::Hex] {
        let spec = board(make, MdbMode::SelectFirst, true);
        let mut bench = Bench::new(make, &spec, VmcSpec::default(), 3);
        bench.vmc().plan(Duration::ZERO, Act::PowerOff(100));
        let event = bench.next_event(SECOND * 60);
        assert!(matches!(&event, Some(DeviceEvent::VendDown { reason }) if reason.contains("MDB cable")), "{event:?}");
        bench.until(&READY);
    }
}

#[test]
fn an_adapter_that_says_nothing_is_reported_with_what_to_do() {
    let spec = board(Make::Text, MdbMode::SelectFirst, true);
    let mut controller = super::controller(&spec);
    use crate::vend::bus::Protocol;
    controller.opened(Duration::ZERO);
    let mut now = Duration::ZERO;
    let reason = loop {
        if let Some(DeviceEvent::VendDown { reason }) = controller.happened() {
            break reason;
        }
        while controller.to_send().is_some() {}
        now = controller.due().unwrap();
        controller.woken(now);
    };
    assert!(now < SECOND * 20 && reason.contains("does not answer"), "{now:?} {reason}");
}

#[test]
fn noise_on_the_line_changes_nothing() {
    select_first(VmcSpec::default(), |make, bench| {
        if make == Make::HexBlind {
            // Bytes without a checksum: nothing tells noise from a message.
            return;
        }
        let noise = |bench: &mut Bench| {
            let now = bench.now;
            bench.adapter().fault(now, Fault::Noise);
            bench.run(SECOND);
        };
        noise(bench);
        choose(bench);
        noise(bench);
        bench.dispense(1, "5", 350);
        noise(bench);
        bench.until(&ended(1, Dropped, None));
    });
}

#[test]
fn a_sale_for_coins_is_told_once() {
    select_first(VmcSpec::default(), |make, bench| {
        bench.act(Act::Cash(6));
        let slot = Some("A6".to_owned());
        bench.until(&DeviceEvent::CashSold { slot, price: 500 });
        bench.run(SECOND * 20);
        bench.act(Act::Cash(6));
        bench.run(SECOND * 20);
        let sold = bench.events.iter().filter(|(_, event)| matches!(event, DeviceEvent::CashSold { .. })).count();
        assert_eq!((sold, bench.vmc().ledger().cash), (2, 2), "{make:?}");
    });
}

#[test]
fn at_a_scale_of_jiao_a_price_in_fen_is_refused() {
    for make in [Make::Text, Make::Hex, Make::HexBlind, Make::HexText] {
        let mut spec = board(make, MdbMode::SelectFirst, true);
        spec.mdb.scale = 10;
        let vmc = VmcSpec { items: vec![(5, 35)], ..VmcSpec::default() };
        let mut bench = Bench::new(make, &spec, vmc.clone(), 4);
        bench.until_open();
        choose(&mut bench);
        bench.dispense(1, "5", 355);
        bench.dispense(2, "5", 350);
        bench.until(&ended(2, Dropped, None));
        assert_eq!(bench.endings()[0], (1, NotDropped, None));
        assert_eq!(bench.vmc().ledger().given[0].approved, 35, "{make:?}");

        let mut spec = board(make, MdbMode::PayFirst, true);
        spec.mdb.scale = 10;
        let mut bench = Bench::new(make, &spec, vmc, 4);
        bench.run(SECOND * 5);
        bench.dispense(1, "C5", 355);
        bench.run(SECOND);
        assert_ends(&bench, &[(1, NotDropped, None)]);
        assert_eq!(bench.vmc().credit(), None, "{make:?}");
    }
}

#[test]
fn nobody_knows_what_became_of_a_vend_before_the_daemon_started() {
    select_first(VmcSpec::default(), |_, bench| {
        bench.want(Job::Inspect { job: 9, drops_before: None });
        assert_ends(bench, &[(9, Unknown, None)]);
    });
}
