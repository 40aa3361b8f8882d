//! SM2 keys, and the signature that Allinpay calls SM3withSM2: over SM3, with the standard's user id, as DER in Base64.
//!
//! Source: GB/T 32918.2 (SM2 signatures); Allinpay VSP and 云商通 generation 2 (reference/allinpay.md 2.2, 3.2).

use std::convert::Infallible;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sm2::dsa::signature::rand_core::{TryCryptoRng, TryRng};
use sm2::dsa::signature::{RandomizedSigner, Verifier};
use sm2::dsa::{Signature, SigningKey, VerifyingKey};
use sm2::pkcs8::{DecodePrivateKey, DecodePublicKey};
use sm2::{PublicKey as Point, SecretKey};
use thiserror::Error;

use crate::channel::pem::{self, PemError};

/// The user id that takes part in every signature: the standard's default, 16 ASCII bytes.
const USER_ID: &str = "1234567812345678";

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
    /// Neither half of an SM2 pair.
    #[error("it is not {0}, or it is damaged: copy it again, whole")]
    NotSm2(&'static str),
    /// It signs and does not verify: it only looks right.
    #[error("the key signs, and its own public half does not verify that: copy it again, whole")]
    SelfTest,
}

/// Our private key.
pub struct PrivateKey(SigningKey);

impl PrivateKey {
    /// Reads PKCS#8, PEM or its bare Base64, with or without the curve's name inside; and signs once to try it.
    ///
    /// # Errors
    /// [`KeyError`] names what was found instead.
    pub fn load(text: &str) -> Result<Self, KeyError> {
        const WANTED: &str = "an SM2 private key (PKCS#8)";
        let der = pem::one(text)?.der;
        let Ok(secret) = SecretKey::from_pkcs8_der(&der) else {
            return Err(match Point::from_public_key_der(&der) {
                Ok(_) => KeyError::WrongKind { found: "an SM2 public key", wanted: WANTED },
                Err(_) => KeyError::NotSm2(WANTED),
            });
        };
        let key = SigningKey::new(USER_ID, &secret).map_err(|_| KeyError::NotSm2(WANTED))?;
        let key = Self(key);
        key.works().then_some(key).ok_or(KeyError::SelfTest)
    }

    /// The SM3withSM2 signature of `message`: DER in standard Base64, one line, about 96 characters.
    ///
    /// The signature's secret number is derived from the key, the message and `entropy` (RFC 6979 with additional data),
    /// so that an entropy used twice gives nothing away. Signing fails for one number in 2^256; the empty text that stands
    /// for it is refused by every verifier.
    #[must_use]
    pub fn sign_sm3(&self, message: &[u8], entropy: [u8; 32]) -> String {
        let made: Result<Signature, _> = self.0.try_sign_with_rng(&mut Given(entropy), message);
        made.map_or_else(|_| String::new(), |signature| STANDARD.encode(signature.to_der().as_bytes()))
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().clone())
    }

    fn works(&self) -> bool {
        const MESSAGE: &[u8] = b"till";
        self.public().verify_sm3(MESSAGE, &self.sign_sm3(MESSAGE, [0; 32]))
    }
}

impl PartialEq for PrivateKey {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for PrivateKey {}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<SM2 private key>")
    }
}

/// A public key to verify with.
#[derive(Clone)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Reads `SubjectPublicKeyInfo`, PEM or its bare Base64.
    ///
    /// # Errors
    /// [`KeyError`] names what was found instead.
    pub fn load(text: &str) -> Result<Self, KeyError> {
        const WANTED: &str = "an SM2 public key (SubjectPublicKeyInfo)";
        let der = pem::one(text)?.der;
        let Ok(point) = Point::from_public_key_der(&der) else {
            return Err(match SecretKey::from_pkcs8_der(&der) {
                Ok(_) => KeyError::WrongKind { found: "an SM2 private key", wanted: WANTED },
                Err(_) => KeyError::NotSm2(WANTED),
            });
        };
        VerifyingKey::new(USER_ID, point).map(Self).map_err(|_| KeyError::NotSm2(WANTED))
    }

    /// Whether `base64_der` (standard Base64 of strict DER) is the SM3withSM2 signature of `message` by this key's owner.
    #[must_use]
    pub fn verify_sm3(&self, message: &[u8], base64_der: &str) -> bool {
        let der = STANDARD.decode(base64_der).ok();
        let signature = der.and_then(|der| Signature::from_der(&der).ok());
        signature.is_some_and(|signature| self.0.verify(message, &signature).is_ok())
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_affine() == other.0.as_affine()
    }
}

impl Eq for PublicKey {}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<SM2 public key>")
    }
}

/// The caller's entropy in the shape that the library asks for. It is read once per signature, 32 bytes, and is not the
/// signature's secret number itself.
struct Given([u8; 32]);

impl TryRng for Given {
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
        for (byte, given) in wanted.iter_mut().zip(self.0.iter().cycle()) {
            *byte = *given;
        }
        Ok(())
    }
}

