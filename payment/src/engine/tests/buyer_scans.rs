//! The buyer's phone scans the screen.

use super::scenes;
use super::world::{IDLE, MINUTE, World, basket};
use crate::engine::effect::Effect;
use crate::engine::entry::{CancelledBy, Ending, Entry, OrderState, RefundReason, WhoScans};
use crate::engine::input::{Input, Key};
use crate::engine::view::{MoneyWord, SorryWhat, View};
use crate::money::Fen;

fn world() -> World {
    World::new(WhoScans::BuyerScans)
}

#[test]
fn a_scanned_code_is_paid_and_the_goods_fall() {
    let mut world = world();
    world.buy("11").expect("it sells");
    world.run(200);
    let View::Pay { amount, seconds_left, codes, scanner: false, .. } = world.view() else {
        panic!("no code on the screen: {:?}", world.view());
    };
    assert_eq!(codes.len(), 1);
    assert_eq!((amount, seconds_left), (Fen::new(350), 90));
    world.phone_scans();
    world.run(4_000);
    assert!(matches!(world.view(), View::Confirming { .. }));
    assert_eq!(world.engine.orders().next().map(|order| order.state()), Some(OrderState::Confirming));
    world.confirms();
    world.run(3_000);
    assert!(matches!(world.view(), View::Delivering { item: 1, of: 1, .. }), "{:?}", world.view());
    assert!(world.lamp_on);
    world.run(1_500);
    assert_eq!(world.view(), View::Thanks { amount: Fen::new(350), saved: Fen::ZERO, change: Fen::ZERO });
    world.settle();
    assert_eq!((world.last_state(), world.net(), world.view()), (OrderState::Completed, 350, IDLE));
    assert_eq!(world.machine.begun.len(), 1);
}

#[test]
fn a_code_that_nobody_scans_expires_and_is_watched_until_it_is_dead() {
    let mut world = world();
    world.buy("11").expect("it sells");
    world.run(89_000);
    assert!(world.code_on_screen().is_some());
    world.run(2_000);
    assert_eq!(world.code_on_screen(), None);
    world.run(5_000);
    let View::Sorry { what: SorryWhat::Expired, money: MoneyWord::ComesBackIfTaken, .. } = world.view() else {
        panic!("{:?}", world.view());
    };
    assert_eq!(world.engine.orders().count(), 1, "the code is still payable at Alipay");
    world.settle();
    assert!(world.at >= 240_000, "it was given up at {}", world.at);
    assert_eq!((world.last_state(), world.net()), (OrderState::Expired, 0));
}

#[test]
fn a_buyer_who_scanned_and_left_is_closed_at_the_channel() {
    let mut world = world();
    world.buy("11").expect("it sells");
    world.run(2_000);
    let code = world.phone_scans().expect("a code");
    world.settle();
    assert!(world.calls("close") >= 1);
    world.confirm(code);
    assert_eq!((world.last_state(), world.net()), (OrderState::Expired, 0), "the closed trade cannot be paid");
}

#[test]
fn a_payment_that_lands_after_its_trade_was_closed_is_caught_and_refunded() {
    for cancelled_by_key in [false, true] {
        let mut world = world();
        world.buy("11").expect("it sells");
        world.run(2_000);
        let code = world.phone_scans().expect("a code");
        if cancelled_by_key {
            world.key(Key::Cancel).expect("cancelled");
            world.run(4_000);
            let View::Sorry { what: SorryWhat::Cancelled, money: MoneyWord::NothingTaken, .. } = world.view() else {
                panic!("{:?}", world.view());
            };
        } else {
            world.run(130_000);
        }
        assert!(world.calls("close") >= 1);
        world.lands_despite_close(code);
        world.settle();
        let record = world.last_record();
        assert_eq!((record.state(), world.net()), (OrderState::Refunded, 0), "{record:?}");
        assert_eq!(record.refunds[0].reason, RefundReason::Late);
        assert!(world.machine.begun.is_empty(), "goods fell for nobody");
    }
}

