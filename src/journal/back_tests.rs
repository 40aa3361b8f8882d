//! Going back a version: what 0.1.0 does with a file, in its own words. Do not change this test; `tests/formats/back.sh`
//! has the real 0.1.0 do it.

use rusqlite::{Connection, params};

use super::chain::{Record, sql_seq};
use super::fixture::{Place, cash, given_back, going_on, paid_by_voucher, voucher, whole};
use super::verify::verify;

const APPLICATION_ID: i64 = 0x5469_6c6c;
const USER_VERSION: i64 = 3;
const TAIL: &str =
    "SELECT seq, order_id, at_ms, trusted, state, body, prev, hash FROM entries ORDER BY seq DESC LIMIT ?1";
const OPEN: &str = "SELECT opened_seq FROM orders WHERE open = 1 ORDER BY opened_seq";
const ORDER_ENTRIES: &str = "SELECT seq, order_id, at_ms, trusted, state, body, prev, hash \
     FROM order_entries JOIN entries USING (seq) WHERE order_entries.opened_seq = ?1 ORDER BY seq";
const INSERT_ENTRY: &str = "INSERT INTO entries (seq, order_id, at_ms, trusted, state, body, prev, hash) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
const UPSERT_ORDER: &str = "INSERT INTO orders (opened_seq, order_id, state, amount, currency, origin, reference, \
     opened_ms, last_seq, last_ms, paid, refunded, open) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) \
     ON CONFLICT (opened_seq) DO UPDATE SET state = ?3, last_seq = ?9, last_ms = ?10, paid = ?11, refunded = ?12, open = ?13";
const INSERT_ORDER_ENTRY: &str = "INSERT INTO order_entries (opened_seq, seq) VALUES (?1, ?2)";
const INSERT_NUMBER: &str = "INSERT INTO numbers (number, kind, opened_seq, amount, refund_id, body_sha256) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";
const PROBE: &str = "INSERT INTO probe (id, written, filler) VALUES (1, 1, randomblob(?1)) \
     ON CONFLICT (id) DO UPDATE SET written = written + 1, filler = randomblob(?1)";
/// What 0.1.0 reads of an order's row: other names would be no states and no origins to it.
const ROWS: &str = "SELECT count(*) FROM orders WHERE origin NOT IN ('keypad', 'api') OR state NOT IN ('waiting', \
     'confirming', 'unknown', 'cancelling', 'paid', 'delivering', 'completed', 'cancelled', 'expired', 'failed', \
     'refunding', 'owed', 'refunded')";

/// A journal with gaps, sales for coins and codes, an open order, and the marks of the sync.
async fn of_today() -> Place {
    let place = Place::new();
    let journal = place.open().journal;
    let codes = paid_by_voucher(1, voucher("M-1", false, 9_000)).into_iter().chain(given_back(1));
    let first = codes.chain(vec![super::fixture::closed(1)]).chain(cash(2)).chain(going_on(3));
    journal.append(first.chain((4..=150).flat_map(whole)).collect()).await.unwrap();
    let newest = journal.reader().totals().await.unwrap().head.seq;
    journal.acknowledge(newest, Vec::new()).await.unwrap();
    assert!(journal.retain(i64::MAX, 5_000).await.unwrap().entries > 500);
    place
}

/// 0.1.0 as it opens the file.
fn before(place: &Place) -> Connection {
    let before = Connection::open(&place.path).unwrap();
    before.pragma_update(None, "trusted_schema", false).unwrap();
    before.pragma_update(None, "journal_mode", "WAL").unwrap();
    before
}

#[tokio::test]
async fn the_version_before_takes_the_file_for_its_own_and_proves_its_end() {
    let place = of_today().await;
    let before = before(&place);
    let read = |sql: &str| before.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(read("PRAGMA application_id"), APPLICATION_ID);
    assert_eq!(read("PRAGMA user_version"), USER_VERSION);
    assert_eq!(read(ROWS), 0);
    let records = |sql: &str, argument: i64| -> Vec<Record> {
        let mut statement = before.prepare(sql).unwrap();
        statement.query_map([argument], Record::from_row).unwrap().collect::<Result<_, _>>().unwrap()
    };
    let newest = records(TAIL, 1_000);
    assert_eq!(newest.len(), 1_000);
    assert!(newest.iter().all(Record::is_sealed));
    assert!(newest.windows(2).all(|pair| pair[0].seq == pair[1].seq + 1 && pair[0].prev == pair[1].hash));
    let open = read(OPEN);
    let story = records(ORDER_ENTRIES, open);
    assert_eq!(story.len(), 12);
    // The words that 0.1.0 does not know are in orders that are closed: it need not read them.
    assert!(story.iter().all(|record| record.is_sealed() && !record.body.contains("voucher")));
}

#[tokio::test]
async fn the_version_before_writes_on_and_this_one_goes_on_from_there() {
    let place = of_today().await;
    let before = before(&place);
    let mut head = super::recover::head(&before).unwrap();
    let (opened_seq, mut last) = (head.seq + 1, None);
    for new in whole(200) {
        let record = Record::after(&head, &new).unwrap();
        head = record.head();
        let values = params![
            sql_seq(record.seq),
            record.order,
            record.at.ms,
            record.at.trusted,
            record.state,
            record.body,
            record.prev.as_bytes(),
            record.hash.as_bytes()
        ];
        assert_eq!(before.execute(INSERT_ENTRY, values).unwrap(), 1);
        before.execute(INSERT_ORDER_ENTRY, params![sql_seq(opened_seq), sql_seq(record.seq)]).unwrap();
        for number in super::project::numbers(&new.entry) {
            let fen = number.amount.map(payment::money::Fen::get);
            let refund = number.refund.map(|refund| refund.to_string());
            let values =
                params![number.number, number.kind.name(), sql_seq(opened_seq), fen, refund, number.body_sha256];
            assert_eq!(before.execute(INSERT_NUMBER, values).unwrap(), 1);
        }
        last = Some(record);
    }
    let last = last.unwrap();
    for (state, open) in [("waiting", true), ("refunded", false)] {
        let values = params![
            sql_seq(opened_seq),
            last.order,
            state,
            350,
            "CNY",
            "api",
            "ref,\"200\"",
            last.at.ms,
            sql_seq(last.seq),
            last.at.ms,
            350,
            150,
            open
        ];
        assert_eq!(before.execute(UPSERT_ORDER, values).unwrap(), 1);
    }
    before.execute(PROBE, [32_768]).unwrap();
    for slip in ["UPDATE entries SET at_ms = 0", "DELETE FROM entries WHERE seq > 1000"] {
        assert!(before.execute(slip, []).is_err());
    }
    drop(before);
    let report = verify(&place.path, None).unwrap();
    assert!(report.is_sound(), "{:?}", report.faults);
    let again = place.open();
    assert_eq!(again.last.unwrap().0, last.seq);
    assert_eq!(again.journal.reader().outbox(opened_seq - 1, 500, 1 << 20).await.unwrap().len(), 13);
}
