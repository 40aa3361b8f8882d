//! `/tranx/cancel` and `/tranx/refund`: both need a new `reqsn` and the right sum (reference/allinpay.md 2.3).

use super::super::super::china_time;
use super::super::super::http::{Moment, Node, Refusal};
use super::super::super::ledger::TradeState;
use super::super::super::order::{Order, Refund, RefundState, Why};
use super::super::super::world::World;
use super::super::Vsp;
use super::super::fields;
use super::super::form::Form;
use super::query::refund_node;
use super::{old_order, trxid};

pub(super) fn cancel(vsp: &Vsp, world: &mut World, form: &Form, moment: Moment<'_>) -> Result<Node, Refusal> {
    let (reqsn, fen) = new_return(form, world)?;
    let order = old_order(world, form)?;
    if fen != order.terms.amount_fen {
        return Err(refuse("撤销金额必须等于原交易金额"));
    }
    check_cancel(vsp, order, moment.now)?;
    let (number, unpaid) = (order.terms.number.clone(), order.is_waiting());
    let refund = new_refund(world, reqsn, if unpaid { 0 } else { fen }, Why::Cancel, moment.now);
    if unpaid {
        world.end(&number, TradeState::Closed, moment.now);
    } else if !world.can_return(fen) {
        return Err(short(vsp, world, &number, refund));
    }
    let undecided = moment.undecided.filter(|_| !unpaid);
    Ok(give_back(world, &number, refund, undecided))
}

pub(super) fn refund(vsp: &Vsp, world: &mut World, form: &Form, moment: Moment<'_>) -> Result<Node, Refusal> {
    let (reqsn, fen) = new_return(form, world)?;
    let order = old_order(world, form)?;
    match order.state {
        TradeState::Paid => {}
        TradeState::Cancelled => return Err(refuse("原交易已撤销")),
        TradeState::Waiting | TradeState::Closed | TradeState::Expired | TradeState::Failed => {
            return Err(refuse("原交易未支付"));
        }
    }
    if fen > order.returnable_fen() {
        return Err(refuse("退款金额超过可退金额"));
    }
    let number = order.terms.number.clone();
    let refund = new_refund(world, reqsn, fen, Why::Refund, moment.now);
    if !world.can_return(fen) {
        return Err(short(vsp, world, &number, refund));
    }
    Ok(give_back(world, &number, refund, moment.undecided))
}

fn refuse(text: &str) -> Refusal {
    Refusal::business("3999", text)
}

fn new_return(form: &Form, world: &World) -> Result<(String, i64), Refusal> {
    let reqsn = fields::new_reqsn(form, world)?.to_owned();
    Ok((reqsn, fields::trxamt(form)?))
}

fn check_cancel(vsp: &Vsp, order: &Order, now: i64) -> Result<(), Refusal> {
    match order.state {
        TradeState::Waiting => return Ok(()),
        TradeState::Paid => {}
        TradeState::Cancelled => return Err(refuse("原交易已撤销")),
        TradeState::Closed | TradeState::Expired | TradeState::Failed => {
            return Err(Refusal::business("3089", "撤销异常"));
        }
    }
    if order.returnable_fen() != order.charged_fen {
        return Err(refuse("原交易已退款，不能撤销"));
    }
    if vsp.options.cancel_same_day && china_time::day(order.created_at) != china_time::day(now) {
        return Err(refuse("非当日交易请使用退货"));
    }
    Ok(())
}

fn new_refund(world: &World, number: String, fen: i64, why: Why, now: i64) -> Refund {
    Refund {
        number,
        trade_no: trxid(world, now),
        why,
        fen,
        state: RefundState::Pending,
        failure: "",
        at: now,
        notify_url: None,
        from_payees: Vec::new(),
    }
}

/// The merchant has not enough; the number may be used up all the same.
fn short(vsp: &Vsp, world: &mut World, order: &str, refund: Refund) -> Refusal {
    if vsp.options.failed_refunds_use_number {
        world.refuse_refund(order, Refund { failure: "3008", ..refund });
    }
    Refusal::business("3008", "商户余额不足")
}

fn give_back(world: &mut World, order: &str, refund: Refund, undecided: Option<(u64, bool)>) -> Node {
    let number = refund.number.clone();
    world.give_back(order, refund, undecided);
    let order = world.orders.get(order);
    let done = order.and_then(|order| Some(refund_node(order, order.refund(&number)?)));
    done.unwrap_or_default()
}
