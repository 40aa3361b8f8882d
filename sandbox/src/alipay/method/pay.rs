//! `alipay.trade.pay`: collects with the buyer's pay code (reference/alipay.md 5.2, 15 item 5).

use super::super::china_time::MINUTE_MS;
use super::super::common::Biz;
use super::super::fields;
use super::super::refusal::Refusal;
use super::super::terms::{Terms, time_expire};
use super::super::trade::{Landing, Origin, Trade};
use super::super::world::World;
use super::{Moment, Node, members, put, repeat, success};

/// How long a trade waits for its buyer when the merchant asks for nothing.
const WAIT_MS: i64 = 180 * MINUTE_MS;

const OWN: [&str; 4] = ["scene", "auth_code", "terminal_params", "promo_params"];

pub(super) fn execute(world: &mut World, biz: &Biz, moment: Moment<'_>) -> Result<Node, Refusal> {
    let terms = Terms::read(biz, &OWN, moment)?;
    check_scene(biz)?;
    let code = fields::auth_code(biz)?;
    let number = terms.out_trade_no.clone();
    let relative = fields::timeout(biz, "timeout_express", moment.now)?;
    if repeat::standing(world, &terms, Origin::PayCode)?.is_none() {
        let absolute = time_expire(biz, moment.now)?;
        let deadline = absolute.or(relative).unwrap_or(moment.now + WAIT_MS);
        collect(world, terms, code, moment, deadline)?;
    }
    world.trades.get(&number).map(|trade| answer(world, trade)).ok_or_else(super::super::world::trade_not_exist)
}

/// Makes the trade and, when nothing speaks against it, takes the money at once.
fn collect(world: &mut World, terms: Terms, code: &str, moment: Moment<'_>, deadline: i64) -> Result<(), Refusal> {
    let buyer = buyer_of_code(world, code, moment.now)?;
    let (number, amount) = (terms.out_trade_no.clone(), terms.amount_fen);
    world.can_pay(&buyer, &terms).map_err(|_| cannot_pay(&terms))?;
    let account = world.buyers.get(&buyer);
    let confirms = moment.buyer_confirms || amount > moment.options.no_confirm_limit_fen;
    let auto = account.is_some_and(|account| account.auto_confirm);
    if let Some(used) = world.pay_codes.get_mut(code) {
        used.used_by = Some(number.clone());
    }
    world.open_trade(terms, Origin::PayCode, &buyer, moment.now, deadline);
    if !confirms {
        world.charge(&number, moment.now);
    } else if auto {
        // The answer is still 10003: the thumb is quick, but not quicker than the gateway.
        world.landings.push(Landing { out_trade_no: number, at: moment.now, despite_close: false });
    }
    Ok(())
}

fn cannot_pay(terms: &Terms) -> Refusal {
    match terms.plan {
        Some(_) => Refusal::business("ACQ.NO_PAYMENT_INSTRUMENTS_AVAILABLE", "没有可用的支付工具"),
        None => Refusal::business("ACQ.BUYER_BALANCE_NOT_ENOUGH", "买家余额不足"),
    }
}

fn buyer_of_code(world: &World, code: &str, now: i64) -> Result<String, Refusal> {
    world
        .pay_codes
        .get(code)
        .filter(|code| code.used_by.is_none() && code.expires_at > now)
        .map(|code| code.buyer.clone())
        .ok_or_else(|| {
            Refusal::business(
                "ACQ.PAYMENT_AUTH_CODE_INVALID",
                "支付失败，获取顾客账户信息失败，请顾客刷新付款码后重新收款",
            )
        })
}

fn check_scene(biz: &Biz) -> Result<(), Refusal> {
    if fields::required(biz, "scene", 32)? == "bar_code" {
        return Ok(());
    }
    Err(Refusal::business("ACQ.UN_SUPPORT_TRADE_SCENE", "the sandbox's buyers show bar codes only"))
}

/// 10000 when paid, 10003 with its leading blank while the buyer confirms.
fn answer(world: &World, trade: &Trade) -> Node {
    let mut node = success();
    if trade.is_waiting() {
        put(&mut node, "code", "10003");
        put(&mut node, "msg", " order success pay inprocess");
    }
    members::put_trade(&mut node, world, trade);
    members::put_payment_time(&mut node, "gmt_payment", trade);
    members::put_funds(&mut node, trade, &trade.terms.biz);
    node
}
