//! What leaves: path, fields and signature of every call.

use std::collections::BTreeSet;

use super::super::sign::md5_of;
use super::super::{Config, Folder, Folders, PayTypes, Shown, Terminal, Vsp, rsa, wire};
use super::{
    ENTROPY, NOON, app_key, attempt, cancel_no, config, duty, every_request, field, fields, offer, refund, refund_id,
    rsa as rsa_settings, show, shown, sm2 as sm2_settings, take, text, trade, vsp,
};
use crate::channel::allinpay::sm2;
use crate::channel::form::string_to_sign;
use crate::channel::{HttpMethod, HttpRequest, Instalment, Offer, Request, Wallet};
use crate::redact::PayCode;

fn encoded(config: Config, request: &Request) -> HttpRequest {
    Vsp::new(config).unwrap().encode(request, NOON, ENTROPY)
}

fn sent(request: &Request) -> HttpRequest {
    encoded(config(), request)
}

fn path(request: &HttpRequest) -> &str {
    request.url.strip_prefix("https://vsp.allinpay.com/apiweb").unwrap()
}

/// The call's own fields, without the common ones.
fn own(request: &HttpRequest) -> BTreeSet<(String, String)> {
    const COMMON: [&str; 6] = ["cusid", "appid", "version", "randomstr", "signtype", "sign"];
    fields(request).into_iter().filter(|(name, _)| !COMMON.contains(&name.as_str())).collect()
}

fn set<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> BTreeSet<(String, String)> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

