//! What was paid falls, one item at a time; what does not fall is paid back.

use super::machine::FALL_MS;
use super::scenes;
use super::world::{World, bare, basket, slot};
use crate::engine::entry::{Entry, OrderState, RefundReason, Stored, VendResult, WhoScans};
use crate::engine::faults::Fault;
use crate::engine::input::{Input, Refused};
use crate::engine::view::{MoneyWord, SorryWhat, View};
use crate::money::Fen;

fn world() -> World {
    World::new(WhoScans::BuyerScans)
}

#[test]
fn two_items_fall_one_after_the_other() {
    let mut world = world();
    world.open(basket(&["11", "12"], WhoScans::BuyerScans)).expect("it sells");
    world.run(200);
    world.phone_pays();
    world.run(3_000);
    assert!(matches!(world.view(), View::Delivering { item: 1, of: 2, .. }), "{:?}", world.view());
    assert_eq!(world.machine.begun.len(), 1);
    world.run(FALL_MS);
    assert!(matches!(world.view(), View::Delivering { item: 2, of: 2, .. }), "{:?}", world.view());
    world.settle();
    assert_eq!((world.last_state(), world.net(), world.machine.fallen.len()), (OrderState::Completed, 850, 2));
}

#[test]
fn a_jam_is_refunded_for_exactly_what_did_not_fall() {
    let mut world = world();
    scenes::two_items_and_one_jams(&mut world);
    let record = world.last_record();
    assert_eq!(record.refunds[0].amount, Fen::new(500));
    assert_eq!(record.refunds[0].reason, RefundReason::Undelivered);
    world.settle();
    assert_eq!((world.last_state(), world.net()), (OrderState::Refunded, 350 + 800));
    assert_eq!(world.buy("12"), Err(Refused::SlotBlocked(slot("12"))));
    assert!(world.technician_clears("12"));
    world.settle();
    assert!(world.buy("12").is_ok(), "repaired");
}

#[test]
fn the_buyer_is_told_what_happens_to_the_money() {
    let mut world = world();
    world.machine.jammed.insert(slot("11"));
    world.buy("11").expect("it sells");
    world.run(200);
    world.phone_pays();
    world.run(3_000 + FALL_MS);
    let View::Sorry { what: SorryWhat::NotDelivered, money: MoneyWord::BeingRefunded, amount, .. } = world.view()
    else {
        panic!("{:?}", world.view());
    };
    assert_eq!(amount, Fen::new(350));
}

#[test]
fn a_slot_that_breaks_before_its_turn_is_not_tried() {
    let mut world = world();
    world.open(basket(&["11", "12"], WhoScans::BuyerScans)).expect("it sells");
    world.run(200);
    world.phone_pays();
    world.run(3_000);
    world.input(Input::Raise(Fault::Slot(slot("12")))).expect("never refused");
    world.settle();
    assert_eq!((world.machine.begun.len(), world.net()), (1, 350));
}

#[test]
fn a_machine_that_goes_down_gives_the_rest_back() {
    let mut world = world();
    world.open(basket(&["11", "12"], WhoScans::BuyerScans)).expect("it sells");
    world.run(200);
    world.phone_pays();
    world.run(3_000);
    world.input(Input::Raise(Fault::Machine)).expect("never refused");
    world.settle();
    assert_eq!((world.last_state(), world.net()), (OrderState::Refunded, 350));
    assert_eq!(world.buy("11"), Err(Refused::OutOfService(Fault::Machine)));
    assert!(world.open(bare(100, WhoScans::BuyerScans)).is_ok(), "a bare amount needs no machine");
}

#[test]
fn a_machine_that_is_back_in_a_moment_is_waited_for() {
    let mut world = world();
    world.open(basket(&["11", "12"], WhoScans::BuyerScans)).expect("it sells");
    world.run(200);
    world.phone_pays();
    world.run(3_000);
    world.input(Input::Raise(Fault::Machine)).expect("never refused");
    world.run(3_000);
    assert_eq!((world.machine.fallen.len(), world.last_record().refunds.len()), (1, 0));
    world.input(Input::Clear(Fault::Machine)).expect("never refused");
    assert_eq!(world.machine.begun.len(), 2, "at once");
    world.settle();
    assert_eq!((world.last_state(), world.net()), (OrderState::Completed, 850));
}

#[test]
fn goods_that_were_paid_before_a_kill_fall_after_it_and_are_counted() {
    let mut world = world();
    world.machine.counter = Some(41);
    world.buy("11").expect("it sells");
    world.run(200);
    world.phone_pays();
    world.restart(true, 1_000);
    world.settle();
    assert_eq!((world.last_state(), world.net()), (OrderState::Completed, 350));
    let counted = |stored: &Stored| matches!(stored.entry, Entry::VendStarted { drops_before: Some(41), .. });
    assert!(world.stored.iter().any(counted), "{:?}", world.stored);
}

#[test]
fn a_payment_of_another_amount_delivers_nothing() {
    let mut world = world();
    world.alipay.mood.tells_wrong_amounts = true;
    world.buy("11").expect("it sells");
    world.run(200);
    world.phone_pays();
    world.run(600_000);
    assert!(world.machine.begun.is_empty());
    assert_eq!(world.last_state(), OrderState::Cancelling);
    world.alipay.mood.tells_wrong_amounts = false;
    world.settle();
    assert_eq!((world.last_state(), world.net()), (OrderState::Refunded, 0));
}

#[test]
fn an_interrupted_vend_without_a_sensor_is_paid_back() {
    let mut world = World::with_counter(WhoScans::BuyerScans, None);
    world.buy("11").expect("it sells");
    world.run(200);
    world.phone_pays();
    world.run(3_000);
    world.restart(true, 2_000);
    world.settle();
    assert_eq!((world.last_state(), world.net()), (OrderState::Refunded, 0));
    assert_eq!(world.machine.begun.len(), 1, "recovery starts no motor");
}

#[test]
fn an_interrupted_vend_with_a_sensor_is_told_by_it() {
    for (goes_on, net) in [(true, 350), (false, 0)] {
        let mut world = world();
        world.buy("11").expect("it sells");
        world.run(200);
        world.phone_pays();
        world.run(3_000);
        world.restart(goes_on, 2_000);
        world.settle();
        assert_eq!((world.net(), world.machine.begun.len()), (net, 1));
        assert_eq!(world.engine.faults().count(), 0, "a killed daemon is no jam");
    }
}

#[test]
fn a_motor_that_waits_for_the_journal_too_long_does_not_turn() {
    let mut world = world();
    world.buy("11").expect("it sells");
    world.run(200);
    world.phone_pays();
    world.refuse_writes = true;
    world.run(90_000);
    assert!(matches!(world.view(), View::OutOfService { .. }), "{:?}", world.view());
    world.refuse_writes = false;
    world.settle();
    assert_eq!((world.machine.begun.len(), world.net()), (0, 0));
    let told = world
        .stored
        .iter()
        .any(|stored| matches!(stored.entry, Entry::VendEnded { result: VendResult::NotDropped, .. }));
    assert!(told && world.last_state() == OrderState::Refunded);
}
