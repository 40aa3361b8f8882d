//! WeChat Pay: replies of APIv3 and APIv2, and the XML of the latter.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use payment::channel::keys::PrivateKey;
use payment::channel::wechat::sign::{reply_to_verify, v2_sign};
use payment::channel::wechat::{
    CodePay, Config, Delivery, Hosts, MerchantCertificate, Store, TokenCall, Verify, Wechat, WechatKey, xml,
};
use payment::channel::{Answer, Decoded, HttpReply, Request};
use payment::redact::Secret;

use super::forged::{Input, Maker, must_hold};
use super::orders::{ABOUT_MONEY, NOW, filled, request};
use super::vectors;

const V2_KEY: &str = "ThrowawayAPIv2Key0For0Tests00032";
const STATUSES: [u16; 8] = [200, 204, 400, 403, 404, 202, 429, 500];

static THEIRS: LazyLock<PrivateKey> = LazyLock::new(|| key("/platform_public_key/private_key_pem"));
static OURS: LazyLock<PrivateKey> = LazyLock::new(|| key("/merchant/private_key_pem"));
static BY_V2: LazyLock<Wechat> = LazyLock::new(|| wechat(config()));
static BY_V3: LazyLock<Wechat> = LazyLock::new(|| {
    let store = Store { out_id: Some("STORE-01".into()), ..config().store };
    wechat(Config { code_pay: CodePay::V3, store, ..config() })
});

fn key(path: &str) -> PrivateKey {
    PrivateKey::load(&vectors::wechat(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn wechat(config: Config) -> Wechat {
    Wechat::new(config).unwrap_or_else(|error| panic!("{error}"))
}

/// The channel that takes pay codes by APIv2.
pub(super) fn channel() -> &'static Wechat {
    &BY_V2
}

fn config() -> Config {
    let public_key = WechatKey {
        id: vectors::wechat("/platform_public_key/public_key_id"),
        pem: vectors::wechat("/platform_public_key/public_key_pem"),
    };
    Config {
        mchid: vectors::wechat("/merchant/mchid"),
        appid: vectors::wechat("/merchant/appid"),
        sub_merchant: None,
        private_key: Secret::new(vectors::wechat("/merchant/private_key_pem")),
        certificate: MerchantCertificate::Serial(vectors::wechat("/merchant/serial_no")),
        apiv3_key: Secret::new(vectors::wechat("/apiv3_key")),
        verify: Verify {
            public_key: Some(public_key),
            certificates: vec![vectors::wechat("/platform_certificate/certificate_pem")],
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

/// A reply of APIv3 by whoever makes it.
pub(super) fn v3(maker: Maker, status: u16, body: &[u8]) -> HttpReply {
    let seconds = (NOW.ms / 1000).to_string();
    let message = reply_to_verify(&seconds, "nonce", body);
    let signature = match maker {
        Maker::Channel | Maker::Changed => THEIRS.sign_sha256(&message),
        Maker::Other => OURS.sign_sha256(&message),
        Maker::Nobody | Maker::Anything => return HttpReply { status, headers: Vec::new(), body: body.to_vec() },
    };
    let headers = [
        ("wechatpay-timestamp", seconds),
        ("wechatpay-nonce", "nonce".to_owned()),
        ("wechatpay-serial", vectors::wechat("/platform_public_key/public_key_id")),
        ("wechatpay-signature", signature),
    ];
    let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    HttpReply { status, headers, body: body.to_vec() }
}

/// A byte of the body is changed on the way, or of a header when the body is even in length.
pub(super) fn arrived(input: &Input<'_>, sealed: &HttpReply) -> HttpReply {
    let mut came = sealed.clone();
    let place = usize::from(input.choice >> 4);
    match came.headers.get_mut(place) {
        Some((_, value)) => *value = String::from_utf8_lossy(&input.on_the_way(value.as_bytes())).into_owned(),
        None => came.body = input.on_the_way(&sealed.body),
    }
    came
}

/// `Wechat::decode`, APIv3.
pub fn replies(data: &[u8]) {
    let Some(input) = Input::read(data) else { return };
    let request = request(input.ask % ABOUT_MONEY);
    let body = match std::str::from_utf8(input.content) {
        Ok(text) => filled(text).into_bytes(),
        Err(_) => input.content.to_vec(),
    };
    let sealed = v3(input.maker, STATUSES[usize::from(input.choice % 8)], &body);
    let came = arrived(&input, &sealed);
    must_hold(&request, input.maker, |reply| BY_V3.decode(&request, NOW, reply), &sealed, &came);
}

/// `Wechat::decode`, APIv2: the content is lines of `name=value`, or the whole body; and the XML by itself.
pub fn replies_v2(data: &[u8]) {
    let Some(input) = Input::read(data) else { return };
    read_again(input.content);
    let request = request([1, 3, 5, 7][usize::from(input.ask % 4)]);
    let reply = |body: Vec<u8>| HttpReply { status: 200, headers: Vec::new(), body };
    let sealed = reply(message(&input));
    let came = reply(input.on_the_way(&sealed.body));
    must_hold(&request, input.maker, |reply| BY_V2.decode(&request, NOW, reply), &sealed, &came);
}

fn message(input: &Input<'_>) -> Vec<u8> {
    if input.maker == Maker::Anything {
        return input.content.to_vec();
    }
    let text = filled(&String::from_utf8_lossy(input.content));
    let pairs: Vec<(&str, &str)> = text.lines().filter_map(|line| line.split_once('=')).collect();
    let key = if input.maker == Maker::Other { "ThrowawayAPIv2Key0For0Others0032" } else { V2_KEY };
    let sign = v2_sign(pairs.iter().copied(), key);
    let signed = (input.maker != Maker::Nobody).then_some(("sign", sign.as_str()));
    xml::write(pairs.into_iter().chain(signed)).into_bytes()
}

/// What was read is written and read as the same.
fn read_again(bytes: &[u8]) {
    let Ok(message) = xml::read(bytes) else { return };
    let written = xml::write(message.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    // A reader of XML turns CR LF into LF: what stands there was read so once.
    let again: Option<BTreeMap<String, String>> = xml::read(written.as_bytes()).ok();
    let bare = |text: &str| text.replace(['\r', '\n'], "");
    let same = again.is_some_and(|again| {
        again.len() == message.len()
            && again.iter().all(|(name, value)| message.get(name).is_some_and(|first| bare(first) == bare(value)))
    });
    assert!(same, "a message that reads differently the second time: {message:?}");
}

/// The report of a delivery: its replies are not signed, and nothing about money is read from them.
pub fn delivery(data: &[u8]) {
    let (Some(input), Ok(channel)) = (Input::read(data), Wechat::new(delivering())) else { return };
    let request = request(12);
    assert!(matches!(request, Request::Duty(_)));
    let reply = HttpReply { status: 200, headers: Vec::new(), body: input.content.to_vec() };
    match channel.decode(&request, NOW, &reply) {
        Decoded::Answer(answer) => assert!(matches!(answer, Answer::Duty(_)), "{answer:?}"),
        Decoded::EncodeAgain => {
            let sent = channel.encode(&request, NOW, [1; 32]);
            assert!(sent.url.bytes().all(|byte| byte.is_ascii_graphic()), "a token that breaks the address");
        }
        Decoded::UnknownKey { serial } => panic!("{serial} is asked for"),
    }
}

fn delivering() -> Config {
    let delivery = Delivery { appsecret: Secret::new("throwaway-appsecret".into()), token: TokenCall::Stable };
    Config { delivery: Some(delivery), ..config() }
}
