//! What a version before does with a journal. `back.sh` puts this file among the examples of that version and runs it
//! there, so it keeps to what every version has: entries come as JSON, in the words of 0.1.0.
//!
//! ```text
//! before write FILE     writes a journal as that version does
//! before go-on FILE     opens a journal of a later version, sells, refunds, and opens it again
//! ```

#![expect(clippy::unwrap_used, reason = "a proof that cannot go on fails")]

use std::path::Path;

use payment::engine::entry::{Entry, OrderState};
use payment::ids::IdMint;
use payment::time::Wall;
use till::journal::view::ListFilter;
use till::journal::{Journal, NewEntry, verify};

/// 2026-10-01; each order is an hour later.
pub const START_MS: i64 = 1_790_000_000_000;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, act, file] = &arguments[..] else { panic!("write FILE or go-on FILE") };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    match act.as_str() {
        "write" => runtime.block_on(write(Path::new(file))),
        "go-on" => runtime.block_on(go_on(Path::new(file))),
        other => panic!("{other}: write FILE or go-on FILE"),
    }
}

/// 40 orders: one is owed its refund, one is in the middle of its delivery, all others are closed.
async fn write(file: &Path) {
    let journal = Journal::open(file).unwrap().journal;
    for number in 0..40 {
        let mut story = story(number, START_MS + i64::from(number) * 3_600_000);
        match number {
            10 => story.truncate(7),
            20 => story.truncate(4),
            _ => {}
        }
        journal.append(story).await.unwrap();
    }
    println!("{}", journal.reader().totals().await.unwrap().head);
}

async fn go_on(file: &Path) {
    let opened = Journal::open(file).unwrap();
    let reader = opened.journal.reader();
    let (newest, at) = opened.last.unwrap();
    let orders = reader.list(ListFilter::default()).await.unwrap().len();
    println!("opened at entry {newest}: {orders} orders listed, {} open", opened.open_orders.len());
    let places = opened.journal.append(story(250, at.ms + 60_000)).await.unwrap();
    assert_eq!(places, (newest + 1..=newest + 9).collect::<Vec<_>>());
    opened.journal.probe().await.unwrap();
    assert_eq!(reader.list(ListFilter::default()).await.unwrap().len(), (orders + 1).min(1_000));
    let number = IdMint::new([250; 32]).order().to_string();
    assert_eq!(reader.order(&number).await.unwrap().unwrap().entries.len(), 9);
    let since = reader.entries_since(newest, 100).await.unwrap();
    assert_eq!(since.len(), 9);
    drop((opened, reader));
    let again = Journal::open(file).unwrap();
    assert_eq!(again.last.unwrap().0, newest + 9);
    drop(again);
    let report = verify::verify(file, None).unwrap();
    println!("appended up to entry {}, proved at the next start", newest + 9);
    println!("the whole walk: {} faults", report.fault_count);
    report.faults.iter().take(3).for_each(|fault| println!("  {fault}"));
}

/// An order that is paid, not delivered, and refunded after the channel refused once.
pub fn story(seed: u8, at_ms: i64) -> Vec<NewEntry> {
    let mut mint = IdMint::new([seed; 32]);
    let (order, attempt, refund) = (mint.order(), mint.attempt(), mint.refund());
    let own = |fields: &str| format!(r#""order":"{order}",{fields}"#);
    [
        (OrderState::Waiting, "order_opened", own(&format!(
            r#""amount":350,"currency":"CNY","items":[{{"slot":"A1","code":"tea","name":"绿茶","price":350}}],"who_scans":"either","origin":"api","subject":"Green tea","pay_within_ms":120000,"reference":"ref-{seed}","idempotency":{{"key":"order-{seed}","body_sha256":"{}"}}"#,
            "ab".repeat(32)
        ))),
        (OrderState::Waiting, "attempt_started", own(&format!(
            r#""attempt":"{attempt}","channel":"alipay","method":"show_code","amount":350"#
        ))),
        (OrderState::Paid, "attempt_paid", own(&format!(
            r#""attempt":"{attempt}","trade_no":"2026100122001400000000000{seed:05}","buyer":"159****5620""#
        ))),
        (OrderState::Delivering, "vend_started", own(r#""item":0,"slot":"A1","drops_before":7"#)),
        (OrderState::Delivering, "vend_ended", own(r#""item":0,"result":"not_dropped""#)),
        (OrderState::Refunding, "refund_started", own(&format!(
            r#""attempt":"{attempt}","refund":"{refund}","amount":350,"reason":"undelivered""#
        ))),
        (OrderState::Owed, "refund_owed", own(&format!(
            r#""refund":"{refund}","code":"ACQ.SELLER_BALANCE_NOT_ENOUGH""#
        ))),
        (OrderState::Refunding, "refund_done", own(&format!(r#""refund":"{refund}""#))),
        (OrderState::Refunded, "order_closed", own(r#""ending":"refunded""#)),
    ]
    .into_iter()
    .zip(0..)
    .map(|((state, kind, fields), second)| {
        let entry: Entry = serde_json::from_str(&format!(r#"{{"kind":"{kind}",{fields}}}"#)).unwrap();
        NewEntry { at: Wall { ms: at_ms + second * 1_000, trusted: true }, entry, state }
    })
    .collect()
}
