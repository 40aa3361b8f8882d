//! A machine that cannot record, tell the time, deliver or reach the channel does not sell, and heals by itself.

use super::alipay::Wallet;
use super::scenes;
use super::world::{DAY, IDLE, MINUTE, World, settings, slot};
use crate::channel::ChannelId;
use crate::engine::entry::{CancelledBy, OrderState, WhoScans};
use crate::engine::faults::Fault;
use crate::engine::input::{Input, Key, Refused};
use crate::engine::settings::Settings;
use crate::engine::view::{ServiceFault, View};

const NETWORK: Fault = Fault::Network(ChannelId::Alipay);

fn world() -> World {
    World::new(WhoScans::BuyerScans)
}

fn out_of_service(reason: ServiceFault) -> View {
    View::OutOfService { reason }
}

#[test]
fn without_a_trusted_clock_nothing_is_sold_and_nothing_stays_shown() {
    let mut world = world();
    world.buy("11").expect("it sells");
    world.run(1_000);
    assert!(world.code_on_screen().is_some());
    world.trusted = false;
    world.run(5_000);
    assert_eq!(world.code_on_screen(), None);
    assert_eq!(world.last_record().cancelled, Some(CancelledBy::Fault));
    world.run(MINUTE);
    assert_eq!(world.buy("11"), Err(Refused::OutOfService(Fault::Clock)));
    assert_eq!(world.view(), out_of_service(ServiceFault::Clock));
    world.trusted = true;
    world.input(Input::Timer).expect("never refused");
    world.settle();
    assert!(world.buy("11").is_ok());
}

#[test]
fn without_a_trusted_clock_no_call_leaves_and_all_go_on_when_it_is_right() {
    let mut world = world();
    world.buy("11").expect("it sells");
    world.run(1_000);
    world.trusted = false;
    world.input(Input::Timer).expect("never refused");
    let before = world.alipay.calls.len();
    world.run(DAY);
    assert_eq!(world.alipay.calls.len(), before, "a call left with a time that is not trusted");
    assert_eq!(world.engine.faults().collect::<Vec<_>>(), [&Fault::Clock], "a call that waits is no lost call");
    assert_eq!(world.last_record().cancelled, Some(CancelledBy::Fault));
    world.trusted = true;
    world.input(Input::Timer).expect("never refused");
    world.settle();
    assert_eq!((world.last_state(), world.net()), (OrderState::Failed, 0));
    assert_eq!(world.engine.faults().next(), None);
}

#[test]
fn a_machine_that_starts_without_the_time_asks_nobody_until_it_has_it() {
    let mut world = world();
    world.buy("11").expect("it sells");
    world.run(1_000);
    world.phone_pays();
    world.trusted = false;
    let before = world.alipay.calls.len();
    world.restart(false, 2_000);
    world.run(MINUTE);
    assert_eq!(world.alipay.calls.len(), before, "a call left with a time that is not trusted");
    assert_eq!(world.view(), out_of_service(ServiceFault::Clock));
    world.trusted = true;
    world.input(Input::Timer).expect("never refused");
    world.settle();
    assert!(world.calls("probe") > 0);
    assert_eq!((world.last_state(), world.net()), (OrderState::Refunded, 0), "it was paid and nobody stands there");
}

#[test]
fn when_the_first_record_fails_the_order_is_forgotten_and_nothing_left() {
    let mut world = World::new(WhoScans::Either);
    world.refuse_writes = true;
    let _taken = world.buy("11");
    assert_eq!(world.engine.orders().count(), 0);
    assert_eq!((world.alipay.calls.len(), world.stored.len(), world.scanner_armed), (0, 0, false));
    assert_eq!(world.view(), out_of_service(ServiceFault::Storage));
    assert_eq!(world.buy("12"), Err(Refused::OutOfService(Fault::Storage)));
    world.run(30 * DAY);
    assert_eq!(world.view(), out_of_service(ServiceFault::Storage));
    world.refuse_writes = false;
    world.run(11 * MINUTE);
    assert_eq!(world.view(), IDLE, "it heals by itself");
    assert!(world.buy("12").is_ok());
    world.settle();
    assert_eq!((world.order_ids().len(), world.net()), (1, 0));
}

#[test]
fn when_a_later_record_fails_everything_behind_it_waits_and_heals() {
    let mut world = world();
    world.buy("11").expect("it sells");
    world.run(200);
    world.phone_pays();
    world.refuse_writes = true;
    world.run(10_000);
    assert!(world.machine.begun.is_empty(), "no motor before its record");
    world.refuse_writes = false;
    world.settle();
    assert_eq!((world.last_state(), world.net(), world.machine.begun.len()), (OrderState::Completed, 350, 1));
}

#[test]
fn a_journal_that_fails_for_weeks_piles_nothing_up() {
    let mut world = World::new(WhoScans::Either);
    world.machine.jammed.insert(slot("11"));
    world.alipay.mood.refuses_refunds = true;
    world.buy("11").expect("it sells");
    world.run(2_000);
    world.phone_pays();
    world.run(10_000);
    world.buy("12").expect("it sells");
    world.run(2_000);
    world.phone_scans();
    world.show_pay_code(Wallet::Confirms).expect("taken");
    world.run(1_000);
    world.refuse_writes = true;
    world.key(Key::Cancel).expect("cancelled");
    world.run(21 * DAY);
    let waiting = world.engine.waiting_calls().count();
    assert!(waiting <= 3, "{waiting} calls wait");
    world.refuse_writes = false;
    world.alipay.mood.refuses_refunds = false;
    world.settle();
    assert_eq!(world.net(), 0);
}

