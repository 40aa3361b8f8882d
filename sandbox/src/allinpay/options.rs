//! How both gateways behave: what does not belong to one protocol.

use crate::alipay::options::Clock;

/// In which form amounts stand in answers (reference/allinpay.md 8 point 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AmountForm {
    /// `"350"`
    Text,
    /// `350`
    Number,
}

/// What becomes of money that lands after an order's time was over (reference/allinpay.md 8 point 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LateMoney {
    /// The order counts as paid.
    Counts,
    /// The order stays failed and the channel sends the money back by itself, so many milliseconds later.
    SentBack {
        /// How much later; the documents promise 24 hours.
        after_ms: i64,
    },
}

/// The house rules of both gateways: clock, money and wallets.
#[derive(Debug, Clone)]
pub struct House {
    /// Port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// The gateway's time.
    pub clock: Clock,
    /// Where numbers, codes and quirks come from; the same seed gives the same answers.
    pub seed: u64,
    /// Up to this many fen a pay code pays at once; above, the buyer confirms on the phone.
    pub no_confirm_limit_fen: i64,
    /// How long a pay code lives, in milliseconds.
    pub pay_code_life_ms: i64,
    /// How long a trade by pay code waits for the buyer's thumb, in milliseconds.
    pub confirm_life_ms: i64,
    /// What a new buyer has, in fen.
    pub buyer_balance_fen: i64,
    /// What the merchant has to pay refunds from, in fen; sales add to it. `None` is never empty.
    pub merchant_balance_fen: Option<i64>,
    /// Terminals that are filed from the start (终端报备): `termno`, 8 characters.
    pub filed_terminals: Vec<String>,
    /// What becomes of money that lands too late.
    pub late_money: LateMoney,
    /// The form of amounts in answers.
    pub amounts: AmountForm,
    /// Put a field that no document knows into some answers and notices, signed like the rest.
    pub unknown_fields: bool,
    /// Pauses between the repeats of a notice, in milliseconds. Neither schedule is known.
    pub notice_pauses_ms: Vec<u64>,
}

impl Default for House {
    fn default() -> Self {
        Self {
            port: 0,
            clock: Clock::system(),
            seed: 1,
            no_confirm_limit_fen: 20_000,
            pay_code_life_ms: 60_000,
            confirm_life_ms: 180_000,
            buyer_balance_fen: 10_000_000,
            merchant_balance_fen: None,
            filed_terminals: vec!["00000001".to_owned()],
            late_money: LateMoney::Counts,
            amounts: AmountForm::Text,
            unknown_fields: true,
            notice_pauses_ms: vec![1_000, 5_000, 15_000],
        }
    }
}
