//! What VSP refuses before any money moves, rule by rule.

use sandbox::allinpay::{ClosePath, SignType};

use crate::calling::{self, post, rsa_sign, set, without};
use crate::vsp_till::{TERMINFO, Till, charge_pairs};

const SALE: [(&str, &str); 4] = [("reqsn", "N1"), ("trxamt", "350"), ("paytype", "W01"), ("body", "可乐")];

/// The retcode of a sale that is changed before it is signed.
async fn changed(till: &Till, name: &str, value: &str) -> String {
    let mut params = till.params(&SALE);
    set(&mut params, name, value);
    let answer = till.read(&till.send("/unitorder/pay", &till.signed(params)).await.unwrap());
    answer.retcode().to_owned()
}

#[tokio::test]
async fn all_three_signatures_work_and_only_that_of_the_merchant() {
    for sign_type in [SignType::Md5, SignType::Rsa, SignType::Sm2] {
        let till = Till::with(|options| options.sign_type = sign_type).await;
        till.code("N1", "350", "W01").await;
        for other in ["MD5", "RSA", "SM2", "rsa", ""].into_iter().filter(|other| *other != sign_type.wire()) {
            let mut params = till.params(&SALE);
            set(&mut params, "signtype", other);
            set(&mut params, "reqsn", "N2");
            let answer = till.read(&till.send("/unitorder/pay", &till.signed(params)).await.unwrap());
            assert_eq!(answer.retcode(), "FAIL", "{sign_type:?} took {other:?}");
        }
        assert_eq!(till.control.ledger().open_codes.len(), 1);
    }
}

#[tokio::test]
async fn a_merchant_key_of_1024_bit_is_good_enough() {
    let till = Till::with(|options| {
        let public = include_str!("../../keys/vsp_platform_rsa_public_key.pem");
        options.merchant_rsa_public_key_pem = Some(public.to_owned());
    })
    .await;
    let mut params = till.params(&SALE);
    let pairs = params.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let text = calling::joined(pairs, &["sign"]);
    let sign = rsa_sign(include_str!("../../keys/vsp_platform_rsa_private_key.pem"), &text);
    set(&mut params, "sign", &sign);
    let answer = till.read(&till.send("/unitorder/pay", &params).await.unwrap());
    assert_eq!(answer.status(), "0000", "{}", answer.node);
}

#[tokio::test]
async fn a_field_that_no_document_knows_is_signed_too() {
    let till = Till::open().await;
    let mut params = till.params(&SALE);
    set(&mut params, "newfield", "x");
    let answer = till.read(&till.send("/unitorder/pay", &till.signed(params)).await.unwrap());
    assert_eq!(answer.status(), "0000");
    let mut params = till.signed(till.params(&[("reqsn", "N1")]));
    params.push(("newfield".to_owned(), "x".to_owned()));
    assert_eq!(till.read(&till.send("/tranx/query", &params).await.unwrap()).retcode(), "FAIL");
    without(&mut params, "newfield");
    params.push(("remark".to_owned(), String::new()));
    assert_eq!(till.read(&till.send("/tranx/query", &params).await.unwrap()).retcode(), "SUCCESS");
    without(&mut params, "sign");
    assert_eq!(till.read(&till.send("/tranx/query", &params).await.unwrap()).retcode(), "FAIL");
}

#[tokio::test]
async fn only_a_posted_form_is_read() {
    let till = Till::open().await;
    let body = calling::form(&till.signed(till.params(&SALE)));
    let url = till.address("/unitorder/pay");
    let answer = till.read(&post(&url, "application/json", &body).await.unwrap());
    assert_eq!((answer.retcode(), answer.has_sign), ("FAIL", false));
    assert_eq!(calling::get(&url).await.unwrap().status, 405);
    assert_eq!(post(&till.address("/unitorder/nothing"), "x", "").await.unwrap().status, 404);
    let twice = format!("{body}&reqsn=N1");
    let answer = till.read(&post(&url, "application/x-www-form-urlencoded", &twice).await.unwrap());
    assert_eq!(answer.retcode(), "FAIL");
    assert!(till.control.ledger().open_codes.is_empty());
}

#[tokio::test]
async fn a_stranger_gets_no_signature() {
    let till = Till::open().await;
    for (name, value) in [("cusid", "990000000000002"), ("appid", "00000002"), ("orgid", "990000000000001")] {
        let mut params = till.params(&SALE);
        set(&mut params, name, value);
        let answer = till.read(&till.send("/unitorder/pay", &till.signed(params)).await.unwrap());
        assert_eq!((answer.retcode(), answer.has_sign), ("FAIL", false), "{name}");
    }
    let group = Till::with(|options| options.orgid = Some("550000000000001".to_owned())).await;
    assert_eq!(changed(&group, "orgid", "990000000000001").await, "FAIL", "cusid was sent twice");
    assert_eq!(changed(&group, "orgid", "550000000000001").await, "SUCCESS");
}

