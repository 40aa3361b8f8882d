//! A fixed share of the simulator's lives.

use payment::channel::{Method, Offer, RefundOrder, Request};
use payment::ids::IdMint;
use payment::money::Fen;
use payment::redact::PayCode;
use payment::time::Wall;

use super::channel::Alipay;
use super::failures::listed;
use super::life::live;
use super::log::Log;
use super::many::SimCard;
use super::mutants::mutants;
use super::{SimOptions, errors, run};

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

#[test]
fn a_life_that_logs_an_error_fails() {
    let (lived, logged) = errors::of_this_thread(|| {
        let lived = live(1, Log::counted());
        tracing::error!("planted by the test");
        lived
    });
    assert!(lived.violation.is_none(), "{:?}", lived.violation);
    assert!(lived.broke(&[]).is_empty());
    let mut card = SimCard::default();
    card.add(1, lived, &logged);
    assert_eq!((card.broken, card.failures.len()), (1, 1), "{card}");
    assert!(card.failures[0].message.contains("planted by the test"), "{card}");
    assert!(card.to_string().contains("broken 1"), "{card}");
}

/// When everything below began.
const BEGUN: Wall = Wall { ms: 0, trusted: true };

/// How often each method fails below.
const FAILURES: u32 = 5_000;

#[test]
fn the_channel_says_every_code_of_the_table() {
    let mut mint = IdMint::new([1; 32]);
    let attempt = mint.attempt();
    let amount = Fen::new(500);
    let offer = Offer {
        attempt,
        amount,
        subject: String::new(),
        goods: Vec::new(),
        valid_ms: 60_000,
        begun: BEGUN,
        wallet: None,
        instalment: None,
    };
    let trade = offer.trade(Method::ShowCode);
    let refund =
        RefundOrder { trade: trade.clone(), refund: mint.refund(), begun: BEGUN, amount, reason: String::new() };
    let calls = [
        Request::ShowCode(offer.clone()),
        Request::TakeCode(offer, PayCode::new("281234567890123456")),
        Request::Query(trade.clone()),
        Request::Cancel(trade.clone()),
        Request::Close(trade),
        Request::Refund(refund.clone()),
        Request::RefundQuery(refund),
    ];
    let mut alipay = Alipay::new(1);
    alipay.mood.fails = 100;
    for call in &calls {
        (0..FAILURES).for_each(|_| drop(alipay.execute(call, 0, 0)));
    }
    let unsaid: Vec<String> = listed().filter(|row| !alipay.said.contains(row)).collect();
    assert!(unsaid.is_empty(), "{unsaid:?}");
    assert!(alipay.said.contains("Pay ACQ.CODE_OF_NEXT_YEAR"), "codes of no list are not tried");
}
