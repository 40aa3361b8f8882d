//! A machine for tests: a real engine and a real journal behind a small loop, and a channel that does as it is told.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use payment::channel::outcome::{CodeAnswer, Details, DutyOutcome, Outcome, Receipt, RefundOutcome, Reversal, Waiting};
use payment::channel::route::Routes;
use payment::channel::{Answer, ChannelId, DutyKind, Request};
use payment::engine::Engine;
use payment::engine::effect::Effect;
use payment::engine::entry::{SlotId, VendResult, WhoScans};
use payment::engine::faults::Fault;
use payment::engine::input::{Input, Refused};
use payment::engine::settings::{Pace, Product, RefundSettings, Settings, VoucherSettings};
use payment::engine::slots::SlotCount;
use payment::ids::IdMint;
use payment::instalment::Terms;
use payment::money::Fen;
use payment::time::{Mono, Now, Wall};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::api::wanted::Products;
use crate::api::{ApiOptions, Doors, TcpOptions};
use crate::daemon::metrics::Metrics;
use crate::daemon::notices::ChannelNews;
use crate::daemon::receipts::PrintError;
use crate::daemon::slots::SlotStatus;
use crate::daemon::terminal::{ActError, COMMANDS_MAX, Command, Status, SyncEnds, SyncWish, Terminal};
use crate::journal::{Journal, NewEntry};
use crate::sync::status::{LinkNews, Nudges};

/// 2026-01-31T00:00:00Z
const START_MS: i64 = 1_769_817_600_000;

/// What the channel and the machine do.
#[derive(Debug, Default)]
pub struct Weather {
    /// The buyer has paid whatever is shown.
    pub pays: AtomicBool,
    /// The channel refuses refunds.
    pub refuses_refunds: AtomicBool,
    /// The next items jam.
    pub jams: AtomicBool,
    /// What the channel tells of a payment besides its number.
    pub tells: Mutex<Details>,
    /// 0: there is no printer, 1: it has trouble, 2: it prints.
    pub printer: AtomicU32,
    /// The channel fails this many refunds under their numbers.
    pub fails_refunds: AtomicU32,
}

impl Weather {
    fn fails_refund(&self) -> bool {
        let left = |count: u32| count.checked_sub(1);
        self.fails_refunds.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left).is_ok()
    }
}

/// The running machine.
pub struct Machine {
    pub dir: tempfile::TempDir,
    pub socket: PathBuf,
    pub tcp: std::net::SocketAddr,
    pub weather: Arc<Weather>,
    pub stop: watch::Sender<bool>,
    pub served: tokio::task::JoinHandle<std::io::Result<()>>,
    pub screen: watch::Sender<Option<Arc<hal::display::Frame>>>,
    pub terminal: Terminal,
    /// What the link to the hub says of itself.
    pub link: watch::Sender<LinkNews>,
    /// What the link is told.
    pub nudges: watch::Receiver<Nudges>,
}

/// At so much journal the machine would stop selling.
pub const LIMIT_BYTES: u64 = 16 << 20;

pub const TOKEN: &str = "only-for-tests";

pub fn slot(name: &str) -> SlotId {
    SlotId::new(name).unwrap()
}

pub fn products() -> Products {
    let product =
        |code: &str, name: &str, price| Product { code: code.into(), name: name.into(), price: Fen::new(price) };
    BTreeMap::from([
        (slot("11"), product("water-550", "农夫山泉", 200)),
        (slot("12"), product("cola-330", "可口可乐", 350)),
    ])
}

fn settings() -> Settings {
    let pace = Pace {
        code_poll_ms: 20,
        confirm_poll_ms: 20,
        refund_query_ms: 20,
        refund_gap_ms: 0,
        retry_ms: 20,
        ..Pace::default()
    };
    Settings {
        products: products(),
        capacities: BTreeMap::from([(slot("12"), 8)]),
        channels: vec![ChannelId::Alipay],
        who_scans: WhoScans::Either,
        has_scanner: true,
        pace,
        routes: Routes::default_for(&[ChannelId::Alipay]),
        ..Settings::default()
    }
}

impl Machine {
    /// Starts it in a directory of its own.
    pub async fn start() -> Self {
        Self::start_with(settings()).await
    }

    /// The same, and it takes the codes that this operator signs.
    pub async fn start_with_codes(operator_key: [u8; 32]) -> Self {
        let (terminal, per_sale_max, unsettled_max) = ("VM-0001".to_owned(), Fen::new(5_000), Fen::new(50_000));
        let vouchers = Some(VoucherSettings { terminal, operator_key, per_sale_max, unsettled_max });
        Self::start_with(Settings { vouchers, ..settings() }).await
    }

    /// The same, and refunds above this amount wait for a second person.
    pub async fn start_with_approval(above: Fen) -> Self {
        let refunds = RefundSettings { approval_above: Some(above), ..RefundSettings::default() };
        Self::start_with(Settings { refunds, ..settings() }).await
    }

