//! The fees of the contract: for each number of periods, and for who bears it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::plan::PERIODS;

/// Who bears the fee of an instalment plan. There is nothing between (reference/alipay.md 10.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bearer {
    /// The buyer pays it month by month, on top of the price.
    Buyer,
    /// The merchant: it is taken from what the merchant receives, and the buyer repays the bare price.
    Seller,
}

impl Bearer {
    /// Alipay's `hb_fq_seller_percent`: 0 or 100.
    #[must_use]
    pub const fn seller_percent(self) -> u8 {
        match self {
            Self::Buyer => 0,
            Self::Seller => 100,
        }
    }
}

/// A fee as a share of the loan, for all periods together: 0.023 is 2.3%. Exact to a millionth, below 1.
///
/// It is written with its percent sign, `2.3%`: a bare 0.023 or 2.3 could mean either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rate(Decimal);

/// Why something is no rate.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum RateProblem {
    /// The text is not a number with a percent sign.
    #[error("{0:?} is not a rate: write it like 2.3%")]
    NotAPercentage(String),
    /// Below nothing, or the whole loan and more.
    #[error("a rate is at least 0% and below 100%, not {0}%")]
    OutOfRange(Decimal),
    /// More than four decimals of a percent.
    #[error("a rate has at most four decimals, not {0}%")]
    TooFine(Decimal),
    /// No plan has so many months.
    #[error("{0} periods: a plan has 2 to 60")]
    Periods(u8),
}

impl Rate {
    /// No fee.
    pub const FREE: Self = Self(Decimal::ZERO);

    /// The rate of so many millionths of the loan: 23000 is 2.3%.
    ///
    /// # Errors
    /// The whole loan and more.
    pub fn of_millionths(millionths: u32) -> Result<Self, RateProblem> {
        Self::of_share(Decimal::new(i64::from(millionths), 6))
    }

    /// The rate of `share`: 0.023 for 2.3%.
    ///
    /// # Errors
    /// Below 0, 1 and above, or finer than a millionth.
    pub fn of_share(share: Decimal) -> Result<Self, RateProblem> {
        let share = share.normalize();
        let percent = share.saturating_mul(Decimal::ONE_HUNDRED).normalize();
        if share.is_sign_negative() && !share.is_zero() || share >= Decimal::ONE {
            return Err(RateProblem::OutOfRange(percent));
        }
        if share.scale() > 6 {
            return Err(RateProblem::TooFine(percent));
        }
        Ok(Self(share))
    }

    /// The share of the loan: 0.023 for 2.3%.
    #[must_use]
    pub const fn share(self) -> Decimal {
        self.0
    }

    /// A documented rate, in hundredths of a percent.
    pub(super) const fn basis_points(points: u32) -> Self {
        Self(Decimal::from_parts(points, 0, 0, false, 4))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", (self.0 * Decimal::ONE_HUNDRED).normalize())
    }
}

impl FromStr for Rate {
    type Err = RateProblem;

    fn from_str(text: &str) -> Result<Self, RateProblem> {
        let not = || RateProblem::NotAPercentage(text.to_owned());
        let number = text.trim().strip_suffix('%').ok_or_else(not)?;
        let percent = Decimal::from_str_exact(number.trim_end()).map_err(|_| not())?.normalize();
        if percent.scale() > 4 {
            return Err(RateProblem::TooFine(percent));
        }
        Self::of_share(percent.checked_div(Decimal::ONE_HUNDRED).ok_or_else(not)?)
    }
}

impl TryFrom<String> for Rate {
    type Error = RateProblem;

    fn try_from(text: String) -> Result<Self, RateProblem> {
        text.parse()
    }
}

impl From<Rate> for String {
    fn from(rate: Rate) -> Self {
        rate.to_string()
    }
}

/// The rates of a contract. What is not in it cannot be offered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rates(BTreeMap<(u8, Bearer), Rate>);

impl Rates {
    /// The rates of these rows: periods, who bears the fee, how much it is. A later row replaces an earlier one.
    ///
    /// # Errors
    /// A number of periods that no plan has.
    pub fn new(rows: impl IntoIterator<Item = (u8, Bearer, Rate)>) -> Result<Self, RateProblem> {
        let check = |(periods, bearer, rate)| match PERIODS.contains(&periods) {
            true => Ok(((periods, bearer), rate)),
            false => Err(RateProblem::Periods(periods)),
        };
        rows.into_iter().map(check).collect::<Result<_, _>>().map(Self)
    }

    /// What a copy of Alipay's page of 2017 to 2018 says (reference/alipay.md 10.2). A contract of today may say
    /// something else: the operator writes down what it says.
    #[must_use]
    pub fn documented_2018() -> Self {
        let rows = [(3, 230, 180), (6, 450, 450), (12, 750, 750)];
        let both = rows.map(|(periods, buyer, seller)| {
            [
                ((periods, Bearer::Buyer), Rate::basis_points(buyer)),
                ((periods, Bearer::Seller), Rate::basis_points(seller)),
            ]
        });
        Self(both.into_iter().flatten().collect())
    }

    /// The fee of so many periods, if the contract has it.
    #[must_use]
    pub fn rate(&self, periods: u8, bearer: Bearer) -> Option<Rate> {
        self.0.get(&(periods, bearer)).copied()
    }
}
