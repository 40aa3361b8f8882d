//! Money goes back, once, and for as long as it takes.

use super::scenes;
use super::world::{DAY, MINUTE, World, bare, basket, slot};
use crate::engine::entry::{Entry, IdempotencyKey, OrderState, RefundReason, WhoScans};
use crate::engine::input::{Done, Input, RefundWanted, Refused};
use crate::ids::OrderId;
use crate::money::Fen;

/// A bare amount, paid and closed.
fn paid(fen: i64) -> (World, OrderId) {
    let mut world = World::new(WhoScans::BuyerScans);
    let order = world.open(bare(fen, WhoScans::BuyerScans)).expect("it sells");
    world.run(200);
    world.phone_pays();
    world.settle();
    assert_eq!((world.last_state(), world.net()), (OrderState::Completed, fen));
    (world, order)
}

fn jammed() -> World {
    let mut world = World::new(WhoScans::BuyerScans);
    world.machine.jammed.insert(slot("11"));
    world.buy("11").expect("it sells");
    world.run(200);
    world
}

#[test]
fn an_operator_returns_a_part_and_the_rest_stays() {
    let (mut world, order) = paid(1_000);
    assert!(matches!(world.refund(order, Some(300)), Ok(Done::Refunding(_))));
    world.settle();
    assert_eq!((world.last_state(), world.net()), (OrderState::Refunded, 700));
    assert_eq!(world.record(order).refunds[0].reason, RefundReason::Operator);
    assert!(world.refund(order, None).is_ok(), "the rest");
    world.settle();
    assert_eq!(world.net(), 0);
}

#[test]
fn more_than_was_paid_is_not_returned() {
    let (mut world, order) = paid(1_000);
    let left = Fen::new(1_000);
    for fen in [0, -1, 1_001, i64::MAX, i64::MIN] {
        let asked = Fen::new(fen);
        assert_eq!(world.refund(order, Some(fen)), Err(Refused::TooMuch { left, asked }));
    }
    assert!(world.refund(order, Some(600)).is_ok());
    assert_eq!(world.refund(order, Some(600)), Err(Refused::RefundUnderWay(order)));
    world.settle();
    let (left, asked) = (Fen::new(400), Fen::new(600));
    assert_eq!(world.refund(order, Some(600)), Err(Refused::TooMuch { left, asked }));
    assert_eq!(world.net(), 400);
}

#[test]
fn the_same_request_returns_money_once() {
    let (mut world, order) = paid(1_000);
    let ask = |world: &mut World| {
        let entries = world.entries(order);
        world.engine.load(world.now(), &entries);
        let idempotency = Some(IdempotencyKey { key: "a".to_owned(), body_sha256: "b".to_owned() });
        let done =
            world.input(Input::Refund(RefundWanted { order, amount: Some(Fen::new(100)), idempotency, said: None }));
        world.settle();
        done.expect("taken")
    };
    assert_eq!(ask(&mut world), ask(&mut world));
    assert_eq!(world.net(), 900);
}

#[test]
fn an_unpaid_order_returns_nothing_and_one_being_delivered_waits() {
    let mut world = World::new(WhoScans::BuyerScans);
    let order = world.open(basket(&["11"], WhoScans::BuyerScans)).expect("it sells");
    world.run(200);
    assert_eq!(world.refund(order, None), Err(Refused::NotPaid(order)));
    world.phone_pays();
    world.run(3_100);
    assert_eq!(world.refund(order, None), Err(Refused::Delivering(order)));
    world.settle();
    assert_eq!(world.net(), 350);
}

#[test]
fn a_lost_refund_is_asked_after_and_sent_again_under_its_number() {
    for (requests, replies) in [(1, 0), (0, 1), (2, 2), (7, 0), (0, 7)] {
        let mut world = jammed();
        world.phone_pays();
        world.run(3_500);
        (world.net.lose_requests, world.net.lose_replies) = (requests, replies);
        world.settle();
        assert_eq!((world.last_state(), world.net()), (OrderState::Refunded, 0));
        assert_eq!(world.last_record().refunds.len(), 1);
    }
}

