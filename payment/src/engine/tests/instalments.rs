//! The buyer chooses between paying at once and by the month, at the keypad or through the API.

use super::alipay::Wallet;
use super::world::{World, acquirer_first, bare, basket, with_instalments};
use crate::channel::ChannelId;
use crate::engine::entry::{Method, OrderState, WhoScans};
use crate::engine::faults::Fault;
use crate::engine::input::{Input, Key, NewOrder, Refused};
use crate::engine::settings::{CodeShown, Settings};
use crate::engine::view::View;
use crate::instalment::AntNumber;
use crate::money::Fen;

const WHO: WhoScans = WhoScans::BuyerScans;

fn world() -> World {
    World::begin(with_instalments(WHO), Some(0))
}

fn opened() -> World {
    let mut world = world();
    world.buy("21").expect("it sells");
    world.run(1_000);
    world
}

/// The months of each plan on the screen, and whether it is chosen.
fn plans(world: &World) -> Vec<(u8, bool)> {
    let View::Pay { plans, .. } = world.view() else {
        panic!("no pay screen: {:?}", world.view());
    };
    plans.iter().map(|plan| (plan.periods, plan.chosen)).collect()
}

fn periods_of_the_winner(world: &World) -> Option<u8> {
    world.last_record().winner().and_then(|winner| winner.instalment).map(|instalment| instalment.periods)
}

#[test]
fn a_key_chooses_a_plan_and_alipays_code_asks_for_it() {
    let mut world = opened();
    let (alipay, wechat) = (world.code_of(ChannelId::Alipay), world.code_of(ChannelId::Wechat));
    assert_eq!(plans(&world), [(3, false), (6, false)]);
    world.key(Key::Digit(2)).expect("taken");
    assert!(matches!(world.view(), View::Pay { .. }), "the buyer goes on: {:?}", world.view());
    world.run(1_000);
    assert_eq!(plans(&world), [(3, false), (6, true)]);
    assert_ne!(world.code_of(ChannelId::Alipay), alipay);
    assert_eq!(world.code_of(ChannelId::Wechat), wechat, "WeChat Pay lends nothing");
    world.phone_pays_by(ChannelId::Alipay).expect("a code");
    world.settle();
    assert_eq!((world.net(), periods_of_the_winner(&world)), (800, Some(6)));
}

#[test]
fn the_code_of_before_the_choice_still_buys_if_the_phone_was_faster() {
    let mut world = opened();
    let before = world.code_of(ChannelId::Alipay).expect("a code");
    world.key(Key::Digit(1)).expect("taken");
    world.scan(before);
    world.confirm(before);
    world.run(1_000);
    world.phone_pays_by(ChannelId::Alipay);
    world.settle();
    assert_eq!((world.net(), world.machine.begun.len()), (800, 1));
}

#[test]
fn where_the_plan_is_refused_paying_at_once_has_a_code_again() {
    let mut world = opened();
    world.alipay.mood.refuses_instalments = true;
    world.key(Key::Digit(1)).expect("taken");
    world.run(1_000);
    assert_eq!(world.code_of(ChannelId::Alipay), None);
    world.key(Key::Digit(0)).expect("taken");
    world.run(1_000);
    assert!(matches!(world.view(), View::Pay { trouble: None, .. }), "{:?}", world.view());
    world.phone_pays_by(ChannelId::Alipay).expect("a code again");
    world.settle();
    assert_eq!((world.net(), periods_of_the_winner(&world)), (800, None));
}

#[test]
fn a_key_begins_nothing_once_the_order_is_paid_or_being_confirmed() {
    let mut world = opened();
    world.key(Key::Digit(1)).expect("taken");
    world.run(1_000);
    let code = world.code_of(ChannelId::Alipay).expect("a code");
    world.scan(code);
    world.run(4_000);
    let attempts = world.last_record().attempts.len();
    for confirmed in [false, true] {
        if confirmed {
            world.confirm(code);
            world.run(3_100);
        }
        for digit in 0..=9 {
            world.key(Key::Digit(digit)).expect("taken");
            world.run(20);
        }
        assert_eq!(world.last_record().attempts.len(), attempts, "confirmed: {confirmed}");
    }
    world.settle();
    assert_eq!((world.last_state(), world.net()), (OrderState::Completed, 800));
}

