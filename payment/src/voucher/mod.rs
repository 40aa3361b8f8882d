//! Member and voucher codes: what the operator signed, so that a terminal can take it without asking anybody.
//!
//! ```text
//! TILL1.  base64url(payload)  .  base64url(signature)       without padding, the signature over "till voucher 1\n" + payload
//! payload = {"id":"M-1001","kind":"member","amount":5000,"expires_ms":1800000000000,"terminals":["VM-0001"]}
//! ```
//!
//! Whoever holds the text holds the money: it is handled like a pay code, and only its `id` is written down. What a code
//! may still buy here is the engine's to know; this module says whether it is the operator's, and for whom and when.

mod sign;
#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::engine::entry::VoucherUse;
use crate::money::{Fen, LARGEST_ORDER};
use crate::redact::PayCode;
use crate::time::Wall;

pub use sign::OperatorKey;

/// How every such code begins.
pub const PREFIX: &str = "TILL1.";

/// The longest code, in characters: a QR code of it can still be read from a phone's screen, and a scanner's line holds it.
pub const LENGTH_MAX: usize = 512;

/// What is signed begins with this, so that no signature of the operator for another purpose makes a code.
const CONTEXT: &[u8] = b"till voucher 1\n";

/// The longest id.
const ID_MAX: usize = 64;

/// What a code says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Voucher {
    /// The operator's own number of it: 1 to 64 of `A–Z a–z 0–9 - _`.
    pub id: String,
    /// How often it may be used.
    pub kind: Kind,
    /// All that may be spent of it.
    pub amount: Fen,
    /// From then on it is worth nothing, milliseconds since 1970.
    pub expires_ms: i64,
    /// The terminals that may take it; none means all.
    pub terminals: Vec<String>,
}

/// How often a code may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An allowance that is spent over several sales.
    Member,
    /// One sale uses it up, whatever is left.
    Voucher,
}

/// So many used codes a terminal remembers, about 1 MB. With that many still valid, a new one is refused rather than an
/// old one forgotten.
pub const CODES_MAX: usize = 10_000;

/// What the journal says was spent of a code, valid or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoucherSpent {
    /// The code's id.
    pub code: String,
    /// Paid with it, less what went back.
    pub spent: Fen,
    /// One sale used it up, and not all of its sum went back.
    pub used_once: bool,
    /// Until when it may be spent.
    pub expires_ms: i64,
}

/// Why a code was not taken. Nothing was spent of it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum VoucherRefused {
    /// Not a whole code.
    #[error("this member or voucher code is cut off or damaged; nothing was spent of it. Show it again, larger")]
    Damaged,
    /// The signature is not the operator's.
    #[error("this member or voucher code is not signed by this terminal's operator; it is worth nothing here")]
    Forged,
    /// Signed, but it does not say what it must.
    #[error("the operator signed this code, but it does not say what a code must say ({0}); have it issued anew")]
    Malformed(&'static str),
    /// Its time is over.
    #[error("this code has expired; nothing was spent of it")]
    Expired,
    /// The time is not known, so nobody can say whether it has expired.
    #[error("the clock is not trusted, so no member or voucher code is taken; nothing was spent of it")]
    NoClock,
    /// For other terminals.
    #[error("this code is for other terminals than this one; nothing was spent of it")]
    Elsewhere,
    /// It was used up here.
    #[error("this voucher was used; nothing more was spent of it")]
    Used,
    /// Not enough is left for this order.
    #[error("only {left:?} are left of this code, which is not enough for this order; nothing was spent of it")]
    TooLittle {
        /// What is left here.
        left: Fen,
    },
    /// The order costs more than a code may pay at once.
    #[error("an order of more than {per_sale_max:?} is not paid by a code at this terminal; nothing was spent of it")]
    AboveSale {
        /// The terminal's limit.
        per_sale_max: Fen,
    },
    /// Too much is not settled.
    #[error("codes for {unsettled_max:?} wait for the hub, and no more is taken before it has them; nothing was spent")]
    Unsettled {
        /// The terminal's limit.
        unsettled_max: Fen,
    },
    /// Too many codes to remember.
    #[error("this terminal remembers as many codes as it can and takes no new one until some expire")]
    TooMany,
}

/// Whether a scanned line claims to be such a code.
#[must_use]
pub fn is_voucher(line: &str) -> bool {
    line.starts_with(PREFIX)
}

impl Voucher {
    /// Reads a code and proves that the operator signed it.
    ///
    /// # Errors
    ///
    /// [`VoucherRefused::Damaged`], [`VoucherRefused::Forged`] or [`VoucherRefused::Malformed`].
    pub fn read(code: &PayCode, operator_key: &[u8; 32]) -> Result<Self, VoucherRefused> {
        let (payload, signature) = parts(code.expose()).ok_or(VoucherRefused::Damaged)?;
        let key = UnparsedPublicKey::new(&ED25519, operator_key);
        key.verify(&signed(&payload), &signature).map_err(|_| VoucherRefused::Forged)?;
        let voucher = understood(&payload)?;
        voucher.check_form()?;
        Ok(voucher)
    }

    /// Whether it may be spent at `terminal` now.
    ///
    /// # Errors
    ///
    /// [`VoucherRefused::NoClock`], [`VoucherRefused::Expired`] or [`VoucherRefused::Elsewhere`].
    pub fn check(&self, terminal: &str, now: Wall) -> Result<(), VoucherRefused> {
        if !now.trusted {
            return Err(VoucherRefused::NoClock);
        }
        if self.expires_ms <= now.ms {
            return Err(VoucherRefused::Expired);
        }
        if !self.terminals.is_empty() && !self.terminals.iter().any(|known| known == terminal) {
            return Err(VoucherRefused::Elsewhere);
        }
        Ok(())
    }

    /// What an attempt notes of it.
    #[must_use]
    pub fn into_use(self) -> VoucherUse {
        let once = self.kind == Kind::Voucher;
        VoucherUse { code: self.id, allowance: self.amount, once, expires_ms: self.expires_ms }
    }

    fn check_form(&self) -> Result<(), VoucherRefused> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if !(1..=ID_MAX).contains(&self.id.len()) || !self.id.bytes().all(allowed) {
            return Err(VoucherRefused::Malformed("id"));
        }
        if !self.amount.is_positive() || self.amount > LARGEST_ORDER {
            return Err(VoucherRefused::Malformed("amount"));
        }
        Ok(())
    }
}

/// The payload's bytes and the signature's.
fn parts(code: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    let text = code.strip_prefix(PREFIX).filter(|_| code.len() <= LENGTH_MAX)?;
    let (payload, signature) = text.split_once('.')?;
    let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part).ok().filter(|bytes| !bytes.is_empty());
    Some((bytes(payload)?, bytes(signature)?))
}

fn signed(payload: &[u8]) -> Vec<u8> {
    [CONTEXT, payload].concat()
}

/// An object with exactly the known keys, each once.
fn understood(payload: &[u8]) -> Result<Voucher, VoucherRefused> {
    let object = payload.first() == Some(&b'{');
    let voucher = serde_json::from_slice(payload).ok().filter(|_| object);
    voucher.ok_or(VoucherRefused::Malformed("payload"))
}