#[test]
fn a_refused_refund_is_owed_seen_and_tried_for_weeks() {
    let mut world = jammed();
    world.alipay.mood.refuses_refunds = true;
    world.phone_pays();
    world.run(MINUTE);
    assert_eq!(world.last_state(), OrderState::Owed);
    assert!(world.buy("12").is_ok(), "the next customer is served");
    world.phone_pays();
    let entries = world.stored.len();
    let mut calls = world.calls("refund");
    for week in 0..8 {
        world.run(7 * DAY);
        let tried = world.calls("refund") - calls;
        assert!((100..=1_010).contains(&tried), "{tried} tries in week {week}");
        calls = world.calls("refund");
    }
    let owed = world.stored.iter().filter(|stored| matches!(stored.entry, Entry::RefundOwed { .. })).count();
    assert_eq!(owed, 1, "the journal does not grow with each try");
    assert!(world.stored.len() < entries + 12);
    world.restart(true, DAY);
    world.run(MINUTE);
    assert_eq!(world.engine.orders().next().map(|order| order.state()), Some(OrderState::Owed));
    world.alipay.mood.refuses_refunds = false;
    world.settle();
    assert_eq!(world.record(world.order_ids()[0]).state(), OrderState::Refunded);
}

#[test]
fn a_merchant_without_funds_owes_until_he_has_topped_up() {
    let mut world = jammed();
    world.alipay.mood.short_of_funds = true;
    world.phone_pays();
    world.run(MINUTE);
    assert_eq!(world.last_record().refunds[0].owed.as_deref(), Some("short_of_funds"));
    world.alipay.mood.short_of_funds = false;
    world.settle();
    assert_eq!((world.last_state(), world.net()), (OrderState::Refunded, 0));
}

#[test]
fn a_double_payment_that_was_owed_does_not_stay_owed() {
    let mut world = World::new(WhoScans::Either);
    world.alipay.mood.refuses_refunds = true;
    scenes::either_and_both_are_paid(&mut world);
    assert_eq!(world.last_state(), OrderState::Owed);
    world.alipay.mood.refuses_refunds = false;
    world.settle();
    assert_eq!((world.last_state(), world.net()), (OrderState::Refunded, 800));
}

/// A machine's delivery begins with the payment's commit; that a person hands something over stands in no entry.
#[test]
fn a_payment_after_a_cancel_goes_back_when_no_machine_delivers_restart_or_not() {
    for (who_scans, restarts) in [
        (WhoScans::BuyerScans, false),
        (WhoScans::BuyerScans, true),
        (WhoScans::Either, false),
        (WhoScans::Either, true),
    ] {
        let mut world = World::new(who_scans);
        let order = world.open(bare(1_000, who_scans)).expect("it sells");
        world.run(2_000);
        world.phone_pays();
        world.input(Input::Cancel { order }).expect("cancelled");
        world.run(1_000);
        if restarts {
            world.restart(true, 1_000);
        }
        world.settle();
        let record = world.last_record();
        assert_eq!((record.state(), world.net()), (OrderState::Refunded, 0), "{who_scans:?} {restarts} {record:#?}");
        assert_eq!(record.refunds[0].reason, RefundReason::Late);
    }
}

#[test]
fn a_payment_that_won_the_race_against_a_cancel_is_not_returned_whole_with_a_later_part() {
    let mut world = World::new(WhoScans::BuyerScans);
    scenes::pays_as_it_is_cancelled(&mut world);
    world.settle();
    let (state, paid) = (world.last_state(), world.net());
    assert_eq!(state, OrderState::Completed);
    world.run(DAY);
    world.refund(world.order_ids()[0], Some(100)).expect("a part");
    world.settle();
    assert_eq!(world.net(), paid - 100);
}
