//! The operator's side: codes are signed where the operator keeps the key, never on a terminal.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use super::{LENGTH_MAX, PREFIX, Voucher, signed};
use crate::redact::PayCode;

/// The operator's private key.
pub struct OperatorKey(Ed25519KeyPair);

impl OperatorKey {
    /// The key of 32 bytes of entropy.
    ///
    /// # Panics
    ///
    /// Never: any 32 bytes are a seed.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        #[expect(clippy::expect_used, reason = "only a seed of another length is refused")]
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).expect("32 bytes are a seed");
        Self(pair)
    }

    /// The public half, as terminals hold it.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        let mut public = [0; 32];
        public.copy_from_slice(self.0.public_key().as_ref());
        public
    }

    /// The code's text; `None` when it is longer than terminals read.
    #[must_use]
    pub fn sign(&self, voucher: &Voucher) -> Option<PayCode> {
        let payload = serde_json::to_vec(voucher).ok()?;
        let signature = self.0.sign(&signed(&payload));
        let [payload, signature] = [payload.as_slice(), signature.as_ref()].map(|part| URL_SAFE_NO_PAD.encode(part));
        let text = format!("{PREFIX}{payload}.{signature}");
        (text.len() <= LENGTH_MAX).then(|| PayCode::new(text))
    }

    /// Signs any bytes: a code for tests that is the operator's and says something odd.
    #[cfg(test)]
    pub(super) fn sign_payload(&self, payload: &[u8]) -> PayCode {
        let signature = self.0.sign(&signed(payload));
        let [payload, signature] = [payload, signature.as_ref()].map(|part| URL_SAFE_NO_PAD.encode(part));
        PayCode::new(format!("{PREFIX}{payload}.{signature}"))
    }
}

impl fmt::Debug for OperatorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}
