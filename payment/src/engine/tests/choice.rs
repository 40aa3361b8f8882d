//! A machine with a controller of its own: it chooses, names the price, and waits exactly as long as somebody may pay.

use super::machine::FALL_MS;
use super::world::{World, bare, slot};
use crate::engine::choice::Choice;
use crate::engine::entry::{Ending, OrderState, Origin, RefundReason, WhoScans};
use crate::engine::faults::Fault;
use crate::engine::input::{Input, Refused};
use crate::engine::view::View;
use crate::money::Fen;

fn world() -> World {
    World::new(WhoScans::BuyerScans)
}

fn choice(name: &str, price: Option<i64>) -> Choice {
    Choice { slot: slot(name), price: price.map(Fen::new) }
}

fn choose(world: &mut World, name: &str, price: Option<i64>) -> Result<(), Refused> {
    world.input(Input::Chosen(choice(name, price))).map(|_| ())
}

#[test]
fn what_is_chosen_at_the_machine_is_paid_at_the_machines_price_and_delivered() {
    let mut world = world();
    choose(&mut world, "11", Some(420)).expect("it sells");
    world.run(200);
    assert!(matches!(world.view(), View::Pay { amount, .. } if amount == Fen::new(420)), "{:?}", world.view());
    world.phone_pays();
    world.settle();
    let record = world.last_record();
    assert_eq!((record.origin, record.amount, world.net()), (Origin::Machine, Fen::new(420), 420));
    assert_eq!((world.last_state(), world.turned_away), (OrderState::Completed, 0));
}

#[test]
fn a_slot_that_the_terminal_has_no_product_for_is_sold_by_its_name_and_the_machines_price() {
    let mut world = world();
    choose(&mut world, "77", Some(500)).expect("the machine knows its slots");
    assert_eq!(world.last_record().items[0].item.name, "货道 77");
    world.input(Input::ChoiceEnded).expect("never refused");
    world.settle();
    assert_eq!(choose(&mut world, "77", None), Err(Refused::NoSuchSlot(slot("77"))), "nobody knows the price");
    world.settle();
    assert_eq!((world.net(), world.turned_away), (0, 1));
}

#[test]
fn a_buyer_who_gives_up_at_the_machine_is_not_charged_and_late_money_goes_back() {
    let mut world = world();
    choose(&mut world, "11", None).expect("it sells");
    world.run(200);
    world.input(Input::ChoiceEnded).expect("never refused");
    world.phone_pays();
    world.settle();
    assert_eq!((world.net(), world.machine.begun.len(), world.turned_away), (0, 0, 0));
}

#[test]
fn a_machine_that_asks_for_another_slot_is_not_paid_for_the_one_before() {
    let mut world = world();
    choose(&mut world, "11", Some(350)).expect("it sells");
    world.run(200);
    let first = world.last_record().order;
    let second = choose(&mut world, "12", Some(500));
    world.phone_pays();
    world.settle();
    assert_eq!(world.record(first).delivered_worth(), Fen::ZERO);
    assert_eq!((world.net(), world.machine.begun.len()), (0, 0), "the phone paid what nobody waits for");
    assert_eq!((second.is_err(), world.turned_away), (true, 1), "it asks again once the first one is gone");
}

