//! What comes at the same instant: a code and a clock that loses its trust, a code and a network that is back, a limit
//! and a customer.

use super::alipay::Wallet;
use super::codes::{member, once, signed, voucher};
use super::scenes;
use super::world::{DAY, MINUTE, World, bare};
use crate::channel::ChannelId;
use crate::engine::entry::{CancelledBy, OrderState, RefundReason, WhoScans};
use crate::engine::faults::Fault;
use crate::engine::input::{Done, Input, Key, Refused};
use crate::engine::record::{AttemptEnd, AttemptRecord};
use crate::engine::view::{MoneyWord, ServiceFault, View};
use crate::voucher::{Kind, Voucher, VoucherRefused};

const HOUR: u64 = 60 * MINUTE;
const NETWORK: Fault = Fault::Network(ChannelId::Alipay);

fn time_is_right(world: &mut World) {
    world.trusted = true;
    world.input(Input::Timer).expect("never refused");
}

/// Nobody can pay with a wallet, and the machine has found that out.
fn cut_off(world: &mut World) {
    world.net.down = true;
    world.restart(false, 1_000);
    world.run(MINUTE);
    assert!(world.engine.faults().any(|fault| *fault == NETWORK));
}

#[test]
fn a_pay_code_that_is_read_as_the_clock_loses_its_trust_is_never_sent() {
    for away in [1_000, MINUTE, HOUR, 30 * DAY] {
        let mut world = World::new(WhoScans::MerchantScans);
        world.buy("12").expect("it sells");
        world.run(1_000);
        world.trusted = false;
        let _read = world.show_pay_code(Wallet::PaysAtOnce);
        assert_eq!(world.engine.waiting_calls().count(), 0, "it would charge a buyer who has left");
        world.run(away);
        time_is_right(&mut world);
        world.settle();
        assert_eq!((world.calls("pay"), world.net(), world.last_state()), (0, 0, OrderState::Failed));
    }
}

#[test]
fn a_pay_code_behind_a_record_that_fails_while_the_clock_is_lost_is_never_sent() {
    let mut world = World::new(WhoScans::MerchantScans);
    world.buy("12").expect("it sells");
    world.run(1_000);
    world.refuse_writes = true;
    let _read = world.show_pay_code(Wallet::PaysAtOnce);
    world.trusted = false;
    world.run(HOUR);
    world.refuse_writes = false;
    world.run(HOUR);
    assert_eq!(world.engine.faults().collect::<Vec<_>>(), [&Fault::Clock], "the journal is written without the time");
    time_is_right(&mut world);
    world.settle();
    assert_eq!((world.calls("pay"), world.net()), (0, 0));
}

#[test]
fn a_pay_code_that_was_read_once_is_asked_after_when_the_time_is_back_and_not_sent_again() {
    let mut world = World::new(WhoScans::MerchantScans);
    world.buy("12").expect("it sells");
    world.net.lose_replies = 1;
    world.show_pay_code(Wallet::PaysAtOnce).expect("taken");
    world.run(1_000);
    world.trusted = false;
    world.run(HOUR);
    assert_eq!((world.calls("pay"), world.net()), (1, 500), "it was charged, and nobody may be asked");
    time_is_right(&mut world);
    world.settle();
    assert_eq!((world.calls("pay"), world.net()), (1, 0), "nobody stands there any more");
}

#[test]
fn a_refund_that_waits_for_the_time_leaves_once_when_it_is_right() {
    let mut world = World::new(WhoScans::BuyerScans);
    let order = world.open(bare(1_000, WhoScans::BuyerScans)).expect("it sells");
    world.run(200);
    world.phone_pays();
    world.settle();
    world.trusted = false;
    world.input(Input::Timer).expect("never refused");
    assert!(matches!(world.refund(order, Some(300)), Ok(Done::Refunding(_))));
    world.run(DAY);
    assert_eq!((world.calls("refund"), world.net()), (0, 1_000));
    time_is_right(&mut world);
    world.settle();
    assert_eq!((world.calls("refund"), world.net()), (1, 700));
}

#[test]
fn paid_goods_fall_although_the_clock_was_lost_meanwhile() {
    let mut world = World::new(WhoScans::BuyerScans);
    world.buy("11").expect("it sells");
    world.run(2_000);
    world.phone_pays();
    // The question has left; its answer comes without the time.
    while world.calls("query") == 0 || world.engine.order_at_machine().is_none() {
        world.run(10);
    }
    world.trusted = false;
    world.run(10_000);
    assert_eq!((world.machine.begun.len(), world.net()), (1, 350));
    time_is_right(&mut world);
    world.settle();
    assert_eq!(world.last_state(), OrderState::Completed);
}

