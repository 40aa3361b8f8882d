//! Questions to the journal, and its exports.

use payment::engine::entry::OrderState;
use payment::ids::OrderId;

use super::chain::Head;
use super::fixture::{Place, START_MS, going_on, numbers, opened, trade_no, whole};
use super::view::{KeyOf, ListFilter, PAGE_MAX};
use super::{Journal, Reader, export};

async fn filled(place: &Place) -> Journal {
    let journal = place.open().journal;
    for seed in 1..=9 {
        let story = if seed % 3 == 0 { going_on(seed) } else { whole(seed) };
        journal.append(story).await.unwrap();
    }
    journal
}

fn seeds(seeds: &[u8]) -> Vec<OrderId> {
    seeds.iter().map(|seed| numbers(*seed).order).collect()
}

async fn listed(reader: &Reader, filter: ListFilter) -> Vec<OrderId> {
    let found = reader.list(filter).await.unwrap();
    found.iter().map(|summary| summary.order).collect()
}

#[tokio::test]
async fn an_order_is_found_by_any_of_its_numbers() {
    let place = Place::new();
    let reader = filled(&place).await.reader();
    let ours = numbers(4);
    for number in [
        ours.order.to_string(),
        ours.attempt.to_string(),
        ours.other.to_string(),
        ours.refund.to_string(),
        trade_no(4),
        "ref,\"4\"".to_owned(),
    ] {
        let found = reader.order(&number).await.unwrap().unwrap();
        assert_eq!(found.summary.order, ours.order, "by {number}");
        assert_eq!(found.entries.len(), 13);
    }
    for number in ["", "order-4", "refund-4", "ref", "' OR 1=1 --"] {
        assert_eq!(reader.order(number).await.unwrap(), None, "{number}");
    }
}

#[tokio::test]
async fn of_two_orders_under_one_reference_the_newest_is_meant() {
    let place = Place::new();
    let journal = place.open().journal;
    let mut second = opened(2);
    if let payment::engine::entry::Entry::OrderOpened { reference, .. } = &mut second.entry {
        *reference = Some("ref,\"1\"".to_owned());
    }
    journal.append(vec![opened(1), second]).await.unwrap();
    let reader = journal.reader();
    let found = reader.order("ref,\"1\"").await.unwrap().unwrap();
    assert_eq!(found.summary.order, numbers(2).order);
    let by_number = ListFilter { number: Some("ref,\"1\"".to_owned()), ..ListFilter::default() };
    assert_eq!(listed(&reader, by_number).await, seeds(&[2, 1]));
}

#[tokio::test]
async fn a_reference_that_is_the_number_of_another_order_does_not_hide_that_order() {
    let place = Place::new();
    let journal = place.open().journal;
    journal.append(whole(1)).await.unwrap();
    let ours = numbers(1);
    for (seed, taken) in [(2, ours.order.to_string()), (3, ours.attempt.to_string()), (4, trade_no(1))] {
        let mut other = opened(seed);
        if let payment::engine::entry::Entry::OrderOpened { reference, .. } = &mut other.entry {
            *reference = Some(taken.clone());
        }
        journal.append(vec![other]).await.unwrap();
        let found = journal.reader().order(&taken).await.unwrap().unwrap();
        assert_eq!(found.summary.order, ours.order, "by {taken}");
    }
}

#[tokio::test]
async fn an_order_that_was_tampered_with_is_not_told_as_if_it_were_true() {
    let place = Place::new();
    let journal = place.open().journal;
    journal.append(whole(1)).await.unwrap();
    place.as_tamperer().execute("UPDATE entries SET body = replace(body, '350', '950') WHERE seq = 1", []).unwrap();
    let refusal = journal.reader().order(numbers(1).order.as_str()).await.unwrap_err();
    assert!(refusal.to_string().contains("not what was written"), "{refusal}");
}

#[tokio::test]
async fn lists_are_filtered_and_go_on_by_cursor() {
    let place = Place::new();
    let reader = filled(&place).await.reader();
    let all = ListFilter::default();
    let minute = |minute: i64| Some(START_MS + minute * 60_000);
    let refunding = ListFilter { state: Some(OrderState::Refunding), ..all.clone() };
    let hours = ListFilter { from_ms: minute(3), to_ms: minute(7), ..all.clone() };
    let both = ListFilter { state: Some(OrderState::Refunded), ..hours.clone() };
    let since = ListFilter { from_ms: minute(8), ..all.clone() };
    let none = ListFilter { number: Some(numbers(4).order.to_string()), state: Some(OrderState::Owed), ..all.clone() };
    assert_eq!(listed(&reader, all.clone()).await, seeds(&[9, 8, 7, 6, 5, 4, 3, 2, 1]));
    assert_eq!(listed(&reader, refunding).await, seeds(&[9, 6, 3]));
    assert_eq!(listed(&reader, hours).await, seeds(&[6, 5, 4, 3]));
    assert_eq!(listed(&reader, both.clone()).await, seeds(&[5, 4]));
    assert_eq!(listed(&reader, since).await, seeds(&[9, 8]));
    assert!(listed(&reader, none).await.is_empty());

    for filter in [all, both] {
        let mut pages = Vec::new();
        let mut before = None;
        loop {
            let one = ListFilter { before, limit: 1, ..filter.clone() };
            let page = reader.list(one).await.unwrap();
            let [summary] = &page[..] else { break };
            before = Some(summary.opened_seq);
            pages.push(summary.order);
        }
        assert_eq!(pages, listed(&reader, filter).await);
    }
}

