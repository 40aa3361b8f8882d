//! The totals are what the entries add up to, whoever wrote them, and stay when the entries go.

use payment::channel::outcome::Details;
use payment::channel::{ChannelId, Method, Wallet};
use payment::engine::entry::{Entry, OrderState, SlotId, VendResult};
use payment::money::Fen;
use rusqlite::Connection;

use super::audit::{Audit, Counted, PaidTally, SlotTally, Tally};
use super::fixture::{Numbers, Place, START_MS, cash, going_on, new, numbers, opened, whole};
use super::verify::verify;
use super::{Journal, NewEntry, rebuild};

fn tally(number: u64, fen: i64) -> Tally {
    Tally { number, amount: Fen::new(fen) }
}

fn ever(number: u64, fen: i64) -> Counted {
    Counted { ever: tally(number, fen), since_reset: tally(number, fen) }
}

/// An order paid by WeChat through an acquirer; what the machine charged for the one item that fell.
fn sold(seed: u8, taken: Option<Fen>) -> Vec<NewEntry> {
    let Numbers { order, attempt, .. } = numbers(seed);
    let started = Entry::AttemptStarted {
        voucher: None,
        order,
        attempt,
        channel: ChannelId::AllinpayVsp,
        method: Method::ShowCode,
        amount: Fen::new(350),
        wallet: None,
        instalment: None,
    };
    let paid = Entry::AttemptPaid {
        order,
        attempt,
        trade_no: format!("T{seed}"),
        paid_at: None,
        buyer: None,
        details: Details { wallet: Some(Wallet::Wechat), ..Details::default() },
    };
    let slot = SlotId::new("A1").unwrap();
    let steps = [
        (OrderState::Waiting, started),
        (OrderState::Paid, paid),
        (OrderState::Delivering, Entry::VendStarted { order, item: 0, slot, drops_before: None }),
        (OrderState::Completed, Entry::VendEnded { order, item: 0, result: VendResult::Dropped, taken }),
    ];
    let later = steps.into_iter().map(|(state, entry)| new(i64::from(seed), state, entry));
    std::iter::once(opened(seed)).chain(later).collect()
}

/// One of each: a jam whose money goes back in part, a sale for coins, and a sale that fell, for which 0.50 less was charged.
fn day() -> Vec<Vec<NewEntry>> {
    vec![whole(1), cash(2), sold(3, Some(Fen::new(300)))]
}

fn of_a_day() -> Audit {
    let slot = SlotTally {
        slot: SlotId::new("A1").unwrap(),
        cashless: ever(1, 300),
        cash: ever(1, 350),
        failed: ever(1, 350),
    };
    let none = Counted::default();
    let alipay = PaidTally { channel: ChannelId::Alipay, wallet: None, paid: ever(1, 350), refunded: ever(1, 150) };
    let wechat =
        PaidTally { channel: ChannelId::AllinpayVsp, wallet: Some(Wallet::Wechat), paid: ever(1, 350), refunded: none };
    Audit { slots: vec![slot], paid: vec![alipay, wechat], cash: ever(1, 350), ..Audit::default() }
}

async fn audit(journal: &Journal) -> Audit {
    let mut audit = journal.reader().audit().await.unwrap();
    audit.paid.sort_by_key(|paid| (paid.channel, paid.wallet));
    audit
}

#[tokio::test]
async fn a_day_is_counted_by_slot_by_wallet_and_over_all() {
    let place = Place::new();
    let journal = place.open().journal;
    for batch in day() {
        journal.append(batch).await.unwrap();
    }
    let audit = audit(&journal).await;
    assert_eq!(audit, of_a_day());
    assert_eq!((audit.vends(), audit.cashless_vends(), audit.cash_vends()), (ever(2, 650), ever(1, 300), ever(1, 350)));
    assert_eq!((audit.failed_vends(), audit.paid(), audit.refunded()), (ever(1, 350), ever(2, 700), ever(1, 150)));
}

