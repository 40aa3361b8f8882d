//! Rules of single `biz_content` fields (reference/alipay.md 5 and 15 item 3). Every breach is `ACQ.INVALID_PARAMETER`
//! unless the reference names a code of its own.

use serde_json::Value;

use super::china_time::{DAY_MS, MINUTE_MS, midnight_after};
use super::common::Biz;
use super::refusal::Refusal;

/// The names that a method takes. Alipay ignores unknown members; here they are mistakes of the sender.
pub(crate) fn only_known(biz: &Biz, known: &[&str]) -> Result<(), Refusal> {
    for (name, value) in biz {
        if !known.contains(&name.as_str()) {
            return Err(Refusal::field(name, "this method has no such field"));
        }
        if is_empty(value) {
            return Err(Refusal::field(name, "leave empty fields out"));
        }
    }
    Ok(())
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A text of at most `most` characters.
pub(crate) fn text<'a>(biz: &'a Biz, name: &str, most: usize) -> Result<Option<&'a str>, Refusal> {
    let Some(value) = biz.get(name) else {
        return Ok(None);
    };
    let text = value.as_str().ok_or_else(|| Refusal::field(name, "must be a text"))?;
    if text.chars().count() > most {
        return Err(Refusal::field(name, &format!("at most {most} characters")));
    }
    Ok(Some(text))
}

/// A text that must be there.
pub(crate) fn required<'a>(biz: &'a Biz, name: &str, most: usize) -> Result<&'a str, Refusal> {
    text(biz, name, most)?.ok_or_else(|| Refusal::field(name, "must not be empty"))
}

/// Checks the lengths of texts that nothing else is asked of.
pub(crate) fn lengths(biz: &Biz, limits: &[(&str, usize)]) -> Result<(), Refusal> {
    for (name, most) in limits {
        text(biz, name, *most)?;
    }
    Ok(())
}

/// The merchant's number: at most 64 of letters, digits and underscore.
pub(crate) fn out_trade_no(biz: &Biz) -> Result<&str, Refusal> {
    let number = required(biz, "out_trade_no", 64)?;
    if number.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Ok(number);
    }
    Err(Refusal::field("out_trade_no", "only letters, digits and underscore"))
}

/// A relative time: `1m` to `15d` in whole m, h or d, or `1c` for the end of the day; gives the moment after `from`.
pub(crate) fn timeout(biz: &Biz, name: &str, from: i64) -> Result<Option<i64>, Refusal> {
    let Some(text) = text(biz, name, 6)? else {
        return Ok(None);
    };
    if text == "1c" {
        return Ok(Some(midnight_after(from)));
    }
    span_ms(text).map(|ms| Some(from + ms)).ok_or_else(|| Refusal::field(name, "1m to 15d in whole m, h or d, or 1c"))
}

fn span_ms(text: &str) -> Option<i64> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit_ms = match unit {
        "m" => MINUTE_MS,
        "h" => 60 * MINUTE_MS,
        "d" => DAY_MS,
        _ => return None,
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let ms = digits.parse::<i64>().ok()?.checked_mul(unit_ms)?;
    (MINUTE_MS..=15 * DAY_MS).contains(&ms).then_some(ms)
}

/// The names of `enable_pay_channels` and `disable_pay_channels` (reference/alipay.md 5.14).
const CHANNELS: [&str; 19] = [
    "balance",
    "moneyFund",
    "bankPay",
    "debitCardExpress",
    "creditCardExpress",
    "creditCardCartoon",
    "creditCard",
    "cartoon",
    "pcredit",
    "pcreditpayInstallment",
    "credit_group",
    "coupon",
    "point",
    "promotion",
    "voucher",
    "mdiscount",
    "honeyPay",
    "mcard",
    "pcard",
];

/// The two channel lists exclude each other and hold known names.
pub(crate) fn channels(biz: &Biz) -> Result<(), Refusal> {
    let enabled = text(biz, "enable_pay_channels", 128)?;
    let disabled = text(biz, "disable_pay_channels", 128)?;
    if enabled.is_some() && disabled.is_some() {
        return Err(Refusal::field("enable_pay_channels", "excludes disable_pay_channels"));
    }
    for channel in enabled.or(disabled).into_iter().flat_map(|list| list.split(',')) {
        if !CHANNELS.contains(&channel) {
            return Err(Refusal::field(channel, "no such pay channel"));
        }
    }
    Ok(())
}

