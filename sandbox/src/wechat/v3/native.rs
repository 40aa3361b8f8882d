//! Native order: a code that the buyer scans (reference/wechatpay.md 3).

use std::net::IpAddr;

use serde_json::json;

use super::super::collect::hidden_until;
use super::super::fields::{Fields, is_order_number};
use super::super::http::Moment;
use super::super::order::{Order, OrderKey, Origin, Terms, TradeState};
use super::super::refusal::Refusal;
use super::super::times::read_rfc3339;
use super::super::world::{Times, World};
use super::parties::{self, Parties};
use super::{Call, Done};

const MINUTE_MS: i64 = 60_000;

const OWN: [&str; 11] = [
    "description",
    "out_trade_no",
    "notify_url",
    "amount",
    "time_expire",
    "attach",
    "goods_tag",
    "support_fapiao",
    "scene_info",
    "detail",
    "settle_info",
];

pub(super) fn execute(world: &mut World, call: &Call<'_>, moment: Moment<'_>) -> Result<Done, Refusal> {
    let fields = call.fields(moment)?;
    let (terms, times, parties) = read(call, &fields, moment)?;
    parties.check(call, moment)?;
    let key = match world.orders.get(&terms.key) {
        Some(standing) => repeat(standing, &terms)?,
        None => open(world, terms, times, moment),
    };
    let text = world.make_code(&key, moment.now + moment.options.code_life_ms);
    Ok(Done::Json(json!({ "code_url": text })))
}

fn read(call: &Call<'_>, fields: &Fields<'_>, moment: Moment<'_>) -> Result<(Terms, Times, Parties), Refusal> {
    let own: &[&str] = if call.partner { &["limit_pay"] } else { &[] };
    fields.only_known(&[parties::members(call.partner), &OWN, own].concat())?;
    let parties = parties::of_order(call, fields)?;
    let number = fields.required("out_trade_no", 32)?;
    if !is_order_number(number, "_-*|") {
        return Err(fields.wrong("out_trade_no", "商户订单号格式错误"));
    }
    check_notify_url(fields)?;
    fields.lengths(&[("goods_tag", 32)])?;
    fields.boolean("support_fapiao")?;
    fields.object("settle_info", &["profit_sharing"])?.map_or(Ok(None), |info| info.boolean("profit_sharing"))?;
    check_limit_pay(call, fields)?;
    check_detail(call, fields)?;
    let terms = Terms {
        key: OrderKey { account: parties.account.clone(), number: number.to_owned() },
        origin: Origin::Native,
        appid: parties.appid.clone().unwrap_or_default(),
        sub_appid: parties.sub_appid.clone(),
        description: fields.required("description", 127)?.to_owned(),
        total_fen: total(fields)?,
        attach: fields.text("attach", 128)?.map(str::to_owned),
        device_id: device_id(fields)?,
        request: call.body.clone(),
    };
    let payable_until = payable_until(fields, moment)?;
    let ends_at = moment.now + moment.options.order_life_ms;
    Ok((terms, Times { now: moment.now, payable_until, ends_at }, parties))
}

/// The amount of an order.
pub(super) fn total(fields: &Fields<'_>) -> Result<i64, Refusal> {
    let amount = fields.required_object("amount", &["total", "currency"])?;
    if amount.text("currency", 16)?.is_some_and(|currency| currency != "CNY") {
        return Err(amount.wrong("currency", "仅支持人民币CNY"));
    }
    amount.fen("total")
}

/// An address that WeChat can reach: https, a public name, no query.
fn check_notify_url(fields: &Fields<'_>) -> Result<(), Refusal> {
    let url = fields.required("notify_url", 255)?;
    let rest = url.strip_prefix("https://").ok_or_else(|| fields.wrong("notify_url", "必须为https"))?;
    let authority = rest.split('/').next().unwrap_or_default();
    let host = authority.split(':').next().unwrap_or_default();
    if host.parse::<IpAddr>().is_ok() || host == "localhost" || !host.contains('.') || url.contains(['?', '#']) {
        return Err(fields.wrong("notify_url", "必须为外网可访问的域名，且不能携带参数"));
    }
    Ok(())
}

