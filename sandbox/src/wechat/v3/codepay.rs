//! Code pay of APIv3 (reference/wechatpay.md 5.2). Its business codes are not documented: they are those of APIv2.

use super::super::collect::{NotCollected, PAYING, collect};
use super::super::fields::{Fields, is_order_number};
use super::super::http::Moment;
use super::super::options::PayingForm;
use super::super::order::{OrderKey, Origin, Terms, TradeState};
use super::super::refusal::Refusal;
use super::super::world::World;
use super::native::{check_ip, total};
use super::parties::{self, Parties};
use super::{Call, Done, transaction};

const OWN: [&str; 10] = [
    "description",
    "out_trade_no",
    "attach",
    "goods_tag",
    "support_fapiao",
    "payer",
    "amount",
    "scene_info",
    "detail",
    "settle_info",
];

pub(super) fn execute(world: &mut World, call: &Call<'_>, moment: Moment<'_>) -> Result<Done, Refusal> {
    let fields = call.fields(moment)?;
    let (terms, parties) = read(call, &fields)?;
    let payer = fields.required_object("payer", &["auth_code"])?;
    let auth_code = payer.required("auth_code", 32)?;
    parties.check(call, moment)?;
    let key = collect(world, terms, auth_code, moment).map_err(refusal)?;
    let order = world.orders.get(&key).ok_or_else(Refusal::order_not_exist)?;
    let status = match (order.state, moment.options.paying_form) {
        (TradeState::UserPaying, PayingForm::Accepted) => 202,
        (TradeState::UserPaying, PayingForm::Refused) => 400,
        _ => return Ok(Done::Json(transaction(world, order))),
    };
    Err(Refusal::new(status, PAYING.code, PAYING.words))
}

fn refusal(not: NotCollected) -> Refusal {
    let status = if not.code == "OUT_TRADE_NO_USED" { 403 } else { 400 };
    Refusal::new(status, not.code, not.words)
}

fn read(call: &Call<'_>, fields: &Fields<'_>) -> Result<(Terms, Parties), Refusal> {
    fields.only_known(&[parties::members(call.partner), &OWN].concat())?;
    let parties = parties::of_order(call, fields)?;
    let number = fields.required("out_trade_no", 32)?;
    if !is_order_number(number, "_-*") {
        return Err(fields.wrong("out_trade_no", "商户订单号格式错误"));
    }
    fields.lengths(&[("goods_tag", 32)])?;
    fields.boolean("support_fapiao")?;
    let terms = Terms {
        key: OrderKey { account: parties.account.clone(), number: number.to_owned() },
        origin: Origin::PayCode,
        appid: parties.appid.clone().unwrap_or_default(),
        sub_appid: parties.sub_appid.clone(),
        description: fields.required("description", 127)?.to_owned(),
        total_fen: total(fields)?,
        attach: fields.text("attach", 128)?.map(str::to_owned),
        device_id: device_id(fields)?,
        request: call.body.clone(),
    };
    Ok((terms, parties))
}

fn device_id(fields: &Fields<'_>) -> Result<Option<String>, Refusal> {
    let scene = fields.required_object("scene_info", &["device_id", "device_ip", "store_info"])?;
    if let Some(ip) = scene.text("device_ip", 45)? {
        check_ip(&scene, "device_ip", ip)?;
    }
    let store = scene.required_object("store_info", &["id", "out_id"])?;
    if store.text("id", 32)?.is_none() && store.text("out_id", 256)?.is_none() {
        return Err(scene.wrong("store_info", "id与out_id二选一必填"));
    }
    Ok(scene.text("device_id", 32)?.map(str::to_owned))
}
