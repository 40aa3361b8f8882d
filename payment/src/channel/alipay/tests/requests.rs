//! What leaves the terminal, read back by an independent decoder.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::aes::Key;
use super::super::{Alipay, Config};
use super::{NOON, certificate_config, config, every_request, goods, offer, refund, refund_id, show, take, text};
use super::{alipay, attempt, trade};
use crate::channel::keys::PrivateKey;
use crate::channel::{HttpRequest, Instalment, Offer, RefundOrder, Request};
use crate::money::Fen;
use crate::redact::{PayCode, Secret};
use crate::time::Wall;

type Parameters = BTreeMap<String, String>;

/// Form decoding, written for the test: percent and plus.
fn parameters(form: &str) -> Parameters {
    let decode = |text: &str| {
        let mut bytes = Vec::new();
        let mut rest = text.bytes();
        while let Some(byte) = rest.next() {
            bytes.push(match byte {
                b'%' => {
                    let hex: Vec<u8> = rest.by_ref().take(2).collect();
                    u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap()
                }
                b'+' => b' ',
                other => other,
            });
        }
        String::from_utf8(bytes).unwrap()
    };
    let pairs = form.split('&').map(|pair| pair.split_once('=').unwrap());
    pairs.map(|(name, value)| (decode(name), decode(value))).collect()
}

fn query(request: &HttpRequest) -> Parameters {
    parameters(request.url.split_once('?').unwrap().1)
}

fn body(request: &HttpRequest) -> Parameters {
    parameters(std::str::from_utf8(&request.body).unwrap())
}

fn business(config: Config, request: &Request) -> Value {
    let http = Alipay::new(config).unwrap().encode(request, NOON);
    serde_json::from_str(&body(&http)["biz_content"]).unwrap()
}

/// The gateway's own check, built here from the decoded parameters.
fn signature_holds(http: &HttpRequest) -> bool {
    let mut sent = query(http);
    sent.extend(body(http));
    let sign = sent.remove("sign").unwrap();
    let pairs: Vec<String> = sent.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let key = PrivateKey::load(&text("/keys/app/pkcs8_pem")).unwrap().public();
    key.verify(pairs.join("&").as_bytes(), &sign)
}

#[test]
fn common_parameters_go_into_the_url_and_the_business_into_the_body() {
    let http = alipay().encode(&Request::Query(trade()), NOON);
    assert!(http.url.starts_with("https://openapi.alipay.com/gateway.do?"));
    assert_eq!(http.headers, [("Content-Type", "application/x-www-form-urlencoded;charset=utf-8".to_owned())]);
    let query = query(&http);
    for (name, value) in [
        ("app_id", "2021000000000001"),
        ("method", "alipay.trade.query"),
        ("format", "JSON"),
        ("charset", "utf-8"),
        ("sign_type", "RSA2"),
        ("timestamp", "2025-06-01 12:00:00"),
        ("version", "1.0"),
    ] {
        assert_eq!(query[name], value);
    }
    assert_eq!(query.len(), 8, "and the signature: {query:?}");
    assert_eq!(query["sign"].len(), 344);
    assert_eq!(body(&http).into_keys().collect::<Vec<_>>(), ["biz_content"]);
}

#[test]
fn every_request_is_signed_over_what_is_sent() {
    let full = Config {
        app_auth_token: Some(Secret::new("202506BBtoken".into())),
        notify_url: Some("https://pay.example.com/notify?a=1&b=+".into()),
        aes_key: Some(Secret::new("AAECAwQFBgcICQoLDA0ODw==".into())),
        ..certificate_config()
    };
    for config in [config(), certificate_config(), full] {
        let alipay = Alipay::new(config).unwrap();
        for request in every_request().iter().chain([&Request::Probe]) {
            assert!(signature_holds(&alipay.encode(request, NOON)), "{request:?}");
        }
        assert!(signature_holds(&alipay.certificate_request(&"0".repeat(32), NOON)));
    }
}

#[test]
fn certificate_numbers_are_sent_in_certificate_mode_only() {
    let numbers = |http: &HttpRequest| {
        let query = query(http);
        ["app_cert_sn", "alipay_root_cert_sn"].map(|name| query.get(name).cloned().unwrap_or_default())
    };
    let alipay_cert = Alipay::new(certificate_config()).unwrap();
    let expected = ["/cert_sn/root_bundle/app_cert_sn", "/cert_sn/root_bundle/alipay_root_cert_sn"].map(text);
    for request in [&show(), &Request::Probe] {
        assert_eq!(numbers(&alipay_cert.encode(request, NOON)), expected);
        assert_eq!(numbers(&alipay().encode(request, NOON)), ["", ""]);
    }
}

