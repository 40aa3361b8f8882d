//! `till receipt`: a receipt as text, in Chinese as the buyer reads it.

use payment::channel::outcome::DiscountBy;
use reqwest::Method;
use serde_json::Value;

use super::client::{Client, escaped};
use super::{Answer, Failure, text};
use crate::api::wire::RefundState;
use crate::api::wire::receipt::{Payment, Printed, Receipt, Returned};

pub(super) async fn show(client: &Client, number: &str) -> Result<Answer, Failure> {
    let path = format!("/v1/orders/{}/receipt", escaped(number));
    let (receipt, json): (Receipt, Value) = client.get(&path).await?;
    Ok(Answer::done(text_of(&receipt), json))
}

pub(super) async fn print(client: &Client, number: &str) -> Result<Answer, Failure> {
    let path = format!("/v1/orders/{}/print", escaped(number));
    let (printed, json): (Printed, Value) = client.call(Method::POST, &path).await?;
    let copy = if printed.copy { ", marked as a copy" } else { "" };
    Ok(Answer::done(format!("the receipt of order {} is on its way to the printer{copy}", printed.order), json))
}

fn text_of(receipt: &Receipt) -> String {
    let mut parts = vec![head(receipt)];
    if !receipt.goods.is_empty() {
        parts.push(goods(receipt));
    }
    parts.push(sums(receipt));
    parts.extend(receipt.payments.iter().map(payment));
    parts.extend(receipt.refunds.iter().map(returned));
    parts.join("\n\n")
}

fn head(receipt: &Receipt) -> String {
    let rows = text::pairs(&[
        ("订单号", Some(receipt.order.to_string())),
        ("商户参考号", receipt.reference.as_deref().map(text::plain)),
        ("商品", Some(text::plain(&receipt.subject))),
        ("下单时间", Some(receipt.ordered_at.clone())),
    ]);
    format!("收据\n{rows}")
}

fn goods(receipt: &Receipt) -> String {
    let mut rows = vec![text::heading(&["品名", "数量", "单价", "金额"])];
    rows.extend(receipt.goods.iter().map(|row| {
        let sum = row.price.saturating_mul(i64::from(row.quantity));
        vec![text::plain(&row.name), row.quantity.to_string(), text::yuan(row.price), text::yuan(sum)]
    }));
    text::table(&rows)
}

fn sums(receipt: &Receipt) -> String {
    let positive = |fen: i64| (fen > 0).then(|| text::yuan(fen));
    text::pairs(&[
        ("订单金额", Some(text::yuan(receipt.amount))),
        ("首付款（现金）", positive(receipt.down_payment)),
        ("现金支付", positive(receipt.cash)),
        ("已付", Some(text::yuan(receipt.paid))),
        ("已退", positive(receipt.refunded)),
    ])
}

fn payment(payment: &Payment) -> String {
    let discounts = payment.discounts.iter().map(|discount| {
        let by = match discount.by {
            DiscountBy::Merchant => "商家承担",
            DiscountBy::Channel => "支付平台承担",
            DiscountBy::Unsaid => "承担方未知",
        };
        format!("{} -{}（{by}）", text::plain(&discount.name), text::yuan(discount.amount.get()))
    });
    let discounts: Vec<String> = discounts.collect();
    let rows = [
        ("支付方式", Some(payment.paid_by.clone())),
        ("支付金额", Some(text::yuan(payment.amount))),
        ("优惠", (!discounts.is_empty()).then(|| discounts.join("；"))),
        ("买家实付", payment.buyer_paid.map(text::yuan)),
        ("分期", payment.instalments.map(|months| format!("{months}期"))),
        ("支付时间", Some(text::plain(&payment.paid_at))),
        ("付款账户", payment.buyer.as_deref().map(text::plain)),
    ];
    let numbers = payment.numbers.iter().map(|known| (known.name.as_str(), Some(text::plain(&known.number))));
    text::pairs(&rows.into_iter().chain(numbers).collect::<Vec<_>>())
}

fn returned(refund: &Returned) -> String {
    let state = match refund.state {
        RefundState::Done => "已退回",
        RefundState::Pending => "退款处理中",
        RefundState::Owed => "待退款，正在重试",
        RefundState::Asked | RefundState::Declined | RefundState::Replaced => "未退款",
    };
    text::pairs(&[
        ("退款", Some(format!("{} {state}", text::yuan(refund.amount)))),
        ("退款时间", refund.done_at.clone()),
        ("退款单号", Some(refund.number.to_string())),
    ])
}
