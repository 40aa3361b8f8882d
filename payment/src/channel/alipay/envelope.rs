//! The reply's envelope: finds the signed bytes exactly as they came, and opens them only after verifying.
//!
//! Source: Alipay gateway 1.0, "synchronous return verification" (同步返回验签): the signature covers the node's value
//! from its first to its last byte, escapes and inner blanks included; an encrypted node with both of its quotes.

use std::borrow::Cow;

use encoding_rs::GB18030;
use thiserror::Error;

use crate::channel::keys::PublicKey;

const ERROR_NODE: &str = "error_response";
/// An envelope has three members, or four. Each one is compared with all before it, so their number is bounded.
const MOST_MEMBERS: usize = 64;

/// Why a body is no envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotAnEnvelope {
    /// Not one JSON object.
    #[error("the body is not one whole JSON object")]
    NotAnObject,
    /// The same member twice.
    #[error("a member stands twice in the body")]
    Twice,
    /// Far more members than an envelope has.
    #[error("the body has too many members")]
    TooMany,
    /// No node for the method, nor an error.
    #[error("the body has no node for this method")]
    NoNode,
    /// `sign` or `alipay_cert_sn` is not a text.
    #[error("the signature or the certificate number is not a text")]
    NotAText,
    /// The node's bytes are in no known charset.
    #[error("the node is neither UTF-8 nor GB18030")]
    Charset,
}

/// A reply taken apart, nothing verified yet.
#[derive(Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The node's value, byte for byte.
    pub content: &'a [u8],
    /// It came under `error_response`, so that nothing good can be in it.
    pub is_error: bool,
    /// The signature; `None` when there is none or an empty one.
    pub sign: Option<String>,
    /// The number of the certificate that the signature belongs to.
    pub cert_sn: Option<String>,
}

impl<'a> Envelope<'a> {
    /// Takes `body` apart; `node` is the method's own member, such as `alipay_trade_pay_response`.
    ///
    /// # Errors
    /// [`NotAnEnvelope`].
    pub fn open(node: &str, body: &'a [u8]) -> Result<Self, NotAnEnvelope> {
        let members = Scanner::new(body).object()?;
        let member = |name: &str| members.iter().find(|(key, _)| key == name).map(|(_, v)| *v);
        let (content, is_error) = match (member(node), member(ERROR_NODE)) {
            (Some(content), None) => (content, false),
            (None, Some(content)) => (content, true),
            (None, None) => return Err(NotAnEnvelope::NoNode),
            (Some(_), Some(_)) => return Err(NotAnEnvelope::Twice),
        };
        Ok(Self { content, is_error, sign: text_of(member("sign"))?, cert_sn: text_of(member("alipay_cert_sn"))? })
    }

    /// The content as this key's owner signed it, or `None` when it did not.
    ///
    /// The bytes as they came are tried first; Alipay's Java SDK tries a second time with `\/` read as `/`, and so do we.
    #[must_use]
    pub fn verified(&self, key: &PublicKey) -> Option<Cow<'a, [u8]>> {
        let sign = self.sign.as_deref()?;
        if key.verify(self.content, sign) {
            return Some(Cow::Borrowed(self.content));
        }
        let plain = without_escaped_slashes(self.content);
        key.verify(&plain, sign).then_some(Cow::Owned(plain))
    }
}

/// The text of verified bytes: UTF-8, or GB18030 as some trouble answers come in it whatever charset was asked for.
///
/// # Errors
/// Neither.
pub fn text(bytes: &[u8]) -> Result<Cow<'_, str>, NotAnEnvelope> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(Cow::Borrowed(text));
    }
    let decoded = GB18030.decode_without_bom_handling_and_without_replacement(bytes);
    decoded.ok_or(NotAnEnvelope::Charset)
}

/// A JSON text member; an empty one counts as absent.
fn text_of(value: Option<&[u8]>) -> Result<Option<String>, NotAnEnvelope> {
    let Some(value) = value else { return Ok(None) };
    let text: Option<String> = serde_json::from_slice(value).map_err(|_| NotAnEnvelope::NotAText)?;
    Ok(text.filter(|text| !text.is_empty()))
}

