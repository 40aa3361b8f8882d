//! Notices: verified, decrypted, read. Payments, refunds, complaints, and what today takes the place of alarms.
//!
//! Source: WeChat Pay APIv3, "callbacks" (reference 7, 11, 12). A notice never says that something failed, may come twice
//! or never, and is answered within 5 seconds: 200 or 204 when it was taken, 4xx or 5xx when not.

use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use super::Wechat;
use super::aead::{Encrypted, Sealed};
use super::order::Order;
use super::reply::object;
use super::seal::Seal;
use crate::channel::outcome::Receipt;
use crate::money::Fen;
use crate::time::Wall;

/// One notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its number; a repeated notice has the same.
    pub id: String,
    /// The kind of event in WeChat Pay's words, such as `TRANSACTION.SUCCESS`.
    pub event: String,
    /// When it happened, RFC 3339.
    pub at: String,
    /// WeChat Pay's own words for it.
    pub summary: String,
    /// What it says.
    pub content: Content,
}

/// What a notice says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// An order was paid. The amount must still be compared with the order.
    Payment {
        /// Our number, the attempt's.
        out_trade_no: String,
        /// The proof.
        receipt: Receipt,
    },
    /// A refund ended, well or not.
    Refund {
        /// Our number of the order.
        out_trade_no: String,
        /// Our number of the refund.
        out_refund_no: String,
        /// `SUCCESS`, `CLOSED` or `ABNORMAL`, in WeChat Pay's words.
        status: String,
        /// How much.
        amount: Fen,
    },
    /// A complaint came or moved; its text must be asked for.
    Complaint {
        /// Its number.
        id: String,
        /// What happened, such as `CREATE_COMPLAINT`.
        action: String,
    },
    /// The merchant broke a rule: a punishment, an interception, an appeal.
    Violation {
        /// What for.
        risk: String,
        /// What follows.
        punishment: String,
    },
    /// A payment is at risk.
    Risk {
        /// Our number of the order.
        out_trade_no: String,
        /// 1 to 4.
        kind: String,
        /// 1 to 3.
        level: String,
    },
    /// Anything else, kept as it is: it is shown to the operator and answered like the others.
    Other {
        /// `original_type`, where it was given.
        kind: Option<String>,
        /// The plain text, JSON as a rule.
        plain: String,
    },
}

/// Why a notice is not taken. It is answered with 4xx or 5xx, and comes again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoticeError {
    /// It is signed with a certificate that is not here: fetch it; the notice comes again.
    #[error("the notice is signed with certificate {serial}, which is not here")]
    UnknownKey {
        /// The certificate's number.
        serial: String,
    },
    /// Its signature does not hold.
    #[error("the notice is not verified: {0}")]
    Unverified(String),
    /// Not a notice of the protocol.
    #[error("the notice is malformed: {0}")]
    Malformed(String),
    /// It does not open.
    #[error("the notice's content: {0}")]
    Sealed(#[from] Sealed),
    /// About another merchant.
    #[error("the notice is not for this merchant: {0}")]
    NotOurs(String),
}

#[derive(Deserialize)]
struct Envelope {
    id: String,
    #[serde(default)]
    create_time: String,
    event_type: String,
    #[serde(default)]
    summary: String,
    resource: Encrypted,
}

impl Wechat {
    /// Verifies, opens and reads a notice. Header names in lower case, the body exactly as it came.
    ///
    /// # Errors
    /// [`NoticeError`]; nothing of the notice may be believed then.
    pub fn notice(&self, wall: Wall, headers: &[(String, String)], body: &[u8]) -> Result<Notice, NoticeError> {
        match self.keys.check(wall, headers, body) {
            Seal::Unknown(serial) => return Err(NoticeError::UnknownKey { serial }),
            seal @ (Seal::Holds | Seal::Absent | Seal::Broken(_)) => {
                seal.broken().map_err(|doubt| NoticeError::Unverified(doubt.detail))?;
            }
        }
        let envelope: Envelope = object(body).map_err(malformed)?;
        let plain = String::from_utf8(self.setup.apiv3.open(&envelope.resource)?).map_err(malformed)?;
        let content = self.content(&envelope, plain)?;
        let Envelope { id, create_time: at, event_type: event, summary, .. } = envelope;
        Ok(Notice { id, event, at, summary, content })
    }

