//! An order as WeChat Pay tells of it: in answers to queries and code payments, and in notices.
//!
//! Source: WeChat Pay APIv3, "query an order" (reference 4.1).

use serde::Deserialize;

use super::reply::{malformed, number};
use super::setup::Config;
use crate::channel::outcome::{
    Details, Discount, DiscountBy, Doubt, DoubtKind, Outcome, Receipt, Refusal, Waiting, Why,
};
use crate::channel::{Method, Request, Wallet};
use crate::money::Fen;

/// The members that Till reads.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Order {
    pub(super) appid: Option<String>,
    pub(super) mchid: Option<String>,
    pub(super) sp_appid: Option<String>,
    pub(super) sp_mchid: Option<String>,
    pub(super) sub_appid: Option<String>,
    pub(super) sub_mchid: Option<String>,
    pub(super) out_trade_no: Option<String>,
    pub(super) transaction_id: Option<String>,
    pub(super) trade_state: Option<String>,
    pub(super) success_time: Option<String>,
    pub(super) payer: Option<Payer>,
    pub(super) amount: Option<Total>,
    pub(super) promotion_detail: Option<Vec<Promotion>>,
}

/// Who paid.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Payer {
    pub(super) openid: Option<String>,
    pub(super) sub_openid: Option<String>,
    pub(super) sp_openid: Option<String>,
}

/// How much, in fen.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Total {
    pub(super) total: Option<i64>,
    pub(super) payer_total: Option<i64>,
    pub(super) currency: Option<String>,
    /// What is settled, where v2 says so.
    #[serde(skip)]
    pub(super) settlement: Option<i64>,
    /// The sum of the coupons, where v2 says so.
    #[serde(skip)]
    pub(super) coupons: Option<i64>,
}

/// One coupon.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Promotion {
    name: Option<String>,
    amount: Option<i64>,
    wechatpay_contribute: Option<i64>,
    merchant_contribute: Option<i64>,
    other_contribute: Option<i64>,
}

impl Order {
    /// An answer about another merchant's order proves nothing, and one that names no merchant neither.
    pub(super) fn must_be_ours(&self, config: &Config) -> Result<(), Doubt> {
        let (collector, appid, sub) = match &config.sub_merchant {
            None => (&self.mchid, &self.appid, None),
            Some(sub) => (&self.sp_mchid, &self.sp_appid, Some(&sub.mchid)),
        };
        let is_other = |said: &Option<String>, ours: Option<&String>| said.is_some() && said.as_ref() != ours;
        if collector.as_ref() != Some(&config.mchid) {
            return Err(wrong_order(format!("the answer is about merchant {collector:?}")));
        }
        if is_other(appid, Some(&config.appid)) || is_other(&self.sub_mchid, sub) {
            return Err(wrong_order(format!("the answer is about {appid:?}, sub-merchant {:?}", self.sub_mchid)));
        }
        Ok(())
    }

    /// The doubt that the answer is about another order, when it names one.
    pub(super) fn names_another(&self, request: &Request) -> Option<Doubt> {
        let ours = number(request);
        let named = self.out_trade_no.as_deref().filter(|named| *named != ours)?;
        Some(wrong_order(format!("the answer to {ours} names {named:?}")))
    }

    /// A good answer must say which order it is about.
    pub(super) fn must_name(&self, request: &Request) -> Result<(), Doubt> {
        match &self.out_trade_no {
            None => Err(malformed("the answer names no out_trade_no")),
            Some(_) => self.names_another(request).map_or(Ok(()), Err),
        }
    }

