//! RSA keys as VSP uses them: PKCS#1 v1.5 with SHA-1, and keys from 1024 bits, since Allinpay's own key has no more.
//!
//! Both are weak by today's measure, and the interface knows no other RSA: SM2 is the better choice where the merchant's
//! account allows it. Source: reference/allinpay.md 2.2.

use std::convert::Infallible;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use rsa::pkcs1::{DecodeRsaPrivateKey, DecodeRsaPublicKey};
use rsa::pkcs8::{DecodePrivateKey, DecodePublicKey};
use rsa::rand_core::{TryCryptoRng, TryRng};
use rsa::{Pkcs1v15Sign, RsaPrivateKey, RsaPublicKey};
use sha1::{Digest, Sha1};
use thiserror::Error;

use crate::channel::pem::{self, PemError};

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

    /// The SHA1withRSA signature of `message` in standard Base64. It is deterministic: `entropy` only blinds the
    /// computation, so that its time tells nothing of the key.
    ///
    /// Signing cannot fail with a key that was loaded; if it did, the empty text would be refused by every verifier.
    #[must_use]
    pub fn sign_sha1(&self, message: &[u8], entropy: [u8; 32]) -> String {
        let mut blinding = Stream { entropy, block: 0 };
        let made = self.0.sign_with_rng(&mut blinding, Pkcs1v15Sign::new::<Sha1>(), &Sha1::digest(message));
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

/// As many bytes as the library asks for, out of the caller's entropy: SHA-256 over it and a counter.
struct Stream {
    entropy: [u8; 32],
    block: u64,
}

impl TryRng for Stream {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut word = [0; 4];
        self.try_fill_bytes(&mut word)?;
        Ok(u32::from_le_bytes(word))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut word = [0; 8];
        self.try_fill_bytes(&mut word)?;
        Ok(u64::from_le_bytes(word))
    }

    fn try_fill_bytes(&mut self, wanted: &mut [u8]) -> Result<(), Infallible> {
        for part in wanted.chunks_mut(32) {
            let block = digest(&SHA256, &[&self.entropy[..], &self.block.to_be_bytes()].concat());
            part.copy_from_slice(&block.as_ref()[..part.len()]);
            self.block = self.block.wrapping_add(1);
        }
        Ok(())
    }
}

impl TryCryptoRng for Stream {}

fn private(der: &[u8]) -> Option<RsaPrivateKey> {
    RsaPrivateKey::from_pkcs8_der(der).ok().or_else(|| RsaPrivateKey::from_pkcs1_der(der).ok())
}

fn public(der: &[u8]) -> Option<RsaPublicKey> {
    RsaPublicKey::from_public_key_der(der).ok().or_else(|| RsaPublicKey::from_pkcs1_der(der).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_never_repeats_itself() {
        let mut stream = Stream { entropy: [7; 32], block: 0 };
        let mut bytes = [0; 100];
        stream.try_fill_bytes(&mut bytes).unwrap();
        let next = stream.try_next_u64().unwrap().to_le_bytes();
        assert_ne!(bytes[..32], bytes[32..64]);
        assert!(!bytes.windows(8).any(|window| window == next));
    }
}
