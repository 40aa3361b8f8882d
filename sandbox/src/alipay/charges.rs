//! What the merchant is charged for a payment, and what of it a refund gives back (reference/alipay.md 5.3, 5.6, 10.4).

use serde_json::{Value, json};

use super::amount::yuan;
use super::instalment::share;
use super::options::GatewayOptions;
use super::trade::{Parts, Trade};

/// The two fees, in fen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Charges {
    /// The contract's share of what the merchant receives.
    ordinary: i64,
    /// The fee of instalments, where the merchant bears it; `None` where it does not.
    instalment: Option<i64>,
}

impl Charges {
    /// The charges when these parts of a payment were made.
    pub(crate) fn on(trade: &Trade, parts: Parts, options: &GatewayOptions) -> Self {
        let borne = trade.terms.plan.filter(|plan| plan.seller_bears);
        Self {
            ordinary: share(parts.receipt(), options.fee_rate),
            instalment: borne.map(|plan| plan.fee(parts.buyer, &options.instalment_rates)),
        }
    }

    /// What comes back when a payment shrinks from `before` to `after`, as far as the contract gives fees back. All that
    /// is returned for a payment is never more than was charged for it, whatever the single refunds round to.
    pub(crate) fn returned(trade: &Trade, before: Parts, after: Parts, options: &GatewayOptions) -> Self {
        let (before, after) = (Self::on(trade, before, options), Self::on(trade, after, options));
        let less = |kept: bool, one: i64, other: i64| if kept { one - other } else { 0 };
        let instalments = before.instalment.zip(after.instalment);
        Self {
            ordinary: less(options.refund_returns_fee, before.ordinary, after.ordinary),
            instalment: instalments.map(|(one, other)| less(options.refund_returns_instalment_fee, one, other)),
        }
    }

    pub(crate) fn sum(self) -> i64 {
        self.ordinary + self.instalment.unwrap_or(0)
    }

    /// As a list whose items call the fee `name`.
    pub(crate) fn list(self, name: &str) -> Value {
        let fees = [("trade", Some(self.ordinary)), ("hbfq", self.instalment)];
        let fees = fees.into_iter().filter_map(|(kind, fen)| Some((kind, fen?)));
        fees.map(|(kind, fen)| json!({ "charge_type": kind, name: yuan(fen) })).collect()
    }
}