#[test]
fn a_shown_code_carries_the_offer_and_its_limits() {
    let config = Config {
        seller_id: Some("2088000000000001".into()),
        store_id: Some("storeId001".into()),
        alipay_store_id: Some("2025".into()),
        terminal_id: Some("VM0001".into()),
        operator_id: Some("op01".into()),
        product_code: Some("QR_CODE_OFFLINE".into()),
        sys_service_provider_id: Some("2088000000000009".into()),
        disable_pay_channels: Some("pcredit".into()),
        ..config()
    };
    let request = Request::ShowCode(Offer { goods: vec![goods()], valid_ms: 150_001, ..offer() });
    let expected = json!({
        "out_trade_no": attempt().as_str(), "total_amount": "3.50", "subject": "可乐 330ml",
        "seller_id": "2088000000000001", "store_id": "storeId001", "alipay_store_id": "2025",
        "terminal_id": "VM0001", "operator_id": "op01", "product_code": "QR_CODE_OFFLINE",
        "disable_pay_channels": "pcredit", "timeout_express": "3m", "qr_code_timeout_express": "3m",
        "goods_detail": [{"goods_id": "cola", "goods_name": "可乐", "quantity": 2, "price": "1.75"}],
        "extend_params": {"sys_service_provider_id": "2088000000000009"},
    });
    assert_eq!(business(config, &request), expected);
}

#[test]
fn instalments_are_two_texts_or_none_both_ways_of_paying() {
    let provider = || Config { sys_service_provider_id: Some("2088000000000009".into()), ..config() };
    for (periods, seller_percent, num, percent) in [(3, 0, "3", "0"), (12, 100, "12", "100"), (24, 0, "24", "0")] {
        let plan = Offer { instalment: Some(Instalment { periods, seller_percent }), ..offer() };
        let code = PayCode::new("285000000000000017");
        for request in [Request::ShowCode(plan.clone()), Request::TakeCode(plan.clone(), code)] {
            let expected = json!({"hb_fq_num": num, "hb_fq_seller_percent": percent});
            assert_eq!(business(config(), &request)["extend_params"], expected);
            let extended = &business(provider(), &request)["extend_params"];
            assert_eq!(extended["sys_service_provider_id"], "2088000000000009");
            assert_eq!(extended["hb_fq_num"], num);
        }
    }
    for request in [show(), take()] {
        assert_eq!(business(config(), &request).get("extend_params"), None);
        let extended = business(provider(), &request)["extend_params"].clone();
        assert_eq!(extended, json!({"sys_service_provider_id": "2088000000000009"}));
    }
}

#[test]
fn an_indirect_merchant_is_named_in_payments_only() {
    let config = Config { smid: Some("2088000000000300".into()), ..config() };
    for request in every_request() {
        let is_payment = matches!(request, Request::ShowCode(_) | Request::TakeCode(..));
        let expected = json!({"merchant_id": "2088000000000300", "merchant_type": "alipay"});
        let fields = business(config.clone(), &request);
        assert_eq!(fields.get("sub_merchant"), is_payment.then_some(&expected), "{request:?}");
        assert_eq!(fields.get("settle_info"), None);
    }
}

#[test]
fn a_code_lives_two_hours_at_most_and_a_minute_at_least() {
    for (valid_ms, trade, code) in [(0, "1m", "1m"), (7_200_001, "121m", "120m"), (u64::MAX, "21600m", "120m")] {
        let fields = business(config(), &Request::ShowCode(Offer { valid_ms, ..offer() }));
        assert_eq!(fields["timeout_express"], trade);
        assert_eq!(fields["qr_code_timeout_express"], code);
    }
}

#[test]
fn a_read_code_is_sent_in_its_scene_and_nowhere_else() {
    let config = Config { product_code: Some("QR_CODE_OFFLINE".into()), ..config() };
    let expected = json!({
        "scene": "bar_code", "auth_code": "285000000000000017", "out_trade_no": attempt().as_str(),
        "total_amount": "3.50", "subject": "可乐 330ml", "timeout_express": "3m",
        "query_options": ["fund_bill_list", "voucher_detail_list"],
    });
    assert_eq!(business(config.clone(), &take()), expected);
    let face = format!("fp{}", "a1b".repeat(11));
    let by_face = Request::TakeCode(offer(), PayCode::new(face.clone()));
    let fields = business(config, &by_face);
    assert_eq!((fields["scene"].as_str(), fields["auth_code"].as_str()), (Some("security_code"), Some(&*face)));
    let http = alipay().encode(&take(), NOON);
    assert!(!http.url.contains("285000000000000017"), "the code is in the address, which is logged");
}