#[test]
fn the_machine_is_let_go_when_nobody_pays() {
    type End = (&'static str, fn(&mut World));
    let ends: [End; 3] = [
        ("the time runs out", |world| world.run(300_000)),
        ("the buyer presses cancel", |world| {
            world.input(Input::Key(crate::engine::input::Key::Cancel)).expect("never refused");
        }),
        ("a fault comes", |world| {
            world.input(Input::Raise(Fault::SwitchedOff)).expect("never refused");
        }),
    ];
    for (what, end) in ends {
        let mut world = world();
        choose(&mut world, "11", None).expect("it sells");
        world.run(200);
        end(&mut world);
        world.settle();
        assert_eq!((world.turned_away, world.net()), (1, 0), "{what}");
        assert_ne!(world.last_record().ending, Some(Ending::Delivered), "{what}");
    }
}

#[test]
fn a_machine_that_does_not_sell_lets_its_buyer_go_at_once() {
    let mut world = world();
    world.input(Input::Raise(Fault::Machine)).expect("never refused");
    assert_eq!(choose(&mut world, "11", None), Err(Refused::OutOfService(Fault::Machine)));
    world.settle();
    assert_eq!(world.turned_away, 1);
}

#[test]
fn somebody_who_pays_at_the_screen_is_not_disturbed_by_a_choice() {
    let mut world = world();
    world.open(bare(300, WhoScans::BuyerScans)).expect("it sells");
    let order = world.engine.order_at_machine();
    assert!(matches!(choose(&mut world, "11", None), Err(Refused::Busy(_))));
    world.run(200);
    assert_eq!((world.engine.order_at_machine(), world.turned_away), (order, 1));
}

#[test]
fn the_next_buyer_may_choose_while_the_last_one_is_thanked() {
    let mut world = world();
    choose(&mut world, "11", None).expect("it sells");
    world.run(200);
    world.phone_pays();
    world.run(3_000 + FALL_MS);
    assert!(matches!(world.view(), View::Thanks { .. }), "{:?}", world.view());
    choose(&mut world, "12", None).expect("the machine is free");
    world.run(200);
    assert_eq!(world.turned_away, 0, "nobody turns the next buyer away");
    world.phone_pays();
    world.settle();
    assert_eq!(world.machine.fallen.len(), 2);
}

#[test]
fn a_jam_gives_the_money_back_and_the_machine_is_not_told_twice() {
    let mut world = world();
    world.machine.jammed.insert(slot("11"));
    choose(&mut world, "11", None).expect("it sells");
    world.run(200);
    world.phone_pays();
    world.settle();
    assert_eq!((world.net(), world.turned_away), (0, 0));
}

#[test]
fn a_machine_that_was_never_asked_to_deliver_what_was_paid_is_let_go() {
    type Obstacle = (&'static str, fn(&mut World), fn(&mut World));
    let obstacles: [Obstacle; 2] = [
        (
            "its slot was locked meanwhile",
            |world| {
                world.input(Input::Raise(Fault::Slot(slot("11")))).expect("never refused");
                world.phone_pays();
            },
            |_| {},
        ),
        (
            "the journal kept the motor waiting",
            |world| {
                world.phone_pays();
                world.refuse_writes = true;
            },
            |world| world.refuse_writes = false,
        ),
    ];
    for (what, comes, goes) in obstacles {
        let mut world = world();
        choose(&mut world, "11", None).expect("it sells");
        world.run(200);
        comes(&mut world);
        world.run(90_000);
        goes(&mut world);
        world.settle();
        assert_eq!((world.machine.begun.len(), world.net(), world.turned_away), (0, 0, 1), "{what}");
    }
}

#[test]
fn a_machine_that_charges_less_than_was_paid_gives_change() {
    let mut world = world();
    world.charges = Some(Fen::new(200));
    world.buy("11").expect("it sells");
    world.run(200);
    world.phone_pays();
    world.run(3_000 + FALL_MS);
    let thanks = View::Thanks { amount: Fen::new(200), saved: Fen::ZERO, change: Fen::new(150) };
    assert_eq!(world.view(), thanks);
    world.settle();
    let record = world.last_record();
    assert_eq!((record.refunds[0].reason, record.refunds[0].amount), (RefundReason::Change, Fen::new(150)));
    assert_eq!((record.delivered_worth(), world.net()), (Fen::new(200), 200));
}

#[test]
fn a_machine_that_claims_too_much_took_what_was_paid() {
    for odd in [-1, 351, i64::MAX] {
        let mut world = world();
        world.charges = Some(Fen::new(odd));
        world.buy("11").expect("it sells");
        world.run(200);
        world.phone_pays();
        world.settle();
        assert_eq!((world.last_state(), world.net()), (OrderState::Completed, 350), "{odd}");
    }
}

#[test]
fn what_the_machine_sold_for_coins_is_recorded_with_its_price() {
    let mut world = world();
    world.input(Input::MachineSold(choice("11", Some(300)))).expect("it happened");
    let record = world.last_record();
    assert_eq!((record.cash, record.origin, record.ending), (Fen::new(300), Origin::Machine, Some(Ending::Delivered)));
    world.settle();
}
