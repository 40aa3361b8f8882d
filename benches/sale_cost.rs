//! What a sale costs on the real program: commits, bytes to the disk, and the time from the scanner's last byte to the
//! request on the wire.
//!
//! `cargo bench --bench sale_cost`. The daemon runs as a child on the simulator board. A relay stands between it and the
//! sandbox gateway, notes when the pay request's first byte arrives, and holds the request back until it has looked into
//! the journal: an attempt that is not yet recorded there would stop the bench. The floor, one 4 KiB write with
//! `fdatasync` in the journal's folder and one bare RSA-2048 signature, is taken between the sales of the same run.
//!
//! `TILL_BENCH_SALES` sets how many sales of each kind (100). `TILL_BENCH_DIR` sets the directory, which should be on the
//! disk that matters. Where `strace` is installed, the flushes are counted too.
#![expect(clippy::expect_used, reason = "a bench that cannot run shall say so and stop")]

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::hint::black_box;
use std::io::{Read, Seek, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{OnceLock, mpsc};
use std::time::{Duration, Instant};

use hal::Key;
use payment::channel::keys::PrivateKey;
use payment::engine::entry::Entry;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use till::demo::child::{Daemon, Launch};
use till::demo::scene::{Scene, SceneOptions};
use till::journal::Reader;
use tokio::runtime::Runtime;

const PROGRAM: &str = env!("CARGO_BIN_EXE_till");
/// Nothing here takes this long; it only ends a bench that would hang.
const LIMIT: Duration = Duration::from_secs(60);
/// The keys of the simulated keypad and the drop sensor.
const WIRED_INPUTS: usize = 13;
/// Sales that certainly fit between two emptyings of the write-ahead log, so that its growth is what they wrote.
const SALES_IN_ONE_LOG: u64 = 8;
/// Longer than a connection is kept.
const IDLE: Duration = Duration::from_secs(60);
const PAGE: [u8; 4096] = [0x5a; 4096];
/// Milliseconds that a buyer would still look at the thanks.
const SHORT: &str = "[pace]\nthanks_ms = 100\n";

fn main() {
    let runtime = Runtime::new_here();
    runtime.block_on(async {
        let mut shop = Shop::open().await;
        let sales = number("TILL_BENCH_SALES", 100);
        // The scanner's port throws away what comes in its first moment; a sale takes longer than that.
        shop.sell(Kind::ScreenCode).await;
        shop.sell(Kind::PayCode).await;
        for kind in [Kind::PayCode, Kind::ScreenCode] {
            shop.measure_log(kind).await;
            shop.measure_cost(kind, sales).await;
        }
        shop.measure_flushes().await;
        shop.measure_time(sales).await;
        shop.measure_idle().await;
        shop.daemon.stop().await.expect("a daemon that stops");
    });
}

/// Who scans, and so which entries there are.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// The buyer holds a code to the scanner.
    PayCode,
    /// The buyer scans the screen.
    ScreenCode,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::PayCode => "pay code at the scanner",
            Self::ScreenCode => "code on the screen",
        }
    }
}

trait Here {
    fn new_here() -> Runtime;
}

impl Here for Runtime {
    fn new_here() -> Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
    }
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().map_or(default, |text| text.parse().expect("a number in the environment"))
}

/// Gateway, relay, machine, scanner and daemon.
struct Shop {
    scene: Scene,
    daemon: Daemon,
    client: reqwest::Client,
    arrivals: mpsc::Receiver<Instant>,
    floor: Floor,
    dir: TempDir,
}

