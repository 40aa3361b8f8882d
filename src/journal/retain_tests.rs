//! What goes, what stays, and that nobody can hide behind it.

use payment::engine::entry::OrderState;
use payment::money::Fen;
use rusqlite::Connection;

use super::chain::Head;
use super::fixture::{
    Place, START_MS, cash, closed, given_back, going_on, numbers, opened, paid_by_voucher, voucher, whole,
};
use super::verify::{GapWrong, Report, Wrong, verify};
use super::view::{KeyOf, ListFilter};
use super::{Journal, NewEntry, Retained, SetAside, export, rebuild};

/// A time behind all stories.
const LATER_MS: i64 = START_MS + 1_000 * 60_000;

fn minute(minute: i64) -> i64 {
    START_MS + minute * 60_000
}

/// 200 orders of 13 entries each, a minute apart: 2,600 entries, all of them the hub's.
async fn filled(place: &Place) -> Journal {
    let journal = place.open().journal;
    journal.append((1..=200).flat_map(whole).collect()).await.unwrap();
    journal.acknowledge(2_600, Vec::new()).await.unwrap();
    journal
}

/// Calls until there is no more.
async fn retain(journal: &Journal, keep_from_ms: i64) -> (u64, u64) {
    let mut sum = (0, 0);
    loop {
        let Retained { orders, entries, more } = journal.retain(keep_from_ms, 500).await.unwrap();
        assert!(entries <= 500);
        sum = (sum.0 + orders, sum.1 + entries);
        if !more {
            return sum;
        }
    }
}

fn sound(place: &Place) -> Report {
    let report = verify(&place.path, None).unwrap();
    assert!(report.is_sound(), "{:?}", report.faults);
    report
}

fn faults(place: &Place) -> Vec<(u64, Wrong)> {
    let report = verify(&place.path, None).unwrap();
    report.faults.iter().map(|fault| (fault.seq, fault.wrong.clone())).collect()
}

#[tokio::test]
async fn old_orders_go_with_all_that_belongs_to_them_and_the_chain_is_followed_across() {
    let place = Place::new();
    let journal = filled(&place).await;
    assert_eq!(retain(&journal, minute(50)).await, (49, 637));
    let report = sound(&place);
    assert_eq!((report.entries, report.gaps, report.removed), (2_600 - 637, 1, 637));
    let reader = journal.reader();
    for seed in [1, 49] {
        assert_eq!(reader.order(numbers(seed).order.as_str()).await.unwrap(), None);
        assert_eq!(reader.order(numbers(seed).refund.as_str()).await.unwrap(), None);
        assert_eq!(reader.remembered(KeyOf::Order, &format!("order-{seed}")).await.unwrap(), None);
    }
    assert!(reader.order(numbers(50).attempt.as_str()).await.unwrap().is_some());
    assert_eq!(reader.list(ListFilter::default()).await.unwrap().len(), 151);
    assert_eq!(reader.entries_since(0, 1).await.unwrap()[0].stored.seq, 638);
    assert_eq!(reader.outbox(637, 1, 1 << 20).await.unwrap()[0].seq, 638);
    assert!(reader.outbox(12, 500, 1 << 20).await.unwrap().is_empty(), "without a gap or not at all");
    assert_eq!(export::entries(&place.path, std::io::sink()).unwrap(), 2_600 - 637);
    assert_eq!(export::orders(&place.path, std::io::sink()).unwrap(), 151);
    assert_eq!(retain(&journal, minute(50)).await, (0, 0));
    assert_eq!(journal.append(whole(201)).await.unwrap()[0], 2_601);
    drop((journal, reader));

    rebuild(&place.path).unwrap();
    assert_eq!(sound(&place).removed, 637);
    let again = place.open();
    assert_eq!(again.last.unwrap().0, 2_613);
    assert_eq!(again.acknowledged, 2_600);
}

#[tokio::test]
async fn what_the_hub_does_not_have_stays() {
    let place = Place::new();
    let journal = place.open().journal;
    journal.append((1..=200).flat_map(whole).collect()).await.unwrap();
    assert_eq!(retain(&journal, LATER_MS).await, (0, 0));
    journal.acknowledge(135, Vec::new()).await.unwrap();
    assert_eq!(retain(&journal, LATER_MS).await, (10, 130));
    assert_eq!(sound(&place).removed, 130);
}

