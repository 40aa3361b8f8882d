//! The journal's entries: what happened to money and goods, in the order it happened.
//!
//! The serialised form is frozen: fields may be added with a default, never renamed or removed. An entry holds no pay
//! code and no key.

use serde::{Deserialize, Serialize};

pub use crate::channel::Method;
use crate::channel::outcome::Details;
use crate::channel::{ChannelId, DutyKind, Instalment, Wallet};
use crate::ids::{AttemptId, OrderId, RefundId};
use crate::money::Fen;
use crate::time::Wall;

/// Name of a product slot of the machine, as printed beside it: 1 to 8 letters or digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SlotId(String);

impl SlotId {
    /// A slot's name, or `None` when the text cannot be one.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let fits = (1..=8).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        fits.then(|| Self(name.to_owned()))
    }

    /// The one that a machine's controller sells from when it does not say which.
    #[must_use]
    pub fn unnamed() -> Self {
        Self("0".to_owned())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SlotId {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Self::new(&name).ok_or_else(|| format!("{name:?} is no slot: 1 to 8 letters or digits"))
    }
}

impl From<SlotId> for String {
    fn from(slot: SlotId) -> Self {
        slot.0
    }
}

impl std::fmt::Display for SlotId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// One thing that is bought. Two of the same are two items: each is delivered and refunded by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The slot that delivers it; `None` when a person hands it over.
    pub slot: Option<SlotId>,
    /// The merchant's code of the goods.
    pub code: String,
    /// What the buyer reads.
    pub name: String,
    /// Its price.
    pub price: Fen,
}

/// Who may scan whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhoScans {
    /// The buyer's phone scans the machine's screen.
    BuyerScans,
    /// The machine's scanner reads the buyer's pay code.
    MerchantScans,
    /// Whichever happens first.
    Either,
}

impl WhoScans {
    /// Whether the machine may show a code.
    #[must_use]
    pub const fn shows_code(self) -> bool {
        matches!(self, Self::BuyerScans | Self::Either)
    }

    /// Whether the machine may read the buyer's code.
    #[must_use]
    pub const fn takes_code(self) -> bool {
        matches!(self, Self::MerchantScans | Self::Either)
    }
}

/// The member or voucher code that an attempt spends of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoucherUse {
    /// The code's number, as the operator gave it: 1 to 64 characters.
    pub code: String,
    /// All that may be spent of the code while it is valid.
    pub allowance: Fen,
    /// Whether one sale uses it up, whatever is left.
    pub once: bool,
    /// Until when it may be spent, milliseconds since 1970. Its uses are remembered until then.
    pub expires_ms: i64,
}

/// Where an order came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The machine's own keypad.
    Keypad,
    /// The local API.
    Api,
    /// The keys of a machine whose controller chooses and names the price.
    Machine,
}

/// A caller's key that makes a repeated request harmless.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdempotencyKey {
    /// The caller's key, at most 255 characters.
    pub key: String,
    /// SHA-256 of the request's body in lower-case hex: the same key with another body is refused.
    pub body_sha256: String,
}

/// Who or what ended the wait for payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelledBy {
    /// The cancel key.
    Buyer,
    /// The local API.
    Api,
    /// The time to pay ran out.
    Timeout,
    /// The daemon restarted while the order was open.
    Restart,
    /// Every way to pay was refused.
    Refused,
    /// The machine stopped selling: see the faults.
    Fault,
}

/// Why an attempt is being undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReverseReason {
    /// The order was cancelled or its time ran out.
    OrderCancelled,
    /// Another attempt of the order was paid first.
    OtherPaid,
    /// No final answer came in the time that the channel's rules allow.
    NoAnswer,
}

/// How the delivery of one item ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VendResult {
    /// The drop sensor saw it fall, or the drive reports success where there is no sensor.
    Dropped,
    /// It did not fall.
    NotDropped,
    /// Nobody can tell: the daemon died in between and the machine keeps no count.
    Unknown,
}

/// Who said something about a refund, and why, as people give it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// The person: 1 to 64 characters.
    pub by: String,
    /// The reason, for whoever asks later: at most 256 characters, may be empty.
    pub why: String,
}

/// Why money goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundReason {
    /// Goods were paid for and not delivered.
    Undelivered,
    /// The payment landed after the order was over, or after a cancel of it had left.
    Late,
    /// A second attempt of one order was paid too.
    PaidTwice,
    /// Asked for through the API.
    Operator,
    /// Everything was delivered, and the machine charged less than was paid.
    Change,
}

/// How an order ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Paid, and everything was delivered.
    Delivered,
    /// Nothing paid: cancelled by the buyer, the API or a restart.
    Cancelled,
    /// Nothing paid: the time ran out.
    Expired,
    /// Nothing paid: the channel refused.
    Failed,
    /// Paid, and money went back, in whole or for what was not delivered.
    Refunded,
}