impl Shop {
    async fn open() -> Self {
        let parent = std::env::var_os("TILL_BENCH_DIR");
        let parent = parent.map_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")), PathBuf::from);
        let dir = TempDir::new_in(parent).expect("a directory to write in");
        let mut options = SceneOptions::quick(dir.path());
        options.extra_config = SHORT.to_owned();
        let scene = Scene::set(options).await.expect("a scene");
        let arrivals = relay(&scene);
        let mut daemon = Daemon::start(&Launch::on(PROGRAM, &scene)).expect("the program");
        daemon.ready().await.expect("a daemon");
        let _second = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().unix_socket(scene.socket_path.clone()).build().expect("a client");
        let floor = Floor::in_folder(dir.path());
        let shop = Self { scene, daemon, client, arrivals, floor, dir };
        let mut machine = shop.scene.machine.subscribe();
        let wired = machine.wait_for(|machine| machine.inputs_read == WIRED_INPUTS);
        within(wired).await.expect("a machine");
        within(shop.until(|terminal| terminal["faults"] == json!([]))).await;
        shop
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> String {
        let mut request = self.client.request(method, format!("http://till{path}"));
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        request.send().await.expect("an answer").text().await.expect("a text")
    }

    async fn until(&self, wished: impl Fn(&Value) -> bool) {
        loop {
            let text = self.call(Method::GET, "/v1/terminal", None).await;
            if wished(&serde_json::from_str(&text).expect("JSON")) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// One sale from the order to the fallen item and the free machine; the time of its scan.
    async fn sell(&self, kind: Kind) -> Option<Instant> {
        let before = self.scene.machine.state().drops;
        let scanned = match kind {
            Kind::PayCode => Some(self.hold_code().await),
            Kind::ScreenCode => {
                self.scan_screen().await;
                None
            }
        };
        let mut machine = self.scene.machine.subscribe();
        within(machine.wait_for(|machine| machine.drops > before)).await.expect("a machine");
        within(self.until(|terminal| terminal["order"].is_null())).await;
        self.scene.machine.restock("11", 8);
        scanned
    }

    async fn hold_code(&self) -> Instant {
        let body = json!({"amount": 200, "currency": "CNY", "items": [{"slot": "11"}], "who_scans": "merchant_scans"});
        self.call(Method::POST, "/v1/orders", Some(body)).await;
        let code = self.scene.gateway.control().wallet().pay_code();
        let scanned = now();
        self.scene.scan(&code).expect("a scanner");
        scanned
    }

    async fn scan_screen(&self) {
        for key in [Key::Digit(1), Key::Digit(1), Key::Ok] {
            assert!(self.scene.machine.press(key));
        }
        let wallet = self.scene.gateway.control().wallet();
        let mut frames = self.scene.machine.frames();
        let asked = loop {
            let frame = frames.borrow_and_update().clone();
            let png = frame.and_then(|frame| frame.to_png().ok());
            if let Some(Ok(asked)) = png.map(|png| wallet.scan_picture(&png)) {
                break asked;
            }
            within(frames.changed()).await.expect("a display");
        };
        wallet.confirm(&asked.id).expect("a payment");
    }

    /// Bytes that the write-ahead log grows by.
    async fn measure_log(&mut self, kind: Kind) {
        // A fresh log: the old one is emptied when the daemon stops.
        self.restart().await;
        let log = self.scene.journal_path.with_extension("db-wal");
        let length = || std::fs::metadata(&log).map_or(0, |file| file.len());
        let before = length();
        for _ in 0..SALES_IN_ONE_LOG {
            self.sell(kind).await;
        }
        println!("{}: {} bytes in the write-ahead log per sale", kind.name(), (length() - before) / SALES_IN_ONE_LOG);
    }

    async fn restart(&mut self) {
        self.daemon.stop().await.expect("a daemon that stops");
        self.daemon = Daemon::start(&Launch::on(PROGRAM, &self.scene)).expect("the program");
        self.daemon.ready().await.expect("a daemon");
        let mut machine = self.scene.machine.subscribe();
        within(machine.wait_for(|machine| machine.inputs_read == WIRED_INPUTS)).await.expect("a machine");
        within(self.until(|terminal| terminal["faults"] == json!([]))).await;
        self.sell(Kind::ScreenCode).await;
    }

    async fn measure_cost(&self, kind: Kind, sales: u64) {
        let before = self.counts().await;
        for _ in 0..sales {
            self.sell(kind).await;
        }
        let after = self.counts().await;
        for ((what, before), (_, after)) in before.into_iter().zip(after) {
            println!("{}: {} {what} per sale", kind.name(), per(after - before, sales));
        }
        println!("{}: {} KiB resident after the run", kind.name(), self.kib("VmRSS"));
    }

    async fn counts(&self) -> [(&'static str, u64); 5] {
        let page = self.call(Method::GET, "/metrics", None).await;
        let io = std::fs::read_to_string(format!("/proc/{}/io", self.pid())).expect("/proc/PID/io");
        [
            ("commits", field(&page, "till_journal_commits_total ")),
            ("entries", field(&page, "till_journal_entries_total ")),
            ("calls to the channel", field(&page, "till_channel_calls_total ")),
            ("pictures", field(&page, "till_frames_total ")),
            ("bytes to the disk", field(&io, "write_bytes: ")),
        ]
    }

    fn kib(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("/proc/PID/status");
        field(&status.replace(['\t', ':'], " ").replace("  ", " "), &format!("{name} "))
    }

    fn pid(&self) -> u32 {
        self.daemon.pid().expect("a daemon that runs")
    }

    /// Counts the system calls that flush, as `strace` sees them.
    async fn measure_flushes(&self) {
        let log = self.dir.path().join("flushes");
        let Some(mut strace) = attach(self.pid(), &log) else {
            println!("flushes are not counted: strace cannot attach here");
            return;
        };
        for kind in [Kind::PayCode, Kind::ScreenCode] {
            let (before, from) = (flushes(&log), self.counts().await[0].1);
            let sales = 20;
            for _ in 0..sales {
                self.sell(kind).await;
            }
            let commits = self.counts().await[0].1 - from;
            let done = flushes(&log) - before;
            println!("{}: {} flushes per sale, with {commits} commits in {sales} sales", kind.name(), per(done, sales));
        }
        interrupt(&strace);
        strace.wait().expect("strace ends");
    }

    /// Wake-ups of all threads while nothing happens and the gateway can be reached. The channel's kept connection is given
    /// up first.
    async fn measure_idle(&self) {
        tokio::time::sleep(IDLE).await;
        let before = self.wakes();
        tokio::time::sleep(IDLE).await;
        for (thread, (name, count)) in self.wakes() {
            let woken = count - before.get(&thread).map_or(0, |(_, count)| *count);
            println!("idle: {name} woken {woken} times in {IDLE:?}");
        }
    }

    /// Name and voluntary context switches of every thread.
    fn wakes(&self) -> BTreeMap<PathBuf, (String, u64)> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.pid())).expect("/proc/PID/task");
        let read = |path: PathBuf| {
            let name = std::fs::read_to_string(path.join("comm")).ok()?;
            let status = std::fs::read_to_string(path.join("status")).ok()?;
            let count = field(&status.replace('\t', " "), "voluntary_ctxt_switches: ");
            Some((path, (name.trim().to_owned(), count)))
        };
        tasks.flatten().filter_map(|task| read(task.path())).collect()
    }

    /// From the scanner's last byte to the pay request's first, beside the floor of the same moment.
    async fn measure_time(&mut self, sales: u64) {
        let [mut wire, mut flush, mut signature] = [(); 3].map(|()| Vec::new());
        while self.arrivals.try_recv().is_ok() {}
        for _ in 0..sales {
            flush.push(self.floor.flush());
            signature.push(self.floor.sign());
            let scanned = self.sell(Kind::PayCode).await.expect("a pay code");
            let arrived = self.arrivals.try_recv().expect("a pay request that left after its record");
            wire.push(arrived.duration_since(scanned));
        }
        let [wire, flush, signature] = [&mut wire, &mut flush, &mut signature].map(|times| median(times));
        println!("scanner's last byte to request on the wire: {wire:?} (median of {sales})");
        println!("floor: one flush {flush:?}, one signature {signature:?}");
        let percent = wire.as_nanos() * 100 / (flush + signature).as_nanos().max(1);
        println!("RATIO to one flush and one signature: {}.{:02}", percent / 100, percent % 100);
        println!("of {sales} pay requests, {sales} arrived after their attempt was in the journal");
    }
}

/// The least that a payment can cost.
struct Floor {
    file: File,
    key: PrivateKey,
}

impl Floor {
    fn in_folder(folder: &Path) -> Self {
        let file = OpenOptions::new().create_new(true).write(true).open(folder.join("floor")).expect("a file");
        let pem = std::fs::read_to_string(folder.join("keys/app_private_key.pem")).expect("the scene's key");
        Self { file, key: PrivateKey::load(&pem).expect("a key") }
    }

