//! The bill of a day, compared with the published layout.

use std::io::{Cursor, Read as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use encoding_rs::GBK;
use sandbox::{Coupon, CouponBy};
use serde_json::{Value, json};

use crate::calling::{self, Answer};
use crate::till::{Till, pay_biz};

const DAY: i64 = 24 * 3_600_000;
const HOUR: i64 = 3_600_000;

/// A made-up bill in the layout of the documents; `tests/vectors/bill.json` says how it was made.
fn vector() -> Value {
    serde_json::from_str(include_str!("../vectors/bill.json")).unwrap()
}

async fn ask(till: &Till, kind: &str, date: &str) -> Answer {
    let biz = json!({ "bill_type": kind, "bill_date": date });
    till.ask("alipay.data.dataservice.bill.downloadurl.query", biz).await
}

/// The entries of a ZIP: names and contents, both in GBK.
fn unpacked(zip: &[u8]) -> Vec<(String, String)> {
    let mut archive = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
    let text = |bytes: &[u8]| GBK.decode_without_bom_handling_and_without_replacement(bytes).unwrap().into_owned();
    let mut entries = Vec::new();
    for at in 0..archive.len() {
        let mut entry = archive.by_index(at).unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        entries.push((text(entry.name_raw()), text(&content)));
    }
    entries
}

async fn bill(till: &Till, date: &str) -> Vec<(String, String)> {
    let answer = ask(till, "trade", date).await;
    let (status, file) = calling::get(answer.member("bill_download_url")).await;
    assert_eq!(status, 200, "{}", answer.text());
    unpacked(&file)
}

/// The cells of the detail's rows, without their TABs.
fn cells(detail: &str) -> Vec<Vec<String>> {
    let lines = detail.lines().filter(|line| !line.starts_with('#')).skip(1);
    lines.map(|line| line.split(',').map(|cell| cell.trim_end_matches('\t').to_owned()).collect()).collect()
}

async fn sell(till: &Till, number: &str, yuan: &str, subject: &str) {
    let mut biz = pay_biz(number, yuan, &till.phone.pay_code());
    for (name, value) in [("subject", subject), ("store_id", "storeId001"), ("operator_id", "op01")] {
        biz[name] = value.into();
    }
    biz["terminal_id"] = "VM0001".into();
    assert_eq!(till.ask("alipay.trade.pay", biz).await.code(), "10000");
}

async fn refund(till: &Till, number: &str, request: &str, yuan: &str) {
    let biz = json!({ "out_trade_no": number, "out_request_no": request, "refund_amount": yuan });
    assert_eq!(till.ask("alipay.trade.refund", biz).await.member("fund_change"), "Y");
}

#[tokio::test]
async fn the_layout_is_the_published_one() {
    let till = Till::open().await;
    sell(&till, "VM0001_20250531100000_000001", "3.50", "可乐 330ml").await;
    till.pass(HOUR);
    sell(&till, "VM0001_20250531110000_000002", "2.00", "矿泉水").await;
    till.pass(HOUR);
    refund(&till, "VM0001_20250531100000_000001", "RF0001", "3.50").await;
    till.pass(DAY);
    let ours = bill(&till, "2025-06-01").await;
    let vector = vector();
    let theirs = unpacked(&STANDARD.decode(vector["zip_b64"].as_str().unwrap()).unwrap());
    assert_eq!(ours.len(), theirs.len());
    for ((name, text), (their_name, their_text)) in ours.iter().zip(&theirs) {
        assert_eq!(name.replace("20250601", "20250531"), *their_name);
        assert!(text.ends_with("\r\n") && !text.replace("\r\n", "").contains('\n'));
        assert_eq!(text.lines().count(), their_text.lines().count(), "{name}");
        for (line, their_line) in text.lines().zip(their_text.lines()) {
            assert_eq!(line.matches(',').count(), their_line.matches(',').count(), "{line}");
            assert_eq!(line.matches('\t').count(), their_line.matches('\t').count(), "{line}");
            let is_same = !line.starts_with('#') && line.contains('（') || line.contains("合计");
            if is_same {
                assert_eq!(line, their_line);
            }
        }
    }
    // The amounts and words of the rows, from the eleventh cell on: what stands before has other times and numbers.
    for (ours, theirs) in cells(&ours[1].1).iter().zip(cells(&theirs[1].1)) {
        assert_eq!((&ours[1..4], &ours[11..]), (&theirs[1..4], &theirs[11..]));
        assert_eq!((&ours[6], &ours[8..10]), (&theirs[6], &theirs[8..10]));
    }
}

#[tokio::test]
async fn a_bill_holds_what_finished_that_day_in_china() {
    let till = Till::open().await;
    till.pass(12 * HOUR - 1);
    sell(&till, "N1", "1.00", "茶").await;
    till.pass(1);
    sell(&till, "N2", "2.00", "茶").await;
    refund(&till, "N1", "R1", "0.40").await;
    till.pass(2 * DAY);
    let rows = async |date: &str| {
        let rows = cells(&bill(&till, date).await[1].1);
        rows.into_iter().map(|row| [&row[1], &row[2], &row[11], &row[21]].map(String::clone)).collect::<Vec<_>>()
    };
    assert_eq!(rows("2025-06-01").await, [["N1", "交易", "1.00", ""]]);
    assert_eq!(rows("2025-06-02").await, [["N2", "交易", "2.00", ""], ["N1", "退款", "-0.40", "R1"]]);
}

#[tokio::test]
async fn newer_bills_have_more_columns_under_their_names() {
    for extra in [false, true] {
        let till = Till::with(|options| options.bill_extra_columns = extra).await;
        sell(&till, "N1", "1.00", "茶").await;
        till.pass(DAY);
        let detail = bill(&till, "2025-06-01").await.remove(1).1;
        let header: Vec<&str> = detail.lines().find(|line| !line.starts_with('#')).unwrap().split(',').collect();
        let place = header.iter().position(|name| *name == "商户订单号").unwrap();
        assert_eq!(place, if extra { 3 } else { 1 });
        let row = &cells(&detail)[0];
        assert_eq!((row.len(), row[place].as_str()), (header.len(), "N1"));
    }
}

#[tokio::test]
async fn a_bill_is_made_at_nine_of_the_next_day() {
    let till = Till::open().await;
    sell(&till, "N1", "1.00", "茶").await;
    assert_eq!(ask(&till, "trade", "2025-06-01").await.sub_code(), "INVAILID_ARGUMENTS");
    till.pass(12 * HOUR);
    assert_eq!(ask(&till, "trade", "2025-06-01").await.sub_code(), "isp.bill_not_exist");
    till.pass(9 * HOUR - 1);
    assert_eq!(ask(&till, "trade", "2025-06-01").await.sub_code(), "isp.bill_not_exist");
    till.pass(1);
    assert_eq!(ask(&till, "trade", "2025-06-01").await.code(), "10000");
    for (kind, date, sub_code) in [
        ("trade", "2025-06-02", "INVAILID_ARGUMENTS"),
        ("trade", "2025-06", "INVAILID_ARGUMENTS"),
        ("trade", "20250601", "INVAILID_ARGUMENTS"),
        ("trade", "2025-02-30", "INVAILID_ARGUMENTS"),
        ("gold", "2025-06-01", "TYPE_NOT_SUPPORTED"),
        ("", "2025-06-01", "ACQ.INVALID_PARAMETER"),
    ] {
        assert_eq!(ask(&till, kind, date).await.sub_code(), sub_code, "{kind} {date}");
    }
}

#[tokio::test]
async fn a_day_without_rows_has_an_empty_file_or_none() {
    for (empty_file, code, word) in [(true, "10000", ""), (false, "40004", "isp.bill_not_exist")] {
        let till = Till::with(|options| options.empty_bill_file = empty_file).await;
        let answer = ask(&till, "trade", "2025-05-30").await;
        assert_eq!((answer.code(), answer.sub_code()), (code, word));
        let said = if empty_file { "EMPTY_DATA_WITH_BILL_FILE" } else { "" };
        assert_eq!((answer.member("bill_file_code"), answer.member("bill_download_url")), (said, ""));
    }
}

#[tokio::test]
async fn the_address_lives_thirty_seconds() {
    let till = Till::open().await;
    sell(&till, "N1", "1.00", "茶").await;
    till.pass(DAY);
    let url = ask(&till, "trade", "2025-06-01").await.member("bill_download_url").to_owned();
    till.pass(29_999);
    assert_eq!(calling::get(&url).await.0, 200);
    assert_eq!(calling::get(&url.replace("token=", "token=0")).await.0, 403);
    till.pass(1);
    assert_eq!(calling::get(&url).await.0, 403);
}

/// The cells of amounts: order, receipt, red packet, merchant's discount, name, fee.
fn money(row: &[String]) -> [&str; 6] {
    [11, 12, 13, 16, 18, 22].map(|at| row[at].as_str())
}

#[tokio::test]
async fn coupons_and_fees_stand_in_their_columns() {
    for (returns, fees) in [(true, ["-1.74", "1.20", "0.54"]), (false, ["-1.74", "0.00", "0.00"])] {
        let till = Till::with(|options| {
            options.refund_returns_fee = returns;
            options.refund_returns_instalment_fee = returns;
        })
        .await;
        till.control.set_order_sync("storeId001", true);
        for (name, fen, by) in [("店庆", 2_000, CouponBy::Merchant), ("红包", 1_000, CouponBy::Alipay)] {
            till.phone.give_coupon(Coupon { name: name.to_owned(), fen, by, goods_id: None });
        }
        let mut biz = pay_biz("N1", "100.00", &till.phone.pay_code());
        biz["store_id"] = "storeId001".into();
        biz["extend_params"] = json!({ "hb_fq_num": "3", "hb_fq_seller_percent": "100" });
        assert_eq!(till.ask("alipay.trade.pay", biz).await.member("receipt_amount"), "80.00");
        refund(&till, "N1", "R1", "50.00").await;
        refund(&till, "N1", "R2", "50.00").await;
        till.pass(DAY);
        let bill = bill(&till, "2025-06-01").await;
        let rows = cells(&bill[1].1);
        // Paid 70 by Huabei, 10 by Alipay, 20 by the merchant. The fees: 0.6% of 80, 1.8% of 70 when the merchant bears it.
        assert_eq!(money(&rows[0])[..5], ["100.00", "80.00", "10.00", "20.00", "店庆;红包"]);
        assert_eq!(money(&rows[1])[..4], ["-50.00", "-50.00", "0.00", "0.00"]);
        assert_eq!(money(&rows[2])[..4], ["-50.00", "-30.00", "-10.00", "-20.00"]);
        assert_eq!([0, 1, 2].map(|at| money(&rows[at])[5]), fees);
    }
}
