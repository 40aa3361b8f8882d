//! A slot that fails again and again is locked until somebody looks, and what is not there is not sold.

use super::machine::FALL_MS;
use super::world::{World, basket, settings, slot};
use crate::engine::choice::Choice;
use crate::engine::entry::WhoScans;
use crate::engine::faults::Fault;
use crate::engine::input::{Input, Refused};
use crate::engine::settings::Settings;
use crate::engine::slots::SlotCount;
use crate::engine::view::{ChooseTrouble, View};
use crate::money::Fen;

const WHO: WhoScans = WhoScans::BuyerScans;

fn world(lock_slot_after: u32) -> World {
    World::begin(Settings { lock_slot_after, ..settings(WHO) }, Some(0))
}

/// Somebody buys from the slot and pays, and it is over.
fn sell(world: &mut World, name: &str) -> Result<(), Refused> {
    world.buy(name)?;
    world.run(200);
    world.phone_pays();
    world.settle();
    Ok(())
}

fn fails(world: &mut World, name: &str) {
    world.machine.jammed.insert(slot(name));
    sell(world, name).expect("it sells");
    world.machine.jammed.clear();
}

fn count(world: &World, name: &str) -> SlotCount {
    world.engine.slot(&slot(name))
}

fn stock(world: &World, name: &str) -> Option<u32> {
    count(world, name).stock
}

#[test]
fn a_slot_locks_after_so_many_failures_in_a_row_and_no_sooner() {
    for lock_after in 1..=3 {
        let mut world = world(lock_after);
        for _ in 1..lock_after {
            fails(&mut world, "11");
            assert!(!count(&world, "11").locked);
        }
        fails(&mut world, "11");
        assert_eq!(count(&world, "11"), SlotCount { stock: None, failures: lock_after, locked: true });
        assert_eq!(sell(&mut world, "11"), Err(Refused::SlotBlocked(slot("11"))));
        world.run(60_000);
        assert_eq!((sell(&mut world, "12"), world.net()), (Ok(()), 500), "the others sell, and all else went back");
    }
}

#[test]
fn what_falls_makes_the_failures_before_it_forgotten() {
    let mut world = world(2);
    for _ in 0..3 {
        fails(&mut world, "11");
        sell(&mut world, "11").expect("once is no jam");
    }
    assert_eq!(count(&world, "11"), SlotCount::default());
    fails(&mut world, "11");
    fails(&mut world, "12");
    assert!(!count(&world, "11").locked && !count(&world, "12").locked, "each slot has its own count");
}

#[test]
fn a_lock_survives_restarts_and_ends_with_a_technicians_word() {
    let mut world = world(2);
    fails(&mut world, "11");
    world.restart(true, 1_000);
    world.run(1_000);
    fails(&mut world, "11");
    world.restart(true, 1_000);
    world.run(1_000);
    assert_eq!(sell(&mut world, "11"), Err(Refused::SlotBlocked(slot("11"))));
    world.run(60_000);
    assert!(world.technician_clears("11"));
    fails(&mut world, "11");
    assert_eq!(count(&world, "11").failures, 1, "the count began anew");
}

#[test]
fn a_motor_that_nobody_knows_about_is_no_failure_of_its_slot() {
    // Without a counter a restart in the middle of a vend leaves it unknown.
    let mut world = World::begin(settings(WHO), None);
    world.technician_counts("11", Some(5));
    world.buy("11").expect("it sells");
    world.run(200);
    world.phone_pays();
    world.run(3_000);
    assert_eq!(world.machine.begun.len(), 1);
    world.restart(true, 1_000);
    world.settle();
    assert_eq!(count(&world, "11"), SlotCount { stock: Some(5), ..SlotCount::default() });
    assert_eq!(world.net(), 0, "the money went back");
}

