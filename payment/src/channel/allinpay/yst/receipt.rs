//! Proof of payment, out of the answer to a question about an order with `result` 1.
//!
//! Source: 云商通 generation 2, 3001 and 3002 (reference/allinpay.md 3.5, 6). The names inside `channelParamInfo` are an open set
//! that no public document lists: those of VSP, of generation 1 and of our own sandbox are looked for; an absent one costs nothing.

use super::envelope::Members;
use super::reply::{malformed, unlisted, wrong};
use crate::channel::outcome::{Details, Doubt, Receipt};
use crate::channel::{Trade, Wallet};
use crate::money::Fen;

/// Where the number under which 云商通 passed the order on may stand (请求渠道流水号).
const REQUEST_NO: &[&str] = &["reqsn", "cusorderid", "chnlReqSn", "payInterfaceOutTradeNo"];
/// Where VSP's own number may stand (渠道流水号).
const CHANNEL_NO: &[&str] = &["trxid", "chnlTrxId"];
/// Where the wallet's number may stand (后端渠道流水号).
const WALLET_NO: &[&str] = &["chnltrxid"];
/// Where VSP's kind of trade may stand.
const TRADE_CODE: &[&str] = &["trxcode", "trxCode", "payInterfacetrxcode"];
/// Both spellings that public clients have met.
const CHANNEL_INFO: [&str; 2] = ["channelParamInfo", "channelparamInfo"];

/// The receipt for `trade`, if the answer is about its amount and nothing is only reserved.
pub(super) fn read(trade: &Trade, fields: &Members) -> Result<Receipt, Doubt> {
    taken_not_reserved(fields)?;
    let charged = amount("orderAmount", fields)?;
    if charged != trade.amount {
        return Err(wrong(format!("{charged} was charged, and {} was asked", trade.amount)));
    }
    let trade_no = fields.get("respTraceNum").ok_or_else(|| malformed("paid, without a respTraceNum"))?;
    if let Some(known) = trade.trade_no.as_deref().filter(|known| *known != trade_no) {
        return Err(wrong(format!("the answer names {trade_no:?}, and the payment is {known}")));
    }
    Ok(Receipt {
        trade_no: trade_no.to_owned(),
        amount: charged,
        paid_at: fields.get("finishTime").map(str::to_owned),
        buyer: None,
        details: details(charged, fields),
    })
}

/// An amount of whole fen, as a number or as a text.
pub(super) fn amount(name: &str, fields: &Members) -> Result<Fen, Doubt> {
    let text = fields.get(name).ok_or_else(|| malformed(format!("no {name} in the answer")))?;
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let fen = text.parse().ok().filter(|fen| digits && *fen > 0);
    fen.map(Fen::new).ok_or_else(|| malformed(format!("{name} {text:?} is not an amount in fen")))
}

/// A WeChat pre-consume order (微信订单预消费) only reserves the money.
fn taken_not_reserved(fields: &Members) -> Result<(), Doubt> {
    match fields.get("isPreConsume") {
        None | Some("0") => Ok(()),
        Some(other) => Err(unlisted(format!("isPreConsume {other:?}: the money is only reserved"))),
    }
}

/// They never stand in the way of a payment: what cannot be read is left out.
fn details(charged: Fen, fields: &Members) -> Details {
    let channel = CHANNEL_INFO.iter().find_map(|name| fields.get(name)).and_then(|text| Members::parse(text).ok());
    let channel = channel.unwrap_or_default();
    let first = |names: &[&str]| names.iter().find_map(|name| channel.get(name)).filter(|no| *no != "0");
    let number = |names| first(names).map(str::to_owned);
    Details {
        wallet: first(TRADE_CODE).and_then(wallet_of),
        request_no: number(REQUEST_NO),
        channel_no: number(CHANNEL_NO),
        wallet_no: number(WALLET_NO),
        buyer_paid: amount("payAmount", fields).ok().filter(|paid| *paid != charged),
        ..Details::default()
    }
}

/// VSP's codes of payments by wallet (reference/allinpay.md 2.6).
fn wallet_of(trade_code: &str) -> Option<Wallet> {
    match trade_code {
        "VSP501" => Some(Wallet::Wechat),
        "VSP511" => Some(Wallet::Alipay),
        "VSP551" => Some(Wallet::UnionPay),
        "VSP611" => Some(Wallet::Ecny),
        _ => None,
    }
}
