//! A trade: what the gateway knows of one payment.

use super::coupon::Redeemed;
use super::ledger::TradeState;
use super::terms::Terms;

/// How the trade came to be. The same number may not change between the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A buyer scanned a precreated code.
    Scan,
    /// The merchant sent the buyer's pay code.
    PayCode,
}

/// Money that went back to the buyer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refund {
    /// `out_request_no`; `None` when a cancel returned the money.
    pub(crate) number: Option<String>,
    pub(crate) fen: i64,
    /// Which of the trade's parts it took.
    pub(crate) parts: Parts,
    /// The request as it came, for comparison with repeats.
    pub(crate) biz: super::common::Biz,
    pub(crate) at: i64,
}

/// An amount by whose money it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Parts {
    /// The buyer's own: account or Huabei.
    pub(crate) buyer: i64,
    pub(crate) alipay: i64,
    pub(crate) merchant: i64,
}

impl Parts {
    /// What the merchant receives, before fees.
    pub(crate) fn receipt(self) -> i64 {
        self.buyer + self.alipay
    }

    /// `fen` of these parts: the buyer's own money first, as in Alipay's example (reference/alipay.md 5.6).
    pub(crate) fn first(self, fen: i64) -> Self {
        let buyer = fen.min(self.buyer);
        let alipay = (fen - buyer).min(self.alipay);
        Self { buyer, alipay, merchant: fen - buyer - alipay }
    }

    pub(crate) fn less(self, other: Self) -> Self {
        Self {
            buyer: self.buyer - other.buyer,
            alipay: self.alipay - other.alipay,
            merchant: self.merchant - other.merchant,
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Trade {
    pub(crate) trade_no: String,
    pub(crate) terms: Terms,
    pub(crate) origin: Origin,
    pub(crate) buyer: String,
    pub(crate) state: TradeState,
    pub(crate) created_at: i64,
    /// When an unpaid trade closes by itself.
    pub(crate) deadline: i64,
    pub(crate) paid_at: Option<i64>,
    pub(crate) cancelled: bool,
    /// The buyer pressed "no" on the phone; the trade waits on until its deadline.
    pub(crate) refused: bool,
    /// The amount once it was paid, coupons included.
    pub(crate) charged_fen: i64,
    pub(crate) paid: Parts,
    pub(crate) redeemed: Vec<Redeemed>,
    pub(crate) refunds: Vec<Refund>,
}

impl Trade {
    pub(crate) fn refunded_fen(&self) -> i64 {
        self.refunds.iter().map(|refund| refund.fen).sum()
    }

    pub(crate) fn left_fen(&self) -> i64 {
        self.charged_fen - self.refunded_fen()
    }

    /// What is left of its parts.
    pub(crate) fn parts_left(&self) -> Parts {
        self.refunds.iter().fold(self.paid, |left, refund| left.less(refund.parts))
    }

    pub(crate) fn is_waiting(&self) -> bool {
        self.state == TradeState::WaitBuyerPay
    }

    /// The refund under this number.
    pub(crate) fn refund(&self, number: &str) -> Option<&Refund> {
        self.refunds.iter().find(|refund| refund.number.as_deref() == Some(number))
    }
}

/// A payment that the buyer confirmed and that reaches the gateway later.
#[derive(Debug, Clone)]
pub(crate) struct Landing {
    pub(crate) out_trade_no: String,
    pub(crate) at: i64,
    /// Lands even when the trade was closed in between.
    pub(crate) despite_close: bool,
}
