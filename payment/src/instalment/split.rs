//! The down payment (首付款): goods price = loan + down payment.
//!
//! A buyer whose Huabei limit is below the price pays the difference in cash to a person first; only the loan goes through
//! the channel. Source: the promotion guide (reference/alipay.md 17.1).

use thiserror::Error;

use crate::money::{Fen, LARGEST_ORDER};

/// A price, and its two parts. They add up, or there is no such value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Split {
    loan: Fen,
    down_payment: Fen,
}

/// Why a price cannot be split so.
#[derive(Debug, Clone, Copy, Error, PartialEq, Eq)]
pub enum SplitProblem {
    /// The price is nothing, less, or more than one order may cost.
    #[error("{0} yuan is not the price of an order")]
    Price(Fen),
    /// Less than nothing in cash.
    #[error("a down payment of {0} yuan is less than nothing")]
    DownPayment(Fen),
    /// Nothing is left to be lent.
    #[error(
        "a down payment of {down_payment} yuan pays the whole price of {price} yuan: nothing is left for instalments"
    )]
    NoLoan {
        /// The price of the goods.
        price: Fen,
        /// The down payment.
        down_payment: Fen,
    },
    /// The three amounts do not add up.
    #[error("{price} yuan is not {loan} of loan and {down_payment} of down payment")]
    DoesNotAddUp {
        /// The price of the goods.
        price: Fen,
        /// The loan.
        loan: Fen,
        /// The down payment.
        down_payment: Fen,
    },
}

impl Split {
    /// The whole price is lent.
    ///
    /// # Errors
    /// A price that is none.
    pub fn whole(price: Fen) -> Result<Self, SplitProblem> {
        Self::new(price, Fen::ZERO)
    }

    /// `down_payment` in cash, the rest of `price` is lent.
    ///
    /// # Errors
    /// A price that is none, a negative down payment, or one that leaves nothing to lend.
    pub fn new(price: Fen, down_payment: Fen) -> Result<Self, SplitProblem> {
        if !price.is_positive() || price > LARGEST_ORDER {
            return Err(SplitProblem::Price(price));
        }
        if down_payment < Fen::ZERO {
            return Err(SplitProblem::DownPayment(down_payment));
        }
        if down_payment >= price {
            return Err(SplitProblem::NoLoan { price, down_payment });
        }
        Ok(Self { loan: price.less(down_payment), down_payment })
    }

    /// As much as the buyer's Huabei `limit` allows is lent, the rest is paid in cash.
    ///
    /// # Errors
    /// A price that is none, or a limit of nothing.
    pub fn within_limit(price: Fen, limit: Fen) -> Result<Self, SplitProblem> {
        Self::new(price, price.less(limit))
    }

    /// The three amounts as somebody wrote them down, when they add up.
    ///
    /// # Errors
    /// What [`Split::new`] refuses, and amounts that do not add up.
    pub fn of_amounts(price: Fen, loan: Fen, down_payment: Fen) -> Result<Self, SplitProblem> {
        let split = Self::new(price, down_payment)?;
        if split.loan != loan {
            return Err(SplitProblem::DoesNotAddUp { price, loan, down_payment });
        }
        Ok(split)
    }

    /// What goes through the channel.
    #[must_use]
    pub const fn loan(self) -> Fen {
        self.loan
    }

    /// What a person takes in cash.
    #[must_use]
    pub const fn down_payment(self) -> Fen {
        self.down_payment
    }

    /// Both together.
    #[must_use]
    pub fn price(self) -> Fen {
        Fen::new(self.loan.get() + self.down_payment.get())
    }
}

/// A row of an old list, kept as it was written. One of the guide's own sample rows does not add up: 6988.00 = 6900.00 +
/// 0.00. Such rows are history and are never sold by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imported {
    /// The price of the goods.
    pub price: Fen,
    /// The loan.
    pub loan: Fen,
    /// The down payment.
    pub down_payment: Fen,
}

impl Imported {
    /// The amounts of an old row.
    ///
    /// # Errors
    /// A price that is none, a loan that is none, or a negative down payment: those are not odd but broken.
    pub fn read(price: Fen, loan: Fen, down_payment: Fen) -> Result<Self, SplitProblem> {
        let order = |amount: Fen| amount.is_positive() && amount <= LARGEST_ORDER;
        if let Some(odd) = [price, loan].into_iter().find(|amount| !order(*amount)) {
            return Err(SplitProblem::Price(odd));
        }
        if down_payment < Fen::ZERO || down_payment > LARGEST_ORDER {
            return Err(SplitProblem::DownPayment(down_payment));
        }
        Ok(Self { price, loan, down_payment })
    }

    /// What the row lacks of its price, in fen; negative when it has too much, 0 when it adds up.
    #[must_use]
    pub const fn missing(self) -> i64 {
        self.price.get() - self.loan.get() - self.down_payment.get()
    }
}
