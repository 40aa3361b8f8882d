//! The daemon starts again.

use super::alipay::Wallet;
use super::scenes;
use super::world::{DAY, IDLE, MINUTE, World, bare};
use crate::engine::entry::{CancelledBy, Ending, OrderState, WhoScans};
use crate::engine::view::View;

#[test]
fn a_restart_at_idle_changes_nothing() {
    let mut world = World::new(WhoScans::Either);
    scenes::pays_by_the_screen(&mut world);
    world.settle();
    let (entries, net) = (world.stored.len(), world.net());
    world.restart(true, 2_000);
    world.settle();
    assert_eq!((world.stored.len(), world.net(), world.view()), (entries, net, IDLE));
    assert_eq!(world.engine.poll_timeout(), None);
    assert!(world.buy("11").is_ok());
}

#[test]
fn paid_while_the_daemon_was_away_for_a_moment_the_goods_fall() {
    let mut world = World::new(WhoScans::BuyerScans);
    world.buy("11").expect("it sells");
    world.run(5_000);
    world.phone_pays();
    world.restart(true, 5_000);
    world.settle();
    assert_eq!((world.last_record().ending, world.net()), (Some(Ending::Delivered), 350));
}

#[test]
fn paid_while_the_daemon_was_away_for_days_the_money_goes_back() {
    let mut world = World::new(WhoScans::BuyerScans);
    world.buy("11").expect("it sells");
    world.run(5_000);
    world.phone_pays();
    world.restart(true, 3 * DAY);
    world.settle();
    assert_eq!((world.last_state(), world.net()), (OrderState::Refunded, 0));
    assert_eq!(world.last_record().cancelled, Some(CancelledBy::Restart));
}

#[test]
fn a_bare_amount_paid_after_the_buyer_was_sent_away_goes_back() {
    let mut world = World::new(WhoScans::BuyerScans);
    world.open(bare(700, WhoScans::BuyerScans)).expect("it sells");
    world.run(5_000);
    let code = world.code_on_screen().expect("a code");
    world.restart(true, 2_000);
    world.run(20_000);
    assert!(!matches!(world.view(), View::Pay { .. }));
    world.scan(code);
    world.confirm(code);
    world.settle();
    assert_eq!((world.last_state(), world.net()), (OrderState::Refunded, 0));
}

#[test]
fn a_clock_that_jumped_is_no_reason_to_deliver_to_nobody() {
    for jump in [-10 * 365, 10 * 365] {
        let mut world = World::new(WhoScans::BuyerScans);
        world.buy("11").expect("it sells");
        world.run(5_000);
        world.phone_pays();
        world.wall_shift += jump * i64::try_from(DAY).expect("a day");
        world.restart(true, 2_000);
        world.settle();
        assert_eq!((world.machine.begun.len(), world.net()), (0, 0));
    }
}

#[test]
fn the_state_does_not_go_back_over_a_restart() {
    let mut world = World::new(WhoScans::MerchantScans);
    world.buy("11").expect("it sells");
    world.alipay.mood.again = 10;
    world.show_pay_code(Wallet::Confirms).expect("taken");
    world.run(62_000);
    let state = |world: &World| world.engine.orders().next().map(|order| order.state());
    let before = state(&world);
    assert_eq!(before, Some(OrderState::Unknown));
    world.net.down = true;
    world.restart(true, 1_000);
    assert!(state(&world) >= before);
    world.net.down = false;
    world.settle();
}

#[test]
fn many_open_orders_are_taken_up_together() {
    let mut world = World::new(WhoScans::BuyerScans);
    for _ in 0..3 {
        world.buy("11").expect("it sells");
        world.run(3_000);
        world.key(crate::engine::input::Key::Cancel).expect("cancelled");
        world.run(20_000);
    }
    assert_eq!(world.engine.orders().count(), 3);
    world.restart(true, 1_000);
    assert_eq!(world.engine.orders().count(), 3);
    assert_eq!(world.engine.order_at_machine(), None);
    world.run(MINUTE);
    assert!(world.buy("12").is_ok());
    world.settle();
    assert_eq!(world.net(), 0);
}
