//! Reports of deliveries: a token, then the report.

use super::*;
use crate::channel::HttpMethod;
use crate::channel::outcome::DutyOutcome;

const TOKEN: &str = r#"{"access_token":"ACCESS-token_1","expires_in":7200}"#;

fn report() -> Request {
    duty(DutyKind::ReportDelivery)
}

fn with_token() -> Wechat {
    let channel = wechat(delivering());
    assert_eq!(channel.decode(&report(), NOW, &unsigned(200, TOKEN)), Decoded::EncodeAgain);
    channel
}

fn said(channel: &Wechat, body: &str) -> Answer {
    match channel.decode(&report(), NOW, &unsigned(200, body)) {
        Decoded::Answer(answer) => answer,
        step @ (Decoded::UnknownKey { .. } | Decoded::EncodeAgain) => panic!("{step:?}"),
    }
}

#[test]
fn first_a_token_then_the_report() {
    let channel = wechat(delivering());
    let first = channel.encode(&report(), NOW, ENTROPY);
    assert_eq!(first.url, "https://api.weixin.qq.com/cgi-bin/stable_token");
    assert_eq!(
        body(&first),
        r#"{"grant_type":"client_credential","appid":"wx0000000000000001","secret":"throwaway-appsecret"}"#
    );
    let second = with_token().encode(&report(), NOW, ENTROPY);
    assert_eq!(second.url, "https://api.weixin.qq.com/wxa/sec/order/upload_shipping_info?access_token=ACCESS-token_1");
    assert_eq!(
        body(&second).replace(attempt().as_str(), "$NO"),
        "{\"order_key\":{\"order_number_type\":1,\"mchid\":\"1900000001\",\"out_trade_no\":\"$NO\"},\
         \"logistics_type\":4,\"delivery_mode\":1,\"shipping_list\":[{\"item_desc\":\"可乐\"}],\
         \"upload_time\":\"2026-05-29T04:26:40.000+08:00\",\"payer\":{\"openid\":\"oThrowawayOpenId0000000000001\"}}"
    );
}

#[test]
fn the_plain_token_call_is_a_get() {
    let mut config = delivering();
    config.delivery = config.delivery.map(|delivery| Delivery { token: TokenCall::Plain, ..delivery });
    let sent = wechat(config).encode(&report(), NOW, ENTROPY);
    assert_eq!(sent.method, HttpMethod::Get);
    let query = "grant_type=client_credential&appid=wx0000000000000001&secret=throwaway-appsecret";
    assert_eq!(sent.url, format!("https://api.weixin.qq.com/cgi-bin/token?{query}"));
}

#[test]
fn a_token_is_given_up_before_its_end() {
    let channel = with_token();
    let asks_for_token = |seconds: i64| {
        let wall = Wall { ms: NOW.ms + seconds * 1000, ..NOW };
        channel.encode(&report(), wall, ENTROPY).url.ends_with("stable_token")
    };
    assert!(!asks_for_token(6899));
    assert!(asks_for_token(6900));
}

#[test]
fn every_errcode_has_its_meaning() {
    for (code, expected) in [
        ("0", DutyOutcome::Done),
        ("10060002", DutyOutcome::Done),
        ("10060003", DutyOutcome::Done),
        ("10060001", DutyOutcome::Again),
        ("10060012", DutyOutcome::Again),
        ("-1", DutyOutcome::Again),
        ("40001", DutyOutcome::Again),
        ("40164", DutyOutcome::Refused { code: "40164".into() }),
    ] {
        let body = format!(r#"{{"errcode":{code},"errmsg":"m"}}"#);
        assert_eq!(said(&with_token(), &body), Answer::Duty(expected), "{code}");
    }
    for body in [r#"{"errcode":47001,"errmsg":"data format error"}"#, r#"{"errcode":1}"#] {
        assert_eq!(kind(&said(&with_token(), body)), Some(DoubtKind::Unlisted), "{body}");
    }
    for body in ["", "{}", "[]", r#"{"access_token":""}"#, r#"{"access_token":"a&b"}"#, r#"{"errcode":"0"}"#] {
        assert_eq!(kind(&said(&with_token(), body)), Some(DoubtKind::Malformed), "{body}");
    }
}

#[test]
fn a_dead_token_is_fetched_anew_and_a_refused_secret_is_not_asked_again_at_once() {
    let channel = with_token();
    let dead = r#"{"errcode":42001,"errmsg":"access_token expired"}"#;
    assert_eq!(said(&channel, dead), Answer::Duty(DutyOutcome::Again));
    assert!(channel.encode(&report(), NOW, ENTROPY).url.ends_with("stable_token"));
    let refused = DutyOutcome::Refused { code: "40001".into() };
    assert_eq!(said(&channel, r#"{"errcode":40001,"errmsg":"invalid credential"}"#), Answer::Duty(refused));
}
