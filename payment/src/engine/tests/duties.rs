//! What a channel wants to hear after a delivery, and that it is told, for the goods that the buyer has.

use super::world::{DAY, MINUTE, World, bare, basket, said, slot, two_channels};
use crate::channel::{ChannelId, DutyKind};
use crate::engine::entry::{Entry, OrderState, WhoScans};
use crate::engine::faults::Fault;
use crate::engine::input::{Done, Input, Refused};
use crate::engine::record::OrderRecord;
use crate::engine::settings::Settings;
use crate::money::Fen;

const WHO: WhoScans = WhoScans::BuyerScans;

fn world() -> World {
    World::begin(two_channels(WHO), Some(0))
}

fn buys(world: &mut World, slots: &[&str], channel: ChannelId) {
    world.open(basket(slots, WHO)).expect("it sells");
    world.run(1_000);
    world.phone_pays_by(channel).expect("a code");
}

fn told(record: &OrderRecord) -> Vec<(DutyKind, Fen, bool)> {
    record.duties.iter().map(|duty| (duty.kind, duty.amount, duty.done)).collect()
}

#[test]
fn the_channel_that_wants_it_is_told_of_a_delivery_once() {
    for (channel, duties) in [(ChannelId::Wechat, 1), (ChannelId::Alipay, 0)] {
        let mut world = world();
        buys(&mut world, &["11"], channel);
        world.run(3_500);
        assert!(world.last_record().duties.is_empty(), "not before the goods fell");
        world.settle();
        assert_eq!((world.last_record().duties.len(), world.wechat.told.len()), (duties, duties));
    }
}

#[test]
fn what_did_not_fall_is_returned_first_and_the_rest_is_told() {
    let mut world = world();
    world.machine.jammed.insert(slot("12"));
    buys(&mut world, &["11", "12"], ChannelId::Wechat);
    world.run(30_000);
    assert!(world.last_record().duties.is_empty(), "the refund is not over");
    world.settle();
    assert_eq!(told(&world.last_record()), [(DutyKind::ReportDelivery, Fen::new(350), true)]);
}

#[test]
fn of_a_sale_that_was_returned_whole_nobody_is_told() {
    let mut world = world();
    world.machine.jammed.insert(slot("11"));
    buys(&mut world, &["11"], ChannelId::Wechat);
    world.settle();
    assert_eq!((world.net(), told(&world.last_record())), (0, vec![]));
}

#[test]
fn a_channel_that_refuses_to_hear_is_seen_and_told_again_and_sales_go_on() {
    let mut world = world();
    world.wechat.mood.refuses_duties = true;
    buys(&mut world, &["11"], ChannelId::Wechat);
    world.run(MINUTE);
    let order = world.last_record().order;
    assert_eq!(world.engine.faults().collect::<Vec<_>>(), [&Fault::Duty(order)]);
    assert_eq!(world.last_state(), OrderState::Completed, "the buyer has it all");
    buys(&mut world, &["12"], ChannelId::Alipay);
    world.run(30 * DAY);
    let refused = world.stored.iter().filter(|stored| matches!(stored.entry, Entry::DutyRefused { .. }));
    assert_eq!(refused.count(), 1, "the journal does not grow with each try");
    world.wechat.mood.refuses_duties = false;
    world.settle();
    assert_eq!((world.engine.faults().next(), world.wechat.told.len()), (None, 1));
}

#[test]
fn a_channel_that_has_not_heard_for_a_day_is_seen() {
    let mut world = world();
    buys(&mut world, &["11"], ChannelId::Wechat);
    world.run(3_500);
    world.net.away.insert(ChannelId::Wechat);
    let duty = Fault::Duty(world.last_record().order);
    world.run(DAY);
    assert!(world.engine.faults().all(|fault| *fault != duty));
    world.run(30 * MINUTE);
    assert!(world.engine.faults().any(|fault| *fault == duty));
    world.net.away.clear();
    world.settle();
    assert_eq!(world.engine.faults().next(), None);
}