    /// By the original type, since one and the same event name was seen for two of them (reference 10).
    fn content(&self, envelope: &Envelope, plain: String) -> Result<Content, NoticeError> {
        let kind = envelope.resource.original_type.as_deref();
        match (envelope.event_type.as_str(), kind) {
            ("TRANSACTION.SUCCESS", Some("transaction") | None) => self.payment(&plain),
            (event, Some("refund") | None) if event.starts_with("REFUND.") => self.refund(&plain),
            (event, _) if event.starts_with("COMPLAINT.") => complaint(&plain),
            (event, _) if event.starts_with("VIOLATION.") => Ok(violation(plain, kind)),
            ("RISKTRADE.IDENTIFICATION", _) => Ok(risk(plain, kind)),
            _ => Ok(Content::Other { kind: kind.map(str::to_owned), plain }),
        }
    }

    fn payment(&self, plain: &str) -> Result<Content, NoticeError> {
        let order: Order = object(plain.as_bytes()).map_err(malformed)?;
        self.must_be_ours(&order)?;
        if order.trade_state.as_deref() != Some("SUCCESS") {
            return Err(NoticeError::Malformed("a payment in another state than SUCCESS".to_owned()));
        }
        let receipt = order.any_receipt().map_err(|doubt| NoticeError::Malformed(doubt.detail))?;
        let out_trade_no = order.out_trade_no.ok_or_else(|| NoticeError::Malformed("no out_trade_no".to_owned()))?;
        Ok(Content::Payment { out_trade_no, receipt })
    }

    fn refund(&self, plain: &str) -> Result<Content, NoticeError> {
        let said: RefundNotice = object(plain.as_bytes()).map_err(malformed)?;
        let RefundNotice { mchid, sp_mchid, sub_mchid, .. } = &said;
        let who = Order {
            mchid: mchid.clone(),
            sp_mchid: sp_mchid.clone(),
            sub_mchid: sub_mchid.clone(),
            ..Order::default()
        };
        self.must_be_ours(&who)?;
        Ok(Content::Refund {
            out_trade_no: said.out_trade_no,
            out_refund_no: said.out_refund_no,
            status: said.refund_status,
            amount: Fen::new(said.amount.refund),
        })
    }

    fn must_be_ours(&self, order: &Order) -> Result<(), NoticeError> {
        order.must_be_ours(&self.setup.config).map_err(|doubt| NoticeError::NotOurs(doubt.detail))
    }
}

/// The state is called `refund_status` here and `status` in the query.
#[derive(Deserialize)]
struct RefundNotice {
    mchid: Option<String>,
    sp_mchid: Option<String>,
    sub_mchid: Option<String>,
    out_trade_no: String,
    out_refund_no: String,
    refund_status: String,
    amount: RefundNoticeAmount,
}

#[derive(Deserialize)]
struct RefundNoticeAmount {
    refund: i64,
}

#[derive(Deserialize)]
struct ComplaintNotice {
    complaint_id: String,
    action_type: String,
}

fn complaint(plain: &str) -> Result<Content, NoticeError> {
    let ComplaintNotice { complaint_id: id, action_type: action } = object(plain.as_bytes()).map_err(malformed)?;
    Ok(Content::Complaint { id, action })
}

fn violation(plain: String, kind: Option<&str>) -> Content {
    let member = members(&plain);
    match (member("risk_description"), member("punish_description")) {
        (Some(risk), Some(punishment)) => Content::Violation { risk, punishment },
        _ => Content::Other { kind: kind.map(str::to_owned), plain },
    }
}

fn risk(plain: String, kind: Option<&str>) -> Content {
    let member = members(&plain);
    match (member("out_trade_no"), member("risk_type"), member("risk_level")) {
        (Some(out_trade_no), Some(kind), Some(level)) => Content::Risk { out_trade_no, kind, level },
        _ => Content::Other { kind: kind.map(str::to_owned), plain },
    }
}

/// The members of an alarm as texts. Their types are not sure, and an alarm must not be lost over that.
fn members(plain: &str) -> impl Fn(&str) -> Option<String> + use<> {
    let object: Value = serde_json::from_str(plain).unwrap_or_default();
    move |name| match object.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn malformed(error: impl std::fmt::Display) -> NoticeError {
    NoticeError::Malformed(error.to_string())
}
