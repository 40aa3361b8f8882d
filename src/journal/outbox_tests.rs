//! What the hub has, what waits for it, what it refused.

use payment::engine::entry::{CancelledBy, Entry, OrderState};
use payment::money::Fen;

use super::chain::Record;
use super::fixture::{Place, START_MS, cash, going_on, new, numbers, whole};
use super::{AppendError, CommandOutcome, CommandResult, Journal, NewEntry, SetAside, outbox};

fn refused(seq: u64, seed: u8) -> SetAside {
    let order = numbers(seed).order.to_string();
    SetAside { seq, order, code: "unknown_kind".to_owned(), detail: "the hub is older".to_owned(), at_ms: START_MS }
}

fn done(number: u64) -> CommandResult {
    CommandResult { number, outcome: CommandOutcome::Done, detail: format!("command {number}") }
}

fn places(records: &[Record]) -> Vec<u64> {
    records.iter().map(|record| record.seq).collect()
}

#[tokio::test]
async fn all_that_the_hub_does_not_have_is_in_the_outbox_in_its_order() {
    let place = Place::new();
    let journal = place.open().journal;
    journal.append(whole(1)).await.unwrap();
    let reader = journal.reader();
    let all = reader.outbox(0, 500, 1 << 20).await.unwrap();
    assert_eq!(places(&all), (1..=13).collect::<Vec<_>>());
    assert!(all.iter().all(Record::is_sealed));
    assert!(all.windows(2).all(|pair| pair[1].prev == pair[0].hash));
    assert_eq!(places(&reader.outbox(11, 500, 1 << 20).await.unwrap()), [12, 13]);
    assert_eq!(places(&reader.outbox(3, 4, 1 << 20).await.unwrap()), [4, 5, 6, 7]);
    assert!(reader.outbox(13, 500, 1 << 20).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_page_keeps_to_its_bytes_but_never_stalls() {
    let place = Place::new();
    let journal = place.open().journal;
    journal.append(whole(1)).await.unwrap();
    let reader = journal.reader();
    for after in 0..13 {
        assert_eq!(places(&reader.outbox(after, 500, 1).await.unwrap()), [after + 1]);
        assert_eq!(places(&reader.outbox(after, 0, 1 << 20).await.unwrap()), [after + 1]);
    }
    let page = reader.outbox(0, 500, 4_000).await.unwrap();
    assert!(page.len() > 3 && page.len() < 13, "{}", page.len());
    let line = |record: &Record| {
        serde_json::json!({
            "seq": record.seq, "order": record.order, "at_ms": record.at.ms, "trusted": record.at.trusted,
            "state": record.state, "prev": record.prev.to_string(), "hash": record.hash.to_string(), "body": record.body,
        })
    };
    let bytes: usize = page.iter().map(|record| line(record).to_string().len() + 1).sum();
    assert!(bytes <= 4_000, "{bytes} bytes on the wire");
}

#[tokio::test]
async fn what_was_acknowledged_stays_so_and_never_goes_back() {
    let place = Place::new();
    let opened = place.open();
    assert_eq!((opened.acknowledged, opened.handled), (0, 0));
    opened.journal.append(whole(1)).await.unwrap();
    opened.journal.acknowledge(7, Vec::new()).await.unwrap();
    opened.journal.acknowledge(3, Vec::new()).await.unwrap();
    assert_eq!(opened.journal.reader().sync_status().await.unwrap().acknowledged, 7);
    let beyond = opened.journal.acknowledge(14, Vec::new()).await.unwrap_err();
    assert!(matches!(beyond, AppendError::Beyond { up_to: 14, newest: 13 }), "{beyond}");
    let beyond = opened.journal.acknowledge(8, vec![refused(14, 1)]).await.unwrap_err();
    assert!(matches!(beyond, AppendError::Beyond { up_to: 14, newest: 13 }), "{beyond}");
    drop(opened);
    assert_eq!(place.open().acknowledged, 7);
}

#[tokio::test]
async fn the_status_says_what_waits_and_what_it_is_worth() {
    let place = Place::new();
    let journal = place.open().journal;
    let reader = journal.reader();
    let empty = reader.sync_status().await.unwrap();
    assert_eq!((empty.waiting, empty.newest, empty.amount, empty.oldest_ms), (0, 0, Fen::ZERO, None));
    journal.append(whole(1)).await.unwrap();
    journal.append(cash(2)).await.unwrap();
    journal.append(going_on(3)).await.unwrap();
    let all = reader.sync_status().await.unwrap();
    assert_eq!((all.waiting, all.newest, all.amount), (28, 28, Fen::new(1_050)));
    assert_eq!(all.oldest_ms, Some(START_MS + 60_000));
    // Behind the payment of the first, before that of the second.
    journal.acknowledge(14, Vec::new()).await.unwrap();
    let rest = reader.sync_status().await.unwrap();
    assert_eq!((rest.waiting, rest.amount, rest.oldest_ms), (14, Fen::new(700), Some(START_MS + 120_000)));
    journal.acknowledge(28, Vec::new()).await.unwrap();
    let none = reader.sync_status().await.unwrap();
    assert_eq!((none.waiting, none.amount, none.oldest_ms), (0, Fen::ZERO, None));
    assert_eq!(none.used_bytes, journal.used_bytes().await.unwrap());
    assert!(none.used_bytes > 4_096);
}

#[tokio::test]
async fn what_the_hub_refuses_for_good_is_set_aside_once_and_stays_visible() {
    let place = Place::new();
    let journal = place.open().journal;
    journal.append(whole(1)).await.unwrap();
    journal.acknowledge(5, vec![refused(2, 1), refused(4, 1)]).await.unwrap();
    let again = SetAside { code: "another".to_owned(), ..refused(4, 1) };
    journal.acknowledge(5, vec![again]).await.unwrap();
    drop(journal);
    let status = place.open().journal.reader().sync_status().await.unwrap();
    assert_eq!(status.set_aside, [refused(2, 1), refused(4, 1)]);
    assert_eq!(status.acknowledged, 5);
}

#[tokio::test]
async fn a_command_is_handled_once_and_its_result_kept_until_the_hub_has_it() {
    let place = Place::new();
    let opened = place.open();
    for number in 1..=3 {
        opened.journal.command_handled(done(number)).await.unwrap();
    }
    let other = CommandResult { outcome: CommandOutcome::Refused, ..done(2) };
    opened.journal.command_handled(other).await.unwrap();
    drop(opened);
    let again = place.open();
    assert_eq!((again.handled, again.results), (3, vec![done(1), done(2), done(3)]));
    again.journal.results_reported(2).await.unwrap();
    // A command that comes once more after its result was reported is not told again.
    again.journal.command_handled(done(1)).await.unwrap();
    let status = again.journal.reader().sync_status().await.unwrap();
    assert_eq!((status.handled, status.results), (3, vec![done(3)]));
}

#[tokio::test]
async fn the_marks_survive_trouble_with_the_connection() {
    let place = Place::new();
    let journal = place.open().journal;
    journal.append(whole(1)).await.unwrap();
    journal.with_connection(|connection| connection.pragma_update(None, "query_only", true).unwrap()).await;
    let failure = journal.acknowledge(5, Vec::new()).await.unwrap_err();
    assert!(matches!(failure, AppendError::Storage(_)), "{failure}");
    assert_eq!(journal.reader().sync_status().await.unwrap().acknowledged, 0);
    journal.acknowledge(5, Vec::new()).await.unwrap();
    assert_eq!(journal.reader().sync_status().await.unwrap().acknowledged, 5);
}

/// Set only in the process of its own, where nothing else moves its memory.
const ALONE: &str = "TILL_TEST_OUTBOX";

#[tokio::test]
async fn a_hundred_thousand_entries_are_paged_through_in_flat_memory() {
    if std::env::var_os(ALONE).is_none() {
        let name = "journal::outbox_tests::a_hundred_thousand_entries_are_paged_through_in_flat_memory";
        let mut again = std::process::Command::new(std::env::current_exe().unwrap());
        let output = again.args(["--exact", name, "--nocapture"]).env(ALONE, "1").output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let complained = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.contains("1 passed"), "{said}\n{complained}");
        return;
    }
    let place = Place::new();
    let journal = place.open().journal;
    queue(&journal, 100_000).await;
    let reader = journal.reader();
    let status = reader.sync_status().await.unwrap();
    assert_eq!((status.waiting, status.newest), (100_000, 100_000));
    let mut after = 0;
    let mut resident_kib = Vec::new();
    while let Some(last) = reader.outbox(after, 500, 1 << 20).await.unwrap().last() {
        assert_eq!(last.seq, after + 500);
        after = last.seq;
        journal.acknowledge(after, Vec::new()).await.unwrap();
        resident_kib.push(resident());
    }
    assert_eq!(after, 100_000);
    assert_eq!(reader.sync_status().await.unwrap().waiting, 0);
    let (early, late) = (resident_kib[20], *resident_kib.iter().max().unwrap());
    assert!(late < early + 2_048, "resident memory grew from {early} to {late} KiB");
}

async fn queue(journal: &Journal, entries: usize) {
    let order = numbers(1).order;
    let again = || new(1, OrderState::Waiting, Entry::OrderCancelled { order, by: CancelledBy::Api });
    journal.append(vec![super::fixture::opened(1)]).await.unwrap();
    let rest: Vec<NewEntry> = (1..entries).map(|_| again()).collect();
    for batch in rest.chunks(1_000) {
        journal.append(batch.to_vec()).await.unwrap();
    }
}

/// Resident memory of this process in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test]
async fn what_a_person_has_seen_of_the_entries_set_aside_survives_a_restart_and_what_is_new_does_not_count_as_seen() {
    let place = Place::new();
    let journal = place.open().journal;
    journal.append([whole(1), whole(2)].concat()).await.unwrap();
    drop(journal);
    let opened = place.open();
    assert!(!opened.unseen);
    opened.journal.acknowledge(2, vec![refused(2, 1)]).await.unwrap();
    drop(opened);
    let opened = place.open();
    assert!(opened.unseen, "nobody looked yet");
    opened.journal.set_aside_seen().await.unwrap();
    opened.journal.set_aside_seen().await.unwrap();
    drop(opened);
    let opened = place.open();
    assert!(!opened.unseen);
    opened.journal.acknowledge(3, vec![refused(2, 1), refused(3, 1)]).await.unwrap();
    drop(opened);
    assert!(place.open().unseen);
}

#[test]
fn however_many_results_an_old_file_holds_a_limited_number_is_read() {
    let place = Place::new();
    drop(place.open());
    let connection = place.as_tamperer();
    let many = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 3000)
                INSERT INTO command_results (number, outcome, detail) SELECT x, 'refused', 'not signed' FROM n";
    connection.execute_batch(many).unwrap();
    let read = outbox::results(&connection).unwrap();
    assert_eq!((read.len(), read[0].number), (1_000, 1), "the oldest are to be reported first");
}