/// The members of `extend_params`, all of them texts (reference/alipay.md 5.13).
const EXTEND_PARAMS: [(&str, usize); 10] = [
    ("sys_service_provider_id", 64),
    ("hb_fq_num", 5),
    ("hb_fq_seller_percent", 3),
    ("industry_reflux_info", 512),
    ("card_type", 32),
    ("specified_seller_name", 32),
    ("royalty_freeze", 5),
    ("trade_component_order_id", 64),
    ("tc_installment_order_id", 64),
    ("credit_ext_info", 1024),
];

/// `extend_params` is an object of known texts. What the members about instalments may say is in `instalment`.
pub(crate) fn extend_params(biz: &Biz) -> Result<(), Refusal> {
    let Some(value) = biz.get("extend_params") else {
        return Ok(());
    };
    let members = value.as_object().ok_or_else(|| Refusal::field("extend_params", "must be an object"))?;
    only_known(members, &EXTEND_PARAMS.map(|(name, _)| name))?;
    lengths(members, &EXTEND_PARAMS)
}

/// A pay code as `auth_code`: 16 to 24 digits beginning 25 to 30 (reference/alipay.md 6).
pub(crate) fn auth_code(biz: &Biz) -> Result<&str, Refusal> {
    let code = required(biz, "auth_code", 64)?;
    let digits = code.bytes().all(|byte| byte.is_ascii_digit());
    let prefix = code.get(..2).is_some_and(|prefix| ("25"..="30").contains(&prefix));
    if digits && prefix && (16..=24).contains(&code.len()) {
        return Ok(code);
    }
    Err(Refusal::field("auth_code", "16 to 24 digits, 25 to 30 first"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn biz(value: Value) -> Biz {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn time_outs_are_whole_minutes_hours_or_days_within_fifteen_days() {
        let read = |text: &str| timeout(&biz(json!({ "t": text })), "t", 0);
        assert_eq!(read("1m"), Ok(Some(MINUTE_MS)));
        assert_eq!(read("2h"), Ok(Some(120 * MINUTE_MS)));
        assert_eq!(read("15d"), Ok(Some(15 * DAY_MS)));
        assert_eq!(read("1c"), Ok(Some(16 * 60 * MINUTE_MS)));
        for text in ["0m", "16d", "361h", "1.5h", "90", "m", "2c", "90s", "+1m", "1分"] {
            assert!(read(text).is_err(), "{text} was taken");
        }
    }

    #[test]
    fn numbers_hold_letters_digits_and_underscore() {
        let read = |number: &str| out_trade_no(&biz(json!({ "out_trade_no": number }))).is_ok();
        assert!(read(&"A_9".repeat(21)));
        assert!(read(&"x".repeat(64)));
        assert!(!read(&"x".repeat(65)));
        for number in ["a-b", "a b", "号1", "a.b"] {
            assert!(!read(number), "{number} was taken");
        }
    }

    #[test]
    fn channel_lists_exclude_each_other() {
        assert!(channels(&biz(json!({ "enable_pay_channels": "balance,pcredit" }))).is_ok());
        assert!(channels(&biz(json!({ "disable_pay_channels": "credit_group" }))).is_ok());
        assert!(channels(&biz(json!({ "enable_pay_channels": "Balance" }))).is_err());
        assert!(
            channels(&biz(json!({ "enable_pay_channels": "balance", "disable_pay_channels": "pcredit" }))).is_err()
        );
    }

    #[test]
    fn extended_members_are_known_texts() {
        let read = |members: Value| extend_params(&biz(json!({ "extend_params": members }))).is_ok();
        assert!(read(json!({ "hb_fq_num": "12", "hb_fq_seller_percent": "0" })));
        assert!(read(json!({ "sys_service_provider_id": "2088000000000009" })));
        assert!(!read(json!({ "hb_fq_num": 3, "hb_fq_seller_percent": "0" })));
        assert!(!read(json!({ "hb_fq_number": "3" })));
        assert!(!read(json!("{}")));
    }

    #[test]
    fn pay_codes_have_their_prefix_and_length() {
        let read = |code: &str| auth_code(&biz(json!({ "auth_code": code }))).is_ok();
        for code in ["281234567890123456", "2512345678901234", "301234567890123456789012"] {
            assert!(read(code), "{code} was refused");
        }
        for code in [
            "131234567890123456",
            "311234567890123456",
            "281234567890123",
            "2812345678901234567890123",
            "28123456789012345x",
            "28123456789012345\n",
        ] {
            assert!(!read(code), "{code:?} was taken");
        }
    }
}
