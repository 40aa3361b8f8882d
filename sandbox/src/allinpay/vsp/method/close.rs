//! `/unitorder/close`, `/tranx/close` and `/unitorder/closenative`: close an unpaid order of their kind.

use super::super::super::http::{Moment, Node, Refusal};
use super::super::super::ledger::TradeState;
use super::super::super::order::Origin;
use super::super::super::world::World;
use super::super::form::Form;
use super::{old_order, put, status};

pub(super) fn execute(world: &mut World, form: &Form, moment: Moment<'_>, native: bool) -> Result<Node, Refusal> {
    let order = old_order(world, form)?;
    let aggregated = matches!(order.origin, Origin::Code { aggregated: true, .. });
    if aggregated != native {
        return Err(Refusal::business("3999", "交易类型不支持此关单接口"));
    }
    match order.state {
        TradeState::Waiting | TradeState::Closed => {}
        TradeState::Paid | TradeState::Cancelled => return Err(Refusal::business("3999", "订单已支付，不能关闭")),
        TradeState::Expired => return Err(Refusal::business("3088", "交易未支付(超时)")),
        TradeState::Failed => return Err(Refusal::business("3999", "原交易失败")),
    }
    let (number, trxid) = (order.terms.number.clone(), order.trade_no.clone());
    world.end(&number, TradeState::Closed, moment.now);
    let mut node = status("0000", "");
    put(&mut node, "trxid", trxid);
    put(&mut node, "reqsn", number);
    Ok(node)
}
