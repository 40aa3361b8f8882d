//! Which channel a scanned pay code belongs to: by its first digits and its length, out of a table.
//!
//! Source: Alipay, "pay code" (付款码) rules of `alipay.trade.pay`; WeChat Pay, "payment code" rules; UnionPay QR, e-CNY
//! and others as their gateways test them. Prefixes have been added over the years, which is why this is a table.

use std::ops::RangeInclusive;

use super::ChannelId;
use crate::redact::PayCode;
use crate::voucher::is_voucher;

/// Where a scanned line goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Routed {
    /// A pay code of a wallet that we take.
    Channel(ChannelId, PayCode),
    /// A member or voucher code; whether it is the operator's is not known yet.
    Voucher(PayCode),
    /// A pay code of a wallet that we do not take, and its name.
    KnownElsewhere(&'static str),
    /// Something else: a label, a bank card's number, half a code, two codes at once.
    NotAPayCode,
}

enum Owner {
    Ours(ChannelId),
    Other(&'static str),
}

struct Row {
    owner: Owner,
    first: &'static [&'static str],
    length: RangeInclusive<usize>,
    /// Letters may follow the first characters.
    letters: bool,
}

const fn digits(owner: Owner, first: &'static [&'static str], length: RangeInclusive<usize>) -> Row {
    Row { owner, first, length, letters: false }
}

const WALLETS: &[Row] = &[
    digits(Owner::Ours(ChannelId::Alipay), &["25", "26", "27", "28", "29", "30"], 16..=24),
    // Alipay by face: `fp` and 33 more characters.
    Row { owner: Owner::Ours(ChannelId::Alipay), first: &["fp"], length: 35..=35, letters: true },
    digits(Owner::Other("WeChat Pay"), &["10", "11", "12", "13", "14", "15"], 18..=18),
    // May also be a bank card's number: it is never shown or kept.
    digits(Owner::Other("UnionPay"), &["62"], 19..=19),
    digits(Owner::Other("e-CNY"), &["01"], 19..=19),
    digits(Owner::Other("QQ Wallet"), &["91"], 18..=18),
    digits(Owner::Other("JD Pay"), &["18"], 18..=18),
];

/// Tells a scanned line's wallet. CR, LF, TAB and blanks around it are the scanner's and are dropped; inside they are not.
#[must_use]
pub fn route(line: &str) -> Routed {
    let code = line.trim_matches(['\r', '\n', '\t', ' ']);
    if is_voucher(code) {
        return Routed::Voucher(PayCode::new(code));
    }
    match WALLETS.iter().find(|row| row.matches(code)).map(|row| &row.owner) {
        Some(Owner::Ours(channel)) => Routed::Channel(*channel, PayCode::new(code)),
        Some(Owner::Other(wallet)) => Routed::KnownElsewhere(wallet),
        None => Routed::NotAPayCode,
    }
}

impl Row {
    fn matches(&self, code: &str) -> bool {
        let allowed = |byte: u8| byte.is_ascii_digit() || (self.letters && byte.is_ascii_alphabetic());
        self.length.contains(&code.len())
            && self.first.iter().any(|first| code.starts_with(first))
            && code.bytes().all(allowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(first: &str, length: usize) -> String {
        format!("{first:0<length$}")
    }

    #[test]
    fn alipay_codes_are_taken_by_first_digits_and_length() {
        for first in ["25", "26", "27", "28", "29", "30"] {
            for length in 16..=24 {
                let text = code(first, length);
                let expected = Routed::Channel(ChannelId::Alipay, PayCode::new(text.clone()));
                assert_eq!(route(&text), expected, "{first} of {length}");
            }
            for length in [2, 15, 25] {
                assert_eq!(route(&code(first, length)), Routed::NotAPayCode, "{first} of {length}");
            }
        }
    }

    #[test]
    fn a_face_code_is_alipays_and_only_whole() {
        let face = code("fp", 35);
        assert_eq!(route(&face), Routed::Channel(ChannelId::Alipay, PayCode::new(face.clone())));
        for not in [code("fp", 34), code("fp", 36), code("FP", 35), format!("{}-", code("fp", 34))] {
            assert_eq!(route(&not), Routed::NotAPayCode);
        }
    }

    #[test]
    fn what_the_scanner_adds_around_is_dropped() {
        let text = code("28", 18);
        let expected = Routed::Channel(ChannelId::Alipay, PayCode::new(text.clone()));
        assert_eq!(route(&format!(" \t{text}\r\n")), expected);
    }

    #[test]
    fn other_wallets_are_told_by_name() {
        for (first, length, wallet) in [
            ("10", 18, "WeChat Pay"),
            ("13", 18, "WeChat Pay"),
            ("15", 18, "WeChat Pay"),
            ("62", 19, "UnionPay"),
            ("01", 19, "e-CNY"),
            ("91", 18, "QQ Wallet"),
            ("18", 18, "JD Pay"),
        ] {
            assert_eq!(route(&code(first, length)), Routed::KnownElsewhere(wallet));
            assert_eq!(route(&code(first, length + 1)), Routed::NotAPayCode);
        }
    }

    #[test]
    fn a_member_code_is_told_by_its_beginning() {
        let text = "TILL1.eyJ9.AAAA";
        assert_eq!(route(&format!("{text}\r\n")), Routed::Voucher(PayCode::new(text)));
        for not in ["till1.eyJ9.AAAA", "TILL2.eyJ9.AAAA", "TILL1", " 28TILL1.eyJ9.AAAA"] {
            assert_eq!(route(not), Routed::NotAPayCode, "{not}");
        }
    }

    #[test]
    fn everything_else_is_no_pay_code() {
        let pay_code = code("28", 18);
        for line in [
            "",
            "\r\n",
            "6901028075831",
            "https://qr.alipay.com/bax00000",
            "2850000 0000000017",
            "２８５０００００００００００００１７",
            &format!("{pay_code}{pay_code}"),
            &code("31", 18),
            &"2".repeat(4096),
            "28\u{0}0000000000000",
        ] {
            assert_eq!(route(line), Routed::NotAPayCode, "{line:?}");
        }
    }

    #[test]
    fn a_routed_code_prints_as_its_outline() {
        let printed = format!("{:?}", route(&code("28", 18)));
        assert!(!printed.contains(&code("28", 18)), "{printed}");
    }
}
