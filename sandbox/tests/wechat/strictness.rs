//! The checks before the business layer, one by one and in their order; the published vectors.

use sandbox::wechat::{KeyMode, other_merchant_keys};
use serde_json::{Value, json};

use crate::calling::{Ask, der, open};
use crate::till::{NATIVE, NUMBER, REFUNDS, Till, native, refund_body};

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/requests.json")).unwrap()
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap()
}

fn vector_ask(vector: &Value) -> Ask {
    let mut ask = Ask::new(text(vector, "method"), text(vector, "url_path_and_query"), text(vector, "body"));
    ask.set("Authorization", text(vector, "authorization"));
    ask
}

#[tokio::test]
async fn every_vector_passes_the_signature_and_none_does_when_a_byte_is_different() {
    let till = Till::open().await;
    till.set_clock(1_780_000_000_000);
    for vector in vectors()["request_signatures"].as_array().unwrap() {
        let name = text(vector, "name");
        let answer = vector_ask(vector).send(&till.gateway.url()).await.unwrap();
        assert_ne!(answer.status, 401, "{name}: {}", answer.text());
        let mut spoiled = vector_ask(vector);
        match spoiled.body.is_empty() {
            true => spoiled.target.push_str("&x=1"),
            false => spoiled.body.push(' '),
        }
        let answer = spoiled.send(&till.gateway.url()).await.unwrap();
        assert_eq!((answer.status, &*answer.member("/message")), (401, "签名错误"), "{name}");
    }
}

#[tokio::test]
async fn the_path_and_the_method_come_first_and_their_answers_are_empty() {
    let till = Till::open().await;
    for (method, path, status) in
        [("POST", "/v3/pay/transactions/jsapi", 404), ("GET", NATIVE, 405), ("PUT", NATIVE, 405)]
    {
        let answer = Ask::new(method, path, "").send(&till.gateway.url()).await.unwrap();
        assert_eq!((answer.status, answer.body.len()), (status, 0), "{method} {path}");
    }
}

