//! `/unitorder/scanqrpay`: collects with the buyer's pay code. The gateway tells the wallets apart by the code.

use super::super::super::buyers::App;
use super::super::super::http::{Moment, Node, Refusal};
use super::super::super::ledger::TradeState;
use super::super::super::order::{Origin, Terms};
use super::super::super::world::{Due, World};
use super::super::fields;
use super::super::form::Form;
use super::super::open::parameter;
use super::{put, put_payment, status, terms, trxid};

pub(super) fn execute(world: &mut World, form: &Form, moment: Moment<'_>) -> Result<Node, Refusal> {
    let code = fields::required(form, "authcode", 32)?;
    if code.len() < 16 || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(parameter("authcode: 16 to 24 digits"));
    }
    let termno = fields::filed_terminal(form, world)?;
    let terms = Terms { termno, ..terms(form, world, "scanqrpay")? };
    let (number, amount) = (terms.number.clone(), terms.amount_fen);
    let payer = use_code(world, code, moment.now);
    let trxid = trxid(world, moment.now);
    let deadline = moment.now + moment.house.confirm_life_ms;
    world.open_order(terms, trxid, Origin::PayCode, moment.now, deadline);
    collect(world, &number, amount, payer, moment)?;
    answer(world, &number)
}

/// Whose code it is; from now on it is used.
fn use_code(world: &mut World, code: &str, now: i64) -> Option<(String, App)> {
    let found = world.pay_codes.get_mut(code).filter(|found| !found.used && found.expires_at > now)?;
    found.used = true;
    Some((found.buyer.clone(), found.app))
}

/// Takes the money at once when nothing speaks against it. A trade that fails stays, with its number.
fn collect(
    world: &mut World,
    number: &str,
    fen: i64,
    payer: Option<(String, App)>,
    moment: Moment<'_>,
) -> Result<(), Refusal> {
    let Some(payer) = payer else {
        world.end(number, TradeState::Failed, moment.now);
        return Err(Refusal::business("3999", "付款码无效或已过期"));
    };
    if let Some(order) = world.orders.get_mut(number) {
        order.openers.push(payer.clone());
    }
    if world.can_pay(&payer.0, fen).is_err() {
        world.end(number, TradeState::Failed, moment.now);
        return Err(Refusal::business("3999", "用户余额不足"));
    }
    settle_how(world, number, fen, payer, moment);
    Ok(())
}

fn settle_how(world: &mut World, number: &str, fen: i64, payer: (String, App), moment: Moment<'_>) {
    let auto = world.buyers.get(&payer.0).is_some_and(|buyer| buyer.auto_confirm);
    let number = number.to_owned();
    if let Some((ms, fails)) = moment.undecided {
        let due = if fails { Due::Fail { number } } else { Due::Land { number, payer, despite_close: false } };
        world.plan(moment.now.saturating_add_unsigned(ms), due);
    } else if !moment.buyer_confirms && fen <= moment.house.no_confirm_limit_fen {
        world.charge(&number, payer, moment.now);
    } else if auto {
        // The answer is still 2000: the thumb is quick, but not quicker than the gateway.
        world.plan(moment.now, Due::Land { number, payer, despite_close: false });
    }
}

fn answer(world: &World, number: &str) -> Result<Node, Refusal> {
    let order = world.orders.get(number).ok_or_else(|| Refusal::business("1001", "交易不存在"))?;
    let mut node = if order.is_waiting() { status("2000", "交易处理中") } else { status("0000", "") };
    put_payment(&mut node, world, order);
    if order.is_waiting() {
        put(&mut node, "trxcode", "VSP541");
    }
    Ok(node)
}
