//! What comes after a payment, and how it may be stretched: `[refunds]` and `[instalments]`.

use std::collections::BTreeMap;

use payment::channel::ChannelId;
use payment::money::{Fen, LARGEST_ORDER};

use super::check::Checker;
use super::checked::{Bearer, InstalmentsConfig, PlanConfig, RefundsConfig};
use super::raw::{self, Written, Yuan};

/// WeChat Pay returns money for 365 days (reference/wechatpay.md 6.1), Alipay for 12 months by most contracts
/// (reference/alipay.md 12); of Allinpay's no source says. Too long a window costs nothing: the channel refuses.
const CHANNEL_DAYS: u64 = 365;

/// Refunds of Huabei instalments online: 15 natural days by the operator's guide (reference/alipay.md 17.1).
const INSTALMENT_DAYS: u64 = 15;

/// No channel's window is longer.
const DAYS_MAX: u64 = 1_095;

/// What Alipay's people advise as the least amount (reference/alipay.md 10.1).
const MINIMUM: Fen = Fen::new(10_000);

/// A rate is exact to a millionth: four decimals of a percent.
const MILLIONTHS_OF_A_PERCENT: u32 = 10_000;
const DECIMALS: usize = 4;

/// Checks `[refunds]`.
pub(super) fn refunds(c: &mut Checker<'_, '_>, raw: raw::Refunds) -> RefundsConfig {
    let approval_above = c.optional(raw.approval_above).and_then(|written| {
        let Written { value: Yuan(amount), at } = written;
        let fits = amount >= Fen::ZERO && amount <= LARGEST_ORDER;
        if !fits {
            let advice = "use \"0.00\" for every refund, or the amount above which a second person must agree";
            c.found.error(&at, format!("{amount} yuan is out of range"), advice);
        }
        fits.then_some(amount)
    });
    let mut days = |written, name| c.number(written, raw.at.unwritten(name), CHANNEL_DAYS, 1..=DAYS_MAX, "days");
    let ours = days(raw.window_days, "window_days");
    let window_days = BTreeMap::from([
        (ChannelId::Alipay, days(raw.alipay_days, "alipay_days")),
        (ChannelId::Wechat, days(raw.wechat_days, "wechat_days")),
        (ChannelId::AllinpayVsp, days(raw.allinpay_vsp_days, "allinpay_vsp_days")),
        (ChannelId::AllinpayYst, days(raw.allinpay_yst_days, "allinpay_yst_days")),
    ]);
    let at = raw.at.unwritten("instalment_days");
    let days_of_instalments = c.number(raw.instalment_days, at, INSTALMENT_DAYS, 1..=DAYS_MAX, "days");
    RefundsConfig {
        approval_above,
        instalment_days: days_of_instalments.min(ours),
        window_days: window_days.into_iter().map(|(channel, theirs)| (channel, theirs.min(ours))).collect(),
    }
}

/// Checks `[instalments]`, whose presence turns them on.
pub(super) fn instalments(
    c: &mut Checker<'_, '_>,
    raw: raw::Instalments,
    order: &[ChannelId],
) -> Option<InstalmentsConfig> {
    let place = raw.minimum.as_ref().map_or_else(|| raw.at.unwritten("minimum"), |written| written.at.clone());
    let Yuan(minimum) = c.choice(raw.minimum, raw.at.unwritten("minimum"), Yuan(MINIMUM));
    if !minimum.is_positive() || minimum > LARGEST_ORDER {
        let advice = format!("use 0.01 to {LARGEST_ORDER} yuan; the default is {MINIMUM}");
        c.found.error(&place, format!("{minimum} yuan is out of range"), advice);
    }
    let guide_numbers = c.choice(raw.guide_numbers, raw.at.unwritten("guide_numbers"), false);
    if raw.plan.is_empty() {
        let advice = "add a block [[instalments.plan]] for each number of months, or leave [instalments] out";
        c.found.missing(&raw.at.missing("plan"), advice);
    }
    if !order.is_empty() && !order.iter().any(|channel| channel.takes_instalments()) {
        let problem = "Huabei instalments are on, and no channel of this terminal has them";
        c.found.error(&raw.at, problem, "add [channels.alipay], or leave [instalments] out");
    }
    let mut plans: Vec<PlanConfig> = Vec::new();
    for row in raw.plan {
        let at = row.at.clone();
        let Some(plan) = plan(c, row) else {
            continue;
        };
        if plans.iter().any(|known| known.periods == plan.periods) {
            let problem = format!("{} months are offered twice", plan.periods);
            c.found.error(&at, problem, "the channel is told one bearer of the fee: keep one of the two");
            continue;
        }
        plans.push(plan);
    }
    Some(InstalmentsConfig { minimum, guide_numbers, plans })
}

fn plan(c: &mut Checker<'_, '_>, row: raw::Plan) -> Option<PlanConfig> {
    let periods = c.required(row.periods, row.at.missing("periods"), "say how many months: periods = 3");
    let bearer = c.choice(row.bearer, row.at.unwritten("bearer"), Bearer::Buyer);
    let advice = "write the contract's rate for all months together, with its percent sign: rate = \"2.3%\"";
    let rate = c.required(row.rate, row.at.missing("rate"), advice);
    let periods = periods.and_then(|written| months(c, &written));
    let rate_millionths = rate.and_then(|written| rate_of(c, &written));
    Some(PlanConfig { periods: periods?, bearer, rate_millionths: rate_millionths? })
}

fn months(c: &mut Checker<'_, '_>, written: &Written<u64>) -> Option<u8> {
    let months = u8::try_from(written.value).ok().filter(|months| (2..=60).contains(months));
    if months.is_none() {
        let problem = format!("a plan over {} months does not exist", written.value);
        c.found.error(&written.at, problem, "use 2 to 60; Alipay has 3, 6 and 12");
    }
    months
}

fn rate_of(c: &mut Checker<'_, '_>, written: &Written<String>) -> Option<u32> {
    let rate = millionths(&written.value);
    if rate.is_none() {
        let problem = format!("\"{}\" is no rate", written.value);
        c.found.error(&written.at, problem, "write 0% to below 100%, with up to four decimals: rate = \"2.3%\"");
    }
    rate
}

/// `2.3%` is 23000 millionths. Below 100%.
pub(super) fn millionths(text: &str) -> Option<u32> {
    let number = text.strip_suffix('%')?.trim_end();
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !are_digits(whole) || !are_digits(decimals) || decimals.len() > DECIMALS {
        return None;
    }
    let whole: u32 = whole.parse().ok().filter(|percent| *percent < 100)?;
    let decimals: u32 = format!("{decimals:0<DECIMALS$}").parse().ok()?;
    Some(whole * MILLIONTHS_OF_A_PERCENT + decimals)
}

#[cfg(test)]
mod tests {
    use super::millionths;

    #[test]
    fn a_rate_is_exact_and_has_its_percent_sign() {
        for (text, rate) in [
            ("0%", Some(0)),
            ("2.3%", Some(23_000)),
            ("7.5 %", Some(75_000)),
            ("12.5%", Some(125_000)),
            ("0.0001%", Some(1)),
            ("99.9999%", Some(999_999)),
            ("100%", None),
            ("2.3", None),
            ("0.00001%", None),
            ("-1%", None),
            (".5%", None),
            ("5.%", None),
            ("%", None),
            ("4294967296%", None),
        ] {
            assert_eq!(millionths(text), rate, "{text}");
        }
    }
}
