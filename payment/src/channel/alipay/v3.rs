//! The strings that the newer REST protocol signs (`/v3/alipay/…`), both ways.
//!
//! Source: Alipay open platform, protocol v3, "signature rules" (reference 4). Till sells by gateway 1.0, because a v3 pay
//! does not say clearly that the buyer is still confirming; these rules are here for what exists in v3 only.

use crate::channel::HttpMethod;

/// What stands between the scheme and `,sign=` of the `Authorization` header: who asks, and when. The nonce is a UUID, the
/// time milliseconds since 1970.
#[must_use]
pub fn auth_string(app_id: &str, app_cert_sn: Option<&str>, nonce: &str, timestamp_ms: i64) -> String {
    let certificate = app_cert_sn.map(|sn| format!(",app_cert_sn={sn}")).unwrap_or_default();
    format!("app_id={app_id}{certificate},nonce={nonce},timestamp={timestamp_ms}")
}

/// The string that a request's signature is over; `target` is path and query, `body` is empty for GET. The token has its
/// line only when one is sent.
#[must_use]
pub fn request_string(
    auth: &str,
    method: HttpMethod,
    target: &str,
    body: &str,
    app_auth_token: Option<&str>,
) -> String {
    let method = match method {
        HttpMethod::Get => "GET",
        HttpMethod::Post => "POST",
    };
    let token = app_auth_token.map(|token| format!("{token}\n")).unwrap_or_default();
    format!("{auth}\n{method}\n{target}\n{body}\n{token}")
}

/// The `Authorization` header.
#[must_use]
pub fn authorization(auth: &str, sign: &str) -> String {
    format!("ALIPAY-SHA256withRSA {auth},sign={sign}")
}

/// The bytes that the header `alipay-signature` of an answer is over, made of two more headers and the body as it came.
#[must_use]
pub fn response_string(timestamp: &str, nonce: &str, body: &[u8]) -> Vec<u8> {
    [timestamp.as_bytes(), b"\n", nonce.as_bytes(), b"\n", body, b"\n"].concat()
}
