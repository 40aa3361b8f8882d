//! The statement of a day: a ZIP with a GBK file.

use std::io::{Cursor, Read as _};

use crate::calling::get;
use crate::vsp_till::Till;

#[tokio::test]
async fn the_statement_of_yesterday_is_a_gbk_file_in_a_zip() {
    let till = Till::open().await;
    till.sell("N1", "350").await;
    till.undo("/tranx/refund", "R1", "N1", "100").await;
    till.native("N2", "999").await;
    let today = till.ask("/cusapi/trxfile/get", &[("date", "20250601")]).await;
    assert_eq!(today.retcode(), "FAIL", "the day is not over");
    till.pass(24 * 3_600_000);
    assert_eq!(till.ask("/cusapi/trxfile/get", &[("date", "2025061")]).await.retcode(), "FAIL");
    let answer = till.ask("/trxfile/get", &[("date", "20250601")]).await;
    let raw = get(answer.member("url")).await.unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(raw.body)).unwrap();
    let mut bytes = Vec::new();
    archive.by_index(0).unwrap().read_to_end(&mut bytes).unwrap();
    assert!(std::str::from_utf8(&bytes).is_err(), "it is not UTF-8");
    let (text, _, broken) = encoding_rs::GBK.decode(&bytes);
    assert!(!broken);
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows.len(), 3, "{text}");
    assert!(rows.iter().all(|row| row.len() == 19), "{text}");
    assert_eq!((rows[1][4], rows[1][12], rows[1][13], rows[1][16]), ("微信支付", "3.50", "0.02", "N1"));
    assert_eq!((rows[2][4], rows[2][12], rows[2][16]), ("微信支付退货", "-1.00", "R1"));
    assert_eq!(get(&format!("{}/trxfile/file/other.zip", till.gateway.cus_url())).await.unwrap().status, 404);
}
