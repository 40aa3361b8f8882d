//! Answers: nodes become bytes with a signature over exactly these bytes, with the quirks of the real gateway
//! (reference/alipay.md 2.5, 3.3, 15 item 2). The quirks follow from a number, so that a test can be repeated.

use encoding_rs::{Encoding, GBK, UTF_8};

use super::keys::GatewayKeys;
use super::method::{Method, Node, Refused};
use super::refusal::Refusal;

/// How an answer is dressed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dress {
    pub(crate) charset: &'static Encoding,
    /// Source of the quirks; `None` for the plainest form.
    pub(crate) quirk: Option<u64>,
    pub(crate) rotated: bool,
    pub(crate) bad_signature: bool,
    pub(crate) unsigned_failures: bool,
}

impl Dress {
    /// The plainest form in a charset.
    pub(crate) fn plain(charset: &'static Encoding) -> Self {
        Self { charset, quirk: None, rotated: false, bad_signature: false, unsigned_failures: false }
    }

    /// One of `count` forms; each `aspect` draws from bits of its own.
    fn pick(self, aspect: u32, count: u64) -> u64 {
        self.quirk.map_or(0, |quirk| (quirk >> (aspect * 8)) & 0xFF) % count
    }
}

/// How a signature is given.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Signature {
    Given,
    Empty,
    Absent,
}

/// The bytes of a success.
pub(crate) fn success(keys: &GatewayKeys, method: Method, node: &Node, dress: Dress) -> Vec<u8> {
    envelope(keys, &method.node(), node, Signature::Given, dress)
}

/// The bytes of a failure. Failures of the gateway itself may be unsigned and come as `error_response`.
pub(crate) fn failure(keys: &GatewayKeys, method: Option<Method>, refused: &Refused, dress: Dress) -> Vec<u8> {
    let gateway_level = refused.refusal.is_gateway_level();
    let form = if gateway_level { dress.pick(0, 4) } else { 0 };
    let name = match method {
        Some(method) if form == 0 => method.node(),
        Some(_) | None => "error_response".to_owned(),
    };
    let signature = match form {
        _ if dress.unsigned_failures => Signature::Absent,
        2 => Signature::Absent,
        3 => Signature::Empty,
        _ => Signature::Given,
    };
    envelope(keys, &name, &failure_node(refused), signature, dress)
}

/// Code 20000, in GBK whatever was asked.
pub(crate) fn unavailable(keys: &GatewayKeys, dress: Dress) -> Vec<u8> {
    let refused = Refused::from(Refusal {
        code: "20000",
        msg: "Service Currently Unavailable",
        sub_code: "aop.unknow-error".to_owned(),
        sub_msg: "系统繁忙，请稍后再试".to_owned(),
    });
    let dress = Dress { charset: GBK, ..dress };
    let node = failure_node(&refused);
    envelope(keys, "error_response", &node, Signature::Given, dress)
}

fn failure_node(refused: &Refused) -> Node {
    let Refusal { code, msg, sub_code, sub_msg } = &refused.refusal;
    let members = [("code", *code), ("msg", *msg), ("sub_code", sub_code), ("sub_msg", sub_msg)];
    let beside = refused.beside.iter();
    members
        .into_iter()
        .chain(beside.map(|(name, value)| (*name, value.as_str())))
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect()
}

fn envelope(keys: &GatewayKeys, name: &str, node: &Node, signature: Signature, dress: Dress) -> Vec<u8> {
    let content = content(node, dress);
    let mut members = vec![(name, content.clone())];
    match signature {
        Signature::Given => members.push(("sign", quoted(&sign(keys, &content, dress)))),
        Signature::Empty => members.push(("sign", quoted(""))),
        Signature::Absent => {}
    }
    if let Some(sn) = keys.cert_sn(dress.rotated).filter(|_| signature == Signature::Given) {
        let place = [1, 2, 0][usize::try_from(dress.pick(1, 3)).unwrap_or_default()];
        members.insert(place, ("alipay_cert_sn", quoted(sn)));
    }
    encode(&join(&members, dress), dress.charset)
}

/// The node's text: slashes always escaped, other than ASCII sometimes.
fn content(node: &Node, dress: Dress) -> String {
    let text = serde_json::Value::Object(node.clone()).to_string().replace('/', "\\/");
    // Escapes would hide the very bytes that a GBK answer is about.
    if dress.charset == UTF_8 && dress.pick(2, 3) == 1 {
        return ascii(&text);
    }
    text
}

fn ascii(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii() {
            escaped.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            escaped.push_str(&format!("\\u{unit:04x}"));
        }
    }
    escaped
}

fn sign(keys: &GatewayKeys, content: &str, dress: Dress) -> String {
    let mut bytes = encode(content, dress.charset);
    if dress.bad_signature {
        bytes.push(b' ');
    }
    keys.sign(&bytes, dress.rotated)
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// Joins the members, sometimes with blanks around them, which are not signed.
fn join(members: &[(&str, String)], dress: Dress) -> String {
    let (open, colon, comma, close) = match dress.pick(3, 3) {
        0 => ("{", ":", ",", "}"),
        1 => ("{\n  ", " : ", ",\n  ", "\n}\n"),
        _ => ("{ ", ": ", ", ", " }"),
    };
    let members: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\"{colon}{value}")).collect();
    format!("{open}{}{close}", members.join(comma))
}

fn encode(text: &str, charset: &'static Encoding) -> Vec<u8> {
    charset.encode(text).0.into_owned()
}