    /// The same, and buyers may pay in instalments.
    pub async fn start_with_instalments() -> Self {
        Self::start_with(Settings { instalments: Some(Terms::documented_2018()), ..settings() }).await
    }

    /// The same, and the channel wants to hear of every delivery.
    pub async fn start_with_duties() -> Self {
        let duties = BTreeMap::from([(ChannelId::Alipay, DutyKind::ReportDelivery)]);
        Self::start_with(Settings { duties, ..settings() }).await
    }

    /// The same, and its channels tell this besides the sales.
    pub async fn start_with_news(news: ChannelNews) -> Self {
        Self::start_telling(settings(), news).await
    }

    async fn start_with(settings: Settings) -> Self {
        Self::start_telling(settings, ChannelNews::default()).await
    }

    async fn start_telling(settings: Settings, news: ChannelNews) -> Self {
        let instalments = settings.instalments.clone();
        let dir = tempfile::tempdir().unwrap();
        let opened = Journal::open(&dir.path().join("till.db")).unwrap();
        let (commands, queue) = mpsc::channel(COMMANDS_MAX);
        let (newest, newest_seen) = watch::channel(0);
        let (screen, screen_seen) = watch::channel(None);
        let (stop, stopping) = watch::channel(false);
        let weather = Arc::<Weather>::default();
        let terminal =
            Terminal::new(commands, opened.journal.reader(), newest_seen, screen_seen, Arc::<Metrics>::default());
        let (link, link_seen) = watch::channel(LinkNews::default());
        let (nudge, nudges) = watch::channel(Nudges::default());
        let terminal =
            terminal.with_news(news).with_sync(SyncEnds { link: link_seen, nudges: nudge, limit_bytes: LIMIT_BYTES });
        let engine = Engine::restore(settings, IdMint::new([7; 32]), at(Duration::ZERO), &[], Vec::new());
        let slots = watch::Sender::new(SlotStatus::all(&engine));
        let terminal = terminal.with_slots(slots.subscribe());
        let begun = Instant::now();
        let running = Running { engine, journal: opened.journal, newest, weather: Arc::clone(&weather), begun, slots };
        tokio::spawn(running.run(queue));
        let socket = dir.path().join("till.sock");
        let tcp = TcpOptions { address: ([127, 0, 0, 1], 0).into(), token: payment::redact::Secret::new(TOKEN.into()) };
        let options = ApiOptions { socket: socket.clone(), tcp: Some(tcp), products: products(), instalments };
        let doors = Doors::open(options).await.unwrap();
        let tcp = doors.tcp_address().unwrap();
        let served = tokio::spawn(doors.serve(terminal.clone(), stopping));
        Self { dir, socket, tcp, weather, stop, served, screen, terminal, link, nudges }
    }
}

fn at(since_start: Duration) -> Now {
    let ms = u64::try_from(since_start.as_millis()).unwrap();
    let wall = START_MS + i64::try_from(ms).unwrap();
    Now { mono: Mono(ms), wall: Wall { ms: wall, trusted: true } }
}

struct Running {
    engine: Engine,
    journal: Journal,
    newest: watch::Sender<u64>,
    weather: Arc<Weather>,
    begun: Instant,
    slots: watch::Sender<Vec<SlotStatus>>,
}

