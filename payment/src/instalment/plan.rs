//! The months of one loan, by Alipay's published arithmetic.
//!
//! Source: Alipay, "Huabei instalments: fee calculation" (reference/alipay.md 10.3): the whole fee is rounded half-even to
//! a fen, each month gets the floor of its share, and what remains of either goes into the first month.

use std::ops::RangeInclusive;

use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};
use thiserror::Error;

use super::rates::{Bearer, Rate};
use crate::channel::Instalment;
use crate::money::{Fen, LARGEST_ORDER};

/// How many months a plan may have at all: a bound of ours. Alipay's documents know 3, 6 and 12, the guide of 2017 also 24.
pub const PERIODS: RangeInclusive<u8> = 2..=60;

/// What the buyer repays in one month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Month {
    /// Of the loan.
    pub principal: Fen,
    /// Of the fee; nothing when the merchant bears it.
    pub fee: Fen,
}

impl Month {
    /// Both together: what the buyer pays.
    #[must_use]
    pub fn due(self) -> Fen {
        Fen::new(self.principal.get() + self.fee.get())
    }
}

/// A loan and its months.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// How many months.
    pub periods: u8,
    /// Who bears the fee.
    pub bearer: Bearer,
    /// What goes through the channel: the amount of the order there.
    pub loan: Fen,
    /// What a person takes in cash before; nothing in most sales.
    pub down_payment: Fen,
    /// The whole fee, whoever bears it.
    pub fee: Fen,
    /// The months, the first one first; there are `periods` of them, and never none.
    pub months: Vec<Month>,
}

/// Why there is no plan.
#[derive(Debug, Clone, Copy, Error, PartialEq, Eq)]
pub enum NoPlan {
    /// Nothing, less than nothing, or more than one order may cost.
    #[error("{0} yuan cannot be paid in instalments")]
    Amount(Fen),
    /// The loan is below the least that is taken.
    #[error("{loan} yuan is too little for instalments, which begin at {minimum} yuan")]
    BelowMinimum {
        /// What was asked for.
        loan: Fen,
        /// The least.
        minimum: Fen,
    },
    /// So many periods are not offered here.
    #[error("{0} periods are not offered here")]
    NotOffered(u8),
}

impl Plan {
    /// The plan of `loan` over `periods` months at `rate`.
    ///
    /// # Errors
    /// An amount that cannot be lent, or a number of periods outside [`PERIODS`].
    pub fn new(loan: Fen, periods: u8, bearer: Bearer, rate: Rate) -> Result<Self, NoPlan> {
        if !loan.is_positive() || loan > LARGEST_ORDER {
            return Err(NoPlan::Amount(loan));
        }
        if !PERIODS.contains(&periods) {
            return Err(NoPlan::NotOffered(periods));
        }
        let fee = fee_of(loan, rate).ok_or(NoPlan::Amount(loan))?;
        let borne = match bearer {
            Bearer::Buyer => fee,
            Bearer::Seller => Fen::ZERO,
        };
        let months = spread(loan, periods).zip(spread(borne, periods));
        let months = months.map(|(principal, fee)| Month { principal, fee }).collect();
        Ok(Self { periods, bearer, loan, down_payment: Fen::ZERO, fee, months })
    }

    /// What the buyer pays in the first month: all remainders are in it.
    #[must_use]
    pub fn first_month(&self) -> Fen {
        self.months.first().map_or(Fen::ZERO, |month| month.due())
    }

    /// What the buyer pays in every later month.
    #[must_use]
    pub fn later_month(&self) -> Fen {
        self.months.last().map_or(Fen::ZERO, |month| month.due())
    }

    /// What the buyer pays in all months together, without the down payment.
    #[must_use]
    pub fn repaid(&self) -> Fen {
        self.months.iter().map(|month| month.due()).sum()
    }

    /// What the buyer bears of the fee.
    #[must_use]
    pub fn buyer_fee(&self) -> Fen {
        match self.bearer {
            Bearer::Buyer => self.fee,
            Bearer::Seller => Fen::ZERO,
        }
    }

    /// What the merchant bears of the fee: missing from what the channel pays out, beside the channel's own fee.
    #[must_use]
    pub fn seller_fee(&self) -> Fen {
        match self.bearer {
            Bearer::Buyer => Fen::ZERO,
            Bearer::Seller => self.fee,
        }
    }

    /// How the channel is asked for it.
    #[must_use]
    pub const fn instalment(&self) -> Instalment {
        Instalment { periods: self.periods, seller_percent: self.bearer.seller_percent() }
    }
}

/// The whole fee, in fen, half-even. A loan of one order times a rate of six decimals is exact in a `Decimal`.
fn fee_of(loan: Fen, rate: Rate) -> Option<Fen> {
    let fee = Decimal::from(loan.get()).checked_mul(rate.share())?;
    fee.round_dp_with_strategy(0, RoundingStrategy::MidpointNearestEven).to_i64().map(Fen::new)
}

/// An amount over the months: equal parts, the remainder in the first.
fn spread(amount: Fen, periods: u8) -> impl Iterator<Item = Fen> {
    let count = i64::from(periods);
    let (part, rest) = (amount.get() / count, amount.get() % count);
    (0..count).map(move |month| Fen::new(if month == 0 { part + rest } else { part }))
}
