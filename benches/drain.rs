//! What it takes to send a full queue: 100,000 entries that were written offline, from the journal over real HTTP into
//! the hub's SQLite.
//!
//! `cargo bench --bench drain`. The journal is filled by the journal's own code, then the daemon runs as a child with the
//! sandbox hub in its settings; the hub lives in the bench and flushes every batch. The floor is a bare loop that makes
//! the same inserts in the same transactions into a file beside it: no journal, no signature, no HTTP.
//!
//! `TILL_BENCH_ENTRIES` sets how many entries (100,000). `TILL_BENCH_DIR` sets the directory, which should be on the disk
//! that matters. Memory is the terminal's alone, `VmHWM` of its process.
#![expect(clippy::expect_used, reason = "a bench that cannot run shall say so and stop")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use payment::channel::ChannelId;
use payment::channel::outcome::Details;
use payment::engine::entry::{Ending, Entry, Method, OrderState, Origin, SlotId, VendResult, WhoScans};
use payment::ids::IdMint;
use payment::money::Fen;
use payment::time::Wall;
use rusqlite::{Connection, params};
use sandbox::hub::{Books, Call, Fault, Hub, HubControl, HubOptions, Traffic, Weather};
use tempfile::TempDir;
use till::demo::child::{Daemon, Launch};
use till::demo::scene::{Scene, SceneOptions};
use till::journal::chain::Record;
use till::journal::{Journal, NewEntry, Reader};
use till::sync::key::TerminalKey;
use tokio::runtime::Runtime;

const PROGRAM: &str = env!("CARGO_BIN_EXE_till");
/// The terminal of a scene.
const TERMINAL: &str = "SIM-0001";
/// Nothing here takes this long; it only ends a bench that would hang.
const LIMIT: Duration = Duration::from_secs(1_200);
/// The entries of a sale at the keypad.
const ENTRIES_OF_A_SALE: u64 = 6;
/// Sales of one commit while the journal is being filled.
const SALES_PER_COMMIT: u64 = 2_000;
/// The entries of a full batch: docs/hub.md.
const BATCH: u32 = 500;
const BATCH_BYTES: usize = 1 << 20;
/// Runs of the floor, of which the median counts.
const FLOOR_RUNS: usize = 3;
const PRICE: i64 = 350;

