//! What the journal costs: a commit beside a bare flush of the same disk, and a journal with a million closed orders
//! beside one with none.
//!
//! `TILL_BENCH_ORDERS` sets how many closed orders (1,000,000); they are made once per run, in a minute or two, and need
//! about 1.3 GB. Each has three entries (opened, paid, closed), every tenth a refund with two more: enough for every kind
//! of number. `TILL_BENCH_DIR` sets the directory, which should be on the disk that matters; with
//! `TILL_BENCH_KEEP=1` the full journal stays there, for `benches/measure/start.py --journal`.
#![expect(clippy::expect_used, reason = "a bench that cannot run shall say so and stop")]

use std::fs::{File, OpenOptions};
use std::hint::black_box;
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main, measurement::WallTime};
use payment::channel::outcome::Details;
use payment::engine::entry::{CancelledBy, Ending, Entry, OrderState, Origin, RefundReason, WhoScans};
use payment::ids::{IdMint, OrderId};
use payment::money::Fen;
use payment::time::Wall;
use tempfile::TempDir;
use till::journal::{Journal, NewEntry, Reader};
use tokio::runtime::Runtime;

/// Orders of one commit while the journal is being filled.
const ORDERS_PER_COMMIT: u64 = 20_000;
/// Runs of which the ratio lines take the median.
const RUNS: usize = 101;
const PAGE: [u8; 4096] = [0x5a; 4096];

/// The numbers of one order in the journal.
struct Known {
    order: String,
    trade_no: String,
    refund: String,
}

struct Filled {
    path: PathBuf,
    known: Known,
}

fn new(seq: u64, state: OrderState, entry: Entry) -> NewEntry {
    let ms = 1_795_000_000_000 + i64::try_from(seq).unwrap_or(0);
    NewEntry { at: Wall { ms, trusted: true }, entry, state }
}

fn opened(order: OrderId) -> Entry {
    Entry::OrderOpened {
        order,
        amount: Fen::new(350),
        currency: "CNY".to_owned(),
        items: Vec::new(),
        who_scans: WhoScans::Either,
        origin: Origin::Keypad,
        subject: "Green tea".to_owned(),
        pay_within_ms: 120_000,
        down_payment: Fen::ZERO,
        instalment: None,
        reference: None,
        idempotency: None,
    }
}

/// Appends one closed order to `batch`; one with a refund also tells its numbers.
fn close_one(mint: &mut IdMint, place: u64, batch: &mut Vec<NewEntry>) -> Option<Known> {
    let (order, attempt) = (mint.order(), mint.attempt());
    let trade_no = format!("20261118220014{place:014}");
    let paid = Entry::AttemptPaid {
        order,
        attempt,
        trade_no: trade_no.clone(),
        paid_at: None,
        buyer: None,
        details: Details::default(),
    };
    batch.push(new(place, OrderState::Waiting, opened(order)));
    batch.push(new(place, OrderState::Paid, paid));
    let refund = place.is_multiple_of(10).then(|| mint.refund());
    if let Some(refund) = refund {
        let started = Entry::RefundStarted {
            order,
            attempt,
            refund,
            amount: Fen::new(350),
            reason: RefundReason::Undelivered,
            idempotency: None,
            said: None,
            instead_of: None,
        };
        batch.push(new(place, OrderState::Refunding, started));
        batch.push(new(place, OrderState::Refunding, Entry::RefundDone { order, refund }));
    }
    let ending = Ending::Delivered;
    batch.push(new(place, OrderState::Completed, Entry::OrderClosed { order, ending }));
    refund.map(|refund| Known { order: order.to_string(), trade_no, refund: refund.to_string() })
}

/// A journal with that many closed orders and one open one.
fn fill(runtime: &Runtime, path: PathBuf, orders: u64) -> Filled {
    let journal = Journal::open(&path).expect("a new journal").journal;
    let mut mint = IdMint::new([orders.to_be_bytes()[7]; 32]);
    let mut known = None;
    let mut place = 0;
    while place < orders {
        let mut batch = Vec::new();
        let end = (place + ORDERS_PER_COMMIT).min(orders);
        for place in place..end {
            let numbers = close_one(&mut mint, place, &mut batch);
            if place <= orders / 2 {
                known = numbers.or(known);
            }
        }
        place = end;
        runtime.block_on(journal.append(batch)).expect("room");
    }
    let open = new(place, OrderState::Waiting, opened(mint.order()));
    runtime.block_on(journal.append(vec![open])).expect("room");
    let known = known.expect("an order in the middle");
    Filled { path, known }
}

fn directory() -> TempDir {
    let parent = std::env::var_os("TILL_BENCH_DIR");
    let parent = parent.map_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")), PathBuf::from);
    let mut directory = TempDir::new_in(parent).expect("a directory to write in");
    directory.disable_cleanup(std::env::var_os("TILL_BENCH_KEEP").is_some());
    directory
}

