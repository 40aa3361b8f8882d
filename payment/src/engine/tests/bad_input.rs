//! Bad input gets a clear error and changes nothing.

use super::world::{World, bare, basket, slot};
use crate::channel::Answer;
use crate::engine::effect::{CallId, JobId};
use crate::engine::entry::{Item, SlotId, VendResult, WhoScans};
use crate::engine::input::{Input, Key, NewOrder, RefundWanted, Refused};
use crate::ids::OrderId;
use crate::money::Fen;

/// Everything that could matter, as text.
fn all_of(world: &World) -> String {
    format!("{:?} {:?} {:?}", world.engine, world.stored, world.alipay)
}

fn refuse(world: &mut World, input: Input) -> Refused {
    let before = all_of(world);
    let refused = world.input(input).expect_err("it is refused");
    assert_eq!(all_of(world), before, "{refused} changed something");
    refused
}

fn refuse_order(world: &mut World, order: NewOrder) -> Refused {
    refuse(world, Input::Open(Box::new(order)))
}

#[test]
fn amounts_that_cannot_be_paid() {
    let mut world = World::new(WhoScans::Either);
    for fen in [0, -1, i64::MIN, 10_000_000_001, i64::MAX] {
        assert_eq!(refuse_order(&mut world, bare(fen, WhoScans::Either)), Refused::Amount(Fen::new(fen)));
        let mut order = basket(&["11", "12"], WhoScans::Either);
        order.items[1].price = Fen::new(fen);
        assert_eq!(refuse_order(&mut world, order), Refused::Amount(Fen::new(fen)));
    }
    let mut order = basket(&["11", "12"], WhoScans::Either);
    order.amount = Fen::new(849);
    assert!(matches!(refuse_order(&mut world, order), Refused::SumDiffers { .. }));
}

#[test]
fn orders_that_cannot_be_filled() {
    let mut world = World::new(WhoScans::Either);
    let item = |slot: Option<SlotId>| Item { slot, code: "g".to_owned(), name: "Gum".to_owned(), price: Fen::new(100) };
    let mut order = bare(100, WhoScans::Either);
    order.items = vec![item(Some(slot("99")))];
    assert_eq!(refuse_order(&mut world, order), Refused::NoSuchSlot(slot("99")));
    let mut order = bare(2_100, WhoScans::Either);
    order.items = vec![item(None); 21];
    assert_eq!(refuse_order(&mut world, order), Refused::TooManyItems(21));
    for ms in [0, 999, 7_200_001, u64::MAX] {
        let mut order = bare(100, WhoScans::Either);
        order.pay_within_ms = Some(ms);
        assert_eq!(refuse_order(&mut world, order), Refused::PayWithin(ms));
    }
}

#[test]
fn a_second_customer_waits_for_the_first() {
    let mut world = World::new(WhoScans::Either);
    let order = world.open(bare(100, WhoScans::Either)).expect("it sells");
    world.run(500);
    assert_eq!(refuse_order(&mut world, bare(200, WhoScans::Either)), Refused::Busy(order));
}

#[test]
fn orders_that_nobody_knows() {
    let mut world = World::new(WhoScans::Either);
    let order = OrderId::from_entropy([9; 16]);
    let none = Refused::NoSuchOrder(order);
    assert_eq!(refuse(&mut world, Input::Cancel { order }), none);
    assert_eq!(
        refuse(&mut world, Input::Refund(RefundWanted { order, amount: None, idempotency: None, said: None })),
        none
    );
    assert_eq!(refuse(&mut world, Input::CodeGiven { order, line: "280000000000000000".to_owned() }), none);
}

#[test]
fn lines_that_are_no_pay_code() {
    let mut world = World::new(WhoScans::Either);
    let order = world.open(bare(100, WhoScans::Either)).expect("it sells");
    world.run(500);
    for line in ["", "6901028075831", "\u{0}\u{1}", "28\n28", &"2".repeat(100_000), "https://example.org", "２８"] {
        let line = line.to_owned();
        assert_eq!(refuse(&mut world, Input::CodeGiven { order, line }), Refused::NotAPayCode);
    }
    let line = "130000000000000000".to_owned();
    assert_eq!(refuse(&mut world, Input::CodeGiven { order, line }), Refused::WalletNotTaken("WeChat Pay"));
}

#[test]
fn a_scan_that_nobody_waits_for() {
    let mut world = World::new(WhoScans::BuyerScans);
    let stored = world.stored.len();
    let line = "280000000000000000".to_owned();
    let refused = world.input(Input::Scanned(line.clone())).expect_err("nobody waits");
    assert_eq!((refused, world.stored.len(), world.calls("pay")), (Refused::NotWaiting, stored, 0));
    let order = world.open(bare(100, WhoScans::BuyerScans)).expect("it sells");
    assert_eq!(refuse(&mut world, Input::CodeGiven { order, line }), Refused::NotWaiting);
}

#[test]
fn a_paid_order_is_not_cancelled() {
    let mut world = World::new(WhoScans::BuyerScans);
    let order = world.open(basket(&["11"], WhoScans::BuyerScans)).expect("it sells");
    world.run(500);
    world.phone_pays();
    world.run(3_000);
    assert_eq!(refuse(&mut world, Input::Cancel { order }), Refused::AlreadyPaid(order));
}

#[test]
fn answers_and_jobs_that_nobody_waits_for() {
    let mut world = World::new(WhoScans::Either);
    world.buy("11").expect("it sells");
    world.run(500);
    let before = all_of(&world);
    for number in [0, 1, 99, u64::MAX] {
        world.input(Input::Answered { call: CallId(number), answer: Answer::Reachable(true) }).expect("never refused");
        let (job, result) = (JobId(number), VendResult::Dropped);
        world.input(Input::Vended { job, result, drops: None, taken: None }).expect("never refused");
    }
    assert_eq!(all_of(&world), before);
}

#[test]
fn keys_pressed_without_sense() {
    let mut world = World::new(WhoScans::Either);
    for key in [Key::Ok, Key::Cancel, Key::Digit(9), Key::Digit(255), Key::Ok, Key::Ok, Key::Cancel, Key::Cancel] {
        let _maybe = world.key(key);
    }
    for _ in 0..50 {
        world.key(Key::Digit(1)).expect("a key");
    }
    assert_eq!(world.key(Key::Ok), Err(Refused::NoSuchSlot(slot("11111111"))));
    world.settle();
    assert!(world.stored.is_empty() && world.alipay.calls.keys().all(|name| *name == "probe"));
}
