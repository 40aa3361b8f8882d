//! `/pay/orderquery` (reference/wechatpay.md 5.5).

use super::super::collect::note_query;
use super::super::http::Moment;
use super::super::order::{Order, TradeState};
use super::super::times::fourteen;
use super::super::v3::trade_type;
use super::super::world::World;
use super::{Call, Failure, Told};

pub(super) fn execute(world: &mut World, call: &Call, moment: Moment<'_>) -> Result<Told, Failure> {
    call.only_known(&["transaction_id", "out_trade_no"], moment)?;
    let account = call.account(moment)?;
    let key = call.order(world, &account)?;
    if let Some(key) = &key {
        note_query(world, key, moment.now);
    }
    let order = key.and_then(|key| world.orders.get(&key)).filter(|order| order.hidden_until <= moment.now);
    let order = order.ok_or_else(|| Failure::result("ORDERNOTEXIST", "此交易订单号不存在"))?;
    let mut told =
        vec![("trade_state", order.state.wire().to_owned()), ("trade_state_desc", order.state.words().to_owned())];
    if order.paid_at.is_some() {
        told.extend(paid_members(world, order));
    } else {
        // Money fields are absent before the payment though the table says required.
        told.push(("out_trade_no", order.terms.key.number.clone()));
    }
    if let Some(device) = order.terms.device_id.clone().filter(|_| order.state != TradeState::Closed) {
        told.push(("device_info", device));
    }
    Ok(told)
}

/// What is known of a paid order.
pub(super) fn paid_members(world: &World, order: &Order) -> Told {
    let buyer = order.buyer.as_ref().and_then(|name| world.buyers.get(name));
    let fen = order.terms.total_fen.to_string();
    let mut told = vec![
        ("openid", buyer.map(|buyer| buyer.openid.clone()).unwrap_or_default()),
        ("is_subscribe", "N".to_owned()),
        ("trade_type", trade_type(order).to_owned()),
        ("bank_type", "OTHERS".to_owned()),
        ("fee_type", "CNY".to_owned()),
        ("total_fee", fen.clone()),
        ("cash_fee", fen),
        ("transaction_id", order.transaction_id.clone()),
        ("out_trade_no", order.terms.key.number.clone()),
        ("time_end", fourteen(order.paid_at.unwrap_or_default())),
    ];
    told.extend(order.terms.key.account.sub_mchid.clone().map(|sub| ("sub_mch_id", sub)));
    told.extend(order.terms.attach.clone().map(|attach| ("attach", attach)));
    told
}
