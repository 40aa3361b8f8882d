//! Tests of the whole channel: requests as they leave, replies as they come, signed with the throw-away vector keys.

mod beside;
mod codes;
mod delivery;
mod pay_codes;
mod replies;
mod requests;
mod seals;
mod setup;
pub(crate) mod told;
mod xml;

use std::sync::LazyLock;

use serde_json::Value;

use super::sign::{reply_to_verify, v2_sign};
use super::xml::write;
use super::{
    CodePay, Config, Delivery, Hosts, MerchantCertificate, Store, SubMerchant, TokenCall, Verify, Wechat, WechatKey,
};
use crate::channel::keys::PrivateKey;
use crate::channel::outcome::DoubtKind;
use crate::channel::{
    Answer, Decoded, Duty, DutyKind, GoodsRow, HttpReply, HttpRequest, Method, Offer, RefundOrder, Request, Trade,
};
use crate::ids::{AttemptId, RefundId};
use crate::money::Fen;
use crate::redact::{PayCode, Secret};
use crate::time::Wall;

/// 2026-05-29 04:26:40 in China, the moment of the vectors.
const NOW: Wall = Wall { ms: 1_780_000_000_000, trusted: true };
const ENTROPY: [u8; 32] = [0xAB; 32];
const V2_KEY: &str = "ThrowawayAPIv2Key0For0Tests00032";
const OPENID: &str = "oThrowawayOpenId0000000000001";
const TRADE_NO: &str = "4200001234202605290123456789";

static VECTORS: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../../tests/vectors/wechat.json")).unwrap());

fn text(path: &str) -> String {
    let found = VECTORS.pointer(path).and_then(Value::as_str).map(str::to_owned);
    found.unwrap_or_else(|| panic!("no text at {path}"))
}

fn config() -> Config {
    let public_key =
        WechatKey { id: text("/platform_public_key/public_key_id"), pem: text("/platform_public_key/public_key_pem") };
    Config {
        mchid: text("/merchant/mchid"),
        appid: text("/merchant/appid"),
        sub_merchant: None,
        private_key: Secret::new(text("/merchant/private_key_pem")),
        certificate: MerchantCertificate::Serial(text("/merchant/serial_no")),
        apiv3_key: Secret::new(text("/apiv3_key")),
        verify: Verify {
            public_key: Some(public_key),
            certificates: vec![text("/platform_certificate/certificate_pem")],
        },
        v2_key: Some(Secret::new(V2_KEY.into())),
        code_pay: CodePay::V2,
        hosts: Hosts::default(),
        store: Store { device_id: Some("VM0001".into()), terminal_ip: "203.0.113.7".into(), ..Store::default() },
        notify_url: "https://pay.example.com/wx/notify".into(),
        goods_tag: None,
        profit_sharing: false,
        limit_pay: None,
        delivery: None,
    }
}

fn v3_config() -> Config {
    let store = Store { out_id: Some("STORE-01".into()), ..config().store };
    Config { code_pay: CodePay::V3, store, ..config() }
}

fn partner(config: Config) -> Config {
    let sub = SubMerchant { mchid: "1900000109".into(), appid: Some("wx0000000000000109".into()) };
    Config { sub_merchant: Some(sub), ..config }
}

fn delivering() -> Config {
    let delivery = Delivery { appsecret: Secret::new("throwaway-appsecret".into()), token: TokenCall::Stable };
    Config { delivery: Some(delivery), ..config() }
}

fn wechat(config: Config) -> Wechat {
    Wechat::new(config).unwrap()
}

fn attempt() -> AttemptId {
    AttemptId::from_entropy([1; 16])
}

fn refund_id() -> RefundId {
    RefundId::from_entropy([2; 16])
}

fn offer() -> Offer {
    Offer {
        attempt: attempt(),
        amount: Fen::new(350),
        subject: "可乐 330ml".into(),
        goods: Vec::new(),
        valid_ms: 180_000,
        begun: NOW,
        wallet: None,
        instalment: None,
    }
}

fn shown() -> Trade {
    offer().trade(Method::ShowCode)
}

fn taken() -> Trade {
    offer().trade(Method::TakeCode)
}

fn goods() -> GoodsRow {
    GoodsRow { code: "cola".into(), name: "可乐".into(), quantity: 2, price: Fen::new(175) }
}

fn refund() -> RefundOrder {
    RefundOrder {
        trade: shown(),
        refund: refund_id(),
        begun: NOW,
        amount: Fen::new(100),
        reason: "出货失败".into(),
        confirmed: None,
    }
}

fn show() -> Request {
    Request::ShowCode(offer())
}

