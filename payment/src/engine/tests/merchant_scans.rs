//! The machine's scanner reads the buyer's pay code; and whichever happens first.

use super::alipay::Wallet;
use super::scenes;
use super::world::{MINUTE, World, bare};
use crate::channel::outcome::Why;
use crate::engine::entry::{Ending, OrderState, RefundReason, WhoScans};
use crate::engine::input::{Done, Input, Key, Refused};
use crate::engine::view::{PayTrouble, SorryWhat, View};

fn world() -> World {
    World::new(WhoScans::MerchantScans)
}

#[test]
fn a_pay_code_is_charged_at_once_and_the_goods_fall() {
    let mut world = world();
    scenes::pays_by_code_at_once(&mut world);
    world.settle();
    assert_eq!((world.last_state(), world.net()), (OrderState::Completed, 500));
    assert_eq!((world.calls("pay"), world.calls("query"), world.calls("cancel")), (1, 0, 0));
}

#[test]
fn a_buyer_who_confirms_is_asked_after_at_the_documented_pace() {
    let mut world = world();
    scenes::confirms_the_code(&mut world);
    world.settle();
    assert_eq!((world.last_state(), world.net()), (OrderState::Completed, 500));
    assert_eq!(world.calls("query"), 3, "every 4 s until confirmed");
}

#[test]
fn the_scanner_is_armed_only_while_a_code_is_wanted() {
    let mut world = world();
    assert!(!world.scanner_armed);
    world.key(Key::Digit(1)).expect("a key");
    assert!(!world.scanner_armed);
    world.key(Key::Digit(2)).expect("a key");
    world.key(Key::Ok).expect("it sells");
    assert!(world.scanner_armed);
    world.show_pay_code(Wallet::Confirms).expect("taken");
    assert!(!world.scanner_armed, "one code at a time");
    world.run(2_000);
    world.confirms();
    world.run(4_000);
    assert!(!world.scanner_armed, "paid");
    world.settle();
    assert!(!world.scanner_armed);
}

#[test]
fn a_refused_buyer_shows_another_code() {
    let mut world = world();
    world.buy("12").expect("it sells");
    world.show_pay_code(Wallet::Refuses(Why::Buyer)).expect("taken");
    world.run(1_000);
    assert!(matches!(world.view(), View::Pay { trouble: Some(PayTrouble::TryAnother), scanner: true, .. }));
    world.show_pay_code(Wallet::Refuses(Why::RefreshCode)).expect("taken");
    world.run(1_000);
    assert!(matches!(world.view(), View::Pay { trouble: Some(PayTrouble::RefreshCode), .. }));
    world.show_pay_code(Wallet::PaysAtOnce).expect("taken");
    world.settle();
    assert_eq!((world.last_state(), world.net()), (OrderState::Completed, 500));
    assert_eq!(world.last_record().attempts.len(), 3);
}

#[test]
fn an_unconfirmed_code_is_cancelled_again_and_again_until_the_channel_has_closed_it() {
    let mut world = world();
    scenes::never_confirms_the_code(&mut world);
    world.settle();
    assert_eq!((world.last_state(), world.net()), (OrderState::Expired, 0));
    assert!(world.calls("cancel") >= 4, "three were answered with: again");
    assert_eq!(world.alipay.mood.again, 0);
}

#[test]
fn a_charge_whose_reply_was_lost_is_found_and_charged_once() {
    let mut world = world();
    scenes::pays_and_the_reply_is_lost(&mut world);
    world.settle();
    assert_eq!((world.last_state(), world.net()), (OrderState::Completed, 500));
    assert_eq!(world.calls("pay"), 1, "the code is sent once");
}

#[test]
fn a_request_that_comes_late_is_not_taken_for_unpaid() {
    let mut world = world();
    scenes::pays_by_code_after_a_long_way(&mut world);
    world.settle();
    assert_eq!((world.last_state(), world.net()), (OrderState::Completed, 500));
    assert_eq!(world.calls("pay"), 1);
}

#[test]
fn a_request_that_comes_after_its_cancel_is_cancelled_too() {
    let mut world = world();
    scenes::cancels_while_the_code_is_on_a_long_way(&mut world);
    world.settle();
    assert_eq!((world.last_state(), world.net()), (OrderState::Cancelled, 0));
    assert!(world.calls("pay") == 1 && world.calls("cancel") >= 2);
}

