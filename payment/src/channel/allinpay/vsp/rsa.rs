//! RSA keys as VSP uses them: PKCS#1 v1.5 with SHA-1, and keys from 1024 bits, since Allinpay's own key has no more.
//!
//! Both are weak by today's measure, and the interface knows no other RSA: SM2 is the better choice where the merchant's
//! account allows it. Source: reference/allinpay.md 2.2.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs1::{DecodeRsaPrivateKey, DecodeRsaPublicKey};
use rsa::pkcs8::{DecodePrivateKey, DecodePublicKey};
use rsa::{Pkcs1v15Sign, RsaPrivateKey, RsaPublicKey};
use sha1::{Digest, Sha1};
use thiserror::Error;

use crate::channel::alipay::pem::{self, PemError};

/// Why a text is not the key that is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyError {
    /// Not a key text at all.
    #[error(transparent)]
    Text(#[from] PemError),
    /// The other half of a pair.
    #[error("it is {found}, and {wanted} is wanted here")]
    WrongKind {
        /// What was found.
        found: &'static str,
        /// What is wanted.
        wanted: &'static str,
    },
    /// No RSA key, or a broken one.
    #[error("it is not {0} of 1024 to 8192 bits, or it is damaged: copy it again, whole")]
    NotRsa(&'static str),
}

const PRIVATE: &str = "an RSA private key";
const PUBLIC: &str = "an RSA public key";

/// Our private key.
pub struct PrivateKey(RsaPrivateKey);

impl PrivateKey {
    /// Reads PEM (PKCS#8 or PKCS#1) or the bare Base64 of either.
    ///
    /// # Errors
    /// [`KeyError`] names what was found instead.
    pub fn load(text: &str) -> Result<Self, KeyError> {
        let der = pem::one(text)?.der;
        let wrong_kind = KeyError::WrongKind { found: PUBLIC, wanted: PRIVATE };
        match private(&der) {
            Some(key) => Ok(Self(key)),
            None if public(&der).is_some() => Err(wrong_kind),
            None => Err(KeyError::NotRsa(PRIVATE)),
        }
    }

    /// The SHA1withRSA signature of `message` in standard Base64. It is deterministic.
    ///
    /// Signing cannot fail with a key that was loaded; if it did, the empty text would be refused by every verifier.
    #[must_use]
    pub fn sign_sha1(&self, message: &[u8]) -> String {
        let made = self.0.sign(Pkcs1v15Sign::new::<Sha1>(), &Sha1::digest(message));
        made.map_or_else(|_| String::new(), |signature| STANDARD.encode(signature))
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.to_public_key())
    }
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<RSA private key>")
    }
}

/// A public key to verify with.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(RsaPublicKey);

impl PublicKey {
    /// Reads PEM (`SubjectPublicKeyInfo` or PKCS#1) or the bare Base64 of either.
    ///
    /// # Errors
    /// [`KeyError`] names what was found instead.
    pub fn load(text: &str) -> Result<Self, KeyError> {
        let der = pem::one(text)?.der;
        let wrong_kind = KeyError::WrongKind { found: PRIVATE, wanted: PUBLIC };
        match public(&der) {
            Some(key) => Ok(Self(key)),
            None if private(&der).is_some() => Err(wrong_kind),
            None => Err(KeyError::NotRsa(PUBLIC)),
        }
    }

    /// Whether `signature` (standard Base64) is the SHA1withRSA signature of `message` by this key's owner.
    #[must_use]
    pub fn verify_sha1(&self, message: &[u8], signature: &str) -> bool {
        let Ok(signature) = STANDARD.decode(signature) else {
            return false;
        };
        self.0.verify(Pkcs1v15Sign::new::<Sha1>(), &Sha1::digest(message), &signature).is_ok()
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<RSA public key>")
    }
}

fn private(der: &[u8]) -> Option<RsaPrivateKey> {
    RsaPrivateKey::from_pkcs8_der(der).ok().or_else(|| RsaPrivateKey::from_pkcs1_der(der).ok())
}

fn public(der: &[u8]) -> Option<RsaPublicKey> {
    RsaPublicKey::from_public_key_der(der).ok().or_else(|| RsaPublicKey::from_pkcs1_der(der).ok())
}
