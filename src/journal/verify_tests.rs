//! Whatever is done to a journal behind the daemon's back is found and named.

use rusqlite::params;

use super::chain::{Head, Record};
use super::fixture::{Place, going_on, numbers, opened, whole};
use super::verify::{Report, Wrong, verify};
use super::{recover, view};

/// Four orders, 13 entries each.
async fn filled() -> Place {
    let place = Place::new();
    let journal = place.open().journal;
    for seed in 1..=4 {
        journal.append(whole(seed)).await.unwrap();
    }
    place
}

async fn after(tamper: &str) -> Report {
    let place = filled().await;
    place.as_tamperer().execute_batch(tamper).unwrap();
    verify(&place.path, None).unwrap()
}

/// The faults of the chain itself.
fn chain(report: &Report) -> Vec<(u64, Wrong)> {
    let faults = report.faults.iter();
    faults
        .filter(|fault| !matches!(fault.wrong, Wrong::Derived(_)))
        .map(|fault| (fault.seq, fault.wrong.clone()))
        .collect()
}

#[tokio::test]
async fn a_sound_journal_is_sound_while_the_daemon_writes() {
    let place = Place::new();
    let journal = place.open().journal;
    for seed in 1..=40 {
        journal.append(going_on(seed)).await.unwrap();
        if seed % 10 == 0 {
            let report = verify(&place.path, None).unwrap();
            assert!(report.is_sound(), "{:?}", report.faults);
            assert_eq!(report.entries, u64::from(seed) * 12);
            assert_eq!(report.head, journal.reader().totals().await.unwrap().head);
        }
    }
}

#[test]
fn an_empty_journal_is_sound() {
    let place = Place::new();
    drop(place.open());
    let report = verify(&place.path, Some(Head::beginning())).unwrap();
    assert!(report.is_sound());
    assert_eq!(report.head, Head::beginning());
}

#[tokio::test]
async fn any_changed_column_is_found_and_its_order_named() {
    for change in [
        "body = replace(body, '350', '351')",
        "body = body || ' '",
        "at_ms = at_ms + 1",
        "trusted = 0",
        "state = 'completed'",
        "prev = zeroblob(32)",
        "hash = zeroblob(32)",
    ] {
        let report = after(&format!("UPDATE entries SET {change} WHERE seq = 15")).await;
        assert_eq!(chain(&report), [(15, Wrong::Changed)], "{change}");
        assert_eq!(report.faults[0].order, Some(numbers(2).order.to_string()));
    }
    let report = after("UPDATE entries SET order_id = 'x' WHERE seq = 15").await;
    assert_eq!(chain(&report), [(15, Wrong::OtherOrder)]);
}

#[tokio::test]
async fn missing_entries_are_found_and_named() {
    let report = after("DELETE FROM entries WHERE seq = 20").await;
    assert_eq!(chain(&report), [(20, Wrong::Missing { to: 20 })]);
    assert_eq!(
        report.faults[0].to_string(),
        format!("entry 20 (order {}): missing, with all up to entry 20", numbers(2).order)
    );
    let report = after("DELETE FROM entries WHERE seq < 5").await;
    assert_eq!(chain(&report), [(1, Wrong::Missing { to: 4 })]);
}

#[tokio::test]
async fn a_cut_off_end_is_found_even_without_a_noted_head() {
    let report = after("DELETE FROM entries WHERE seq > 50").await;
    assert!(chain(&report).is_empty());
    assert!(report.faults.iter().any(|fault| fault.wrong == Wrong::Derived("table order_entries")));
}

#[tokio::test]
async fn a_noted_head_proves_what_was_before_it() {
    let place = filled().await;
    let noted = verify(&place.path, None).unwrap().head;
    let read: Head = noted.to_string().parse().unwrap();
    assert_eq!(read, noted);
    assert!(verify(&place.path, Some(noted)).unwrap().is_sound());

    // The last order is taken out without a trace.
    place
        .as_tamperer()
        .execute_batch(
            "DELETE FROM numbers WHERE opened_seq = 40; DELETE FROM order_entries WHERE opened_seq = 40; \
             DELETE FROM orders WHERE opened_seq = 40; DELETE FROM entries WHERE seq >= 40;",
        )
        .unwrap();
    assert!(verify(&place.path, None).unwrap().is_sound());
    let report = verify(&place.path, Some(noted)).unwrap();
    assert_eq!(chain(&report), [(40, Wrong::CutOff { end: 39 })]);

    // And another is written in its place.
    let journal = place.open().journal;
    journal.append(whole(9)).await.unwrap();
    drop(journal);
    let report = verify(&place.path, Some(noted)).unwrap();
    assert_eq!(chain(&report), [(52, Wrong::OtherHead)]);
}

#[test]
fn a_head_that_is_none_is_refused() {
    for text in ["", "5", "5:", "5:ab", ":", "x:y", &format!("5:{}", "é".repeat(32)), &format!("5:{}", "+f".repeat(32))]
    {
        assert!(text.parse::<Head>().is_err(), "{text}");
    }
}

