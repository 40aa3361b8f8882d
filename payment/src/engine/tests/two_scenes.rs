//! Scenes of a terminal with Alipay and WeChat Pay. Like the others they claim nothing themselves.

use super::alipay::Wallet;
use super::scenes::Scene;
use super::world::{DAY, MINUTE, World, bare, basket, slot};
use crate::channel::ChannelId;
use crate::engine::entry::WhoScans;
use crate::engine::input::{Input, Key};
use crate::ids::OrderId;

/// Scenes with two codes side by side.
pub const SIDE_BY_SIDE: &[Scene] = &[
    ("pays WeChat's code", WhoScans::BuyerScans, pays_wechats_code),
    ("both codes are paid", WhoScans::BuyerScans, both_codes_are_paid),
    ("both codes are shown, and nobody pays", WhoScans::BuyerScans, both_are_shown_and_nobody_pays),
    ("cancels WeChat's pay code early", WhoScans::MerchantScans, cancels_wechats_pay_code_early),
    ("pays as WeChat's pay code is cancelled", WhoScans::MerchantScans, pays_as_wechats_pay_code_is_cancelled),
    ("a refund fails twice", WhoScans::BuyerScans, a_refund_fails_twice),
    ("a refund waits for a second person", WhoScans::BuyerScans, a_refund_waits_for_a_second_person),
    ("an approved refund fails", WhoScans::BuyerScans, an_approved_refund_fails),
    ("one of two items falls, and the delivery is told", WhoScans::BuyerScans, one_of_two_falls_and_is_told),
    ("a delivery is told late", WhoScans::BuyerScans, a_delivery_is_told_late),
];

/// Scenes with one code, of the first channel that makes one.
pub const ONE_AFTER_THE_OTHER: &[Scene] = &[
    ("Alipay goes, and both codes are paid", WhoScans::BuyerScans, alipay_goes_and_both_codes_are_paid),
    ("Alipay goes and comes back", WhoScans::BuyerScans, alipay_goes_and_comes_back),
    ("both go and come back", WhoScans::Either, both_go_and_come_back),
];

/// Scenes where Alipay lends.
pub const LENDING: &[Scene] = &[
    ("chooses instalments", WhoScans::BuyerScans, chooses_instalments),
    ("pays the code of before the choice", WhoScans::BuyerScans, pays_the_code_of_before_the_choice),
];

fn last_order(world: &World) -> Option<OrderId> {
    world.order_ids().last().copied()
}

pub fn pays_wechats_code(world: &mut World) {
    let _ = world.buy("11");
    world.run(2_000);
    let _ = world.phone_pays_by(ChannelId::Wechat);
    world.run(MINUTE);
}

pub fn both_codes_are_paid(world: &mut World) {
    let _ = world.buy("12");
    world.run(2_000);
    let codes = world.codes_on_screen();
    for code in codes {
        world.scan(code);
        world.confirm(code);
    }
    world.run(5 * MINUTE);
}

pub fn both_are_shown_and_nobody_pays(world: &mut World) {
    let _ = world.buy("12");
    world.run(6 * MINUTE);
}

pub fn cancels_wechats_pay_code_early(world: &mut World) {
    let _ = world.buy("12");
    let _ = world.show_wechat_code(Wallet::Confirms);
    world.run(3_000);
    let _ = world.key(Key::Cancel);
    world.run(2 * MINUTE);
}

pub fn pays_as_wechats_pay_code_is_cancelled(world: &mut World) {
    let _ = world.buy("12");
    let _ = world.show_wechat_code(Wallet::Confirms);
    world.run(3_000);
    let _ = world.key(Key::Cancel);
    world.run(8_000);
    world.confirms();
    world.run(2 * MINUTE);
}

pub fn a_refund_fails_twice(world: &mut World) {
    world.machine.jammed.insert(slot("11"));
    world.wechat.mood.closes_refunds = 2;
    let _ = world.buy("11");
    world.run(2_000);
    let _ = world.phone_pays_by(ChannelId::Wechat);
    world.run(20 * MINUTE);
}

