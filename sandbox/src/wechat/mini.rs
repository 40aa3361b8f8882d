//! The part of `api.weixin.qq.com`: a token, and the delivery of a mini-program's orders (reference/wechatpay.md 9.2).

use serde_json::{Value, json};

use super::fields::Fields;
use super::http::{Incoming, Moment, Said};
use super::keys::APP_SECRET;
use super::operation::Operation;
use super::order::{Order, OrderKey};
use super::query::Query;
use super::refusal::Refusal;
use super::reply::Reply;
use super::times::read_rfc3339;
use super::world::World;

/// How long a token lives.
const TOKEN_LIFE_MS: i64 = 7_200_000;

/// An `errcode` and its `errmsg`.
struct Wrong(i64, &'static str);

impl From<Refusal> for Wrong {
    fn from(_: Refusal) -> Self {
        Self(47001, "data format error")
    }
}

/// Answers a request: always HTTP 200.
pub(crate) fn call(world: &mut World, incoming: &Incoming, operation: Operation, moment: Moment<'_>) -> Said {
    let body: Option<Value> = serde_json::from_slice(&incoming.body).ok();
    let out_trade_no = body
        .as_ref()
        .and_then(|body| body.pointer("/order_key/out_trade_no"))
        .and_then(Value::as_str)
        .map(str::to_owned);
    let result = if operation == Operation::Token {
        token(world, incoming, moment)
    } else {
        upload(world, incoming, body, moment)
    };
    let executed = moment.executes && result.is_ok();
    let forced = moment.forced_code().map(|(_, code)| code.parse().unwrap_or(-1));
    let result = match (result, forced) {
        (Ok(_), Some(code)) => Err(Wrong(code, "made by the sandbox's weather")),
        (result, _) => result,
    };
    let code = result.as_ref().err().map(|wrong| wrong.0.to_string());
    let answer = result.unwrap_or_else(|Wrong(code, words)| json!({ "errcode": code, "errmsg": words }));
    Said {
        reply: Reply::of(200, "application/json; encoding=utf-8", answer.to_string().into_bytes()),
        code,
        executed,
        out_trade_no,
    }
}

fn token(world: &mut World, incoming: &Incoming, moment: Moment<'_>) -> Result<Value, Wrong> {
    let query = Query::read(&incoming.query)?;
    if query.get("grant_type") != Some("client_credential") {
        return Err(Wrong(40002, "invalid grant_type"));
    }
    if query.get("appid") != Some(&moment.options.appid) {
        return Err(Wrong(40013, "invalid appid"));
    }
    if query.get("secret") != Some(APP_SECRET) {
        return Err(Wrong(40125, "invalid appsecret"));
    }
    let token = world.letters(64);
    if moment.executes {
        world.tokens.insert(token.clone(), moment.now + TOKEN_LIFE_MS);
    }
    Ok(json!({ "access_token": token, "expires_in": TOKEN_LIFE_MS / 1000 }))
}

fn upload(world: &mut World, incoming: &Incoming, body: Option<Value>, moment: Moment<'_>) -> Result<Value, Wrong> {
    let query = Query::read(&incoming.query)?;
    match query.get("access_token").and_then(|token| world.tokens.get(token)) {
        None => return Err(Wrong(40001, "invalid credential, access_token is invalid or not latest")),
        Some(until) if *until <= moment.now => return Err(Wrong(42001, "access_token expired")),
        Some(_) => {}
    }
    let mut body = body.ok_or(Wrong(47001, "data format error"))?;
    let key = check(world, &body, moment)?;
    // When it was uploaded does not make it another delivery.
    if let Some(members) = body.as_object_mut() {
        members.remove("upload_time");
    }
    let order = world.orders.get_mut(&key).ok_or(not_there())?;
    if order.deliveries.last() == Some(&body) {
        return Err(Wrong(10_060_002, "支付单已完成发货，无法继续发货"));
    }
    if order.deliveries.len() >= 2 {
        return Err(Wrong(10_060_003, "支付单已使用重新发货机会"));
    }
    if moment.executes {
        order.deliveries.push(body);
    }
    Ok(json!({ "errcode": 0, "errmsg": "ok" }))
}

fn not_there() -> Wrong {
    Wrong(10_060_001, "支付单不存在")
}

const KNOWN: [&str; 7] =
    ["order_key", "logistics_type", "delivery_mode", "is_all_delivered", "shipping_list", "upload_time", "payer"];

/// The order that is delivered: paid, by this buyer, and long enough ago to be known here.
fn check(world: &World, body: &Value, moment: Moment<'_>) -> Result<OrderKey, Wrong> {
    let fields = Fields::of(body, moment.options.refuse_unknown_fields)?;
    fields.only_known(&KNOWN)?;
    let logistics = fields.integer("logistics_type")?;
    let mode = fields.integer("delivery_mode")?;
    let shipping = fields.objects("shipping_list", &["tracking_no", "express_company", "item_desc", "contact"])?;
    let all = fields.boolean("is_all_delivered")?;
    if !matches!(logistics, Some(1..=4)) || !matches!(mode, Some(1 | 2)) || mode == Some(2) && all.is_none() {
        return Err(Wrong(10_060_031, "物流类型或发货模式有误"));
    }
    if shipping.is_empty() || shipping.len() > 10 || mode == Some(1) && shipping.len() != 1 {
        return Err(Wrong(10_060_004, "发货列表有误"));
    }
    for item in &shipping {
        item.required("item_desc", 120)?;
        if logistics == Some(1) {
            item.required("tracking_no", 128)?;
            item.required("express_company", 128)?;
        }
    }
    check_time(fields.required("upload_time", 64)?)?;
    let payer = fields.required_object("payer", &["openid"])?.required("openid", 128)?;
    let order = named(world, &fields)?.ok_or(not_there())?;
    let known = order.paid_at.is_some_and(|at| at + moment.options.delivery_lag_ms <= moment.now);
    let buyer = order.buyer.as_ref().and_then(|name| world.buyers.get(name));
    if !known {
        return Err(not_there());
    }
    if buyer.is_none_or(|buyer| buyer.openid != payer) {
        return Err(Wrong(10_060_024, "支付者与支付单不一致"));
    }
    Ok(order.terms.key.clone())
}

/// RFC 3339 with milliseconds and a zone.
fn check_time(text: &str) -> Result<(), Wrong> {
    let wrong = || Wrong(10_060_023, "上传时间有误");
    let (seconds, rest) = text.split_once('.').ok_or_else(wrong)?;
    let (milliseconds, zone) = rest.split_at_checked(3).ok_or_else(wrong)?;
    let digits = milliseconds.bytes().all(|byte| byte.is_ascii_digit());
    read_rfc3339(&format!("{seconds}{zone}")).filter(|_| digits).map(|_| ()).ok_or_else(wrong)
}

fn named<'w>(world: &'w World, fields: &Fields<'_>) -> Result<Option<&'w Order>, Wrong> {
    let known = ["order_number_type", "transaction_id", "mchid", "out_trade_no"];
    let key = fields.required_object("order_key", &known)?;
    match key.integer("order_number_type")? {
        Some(1) => {
            let (mchid, number) = (key.required("mchid", 32)?, key.required("out_trade_no", 32)?);
            let mut orders = world.orders.values();
            Ok(orders.find(|order| order.terms.key.number == number && order.terms.key.account.payee() == mchid))
        }
        Some(2) => {
            let id = key.required("transaction_id", 64)?;
            Ok(world.orders.values().find(|order| order.transaction_id == id))
        }
        Some(_) | None => Err(Wrong(47001, "data format error")),
    }
}
