//! 2295: closes an order that nobody paid.

use super::super::super::china_time::{self, DASHED};
use super::super::super::http::{Moment, Node, Refusal};
use super::super::super::ledger::TradeState;
use super::super::super::world::World;
use super::super::fields;
use super::{done, put};

pub(super) fn execute(world: &mut World, biz: &Node, moment: Moment<'_>) -> Result<Node, Refusal> {
    fields::text(biz, "closeReason", 100)?;
    let trade_no = fields::required(biz, "orgRespTraceNum", 32)?;
    let order = world.order_by_trade_no(trade_no).ok_or_else(fields::not_found)?;
    match order.state {
        TradeState::Waiting | TradeState::Closed | TradeState::Expired => {}
        TradeState::Paid | TradeState::Cancelled | TradeState::Failed => {
            return Err(Refusal::business("40004", "订单不是未支付状态，不能关闭"));
        }
    }
    let number = order.terms.number.clone();
    world.end(&number, TradeState::Closed, moment.now);
    let ended_at = world.orders.get(&number).and_then(|order| order.ended_at).unwrap_or(moment.now);
    let mut node = done("1");
    put(&mut node, "orgRespTraceNum", trade_no);
    put(&mut node, "closeResult", "1");
    put(&mut node, "closeFinishTime", china_time::write(DASHED, ended_at));
    Ok(node)
}
