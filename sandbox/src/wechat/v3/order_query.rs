//! Order query by both numbers (reference/wechatpay.md 4.1).

use super::super::collect::note_query;
use super::super::http::Moment;
use super::super::order::OrderKey;
use super::super::refusal::Refusal;
use super::super::world::World;
use super::{Call, Done, parties, transaction};

pub(super) fn by_number(world: &mut World, call: &Call<'_>, moment: Moment<'_>) -> Result<Done, Refusal> {
    let account = parties::of_query(call, moment)?;
    let key = OrderKey { account, number: call.number.to_owned() };
    note_query(world, &key, moment.now);
    let order = world.orders.get(&key).filter(|order| order.hidden_until <= moment.now);
    let order = order.ok_or_else(Refusal::order_not_exist)?;
    Ok(Done::Json(transaction(world, order)))
}

pub(super) fn by_id(world: &mut World, call: &Call<'_>, moment: Moment<'_>) -> Result<Done, Refusal> {
    let account = parties::of_query(call, moment)?;
    let order = world.order_by_id(&account, call.number).filter(|order| order.hidden_until <= moment.now);
    let order = order.ok_or_else(Refusal::order_not_exist)?;
    Ok(Done::Json(transaction(world, order)))
}
