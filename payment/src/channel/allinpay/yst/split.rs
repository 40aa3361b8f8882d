//! The split rule (分账): what others get out of a payment, and what they give back when it is returned.
//!
//! Source: 云商通 generation 2, `sepDetail` and `refundDetail` (reference/allinpay.md 3.5). The parts are taken from inside
//! the amount: the payee keeps the rest. Everything is rounded down to whole fen, so that parts never exceed the money.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use thiserror::Error;

use crate::money::Fen;

/// One party of the rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitPart {
    /// The party's member number (`signNum`).
    pub sign_num: String,
    /// What it gets.
    pub share: Share,
    /// A remark for its account.
    pub remark: Option<String>,
}

/// What a party gets of each payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// So much, or what is left when the payment is smaller.
    Amount(Fen),
    /// A rate between 0 and 1 of the payment.
    Rate(Decimal),
}

/// What is wrong with a rule.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SplitError {
    /// An amount or rate that gives nothing, or more than everything.
    #[error("the share of {0} must be an amount above 0, or a rate above 0 and at most 1")]
    Share(String),
    /// The rates promise more than there is.
    #[error("the rates of the split rule add up to more than 1")]
    RatesAboveOne,
    /// One party twice, or the payee itself.
    #[error("{0} stands twice in the split rule, or is the payee itself, who gets the rest anyhow")]
    Twice(String),
}

/// One line of `sepDetail`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    /// The party.
    pub sign_num: &'a str,
    /// What it gets or gives back, above nothing.
    pub amount: Fen,
    /// The remark of the rule.
    pub remark: Option<&'a str>,
}

/// Checks a rule for the payee `receiver`.
///
/// # Errors
/// [`SplitError`].
pub fn check(rule: &[SplitPart], receiver: &str) -> Result<(), SplitError> {
    for (place, part) in rule.iter().enumerate() {
        let twice = rule[..place].iter().any(|known| known.sign_num == part.sign_num);
        if twice || part.sign_num == receiver {
            return Err(SplitError::Twice(part.sign_num.clone()));
        }
        let fits = match part.share {
            Share::Amount(amount) => amount.is_positive(),
            Share::Rate(rate) => rate > Decimal::ZERO && rate <= Decimal::ONE,
        };
        if !fits {
            return Err(SplitError::Share(part.sign_num.clone()));
        }
    }
    let rates = rule.iter().filter_map(|part| match part.share {
        Share::Rate(rate) => Some(rate),
        Share::Amount(_) => None,
    });
    if rates.sum::<Decimal>() > Decimal::ONE { Err(SplitError::RatesAboveOne) } else { Ok(()) }
}

/// What each party gets of `amount`, in the rule's order. Together never more than `amount`: what no longer fits is cut.
#[must_use]
pub fn parts(rule: &[SplitPart], amount: Fen) -> Vec<Part<'_>> {
    let mut left = amount;
    let mut take = |part| {
        let got = share_of(part, amount).min(left);
        left = left.less(got);
        Part { sign_num: &part.sign_num, amount: got, remark: part.remark.as_deref() }
    };
    rule.iter().map(&mut take).filter(|part| part.amount.is_positive()).collect()
}

/// What each party gives back when `refund` of a payment of `total` is returned: its part in proportion. Many small refunds
/// never ask more of a party than it got; the fen that rounding leaves are the payee's.
#[must_use]
pub fn given_back(rule: &[SplitPart], total: Fen, refund: Fen) -> Vec<Part<'_>> {
    let back =
        |part: Part<'_>| i128::from(part.amount.get()) * i128::from(refund.get()) / i128::from(total.get().max(1));
    let of_part = |part| Part { amount: Fen::new(i64::try_from(back(part)).unwrap_or_default()), ..part };
    parts(rule, total).into_iter().map(of_part).filter(|part| part.amount.is_positive()).collect()
}

fn share_of(part: &SplitPart, amount: Fen) -> Fen {
    match part.share {
        Share::Amount(fixed) => fixed,
        Share::Rate(rate) => {
            let exact = rate.checked_mul(Decimal::from(amount.get()));
            Fen::new(exact.and_then(|exact| exact.floor().to_i64()).unwrap_or_default())
        }
    }
}
