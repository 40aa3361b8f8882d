//! What was spent of the operator's codes, told at the start.

use payment::money::Fen;
use rusqlite::Connection;

use super::fixture::{Place, closed, given_back, going_on, new, numbers, paid_by_voucher, voucher};
use super::verify::{Wrong, verify};
use super::{VoucherSpent, rebuild};
use payment::engine::entry::{Entry, OrderState};
use payment::voucher::CODES_MAX;

fn spent(code: &str, fen: i64, used_once: bool, minutes: i64) -> VoucherSpent {
    let expires_ms = super::fixture::START_MS + minutes * 60_000;
    VoucherSpent { code: code.to_owned(), spent: Fen::new(fen), used_once, expires_ms }
}

#[tokio::test]
async fn what_was_spent_of_a_code_is_told_at_the_start() {
    let place = Place::new();
    let opened = place.open();
    assert!(opened.spent.is_empty());
    let journal = opened.journal;
    for (seed, code, once) in [(1, "M-1", false), (2, "M-1", false), (3, "V-1", true)] {
        journal.append(paid_by_voucher(seed, voucher(code, once, 500))).await.unwrap();
    }
    journal.append(going_on(4)).await.unwrap();
    // Started and never paid: nothing is spent of it.
    journal.append(paid_by_voucher(5, voucher("M-2", false, 500))[..2].to_vec()).await.unwrap();
    drop(journal);
    assert_eq!(place.open().spent, [spent("M-1", 700, false, 500), spent("V-1", 350, true, 500)]);
}

#[tokio::test]
async fn what_goes_back_is_not_spent() {
    let place = Place::new();
    let journal = place.open().journal;
    journal.append(paid_by_voucher(1, voucher("V-1", true, 500))).await.unwrap();
    journal.append(given_back(1)).await.unwrap();
    assert_eq!(journal.reader().unsettled().await.unwrap(), Fen::new(200));
    drop(journal);
    let again = place.open();
    assert_eq!((again.spent, again.unsettled), (vec![spent("V-1", 200, true, 500)], Fen::new(200)));
    // The rest too: the voucher may be used again.
    let order = numbers(1).order;
    let refund = numbers(9).refund;
    let rest = Entry::RefundStarted {
        order,
        attempt: numbers(1).attempt,
        refund,
        amount: Fen::new(200),
        reason: payment::engine::entry::RefundReason::Operator,
        idempotency: None,
        said: None,
        instead_of: None,
    };
    let steps = vec![
        new(1, OrderState::Refunding, rest),
        new(1, OrderState::Refunding, Entry::RefundDone { order, refund }),
        closed(1),
    ];
    again.journal.append(steps).await.unwrap();
    drop(again.journal);
    let again = place.open();
    assert_eq!((again.spent, again.unsettled), (vec![spent("V-1", 0, false, 500)], Fen::ZERO));
}

#[tokio::test]
async fn no_clock_makes_a_code_forgotten() {
    for trusted in [false, true] {
        let place = Place::new();
        let journal = place.open().journal;
        journal.append(paid_by_voucher(1, voucher("V-1", true, 500))).await.unwrap();
        let mut in_2100 = closed(1);
        in_2100.at = payment::time::Wall { ms: 4_100_000_000_000, trusted };
        journal.append(vec![in_2100]).await.unwrap();
        drop(journal);
        assert_eq!(place.open().spent, [spent("V-1", 350, true, 500)], "it could be spent again");
    }
}

#[tokio::test]
async fn of_too_many_codes_those_that_expire_first_are_not_told() {
    let place = Place::new();
    drop(place.open());
    let people = Connection::open(&place.path).unwrap();
    people
        .execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1 + 3) \
             INSERT INTO voucher_uses SELECT i, 'a' || i, 'M-' || i, 0, (i * 7919) % (?1 + 3), 100, i, 0 FROM n",
            [i64::try_from(CODES_MAX).unwrap()],
        )
        .unwrap();
    let told = super::vouchers::spent(&people).unwrap();
    assert_eq!(told.len(), CODES_MAX);
    assert_eq!(told.iter().map(|code| code.expires_ms).min(), Some(3), "0, 1 and 2 expire before");
}

#[tokio::test]
async fn what_the_hub_has_is_settled() {
    let place = Place::new();
    let journal = place.open().journal;
    let reader = journal.reader();
    journal.append(paid_by_voucher(1, voucher("M-1", false, 500))).await.unwrap();
    journal.append(paid_by_voucher(2, voucher("M-1", false, 500))).await.unwrap();
    assert_eq!(reader.unsettled().await.unwrap(), Fen::new(700));
    // The hub knows of the attempt, but not that it was paid.
    journal.acknowledge(2, Vec::new()).await.unwrap();
    assert_eq!(reader.unsettled().await.unwrap(), Fen::new(700));
    journal.acknowledge(3, Vec::new()).await.unwrap();
    assert_eq!(reader.unsettled().await.unwrap(), Fen::new(350));
    // What goes back of a settled payment takes nothing off the other.
    journal.append(given_back(1)).await.unwrap();
    assert_eq!(reader.unsettled().await.unwrap(), Fen::new(350));
    journal.acknowledge(8, Vec::new()).await.unwrap();
    assert_eq!(reader.unsettled().await.unwrap(), Fen::ZERO);
}

#[tokio::test]
async fn what_is_unsettled_costs_what_is_unsettled_not_what_ever_was() {
    let place = Place::new();
    drop(place.open());
    let people = Connection::open(&place.path).unwrap();
    let question = concat!("EXPLAIN QUERY PLAN ", include_str!("sql/vouchers_unsettled.sql"));
    let mut plan = people.prepare(question).unwrap();
    let steps = plan.query_map([0], |row| row.get::<_, String>(3)).unwrap();
    let steps: Vec<String> = steps.map(Result::unwrap).collect();
    let index = "SEARCH voucher_uses USING INDEX voucher_uses_by_payment";
    assert!(steps.iter().any(|step| step.starts_with(index)), "{steps:?}");
}

#[tokio::test]
async fn the_table_of_uses_is_verified_and_can_be_made_again() {
    for lie in [
        "UPDATE voucher_uses SET amount = 1",
        "UPDATE voucher_uses SET paid_seq = NULL",
        "UPDATE voucher_uses SET code = 'M-9'",
        "DELETE FROM voucher_uses",
        "INSERT INTO voucher_uses SELECT 99, attempt, code, once, expires_ms, amount, paid_seq, refunded FROM voucher_uses",
    ] {
        let place = Place::new();
        let journal = place.open().journal;
        journal.append(paid_by_voucher(1, voucher("M-1", false, 500))).await.unwrap();
        journal.append(given_back(1)).await.unwrap();
        drop(journal);
        assert!(verify(&place.path, None).unwrap().is_sound());
        place.as_tamperer().execute_batch(lie).unwrap();
        let report = verify(&place.path, None).unwrap();
        assert!(report.faults.iter().all(|fault| fault.wrong == Wrong::Derived("table voucher_uses")), "{lie}");
        assert!(!report.is_sound(), "{lie}");
        rebuild(&place.path).unwrap();
        assert!(verify(&place.path, None).unwrap().is_sound(), "{lie}");
        assert_eq!(place.open().spent, [spent("M-1", 200, false, 500)]);
    }
}