#[tokio::test]
async fn an_entry_at_a_time_or_all_at_once_makes_no_difference() {
    let place = Place::new();
    let journal = place.open().journal;
    for entry in day().into_iter().flatten() {
        journal.append(vec![entry]).await.unwrap();
    }
    assert_eq!(audit(&journal).await, of_a_day());
    let place = Place::new();
    let journal = place.open().journal;
    journal.append(day().into_iter().flatten().collect()).await.unwrap();
    assert_eq!(audit(&journal).await, of_a_day());
}

#[tokio::test]
async fn what_a_version_before_wrote_is_counted_at_the_next_start() {
    let place = Place::new();
    let journal = place.open().journal;
    for batch in day() {
        journal.append(batch).await.unwrap();
    }
    drop(journal);
    let forget = |sql: &str| Connection::open(&place.path).unwrap().execute_batch(sql).unwrap();
    // As a journal of before: without the tables, and opened by one who only reads.
    forget("DROP TABLE tallies; DROP TABLE tally_resets; DROP TABLE slots");
    let reader = super::Reader::open(&place.path).unwrap();
    assert_eq!(reader.audit().await.unwrap(), Audit::default());
    drop(reader);
    assert_eq!(audit(&place.open().journal).await, of_a_day());
    // As one to which the version before wrote in between: the mark stands before its entries.
    forget("DELETE FROM tallies; INSERT INTO tallies (kind, of, number, fen) VALUES ('counted', '', 13, 0)");
    let found = audit(&place.open().journal).await;
    assert_eq!((found.cash, found.failed_vends()), (of_a_day().cash, Counted::default()));
    assert_eq!(audit(&place.open().journal).await, found, "nothing is counted twice");
}

#[tokio::test]
async fn what_was_not_counted_for_a_while_is_counted_with_the_next_entries() {
    let place = Place::new();
    let journal = place.open().journal;
    journal.with_connection(|connection| connection.execute_batch("ALTER TABLE tallies RENAME TO away").unwrap()).await;
    journal.append(whole(1)).await.unwrap();
    journal.append(cash(2)).await.unwrap();
    journal.with_connection(|connection| connection.execute_batch("ALTER TABLE away RENAME TO tallies").unwrap()).await;
    journal.append(sold(3, Some(Fen::new(300)))).await.unwrap();
    assert_eq!(audit(&journal).await, of_a_day());
}

#[tokio::test]
async fn the_totals_stay_when_retention_removes_the_entries_and_when_the_derived_tables_are_made_anew() {
    let place = Place::new();
    let journal = place.open().journal;
    for batch in day() {
        journal.append(batch).await.unwrap();
    }
    journal.append((4..=200).flat_map(whole).collect()).await.unwrap();
    let before = audit(&journal).await;
    journal.acknowledge(2_500, Vec::new()).await.unwrap();
    let retained = journal.retain(START_MS + 100 * 60_000, 100_000).await.unwrap();
    assert!(retained.orders > 50, "{retained:?}");
    assert_eq!(audit(&journal).await, before);
    drop(journal);
    rebuild(&place.path).unwrap();
    assert!(verify(&place.path, None).unwrap().is_sound());
    assert_eq!(audit(&place.open().journal).await, before);
}

#[tokio::test]
async fn a_reset_begins_the_interval_anew_and_takes_nothing_off_the_whole() {
    let place = Place::new();
    let journal = place.open().journal;
    journal.append(whole(1)).await.unwrap();
    assert!(journal.reset_audit(START_MS, None).await.unwrap());
    journal.append(cash(2)).await.unwrap();
    drop(journal);
    let audit = audit(&place.open().journal).await;
    assert_eq!((audit.resets, audit.reset_ms), (1, Some(START_MS)));
    assert_eq!(audit.failed_vends(), Counted { ever: tally(1, 350), since_reset: Tally::default() });
    assert_eq!(audit.cash, ever(1, 350));
}

