//! The journal across versions: one of 0.1.0 goes on here and syncs, and one of today goes on there (`back.sh`).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[expect(dead_code, reason = "its own main runs among the examples of a version before")]
mod before;

use std::io::Read;
use std::path::{Path, PathBuf};

use before::{START_MS, story};
use flate2::read::GzDecoder;
use payment::engine::entry::{Ending, Entry, OrderState, Stored};
use payment::ids::IdMint;
use payment::money::Fen;
use payment::time::Wall;
use till::journal::chain::Head;
use till::journal::view::ListFilter;
use till::journal::{Journal, NewEntry, Opened, Reader, SetAside, rebuild, verify};

/// What `before write` of 0.1.0 made and said: 40 orders, one owed, one open.
const OF_0_1_0: &[u8] = include_bytes!("v0.1.0.db.gz");
const ENTRIES_OF_0_1_0: u64 = 353;
const HEAD_OF_0_1_0: &str = "353:35a731e447b2aba235dffe65f000691e90dc9bcb523fa8984d6fbf0aa31a3d40";

/// A time behind all stories: 2027.
const LATER_MS: i64 = 1_800_000_000_000;

fn of_0_1_0(directory: &Path) -> PathBuf {
    let path = directory.join("till.db");
    let mut bytes = Vec::new();
    GzDecoder::new(OF_0_1_0).read_to_end(&mut bytes).unwrap();
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Walks the journal: it must be sound. Returns how many entries retention removed.
fn removed(path: &Path, noted: Option<Head>) -> u64 {
    let report = verify::verify(path, noted).unwrap();
    assert!(report.is_sound(), "{:?}", report.faults);
    report.removed
}

/// Sends everything as the uplink does, and returns how much it was.
async fn drain(journal: &Journal) -> u64 {
    let reader = journal.reader();
    let mut head = Head::beginning();
    loop {
        let page = reader.outbox(head.seq, 500, 1 << 20).await.unwrap();
        let Some(last) = page.last() else { return head.seq };
        for record in &page {
            assert_eq!((record.seq, record.prev), (head.seq + 1, head.hash));
            assert!(record.is_sealed());
            head = record.head();
        }
        journal.acknowledge(last.seq, Vec::new()).await.unwrap();
    }
}

fn of_order(at_ms: i64, state: OrderState, json: &str) -> NewEntry {
    let entry: Entry = serde_json::from_str(json).unwrap();
    NewEntry { at: Wall { ms: at_ms, trusted: true }, entry, state }
}

#[tokio::test]
async fn a_journal_of_0_1_0_is_read_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = of_0_1_0(directory.path());
    assert_eq!(removed(&path, Some(HEAD_OF_0_1_0.parse().unwrap())), 0);
    let reader = Reader::open(&path).unwrap();
    let status = reader.sync_status().await.unwrap();
    assert_eq!((status.acknowledged, status.waiting, status.amount), (0, ENTRIES_OF_0_1_0, Fen::new(40 * 350)));
    assert_eq!(reader.outbox(0, 1_000, 1 << 20).await.unwrap().len(), 353);
    assert_eq!(reader.unsettled().await.unwrap(), Fen::ZERO);
}

#[tokio::test]
async fn a_journal_of_0_1_0_opens_goes_on_and_its_whole_queue_syncs() {
    let directory = tempfile::tempdir().unwrap();
    let path = of_0_1_0(directory.path());
    let Opened { journal, open_orders, acknowledged, handled, spent, .. } = Journal::open(&path).unwrap();
    assert_eq!((acknowledged, handled, spent.len()), (0, 0, 0));
    let [owed, open] = &open_orders[..] else { panic!("two orders are open: {open_orders:?}") };
    assert!(matches!(owed.last().unwrap().entry, Entry::RefundOwed { .. }));
    assert!(matches!(open.last().unwrap().entry, Entry::VendStarted { .. }));

    // The owed refund arrives, and the machine sells on.
    journal.append(given_back(owed)).await.unwrap();
    for seed in 60..180 {
        journal.append(story(seed, START_MS + i64::from(seed) * 3_600_000)).await.unwrap();
    }
    let newest = ENTRIES_OF_0_1_0 + 2 + 120 * 9;
    assert_eq!(drain(&journal).await, newest);
    removed(&path, Some(HEAD_OF_0_1_0.parse().unwrap()));

    let mut entries = 0;
    while let retained = journal.retain(LATER_MS, 500).await.unwrap()
        && retained.entries > 0
    {
        entries += retained.entries;
    }
    // All but the open one, the one that was owed until just now, and the newest thousand.
    assert_eq!(removed(&path, None), entries);
    assert!(entries > 38 * 9, "{entries}");
    assert_eq!(journal.reader().list(ListFilter::default()).await.unwrap().last().unwrap().opened_seq, open[0].seq);
    drop(journal);
    rebuild(&path).unwrap();
    removed(&path, None);
    let again = Journal::open(&path).unwrap();
    assert_eq!((again.open_orders.len(), again.acknowledged), (1, newest));
}