/// One fact. [`Entry::order`] says whose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Entry {
    /// An order was taken.
    OrderOpened {
        /// Its number.
        order: OrderId,
        /// What it costs.
        amount: Fen,
        /// ISO 4217, always `CNY` so far.
        currency: String,
        /// What is bought; may be empty for a bare amount.
        items: Vec<Item>,
        /// Who may scan.
        who_scans: WhoScans,
        /// Where it came from.
        origin: Origin,
        /// The line for the buyer's bill.
        subject: String,
        /// How long the buyer has to pay, in milliseconds.
        pay_within_ms: u64,
        /// What a person took in cash beforehand, where the rest is lent to the buyer. It is not part of `amount`.
        #[serde(default, skip_serializing_if = "Fen::is_zero")]
        down_payment: Fen,
        /// The plan of instalments that was agreed at the opening.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instalment: Option<Instalment>,
        /// The caller's own order number, if given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
        /// The caller's idempotency key, if given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        idempotency: Option<IdempotencyKey>,
    },
    /// An attempt got its number. Its first request may leave now.
    AttemptStarted {
        /// Its order.
        order: OrderId,
        /// Its number, the channel's `out_trade_no`.
        attempt: AttemptId,
        /// Through which channel.
        channel: ChannelId,
        /// By which method.
        method: Method,
        /// How much.
        amount: Fen,
        /// The operator's code that is spent of, for [`ChannelId::Voucher`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        voucher: Option<VoucherUse>,
        /// Whose code is shown or was read; absent for one code that several wallets can scan.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wallet: Option<Wallet>,
        /// The plan of instalments that the buyer chose.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instalment: Option<Instalment>,
    },
    /// The machine took coins or notes for the whole order, by itself. Money that we record and never move.
    CashTaken {
        /// Its order.
        order: OrderId,
        /// How much.
        amount: Fen,
    },
    /// The buyer paid.
    AttemptPaid {
        /// Its order.
        order: OrderId,
        /// The attempt.
        attempt: AttemptId,
        /// The channel's own number.
        trade_no: String,
        /// When, in the channel's words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        paid_at: Option<String>,
        /// The buyer's masked account.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        buyer: Option<String>,
        /// What else the channel told.
        #[serde(default, skip_serializing_if = "Details::is_empty")]
        details: Details,
    },
    /// No money was taken and none will be under this number.
    AttemptNotPaid {
        /// Its order.
        order: OrderId,
        /// The attempt.
        attempt: AttemptId,
        /// The channel's code or our word for it.
        code: String,
    },
    /// The attempt is going to be undone. Its cancel or close may leave now.
    ReverseStarted {
        /// Its order.
        order: OrderId,
        /// The attempt.
        attempt: AttemptId,
        /// Why.
        reason: ReverseReason,
    },
    /// Nobody may pay this order any more.
    OrderCancelled {
        /// The order.
        order: OrderId,
        /// By whom.
        by: CancelledBy,
    },
    /// A motor is going to turn. It may turn once for this entry and never again.
    VendStarted {
        /// The order.
        order: OrderId,
        /// Which of its items, counted from 0.
        item: usize,
        /// The slot.
        slot: SlotId,
        /// What the machine's own drop counter said before, if it has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        drops_before: Option<u64>,
    },
    /// The delivery of one item is over.
    VendEnded {
        /// The order.
        order: OrderId,
        /// Which of its items, counted from 0.
        item: usize,
        /// How.
        result: VendResult,
        /// What the machine charged for it, where that is less than was paid. The rest goes back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        taken: Option<Fen>,
    },
    /// A refund got its number. Its request may leave now.
    RefundStarted {
        /// The order.
        order: OrderId,
        /// The paid attempt.
        attempt: AttemptId,
        /// Its number, the channel's `out_request_no`.
        refund: RefundId,
        /// How much goes back.
        amount: Fen,
        /// Why.
        reason: RefundReason,
        /// The caller's idempotency key, if the API asked for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        idempotency: Option<IdempotencyKey>,
        /// On whose word, if a person gave a name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        said: Option<Said>,
        /// The refund that failed under its number and is made again under this one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instead_of: Option<RefundId>,
    },
    /// A person asks for a refund that another one must approve. Nothing is sent.
    RefundAsked {
        /// The order.
        order: OrderId,
        /// The paid attempt.
        attempt: AttemptId,
        /// Its number, the channel's `out_request_no` once it is approved.
        refund: RefundId,
        /// How much shall go back.
        amount: Fen,
        /// Who asks, and why.
        said: Said,
        /// The caller's idempotency key.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        idempotency: Option<IdempotencyKey>,
    },
    /// Another person decided about a refund that was asked for. When it is approved its start follows at once.
    RefundDecided {
        /// The order.
        order: OrderId,
        /// The refund.
        refund: RefundId,
        /// Whether it may be sent.
        approved: bool,
        /// Who decided, and why.
        said: Said,
    },
    /// No money moved and none will under this refund's number. It is made again under another one.
    RefundFailed {
        /// The order.
        order: OrderId,
        /// The refund.
        refund: RefundId,
        /// The channel's code.
        code: String,
    },
    /// The goods were handed over, and the channel is to be told. Its call may leave now.
    DutyBegun {
        /// The order.
        order: OrderId,
        /// The paid attempt.
        attempt: AttemptId,
        /// What is to be done.
        duty: DutyKind,
    },
    /// The channel knows, or a person did it in the channel's portal and says so.
    DutyDone {
        /// The order.
        order: OrderId,
        /// The paid attempt.
        attempt: AttemptId,
        /// What was done.
        duty: DutyKind,
        /// Who says that it was done by hand, and why; `None` when the channel said that it knows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        said: Option<Said>,
    },
    /// The channel refuses it for now; it is tried again.
    DutyRefused {
        /// The order.
        order: OrderId,
        /// The paid attempt.
        attempt: AttemptId,
        /// What was to be done.
        duty: DutyKind,
        /// The channel's code.
        code: String,
    },
    /// The money went back, or the channel said so of its own cancel.
    RefundDone {
        /// The order.
        order: OrderId,
        /// The refund.
        refund: RefundId,
    },
    /// The channel refuses the refund for now: the money is owed, and the refund is tried again for ever.
    RefundOwed {
        /// The order.
        order: OrderId,
        /// The refund.
        refund: RefundId,
        /// The channel's code.
        code: String,
    },
    /// Nothing is open about this order. A later refund opens it again.
    OrderClosed {
        /// The order.
        order: OrderId,
        /// How it ended.
        ending: Ending,
    },
}

