//! The kinds of values that a key can have.

use payment::channel::Wallet;
use payment::channel::allinpay::vsp::Folder;
use payment::channel::allinpay::yst::codes::Meaning;
use payment::channel::allinpay::yst::setup::{AmountForm, AskBy, PayModeForm, TradeKind};
use payment::channel::wechat::{CodePay, TokenCall};
use payment::engine::entry::WhoScans;
use payment::money::Fen;
use toml::de::DeValue;

use super::super::checked::{Bearer, Language, LogLevel, Mode, PrintReceipts};
use super::super::source::{At, closest};

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::config) struct Written<T> {
    pub(in crate::config) value: T,
    pub(in crate::config) at: At,
}

/// What is wrong with the shape of a value, and what to write.
#[derive(Debug)]
pub(in crate::config) struct Misshapen {
    pub(super) problem: String,
    pub(super) advice: String,
}

/// A kind of value that a key can have.
pub(in crate::config) trait FromToml: Sized {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Misshapen>;
}

/// A closed set of words.
pub(in crate::config) trait Choice: Copy + 'static {
    const WORDS: &'static [(&'static str, Self)];
}

impl Choice for Language {
    const WORDS: &'static [(&'static str, Self)] = &[("zh", Self::Chinese), ("en", Self::English)];
}

impl Choice for PrintReceipts {
    const WORDS: &'static [(&'static str, Self)] =
        &[("always", Self::Always), ("asked", Self::Asked), ("never", Self::Never)];
}

impl Choice for Mode {
    const WORDS: &'static [(&'static str, Self)] = &[("production", Self::Production), ("sandbox", Self::Sandbox)];
}

impl Choice for WhoScans {
    const WORDS: &'static [(&'static str, Self)] =
        &[("either", Self::Either), ("buyer_scans", Self::BuyerScans), ("merchant_scans", Self::MerchantScans)];
}

/// A choice whose type is another crate's and has no words of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::config) struct Word<T>(pub(in crate::config) T);

impl<T: Choice> FromToml for Word<T> {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Misshapen> {
        T::from_toml(value).map(Self)
    }
}

impl<T: Choice + PartialEq> serde::Serialize for Word<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let word = T::WORDS.iter().find(|(_, choice)| *choice == self.0).map(|(word, _)| *word);
        word.serialize(serializer)
    }
}

impl Choice for CodePay {
    const WORDS: &'static [(&'static str, Self)] = &[("v2", Self::V2), ("v3", Self::V3)];
}

impl Choice for TokenCall {
    const WORDS: &'static [(&'static str, Self)] = &[("stable", Self::Stable), ("plain", Self::Plain)];
}

impl Choice for Folder {
    const WORDS: &'static [(&'static str, Self)] = &[("tranx", Self::Tranx), ("unitorder", Self::Unitorder)];
}

impl Choice for TradeKind {
    const WORDS: &'static [(&'static str, Self)] = &[("consume", Self::Consume), ("guaranteed", Self::Guaranteed)];
}

impl Choice for PayModeForm {
    const WORDS: &'static [(&'static str, Self)] = &[("object", Self::Object), ("text", Self::Text)];
}

impl Choice for AmountForm {
    const WORDS: &'static [(&'static str, Self)] = &[("number", Self::Number), ("text", Self::Text)];
}

impl Choice for AskBy {
    const WORDS: &'static [(&'static str, Self)] = &[("state", Self::State), ("detail", Self::Detail)];
}

impl Choice for Meaning {
    const WORDS: &'static [(&'static str, Self)] =
        &[("no_order", Self::NoOrder), ("number_used", Self::NumberUsed), ("short_of_funds", Self::ShortOfFunds)];
}

/// How VSP's calls are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum SignKind {
    Md5,
    Rsa,
    Sm2,
}

impl Choice for SignKind {
    const WORDS: &'static [(&'static str, Self)] = &[("md5", Self::Md5), ("rsa", Self::Rsa), ("sm2", Self::Sm2)];
}

