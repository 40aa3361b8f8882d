//! Coupons in a buyer's wallet, and what they take off a payment (reference/alipay.md 9, 14, 17.3).

use serde_json::{Value, json};

use super::amount::{self, yuan};
use super::terms::Terms;

/// Who pays for a coupon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CouponBy {
    /// The merchant: it receives less.
    Merchant,
    /// Alipay: the merchant receives the whole amount.
    Alipay,
}

/// A coupon, good for one payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coupon {
    /// What the buyer reads.
    pub name: String,
    /// What it takes off at most, in fen.
    pub fen: i64,
    /// Who pays for it.
    pub by: CouponBy,
    /// Good only for a payment with this `goods_id`, and for no more than these goods cost.
    pub goods_id: Option<String>,
}

/// A coupon that was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redeemed {
    /// The coupon.
    pub coupon: Coupon,
    /// What it took off, in fen.
    pub fen: i64,
    pub(crate) id: String,
}

impl Coupon {
    /// What it takes off when `left` fen may still be taken off.
    fn worth(&self, terms: &Terms, left: i64) -> i64 {
        if !allows(terms, self.by) {
            return 0;
        }
        let goods = self.goods_id.as_ref().map(|id| cost_of_goods(terms, id));
        self.fen.min(left).min(goods.unwrap_or(left))
    }
}

/// Which of a wallet's coupons a payment uses: all that fit, in their order. Gives them with their places.
pub(crate) fn redeemable(coupons: &[(String, Coupon)], terms: &Terms) -> Vec<Redeemed> {
    let mut left = discountable(terms);
    let mut redeemed = Vec::new();
    for (id, coupon) in coupons {
        let fen = coupon.worth(terms, left);
        if fen > 0 {
            left -= fen;
            redeemed.push(Redeemed { coupon: coupon.clone(), fen, id: id.clone() });
        }
    }
    redeemed
}

/// What a kind of coupon took off.
pub(crate) fn sum_by(redeemed: &[Redeemed], by: CouponBy) -> i64 {
    redeemed.iter().filter(|each| each.coupon.by == by).map(|each| each.fen).sum()
}

/// An item of `voucher_detail_list`.
pub(crate) fn voucher(redeemed: &Redeemed) -> Value {
    let part = |by: CouponBy| yuan(if redeemed.coupon.by == by { redeemed.fen } else { 0 });
    let kind = match (&redeemed.coupon.goods_id, redeemed.coupon.by) {
        (Some(_), _) => "ALIPAY_ITEM_VOUCHER",
        (None, CouponBy::Merchant) => "ALIPAY_BIZ_VOUCHER",
        (None, CouponBy::Alipay) => "ALIPAY_CASH_VOUCHER",
    };
    json!({
        "id": redeemed.id,
        "name": redeemed.coupon.name,
        "type": kind,
        "amount": yuan(redeemed.fen),
        "merchant_contribute": part(CouponBy::Merchant),
        "other_contribute": part(CouponBy::Alipay),
    })
}

/// What of the amount may be taken off.
fn discountable(terms: &Terms) -> i64 {
    let part = |name: &str| terms.biz.get(name).and_then(amount::read);
    let rest = part("undiscountable_amount").map(|fixed| terms.amount_fen - fixed);
    part("discountable_amount").or(rest).unwrap_or(terms.amount_fen)
}

/// Whether the pay channels leave this kind. A list of what is on switches everything off that it does not name.
fn allows(terms: &Terms, by: CouponBy) -> bool {
    let kinds: &[&str] = match by {
        CouponBy::Merchant => &["promotion", "voucher", "mdiscount"],
        CouponBy::Alipay => &["promotion", "voucher", "coupon"],
    };
    let names = |list: &str| terms.text(list).split(',').any(|name| kinds.contains(&name));
    let all_on = terms.text("enable_pay_channels").is_empty();
    (all_on || names("enable_pay_channels")) && !names("disable_pay_channels")
}

fn cost_of_goods(terms: &Terms, goods_id: &str) -> i64 {
    let rows = terms.biz.get("goods_detail").and_then(Value::as_array).into_iter().flatten();
    let cost = |row: &Value| Some(amount::read(row.get("price")?)? * quantity(row.get("quantity")?)?);
    rows.filter(|row| row["goods_id"] == goods_id).filter_map(cost).sum()
}

fn quantity(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}
