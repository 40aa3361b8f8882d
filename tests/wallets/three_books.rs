//! Three books about one evening: the channel's ledger, the machine's journal, and `till reconcile` over the channel's
//! statement. They agree to the fen, and a line that is not as it was is found.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::PathBuf;

use books::day;
use payment::channel::ChannelId;
use sandbox::Clock;
use serde_json::Value;
use till::demo::scene::Scene;

use crate::evening::Evening;
use crate::gate::Money;
use crate::shop::{PROGRAM, Shop};

/// What `till reconcile` said.
pub struct Report {
    pub exit: i32,
    pub json: Value,
}

impl Report {
    /// The rows that were found to be so.
    pub fn rows(&self, found: &str) -> Vec<&Value> {
        self.json["rows"].as_array().unwrap().iter().filter(|row| row["found"] == found).collect()
    }

    fn sum(&self, side: &str) -> Money {
        let channels = self.json["channels"].as_array().unwrap();
        let sum = |what: &str| channels.iter().map(|channel| channel[side][what].as_i64().unwrap()).sum();
        Money { charged: sum("paid"), refunded: sum("returned") }
    }
}

/// Runs `till reconcile` as an operator would, beside the running daemon; the day is not over, and the sandbox has its file.
pub async fn reconcile(scene: &Scene, day: &str, more: &[String]) -> Report {
    let output = tokio::process::Command::new(PROGRAM)
        .args(["reconcile", "--json", "--unfinished", "--date", day, "--config"])
        .arg(&scene.config_path)
        .arg("--board")
        .arg(&scene.board_path)
        .args(more)
        .env("RUNTIME_DIRECTORY", &scene.dir)
        .env("STATE_DIRECTORY", &scene.dir)
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let json = serde_json::from_str(&said).unwrap_or_else(|error| {
        panic!("{error}: {said}\n{}", String::from_utf8_lossy(&output.stderr));
    });
    Report { exit: output.status.code().unwrap(), json }
}

/// The days in China on which something may have happened: today, and yesterday when a test runs over midnight.
pub fn days() -> BTreeSet<String> {
    let now = Clock::system().now();
    let minutes_ago = now - 5 * 60_000;
    [minutes_ago, now].into_iter().filter_map(day::of).map(|day| day.to_string()).collect()
}

/// The orders of the evening by the machine's own account.
async fn journal_of(shop: &Shop) -> Money {
    let list = shop.get("/v1/orders?limit=500").await;
    let orders = list["orders"].as_array().unwrap();
    let sum = |what: &str| orders.iter().map(|order| order[what].as_i64().unwrap()).sum();
    Money { charged: sum("paid"), refunded: sum("refunded") }
}

/// Ledger = journal = report.
pub async fn ledger_journal_and_statement_agree(evening: &Evening) {
    all_agree_but_for(&evening.shop, evening.gate.total(), evening.undone.get()).await;
}

/// The same for a machine with several channels, whose ledgers together are `ledger`.
pub async fn all_agree(shop: &Shop, ledger: Money) {
    all_agree_but_for(shop, ledger, 0).await;
}

/// The same where cancels returned `undone` fen: the channel's books have it on both sides, ours on none, and the report
/// says so.
async fn all_agree_but_for(shop: &Shop, ledger: Money, undone: i64) {
    let kept = Money { charged: ledger.charged - undone, refunded: ledger.refunded - undone };
    assert_eq!(journal_of(shop).await, kept, "journal and ledger differ");
    let (mut ours, mut theirs, mut found) = (Money::default(), Money::default(), 0);
    for day in days() {
        let report = reconcile(&shop.scene, &day, &[]).await;
        assert_eq!((report.exit, &report.json["agreed"]), (0, &Value::Bool(true)), "{:#}", report.json);
        for (sum, side) in [(&mut ours, "ours"), (&mut theirs, "theirs")] {
            let money = report.sum(side);
            sum.charged += money.charged;
            sum.refunded += money.refunded;
        }
        found += report.rows("undone").len();
    }
    assert_eq!((ours, theirs, found > 0), (kept, ledger, undone > 0), "report and ledger differ");
}