#[tokio::test]
async fn the_newest_thousand_entries_stay_whatever_their_age() {
    let place = Place::new();
    let journal = filled(&place).await;
    assert_eq!(retain(&journal, LATER_MS).await, (123, 1_599));
    assert_eq!(sound(&place).entries, 1_001);
    drop(journal);
    place.open();
}

#[tokio::test]
async fn one_order_that_is_open_for_weeks_does_not_keep_the_others_and_its_gaps_close_behind_it() {
    let place = Place::new();
    let journal = place.open().journal;
    let stories = (1..=100).flat_map(|seed| if seed == 5 { going_on(5) } else { whole(seed) });
    journal.append(stories.collect()).await.unwrap();
    journal.acknowledge(1_299, Vec::new()).await.unwrap();
    assert_eq!(retain(&journal, LATER_MS).await, (22, 286));
    let report = sound(&place);
    assert_eq!((report.gaps, report.removed), (2, 286));
    journal.append(vec![closed(5)]).await.unwrap();
    journal.append((101..=190).flat_map(whole).collect()).await.unwrap();
    journal.acknowledge(2_470, Vec::new()).await.unwrap();
    retain(&journal, LATER_MS).await;
    let report = sound(&place);
    assert_eq!((report.gaps, report.removed + report.entries), (1, 2_470));
    assert_eq!(journal.reader().order(numbers(5).order.as_str()).await.unwrap(), None);
}

#[tokio::test]
async fn an_order_of_which_the_hub_refused_an_entry_stays() {
    let place = Place::new();
    let journal = filled(&place).await;
    let refused = SetAside {
        seq: 20,
        order: numbers(2).order.to_string(),
        code: "unreadable".to_owned(),
        detail: String::new(),
        at_ms: LATER_MS,
    };
    journal.acknowledge(20, vec![refused]).await.unwrap();
    assert_eq!(retain(&journal, minute(10)).await, (8, 104));
    assert_eq!(journal.reader().order(numbers(2).order.as_str()).await.unwrap().unwrap().entries.len(), 13);
    assert_eq!(sound(&place).gaps, 2);
}

#[tokio::test]
async fn a_use_of_a_code_is_remembered_until_the_code_expired() {
    let place = Place::new();
    let journal = place.open().journal;
    let story = |seed: u8, minutes| {
        let mut story = paid_by_voucher(seed, voucher("M-1", false, minutes));
        story.extend(given_back(seed));
        story.push(closed(seed));
        story
    };
    // The newest entry is of minute 200, and a code is remembered for a day longer.
    let stories = [story(1, 200 - 24 * 60), story(2, 201 - 24 * 60), story(3, 10_000)];
    let entries: Vec<NewEntry> = stories.into_iter().flatten().chain((4..=200).flat_map(whole)).collect();
    journal.append(entries).await.unwrap();
    journal.acknowledge(2_579, Vec::new()).await.unwrap();
    assert_eq!(retain(&journal, minute(5)).await, (2, 6 + 13));
    drop(journal);
    let again = place.open();
    assert_eq!(again.spent.iter().map(|code| code.spent).collect::<Vec<_>>(), [Fen::new(400)]);
    assert_eq!(sound(&place).gaps, 2);
}

#[tokio::test]
async fn of_a_clock_that_was_not_believed_no_age_follows_and_a_wrong_one_keeps_only_its_own_order() {
    let place = Place::new();
    let journal = place.open().journal;
    let in_2100 = |mut new: NewEntry| {
        new.at.ms = 4_100_000_000_000;
        new
    };
    let lost_clock = |mut new: NewEntry| {
        new.at = payment::time::Wall { ms: 0, trusted: false };
        new
    };
    let first = whole(1).into_iter().chain(whole(2).into_iter().map(lost_clock));
    let fifth = whole(5).into_iter().map(in_2100);
    let all = first.chain([3, 4].into_iter().flat_map(whole)).chain(fifth);
    let all = all.chain((6..=200).flat_map(whole)).chain(whole(201).into_iter().map(lost_clock));
    journal.append(all.collect()).await.unwrap();
    journal.acknowledge(2_613, Vec::new()).await.unwrap();
    assert_eq!(retain(&journal, minute(2)).await, (1, 13), "the second is as old as the third");
    assert_eq!(retain(&journal, minute(4)).await, (2, 26));
    assert_eq!(retain(&journal, minute(9)).await, (4, 52));
    sound(&place);
}

