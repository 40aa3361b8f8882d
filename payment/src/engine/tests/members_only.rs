//! Without a network wallets cannot pay, and the machine says so; member and voucher codes still can.

use super::alipay::Wallet;
use super::codes::{member, taking_codes};
use super::scenes;
use super::world::{DAY, IDLE, MINUTE, World, bare};
use crate::channel::ChannelId;
use crate::engine::entry::{CancelledBy, OrderState, WhoScans};
use crate::engine::faults::Fault;
use crate::engine::input::{Input, Key, Refused};
use crate::engine::settings::Settings;
use crate::engine::view::{PayTrouble, ServiceFault, View};

const NETWORK: Fault = Fault::Network(ChannelId::Alipay);
const CODES_ONLY: View = View::Idle { codes_only: Some(ServiceFault::Network) };

/// A machine that has found out that the network is gone.
fn offline(who_scans: WhoScans) -> World {
    let mut world = World::with_codes(who_scans);
    world.net.down = true;
    world.restart(false, 1_000);
    world.run(MINUTE);
    assert!(world.engine.faults().any(|fault| *fault == NETWORK));
    world
}

#[test]
fn the_idle_screen_says_what_can_be_paid_with() {
    let mut world = offline(WhoScans::Either);
    assert_eq!((world.view(), world.engine.blocking_fault()), (CODES_ONLY, None));
    world.net.down = false;
    world.run(2 * MINUTE);
    assert_eq!(world.view(), IDLE);
}

#[test]
fn a_member_buys_without_a_network_for_weeks() {
    for who_scans in [WhoScans::Either, WhoScans::MerchantScans] {
        let mut world = offline(who_scans);
        for day in 0..20 {
            world.buy("11").expect("it sells");
            let only = Some(ServiceFault::Network);
            assert!(
                matches!(world.view(), View::Pay { codes, code_coming: false, wallets, codes_only, scanner: true, .. }
                    if codes.is_empty() && wallets == [ChannelId::Voucher] && codes_only == only)
            );
            world.show_code(&member(&format!("M-{}", day % 2), 5_000)).expect("taken");
            world.run(DAY);
            assert_eq!(world.last_state(), OrderState::Completed);
            // Somebody carries the entries to the hub now and then.
            world.hub_acknowledges();
        }
        assert_eq!((world.machine.begun.len(), world.net()), (20, 0));
        world.net.down = false;
        world.settle();
    }
}

#[test]
fn a_wallets_code_is_refused_with_the_reason_and_without_a_call() {
    let mut world = offline(WhoScans::Either);
    world.buy("11").expect("it sells");
    let entries = world.stored.len();
    assert_eq!(world.show_pay_code(Wallet::PaysAtOnce), Err(Refused::OutOfService(NETWORK)));
    assert!(matches!(world.view(), View::Pay { trouble: Some(PayTrouble::WalletDown), .. }));
    assert_eq!((world.calls("pay"), world.stored.len()), (0, entries));
    world.show_code(&member("M-1", 350)).expect("taken");
    world.net.down = false;
    world.settle();
    assert_eq!((world.last_state(), world.net()), (OrderState::Completed, 0));
}

#[test]
fn when_the_network_is_back_the_waiting_order_shows_a_code() {
    let mut world = World::with_codes(WhoScans::Either);
    scenes::the_network_comes_back_for_a_waiting_order(&mut world);
    world.settle();
    assert_eq!((world.last_state(), world.net()), (OrderState::Completed, 350));
}

#[test]
fn an_order_whose_code_never_came_waits_for_a_member() {
    let mut world = World::with_codes(WhoScans::Either);
    world.net.down = true;
    world.buy("11").expect("nobody knows yet");
    world.run(40_000);
    assert!(matches!(
        world.view(),
        View::Pay { codes, code_coming: false, trouble: None, codes_only: Some(_), .. } if codes.is_empty()
    ));
    world.show_code(&member("M-1", 350)).expect("taken");
    world.run(5_000);
    assert_eq!(world.machine.begun.len(), 1);
    world.net.down = false;
    world.settle();
    assert_eq!((world.last_state(), world.net()), (OrderState::Completed, 0));
}