#[test]
fn a_pay_keeps_the_face_to_face_product() {
    let config = Config { product_code: Some("FACE_TO_FACE_PAYMENT".into()), ..config() };
    assert_eq!(business(config, &take())["product_code"], "FACE_TO_FACE_PAYMENT");
}

#[test]
fn questions_and_reversals_carry_the_number_alone() {
    let number = json!({"out_trade_no": attempt().as_str()});
    for request in [Request::Cancel(trade()), Request::Close(trade())] {
        assert_eq!(business(config(), &request), number);
    }
    let probe = json!({"out_trade_no": "TILL_PROBE"});
    assert_eq!(business(config(), &Request::Probe), probe);
    let asked = json!({
        "out_trade_no": attempt().as_str(), "query_options": ["fund_bill_list", "voucher_detail_list"],
    });
    assert_eq!(business(config(), &Request::Query(trade())), asked);
    let config = Config { operator_id: Some("op01".into()), ..config() };
    assert_eq!(business(config.clone(), &Request::Close(trade()))["operator_id"], "op01");
    assert_eq!(business(config, &Request::Cancel(trade())), number);
}

#[test]
fn a_refund_always_carries_its_own_number() {
    let fields = business(config(), &Request::Refund(refund()));
    let expected = json!({
        "out_trade_no": attempt().as_str(), "out_request_no": refund_id().as_str(),
        "refund_amount": "1.00", "refund_reason": "缺货",
    });
    assert_eq!(fields, expected);
    let fields = business(config(), &Request::RefundQuery(refund()));
    let expected = json!({"out_trade_no": attempt().as_str(), "out_request_no": refund_id().as_str()});
    assert_eq!(fields, expected);
}

#[test]
fn a_refund_without_a_reason_sends_none() {
    let without = RefundOrder { reason: " ".into(), ..refund() };
    let fields = business(config(), &Request::Refund(without));
    assert!(fields.get("refund_reason").is_none(), "{fields}");
}

/// Alipay compares a repeated number's parameters, and refuses other ones.
#[test]
fn the_same_request_says_the_same_at_any_time() {
    let later = Wall { ms: NOON.ms + 3_600_000, trusted: true };
    for request in every_request() {
        let first = alipay().encode(&request, NOON);
        let again = alipay().encode(&request, later);
        assert_eq!(first.body, again.body);
        assert_eq!(query(&again)["timestamp"], "2025-06-01 13:00:00");
    }
}

#[test]
fn goods_fit_alipays_lengths() {
    let mut row = goods();
    row.code = "c".repeat(80);
    row.name = "名".repeat(300);
    row.price = Fen::new(1);
    let fields = business(config(), &Request::ShowCode(Offer { goods: vec![row], ..offer() }));
    let sent = &fields["goods_detail"][0];
    assert_eq!(sent["goods_id"].as_str().unwrap().chars().count(), 64);
    assert_eq!(sent["goods_name"].as_str().unwrap().chars().count(), 256);
    assert_eq!(sent["price"], "0.01");
}

#[test]
fn encryption_hides_the_business_and_is_announced() {
    let key = "AAECAwQFBgcICQoLDA0ODw==";
    let config = Config { aes_key: Some(Secret::new(key.into())), ..config() };
    let alipay = Alipay::new(config).unwrap();
    let http = alipay.encode(&take(), NOON);
    assert_eq!(query(&http)["encrypt_type"], "AES");
    let plain = Key::load(key).unwrap().decrypt(&body(&http)["biz_content"]).unwrap();
    let fields: Value = serde_json::from_slice(&plain).unwrap();
    assert_eq!(fields["auth_code"], "285000000000000017");
    let http = alipay.certificate_request("00", NOON);
    assert!(!query(&http).contains_key("encrypt_type"));
    assert_eq!(body(&http)["biz_content"], r#"{"alipay_cert_sn":"00"}"#);
}

#[test]
fn notices_are_asked_for_with_payments_only() {
    let config = Config { notify_url: Some("https://pay.example.com/n".into()), ..config() };
    let alipay = Alipay::new(config).unwrap();
    for request in every_request() {
        let asked = query(&alipay.encode(&request, NOON)).contains_key("notify_url");
        let is_payment = matches!(request, Request::ShowCode(_) | Request::TakeCode(..));
        assert_eq!(asked, is_payment, "{request:?}");
    }
}
