//! SM4-ECB with PKCS#7 padding, in lower-case hexadecimal: card and identity numbers (reference/allinpay.md 3.3).

use std::fmt::Write as _;

use sm4::Sm4;
use sm4::cipher::{BlockCipherEncrypt as _, KeyInit as _};

const BLOCK: usize = 16;

/// The key of 32 hexadecimal digits.
pub(super) fn key(hex: &str) -> Option<[u8; BLOCK]> {
    let mut key = [0; BLOCK];
    for (index, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(index * 2..index * 2 + 2)?, 16).ok()?;
    }
    (hex.len() == BLOCK * 2).then_some(key)
}

/// A whole block is added when the text fills its last one.
pub(super) fn encrypt(key: [u8; BLOCK], text: &str) -> String {
    let cipher = Sm4::new(&key.into());
    let padding = BLOCK - text.len() % BLOCK;
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(text.len() + padding, u8::try_from(padding).unwrap_or_default());
    let mut hex = String::with_capacity(bytes.len() * 2);
    for chunk in bytes.chunks_exact(BLOCK) {
        let mut block = [0; BLOCK];
        block.copy_from_slice(chunk);
        let mut block = block.into();
        cipher.encrypt_block(&mut block);
        for byte in block {
            let _ = write!(hex, "{byte:02x}");
        }
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    /// reference/vectors/allinpay.json, yst2_sm4_ecb
    #[test]
    fn a_card_number_becomes_the_known_text() {
        let key = key("00112233445566778899aabbccddeeff").unwrap();
        let hex = encrypt(key, "6222020202025211");
        assert_eq!(hex, "2a0178b090d255010d4089c59216f2bba82679f39b30ef738000b5421e005672");
    }
}
