//! Filing of the machine at the wallets (终端报备), which the rules of 2022 want before a pay code is taken.
//!
//! Source: 云商通 generation 2, 4001 (reference/allinpay.md 3.5).

use super::envelope::Members;

/// What is asked about the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filing {
    /// File it.
    Add,
    /// Change what was filed.
    Change,
    /// Take it off the files.
    Cancel,
    /// Ask how it stands.
    Ask,
}

impl Filing {
    /// Its `operation`.
    #[must_use]
    pub const fn operation(self) -> &'static str {
        match self {
            Self::Add => "00",
            Self::Change => "01",
            Self::Cancel => "02",
            Self::Ask => "03",
        }
    }
}

/// How the filing stands, in Allinpay's own words: their values are in no public list, so a person reads them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filed {
    /// Of the whole call: `retCode` and `retMsg`.
    pub whole: FiledState,
    /// At WeChat.
    pub wechat: FiledState,
    /// At Alipay.
    pub alipay: FiledState,
    /// At UnionPay.
    pub union_pay: FiledState,
    /// What went wrong: `errorCode` and `errorMsg`.
    pub error: FiledState,
}

/// A code and its words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FiledState {
    /// The code.
    pub code: Option<String>,
    /// The words.
    pub words: Option<String>,
}

impl Filed {
    pub(super) fn read(fields: &Members) -> Self {
        let text = |name| fields.get(name).map(str::to_owned);
        let state = |code, words| FiledState { code: text(code), words: text(words) };
        Self {
            whole: state("retCode", "retMsg"),
            wechat: state("wxState", "wxMsg"),
            alipay: state("alState", "alMsg"),
            union_pay: state("unState", "unMsg"),
            error: state("errorCode", "errorMsg"),
        }
    }
}
