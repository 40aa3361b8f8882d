//! A fixed share of the simulator's lives.

use super::life::live;
use super::log::Log;
use super::mutants::mutants;
use super::{SimOptions, run};

/// Orders of the fixed share.
const ORDERS: u64 = 1_000;

/// Every planted mistake is caught within so many lives.
const SEEDS_MAX: u64 = 200;

#[test]
fn a_share_of_lives_keeps_every_promise() {
    let card = run(&SimOptions { first_seed: 1, orders: ORDERS, threads: 2, limit: None });
    println!("{card}");
    assert!(card.failures.is_empty(), "{card}");
    assert!(card.orders >= ORDERS && card.crashes > 0, "the simulator does nothing: {card}");
    for kind in ["batch acknowledged", "hub's answer lost", "entry set aside"] {
        assert!(card.faults.of(kind) > 0, "the hub is not tried: no {kind} in {card}");
    }
}

#[test]
fn the_same_seed_lives_the_same_life() {
    for seed in [3, 17, 24, 40] {
        let (one, two) = (live(seed, Log::hashed()), live(seed, Log::hashed()));
        assert_eq!((one.events, one.hash.clone()), (two.events, two.hash), "seed {seed} lived two lives");
        assert_ne!(one.hash, live(seed + 1, Log::hashed()).hash, "two seeds lived the same life");
    }
}

#[test]
fn every_planted_mistake_is_caught() {
    let caught = mutants(SEEDS_MAX);
    for mutant in &caught {
        println!("{mutant}");
    }
    let missed: Vec<_> = caught.iter().filter(|mutant| mutant.seeds_needed.is_none()).collect();
    assert!(missed.is_empty(), "{missed:?}");
}