fn given_back(owed: &[Stored]) -> Vec<NewEntry> {
    let last = owed.last().unwrap();
    let Entry::RefundOwed { order, refund, .. } = last.entry else { panic!("{last:?}") };
    let next = |state, entry| NewEntry { at: last.at, entry, state };
    vec![
        next(OrderState::Refunding, Entry::RefundDone { order, refund }),
        next(OrderState::Refunded, Entry::OrderClosed { order, ending: Ending::Refunded }),
    ]
}

/// With all that 0.1.0 does not know: gaps, what was set aside, sales for coins and codes, and the tables of the sync.
/// `back.sh` says where, and has 0.1.0 open it.
#[tokio::test]
async fn a_journal_of_today_is_written_for_the_version_before() {
    let directory = tempfile::tempdir().unwrap();
    let path = std::env::var_os("TILL_JOURNAL").map_or_else(|| directory.path().join("till.db"), PathBuf::from);
    let journal = Journal::open(&path).unwrap().journal;
    journal.append(for_coins(200)).await.unwrap();
    journal.append(for_a_code(201)).await.unwrap();
    for seed in 0..180 {
        journal.append(story(seed, START_MS + i64::from(seed) * 3_600_000)).await.unwrap();
    }
    journal.append(story(202, LATER_MS).drain(..4).collect()).await.unwrap();
    drain(&journal).await;
    let order = IdMint::new([3; 32]).order().to_string();
    let aside = SetAside { seq: 40, order, code: "unreadable".to_owned(), detail: String::new(), at_ms: LATER_MS };
    journal.acknowledge(40, vec![aside]).await.unwrap();
    let retained = journal.retain(LATER_MS, 1_000).await.unwrap();
    assert_eq!(retained.orders, 69, "not the code, which is valid, and not the order of which an entry was refused");
    drop(journal);
    assert_eq!(removed(&path, None), retained.entries);
    assert_eq!(Journal::open(&path).unwrap().open_orders.len(), 1);
}

fn for_coins(seed: u8) -> Vec<NewEntry> {
    let mut entries = story(seed, START_MS);
    entries.truncate(1);
    let order = IdMint::new([seed; 32]).order();
    let taken = format!(r#"{{"kind":"cash_taken","order":"{order}","amount":350}}"#);
    entries.push(of_order(START_MS, OrderState::Paid, &taken));
    entries.push(delivered(seed));
    entries
}

fn for_a_code(seed: u8) -> Vec<NewEntry> {
    let mut entries = story(seed, START_MS);
    entries.truncate(3);
    let mut mint = IdMint::new([seed; 32]);
    let (order, attempt) = (mint.order(), mint.attempt());
    let started = format!(
        r#"{{"kind":"attempt_started","order":"{order}","attempt":"{attempt}","channel":"voucher","method":"take_code","amount":350,"voucher":{{"code":"M-1001","allowance":5000,"once":false,"expires_ms":1900000000000}}}}"#
    );
    entries[1] = of_order(START_MS, OrderState::Confirming, &started);
    entries.push(delivered(seed));
    entries
}

fn delivered(seed: u8) -> NewEntry {
    let order = IdMint::new([seed; 32]).order();
    let closed = format!(r#"{{"kind":"order_closed","order":"{order}","ending":"delivered"}}"#);
    of_order(START_MS, OrderState::Completed, &closed)
}
