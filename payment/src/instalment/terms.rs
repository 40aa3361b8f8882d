//! What is offered at this terminal, and the choices that a buyer sees.

use std::collections::BTreeMap;

use thiserror::Error;

use super::plan::{NoPlan, Plan};
use super::rates::{Bearer, Rate, Rates};
use super::split::Split;
use crate::money::Fen;

/// The least loan, where the operator says nothing else: 100 yuan. It is what Alipay's people advise, not a rule that is
/// written anywhere (reference/alipay.md 10.1).
pub const MINIMUM: Fen = Fen::new(10_000);

/// The offer: which numbers of periods, who bears the fee of each, and from which loan on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    offered: BTreeMap<u8, (Bearer, Rate)>,
    minimum: Fen,
}

/// Why terms cannot be offered.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum TermsProblem {
    /// The contract has no such rate.
    #[error("{periods} periods are offered with the fee borne by the {}, and there is no rate for that", bearer_name(*.bearer))]
    NoRate {
        /// Which periods.
        periods: u8,
        /// Who should bear the fee.
        bearer: Bearer,
    },
    /// The same number of periods is offered twice.
    #[error("{0} periods are offered twice: the channel is told one bearer of the fee")]
    Twice(u8),
    /// The minimum is no amount.
    #[error("the least amount for instalments is more than 0.00 yuan, not {0}")]
    Minimum(Fen),
}

const fn bearer_name(bearer: Bearer) -> &'static str {
    match bearer {
        Bearer::Buyer => "buyer",
        Bearer::Seller => "merchant",
    }
}

impl Terms {
    /// The terms of `offered` (periods, and who bears their fee) at the contract's `rates`, for loans of at least `minimum`.
    ///
    /// # Errors
    /// An offer that the contract has no rate for, or two of the same periods, or a minimum that is no amount.
    pub fn new(
        offered: impl IntoIterator<Item = (u8, Bearer)>,
        rates: &Rates,
        minimum: Fen,
    ) -> Result<Self, TermsProblem> {
        if !minimum.is_positive() {
            return Err(TermsProblem::Minimum(minimum));
        }
        let mut known = BTreeMap::new();
        for (periods, bearer) in offered {
            let rate = rates.rate(periods, bearer).ok_or(TermsProblem::NoRate { periods, bearer })?;
            if known.insert(periods, (bearer, rate)).is_some() {
                return Err(TermsProblem::Twice(periods));
            }
        }
        Ok(Self { offered: known, minimum })
    }

    /// 3, 6 and 12 periods at the documented rates of 2017 to 2018, borne by the buyer, from 100 yuan: for a demo. A
    /// terminal that sells has the rates of its contract in its settings.
    #[must_use]
    pub fn documented_2018() -> Self {
        let rates = Rates::documented_2018();
        let offer = |periods| rates.rate(periods, Bearer::Buyer).map(|rate| (periods, (Bearer::Buyer, rate)));
        Self { offered: [3, 6, 12].into_iter().filter_map(offer).collect(), minimum: MINIMUM }
    }

    /// The plan of one sale over `periods` months.
    ///
    /// # Errors
    /// What is not offered, or a loan that is too small or no amount.
    pub fn plan(&self, split: Split, periods: u8) -> Result<Plan, NoPlan> {
        let (bearer, rate) = self.offered.get(&periods).ok_or(NoPlan::NotOffered(periods))?;
        if split.loan() < self.minimum {
            return Err(NoPlan::BelowMinimum { loan: split.loan(), minimum: self.minimum });
        }
        let plan = Plan::new(split.loan(), periods, *bearer, *rate)?;
        Ok(Plan { down_payment: split.down_payment(), ..plan })
    }

    /// What the screen offers for one sale, the fewest periods first. Empty when the loan is too small: then there is
    /// nothing to choose.
    #[must_use]
    pub fn choices(&self, split: Split) -> Vec<Plan> {
        self.offered.keys().filter_map(|periods| self.plan(split, *periods).ok()).collect()
    }
}