fn device_id(fields: &Fields<'_>) -> Result<Option<String>, Refusal> {
    let Some(scene) = fields.object("scene_info", &["payer_client_ip", "device_id", "store_info"])? else {
        return Ok(None);
    };
    check_ip(&scene, "payer_client_ip", scene.required("payer_client_ip", 45)?)?;
    if let Some(store) = scene.object("store_info", &["id", "name", "area_code", "address"])? {
        store.required("id", 32)?;
        store.lengths(&[("name", 256), ("area_code", 32), ("address", 512)])?;
    }
    Ok(scene.text("device_id", 32)?.map(str::to_owned))
}

/// An address in numbers.
pub(super) fn check_ip(fields: &Fields<'_>, name: &str, text: &str) -> Result<(), Refusal> {
    text.parse::<IpAddr>().map(|_| ()).map_err(|_| fields.wrong(name, "不是合法的IP地址"))
}

/// The ways to pay that are excluded: a list of known words.
fn check_limit_pay(call: &Call<'_>, fields: &Fields<'_>) -> Result<(), Refusal> {
    const KNOWN: [&str; 4] = ["no_credit", "no_debit", "no_balance", "balance_only"];
    let Some(limits) = call.body.get("limit_pay") else {
        return Ok(());
    };
    let words = limits.as_array().into_iter().flatten();
    let known =
        limits.is_array() && words.into_iter().all(|word| word.as_str().is_some_and(|word| KNOWN.contains(&word)));
    if known { Ok(()) } else { Err(fields.wrong("limit_pay", "不支持的支付方式限制")) }
}

fn check_detail(call: &Call<'_>, fields: &Fields<'_>) -> Result<(), Refusal> {
    let Some(detail) = fields.object("detail", &["cost_price", "invoice_id", "goods_detail"])? else {
        return Ok(());
    };
    if call.body.get("detail").is_some_and(|detail| detail.to_string().len() > 6144) {
        return Err(fields.wrong("detail", "超过最大长度"));
    }
    detail.integer("cost_price")?;
    detail.lengths(&[("invoice_id", 32)])?;
    let known = ["merchant_goods_id", "wechatpay_goods_id", "goods_name", "quantity", "unit_price"];
    for goods in detail.objects("goods_detail", &known)? {
        goods.required("merchant_goods_id", 32)?;
        goods.lengths(&[("wechatpay_goods_id", 32), ("goods_name", 256)])?;
        goods.fen("quantity")?;
        goods.fen("unit_price")?;
    }
    Ok(())
}

/// A `time_expire` too near is lifted to a minute, one too far is cut.
fn payable_until(fields: &Fields<'_>, moment: Moment<'_>) -> Result<i64, Refusal> {
    let latest = moment.now + moment.options.order_life_ms;
    let Some(text) = fields.text("time_expire", 64)? else {
        return Ok(latest);
    };
    let wished = read_rfc3339(text).ok_or_else(|| fields.wrong("time_expire", "不是带时区的RFC3339时间"))?;
    Ok(wished.clamp(moment.now + MINUTE_MS, latest))
}

/// The same number again: the same request gets a fresh code, another is refused.
fn repeat(standing: &Order, terms: &Terms) -> Result<OrderKey, Refusal> {
    if standing.terms.origin != Origin::Native || standing.terms.request != terms.request {
        return Err(Refusal::new(403, "OUT_TRADE_NO_USED", "商户订单号重复"));
    }
    match standing.state {
        TradeState::NotPay | TradeState::UserPaying => Ok(standing.terms.key.clone()),
        TradeState::Success | TradeState::Refund => Err(Refusal::new(400, "INVALID_REQUEST", "该订单已支付")),
        TradeState::Closed | TradeState::Revoked | TradeState::PayError => {
            Err(Refusal::new(400, "ORDER_CLOSED", "该订单已关闭"))
        }
    }
}

fn open(world: &mut World, terms: Terms, times: Times, moment: Moment<'_>) -> OrderKey {
    let key = world.open_order(terms, TradeState::NotPay, times);
    if let Some(order) = world.orders.get_mut(&key) {
        order.hidden_until = hidden_until(moment);
    }
    key
}
