//! Notices: signed and encrypted, as the channel would send them (reference/wechatpay.md 7). Nothing posts them: Till
//! lives by queries.

use serde_json::{Value, json};

use super::keys::{APIV3_KEY, GatewayKeys};
use super::order::{Account, Order, Refund, RefundState};
use super::world::World;
use super::{aead, times, v3};

/// A notice as it would arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The headers that matter, by name.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte.
    pub body: String,
}

/// What is in a notice before it is encrypted.
struct Event<'a> {
    event_type: &'a str,
    summary: &'a str,
    original_type: &'a str,
    plain: Value,
}

/// The notice of a payment. Only a success is told.
pub(crate) fn of_payment(world: &mut World, keys: &GatewayKeys, number: &str, now: i64) -> Option<Notice> {
    let order = world.order_numbered(number).filter(|order| order.is_paid())?;
    let mut plain = v3::transaction(world, order);
    let members = plain.as_object_mut()?;
    members.insert("trade_state".to_owned(), "SUCCESS".into());
    members.insert("trade_state_desc".to_owned(), "支付成功".into());
    let event =
        Event { event_type: "TRANSACTION.SUCCESS", summary: "支付成功", original_type: "transaction", plain };
    notice(world, keys, &event, now)
}

/// The notice of a refund that has ended.
pub(crate) fn of_refund(world: &mut World, keys: &GatewayKeys, number: &str, now: i64) -> Option<Notice> {
    let refunds = world.orders.values().flat_map(|order| order.refunds.iter().map(move |refund| (order, refund)));
    let (order, refund) = refunds.into_iter().find(|(_, refund)| refund.number.as_deref() == Some(number))?;
    let (event_type, summary) = match refund.state {
        RefundState::Processing => return None,
        RefundState::Success => ("REFUND.SUCCESS", "退款成功"),
        RefundState::Closed => ("REFUND.CLOSED", "退款关闭"),
        RefundState::Abnormal => ("REFUND.ABNORMAL", "退款异常"),
    };
    let event = Event { event_type, summary, original_type: "refund", plain: refund_plain(order, refund) };
    notice(world, keys, &event, now)
}

/// The notice of anything else, with this content.
pub(crate) fn of_event(
    world: &mut World,
    keys: &GatewayKeys,
    (event_type, original_type): (&str, &str),
    plain: Value,
    now: i64,
) -> Option<Notice> {
    notice(world, keys, &Event { event_type, summary: "商户通知", original_type, plain }, now)
}

fn refund_plain(order: &Order, refund: &Refund) -> Value {
    let mut plain = parties(&order.terms.key.account);
    let amount = json!({
        "total": order.terms.total_fen,
        "refund": refund.fen,
        "payer_total": order.terms.total_fen,
        "payer_refund": refund.fen,
    });
    let own = json!({
        "out_trade_no": order.terms.key.number,
        "transaction_id": order.transaction_id,
        "out_refund_no": refund.number,
        "refund_id": refund.refund_id,
        "refund_status": refund.state.wire(),
        "user_received_account": "支付用户零钱",
        "amount": amount,
    });
    if let (Some(members), Value::Object(own)) = (plain.as_object_mut(), own) {
        members.extend(own);
        if refund.state == RefundState::Success {
            members.insert("success_time".to_owned(), times::rfc3339(refund.ends_at).into());
        }
    }
    plain
}

fn parties(account: &Account) -> Value {
    match &account.sub_mchid {
        Some(sub_mchid) => json!({ "sp_mchid": account.mchid, "sub_mchid": sub_mchid }),
        None => json!({ "mchid": account.mchid }),
    }
}

fn notice(world: &mut World, keys: &GatewayKeys, event: &Event<'_>, now: i64) -> Option<Notice> {
    let nonce = world.letters(12);
    let ciphertext = aead::seal(APIV3_KEY, &nonce, event.original_type, &event.plain.to_string())?;
    let body = json!({
        "id": format!("{}-0000-5000-8000-{}", world.letters(8), world.letters(12)),
        "create_time": times::rfc3339(now),
        "resource_type": "encrypt-resource",
        "event_type": event.event_type,
        "summary": event.summary,
        "resource": {
            "original_type": event.original_type,
            "algorithm": "AEAD_AES_256_GCM",
            "ciphertext": ciphertext,
            "associated_data": event.original_type,
            "nonce": nonce,
        },
    });
    let body = body.to_string();
    let (timestamp, nonce) = (now.div_euclid(1000).to_string(), world.letters(32));
    let id = keys.signing_id(None, world.rotated);
    let signature = keys.sign(id, format!("{timestamp}\n{nonce}\n{body}\n").as_bytes());
    let headers = [
        ("Wechatpay-Timestamp", timestamp),
        ("Wechatpay-Nonce", nonce),
        ("Wechatpay-Serial", id.to_owned()),
        ("Wechatpay-Signature", signature),
        ("Wechatpay-Signature-Type", "WECHATPAY2-SHA256-RSA2048".to_owned()),
        ("Content-Type", "application/json".to_owned()),
    ];
    Some(Notice { headers: headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(), body })
}
