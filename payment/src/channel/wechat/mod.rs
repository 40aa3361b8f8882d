//! WeChat Pay: Native orders for our screen, pay codes, refunds, bills, complaints, notices.
//!
//! | module | subject |
//! |---|---|
//! | [`setup`] | the settings, and what can be wrong with them |
//! | [`wire`] | which interface a request uses, and its JSON |
//! | [`sign`] | the strings to sign |
//! | [`aead`], [`oaep`] | what comes encrypted |
//! | [`cert`] | certificates by their numbers |
//! | [`xml`] | the XML of APIv2 |
//! | [`codes`] | the table of error codes |
//! | [`bill`], [`complaint`], [`notice`] | what the daemon asks for beside the engine |
//!
//! The private modules `v2` (messages of APIv2), `delivery` (reports of deliveries), `seal` (signatures of answers), `order`
//! and `reply` (what answers mean) do the rest. RSA keys and PEM texts are read by the modules of
//! [`alipay`](super::alipay), which know every form of them. What was decided where sources disagree is in docs/wechat.md.

pub mod aead;
pub mod bill;
pub mod cert;
pub mod codes;
pub mod complaint;
mod delivery;
pub mod notice;
pub mod oaep;
mod order;
mod reply;
mod seal;
pub mod setup;
pub mod sign;
#[cfg(test)]
pub(crate) mod tests;
mod v2;
pub mod wire;
pub mod xml;

use serde::Deserialize;
use thiserror::Error;

use super::keys::PublicKey;
use super::outcome::{Doubt, DutyOutcome};
use super::{Answer, Decoded, HttpReply, HttpRequest, Request};
use crate::time::Wall;
use aead::Encrypted;
pub use bill::{BillError, BillKind, BillLocation};
use cert::Certificate;
pub use complaint::{Complaint, ComplaintError};
use delivery::TokenStore;
pub use notice::{Notice, NoticeError};
use seal::{Keys, Seal};
use setup::Setup;
pub use setup::{
    CodePay, Config, Delivery, Hosts, MerchantCertificate, SetupError, Store, SubMerchant, TokenCall, Verify, WechatKey,
};
use wire::{Operation, Stamp};

/// One WeChat Pay merchant, its keys loaded.
#[derive(Debug)]
pub struct Wechat {
    setup: Setup,
    keys: Keys,
    tokens: TokenStore,
}

/// Why fetched certificates are not taken. Answers signed with them stay unverified, which is a doubt and loses no money.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyError {
    /// Another HTTP status than 200.
    #[error("HTTP status {0} instead of certificates")]
    Http(u16),
    /// The merchant is new and has no platform certificates.
    #[error(
        "WeChat Pay has no platform certificates for this merchant: set its public key (public_key_id and public_key_file)"
    )]
    PublicKeyOnly,
    /// Not a reply of the protocol.
    #[error("the reply is malformed: {0}")]
    Malformed(String),
    /// A certificate that does not open or cannot be read.
    #[error("certificate {serial}: {problem}")]
    Certificate {
        /// Its number.
        serial: String,
        /// Why.
        problem: String,
    },
    /// The reply's own signature does not hold.
    #[error("the list of certificates is not signed by one of them: {0}")]
    Signature(String),
    /// The one that was wanted is not among them.
    #[error("certificate {0} is not among those that WeChat Pay has for this merchant")]
    NotGiven(String),
}

impl Wechat {
    /// Whether the mini-program's delivery management wants to hear of deliveries.
    #[must_use]
    pub const fn reports_delivery(&self) -> bool {
        self.setup.config.delivery.is_some()
    }

    /// Checks the settings and loads the keys. Nothing is fetched: a new merchant has no certificates to fetch.
    ///
    /// # Errors
    /// [`SetupError`] says which setting is wrong and what to do.
    pub fn new(config: Config) -> Result<Self, SetupError> {
        let setup = Setup::new(config)?;
        let keys = Keys::new(setup.keys.clone());
        Ok(Self { setup, keys, tokens: TokenStore::default() })
    }

    /// The serial number of our own certificate, as the requests name it.
    #[must_use]
    pub fn serial(&self) -> &str {
        &self.setup.serial
    }

