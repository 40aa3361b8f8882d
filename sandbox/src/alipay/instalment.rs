//! Huabei instalments (花呗分期): what a merchant asks for, and the fee by the official arithmetic (reference/alipay.md 10).
//! Computed here by itself, in whole numbers: the sandbox does not trust the code that it tests.

use serde_json::Value;

use super::common::Biz;
use super::fields;
use super::options::InstalmentRate;
use super::refusal::Refusal;

/// Ten thousandths make a whole.
const WHOLE: i64 = 10_000;

/// What a trade's `extend_params` ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) periods: u8,
    /// The merchant bears the fee (`hb_fq_seller_percent` 100); otherwise the buyer does.
    pub(crate) seller_bears: bool,
}

impl Plan {
    /// Reads `hb_fq_num` and `hb_fq_seller_percent`: both or neither, contracted periods, 0 or 100 percent.
    pub(crate) fn read(biz: &Biz, rates: &[InstalmentRate]) -> Result<Option<Self>, Refusal> {
        let Some(members) = biz.get("extend_params").and_then(Value::as_object) else {
            return Ok(None);
        };
        let periods = fields::text(members, "hb_fq_num", 5)?;
        let percent = fields::text(members, "hb_fq_seller_percent", 3)?;
        let contracted = |text: &str| rates.iter().map(|rate| rate.periods).find(|periods| periods.to_string() == text);
        let refusal = || Refusal::field("hb_fq_num", "contracted periods with hb_fq_seller_percent 0 or 100");
        match (periods, percent) {
            (None, None) => Ok(None),
            (Some(periods), Some(percent @ ("0" | "100"))) => {
                let periods = contracted(periods).ok_or_else(refusal)?;
                allowed(biz)?;
                Ok(Some(Self { periods, seller_bears: percent == "100" }))
            }
            (None | Some(_), None | Some(_)) => Err(refusal()),
        }
    }

    /// The fee on `fen`, in fen.
    pub(crate) fn fee(self, fen: i64, rates: &[InstalmentRate]) -> i64 {
        let rate = rates.iter().find(|rate| rate.periods == self.periods);
        rate.map_or(0, |rate| share(fen, if self.seller_bears { rate.seller_bears } else { rate.buyer_bears }))
    }
}

/// Instalments cannot be asked for and switched off at once.
fn allowed(biz: &Biz) -> Result<(), Refusal> {
    const HUABEI: [&str; 3] = ["pcredit", "pcreditpayInstallment", "credit_group"];
    let names = |list: &str| {
        let list = biz.get(list).and_then(Value::as_str);
        list.map(|list| list.split(',').any(|name| HUABEI.contains(&name)))
    };
    if names("disable_pay_channels") == Some(true) || names("enable_pay_channels") == Some(false) {
        return Err(Refusal::field("hb_fq_num", "the pay channels leave no Huabei"));
    }
    Ok(())
}

/// So many ten thousandths of an amount, half a fen to the even side.
pub(crate) fn share(fen: i64, rate: u32) -> i64 {
    let product = fen * i64::from(rate);
    let (whole, rest) = (product.div_euclid(WHOLE), product.rem_euclid(WHOLE));
    match (rest * 2).cmp(&WHOLE) {
        std::cmp::Ordering::Less => whole,
        std::cmp::Ordering::Equal => whole + whole.rem_euclid(2),
        std::cmp::Ordering::Greater => whole + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fee_is_rounded_half_to_even() {
        for (fen, rate, fee) in [
            (100_000, 230, 2300),
            (100_000, 750, 7500),
            (10_000, 230, 230),
            (698_800, 750, 52_410),
            (698_800, 450, 31_446),
            (100_100, 450, 4504),
            (10_010, 450, 450),
            (10_030, 450, 451),
            (698_800, 1250, 87_350),
            (350, 60, 2),
            (200, 60, 1),
        ] {
            assert_eq!(share(fen, rate), fee, "{fen} x {rate}");
        }
    }
}
