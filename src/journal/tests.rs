//! Recording, restoring, refusing.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::pin::pin;

use payment::engine::entry::{Entry, OrderState};
use payment::money::Fen;
use rusqlite::Connection;

use super::fixture::{Place, closed, going_on, new, numbers, opened, whole};
use super::{AppendError, Journal, Location, NewEntry, OpenError, rebuild, store};

#[tokio::test]
async fn what_was_recorded_is_there_after_a_restart_and_only_what_is_open_is_restored() {
    let place = Place::new();
    let opened = place.open();
    assert!(opened.open_orders.is_empty());
    assert_eq!(opened.last, None);
    let story = going_on(2);
    assert_eq!(opened.journal.append(whole(1)).await.unwrap(), (1..=13).collect::<Vec<_>>());
    assert_eq!(opened.journal.append(story.clone()).await.unwrap(), (14..=25).collect::<Vec<_>>());
    drop(opened);

    let again = place.open();
    let [order] = &again.open_orders[..] else {
        panic!("one order is open: {:?}", again.open_orders);
    };
    let restored: Vec<_> = order.iter().map(|stored| (stored.seq, stored.at, &stored.entry)).collect();
    let recorded: Vec<_> = (14..).zip(&story).map(|(seq, new)| (seq, new.at, &new.entry)).collect();
    assert_eq!(restored, recorded);
    assert_eq!(again.last, Some((25, story[11].at)));
}

#[tokio::test]
async fn a_late_refund_opens_an_order_again() {
    let place = Place::new();
    let journal = place.open().journal;
    journal.append(whole(1)).await.unwrap();
    let late = going_on(1).remove(9);
    journal.append(vec![late]).await.unwrap();
    drop(journal);
    assert_eq!(place.open().open_orders[0].len(), 14);
}

#[test]
fn the_journal_belongs_to_its_owner_alone() {
    let place = Place::new();
    let _opened = place.open();
    for name in ["", "-wal", ".lock"] {
        let path = format!("{}{name}", place.path.display());
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{path}");
    }
}

#[test]
fn a_second_daemon_is_refused_and_told_who_has_it() {
    let place = Place::new();
    let first = place.open();
    let refusal = Journal::open(&place.path).unwrap_err();
    assert!(matches!(refusal, OpenError::InUse { pid: Some(pid), .. } if pid == std::process::id()));
    assert!(refusal.to_string().contains(&format!("process {}", std::process::id())));
    drop(first);
    place.open();
}

#[test]
fn a_missing_directory_is_named() {
    let place = Place::new();
    let path = place.path.with_file_name("missing").join("journal.db");
    let refusal = Journal::open(&path).unwrap_err().to_string();
    assert!(refusal.contains("its directory must exist"), "{refusal}");
}

#[test]
fn a_journal_of_a_newer_till_is_left_alone() {
    let place = Place::new();
    drop(place.open());
    let newer = Connection::open(&place.path).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    drop(newer);
    let refusal = Journal::open(&place.path).unwrap_err();
    assert!(matches!(refusal, OpenError::Newer { found: 99, .. }));
    assert!(refusal.to_string().contains("Install that till again"));
}

#[test]
fn a_database_of_something_else_is_left_alone() {
    let place = Place::new();
    let other = Connection::open(&place.path).unwrap();
    other.execute_batch("CREATE TABLE songs (title TEXT)").unwrap();
    drop(other);
    let before = std::fs::read(&place.path).unwrap();
    assert!(matches!(Journal::open(&place.path), Err(OpenError::NotAJournal { .. })));
    assert_eq!(std::fs::read(&place.path).unwrap(), before);
}

#[test]
fn a_file_that_is_no_database_is_refused_as_damaged() {
    let place = Place::new();
    std::fs::write(&place.path, "not a database, but long enough to be taken for one".repeat(9)).unwrap();
    let refusal = Journal::open(&place.path).unwrap_err().to_string();
    assert!(refusal.contains("damaged"), "{refusal}");
}

#[test]
fn a_setting_that_did_not_take_stops_the_start() {
    // A database in memory cannot have a write-ahead log, and SQLite does not complain.
    let memory = Connection::open_in_memory().unwrap();
    let refusal = store::make_safe(&memory, &Location::of(Path::new(":memory:"))).unwrap().unwrap_err();
    assert!(matches!(refusal, OpenError::Unsafe { pragma: "journal_mode", .. }), "{refusal}");
}

