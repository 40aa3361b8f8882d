//! Amounts in yuan on the wire, integers of fen inside. Read and written here by hand: the sandbox does not trust the
//! code that it tests.

use serde_json::Value;

/// The largest `total_amount`: 100,000,000 yuan (reference/alipay.md 5.1).
pub(crate) const LARGEST_FEN: i64 = 10_000_000_000;

/// Fen of an amount member: text or number, digits with at most two decimals, nothing else.
pub(crate) fn read(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => parse(text),
        Value::Number(number) => parse(&number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// An amount of an order: 0.01 to 100,000,000 yuan.
pub(crate) fn read_payable(value: &Value) -> Option<i64> {
    read(value).filter(|fen| (1..=LARGEST_FEN).contains(fen))
}

fn parse(text: &str) -> Option<i64> {
    let (yuan, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(yuan) || !digits(decimals) || yuan.len() > 12 || decimals.len() > 2 {
        return None;
    }
    let cents: i64 = format!("{decimals:0<2}").parse().ok()?;
    yuan.parse::<i64>().ok()?.checked_mul(100)?.checked_add(cents)
}

/// Yuan with two decimals.
pub(crate) fn yuan(fen: i64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn amounts_have_at_most_two_decimals() {
        for (value, fen) in [
            (json!("3.50"), 350),
            (json!("3.5"), 350),
            (json!("3"), 300),
            (json!("0.01"), 1),
            (json!(3.5), 350),
            (json!(100_000_000), LARGEST_FEN),
        ] {
            assert_eq!(read_payable(&value), Some(fen), "{value}");
        }
        for value in [
            json!("3.501"),
            json!("0.00"),
            json!("-1.00"),
            json!("+1.00"),
            json!(" 1.00"),
            json!("1."),
            json!(".50"),
            json!("1e2"),
            json!("100000000.01"),
            json!(""),
            json!(null),
        ] {
            assert_eq!(read_payable(&value), None, "{value} was taken");
        }
    }

    #[test]
    fn yuan_always_have_two_decimals() {
        assert_eq!([yuan(0), yuan(1), yuan(350), yuan(LARGEST_FEN)], ["0.00", "0.01", "3.50", "100000000.00"]);
    }
}
