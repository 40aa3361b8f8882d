//! The bodies of the local API's writes. The first byte says which address the rest is sent to.

use std::collections::BTreeMap;
use std::fmt::Debug;

use payment::channel::ChannelId;
use payment::channel::route::Routes;
use payment::engine::Engine;
use payment::engine::effect::Effect;
use payment::engine::entry::{Entry, IdempotencyKey, Said, SlotId, WhoScans};
use payment::engine::input::{Done, Input, MOST_ITEMS, NewOrder};
use payment::engine::settings::{Product, Settings};
use payment::ids::IdMint;
use payment::money::{Fen, LARGEST_ORDER};
use payment::time::{Mono, Now, Wall};
use serde::de::DeserializeOwned;
use serde_json::Value;
use till::api::body::parse;
use till::api::problem::Problem;
use till::api::wanted::{
    Nothing, Products, WantedCashSale, WantedDecision, WantedOrder, WantedPlan, WantedRefund, WantedScan,
};

const NOW: Now = Now { mono: Mono(0), wall: Wall { ms: 1_790_000_000_000, trusted: true } };

/// What the machine sells.
fn products() -> Products {
    let product = |name: &str, fen| Product { code: format!("g{fen}"), name: name.to_owned(), price: Fen::new(fen) };
    let rows = [("11", product("可乐", 350)), ("12", product("水", 200))];
    rows.into_iter().filter_map(|(slot, product)| Some((SlotId::new(slot)?, product))).collect()
}

