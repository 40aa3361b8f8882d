//! Requests as they leave.

use super::*;
use crate::channel::HttpMethod;
use crate::channel::wechat::sign::request_to_sign;
use crate::channel::wechat::xml::read;

fn encoded(config: Config, request: &Request) -> HttpRequest {
    wechat(config).encode(request, NOW, ENTROPY)
}

fn target(request: &HttpRequest) -> String {
    request.url.strip_prefix("https://api.mch.weixin.qq.com").unwrap().replace(attempt().as_str(), "$NO")
}

fn json(config: Config, request: &Request) -> String {
    body(&encoded(config, request)).replace(attempt().as_str(), "$NO").replace(refund_id().as_str(), "$RF")
}

#[test]
fn every_request_goes_to_its_interface() {
    let v2: &[&str] = &[
        "/v3/pay/transactions/native",
        "/pay/micropay",
        "/v3/pay/transactions/out-trade-no/$NO?mchid=1900000001",
        "/pay/orderquery",
        "/v3/pay/transactions/out-trade-no/$NO/close",
        "/pay/orderquery",
        "/v3/pay/transactions/out-trade-no/$NO/close",
        "/secapi/pay/reverse",
        "/v3/refund/domestic/refunds",
        "/v3/refund/domestic/refunds/$RF",
        "/v3/pay/transactions/out-trade-no/$NO?mchid=1900000001",
        "/v3/pay/transactions/out-trade-no/TILL_PROBE?mchid=1900000001",
    ];
    let v3: &[&str] = &[
        v2[0],
        "/v3/pay/transactions/codepay",
        v2[2],
        v2[2],
        v2[4],
        v2[2],
        v2[6],
        "/v3/pay/transactions/out-trade-no/$NO/reverse",
        v2[8],
        v2[9],
        v2[10],
        v2[11],
    ];
    for (config, expected) in [(config(), v2), (v3_config(), v3)] {
        for (request, path) in every_request().iter().zip(expected) {
            let sent = encoded(config.clone(), request);
            assert_eq!(target(&sent).replace(refund_id().as_str(), "$RF"), *path, "{request:?}");
            assert_eq!(sent.shows_certificate, *path == "/secapi/pay/reverse", "{path}");
            let backup = sent.backup_url.unwrap();
            assert_eq!(backup, sent.url.replace("api.mch", "api2.mch"), "the same on the second host");
        }
    }
}

