//! A fixed share of the simulator's lives.

use std::collections::BTreeSet;

use payment::channel::{ChannelId, Method, Offer, RefundOrder, Request};
use payment::ids::IdMint;
use payment::money::Fen;
use payment::redact::PayCode;
use payment::time::Wall;

use super::channel::{Channel, attempt_of, refund_of};
use super::failures::listed;
use super::ledger::{Phones, Returned, Standing, Trade};
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
    for kind in ["code of another channel", "second payment", "refund approved", "decided by the one who asked"] {
        assert!(card.faults.of(kind) > 0, "several channels and persons are not tried: no {kind} in {card}");
    }
    for kind in ["refund failed under its number", "instalments chosen"] {
        assert!(card.faults.of(kind) > 0, "refunds and instalments are not tried: no {kind} in {card}");
    }
}

#[test]
fn the_same_seed_lives_the_same_life() {
    for seed in [3, 17, 24, 40] {
        let (one, two) = (live(seed, Log::hashed()), live(seed, Log::hashed()));
        let ends = (&one.violation, &two.violation);
        assert_eq!(
            (one.events, one.hash.clone()),
            (two.events, two.hash.clone()),
            "seed {seed} lived two lives: {ends:?}"
        );
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
    let refund = RefundOrder {
        trade: trade.clone(),
        refund: mint.refund(),
        begun: BEGUN,
        amount,
        reason: String::new(),
        confirmed: None,
    };
    let taken = offer.trade(Method::TakeCode);
    let calls = [
        Request::ShowCode(offer.clone()),
        Request::TakeCode(offer, PayCode::new("281234567890123456")),
        Request::Query(trade.clone()),
        Request::Query(taken.clone()),
        Request::Cancel(taken),
        Request::Close(trade),
        Request::Refund(refund.clone()),
        Request::RefundQuery(refund),
    ];
    let said = [(ChannelId::Alipay, 1), (ChannelId::Wechat, 1), (ChannelId::Wechat, 2), (ChannelId::AllinpayVsp, 1)]
        .map(|(id, seed)| says(id, seed, &calls));
    let said: BTreeSet<String> = said.into_iter().flatten().collect();
    let unsaid: Vec<String> = listed().filter(|row| !said.contains(row)).collect();
    assert!(unsaid.is_empty(), "{unsaid:?}");
    let in_no_list = ["Pay ACQ.CODE_OF_NEXT_YEAR", "wechat Micropay CODE_OF_NEXT_YEAR", "acquirer TakeCode 4321"];
    assert!(in_no_list.iter().all(|code| said.contains(*code)), "codes of no list are not tried: {said:?}");
}

fn says(id: ChannelId, seed: u64, calls: &[Request]) -> BTreeSet<String> {
    let mut channel = Channel::new(id, seed);
    channel.new = seed == 2;
    channel.mood.fails = 100;
    let mut phones = Phones::default();
    for call in calls {
        for n in 0..FAILURES {
            channel.trades =
                attempt_of(call).and_then(|attempt| Some((attempt, some_trade(n, call)?))).into_iter().collect();
            let _answer = channel.execute(call, &mut phones, 0, 0);
        }
    }
    channel.said
}

/// No trade, one that nobody has paid, one that is closed, and one whose refund has failed: the same word is a lie about
/// some of them.
fn some_trade(n: u32, call: &Request) -> Option<Trade> {
    let code = Trade::new(Fen::new(500), Standing::Code { valid_until: u64::MAX }, 0);
    match n % 4 {
        0 => None,
        1 => Some(code),
        2 => Some(Trade::new(Fen::new(500), Standing::Closed, 0)),
        _ => {
            let failed = Returned { amount: Fen::new(500), moves_at: 0, fails: true };
            let mut trade = code;
            trade.refunds = refund_of(call).map(|refund| (refund, failed)).into_iter().collect();
            Some(trade)
        }
    }
}
