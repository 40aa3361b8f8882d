//! Stories of machines that show a credit, each on every make of adapter.

use std::time::Duration;

use super::{
    bench::{Bench, MAKES, Make, board, ended},
    scenes::{assert_ends, given},
};
use crate::{
    board::MdbMode,
    event::{DeviceEvent, VendResult::*},
    sim::mdb::vmc::{Act, VmcSpec},
};

const SECOND: Duration = Duration::from_secs(1);
const READY: DeviceEvent = DeviceEvent::VendReady { drops: None };

/// A machine that shows a credit, enabled.
fn pay_first(vmc: VmcSpec, play: impl Fn(Make, &mut Bench)) {
    for make in MAKES {
        let mut bench = Bench::new(make, &board(make, MdbMode::PayFirst, true), vmc.clone(), 2);
        bench.until(&READY);
        bench.run(SECOND * 5);
        play(make, &mut bench);
    }
}

#[test]
fn a_credit_is_shown_spent_in_part_and_the_machine_says_how_much_it_took() {
    pay_first(VmcSpec::default(), |make, bench| {
        for job in 1..=3 {
            bench.dispense(job, "C5", 500);
            bench.until_open();
            assert_eq!(bench.vmc().credit(), Some(500), "{make:?}");
            bench.act(Act::Select(5));
            bench.until(&ended(job, Dropped, Some(350)));
            bench.run(SECOND * 20);
            assert_eq!(bench.vmc().credit(), None, "{make:?}");
        }
        assert_eq!((given(bench), bench.approvals()), (3, 3), "{make:?}");
    });
}

#[test]
fn a_credit_is_given_for_one_item_even_where_the_machine_would_sell_more() {
    pay_first(VmcSpec { multivend: true, ..VmcSpec::default() }, |make, bench| {
        bench.dispense(1, "C5", 500);
        bench.until_open();
        bench.act(Act::Select(7));
        bench.until(&ended(1, Dropped, Some(120)));
        bench.act(Act::Select(7));
        bench.run(SECOND * 30);
        assert_eq!((given(bench), bench.approvals(), bench.vmc().credit()), (1, 1, None), "{make:?}");
    });
}

#[test]
fn more_than_was_paid_is_denied_and_less_may_follow() {
    pay_first(VmcSpec { ignores_credit: true, ..VmcSpec::default() }, |make, bench| {
        bench.dispense(1, "C2", 200);
        bench.until_open();
        bench.act(Act::Select(6));
        bench.run(SECOND * 5);
        assert_eq!((bench.approvals(), bench.vmc().ledger().requests), (0, 1), "{make:?}");
        bench.until_open();
        bench.act(Act::Select(7));
        bench.until(&ended(1, Dropped, Some(120)));
    });
}

#[test]
fn nobody_who_selects_within_the_time_gets_the_money_back() {
    pay_first(VmcSpec::default(), |make, bench| {
        bench.dispense(1, "C5", 500);
        bench.until_open();
        let shown = bench.now;
        bench.until(&ended(1, NotDropped, None));
        assert!(bench.now - shown < SECOND * 62, "{make:?}");
        bench.act(Act::Select(5));
        bench.run(SECOND * 30);
        assert_eq!((given(bench), bench.approvals(), bench.vmc().credit()), (0, 0, None), "{make:?}");
    });
}

#[test]
fn the_return_lever_gives_the_credit_back() {
    pay_first(VmcSpec::default(), |make, bench| {
        bench.dispense(1, "C5", 500);
        bench.until_open();
        bench.act(Act::Cancel);
        bench.until(&ended(1, NotDropped, None));
        bench.dispense(2, "C5", 500);
        bench.until_open();
        bench.act(Act::Select(6));
        bench.until(&ended(2, Dropped, Some(500)));
        assert_eq!((given(bench), bench.approvals()), (1, 1), "{make:?}");
    });
}

#[test]
fn after_a_jam_the_credit_buys_something_else() {
    pay_first(VmcSpec::default(), |make, bench| {
        bench.dispense(1, "C5", 500);
        bench.until_open();
        bench.act(Act::Jam);
        bench.act(Act::Select(5));
        bench.run(SECOND * 10);
        assert_ends(bench, &[]);
        bench.until_open();
        bench.act(Act::Select(7));
        bench.until(&ended(1, Dropped, Some(120)));
        assert_eq!((given(bench), bench.approvals()), (1, 2), "{make:?}");
    });
}

#[test]
fn a_second_credit_waits_for_nobody_and_is_refused() {
    pay_first(VmcSpec::default(), |make, bench| {
        bench.dispense(1, "C5", 500);
        bench.dispense(2, "C5", 500);
        assert_ends(bench, &[(2, NotDropped, None)]);
        bench.until_open();
        bench.act(Act::Select(6));
        bench.until(&ended(1, Dropped, Some(500)));
        assert_eq!(bench.approvals(), 1, "{make:?}");
    });
}

#[test]
fn a_credit_while_the_machine_is_switched_off_waits_for_it() {
    pay_first(VmcSpec::default(), |make, bench| {
        bench.act(Act::Disable);
        bench.run(SECOND * 3);
        bench.dispense(1, "C5", 500);
        bench.run(SECOND * 3);
        bench.act(Act::Enable);
        bench.until_open();
        bench.act(Act::Select(6));
        bench.until(&ended(1, Dropped, Some(500)));
        assert_eq!(bench.approvals(), 1, "{make:?}");
    });
}

#[test]
fn a_machine_that_dies_with_a_credit_on_its_display_gives_it_back() {
    pay_first(VmcSpec::default(), |make, bench| {
        bench.dispense(1, "C5", 500);
        bench.until_open();
        bench.act(Act::PowerOff(30));
        bench.run(SECOND * 100);
        assert_ends(bench, &[(1, NotDropped, None)]);
        assert_eq!(bench.approvals(), 0, "{make:?}");
    });
}