impl TryCryptoRng for Given {}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn text(path: &str) -> String {
        let vectors: Value = serde_json::from_str(include_str!("../../../tests/vectors/allinpay.json")).unwrap();
        let found = vectors.pointer(path).and_then(Value::as_str).map(str::to_owned);
        found.unwrap_or_else(|| panic!("no text at {path}"))
    }

    const PAIRS: [&str; 4] = ["vsp_merchant_sm2", "vsp_platform_sm2", "yst2_merchant_sm2", "yst2_platform_sm2"];

    #[test]
    fn a_pair_is_read_in_every_shape() {
        for pair in PAIRS {
            let part = |part: &str| text(&format!("/sm2_keys/{pair}/{part}"));
            let plain = PrivateKey::load(&part("private_pkcs8_base64")).unwrap();
            let named = PrivateKey::load(&part("private_pkcs8_with_curve_parameters_base64")).unwrap();
            let spki = part("public_spki_base64");
            assert_eq!(plain, named, "{pair}");
            assert_eq!(plain.public(), PublicKey::load(&spki).unwrap(), "{pair}");
            let pem = format!("-----BEGIN PUBLIC KEY-----\r\n{spki}\r\n-----END PUBLIC KEY-----\r\n");
            assert_eq!(plain.public(), PublicKey::load(&pem).unwrap(), "{pair}");
        }
    }

    #[test]
    fn what_we_sign_verifies_and_nothing_else_does() {
        let ours = PrivateKey::load(&text("/sm2_keys/vsp_merchant_sm2/private_pkcs8_base64")).unwrap();
        let other = PublicKey::load(&text("/sm2_keys/vsp_platform_sm2/public_spki_base64")).unwrap();
        for length in [0, 1, 63, 64, 65, 5000] {
            let message = vec![b'a'; length];
            let sign = ours.sign_sm3(&message, [7; 32]);
            assert!(ours.public().verify_sm3(&message, &sign));
            assert!(!ours.public().verify_sm3(&[&message[..], b"a"].concat(), &sign));
            assert!(!other.verify_sm3(&message, &sign));
        }
    }

    /// The same call gives the same bytes; another message or entropy never the same secret number.
    #[test]
    fn the_entropy_decides_the_signature_and_may_repeat() {
        let key = PrivateKey::load(&text("/sm2_keys/vsp_merchant_sm2/private_pkcs8_base64")).unwrap();
        let r = |message: &[u8], entropy| {
            let der = STANDARD.decode(key.sign_sm3(message, entropy)).unwrap();
            Signature::from_der(&der).unwrap().r_bytes()
        };
        assert_eq!(key.sign_sm3(b"a", [1; 32]), key.sign_sm3(b"a", [1; 32]));
        assert_ne!(r(b"a", [1; 32]), r(b"a", [2; 32]));
        assert_ne!(r(b"a", [1; 32]), r(b"b", [1; 32]));
    }

    #[test]
    fn broken_signatures_are_refused_without_a_panic() {
        let key = PrivateKey::load(&text("/sm2_keys/vsp_merchant_sm2/private_pkcs8_base64")).unwrap();
        let der = STANDARD.decode(key.sign_sm3(b"till", [7; 32])).unwrap();
        for place in 0..der.len() {
            for byte in [0, 0x80, 0xFF] {
                let mut damaged = der.clone();
                damaged[place] = byte;
                let same = damaged == der;
                assert_eq!(key.public().verify_sm3(b"till", &STANDARD.encode(&damaged)), same);
            }
            assert!(!key.public().verify_sm3(b"till", &STANDARD.encode(&der[..place])));
        }
        for text in ["", "!", "MAYCAQACAQA=", "MAYCAQECAQE="] {
            assert!(!key.public().verify_sm3(b"till", text), "{text:?} was taken");
        }
        let parsed = Signature::from_der(&der).unwrap();
        let raw = [parsed.r_bytes(), parsed.s_bytes()].concat();
        assert!(!key.public().verify_sm3(b"till", &STANDARD.encode(raw)), "raw r and s are no DER");
    }

    #[test]
    fn other_texts_are_named() {
        let private = text("/sm2_keys/vsp_merchant_sm2/private_pkcs8_base64");
        let public = text("/sm2_keys/vsp_merchant_sm2/public_spki_base64");
        let rsa = text("/vsp_keys/merchant_rsa_private_pkcs8_base64");
        assert!(matches!(PrivateKey::load(&public), Err(KeyError::WrongKind { .. })));
        assert!(matches!(PublicKey::load(&private), Err(KeyError::WrongKind { .. })));
        assert!(matches!(PrivateKey::load(&rsa), Err(KeyError::NotSm2(_))));
        assert!(matches!(PublicKey::load(&rsa), Err(KeyError::NotSm2(_))));
        assert!(matches!(PrivateKey::load(&private[..100]), Err(KeyError::NotSm2(_))));
        assert_eq!(PrivateKey::load(" ").unwrap_err(), KeyError::Text(PemError::Empty));
        assert_eq!(PublicKey::load("!!").unwrap_err(), KeyError::Text(PemError::NotBase64));
    }

    #[test]
    fn a_key_prints_nothing_of_itself() {
        let key = PrivateKey::load(&text("/sm2_keys/vsp_merchant_sm2/private_pkcs8_base64")).unwrap();
        assert_eq!(format!("{key:?} {:?}", key.public()), "<SM2 private key> <SM2 public key>");
    }
}
