//! Member and voucher codes: taken without asking anybody, within what they allow and what the terminal allows.

use super::codes::{TERMINAL, member, once, signed, voucher};
use super::scenes;
use super::world::{DAY, MINUTE, World, bare, basket, slot};
use crate::channel::ChannelId;
use crate::engine::Engine;
use crate::engine::effect::Effect;
use crate::engine::entry::{Ending, Entry, OrderState, RefundReason, VoucherUse, WhoScans};
use crate::engine::input::{Done, Input, Key, Refused};
use crate::engine::view::{CodeTrouble, MoneyWord, PayTrouble, View};
use crate::ids::IdMint;
use crate::money::Fen;
use crate::redact::PayCode;
use crate::voucher::{Kind, Voucher, VoucherRefused};

fn world() -> World {
    World::with_codes(WhoScans::MerchantScans)
}

/// Buys and shows the code; lets everything come to rest.
fn pays(world: &mut World, slot: &str, code: &PayCode) -> Result<Done, Refused> {
    world.buy(slot).expect("it sells");
    let done = world.show_code(code);
    if done.is_err() {
        world.key(Key::Cancel).expect("cancelled");
    }
    world.settle();
    done
}

fn refused(reason: VoucherRefused) -> Result<Done, Refused> {
    Err(Refused::Voucher(reason))
}

fn trouble(world: &World) -> Option<PayTrouble> {
    let View::Pay { trouble, .. } = world.view() else {
        return None;
    };
    trouble
}

#[test]
fn a_member_code_pays_and_the_goods_fall() {
    let mut world = world();
    scenes::a_member_pays(&mut world);
    world.settle();
    let record = world.last_record();
    assert_eq!((record.state(), record.ending), (OrderState::Completed, Some(Ending::Delivered)));
    assert_eq!((world.machine.begun.len(), world.spent_of("M-1")), (1, 350));
    assert!(world.alipay.calls.keys().all(|name| *name == "probe"), "nobody was asked: {:?}", world.alipay.calls);
}

#[test]
fn the_attempt_and_its_payment_are_one_commit_and_name_the_code() {
    let mut world = world();
    world.buy("11").expect("it sells");
    let (commits, entries) = (world.commits, world.stored.len());
    world.show_code(&member("M-1", 5_000)).expect("taken");
    let written: Vec<&Entry> = world.stored[entries..].iter().map(|stored| &stored.entry).collect();
    let of =
        VoucherUse { code: "M-1".to_owned(), allowance: Fen::new(5_000), once: false, expires_ms: 1_900_000_000_000 };
    assert!(matches!(written[0], Entry::AttemptStarted { channel: ChannelId::Voucher, voucher, .. }
        if *voucher == Some(of)));
    assert!(matches!(written[1], Entry::AttemptPaid { trade_no, .. } if trade_no == "M-1"));
    assert!(matches!(written[2], Entry::VendStarted { .. }));
    assert_eq!(world.commits, commits + 2, "the payment, and then the motor's start");
}

#[test]
fn a_member_code_is_spent_over_several_sales_until_too_little_is_left() {
    let mut world = world();
    let code = member("M-1", 1_000);
    assert!(pays(&mut world, "11", &code).is_ok() && pays(&mut world, "12", &code).is_ok());
    assert_eq!(pays(&mut world, "11", &code), refused(VoucherRefused::TooLittle { left: Fen::new(150) }));
    assert_eq!(world.last_state(), OrderState::Cancelled);
    assert!(pays(&mut world, "11", &member("M-1", 1_200)).is_ok(), "the operator topped it up");
    assert_eq!(pays(&mut world, "11", &code), refused(VoucherRefused::Used));
    assert_eq!(world.spent_of("M-1"), 1_200);
}

#[test]
fn a_voucher_is_used_up_by_one_sale_whatever_is_left() {
    let mut world = world();
    let code = once("V-1", 1_000);
    assert!(pays(&mut world, "11", &code).is_ok());
    world.buy("11").expect("it sells");
    assert_eq!(world.show_code(&code), refused(VoucherRefused::Used));
    assert_eq!(trouble(&world), Some(PayTrouble::Code(CodeTrouble::Used)));
    assert!(world.scanner_armed, "another code may be shown");
    world.show_code(&once("V-2", 350)).expect("another is taken");
    world.settle();
    assert_eq!((world.spent_of("V-1"), world.spent_of("V-2")), (350, 350));
    assert_eq!(
        Refused::Voucher(VoucherRefused::Used).to_string(),
        "this voucher was used; nothing more was spent of it"
    );
}

#[test]
fn a_voucher_too_small_for_the_order_is_not_used() {
    let mut world = world();
    let code = once("V-1", 400);
    assert_eq!(pays(&mut world, "12", &code), refused(VoucherRefused::TooLittle { left: Fen::new(400) }));
    assert!(pays(&mut world, "11", &code).is_ok());
}