#[test]
fn a_late_payment_is_caught_and_refunded() {
    let mut world = world();
    scenes::pays_late(&mut world);
    world.settle();
    let record = world.last_record();
    assert_eq!((record.state(), world.net()), (OrderState::Refunded, 0));
    assert_eq!(record.refunds[0].reason, RefundReason::Late);
    assert!(world.machine.begun.is_empty(), "no goods for a buyer who left");
}

#[test]
fn a_buyer_who_is_confirming_when_the_time_runs_out_gets_longer_once() {
    let mut world = world();
    scenes::confirms_during_the_grace(&mut world);
    world.settle();
    assert_eq!((world.last_state(), world.net()), (OrderState::Completed, 350));

    let mut world = self::world();
    world.buy("11").expect("it sells");
    world.run(80_000);
    world.phone_scans();
    world.run(39_000);
    assert!(matches!(world.view(), View::Confirming { .. }), "{:?}", world.view());
    world.run(2_000);
    assert!(!matches!(world.view(), View::Confirming { .. }));
    world.settle();
    assert_eq!((world.last_state(), world.net()), (OrderState::Expired, 0));
}

#[test]
fn a_payment_wins_the_race_against_the_cancel_key() {
    let mut world = world();
    scenes::pays_as_it_is_cancelled(&mut world);
    world.settle();
    assert_eq!((world.last_state(), world.net()), (OrderState::Completed, 500));
    assert_eq!(world.last_record().cancelled, Some(CancelledBy::Buyer));
}

#[test]
fn cancelled_by_the_key_or_by_the_api_nothing_is_taken() {
    let mut world = world();
    world.buy("11").expect("it sells");
    world.run(1_000);
    world.key(Key::Cancel).expect("cancelled");
    world.settle();
    let order = world.open(basket(&["12"], WhoScans::BuyerScans)).expect("it sells");
    world.run(1_000);
    world.input(Input::Cancel { order }).expect("cancelled");
    world.settle();
    let endings: Vec<_> = world.order_ids().into_iter().map(|order| world.record(order)).collect();
    assert_eq!(endings[0].cancelled, Some(CancelledBy::Buyer));
    assert_eq!(endings[1].cancelled, Some(CancelledBy::Api));
    assert!(endings.iter().all(|record| record.ending == Some(Ending::Cancelled)));
    assert_eq!(world.net(), 0);
}

#[test]
fn a_code_whose_reply_is_lost_is_asked_for_again_under_its_number() {
    let mut world = world();
    world.net.lose_replies = 1;
    world.buy("11").expect("it sells");
    world.run(20_000);
    assert_eq!(world.calls("precreate"), 2);
    assert_eq!(world.last_record().attempts.len(), 1);
    world.phone_pays();
    world.settle();
    assert_eq!((world.last_state(), world.net()), (OrderState::Completed, 350));
}

#[test]
fn a_long_time_to_pay_gets_a_code_that_lives_as_long() {
    let mut world = world();
    let mut order = basket(&["11"], WhoScans::BuyerScans);
    order.pay_within_ms = Some(20 * MINUTE);
    world.open(order).expect("it sells");
    world.run(19 * MINUTE);
    world.phone_pays();
    world.settle();
    assert_eq!((world.last_state(), world.net()), (OrderState::Completed, 350));
}

#[test]
fn the_same_answer_twice_is_taken_once() {
    let mut world = world();
    world.net.double_replies = 50;
    world.buy("11").expect("it sells");
    world.run(2_000);
    world.phone_pays();
    world.settle();
    let paid = world.stored.iter().filter(|stored| matches!(stored.entry, Entry::AttemptPaid { .. })).count();
    assert_eq!((paid, world.net()), (1, 350));
}

#[test]
fn nothing_leaves_before_its_record() {
    let mut world = world();
    for key in [Key::Digit(1), Key::Digit(1), Key::Ok] {
        let _ = world.engine.handle(world.now(), Input::Key(key));
    }
    let effects: Vec<Effect> = std::iter::from_fn(|| world.engine.poll_effect()).collect();
    let record = effects.iter().position(|effect| matches!(effect, Effect::Record(_)));
    let call = effects.iter().position(|effect| matches!(effect, Effect::Call(_)));
    assert!(record < call && record.is_some(), "{effects:?}");
}
