//! What each error code means, as data: `code` of APIv3 and `err_code` of APIv2.
//!
//! Source: the error lists of each interface (reference 3, 4, 5.4, 5.5, 6.1). Both spellings are in use, so codes are
//! compared without their underscores. The lists grow: a code that is not here is
//! [`DoubtKind::Unlisted`](crate::channel::outcome::DoubtKind::Unlisted), never a failure.

use super::wire::Operation;
use crate::channel::outcome::Why;
use Class::{Absent, Again, Ask, NoTrade, Paying, Refused, Rejected, ShortOfFunds, Trouble};
use Operation as On;
use Why::{Buyer, NewNumber, RefreshCode, Setup};

/// What follows from a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// It is not known what was done: ask, or send the same again.
    Trouble,
    /// The buyer is being asked for the password.
    Paying,
    /// Final for this attempt.
    Refused(Why),
    /// The order's state forbids it: ask how it stands, it may be paid.
    Ask,
    /// There is no order under this number.
    NoTrade,
    /// Send the same again.
    Again,
    /// There is no such refund: the same number again.
    Absent,
    /// The merchant's balance is short: top up, then the same again.
    ShortOfFunds,
    /// A refund that WeChat Pay will not make: a person must look at it.
    Rejected,
}

const NATIVE: &[Operation] = &[On::Native];
const PAY: &[Operation] = &[On::Micropay, On::CodePay];
const QUERY: &[Operation] = &[On::Query, On::V2Query];
const CLOSE: &[Operation] = &[On::Close];
const REVERSE: &[Operation] = &[On::V2Reverse, On::Reverse];
const REFUND: &[Operation] = &[On::Refund];
const REFUND_QUERY: &[Operation] = &[On::RefundQuery];
const EVERY: &[Operation] = &[
    On::Native,
    On::CodePay,
    On::Micropay,
    On::Query,
    On::V2Query,
    On::Close,
    On::Reverse,
    On::V2Reverse,
    On::Refund,
    On::RefundQuery,
];

