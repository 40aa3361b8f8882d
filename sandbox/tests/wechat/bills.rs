//! Bills: when they are there, what is in them, who may fetch them.

use std::io::Read as _;

use sandbox::wechat::{Fault, Weather, other_merchant_keys};
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};

use crate::calling::Answer;
use crate::till::{NATIVE, START, Till, native};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
const TRADES: &str = "/v3/bill/tradebill?bill_date=2025-06-01&bill_type=ALL&tar_type=GZIP";

/// One sale of 3.50 on June 1st at noon, refunded two minutes later; then it is June 2nd, 10:00.
async fn next_morning(till: &Till) {
    let mut body = native("N00001", 350);
    body["description"] = json!("可乐,大\n杯");
    body["attach"] = json!("slot=A3");
    let code = till.post(NATIVE, body).await.member("/code_url");
    let scanned = till.phone.scan_text(&code).unwrap();
    till.phone.confirm(&scanned.id).unwrap();
    till.pass(120_000);
    till.refund("N00001", "R1", 150, 350).await;
    till.set_clock(START + 22 * HOUR);
}

/// Fetches what an answer announces: the file is not signed.
async fn fetch(till: &Till, announced: &Answer) -> Answer {
    let url = announced.member("/download_url");
    let target = url.strip_prefix(&till.gateway.url()).expect("another host");
    let answer = till.try_ask("GET", target, Value::Null).await.unwrap();
    assert!(!answer.has_signature_headers());
    answer
}

fn unzipped(bytes: &[u8]) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    text
}

fn sha1(bytes: &[u8]) -> String {
    Sha1::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The cell under a column of a row.
fn cell<'t>(text: &'t str, row: usize, column: &str) -> &'t str {
    let lines: Vec<&str> = text.trim_start_matches('\u{feff}').lines().collect();
    let at = lines[0].split(',').position(|name| name == column).unwrap();
    lines[row].split(',').nth(at).unwrap().strip_prefix('`').unwrap()
}

#[tokio::test]
async fn the_trades_of_yesterday_are_announced_hashed_zipped_and_listed() {
    let till = Till::open().await;
    next_morning(&till).await;
    let announced = till.get(TRADES).await;
    let file = fetch(&till, &announced).await;
    assert_eq!((file.status, file.header("content-type")), (200, "application/x-gzip"));
    let text = unzipped(&file.body);
    assert_eq!(announced.member("/hash_value"), sha1(text.as_bytes()));
    assert!(text.starts_with("\u{feff}交易时间,公众账号ID,商户号,特约商户号,") && text.ends_with("\r\n"));
    let sale = [
        ("交易时间", "2025-06-01 12:00:00"),
        ("商户订单号", "N00001"),
        ("交易状态", "SUCCESS"),
        ("订单金额", "3.50"),
        ("手续费", "0.02000"),
        ("费率", "0.60%"),
        ("微信退款单号", "0"),
        ("特约商户号", "0"),
        ("商品名称", "可乐\\ 大\\n杯"),
        ("商户数据包", "slot=A3"),
    ];
    for (column, value) in sale {
        assert_eq!(cell(&text, 1, column), value, "{column}");
    }
    let refund = [
        ("交易状态", "REFUND"),
        ("商户退款单号", "R1"),
        ("退款金额", "1.50"),
        ("订单金额", "0.00"),
        ("退款状态", "SUCCESS"),
        ("手续费", "-0.01000"),
    ];
    for (column, value) in refund {
        assert_eq!(cell(&text, 2, column), value, "{column}");
    }
    assert!(text.contains("总交易单数,应结订单总金额") && text.contains("`2,`3.50,`1.50,`0.00,`0.01000,`3.50,`1.50"));
}

#[tokio::test]
async fn kinds_list_their_rows_and_columns() {
    let till = Till::open().await;
    next_morning(&till).await;
    for (kind, rows, has) in [("SUCCESS", 1, false), ("REFUND", 1, true), ("ALL", 2, true)] {
        let announced = till.get(&format!("/v3/bill/tradebill?bill_date=2025-06-01&bill_type={kind}")).await;
        let text = fetch(&till, &announced).await.text();
        assert_eq!(text.lines().count(), rows + 3, "{kind}");
        assert_eq!(text.contains("商户退款单号"), has, "{kind}");
        assert_eq!(text.contains("退款成功时间"), kind == "REFUND");
    }
}

