//! Codes of two channels: side by side, or the next one's when the first makes none.

use super::world::{MINUTE, World, one_after_the_other, two_channels};
use crate::channel::route::{RouteSettings, Routes};
use crate::channel::{ChannelId, Wallet};
use crate::engine::entry::{OrderState, RefundReason, ReverseReason, WhoScans};
use crate::engine::faults::Fault;
use crate::engine::input::{Input, Refused};
use crate::engine::record::{AttemptEnd, AttemptRecord};
use crate::engine::settings::Settings;
use crate::engine::view::{CodeView, View};

const WHO: WhoScans = WhoScans::BuyerScans;

fn side_by_side() -> World {
    let mut world = World::begin(two_channels(WhoScans::BuyerScans), Some(0));
    world.buy("11").expect("it sells");
    world.run(1_000);
    world
}

fn one_code() -> World {
    let mut world = World::begin(one_after_the_other(WhoScans::BuyerScans), Some(0));
    world.buy("11").expect("it sells");
    world.run(1_000);
    world
}

fn codes(world: &World) -> Vec<CodeView> {
    let View::Pay { codes, .. } = world.view() else {
        panic!("no pay screen: {:?}", world.view());
    };
    codes
}

fn wallets(world: &World) -> Vec<Option<Wallet>> {
    codes(world).into_iter().map(|code| code.wallet).collect()
}

fn not_paid(attempt: &AttemptRecord) -> Option<&str> {
    match &attempt.end {
        Some(AttemptEnd::NotPaid { code }) => Some(code),
        Some(AttemptEnd::Paid { .. }) | None => None,
    }
}

#[test]
fn each_wallet_has_its_own_code_and_either_buys_the_goods() {
    for channel in [ChannelId::Alipay, ChannelId::Wechat] {
        let mut world = side_by_side();
        assert_eq!(wallets(&world), [Some(Wallet::Alipay), Some(Wallet::Wechat)]);
        world.phone_pays_by(channel).expect("its code is shown");
        world.settle();
        let record = world.last_record();
        assert_eq!((record.state(), world.net(), record.attempts.len()), (OrderState::Completed, 350, 2));
        assert_eq!(record.winner().map(|winner| winner.channel), Some(channel));
    }
}

#[test]
fn of_two_codes_that_are_both_paid_one_buys_and_one_goes_back() {
    let mut world = side_by_side();
    world.phone_pays_by(ChannelId::Alipay);
    world.phone_pays_by(ChannelId::Wechat);
    world.settle();
    let record = world.last_record();
    let reasons: Vec<RefundReason> = record.refunds.iter().map(|refund| refund.reason).collect();
    assert_eq!((world.net(), reasons, world.machine.begun.len()), (350, vec![RefundReason::PaidTwice], 1));
}

#[test]
fn two_codes_that_were_paid_while_the_daemon_was_away_cost_one_price() {
    for gap_ms in [2_000, 30 * MINUTE] {
        let mut world = side_by_side();
        world.phone_pays_by(ChannelId::Alipay);
        world.phone_pays_by(ChannelId::Wechat);
        world.restart(true, gap_ms);
        world.settle();
        let due = if gap_ms < MINUTE { 350 } else { 0 };
        assert_eq!(world.net(), due);
    }
}

#[test]
fn when_one_channel_goes_the_other_ones_code_stays_and_it_comes_back() {
    let mut world = side_by_side();
    let kept = world.code_of(ChannelId::Wechat);
    world.net.away.insert(ChannelId::Alipay);
    world.run(30_000);
    assert_eq!(wallets(&world), [Some(Wallet::Wechat)]);
    world.net.away.clear();
    world.run(15_000);
    assert_eq!(wallets(&world), [Some(Wallet::Alipay), Some(Wallet::Wechat)]);
    assert_eq!(world.code_of(ChannelId::Wechat), kept);
    world.settle();
    assert_eq!(world.net(), 0);
}

#[test]
fn when_the_first_channel_goes_the_next_one_makes_the_code_and_the_buyer_goes_on() {
    let mut world = one_code();
    assert_eq!(wallets(&world), [Some(Wallet::Alipay)]);
    world.net.away.insert(ChannelId::Alipay);
    while world.engine.faults().next().is_none() {
        assert!(matches!(world.view(), View::Pay { .. }), "{:?}", world.view());
        world.run(100);
    }
    assert!(matches!(world.view(), View::Pay { code_coming: true, .. }), "{:?}", world.view());
    world.run(1_000);
    assert_eq!(wallets(&world), [Some(Wallet::Wechat)]);
    world.net.away.clear();
    world.run(12_000);
    assert_eq!(wallets(&world), [Some(Wallet::Wechat)], "a code that works is not changed again");
    world.phone_pays();
    world.settle();
    let record = world.last_record();
    assert_eq!((record.state(), world.net()), (OrderState::Completed, 350));
    assert_eq!(record.attempts[0].reversing, Some(ReverseReason::NoAnswer), "the old one was undone");
}