#[tokio::test]
async fn fields_keep_their_rules() {
    let till = Till::open().await;
    for (name, value) in [
        ("trxamt", "0"),
        ("trxamt", "3.50"),
        ("trxamt", "-1"),
        ("trxamt", "0350"),
        ("trxamt", ""),
        ("reqsn", ""),
        ("reqsn", "123456789012345678901234567890123"),
        ("reqsn", "N 1"),
        ("paytype", ""),
        ("paytype", "W02"),
        ("paytype", "X01"),
        ("validtime", "0"),
        ("validtime", "121"),
        ("expiretime", "2025-06-01 12:10:00"),
        ("expiretime", "20250601115959"),
        ("limit_pay", "none"),
        ("extendparams", "[]"),
        ("notify_url", "http://127.0.0.1/notice?a=1"),
        ("asinfo", "990000000000001:01:3.501"),
        ("asinfo", "990000000000001:01:3.51"),
        ("version", "10"),
        ("randomstr", ""),
    ] {
        assert_eq!(changed(&till, name, value).await, "FAIL", "{name}={value}");
    }
    let long = "可".repeat(51);
    assert_eq!(changed(&till, "body", &long).await, "FAIL");
    assert_eq!(changed(&till, "remark", &"x".repeat(161)).await, "FAIL");
    assert!(till.control.ledger().open_codes.is_empty());
    assert_eq!(changed(&till, "asinfo", "990000000000001:01:3.50;").await, "SUCCESS");
}

#[tokio::test]
async fn version_12_has_more_words_for_failure() {
    let till = Till::open().await;
    for (path, name, value, word) in
        [("/unitorder/pay", "trxamt", "0", "PARAMERR"), ("/unitorder/pay", "signtype", "MD5", "SIGNAUTHERR")]
    {
        for (version, expected) in [("11", "FAIL"), ("12", word)] {
            let mut params = till.params(&SALE);
            set(&mut params, name, value);
            set(&mut params, "version", version);
            let answer = till.read(&till.send(path, &till.signed(params)).await.unwrap());
            assert_eq!(answer.retcode(), expected, "{name} in version {version}");
        }
    }
}

#[tokio::test]
async fn an_aggregated_code_needs_its_end() {
    let till = Till::open().await;
    let pairs = [("reqsn", "N1"), ("trxamt", "350"), ("validtime", "5")];
    assert_eq!(till.ask("/unitorder/nativepay", &pairs).await.retcode(), "FAIL");
    assert!(till.native("N1", "350").await.starts_with("https://"));
}

#[tokio::test]
async fn only_a_filed_terminal_collects() {
    let till = Till::open().await;
    let other = r#"{"devicetype":"10","termno":"00000002"}"#;
    let file =
        |operation| [("termno", "00000002"), ("operation", operation), ("devicetype", "10"), ("termaddress", "上海市")];
    for (terminfo, passes) in [
        ("", false),
        ("00000001", false),
        (r#"{"devicetype":"11","termno":"00000001"}"#, false),
        (other, false),
        (TERMINFO, true),
    ] {
        let code = till.phone.pay_code();
        let mut pairs = charge_pairs("N1", "1", &code);
        pairs[3].1 = terminfo;
        let answer = till.ask("/unitorder/scanqrpay", &pairs).await;
        assert_eq!(answer.status() == "0000", passes, "{terminfo}: {}", answer.node);
    }
    assert_eq!(till.ask("/cusapi/merchantapi/addterm", &file("01")).await.retcode(), "FAIL");
    for operation in ["00", "01", "03"] {
        assert_eq!(till.ask("/cusapi/merchantapi/addterm", &file(operation)).await.retcode(), "SUCCESS", "{operation}");
    }
    assert_eq!(till.ask("/cusapi/merchantapi/addterm", &file("00")).await.retcode(), "FAIL", "filed twice");
    let code = till.phone.pay_code();
    let mut pairs = charge_pairs("N2", "1", &code);
    pairs[3].1 = other;
    assert_eq!(till.ask("/unitorder/scanqrpay", &pairs).await.status(), "0000");
    till.ask("/cusapi/merchantapi/addterm", &file("02")).await;
    assert_eq!(till.control.filed_terminals(), ["00000001"]);
}

#[tokio::test]
async fn the_path_of_closing_is_a_switch() {
    for (paths, unitorder, tranx) in
        [(ClosePath::Unitorder, 200, 404), (ClosePath::Tranx, 404, 200), (ClosePath::Both, 200, 200)]
    {
        let till = Till::with(|options| options.close_path = paths).await;
        let params = till.signed(till.params(&[("oldreqsn", "N1")]));
        let status = [
            till.send("/unitorder/close", &params).await.unwrap().status,
            till.send("/tranx/close", &params).await.unwrap().status,
        ];
        assert_eq!(status, [unitorder, tranx], "{paths:?}");
    }
}