#[tokio::test]
async fn certificates_and_refunds_want_a_user_agent_before_anything_else() {
    let till = Till::open().await;
    for (target, status) in
        [("/v3/certificates", 400), (&*format!("{REFUNDS}/R1"), 400), (&*format!("{NUMBER}/N00001?mchid=1"), 401)]
    {
        let mut ask = Ask::new("GET", target, "");
        ask.set("User-Agent", "");
        assert_eq!(ask.send(&till.gateway.url()).await.unwrap().status, status, "{target}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_the_authorization_is_told_in_the_channels_words() {
    let till = Till::open().await;
    let malformed = "Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》";
    let good = till.ask_for("POST", NATIVE, &native("N00001", 350));
    let value = good.header("Authorization");
    let other = other_merchant_keys();
    let cases = [
        (String::new(), "签名信息错误，验签失败"),
        ("Bearer x".to_owned(), "签名信息错误，验签失败"),
        (value.replace("WECHATPAY2-SHA256-RSA2048", "WECHATPAY2-SM2-WITH-SM3"), "HTTP头Authorization认证类型不正确"),
        (value.replace(",timestamp", ", timestamp"), malformed),
        (value.replace('"', "'"), malformed),
        (value.replace("nonce_str", "nonce"), malformed),
        (value.replace(&till.keys.serial_no, &other.serial_no), "商户证书序列号有误。请使用签名私钥匹配的证书序列号"),
        (value.replace("signature=\"", "signature=\"AAAA"), "签名错误"),
    ];
    for (authorization, message) in cases {
        let mut ask = good.clone();
        ask.set("Authorization", &authorization);
        let answer = ask.send(&till.gateway.url()).await.unwrap();
        assert_eq!((answer.status, &*answer.code(), &*answer.member("/message")), (401, "SIGN_ERROR", message));
        assert!(!answer.has_signature_headers());
    }
    let answer =
        Ask::new("GET", "/v3/bill/tradebill?bill_date=2025-05-31", "").send(&till.gateway.url()).await.unwrap();
    assert_eq!(answer.member("/message"), malformed);
}

#[tokio::test]
async fn the_clock_is_checked_before_the_signature_to_five_minutes() {
    let till = Till::open().await;
    for (off, status) in [(300, 200), (-300, 200), (301, 401), (-301, 401)] {
        let mut ask = till.ask_for("POST", NATIVE, &native("N00001", 350));
        ask.sign(&till.keys, till.now() / 1000 + off);
        let answer = ask.send(&till.gateway.url()).await.unwrap();
        assert_eq!(answer.status, status, "{off}: {}", answer.text());
        if status == 401 {
            ask.body.push(' ');
            let answer = ask.send(&till.gateway.url()).await.unwrap();
            assert!(answer.member("/message").contains("不得超过5分钟"));
        }
    }
}

#[tokio::test]
async fn every_field_rule_points_at_its_field() {
    let till = Till::open().await;
    let long = "可".repeat(128);
    let cases = [
        ("/description", json!(long)),
        ("/description", json!("")),
        ("/description", json!(null)),
        ("/out_trade_no", json!("N1")),
        ("/out_trade_no", json!("N0001/1")),
        ("/out_trade_no", json!("N".repeat(33))),
        ("/notify_url", json!("http://pay.example.com/wx")),
        ("/notify_url", json!("https://pay.example.com/wx?a=1")),
        ("/notify_url", json!("https://127.0.0.1/wx")),
        ("/notify_url", json!("https://localhost/wx")),
        ("/amount/total", json!(0)),
        ("/amount/total", json!("350")),
        ("/amount/total", json!(3.5)),
        ("/amount/currency", json!("USD")),
        ("/time_expire", json!("2025-06-01 12:30:00")),
        ("/attach", json!("a".repeat(129))),
        ("/colour", json!("red")),
        ("/scene_info", json!({})),
        ("/scene_info/payer_client_ip", json!("here")),
        ("/settle_info/profit_sharing", json!("yes")),
        ("/detail/goods_detail", json!("x")),
    ];
    for (pointer, value) in cases {
        let mut body = native("N00001", 350);
        put(&mut body, pointer, value.clone());
        let answer = till.post(NATIVE, body).await;
        assert_eq!((answer.status, &*answer.code()), (400, "PARAM_ERROR"), "{pointer} {value}");
        assert_eq!(answer.member("/detail/field"), pointer, "{value}");
        assert_eq!(answer.member("/detail/location"), "body");
    }
    let mut body = native("N00001", 350);
    body["scene_info"] = json!({ "payer_client_ip": "203.0.113.7", "store_info": { "name": "x" } });
    assert_eq!(till.post(NATIVE, body).await.member("/detail/field"), "/scene_info/store_info/id");
    assert!(till.control.ledger().trades.is_empty());
}

/// Sets a member, making the objects above it.
fn put(body: &mut Value, pointer: &str, value: Value) {
    let mut at = body;
    for name in pointer.split('/').skip(1) {
        at = &mut at[name];
    }
    *at = value;
}

#[tokio::test]
async fn the_signer_must_be_the_merchant_of_the_request_and_the_application_bound_to_it() {
    let till = Till::open().await;
    let cases = [("mchid", "1900000002", "PARAM_ERROR"), ("appid", "wx0000000000000002", "APPID_MCHID_NOT_MATCH")];
    for (name, value, code) in cases {
        let mut body = native("N00001", 350);
        body[name] = json!(value);
        let answer = till.post(NATIVE, body).await;
        assert_eq!((answer.status, &*answer.code()), (400, code));
    }
    let answer = till.get(&format!("{NUMBER}/N00001?mchid=1900000002")).await;
    assert_eq!((answer.status, &*answer.code()), (400, "PARAM_ERROR"));
}

#[tokio::test]
async fn a_body_is_json_and_says_so() {
    let till = Till::open().await;
    let mut ask = till.ask_for("POST", NATIVE, &native("N00001", 350));
    ask.set("Content-Type", "text/plain");
    assert_eq!(ask.send(&till.gateway.url()).await.unwrap().code(), "PARAM_ERROR");
    let mut ask = Ask::new("POST", NATIVE, "{");
    ask.sign(&till.keys, till.now() / 1000);
    assert_eq!(ask.send(&till.gateway.url()).await.unwrap().code(), "PARAM_ERROR");
}

#[tokio::test]
async fn a_new_merchant_has_no_certificates() {
    let till = Till::open().await;
    let answer = till.get("/v3/certificates").await;
    assert_eq!((answer.status, &*answer.code()), (404, "RESOURCE_NOT_EXISTS"));
}

#[tokio::test]
async fn certificates_are_handed_out_encrypted_and_rotate_in_the_middle_of_a_run() {
    let till = Till::with(|options| options.mode = KeyMode::Certificate).await;
    let get = async || till.try_ask("GET", "/v3/certificates", Value::Null).await.unwrap();
    let answer = get().await;
    let row = &answer.json()["data"][0];
    assert_eq!(row["serial_no"], json!(till.keys.platform_serial));
    let pem = open(&till.keys.apiv3_key, &row["encrypt_certificate"]).unwrap();
    assert_eq!(der(&pem), der(&till.keys.platform_certificate_pem));
    assert_eq!(open(&till.keys.apiv2_key, &row["encrypt_certificate"]), None);
    assert_eq!(answer.header("wechatpay-serial"), till.keys.platform_serial);

    till.control.rotate_signing_key();
    let answer = get().await;
    assert_eq!(answer.json()["data"].as_array().unwrap().len(), 2);
    assert_eq!(answer.member("/data/1/serial_no"), answer.header("wechatpay-serial"));
    assert!(answer.holds(&till.keys.next_public_key_pem));
}

#[tokio::test]
async fn the_request_chooses_the_key_of_the_answer() {
    let till = Till::with(|options| options.mode = KeyMode::Certificate).await;
    let mut ask = till.ask_for("POST", NATIVE, &native("N00001", 350));
    ask.set("Wechatpay-Serial", &till.keys.public_key_id);
    let answer = ask.send(&till.gateway.url()).await.unwrap();
    assert!(answer.is_signed_by(&till.keys.public_key_id, &till.keys.public_key_pem));
    ask.set("Wechatpay-Serial", "PUB_KEY_ID_0");
    assert_eq!(ask.send(&till.gateway.url()).await.unwrap().status, 400);
}

#[tokio::test]
async fn a_refund_without_a_currency_is_refused_though_an_order_may_leave_it_out() {
    let till = Till::open().await;
    let mut body = native("N00001", 350);
    body["amount"].as_object_mut().unwrap().remove("currency");
    assert_eq!(till.post(NATIVE, body).await.status, 200);
    let mut body = refund_body("N00001", "R1", 350, 350);
    body["amount"].as_object_mut().unwrap().remove("currency");
    assert_eq!(till.post(REFUNDS, body).await.member("/detail/field"), "/amount/currency");
}
