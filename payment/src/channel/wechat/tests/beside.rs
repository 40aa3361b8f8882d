//! What the daemon asks for beside the engine: bills, complaints, notices.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::civil::date;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use serde_json::json;
use sha1::{Digest, Sha1};

use super::*;
use crate::channel::wechat::notice::Content;
use crate::channel::wechat::{BillError, BillKind, BillLocation, Complaint, ComplaintError, NoticeError};

const BILL: &[u8] = "\u{feff}交易时间,微信订单号\r\n`2026-05-28 10:00:00,`4200\r\n".as_bytes();
const ADDRESS: &str = "https://api.mch.weixin.qq.com/v3/billdownload/file?token=a%2Bb&tartype=gzip";

fn sha1(bytes: &[u8]) -> String {
    Sha1::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn located(url: &str, hash: &str) -> Result<BillLocation, BillError> {
    let body = json!({ "hash_type": "SHA1", "hash_value": hash, "download_url": url }).to_string();
    wechat(config()).bill_location(NOW, &signed(200, &body))
}

fn file(body: Vec<u8>) -> HttpReply {
    HttpReply { status: 200, headers: Vec::new(), body }
}

#[test]
fn a_bill_is_asked_for_located_fetched_and_checked() {
    let channel = wechat(config());
    let asked = |kind| channel.bill_request(kind, date(2026, 5, 28), NOW, ENTROPY).url;
    let host = "https://api.mch.weixin.qq.com/v3/bill";
    assert_eq!(asked(BillKind::Trades), format!("{host}/tradebill?bill_date=2026-05-28&bill_type=ALL&tar_type=GZIP"));
    let funds = format!("{host}/fundflowbill?bill_date=2026-05-28&account_type=BASIC&tar_type=GZIP");
    assert_eq!(asked(BillKind::Funds), funds);
    let location = located(ADDRESS, &sha1(BILL)).unwrap();
    let fetch = channel.bill_download(&location, NOW, ENTROPY);
    assert_eq!(fetch.url, ADDRESS);
    assert_eq!(fetch.backup_url.as_deref(), Some(ADDRESS.replace("api.mch", "api2.mch").as_str()));
    assert!(header(&fetch, "Authorization").starts_with("WECHATPAY2-SHA256-RSA2048 "));
    assert_eq!(channel.bill_content(&location, &file(gzip(BILL))).as_deref(), Ok(BILL));
    assert_eq!(channel.bill_content(&location, &file(BILL.to_vec())).as_deref(), Ok(BILL));
    let over_packed = located(ADDRESS, &sha1(&gzip(BILL)).to_uppercase()).unwrap();
    assert_eq!(channel.bill_content(&over_packed, &file(gzip(BILL))).as_deref(), Ok(BILL));
}

#[test]
fn a_bill_that_is_not_whole_is_refused() {
    let channel = wechat(config());
    let location = located(ADDRESS, &sha1(BILL)).unwrap();
    let packed = gzip(BILL);
    let mut bodies = vec![Vec::new(), gzip(b"other"), BILL[..20].to_vec(), packed[..packed.len() - 9].to_vec()];
    bodies.push(br#"{"code":"NO_AUTH"}"#.to_vec());
    for body in bodies {
        assert!(channel.bill_content(&location, &file(body)).is_err());
    }
    let refused = channel.bill_content(&location, &unsigned(403, &failure("NO_AUTH")));
    assert!(matches!(refused, Err(BillError::Refused { status: 403, .. })));
}

#[test]
fn our_signature_goes_to_wechats_hosts_only() {
    for url in [
        "https://api.mch.weixin.qq.com.evil.example/v3/billdownload/file?token=1",
        "https://api.mch.weixin.qq.com@evil.example/v3/x",
        "https://evil.example/https://api.mch.weixin.qq.com/v3/x",
        "http://api.mch.weixin.qq.com/v3/billdownload/file?token=1",
        "https://api.mch.weixin.qq.com:8443/v3/x",
        "https://api.mch.weixin.qq.com/v3/x y",
        "https://api.mch.weixin.qq.com/v3/x\r\nHost: evil.example",
        "",
        "v3",
    ] {
        assert!(matches!(located(url, "00"), Err(BillError::ForeignHost(_))), "{url}");
    }
    assert!(located("https://api2.wechatpay.cn/v3/bill/downloadurl?token=1", "00").is_ok());
}

#[test]
fn days_without_a_bill_are_told_apart() {
    let channel = wechat(config());
    let of = |code: &str| channel.bill_location(NOW, &unsigned(400, &failure(code)));
    assert_eq!(of("NO_STATEMENT_EXIST"), Err(BillError::NoBill));
    assert_eq!(of("STATEMENT_CREATING"), Err(BillError::NotYet));
    assert!(matches!(of("INVALID_REQUEST"), Err(BillError::Refused { .. })));
    let location = json!({ "hash_type": "SHA1", "hash_value": "00", "download_url": ADDRESS }).to_string();
    assert!(matches!(channel.bill_location(NOW, &unsigned(200, &location)), Err(BillError::Unverified(_))));
    assert!(matches!(channel.bill_location(NOW, &signed(200, "{}")), Err(BillError::Malformed(_))));
    let md5 = location.replace("SHA1", "MD5");
    assert!(matches!(channel.bill_location(NOW, &signed(200, &md5)), Err(BillError::Malformed(_))));
}

#[test]
fn complaints_are_read_and_their_phone_numbers_opened_for_who_calls() {
    let channel = wechat(config());
    let asked = channel.complaints_request(date(2026, 5, 1), date(2026, 5, 28), 50, NOW, ENTROPY);
    let path = "/v3/merchant-service/complaints-v2?limit=50&offset=50&begin_date=2026-05-01&end_date=2026-05-28";
    assert!(asked.url.ends_with(path), "{}", asked.url);
    let body = json!({ "data": [{
        "complaint_id": "200000020221020220032600130840",
        "complaint_time": "2026-05-28T10:00:00+08:00",
        "complaint_state": "PENDING",
        "complaint_detail": "没有出货",
        "payer_phone": text("/sensitive_fields/1/ciphertext"),
        "payer_openid": OPENID,
        "complaint_order_info": [{ "transaction_id": TRADE_NO, "out_trade_no": "P1", "amount": 350 }],
        "problem_type": "REFUND",
        "apply_refund_amount": 350,
        "incoming_user_response": true,
    }], "total_count": 1 })
    .to_string();
    let found = channel.complaints(NOW, &signed(200, &body)).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(channel.phone(&found[0]).map(|phone| phone.expose().clone()).as_deref(), Some("13800138000"));
    let other = Complaint { sealed_phone: Some("bm90IG91cnM=".to_owned()), ..found[0].clone() };
    assert!(channel.phone(&other).is_none(), "what does not open with our key");
    assert_eq!((found[0].state.as_str(), found[0].detail.as_str()), ("PENDING", "没有出货"));
    assert_eq!((found[0].orders[0].amount, found[0].wants_back), (Fen::new(350), Some(Fen::new(350))));
    assert!(found[0].awaits_answer && !found[0].is_refunded);
    assert!(!format!("{found:?}").contains("13800138000"));
    assert!(matches!(channel.complaints(NOW, &unsigned(200, &body)), Err(ComplaintError::Unverified(_))));
    assert!(matches!(channel.complaints(NOW, &signed(200, "[]")), Err(ComplaintError::Malformed(_))));
    let limited = channel.complaints(NOW, &unsigned(429, &failure("FREQUENCY_LIMITED")));
    assert!(matches!(limited, Err(ComplaintError::Refused { status: 429, .. })));
}

#[test]
fn a_service_provider_asks_for_the_sub_merchants_bill_and_complaints_only() {
    let channel = wechat(partner(config()));
    let day = date(2026, 5, 1);
    let bill = channel.bill_request(BillKind::Trades, day, NOW, ENTROPY);
    assert!(bill.url.ends_with("&tar_type=GZIP&sub_mchid=1900000109"), "{}", bill.url);
    let complaints = channel.complaints_request(day, day, 0, NOW, ENTROPY);
    assert!(complaints.url.ends_with("&end_date=2026-05-01&complainted_mchid=1900000109"), "{}", complaints.url);
    let funds = channel.bill_request(BillKind::Funds, day, NOW, ENTROPY);
    assert!(!funds.url.contains("mchid"), "{}", funds.url);
}

/// A notice with this content, encrypted under our APIv3 key and signed.
fn notice(event: &str, kind: &str, plain: &str) -> HttpReply {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, text("/apiv3_key").as_bytes()).unwrap());
    let mut bytes = plain.as_bytes().to_vec();
    let nonce = Nonce::try_assume_unique_for_key(b"0123456789ab").unwrap();
    key.seal_in_place_append_tag(nonce, Aad::from(b"aad"), &mut bytes).unwrap();
    let body = json!({
        "id": "N1", "create_time": "2026-05-29T04:26:40+08:00", "resource_type": "encrypt-resource",
        "event_type": event, "summary": "通知",
        "resource": {
            "original_type": kind, "algorithm": "AEAD_AES_256_GCM", "ciphertext": STANDARD.encode(bytes),
            "associated_data": "aad", "nonce": "0123456789ab",
        },
    });
    signed(200, &body.to_string())
}