/// What was sold between the taking of an audit and its reset.
#[tokio::test]
async fn an_interval_begins_where_the_audit_was_taken_and_never_before_the_last_one_did() {
    let place = Place::new();
    let journal = place.open().journal;
    journal.append(sold(1, None)).await.unwrap();
    let taken = audit(&journal).await;
    journal.append(sold(2, Some(Fen::new(300)))).await.unwrap();
    journal.append(cash(3)).await.unwrap();
    assert!(journal.reset_audit(START_MS, Some(taken.totals())).await.unwrap());
    let after = audit(&journal).await;
    assert_eq!(after.cashless_vends(), Counted { ever: tally(2, 650), since_reset: tally(1, 300) });
    assert_eq!(after.paid(), Counted { ever: tally(2, 700), since_reset: tally(1, 350) });
    assert_eq!((after.cash, after.resets), (ever(1, 350), 1));
    // One who took an audit before, and comes late.
    assert!(journal.reset_audit(START_MS, None).await.unwrap());
    assert!(journal.reset_audit(START_MS, Some(taken.totals())).await.unwrap());
    let late = audit(&journal).await;
    assert_eq!((late.vends().since_reset, late.cash.since_reset), (tally(0, 0), tally(0, 0)));
    assert_eq!((late.totals(), late.resets), (Vec::new(), 3));
}

#[tokio::test]
async fn totals_of_another_journal_reset_nothing() {
    let (place, other) = (Place::new(), Place::new());
    let (journal, other) = (place.open().journal, other.open().journal);
    for batch in day() {
        journal.append(batch.clone()).await.unwrap();
        other.append(batch).await.unwrap();
    }
    // Everything else of it fits.
    other.append(cash(4)).await.unwrap();
    let foreign = audit(&other).await.totals();
    assert!(!journal.reset_audit(START_MS, Some(foreign)).await.unwrap());
    assert_eq!(audit(&journal).await, of_a_day());
}

#[tokio::test]
async fn cash_of_which_nobody_knows_the_slot_is_counted_beside_the_slots() {
    let place = Place::new();
    let journal = place.open().journal;
    let mut nothing_named = cash(1);
    let Entry::OrderOpened { items, .. } = &mut nothing_named[0].entry else { panic!("no order") };
    items.clear();
    let mut by_hand = cash(2);
    let Entry::OrderOpened { items, .. } = &mut by_hand[0].entry else { panic!("no order") };
    items[0].slot = None;
    for batch in [nothing_named, by_hand, cash(3)] {
        journal.append(batch).await.unwrap();
    }
    let audit = audit(&journal).await;
    assert_eq!((audit.cash, audit.cash_vends(), audit.cash_elsewhere), (ever(3, 1_050), ever(1, 350), ever(2, 700)));
    assert_eq!(audit.cash_items(), ever(3, 1_050));
}

#[tokio::test]
async fn a_slot_that_was_not_tried_did_not_fail() {
    let place = Place::new();
    let journal = place.open().journal;
    let mut story = going_on(1);
    story.retain(|new| !matches!(new.entry, Entry::VendStarted { .. }));
    journal.append(story).await.unwrap();
    assert_eq!(audit(&journal).await.failed_vends(), Counted::default());
}

#[tokio::test]
async fn the_mark_follows_though_nothing_is_sold() {
    let place = Place::new();
    let journal = place.open().journal;
    for seed in 1..=200 {
        journal.append(vec![opened(seed)]).await.unwrap();
    }
    let connection = Connection::open(&place.path).unwrap();
    let counted: i64 =
        connection.query_row("SELECT number FROM tallies WHERE kind = 'counted'", [], |row| row.get(0)).unwrap();
    assert!(counted >= 192, "{counted}: no later sale has to look at more than a few entries");
}
