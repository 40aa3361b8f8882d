//! 2294: returns money. Guaranteed money that was confirmed comes back from the payees that `refundDetail` names, money
//! not yet confirmed from the guarantee account (reference/allinpay.md 3.5).

use super::super::super::http::{Moment, Node, Refusal};
use super::super::super::ledger::TradeState;
use super::super::super::order::{Order, Payee, Refund, RefundState, Why};
use super::super::super::world::World;
use super::super::Yst;
use super::super::fields::{self, broken};
use super::{accepted, done, put, resp_trace_num};

pub(super) fn execute(yst: &Yst, world: &mut World, biz: &Node, moment: Moment<'_>) -> Result<Node, Refusal> {
    fields::check_trade(biz)?;
    let number = fields::new_number(biz, world)?.to_owned();
    let fen = fields::payable(biz, "orderAmount")?;
    let from_payees = fields::payees(yst, biz, "refundDetail", "orderAmount")?;
    let order = fields::original(world, biz)?;
    check(order, fen, &from_payees)?;
    if !world.can_return(fen) {
        return Err(Refusal::business("40014", "账户余额不足"));
    }
    let from_payees = if order.terms.guaranteed { from_payees } else { Vec::new() };
    let original = order.terms.number.clone();
    let trade_no = resp_trace_num(world, "2294", moment.now);
    let refund = Refund {
        number: number.clone(),
        trade_no: trade_no.clone(),
        why: Why::Refund,
        fen,
        state: RefundState::Pending,
        failure: "",
        at: moment.now,
        notify_url: fields::notify_url(biz)?,
        from_payees,
    };
    world.give_back(&original, refund, moment.undecided);
    let told = yst.options.answers_at_once && moment.undecided.is_none();
    let mut node = if told { done("1") } else { accepted() };
    put(&mut node, "respTraceNum", trade_no);
    put(&mut node, "reqTraceNum", number);
    Ok(node)
}

fn check(order: &Order, fen: i64, from: &[Payee]) -> Result<(), Refusal> {
    match order.state {
        TradeState::Paid => {}
        TradeState::Waiting | TradeState::Closed | TradeState::Expired | TradeState::Failed => {
            return Err(Refusal::business("40041", "订单未支付，不能退款"));
        }
        TradeState::Cancelled => return Err(Refusal::business("40019", "订单状态不允许退款")),
    }
    if fen > order.returnable_fen() {
        return Err(Refusal::business("40019", "退款金额超过可退金额"));
    }
    if !from.is_empty() && fields::sum(from) != fen {
        return Err(broken("refundDetail: its amounts make orderAmount"));
    }
    if order.terms.guaranteed { check_guaranteed(order, fen, from) } else { Ok(()) }
}

fn check_guaranteed(order: &Order, fen: i64, from: &[Payee]) -> Result<(), Refusal> {
    if from.is_empty() && fen > order.guaranteed_fen() {
        return Err(Refusal::business("40014", "担保余额不足: refundDetail says who gives back"));
    }
    let short = |payee: &&Payee| {
        let asked: i64 = from.iter().filter(|each| each.sign_num == payee.sign_num).map(|each| each.fen).sum();
        asked > order.held_fen(&payee.sign_num)
    };
    match from.iter().find(short) {
        Some(payee) => Err(Refusal::business("40014", format!("账户余额不足: {}", payee.sign_num))),
        None => Ok(()),
    }
}