pub fn a_refund_waits_for_a_second_person(world: &mut World) {
    let _ = world.open(bare(1_000, WhoScans::BuyerScans));
    world.run(2_000);
    let _ = world.phone_pays_by(ChannelId::Wechat);
    world.run(MINUTE);
    for (amount, approved) in [(400, false), (700, true), (300, true)] {
        if let Some(order) = last_order(world) {
            let _ = world.asks_refund(order, Some(amount), "Ann");
            world.run(MINUTE);
            let _ = world.decides_refund(order, approved, "ann ");
            let _ = world.decides_refund(order, approved, "Bob");
            world.run(5 * MINUTE);
        }
    }
}

pub fn an_approved_refund_fails(world: &mut World) {
    let _ = world.open(bare(1_000, WhoScans::BuyerScans));
    world.run(2_000);
    let _ = world.phone_pays_by(ChannelId::Wechat);
    world.run(MINUTE);
    world.wechat.mood.closes_refunds = 1;
    if let Some(order) = last_order(world) {
        let _ = world.asks_refund(order, None, "Ann");
        let _ = world.decides_refund(order, true, "Bob");
        world.run(10 * MINUTE);
        let _ = world.refund(order, Some(100));
    }
}

pub fn one_of_two_falls_and_is_told(world: &mut World) {
    world.machine.jammed.insert(slot("12"));
    let _ = world.open(basket(&["11", "12"], WhoScans::BuyerScans));
    world.run(2_000);
    let _ = world.phone_pays_by(ChannelId::Wechat);
    world.run(5 * MINUTE);
    if let Some(order) = last_order(world) {
        let _ = world.asks_refund(order, Some(100), "Ann");
        world.run(5 * MINUTE);
    }
}

pub fn a_delivery_is_told_late(world: &mut World) {
    world.wechat.mood.refuses_duties = true;
    let _ = world.buy("12");
    world.run(2_000);
    let _ = world.phone_pays_by(ChannelId::Wechat);
    world.run(MINUTE);
    if let Some(order) = last_order(world) {
        let _ = world.refund(order, Some(100));
        world.run(5 * MINUTE);
    }
    world.run(DAY);
    world.wechat.mood.refuses_duties = false;
}

/// The first code is on the buyer's phone when its channel goes away.
pub fn alipay_goes_and_both_codes_are_paid(world: &mut World) {
    let _ = world.buy("21");
    world.run(2_000);
    let first = world.phone_scans();
    world.net.away.insert(ChannelId::Alipay);
    let until = world.at + 60_000;
    while world.code_of(ChannelId::Wechat).is_none() && world.at < until {
        world.run(500);
    }
    let _ = world.phone_pays_by(ChannelId::Wechat);
    if let Some(first) = first {
        world.confirm(first);
    }
    world.run(5_000);
    world.net.away.clear();
    world.run(5 * MINUTE);
}

pub fn alipay_goes_and_comes_back(world: &mut World) {
    let _ = world.buy("21");
    world.run(2_000);
    let first = world.code_on_screen();
    world.net.away.insert(ChannelId::Alipay);
    world.run(40_000);
    world.net.away.clear();
    world.run(10_000);
    if let Some(first) = first {
        world.scan(first);
        world.confirm(first);
    }
    world.run(5 * MINUTE);
}

pub fn both_go_and_come_back(world: &mut World) {
    let _ = world.buy("21");
    world.run(2_000);
    let _ = world.show_wechat_code(Wallet::Confirms);
    world.run(1_000);
    world.net.down = true;
    world.run(30_000);
    world.net.down = false;
    world.confirms();
    world.run(5 * MINUTE);
}

pub fn chooses_instalments(world: &mut World) {
    let _ = world.buy("21");
    world.run(2_000);
    let _ = world.key(Key::Digit(1));
    world.run(2_000);
    let _ = world.phone_pays_by(ChannelId::Alipay);
    world.run(MINUTE);
}

pub fn pays_the_code_of_before_the_choice(world: &mut World) {
    let _ = world.buy("21");
    world.run(2_000);
    let before = world.code_of(ChannelId::Alipay);
    if let Some(order) = world.engine.order_at_machine() {
        let _ = world.input(Input::ChooseInstalments { order, periods: Some(6) });
    }
    if let Some(before) = before {
        world.scan(before);
        world.confirm(before);
    }
    world.run(2_000);
    let _ = world.phone_pays_by(ChannelId::Alipay);
    world.run(5 * MINUTE);
}