/// It is one call under one number: another sum would be another call.
#[test]
fn what_is_told_stays_the_same_when_money_goes_back_meanwhile_and_over_a_restart() {
    let mut world = world();
    world.wechat.mood.refuses_duties = true;
    let order = world.open(bare(1_000, WHO)).expect("it sells");
    world.run(1_000);
    world.phone_pays_by(ChannelId::Wechat).expect("a code");
    world.run(MINUTE);
    world.refund(order, Some(300)).expect("a part");
    world.run(5 * MINUTE);
    assert_eq!(world.net(), 700);
    world.restart(true, DAY);
    world.wechat.mood.refuses_duties = false;
    world.settle();
    assert_eq!(told(&world.record(order)), [(DutyKind::ReportDelivery, Fen::new(1_000), true)]);
}

#[test]
fn an_order_that_was_closed_before_duties_were_wanted_is_not_told_when_it_is_loaded() {
    let mut world = World::begin(Settings { duties: [].into(), ..two_channels(WHO) }, Some(0));
    let order = world.open(bare(1_000, WHO)).expect("it sells");
    world.run(1_000);
    world.phone_pays_by(ChannelId::Wechat).expect("a code");
    world.settle();
    world.begin_anew_with(two_channels(WHO));
    world.asks_refund(order, None, "Ann").expect("asked");
    world.run(MINUTE);
    world.refund(order, Some(300)).expect_err("one waits");
    assert_eq!((told(&world.record(order)), world.wechat.told.len()), (vec![], 0));
}

#[test]
fn an_owed_refund_of_the_other_code_keeps_nobody_from_telling_or_refunding() {
    let mut world = world();
    let order = world.open(bare(1_000, WHO)).expect("it sells");
    world.run(1_000);
    world.alipay.mood.short_of_funds = true;
    let other = world.code_of(ChannelId::Alipay).expect("a code");
    world.scan(other);
    world.phone_pays_by(ChannelId::Wechat).expect("a code");
    world.run(5_000);
    world.lands_despite_close(other);
    world.run(DAY);
    let record = world.record(order);
    assert_eq!(
        (record.winner().map(|winner| winner.channel), record.state()),
        (Some(ChannelId::Wechat), OrderState::Owed)
    );
    assert_eq!(told(&record), [(DutyKind::ReportDelivery, Fen::new(1_000), true)]);
    world.refund(order, Some(100)).expect("of the payment that bought the order");
    world.run(DAY);
    assert_eq!((world.net(), world.record(order).state()), (1_900, OrderState::Owed));
    world.alipay.mood.short_of_funds = false;
    world.settle();
    assert_eq!((world.net(), world.record(order).state()), (900, OrderState::Refunded));
}

#[test]
fn when_all_money_is_back_there_is_nothing_left_to_tell() {
    for restarts in [false, true] {
        let mut world = world();
        world.wechat.mood.refuses_duties = true;
        let order = world.open(bare(300, WHO)).expect("it sells");
        world.run(1_000);
        world.phone_pays_by(ChannelId::Wechat).expect("a code");
        world.run(MINUTE);
        world.refund(order, None).expect("all of it");
        if restarts {
            world.restart(true, MINUTE);
        }
        world.run(DAY);
        assert!(world.is_idle(), "the order is over");
        assert_eq!((world.engine.faults().next(), world.net()), (None, 0));
    }
}

#[test]
fn what_a_person_did_in_the_portal_is_not_called_any_more() {
    let mut world = world();
    world.wechat.mood.refuses_duties = true;
    buys(&mut world, &["11"], ChannelId::Wechat);
    world.run(DAY);
    let order = world.last_record().order;
    let done = |world: &mut World, by: &str| world.input(Input::DutyDone { order, said: said(by) });
    assert_eq!(done(&mut world, " "), Err(Refused::NameWanted));
    assert_eq!(done(&mut world, "Ann"), Ok(Done::Taken));
    world.run(1_000);
    assert!(world.is_idle(), "the order is over");
    assert_eq!(world.engine.faults().next(), None);
    assert_eq!(told(&world.record(order)), [(DutyKind::ReportDelivery, Fen::new(350), true)]);
    assert_eq!(done(&mut world, "Ann"), Err(Refused::NoSuchOrder(order)));
}
