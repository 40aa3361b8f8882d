//! Notices: Allinpay posts them when an order is decided. None is acted on: it only says which order to ask after.
//!
//! Source: 云商通 generation 2 (reference/allinpay.md 3.6). Whether the fields stand at the top or in a `bizData` text is not
//! settled; both are read. The answer that ends the repeats is [`ACCEPTED`].

use super::envelope::Members;
use super::reply::malformed;
use crate::channel::allinpay::sm2::PublicKey;
use crate::channel::outcome::Doubt;

/// The body that says that a notice arrived.
pub const ACCEPTED: &str = "success";

/// Which order to ask after. What the notice says of its state is not here on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Our number of the order: of an attempt, a refund, or a confirmation.
    pub number: String,
    /// Allinpay's number of it.
    pub trade_no: Option<String>,
    /// Our number of the payment behind it, for refunds and confirmations.
    pub original: Option<String>,
}

impl Notice {
    pub(super) fn read(body: &[u8], key: &PublicKey) -> Result<Self, Doubt> {
        let text = std::str::from_utf8(body).map_err(|_| malformed("the notice is not UTF-8"))?;
        let envelope = Members::parse(text)?;
        envelope.signed_by(key)?;
        let fields = match envelope.get("bizData") {
            Some(inner) => Members::parse(inner)?,
            None => envelope,
        };
        let text = |name| fields.get(name).map(str::to_owned);
        let number = text("reqTraceNum").ok_or_else(|| malformed("the notice names no reqTraceNum"))?;
        Ok(Self { number, trade_no: text("respTraceNum"), original: text("orgReqTraceNum") })
    }
}
