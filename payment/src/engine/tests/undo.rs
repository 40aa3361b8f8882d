//! Undoing where the channel makes it hard: no cancel in the first seconds, and answers that are none.

use super::alipay::Wallet;
use super::world::{DAY, MINUTE, World, bare, two_channels};
use crate::channel::ChannelId;
use crate::engine::entry::{OrderState, RefundReason, WhoScans};
use crate::engine::input::Key;

fn world(who_scans: WhoScans) -> World {
    World::begin(two_channels(who_scans), Some(0))
}

fn cancels(world: &World) -> u64 {
    world.wechat.calls.get("cancel").copied().unwrap_or(0)
}

#[test]
fn a_pay_code_of_wechat_is_not_cancelled_in_its_first_15_seconds() {
    let mut world = world(WhoScans::MerchantScans);
    world.buy("11").expect("it sells");
    world.show_wechat_code(Wallet::Confirms).expect("taken");
    world.run(3_000);
    world.key(Key::Cancel).expect("cancelled");
    world.run(11_900);
    assert_eq!(cancels(&world), 0);
    world.run(500);
    assert_eq!(cancels(&world), 1, "and then at once");
    world.settle();
    assert_eq!((world.last_state(), world.net()), (OrderState::Cancelled, 0));
}

#[test]
fn after_a_restart_the_wait_before_a_cancel_is_whole_again() {
    let mut world = world(WhoScans::MerchantScans);
    world.buy("11").expect("it sells");
    world.show_wechat_code(Wallet::Confirms).expect("taken");
    world.run(3_000);
    world.key(Key::Cancel).expect("cancelled");
    world.restart(true, 500);
    world.run(14_900);
    assert_eq!(cancels(&world), 0);
    world.settle();
    assert_eq!((world.last_state(), world.net()), (OrderState::Cancelled, 0));
}

#[test]
fn a_payment_during_the_wait_for_the_cancel_goes_back() {
    let mut world = world(WhoScans::MerchantScans);
    world.buy("11").expect("it sells");
    world.show_wechat_code(Wallet::Confirms).expect("taken");
    world.run(3_000);
    world.key(Key::Cancel).expect("cancelled");
    world.run(8_000);
    world.confirms();
    world.settle();
    assert_eq!((world.net(), world.machine.begun.len()), (0, 0));
}

#[test]
fn while_no_undo_is_answered_no_such_trade_is_no_end_and_a_late_payment_is_seen() {
    let mut world = world(WhoScans::BuyerScans);
    world.open(bare(1_000, WhoScans::BuyerScans)).expect("it sells");
    world.run(1_000);
    let code = world.code_of(ChannelId::Wechat).expect("a code");
    world.wechat.mood.mumbles = true;
    world.key(Key::Cancel).expect("cancelled");
    world.run(30 * MINUTE);
    assert_eq!(world.engine.orders().count(), 1, "nobody knows how it stands");
    // Beyond its time, and it should not be.
    world.lands_despite_close(code);
    world.run(DAY);
    let record = world.last_record();
    assert_eq!((record.state(), world.net()), (OrderState::Refunded, 0), "the undo is still in doubt: {record:#?}");
    assert_eq!(record.refunds[0].reason, RefundReason::Late);
}

#[test]
fn an_undo_that_is_answered_at_last_ends_it() {
    let mut world = world(WhoScans::BuyerScans);
    world.buy("11").expect("it sells");
    world.run(1_000);
    world.wechat.mood.mumbles = true;
    world.key(Key::Cancel).expect("cancelled");
    world.run(DAY);
    world.wechat.mood.mumbles = false;
    world.settle();
    assert_eq!((world.last_state(), world.net()), (OrderState::Cancelled, 0));
}

#[test]
fn a_paid_pay_code_whose_cancel_is_never_answered_goes_back_by_a_refund() {
    let mut world = world(WhoScans::MerchantScans);
    world.buy("11").expect("it sells");
    world.wechat.mood.mumbles = true;
    world.show_wechat_code(Wallet::Confirms).expect("taken");
    world.run(3_000);
    world.key(Key::Cancel).expect("cancelled");
    world.run(5_000);
    world.confirms();
    world.run(2 * MINUTE);
    assert!(world.last_record().refunds.is_empty(), "a cancel may still return it");
    world.run(DAY);
    let record = world.last_record();
    assert_eq!((record.state(), world.net(), world.machine.begun.len()), (OrderState::Refunded, 0, 0));
    assert_eq!(record.refunds[0].reason, RefundReason::Late);
}
