//! What 云商通 refuses before any money moves, rule by rule.

use sandbox::allinpay::yst_keys;
use serde_json::{Value, json};

use crate::calling::{self, post};
use crate::yst_till::{Till, code_pay, consume, read};

fn sale() -> Value {
    consume("N1", 350, json!({ "SCAN_WEIXIN": {} }))
}

/// The outer code of a sale whose envelope is changed before it is signed.
async fn changed(till: &Till, name: &str, value: &str) -> (String, bool) {
    let mut fields = till.envelope("2085", &sale());
    fields.insert(name.to_owned(), value.into());
    let answer = read(&till.send("/tx/handle", till.signed(fields)).await.unwrap());
    (answer.code().to_owned(), answer.has_sign)
}

#[tokio::test]
async fn the_envelope_keeps_its_rules() {
    let till = Till::open().await;
    for (name, value, code) in [
        ("appId", "20000000000000000002", "20001"),
        ("spAppId", "20000000000000000009", "20001"),
        ("transCode", "Tx2085", "10001"),
        ("transCode", "3010", "10001"),
        ("transDate", "2025-06-01", "10001"),
        ("transTime", "120000000", "10001"),
        ("transTime", "114959", "10001"),
        ("transTime", "121001", "10001"),
        ("format", "xml", "10001"),
        ("charset", "GBK", "10001"),
        ("version", "2.0", "10001"),
        ("signType", "SM2", "10001"),
        ("signType", "", "10001"),
        ("bizData", "[]", "10001"),
    ] {
        let (found, has_sign) = changed(&till, name, value).await;
        assert_eq!(found, code, "{name}={value}");
        assert_eq!(has_sign, code != "20001", "{name}={value}");
    }
    assert!(till.control.ledger().open_codes.is_empty());
    assert_eq!(changed(&till, "newField", "is signed too").await.0, "00000");
}

#[tokio::test]
async fn the_window_of_time_is_a_switch() {
    let till = Till::with(|options| options.clock_tolerance_ms = None).await;
    assert_eq!(changed(&till, "transDate", "20240101").await.0, "00000");
}

#[tokio::test]
async fn a_service_provider_must_be_named_when_there_is_one() {
    let till = Till::with(|options| options.sp_app_id = Some("20000000000000000009".to_owned())).await;
    assert_eq!(till.try_ask("2085", sale()).await.unwrap().code(), "20001");
    assert_eq!(changed(&till, "spAppId", "20000000000000000009").await.0, "00000");
}

#[tokio::test]
async fn what_was_changed_after_signing_is_refused() {
    let till = Till::open().await;
    for (name, value) in [("bizData", "{}"), ("sign", "AAAA"), ("newField", "x"), ("transTime", "120001")] {
        let mut fields = till.signed(till.envelope("2085", &sale()));
        fields.insert(name.to_owned(), value.into());
        let answer = read(&till.send("/tx/handle", fields).await.unwrap());
        assert_eq!(answer.code(), "20019", "{name}");
    }
    let mut fields = till.signed(till.envelope("2085", &sale()));
    fields.insert("newField".to_owned(), "".into());
    let answer = read(&till.send("/tx/handle", fields).await.unwrap());
    assert_eq!(answer.code(), "00000", "what is empty is not signed");
}

#[tokio::test]
async fn both_shapes_of_the_private_key_sign() {
    let till = Till::open().await;
    let keys = yst_keys();
    for (number, pem) in
        [("A", keys.merchant_sm2_private_key_pem), ("B", keys.merchant_sm2_private_key_with_parameters_pem)]
    {
        let mut fields = till.envelope("2085", &consume(number, 1, json!({ "SCAN_ALIPAY": {} })));
        let pairs = fields.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap()));
        let sign = calling::sm2_sign(&pem, &calling::joined(pairs, &["sign", "signType"]));
        fields.insert("sign".to_owned(), sign.into());
        assert_eq!(read(&till.send("/tx/handle", fields).await.unwrap()).resp(), "66666");
    }
}

#[tokio::test]
async fn a_call_goes_to_its_path_as_posted_json() {
    let till = Till::open().await;
    let fields = till.signed(till.envelope("2085", &sale()));
    let answer = read(&till.send("/tq/handle", fields.clone()).await.unwrap());
    assert_eq!(answer.code(), "10001");
    assert_eq!(till.send("/tx/other", fields.clone()).await.unwrap().status, 404);
    let url = format!("{}/tx/handle", till.gateway.url());
    let body = Value::Object(fields).to_string();
    assert_eq!(calling::get(&url).await.unwrap().status, 405);
    assert_eq!(read(&post(&url, "text/plain", &body).await.unwrap()).code(), "10001");
    assert_eq!(read(&post(&url, "application/json", "{").await.unwrap()).code(), "10001");
    assert_eq!(read(&post(&url, "application/json", &body).await.unwrap()).code(), "00000");
}

