//! Allinpay VSP: answers, and where a statement is.

use std::collections::BTreeMap;

use payment::channel::HttpReply;
use payment::channel::allinpay::sm2;
use payment::channel::allinpay::vsp::sign::md5_of;
use payment::channel::allinpay::vsp::{Config, SignType, Vsp, rsa};
use payment::channel::form::string_to_sign;
use payment::redact::Secret;
use serde_json::value::RawValue;

use super::forged::{Input, Maker, must_hold};
use super::orders::{ABOUT_MONEY, NOW, filled, request};
use super::vectors;

fn app_key(text: &str) -> Secret<String> {
    Secret::new(text.into())
}

/// One of the three ways to sign; MD5 mostly, which is a thousand times as fast as the others.
fn sign_type(choice: u8) -> SignType {
    match choice % 64 {
        1 => SignType::Rsa {
            private_key: Secret::new(vectors::allinpay("/vsp_keys/merchant_rsa_private_pkcs8_base64")),
            allinpay_key: vectors::allinpay("/vsp_keys/platform_rsa_public_spki_base64"),
        },
        2 => SignType::Sm2 {
            private_key: Secret::new(vectors::allinpay("/sm2_keys/vsp_merchant_sm2/private_pkcs8_base64")),
            allinpay_key: vectors::allinpay("/sm2_keys/vsp_platform_sm2/public_spki_base64"),
        },
        _ => SignType::Md5 { app_key: app_key("ThrowawayVspAppKey0123456789abcd") },
    }
}

/// The signature over these members by Allinpay, or by somebody else.
fn signature(choice: u8, others: bool, members: &BTreeMap<String, String>) -> String {
    let pairs = members.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let who = if others { "merchant" } else { "platform" };
    match choice % 64 {
        1 => {
            let text = vectors::allinpay(&format!("/vsp_keys/{who}_rsa_private_pkcs8_base64"));
            let key = rsa::PrivateKey::load(&text).unwrap_or_else(|error| panic!("{error}"));
            key.sign_sha1(string_to_sign(pairs).as_bytes(), [1; 32])
        }
        2 => {
            let text = vectors::allinpay(&format!("/sm2_keys/vsp_{who}_sm2/private_pkcs8_base64"));
            let key = sm2::PrivateKey::load(&text).unwrap_or_else(|error| panic!("{error}"));
            key.sign_sm3(string_to_sign(pairs).as_bytes(), [1; 32])
        }
        _ => md5_of(
            pairs,
            &app_key(if others { "AnotherVspAppKey0123456789abcdef" } else { "ThrowawayVspAppKey0123456789abcd" }),
        ),
    }
}

/// The members of a flat JSON object as the protocol counts them, if it is one.
pub(super) fn members(text: &str) -> Option<BTreeMap<String, String>> {
    let raw: BTreeMap<String, Box<RawValue>> = serde_json::from_str(text).ok()?;
    let plain = |value: Box<RawValue>| match value.get() {
        "null" => Some(String::new()),
        text if text.starts_with('"') => serde_json::from_str(text).ok(),
        bare => Some(bare.to_owned()),
    };
    raw.into_iter().map(|(name, value)| Some((name, plain(value)?))).collect()
}

/// `text` with the signature as one more member at its end.
pub(super) fn with_sign(text: &str, sign: &str) -> String {
    let Some(open) = text.trim_end().strip_suffix('}') else { return text.to_owned() };
    let comma = if open.trim_end().ends_with('{') { "" } else { "," };
    format!("{open}{comma}\"sign\":\"{sign}\"}}")
}

fn body(input: &Input<'_>) -> Vec<u8> {
    let text = filled(&String::from_utf8_lossy(input.content));
    match input.maker {
        Maker::Anything => input.content.to_vec(),
        Maker::Nobody => text.into_bytes(),
        Maker::Channel | Maker::Changed | Maker::Other => {
            let sign = signature(input.choice, input.maker == Maker::Other, &members(&text).unwrap_or_default());
            with_sign(&text, &sign).into_bytes()
        }
    }
}

fn vsp(choice: u8) -> Vsp {
    Vsp::new(Config::new("990000000000001", "00000001", "00000001", sign_type(choice)))
        .unwrap_or_else(|error| panic!("{error}"))
}

/// `Vsp::decode`. It remembers cancels, so each reading begins with a new one.
pub fn replies(data: &[u8]) {
    let Some(input) = Input::read(data) else { return };
    let request = request(input.ask % ABOUT_MONEY);
    let status = if input.choice >= 0xF0 { 404 } else { 200 };
    let reply = |body| HttpReply { status, headers: Vec::new(), body };
    let sealed = reply(body(&input));
    let came = reply(input.on_the_way(&sealed.body));
    must_hold(&request, input.maker, |reply| vsp(input.choice).decode(&request, NOW, reply), &sealed, &came);
    statement(&came);
}

/// Without a signature the address must be Allinpay's own.
fn statement(came: &HttpReply) {
    let Ok(found) = vsp(0).statement_location(came) else { return };
    let url = Vsp::statement_download(&found).url;
    let host =
        url.strip_prefix("https://").and_then(|rest| rest.split(['/', '?', '#', ':']).next()).unwrap_or_default();
    let ours = [".allinpay.com", ".allinpaygd.com"].iter().any(|end| host.ends_with(end));
    assert!(ours && !url.contains(['@', '\\', ' ']), "a statement at {url:?}");
}