fn main() {
    let runtime = runtime();
    let directory = directory();
    runtime.block_on(async {
        let shop = Shop::open(directory.path()).await;
        let entries = shop.fill(number("TILL_BENCH_ENTRIES", 100_000)).await;
        println!("{entries} entries wait");
        let drained = shop.drain(entries).await;
        let rest = shop.memory_at_rest().await;
        let floor = shop.floor(directory.path()).await;
        print(entries, &drained, rest, floor);
    });
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn directory() -> TempDir {
    let parent = std::env::var_os("TILL_BENCH_DIR");
    let parent = parent.map_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")), PathBuf::from);
    TempDir::new_in(parent).expect("a directory to write in")
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().map_or(default, |text| text.parse().expect("a number in the environment"))
}

/// The hub, and everything around a terminal.
struct Shop {
    hub: HubControl,
    _serving: Hub,
    scene: Scene,
}

/// What a full queue took.
struct Drained {
    time: Duration,
    traffic: Traffic,
    /// The terminal's peak in KiB when one batch had been made, and when all had been sent.
    first_kib: u64,
    last_kib: u64,
}

impl Shop {
    async fn open(directory: &Path) -> Self {
        let database = Some(directory.join("hub.db"));
        let serving = Hub::start(HubOptions { database, ..HubOptions::default() }).await.expect("a hub");
        let mut options = SceneOptions::quick(directory.join("till"));
        options.extra_config = format!("[hub]\nurl = \"{}\"\n", serving.url());
        let scene = Scene::set(options).await.expect("a scene");
        let hub = serving.control();
        let key = TerminalKey::load_or_make(&scene.dir.join("hub.key")).expect("a key");
        let key = STANDARD.decode(key.public()).expect("Base64");
        hub.let_in(TERMINAL, key.as_slice().try_into().expect("32 bytes"));
        Self { hub, _serving: serving, scene }
    }

    /// Writes whole sales until there are at least so many entries; how many there are.
    async fn fill(&self, wanted: u64) -> u64 {
        let journal = Journal::open(&self.scene.journal_path).expect("a new journal").journal;
        let mut mint = IdMint::new([7; 32]);
        let sales = wanted.div_ceil(ENTRIES_OF_A_SALE);
        let begin_ms = wall_ms() - 2 * i64::try_from(sales).expect("not so many");
        for first in (0..sales).step_by(usize::try_from(SALES_PER_COMMIT).expect("a number")) {
            let places = first..(first + SALES_PER_COMMIT).min(sales);
            let batch = places.flat_map(|place| sale(&mut mint, place, begin_ms)).collect();
            journal.append(batch).await.expect("room");
        }
        sales * ENTRIES_OF_A_SALE
    }

    async fn start(&self) -> Daemon {
        let mut daemon = Daemon::start(&Launch::on(PROGRAM, &self.scene)).expect("the program");
        daemon.ready().await.expect("a daemon");
        daemon
    }

    async fn drain(&self, entries: u64) -> Drained {
        // The hub puts the terminal off until its first batch has been made and its memory was looked at.
        self.hub.set_weather(Weather::fair().with(Fault::busy(1).on(Call::Entries)));
        let mut daemon = self.start().await;
        self.within(|_| self.hub.traffic().requests >= 1).await;
        let first_kib = peak_kib(&daemon);
        let before = self.hub.traffic();
        self.hub.set_weather(Weather::fair());
        self.within(|_| self.hub.traffic().requests > before.requests).await;
        let begin = now();
        self.within(|books| books.acknowledged(TERMINAL) == entries).await;
        let time = begin.elapsed();
        let (after, last_kib) = (self.hub.traffic(), peak_kib(&daemon));
        daemon.stop().await.expect("a daemon that stops");
        let totals = self.hub.books(|books| books.totals());
        let paid = PRICE * i64::try_from(entries / ENTRIES_OF_A_SALE).expect("not so many");
        assert_eq!(totals[TERMINAL].paid, paid, "the hub counts other money than the journal");
        Drained { time, traffic: since(before, after), first_kib, last_kib }
    }

    async fn within(&self, wished: impl FnMut(Books<'_>) -> bool) {
        let done = tokio::time::timeout(LIMIT, self.hub.until(wished));
        done.await.expect("the queue does not drain");
    }

    /// The peak in KiB of a terminal that has nothing to send.
    async fn memory_at_rest(&self) -> u64 {
        let mut daemon = self.start().await;
        let peak = peak_kib(&daemon);
        daemon.stop().await.expect("a daemon that stops");
        peak
    }

    /// The time of the bare loop.
    async fn floor(&self, directory: &Path) -> Duration {
        let batches = self.batches().await;
        let mut runs: Vec<Duration> =
            (0..FLOOR_RUNS).map(|run| bare_loop(&directory.join(format!("floor{run}.db")), &batches)).collect();
        runs.sort_unstable();
        runs[FLOOR_RUNS / 2]
    }

    async fn batches(&self) -> Vec<Vec<Record>> {
        let reader = Reader::open(&self.scene.journal_path).expect("a journal");
        let (mut batches, mut after) = (Vec::new(), 0);
        loop {
            let batch = reader.outbox(after, BATCH, BATCH_BYTES).await.expect("a journal");
            let Some(last) = batch.last() else { return batches };
            after = last.seq;
            batches.push(batch);
        }
    }
}

/// The six entries of a sale at the keypad.
fn sale(mint: &mut IdMint, place: u64, begin_ms: i64) -> [NewEntry; 6] {
    let (order, attempt, slot) = (mint.order(), mint.attempt(), SlotId::new("11").expect("a slot"));
    let opened = Entry::OrderOpened {
        order,
        amount: Fen::new(PRICE),
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
    };
    let (channel, method, amount) = (ChannelId::Alipay, Method::ShowCode, Fen::new(PRICE));
    let trade_no = format!("20261118220014{place:014}");
    let at = Wall { ms: begin_ms + i64::try_from(place).expect("not so many"), trusted: true };
    [
        (OrderState::Waiting, opened),
        (
            OrderState::Waiting,
            Entry::AttemptStarted {
                order,
                attempt,
                channel,
                method,
                amount,
                voucher: None,
                wallet: None,
                instalment: None,
            },
        ),
        (
            OrderState::Paid,
            Entry::AttemptPaid { order, attempt, trade_no, paid_at: None, buyer: None, details: Details::default() },
        ),
        (OrderState::Delivering, Entry::VendStarted { order, item: 0, slot, drops_before: None }),
        (OrderState::Delivering, Entry::VendEnded { order, item: 0, result: VendResult::Dropped, taken: None }),
        (OrderState::Completed, Entry::OrderClosed { order, ending: Ending::Delivered }),
    ]
    .map(|(state, entry)| NewEntry { at, entry, state })
}

/// The same rows in the same transactions, and nothing else.
fn bare_loop(path: &Path, batches: &[Vec<Record>]) -> Duration {
    let mut connection = Connection::open(path).expect("a database");
    connection.pragma_update(None, "journal_mode", "wal").expect("a pragma");
    connection.pragma_update(None, "synchronous", "full").expect("a pragma");
    connection.execute_batch(include_str!("../sandbox/src/hub/schema.sql")).expect("a schema");
    let begin = now();
    for batch in batches {
        let transaction = connection.transaction().expect("a transaction");
        batch.iter().for_each(|record| insert(&transaction, record));
        transaction.commit().expect("room");
    }
    begin.elapsed()
}

fn insert(connection: &Connection, record: &Record) {
    let mut statement = connection
        .prepare_cached(
            "INSERT INTO entries (terminal, seq, prev, hash, order_number, at_ms, trusted, state, body)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .expect("a statement");
    let Record { seq, order, at, state, body, prev, hash } = record;
    let seq = i64::try_from(*seq).expect("a place");
    let (prev, hash) = (prev.as_bytes(), hash.as_bytes());
    statement.execute(params![TERMINAL, seq, prev, hash, order, at.ms, at.trusted, state, body]).expect("room");
}

fn since(before: Traffic, after: Traffic) -> Traffic {
    Traffic {
        requests: after.requests - before.requests,
        bytes_in: after.bytes_in - before.bytes_in,
        bytes_out: after.bytes_out - before.bytes_out,
    }
}

fn print(entries: u64, drained: &Drained, rest_kib: u64, floor: Duration) {
    let Drained { time, traffic, first_kib, last_kib } = drained;
    let per_second = u128::from(entries) * 1_000 / time.as_millis().max(1);
    println!("drained {entries} entries in {time:?}: {per_second} entries/s in {} requests", traffic.requests);
    let (up, down) = (traffic.bytes_in, traffic.bytes_out);
    println!("on the wire: {up} bytes up ({} an entry), {down} bytes down, without TCP", up / entries.max(1));
    let growth = last_kib.saturating_sub(*first_kib);
    println!(
        "terminal's peak memory: {rest_kib} KiB at rest, {first_kib} KiB at the first batch, {last_kib} KiB after the last: {growth} KiB more"
    );
    let percent = time.as_nanos() * 100 / floor.as_nanos().max(1);
    let (whole, rest) = (percent / 100, percent % 100);
    println!("RATIO drain: {time:?} against a bare loop of {floor:?} = {whole}.{rest:02}");
}

/// The most memory that a process ever had resident.
fn peak_kib(daemon: &Daemon) -> u64 {
    let pid = daemon.pid().expect("a running daemon");
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a running daemon");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a kernel that counts");
    line.trim().trim_end_matches(" kB").trim().parse().expect("a number")
}

#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
fn now() -> Instant {
    Instant::now()
}

/// Entries of today, so that retention keeps them.
#[expect(clippy::disallowed_methods, reason = "the daemon that reads the entries has the machine's own clock")]
fn wall_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock that was set");
    i64::try_from(since.as_millis()).expect("a time before the year 292 million")
}