/// Interfaces, code, meaning. One row, one line.
#[rustfmt::skip]
pub const TABLE: &[(&[Operation], &str, Class)] = &[
    // Trouble of the channel itself.
    (EVERY, "FREQUENCY_LIMITED", Trouble),
    (EVERY, "RATELIMIT_EXCEEDED", Trouble),
    (EVERY, "SERVICE_UNAVAILABLE", Trouble),
    // Orders for our screen (reference 3).
    (NATIVE, "SYSTEM_ERROR", Trouble),
    (NATIVE, "BANK_ERROR", Trouble),
    (NATIVE, "OUT_TRADE_NO_USED", Ask),
    (NATIVE, "ORDER_PAID", Ask),
    (NATIVE, "ORDER_CLOSED", Refused(NewNumber)),
    (NATIVE, "RULE_LIMIT", Refused(Buyer)),
    (NATIVE, "ACCOUNT_ERROR", Refused(Buyer)),
    (NATIVE, "TRADE_ERROR", Refused(Buyer)),
    (NATIVE, "PARAM_ERROR", Refused(Setup)),
    (NATIVE, "INVALID_REQUEST", Refused(Setup)),
    (NATIVE, "APPID_MCHID_NOT_MATCH", Refused(Setup)),
    (NATIVE, "MCH_NOT_EXISTS", Refused(Setup)),
    (NATIVE, "SIGN_ERROR", Refused(Setup)),
    (NATIVE, "NO_AUTH", Refused(Setup)),
    // Pay codes (reference 5.4). The list of v3 was never published; it is expected to use these words.
    (PAY, "SYSTEMERROR", Trouble),
    (PAY, "BANKERROR", Trouble),
    (PAY, "USERPAYING", Paying),
    (PAY, "ORDERPAID", Ask),
    (PAY, "OUT_TRADE_NO_USED", Ask),
    (PAY, "BUYER_MISMATCH", Ask),
    (PAY, "AUTHCODEEXPIRE", Refused(RefreshCode)),
    (PAY, "AUTH_CODE_ERROR", Refused(RefreshCode)),
    (PAY, "AUTH_CODE_INVALID", Refused(RefreshCode)),
    (PAY, "NOTENOUGH", Refused(Buyer)),
    // Spelled so.
    (PAY, "NOTSUPORTCARD", Refused(Buyer)),
    (PAY, "TRADE_ERROR", Refused(Buyer)),
    (PAY, "RULELIMIT", Refused(Buyer)),
    (PAY, "RISK", Refused(Buyer)),
    (PAY, "ORDERCLOSED", Refused(NewNumber)),
    (PAY, "ORDERREVERSED", Refused(NewNumber)),
    (PAY, "NOAUTH", Refused(Setup)),
    (PAY, "APPID_NOT_EXIST", Refused(Setup)),
    (PAY, "MCHID_NOT_EXIST", Refused(Setup)),
    (PAY, "APPID_MCHID_NOT_MATCH", Refused(Setup)),
    (PAY, "PARAM_ERROR", Refused(Setup)),
    (PAY, "LACK_PARAMS", Refused(Setup)),
    (PAY, "SIGNERROR", Refused(Setup)),
    (PAY, "XML_FORMAT_ERROR", Refused(Setup)),
    (PAY, "REQUIRE_POST_METHOD", Refused(Setup)),
    (PAY, "NOT_UTF8", Refused(Setup)),
    (PAY, "POST_DATA_EMPTY", Refused(Setup)),
    (PAY, "INVALID_REQUEST", Refused(Setup)),
    // Questions (reference 4.1, 5.5).
    (QUERY, "ORDER_NOT_EXIST", NoTrade),
    (QUERY, "SYSTEM_ERROR", Trouble),
    (QUERY, "PARAM_ERROR", Trouble),
    (QUERY, "INVALID_REQUEST", Trouble),
    (QUERY, "MCH_NOT_EXISTS", Trouble),
    (QUERY, "SIGN_ERROR", Trouble),
    (QUERY, "RULE_LIMIT", Trouble),
    (QUERY, "TRADE_ERROR", Trouble),
    // Closing (reference 4.2).
    (CLOSE, "ORDER_PAID", Ask),
    (CLOSE, "ORDER_CLOSED", Ask),
    (CLOSE, "USER_PAYING", Again),
    (CLOSE, "ORDER_NOT_EXIST", NoTrade),
    (CLOSE, "SYSTEM_ERROR", Trouble),
    (CLOSE, "PARAM_ERROR", Trouble),
    (CLOSE, "INVALID_REQUEST", Trouble),
    (CLOSE, "SIGN_ERROR", Trouble),
    // Reversing (reference 5.5). An order that is dead already, or too old, is asked after.
    (REVERSE, "SYSTEMERROR", Again),
    (REVERSE, "USERPAYING", Again),
    (REVERSE, "ORDERNOTEXIST", NoTrade),
    (REVERSE, "REVERSE_EXPIRE", Ask),
    (REVERSE, "TRADE_ERROR", Ask),
    (REVERSE, "ORDERCLOSED", Ask),
    (REVERSE, "ORDERREVERSED", Ask),
    (REVERSE, "INVALID_TRANSACTIONID", Trouble),
    (REVERSE, "PARAM_ERROR", Trouble),
    (REVERSE, "INVALID_REQUEST", Trouble),
    (REVERSE, "SIGNERROR", Trouble),
    (REVERSE, "REQUIRE_POST_METHOD", Trouble),
    // Refunds (reference 6.1).
    (REFUND, "SYSTEM_ERROR", Trouble),
    (REFUND, "SIGN_ERROR", Trouble),
    (REFUND, "RESOURCE_NOT_EXISTS", Absent),
    (REFUND, "NOT_ENOUGH", ShortOfFunds),
    (REFUND, "USER_ACCOUNT_ABNORMAL", Rejected),
    (REFUND, "INVALID_REQUEST", Rejected),
    (REFUND, "PARAM_ERROR", Rejected),
    (REFUND, "NO_AUTH", Rejected),
    (REFUND, "MCH_NOT_EXISTS", Rejected),
    (REFUND, "TRADE_OVERDUE", Rejected),
    (REFUND, "REFUND_FEE_MISMATCH", Rejected),
    (REFUND_QUERY, "RESOURCE_NOT_EXISTS", Absent),
    (REFUND_QUERY, "SYSTEM_ERROR", Trouble),
    (REFUND_QUERY, "SIGN_ERROR", Trouble),
    (REFUND_QUERY, "PARAM_ERROR", Trouble),
    (REFUND_QUERY, "INVALID_REQUEST", Trouble),
    (REFUND_QUERY, "MCH_NOT_EXISTS", Trouble),
];

/// What `code` means as the answer of this interface; `None` when it is in no list.
#[must_use]
pub fn class(operation: Operation, code: &str) -> Option<Class> {
    let rows = TABLE.iter().filter(|(operations, ..)| operations.contains(&operation));
    rows.clone().find(|(_, known, _)| is_same(known, code)).map(|(.., class)| *class)
}

/// Whether two spellings are one code.
#[must_use]
pub fn is_same(one: &str, other: &str) -> bool {
    one.bytes().filter(|byte| *byte != b'_').eq(other.bytes().filter(|byte| *byte != b'_'))
}