    /// How it stands. A refund in part turns the state into REFUND: it was paid all the same.
    pub(super) fn standing(&self, method: Method, asked: Fen) -> Result<Outcome, Doubt> {
        let state = self.trade_state.as_deref().ok_or_else(|| malformed("no trade_state in the answer"))?;
        match (state, method) {
            ("SUCCESS" | "REFUND", _) => self.receipt(asked).map(Outcome::Paid),
            // A code that is shown has an order from the first moment; nothing tells whether anybody scanned it.
            ("NOTPAY", Method::ShowCode) => Ok(Outcome::Pending(Waiting::NoTrade)),
            ("NOTPAY", Method::TakeCode) | ("USERPAYING" | "ACCEPT", _) => Ok(Outcome::Pending(Waiting::Confirming)),
            ("CLOSED", _) | ("REVOKED", Method::TakeCode) => Ok(not_paid(state, Why::Closed)),
            ("PAYERROR", Method::TakeCode) => Ok(not_paid(state, Why::Buyer)),
            (other, _) => Err(Doubt::new(DoubtKind::Unlisted, format!("trade_state {other}"))),
        }
    }

    /// The proof of payment, if it was for what was asked.
    pub(super) fn receipt(&self, asked: Fen) -> Result<Receipt, Doubt> {
        let receipt = self.any_receipt()?;
        if receipt.amount == asked {
            return Ok(receipt);
        }
        Err(wrong_order(format!("{} was charged, and {asked} was asked", receipt.amount)))
    }

    /// The proof of payment, whatever was asked.
    pub(super) fn any_receipt(&self) -> Result<Receipt, Doubt> {
        let trade_no = self.transaction_id.as_deref().filter(|number| !number.is_empty());
        let trade_no = trade_no.ok_or_else(|| malformed("paid, without a transaction_id"))?;
        let amount = self.amount.as_ref().ok_or_else(|| malformed("paid, without an amount"))?;
        if let Some(other) = amount.currency.as_deref().filter(|currency| *currency != "CNY") {
            return Err(wrong_order(format!("paid in {other:?}")));
        }
        let total = Fen::new(amount.total.unwrap_or_default());
        if !total.is_positive() {
            return Err(malformed("paid, without a total"));
        }
        Ok(Receipt {
            trade_no: trade_no.to_owned(),
            amount: total,
            paid_at: self.success_time.clone(),
            buyer: self.payer.as_ref().and_then(Payer::id),
            details: self.details(amount, total),
        })
    }

    fn details(&self, amount: &Total, total: Fen) -> Details {
        let differs = |fen: Option<i64>| fen.map(Fen::new).filter(|fen| *fen != total);
        let told = self.promotion_detail.iter().flatten().flat_map(Promotion::discounts);
        let sum = amount.coupons.map(Fen::new).filter(|fen| fen.is_positive());
        let summed = sum.map(|amount| Discount { name: "代金券".to_owned(), amount, by: DiscountBy::Unsaid });
        Details {
            wallet: Some(Wallet::Wechat),
            buyer_paid: differs(amount.payer_total),
            merchant_gets: differs(amount.settlement),
            discounts: told.chain(summed).collect(),
            ..Details::default()
        }
    }
}

impl Payer {
    /// The id in the application that collects: the merchant's own where it has one.
    fn id(&self) -> Option<String> {
        let found = self.sub_openid.as_ref().or(self.openid.as_ref()).or(self.sp_openid.as_ref());
        found.filter(|id| !id.is_empty()).cloned()
    }
}

impl Promotion {
    /// One discount for everybody who bears a part of it.
    fn discounts(&self) -> Vec<Discount> {
        let name = self.name.clone().unwrap_or_default();
        let part = |fen: Option<i64>, by| {
            let amount = fen.map(Fen::new).filter(|fen| fen.is_positive());
            amount.map(|amount| Discount { name: name.clone(), amount, by })
        };
        let borne: Vec<Discount> = [
            part(self.merchant_contribute, DiscountBy::Merchant),
            part(self.wechatpay_contribute, DiscountBy::Channel),
            part(self.other_contribute, DiscountBy::Channel),
        ]
        .into_iter()
        .flatten()
        .collect();
        if borne.is_empty() { part(self.amount, DiscountBy::Unsaid).into_iter().collect() } else { borne }
    }
}

fn not_paid(state: &str, why: Why) -> Outcome {
    Outcome::NotPaid(Refusal { code: state.to_owned(), why })
}

pub(super) fn wrong_order(detail: impl Into<String>) -> Doubt {
    Doubt::new(DoubtKind::WrongOrder, detail)
}