#[test]
fn a_pay_code_that_could_not_be_recorded_is_never_sent() {
    let mut world = World::new(WhoScans::MerchantScans);
    world.buy("11").expect("it sells");
    world.run(1_000);
    world.refuse_writes = true;
    let _taken = world.show_pay_code(Wallet::PaysAtOnce);
    world.run(10_000);
    world.refuse_writes = false;
    world.settle();
    assert_eq!((world.calls("pay"), world.net()), (0, 0));
    assert_eq!(world.last_state(), OrderState::Failed);
}

#[test]
fn only_a_durable_write_ends_a_storage_fault() {
    let mut world = world();
    world.refuse_writes = true;
    let _taken = world.buy("11");
    world.input(Input::Clear(Fault::Storage)).expect("never refused");
    assert_eq!(world.buy("12"), Err(Refused::OutOfService(Fault::Storage)));
}

#[test]
fn three_lost_calls_put_the_machine_out_of_service_until_a_probe_is_answered() {
    let mut world = world();
    world.buy("11").expect("it sells");
    world.run(2_000);
    world.net.down = true;
    world.run(MINUTE);
    assert!(world.engine.faults().any(|fault| *fault == NETWORK));
    assert_eq!(world.last_record().cancelled, Some(CancelledBy::Fault));
    assert_eq!(world.view(), out_of_service(ServiceFault::Network));
    assert_eq!(world.buy("11"), Err(Refused::OutOfService(NETWORK)));
    world.run(DAY);
    world.net.down = false;
    world.run(21 * MINUTE);
    assert!(world.engine.faults().next().is_none(), "it heals by itself");
    assert!(world.buy("11").is_ok());
    world.settle();
}

#[test]
fn a_machine_that_starts_without_a_network_does_not_wait_for_a_customer_to_find_out() {
    let mut world = world();
    world.net.down = true;
    world.restart(false, 2_000);
    world.run(MINUTE);
    assert_eq!(world.view(), out_of_service(ServiceFault::Network));
    assert_eq!(world.buy("11"), Err(Refused::OutOfService(NETWORK)));
    world.net.down = false;
    world.run(2 * MINUTE);
    assert_eq!(world.view(), IDLE);
}

#[test]
fn an_idle_machine_heals_by_its_probe() {
    let mut world = world();
    world.net.down = true;
    world.buy("11").expect("it sells");
    world.run(10 * MINUTE);
    assert!(world.engine.orders().next().is_none(), "no code was ever shown");
    assert!(world.engine.faults().any(|fault| *fault == NETWORK));
    world.net.down = false;
    world.run(21 * MINUTE);
    assert!(world.calls("probe") > 0 && world.engine.faults().next().is_none());
}

#[test]
fn a_refused_set_up_stops_the_sale_and_is_tried_again() {
    let mut world = World::new(WhoScans::Either);
    // An older order is still being watched: its answers say nothing about the set-up.
    world.buy("11").expect("it sells");
    world.run(91_000);
    world.alipay.mood.refuses_setup = true;
    world.run(6_000);
    world.buy("11").expect("it sells");
    world.run(2_000);
    assert_eq!(world.last_state(), OrderState::Failed);
    let setup = Fault::Setup(ChannelId::Alipay);
    assert_eq!(world.engine.faults().collect::<Vec<_>>(), [&setup]);
    world.run(30_000);
    assert_eq!(world.view(), out_of_service(ServiceFault::Setup));
    world.alipay.mood.refuses_setup = false;
    world.run(11 * MINUTE);
    assert!(world.buy("11").is_ok(), "somebody mended it: {:?}", world.engine.faults().collect::<Vec<_>>());
    world.settle();
}

#[test]
fn without_a_scanner_only_the_screen_sells() {
    let mut world = World::new(WhoScans::MerchantScans);
    world.input(Input::Raise(Fault::Scanner)).expect("never refused");
    assert_eq!(world.buy("11"), Err(Refused::NoScanner));
    let mut world = World::new(WhoScans::Either);
    world.buy("11").expect("it sells");
    world.run(1_000);
    world.input(Input::Raise(Fault::Scanner)).expect("never refused");
    assert!(!world.scanner_armed && world.code_on_screen().is_some());
    world.input(Input::Clear(Fault::Scanner)).expect("never refused");
    assert!(world.scanner_armed);
}

#[test]
fn without_a_display_a_pay_code_still_buys() {
    let mut world = World::new(WhoScans::Either);
    world.input(Input::Raise(Fault::Display)).expect("never refused");
    scenes::pays_by_code_at_once(&mut world);
    world.settle();
    assert_eq!((world.last_state(), world.net(), world.machine.begun.len()), (OrderState::Completed, 500, 1));
}

#[test]
fn a_technician_switches_selling_off_and_on() {
    let mut world = world();
    world.input(Input::Raise(Fault::SwitchedOff)).expect("never refused");
    assert_eq!(world.buy("11"), Err(Refused::OutOfService(Fault::SwitchedOff)));
    world.input(Input::Clear(Fault::SwitchedOff)).expect("never refused");
    world.settle();
    assert!(world.buy("11").is_ok());
}

#[test]
fn a_printer_without_paper_stops_sales_only_where_the_board_wants_receipts() {
    for required in [false, true] {
        let mut world =
            World::begin(Settings { printer_required: required, ..settings(WhoScans::BuyerScans) }, Some(0));
        world.run(2_000);
        world.input(Input::Raise(Fault::Printer)).expect("never refused");
        assert_eq!(world.buy("11").is_err(), required);
        world.input(Input::Clear(Fault::Printer)).expect("never refused");
        world.settle();
        assert!(world.buy("11").is_ok());
    }
}
