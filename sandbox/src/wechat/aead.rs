//! AEAD_AES_256_GCM under the APIv3 key (reference/wechatpay.md 1.7).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

/// The Base64 of ciphertext and tag; `None` when the key has not 32 bytes or the nonce not 12.
pub(crate) fn seal(key: &str, nonce: &str, associated_data: &str, plain: &str) -> Option<String> {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.as_bytes()).ok()?);
    let nonce = Nonce::try_assume_unique_for_key(nonce.as_bytes()).ok()?;
    let mut bytes = plain.as_bytes().to_vec();
    key.seal_in_place_append_tag(nonce, Aad::from(associated_data.as_bytes()), &mut bytes).ok()?;
    Some(STANDARD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_its_characters_and_nothing_else_fits() {
        let key = "Throwaway0APIv3Key0For0Tests0032";
        assert!(seal(key, "fdasflkja484", "transaction", "{}").is_some());
        assert_eq!(seal(&key[1..], "fdasflkja484", "", "{}"), None);
        assert_eq!(seal(key, "short", "", "{}"), None);
    }
}
