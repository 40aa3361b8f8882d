//! What each `sub_code` of a business failure (`code` 40004) means, as data.
//!
//! Source: Alipay gateway 1.0, the "business error codes" (业务错误码) section of each method's page. The lists grow: a
//! code that is not here is [`DoubtKind::Unlisted`](crate::channel::outcome::DoubtKind::Unlisted), never a failure.

use super::wire::Method;
use crate::channel::outcome::Why;
use Class::{Again, Ask, NoTrade, Refused, Rejected, ShortOfFunds, Trouble};
use Why::{Buyer, NewNumber, Order, RefreshCode, Setup};

/// What follows from a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// It is not known what was done: ask, or send the same again.
    Trouble,
    /// Final for this attempt.
    Refused(Why),
    /// The trade's state forbids it: ask how the trade stands, it may be paid.
    Ask,
    /// There is no trade under this number.
    NoTrade,
    /// Send the same again.
    Again,
    /// The merchant's balance is short: top up, then the same again.
    ShortOfFunds,
    /// A refund that Alipay will not make: a person must look at it.
    Rejected,
}

const OFFER: &[Method] = &[Method::Precreate, Method::Pay];
const PRECREATE: &[Method] = &[Method::Precreate];
const QUERY: &[Method] = &[Method::Query];
const CANCEL: &[Method] = &[Method::Cancel];
const CLOSE: &[Method] = &[Method::Close];
const REFUND: &[Method] = &[Method::Refund];
const REFUND_QUERY: &[Method] = &[Method::RefundQuery];