impl Choice for Wallet {
    const WORDS: &'static [(&'static str, Self)] =
        &[("alipay", Self::Alipay), ("wechat", Self::Wechat), ("union_pay", Self::UnionPay), ("ecny", Self::Ecny)];
}

impl Choice for Bearer {
    const WORDS: &'static [(&'static str, Self)] = &[("buyer", Self::Buyer), ("seller", Self::Seller)];
}

impl Choice for LogLevel {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("error", Self::Error),
        ("warn", Self::Warn),
        ("info", Self::Info),
        ("debug", Self::Debug),
        ("trace", Self::Trace),
    ];
}

pub(super) fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a decimal number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a section",
    }
}

fn wrong_kind(value: &DeValue<'_>, wanted: &str, advice: impl Into<String>) -> Misshapen {
    Misshapen { problem: format!("this is {}, and {wanted} is wanted", kind_of(value)), advice: advice.into() }
}

impl FromToml for String {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Misshapen> {
        let text = value.as_str().map(str::to_owned);
        text.ok_or_else(|| wrong_kind(value, "a text", "write it in double quotes"))
    }
}

impl FromToml for bool {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Misshapen> {
        value.as_bool().ok_or_else(|| wrong_kind(value, "true or false", "write true or false, without quotes"))
    }
}

impl FromToml for u64 {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Misshapen> {
        const ADVICE: &str = "write a whole number without quotes and unit: the key's name ends in its unit";
        let number = value.as_integer().map(|number| Self::from_str_radix(number.as_str(), number.radix()));
        match number {
            Some(Ok(number)) => Ok(number),
            Some(Err(_)) => {
                Err(Misshapen { problem: "this number is negative or too large".into(), advice: ADVICE.into() })
            }
            None => Err(wrong_kind(value, "a whole number", ADVICE)),
        }
    }
}

/// An amount that is written in yuan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::config) struct Yuan(pub(in crate::config) Fen);

impl serde::Serialize for Yuan {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_yuan())
    }
}

impl FromToml for Yuan {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Misshapen> {
        let in_quotes = |number: &str| format!("write yuan as a text, exact to the fen: \"{number}\"");
        match value {
            DeValue::String(text) => text.parse().map(Self).map_err(|error: payment::money::AmountError| Misshapen {
                problem: error.to_string(),
                advice: "write yuan with up to two decimals in quotes, such as \"3.50\"".into(),
            }),
            DeValue::Float(number) => Err(wrong_kind(value, "an amount in quotes", in_quotes(number.as_str()))),
            DeValue::Integer(number) => {
                Err(wrong_kind(value, "an amount in quotes", in_quotes(&format!("{}.00", number.as_str()))))
            }
            DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
                Err(wrong_kind(value, "an amount in quotes", in_quotes("3.50")))
            }
        }
    }
}

impl FromToml for Vec<String> {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Misshapen> {
        let wrong = || wrong_kind(value, "a list of texts", "write it like [\"balance\", \"moneyFund\"]");
        let items = value.as_array().ok_or_else(wrong)?;
        items.iter().map(|item| item.get_ref().as_str().map(str::to_owned).ok_or_else(wrong)).collect()
    }
}

impl<T: Choice> FromToml for T {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Misshapen> {
        let words = || T::WORDS.iter().map(|(word, _)| *word);
        let list = words().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
        let Some(text) = value.as_str() else {
            return Err(wrong_kind(value, "a word", format!("write one of {list}")));
        };
        let found = T::WORDS.iter().find(|(word, _)| *word == text).map(|(_, choice)| *choice);
        found.ok_or_else(|| Misshapen {
            problem: format!("\"{text}\" is not known here"),
            advice: match closest(text, words()) {
                Some(meant) => format!("did you mean \"{meant}\"? It can be {list}"),
                None => format!("write one of {list}"),
            },
        })
    }
}
