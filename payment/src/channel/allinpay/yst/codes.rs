//! What the inner two layers of an answer say: `respCode`, then `result`.
//!
//! Source: 云商通 generation 2 (reference/allinpay.md 3.1). Only two values of `respCode` are public: 00000 and 66666. The list
//! of the others is not, so each of them is a doubt unless the operator's own contract documents name it: [`CodeRule`].

use crate::channel::outcome::{Doubt, DoubtKind};

/// `code` and `respCode` of a call that was understood. By itself it never means "paid".
pub const OK: &str = "00000";
/// `respCode` of an order that was taken and is not decided (业务已受理).
pub const PENDING: &str = "66666";

/// What the contract documents say about a `respCode` that is in no public list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeRule {
    /// The `respCode`.
    pub code: String,
    /// What it means.
    pub meaning: Meaning,
}

/// The only meanings that a setting can give to a code. None of them says "not paid": that is left to `result`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// There is no order under this number and day.
    NoOrder,
    /// The number was used before: ask how its order stands.
    NumberUsed,
    /// The payee's balance is too low for a refund.
    ShortOfFunds,
}

/// How an order stands by an answer whose signature held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The call was understood; the answer does not say how the order stands.
    Untold,
    /// Not decided (`result` 0, or `respCode` 66666).
    InProgress,
    /// `result` 1.
    Success,
    /// `result` 2. Final.
    Failed,
    /// By a setting.
    Listed(Meaning),
}

/// Reads both layers. Two that contradict each other are a doubt.
///
/// # Errors
/// No `respCode`, one that is not listed, an unknown `result`, or a contradiction.
pub fn standing(resp_code: Option<&str>, result: Option<&str>, rules: &[CodeRule]) -> Result<Standing, Doubt> {
    let code = resp_code.ok_or_else(|| Doubt::new(DoubtKind::Malformed, "the answer has no respCode"))?;
    match (code, result) {
        (OK, None) => Ok(Standing::Untold),
        (OK | PENDING, Some("0")) | (PENDING, None) => Ok(Standing::InProgress),
        (OK, Some("1")) => Ok(Standing::Success),
        (OK, Some("2")) => Ok(Standing::Failed),
        (OK | PENDING, Some(other)) => {
            Err(Doubt::new(DoubtKind::Unlisted, format!("result {other:?} with respCode {code}")))
        }
        _ => listed(code, rules),
    }
}

fn listed(code: &str, rules: &[CodeRule]) -> Result<Standing, Doubt> {
    let rule = rules.iter().find(|rule| rule.code == code);
    let unlisted = || Doubt::new(DoubtKind::Unlisted, format!("respCode {code:?}"));
    rule.map(|rule| Standing::Listed(rule.meaning)).ok_or_else(unlisted)
}
