//! The channels' protocols, pure: a [`Request`] becomes bytes, bytes become an [`Answer`].
//!
//! A channel never acts. The daemon sends what `encode` made and hands the reply to `decode`; what could not be fetched,
//! verified or understood is [`outcome::Doubt`], never a failure.

pub mod alipay;
pub mod outcome;
pub mod route;

use serde::{Deserialize, Serialize};

use crate::ids::{AttemptId, RefundId};
use crate::money::Fen;
use crate::redact::PayCode;
use outcome::{CodeAnswer, Outcome, RefundOutcome, Reversal};

/// A way to collect money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelId {
    /// Alipay's open platform, mainland China.
    Alipay,
    /// Member and voucher codes that the operator signed: taken by the terminal itself, with or without a network.
    Voucher,
}

impl ChannelId {
    /// The name used in settings, the API and the journal.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alipay => "alipay",
            Self::Voucher => "voucher",
        }
    }
}

/// One row of goods, as the buyer's bill shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoodsRow {
    /// The merchant's own code of the goods (Alipay `goods_id`, at most 64 characters).
    pub code: String,
    /// What the buyer reads (at most 256 characters).
    pub name: String,
    /// How many.
    pub quantity: u32,
    /// Price of one.
    pub price: Fen,
}

/// What is asked of the buyer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The attempt's number, the channel's `out_trade_no`.
    pub attempt: AttemptId,
    /// What the buyer shall pay.
    pub amount: Fen,
    /// The line that the buyer's bill shows.
    pub subject: String,
    /// The goods, empty when the order names none.
    pub goods: Vec<GoodsRow>,
    /// How long the offer may be paid, in milliseconds from now; a channel rounds up to its own unit.
    pub valid_ms: u64,
}

/// A call to a channel. Sending the same request again must be safe: that is what its numbers are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Make a code for our screen (Alipay precreate).
    ShowCode(Offer),
    /// Collect with the code that the buyer showed (Alipay pay).
    TakeCode(Offer, PayCode),
    /// Ask how an attempt stands.
    Query(AttemptId),
    /// Undo an attempt whatever its state: closed when unpaid, refunded when paid.
    Cancel(AttemptId),
    /// Close an attempt only if it is unpaid.
    Close(AttemptId),
    /// Return money of a paid attempt.
    Refund(RefundOrder),
    /// Ask how a refund stands.
    RefundQuery(RefundOrder),
    /// Ask anything harmless, to learn whether the channel can be reached.
    Probe,
}

/// One return of money under its own number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundOrder {
    /// The attempt that was paid.
    pub attempt: AttemptId,
    /// The refund's number, the channel's `out_request_no`.
    pub refund: RefundId,
    /// How much goes back.
    pub amount: Fen,
    /// The reason that the buyer reads (at most 256 characters).
    pub reason: String,
}

/// What the channel said, or that it is not known what it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// To [`Request::ShowCode`].
    Code(CodeAnswer),
    /// To [`Request::TakeCode`] and [`Request::Query`].
    Payment(Outcome),
    /// To [`Request::Cancel`] and [`Request::Close`].
    Reversal(Reversal),
    /// To [`Request::Refund`] and [`Request::RefundQuery`].
    Refund(RefundOutcome),
    /// To [`Request::Probe`]: `true` when the channel answered and its signature held.
    Reachable(bool),
}

impl Answer {
    /// The answer to `request` when no usable reply came.
    #[must_use]
    pub fn in_doubt(request: &Request, doubt: outcome::Doubt) -> Self {
        match request {
            Request::ShowCode(_) => Self::Code(CodeAnswer::Unknown(doubt)),
            Request::TakeCode(..) | Request::Query(_) => Self::Payment(Outcome::Unknown(doubt)),
            Request::Cancel(_) | Request::Close(_) => Self::Reversal(Reversal::Unknown(doubt)),
            Request::Refund(_) | Request::RefundQuery(_) => Self::Refund(RefundOutcome::Unknown(doubt)),
            Request::Probe => Self::Reachable(false),
        }
    }

    /// The doubt in this answer, when it is one.
    #[must_use]
    pub fn doubt(&self) -> Option<&outcome::Doubt> {
        match self {
            Self::Code(CodeAnswer::Unknown(doubt))
            | Self::Payment(Outcome::Unknown(doubt))
            | Self::Reversal(Reversal::Unknown(doubt))
            | Self::Refund(RefundOutcome::Unknown(doubt)) => Some(doubt),
            Self::Code(_) | Self::Payment(_) | Self::Reversal(_) | Self::Refund(_) | Self::Reachable(_) => None,
        }
    }
}

/// An HTTP request, ready to be sent as it is.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// Whole address with its query.
    pub url: String,
    /// Value of the `Content-Type` header.
    pub content_type: &'static str,
    /// The body; the method is POST.
    pub body: Vec<u8>,
}

/// The address may be printed, the body may hold a pay code and is not.
impl std::fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "POST {} bytes", self.body.len())
    }
}
