//! Refunds that people ask for: how much needs a second person, who that may be, and until when.

use std::collections::BTreeMap;

use jiff::civil;

use super::world::{DAY, MINUTE, World, bare, said, two_channels, with_instalments};
use crate::channel::ChannelId;
use crate::channel::text::china;
use crate::engine::entry::{Entry, IdempotencyKey, OrderState, WhoScans};
use crate::engine::input::{Done, Input, NewOrder, RefundWanted, Refused};
use crate::engine::record::{RefundRecord, RefundStage};
use crate::engine::settings::{RefundSettings, Settings};
use crate::ids::OrderId;
use crate::money::Fen;

const WHO: WhoScans = WhoScans::BuyerScans;

fn paid_in(mut world: World) -> (World, OrderId) {
    let order = world.open(bare(1_000, WHO)).expect("it sells");
    world.run(1_000);
    world.phone_pays_by(ChannelId::Alipay).expect("a code");
    world.settle();
    assert_eq!(world.net(), 1_000);
    (world, order)
}

/// 10 yuan, paid and closed; above 3 yuan a second person is needed.
fn paid() -> (World, OrderId) {
    paid_in(World::begin(two_channels(WHO), Some(0)))
}

fn last(world: &World, order: OrderId) -> RefundRecord {
    world.record(order).refunds.last().expect("a refund").clone()
}

#[test]
fn up_to_the_limit_one_person_is_enough() {
    let (mut world, order) = paid();
    assert!(matches!(world.refund(order, Some(300)), Ok(Done::Refunding(_))), "nobody has to give a name");
    world.settle();
    assert_eq!((world.net(), last(&world, order).stage), (700, RefundStage::Done));
}

#[test]
fn above_the_limit_nothing_is_sent_before_another_person_approves() {
    let (mut world, order) = paid();
    assert_eq!(world.refund(order, Some(301)), Err(Refused::NameWanted));
    assert_eq!(world.asks_refund(order, Some(301), "  "), Err(Refused::NameWanted));
    let asked = world.asks_refund(order, Some(301), "Ann").expect("asked");
    world.settle();
    world.restart(true, 3 * DAY);
    world.run(DAY);
    assert_eq!((world.calls("refund"), world.net(), last(&world, order).stage), (0, 1_000, RefundStage::Asked));
    assert_eq!(world.record(order).state(), OrderState::Completed, "who only asks moves no money");
    assert_eq!(world.decides_refund(order, true, "Bob"), Some(Ok(asked)), "under the number that was asked for");
    world.settle();
    assert_eq!((world.net(), world.calls("refund"), last(&world, order).stage), (699, 1, RefundStage::Done));
    let decision = last(&world, order).decision.expect("decided");
    assert_eq!((decision.approved, decision.said), (true, said("Bob")));
}

#[test]
fn the_asker_and_nobody_do_not_approve() {
    let (mut world, order) = paid();
    world.asks_refund(order, None, "Ann").expect("asked");
    for by in ["Ann", " Ann ", "ANN", "A nn"] {
        assert_eq!(world.decides_refund(order, true, by), Some(Err(Refused::SamePerson(by.to_owned()))));
    }
    assert_eq!(world.decides_refund(order, true, " "), Some(Err(Refused::NameWanted)));
    world.settle();
    assert_eq!((world.net(), last(&world, order).stage), (1_000, RefundStage::Asked));
}

#[test]
fn many_small_refunds_are_one_large_one() {
    let (mut world, order) = paid();
    for left in [900, 800, 700] {
        world.refund(order, Some(100)).expect("up to the limit");
        world.settle();
        assert_eq!(world.net(), left);
    }
    assert_eq!(world.refund(order, Some(1)), Err(Refused::NameWanted));
    world.asks_refund(order, Some(1), "Ann").expect("asked");
    world.settle();
    assert_eq!(world.net(), 700);
}

#[test]
fn what_was_declined_returns_nothing_and_may_be_asked_again() {
    let (mut world, order) = paid();
    world.asks_refund(order, None, "Ann").expect("asked");
    assert_eq!(world.asks_refund(order, None, "Cid"), Err(Refused::RefundUnderWay(order)));
    let refund = last(&world, order).refund;
    assert!(matches!(world.decides_refund(order, false, "Bob"), Some(Ok(_))));
    let again = Input::RefundDecided { order, refund, approved: true, said: said("Cid") };
    world.settle();
    let entries = world.entries(order);
    world.engine.load(world.now(), &entries);
    assert_eq!(world.input(again), Err(Refused::NotAsked(refund)), "it is decided once");
    assert_eq!((world.net(), last(&world, order).stage), (1_000, RefundStage::Declined));
    world.asks_refund(order, None, "Ann").expect("asked again");
    assert!(matches!(world.decides_refund(order, true, "Bob"), Some(Ok(_))));
    world.settle();
    assert_eq!((world.net(), world.record(order).state()), (0, OrderState::Refunded));
}

