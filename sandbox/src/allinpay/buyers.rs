//! Buyers, the four apps on their phones and the pay codes that these show (reference/other-codes.md 1).

/// An app that a buyer pays with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum App {
    /// WeChat.
    Wechat,
    /// Alipay.
    Alipay,
    /// UnionPay QR: 云闪付 and the banks' own apps.
    UnionPay,
    /// The digital yuan.
    Ecny,
}

impl App {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Wechat, Self::Alipay, Self::UnionPay, Self::Ecny];

    /// First digits and length of this app's pay codes.
    const fn code_shape(self) -> (&'static [&'static str], usize) {
        match self {
            Self::Wechat => (&["10", "11", "12", "13", "14", "15"], 18),
            Self::Alipay => (&["25", "26", "27", "28", "29", "30"], 18),
            Self::UnionPay => (&["62"], 19),
            Self::Ecny => (&["01"], 19),
        }
    }

    /// A pay code made of a number.
    pub(crate) fn pay_code(self, number: u64) -> String {
        let (prefixes, length) = self.code_shape();
        let at = usize::try_from(number % 251).unwrap_or_default() % prefixes.len();
        let prefix = prefixes.get(at).copied().unwrap_or_default();
        let digits = format!("{:017}", number % 100_000_000_000_000_000);
        let digits = digits.get(digits.len() - (length - prefix.len())..).unwrap_or_default();
        format!("{prefix}{digits}")
    }

    /// Trade codes of VSP for paying, cancelling and returning (reference/allinpay.md 2.6).
    pub(crate) const fn trxcodes(self) -> [&'static str; 3] {
        match self {
            Self::Wechat => ["VSP501", "VSP502", "VSP503"],
            Self::Alipay => ["VSP511", "VSP512", "VSP513"],
            Self::UnionPay => ["VSP551", "VSP552", "VSP553"],
            Self::Ecny => ["VSP611", "VSP612", "VSP613"],
        }
    }

    /// The words of a payment's trade code, as statements write them; what returns money adds its own
    /// (reference/allinpay.md 2.6).
    pub(crate) const fn chinese(self) -> &'static str {
        match self {
            Self::Wechat => "微信支付",
            Self::Alipay => "支付宝支付",
            Self::UnionPay => "银联扫码支付",
            Self::Ecny => "数字人民币支付",
        }
    }

    /// `accttype`: balances of wallets are 99, the banks' app pays by debit card (reference/allinpay.md 2.7).
    pub(crate) const fn accttype(self) -> &'static str {
        match self {
            Self::Wechat | Self::Alipay | Self::Ecny => "99",
            Self::UnionPay => "00",
        }
    }

    /// The payer as answers name it.
    pub(crate) fn account(self, buyer: usize) -> String {
        match self {
            Self::Wechat => format!("oSandboxOpenId{buyer:014}"),
            Self::Alipay => format!("2088{buyer:012}"),
            Self::UnionPay => format!("622200******{buyer:04}"),
            Self::Ecny => format!("00{buyer:014}"),
        }
    }

    /// The number that the buyer's app shows, made of the channel's own number.
    pub(crate) fn receipt(self, trade_no: &str) -> String {
        match self {
            Self::Wechat => format!("4200000000{trade_no}"),
            Self::Alipay => format!("{trade_no}22001400"),
            Self::UnionPay => format!("95516{trade_no}"),
            Self::Ecny => format!("01{trade_no}"),
        }
    }
}

/// A person with an account; all four apps draw on it.
#[derive(Debug, Clone)]
pub(crate) struct Buyer {
    /// Counts from 1.
    pub(crate) serial: usize,
    pub(crate) balance_fen: i64,
    pub(crate) auto_confirm: bool,
}

/// A code on a buyer's phone: single use, short-lived.
#[derive(Debug, Clone)]
pub(crate) struct PayCode {
    pub(crate) buyer: String,
    pub(crate) app: App,
    pub(crate) expires_at: i64,
    pub(crate) used: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pay_codes_have_the_prefixes_and_lengths_of_their_apps() {
        for (app, prefixes, length) in [
            (App::Wechat, 10..=15, 18),
            (App::Alipay, 25..=30, 18),
            (App::UnionPay, 62..=62, 19),
            (App::Ecny, 1..=1, 19),
        ] {
            for number in [0, 7, u64::MAX, 123_456_789_012_345_678] {
                let code = app.pay_code(number);
                assert_eq!(code.len(), length, "{app:?} {code}");
                assert!(prefixes.contains(&code[..2].parse::<i32>().unwrap()), "{app:?} {code}");
            }
        }
    }
}