fn without_escaped_slashes(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len());
    let mut rest = content;
    while let Some((first, tail)) = rest.split_first() {
        if *first != b'\\' || tail.first() != Some(&b'/') {
            out.push(*first);
        }
        rest = tail;
    }
    out
}

type Member<'a> = (String, &'a [u8]);

/// Walks over JSON without changing it. It knows strings and their escapes, so that a brace in a text ends nothing; and in
/// bodies that are not UTF-8 it steps over the two bytes of a GBK character, the second of which can look like `\`.
struct Scanner<'a> {
    body: &'a [u8],
    at: usize,
    gbk: bool,
}

impl<'a> Scanner<'a> {
    fn new(body: &'a [u8]) -> Self {
        let gbk = std::str::from_utf8(body).is_err();
        Self { body, at: 0, gbk }
    }

    /// The members of the one object that the body is.
    fn object(mut self) -> Result<Vec<Member<'a>>, NotAnEnvelope> {
        let mut members: Vec<Member<'a>> = Vec::new();
        self.expect(b'{')?;
        loop {
            let key = text_of(Some(self.value()?))?.ok_or(NotAnEnvelope::NotAText)?;
            self.expect(b':')?;
            let value = self.value()?;
            if members.iter().any(|(known, _)| *known == key) {
                return Err(NotAnEnvelope::Twice);
            }
            if members.len() == MOST_MEMBERS {
                return Err(NotAnEnvelope::TooMany);
            }
            members.push((key, value));
            match self.next_sign()? {
                b',' => {}
                b'}' => break,
                _ => return Err(NotAnEnvelope::NotAnObject),
            }
        }
        self.skip_blanks();
        let at_end = self.at == self.body.len();
        at_end.then_some(members).ok_or(NotAnEnvelope::NotAnObject)
    }

    /// The bytes of the next value, without the blanks around it.
    fn value(&mut self) -> Result<&'a [u8], NotAnEnvelope> {
        self.skip_blanks();
        let start = self.at;
        match self.peek()? {
            b'"' => self.string()?,
            b'{' | b'[' => self.nested()?,
            _ => self.scalar(),
        }
        let value = &self.body[start..self.at];
        (!value.is_empty()).then_some(value).ok_or(NotAnEnvelope::NotAnObject)
    }

    fn nested(&mut self) -> Result<(), NotAnEnvelope> {
        let mut depth = 0_usize;
        loop {
            match self.peek()? {
                b'"' => self.string()?,
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    depth -= 1;
                    self.at += 1;
                    if depth == 0 {
                        return Ok(());
                    }
                }
                _ => self.at += 1,
            }
        }
    }

    fn string(&mut self) -> Result<(), NotAnEnvelope> {
        self.at += 1;
        loop {
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Ok(());
                }
                b'\\' => self.at += 2,
                0x81..=0xFE if self.gbk => self.at += 2,
                _ => self.at += 1,
            }
        }
    }

    fn scalar(&mut self) {
        while let Some(byte) = self.body.get(self.at) {
            if matches!(byte, b',' | b'}' | b']' | b':' | b' ' | b'\t' | b'\r' | b'\n') {
                return;
            }
            self.at += 1;
        }
    }

    fn expect(&mut self, wanted: u8) -> Result<(), NotAnEnvelope> {
        let found = self.next_sign()?;
        (found == wanted).then_some(()).ok_or(NotAnEnvelope::NotAnObject)
    }

    fn next_sign(&mut self) -> Result<u8, NotAnEnvelope> {
        self.skip_blanks();
        let found = self.peek()?;
        self.at += 1;
        Ok(found)
    }

    fn peek(&self) -> Result<u8, NotAnEnvelope> {
        self.body.get(self.at).copied().ok_or(NotAnEnvelope::NotAnObject)
    }

    fn skip_blanks(&mut self) {
        while matches!(self.body.get(self.at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(body: &str) -> Result<String, NotAnEnvelope> {
        let opened = Envelope::open("n", body.as_bytes())?;
        Ok(String::from_utf8(opened.content.to_vec()).unwrap())
    }

    #[test]
    fn the_content_is_the_bytes_between_the_braces() {
        for (body, inside) in [
            (r#"{"n":{"a":"}\"{"},"sign":"s"}"#, r#"{"a":"}\"{"}"#),
            ("{\"sign\":\"s\",\r\n \"n\" : { \"a\" : [1,{}] } }\n", r#"{ "a" : [1,{}] }"#),
            (r#"{"n":"c2VhbGVk","sign":"s"}"#, r#""c2VhbGVk""#),
            (r#"{"x":1.5,"y":null,"n":{"a":"\\"}}"#, r#"{"a":"\\"}"#),
        ] {
            assert_eq!(content(body).as_deref(), Ok(inside));
        }
    }

    #[test]
    fn only_the_outer_sign_counts_and_its_slashes_are_unescaped() {
        let body = br#"{"n":{"sign":"inner"},"sign":"a\/b="}"#;
        assert_eq!(Envelope::open("n", body).unwrap().sign.as_deref(), Some("a/b="));
        for none in [&br#"{"n":{"sign":"inner"}}"#[..], br#"{"n":{},"sign":""}"#, br#"{"n":{},"sign":null}"#] {
            assert_eq!(Envelope::open("n", none).unwrap().sign, None);
        }
    }

    #[test]
    fn what_is_not_one_whole_object_is_refused() {
        for body in [
            "",
            "{",
            "{}",
            "[]",
            "null",
            "\"n\"",
            "<html>",
            r#"{"n":{}"#,
            r#"{"n":{}}x"#,
            r#"{"n":{"#,
            r#"{"n":{"a":"#,
            r#"{"n":{"a":"\"#,
            r#"{"n":}"#,
            r#"{"n" {}}"#,
            r#"{"n":{},}"#,
            r#"{n:{}}"#,
        ] {
            assert!(content(body).is_err(), "{body:?} was taken");
        }
        assert_eq!(content(r#"{"n":{},"n":{}}"#), Err(NotAnEnvelope::Twice));
        assert_eq!(content(r#"{"n":{},"error_response":{}}"#), Err(NotAnEnvelope::Twice));
        assert_eq!(content(r#"{"m":{}}"#), Err(NotAnEnvelope::NoNode));
        assert_eq!(content(r#"{"n":{},"sign":{}}"#), Err(NotAnEnvelope::NotAText));
    }

    #[test]
    fn the_number_of_members_is_bounded() {
        let body = |members: usize| {
            let others: String = (1..members).map(|number| format!(r#","m{number}":0"#)).collect();
            format!(r#"{{"n":{{}}{others}}}"#)
        };
        assert!(content(&body(MOST_MEMBERS)).is_ok());
        assert_eq!(content(&body(MOST_MEMBERS + 1)), Err(NotAnEnvelope::TooMany));
    }

    #[test]
    fn every_cut_of_a_reply_is_refused_and_never_panics() {
        let body = r#"{"n":{"a":"\u4ea4 b}","c":["d",{"e":"交易"}]},"alipay_cert_sn":"00","sign":"s"}"#.as_bytes();
        assert!(Envelope::open("n", body).is_ok());
        for end in 0..body.len() {
            assert!(Envelope::open("n", &body[..end]).is_err());
        }
    }

    /// Whatever a broken line does to a reply, opening it ends in content that lies inside the body, or in an error.
    #[test]
    fn no_damaged_byte_makes_it_panic() {
        let body = r#"{"n":{"a":"\u4ea4 b}","c":["交易"]},"sign":"s"}"#.as_bytes();
        for place in 0..body.len() {
            for byte in [b'"', b'\\', b'{', b'}', b'[', b',', b' ', 0, 0x81, 0xFE, 0xFF] {
                let mut damaged = body.to_vec();
                damaged[place] = byte;
                if let Ok(opened) = Envelope::open("n", &damaged) {
                    assert!(opened.content.len() < damaged.len());
                }
            }
        }
    }
}
