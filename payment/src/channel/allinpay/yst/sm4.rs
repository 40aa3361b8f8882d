//! Sensitive fields such as card and identity numbers: SM4 in ECB mode, PKCS#7, lower-case hex.
//!
//! Source: 云商通 generation 2 (reference/allinpay.md 3.3). ECB makes equal texts look equal; it is no substitute for TLS.

use sm4::Sm4;
use sm4::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use thiserror::Error;

const BLOCK: usize = 16;

/// A text that is no SM4 key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("it is not the 32 hexadecimal characters that Allinpay's portal shows as the encryption key")]
pub struct NotAKey;

/// A ciphertext that does not open with this key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the encrypted field does not open with our SM4 key")]
pub struct Sealed;

/// The application's `secretKey`.
#[derive(Clone)]
pub struct Key(Sm4);

impl Key {
    /// Reads 32 hexadecimal characters.
    ///
    /// # Errors
    /// Anything else.
    pub fn load(text: &str) -> Result<Self, NotAKey> {
        let bytes = bytes_of(text.trim()).ok_or(NotAKey)?;
        Sm4::new_from_slice(&bytes).map(Self).map_err(|_| NotAKey)
    }

    /// The ciphertext of `plain` in lower-case hex; a text of whole blocks gets one block more.
    #[must_use]
    pub fn encrypt(&self, plain: &str) -> String {
        let padding = BLOCK - plain.len() % BLOCK;
        let mut bytes = plain.as_bytes().to_vec();
        bytes.resize(plain.len() + padding, u8::try_from(padding).unwrap_or_default());
        self.each_block(&mut bytes, |cipher, block| cipher.encrypt_block(block));
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The text in a ciphertext.
    ///
    /// # Errors
    /// Not hex, not whole blocks, a padding that is none, or no UTF-8 inside.
    pub fn decrypt(&self, sealed: &str) -> Result<String, Sealed> {
        let mut bytes = bytes_of(sealed).ok_or(Sealed)?;
        if bytes.is_empty() || !bytes.len().is_multiple_of(BLOCK) {
            return Err(Sealed);
        }
        self.each_block(&mut bytes, |cipher, block| cipher.decrypt_block(block));
        let padding = bytes.last().copied().ok_or(Sealed)?;
        let length = bytes.len().checked_sub(usize::from(padding)).ok_or(Sealed)?;
        let padded = (1..=BLOCK).contains(&usize::from(padding)) && bytes[length..].iter().all(|byte| *byte == padding);
        bytes.truncate(length);
        String::from_utf8(bytes).ok().filter(|_| padded).ok_or(Sealed)
    }

    fn each_block(&self, bytes: &mut [u8], work: impl Fn(&Sm4, &mut sm4::cipher::Block<Sm4>)) {
        for chunk in bytes.chunks_exact_mut(BLOCK) {
            let mut block = Array::default();
            block.copy_from_slice(chunk);
            work(&self.0, &mut block);
            chunk.copy_from_slice(&block);
        }
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<sm4 key>")
    }
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pair = |pair: &[u8]| match pair {
        [high, low] => u8::try_from(digit(*high)? * 16 + digit(*low)?).ok(),
        _ => None,
    };
    hex.as_bytes().chunks(2).map(pair).collect()
}