#[test]
fn a_cancel_that_is_refused_becomes_a_refund() {
    let mut world = world();
    world.alipay.mood.refuses_cancels = true;
    world.buy("12").expect("it sells");
    world.net.lose_replies = 20;
    world.show_pay_code(Wallet::PaysAtOnce).expect("taken");
    world.run(3 * MINUTE);
    world.net.lose_replies = 0;
    world.settle();
    let record = world.last_record();
    assert_eq!((record.state(), world.net()), (OrderState::Refunded, 0));
    assert_eq!(record.refunds[0].reason, RefundReason::Late);
}

#[test]
fn nothing_is_sold_for_a_payment_that_an_earlier_cancel_may_still_return() {
    let mut world = world();
    scenes::a_cancel_overtakes_an_earlier_one(&mut world);
    world.settle();
    let record = world.last_record();
    assert_eq!((record.state(), world.net()), (OrderState::Refunded, 0));
    assert_eq!((record.ending, record.refunds[0].reason), (Some(Ending::Refunded), RefundReason::Late));
    let trade = world.alipay.trades.values().next().expect("a trade");
    assert_eq!((trade.charged, trade.cancelled_back), (record.amount, record.amount), "the early cancel gave it back");
}

#[test]
fn a_pay_code_is_refused_the_second_time() {
    let mut world = world();
    world.buy("12").expect("it sells");
    let line = "281234567890123456";
    assert!(matches!(world.input(Input::Scanned(line.to_owned())), Ok(Done::Trying(_))));
    world.run(2_000);
    assert_eq!(world.input(Input::Scanned(line.to_owned())), Err(Refused::CodeUsed));
    assert!(matches!(world.view(), View::Pay { trouble: Some(PayTrouble::RefreshCode), .. }));
    assert_eq!(world.calls("pay"), 1);
}

#[test]
fn a_code_through_the_api_pays_a_bare_amount() {
    let mut world = world();
    let order = world.open(bare(1_234, WhoScans::MerchantScans)).expect("it sells");
    world.alipay.make_pay_code("280000000000000042", Wallet::PaysAtOnce, world.at);
    let line = "280000000000000042\r\n".to_owned();
    assert!(matches!(world.input(Input::CodeGiven { order, line }), Ok(Done::Trying(_))));
    world.settle();
    assert_eq!((world.last_state(), world.net()), (OrderState::Completed, 1_234));
}

#[test]
fn the_first_to_pay_wins_and_the_other_is_closed() {
    let mut world = World::new(WhoScans::Either);
    scenes::either_and_the_code_is_first(&mut world);
    world.settle();
    assert_eq!((world.last_state(), world.net()), (OrderState::Completed, 800));
    assert!(world.calls("close") >= 1);
    assert_eq!(world.machine.begun.len(), 1);
}

#[test]
fn when_both_pay_the_second_payment_goes_back() {
    let mut world = World::new(WhoScans::Either);
    scenes::either_and_both_are_paid(&mut world);
    world.settle();
    let record = world.last_record();
    assert_eq!((record.state(), world.net()), (OrderState::Completed, 800));
    assert_eq!(record.paid().get(), 1_600);
    assert_eq!(record.refunds[0].reason, RefundReason::PaidTwice);
    assert_eq!(world.machine.begun.len(), 1);
}

#[test]
fn a_second_payment_goes_back_even_when_the_first_already_did() {
    let mut world = World::new(WhoScans::Either);
    world.machine.jammed.insert(super::world::slot("21"));
    world.buy("21").expect("it sells");
    world.run(2_000);
    let code = world.code_on_screen().expect("a code");
    // The code on the screen is scanned, and paid only after the pay code's money went back.
    world.scan(code);
    world.net.slow_ms = 0;
    world.show_pay_code(Wallet::PaysAtOnce).expect("taken");
    world.confirm(code);
    world.settle();
    assert_eq!((world.last_state(), world.net()), (OrderState::Refunded, 0));
    assert_eq!(world.last_record().refunds.len(), 2);
}

#[test]
fn the_next_customer_buys_while_an_attempt_is_resolved_behind() {
    let mut world = world();
    world.buy("11").expect("it sells");
    world.net.lose_replies = 3;
    world.show_pay_code(Wallet::Confirms).expect("taken");
    world.key(Key::Cancel).expect("cancelled");
    world.run(6_000);
    assert!(matches!(world.view(), View::Sorry { what: SorryWhat::Cancelled, .. }), "{:?}", world.view());
    world.buy("12").expect("the machine is free");
    assert_eq!(world.engine.orders().count(), 2);
    world.net.lose_replies = 0;
    world.show_pay_code(Wallet::PaysAtOnce).expect("taken");
    world.settle();
    assert_eq!(world.net(), 500);
}