#[tokio::test]
async fn one_call_does_a_bounded_piece_of_work() {
    let place = Place::new();
    let journal = filled(&place).await;
    let first = journal.retain(LATER_MS, 100).await.unwrap();
    assert_eq!(first, Retained { orders: 7, entries: 91, more: true });
    let next = journal.retain(LATER_MS, 1).await.unwrap();
    assert_eq!(next, Retained { orders: 1, entries: 13, more: true });
    let report = sound(&place);
    assert_eq!((report.gaps, report.removed), (1, 104));
}

#[tokio::test]
async fn the_room_of_what_went_is_used_again() {
    let place = Place::new();
    let journal = place.open().journal;
    let before = journal.used_bytes().await.unwrap();
    journal.append((1..=200).flat_map(whole).collect()).await.unwrap();
    journal.acknowledge(2_600, Vec::new()).await.unwrap();
    let full = journal.used_bytes().await.unwrap();
    assert!(full > before + 800_000, "{full}");
    retain(&journal, LATER_MS).await;
    let after = journal.used_bytes().await.unwrap();
    assert!(after < full * 6 / 10, "{after} of {full}");
    journal.append((201..=250).flat_map(whole).collect()).await.unwrap();
    drop(journal);
    let size = std::fs::metadata(&place.path).unwrap().len();
    assert!(size <= full, "{size} bytes on the disk, {full} before");
}

#[tokio::test]
async fn what_was_tampered_with_is_not_removed_as_if_it_were_true() {
    for tamper in [
        "UPDATE entries SET body = replace(body, '350', '351') WHERE seq = 28",
        "UPDATE entries SET order_id = 'x' WHERE seq = 28",
        "DELETE FROM entries WHERE seq = 28",
        "UPDATE entries SET (prev, hash) = (SELECT prev, hash FROM entries WHERE seq = 29) WHERE seq = 28",
    ] {
        let place = Place::new();
        drop(filled(&place).await);
        place.as_tamperer().execute_batch(tamper).unwrap();
        let before = faults(&place);
        assert!(!before.is_empty());
        let journal = place.open().journal;
        retain(&journal, minute(50)).await;
        assert_eq!(faults(&place), before, "{tamper}");
        assert!(journal.reader().list(ListFilter::default()).await.unwrap().iter().any(|order| order.opened_seq == 27));
    }
}

/// A journal with a gap of 637 entries, and what was done to it.
async fn tampered(with: &str) -> Vec<(u64, Wrong)> {
    let place = Place::new();
    let journal = filled(&place).await;
    retain(&journal, minute(50)).await;
    drop(journal);
    place.as_tamperer().execute_batch(with).unwrap();
    faults(&place)
}

#[tokio::test]
async fn a_gap_that_was_tampered_with_is_found() {
    let gap = |to, why| Wrong::Gap { to, why };
    for (tamper, found) in [
        ("DELETE FROM gaps", vec![(1, Wrong::Missing { to: 637 })]),
        ("UPDATE gaps SET hash = zeroblob(32)", vec![(638, Wrong::Unlinked)]),
        ("UPDATE gaps SET prev = zeroblob(32)", vec![(1, gap(637, GapWrong::Unlinked))]),
        ("UPDATE gaps SET first_seq = 2", vec![(1, Wrong::Missing { to: 1 })]),
        ("UPDATE gaps SET last_seq = 600", vec![(601, Wrong::Missing { to: 637 })]),
        ("UPDATE gaps SET last_seq = 638", vec![(1, gap(638, GapWrong::Misplaced)), (1, Wrong::Missing { to: 637 })]),
        (
            "UPDATE sync SET acknowledged = 600",
            vec![(1, gap(637, GapWrong::Unacknowledged)), (1, Wrong::Missing { to: 637 })],
        ),
        ("INSERT INTO gaps SELECT 600, 610, prev, hash FROM gaps", vec![(600, gap(610, GapWrong::Misplaced))]),
        (
            "INSERT INTO gaps SELECT 2600, 2700, prev, hash FROM gaps",
            vec![(2_600, gap(2_700, GapWrong::Unacknowledged))],
        ),
        ("INSERT INTO gaps SELECT 2601, 2700, prev, hash FROM gaps", vec![(2_601, gap(2_700, GapWrong::Misplaced))]),
    ] {
        assert_eq!(tampered(tamper).await, found, "{tamper}");
    }
}

