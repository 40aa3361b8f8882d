//! The truth as a test or a person reads it: a copy of one moment.

use super::coupon::Redeemed;
use super::trade::{Refund, Trade};
use super::world::World;

/// `trade_status` (reference/alipay.md 7.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TradeState {
    /// Exists, unpaid.
    WaitBuyerPay,
    /// Paid; stays so after partial refunds.
    TradeSuccess,
    /// Paid and no longer refundable.
    TradeFinished,
    /// Unpaid and closed, or fully refunded.
    TradeClosed,
}

impl TradeState {
    /// The word on the wire.
    #[must_use]
    pub const fn wire(self) -> &'static str {
        match self {
            Self::WaitBuyerPay => "WAIT_BUYER_PAY",
            Self::TradeSuccess => "TRADE_SUCCESS",
            Self::TradeFinished => "TRADE_FINISHED",
            Self::TradeClosed => "TRADE_CLOSED",
        }
    }
}

/// Who was charged and what went back, for every trade.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ledger {
    /// All trades, by `out_trade_no`.
    pub trades: Vec<LedgerEntry>,
    /// All codes that can still be scanned for the first time, by `out_trade_no`.
    pub open_codes: Vec<OpenCode>,
}

/// One trade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// The merchant's number.
    pub out_trade_no: String,
    /// The gateway's number, 28 digits.
    pub trade_no: String,
    /// Name of the buyer.
    pub buyer: String,
    /// What the buyer read.
    pub subject: String,
    /// What was asked.
    pub amount_fen: i64,
    /// How it stands.
    pub state: TradeState,
    /// What was taken from the buyer, coupons included.
    pub charged_fen: i64,
    /// What of it is the buyer's own money.
    pub buyer_paid_fen: i64,
    /// What of it the merchant receives, before fees.
    pub receipt_fen: i64,
    /// The coupons that were used.
    pub redeemed: Vec<Redeemed>,
    /// How many instalments the buyer pays in.
    pub instalments: Option<u8>,
    /// What went back.
    pub refunded_fen: i64,
    /// Every return of money, oldest first.
    pub refunds: Vec<RefundEntry>,
}

/// Money that went back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundEntry {
    /// `out_request_no`; `None` when a cancel returned the money.
    pub out_request_no: Option<String>,
    /// How much.
    pub fen: i64,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
}

/// A precreated code that nobody has scanned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCode {
    /// The merchant's number.
    pub out_trade_no: String,
    /// The text of the QR.
    pub text: String,
    /// What is asked.
    pub amount_fen: i64,
    /// From when on it is dead, milliseconds since 1970.
    pub expires_at_ms: i64,
}

impl LedgerEntry {
    /// What the merchant keeps.
    #[must_use]
    pub const fn net_fen(&self) -> i64 {
        self.charged_fen - self.refunded_fen
    }
}

impl Ledger {
    /// The trade with this number, if a buyer ever met it.
    #[must_use]
    pub fn trade(&self, out_trade_no: &str) -> Option<&LedgerEntry> {
        self.trades.iter().find(|trade| trade.out_trade_no == out_trade_no)
    }

    /// What all buyers paid.
    #[must_use]
    pub fn charged_fen(&self) -> i64 {
        self.trades.iter().map(|trade| trade.charged_fen).sum()
    }

    /// What went back to all buyers.
    #[must_use]
    pub fn refunded_fen(&self) -> i64 {
        self.trades.iter().map(|trade| trade.refunded_fen).sum()
    }

    /// What the merchant keeps.
    #[must_use]
    pub fn net_fen(&self) -> i64 {
        self.charged_fen() - self.refunded_fen()
    }

    pub(crate) fn of(world: &World, now: i64) -> Self {
        let codes = world.offers.values();
        let open =
            codes.filter(|offer| offer.expires_at > now && !world.trades.contains_key(&offer.terms.out_trade_no));
        Self {
            trades: world.trades.values().map(entry).collect(),
            open_codes: open
                .map(|offer| OpenCode {
                    out_trade_no: offer.terms.out_trade_no.clone(),
                    text: offer.text.clone(),
                    amount_fen: offer.terms.amount_fen,
                    expires_at_ms: offer.expires_at,
                })
                .collect(),
        }
    }
}

fn entry(trade: &Trade) -> LedgerEntry {
    LedgerEntry {
        out_trade_no: trade.terms.out_trade_no.clone(),
        trade_no: trade.trade_no.clone(),
        buyer: trade.buyer.clone(),
        subject: trade.terms.subject.clone(),
        amount_fen: trade.terms.amount_fen,
        state: trade.state,
        charged_fen: trade.charged_fen,
        buyer_paid_fen: trade.paid.buyer,
        receipt_fen: trade.paid.receipt(),
        redeemed: trade.redeemed.clone(),
        instalments: trade.terms.plan.filter(|_| trade.paid_at.is_some()).map(|plan| plan.periods),
        refunded_fen: trade.refunded_fen(),
        refunds: trade.refunds.iter().map(refund_entry).collect(),
    }
}

fn refund_entry(refund: &Refund) -> RefundEntry {
    RefundEntry { out_request_no: refund.number.clone(), fen: refund.fen, at_ms: refund.at }
}