fn orders() -> u64 {
    let set = std::env::var("TILL_BENCH_ORDERS").ok();
    set.map_or(1_000_000, |text| text.parse().expect("TILL_BENCH_ORDERS is a number"))
}

/// Times both in turn, so that what else the machine does is in both, and prints the ratio of the medians.
fn ratio_line(what: &str, mut act: impl FnMut(), against: &str, mut floor: impl FnMut()) {
    let (mut costs, mut floors): (Vec<_>, Vec<_>) = (0..RUNS).map(|_| (timed(&mut act), timed(&mut floor))).unzip();
    let (cost, floor) = (median(&mut costs), median(&mut floors));
    let percent = cost.as_nanos() * 100 / floor.as_nanos().max(1);
    let (whole, rest) = (percent / 100, percent % 100);
    println!("RATIO {what}: {cost:?} against {against} {floor:?} = {whole}.{rest:02}");
}

#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
fn timed(act: &mut impl FnMut()) -> Duration {
    let start = Instant::now();
    act();
    start.elapsed()
}

fn median(runs: &mut [Duration]) -> Duration {
    runs.sort_unstable();
    runs[runs.len() / 2]
}

/// The least that a durable record can cost here.
fn bare_flush(file: &mut File) {
    file.rewind().expect("a plain file");
    file.write_all(&PAGE).expect("room");
    file.sync_data().expect("a disk");
}

fn commit(criterion: &mut Criterion) {
    let directory = directory();
    let runtime = runtime();
    let mut file =
        OpenOptions::new().create_new(true).write(true).open(directory.path().join("floor")).expect("a file");
    let journal = Journal::open(&directory.path().join("journal.db")).expect("a new journal").journal;
    let order = IdMint::new([1; 32]).order();
    runtime.block_on(journal.append(vec![new(0, OrderState::Waiting, opened(order))])).expect("room");
    let append = || {
        let by = CancelledBy::Api;
        let entry = new(1, OrderState::Cancelling, Entry::OrderCancelled { order, by });
        runtime.block_on(journal.append(vec![entry])).expect("room");
    };

    let mut group = criterion.benchmark_group("journal_commit");
    brief(&mut group);
    group.bench_function("bare_4k_write_and_fdatasync", |b| b.iter(|| bare_flush(&mut file)));
    group.bench_function("append_one", |b| b.iter(append));
    group.finish();
    ratio_line("one commit", append, "a bare flush of", || bare_flush(&mut file));
}

fn brief(group: &mut BenchmarkGroup<'_, WallTime>) {
    group.sample_size(20);
    group.warm_up_time(Duration::from_millis(300));
    group.measurement_time(Duration::from_secs(1));
}

fn history(criterion: &mut Criterion) {
    let directory = directory();
    let runtime = runtime();
    let orders = orders();
    // Ten orders, so that there is one of every number to be found.
    let small = fill(&runtime, directory.path().join("small.db"), 10);
    println!("making {orders} closed orders …");
    let large = fill(&runtime, directory.path().join("large.db"), orders);
    let mut group = criterion.benchmark_group("journal_history");
    brief(&mut group);
    bench_history(&mut group, &runtime, "empty", &small);
    bench_history(&mut group, &runtime, "full", &large);
    group.finish();
    print_ratios(&runtime, &small, &large);
    if std::env::var_os("TILL_BENCH_KEEP").is_some() {
        println!("kept: {}", large.path.display());
    }
}

fn bench_history(group: &mut BenchmarkGroup<'_, WallTime>, runtime: &Runtime, name: &str, filled: &Filled) {
    group.bench_function(format!("open_{name}"), |b| b.iter(|| open(&filled.path)));
    let reader = Reader::open(&filled.path).expect("a journal");
    for (what, number) in numbers(filled) {
        group.bench_function(format!("by_{what}_{name}"), |b| {
            b.iter(|| look_up(runtime, &reader, number));
        });
    }
}

fn print_ratios(runtime: &Runtime, small: &Filled, large: &Filled) {
    let against = "an empty journal's";
    ratio_line("open", || open(&large.path), against, || open(&small.path));
    let readers = [small, large].map(|filled| Reader::open(&filled.path).expect("a journal"));
    for ((what, few), (_, many)) in numbers(small).into_iter().zip(numbers(large)) {
        ratio_line(
            &format!("look-up by {what}"),
            || look_up(runtime, &readers[1], many),
            against,
            || look_up(runtime, &readers[0], few),
        );
    }
}

fn numbers(filled: &Filled) -> [(&'static str, &str); 3] {
    [("order", &filled.known.order), ("trade_no", &filled.known.trade_no), ("refund", &filled.known.refund)]
}

fn open(path: &Path) {
    let opened = Journal::open(path).expect("a journal");
    assert_eq!(opened.open_orders.len(), 1);
}

fn look_up(runtime: &Runtime, reader: &Reader, number: &str) {
    let found = runtime.block_on(reader.order(number)).expect("a journal");
    black_box(found.expect("it is there"));
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime")
}

criterion_group!(benches, commit, history);
criterion_main!(benches);