const TERMINFO: (&str, &str) = ("terminfo", r#"{"devicetype":"10","termno":"00000001"}"#);

#[test]
fn every_call_has_its_path_and_its_fields() {
    let (number, cancel, refund_no) = (attempt().to_string(), cancel_no(), refund_id().to_string());
    let number = number.as_str();
    let sold = [("trxamt", "350"), ("reqsn", number), ("body", "可乐 330ml")];
    let table: [(Request, &str, BTreeSet<_>); 9] = [
        (show(), "/unitorder/nativepay", set(sold.into_iter().chain([("expiretime", "20250601120300")]))),
        (take(), "/unitorder/scanqrpay", set(sold.into_iter().chain([("authcode", "130061098828009406"), TERMINFO]))),
        (Request::Query(trade()), "/tranx/query", set([("reqsn", number)])),
        (
            Request::Cancel(trade()),
            "/tranx/cancel",
            set([("reqsn", cancel.as_str()), ("trxamt", "350"), ("oldreqsn", number)]),
        ),
        (Request::Close(shown()), "/unitorder/closenative", set([("oldreqsn", number)])),
        (
            Request::Refund(refund()),
            "/tranx/refund",
            set([("reqsn", refund_no.as_str()), ("trxamt", "100"), ("oldreqsn", number), ("remark", "缺货")]),
        ),
        (Request::RefundQuery(refund()), "/tranx/query", set([("reqsn", refund_no.as_str())])),
        (duty(), "/tranx/query", set([("reqsn", number)])),
        (Request::Probe, "/tranx/query", set([("reqsn", wire::PROBE)])),
    ];
    for (request, wanted, wanted_fields) in table {
        let sent = sent(&request);
        assert_eq!(path(&sent), wanted);
        assert_eq!(own(&sent), wanted_fields, "{wanted}");
        assert_eq!(sent.method, HttpMethod::Post);
        let content_type = ("Content-Type", "application/x-www-form-urlencoded;charset=utf-8".to_owned());
        assert_eq!(sent.headers, [content_type]);
        for (name, value) in [("cusid", "990000000000001"), ("appid", "00000001"), ("version", "11")] {
            assert_eq!(field(&sent, name).as_deref(), Some(value));
        }
    }
}

#[test]
fn each_wallets_own_code_goes_by_its_pay_type() {
    for (wallet, pay_type) in
        [(Wallet::Alipay, "A01"), (Wallet::Wechat, "W01"), (Wallet::UnionPay, "U01"), (Wallet::Ecny, "S01")]
    {
        let sent = sent(&Request::ShowCode(Offer { wallet: Some(wallet), ..offer() }));
        assert_eq!(path(&sent), "/unitorder/pay");
        assert_eq!(field(&sent, "paytype").as_deref(), Some(pay_type));
        assert_eq!(field(&sent, "terminfo").as_deref(), Some(TERMINFO.1));
        assert_eq!(field(&sent, "expiretime").as_deref(), Some("20250601120300"));
    }
    let pay_types = PayTypes { ecny: "S03".into(), ..PayTypes::default() };
    let request = Request::ShowCode(Offer { wallet: Some(Wallet::Ecny), ..offer() });
    assert_eq!(field(&encoded(Config { pay_types, ..config() }, &request), "paytype").as_deref(), Some("S03"));
}

#[test]
fn paths_that_moved_over_the_years_are_settings() {
    let older = Folders {
        query: Folder::Unitorder,
        cancel: Folder::Unitorder,
        refund: Folder::Unitorder,
        close: Folder::Tranx,
    };
    let older = || Config { folders: older, shown: Shown::CodePerWallet, ..config() };
    for (request, wanted) in [
        (Request::Query(trade()), "/unitorder/query"),
        (Request::Cancel(trade()), "/unitorder/cancel"),
        (Request::Refund(refund()), "/unitorder/refund"),
        (Request::Close(shown()), "/tranx/close"),
    ] {
        assert_eq!(path(&encoded(older(), &request)), wanted);
    }
    let per_wallet = Config { shown: Shown::CodePerWallet, ..config() };
    assert_eq!(path(&encoded(per_wallet, &Request::Close(shown()))), "/unitorder/close");
}

#[test]
fn settings_reach_the_fields_that_they_are_for() {
    let terminal = Terminal {
        serial: Some("SN1".into()),
        ip: Some("10.0.0.7".into()),
        longitude: Some("+121.48352".into()),
        latitude: Some("+31.23037".into()),
        ..config().terminal
    };
    let full = || Config {
        orgid: Some("990000000000009".into()),
        notify_url: Some("https://pay.example.com/vsp/notify".into()),
        limit_pay: Some("no_credit".into()),
        terminal: terminal.clone(),
        ..config()
    };
    for (_, request) in every_request() {
        let sent = encoded(full(), &request);
        assert_eq!(field(&sent, "orgid").as_deref(), Some("990000000000009"));
        let is_offer = matches!(request, Request::ShowCode(_) | Request::TakeCode(..));
        assert_eq!(field(&sent, "notify_url").is_some(), is_offer);
        assert_eq!(field(&sent, "limit_pay").is_some(), is_offer);
    }
    let terminfo = field(&encoded(full(), &take()), "terminfo").unwrap();
    let wanted = r#"{"devicetype":"10","termno":"00000001","termsn":"SN1","longitude":"+121.48352","latitude":"+31.23037","deviceip":"10.0.0.7"}"#;
    assert_eq!(terminfo, wanted);
}

#[test]
fn a_code_lives_as_long_as_the_offer_and_never_longer_than_is_set() {
    let expires = |longest_valid_minutes, valid_ms| {
        let request = Request::ShowCode(Offer { valid_ms, ..offer() });
        field(&encoded(Config { longest_valid_minutes, ..config() }, &request), "expiretime").unwrap()
    };
    assert_eq!(expires(120, 90_000), "20250601120130");
    assert_eq!(expires(2, 180_000), "20250601120200");
    assert_eq!(expires(120, u64::MAX), "20250601140000");
}

#[test]
fn instalments_are_asked_for_only_as_vsp_can_say_them() {
    let plan = |seller_percent| {
        let instalment = Some(Instalment { periods: 6, seller_percent });
        let request = Request::TakeCode(Offer { instalment, ..offer() }, PayCode::new("285000000000000017"));
        field(&sent(&request), "fqnum")
    };
    assert_eq!(plan(0).as_deref(), Some("6"));
    assert_eq!(plan(100), None);
}

#[test]
fn an_empty_subject_becomes_the_number() {
    let request = Request::ShowCode(Offer { subject: " \n".into(), ..offer() });
    assert_eq!(field(&sent(&request), "body").as_deref(), Some(attempt().as_str()));
}

/// The signature covers exactly what is sent, whichever way it is made.
#[test]
fn every_call_is_signed_over_all_that_it_carries() {
    let merchant_rsa = rsa::PublicKey::load(&text("/vsp_keys/merchant_rsa_public_spki_base64")).unwrap();
    let merchant_sm2 = sm2::PublicKey::load(&text("/sm2_keys/vsp_merchant_sm2/public_spki_base64")).unwrap();
    for (_, request) in every_request() {
        for sign_type in [config().sign_type, rsa_settings(), sm2_settings()] {
            let sent = encoded(Config { sign_type, ..config() }, &request);
            let all = fields(&sent);
            let pairs = || all.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let sign = field(&sent, "sign").unwrap();
            let string = string_to_sign(pairs());
            let holds = match field(&sent, "signtype").unwrap().as_str() {
                "MD5" => md5_of(pairs(), &app_key()) == sign,
                "RSA" => merchant_rsa.verify_sha1(string.as_bytes(), &sign),
                "SM2" => merchant_sm2.verify_sm3(string.as_bytes(), &sign),
                other => panic!("signtype {other}"),
            };
            assert!(holds, "{string}");
            assert!(all.iter().all(|(_, value)| !value.is_empty()), "{string}");
        }
    }
}

#[test]
fn the_same_call_has_the_same_numbers_and_its_own_random_text() {
    let random = |entropy| field(&vsp().encode(&take(), NOON, entropy), "randomstr").unwrap();
    assert_eq!(random([1; 32]).len(), 32);
    assert_ne!(random([1; 32]), random([2; 32]));
    assert!(!random([1; 32]).contains("0101"), "the entropy itself is on the wire");
    for (_, request) in every_request() {
        let first = own(&vsp().encode(&request, NOON, [1; 32]));
        assert_eq!(first, own(&vsp().encode(&request, NOON, [2; 32])));
    }
}
