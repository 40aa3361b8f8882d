//! The operator's key. It is not the hub's: who takes over the hub cannot order refunds.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::error::Unspecified;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

/// A command as it goes down, with what the operator signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCommand {
    /// JSON.
    pub command: String,
    /// The 64 bytes of the signature, if nobody bent them.
    pub signature: Vec<u8>,
}

/// What a code is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeKind {
    /// An allowance that is spent over several sales.
    Member,
    /// Used up by one sale, whatever is left.
    Voucher,
}

impl CodeKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Voucher => "voucher",
        }
    }
}

/// Signs what the operator orders and gives out.
pub struct OperatorKey(Ed25519KeyPair);

impl fmt::Debug for OperatorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OperatorKey(…)")
    }
}

impl OperatorKey {
    /// A new key.
    ///
    /// # Errors
    ///
    /// When the system gives no entropy.
    pub fn generate() -> Result<Self, Unspecified> {
        let mut seed = [0; 32];
        SystemRandom::new().fill(&mut seed)?;
        Ok(Self::from_seed(&seed))
    }

    /// The key of a seed, so that a simulation has the same one again.
    #[must_use]
    #[expect(clippy::expect_used, reason = "ring refuses seeds of another length only")]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(seed).expect("every seed of 32 bytes has a key"))
    }

    /// What terminals hold.
    #[must_use]
    pub fn public_key(&self) -> [u8; 32] {
        let mut key = [0; 32];
        key.copy_from_slice(self.0.public_key().as_ref());
        key
    }

    /// Signs a command; `order` is the JSON of `do`.
    #[must_use]
    pub fn command(&self, terminal: &str, number: u64, issued_ms: i64, order: &Value) -> SignedCommand {
        let command = json!({ "terminal": terminal, "number": number, "issued_ms": issued_ms, "do": order });
        self.sign_command(command.to_string())
    }

    /// Signs any text as a command.
    #[must_use]
    pub fn sign_command(&self, command: String) -> SignedCommand {
        let signature = self.sign("till command 1\n", command.as_bytes());
        SignedCommand { command, signature }
    }

    /// The text of a member or voucher code. `amount` is in fen; no terminals mean everywhere.
    #[must_use]
    pub fn code(&self, kind: CodeKind, id: &str, amount: i64, expires_ms: i64, terminals: &[&str]) -> String {
        let payload = json!({
            "id": id,
            "kind": kind.name(),
            "amount": amount,
            "expires_ms": expires_ms,
            "terminals": terminals,
        });
        self.sign_code(payload.to_string().as_bytes())
    }

    /// Signs any payload as a code.
    #[must_use]
    pub fn sign_code(&self, payload: &[u8]) -> String {
        let signature = self.sign("till voucher 1\n", payload);
        format!("TILL1.{}.{}", URL_SAFE_NO_PAD.encode(payload), URL_SAFE_NO_PAD.encode(signature))
    }

    fn sign(&self, domain: &str, bytes: &[u8]) -> Vec<u8> {
        self.0.sign(&[domain.as_bytes(), bytes].concat()).as_ref().to_vec()
    }
}
