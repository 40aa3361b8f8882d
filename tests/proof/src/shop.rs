//! A shop of the real program: gateway, machine and scanner in this process, the daemon as a child that can be killed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use hal::display::Frame;
use payment::engine::entry::{Method, OrderState, Stored, VendResult};
use payment::engine::record::{AttemptRecord, OrderRecord, VendRecord};
use sandbox::{Ledger, Scanned, Wallet};
use till::demo::child::{Daemon, Launch};
use till::demo::scene::{Scene, SceneOptions};
use till::journal::Reader;
use till::journal::verify::verify;
use till::journal::view::ListFilter;
use tokio::sync::watch;
use tokio::time::Instant;

/// Nothing takes this long; it only ends a run that hangs.
pub const LIMIT: Duration = Duration::from_secs(120);

/// Between two looks at a journal that another process writes.
const LOOK_AGAIN: Duration = Duration::from_millis(300);

/// Orders that are looked at at once.
const PAGE: u32 = 500;

/// Fills of a slot, so that no sale fails for want of goods.
const PLENTY: u32 = 1_000_000;

/// The keys of the simulated keypad and the drop sensor.
const WIRED_INPUTS: usize = 13;

/// The slots of the simulated machine that customers choose from.
pub const SLOTS: [&str; 3] = ["11", "12", "13"];

/// How a shop's books were found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Books {
    /// Orders in the journal.
    pub orders: u64,
    /// Orders whose buyer paid, and kept the goods or got the money back.
    pub paid: u64,
    /// Orders whose buyer paid more than the goods that were had are worth.
    pub lost: u64,
    /// Orders whose buyer had goods without paying for them, and motor runs beyond one for each decision.
    pub doubled: u64,
    /// Orders that never came to rest.
    pub stuck: u64,
    /// Faults of the journal's chain and tables.
    pub broken: u64,
    /// The first thing that was wrong, in words.
    pub first: Option<String>,
}

impl Books {
    /// Adds another shop's books.
    pub fn add(&mut self, other: Self) {
        self.orders += other.orders;
        self.paid += other.paid;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.stuck += other.stuck;
        self.broken += other.broken;
        self.first = self.first.take().or(other.first);
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.lost == 0 && self.doubled == 0 && self.stuck == 0 && self.broken == 0
    }

    fn note(&mut self, what: impl FnOnce() -> String) {
        if self.first.is_none() {
            self.first = Some(what());
        }
    }
}

/// Says which seed it was, and the command that runs one shop once more.
#[must_use]
pub fn again(tier: &str, seed: u64, what: &str, amount: u64) -> String {
    format!(
        "seed {seed}; once more: `proof {tier} --seed {seed} --shops 1 --{what} {amount}`. The dice are the same, but \
         real time is not repeated exactly and decides how many rolls each customer gets: it may take several runs to meet this again"
    )
}

/// A buyer's eyes on the machine's panel.
#[derive(Debug)]
pub struct Eyes(watch::Receiver<Option<Arc<Frame>>>);

impl Eyes {
    /// Looks at the panel of this scene.
    #[must_use]
    pub fn on(scene: &Scene) -> Self {
        Self(scene.machine.frames())
    }

    /// Waits for another picture, but not longer than this.
    pub async fn wait(&mut self, at_most: Duration) {
        // Not everything shows on the panel, so no picture is no reason to wait for ever.
        let _same = tokio::time::timeout(at_most, self.0.changed()).await;
    }

    /// The phone scans the code on the panel, if there is one that can be paid.
    pub fn scan(&mut self, wallet: &Wallet) -> Option<Scanned> {
        let frame = self.0.borrow_and_update().clone()?;
        // A phone that finds no code looks long and closely, which would cost more than the whole sale.
        let png = shows_code(&frame).then(|| frame.to_png().ok())??;
        wallet.scan_picture(&png).ok()
    }
}

/// Whether some row crosses the mark in a code's corner: runs of 1, 1, 3, 1 and 1 modules of whole pixels.
fn shows_code(frame: &Frame) -> bool {
    frame.rows().any(|row| {
        let runs: Vec<usize> = row.chunk_by(|one, next| one == next).map(<[u16]>::len).collect();
        runs.windows(5).any(|run| run[0] > 1 && *run == [1, 1, 3, 1, 1].map(|modules| modules * run[0]))
    })
}

