//! Refunds that wait for another person are found at once, and none is forgotten.

use payment::engine::entry::{Ending, Entry, OrderState, RefundReason, Said};
use payment::money::Fen;
use rusqlite::Connection;

use super::fixture::{Numbers, Place, START_MS, closed, key, new, numbers, paid_by_voucher, voucher, whole};
use super::verify::{Wrong, verify};
use super::view::KeyOf;
use super::{NewEntry, Reader, rebuild};

fn said(by: &str) -> Said {
    Said { by: by.to_owned(), why: "spoilt".to_owned() }
}

/// A sale that is over, of which somebody wants 1.50 back.
fn asked(seed: u8) -> Vec<NewEntry> {
    let Numbers { order, attempt, refund, .. } = numbers(seed);
    let (amount, idempotency) = (Fen::new(150), Some(key(&format!("refund-{seed}"))));
    let asks = Entry::RefundAsked { order, attempt, refund, amount, said: said("Li"), idempotency };
    let over = Entry::OrderClosed { order, ending: Ending::Delivered };
    let later = [asks, over].map(|entry| new(i64::from(seed), OrderState::Completed, entry));
    paid_by_voucher(seed, voucher("M-1", false, 1)).into_iter().chain(later).collect()
}

fn decided(seed: u8, approved: bool) -> Vec<NewEntry> {
    let Numbers { order, attempt, refund, .. } = numbers(seed);
    let word = Entry::RefundDecided { order, refund, approved, said: said("Wang") };
    let (amount, reason, said) = (Fen::new(150), RefundReason::Operator, Some(said("Li")));
    let sent =
        Entry::RefundStarted { order, attempt, refund, amount, reason, idempotency: None, said, instead_of: None };
    let after = if approved { vec![sent, Entry::RefundDone { order, refund }] } else { Vec::new() };
    let steps = std::iter::once(word).chain(after).map(|entry| new(i64::from(seed), OrderState::Completed, entry));
    steps.chain([closed(seed)]).collect()
}

async fn waiting(reader: &Reader) -> Vec<String> {
    let asked = reader.refunds_asked(0, 0).await.unwrap();
    asked.iter().map(|stored| stored.entry.order().to_string()).collect()
}

fn orders(seeds: &[u8]) -> Vec<String> {
    seeds.iter().map(|seed| numbers(*seed).order.to_string()).collect()
}

#[tokio::test]
async fn what_waits_is_listed_the_longest_wait_first_until_somebody_decides() {
    let place = Place::new();
    let journal = place.open().journal;
    journal.append((1..=4).flat_map(asked).collect()).await.unwrap();
    let reader = journal.reader();
    assert_eq!(waiting(&reader).await, orders(&[1, 2, 3, 4]));
    let first = reader.refunds_asked(0, 2).await.unwrap();
    assert_eq!(first.len(), 2);
    let second = reader.refunds_asked(first[1].seq, 2).await.unwrap();
    assert_eq!(second[0].entry.order(), numbers(3).order);

    journal.append([decided(1, true), decided(3, false)].concat()).await.unwrap();
    assert_eq!(waiting(&reader).await, orders(&[2, 4]));
    assert_eq!(waiting(&Reader::open(&place.path).unwrap()).await, orders(&[2, 4]));
    assert!(verify(&place.path, None).unwrap().is_sound());
}

#[tokio::test]
async fn a_refund_that_was_only_asked_for_is_found_by_its_number_and_its_key() {
    let place = Place::new();
    let journal = place.open().journal;
    journal.append(asked(1)).await.unwrap();
    let found = journal.reader().order(numbers(1).refund.as_str()).await.unwrap().unwrap();
    assert_eq!((found.summary.order, found.summary.refunded), (numbers(1).order, Fen::ZERO));
    let before = journal.reader().remembered(KeyOf::Refund, "refund-1").await.unwrap().unwrap();
    assert_eq!(before.refund, Some(numbers(1).refund));
}

#[tokio::test]
async fn the_list_costs_what_waits_not_what_ever_was() {
    let place = Place::new();
    drop(place.open());
    let people = Connection::open(&place.path).unwrap();
    let question = concat!("EXPLAIN QUERY PLAN ", include_str!("sql/refunds_asked.sql"));
    let mut plan = people.prepare(question).unwrap();
    let steps = plan.query_map([0, 1], |row| row.get::<_, String>(3)).unwrap();
    let steps: Vec<String> = steps.map(Result::unwrap).collect();
    assert!(steps.iter().all(|step| step.starts_with("SEARCH") && step.contains("PRIMARY KEY")), "{steps:?}");
}

