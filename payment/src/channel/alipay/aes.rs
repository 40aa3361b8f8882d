//! Alipay's optional content encryption: AES-128-CBC, an IV of 16 zero bytes, PKCS#7, Base64.
//!
//! Source: Alipay open platform, "interface content encryption". The fixed IV makes equal texts look equal; it is no
//! substitute for TLS.

use aes::Aes128;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use thiserror::Error;

const BLOCK: usize = 16;
const IV: [u8; BLOCK] = [0; BLOCK];

/// A text that is no AES key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("it is not the Base64 of 16 bytes that Alipay's console shows as the AES key")]
pub struct NotAKey;

/// A ciphertext that does not open with this key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the encrypted content does not open with our AES key")]
pub struct Sealed;

/// The key for content encryption.
#[derive(Clone)]
pub struct Key([u8; BLOCK]);

impl Key {
    /// Reads the Base64 of 16 bytes.
    ///
    /// # Errors
    /// Anything else.
    pub fn load(text: &str) -> Result<Self, NotAKey> {
        let bytes = STANDARD.decode(text.trim()).map_err(|_| NotAKey)?;
        bytes.try_into().map(Self).map_err(|_| NotAKey)
    }

    /// The Base64 of the ciphertext.
    #[must_use]
    pub fn encrypt(&self, plain: &[u8]) -> String {
        let mut buffer = plain.to_vec();
        buffer.resize((plain.len() / BLOCK + 1) * BLOCK, 0);
        let cipher = cbc::Encryptor::<Aes128>::new(&self.0.into(), &IV.into());
        // The buffer has room for the padding, which is the only thing that can fail.
        let sealed = cipher.encrypt_padded::<Pkcs7>(&mut buffer, plain.len());
        sealed.map_or_else(|_| String::new(), |sealed| STANDARD.encode(sealed))
    }

    /// The text in the Base64 of a ciphertext.
    ///
    /// # Errors
    /// Not Base64, not whole blocks, or a padding that is none.
    pub fn decrypt(&self, sealed: &str) -> Result<Vec<u8>, Sealed> {
        let mut buffer = STANDARD.decode(sealed).map_err(|_| Sealed)?;
        let cipher = cbc::Decryptor::<Aes128>::new(&self.0.into(), &IV.into());
        let plain = cipher.decrypt_padded::<Pkcs7>(&mut buffer);
        plain.map(<[u8]>::to_vec).map_err(|_| Sealed)
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<aes key>")
    }
}