#[test]
fn what_is_asked_for_is_not_returned_to_somebody_else_meanwhile() {
    let (mut world, order) = paid();
    world.asks_refund(order, Some(800), "Ann").expect("asked");
    assert_eq!(world.refund(order, Some(300)), Err(Refused::RefundUnderWay(order)));
    assert!(matches!(world.decides_refund(order, true, "Bob"), Some(Ok(_))));
    assert_eq!(world.refund(order, Some(100)), Err(Refused::RefundUnderWay(order)));
    world.settle();
    let (left, asked) = (Fen::new(200), Fen::new(300));
    assert_eq!(world.refund(order, Some(300)), Err(Refused::TooMuch { left, asked }));
    assert_eq!(world.net(), 200);
}

#[test]
fn the_same_request_asks_once() {
    let (mut world, order) = paid();
    let ask = |world: &mut World| {
        let idempotency = Some(IdempotencyKey { key: "a".to_owned(), body_sha256: "b".to_owned() });
        let entries = world.entries(order);
        world.engine.load(world.now(), &entries);
        let wanted = RefundWanted { order, amount: Some(Fen::new(500)), idempotency, said: Some(said("Ann")) };
        world.input(Input::Refund(wanted)).expect("taken")
    };
    let first = ask(&mut world);
    assert_eq!(ask(&mut world), first);
    assert!(matches!(world.decides_refund(order, true, "Bob"), Some(Ok(_))));
    world.settle();
    assert_eq!(ask(&mut world), first);
    assert_eq!(world.net(), 500);
}

#[test]
fn a_refund_that_was_approved_before_a_kill_is_sent_once_after_it() {
    let (mut world, order) = paid();
    world.asks_refund(order, None, "Ann").expect("asked");
    world.net.lose_requests = u32::MAX;
    assert!(matches!(world.decides_refund(order, true, "Bob"), Some(Ok(_))));
    world.restart(false, MINUTE);
    world.net.lose_requests = 0;
    world.settle();
    let started = |entry: &Entry| matches!(entry, Entry::RefundStarted { .. });
    assert_eq!((world.net(), world.stored.iter().filter(|stored| started(&stored.entry)).count()), (0, 1));
}

#[test]
fn after_the_window_nobody_asks_and_nobody_approves() {
    let windows_ms = BTreeMap::from([(ChannelId::Alipay, 30 * DAY)]);
    let refunds = RefundSettings { approval_above: Some(Fen::new(300)), windows_ms, instalment_window_ms: None };
    let (mut world, order) = paid_in(World::begin(Settings { refunds, ..two_channels(WHO) }, Some(0)));
    world.run(29 * DAY);
    world.asks_refund(order, None, "Ann").expect("in time");
    world.run(2 * DAY);
    let late = Refused::RefundTooLate { order, days: 30 };
    assert_eq!(
        world.decides_refund(order, true, "Bob"),
        Some(Err(late.clone())),
        "the channel would refuse it for ever"
    );
    assert!(matches!(world.decides_refund(order, false, "Bob"), Some(Ok(_))));
    assert_eq!(world.refund(order, Some(100)), Err(late));
    world.settle();
    assert_eq!(world.net(), 1_000);
}

#[test]
fn instalments_may_be_asked_back_until_midnight_of_the_fifteenth_day_in_china() {
    let refunds = RefundSettings { instalment_window_ms: Some(15 * DAY), ..RefundSettings::default() };
    let mut world = World::begin(Settings { refunds, ..with_instalments(WHO) }, Some(0));
    let order = world.open(NewOrder { periods: Some(3), ..bare(1_000, WHO) }).expect("it sells");
    world.run(1_000);
    world.phone_pays_by(ChannelId::Alipay).expect("a code");
    world.settle();
    let hour = 60 * MINUTE;
    while china(world.now().wall).time() > civil::time(1, 0, 0, 0) {
        world.run(hour);
    }
    let paid = world.record(order).attempts[0].begun;
    let days = |world: &World| china(world.now().wall).date().since(china(paid).date()).expect("days").get_days();
    while days(&world) < 15 || china(world.now().wall).hour() < 23 {
        world.run(hour);
    }
    assert!(matches!(world.refund(order, Some(100)), Ok(Done::Refunding(_))), "the last hour of the last day");
    world.run(hour);
    assert_eq!(world.refund(order, Some(100)), Err(Refused::RefundTooLate { order, days: 15 }));
}
