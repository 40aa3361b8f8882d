//! When Huabei wants its money, for the screen.
//!
//! Source: the promotion guide of 2017 (reference/alipay.md 10.5). Buyers can have other days today, so the text says where
//! the buyer's own are.

/// The day of the month on which the use of the month before is put together (出账日).
pub const STATEMENT_DAY: u8 = 1;

/// The last day of the month for the repayment (最后还款日).
pub const LAST_REPAYMENT_DAY: u8 = 10;

/// The line for the buyer.
pub const TEXT: &str = "每月1日出账，1日至10日还款，最晚10日，还上月的花呗。以您的花呗账单为准。";

/// The same in English.
pub const TEXT_ENGLISH: &str = "Huabei bills last month on the 1st. Repay from the 1st to the 10th, at the latest on the 10th. Your own bill decides.";