/// A body is what its words say, or refused with a reason that repeats no pay code.
pub fn bodies(data: &[u8]) {
    let Some((address, body)) = data.split_first() else { return };
    match address % 7 {
        0 => open(body),
        1 => sold_for_cash(body),
        2 => refund(body),
        3 => decision(body),
        4 => scan(body),
        5 => plan(body),
        _ => {
            let _empty = read::<Nothing>(body);
        }
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    match parse(body) {
        Ok(wanted) => {
            let written: Result<serde_json::Map<String, Value>, _> = serde_json::from_slice(body);
            let items = |body: &serde_json::Map<String, Value>| body.get("items").cloned().unwrap_or_default();
            let by_name = |body| items(body).as_array().is_none_or(|rows| rows.iter().all(Value::is_object));
            assert!(written.as_ref().is_ok_and(by_name), "a list of fields is taken for an object");
            Some(wanted)
        }
        Err(problem) => {
            refused(&problem);
            None
        }
    }
}

fn taken<T>(wanted: Result<T, Problem>) -> Option<T> {
    wanted.inspect_err(refused).ok()
}

/// A refusal says what and why; what looks like a pay code is outlined.
fn refused(problem: &Problem) {
    let body = problem.body();
    assert!((400..500).contains(&body.status) && !body.detail.is_empty() && !body.money.is_empty(), "{body:?}");
    for told in body.field.iter().chain([&body.detail]) {
        assert!(payment::redact::without_codes(told) == *told, "it repeats a code: {body:?}");
    }
}

fn member(body: &[u8], name: &str) -> Value {
    serde_json::from_slice::<Value>(body).map_or(Value::Null, |body| body.get(name).cloned().unwrap_or_default())
}

fn same<T: PartialEq + Debug>(one: T, other: T) {
    assert!(one == other, "one body, two readings: {one:?} {other:?}");
}

fn key() -> IdempotencyKey {
    IdempotencyKey { key: "k".into(), body_sha256: "00".repeat(32) }
}

fn open(body: &[u8]) {
    let Some(wanted) = read::<WantedOrder>(body) else { return };
    same(Some(wanted.clone()), read(body));
    let Some(order) = taken(wanted.into_order(&products(), Some(key()))) else { return };
    must_be_as_written(body, &order);
    for item in &order.items {
        let sold = item.slot.as_ref().and_then(|slot| products().get(slot).cloned());
        assert!(sold.is_none_or(|sold| sold.price == item.price), "another price than the machine's: {item:?}");
    }
    assert!(order.periods.is_none_or(|periods| member(body, "instalments").as_u64() == Some(periods.into())));
    assert!(order.down_payment >= Fen::ZERO && order.down_payment <= LARGEST_ORDER);
    must_open_as_wanted(Input::Open(Box::new(order.clone())), &order);
}

fn sold_for_cash(body: &[u8]) {
    let Some(wanted) = read::<WantedCashSale>(body) else { return };
    same(Some(wanted.clone()), read(body));
    let Some(order) = taken(wanted.into_order(&products(), key())) else { return };
    must_be_as_written(body, &order);
    must_open_as_wanted(Input::CashSale(Box::new(order.clone())), &order);
}

/// The amount is the integer of the body, the items are few and have prices, the texts are short and printable.
fn must_be_as_written(body: &[u8], order: &NewOrder) {
    assert!(member(body, "amount").as_i64() == Some(order.amount.get()), "{order:?}");
    assert!(member(body, "currency") == "CNY" && payable(order.amount), "{order:?}");
    assert!(order.items.len() <= MOST_ITEMS && order.items.iter().all(|item| payable(item.price)), "{order:?}");
    let names = order.items.iter().flat_map(|item| [&item.name, &item.code]);
    for text in names.chain(&order.subject).chain(&order.reference) {
        assert!((1..=80).contains(&text.chars().count()) && !text.chars().any(char::is_control), "{text:?}");
    }
}

fn payable(amount: Fen) -> bool {
    amount.is_positive() && amount <= LARGEST_ORDER
}

/// What the engine makes of it: refused, or recorded for exactly this amount, which is the sum of its items.
fn must_open_as_wanted(input: Input, order: &NewOrder) {
    let mut engine = engine();
    let Ok(Done::Opened(opened)) = engine.handle(NOW, input) else { return };
    let recorded = std::iter::from_fn(|| engine.poll_effect())
        .find_map(|effect| if let Effect::Record(batch) = effect { Some(batch) } else { None });
    let first = recorded.and_then(|batch| batch.into_iter().next()).map(|record| record.entry);
    let Some(Entry::OrderOpened { order: number, amount, items, .. }) = first else { panic!("{first:?}") };
    let sum: Fen = items.iter().map(|item| item.price).sum();
    assert!(number == opened && amount == order.amount && items == order.items);
    assert!(items.is_empty() || sum == [amount, order.down_payment].into_iter().sum(), "{sum:?} {order:?}");
}

fn engine() -> Engine {
    let settings = Settings {
        products: products().into_iter().collect::<BTreeMap<_, _>>(),
        channels: vec![ChannelId::Alipay],
        routes: Routes::default_for(&[ChannelId::Alipay]),
        who_scans: WhoScans::Either,
        has_scanner: true,
        ..Settings::default()
    };
    Engine::restore(settings, IdMint::new([7; 32]), NOW, &[], Vec::new())
}

fn refund(body: &[u8]) {
    let Some(wanted) = read::<WantedRefund>(body) else { return };
    same(Some(wanted.clone()), read(body));
    let asked = member(body, "amount");
    match wanted.amount() {
        Some(amount) => assert!(payable(amount) && asked.as_i64() == Some(amount.get()), "{wanted:?}"),
        None => assert!(asked.is_null(), "all goes back, and {asked} was asked for"),
    }
    if let Some(Some(said)) = taken(wanted.said()) {
        must_have_a_name(&said);
    }
}

fn decision(body: &[u8]) {
    let Some(wanted) = read::<WantedDecision>(body) else { return };
    same(Some(wanted.clone()), read(body));
    assert!(member(body, "approved") == wanted.approved, "{wanted:?}");
    if let Some(said) = taken(wanted.said()) {
        must_have_a_name(&said);
    }
}

fn must_have_a_name(said: &Said) {
    assert!((1..=64).contains(&said.by.chars().count()) && said.by.trim() == said.by, "{said:?}");
    assert!(said.why.chars().count() <= 256 && !said.why.chars().any(char::is_control), "{said:?}");
}

fn scan(body: &[u8]) {
    let Some(wanted) = read::<WantedScan>(body) else { return };
    assert!(member(body, "order") == wanted.order.as_str() && member(body, "code") == wanted.code.0.as_str());
}

fn plan(body: &[u8]) {
    let Some(wanted) = read::<WantedPlan>(body) else { return };
    same(Some(wanted), read(body));
    let months = member(body, "instalments").as_u64();
    assert!(wanted.instalments.map(u64::from) == months, "{wanted:?}");
}