#[test]
fn a_used_voucher_is_refused_after_a_restart_too() {
    for gap in [500, 30 * DAY] {
        let mut world = world();
        pays(&mut world, "11", &once("V-1", 1_000)).expect("taken");
        pays(&mut world, "11", &member("M-1", 700)).expect("taken");
        world.restart(false, gap);
        world.run(MINUTE);
        assert_eq!(pays(&mut world, "11", &once("V-1", 1_000)), refused(VoucherRefused::Used));
        let left = VoucherRefused::TooLittle { left: Fen::new(350) };
        assert_eq!(pays(&mut world, "12", &member("M-1", 700)), refused(left));
    }
}

#[test]
fn what_is_not_the_operators_for_here_and_for_now_is_refused_and_changes_nothing() {
    let odd = |change: fn(&mut Voucher)| {
        let mut voucher = voucher("M-1", Kind::Member, 5_000);
        change(&mut voucher);
        signed(&voucher)
    };
    let mut forged = member("M-1", 5_000).expose().to_owned();
    forged.replace_range(20..21, if &forged[20..21] == "A" { "B" } else { "A" });
    let cases = [
        (PayCode::new("TILL1.AAAA"), VoucherRefused::Damaged, CodeTrouble::Invalid),
        (PayCode::new(forged), VoucherRefused::Forged, CodeTrouble::Invalid),
        (odd(|code| code.id = "M 1".to_owned()), VoucherRefused::Malformed("id"), CodeTrouble::Invalid),
        (odd(|code| code.expires_ms = 1_790_000_000_000), VoucherRefused::Expired, CodeTrouble::Expired),
        (odd(|code| code.terminals = vec!["VM-2".to_owned()]), VoucherRefused::Elsewhere, CodeTrouble::Elsewhere),
        (member("M-1", 349), VoucherRefused::TooLittle { left: Fen::new(349) }, CodeTrouble::TooLittle),
    ];
    let mut world = world();
    world.buy("11").expect("it sells");
    for (code, reason, told) in cases {
        let entries = world.stored.len();
        assert_eq!(world.show_code(&code), refused(reason));
        assert_eq!((world.stored.len(), trouble(&world)), (entries, Some(PayTrouble::Code(told))));
        assert!(world.scanner_armed && world.machine.begun.is_empty());
    }
    assert!(world.code_uses().is_empty());
    assert_ne!(TERMINAL, "VM-2");
}

#[test]
fn a_machine_without_the_operators_key_takes_no_codes() {
    let mut world = World::new(WhoScans::MerchantScans);
    world.buy("11").expect("it sells");
    assert_eq!(world.show_code(&member("M-1", 5_000)), Err(Refused::WalletNotTaken("voucher")));
    assert!(matches!(world.view(), View::Pay { wallets, .. } if wallets == [ChannelId::Alipay]));
}

#[test]
fn one_sale_is_limited() {
    let mut world = world();
    let order = world.open(basket(&["12", "12"], WhoScans::MerchantScans)).expect("it sells");
    world.show_code(&member("M-1", 5_000)).expect("exactly the limit");
    world.settle();
    assert_eq!(world.record(order).state(), OrderState::Completed);
    world.open(basket(&["12", "12", "11"], WhoScans::MerchantScans)).expect("it sells");
    let above = VoucherRefused::AboveSale { per_sale_max: Fen::new(1_000) };
    assert_eq!(world.show_code(&member("M-1", 5_000)), refused(above));
    assert_eq!(trouble(&world), Some(PayTrouble::Code(CodeTrouble::NotNow)));
}

#[test]
fn what_the_hub_does_not_have_is_limited_until_it_has_it() {
    let mut world = world();
    for number in 0..6 {
        pays(&mut world, "12", &member(&format!("M-{number}"), 500)).expect("up to the limit");
    }
    let limit = VoucherRefused::Unsettled { unsettled_max: Fen::new(3_000) };
    assert_eq!(pays(&mut world, "11", &member("M-9", 500)), refused(limit.clone()));
    world.restart(false, DAY);
    world.run(MINUTE);
    assert_eq!(pays(&mut world, "11", &member("M-9", 500)), refused(limit), "a restart is no way around it");
    world.hub_acknowledges();
    assert!(pays(&mut world, "11", &member("M-9", 500)).is_ok());
}

#[test]
fn goods_that_jam_give_the_allowance_back_at_once() {
    let mut world = world();
    scenes::the_goods_for_a_code_jam(&mut world);
    world.settle();
    let first = world.record(world.order_ids()[0]);
    assert_eq!((first.state(), first.ending), (OrderState::Refunded, Some(Ending::Refunded)));
    assert_eq!(first.refunds[0].reason, RefundReason::Undelivered);
    assert_eq!(world.last_state(), OrderState::Completed, "the voucher pays again");
    assert_eq!(world.spent_of("V-1"), 500);
    assert!(world.alipay.calls.keys().all(|name| *name == "probe"));
}

#[test]
fn what_jams_is_on_the_screen_as_returned() {
    let mut world = world();
    world.machine.jammed.insert(slot("11"));
    world.buy("11").expect("it sells");
    world.show_code(&once("V-1", 400)).expect("taken");
    world.run(3_000);
    assert!(matches!(world.view(), View::Sorry { money: MoneyWord::Refunded, .. }), "{:?}", world.view());
}