#[test]
fn a_buyer_who_cannot_decide_does_not_fill_the_journal() {
    let mut world = opened();
    for round in 0..100 {
        world.key(Key::Digit(round % 2)).expect("taken");
        world.run(300);
    }
    let shown = world.last_record().attempts.iter().filter(|attempt| attempt.method == Method::ShowCode).count();
    assert!(shown <= 13, "{shown} codes");
    world.phone_pays_by(ChannelId::Alipay).expect("the last code stays");
    world.settle();
    assert_eq!(world.net(), 800);
}

#[test]
fn through_the_api_only_what_is_offered_is_chosen_and_only_in_time() {
    let mut world = opened();
    let order = world.engine.order_at_machine().expect("at the machine");
    let choose = |world: &mut World, periods| world.input(Input::ChooseInstalments { order, periods });
    assert!(matches!(choose(&mut world, Some(12)), Err(Refused::NoPlan(_))));
    choose(&mut world, Some(3)).expect("offered");
    world.run(1_000);
    assert_eq!(plans(&world), [(3, true), (6, false)]);
    world.phone_pays_by(ChannelId::Alipay).expect("a code");
    world.run(4_000);
    assert_eq!(choose(&mut world, None), Err(Refused::TooLateToChoose(order)));
    world.settle();
    assert_eq!(periods_of_the_winner(&world), Some(3));
}

#[test]
fn a_down_payment_is_no_part_of_what_is_collected_or_returned() {
    let mut world = world();
    let down_payment = Fen::new(300);
    let machine = NewOrder { amount: Fen::new(500), down_payment, ..basket(&["21"], WHO) };
    assert_eq!(world.open(machine.clone()), Err(Refused::DownPayment), "a machine takes no cash beside a phone");
    let mut by_hand = machine;
    by_hand.items[0].slot = None;
    let order = world.open(by_hand).expect("it sells");
    world.run(1_000);
    world.phone_pays_by(ChannelId::Alipay).expect("a code");
    world.run(10_000);
    assert_eq!((world.record(order).state(), world.net()), (OrderState::Completed, 500));
    let (left, asked) = (Fen::new(500), Fen::new(501));
    assert_eq!(world.refund(order, Some(501)), Err(Refused::TooMuch { left, asked }));
    world.settle();
    let sums = world.open(NewOrder { down_payment, periods: Some(12), ..bare(800, WHO) });
    assert!(matches!(sums, Err(Refused::NoPlan(_))), "{sums:?}");
}

#[test]
fn what_was_agreed_in_instalments_is_offered_by_no_channel_that_lends_nothing() {
    let mut world = world();
    let agreed = NewOrder { periods: Some(3), ..bare(80_000, WhoScans::Either) };
    let order = world.open(agreed).expect("it sells");
    world.run(1_000);
    let (alipay, wechat) = (world.code_of(ChannelId::Alipay), world.code_of(ChannelId::Wechat));
    assert!(alipay.is_some() && wechat.is_none(), "{alipay:?} {wechat:?}");
    let code = format!("13{:0>16}", 7);
    let refused = world.input(Input::CodeGiven { order, line: code });
    assert_eq!(refused, Err(Refused::WalletNotTaken("wechat")));
    assert_eq!(world.net(), 0);
}

#[test]
fn where_the_operator_wants_it_an_order_in_instalments_has_the_guides_number() {
    let numbered = |guide_numbers, reference: Option<&str>| {
        let mut world = World::begin(Settings { guide_numbers, ..with_instalments(WHO) }, Some(0));
        let reference = reference.map(str::to_owned);
        world.open(NewOrder { periods: Some(3), reference, ..bare(80_000, WHO) }).expect("it sells");
        world.last_record().reference
    };
    let made = numbered(true, None).expect("a number");
    assert!(made.parse::<AntNumber>().is_ok() && made.len() == 20, "{made}");
    assert_eq!(numbered(true, Some("A-7")).as_deref(), Some("A-7"), "the caller's own number stays");
    assert_eq!(numbered(false, None), None);
}