#[tokio::test]
async fn the_table_of_what_waits_is_verified_and_can_be_made_again() {
    for lie in [
        "DELETE FROM refunds_asked",
        "UPDATE refunds_asked SET refund = 'R'",
        "UPDATE refunds_asked SET asked_seq = 1",
        "UPDATE refunds_asked SET opened_seq = 99",
        "INSERT INTO refunds_asked SELECT 99, 99, refund FROM refunds_asked",
    ] {
        let place = Place::new();
        let journal = place.open().journal;
        journal.append([asked(1), whole(2)].concat()).await.unwrap();
        drop(journal);
        assert!(verify(&place.path, None).unwrap().is_sound());
        place.as_tamperer().execute_batch(lie).unwrap();
        let report = verify(&place.path, None).unwrap();
        assert!(report.faults.iter().all(|fault| fault.wrong == Wrong::Derived("table refunds_asked")), "{lie}");
        assert!(!report.is_sound(), "{lie}");
        rebuild(&place.path).unwrap();
        assert!(verify(&place.path, None).unwrap().is_sound(), "{lie}");
        assert_eq!(waiting(&Reader::open(&place.path).unwrap()).await, orders(&[1]));
    }
}

#[tokio::test]
async fn retention_removes_no_order_of_which_a_refund_waits() {
    let place = Place::new();
    let journal = place.open().journal;
    journal.append([asked(1), asked(2), decided(2, false)].concat()).await.unwrap();
    journal.append((3..=120).flat_map(whole).collect()).await.unwrap();
    let newest = journal.reader().totals().await.unwrap().head.seq;
    journal.acknowledge(newest, Vec::new()).await.unwrap();
    // Later than the day for which codes are remembered.
    let late = NewEntry { at: payment::time::Wall { ms: START_MS + 3 * 86_400_000, trusted: true }, ..closed(120) };
    journal.append(vec![late]).await.unwrap();
    journal.acknowledge(newest + 1, Vec::new()).await.unwrap();
    assert!(journal.retain(i64::MAX, 5_000).await.unwrap().orders > 10);
    let there = |seed| {
        let reader = journal.reader();
        async move { reader.order(numbers(seed).order.as_str()).await.unwrap().is_some() }
    };
    assert!(there(1).await, "somebody still waits for an answer");
    assert!(!there(2).await && !there(3).await);
    assert_eq!(waiting(&journal.reader()).await, orders(&[1]));
    assert!(verify(&place.path, None).unwrap().is_sound());
}

#[tokio::test]
async fn people_read_who_asked_and_who_decided() {
    let place = Place::new();
    let journal = place.open().journal;
    journal.append((1..=3).flat_map(asked).collect()).await.unwrap();
    journal.append([decided(1, true), decided(2, false)].concat()).await.unwrap();
    let Numbers { order, attempt, refund, other: _ } = numbers(4);
    let (amount, reason) = (Fen::new(350), RefundReason::Undelivered);
    let started = |refund, instead_of| Entry::RefundStarted {
        order,
        attempt,
        refund,
        amount,
        reason,
        idempotency: None,
        said: None,
        instead_of,
    };
    let again = numbers(5).refund;
    let failed = [
        started(refund, None),
        Entry::RefundFailed { order, refund, code: "CLOSED".to_owned() },
        started(again, Some(refund)),
    ];
    let failed = failed.map(|entry| new(4, OrderState::Refunding, entry));
    let story = paid_by_voucher(4, voucher("M-1", false, 1)).into_iter().chain(failed);
    journal.append(story.collect()).await.unwrap();

    let people = Connection::open(&place.path).unwrap();
    let mut rows = people
        .prepare("SELECT state, amount, reason, ifnull(asked_by, '-'), ifnull(decided_by, '-'), ifnull(instead_of, '-') FROM refund_view ORDER BY seq")
        .unwrap();
    let rows = rows.query_map([], |row| (0..6).map(|at| row.get(at)).collect::<Result<Vec<String>, _>>()).unwrap();
    let rows: Vec<String> = rows.map(|row| row.unwrap().join(" ")).collect();
    let replaced = format!("pending 3.50 undelivered - - {refund}");
    assert_eq!(
        rows,
        [
            "done 1.50 operator Li Wang -",
            "declined 1.50 operator Li Wang -",
            "asked 1.50 operator Li - -",
            "failed 3.50 undelivered - - -",
            replaced.as_str(),
        ]
    );
}
