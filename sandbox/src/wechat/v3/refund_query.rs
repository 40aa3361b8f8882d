//! Refund query (reference/wechatpay.md 6.1): no `mchid` in the query, the signature tells it.

use super::super::http::Moment;
use super::super::order::Account;
use super::super::refusal::Refusal;
use super::super::world::World;
use super::refund::{answer, refund_numbered};
use super::{Call, Done, parties};

pub(super) fn execute(world: &World, call: &Call<'_>, moment: Moment<'_>) -> Result<Done, Refusal> {
    call.query.only_known(&["sub_mchid"])?;
    let sub_mchid = call.query.get("sub_mchid").map(str::to_owned);
    let account = Account { mchid: call.mchid.clone(), sub_mchid };
    parties::check(call, &account, moment)?;
    let found = refund_numbered(world, &account, call.number);
    let (order, refund) = found.ok_or_else(|| Refusal::new(404, "RESOURCE_NOT_EXISTS", "退款单不存在"))?;
    Ok(Done::Json(answer(order, refund)))
}