#[test]
fn a_chosen_plan_is_never_charged_whole_by_a_code_that_the_lenders_wallet_can_read() {
    let mut world = World::begin(acquirer_first(WHO), Some(0));
    world.buy("21").expect("it sells");
    world.run(1_000);
    let whole = world.code_of(ChannelId::AllinpayVsp).expect("the acquirer's code for all wallets");
    world.key(Key::Digit(1)).expect("taken");
    world.run(1_000);
    assert_eq!((world.code_of(ChannelId::AllinpayVsp), plans(&world)), (None, vec![(3, true), (6, false)]));
    world.net.away.insert(ChannelId::Alipay);
    world.run(30_000);
    assert_eq!(world.code_of(ChannelId::AllinpayVsp), None, "nobody lends now: no code, and the choice in sight");
    assert_eq!(plans(&world), [(3, true), (6, false)]);
    world.key(Key::Digit(0)).expect("taken");
    world.run(1_000);
    let at_once = world.code_of(ChannelId::AllinpayVsp).expect("at once, by whom it can be");
    assert_ne!(at_once, whole);
    world.net.away.clear();
    world.phone_pays_by(ChannelId::AllinpayVsp);
    world.settle();
    assert_eq!((world.net(), periods_of_the_winner(&world)), (800, None));
}

#[test]
fn a_pay_code_of_the_lender_is_taken_with_the_chosen_plan_whoever_comes_first_in_the_table() {
    for (digit, periods, channel) in [(0, None, ChannelId::AllinpayVsp), (1, Some(3), ChannelId::Alipay)] {
        let mut world = World::begin(acquirer_first(WhoScans::MerchantScans), Some(0));
        world.buy("21").expect("it sells");
        world.key(Key::Digit(digit)).expect("taken");
        world.run(1_000);
        let _ = world.show_pay_code(Wallet::PaysAtOnce);
        world.settle();
        let attempts = world.last_record().attempts;
        let asked: Vec<_> = attempts.iter().map(|attempt| (attempt.channel, attempt.instalment)).collect();
        let [(by, plan)] = asked.as_slice() else {
            panic!("{asked:?}");
        };
        assert_eq!((*by, plan.map(|plan| plan.periods)), (channel, periods));
    }
}

#[test]
fn an_order_in_instalments_is_refused_where_nobody_could_lend_for_it() {
    let agreed = |world: &mut World| world.open(NewOrder { periods: Some(3), ..bare(80_000, WHO) });
    let mut away = world();
    away.net.away.insert(ChannelId::Alipay);
    away.buy("21").expect("WeChat Pay sells");
    away.run(60_000);
    away.key(Key::Cancel).expect("taken");
    away.run(60_000);
    assert_eq!(agreed(&mut away), Err(Refused::OutOfService(Fault::Network(ChannelId::Alipay))));
    let mut acquirer = acquirer_first(WHO);
    acquirer.shows = vec![CodeShown { wallet: None, channels: vec![ChannelId::AllinpayVsp] }];
    let mut acquirer = World::begin(acquirer, Some(0));
    assert_eq!(agreed(&mut acquirer), Err(Refused::NoInstalments));
    acquirer.buy("21").expect("it sells");
    acquirer.run(1_000);
    assert_eq!(plans(&acquirer), [], "no plan is offered that no code can carry");
    let order = acquirer.engine.order_at_machine().expect("at the machine");
    let code = acquirer.code_of(ChannelId::AllinpayVsp);
    assert_eq!(acquirer.input(Input::ChooseInstalments { order, periods: Some(3) }), Err(Refused::NoInstalments));
    acquirer.run(1_000);
    assert!(code.is_some() && acquirer.code_of(ChannelId::AllinpayVsp) == code, "bad input changes nothing");
}