/// One line is taken out, one gets another amount, one is nobody's: short, differing, long.
pub async fn a_spoilt_statement_is_found(evening: &Evening) {
    let mut spoilt_days = 0;
    for day in days() {
        let report = reconcile(&evening.shop.scene, &day, &[]).await;
        let paid = payments_in(&report);
        let [gone, dearer, twin, ..] = &paid[..] else { continue };
        let good = text_of(&std::fs::read(kept(&evening.shop.scene, evening.channel, &day)).unwrap());
        spoilt(evening, &day, &without(&good, gone), "short").await;
        spoilt(evening, &day, &with_another_amount(&good, dearer), "differing").await;
        spoilt(evening, &day, &with_a_stranger(&good, twin), "long").await;
        spoilt_days += 1;
    }
    assert!(spoilt_days > 0, "no day had three payments to spoil");
}

/// The bytes of the statement as characters of one byte each: what is changed are digits, whatever the encoding. Of a ZIP
/// its longest file: the others are sums.
fn text_of(bytes: &[u8]) -> String {
    let one_byte_each = |bytes: &[u8]| bytes.iter().map(|byte| char::from(*byte)).collect();
    let packed = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(b"PK\x03\x04")).map(|at| &bytes[at..]);
    let longest = packed.map(unpacked).max_by_key(Vec::len);
    longest.map_or_else(|| one_byte_each(bytes), |file| one_byte_each(&file))
}

/// The file under a ZIP's local header.
fn unpacked(header: &[u8]) -> Vec<u8> {
    let length = |at: usize| usize::from(u16::from_le_bytes([header[at], header[at + 1]]));
    let mut file = Vec::new();
    flate2::read::DeflateDecoder::new(&header[30 + length(26) + length(28)..]).read_to_end(&mut file).unwrap();
    file
}

fn bytes_of(text: &str) -> Vec<u8> {
    text.chars().map(|each| u8::try_from(u32::from(each)).unwrap()).collect()
}

/// Our numbers of payments that agree and of which nothing went back, so that they stand in one line.
fn payments_in(report: &Report) -> Vec<String> {
    let rows = report.rows("agreed").into_iter().filter(|row| row["ours"].as_i64().is_some_and(|fen| fen > 0));
    let number = |row: &Value| row["numbers"].as_array()?.first()?.as_str().map(str::to_owned);
    let all: Vec<String> = rows.filter_map(number).collect();
    let once = |number: &&String| all.iter().filter(|other| other == number).count() == 1;
    all.iter().filter(once).cloned().collect()
}

fn kept(scene: &Scene, channel: ChannelId, day: &str) -> PathBuf {
    let folder = scene.dir.join("statements").join(channel.name());
    let named = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(day));
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).find(named).unwrap()
}

async fn spoilt(evening: &Evening, day: &str, text: &str, found: &str) {
    let path = evening.shop.scene.dir.join("spoilt.csv");
    std::fs::write(&path, bytes_of(text)).unwrap();
    let file = format!("{}={}", evening.channel.name(), path.display());
    let report = reconcile(&evening.shop.scene, day, &["--file".to_owned(), file]).await;
    assert_eq!(report.exit, 1, "what is {found} was not found: {:#}", report.json);
    assert_eq!(report.rows(found).len(), 1, "{found}: {:#}", report.json);
}

/// Keeps the ends of lines as they are.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive('\n')
}

fn without(text: &str, number: &str) -> String {
    lines(text).filter(|line| !line.contains(number)).collect()
}

fn with_another_amount(text: &str, number: &str) -> String {
    let dearer = |line: &str| line.replace("2.00", "2.01").replace("|200|", "|201|");
    lines(text).map(|line| if line.contains(number) { dearer(line) } else { line.to_owned() }).collect()
}

/// The line once more, with all its long numbers changed.
fn with_a_stranger(text: &str, number: &str) -> String {
    let mut made = String::new();
    for line in lines(text) {
        made += line;
        if line.contains(number) {
            made += &stranger(line);
        }
    }
    made
}

/// Numbers of orders get other last digits; times and amounts stay.
fn stranger(line: &str) -> String {
    let word = |word: &str| {
        let is_number = word.len() >= 20 && word.chars().all(|each| each.is_ascii_alphanumeric() || each == '`');
        if is_number { format!("{}0000", &word[..word.len() - 4]) } else { word.to_owned() }
    };
    let separator = if line.contains('|') { "|" } else { "," };
    line.split(separator).map(word).collect::<Vec<_>>().join(separator)
}
