//! How requests are signed and answers verified: one string over every field that is not empty, three ways to seal it.
//!
//! Source: VSP, "signing" (reference/allinpay.md 2.2): all fields but `sign`, `signtype` among them, sorted by name, raw.
//! With MD5 the app key is one more field named `key` at its sorted place; at the end, as WeChat has it, it is refused.

use md5::{Digest, Md5};

use super::rsa;
use super::setup::{SetupError, SignType};
use crate::channel::allinpay::sm2;
use crate::channel::form::string_to_sign;
use crate::redact::Secret;

/// The keys of one application.
#[derive(Debug)]
pub(super) enum Keys {
    Md5(Secret<String>),
    Rsa { ours: Box<rsa::PrivateKey>, theirs: Box<rsa::PublicKey> },
    Sm2 { ours: Box<sm2::PrivateKey>, theirs: Box<sm2::PublicKey> },
}

impl Keys {
    pub(super) fn load(sign_type: &SignType) -> Result<Self, SetupError> {
        match sign_type {
            SignType::Md5 { app_key } => Ok(Self::Md5(checked(app_key)?)),
            SignType::Rsa { private_key, allinpay_key } => {
                let ours = rsa::PrivateKey::load(private_key.expose()).map_err(SetupError::RsaPrivateKey)?;
                let theirs = rsa::PublicKey::load(allinpay_key).map_err(SetupError::RsaAllinpayKey)?;
                not_ours(theirs == ours.public())?;
                let holds = ours.public().verify_sha1(b"till", &ours.sign_sha1(b"till", [0; 32]));
                holds.then_some(()).ok_or(SetupError::SelfTest)?;
                Ok(Self::Rsa { ours: Box::new(ours), theirs: Box::new(theirs) })
            }
            SignType::Sm2 { private_key, allinpay_key } => {
                let ours = sm2::PrivateKey::load(private_key.expose()).map_err(SetupError::Sm2PrivateKey)?;
                let theirs = sm2::PublicKey::load(allinpay_key).map_err(SetupError::Sm2AllinpayKey)?;
                not_ours(theirs == ours.public())?;
                Ok(Self::Sm2 { ours: Box::new(ours), theirs: Box::new(theirs) })
            }
        }
    }

    /// The name of the way on the wire, `signtype`.
    pub(super) const fn sign_type(&self) -> &'static str {
        match self {
            Self::Md5(_) => "MD5",
            Self::Rsa { .. } => "RSA",
            Self::Sm2 { .. } => "SM2",
        }
    }

    /// The signature over these fields. With SM2 `entropy` decides the signature, with RSA it only blinds; MD5 has none.
    pub(super) fn sign<'a>(&'a self, fields: impl Iterator<Item = (&'a str, &'a str)>, entropy: [u8; 32]) -> String {
        match self {
            Self::Md5(key) => md5_of(fields, key),
            Self::Rsa { ours, .. } => ours.sign_sha1(string_to_sign(fields).as_bytes(), entropy),
            Self::Sm2 { ours, .. } => ours.sign_sm3(string_to_sign(fields).as_bytes(), entropy),
        }
    }

    /// Whether `sign` is Allinpay's over these fields.
    pub(super) fn verify<'a>(&'a self, fields: impl Iterator<Item = (&'a str, &'a str)>, sign: &str) -> bool {
        match self {
            // Upper case in Allinpay's samples, lower case in some clients.
            Self::Md5(key) => md5_of(fields, key).eq_ignore_ascii_case(sign),
            Self::Rsa { theirs, .. } => theirs.verify_sha1(string_to_sign(fields).as_bytes(), sign),
            Self::Sm2 { theirs, .. } => theirs.verify_sm3(string_to_sign(fields).as_bytes(), sign),
        }
    }
}

/// The MD5 signature over these fields with the app key at its sorted place, upper case.
#[must_use]
pub fn md5_of<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>, key: &'a Secret<String>) -> String {
    let text = string_to_sign(fields.chain([("key", key.expose().as_str())]));
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02X}")).collect()
}

fn checked(app_key: &Secret<String>) -> Result<Secret<String>, SetupError> {
    let text = app_key.expose();
    let fits = (8..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then(|| app_key.clone()).ok_or(SetupError::AppKey)
}

fn not_ours(same: bool) -> Result<(), SetupError> {
    if same { Err(SetupError::AllinpayKeyIsOurs) } else { Ok(()) }
}
