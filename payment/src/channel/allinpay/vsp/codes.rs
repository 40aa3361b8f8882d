//! VSP's states (`trxstatus`), kinds of trade (`trxcode`) and `retcode`s, as data.
//!
//! Source: reference/allinpay.md 2.4 and 2.6. The lists grow: what is not here is
//! [`DoubtKind::Unlisted`](crate::channel::outcome::DoubtKind::Unlisted), never a failure.

use crate::channel::Wallet;
use crate::channel::outcome::Why;

/// What a `trxstatus` says of the trade that the answer is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Done. For a code only: it was made.
    Done,
    /// On its way: ask again.
    InProgress,
    /// There is no such trade.
    Absent,
    /// The number was used before: ask how that one stands.
    KnownNumber,
    /// It failed. Final for this number.
    Failed(Why),
    /// The merchant's balance is short for a refund; a buyer's for a payment.
    ShortOfFunds,
    /// Cancelled or reversed: no money stays with the merchant.
    Undone,
    /// Not paid within the time. What moved after all, Allinpay sends back within 24 hours.
    Unpaid,
    /// A cancel went wrong. What moved after all, Allinpay sends back within 24 hours.
    CancelWentWrong,
    /// Something that none of our calls leads to.
    Foreign,
}

/// Every documented `trxstatus`. The words "other" in Allinpay's own list are failures too.
pub const STATUSES: &[(&str, Status)] = &[
    ("0000", Status::Done),
    ("1001", Status::Absent),
    ("1999", Status::Foreign),
    ("2000", Status::InProgress),
    ("2008", Status::InProgress),
    ("3008", Status::ShortOfFunds),
    ("3014", Status::Failed(Why::Order)),
    ("3029", Status::Undone),
    ("3031", Status::Failed(Why::Buyer)),
    ("3045", Status::Failed(Why::Buyer)),
    ("3050", Status::Undone),
    ("3088", Status::Unpaid),
    ("3089", Status::CancelWentWrong),
    ("3099", Status::Failed(Why::Setup)),
    ("3888", Status::KnownNumber),
    ("3889", Status::Failed(Why::Buyer)),
    ("3999", Status::Failed(Why::Buyer)),
];

/// What `code` says; `None` when it is in no list.
#[must_use]
pub fn status(code: &str) -> Option<Status> {
    STATUSES.iter().find(|(known, _)| *known == code).map(|(_, status)| *status)
}

/// `retcode`s of a request that was refused before anything was looked up. Believed only where no money is at stake.
pub const REFUSALS: &[&str] = &["FAIL", "PARAMERR", "SIGNAUTHERR"];

/// `retcode` of a call that was carried out; how it went says the `trxstatus`.
pub const SUCCESS: &str = "SUCCESS";

/// `retcode` of trouble at Allinpay: everything may have happened.
pub const SYSTEM_ERROR: &str = "SYSTEMERR";

/// What a kind of trade moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moves {
    /// The buyer's money to the merchant, out of this wallet where it is one of ours.
    Payment(Option<Wallet>),
    /// All of it back, on the same day.
    Cancel,
    /// It back, or a part of it.
    Refund,
}

/// Kinds of trade that a code can lead to, and their cancels and refunds.
pub const KINDS: &[(&[&str], Moves)] = &[
    (&["VSP501"], Moves::Payment(Some(Wallet::Wechat))),
    (&["VSP511"], Moves::Payment(Some(Wallet::Alipay))),
    (&["VSP551"], Moves::Payment(Some(Wallet::UnionPay))),
    (&["VSP611"], Moves::Payment(Some(Wallet::Ecny))),
    (&["VSP505", "VSP521", "VSP541"], Moves::Payment(None)),
    (&["VSP502", "VSP506", "VSP512", "VSP522", "VSP542", "VSP552", "VSP612"], Moves::Cancel),
    (&["CMN001", "CMN002", "CMN003"], Moves::Cancel),
    (&["VSP503", "VSP507", "VSP513", "VSP523", "VSP543", "VSP553", "VSP613"], Moves::Refund),
];

/// What the kind of trade `code` moves; `None` when it is in no list.
#[must_use]
pub fn moves(code: &str) -> Option<Moves> {
    KINDS.iter().find(|(codes, _)| codes.contains(&code)).map(|(_, moves)| *moves)
}