impl Running {
    async fn run(mut self, mut queue: mpsc::Receiver<Command>) {
        loop {
            self.drain().await;
            let due = self.engine.poll_timeout().map(|(at, _)| self.begun + Duration::from_millis(at.0));
            let timer = async {
                match due {
                    Some(due) => tokio::time::sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = timer => {
                    let _ = self.engine.handle(self.now(), Input::Timer);
                }
                command = queue.recv() => match command {
                    None | Some(Command::Stop) => return,
                    Some(command) => self.answer(command).await,
                },
            }
        }
    }

    fn now(&self) -> Now {
        at(self.begun.elapsed())
    }

    async fn answer(&mut self, command: Command) {
        match command {
            Command::Act { input, reply } => {
                let done = self.act(*input).await;
                let _ = reply.send(done);
            }
            Command::Reopen { order, input, reply } => {
                let stored = self.journal.reader().order(order.as_str()).await.unwrap();
                let done = match stored {
                    Some(stored) => {
                        self.engine.load(self.now(), &stored.entries);
                        self.act(*input).await
                    }
                    None => Err(Refused::NoSuchOrder(order).into()),
                };
                let _ = reply.send(done);
            }
            Command::Order { order, reply } => {
                let _ = reply.send(self.engine.order(order).cloned());
            }
            Command::Stock { slot, stock, reply } => {
                let count = SlotCount { stock, ..self.engine.slot(&slot) };
                self.journal.keep_slot(slot.clone(), count).await.unwrap();
                self.engine.handle(self.now(), Input::Slot { slot, count }).unwrap();
                self.slots.send_replace(SlotStatus::all(&self.engine));
                let _ = reply.send(Ok(()));
            }
            Command::Print { record, reply } => {
                let printed = match self.weather.printer.load(Ordering::SeqCst) {
                    0 => Err(PrintError::NoPrinter),
                    1 => Err(PrintError::NotReady),
                    _ => Ok(record.is_delivered()),
                };
                let _ = reply.send(printed);
            }
            Command::ResetAudit { from, reply } => {
                let _ = reply.send(Ok(self.journal.reset_audit(START_MS, from).await.unwrap()));
            }
            Command::Status { reply } => {
                let _ = reply.send(self.status());
            }
            Command::Sync { wish, reply } => {
                if let SyncWish::Acknowledge { up_to, set_aside } = wish {
                    self.journal.acknowledge(up_to, set_aside).await.unwrap();
                }
                let _ = reply.send(Ok(()));
            }
            Command::Stop => {}
        }
    }

    async fn act(&mut self, input: Input) -> Result<payment::engine::input::Done, ActError> {
        if let Input::Clear(Fault::Slot(slot)) = &input {
            self.journal.keep_slot(slot.clone(), self.engine.slot(slot).cleared()).await.unwrap();
        }
        let done = self.engine.handle(self.now(), input)?;
        self.drain().await;
        Ok(done)
    }

    async fn drain(&mut self) {
        while let Some(effect) = self.engine.poll_effect() {
            let input = match effect {
                Effect::Record(batch) => {
                    let slots = batch.iter().flat_map(|record| record.slots.clone()).collect();
                    let batch = batch.into_iter();
                    let batch =
                        batch.map(|record| NewEntry { at: record.at, entry: record.entry, state: record.state });
                    let places = self.journal.append_with(batch.collect(), slots).await.unwrap();
                    self.newest.send_replace(places.last().copied().unwrap());
                    Input::Recorded
                }
                Effect::ProbeJournal => Input::Recorded,
                Effect::Call(call) => Input::Answered { call: call.id, answer: self.channel(&call.request) },
                Effect::Vend(vend) => {
                    let jams = self.weather.jams.load(Ordering::SeqCst);
                    let result = if jams { VendResult::NotDropped } else { VendResult::Dropped };
                    Input::Vended { job: vend.job, result, drops: None, taken: None }
                }
                Effect::ArmScanner(_)
                | Effect::Lamp(_)
                | Effect::Beep(_)
                | Effect::TurnAway
                | Effect::Raised(_)
                | Effect::Cleared(_) => {
                    continue;
                }
            };
            let _ = self.engine.handle(self.now(), input);
        }
    }

    fn channel(&self, request: &Request) -> Answer {
        let receipt = |amount| Receipt {
            trade_no: "2026013122001".into(),
            amount,
            paid_at: Some("2026-01-31 08:00:05".into()),
            buyer: Some("159****5620".into()),
            details: self.weather.tells.lock().unwrap().clone(),
        };
        let amount = || self.engine.orders().next().map_or(Fen::ZERO, |order| order.amount);
        match request {
            Request::ShowCode(_) => Answer::Code(CodeAnswer::Ready("https://qr.alipay.com/bax0000".into())),
            Request::TakeCode(offer, _) => Answer::Payment(Outcome::Paid(receipt(offer.amount))),
            Request::Query(_) if self.weather.pays.load(Ordering::SeqCst) => {
                Answer::Payment(Outcome::Paid(receipt(amount())))
            }
            Request::Query(_) => Answer::Payment(Outcome::Pending(Waiting::NoTrade)),
            Request::Cancel(_) | Request::Close(_) => Answer::Reversal(Reversal::Closed),
            Request::Refund(_) | Request::RefundQuery(_) if self.weather.refuses_refunds.load(Ordering::SeqCst) => {
                Answer::Refund(RefundOutcome::Refused { code: "ACQ.SELLER_BALANCE_NOT_ENOUGH".into() })
            }
            Request::Refund(_) if self.weather.fails_refund() => {
                Answer::Refund(RefundOutcome::Failed { code: "CLOSED".into() })
            }
            Request::Refund(_) | Request::RefundQuery(_) => Answer::Refund(RefundOutcome::Done),
            Request::Duty(_) => Answer::Duty(DutyOutcome::Done),
            Request::Probe => Answer::Reachable(true),
        }
    }

    fn status(&self) -> Status {
        let faults: Vec<Fault> = self.engine.faults().cloned().collect();
        let mut open = BTreeMap::new();
        for order in self.engine.orders() {
            *open.entry(order.state()).or_insert(0) += 1;
        }
        let now = self.now();
        Status {
            blocking: faults.iter().find(|fault| **fault == Fault::SwitchedOff).cloned(),
            codes_only: self.engine.codes_only_because(),
            order: self.engine.order_at_machine(),
            scanner_armed: self.engine.is_scanner_armed(),
            open: open.into_iter().collect(),
            wall: now.wall,
            clock: "confirmed by the test".to_owned(),
            up_ms: now.mono.0,
            last_seq: *self.newest.borrow(),
            slots: SlotStatus::all(&self.engine),
            faults,
        }
    }
}
