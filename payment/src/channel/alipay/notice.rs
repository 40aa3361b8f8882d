//! The notices that Alipay posts to `notify_url`: whether Alipay signed them, and what they tell.
//!
//! Source: Alipay gateway 1.0, "asynchronous notice" (异步通知) and "verifying it" (reference 3.4 and 8).
//!
//! A machine behind a router cannot be reached: Till asks, and a notice is never needed. Who receives one (the operator's
//! backend) may take it as a reason to ask, and answers `success`; it proves a payment only after its number and amount
//! were compared with the order's, once for each order.

use std::collections::BTreeMap;

use encoding_rs::{Encoding, GB18030, UTF_8};
use thiserror::Error;

use crate::channel::keys::PublicKey;
use crate::money::Fen;

/// The family of notices about trades.
const TRADE: &str = "trade_status_sync";
/// No notice is near this size, in bytes.
const LARGEST: usize = 64 << 10;

/// Why a form is no notice of Alipay's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotANotice {
    /// Not a form, or one with a name twice.
    #[error("the body is not a form with each name once")]
    NotAForm,
    /// The texts are not in the charset that the form names.
    #[error("the texts are not in the charset that the form names")]
    Charset,
    /// No signature, or one of another kind than RSA2.
    #[error("the notice carries no RSA2 signature")]
    NotSigned,
    /// The signature is not Alipay's over this content.
    #[error("the signature is not Alipay's over this content")]
    BadSignature,
}

/// What a notice tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tells {
    /// The trade is paid, and nothing went back.
    Paid {
        /// Our number.
        out_trade_no: String,
        /// Alipay's number.
        trade_no: String,
        /// What was charged. It must be the order's amount.
        amount: Fen,
    },
    /// Money went back. The status still says `TRADE_SUCCESS` after a part of it: goods were delivered long ago.
    Refunded,
    /// Anything else: closed, finished months later, not about a trade, or not readable. Ask.
    Other,
}

/// A notice whose signature held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice(BTreeMap<String, String>);

impl Notice {
    /// Opens the body of the POST, decoded once and once only: some values are percent-encoded texts themselves.
    ///
    /// # Errors
    /// [`NotANotice`]; nothing in the body is to be believed then.
    pub fn open(body: &[u8], key: &PublicKey) -> Result<Self, NotANotice> {
        let form = Form::read(body)?;
        form.check(key)?;
        form.texts().map(Self)
    }

    /// A parameter that has a value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// What it tells.
    #[must_use]
    pub fn tells(&self) -> Tells {
        if self.get("notify_type") != Some(TRADE) {
            return Tells::Other;
        }
        if ["refund_fee", "gmt_refund", "out_biz_no"].iter().any(|name| self.get(name).is_some()) {
            return Tells::Refunded;
        }
        self.paid().unwrap_or(Tells::Other)
    }

    fn paid(&self) -> Option<Tells> {
        self.get("trade_status").filter(|status| *status == "TRADE_SUCCESS")?;
        let amount: Fen = self.get("total_amount")?.parse().ok()?;
        Some(Tells::Paid {
            out_trade_no: self.get("out_trade_no")?.to_owned(),
            trade_no: self.get("trade_no")?.to_owned(),
            amount: Some(amount).filter(|fen| fen.is_positive())?,
        })
    }
}

/// The parameters as bytes, decoded from percent and plus. The signature is over bytes, whatever their charset.
struct Form(BTreeMap<Vec<u8>, Vec<u8>>);

impl Form {
    fn read(body: &[u8]) -> Result<Self, NotANotice> {
        if body.len() > LARGEST {
            return Err(NotANotice::NotAForm);
        }
        let mut parameters = BTreeMap::new();
        for pair in body.trim_ascii().split(|byte| *byte == b'&') {
            let at = pair.iter().position(|byte| *byte == b'=').ok_or(NotANotice::NotAForm)?;
            let (name, value) = (percent_decoded(&pair[..at])?, percent_decoded(&pair[at + 1..])?);
            if parameters.insert(name, value).is_some() {
                return Err(NotANotice::NotAForm);
            }
        }
        Ok(Self(parameters))
    }

    fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.get(name.as_bytes())?;
        std::str::from_utf8(value).ok().filter(|value| !value.is_empty())
    }

    /// Trade notices leave `sign_type` out of what is signed; other families keep it. One report has `alipay_cert_sn` in a
    /// notice and not in what is signed. Whichever form is signed, the signature is Alipay's.
    fn check(&self, key: &PublicKey) -> Result<(), NotANotice> {
        let sign = self.get("sign").ok_or(NotANotice::NotSigned)?;
        if self.get("sign_type") != Some("RSA2") {
            return Err(NotANotice::NotSigned);
        }
        let forms: &[&[&str]] = match self.get("notify_type") {
            Some(TRADE) => &[&["sign_type"], &["sign_type", "alipay_cert_sn"]],
            Some(_) | None => &[&[], &["sign_type"]],
        };
        let holds = forms.iter().any(|left_out| key.verify(&self.string_to_check(left_out), sign));
        holds.then_some(()).ok_or(NotANotice::BadSignature)
    }

    fn string_to_check(&self, left_out: &[&str]) -> Vec<u8> {
        let counts = |name: &[u8]| name != b"sign" && !left_out.iter().any(|out| out.as_bytes() == name);
        let kept = self.0.iter().filter(|(name, value)| counts(name) && !value.is_empty());
        let pairs: Vec<Vec<u8>> = kept.map(|(name, value)| [name.as_slice(), b"=", value].concat()).collect();
        pairs.join(&b'&')
    }

    fn texts(self) -> Result<BTreeMap<String, String>, NotANotice> {
        let charset = self.charset()?;
        let text = |bytes: &[u8]| {
            let text = charset.decode_without_bom_handling_and_without_replacement(bytes);
            text.map(std::borrow::Cow::into_owned).ok_or(NotANotice::Charset)
        };
        self.0.iter().map(|(name, value)| Ok((text(name)?, text(value)?))).collect()
    }

    fn charset(&self) -> Result<&'static Encoding, NotANotice> {
        match self.get("charset").map(str::to_ascii_lowercase).as_deref() {
            None | Some("utf-8" | "utf8") => Ok(UTF_8),
            Some("gbk" | "gb2312" | "gb18030") => Ok(GB18030),
            Some(_) => Err(NotANotice::Charset),
        }
    }
}

fn percent_decoded(text: &[u8]) -> Result<Vec<u8>, NotANotice> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, tail)) = rest.split_first() {
        (rest, _) = match (byte, tail) {
            (b'%', [high, low, tail @ ..]) => {
                let digit = |hex: &u8| char::from(*hex).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                let (high, low) = digit(high).zip(digit(low)).ok_or(NotANotice::NotAForm)?;
                (tail, bytes.push(high << 4 | low))
            }
            (b'%', _) => return Err(NotANotice::NotAForm),
            (b'+', tail) => (tail, bytes.push(b' ')),
            (other, tail) => (tail, bytes.push(*other)),
        };
    }
    Ok(bytes)
}
