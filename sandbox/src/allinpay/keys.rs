//! SM3withSM2 and SHA1withRSA over PEM keys (reference/allinpay.md 2.2 and 3.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs1v15::Pkcs1v15Sign;
use rsa::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _};
use rsa::{RsaPrivateKey, RsaPublicKey};
use sha1::{Digest as _, Sha1};
use sm2::dsa::signature::{Signer as _, Verifier as _};
use sm2::dsa::{Signature, SigningKey, VerifyingKey};
use sm2::{PublicKey, SecretKey};

/// The user id that goes into every SM2 signature.
const USER_ID: &str = "1234567812345678";

/// `DigestInfo` of SHA-1, before the hash.
const SHA1_INFO: [u8; 15] = [0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2B, 0x0E, 0x03, 0x02, 0x1A, 0x05, 0x00, 0x04, 0x14];

/// Signs by SM2: Base64 of DER.
pub(crate) struct Sm2Signer(SigningKey);

impl Sm2Signer {
    pub(crate) fn from_pem(pem: &str) -> Result<Self, String> {
        let key = SecretKey::from_pkcs8_der(&der(pem)?).map_err(|error| error.to_string())?;
        SigningKey::new(USER_ID, &key).map(Self).map_err(|error| error.to_string())
    }

    pub(crate) fn sign(&self, text: &str) -> String {
        let signature: Result<Signature, _> = self.0.try_sign(text.as_bytes());
        signature.map(|signature| STANDARD.encode(der_of(&signature))).unwrap_or_default()
    }
}

/// Checks SM2 signatures.
pub(crate) struct Sm2Verifier(VerifyingKey);

impl Sm2Verifier {
    pub(crate) fn from_pem(pem: &str) -> Result<Self, String> {
        let key = PublicKey::from_public_key_der(&der(pem)?).map_err(|error| error.to_string())?;
        VerifyingKey::new(USER_ID, key).map(Self).map_err(|error| error.to_string())
    }

    /// Whether the Base64 of a DER signature holds. The 64 bare bytes of r and s are not DER and do not.
    pub(crate) fn holds(&self, text: &str, signature: &str) -> bool {
        let parsed = STANDARD.decode(signature).ok().and_then(|bytes| of_der(&bytes));
        parsed.is_some_and(|signature| self.0.verify(text.as_bytes(), &signature).is_ok())
    }
}

/// SEQUENCE of the two integers, as short as they go.
fn der_of(signature: &Signature) -> Vec<u8> {
    let bytes = signature.to_bytes();
    let (r, s) = bytes.split_at(32);
    let body = [integer(r), integer(s)].concat();
    [vec![0x30, length(&body)], body].concat()
}

fn integer(bytes: &[u8]) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let mut short = bytes.get(zeros..).unwrap_or_default().to_vec();
    if short.first().is_none_or(|byte| *byte >= 0x80) {
        short.insert(0, 0);
    }
    [vec![0x02, length(&short)], short].concat()
}

fn length(bytes: &[u8]) -> u8 {
    u8::try_from(bytes.len()).unwrap_or(u8::MAX)
}

/// Only the one form that [`der_of`] writes: DER has no second one.
fn of_der(bytes: &[u8]) -> Option<Signature> {
    let body = value_of(0x30, bytes).filter(|(_, rest)| rest.is_empty())?.0;
    let (r, rest) = value_of(0x02, body)?;
    let (s, rest) = value_of(0x02, rest)?;
    let mut both = [0; 64];
    place(both.get_mut(..32)?, r)?;
    place(both.get_mut(32..)?, s)?;
    let signature = Signature::from_slice(&both).ok()?;
    (rest.is_empty() && der_of(&signature) == bytes).then_some(signature)
}

fn value_of(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (head, rest) = bytes.split_at_checked(2)?;
    let &[found, length] = head else { return None };
    if found != tag || length >= 0x80 {
        return None;
    }
    rest.split_at_checked(usize::from(length))
}

/// Writes an integer to the end of its 32 bytes.
fn place(into: &mut [u8], integer: &[u8]) -> Option<()> {
    let integer = integer.strip_prefix(&[0]).unwrap_or(integer);
    let start = into.len().checked_sub(integer.len())?;
    into.get_mut(start..)?.copy_from_slice(integer);
    Some(())
}

/// Signs by SHA1withRSA: Base64. Allinpay's own key has 1024 bit.
pub(crate) struct RsaSigner(RsaPrivateKey);

impl RsaSigner {
    pub(crate) fn from_pem(pem: &str) -> Result<Self, String> {
        RsaPrivateKey::from_pkcs8_der(&der(pem)?).map(Self).map_err(|error| error.to_string())
    }

    pub(crate) fn sign(&self, text: &str) -> String {
        let signature = self.0.sign(sha1_with_rsa(), &Sha1::digest(text.as_bytes()));
        signature.map(|bytes| STANDARD.encode(bytes)).unwrap_or_default()
    }
}

/// Checks SHA1withRSA.
pub(crate) struct RsaVerifier(RsaPublicKey);

impl RsaVerifier {
    pub(crate) fn from_pem(pem: &str) -> Result<Self, String> {
        RsaPublicKey::from_public_key_der(&der(pem)?).map(Self).map_err(|error| error.to_string())
    }

    pub(crate) fn holds(&self, text: &str, signature: &str) -> bool {
        STANDARD
            .decode(signature)
            .is_ok_and(|signature| self.0.verify(sha1_with_rsa(), &Sha1::digest(text.as_bytes()), &signature).is_ok())
    }
}

fn sha1_with_rsa() -> Pkcs1v15Sign {
    Pkcs1v15Sign { hash_len: Some(20), prefix: SHA1_INFO.into() }
}

fn der(pem: &str) -> Result<Vec<u8>, String> {
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(body).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