fn content(event: &str, kind: &str, plain: &str) -> Result<Content, NoticeError> {
    let sent = notice(event, kind, plain);
    wechat(config()).notice(NOW, &sent.headers, &sent.body).map(|notice| notice.content)
}

#[test]
fn a_payment_notice_must_be_ours_and_a_payment() {
    let paid = paid();
    let Ok(Content::Payment { out_trade_no, receipt }) = content("TRANSACTION.SUCCESS", "transaction", &paid) else {
        panic!("it is a payment");
    };
    assert_eq!((out_trade_no.as_str(), receipt.trade_no.as_str()), (attempt().as_str(), TRADE_NO));
    let other = paid.replace("\"mchid\":\"1900000001\"", "\"mchid\":\"1900000002\"");
    assert!(matches!(content("TRANSACTION.SUCCESS", "transaction", &other), Err(NoticeError::NotOurs(_))));
    let unpaid = paid.replace("SUCCESS", "NOTPAY");
    assert!(matches!(content("TRANSACTION.SUCCESS", "transaction", &unpaid), Err(NoticeError::Malformed(_))));
    assert!(matches!(content("TRANSACTION.SUCCESS", "transaction", "no JSON"), Err(NoticeError::Malformed(_))));
}

#[test]
fn alarms_are_read_and_unknown_events_kept() {
    let risk = r#"{"mchid":"1900000001","out_trade_no":"P1","risk_type":2,"risk_level":"3"}"#;
    let expected = Content::Risk { out_trade_no: "P1".into(), kind: "2".into(), level: "3".into() };
    assert_eq!(content("RISKTRADE.IDENTIFICATION", "risk", risk), Ok(expected));
    let punished = r#"{"risk_description":"欺诈","punish_description":"关闭支付","punish_plan":"x"}"#;
    let expected = Content::Violation { risk: "欺诈".into(), punishment: "关闭支付".into() };
    assert_eq!(content("VIOLATION.PUNISH", "violation", punished), Ok(expected));
    for (event, kind, plain) in [
        ("A.NEW_ONE", "new", "{}"),
        ("BLOCKRECORD.CHANGE", "block_record", r#"{"block_count_level":"LESS_THAN_TWENTY"}"#),
        ("RISKTRADE.IDENTIFICATION", "risk", "no JSON"),
        ("VIOLATION.PUNISH", "violation", "{}"),
        // One mirror of the documents has this event name for a sharing of profits.
        ("TRANSACTION.SUCCESS", "profitsharing", "{}"),
    ] {
        let expected = Content::Other { kind: Some(kind.into()), plain: plain.into() };
        assert_eq!(content(event, kind, plain), Ok(expected), "{event}");
    }
}

#[test]
fn a_notice_that_is_not_verified_is_not_opened() {
    let channel = wechat(config());
    let sent = notice("TRANSACTION.SUCCESS", "transaction", &paid());
    let late = Wall { ms: NOW.ms + 300_000, ..NOW };
    assert!(matches!(channel.notice(late, &sent.headers, &sent.body), Err(NoticeError::Unverified(_))));
    assert!(matches!(channel.notice(NOW, &[], &sent.body), Err(NoticeError::Unverified(_))));
    let mut probe = sent.headers.clone();
    probe[3].1 = "WECHATPAY/SIGNTEST/x".into();
    assert!(matches!(channel.notice(NOW, &probe, &sent.body), Err(NoticeError::Unverified(_))));
    let mut unknown = sent.headers.clone();
    unknown[2].1 = "A".repeat(40);
    assert!(matches!(channel.notice(NOW, &unknown, &sent.body), Err(NoticeError::UnknownKey { .. })));
    let other = Config { apiv3_key: Secret::new("X".repeat(32)), ..config() };
    assert!(matches!(wechat(other).notice(NOW, &sent.headers, &sent.body), Err(NoticeError::Sealed(_))));
}