#[test]
fn each_item_that_falls_is_taken_off_and_the_last_one_is_the_last_sale() {
    let mut world = world(1);
    assert!(world.technician_counts("11", Some(2)));
    sell(&mut world, "11").expect("there are two");
    world.restart(true, 1_000);
    world.run(1_000);
    sell(&mut world, "11").expect("there is one");
    assert_eq!(stock(&world, "11"), Some(0));
    assert_eq!(world.buy("11"), Err(Refused::SoldOut(slot("11"))));
    assert!(
        matches!(world.view(), View::Choose { trouble: Some(ChooseTrouble::SoldOut), product: Some(_), .. }),
        "{:?}",
        world.view()
    );
    world.run(60_000);
    assert!(world.technician_counts("11", Some(1)));
    assert_eq!((sell(&mut world, "11"), world.net()), (Ok(()), 3 * 350));
}

#[test]
fn a_slot_that_nobody_counted_sells_for_ever_and_a_failure_takes_nothing_off() {
    let mut world = world(9);
    (0..3).for_each(|_| sell(&mut world, "11").expect("nobody counted"));
    assert_eq!(stock(&world, "11"), None);
    world.technician_counts("11", Some(3));
    fails(&mut world, "11");
    assert_eq!(stock(&world, "11"), Some(3));
    world.technician_counts("11", Some(0));
    world.technician_counts("11", None);
    assert!(sell(&mut world, "11").is_ok(), "nobody counts any more");
}

#[test]
fn an_order_for_more_than_is_there_is_refused_whole() {
    let mut world = world(1);
    world.technician_counts("11", Some(1));
    assert_eq!(world.open(basket(&["11", "12", "11"], WHO)), Err(Refused::SoldOut(slot("11"))));
    assert!(world.open(basket(&["11", "12"], WHO)).is_ok());
    world.settle();
}

#[test]
fn what_is_paid_is_delivered_whatever_somebody_counts_meanwhile() {
    let mut world = world(1);
    world.buy("11").expect("it sells");
    world.run(200);
    world.technician_counts("11", Some(0));
    world.phone_pays();
    world.run(3_000 + FALL_MS);
    world.settle();
    assert_eq!((world.machine.begun.len(), world.net(), stock(&world, "11")), (1, 350, Some(0)));
}

#[test]
fn a_machine_that_chooses_by_itself_sells_what_we_think_is_gone_and_its_sales_count() {
    let mut world = world(1);
    for (counted, left) in [(0, 0), (5, 4)] {
        world.technician_counts("11", Some(counted));
        let choice = Choice { slot: slot("11"), price: Some(Fen::new(350)) };
        world.input(Input::Chosen(choice)).expect("the machine knows what it has");
        world.run(200);
        world.phone_pays();
        world.settle();
        assert_eq!(stock(&world, "11"), Some(left));
    }
    assert_eq!(world.net(), 2 * 350);
}

#[test]
fn a_sale_for_coins_counts_once_it_is_written() {
    let mut world = world(1);
    world.technician_counts("11", Some(5));
    world.technician_counts("12", Some(0));
    let sold = || Input::CashSale(Box::new(basket(&["11", "12", "11"], WHO)));
    world.input(sold()).expect("it happened");
    assert_eq!((stock(&world, "11"), stock(&world, "12")), (Some(3), Some(0)));
    world.refuse_writes = true;
    world.input(sold()).expect("taken, and then refused by the disk");
    world.refuse_writes = false;
    world.run(60_000);
    assert_eq!(stock(&world, "11"), Some(3), "its caller was told that it is not stored, and says it again");
    world.input(sold()).expect("it happened");
    assert_eq!((stock(&world, "11"), stock(&world, "12")), (Some(1), Some(0)));
}

#[test]
fn a_slots_fault_that_is_cleared_takes_its_failures_with_it_and_leaves_its_stock() {
    let mut world = world(1);
    world.technician_counts("11", Some(5));
    fails(&mut world, "11");
    assert!(world.engine.faults().any(|fault| *fault == Fault::Slot(slot("11"))));
    assert!(world.technician_counts("11", Some(8)), "filled before it is cleared");
    assert!(world.engine.faults().any(|fault| *fault == Fault::Slot(slot("11"))), "filling repairs nothing");
    assert!(world.technician_clears("11"));
    assert_eq!(count(&world, "11"), SlotCount { stock: Some(8), ..SlotCount::default() });
}
