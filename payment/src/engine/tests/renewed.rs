//! Refunds that end under their number without moving money, and are made again under another.

use super::world::{DAY, World, bare, said, slot, two_channels};
use crate::channel::ChannelId;
use crate::engine::entry::{Entry, IdempotencyKey, OrderState, WhoScans};
use crate::engine::input::{Done, Input, RefundWanted};
use crate::engine::record::RefundStage;
use crate::engine::view::{MoneyWord, View};
use crate::money::Fen;

const WHO: WhoScans = WhoScans::BuyerScans;

fn jammed(closes: u32) -> World {
    let mut world = World::begin(two_channels(WHO), Some(0));
    world.machine.jammed.insert(slot("11"));
    world.wechat.mood.closes_refunds = closes;
    world.buy("11").expect("it sells");
    world.run(1_000);
    world.phone_pays_by(ChannelId::Wechat).expect("a code");
    world
}

fn stages(world: &World) -> Vec<RefundStage> {
    world.last_record().refunds.iter().map(|refund| refund.stage).collect()
}

#[test]
fn a_refund_that_fails_is_owed_and_made_again_until_the_money_is_back() {
    let mut world = jammed(3);
    while !stages(&world).contains(&RefundStage::Failed) {
        world.run(1_000);
    }
    assert_eq!(world.last_state(), OrderState::Owed, "seen by who looks after the machine");
    world.settle();
    let [.., last] = stages(&world)[..] else {
        panic!("no refunds");
    };
    assert_eq!(
        (world.last_state(), world.net(), stages(&world).len(), last),
        (OrderState::Refunded, 0, 4, RefundStage::Done)
    );
    assert!(stages(&world)[..3].iter().all(|stage| *stage == RefundStage::Replaced));
}

#[test]
fn a_refund_that_failed_waits_for_its_gap_over_a_restart_too() {
    let mut world = jammed(1);
    while !stages(&world).contains(&RefundStage::Failed) {
        world.run(1_000);
    }
    world.restart(true, 1_000);
    world.run(59_000);
    assert_eq!(stages(&world), [RefundStage::Failed]);
    world.settle();
    assert_eq!((stages(&world), world.net()), (vec![RefundStage::Replaced, RefundStage::Done], 0));
}

#[test]
fn a_refund_that_fails_for_weeks_is_made_again_ever_more_rarely() {
    let mut world = jammed(u32::MAX);
    world.run(DAY);
    let made = world.last_record().refunds.len();
    assert!((8..=14).contains(&made), "{made} numbers in the first day");
    world.run(28 * DAY);
    let more = world.last_record().refunds.len() - made;
    assert!((20..=30).contains(&more), "{more} numbers in four weeks");
    world.wechat.mood.closes_refunds = 0;
    world.settle();
    assert_eq!((world.last_state(), world.net()), (OrderState::Refunded, 0));
}

#[test]
fn the_same_request_after_a_failure_learns_the_number_that_is_used_now() {
    let mut world = World::begin(two_channels(WHO), Some(0));
    let order = world.open(bare(1_000, WHO)).expect("it sells");
    world.run(1_000);
    world.phone_pays_by(ChannelId::Wechat).expect("a code");
    world.settle();
    world.wechat.mood.closes_refunds = 1;
    let ask = |world: &mut World| {
        let idempotency = Some(IdempotencyKey { key: "a".to_owned(), body_sha256: "b".to_owned() });
        let entries = world.entries(order);
        world.engine.load(world.now(), &entries);
        let wanted = RefundWanted { order, amount: Some(Fen::new(200)), idempotency, said: Some(said("Ann")) };
        world.input(Input::Refund(wanted)).expect("taken")
    };
    let first = ask(&mut world);
    world.settle();
    let second = ask(&mut world);
    let refunds = world.record(order).refunds;
    let numbers: Vec<Done> = refunds.iter().map(|refund| Done::Refunding(refund.refund)).collect();
    assert_eq!((numbers, world.net()), (vec![first, second], 800));
}

#[test]
fn an_approval_holds_for_the_number_that_takes_the_place() {
    let mut world = World::begin(two_channels(WHO), Some(0));
    let order = world.open(bare(1_000, WHO)).expect("it sells");
    world.run(1_000);
    world.phone_pays_by(ChannelId::Wechat).expect("a code");
    world.settle();
    world.wechat.mood.closes_refunds = 2;
    world.asks_refund(order, None, "Ann").expect("asked");
    assert!(matches!(world.decides_refund(order, true, "Bob"), Some(Ok(_))));
    world.settle();
    let record = world.record(order);
    let last = record.refunds.last().expect("refunds");
    assert_eq!((world.net(), last.stage, record.refunds.len()), (0, RefundStage::Done, 3));
    assert_eq!(last.decision.as_ref().map(|decision| decision.said.clone()), Some(said("Bob")));
    let decided = world.stored.iter().filter(|stored| matches!(stored.entry, Entry::RefundDecided { .. }));
    assert_eq!(decided.count(), 1);
}

/// A daemon that starts while the buyer may still stand there tells the sum once.
#[test]
fn the_screen_counts_a_refund_that_was_made_again_once() {
    let mut world = jammed(0);
    world.run(10_000);
    let View::Sorry { money, amount, .. } = world.view() else {
        panic!("{:?}", world.view());
    };
    assert_eq!((money, amount), (MoneyWord::BeingRefunded, Fen::new(350)));
    world.settle();
}

#[test]
fn the_refusal_of_a_repeat_does_not_make_another_refund_of_it() {
    let mut world = jammed(0);
    world.wechat.mood.refuses_repeats = true;
    world.net.lose_replies = 1;
    while world.last_state() != OrderState::Owed {
        assert!(world.net() > 0, "it is seen before the money moves");
        world.run(1_000);
    }
    assert_eq!(stages(&world), [RefundStage::Sent], "no other number");
    world.settle();
    assert_eq!((stages(&world), world.net()), (vec![RefundStage::Done], 0));
    assert_eq!(world.last_state(), OrderState::Refunded);
}