#[test]
fn an_operator_returns_allowance_in_parts() {
    let mut world = world();
    scenes::a_code_is_returned_in_parts(&mut world);
    world.settle();
    assert_eq!((world.last_state(), world.spent_of("V-1")), (OrderState::Refunded, 0));
    let order = world.order_ids()[0];
    let nothing = Refused::TooMuch { left: Fen::ZERO, asked: Fen::new(1) };
    assert_eq!(world.refund(order, Some(1)), Err(nothing));
    assert!(pays(&mut world, "11", &once("V-1", 800)).is_ok(), "all of it came back");
}

#[test]
fn a_voucher_of_which_a_part_came_back_stays_used() {
    let mut world = world();
    pays(&mut world, "11", &once("V-1", 800)).expect("taken");
    world.refund(world.order_ids()[0], Some(300)).expect("a part");
    world.settle();
    assert_eq!(pays(&mut world, "11", &once("V-1", 800)), refused(VoucherRefused::Used));
    world.restart(false, 500);
    world.run(MINUTE);
    assert_eq!(pays(&mut world, "11", &once("V-1", 800)), refused(VoucherRefused::Used));
}

#[test]
fn the_code_on_the_screen_is_closed_and_a_late_payment_of_it_goes_back() {
    let mut world = World::with_codes(WhoScans::Either);
    scenes::a_code_wins_and_the_phone_pays_too(&mut world);
    world.settle();
    let record = world.last_record();
    assert_eq!((record.state(), world.net(), world.spent_of("M-1")), (OrderState::Completed, 0, 350));
    assert_eq!(record.refunds[0].reason, RefundReason::PaidTwice);
    assert_eq!(world.machine.begun.len(), 1);
}

#[test]
fn a_code_whose_record_the_disk_refuses_is_not_spent_and_delivers_nothing() {
    for days in [0, 30] {
        let mut world = world();
        world.buy("11").expect("it sells");
        world.run(1_000);
        world.refuse_writes = true;
        let _taken = world.show_code(&once("V-1", 400));
        world.run(10_000 + days * DAY);
        assert!(!world.scanner_armed && world.machine.begun.is_empty());
        world.refuse_writes = false;
        world.settle();
        assert_eq!((world.last_state(), world.code_uses().len()), (OrderState::Failed, 0));
        assert!(pays(&mut world, "11", &once("V-1", 400)).is_ok(), "it is still worth what it was");
        assert_eq!(world.machine.begun.len(), 1);
    }
}

#[test]
fn a_code_through_the_api_pays_a_bare_amount() {
    let mut world = World::with_codes(WhoScans::BuyerScans);
    let order = world.open(bare(700, WhoScans::Either)).expect("it sells");
    world.run(500);
    let line = member("M-1", 700).expose().to_owned();
    assert!(matches!(world.input(Input::CodeGiven { order, line }), Ok(Done::Trying(_))));
    world.settle();
    assert_eq!((world.last_state(), world.spent_of("M-1")), (OrderState::Completed, 700));
}

#[test]
fn an_order_that_only_a_phone_may_pay_takes_no_code() {
    let mut world = World::with_codes(WhoScans::BuyerScans);
    world.buy("11").expect("it sells");
    world.run(500);
    assert!(matches!(world.view(), View::Pay { wallets, .. } if wallets == [ChannelId::Alipay]));
    assert_eq!(world.show_code(&member("M-1", 5_000)), Err(Refused::NotWaiting));
}

#[test]
fn the_pay_screen_names_codes_among_the_ways_to_pay() {
    let mut world = World::with_codes(WhoScans::Either);
    world.buy("11").expect("it sells");
    world.run(500);
    let both = [ChannelId::Alipay, ChannelId::Voucher];
    assert!(matches!(world.view(), View::Pay { wallets, codes_only: None, .. } if wallets == both));
}

#[test]
fn a_code_without_a_payment_in_its_commit_was_not_spent() {
    let mut world = world();
    world.buy("11").expect("it sells");
    world.show_code(&once("V-1", 400)).expect("taken");
    // As a journal could be that another program wrote: the beginning alone.
    let paid = world.stored.iter().position(|stored| matches!(stored.entry, Entry::AttemptPaid { .. }));
    let open = [world.stored[..paid.expect("it was paid")].to_vec()];
    let (settings, mint) = (world.engine.settings().clone(), IdMint::new([9; 32]));
    let mut engine = Engine::restore(settings, mint, world.now(), &open, Vec::new());
    let Some(Effect::Record(written)) =
        std::iter::from_fn(|| engine.poll_effect()).find(|effect| matches!(effect, Effect::Record(_)))
    else {
        panic!("nothing is written");
    };
    let written: Vec<&Entry> = written.iter().map(|record| &record.entry).collect();
    assert!(matches!(
        written[..],
        [Entry::AttemptNotPaid { .. }, Entry::OrderCancelled { .. }, Entry::OrderClosed { .. }]
    ));
}
