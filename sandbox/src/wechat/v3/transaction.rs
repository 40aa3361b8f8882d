//! An order as queries, code pay and notices show it (reference/wechatpay.md 4.1).

use serde_json::{Map, Value, json};

use super::super::order::Order;
use super::super::times::rfc3339;
use super::super::world::World;

/// The order. What is not known before the payment is absent.
pub(crate) fn transaction(world: &World, order: &Order) -> Value {
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
    let terms = &order.terms;
    match &terms.key.account.sub_mchid {
        None => {
            put("appid", json!(terms.appid));
            put("mchid", json!(terms.key.account.mchid));
        }
        Some(sub_mchid) => {
            put("sp_appid", json!(terms.appid));
            put("sp_mchid", json!(terms.key.account.mchid));
            if let Some(sub_appid) = &terms.sub_appid {
                put("sub_appid", json!(sub_appid));
            }
            put("sub_mchid", json!(sub_mchid));
        }
    }
    put("out_trade_no", json!(terms.key.number));
    put("trade_state", json!(order.state.wire()));
    put("trade_state_desc", json!(order.state.words()));
    if let Some(attach) = &terms.attach {
        put("attach", json!(attach));
    }
    if let Some(device_id) = &terms.device_id {
        put("scene_info", json!({ "device_id": device_id }));
    }
    if let Some(paid_at) = order.paid_at {
        let openid = order.buyer.as_ref().and_then(|name| world.buyers.get(name)).map(|buyer| &buyer.openid);
        put("transaction_id", json!(order.transaction_id));
        put("trade_type", json!(trade_type(order)));
        put("bank_type", json!("OTHERS"));
        put("success_time", json!(rfc3339(paid_at)));
        let payer = if terms.key.account.sub_mchid.is_some() { "sp_openid" } else { "openid" };
        put("payer", json!({ payer: openid }));
        put("amount", amount(terms.total_fen));
    }
    Value::Object(members)
}

/// `trade_type`.
pub(crate) fn trade_type(order: &Order) -> &'static str {
    use super::super::order::Origin;
    match order.terms.origin {
        Origin::Native => "NATIVE",
        Origin::PayCode => "MICROPAY",
    }
}

fn amount(total: i64) -> Value {
    json!({ "total": total, "payer_total": total, "currency": "CNY", "payer_currency": "CNY" })
}
