//! The subsidy table of the promotion guide of 2017-09-26, as data: history, for the reading of old lists and as the shape
//! of the next promotion. Nothing at a terminal is charged by it.
//!
//! Two traps (reference/alipay.md 17.1). The borders of the tiers belong to the lower tier: 5000.00 pays as the first,
//! 50000.00 as the second. And the window without interest for 3 periods (to 15 October) ends before the promotion (to
//! 31 October).

use std::ops::RangeInclusive;

use jiff::civil::{Date, date};

use super::rates::Rate;
use crate::money::Fen;

const PROMOTION: RangeInclusive<Date> = date(2017, 9, 28)..=date(2017, 10, 31);
const FREE_OF_INTEREST: RangeInclusive<Date> = date(2017, 9, 15)..=date(2017, 10, 15);

/// The highest monthly volume of the first and of the second tier; the third has no end.
const TIER_ENDS: [Fen; 2] = [Fen::new(500_000), Fen::new(5_000_000)];

/// What a merchant gets back of an order: nothing, in every row of the guide.
pub const MERCHANT_REBATE: Rate = Rate::FREE;

/// What kind of store it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    /// A partner store: in the promotion its costs fall with its volume.
    Partner {
        /// Its Huabei loans of the month.
        monthly_volume: Fen,
    },
    /// Any other store.
    Other,
}

/// One row of the guide; amounts in yuan for each order.
struct Row {
    periods: u8,
    partner: i64,
    /// In the promotion, by tier.
    partner_promotion: [i64; 3],
    other: i64,
    other_promotion: i64,
}

const TABLE: [Row; 4] = [
    Row { periods: 3, partner: 0, partner_promotion: [0, 0, 0], other: 0, other_promotion: 0 },
    Row { periods: 6, partner: 0, partner_promotion: [0, 0, 0], other: 0, other_promotion: 0 },
    Row { periods: 12, partner: 15, partner_promotion: [10, 5, 0], other: 45, other_promotion: 25 },
    Row { periods: 24, partner: 20, partner_promotion: [15, 10, 0], other: 55, other_promotion: 35 },
];

/// The subsidy cost of one order on `day` (Beijing time), or `None` for periods that the guide does not have.
#[must_use]
pub fn subsidy(day: Date, periods: u8, store: Store) -> Option<Fen> {
    let row = TABLE.iter().find(|row| row.periods == periods)?;
    let yuan = match (store, PROMOTION.contains(&day)) {
        (Store::Partner { .. }, false) => row.partner,
        (Store::Partner { monthly_volume }, true) => of_tier(row.partner_promotion, monthly_volume),
        (Store::Other, false) => row.other,
        (Store::Other, true) => row.other_promotion,
    };
    Some(Fen::new(yuan * 100))
}

fn of_tier([first, second, third]: [i64; 3], volume: Fen) -> i64 {
    let [first_end, second_end] = TIER_ENDS;
    if volume <= first_end {
        first
    } else if volume <= second_end {
        second
    } else {
        third
    }
}

/// What the guide says that the buyer pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuyerRate {
    /// So much, for all periods together.
    Rate(Rate),
    /// The guide names none: for 6 periods it says "none at present" (暂无), for 3 outside the free window nothing.
    NotGiven,
}

/// The buyer's rate on `day` (Beijing time), or `None` for periods that the guide does not have.
#[must_use]
pub fn buyer_rate(day: Date, periods: u8) -> Option<BuyerRate> {
    match periods {
        3 if FREE_OF_INTEREST.contains(&day) => Some(BuyerRate::Rate(Rate::FREE)),
        3 | 6 => Some(BuyerRate::NotGiven),
        12 => Some(BuyerRate::Rate(Rate::basis_points(750))),
        24 => Some(BuyerRate::Rate(Rate::basis_points(1250))),
        _ => None,
    }
}
