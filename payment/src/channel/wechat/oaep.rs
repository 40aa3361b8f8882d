//! Encrypted fields: what WeChat Pay encrypts to our merchant key, such as the phone number in a complaint.
//!
//! Source: WeChat Pay APIv3, "sensitive information" (reference 1.8): RSA-OAEP with SHA-1, as all official SDKs do; one
//! line of the FAQ recommends SHA-256, which no SDK knows.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::DecodePrivateKey;
use rsa::{Oaep, RsaPrivateKey};
use sha1::Sha1;

use crate::channel::pem;

/// The merchant's key in the form that decrypts.
pub struct FieldKey(RsaPrivateKey);

impl FieldKey {
    /// Reads the private key; `None` when it is none.
    #[must_use]
    pub fn load(text: &str) -> Option<Self> {
        let block = pem::one(text).ok()?;
        let key = RsaPrivateKey::from_pkcs8_der(&block.der).ok();
        key.or_else(|| RsaPrivateKey::from_pkcs1_der(&block.der).ok()).map(Self)
    }

    /// The text in the Base64 of a field; `None` when it does not open.
    #[must_use]
    pub fn open(&self, sealed: &str) -> Option<String> {
        let bytes = STANDARD.decode(sealed).ok()?;
        let plain = self.0.decrypt(Oaep::<Sha1>::new(), &bytes).ok()?;
        String::from_utf8(plain).ok()
    }
}

impl std::fmt::Debug for FieldKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<private key>")
    }
}
