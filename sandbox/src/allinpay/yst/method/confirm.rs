//! 2090: releases guaranteed money, in one go or in several (reference/allinpay.md 3.5).

use super::super::super::http::{Moment, Node, Refusal};
use super::super::super::ledger::TradeState;
use super::super::super::order::{Confirm, Order, Payee};
use super::super::super::world::World;
use super::super::Yst;
use super::super::fields::{self, broken};
use super::{accepted, done, put, resp_trace_num};

pub(super) fn execute(yst: &Yst, world: &mut World, biz: &Node, moment: Moment<'_>) -> Result<Node, Refusal> {
    fields::check_trade(biz)?;
    let number = fields::new_number(biz, world)?.to_owned();
    let payees = fields::payees(yst, biz, "receiverList", "amount")?;
    if payees.is_empty() {
        return Err(broken("receiverList is missing"));
    }
    let order = fields::original(world, biz)?;
    check(order, &payees)?;
    let original = order.terms.number.clone();
    let trade_no = resp_trace_num(world, "2090", moment.now);
    let confirm = Confirm { number: number.clone(), trade_no: trade_no.clone(), payees, at: moment.now };
    world.confirm(&original, confirm);
    let mut node = if yst.options.answers_at_once { done("1") } else { accepted() };
    put(&mut node, "respTraceNum", trade_no);
    put(&mut node, "reqTraceNum", number);
    Ok(node)
}

fn check(order: &Order, payees: &[Payee]) -> Result<(), Refusal> {
    if !order.terms.guaranteed || order.state != TradeState::Paid {
        return Err(Refusal::business("40019", "原订单不是已支付的担保订单"));
    }
    if fields::sum(payees) > order.guaranteed_fen() {
        return Err(Refusal::business("40019", "确认金额超过担保余额"));
    }
    for payee in payees {
        let of = |list: &[Payee]| -> i64 {
            list.iter().filter(|each| each.sign_num == payee.sign_num).map(|each| each.fen).sum()
        };
        if of(payees) + order.confirmed_of(&payee.sign_num) > of(&order.terms.payees) {
            return Err(Refusal::business("40019", format!("确认金额超过申请金额: {}", payee.sign_num)));
        }
    }
    Ok(())
}
