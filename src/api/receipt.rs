//! The receipt of a paid order: its facts in the words of buyers and of the channels' portals.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use books::day;
use jiff::Timestamp;
use payment::channel::{ChannelId, Wallet};
use payment::engine::entry::{Entry, Stored};
use payment::engine::record::{AttemptEnd, AttemptRecord, OrderRecord};
use payment::ids::RefundId;

use super::Api;
use super::body::{Named, Wanted};
use super::orders::find;
use super::problem::{Code, Problem};
use super::wanted::Nothing;
use super::wire::receipt::{Goods, NamedNumber, Payment, Printed, Receipt, Returned};
use super::wire::{Refund, RefundState};
use crate::daemon::receipts::PrintError;

/// `GET /v1/orders/{number}/receipt`
pub(super) async fn show(State(api): State<Api>, Named(number): Named) -> Result<Json<Receipt>, Problem> {
    let record = paid(&api, &number).await?;
    let entries = if record.refunds.is_empty() { Vec::new() } else { api.terminal.entries_of(record.order).await? };
    Ok(Json(receipt(&record, &entries)))
}

/// `POST /v1/orders/{number}/print`
pub(super) async fn print(
    State(api): State<Api>,
    Named(number): Named,
    _: Wanted<Nothing>,
) -> Result<(StatusCode, Json<Printed>), Problem> {
    let record = paid(&api, &number).await?;
    let order = record.order;
    match api.terminal.print(record).await {
        Ok(copy) => Ok((StatusCode::ACCEPTED, Json(Printed { order, copy }))),
        Err(PrintError::NotAsked(error)) => Err(Problem::from(error).about(order)),
        Err(refused @ (PrintError::NoPrinter | PrintError::Off)) => {
            Err(Problem::new(Code::NoPrinter, refused.to_string()).about(order))
        }
        Err(PrintError::NotReady) => {
            Err(Problem::new(Code::PrinterNotReady, PrintError::NotReady.to_string()).about(order))
        }
    }
}

async fn paid(api: &Api, number: &str) -> Result<OrderRecord, Problem> {
    let record = find(api, number).await?;
    if record.is_paid() {
        return Ok(record);
    }
    let detail = format!("order {} is not paid, so there is no receipt", record.order);
    Err(Problem::new(Code::NotPaid, detail).about(record.order))
}

/// What the receipt of a paid order says; `entries` tell when refunds were done.
pub(crate) fn receipt(record: &OrderRecord, entries: &[Stored]) -> Receipt {
    Receipt {
        order: record.order,
        state: record.state(),
        subject: record.subject.clone(),
        reference: record.reference.clone(),
        ordered_at: day::written(record.opened_at.ms),
        currency: record.currency.clone(),
        goods: goods(record),
        amount: record.amount.get(),
        down_payment: record.down_payment.get(),
        cash: record.cash.get(),
        paid: record.paid().get(),
        refunded: record.refunded().get(),
        payments: record.attempts.iter().filter_map(payment).collect(),
        refunds: record.refunds.iter().map(Refund::from).filter_map(|refund| returned(&refund, entries)).collect(),
    }
}

/// Equal goods in one row, in the order in which they were bought.
fn goods(record: &OrderRecord) -> Vec<Goods> {
    let mut rows: Vec<Goods> = Vec::new();
    for item in record.items.iter().map(|item| &item.item) {
        let same = |row: &&mut Goods| (&row.code, &row.name, row.price) == (&item.code, &item.name, item.price.get());
        match rows.iter_mut().find(same) {
            Some(row) => row.quantity += 1,
            None => rows.push(Goods {
                code: item.code.clone(),
                name: item.name.clone(),
                quantity: 1,
                price: item.price.get(),
            }),
        }
    }
    rows
}

