//! The statement of a day (4002): fields that end in `|`.

use sandbox::allinpay::yst_keys;
use serde_json::json;

use crate::calling::{Raw, percent, post, sm2_sign};
use crate::yst_till::{Till, code_pay};

async fn download(till: &Till, date: &str, signed_date: &str) -> Raw {
    let text = format!("200000000000000000011{signed_date}");
    let sign = percent(&sm2_sign(&yst_keys().merchant_sm2_private_key_pem, &text));
    let body = format!("appId=20000000000000000001&fileDate={date}&fileType=1&sign={sign}");
    let url = format!("{}/file/download", till.gateway.url());
    post(&url, "application/x-www-form-urlencoded", &body).await.unwrap()
}

#[tokio::test]
async fn the_statement_of_yesterday_has_a_line_for_each_movement() {
    let till = Till::open().await;
    let guarantee = json!({
        "reqTraceNum": "G1", "orderAmount": 350, "payMode": code_pay(&till.phone.pay_code()),
        "receiverList": [{ "signNum": "OPERATOR001", "amount": 350 }],
    });
    till.ask("2089", guarantee).await;
    let original = |number: &str| json!({ "reqTraceNum": number, "orgReqTraceNum": "G1", "orgTransDate": "20250601" });
    let mut confirm = original("C1");
    confirm["receiverList"] = json!([{ "signNum": "OPERATOR001", "amount": 250 }]);
    assert_eq!(till.ask("2090", confirm).await.resp(), "66666");
    let mut back = original("R1");
    back["orderAmount"] = json!(100);
    assert_eq!(till.ask("2294", back).await.resp(), "66666");
    assert!(download(&till, "20250601", "20250601").await.text().starts_with('{'), "the day is not over");
    till.pass(24 * 3_600_000);
    assert!(download(&till, "20250601", "20250602").await.text().contains("20019"), "another day was signed");
    let text = download(&till, "20250601", "20250601").await.text();
    let rows: Vec<Vec<&str>> = text.lines().skip(1).map(|line| line.split('|').collect()).collect();
    assert_eq!(rows.len(), 3, "{text}");
    assert!(rows.iter().all(|row| row.len() == 24 && row[23].is_empty()), "{text}");
    let of = |code: &str| rows.iter().find(|row| row[1] == code).unwrap();
    let (paid, confirmed, returned) = (of("2089"), of("2090"), of("2294"));
    assert_eq!(
        (paid[2], paid[4], paid[5], paid[8], paid[17]),
        ("350", "20250601120000", "G1", "CODEPAY_VSP", "VSP501")
    );
    assert_eq!((paid[14], paid[16], paid[22]), ("350", "2", "00000001"));
    assert_eq!((confirmed[2], confirmed[6], confirmed[14], confirmed[15]), ("250", "G1", "0", "0"));
    assert_eq!((returned[2], returned[6], returned[17]), ("100", "G1", "VSP503"));
}
