//! Complaints of buyers (维权): which are open, and what they are about.
//!
//! Source: WeChat Pay APIv3, "consumer complaints 2.0" (reference 11). A first answer is due within 24 hours.

use jiff::civil::Date;
use serde::Deserialize;
use thiserror::Error;

use super::oaep::FieldKey;
use super::wire::{Stamp, get};
use super::{AskedError, Wechat, reply};
use crate::channel::{HttpReply, HttpRequest};
use crate::money::Fen;
use crate::redact::Secret;
use crate::time::Wall;

/// So many complaints one answer holds at most.
pub const PAGE: u32 = 50;

/// One complaint.
#[derive(Debug, Clone)]
pub struct Complaint {
    /// Its number.
    pub id: String,
    /// When it came, RFC 3339.
    pub at: String,
    /// `PENDING`, `PROCESSING` or `PROCESSED`, in WeChat Pay's words.
    pub state: String,
    /// What the buyer wrote.
    pub detail: String,
    /// What the buyer chose as the subject.
    pub problem: String,
    /// `REFUND`, `SERVICE_NOT_WORK` or `OTHERS`, in WeChat Pay's words.
    pub kind: String,
    /// The buyer's number to call back, as it came: encrypted to our key. [`Wechat::phone`] opens it.
    pub sealed_phone: Option<String>,
    /// The buyer's id.
    pub buyer: Option<String>,
    /// The orders it is about.
    pub orders: Vec<ComplaintOrder>,
    /// How much the buyer wants back.
    pub wants_back: Option<Fen>,
    /// Whether everything was given back.
    pub is_refunded: bool,
    /// Whether the buyer waits for an answer.
    pub awaits_answer: bool,
}

/// An order that a complaint is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComplaintOrder {
    /// Our number, the attempt's.
    pub out_trade_no: String,
    /// WeChat Pay's number.
    pub trade_no: String,
    /// What was paid.
    pub amount: Fen,
}

/// Why the complaints cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ComplaintError {
    /// Refused.
    #[error("WeChat Pay refused: HTTP status {status} {code} {words}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The channel's code, if there was one.
        code: String,
        /// The channel's words.
        words: String,
    },
    /// The answer is signed with a certificate that is not here: fetch it, and read the same answer again.
    #[error("the answer is signed with certificate {serial}, which is not here")]
    UnknownKey {
        /// The certificate's number.
        serial: String,
    },
    /// The answer's signature does not hold.
    #[error("the answer is not verified: {0}")]
    Unverified(String),
    /// Not an answer of the protocol.
    #[error("the answer is malformed: {0}")]
    Malformed(String),
}

impl From<AskedError> for ComplaintError {
    fn from(error: AskedError) -> Self {
        match error {
            AskedError::Failed { status, code, words } => Self::Refused { status, code, words },
            AskedError::UnknownKey(serial) => Self::UnknownKey { serial },
            AskedError::Unverified(why) => Self::Unverified(why),
        }
    }
}

#[derive(Deserialize)]
struct List {
    #[serde(default)]
    data: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    complaint_id: String,
    complaint_time: String,
    complaint_state: String,
    complaint_detail: Option<String>,
    problem_description: Option<String>,
    problem_type: Option<String>,
    payer_phone: Option<String>,
    payer_openid: Option<String>,
    complaint_order_info: Option<Vec<EntryOrder>>,
    apply_refund_amount: Option<i64>,
    complaint_full_refunded: Option<bool>,
    incoming_user_response: Option<bool>,
}

#[derive(Deserialize)]
struct EntryOrder {
    transaction_id: Option<String>,
    out_trade_no: Option<String>,
    amount: Option<i64>,
}

impl Wechat {
    /// Asks for the complaints of these days (30 at most), [`PAGE`] of them from `offset` on.
    #[must_use]
    pub fn complaints_request(&self, from: Date, to: Date, offset: u32, wall: Wall, entropy: [u8; 32]) -> HttpRequest {
        let whose = self.setup.sub_merchant("complainted_mchid");
        let target = format!(
            "/v3/merchant-service/complaints-v2?limit={PAGE}&offset={offset}&begin_date={from}&end_date={to}{whose}"
        );
        get(&self.setup, &target, &Stamp::new(wall, entropy))
    }

    /// The complaints in the answer; fewer than [`PAGE`] are the last ones.
    ///
    /// # Errors
    /// [`ComplaintError`].
    pub fn complaints(&self, wall: Wall, reply: &HttpReply) -> Result<Vec<Complaint>, ComplaintError> {
        self.signed_answer(wall, reply)?;
        let list: List = reply::json(reply).map_err(|doubt| ComplaintError::Malformed(doubt.detail))?;
        Ok(list.data.into_iter().map(Complaint::from).collect())
    }

    /// The buyer's number to call back, where it was given and opens with our key. For the one who calls: it costs an RSA
    /// decryption, and this form of the key is slow to load and needed for nothing else.
    #[must_use]
    pub fn phone(&self, complaint: &Complaint) -> Option<Secret<String>> {
        let sealed = complaint.sealed_phone.as_deref()?;
        FieldKey::load(self.setup.config.private_key.expose())?.open(sealed).map(Secret::new)
    }
}

impl From<Entry> for Complaint {
    fn from(entry: Entry) -> Self {
        Self {
            id: entry.complaint_id,
            at: entry.complaint_time,
            state: entry.complaint_state,
            detail: entry.complaint_detail.unwrap_or_default(),
            problem: entry.problem_description.unwrap_or_default(),
            kind: entry.problem_type.unwrap_or_default(),
            sealed_phone: entry.payer_phone,
            buyer: entry.payer_openid,
            orders: entry.complaint_order_info.unwrap_or_default().into_iter().map(ComplaintOrder::from).collect(),
            wants_back: entry.apply_refund_amount.map(Fen::new),
            is_refunded: entry.complaint_full_refunded.unwrap_or_default(),
            awaits_answer: entry.incoming_user_response.unwrap_or_default(),
        }
    }
}

impl From<EntryOrder> for ComplaintOrder {
    fn from(order: EntryOrder) -> Self {
        Self {
            out_trade_no: order.out_trade_no.unwrap_or_default(),
            trade_no: order.transaction_id.unwrap_or_default(),
            amount: Fen::new(order.amount.unwrap_or_default()),
        }
    }
}