#[test]
fn the_old_code_that_is_paid_after_its_channel_went_buys_the_goods_once() {
    for pays_new in [false, true] {
        let mut world = one_code();
        let old = world.phone_scans().expect("a code");
        world.net.away.insert(ChannelId::Alipay);
        world.run(30_000);
        world.confirm(old);
        if pays_new {
            world.phone_pays_by(ChannelId::Wechat).expect("the next code");
        }
        world.net.away.clear();
        world.settle();
        assert_eq!((world.net(), world.machine.begun.len()), (350, 1), "pays the new one too: {pays_new}");
    }
}

#[test]
fn a_channel_that_makes_no_code_gives_way_to_the_next() {
    let refuses: fn(&mut World) = |world| world.alipay.mood.refuses_setup = true;
    let away: fn(&mut World) = |world| world.net.away.extend([ChannelId::Alipay]);
    for trouble in [refuses, away] {
        let mut world = World::begin(one_after_the_other(WhoScans::BuyerScans), Some(0));
        trouble(&mut world);
        world.buy("11").expect("it sells");
        world.run(40_000);
        assert_eq!(wallets(&world), [Some(Wallet::Wechat)]);
        world.phone_pays();
        world.run(10_000);
        assert_eq!((world.last_state(), world.net()), (OrderState::Completed, 350));
    }
}

/// Nobody has seen the code, so nobody can have paid it.
#[test]
fn a_channel_that_knows_the_number_and_tells_no_code_is_asked_three_times() {
    let settings = Settings { channels: vec![ChannelId::Wechat, ChannelId::Alipay], ..one_after_the_other(WHO) };
    let mut world = World::begin(settings, Some(0));
    world.wechat.mood.knows_every_number = true;
    world.buy("11").expect("it sells");
    world.run(20_000);
    assert_eq!((wallets(&world), world.wechat.calls["precreate"]), (vec![Some(Wallet::Alipay)], 3));
    assert_eq!(not_paid(&world.record(world.order_ids()[0]).attempts[0]), Some("no_code"));
    world.settle();
}

#[test]
fn when_no_channel_makes_a_code_the_order_ends_unpaid() {
    let mut world = World::begin(one_after_the_other(WHO), Some(0));
    world.alipay.mood.refuses_setup = true;
    world.wechat.mood.refuses_codes = true;
    world.buy("11").expect("it sells");
    world.run(5_000);
    assert_eq!(world.last_state(), OrderState::Failed);
    assert_eq!(world.engine.faults().collect::<Vec<_>>(), [&Fault::Setup(ChannelId::Alipay)]);
}

#[test]
fn a_pay_code_goes_to_its_own_wallet_and_to_nobody_while_that_is_away() {
    let mut world = World::begin(two_channels(WhoScans::MerchantScans), Some(0));
    world.net.away.insert(ChannelId::Wechat);
    world.restart(false, 1_000);
    world.run(20_000);
    world.buy("11").expect("Alipay works");
    let away = Err(Refused::OutOfService(Fault::Network(ChannelId::Wechat)));
    assert_eq!(world.show_wechat_code(super::alipay::Wallet::PaysAtOnce), away);
    world.show_pay_code(super::alipay::Wallet::PaysAtOnce).expect("taken");
    world.run(10_000);
    assert_eq!((world.net(), world.wechat.trades.len()), (350, 0));
    world.net.away.clear();
    world.settle();
}

/// A number from 62 that a person may have typed is too much like a card's, whatever its check digit.
#[test]
fn a_number_given_through_the_api_is_judged_as_typed() {
    let settings = two_channels(WhoScans::MerchantScans);
    let careful = RouteSettings { refuse_card_shaped: true, ..RouteSettings::default() };
    let routes = Routes::new(&settings.channels, careful).expect("built-in rows");
    let mut world = World::begin(Settings { routes, ..settings }, Some(0));
    world.buy("11").expect("it sells");
    let order = world.engine.order_at_machine().expect("at the machine");
    let line = "6212345678901234567".to_owned();
    assert_eq!(world.input(Input::Scanned(line.clone())), Err(Refused::WalletNotTaken("UnionPay")));
    assert_eq!(world.input(Input::CodeGiven { order, line }), Err(Refused::CardNumber));
    world.settle();
}