#[tokio::test]
async fn a_key_remembers_what_it_did() {
    let place = Place::new();
    let reader = filled(&place).await.reader();
    let order = reader.remembered(KeyOf::Order, "order-5").await.unwrap().unwrap();
    assert_eq!((order.order, order.refund), (numbers(5).order, None));
    assert_eq!(order.body_sha256, "ab".repeat(32));
    let refund = reader.remembered(KeyOf::Refund, "refund-5").await.unwrap().unwrap();
    assert_eq!((refund.order, refund.refund), (numbers(5).order, Some(numbers(5).refund)));
    assert_eq!(reader.remembered(KeyOf::Refund, "order-5").await.unwrap(), None);
}

#[tokio::test]
async fn entries_stream_from_any_place_in_bounded_pages() {
    let place = Place::new();
    let journal = filled(&place).await;
    let reader = journal.reader();
    let page = reader.entries_since(10, 5).await.unwrap();
    let places: Vec<_> = page.iter().map(|recorded| recorded.stored.seq).collect();
    assert_eq!(places, [11, 12, 13, 14, 15]);
    assert_eq!(page[2].state, OrderState::Refunded);
    let more: Vec<_> = (10..=90).flat_map(whole).collect();
    journal.append(more).await.unwrap();
    for limit in [0, u32::MAX] {
        let page = reader.entries_since(0, limit).await.unwrap();
        assert_eq!(page.len(), PAGE_MAX as usize);
    }
    assert!(reader.entries_since(u64::MAX, 0).await.unwrap().is_empty());
}

#[tokio::test]
async fn totals_say_where_the_journal_stands() {
    let place = Place::new();
    let empty = place.open().journal.reader().totals().await.unwrap();
    assert_eq!((empty.head, empty.last_at), (Head::beginning(), None));
    let reader = filled(&place).await.reader();
    let totals = reader.totals().await.unwrap();
    assert_eq!(totals.head.seq, 9 * 13 - 3);
    assert_eq!(totals.open, [(OrderState::Refunding, 3)]);
    assert_eq!(totals.last_at.unwrap().ms, START_MS + 9 * 60_000);
}

#[tokio::test]
async fn readers_cannot_write() {
    let place = Place::new();
    let _journal = filled(&place).await;
    let connection = super::store::connect_read_only(&super::Location::of(&place.path)).unwrap();
    let refusal = connection.execute("UPDATE orders SET amount = 0", []).unwrap_err();
    assert_eq!(refusal.sqlite_error_code(), Some(rusqlite::ErrorCode::ReadOnly));
}

#[tokio::test]
async fn a_reader_outlives_its_journal() {
    let place = Place::new();
    let journal = filled(&place).await;
    let reader = journal.reader();
    drop(journal);
    assert!(reader.order(&trade_no(1)).await.unwrap().is_some());
}

#[tokio::test]
async fn json_lines_hold_every_entry_with_its_exact_body() {
    let place = Place::new();
    let _journal = filled(&place).await;
    let mut out = Vec::new();
    assert_eq!(export::entries(&place.path, &mut out).unwrap(), 114);
    let text = String::from_utf8(out).unwrap();
    let first = text.lines().next().unwrap();
    let body = serde_json::to_string(&opened(1).entry).unwrap();
    let order = numbers(1).order;
    let start = format!(
        r#"{{"seq":1,"at":"2026-11-18T11:07:40.000Z","at_ms":1795000060000,"trusted":true,"order":"{order}","kind":"order_opened","state":"waiting","body":{body},"prev":""#
    );
    assert!(first.starts_with(&start), "{first}\n{start}");
    for line in text.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
}

#[tokio::test]
async fn csv_holds_every_order() {
    let place = Place::new();
    let _journal = filled(&place).await;
    let mut out = Vec::new();
    assert_eq!(export::orders(&place.path, &mut out).unwrap(), 9);
    let text = String::from_utf8(out).unwrap();
    let rows: Vec<_> = text.split("\r\n").collect();
    assert_eq!(rows.len(), 11);
    assert_eq!(
        rows[3],
        format!(
            "{},refunding,2026-11-18T11:09:40.000Z,2026-11-18T11:09:40.000Z,350,350,150,CNY,api,\"ref,\"\"3\"\"\",true",
            numbers(3).order
        )
    );
}