#[tokio::test]
async fn batches_of_many_senders_are_recorded_without_a_gap() {
    let place = Place::new();
    let journal = std::sync::Arc::new(place.open().journal);
    let senders: Vec<_> = (0..100)
        .map(|seed| {
            let journal = journal.clone();
            tokio::spawn(async move { journal.append(vec![opened(seed), closed(seed)]).await })
        })
        .collect();
    let mut places = Vec::new();
    for sender in senders {
        let pair = sender.await.unwrap().unwrap();
        assert_eq!(pair[1], pair[0] + 1, "a batch is not torn apart");
        places.extend(pair);
    }
    places.sort_unstable();
    assert_eq!(places, (1..=200).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_contradiction_is_refused_whole_and_alone() {
    let place = Place::new();
    let journal = place.open().journal;
    let (good, never_opened, also_good) = tokio::join!(
        journal.append(vec![opened(1)]),
        journal.append(vec![opened(3), closed(2)]),
        journal.append(vec![closed(1)]),
    );
    assert_eq!(good.unwrap(), [1]);
    let refusal = never_opened.unwrap_err();
    assert!(matches!(&refusal, AppendError::Refused { order, .. } if *order == numbers(2).order.to_string()));
    assert_eq!(also_good.unwrap(), [2]);
    let twice = journal.append(vec![opened(1)]).await.unwrap_err();
    assert!(twice.to_string().contains("opened before"), "{twice}");
    assert_eq!(journal.append(vec![opened(3)]).await.unwrap(), [3]);
    assert_eq!(journal.append(Vec::new()).await.unwrap(), [0_u64; 0]);
}

#[tokio::test]
async fn dropping_the_journal_finishes_what_waits() {
    let place = Place::new();
    let journal = place.open().journal;
    {
        let mut waiting = pin!(journal.append(vec![opened(1)]));
        // Polled once: it is on its way, and nobody waits for the answer any more.
        tokio::select! { biased; _ = &mut waiting => {}, () = std::future::ready(()) => {} }
    }
    drop(journal);
    let wal = std::fs::metadata(format!("{}-wal", place.path.display()));
    assert_eq!(wal.map_or(0, |file| file.len()), 0, "the log was emptied");
    assert_eq!(place.open().open_orders.len(), 1);
}

#[tokio::test]
async fn the_derived_tables_can_be_made_again() {
    let place = Place::new();
    let journal = place.open().journal;
    for seed in 1..20 {
        let story = if seed % 3 == 0 { going_on(seed) } else { whole(seed) };
        journal.append(story).await.unwrap();
    }
    drop(journal);
    let connection = Connection::open(&place.path).unwrap();
    let before = derived(&connection);
    assert!(before.len() > 19 * 10);
    connection.execute_batch("DELETE FROM numbers; UPDATE orders SET open = 1, paid = 0;").unwrap();
    assert_ne!(derived(&connection), before);
    rebuild(&place.path).unwrap();
    assert_eq!(derived(&connection), before);
}

#[tokio::test]
async fn the_derived_tables_are_not_made_again_under_a_running_daemon() {
    let place = Place::new();
    let _opened = place.open();
    assert!(matches!(rebuild(&place.path), Err(OpenError::InUse { .. })));
}

fn derived(connection: &Connection) -> Vec<String> {
    let mut rows = Vec::new();
    for table in ["orders", "order_entries", "numbers"] {
        let mut all = connection.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2")).unwrap();
        let columns = all.column_count();
        let found = all.query_map([], |row| {
            (0..columns)
                .map(|column| row.get_ref(column).map(|value| format!("{value:?}")))
                .collect::<Result<Vec<_>, _>>()
        });
        rows.extend(found.unwrap().map(|row| format!("{table} {:?}", row.unwrap())));
    }
    rows
}

#[tokio::test]
async fn the_sums_of_an_order_follow_its_entries() {
    let place = Place::new();
    let journal = place.open().journal;
    journal.append(whole(1)).await.unwrap();
    let order = journal.reader().order(numbers(1).order.as_str()).await.unwrap().unwrap().summary;
    assert_eq!(order.paid, Fen::new(350));
    assert_eq!(order.refunded, Fen::new(150));
    assert_eq!(order.state, OrderState::Refunded);
    assert!(!order.open);
}

#[tokio::test]
async fn people_have_views() {
    let place = Place::new();
    let journal = place.open().journal;
    journal.append(whole(1)).await.unwrap();
    journal.append(vec![opened(2)]).await.unwrap();
    let people = Connection::open(&place.path).unwrap();
    let text = |sql: &str| people.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(
        text("SELECT amount || ' ' || refunded || ' ' || opened_at FROM order_view WHERE open = 0"),
        "3.50 1.50 2026-11-18T11:07:40.000Z"
    );
    assert_eq!(text("SELECT order_id FROM open_view"), numbers(2).order.to_string());
    assert_eq!(
        text("SELECT group_concat(state || ' ' || coalesce(trade_no, '-'), ', ' ORDER BY seq) FROM attempt_view"),
        format!("paid {}, reversing -", super::fixture::trade_no(1))
    );
    assert_eq!(
        text("SELECT refund || ' ' || amount || ' ' || state FROM refund_view"),
        format!("{} 1.50 done", numbers(1).refund)
    );
}

#[tokio::test]
async fn an_entry_is_neither_changed_nor_deleted_by_accident() {
    let place = Place::new();
    let journal = place.open().journal;
    journal.append(whole(1)).await.unwrap();
    let people = Connection::open(&place.path).unwrap();
    for slip in ["UPDATE entries SET at_ms = 0", "DELETE FROM entries WHERE seq = 13"] {
        let refusal = people.execute(slip, []).unwrap_err().to_string();
        assert!(refusal.contains("append-only"), "{refusal}");
    }
}

#[tokio::test]
async fn a_tampered_tail_stops_the_start() {
    for (tamper, word) in [
        ("UPDATE entries SET body = replace(body, '350', '100') WHERE seq = 2", "entry 2 "),
        ("UPDATE entries SET at_ms = at_ms + 1 WHERE seq = 13", "entry 13"),
        ("DELETE FROM entries WHERE seq = 7", "entry 7 is missing"),
        ("DELETE FROM entries WHERE seq = 1", "entry 1 is missing"),
    ] {
        let place = Place::new();
        let journal = place.open().journal;
        journal.append(whole(1)).await.unwrap();
        drop(journal);
        place.as_tamperer().execute_batch(tamper).unwrap();
        let refusal = Journal::open(&place.path).unwrap_err();
        assert!(matches!(refusal, OpenError::Tampered { .. }), "{refusal}");
        assert!(refusal.to_string().contains(word), "{refusal}");
    }
}

#[tokio::test]
async fn an_open_order_is_proved_however_old_it_is() {
    let place = Place::new();
    let journal = place.open().journal;
    journal.append(going_on(1)).await.unwrap();
    for seed in 2..20 {
        journal.append(whole(seed)).await.unwrap();
    }
    drop(journal);
    let tamper = "UPDATE entries SET body = replace(body, '350', '100') WHERE seq = 1";
    place.as_tamperer().execute_batch(tamper).unwrap();
    let refusal = Journal::open(&place.path).unwrap_err().to_string();
    assert!(refusal.contains("entry 1 ") && refusal.contains(numbers(1).order.as_str()), "{refusal}");
}

#[tokio::test]
async fn an_entry_of_a_newer_till_is_not_guessed_at() {
    let place = Place::new();
    let journal = place.open().journal;
    journal.append(vec![opened(1)]).await.unwrap();
    drop(journal);
    let newer = super::chain::Head::beginning();
    let mut record = super::chain::Record::after(&newer, &opened(1)).unwrap();
    record.body = record.body.replace("order_opened", "order_dreamt");
    let people = place.as_tamperer();
    people.execute("UPDATE entries SET body = ?1, hash = ?2", (&record.body, record.seal().as_bytes())).unwrap();
    drop(people);
    let refusal = Journal::open(&place.path).unwrap_err();
    assert!(matches!(&refusal, OpenError::Unreadable(entry) if entry.seq == 1), "{refusal}");
}

#[tokio::test]
async fn a_foreign_writer_is_noticed_and_nothing_more_is_recorded() {
    let place = Place::new();
    let journal = place.open().journal;
    journal.append(vec![opened(1)]).await.unwrap();
    let foreign = Connection::open(&place.path).unwrap();
    foreign
        .execute_batch(
            "INSERT INTO entries (seq, order_id, at_ms, trusted, state, body, prev, hash) \
             SELECT 2, order_id, at_ms, trusted, state, body, prev, hash FROM entries WHERE seq = 1",
        )
        .unwrap();
    for _ in 0..2 {
        let refusal = journal.append(vec![closed(1)]).await.unwrap_err();
        assert!(matches!(refusal, AppendError::Changed), "{refusal}");
    }
}

#[tokio::test]
async fn the_write_ahead_log_stays_small() {
    let place = Place::new();
    let journal = place.open().journal;
    journal.append(vec![opened(1)]).await.unwrap();
    let again: Vec<NewEntry> = (0..1_000)
        .map(|_| {
            new(
                1,
                OrderState::Waiting,
                Entry::OrderCancelled { order: numbers(1).order, by: payment::engine::entry::CancelledBy::Api },
            )
        })
        .collect();
    for entry in again {
        journal.append(vec![entry]).await.unwrap();
    }
    let wal = std::fs::metadata(format!("{}-wal", place.path.display())).unwrap();
    assert!(wal.len() < 4 << 20, "{} bytes", wal.len());
}

#[test]
fn a_file_that_lacks_one_of_the_additions_gets_it_and_one_that_has_all_is_not_asked_to_make_them() {
    let place = Place::new();
    let schema = |connection: &Connection| -> Vec<String> {
        let mut names = connection.prepare("SELECT name FROM sqlite_schema ORDER BY name").unwrap();
        names.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    drop(place.open());
    let whole = schema(&Connection::open(&place.path).unwrap());
    for broken in [
        "DROP TABLE set_aside_seen",
        "DROP TRIGGER entries_stay_but_in_gaps",
        "DROP INDEX voucher_uses_by_payment",
        "DROP TABLE refunds_asked",
        "DROP VIEW refund_view",
        "DROP TABLE slots",
        "DROP TABLE tallies",
        "DROP TABLE tally_resets",
        "CREATE TRIGGER entries_are_not_deleted BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'no'); END",
    ] {
        let connection = Connection::open(&place.path).unwrap();
        connection.execute_batch(broken).unwrap();
        assert!(schema(&connection) != whole && !store::has_all_additions(&connection).unwrap(), "{broken}");
        drop(connection);
        drop(place.open());
        let connection = Connection::open(&place.path).unwrap();
        assert!(schema(&connection) == whole && store::has_all_additions(&connection).unwrap(), "{broken}");
    }
}