    /// The settings.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.setup.config
    }

    /// The signed HTTP request. The same `request` gives the same business fields, so that sending it again is safe.
    /// `entropy` makes the nonce; it must be another one each time.
    #[must_use]
    pub fn encode(&self, request: &Request, wall: Wall, entropy: [u8; 32]) -> HttpRequest {
        wire::request(&self.setup, request, &Stamp::new(wall, entropy), self.tokens.get(wall).as_deref())
    }

    /// What the reply to `request` means. Anything unverified, malformed or unlisted is a doubt, never a failure.
    #[must_use]
    pub fn decode(&self, request: &Request, wall: Wall, reply: &HttpReply) -> Decoded {
        self.read(request, wall, reply).unwrap_or_else(|doubt| Decoded::Answer(Answer::in_doubt(request, doubt)))
    }

    fn read(&self, request: &Request, wall: Wall, reply: &HttpReply) -> Result<Decoded, Doubt> {
        if let Request::Duty(duty) = request
            && !wire::is_owed(&self.setup.config, duty)
        {
            return Ok(Decoded::Answer(Answer::Duty(DutyOutcome::Done)));
        }
        let operation = Operation::of(&self.setup.config, request);
        if operation == Operation::Delivery {
            return delivery::decode(&self.tokens, wall, reply);
        }
        if operation.is_v2() {
            return v2::decode(&self.setup, request, reply).map(Decoded::Answer);
        }
        self.read_v3(request, wall, reply)
    }

    /// 202 and 429 say nothing about what was done, and neither do 5xx (reference 3).
    fn read_v3(&self, request: &Request, wall: Wall, reply: &HttpReply) -> Result<Decoded, Doubt> {
        let is_good = match reply.status {
            200 | 204 => true,
            400..=428 | 430..=499 => false,
            status => return Err(reply::trouble(reply::Failure::read(reply).reason(status))),
        };
        let is_signed = match self.keys.check(wall, &reply.headers, &reply.body) {
            Seal::Unknown(serial) => return Ok(Decoded::UnknownKey { serial }),
            Seal::Absent if !is_good => false,
            seal @ (Seal::Holds | Seal::Absent | Seal::Broken(_)) => {
                seal.broken()?;
                true
            }
        };
        let config = &self.setup.config;
        let answer = if is_good {
            reply::success(config, request, reply)
        } else {
            reply::refused(config, request, reply, is_signed)
        };
        answer.map(Decoded::Answer)
    }

    /// The request for the certificates among which is the one that [`Decoded::UnknownKey`] named.
    #[must_use]
    pub fn key_request(&self, _serial: &str, wall: Wall, entropy: [u8; 32]) -> HttpRequest {
        wire::get(&self.setup, "/v3/certificates", &Stamp::new(wall, entropy))
    }

    /// Takes the certificates out of the reply to [`Wechat::key_request`].
    ///
    /// What is trusted is the encryption under our APIv3 key, which nobody but WeChat Pay can have made; the signature
    /// must fit too, by a key that is known or by one of the certificates themselves.
    ///
    /// # Errors
    /// [`KeyError`]; nothing is taken then.
    pub fn accept_key(&self, serial: &str, wall: Wall, reply: &HttpReply) -> Result<(), KeyError> {
        if reply.status == 404 && codes::is_same(&reply::Failure::read(reply).code, "RESOURCE_NOT_EXISTS") {
            return Err(KeyError::PublicKeyOnly);
        }
        if reply.status != 200 {
            return Err(KeyError::Http(reply.status));
        }
        let list: CertificateList = reply::object(&reply.body).map_err(KeyError::Malformed)?;
        let opened: Result<Vec<_>, _> = list.data.iter().map(|sealed| self.open_certificate(sealed)).collect();
        let opened = opened?;
        let among = |serial: &str| opened.iter().find(|(known, _)| known == serial).map(|(_, key)| key.clone());
        let signer = |serial: &str| self.keys.get(serial).or_else(|| among(serial));
        seal::check(wall, &reply.headers, &reply.body, signer)
            .broken()
            .map_err(|doubt| KeyError::Signature(doubt.detail))?;
        if among(serial).is_none() {
            return Err(KeyError::NotGiven(serial.to_owned()));
        }
        self.keys.add(opened);
        Ok(())
    }

    fn open_certificate(&self, sealed: &SealedCertificate) -> Result<(String, PublicKey), KeyError> {
        let serial = &sealed.serial_no;
        let wrong = |problem: String| KeyError::Certificate { serial: serial.clone(), problem };
        let plain = self.setup.apiv3.open(&sealed.encrypt_certificate).map_err(|error| wrong(error.to_string()))?;
        let text = String::from_utf8(plain).map_err(|_| wrong("it is not PEM".to_owned()))?;
        let read = Certificate::read(&text).map_err(|error| wrong(error.to_string()))?;
        if read.serial != *serial {
            return Err(wrong(format!("it says of itself that it is {}", read.serial)));
        }
        if read.key == self.setup.key.public() {
            return Err(wrong("it is our own".to_owned()));
        }
        Ok((read.serial, read.key))
    }

    /// The content of a signed answer to a question beside the engine, for bills and complaints.
    fn signed_answer(&self, wall: Wall, reply: &HttpReply) -> Result<(), AskedError> {
        if reply.status != 200 {
            let failure = reply::Failure::read(reply);
            return Err(AskedError::Failed { status: reply.status, code: failure.code, words: failure.message });
        }
        match self.keys.check(wall, &reply.headers, &reply.body) {
            Seal::Unknown(serial) => Err(AskedError::UnknownKey(serial)),
            seal @ (Seal::Holds | Seal::Absent | Seal::Broken(_)) => {
                seal.broken().map_err(|doubt| AskedError::Unverified(doubt.detail))
            }
        }
    }
}

/// Why such an answer cannot be used.
enum AskedError {
    Failed { status: u16, code: String, words: String },
    UnknownKey(String),
    Unverified(String),
}

#[derive(Deserialize)]
struct CertificateList {
    data: Vec<SealedCertificate>,
}

#[derive(Deserialize)]
struct SealedCertificate {
    serial_no: String,
    encrypt_certificate: Encrypted,
}
