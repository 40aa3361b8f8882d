//! What a channel's reply means. Every enum here is closed: a reply that fits nothing is [`Doubt`].

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Wallet;
use crate::money::Fen;
use crate::redact::without_codes;

/// How an attempt stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The buyer's money was taken. Final.
    Paid(Receipt),
    /// No money was taken and none will be under this number. Final.
    NotPaid(Refusal),
    /// Not decided yet.
    Pending(Waiting),
    /// It is not known what the channel did. Only another answer leaves this.
    Unknown(Doubt),
}

/// What a pending attempt waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// The channel has no trade under this number: a code nobody scanned, or a request still on its way.
    NoTrade,
    /// A trade exists and the buyer is confirming it on the phone.
    Confirming,
}

/// Proof of payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The channel's own number of the trade.
    pub trade_no: String,
    /// What was charged for the order (Alipay `total_amount`).
    pub amount: Fen,
    /// When the buyer paid, in the channel's own words (Alipay: China time), if it said so.
    pub paid_at: Option<String>,
    /// The buyer's account as the channel masks it, if it said so.
    pub buyer: Option<String>,
    /// What else the channel told.
    pub details: Details,
}

/// What a channel tells of a payment besides its number. Kept in the journal; absent fields are left out there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Details {
    /// The wallet that paid, where a code was for several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wallet: Option<Wallet>,
    /// The number under which an acquirer passed the order on (请求渠道流水号).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_no: Option<String>,
    /// The number of the payment channel behind it (渠道流水号).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_no: Option<String>,
    /// The number that the wallet itself gave and the buyer sees (后端渠道流水号).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wallet_no: Option<String>,
    /// What the buyer paid himself, where discounts made it less than the amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buyer_paid: Option<Fen>,
    /// What the merchant gets before fees, where it differs from the amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant_gets: Option<Fen>,
    /// Coupons and other discounts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub discounts: Vec<Discount>,
    /// The instalments that the buyer took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instalments: Option<u8>,
}

impl Details {
    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// One discount on a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discount {
    /// Its name, as the channel tells it.
    pub name: String,
    /// How much.
    pub amount: Fen,
    /// Who bears it.
    pub by: DiscountBy,
}

/// Who bears a discount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiscountBy {
    /// The merchant: it gets less.
    Merchant,
    /// The channel or somebody else: the merchant gets the whole amount.
    Channel,
    /// The channel did not say.
    Unsaid,
}

/// Why an attempt took no money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The channel's code, such as `ACQ.PAYMENT_AUTH_CODE_INVALID`; or our own lower-case word.
    pub code: String,
    /// What kind of refusal it is.
    pub why: Why,
}

/// What follows from a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The code was stale or used: the buyer refreshes it and is read again.
    RefreshCode,
    /// The buyer's account or funds: another wallet or card may do.
    Buyer,
    /// This number is spent, another may do.
    NewNumber,
    /// The goods' text or amount was refused.
    Order,
    /// The merchant's set-up is wrong: stop selling by this channel and raise an alarm.
    Setup,
    /// The trade was closed or cancelled unpaid.
    Closed,
}

/// Why it is not known what happened.
#[derive(Clone, PartialEq, Eq)]
pub struct Doubt {
    /// The kind of doubt.
    pub kind: DoubtKind,
    /// One line for the log; holds no pay code and no key.
    pub detail: String,
}

impl Doubt {
    /// A doubt with its line for the log.
    pub fn new(kind: DoubtKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: without_codes(&detail.into()).into_owned() }
    }
}

impl fmt::Debug for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.detail)
    }
}

/// The kinds of doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DoubtKind {
    /// The connection could not be made: the request did not leave.
    NoConnection,
    /// The request left, and no whole reply came in time.
    NoReply,
    /// An HTTP status or code that says the channel itself is in trouble.
    ChannelTrouble,
    /// The signature is missing where it must not be, or does not verify.
    BadSignature,
    /// Not a reply of the protocol.
    Malformed,
    /// A code that is not in our table.
    Unlisted,
    /// A verified reply about another order, or with another amount.
    WrongOrder,
}

impl DoubtKind {
    /// Whether something answered at all, so that the network is not to blame.
    #[must_use]
    pub const fn was_reached(self) -> bool {
        match self {
            Self::NoConnection | Self::NoReply => false,
            Self::ChannelTrouble | Self::BadSignature | Self::Malformed | Self::Unlisted | Self::WrongOrder => true,
        }
    }
}

/// The answer to a request for a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodeAnswer {
    /// The text to draw, exactly as it came.
    Ready(String),
    /// No code: nothing can be paid under this number.
    Refused(Refusal),
    /// The number is already known to the channel: ask how it stands.
    Ask {
        /// The channel's code.
        code: String,
    },
    /// It is not known whether a code was made; nobody has seen it.
    Unknown(Doubt),
}

/// The answer to a cancel or close.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reversal {
    /// The trade was unpaid and is closed.
    Closed,
    /// The trade was paid and the money went back.
    Refunded,
    /// The channel knows no trade under this number. A code nobody scanned stays payable.
    NoTrade,
    /// Call again with the same parameters.
    Again,
    /// Not possible in the trade's state: it may be paid. Ask how it stands.
    Ask {
        /// The channel's code.
        code: String,
    },
    /// It is not known whether anything was closed.
    Unknown(Doubt),
}

/// How a refund stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundOutcome {
    /// The money moved. Final.
    Done,
    /// The call was taken and nothing moved this time: ask how the refund stands.
    NotMoved,
    /// The channel has no such refund: it was not received or it failed. Send it again under the same number.
    Absent,
    /// The merchant's balance is short: top up, and the same number again.
    ShortOfFunds,
    /// The channel refuses this refund: a person must look at it.
    Refused {
        /// The channel's code.
        code: String,
    },
    /// No money moved and none will under this number. Final; only another number can return it.
    Failed {
        /// The channel's code.
        code: String,
    },
    /// It is not known whether money moved.
    Unknown(Doubt),
}

/// How a [`Duty`](super::Duty) stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DutyOutcome {
    /// Done, now or before. Final.
    Done,
    /// Not yet: the same again a little later.
    Again,
    /// The channel refuses it: a person must look at it. It is tried again.
    Refused {
        /// The channel's code.
        code: String,
    },
    /// It is not known whether it was done: the same again.
    Unknown(Doubt),
}