fn take() -> Request {
    Request::TakeCode(offer(), PayCode::new("130061098828009406"))
}

fn duty(kind: DutyKind) -> Request {
    Request::Duty(Duty {
        amount: shown().amount,
        trade: shown(),
        kind,
        goods: "可乐".into(),
        buyer: Some(OPENID.into()),
        delivered: NOW,
    })
}

/// Every kind of request, both ways of paying.
fn every_request() -> Vec<Request> {
    vec![
        show(),
        take(),
        Request::Query(shown()),
        Request::Query(taken()),
        Request::Close(shown()),
        Request::Close(taken()),
        Request::Cancel(shown()),
        Request::Cancel(taken()),
        Request::Refund(refund()),
        Request::RefundQuery(refund()),
        duty(DutyKind::ReportDelivery),
        Request::Probe,
    ]
}

/// `content` with `$NO` for the attempt's number and `$RF` for the refund's.
fn filled(content: &str) -> String {
    content.replace("$NO", attempt().as_str()).replace("$RF", refund_id().as_str())
}

/// A reply signed with WeChat Pay's vector public key.
fn signed(status: u16, body: &str) -> HttpReply {
    signed_at(NOW.ms / 1000, status, body)
}

fn signed_at(seconds: i64, status: u16, body: &str) -> HttpReply {
    let key = PrivateKey::load(&text("/platform_public_key/private_key_pem")).unwrap();
    let signature = key.sign_sha256(&reply_to_verify(&seconds.to_string(), "nonce", body.as_bytes()));
    let headers = [
        ("wechatpay-timestamp", seconds.to_string()),
        ("wechatpay-nonce", "nonce".to_owned()),
        ("wechatpay-serial", text("/platform_public_key/public_key_id")),
        ("wechatpay-signature", signature),
    ];
    let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    HttpReply { status, headers, body: body.as_bytes().to_vec() }
}

fn unsigned(status: u16, body: &str) -> HttpReply {
    HttpReply { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
}

/// The body of a failure.
fn failure(code: &str) -> String {
    format!(r#"{{"code":"{code}","message":"失败"}}"#)
}

/// A v2 message of ours, signed.
fn v2(fields: &[(&str, &str)]) -> HttpReply {
    let common = [
        ("return_code", "SUCCESS"),
        ("return_msg", "OK"),
        ("appid", "wx0000000000000001"),
        ("mch_id", "1900000001"),
        ("nonce_str", "nonce"),
    ];
    let all: Vec<(&str, String)> = common
        .iter()
        .chain(fields)
        .map(|(name, value)| (*name, filled(value)))
        .filter(|(_, v)| !v.is_empty())
        .collect();
    let pairs = || all.iter().map(|(name, value)| (*name, value.as_str()));
    let sign = v2_sign(pairs(), V2_KEY);
    unsigned(200, &write(pairs().chain([("sign", sign.as_str())])))
}

fn v2_failure(code: &str) -> HttpReply {
    v2(&[("result_code", "FAIL"), ("err_code", code), ("err_code_des", "失败")])
}

/// A paid order as v3 tells of it.
fn paid() -> String {
    filled(
        r#"{"appid":"wx0000000000000001","mchid":"1900000001","out_trade_no":"$NO",
        "transaction_id":"4200001234202605290123456789","trade_type":"NATIVE","trade_state":"SUCCESS",
        "success_time":"2026-05-29T04:26:38+08:00","payer":{"openid":"oThrowawayOpenId0000000000001"},
        "amount":{"total":350,"payer_total":300,"currency":"CNY"},
        "promotion_detail":[{"name":"立减","amount":50,"merchant_contribute":20,"wechatpay_contribute":30}]}"#,
    )
}

fn decoded_by(config: Config, request: &Request, reply: &HttpReply) -> Answer {
    match wechat(config).decode(request, NOW, reply) {
        Decoded::Answer(answer) => answer,
        Decoded::UnknownKey { serial } => panic!("certificate {serial} is wanted"),
        Decoded::EncodeAgain => panic!("only deliveries are done in steps"),
    }
}

fn decoded(request: &Request, reply: &HttpReply) -> Answer {
    decoded_by(config(), request, reply)
}

fn kind(answer: &Answer) -> Option<DoubtKind> {
    answer.doubt().map(|doubt| doubt.kind)
}

fn header<'a>(request: &'a HttpRequest, name: &str) -> &'a str {
    request.headers.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value.as_str())
}

fn body(request: &HttpRequest) -> String {
    String::from_utf8(request.body.clone()).unwrap()
}
