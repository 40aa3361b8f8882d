//! AEAD_AES_256_GCM: notices and platform certificates come encrypted under the APIv3 key.
//!
//! Source: WeChat Pay APIv3, "certificate and callback decryption" (reference 1.7): the key is the 32 characters
//! themselves, the nonce and the associated data are texts, the last 16 bytes are the tag.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use serde::Deserialize;
use thiserror::Error;

/// The only algorithm that WeChat Pay names.
pub const ALGORITHM: &str = "AEAD_AES_256_GCM";

/// A text that is no APIv3 key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("it is not the 32 letters and digits that were set as APIv3 key in the merchant portal")]
pub struct NotAKey;

/// Why a ciphertext does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Sealed {
    /// Another algorithm.
    #[error("it is encrypted by another algorithm than AEAD_AES_256_GCM")]
    OtherAlgorithm,
    /// Not Base64, or a nonce of another length than 12.
    #[error("its ciphertext or nonce is malformed")]
    Malformed,
    /// The tag does not match.
    #[error("it does not open with our APIv3 key: was the key changed in the portal, or is it the APIv2 key?")]
    WrongKey,
}

/// An encrypted object, as it stands in notices and in the list of certificates.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Encrypted {
    /// The algorithm's name.
    pub algorithm: String,
    /// 12 characters.
    pub nonce: String,
    /// May be empty or absent.
    #[serde(default)]
    pub associated_data: Option<String>,
    /// Base64 of ciphertext and tag.
    pub ciphertext: String,
    /// What kind of object is inside, in notices.
    #[serde(default)]
    pub original_type: Option<String>,
}

/// The APIv3 key.
pub struct Key(LessSafeKey);

impl Key {
    /// Reads the 32 characters.
    ///
    /// # Errors
    /// Any other length, or characters that the portal does not take.
    pub fn load(text: &str) -> Result<Self, NotAKey> {
        let clean = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let key = clean.then(|| UnboundKey::new(&AES_256_GCM, text.as_bytes()));
        key.and_then(Result::ok).map(|key| Self(LessSafeKey::new(key))).ok_or(NotAKey)
    }

    /// The plain bytes.
    ///
    /// # Errors
    /// [`Sealed`].
    pub fn open(&self, sealed: &Encrypted) -> Result<Vec<u8>, Sealed> {
        if sealed.algorithm != ALGORITHM {
            return Err(Sealed::OtherAlgorithm);
        }
        let nonce = Nonce::try_assume_unique_for_key(sealed.nonce.as_bytes()).map_err(|_| Sealed::Malformed)?;
        let mut bytes = STANDARD.decode(&sealed.ciphertext).map_err(|_| Sealed::Malformed)?;
        let with = Aad::from(sealed.associated_data.as_deref().unwrap_or_default().as_bytes());
        let plain = self.0.open_in_place(nonce, with, &mut bytes).map_err(|_| Sealed::WrongKey)?;
        Ok(plain.to_vec())
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<APIv3 key>")
    }
}