#[tokio::test]
async fn members_keep_their_rules() {
    let till = Till::open().await;
    for (name, value, code) in [
        ("reqTraceNum", json!(""), "10001"),
        ("receiverSignNum", json!(null), "10001"),
        ("receiverSignNum", json!("NOBODY"), "30000"),
        ("orderAmount", json!(3.5), "10001"),
        ("orderAmount", json!("3.50"), "10001"),
        ("orderAmount", json!(0), "10001"),
        ("payAmount", json!(349), "10001"),
        ("couponAmount", json!(351), "10001"),
        ("sepDetail", json!([{ "signNum": "OPERATOR002", "amount": 351 }]), "10001"),
        ("sepDetail", json!([{ "signNum": "NOBODY", "amount": 1 }]), "30000"),
        ("orderValidTime", json!("20250601130000"), "10001"),
        ("orderValidTime", json!("2025-06-01 11:59:59"), "10001"),
        ("extendParams", json!("a|b"), "10001"),
        ("respUrl", json!("http://127.0.0.1/#x"), "10001"),
        ("payMode", json!({}), "10001"),
        ("payMode", json!({ "SCAN_WEIXIN": {}, "SCAN_ALIPAY": {} }), "10001"),
        ("payMode", json!({ "SCAN_QQ": {} }), "10001"),
        ("payMode", json!({ "BALANCE": {} }), "10001"),
        ("payMode", json!({ "SCAN_WEIXIN": 1 }), "10001"),
        ("payMode", json!({ "SCAN_WEIXIN": { "vspCusid": "990000000000002" } }), "10001"),
        ("payMode", json!({ "CODEPAY_VSP": { "authcode": "130000000000000001" } }), "10001"),
    ] {
        let mut biz = sale();
        biz[name] = value.clone();
        assert_eq!(till.ask("2085", biz).await.resp(), code, "{name}={value}");
    }
    assert!(till.control.ledger().open_codes.is_empty());
}

#[tokio::test]
async fn amounts_and_pay_modes_come_in_two_forms() {
    let till = Till::open().await;
    let mut biz = sale();
    biz["orderAmount"] = json!("350");
    biz["payMode"] = json!({ "SCAN_WEIXIN": "{\"limitPay\":\"no_credit\"}" });
    assert_eq!(till.ask("2085", biz).await.resp(), "66666");
    let code = till.phone.pay_code();
    let mut mode = code_pay(&code);
    mode["CODEPAY_VSP"]["termInfo"] = mode["CODEPAY_VSP"]["termInfo"].to_string().into();
    let mode = json!({ "CODEPAY_VSP": mode["CODEPAY_VSP"].to_string() });
    assert_eq!(till.ask("2085", consume("N2", 350, mode)).await.resp(), "66666");
    assert_eq!(till.control.ledger().charged_fen(), 350);
}

#[tokio::test]
async fn a_number_is_used_once() {
    let till = Till::open().await;
    till.code("N1", 350).await;
    assert_eq!(till.ask("2085", sale()).await.resp(), "40017");
    assert_eq!(till.control.ledger().open_codes.len(), 1);
}

#[tokio::test]
async fn only_a_filed_terminal_collects() {
    let till = Till::open().await;
    let sell = |number: &'static str, code: String| {
        let mut mode = code_pay(&code);
        mode["CODEPAY_VSP"]["termInfo"]["termNo"] = "00000002".into();
        consume(number, 1, mode)
    };
    assert_eq!(till.ask("2085", sell("N1", till.phone.pay_code())).await.resp(), "10001");
    let file = |operation: &str| {
        json!({ "cusId": "990000000000001", "termNo": "00000002", "operation": operation, "deviceType": "10",
                "termAddress": "上海市" })
    };
    assert_eq!(till.ask("4001", file("02")).await.resp(), "10001", "not there yet");
    let filed = till.ask("4001", file("00")).await;
    assert_eq!((filed.resp(), filed.member("retCode"), filed.member("wxState")), ("00000", "SUCCESS", "1"));
    assert_eq!(till.ask("4001", file("00")).await.resp(), "10001", "twice");
    assert_eq!(till.ask("2085", sell("N1", till.phone.pay_code())).await.resp(), "66666");
    assert_eq!(till.control.ledger().charged_fen(), 1);
}

#[tokio::test]
async fn sign_type_stands_in_answers_when_the_switch_says_so() {
    for stands in [false, true] {
        let till = Till::with(|options| options.sign_type_in_answers = stands).await;
        let answer = till.ask("2085", sale()).await;
        assert_eq!(answer.outer["signType"].is_string(), stands);
        assert!(answer.signed, "it is never part of the text");
    }
}