/// `None` for an attempt that took no money.
fn payment(record: &AttemptRecord) -> Option<Payment> {
    let Some(AttemptEnd::Paid { trade_no, paid_at, buyer, details, noted_at }) = &record.end else {
        return None;
    };
    let wallet = details.wallet.or(record.wallet).or(record.channel.own_wallet());
    let known = [
        (trade_name(record.channel), Some(trade_no)),
        ("请求渠道流水号", details.request_no.as_ref()),
        ("渠道流水号", details.channel_no.as_ref()),
        ("后端渠道流水号", details.wallet_no.as_ref()),
    ];
    let known = known.into_iter().filter_map(|(name, number)| Some((name, number?.as_str())));
    let numbers = std::iter::once(("商户订单号", record.attempt.as_str())).chain(known);
    Some(Payment {
        channel: record.channel,
        method: record.method,
        wallet,
        paid_by: wallet.map_or_else(|| channel_words(record.channel), wallet_words).to_owned(),
        amount: record.amount.get(),
        buyer_paid: details.buyer_paid.map(payment::money::Fen::get),
        discounts: details.discounts.clone(),
        instalments: details.instalments.or(record.instalment.map(|plan| plan.periods)),
        paid_at: paid_at.as_deref().map_or_else(|| day::written(noted_at.ms), in_china),
        buyer: buyer.clone(),
        numbers: numbers
            .map(|(name, number)| NamedNumber { name: name.to_owned(), number: number.to_owned() })
            .collect(),
    })
}

/// `None` for what moved no money and will not under this number.
fn returned(refund: &Refund, entries: &[Stored]) -> Option<Returned> {
    let Refund { number, amount, state, .. } = *refund;
    match state {
        RefundState::Asked | RefundState::Declined | RefundState::Replaced => None,
        RefundState::Pending | RefundState::Owed => Some(Returned { number, amount, state, done_at: None }),
        RefundState::Done => Some(Returned { number, amount, state, done_at: done_at(number, entries) }),
    }
}

fn done_at(number: RefundId, entries: &[Stored]) -> Option<String> {
    let done = |stored: &&Stored| matches!(stored.entry, Entry::RefundDone { refund, .. } if refund == number);
    entries.iter().find(done).map(|stored| day::written(stored.at.ms))
}

/// What buyers call the wallet.
const fn wallet_words(wallet: Wallet) -> &'static str {
    match wallet {
        Wallet::Alipay => "支付宝",
        Wallet::Wechat => "微信支付",
        Wallet::UnionPay => "云闪付",
        Wallet::Ecny => "数字人民币",
    }
}

const fn channel_words(channel: ChannelId) -> &'static str {
    match channel {
        ChannelId::Alipay => "支付宝",
        ChannelId::Wechat => "微信支付",
        ChannelId::AllinpayVsp | ChannelId::AllinpayYst => "扫码支付",
        ChannelId::Voucher => "会员码或代金券",
    }
}

/// What the channel's portal and bill call its own number.
const fn trade_name(channel: ChannelId) -> &'static str {
    match channel {
        ChannelId::Alipay => "支付宝交易号",
        ChannelId::Wechat => "微信订单号",
        ChannelId::AllinpayVsp => "渠道流水号",
        ChannelId::AllinpayYst => "云商通订单号",
        ChannelId::Voucher => "交易号",
    }
}

/// A channel's words for a time, in one form: Alipay and Allinpay write China's time without saying so (`2026-01-31
/// 08:00:05`, `20260131080005`), WeChat Pay says where (RFC 3339). What is none of these stays as the channel wrote it.
fn in_china(words: &str) -> String {
    let moment = words.parse::<Timestamp>().ok().map(Timestamp::as_millisecond);
    moment.or_else(|| day::read(words)).map_or_else(|| words.to_owned(), day::written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channels_time_is_chinas_in_one_form() {
        for (words, shown) in [
            ("2026-01-31 08:00:05", "2026-01-31 08:00:05"),
            ("20260131080005", "2026-01-31 08:00:05"),
            ("2026-01-31T08:00:05+08:00", "2026-01-31 08:00:05"),
            ("2026-01-30T23:30:00Z", "2026-01-31 07:30:00"),
            ("this morning", "this morning"),
            ("", ""),
        ] {
            assert_eq!(in_china(words), shown, "{words:?}");
        }
    }
}
