//! What a receipt says: everything that a printer or a page needs, in the words of the field. Times are China's.

use payment::channel::outcome::Discount;
use payment::channel::{ChannelId, Method, Wallet};
use payment::engine::entry::OrderState;
use payment::ids::{OrderId, RefundId};
use serde::{Deserialize, Serialize};

use super::{RefundState, is_nothing};

/// The receipt of a paid order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The order.
    pub order: OrderId,
    /// How it stands.
    pub state: OrderState,
    /// The line on the buyer's bill.
    pub subject: String,
    /// The caller's own number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// When it was taken, such as `2026-01-31 08:00:00`.
    pub ordered_at: String,
    /// ISO 4217.
    pub currency: String,
    /// The goods; equal ones in one row.
    pub goods: Vec<Goods>,
    /// What was to be paid here, in minor units: without the down payment.
    pub amount: i64,
    /// What a person took in cash beforehand, in minor units; absent when nothing.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub down_payment: i64,
    /// What the machine took in coins and notes, in minor units; absent when nothing.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub cash: i64,
    /// What was paid in all, in minor units, refunds not taken off.
    pub paid: i64,
    /// What went back for certain, in minor units.
    pub refunded: i64,
    /// The payments, oldest first. A second one of the same order is among the refunds too.
    pub payments: Vec<Payment>,
    /// The refunds that moved money, or will.
    pub refunds: Vec<Returned>,
}

/// One row of goods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goods {
    /// The merchant's code.
    pub code: String,
    /// What the buyer reads.
    pub name: String,
    /// How many.
    pub quantity: u32,
    /// The price of one, in minor units.
    pub price: i64,
}

/// One payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Through which channel.
    pub channel: ChannelId,
    /// By which method.
    pub method: Method,
    /// The wallet that paid, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wallet: Option<Wallet>,
    /// The same in words for the buyer, such as 支付宝; the channel's where the wallet is not known.
    pub paid_by: String,
    /// What was charged, in minor units.
    pub amount: i64,
    /// What the buyer paid himself, in minor units, where discounts made it less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buyer_paid: Option<i64>,
    /// Coupons and other discounts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discounts: Vec<Discount>,
    /// In how many months the buyer pays, where he does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instalments: Option<u8>,
    /// When, such as `2026-01-31 08:00:05`.
    pub paid_at: String,
    /// The buyer's account as the channel masks it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buyer: Option<String>,
    /// The numbers by which the buyer, the merchant and the channel find it: as many as are known.
    pub numbers: Vec<NamedNumber>,
}

/// A number with the name that people in China know it by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedNumber {
    /// Such as 商户订单号.
    pub name: String,
    /// The number. An order is found by any of them.
    pub number: String,
}

/// One refund.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returned {
    /// Its number.
    pub number: RefundId,
    /// How much, in minor units.
    pub amount: i64,
    /// `pending`, `owed` or `done`.
    pub state: RefundState,
    /// When it went back, such as `2026-01-31 09:00:00`; absent while it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_at: Option<String>,
}

/// A receipt that was given to the printer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Printed {
    /// The order.
    pub order: OrderId,
    /// It says that it is a copy: one may have been printed before.
    pub copy: bool,
}
