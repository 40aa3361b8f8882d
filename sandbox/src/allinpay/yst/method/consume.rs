//! 2085 consume and 2089 guaranteed consume (reference/allinpay.md 3.5).

use super::super::super::buyers::App;
use super::super::super::http::{Moment, Node, Refusal};
use super::super::super::ledger::TradeState;
use super::super::super::order::{Origin, Payee, Terms};
use super::super::super::world::{Due, World};
use super::super::Yst;
use super::super::fields::{self, broken};
use super::super::paymode::PayMode;
use super::{accepted, done, put, resp_trace_num};

pub(super) fn execute(
    yst: &Yst,
    world: &mut World,
    biz: &Node,
    moment: Moment<'_>,
    guaranteed: bool,
) -> Result<Node, Refusal> {
    fields::check_trade(biz)?;
    let deadline = fields::deadline(biz, moment.now)?;
    let mode = PayMode::read(yst, world, biz)?;
    let terms = terms(yst, world, biz, &mode, guaranteed)?;
    let trade_no = resp_trace_num(world, if guaranteed { "2089" } else { "2085" }, moment.now);
    let (number, fen) = (terms.number.clone(), terms.amount_fen);
    let mut node = match mode {
        PayMode::Scan { app, .. } => show(world, terms, &trade_no, app, moment.now, deadline),
        PayMode::Code { authcode, .. } => {
            let payer = use_code(world, &authcode, moment.now);
            let deadline = deadline.min(moment.now + moment.house.confirm_life_ms);
            world.open_order(terms, trade_no.clone(), Origin::PayCode, moment.now, deadline);
            collect(world, &number, fen, payer, moment);
            answer(yst, world, &number)
        }
    };
    put(&mut node, "respTraceNum", trade_no);
    put(&mut node, "reqTraceNum", number);
    if let Some(extend) = fields::text(biz, "extendParams", 200)? {
        put(&mut node, "extendParams", extend);
    }
    Ok(node)
}

fn terms(yst: &Yst, world: &World, biz: &Node, mode: &PayMode, guaranteed: bool) -> Result<Terms, Refusal> {
    let amount = fields::payable(biz, "orderAmount")?;
    check_parts(yst, biz, amount)?;
    let payees = payees(yst, biz, amount, guaranteed)?;
    let termno = match mode {
        PayMode::Scan { .. } => String::new(),
        PayMode::Code { termno, .. } => termno.clone(),
    };
    Ok(Terms {
        number: fields::new_number(biz, world)?.to_owned(),
        amount_fen: amount,
        subject: fields::text(biz, "goodsName", 50)?.unwrap_or_default().to_owned(),
        notify_url: fields::notify_url(biz)?,
        means: mode.name().to_owned(),
        termno,
        payees,
        guaranteed,
    })
}

/// orderAmount = payAmount + promotionAmount; commission and splits come from inside.
fn check_parts(yst: &Yst, biz: &Node, amount: i64) -> Result<(), Refusal> {
    let promotion = fields::fen(biz, "promotionAmount")?.unwrap_or_default();
    let pay = fields::fen(biz, "payAmount")?.unwrap_or(amount - promotion);
    if pay + promotion != amount {
        return Err(broken("orderAmount is payAmount and promotionAmount together"));
    }
    let commission = fields::fen(biz, "couponAmount")?.unwrap_or_default();
    let split = fields::sum(&fields::payees(yst, biz, "sepDetail", "amount")?);
    if commission + split > amount {
        return Err(broken("couponAmount and sepDetail: more than orderAmount"));
    }
    Ok(())
}

fn payees(yst: &Yst, biz: &Node, amount: i64, guaranteed: bool) -> Result<Vec<Payee>, Refusal> {
    if !guaranteed {
        let sign_num = fields::member(yst, fields::required(biz, "receiverSignNum", 32)?)?;
        return Ok(vec![Payee { sign_num, fen: amount }]);
    }
    let payees = fields::payees(yst, biz, "receiverList", "amount")?;
    if payees.is_empty() || fields::sum(&payees) != amount {
        return Err(broken("receiverList: its amounts make orderAmount"));
    }
    Ok(payees)
}

fn show(world: &mut World, terms: Terms, trade_no: &str, app: App, now: i64, deadline: i64) -> Node {
    let text = format!("https://syb.allinpay.com/apiweb/h5unionpay/native?key={:016x}", world.next());
    let mut node = accepted();
    let front = serde_json::json!({ "chnlPayInfo": text });
    put(&mut node, "chnlFrontParamInfo", front.to_string());
    let origin = Origin::Code { text, apps: vec![app], aggregated: false };
    world.open_order(terms, trade_no.to_owned(), origin, now, deadline);
    node
}

/// Whose code it is; from now on it is used.
fn use_code(world: &mut World, code: &str, now: i64) -> Option<(String, App)> {
    let found = world.pay_codes.get_mut(code).filter(|found| !found.used && found.expires_at > now)?;
    found.used = true;
    Some((found.buyer.clone(), found.app))
}

/// Takes the money at once when nothing speaks against it; otherwise the trade fails or waits.
fn collect(world: &mut World, number: &str, fen: i64, payer: Option<(String, App)>, moment: Moment<'_>) {
    let able = payer.filter(|payer| world.can_pay(&payer.0, fen).is_ok());
    let Some(payer) = able else {
        world.end(number, TradeState::Failed, moment.now);
        return;
    };
    if let Some(order) = world.orders.get_mut(number) {
        order.openers.push(payer.clone());
    }
    let auto = world.buyers.get(&payer.0).is_some_and(|buyer| buyer.auto_confirm);
    let number = number.to_owned();
    if let Some((ms, fails)) = moment.undecided {
        let due = if fails { Due::Fail { number } } else { Due::Land { number, payer, despite_close: false } };
        world.plan(moment.now.saturating_add_unsigned(ms), due);
    } else if !moment.buyer_confirms && fen <= moment.house.no_confirm_limit_fen {
        world.charge(&number, payer, moment.now);
    } else if auto {
        world.plan(moment.now, Due::Land { number, payer, despite_close: false });
    }
}

/// By default only 3001 tells the result, even when it is there.
fn answer(yst: &Yst, world: &World, number: &str) -> Node {
    let state = world.orders.get(number).map(|order| order.state);
    match state.filter(|_| yst.options.answers_at_once) {
        Some(TradeState::Paid) => done("1"),
        Some(TradeState::Failed) => {
            let mut node = done("2");
            put(&mut node, "respCode", "40006");
            put(&mut node, "respMsg", "支付失败");
            node
        }
        Some(TradeState::Waiting | TradeState::Cancelled | TradeState::Closed | TradeState::Expired) | None => {
            accepted()
        }
    }
}