/// A running shop.
pub struct Shop {
    /// Everything around the daemon.
    pub scene: Scene,
    daemon: Daemon,
    started: Instant,
    program: PathBuf,
    again: String,
    _dir: tempfile::TempDir,
}

impl Shop {
    /// Opens a shop with the program at `program`; `change` may alter the scene, `again` says how to run it once more.
    ///
    /// # Errors
    ///
    /// When a part cannot be started.
    pub async fn open(program: &Path, again: String, change: impl FnOnce(&mut SceneOptions)) -> anyhow::Result<Self> {
        let dir = tempfile::tempdir()?;
        let mut options = SceneOptions::quick(dir.path());
        change(&mut options);
        let scene = Scene::set(options).await?;
        for slot in SLOTS {
            scene.machine.restock(slot, PLENTY);
        }
        let daemon = Daemon::start(&Launch::on(program, &scene))?;
        let started = Instant::now();
        let mut shop = Self { scene, daemon, started, program: program.to_owned(), again, _dir: dir };
        shop.until_ready().await?;
        Ok(shop)
    }

    /// Waits until recovery is over; how long that took, when nobody did anything else meanwhile.
    ///
    /// # Errors
    ///
    /// When the daemon ends before, or hangs.
    pub async fn until_ready(&mut self) -> anyhow::Result<Duration> {
        tokio::time::timeout(LIMIT, self.daemon.ready()).await.context("the daemon did not become ready")??;
        Ok(self.started.elapsed())
    }

    /// Whether the daemon said that its recovery is over.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.daemon.told().borrow().ready
    }

    /// SIGKILL.
    ///
    /// # Errors
    ///
    /// When the system refuses, or the daemon had ended by itself before.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        let ended = self.daemon.kill().await?;
        if ended.code().is_some() {
            bail!("the daemon ended by itself: {ended}\n{}", self.daemon.last_words().await);
        }
        Ok(())
    }

    /// Starts the daemon again; it is not ready yet.
    ///
    /// # Errors
    ///
    /// When the program cannot be started.
    pub fn start(&mut self) -> anyhow::Result<()> {
        self.daemon = Daemon::start(&Launch::on(&self.program, &self.scene))?;
        self.started = Instant::now();
        Ok(())
    }

    /// The entries of every order so far.
    ///
    /// # Errors
    ///
    /// When the journal cannot be read.
    pub async fn histories(&self) -> anyhow::Result<Vec<Vec<Stored>>> {
        histories(&Reader::open(&self.scene.journal_path)?).await
    }

    /// Waits until the machine's keys are read: what is pressed before that is pressed on nothing.
    pub async fn until_open(&self) {
        let mut states = self.scene.machine.subscribe();
        let read = states.wait_for(|machine| machine.inputs_read >= WIRED_INPUTS);
        // A machine that stays deaf shows in the number of orders.
        let _deaf = tokio::time::timeout(LIMIT, read).await;
    }

    /// The end of the daemon's log.
    #[must_use]
    pub fn log(&self) -> String {
        let lines = self.daemon.log();
        let lines = lines.borrow();
        lines.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    /// Waits until money and goods are at rest, stops the daemon and holds journal, ledger and machine against each other.
    ///
    /// # Errors
    ///
    /// When the journal cannot be read.
    pub async fn close(mut self) -> anyhow::Result<Books> {
        let reader = Reader::open(&self.scene.journal_path)?;
        let rested = tokio::time::timeout(LIMIT, self.until_rest(&reader)).await;
        let orders = orders(&reader).await?;
        let mut books = Books::default();
        if rested.is_err() {
            let ledger = self.scene.gateway.control().ledger();
            for order in orders.iter().filter(|order| !is_at_rest(order, &ledger)) {
                books.stuck += 1;
                books.note(|| format!("never at rest: {order:#?}\n{}", self.log()));
            }
        }
        drop(reader);
        self.daemon.stop().await?;
        self.hold_against(&orders, &mut books);
        let report = verify(&self.scene.journal_path, None)?;
        books.broken = u64::try_from(report.fault_count).unwrap_or(u64::MAX);
        if let Some(fault) = report.faults.first() {
            books.note(|| format!("journal: {fault}"));
        }
        books.first = books.first.map(|first| format!("{}\n{first}", self.again));
        Ok(books)
    }

    async fn until_rest(&self, reader: &Reader) {
        loop {
            let ledger = self.scene.gateway.control().ledger();
            match orders(reader).await {
                Ok(orders) if orders.iter().all(|order| is_at_rest(order, &ledger)) => return,
                Ok(_) | Err(_) => tokio::time::sleep(LOOK_AGAIN).await,
            }
        }
    }

    fn hold_against(&self, orders: &[OrderRecord], books: &mut Books) {
        let ledger = self.scene.gateway.control().ledger();
        for order in orders {
            books.orders += 1;
            let (net, had) = (net_fen(order, &ledger), had_fen(order));
            books.paid += u64::from(order.winner().is_some());
            books.lost += u64::from(net > had);
            books.doubled += u64::from(net < had);
            if net != had {
                books.note(|| format!("paid {net} fen for goods of {had} fen: {order:#?}"));
            }
        }
        let fallen = self.scene.worth_of_fallen_fen();
        let told: i64 = orders.iter().map(had_fen).sum();
        if fallen > told {
            books.doubled += 1;
            books.note(|| format!("goods of {fallen} fen fell, and the journal knows of {told}"));
        } else if fallen < told {
            books.lost += 1;
            books.note(|| format!("goods of {fallen} fen fell, and the journal believes {told}"));
        }
        let known: i64 = orders.iter().map(|order| net_fen(order, &ledger)).sum();
        if known != ledger.net_fen() {
            books.lost += 1;
            books.note(|| format!("{} fen at the gateway, {known} under numbers of the journal", ledger.net_fen()));
        }
        let motors = self.scene.machine.state().motor_starts();
        let decided = orders.iter().flat_map(|order| &order.items).filter(|item| item.vend != VendRecord::Waiting);
        let decided = u64::try_from(decided.count()).unwrap_or(u64::MAX);
        if motors > decided {
            books.doubled += motors - decided;
            books.note(|| format!("{motors} motor runs for {decided} decisions"));
        }
    }
}

