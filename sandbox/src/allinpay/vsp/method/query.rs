//! `/tranx/query`: how an order, a cancel or a refund stands (reference/allinpay.md 2.4).

use super::super::super::buyers::App;
use super::super::super::china_time;
use super::super::super::http::{Moment, Node, Refusal};
use super::super::super::ledger::TradeState;
use super::super::super::order::{Order, Origin, Refund, RefundState, Why};
use super::super::super::world::{Use, World};
use super::super::Vsp;
use super::super::form::Form;
use super::super::open::parameter;
use super::{put, put_payment, status};

pub(super) fn execute(vsp: &Vsp, world: &World, form: &Form, moment: Moment<'_>) -> Result<Node, Refusal> {
    if !form.get("trxdate").is_none_or(china_time::is_day) {
        return Err(parameter("trxdate: yyyyMMdd"));
    }
    let number = match (form.get("trxid"), form.get("reqsn")) {
        (Some(trxid), _) => world.by_trade_no.get(trxid).map(String::as_str),
        (None, Some(reqsn)) => Some(reqsn),
        (None, None) => return Err(parameter("reqsn or trxid is missing")),
    };
    let number = number.ok_or_else(not_there)?;
    match world.numbers.get(number) {
        Some(Use::Order) => order_state(vsp, world, number, moment),
        Some(Use::Refund(order)) => refund_state(world, order, number),
        Some(Use::Confirm(_)) | None => Err(not_there()),
    }
}

fn not_there() -> Refusal {
    Refusal::business("1001", "交易不存在")
}

fn order_state(vsp: &Vsp, world: &World, number: &str, moment: Moment<'_>) -> Result<Node, Refusal> {
    let order = world.orders.get(number).ok_or_else(not_there)?;
    if moment.now - order.created_at < moment.unseen_ms {
        return Err(not_there());
    }
    let (code, text) = wording(vsp, order);
    if code == "1001" {
        return Err(not_there());
    }
    let mut node = status(code, text);
    put_payment(&mut node, world, order);
    Ok(node)
}

fn wording<'a>(vsp: &'a Vsp, order: &Order) -> (&'a str, &'static str) {
    let native = matches!(order.origin, Origin::Code { aggregated: true, .. });
    match (order.state, &order.origin) {
        (TradeState::Waiting, Origin::Code { .. }) => (&vsp.options.unpaid_status, "交易处理中"),
        (TradeState::Waiting, Origin::PayCode) => ("2000", "交易处理中"),
        (TradeState::Paid, _) => ("0000", ""),
        (TradeState::Cancelled, _) => (&vsp.options.cancelled_status, "交易已撤销"),
        (TradeState::Closed, _) if native => ("3045", "订单置关闭"),
        (TradeState::Closed, _) => ("3050", "交易已撤销"),
        (TradeState::Expired, _) => ("3088", "交易未支付(超时)"),
        (TradeState::Failed, _) => ("3999", "支付失败"),
    }
}

fn refund_state(world: &World, order: &str, number: &str) -> Result<Node, Refusal> {
    let order = world.orders.get(order).ok_or_else(not_there)?;
    let refund = order.refund(number).ok_or_else(not_there)?;
    Ok(refund_node(order, refund))
}

/// What is said of a cancel or refund, by itself and when it is asked for.
pub(super) fn refund_node(order: &Order, refund: &Refund) -> Node {
    let mut node = match refund.state {
        RefundState::Pending => status("2000", "交易处理中"),
        RefundState::Done => status("0000", ""),
        RefundState::Failed if refund.failure.is_empty() => status("3999", "交易失败"),
        RefundState::Failed => status(refund.failure, "商户余额不足"),
    };
    let app = order.payer.as_ref().map_or(App::Wechat, |(_, app)| *app);
    put(&mut node, "trxid", &*refund.trade_no);
    put(&mut node, "reqsn", &*refund.number);
    put(&mut node, "trxamt", refund.fen.to_string());
    put(&mut node, "initamt", order.terms.amount_fen.to_string());
    put(&mut node, "trxcode", app.trxcodes()[if refund.why == Why::Cancel { 1 } else { 2 }]);
    if refund.state == RefundState::Done {
        put(&mut node, "chnltrxid", app.receipt(&refund.trade_no));
        put(&mut node, "fintime", china_time::write(china_time::COMPACT, refund.at));
    }
    node
}