#[tokio::test]
async fn a_gap_that_is_forged_over_what_the_hub_does_not_have_is_found() {
    let place = Place::new();
    let journal = place.open().journal;
    journal.append((1..=200).flat_map(whole).collect()).await.unwrap();
    journal.acknowledge(1_300, Vec::new()).await.unwrap();
    drop(journal);
    // The last ten entries of an order, with the right hashes on both sides.
    let forge = "INSERT INTO gaps SELECT 1304, 1313, first.prev, last.hash FROM entries AS first, entries AS last \
                 WHERE first.seq = 1304 AND last.seq = 1313; DELETE FROM entries WHERE seq BETWEEN 1304 AND 1313;";
    place.as_tamperer().execute_batch(forge).unwrap();
    let found = faults(&place);
    assert!(found.contains(&(1_304, Wrong::Missing { to: 1_313 })), "{found:?}");
    assert!(found.contains(&(1_304, Wrong::Gap { to: 1_313, why: GapWrong::Unacknowledged })), "{found:?}");
}

#[tokio::test]
async fn a_noted_head_at_the_edge_of_a_gap_still_proves_what_was_before() {
    let place = Place::new();
    let journal = place.open().journal;
    journal.append((1..=49).flat_map(whole).collect()).await.unwrap();
    let noted = journal.reader().totals().await.unwrap().head;
    journal.append((50..=200).flat_map(whole).collect()).await.unwrap();
    journal.acknowledge(2_600, Vec::new()).await.unwrap();
    retain(&journal, minute(50)).await;
    assert!(verify(&place.path, Some(noted)).unwrap().is_sound());
    let other = Head { hash: Head::beginning().hash, ..noted };
    let report = verify(&place.path, Some(other)).unwrap();
    assert_eq!(report.faults[0].wrong, Wrong::OtherHead);
}

#[tokio::test]
async fn a_noted_head_inside_a_gap_is_said_to_prove_nothing() {
    let place = Place::new();
    let journal = place.open().journal;
    journal.append((1..=20).flat_map(whole).collect()).await.unwrap();
    let noted = journal.reader().totals().await.unwrap().head;
    journal.append((21..=200).flat_map(whole).collect()).await.unwrap();
    assert!(!verify(&place.path, Some(noted)).unwrap().noted_removed);
    journal.acknowledge(2_600, Vec::new()).await.unwrap();
    retain(&journal, minute(50)).await;
    let report = verify(&place.path, Some(noted)).unwrap();
    assert!(report.is_sound() && report.noted_removed, "{report:?}");
}

#[tokio::test]
async fn an_entry_still_cannot_be_deleted_by_accident() {
    let place = Place::new();
    let journal = filled(&place).await;
    retain(&journal, minute(50)).await;
    let people = Connection::open(&place.path).unwrap();
    for slip in ["DELETE FROM entries", "DELETE FROM entries WHERE seq = 638"] {
        let refusal = people.execute(slip, []).unwrap_err().to_string();
        assert!(refusal.contains("append-only"), "{refusal}");
    }
    let forged = "INSERT INTO gaps VALUES (2601, 2601, zeroblob(32), zeroblob(32))";
    let refusal = people.execute(forged, []).unwrap_err().to_string();
    assert!(refusal.contains("does not have this entry"), "{refusal}");
}

#[tokio::test]
async fn sales_for_coins_go_too_and_a_refund_in_between_keeps_its_order() {
    let place = Place::new();
    let journal = place.open().journal;
    let stories = (1..=10).flat_map(cash).chain(vec![opened(11)]).chain((12..=200).flat_map(whole));
    journal.append(stories.collect()).await.unwrap();
    journal.acknowledge(2_488, Vec::new()).await.unwrap();
    // Closed, but opened again by a refund.
    journal.append(given_back(3)).await.unwrap();
    assert_eq!(retain(&journal, minute(12)).await, (9, 27));
    let open = journal.reader().list(ListFilter { state: Some(OrderState::Refunding), ..ListFilter::default() }).await;
    assert_eq!(open.unwrap()[0].order, numbers(3).order);
    sound(&place);
}