#[test]
fn a_code_that_is_read_as_the_clock_loses_its_trust_is_not_spent() {
    let mut world = World::with_codes(WhoScans::MerchantScans);
    world.buy("11").expect("it sells");
    world.trusted = false;
    assert_eq!(world.show_code(&once("V-1", 400)), Err(Refused::Voucher(VoucherRefused::NoClock)));
    assert!(matches!(world.view(), View::Sorry { money: MoneyWord::NothingTaken, .. }), "{:?}", world.view());
    world.run(MINUTE);
    assert_eq!((world.view(), world.code_uses().len()), (View::OutOfService { reason: ServiceFault::Clock }, 0));
    time_is_right(&mut world);
    world.settle();
    assert_eq!(world.last_record().cancelled, Some(CancelledBy::Fault));
}

#[test]
fn a_code_is_good_until_the_millisecond_in_which_it_expires() {
    for (left_ms, taken) in [(1, true), (0, false), (-1, false)] {
        let mut world = World::with_codes(WhoScans::MerchantScans);
        world.buy("11").expect("it sells");
        let code = signed(&Voucher { expires_ms: world.now().wall.ms + left_ms, ..voucher("M-1", Kind::Member, 400) });
        assert_eq!(world.show_code(&code).is_ok(), taken, "{left_ms} ms left");
        world.settle();
    }
}

#[test]
fn what_an_expired_code_paid_is_returned_once_and_buys_nothing_more() {
    let mut world = World::with_codes(WhoScans::MerchantScans);
    let code = signed(&Voucher { expires_ms: world.now().wall.ms + 60_000, ..voucher("V-1", Kind::Voucher, 800) });
    let order = world.open(bare(800, WhoScans::MerchantScans)).expect("it sells");
    world.show_code(&code).expect("taken");
    world.settle();
    world.run(30 * DAY);
    world.refund(order, Some(300)).expect("a part");
    world.restart(false, DAY);
    world.run(MINUTE);
    world.refund(order, None).expect("the rest");
    assert!(matches!(world.refund(order, Some(1)), Err(Refused::TooMuch { .. })));
    world.settle();
    assert_eq!((world.spent_of("V-1"), world.record(order).state()), (0, OrderState::Refunded));
    world.buy("11").expect("it sells");
    assert_eq!(world.show_code(&code), Err(Refused::Voucher(VoucherRefused::Expired)));
}

#[test]
fn one_code_pays_one_of_two_orders_that_want_it() {
    let mut world = World::with_codes(WhoScans::Either);
    world.buy("11").expect("it sells");
    let busy = world.open(bare(300, WhoScans::Either));
    assert!(matches!(busy, Err(Refused::Busy(_))), "one customer at a time: {busy:?}");
    let order = world.engine.order_at_machine().expect("at the machine");
    let line = once("V-1", 500).expose().to_owned();
    world.input(Input::Scanned(line.clone())).expect("taken");
    assert_eq!(world.input(Input::CodeGiven { order, line }), Err(Refused::NotWaiting));
    world.settle();
    assert_eq!((world.spent_of("V-1"), world.machine.begun.len()), (350, 1));
}

#[test]
fn a_network_that_is_back_a_phone_and_a_member_at_once_cost_the_buyer_one_price() {
    let mut world = World::with_codes(WhoScans::Either);
    scenes::the_network_is_back_and_phone_and_member_pay(&mut world);
    world.settle();
    let record = world.last_record();
    let paid = |attempt: &&AttemptRecord| matches!(attempt.end, Some(AttemptEnd::Paid { .. }));
    let channels: Vec<ChannelId> = record.attempts.iter().filter(paid).map(|attempt| attempt.channel).collect();
    assert_eq!(channels, [ChannelId::Alipay, ChannelId::Voucher], "both paid");
    let reasons: Vec<RefundReason> = record.refunds.iter().map(|refund| refund.reason).collect();
    assert_eq!((record.state(), reasons), (OrderState::Completed, vec![RefundReason::PaidTwice]));
    assert_eq!((world.net(), world.spent_of("M-1"), world.machine.begun.len()), (0, 350, 1));
}

#[test]
fn without_a_network_nothing_is_offered_that_the_limits_forbid() {
    let mut world = World::with_codes(WhoScans::Either);
    cut_off(&mut world);
    assert_eq!(
        world.open(bare(1_001, WhoScans::Either)),
        Err(Refused::OutOfService(NETWORK)),
        "more than one sale may cost"
    );
    for number in 0..6 {
        world.buy("12").expect("up to the limit");
        world.show_code(&member(&format!("M-{number}"), 500)).expect("taken");
        world.run(MINUTE);
    }
    let closed = View::OutOfService { reason: ServiceFault::Network };
    assert_eq!((world.view(), world.engine.codes_only_because()), (closed, None));
    assert_eq!(world.buy("11"), Err(Refused::OutOfService(NETWORK)));
    world.key(Key::Cancel).expect("taken");
    world.hub_acknowledges();
    assert_eq!(world.view(), View::Idle { codes_only: Some(ServiceFault::Network) });
    world.buy("11").expect("the hub has it all");
    world.show_code(&member("M-9", 500)).expect("taken");
    world.net.down = false;
    world.settle();
}