#[tokio::test]
async fn a_refund_that_ended_after_the_file_was_made_stays_unfinished_in_it() {
    let till = Till::with(|options| options.refund_takes_ms = 21 * HOUR).await;
    next_morning(&till).await;
    till.pass(2 * DAY);
    assert_eq!(till.trade("N00001").refunded_fen, 150);
    let announced = till.get("/v3/bill/tradebill?bill_date=2025-06-01").await;
    assert_eq!(cell(&fetch(&till, &announced).await.text(), 2, "退款状态"), "PROCESSING");
}

#[tokio::test]
async fn the_movements_of_money_end_in_the_balance() {
    let till = Till::open().await;
    next_morning(&till).await;
    let announced = till.get("/v3/bill/fundflowbill?bill_date=2025-06-01&tar_type=GZIP").await;
    let text = unzipped(&fetch(&till, &announced).await.body);
    assert_eq!((cell(&text, 1, "收支金额(元)"), cell(&text, 1, "账户结余(元)")), ("3.50", "3.50"));
    assert_eq!((cell(&text, 2, "收支类型"), cell(&text, 2, "账户结余(元)")), ("支出", "2.00"));
    assert!(text.ends_with("`2,`1,`3.50,`1,`1.50\r\n"));
}

#[tokio::test]
async fn a_bill_is_there_from_ten_in_the_next_morning_for_three_months() {
    let till = Till::open().await;
    next_morning(&till).await;
    for (now, code) in [
        (START + HOUR, "INVALID_REQUEST"),
        (START + 22 * HOUR - 1, "STATEMENT_CREATING"),
        (START + 22 * HOUR, ""),
        (START + 80 * DAY, ""),
        (START + 95 * DAY, "INVALID_REQUEST"),
    ] {
        till.set_clock(now);
        let answer = till.get(TRADES).await;
        assert_eq!(answer.code(), code, "{now}");
        assert_eq!(answer.status, if code.is_empty() { 200 } else { 400 });
    }
    till.set_clock(START + 3 * DAY);
    let quiet = till.get("/v3/bill/tradebill?bill_date=2025-06-02").await;
    assert_eq!((quiet.status, &*quiet.code()), (400, "NO_STATEMENT_EXIST"));
    for wrong in ["20250601", "2025-02-30"] {
        let answer = till.get(&format!("/v3/bill/tradebill?bill_date={wrong}")).await;
        assert_eq!(answer.code(), "PARAM_ERROR");
    }
}

#[tokio::test]
async fn a_link_lives_five_minutes_and_belongs_to_its_merchant() {
    let mut till = Till::open().await;
    next_morning(&till).await;
    let announced = till.get(TRADES).await;
    let own = std::mem::replace(&mut till.keys, other_merchant_keys());
    let stolen = fetch(&till, &announced).await;
    assert_eq!((stolen.status, &*stolen.code()), (403, "NO_AUTH"));
    assert_eq!(till.get(TRADES).await.code(), "NO_STATEMENT_EXIST");
    till.keys = own;
    till.pass(5 * 60_000 - 1);
    assert_eq!(fetch(&till, &announced).await.status, 200);
    till.pass(1);
    let late = fetch(&till, &announced).await;
    assert_eq!((late.status, &*late.code()), (400, "INVALID_REQUEST"));
}

#[tokio::test]
async fn an_unsigned_fetch_is_refused() {
    let till = Till::open().await;
    next_morning(&till).await;
    let url = till.get(TRADES).await.member("/download_url");
    let target = url.strip_prefix(&till.gateway.url()).unwrap();
    let answer = crate::calling::Ask::new("GET", target, "").send(&till.gateway.url()).await.unwrap();
    assert_eq!((answer.status, &*answer.code()), (401, "SIGN_ERROR"));
}

#[tokio::test]
async fn a_wrong_hash_an_older_layout_and_a_file_without_a_mark_come_by_wish() {
    let till = Till::with(|options| {
        options.older_bill = true;
        options.bill_mark = false;
    })
    .await;
    next_morning(&till).await;
    till.control.set_weather(Weather::fair().with(Fault::WrongHash.times(1)));
    let announced = till.get("/v3/bill/tradebill?bill_date=2025-06-01").await;
    let text = fetch(&till, &announced).await.text();
    assert_ne!(announced.member("/hash_value"), sha1(text.as_bytes()));
    assert!(text.starts_with("交易时间,") && !text.contains("应结订单金额") && !text.contains("代金券金额"));
    assert_eq!(cell(&text, 1, "订单金额"), "3.50");
}
