//! Scenes of a machine's life. Each is played as it is by a named test, and again with a kill at every commit: so they
//! claim nothing themselves, and a buyer whose screen shows no code does not scan it.

use super::alipay::Wallet;
use super::codes::{member, once};
use super::world::{DAY, MINUTE, World, bare, basket, slot};
use crate::channel::outcome::Why;
use crate::engine::entry::{Entry, WhoScans};
use crate::engine::input::{Input, Key};

/// A scene: its name, who may scan at the keypad, and what happens.
pub type Scene = (&'static str, WhoScans, fn(&mut World));

pub const ALL: &[Scene] = &[
    ("pays by the screen", WhoScans::BuyerScans, pays_by_the_screen),
    ("never pays", WhoScans::BuyerScans, never_pays),
    ("pays late", WhoScans::BuyerScans, pays_late),
    ("confirms during the grace", WhoScans::BuyerScans, confirms_during_the_grace),
    ("pays as it is cancelled", WhoScans::BuyerScans, pays_as_it_is_cancelled),
    ("pays by code at once", WhoScans::MerchantScans, pays_by_code_at_once),
    ("confirms the code", WhoScans::MerchantScans, confirms_the_code),
    ("never confirms the code", WhoScans::MerchantScans, never_confirms_the_code),
    ("is refused and shows another", WhoScans::MerchantScans, is_refused_and_shows_another),
    ("pays and the reply is lost", WhoScans::MerchantScans, pays_and_the_reply_is_lost),
    ("pays by code after a long way", WhoScans::MerchantScans, pays_by_code_after_a_long_way),
    ("cancels while the code is on a long way", WhoScans::MerchantScans, cancels_while_the_code_is_on_a_long_way),
    ("a cancel overtakes an earlier one", WhoScans::MerchantScans, a_cancel_overtakes_an_earlier_one),
    ("either, and the code is first", WhoScans::Either, either_and_the_code_is_first),
    ("either, and both are paid", WhoScans::Either, either_and_both_are_paid),
    ("two items", WhoScans::BuyerScans, two_items),
    ("two items, and one jams", WhoScans::BuyerScans, two_items_and_one_jams),
    ("jam, and the refund's reply is lost", WhoScans::BuyerScans, jam_and_the_refunds_reply_is_lost),
    ("jam, and refunds are refused for a week", WhoScans::BuyerScans, jam_and_refunds_are_refused_for_a_week),
    ("a bare amount, returned in parts", WhoScans::BuyerScans, a_bare_amount_returned_in_parts),
    ("the next buys while one is unresolved", WhoScans::MerchantScans, the_next_buys_while_one_is_unresolved),
    ("the network goes", WhoScans::Either, the_network_goes),
    ("the journal fails for a while", WhoScans::BuyerScans, the_journal_fails_for_a_while),
];

/// Scenes of a machine that takes member and voucher codes.
pub const WITH_CODES: &[Scene] = &[
    ("a member pays", WhoScans::MerchantScans, a_member_pays),
    ("a code wins, and the phone pays too", WhoScans::Either, a_code_wins_and_the_phone_pays_too),
    ("a voucher is shown twice", WhoScans::MerchantScans, a_voucher_is_shown_twice),
    ("the goods for a code jam", WhoScans::MerchantScans, the_goods_for_a_code_jam),
    ("a code is returned in parts", WhoScans::MerchantScans, a_code_is_returned_in_parts),
    ("members buy without a network", WhoScans::Either, members_buy_without_a_network),
    ("the network comes back", WhoScans::Either, the_network_comes_back_for_a_waiting_order),
    ("the network is back, and phone and member pay", WhoScans::Either, the_network_is_back_and_phone_and_member_pay),
    ("the journal fails for a code", WhoScans::MerchantScans, the_journal_fails_for_a_code),
    ("cash beside a phone", WhoScans::BuyerScans, cash_beside_a_phone),
];

pub fn a_member_pays(world: &mut World) {
    let _ = world.buy("11");
    world.run(2_000);
    let _ = world.show_code(&member("M-1", 5_000));
    world.run(5_000);
}

pub fn a_code_wins_and_the_phone_pays_too(world: &mut World) {
    let _ = world.buy("11");
    world.run(2_000);
    let code = world.phone_scans();
    let _ = world.show_code(&member("M-1", 5_000));
    if let Some(code) = code {
        world.confirm(code);
    }
    world.run(5 * MINUTE);
}

pub fn a_voucher_is_shown_twice(world: &mut World) {
    for _ in 0..2 {
        let _ = world.buy("11");
        let _ = world.show_code(&once("V-1", 500));
        world.run(20_000);
        let _ = world.key(Key::Cancel);
        world.run(20_000);
    }
}

pub fn the_goods_for_a_code_jam(world: &mut World) {
    world.machine.jammed.insert(slot("11"));
    for slot in ["11", "12"] {
        let _ = world.buy(slot);
        let _ = world.show_code(&once("V-1", 500));
        world.run(20_000);
    }
}

pub fn a_code_is_returned_in_parts(world: &mut World) {
    let _ = world.open(bare(800, WhoScans::MerchantScans));
    let _ = world.show_code(&once("V-1", 800));
    world.run(5_000);
    if let Some(order) = world.order_ids().first().copied() {
        for amount in [Some(300), Some(600), None] {
            let _ = world.refund(order, amount);
            world.run(5_000);
        }
    }
}

pub fn members_buy_without_a_network(world: &mut World) {
    world.net.down = true;
    let _ = world.buy("11");
    world.run(40_000);
    let _ = world.show_pay_code(Wallet::PaysAtOnce);
    let _ = world.show_code(&member("M-1", 5_000));
    world.run(20_000);
    let _ = world.buy("12");
    world.run(1_000);
    let _ = world.show_code(&member("M-1", 5_000));
    world.run(MINUTE);
    world.net.down = false;
    world.run(3 * MINUTE);
}

pub fn the_network_comes_back_for_a_waiting_order(world: &mut World) {
    world.net.down = true;
    let _ = world.buy("11");
    world.run(40_000);
    world.net.down = false;
    let back = world.at + 45_000;
    while world.code_on_screen().is_none() && world.at < back {
        world.run(500);
    }
    world.phone_pays();
    world.run(MINUTE);
}

/// The order was opened for codes only. Its wallet code is scanned in the same moment as a member's code is read, and the
/// wallet's money lands after the code was closed.
pub fn the_network_is_back_and_phone_and_member_pay(world: &mut World) {
    world.net.down = true;
    world.run(20_000);
    let _ = world.buy("11");
    world.run(40_000);
    world.net.down = false;
    let back = world.at + 45_000;
    while world.code_on_screen().is_none() && world.at < back {
        world.run(500);
    }
    let scanned = world.phone_scans();
    let _ = world.show_code(&member("M-1", 5_000));
    world.run(20_000);
    if let Some(attempt) = scanned {
        world.lands_despite_close(attempt);
    }
    world.run(5 * MINUTE);
}

pub fn the_journal_fails_for_a_code(world: &mut World) {
    let _ = world.buy("11");
    world.run(2_000);
    world.refuse_writes = true;
    let _ = world.show_code(&once("V-1", 500));
    world.run(20_000);
    world.refuse_writes = false;
    world.run(MINUTE);
    let _ = world.buy("11");
    let _ = world.show_code(&once("V-1", 500));
    world.run(MINUTE);
}

pub fn cash_beside_a_phone(world: &mut World) {
    let cash = |world: &mut World, sold| world.input(Input::CashSale(Box::new(sold)));
    let _ = world.buy("11");
    let _ = cash(world, basket(&["12"], WhoScans::BuyerScans));
    world.run(2_000);
    world.phone_pays();
    let _ = cash(world, bare(100, WhoScans::BuyerScans));
    world.run(5_000);
}

pub fn pays_by_the_screen(world: &mut World) {
    let _ = world.buy("11");
    world.run(4_000);
    world.phone_scans();
    world.run(4_000);
    world.confirms();
    world.run(5_000);
}

pub fn never_pays(world: &mut World) {
    let _ = world.buy("11");
    world.run(6 * MINUTE);
}

pub fn pays_late(world: &mut World) {
    let _ = world.buy("11");
    world.run(80_000);
    let code = world.code_on_screen();
    world.run(70_000);
    if let Some(code) = code {
        world.scan(code);
        world.confirm(code);
    }
    world.run(MINUTE);
}

pub fn confirms_during_the_grace(world: &mut World) {
    let _ = world.buy("11");
    world.run(80_000);
    world.phone_scans();
    world.run(20_000);
    world.confirms();
    world.run(10_000);
}

pub fn pays_as_it_is_cancelled(world: &mut World) {
    let _ = world.buy("12");
    world.run(5_000);
    world.phone_scans();
    world.confirms();
    let _ = world.key(Key::Cancel);
    world.run(10_000);
}

pub fn pays_by_code_at_once(world: &mut World) {
    let _ = world.buy("12");
    world.run(1_000);
    let _ = world.show_pay_code(Wallet::PaysAtOnce);
    world.run(5_000);
}

pub fn confirms_the_code(world: &mut World) {
    let _ = world.buy("12");
    let _ = world.show_pay_code(Wallet::Confirms);
    world.run(9_000);
    world.confirms();
    world.run(9_000);
}

pub fn never_confirms_the_code(world: &mut World) {
    let _ = world.buy("12");
    world.alipay.mood.again = 3;
    let _ = world.show_pay_code(Wallet::Confirms);
    world.run(3 * MINUTE);
}

pub fn is_refused_and_shows_another(world: &mut World) {
    let _ = world.buy("12");
    let _ = world.show_pay_code(Wallet::Refuses(Why::Buyer));
    world.run(2_000);
    let _ = world.show_pay_code(Wallet::PaysAtOnce);
    world.run(5_000);
}

pub fn pays_and_the_reply_is_lost(world: &mut World) {
    let _ = world.buy("12");
    world.net.lose_replies = 1;
    let _ = world.show_pay_code(Wallet::PaysAtOnce);
    world.run(20_000);
}

pub fn pays_by_code_after_a_long_way(world: &mut World) {
    let _ = world.buy("12");
    world.net.slow_ms = 40_000;
    let _ = world.show_pay_code(Wallet::PaysAtOnce);
    world.net.slow_ms = 0;
    world.run(3 * MINUTE);
}

pub fn cancels_while_the_code_is_on_a_long_way(world: &mut World) {
    let _ = world.buy("12");
    world.net.slow_ms = 50_000;
    let _ = world.show_pay_code(Wallet::PaysAtOnce);
    world.net.slow_ms = 0;
    world.run(32_000);
    let _ = world.key(Key::Cancel);
    world.run(3 * MINUTE);
}

/// Of a bare amount: the first cancel is on a long way when a second is refused.
pub fn a_cancel_overtakes_an_earlier_one(world: &mut World) {
    let _ = world.open(bare(1_234, WhoScans::MerchantScans));
    world.net.lose_replies = u32::MAX;
    let _ = world.show_pay_code(Wallet::PaysAtOnce);
    world.run(1_000);
    world.net.slow_ms = 40_000;
    for _ in 0..600 {
        if !world.stored.iter().any(|stored| matches!(stored.entry, Entry::ReverseStarted { .. })) {
            world.run(500);
        }
    }
    (world.net.lose_replies, world.net.slow_ms) = (0, 0);
    world.alipay.mood.refuses_cancels = true;
    world.alipay.mood.short_of_funds = true;
    world.run(30_000);
    world.alipay.mood.refuses_cancels = false;
    world.run(MINUTE);
    world.alipay.mood.short_of_funds = false;
}

pub fn either_and_the_code_is_first(world: &mut World) {
    let _ = world.buy("21");
    world.run(2_000);
    world.phone_scans();
    let _ = world.show_pay_code(Wallet::PaysAtOnce);
    world.run(5 * MINUTE);
}

pub fn either_and_both_are_paid(world: &mut World) {
    let _ = world.buy("21");
    world.run(2_000);
    if let Some(code) = world.phone_scans() {
        let _ = world.show_pay_code(Wallet::PaysAtOnce);
        world.confirm(code);
    }
    world.run(5 * MINUTE);
}

pub fn two_items(world: &mut World) {
    let _ = world.open(basket(&["11", "11"], WhoScans::BuyerScans));
    world.run(2_000);
    world.phone_pays();
    world.run(10_000);
}

pub fn two_items_and_one_jams(world: &mut World) {
    world.machine.jammed.insert(slot("12"));
    let _ = world.open(basket(&["11", "12", "21"], WhoScans::BuyerScans));
    world.run(2_000);
    world.phone_pays();
    world.run(20_000);
}

pub fn jam_and_the_refunds_reply_is_lost(world: &mut World) {
    world.machine.jammed.insert(slot("11"));
    let _ = world.buy("11");
    world.run(2_000);
    world.phone_pays();
    world.run(3_500);
    world.net.lose_replies = 1;
    world.run(MINUTE);
}

pub fn jam_and_refunds_are_refused_for_a_week(world: &mut World) {
    world.machine.jammed.insert(slot("11"));
    world.alipay.mood.refuses_refunds = true;
    let _ = world.buy("11");
    world.run(2_000);
    world.phone_pays();
    world.run(7 * DAY);
    world.alipay.mood.refuses_refunds = false;
}

pub fn a_bare_amount_returned_in_parts(world: &mut World) {
    let Ok(order) = world.open(bare(1_000, WhoScans::BuyerScans)) else {
        return;
    };
    world.run(2_000);
    world.phone_pays();
    world.run(10_000);
    for amount in [Some(300), Some(800), None] {
        let _ = world.refund(order, amount);
        world.run(20_000);
    }
}

pub fn the_next_buys_while_one_is_unresolved(world: &mut World) {
    let _ = world.buy("11");
    world.net.lose_replies = 2;
    let _ = world.show_pay_code(Wallet::Confirms);
    let _ = world.key(Key::Cancel);
    world.run(20_000);
    let _ = world.buy("12");
    let _ = world.show_pay_code(Wallet::PaysAtOnce);
    world.run(2 * MINUTE);
}

pub fn the_network_goes(world: &mut World) {
    let _ = world.buy("11");
    world.run(2_000);
    world.phone_pays();
    world.net.down = true;
    world.run(5 * MINUTE);
    world.net.down = false;
    world.run(20 * MINUTE);
}

pub fn the_journal_fails_for_a_while(world: &mut World) {
    let _ = world.buy("11");
    world.run(2_000);
    world.phone_pays();
    world.refuse_writes = true;
    world.run(20_000);
    world.refuse_writes = false;
    world.run(MINUTE);
}
