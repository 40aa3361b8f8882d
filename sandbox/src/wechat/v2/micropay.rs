//! `/pay/micropay` (reference/wechatpay.md 5.3, 5.4).

use std::net::IpAddr;

use serde_json::{Map, Value};

use super::super::collect::{NotCollected, PAYING, collect};
use super::super::fields::is_order_number;
use super::super::http::Moment;
use super::super::order::{Account, OrderKey, Origin, Terms, TradeState};
use super::super::world::World;
use super::order_query::paid_members;
use super::{Call, Failure, Told};

const KNOWN: [&str; 18] = [
    "device_info",
    "body",
    "detail",
    "attach",
    "out_trade_no",
    "total_fee",
    "fee_type",
    "spbill_create_ip",
    "goods_tag",
    "limit_pay",
    "time_start",
    "time_expire",
    "receipt",
    "auth_code",
    "scene_info",
    "profit_sharing",
    "deposit",
    "version",
];

const LENGTHS: [(&str, usize); 9] = [
    ("device_info", 32),
    ("detail", 6000),
    ("goods_tag", 32),
    ("limit_pay", 32),
    ("time_start", 14),
    ("time_expire", 14),
    ("receipt", 8),
    ("scene_info", 256),
    ("profit_sharing", 16),
];

pub(super) fn execute(world: &mut World, call: &Call, moment: Moment<'_>) -> Result<Told, Failure> {
    call.only_known(&KNOWN, moment)?;
    let account = call.account(moment)?;
    let terms = read(call, account)?;
    let auth_code = call.required("auth_code", 128)?;
    let key = collect(world, terms, auth_code, moment).map_err(failure)?;
    match world.orders.get(&key) {
        Some(order) if order.state == TradeState::UserPaying => Err(failure(PAYING)),
        Some(order) => Ok(paid_members(world, order)),
        None => Err(Failure::result("SYSTEMERROR", "系统错误")),
    }
}

fn failure(not: NotCollected) -> Failure {
    Failure::result(not.code, not.words)
}

fn read(call: &Call, account: Account) -> Result<Terms, Failure> {
    for (name, longest) in LENGTHS {
        call.get(name, longest)?;
    }
    for name in ["time_start", "time_expire"] {
        let fourteen = |text: &str| text.len() == 14 && text.bytes().all(|byte| byte.is_ascii_digit());
        if !call.get(name, 14)?.is_none_or(fourteen) {
            return Err(Failure::parameter(name));
        }
    }
    let number = call.required("out_trade_no", 32)?;
    // APIv2 takes shorter numbers than APIv3.
    let shaped = is_order_number(&format!("{number:0>6}"), "_-*|@");
    let total = call.required("total_fee", 12)?;
    let digits = total.bytes().all(|byte| byte.is_ascii_digit());
    let total_fen = total.parse().ok().filter(|fen| *fen > 0 && digits);
    let currency = call.get("fee_type", 16)?.unwrap_or("CNY");
    if currency != "CNY" || call.required("spbill_create_ip", 64)?.parse::<IpAddr>().is_err() || !shaped {
        return Err(Failure::parameter("fee_type, spbill_create_ip, out_trade_no"));
    }
    Ok(Terms {
        key: OrderKey { account, number: number.to_owned() },
        origin: Origin::PayCode,
        appid: call.required("appid", 32)?.to_owned(),
        sub_appid: call.get("sub_appid", 32)?.map(str::to_owned),
        description: call.required("body", 127)?.to_owned(),
        total_fen: total_fen.ok_or_else(|| Failure::parameter("total_fee"))?,
        attach: call.get("attach", 127)?.map(str::to_owned),
        device_id: call.get("device_info", 32)?.map(str::to_owned),
        request: request(call),
    })
}

/// What must be the same when a call comes again: everything but what is fresh in every call.
fn request(call: &Call) -> Value {
    let own = call.members.iter().filter(|(name, _)| !matches!(name.as_str(), "nonce_str" | "sign" | "sign_type"));
    Value::Object(own.map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect::<Map<_, _>>())
}
