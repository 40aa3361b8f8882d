//! What the machine sells by itself for coins and notes is recorded as it happened.

use super::scenes;
use super::world::{World, bare, basket, slot};
use crate::engine::entry::{Ending, Entry, Item, OrderState, Origin, WhoScans};
use crate::engine::faults::Fault;
use crate::engine::input::{Done, Input, NewOrder, Refused};
use crate::ids::OrderId;
use crate::money::Fen;

fn sell(world: &mut World, sold: NewOrder) -> Result<OrderId, Refused> {
    match world.input(Input::CashSale(Box::new(sold)))? {
        Done::Opened(order) => Ok(order),
        done @ (Done::Taken | Done::Trying(_) | Done::Refunding(_)) => panic!("sold, and told {done:?}"),
    }
}

fn world() -> World {
    World::new(WhoScans::BuyerScans)
}

#[test]
fn a_cash_sale_is_one_commit_and_over() {
    let mut world = world();
    let order = sell(&mut world, basket(&["11", "12"], WhoScans::BuyerScans)).expect("it happened");
    assert_eq!(world.commits, 1);
    let entries: Vec<Entry> = world.entries(order).into_iter().map(|stored| stored.entry).collect();
    assert!(matches!(
        &entries[..],
        [Entry::OrderOpened { .. }, Entry::CashTaken { .. }, Entry::OrderClosed { ending: Ending::Delivered, .. }]
    ));
    let record = world.record(order);
    assert_eq!(
        (record.state(), record.ending, record.origin),
        (OrderState::Completed, Some(Ending::Delivered), Origin::Api)
    );
    assert_eq!((record.cash, record.paid(), record.refunded()), (Fen::new(850), Fen::new(850), Fen::ZERO));
    assert!(record.is_delivered() && record.winner().is_none() && record.items.iter().all(|item| item.is_delivered()));
    assert!(world.machine.begun.is_empty(), "the machine has turned its own motor");
    assert_eq!((world.engine.orders().count(), world.engine.order_at_machine()), (0, None));
    world.settle();
}

#[test]
fn the_customer_at_the_screen_does_not_notice() {
    let mut world = world();
    world.buy("11").expect("it sells");
    world.run(1_000);
    let (view, order) = (world.view(), world.engine.order_at_machine());
    sell(&mut world, bare(300, WhoScans::BuyerScans)).expect("it happened");
    assert_eq!((world.view(), world.engine.order_at_machine()), (view, order));
    world.phone_pays();
    world.settle();
    assert_eq!(world.net(), 350);
}

#[test]
fn no_fault_undoes_what_happened() {
    let faults = [
        Fault::Clock,
        Fault::Machine,
        Fault::SwitchedOff,
        Fault::JournalFull,
        Fault::Network(crate::channel::ChannelId::Alipay),
        Fault::Slot(slot("11")),
    ];
    let mut world = world();
    for fault in faults {
        world.input(Input::Raise(fault.clone())).expect("never refused");
        world.trusted = fault != Fault::Clock;
        let unknown =
            Item { slot: Some(slot("99")), code: "g".to_owned(), name: "Gum".to_owned(), price: Fen::new(100) };
        let sold = NewOrder { items: vec![unknown], ..bare(100, WhoScans::BuyerScans) };
        let order = sell(&mut world, sold).expect("it happened");
        assert_eq!(world.record(order).state(), OrderState::Completed, "{fault}");
        world.trusted = true;
        world.input(Input::Clear(fault)).expect("never refused");
    }
}

#[test]
fn a_failing_journal_records_no_cash_and_the_same_report_comes_again() {
    let mut world = world();
    world.refuse_writes = true;
    // The loop answers that nothing was stored.
    let _answer = sell(&mut world, bare(300, WhoScans::BuyerScans));
    assert!(world.engine.faults().any(|fault| *fault == Fault::Storage));
    assert_eq!(sell(&mut world, bare(300, WhoScans::BuyerScans)), Err(Refused::OutOfService(Fault::Storage)));
    world.run(20_000);
    world.refuse_writes = false;
    world.settle();
    assert!(world.stored.is_empty(), "it is forgotten, not written behind the caller's back");
    sell(&mut world, bare(300, WhoScans::BuyerScans)).expect("it happened");
    assert_eq!(world.order_ids().len(), 1);
}

#[test]
fn cash_is_returned_by_hand() {
    let mut world = world();
    let order = sell(&mut world, bare(300, WhoScans::BuyerScans)).expect("it happened");
    let stored = world.stored.len();
    assert_eq!(world.refund(order, None), Err(Refused::PaidInCash(order)));
    assert_eq!(world.refund(order, Some(100)), Err(Refused::PaidInCash(order)));
    world.settle();
    assert_eq!((world.stored.len(), world.last_state()), (stored, OrderState::Completed));
    assert_eq!(world.engine.orders().count(), 0, "it was only looked at");
}

#[test]
fn odd_amounts_are_refused() {
    let mut world = world();
    for fen in [0, -1, 10_000_000_001, i64::MAX] {
        assert_eq!(sell(&mut world, bare(fen, WhoScans::Either)), Err(Refused::Amount(Fen::new(fen))));
    }
    let mut sold = basket(&["11", "12"], WhoScans::Either);
    sold.amount = Fen::new(1);
    assert!(matches!(sell(&mut world, sold), Err(Refused::SumDiffers { .. })));
    assert!(world.stored.is_empty());
}

#[test]
fn cash_and_phone_side_by_side_end_right() {
    let mut world = world();
    scenes::cash_beside_a_phone(&mut world);
    world.settle();
    let states: Vec<OrderState> = world.order_ids().into_iter().map(|order| world.record(order).state()).collect();
    assert_eq!((states, world.net()), (vec![OrderState::Completed; 3], 350));
}