    fn flush(&mut self) -> Duration {
        let start = now();
        self.file.rewind().expect("a plain file");
        self.file.write_all(&PAGE).expect("room");
        self.file.sync_data().expect("a disk");
        now().duration_since(start)
    }

    fn sign(&self) -> Duration {
        let start = now();
        black_box(self.key.sign_sha256(black_box(&[b'x'; 700])));
        now().duration_since(start)
    }
}

#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
fn now() -> Instant {
    Instant::now()
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// A quotient with two places.
fn per(total: u64, sales: u64) -> String {
    let hundredths = total * 100 / sales;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// The number behind `name` at the beginning of a line.
fn field(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)).expect("a line of that name");
    line.split_whitespace().next().and_then(|word| word.parse().ok()).expect("a number")
}

async fn within<T>(wait: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, wait).await.expect("something that happens in time")
}

// ---- strace ----

fn attach(pid: u32, log: &Path) -> Option<Child> {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-e", "trace=fsync,fdatasync", "-o"]).arg(log).arg("-p").arg(pid.to_string());
    let mut child = strace.stderr(Stdio::piped()).spawn().ok()?;
    // It says that it attached, or why not, and then nothing before the end.
    let mut word = [0; 256];
    let length = child.stderr.as_mut()?.read(&mut word).ok()?;
    let attached = String::from_utf8_lossy(&word[..length]).contains("attached");
    attached.then_some(child)
}

