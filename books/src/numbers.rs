//! Which number of an order a search text could be, by its shape. A hint for the order of a search, never a reason not to
//! look elsewhere: other people's numbers may change their shape, and a machine's own older ones may have another.

use payment::ids::{AttemptId, OrderId, RefundId};

use crate::day;

/// A number that an order can be found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Number {
    /// The order's own.
    Order,
    /// 商户订单号: the attempt's.
    Attempt,
    /// 商户退款单号: the refund's.
    Refund,
    /// 支付宝交易号, 微信订单号, VSP trxid or 云商通订单号: the channel's.
    Channel,
    /// 请求渠道流水号: YunST's towards the channel.
    Request,
    /// 渠道流水号: of the channel behind YunST.
    Acquirer,
    /// 后端渠道流水号: the wallet's, as the buyer's phone shows it.
    Wallet,
}

const FOREIGN: [Number; 4] = [Number::Channel, Number::Wallet, Number::Acquirer, Number::Request];

/// The text as a person copies it out of a bill: without blanks, tabs, back-ticks and apostrophes around it.
#[must_use]
pub fn cleaned(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '`' | '\'' | '"' | ','))
}

/// The numbers that a text could be, the likeliest first; empty when it can be none (blank, or longer than 64 characters).
#[must_use]
pub fn could_be(text: &str) -> Vec<Number> {
    let text = cleaned(text);
    if text.is_empty() || text.chars().count() > 64 {
        return Vec::new();
    }
    let upper = text.to_ascii_uppercase();
    if upper.parse::<AttemptId>().is_ok() {
        return vec![Number::Attempt];
    }
    if upper.parse::<RefundId>().is_ok() {
        return vec![Number::Refund];
    }
    if upper.parse::<OrderId>().is_ok() {
        return vec![Number::Order];
    }
    if !text.chars().all(|c| c.is_ascii_digit()) {
        let ours = [Number::Attempt, Number::Refund, Number::Order];
        return ours.into_iter().chain(FOREIGN).collect();
    }
    digits(text)
}

/// Digits alone are somebody else's: Alipay and WeChat Pay use 28, YunST 26 that begin with a moment, VSP fewer.
fn digits(text: &str) -> Vec<Number> {
    let begins_with_moment = || text.get(..14).is_some_and(|moment| day::read(moment).is_some());
    let first = match text.len() {
        28.. => [Number::Channel, Number::Wallet, Number::Acquirer, Number::Request],
        26 if begins_with_moment() => [Number::Channel, Number::Request, Number::Acquirer, Number::Wallet],
        _ => [Number::Acquirer, Number::Channel, Number::Request, Number::Wallet],
    };
    first.into_iter().chain([Number::Attempt, Number::Refund]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_numbers_are_told_at_once() {
        let text = AttemptId::from_entropy([7; 16]).to_string();
        assert_eq!(could_be(&text), [Number::Attempt]);
        assert_eq!(could_be(&format!("`{}\t", text.to_lowercase())), [Number::Attempt]);
        assert_eq!(could_be(RefundId::from_entropy([7; 16]).as_str()), [Number::Refund]);
        assert_eq!(could_be(OrderId::from_entropy([7; 16]).as_str()), [Number::Order]);
    }

    #[test]
    fn other_numbers_are_looked_for_everywhere_the_likeliest_place_first() {
        for (text, first) in [
            ("2025053122001400001000000001", Number::Channel),
            ("4200001234202605280000000001", Number::Channel),
            ("20260528100102208500000001", Number::Channel),
            ("260528110000000001", Number::Acquirer),
            ("VM0001-20260528-000001", Number::Attempt),
        ] {
            let places = could_be(text);
            assert_eq!(places.first(), Some(&first), "{text}");
            for number in FOREIGN {
                assert!(places.contains(&number), "{text} is not looked for among {number:?}");
            }
        }
        assert!(could_be("  ").is_empty());
        assert!(could_be(&"1".repeat(65)).is_empty());
    }
}
