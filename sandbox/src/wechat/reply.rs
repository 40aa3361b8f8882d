//! Answers: bytes, and over exactly these bytes the signature of APIv3 with its quirks (reference/wechatpay.md 1.5).

use serde_json::{Value, json};

use super::http::{Incoming, Moment};
use super::weather::Fault;
use super::world::World;

/// What goes back to the terminal.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// What the `Date` header tells; `None` for the right time.
    pub(crate) clock: Option<i64>,
}

impl Reply {
    /// A status with a text that no protocol knows.
    pub(crate) fn bare(status: u16, text: &str) -> Self {
        let headers = vec![("Content-Type".to_owned(), "text/html".to_owned())];
        Self { status, headers, body: text.as_bytes().to_vec(), clock: None }
    }

    /// A body of a kind.
    pub(crate) fn of(status: u16, content_type: &str, body: Vec<u8>) -> Self {
        let headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
        Self { status, headers, body, clock: None }
    }

    fn put(&mut self, name: &str, value: impl Into<String>) {
        self.headers.push((name.to_owned(), value.into()));
    }
}

/// An answer of APIv3 as bytes: signed when its status is 2xx.
pub(crate) fn v3(
    world: &mut World,
    incoming: &Incoming,
    moment: Moment<'_>,
    status: u16,
    body: Option<Value>,
) -> Reply {
    let body = body.map(|body| with_extras(body, moment).to_string()).unwrap_or_default();
    let mut reply = Reply::of(status, "application/json; charset=utf-8", body.into_bytes());
    let id = world.letters(32).to_uppercase();
    reply.put("Request-ID", format!("{id}-{}", 268_435_456 + world.next() % 60_000));
    if (200..300).contains(&status) && !moment.has(&Fault::NoSignature) {
        sign(&mut reply, world, incoming.header("wechatpay-serial"), moment);
    }
    reply
}

/// The same value, by the weather with members that no document knows.
fn with_extras(mut body: Value, moment: Moment<'_>) -> Value {
    if moment.has(&Fault::ExtraFields)
        && let Some(members) = body.as_object_mut()
    {
        members.insert("sandbox_extra".to_owned(), json!({ "list": [1, null, "元"] }));
    }
    body
}

fn sign(reply: &mut Reply, world: &mut World, asked: Option<&str>, moment: Moment<'_>) {
    let (timestamp, nonce) = (moment.clock.div_euclid(1000).to_string(), world.letters(32));
    let mut content = format!("{timestamp}\n{nonce}\n").into_bytes();
    content.extend_from_slice(&reply.body);
    content.push(b'\n');
    if moment.has(&Fault::BadSignature) {
        content.push(b' ');
    }
    let id = moment.keys.signing_id(asked, world.rotated);
    let mut signature = moment.keys.sign(id, &content);
    if moment.has(&Fault::Probe) {
        signature = probe(&signature);
    }
    let id = if moment.has(&Fault::UnknownSerial) { "PUB_KEY_ID_0000000000000000000000000000000000" } else { id };
    reply.put("Wechatpay-Timestamp", timestamp);
    reply.put("Wechatpay-Nonce", nonce);
    reply.put("Wechatpay-Serial", id);
    reply.put("Wechatpay-Signature", signature);
    reply.put("Wechatpay-Signature-Type", "WECHATPAY2-SHA256-RSA2048");
}

/// A signature as probe traffic carries it: the right length, a prefix, and wrong.
pub(crate) fn probe(signature: &str) -> String {
    const PREFIX: &str = "WECHATPAY/SIGNTEST/";
    format!("{PREFIX}{}", signature.get(PREFIX.len()..).unwrap_or_default())
}
