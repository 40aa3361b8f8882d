//! Alipay, open platform gateway version 1.0: face-to-face payment both ways, queries, reversals and refunds.
//!
//! | module | subject |
//! |---|---|
//! | [`setup`] | the settings, and what can be wrong with them |
//! | [`wire`] | a request's fields and its form |
//! | [`cert`] | certificate mode: serial numbers, chains |
//! | [`aes`] | content encryption |
//! | [`envelope`] | the signed bytes of a reply |
//! | [`codes`] | the table of business codes |
//! | [`bill`] | where a day's statement lies |
//! | [`notice`] | notices that Alipay posts: who signed them, and whether they tell of a payment |
//! | [`v3`] | the strings that the newer REST protocol signs |
//!
//! What a verified reply means for the money is in the private module `reply`, what it tells beside that in `details`;
//! [`failed`] is the part of it for failures.

pub mod aes;
pub mod bill;
pub mod cert;
pub mod codes;
mod details;
pub mod envelope;
pub mod notice;
mod reply;
pub mod setup;
#[cfg(test)]
pub(crate) mod tests;
pub mod v3;
pub mod wire;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

use super::keys::PublicKey;
use super::outcome::{Doubt, DoubtKind};
use super::{Answer, Decoded, HttpRequest, Request};
use crate::time::Wall;
use cert::{CertError, Certificate};
use envelope::{Envelope, NotAnEnvelope};
use reply::Node;
pub use reply::failed;
pub use setup::{CertificateFile, Config, SetupError, Verify};
use setup::{Mode, Setup};
use wire::Method;

const OK: u16 = 200;

/// One Alipay application, its keys loaded.
#[derive(Debug)]
pub struct Alipay {
    setup: Setup,
    /// Keys of certificates that Alipay changed to, by their number.
    rotated: RwLock<BTreeMap<String, PublicKey>>,
}

/// Why a fetched certificate is not taken. Replies signed with it stay unverified, which is a doubt and loses no money.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CertificateError {
    /// This application verifies with a public key.
    #[error("certificates are not used: the set-up names Alipay's public key")]
    KeyMode,
    /// The gateway answered with another HTTP status than 200.
    #[error("HTTP status {0} from the gateway")]
    Http(u16),
    /// Not a reply of the protocol.
    #[error("the reply is malformed: {0}")]
    Malformed(String),
    /// Alipay does not give it.
    #[error("Alipay refused: {0}")]
    Refused(String),
    /// The content is no certificate.
    #[error("the fetched certificate: {0}")]
    Certificate(#[from] CertError),
    /// A certificate with another number.
    #[error("certificate {found} was sent, and {asked} was asked for")]
    OtherNumber {
        /// Asked for.
        asked: String,
        /// Sent.
        found: String,
    },
    /// It does not lead to our root certificates.
    #[error("certificate {0} does not lead to our root certificates: is alipayRootCert.crt the current one?")]
    NoChain(String),
}

/// Whether an envelope's signature holds.
enum Seal<'a> {
    Holds(Cow<'a, [u8]>),
    Broken,
    Absent,
    Unknown(String),
}

impl Alipay {
    /// Checks the settings and loads the keys.
    ///
    /// # Errors
    /// [`SetupError`] says which setting is wrong and what to do.
    pub fn new(config: Config) -> Result<Self, SetupError> {
        Ok(Self { setup: Setup::new(config)?, rotated: RwLock::default() })
    }

    /// Where requests go.
    #[must_use]
    pub fn gateway_url(&self) -> &str {
        &self.setup.config.gateway_url
    }

    /// The signed HTTP request. The same `request` gives the same business fields, so that sending it again is safe.
    #[must_use]
    pub fn encode(&self, request: &Request, wall: Wall) -> HttpRequest {
        wire::request(&self.setup, request, wall)
    }

    /// What the reply to `request` means. Anything unverified, malformed or unlisted is a doubt, never a failure.
    #[must_use]
    pub fn decode(&self, request: &Request, status: u16, body: &[u8]) -> Decoded {
        self.open(request, status, body).unwrap_or_else(|doubt| Decoded::Answer(Answer::in_doubt(request, doubt)))
    }

    fn open(&self, request: &Request, status: u16, body: &[u8]) -> Result<Decoded, Doubt> {
        if status != OK {
            return Err(Doubt::new(DoubtKind::ChannelTrouble, format!("HTTP status {status}")));
        }
        let envelope = Envelope::open(&Method::of(request).node(), body)?;
        let answer = match self.seal(&envelope) {
            Seal::Holds(content) => {
                let node = Node::parse(&self.plain_text(&content)?)?;
                reply::verified(request, &node, envelope.is_error)
            }
            Seal::Absent => {
                let node = Node::parse(&envelope::text(envelope.content)?)?;
                reply::unsigned(request, &node)
            }
            Seal::Broken => {
                let detail = "the signature is not Alipay's over this content";
                return Err(Doubt::new(DoubtKind::BadSignature, detail));
            }
            Seal::Unknown(sn) => return Ok(Decoded::UnknownKey { serial: sn }),
        };
        Ok(Decoded::Answer(answer))
    }