async fn orders(reader: &Reader) -> anyhow::Result<Vec<OrderRecord>> {
    let histories = histories(reader).await?;
    Ok(histories.iter().filter_map(|entries| OrderRecord::from_entries(entries)).collect())
}

async fn histories(reader: &Reader) -> anyhow::Result<Vec<Vec<Stored>>> {
    let mut found = Vec::new();
    let mut before = None;
    loop {
        let page = reader.list(ListFilter { before, limit: PAGE, ..ListFilter::default() }).await?;
        let Some(last) = page.last() else {
            return Ok(found);
        };
        before = Some(last.opened_seq);
        for summary in &page {
            let stored = reader.order(summary.order.as_str()).await?;
            found.extend(stored.map(|order| order.entries));
        }
    }
}

/// Over, or only a code that was on the screen is watched for a late payment that has not come. A pay code that was sent may
/// still be on its way to the gateway.
fn is_at_rest(order: &OrderRecord, ledger: &Ledger) -> bool {
    match order.state() {
        OrderState::Completed
        | OrderState::Cancelled
        | OrderState::Expired
        | OrderState::Failed
        | OrderState::Refunded => net_fen(order, ledger) == had_fen(order),
        OrderState::Cancelling => {
            let sent = |attempt: &AttemptRecord| attempt.method == Method::TakeCode && attempt.end.is_none();
            net_fen(order, ledger) == 0 && !order.attempts.iter().any(sent)
        }
        OrderState::Waiting
        | OrderState::Confirming
        | OrderState::Unknown
        | OrderState::Paid
        | OrderState::Delivering
        | OrderState::Refunding
        | OrderState::Owed => false,
    }
}

/// What the buyer of the order has paid in the end, by the gateway's books.
fn net_fen(order: &OrderRecord, ledger: &Ledger) -> i64 {
    let trades = order.attempts.iter().filter_map(|attempt| ledger.trade(attempt.attempt.as_str()));
    trades.map(|trade| trade.charged_fen - trade.refunded_fen).sum()
}

/// What the buyer of the order has had, by the journal.
fn had_fen(order: &OrderRecord) -> i64 {
    let had = order.items.iter().filter(|item| item.vend == VendRecord::Ended(VendResult::Dropped));
    had.map(|item| item.item.price.get()).sum()
}