#[test]
fn an_order_that_a_phone_may_have_paid_is_ended_when_the_network_goes() {
    let mut world = World::with_codes(WhoScans::Either);
    world.buy("11").expect("it sells");
    world.run(2_000);
    assert!(world.code_on_screen().is_some());
    world.net.down = true;
    world.run(2 * MINUTE);
    assert_eq!(world.last_record().cancelled, Some(CancelledBy::Fault));
    assert_eq!(world.view(), CODES_ONLY, "the next customer may be a member");
    world.buy("11").expect("it sells");
    world.net.down = false;
    world.settle();
    assert_eq!(world.net(), 0);
}

#[test]
fn without_a_way_to_read_codes_nothing_is_sold() {
    let mut only_phones = offline(WhoScans::BuyerScans);
    assert_eq!(only_phones.buy("11"), Err(Refused::OutOfService(NETWORK)));
    let mut blind = offline(WhoScans::Either);
    blind.buy("11").expect("it sells");
    blind.input(Input::Raise(Fault::Scanner)).expect("never refused");
    blind.run(100);
    assert_eq!(blind.last_record().cancelled, Some(CancelledBy::Fault));
    blind.run(MINUTE);
    assert_eq!(blind.view(), View::OutOfService { reason: ServiceFault::Network });
    assert_eq!(blind.buy("11"), Err(Refused::OutOfService(NETWORK)));
    let order = blind.open(bare(100, WhoScans::MerchantScans)).expect("the API reads codes itself");
    let line = member("M-1", 100).expose().to_owned();
    blind.input(Input::CodeGiven { order, line }).expect("taken");
    blind.input(Input::Clear(Fault::Scanner)).expect("never refused");
    blind.net.down = false;
    blind.settle();
    assert_eq!(blind.last_state(), OrderState::Completed);
}

#[test]
fn a_counter_without_goods_of_its_own_takes_codes_from_the_api() {
    let settings = taking_codes(WhoScans::BuyerScans);
    let settings = Settings { products: Default::default(), has_scanner: false, ..settings };
    let mut world = World::begin(settings, None);
    world.net.down = true;
    world.restart(false, 1_000);
    world.run(MINUTE);
    assert_eq!(world.view(), CODES_ONLY);
}

#[test]
fn other_faults_block_members_too() {
    for fault in [Fault::Clock, Fault::JournalFull, Fault::SwitchedOff, Fault::Machine] {
        let mut world = offline(WhoScans::Either);
        world.buy("11").expect("it sells");
        world.trusted = fault != Fault::Clock;
        world.input(Input::Raise(fault.clone())).expect("never refused");
        assert!(!world.scanner_armed, "{fault}");
        world.run(MINUTE);
        assert!(matches!(world.view(), View::OutOfService { .. }), "{fault}");
        assert_eq!(world.buy("12"), Err(Refused::OutOfService(fault)));
    }
}

#[test]
fn a_refused_set_up_leaves_the_members_and_says_so() {
    let mut world = World::with_codes(WhoScans::Either);
    world.alipay.mood.refuses_setup = true;
    world.buy("11").expect("it sells");
    world.run(2_000);
    let only = Some(ServiceFault::Setup);
    assert!(matches!(world.view(), View::Pay { codes_only, scanner: true, .. } if codes_only == only));
    let setup = Fault::Setup(ChannelId::Alipay);
    assert_eq!(world.show_pay_code(Wallet::PaysAtOnce), Err(Refused::OutOfService(setup)));
    world.show_code(&member("M-1", 350)).expect("taken");
    world.alipay.mood.refuses_setup = false;
    world.settle();
    assert_eq!(world.last_state(), OrderState::Completed);
}

#[test]
fn a_buyer_without_a_code_walks_away() {
    let mut world = offline(WhoScans::Either);
    world.buy("11").expect("it sells");
    world.run(10_000);
    world.key(Key::Cancel).expect("cancelled");
    world.run(MINUTE);
    assert_eq!((world.last_state(), world.view()), (OrderState::Cancelled, CODES_ONLY));
    world.buy("11").expect("it sells");
    world.run(5 * MINUTE);
    assert_eq!(world.last_state(), OrderState::Expired);
}
