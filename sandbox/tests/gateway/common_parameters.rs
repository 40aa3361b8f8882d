//! What is refused before any business.

use serde_json::json;

use crate::calling::{Answer, Params, percent, post, send, set, signed, without};
use crate::till::{Till, precreate_biz};

async fn refused(change: impl FnOnce(&mut Params)) -> (String, String) {
    let till = Till::open().await;
    let mut params = till.params("alipay.trade.precreate", &precreate_biz("N1", "3.50"));
    change(&mut params);
    let answer = send(&till.gateway.url(), &signed(params)).await.unwrap();
    assert!(till.control.ledger().open_codes.is_empty(), "it was carried out");
    (answer.code().to_owned(), answer.sub_code().to_owned())
}

#[tokio::test]
async fn every_common_parameter_is_demanded() {
    for (name, sub_code) in [
        ("app_id", "isv.missing-app-id"),
        ("method", "isv.missing-method"),
        ("charset", "isv.missing-charset"),
        ("sign_type", "isv.missing-signature-type"),
        ("timestamp", "isv.missing-timestamp"),
        ("version", "isv.missing-version"),
        ("biz_content", "isv.missing-biz-content"),
    ] {
        let refused = refused(|params| without(params, name)).await;
        assert_eq!(refused, ("40001".to_owned(), sub_code.to_owned()));
    }
}

#[tokio::test]
async fn every_common_parameter_must_be_right() {
    for (name, value, sub_code) in [
        ("app_id", "2021000000000002", "isv.invalid-app-id"),
        ("method", "alipay.trade.give", "isv.invalid-method"),
        ("format", "xml", "isv.invalid-format"),
        ("charset", "latin1", "isv.invalid-charset"),
        ("sign_type", "RSA", "isv.invalid-signature-type"),
        ("version", "2.0", "isv.invalid-version"),
        ("encrypt_type", "AES", "isv.invalid-encrypt-type"),
        ("timestamp", "2025-06-01T12:00:00", "isv.invalid-timestamp"),
        ("app_cert_sn", "e06e0531c04f46cad125015350a029d2", "isv.invalid-parameter"),
        ("alipay_root_cert_sn", "00", "isv.invalid-parameter"),
        ("biz_content", "[]", "isv.invalid-parameter"),
        ("biz_content", "{", "isv.invalid-parameter"),
    ] {
        let refused = refused(|params| set(params, name, value)).await;
        assert_eq!(refused, ("40002".to_owned(), sub_code.to_owned()), "{name}={value}");
    }
}

#[tokio::test]
async fn the_timestamp_is_china_time_within_ten_minutes() {
    for (timestamp, taken) in [
        ("2025-06-01 12:10:00", true),
        ("2025-06-01 11:50:00", true),
        ("2025-06-01 12:10:01", false),
        ("2025-06-01 11:49:59", false),
        ("2025-06-01 04:00:00", false),
    ] {
        let till = Till::open().await;
        let mut params = till.params("alipay.trade.query", &json!({ "out_trade_no": "N1" }));
        set(&mut params, "timestamp", timestamp);
        let answer = send(&till.gateway.url(), &signed(params)).await.unwrap();
        let refused = answer.sub_code() == "isv.invalid-timestamp";
        assert_eq!(!refused, taken, "{timestamp}: {}", answer.text());
    }
}

#[tokio::test]
async fn an_empty_parameter_is_left_out_of_the_signature() {
    let till = Till::open().await;
    let mut params = till.params("alipay.trade.precreate", &precreate_biz("N1", "3.50"));
    set(&mut params, "app_auth_token", "");
    let answer = send(&till.gateway.url(), &signed(params)).await.unwrap();
    assert_eq!(answer.code(), "10000", "{}", answer.text());
}

async fn after_signing(change: impl FnOnce(&mut Params)) -> Answer {
    let till = Till::open().await;
    let biz = precreate_biz("N1", "3.50");
    let mut params = signed(till.params("alipay.trade.precreate", &biz));
    change(&mut params);
    send(&till.gateway.url(), &params).await.unwrap()
}

#[tokio::test]
async fn what_was_changed_after_signing_is_refused_and_echoed() {
    let cheaper = precreate_biz("N1", "0.50").to_string();
    let answer = after_signing(|params| set(params, "biz_content", &cheaper)).await;
    assert_eq!((answer.code(), answer.sub_code()), ("40002", "isv.invalid-signature"));
    let echo = answer.member("sub_msg");
    assert!(echo.contains("app_id=2021000000000001&amp;biz_content={&quot;out_trade_no"), "{echo}");
    let answer = after_signing(|params| set(params, "notify_url", "https://x.example")).await;
    assert_eq!(answer.sub_code(), "isv.invalid-signature");
    let answer = after_signing(|params| without(params, "sign")).await;
    assert_eq!((answer.code(), answer.sub_code()), ("40001", "isv.missing-signature"));
    let answer = after_signing(|params| set(params, "sign", "%%%")).await;
    assert_eq!(answer.sub_code(), "isv.invalid-signature");
}

#[tokio::test]
async fn the_body_is_a_form() {
    let till = Till::open().await;
    let params = signed(till.params("alipay.trade.precreate", &precreate_biz("N1", "3.50")));
    let pairs = params.iter().map(|(name, value)| format!("{name}={}", percent(value)));
    let (body, query): (Vec<String>, Vec<String>) = pairs.partition(|pair| pair.starts_with("biz_content"));
    let (query, body) = (query.join("&"), body.join("&"));
    let form = "application/x-www-form-urlencoded";
    let url = till.gateway.url();
    let answer = post(&url, &query, &body, "application/json").await.unwrap();
    assert_eq!(answer.code(), "40002", "the signature cannot hold without the body");
    let answer = post(&url, &query, &format!("{body}&{query}"), form).await.unwrap();
    assert_eq!(answer.sub_code(), "isv.suspected-attack");
    let answer = post(&url, "", &format!("{body}&{query}"), form).await.unwrap();
    assert_eq!(answer.sub_code(), "isv.missing-charset");
    let answer = post(&url, &query, &body, form).await.unwrap();
    assert_eq!(answer.code(), "10000");
}
