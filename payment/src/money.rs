//! Money. Inside Till an amount is an integer of minor units; text in yuan exists only at the edges.

use std::fmt;
use std::iter::Sum;
use std::str::FromStr;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The largest amount of one order: 100,000,000.00 yuan, Alipay's limit for `total_amount` (reference/alipay.md 5.1).
pub const LARGEST_ORDER: Fen = Fen(10_000_000_000);

/// An amount in fen, the hundredth of a yuan.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fen(i64);

impl Fen {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// Whether it is nothing.
    #[must_use]
    pub const fn is_zero(&self) -> bool {
        self.0 == 0
    }

    /// An amount of `fen` minor units.
    #[must_use]
    pub const fn new(fen: i64) -> Self {
        Self(fen)
    }

    /// The number of minor units.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Whether there is any money in it.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// The sum, or `None` when it does not fit.
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(fen) => Some(Self(fen)),
            None => None,
        }
    }

    /// What is left after taking `other` away, never less than nothing.
    #[must_use]
    pub fn less(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0).max(0))
    }

    /// The amount as the channels write it: yuan with exactly two decimals, such as `3.50`.
    #[must_use]
    pub fn to_yuan(self) -> String {
        Decimal::new(self.0, 2).to_string()
    }
}

impl Sum for Fen {
    /// Saturates, far beyond any money there is: an entry or an order with an impossible amount must not stop the till,
    /// nor turn into another amount.
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        Self(amounts.fold(0, |sum, amount| sum.saturating_add(amount.0)))
    }
}

impl fmt::Debug for Fen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} fen", self.0)
    }
}

impl fmt::Display for Fen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_yuan())
    }
}

/// Why a text is not an amount.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum AmountError {
    /// Not a decimal number at all.
    #[error("{0:?} is not an amount in yuan: write it like 3.50")]
    NotANumber(String),
    /// More than two decimals.
    #[error("{0:?} has more than two decimals, and there is no coin smaller than 0.01")]
    TooFine(String),
    /// Does not fit.
    #[error("{0:?} is too large to be an amount")]
    TooLarge(String),
}

impl FromStr for Fen {
    type Err = AmountError;

    /// Reads yuan, as people and channels write them: `3`, `3.5`, `3.50`. Blanks around it are ignored.
    fn from_str(text: &str) -> Result<Self, AmountError> {
        let trimmed = text.trim();
        let not_a_number = || AmountError::NotANumber(text.to_owned());
        // The library takes underscores between digits, as programs write them; no channel and no cashier does.
        if trimmed.contains('_') {
            return Err(not_a_number());
        }
        let yuan = Decimal::from_str_exact(trimmed).map_err(|_| not_a_number())?.normalize();
        if yuan.scale() > 2 {
            return Err(AmountError::TooFine(text.to_owned()));
        }
        let too_large = || AmountError::TooLarge(text.to_owned());
        let fen = yuan.checked_mul(Decimal::ONE_HUNDRED).ok_or_else(too_large)?;
        fen.to_i64().map(Self).ok_or_else(too_large)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yuan_are_written_with_two_decimals() {
        for (fen, yuan) in [(0, "0.00"), (1, "0.01"), (350, "3.50"), (10_000_000_000, "100000000.00")] {
            assert_eq!(Fen::new(fen).to_yuan(), yuan);
        }
    }

    #[test]
    fn yuan_are_read_exactly_or_refused() {
        for (text, fen) in [("3", 300), ("3.5", 350), (" 3.50\t", 350), ("0.01", 1), ("88.800", 8880)] {
            assert_eq!(text.parse(), Ok(Fen::new(fen)));
        }
        for text in ["", "x", "3,50", "1_000", "3._5", "1e3", "0.001", "99999999999999999999", "NaN"] {
            assert!(text.parse::<Fen>().is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn a_sum_never_turns_into_another_amount() {
        assert_eq!([Fen::new(1), Fen::new(2)].into_iter().sum::<Fen>(), Fen::new(3));
        assert_eq!([Fen::new(i64::MAX), Fen::new(1)].into_iter().sum::<Fen>(), Fen::new(i64::MAX));
    }

    #[test]
    fn taking_away_never_goes_below_nothing() {
        assert_eq!(Fen::new(100).less(Fen::new(30)), Fen::new(70));
        assert_eq!(Fen::new(30).less(Fen::new(100)), Fen::ZERO);
    }
}