#[tokio::test]
async fn swapped_entries_are_found_and_named() {
    let places = "UPDATE entries SET seq = 1000 WHERE seq = 17; UPDATE entries SET seq = 17 WHERE seq = 30; \
                  UPDATE entries SET seq = 30 WHERE seq = 1000;";
    let contents = "CREATE TEMP TABLE kept AS SELECT * FROM entries WHERE seq IN (17, 30); \
         UPDATE entries SET (body, state) = (SELECT body, state FROM kept WHERE kept.seq = 47 - entries.seq) WHERE seq IN (17, 30);";
    for swap in [places, contents] {
        let report = after(swap).await;
        let swapped = [(17, Wrong::Swapped { with: 30 }), (30, Wrong::Swapped { with: 17 })];
        assert_eq!(chain(&report), swapped, "{swap}");
    }
}

#[tokio::test]
async fn a_moved_entry_is_found_where_it_is_and_where_it_was() {
    let report = after("UPDATE entries SET seq = 53 WHERE seq = 17").await;
    assert_eq!(chain(&report), [(17, Wrong::Missing { to: 17 }), (53, Wrong::Moved { from: 17 })]);
}

#[tokio::test]
async fn a_rewritten_and_resealed_entry_breaks_the_chain_behind_it() {
    let place = filled().await;
    let people = place.as_tamperer();
    let mut record = view::records_since(&people, 14, 1).unwrap().remove(0);
    record.body = record.body.replace("350", "100");
    people
        .execute(
            "UPDATE entries SET body = ?1, hash = ?2 WHERE seq = 15",
            params![record.body, record.seal().as_bytes()],
        )
        .unwrap();
    let report = verify(&place.path, None).unwrap();
    assert_eq!(chain(&report), [(16, Wrong::Unlinked)]);
}

#[tokio::test]
async fn an_inserted_entry_is_found() {
    // In the middle: everything behind it is pushed on by one place.
    let report = after(
        "CREATE TEMP TABLE kept AS SELECT * FROM entries WHERE seq > 50; DELETE FROM entries WHERE seq > 50; \
         INSERT INTO entries (seq, order_id, at_ms, trusted, state, body, prev, hash) \
         SELECT 51, order_id, at_ms, trusted, state, body, prev, hash FROM entries WHERE seq = 50; \
         INSERT INTO entries (seq, order_id, at_ms, trusted, state, body, prev, hash) \
         SELECT seq + 1, order_id, at_ms, trusted, state, body, prev, hash FROM kept;",
    )
    .await;
    assert_eq!(chain(&report)[0], (51, Wrong::Changed));
    assert_eq!(chain(&report)[1], (52, Wrong::Moved { from: 51 }));
    assert!(report.fault_count > 2);

    // At the end, sealed by itself but tied to nothing.
    let place = filled().await;
    let people = place.as_tamperer();
    let end = recover::head(&people).unwrap();
    let loose = Head { seq: end.seq, hash: super::chain::Hash::beginning() };
    let record = Record::after(&loose, &opened(9)).unwrap();
    people
        .execute(
            include_str!("sql/insert_entry.sql"),
            params![
                53,
                record.order,
                record.at.ms,
                true,
                record.state,
                record.body,
                record.prev.as_bytes(),
                record.hash.as_bytes()
            ],
        )
        .unwrap();
    drop(people);
    let report = verify(&place.path, None).unwrap();
    assert_eq!(chain(&report), [(53, Wrong::Unlinked)]);
    assert_eq!(report.faults[0].order, Some(numbers(9).order.to_string()));
}

#[tokio::test]
async fn derived_tables_that_lie_are_found() {
    for (lie, table) in [
        ("UPDATE orders SET paid = 0 WHERE opened_seq = 14", "table orders"),
        ("UPDATE orders SET open = 0, state = 'gone' WHERE opened_seq = 14", "table orders"),
        ("DELETE FROM orders WHERE opened_seq = 14", "table numbers"),
        ("DELETE FROM numbers WHERE opened_seq = 14 AND kind = 'trade'", "table numbers"),
        ("UPDATE numbers SET amount = 1 WHERE opened_seq = 14 AND kind = 'refund'", "table numbers"),
        ("INSERT INTO numbers (number, kind, opened_seq) VALUES ('x', 'trade', 14)", "table numbers"),
        ("DELETE FROM order_entries WHERE seq = 20", "table order_entries"),
    ] {
        let report = after(lie).await;
        assert!(chain(&report).is_empty(), "{lie}");
        let named = report.faults.iter().any(|fault| fault.wrong == Wrong::Derived(table));
        assert!(named, "{lie}: {:?}", report.faults);
    }
}

#[tokio::test]
async fn many_faults_are_counted_and_the_first_ones_kept() {
    let report = after(
        "UPDATE entries SET at_ms = 0; UPDATE orders SET paid = 1, amount = 1; UPDATE numbers SET body_sha256 = 'x'",
    )
    .await;
    assert!(report.fault_count > 52);
    assert!(report.faults.len() <= 100);
    assert_eq!(report.faults.iter().find(|fault| fault.seq == 1).unwrap().wrong, Wrong::Changed);
}

#[test]
fn a_missing_journal_is_said_so() {
    let place = Place::new();
    let refusal = verify(&place.path, None).unwrap_err().to_string();
    assert!(refusal.contains("journal.db"), "{refusal}");
    assert!(!place.path.exists(), "looking does not make one");
}
