//! What is signed: five lines of a request, three lines of an answer, the sorted parameters of a v2 message.
//!
//! Source: WeChat Pay APIv3, "signature" (reference 1.3, 1.5), and APIv2, "signature algorithm" (reference 5.6).

use ring::hmac;

use crate::channel::HttpMethod;

/// The scheme of the `Authorization` header.
pub const SCHEME: &str = "WECHATPAY2-SHA256-RSA2048";

/// The name of a method, as it stands in the first line.
#[must_use]
pub const fn method_name(method: HttpMethod) -> &'static str {
    match method {
        HttpMethod::Get => "GET",
        HttpMethod::Post => "POST",
    }
}

/// The five lines of a request: `target` is the path and query as they stand on the wire, `body` the exact bytes.
#[must_use]
pub fn request_to_sign(method: &str, target: &str, seconds: i64, nonce: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("{method}\n{target}\n{seconds}\n{nonce}\n");
    [head.as_bytes(), body, b"\n"].concat()
}

/// The three lines of an answer or a notice. The first two are the texts of the headers.
#[must_use]
pub fn reply_to_verify(timestamp: &str, nonce: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("{timestamp}\n{nonce}\n");
    [head.as_bytes(), body, b"\n"].concat()
}

/// The value of the `Authorization` header.
#[must_use]
pub fn authorization(mchid: &str, serial: &str, seconds: i64, nonce: &str, signature: &str) -> String {
    format!(
        "{SCHEME} mchid=\"{mchid}\",nonce_str=\"{nonce}\",signature=\"{signature}\",timestamp=\"{seconds}\",serial_no=\"{serial}\""
    )
}

/// A v2 message's parameters: without `sign` and empty values, sorted by name, joined, raw. The key is appended last.
#[must_use]
pub fn v2_to_sign<'a>(parameters: impl IntoIterator<Item = (&'a str, &'a str)>, key: &str) -> String {
    let mut signed: Vec<_> =
        parameters.into_iter().filter(|(name, value)| *name != "sign" && !value.is_empty()).collect();
    signed.sort_unstable();
    let mut text: String = signed.iter().map(|(name, value)| format!("{name}={value}&")).collect();
    text += "key=";
    text += key;
    text
}

/// The HMAC-SHA256 signature of a v2 message: 64 upper-case hex digits.
#[must_use]
pub fn v2_sign<'a>(parameters: impl IntoIterator<Item = (&'a str, &'a str)>, key: &str) -> String {
    let text = v2_to_sign(parameters, key);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()), text.as_bytes());
    hex(tag.as_ref())
}

/// Whether `sign` is the HMAC-SHA256 signature of these parameters; takes the same time wherever it differs.
#[must_use]
pub fn v2_verify<'a>(parameters: impl IntoIterator<Item = (&'a str, &'a str)>, key: &str, sign: &str) -> bool {
    let Some(tag) = unhex(sign) else {
        return false;
    };
    let text = v2_to_sign(parameters, key);
    hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()), text.as_bytes(), &tag).is_ok()
}

/// Upper-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    Some(digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}