fn flushes(log: &Path) -> u64 {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let begun = text.lines().filter(|line| line.contains("sync(") && !line.contains("resumed"));
    begun.count().try_into().unwrap_or(0)
}

fn interrupt(child: &Child) {
    let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw).expect("a process number");
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("our own child");
}

// ---- the relay before the gateway ----

/// Puts a relay between daemon and gateway. What comes out: when each pay request's first byte arrived, given only if its
/// attempt was in the journal then.
fn relay(scene: &Scene) -> mpsc::Receiver<Instant> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let url = scene.gateway.url();
    let gateway = url.trim_start_matches("http://").trim_end_matches("/gateway.do").to_owned();
    let config = std::fs::read_to_string(&scene.config_path).expect("the scene's file");
    let through = config.replace(&gateway, &address.to_string());
    std::fs::write(&scene.config_path, through).expect("the scene's file");
    let (arrivals, arrived) = mpsc::channel();
    let journal = scene.journal_path.clone();
    std::thread::spawn(move || {
        let reader = OnceLock::new();
        for daemon in listener.incoming().map_while(Result::ok) {
            let reader = reader.get_or_init(|| Reader::open(&journal).expect("the journal")).clone();
            let gateway = TcpStream::connect(&gateway).expect("the gateway");
            pass_answers(&gateway, &daemon);
            let arrivals = arrivals.clone();
            std::thread::spawn(move || pass_requests(daemon, gateway, &reader, &arrivals));
        }
    });
    arrived
}

fn pass_answers(gateway: &TcpStream, daemon: &TcpStream) {
    let ends = gateway.try_clone().and_then(|gateway| Ok((gateway, daemon.try_clone()?)));
    let (mut gateway, mut daemon) = ends.expect("two sockets");
    std::thread::spawn(move || {
        // Either end may hang up.
        let _over = std::io::copy(&mut gateway, &mut daemon);
        let _gone = daemon.shutdown(Shutdown::Both);
    });
}

fn pass_requests(mut daemon: TcpStream, mut gateway: TcpStream, reader: &Reader, arrivals: &mpsc::Sender<Instant>) {
    let runtime = Runtime::new_here();
    let mut began = now();
    let mut bytes = [0; 16 << 10];
    while let Ok(length @ 1..) = daemon.read(&mut bytes) {
        let arrived = now();
        if bytes.starts_with(b"POST ") {
            began = arrived;
        }
        let text = String::from_utf8_lossy(&bytes[..length]);
        if text.contains("alipay.trade.pay") && runtime.block_on(is_recorded(reader, &text)) {
            let _ended = arrivals.send(began);
        }
        if gateway.write_all(&bytes[..length]).is_err() {
            break;
        }
    }
    let _gone = gateway.shutdown(Shutdown::Both);
}

/// Whether the attempt that the request names is in the journal already.
async fn is_recorded(reader: &Reader, request: &str) -> bool {
    let mut since = 0;
    loop {
        let entries = reader.entries_since(since, 1000).await.expect("the journal");
        let Some(last) = entries.last() else {
            return false;
        };
        since = last.stored.seq;
        let names = |entry: &Entry| matches!(entry, Entry::AttemptStarted { attempt, .. } if request.contains(attempt.as_str()));
        if entries.iter().any(|recorded| names(&recorded.stored.entry)) {
            return true;
        }
    }
}
