//! Close (reference/wechatpay.md 4.2): 204 and a signed empty body, as often as one likes.

use super::super::http::Moment;
use super::super::order::{OrderKey, Origin, TradeState};
use super::super::refusal::Refusal;
use super::super::weather::Fault;
use super::super::world::World;
use super::{Call, Done, parties};

pub(super) fn execute(world: &mut World, call: &Call<'_>, moment: Moment<'_>) -> Result<Done, Refusal> {
    let fields = call.fields(moment)?;
    fields.only_known(if call.partner { &["sp_mchid", "sub_mchid"] } else { &["mchid"] })?;
    let account = parties::of_body(call, &fields)?;
    parties::check(call, &account, moment)?;
    let key = OrderKey { account, number: call.number.to_owned() };
    let order = world.orders.get_mut(&key).ok_or_else(Refusal::order_not_exist)?;
    if order.terms.origin == Origin::PayCode {
        return Err(Refusal::new(400, "INVALID_REQUEST", "付款码支付订单只能撤销，不能关单"));
    }
    match order.state {
        TradeState::Success | TradeState::Refund => Err(Refusal::new(400, "ORDER_PAID", "该订单已支付")),
        TradeState::NotPay | TradeState::UserPaying if moment.has(&Fault::CloseWhilePaying) => {
            Err(Refusal::new(202, "USERPAYING", "用户支付中，需要输入密码"))
        }
        TradeState::NotPay | TradeState::UserPaying => {
            order.state = TradeState::Closed;
            Ok(Done::Nothing)
        }
        TradeState::Closed | TradeState::Revoked | TradeState::PayError => Ok(Done::Nothing),
    }
}