    fn seal<'a>(&self, envelope: &Envelope<'a>) -> Seal<'a> {
        if envelope.sign.is_none() {
            return Seal::Absent;
        }
        let key = match (&self.setup.mode, envelope.cert_sn.as_deref()) {
            (Mode::PublicKey(key), _) => key.clone(),
            (Mode::Certificates(known), None) => known.alipay_key.clone(),
            (Mode::Certificates(known), Some(sn)) if sn == known.alipay_sn => known.alipay_key.clone(),
            (Mode::Certificates(_), Some(sn)) => match self.rotated_key(sn) {
                Some(key) => key,
                None if is_serial_number(sn) => return Seal::Unknown(sn.to_owned()),
                None => return Seal::Broken,
            },
        };
        envelope.verified(&key).map_or(Seal::Broken, Seal::Holds)
    }

    fn rotated_key(&self, sn: &str) -> Option<PublicKey> {
        let rotated = self.rotated.read().unwrap_or_else(PoisonError::into_inner);
        rotated.get(sn).cloned()
    }

    /// Verified content as text. An encrypted node is a JSON text; one that Alipay could not decrypt is a plain object.
    fn plain_text(&self, content: &[u8]) -> Result<String, Doubt> {
        let text = envelope::text(content)?;
        if !text.starts_with('"') {
            return Ok(text.into_owned());
        }
        let unreadable = |detail: &str| Doubt::new(DoubtKind::Malformed, detail);
        let key = self.setup.aes.as_ref();
        let key = key.ok_or_else(|| unreadable("the node is encrypted, and no aes_key is set"))?;
        let sealed: String = serde_json::from_str(&text).map_err(|_| unreadable("the node is no text"))?;
        let plain = key.decrypt(&sealed).map_err(|error| unreadable(&error.to_string()))?;
        Ok(envelope::text(&plain)?.into_owned())
    }

    /// The request for the certificate that [`Decoded::UnknownKey`] named.
    #[must_use]
    pub fn certificate_request(&self, sn: &str, wall: Wall) -> HttpRequest {
        wire::certificate_request(&self.setup, sn, wall)
    }

    /// Takes the certificate out of the reply to [`Alipay::certificate_request`], if it leads to our root certificates.
    ///
    /// The reply's own signature proves nothing here, since it is made with a key that is not known yet: what is trusted
    /// is the chain. Its dates are not looked at: a stale clock must not stop answers about money.
    ///
    /// # Errors
    /// [`CertificateError`]; nothing is taken then.
    pub fn accept_certificate(&self, sn: &str, status: u16, body: &[u8]) -> Result<(), CertificateError> {
        let Mode::Certificates(known) = &self.setup.mode else {
            return Err(CertificateError::KeyMode);
        };
        if status != OK {
            return Err(CertificateError::Http(status));
        }
        let mut sent = Certificate::read_all(&self.certificate_text(body)?)?;
        let leaf = sent.remove(0);
        let found = leaf.serial_number();
        if found != sn {
            return Err(CertificateError::OtherNumber { asked: sn.to_owned(), found });
        }
        sent.extend(known.between.iter().cloned());
        if !cert::chains_to_root(&leaf, &sent, &known.roots) {
            return Err(CertificateError::NoChain(found));
        }
        let key = leaf.public_key()?;
        let mut rotated = self.rotated.write().unwrap_or_else(PoisonError::into_inner);
        rotated.insert(found, key);
        Ok(())
    }

    /// The PEM text in the reply to a certificate request.
    fn certificate_text(&self, body: &[u8]) -> Result<String, CertificateError> {
        let malformed = |detail: &str| CertificateError::Malformed(detail.to_owned());
        let node = Envelope::open(&Method::CertificateDownload.node(), body)
            .map_err(Doubt::from)
            .and_then(|envelope| self.plain_text(envelope.content))
            .and_then(|text| Node::parse(&text))
            .map_err(|doubt| malformed(&doubt.detail))?;
        let content = node.alipay_cert_content.get();
        let content = content.ok_or_else(|| CertificateError::Refused(node.reason()))?;
        let pem = STANDARD.decode(content).map_err(|_| malformed("the certificate is not Base64"))?;
        String::from_utf8(pem).map_err(|_| malformed("the certificate is not PEM"))
    }
}

impl From<NotAnEnvelope> for Doubt {
    fn from(error: NotAnEnvelope) -> Self {
        Self::new(DoubtKind::Malformed, error.to_string())
    }
}

fn is_serial_number(sn: &str) -> bool {
    sn.len() == 32 && sn.bytes().all(|byte| byte.is_ascii_hexdigit())
}