impl Entry {
    /// The order that this is about.
    #[must_use]
    pub const fn order(&self) -> OrderId {
        match self {
            Self::OrderOpened { order, .. }
            | Self::AttemptStarted { order, .. }
            | Self::CashTaken { order, .. }
            | Self::AttemptPaid { order, .. }
            | Self::AttemptNotPaid { order, .. }
            | Self::ReverseStarted { order, .. }
            | Self::OrderCancelled { order, .. }
            | Self::VendStarted { order, .. }
            | Self::VendEnded { order, .. }
            | Self::RefundStarted { order, .. }
            | Self::RefundDone { order, .. }
            | Self::RefundOwed { order, .. }
            | Self::RefundAsked { order, .. }
            | Self::RefundDecided { order, .. }
            | Self::RefundFailed { order, .. }
            | Self::DutyBegun { order, .. }
            | Self::DutyDone { order, .. }
            | Self::DutyRefused { order, .. }
            | Self::OrderClosed { order, .. } => *order,
        }
    }

    /// Whether it begins or pays `attempt`: of a member or voucher code that is one commit.
    pub(crate) fn is_taking_of(&self, attempt: AttemptId) -> bool {
        match self {
            Self::AttemptStarted { attempt: known, .. } | Self::AttemptPaid { attempt: known, .. } => *known == attempt,
            Self::OrderOpened { .. }
            | Self::CashTaken { .. }
            | Self::AttemptNotPaid { .. }
            | Self::ReverseStarted { .. }
            | Self::OrderCancelled { .. }
            | Self::VendStarted { .. }
            | Self::VendEnded { .. }
            | Self::RefundStarted { .. }
            | Self::RefundDone { .. }
            | Self::RefundOwed { .. }
            | Self::RefundAsked { .. }
            | Self::RefundDecided { .. }
            | Self::RefundFailed { .. }
            | Self::DutyBegun { .. }
            | Self::DutyDone { .. }
            | Self::DutyRefused { .. }
            | Self::OrderClosed { .. } => false,
        }
    }
}

/// An entry as the journal holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its place, from 1, without a gap.
    pub seq: u64,
    /// What the wall clock said.
    pub at: Wall,
    /// The fact.
    pub entry: Entry,
}

/// An order's public state. It only moves down this list, but for money that must go back once more
/// ([`Self::may_become`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// Nobody has paid or started to pay.
    Waiting,
    /// The buyer is confirming on the phone, or the pay code was sent.
    Confirming,
    /// It is not known whether the buyer paid; the channel is being asked.
    Unknown,
    /// Nobody may pay any more; the channel is being made sure of.
    Cancelling,
    /// Paid; nothing delivered yet.
    Paid,
    /// The machine is delivering.
    Delivering,
    /// Over: paid and delivered.
    Completed,
    /// Over: nothing paid, cancelled.
    Cancelled,
    /// Over: nothing paid, the time ran out.
    Expired,
    /// Over: nothing paid, the channel refused.
    Failed,
    /// Money is going back.
    Refunding,
    /// Money must go back and the channel refuses for now; tried again for ever.
    Owed,
    /// Over: all money that was due went back.
    Refunded,
}

impl OrderState {
    /// Whether an order in this state may be in `next` next. States only move forward, but for money that must go back
    /// once more after all of it had: that is never hidden.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        let due_again = self == Self::Refunded && matches!(next, Self::Refunding | Self::Owed);
        self <= next || due_again
    }

    /// The name used in the API and the journal's tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Confirming => "confirming",
            Self::Unknown => "unknown",
            Self::Cancelling => "cancelling",
            Self::Paid => "paid",
            Self::Delivering => "delivering",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Failed => "failed",
            Self::Refunding => "refunding",
            Self::Owed => "owed",
            Self::Refunded => "refunded",
        }
    }
}