#[test]
fn a_service_provider_names_both_merchants() {
    let path = |request: &Request| target(&encoded(partner(v3_config()), request));
    assert_eq!(path(&show()), "/v3/pay/partner/transactions/native");
    let query = "/v3/pay/partner/transactions/out-trade-no/$NO?sp_mchid=1900000001&sub_mchid=1900000109";
    assert_eq!(path(&Request::Query(shown())), query);
    assert_eq!(
        json(partner(v3_config()), &Request::Close(shown())),
        r#"{"sp_mchid":"1900000001","sub_mchid":"1900000109"}"#
    );
    assert_eq!(
        json(partner(v3_config()), &Request::Cancel(taken())),
        r#"{"sp_appid":"wx0000000000000001","sp_mchid":"1900000001","sub_appid":"wx0000000000000109","sub_mchid":"1900000109"}"#
    );
    assert!(json(partner(config()), &Request::Refund(refund())).starts_with(r#"{"sub_mchid":"1900000109","#));
    assert!(path(&Request::RefundQuery(refund())).ends_with("?sub_mchid=1900000109"));
    let message = read(&encoded(partner(config()), &take()).body).unwrap();
    assert_eq!((message["mch_id"].as_str(), message["sub_mch_id"].as_str()), ("1900000001", "1900000109"));
}

#[test]
fn a_native_order_says_all_that_is_asked() {
    assert_eq!(
        json(config(), &show()),
        "{\"appid\":\"wx0000000000000001\",\"mchid\":\"1900000001\",\"description\":\"可乐 330ml\",\
         \"out_trade_no\":\"$NO\",\"time_expire\":\"2026-05-29T04:29:40+08:00\",\
         \"notify_url\":\"https://pay.example.com/wx/notify\",\"amount\":{\"total\":350,\"currency\":\"CNY\"},\
         \"scene_info\":{\"payer_client_ip\":\"203.0.113.7\",\"device_id\":\"VM0001\"}}"
    );
}

#[test]
fn settings_and_goods_go_along() {
    let store = Store { id: Some("S1".into()), area_code: Some("440305".into()), ..config().store };
    let config = Config {
        store,
        goods_tag: Some("SUMMER".into()),
        profit_sharing: true,
        limit_pay: Some("no_credit".into()),
        ..config()
    };
    let offer = Offer { goods: vec![goods()], ..offer() };
    let sent = json(config.clone(), &Request::ShowCode(offer));
    for part in [
        r#""goods_tag":"SUMMER""#,
        r#""settle_info":{"profit_sharing":true}"#,
        r#""store_info":{"id":"S1","area_code":"440305"}"#,
        r#"{"goods_detail":[{"merchant_goods_id":"cola","goods_name":"可乐","quantity":2,"unit_price":175}]}"#,
    ] {
        assert!(sent.contains(part), "{part} is missing in {sent}");
    }
    assert!(!sent.contains("limit_pay"), "the page for direct merchants does not have it");
    assert!(json(partner(config.clone()), &show()).contains(r#""limit_pay":["no_credit"]"#));
    let message = read(&encoded(config, &take()).body).unwrap();
    for (name, value) in [("goods_tag", "SUMMER"), ("profit_sharing", "Y"), ("limit_pay", "no_credit")] {
        assert_eq!(message[name], value);
    }
    assert_eq!(message["scene_info"], r#"{"store_info":{"id":"S1","area_code":"440305"}}"#);
}

#[test]
fn goods_that_would_be_refused_are_left_out() {
    for code in ["", "可乐", "a b", &"x".repeat(33)] {
        let offer = Offer { goods: vec![goods(), GoodsRow { code: code.into(), ..goods() }], ..offer() };
        assert!(!json(config(), &Request::ShowCode(offer)).contains("detail"), "{code:?}");
    }
    let many = Offer { goods: vec![goods(); 200], ..offer() };
    assert!(!json(config(), &Request::ShowCode(many)).contains("detail"));
}

#[test]
fn the_same_order_is_the_same_whenever_it_is_sent() {
    let channel = wechat(config());
    let later = Wall { ms: NOW.ms + 90_000, ..NOW };
    let [first, second] =
        [(NOW, [1; 32]), (later, [2; 32])].map(|(wall, entropy)| channel.encode(&show(), wall, entropy));
    assert_eq!(first.body, second.body, "other fields would be refused as OUT_TRADE_NO_USED");
    assert_ne!(header(&first, "Authorization"), header(&second, "Authorization"));
}

#[test]
fn an_order_lives_one_minute_at_least_and_seven_days_at_most() {
    for (valid_ms, ends) in [
        (0, "2026-05-29T04:27:40+08:00"),
        (60_001, "2026-05-29T04:27:41+08:00"),
        (u64::MAX, "2026-06-05T04:26:40+08:00"),
    ] {
        let sent = json(config(), &Request::ShowCode(Offer { valid_ms, ..offer() }));
        assert!(sent.contains(ends), "{valid_ms}: {sent}");
    }
}

#[test]
fn what_is_signed_is_what_is_sent() {
    for request in every_request() {
        let sent = encoded(v3_config(), &request);
        let authorization = header(&sent, "Authorization");
        let part = |name: &str| {
            let (_, rest) = authorization.split_once(&format!("{name}=\"")).unwrap();
            rest.split_once('"').unwrap().0.to_owned()
        };
        let method = match sent.method {
            HttpMethod::Get => "GET",
            HttpMethod::Post => "POST",
        };
        let path = sent.url.strip_prefix("https://api.mch.weixin.qq.com").unwrap();
        let lines = request_to_sign(method, path, part("timestamp").parse().unwrap(), &part("nonce_str"), &sent.body);
        let key = PrivateKey::load(&text("/merchant/private_key_pem")).unwrap().public();
        assert!(key.verify(&lines, &part("signature")), "{request:?}");
        assert_eq!((part("mchid").as_str(), part("nonce_str").len()), ("1900000001", 32));
        assert_eq!(part("serial_no"), text("/merchant/serial_no"));
        assert_eq!(header(&sent, "Wechatpay-Serial"), text("/platform_public_key/public_key_id"));
        assert_eq!(header(&sent, "Accept"), "application/json");
        assert!(header(&sent, "User-Agent").starts_with("till/"));
        assert_eq!(header(&sent, "Content-Type").is_empty(), sent.body.is_empty());
    }
}

#[test]
fn without_a_public_key_no_serial_selects_the_answers_key() {
    let verify = Verify { public_key: None, ..config().verify };
    assert_eq!(header(&encoded(Config { verify, ..config() }, &show()), "Wechatpay-Serial"), "");
}

#[test]
fn a_v2_message_is_signed_over_its_fields() {
    let sent = encoded(config(), &take());
    let message = read(&sent.body).unwrap();
    let fields = message.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    assert_eq!(message["sign"], v2_sign(fields, V2_KEY));
    for (name, value) in [
        ("auth_code", "130061098828009406"),
        ("body", "可乐 330ml"),
        ("device_info", "VM0001"),
        ("fee_type", "CNY"),
        ("nonce_str", "ABABABABABABABABABABABABABABABAB"),
        ("sign_type", "HMAC-SHA256"),
        ("spbill_create_ip", "203.0.113.7"),
        ("total_fee", "350"),
    ] {
        assert_eq!(message[name], value);
    }
    assert_eq!(message["out_trade_no"], attempt().as_str());
}

#[test]
fn code_pay_by_v3_names_the_store() {
    let sent = json(v3_config(), &take());
    assert!(sent.contains(r#""payer":{"auth_code":"130061098828009406"}"#), "{sent}");
    let scene = r#""scene_info":{"device_id":"VM0001","device_ip":"203.0.113.7","store_info":{"out_id":"STORE-01"}}"#;
    assert!(sent.contains(scene), "{sent}");
    assert!(!sent.contains("notify_url") && !sent.contains("time_expire"), "code pay has neither");
}

#[test]
fn a_refund_names_whole_part_currency_and_where_to_tell() {
    assert_eq!(
        json(config(), &Request::Refund(refund())),
        "{\"out_trade_no\":\"$NO\",\"out_refund_no\":\"$RF\",\"reason\":\"出货失败\",\
         \"notify_url\":\"https://pay.example.com/wx/notify\",\
         \"amount\":{\"refund\":100,\"total\":350,\"currency\":\"CNY\"}}"
    );
}

#[test]
fn long_and_empty_lines_are_made_to_fit() {
    let with = |subject: &str| Request::ShowCode(Offer { subject: subject.into(), ..offer() });
    let long = "乐".repeat(300);
    assert!(json(config(), &with(&long)).contains(&format!("\"description\":\"{}\"", "乐".repeat(127))));
    assert!(json(config(), &with(" \n")).contains("\"description\":\"$NO\""));
    let message = Request::TakeCode(Offer { subject: long, ..offer() }, PayCode::new("130061098828009406"));
    assert_eq!(read(&encoded(config(), &message).body).unwrap()["body"], "乐".repeat(42));
}