/// Methods, code (a `*` at its end stands for any rest), meaning. A whole code wins over a pattern. One row, one line.
#[rustfmt::skip]
pub const TABLE: &[(&[Method], &str, Class)] = &[
    (OFFER, "ACQ.SYSTEM_ERROR", Trouble),
    (PRECREATE, "ACQ.APPLY_PC_MERCHANT_CODE_ERROR", Trouble),
    // The code that the buyer showed.
    (OFFER, "ACQ.PAYMENT_AUTH_CODE_INVALID", Refused(RefreshCode)),
    (OFFER, "ACQ.PULL_MOBILE_CASHIER_FAIL", Refused(RefreshCode)),
    (OFFER, "ACQ.PAYMENT_FAIL", Refused(RefreshCode)),
    // The number is known to Alipay already.
    (OFFER, "ACQ.CONTEXT_INCONSISTENT", Ask),
    (OFFER, "ACQ.TRADE_HAS_SUCCESS", Ask),
    (OFFER, "ACQ.TRADE_BUYER_NOT_MATCH", Ask),
    (OFFER, "ACQ.TRADE_STATUS_ERROR", Ask),
    (OFFER, "ACQ.TRADE_HAS_CLOSE", Refused(NewNumber)),
    (OFFER, "ACQ.NOW_TIME_AFTER_EXPIRE_TIME_ERROR", Refused(NewNumber)),
    // The order itself.
    (OFFER, "ACQ.EXIST_FORBIDDEN_WORD", Refused(Order)),
    (OFFER, "ACQ.TOTAL_FEE_EXCEED", Refused(Order)),
    // The buyer's account and funds.
    (OFFER, "ACQ.BUYER_BALANCE_NOT_ENOUGH", Refused(Buyer)),
    (OFFER, "ACQ.BUYER_BANKCARD_BALANCE_NOT_ENOUGH", Refused(Buyer)),
    (OFFER, "ACQ.ERROR_BALANCE_PAYMENT_DISABLE", Refused(Buyer)),
    (OFFER, "ACQ.BUYER_SELLER_EQUAL", Refused(Buyer)),
    (OFFER, "ACQ.BUYER_ENABLE_STATUS_FORBID", Refused(Buyer)),
    (OFFER, "ACQ.BUYER_NOT_EXIST", Refused(Buyer)),
    (OFFER, "ACQ.NOT_CERTIFIED_USER", Refused(Buyer)),
    (OFFER, "ACQ.ERROR_BUYER_CERTIFY_LEVEL_LIMIT", Refused(Buyer)),
    (OFFER, "ACQ.CERT_EXPIRED", Refused(Buyer)),
    (OFFER, "ACQ.BUYER_NOT_MAINLAND_CERT", Refused(Buyer)),
    (OFFER, "ACQ.MOBILE_PAYMENT_SWITCH_OFF", Refused(Buyer)),
    (OFFER, "ACQ.USER_FACE_PAYMENT_SWITCH_OFF", Refused(Buyer)),
    (OFFER, "ACQ.BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR", Refused(Buyer)),
    (OFFER, "ACQ.BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR", Refused(Buyer)),
    (OFFER, "ACQ.NO_PAYMENT_INSTRUMENTS_AVAILABLE", Refused(Buyer)),
    (OFFER, "ACQ.NOT_SUPPORT_PAYMENT_INST", Refused(Buyer)),
    (OFFER, "ACQ.PAYMENT_REQUEST_HAS_RISK", Refused(Buyer)),
    // The merchant's contract, account, limits and settings.
    (OFFER, "ACQ.INVALID_PARAMETER", Refused(Setup)),
    (OFFER, "ACQ.ACCESS_FORBIDDEN", Refused(Setup)),
    (OFFER, "ACQ.PARTNER_ERROR", Refused(Setup)),
    (OFFER, "ACQ.BEYOND_PAY_RESTRICTION", Refused(Setup)),
    (OFFER, "ACQ.BEYOND_PER_RECEIPT_RESTRICTION", Refused(Setup)),
    (OFFER, "ACQ.BEYOND_PER_RECEIPT_SINGLE_RESTRICTION", Refused(Setup)),
    (OFFER, "ACQ.BEYOND_PER_RECEIPT_DAY_RESTRICTION", Refused(Setup)),
    (OFFER, "ACQ.MERCHANT_PERM_RECEIPT_SUSPEND_LIMIT", Refused(Setup)),
    (OFFER, "ACQ.MERCHANT_PERM_RECEIPT_SINGLE_LIMIT", Refused(Setup)),
    (OFFER, "ACQ.MERCHANT_PERM_RECEIPT_DAY_LIMIT", Refused(Setup)),
    (OFFER, "ACQ.PRODUCT_AMOUNT_LIMIT_ERROR", Refused(Setup)),
    (OFFER, "ACQ.REQUEST_AMOUNT_EXCEED", Refused(Setup)),
    (OFFER, "ACQ.SELLER_BEEN_BLOCKED", Refused(Setup)),
    (OFFER, "ACQ.SELLER_NOT_EXIST", Refused(Setup)),
    (OFFER, "ACQ.MERCHANT_STATUS_NOT_NORMAL", Refused(Setup)),
    (OFFER, "ACQ.INVALID_RECEIVE_ACCOUNT", Refused(Setup)),
    (OFFER, "ACQ.RESTRICTED_MERCHANT_INDUSTRY", Refused(Setup)),
    (OFFER, "ACQ.MERCHANT_AGREEMENT_*", Refused(Setup)),
    (OFFER, "ACQ.INVALID_STORE_ID", Refused(Setup)),
    (OFFER, "ACQ.SUB_MERCHANT_CREATE_FAIL", Refused(Setup)),
    (OFFER, "ACQ.SUB_MERCHANT_TYPE_INVALID", Refused(Setup)),
    (OFFER, "ACQ.SECONDARY_MERCHANT_*", Refused(Setup)),
    (OFFER, "ACQ.PLATFORM_BUSINESS_ACQUIRE_MODE_MUST_MERCHANT_ID", Refused(Setup)),
    (OFFER, "ACQ.SUB_GOODS_SIZE_MAX_COUNT", Refused(Setup)),
    (OFFER, "ACQ.TRADE_SETTLE_ERROR", Refused(Setup)),
    (OFFER, "ACQ.ROYALTY_ACCOUNT_NOT_EXIST", Refused(Setup)),
    (OFFER, "ACQ.DEFAULT_SETTLE_RULE_NOT_EXIST", Refused(Setup)),
    (OFFER, "ACQ.RISK_MERCHANT_IP_NOT_EXIST", Refused(Setup)),
    (OFFER, "ACQ.UN_SUPPORT_TRADE_SCENE", Refused(Setup)),
    (OFFER, "ACQ.CURRENCY_NOT_SUPPORT", Refused(Setup)),
    (OFFER, "ACQ.AMOUNT_OR_CURRENCY_ERROR", Refused(Setup)),
    // Products that Till does not use: the contract is for something else.
    (OFFER, "ACQ.AGREEMENT_*", Refused(Setup)),
    (OFFER, "ACQ.AUTH_*", Refused(Setup)),
    (OFFER, "ACQ.ZM_*", Refused(Setup)),
    (OFFER, "ACQ.CYCLE_PAY_*", Refused(Setup)),
    (OFFER, "ACQ.OVER_*", Refused(Setup)),
    (QUERY, "ACQ.SYSTEM_ERROR", Trouble),
    (QUERY, "ACQ.INVALID_PARAMETER", Trouble),
    (QUERY, "ACQ.ENTERPRISE_PAY_BIZ_ERROR", Trouble),
    (QUERY, "ACQ.TRADE_NOT_EXIST", NoTrade),
    // The first spelling is the one in Alipay's own list.
    (CANCEL, "AQC.SYSTEM_ERROR", Again),
    (CANCEL, "ACQ.SYSTEM_ERROR", Again),
    (CANCEL, "ACQ.SELLER_BALANCE_NOT_ENOUGH", ShortOfFunds),
    (CANCEL, "ACQ.INVALID_PARAMETER", Trouble),
    (CANCEL, "ACQ.TRADE_NOT_EXIST", NoTrade),
    (CANCEL, "ACQ.REASON_TRADE_BEEN_FREEZEN", Ask),
    (CANCEL, "ACQ.TRADE_HAS_FINISHED", Ask),
    (CANCEL, "ACQ.TRADE_CANCEL_TIME_OUT", Ask),
    (CANCEL, "ACQ.REASON_TRADE_REFUND_FEE_ERR", Ask),
    (CANCEL, "ACQ.CANCEL_NOT_ALLOWED", Ask),
    (CLOSE, "ACQ.SYSTEM_ERROR", Again),
    (CLOSE, "ACQ.INVALID_PARAMETER", Trouble),
    (CLOSE, "ACQ.TRADE_NOT_EXIST", NoTrade),
    (CLOSE, "ACQ.TRADE_STATUS_ERROR", Ask),
    (CLOSE, "ACQ.REASON_TRADE_STATUS_INVALID", Ask),
    (CLOSE, "ACQ.REASON_ILLEGAL_STATUS", Ask),
    (REFUND, "ACQ.SYSTEM_ERROR", Trouble),
    (REFUND, "ACQ.SELLER_BALANCE_NOT_ENOUGH", ShortOfFunds),
    // Fully refunded already, or never paid.
    (REFUND, "ACQ.TRADE_STATUS_ERROR", Ask),
    (REFUND, "ACQ.REASON_TRADE_STATUS_INVALID", Ask),
    (REFUND, "ACQ.TRADE_HAS_CLOSE", Ask),
    (REFUND, "ACQ.INVALID_PARAMETER", Rejected),
    (REFUND, "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", Rejected),
    (REFUND, "ACQ.REASON_TRADE_REFUND_FEE_ERR", Rejected),
    (REFUND, "ACQ.REFUND_FEE_ERROR", Rejected),
    (REFUND, "ACQ.REASON_TRADE_BEEN_FREEZEN", Rejected),
    (REFUND, "ACQ.TRADE_NOT_EXIST", Rejected),
    (REFUND, "ACQ.TRADE_HAS_FINISHED", Rejected),
    (REFUND, "ACQ.TRADE_NOT_ALLOW_REFUND", Rejected),
    (REFUND, "ACQ.DISCORDANT_REPEAT_REQUEST", Rejected),
    (REFUND, "ACQ.BUYER_NOT_EXIST", Rejected),
    (REFUND, "ACQ.BUYER_ENABLE_STATUS_FORBID", Rejected),
    (REFUND, "ACQ.BUYER_ERROR", Rejected),
    (REFUND, "ACQ.NOT_ALLOW_PARTIAL_REFUND", Rejected),
    (REFUND, "ACQ.ONLINE_TRADE_VOUCHER_NOT_ALLOW_REFUND", Rejected),
    (REFUND, "ACQ.CURRENCY_NOT_SUPPORT", Rejected),
    (REFUND, "ACQ.ALLOC_AMOUNT_VALIDATE_ERROR", Rejected),
    (REFUND, "ACQ.REFUNDALLOC_UNAUTH_LIMIT", Rejected),
    (REFUND, "ACQ.REFUND_ROYALTY_PAYEE_ACCOUNT_NOT_EXIST", Rejected),
    (REFUND, "ACQ.USER_NOT_MATCH_ERR", Rejected),
    (REFUND, "ACQ.TRADE_SETTLE_ERROR", Rejected),
    (REFUND, "ACQ.REFUND_CHARGE_ERROR", Rejected),
    (REFUND, "ACQ.REFUND_ACCOUNT_NOT_EXIST", Rejected),
    (REFUND, "ACQ.CUSTOMER_VALIDATE_ERROR", Rejected),
    (REFUND, "ACQ.ENTERPRISE_PAY_BIZ_ERROR", Rejected),
    (REFUND, "ACQ.OVERDRAFT_ASSIGN_ACCOUNT_INVALID", Rejected),
    (REFUND, "ACQ.OVERDRAFT_AGREEMENT_NOT_MATCH", Rejected),
    (REFUND_QUERY, "ACQ.SYSTEM_ERROR", Trouble),
    (REFUND_QUERY, "ACQ.INVALID_PARAMETER", Trouble),
    (REFUND_QUERY, "ACQ.TRADE_NOT_EXIST", NoTrade),
    // Without its prefix in Alipay's own list.
    (REFUND_QUERY, "TRADE_NOT_EXIST", NoTrade),
];

/// What `code` means as the answer to `method`; `None` when it is in no list.
#[must_use]
pub fn class(method: Method, code: &str) -> Option<Class> {
    let rows = || TABLE.iter().filter(|(methods, ..)| methods.contains(&method));
    let whole = rows().find(|(_, known, _)| *known == code);
    let pattern = || rows().find(|(_, known, _)| known.strip_suffix('*').is_some_and(|head| code.starts_with(head)));
    whole.or_else(pattern).map(|(.., class)| *class)
}
