//! What an answer tells of a payment besides that it is one: coupons, who bears them, instalments.
//!
//! Source: Alipay gateway 1.0, the response tables of pay and query (`voucher_detail_list`, `fund_bill_list`,
//! `hb_fq_pay_info`), and the relation of the amounts: `total_amount` less what the merchant gives is `receipt_amount`,
//! less what Alipay gives is `buyer_pay_amount`.
//!
//! Nothing here decides whether money came. What cannot be read is left out, and the payment stays a payment.

use serde_json::{Map, Value};

use crate::channel::outcome::{Details, Discount, DiscountBy};
use crate::money::Fen;
use crate::redact::without_codes;

/// More discounts than these on one payment are not kept: the journal keeps them for ever, and an answer can be long.
const MOST_DISCOUNTS: usize = 20;
/// So much of a discount's name is kept, in characters.
const LONGEST_NAME: usize = 64;
/// Alipay's longest plan has 24 instalments; a larger number than this is no plan.
const MOST_INSTALMENTS: u8 = 60;

/// The members about a payment, as they came; whatever is not an object is nothing.
#[derive(Debug, Default)]
pub(super) struct Told(Map<String, Value>);

impl Told {
    pub(super) fn read(node: &str) -> Self {
        Self(serde_json::from_str(node).unwrap_or_default())
    }

    /// The details of a payment of `total`.
    pub(super) fn details(&self, total: Fen) -> Details {
        let discounts = self.discounts();
        let below_total = |name: &str| self.0.get(name).and_then(amount).filter(|amount| *amount <= total);
        let (gets, pays) = (below_total("receipt_amount"), below_total("buyer_pay_amount"));
        // Some answers carry 0.00 in both where the amounts are not told; without a discount that is no statement.
        let untold = gets == Some(Fen::ZERO) && pays == Some(Fen::ZERO) && discounts.is_empty();
        let differs = |amount: Option<Fen>| amount.filter(|amount| *amount != total && !untold);
        Details {
            buyer_paid: differs(pays),
            merchant_gets: differs(gets),
            discounts,
            instalments: self.instalments(),
            ..Details::default()
        }
    }

    /// The coupons one by one; where there are none, the discounts among the funds.
    fn discounts(&self) -> Vec<Discount> {
        let vouchers = self.rows("voucher_detail_list");
        let mut discounts: Vec<Discount> = vouchers.iter().flat_map(of_voucher).collect();
        if discounts.is_empty() {
            let funds = self.rows("fund_bill_list");
            discounts = funds.iter().filter_map(of_fund).collect();
        }
        discounts.truncate(MOST_DISCOUNTS);
        discounts
    }

    fn instalments(&self) -> Option<u8> {
        let taken = opened(self.0.get("hb_fq_pay_info")?);
        let number = text(taken.get("user_install_num")?)?.parse().ok()?;
        (1..=MOST_INSTALMENTS).contains(&number).then_some(number)
    }

    fn rows(&self, name: &str) -> Vec<Value> {
        match self.0.get(name).map(opened) {
            Some(Value::Array(rows)) => rows,
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) | None => {
                Vec::new()
            }
        }
    }
}

/// A nested value, which some answers give as a text of JSON.
fn opened(value: &Value) -> Value {
    let inner = value.as_str().map(|text| serde_json::from_str(text).unwrap_or_default());
    inner.unwrap_or_else(|| value.clone())
}

/// A coupon, in two parts when the merchant and somebody else share it.
fn of_voucher(row: &Value) -> Vec<Discount> {
    let part = |member: &str| row.get(member).and_then(amount);
    let Some(whole) = part("amount").filter(|fen| fen.is_positive()) else { return Vec::new() };
    let name = row.get("name").and_then(Value::as_str).or_else(|| row.get("type").and_then(Value::as_str));
    let discount = |amount: Fen, by: DiscountBy| Discount { name: short(name.unwrap_or_default()), amount, by };
    let merchant = part("merchant_contribute");
    let other = part("other_contribute");
    let shares = match (merchant, other) {
        (Some(merchant), Some(other)) => merchant.checked_add(other) == Some(whole),
        // One part alone says it when it is all of it.
        (Some(one), None) | (None, Some(one)) => one == whole,
        (None, None) => false,
    };
    if !shares {
        return vec![discount(whole, DiscountBy::Unsaid)];
    }
    let parts = [(merchant, DiscountBy::Merchant), (other, DiscountBy::Channel)];
    let parts = parts.into_iter().filter_map(|(amount, by)| Some((amount.filter(|fen| fen.is_positive())?, by)));
    parts.map(|(amount, by)| discount(amount, by)).collect()
}

/// A discount among the funds. Points and cards are the buyer's own and no discounts.
fn of_fund(row: &Value) -> Option<Discount> {
    let (name, by) = match row.get("fund_channel").and_then(Value::as_str)? {
        "COUPON" => ("支付宝红包", DiscountBy::Channel),
        "DISCOUNT" => ("支付宝优惠", DiscountBy::Channel),
        "MDISCOUNT" => ("商家优惠", DiscountBy::Merchant),
        "MCOUPON" => ("商家优惠券", DiscountBy::Merchant),
        _ => return None,
    };
    let amount = row.get("amount").and_then(amount).filter(|fen| fen.is_positive())?;
    Some(Discount { name: name.to_owned(), amount, by })
}

fn amount(value: &Value) -> Option<Fen> {
    text(value)?.parse().ok().filter(|amount| *amount >= Fen::ZERO)
}

/// A text, or a number as it is written.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Names are free text by whoever made the coupon; they go into the journal.
fn short(name: &str) -> String {
    let shown = without_codes(name.trim());
    shown.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect()
}
