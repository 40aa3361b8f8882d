//! Money as the channels write it.

use payment::money::Fen;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::Unit;

/// Ten billion yuan: more is no trade, and 200,000 rows of it still fit an [`i64`] of fen.
const LARGEST: i64 = 1_000_000_000_000;

/// A number with its sign. Blank is nothing.
pub(super) fn decimal(text: &str) -> Option<Decimal> {
    let text = text.trim().trim_start_matches(['¥', '￥']);
    Decimal::from_str_exact(text).ok()
}

/// Yuan or fen as fen, exactly.
pub(super) fn fen(number: Decimal, unit: Unit) -> Option<Fen> {
    let scaled = match unit {
        Unit::Yuan => number.checked_mul(Decimal::ONE_HUNDRED)?,
        Unit::Fen | Unit::ByPoint => number,
    };
    let whole = scaled.is_integer().then(|| scaled.to_i64()).flatten()?;
    (whole.checked_abs()? <= LARGEST).then(|| Fen::new(whole))
}

/// Without its sign. [`fen`] bounds what comes here.
pub(super) fn magnitude(amount: Fen) -> Fen {
    Fen::new(amount.get().saturating_abs())
}
