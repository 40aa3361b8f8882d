//! 3001 and 3002: how an order, a confirmation or a refund stands (reference/allinpay.md 3.5).

use serde_json::{Value, json};

use super::super::super::buyers::App;
use super::super::super::china_time::{self, DASHED};
use super::super::super::http::{Moment, Node, Refusal};
use super::super::super::ledger::TradeState;
use super::super::super::order::{Confirm, Order, Refund, RefundState};
use super::super::super::world::{Use, World};
use super::super::fields::{self, not_found};
use super::super::{Yst, sm4_ecb};
use super::{done, put, put_fen};

pub(super) fn execute(
    yst: &Yst,
    world: &World,
    biz: &Node,
    moment: Moment<'_>,
    detailed: bool,
) -> Result<Node, Refusal> {
    let number = named(world, biz)?;
    match world.numbers.get(&number) {
        Some(Use::Order) => {
            let order = world.orders.get(&number).ok_or_else(not_found)?;
            if moment.now - order.created_at < moment.unseen_ms {
                return Err(not_found());
            }
            Ok(order_node(yst, world, order, detailed))
        }
        Some(Use::Refund(order)) => part(world, order, |order| Some(refund_node(yst, order, order.refund(&number)?))),
        Some(Use::Confirm(order)) => part(world, order, |order| {
            let confirm = order.confirms.iter().find(|confirm| confirm.number == number)?;
            Some(confirm_node(yst, order, confirm))
        }),
        None => Err(not_found()),
    }
}

fn part(world: &World, order: &str, node: impl Fn(&Order) -> Option<Node>) -> Result<Node, Refusal> {
    world.orders.get(order).and_then(node).ok_or_else(not_found)
}

/// Our number of what is asked for. By our own number it is found only with the day of its request.
fn named(world: &World, biz: &Node) -> Result<String, Refusal> {
    if let Some(trade_no) = fields::text(biz, "respTraceNum", 32)? {
        return world.by_trade_no.get(trade_no).cloned().ok_or_else(not_found);
    }
    let number = fields::required(biz, "reqTraceNum", 50)?;
    let date = fields::required(biz, "oriTransDate", 8)?;
    if day_of(world, number).as_deref() == Some(date) {
        return Ok(number.to_owned());
    }
    Err(not_found())
}

/// The day is the first eight digits of the channel's number, which was given at the request.
fn day_of(world: &World, number: &str) -> Option<String> {
    let order = |number: &str| world.orders.get(number);
    let trade_no = match world.numbers.get(number)? {
        Use::Order => &order(number)?.trade_no,
        Use::Refund(of) => &order(of)?.refund(number)?.trade_no,
        Use::Confirm(of) => &order(of)?.confirms.iter().find(|confirm| confirm.number == number)?.trade_no,
    };
    trade_no.get(..8).map(str::to_owned)
}

fn order_node(yst: &Yst, world: &World, order: &Order, detailed: bool) -> Node {
    let (result, finished) = match order.state {
        TradeState::Waiting => ("0", None),
        TradeState::Paid | TradeState::Cancelled => ("1", order.paid_at),
        TradeState::Closed | TradeState::Expired | TradeState::Failed => ("2", order.ended_at),
    };
    let mut node = done(result);
    put(&mut node, "txDesc", tx_desc(order.state));
    put_numbers(&mut node, &order.terms.number, &order.trade_no, finished);
    let form = yst.options.house.amounts;
    put_fen(&mut node, "orderAmount", order.terms.amount_fen, form);
    put_fen(&mut node, "payAmount", order.terms.amount_fen, form);
    put(&mut node, "isPreConsume", "0");
    if let Some((buyer, app)) = &order.payer {
        let serial = world.buyers.get(buyer).map_or(0, |buyer| buyer.serial);
        put_channel_info(yst, &mut node, order, *app, &app.account(serial));
        if detailed {
            // A card number never stands in the open.
            put(&mut node, "acctNum", sm4_ecb::encrypt(yst.keys.secret, &app.account(serial)));
        }
    }
    if detailed {
        put(&mut node, "payMode", &*order.terms.means);
    }
    node
}

fn tx_desc(state: TradeState) -> &'static str {
    match state {
        TradeState::Waiting => "待支付",
        TradeState::Paid | TradeState::Cancelled => "交易成功",
        TradeState::Closed => "订单已关闭",
        TradeState::Expired => "订单已过期",
        TradeState::Failed => "支付失败",
    }
}

fn put_numbers(node: &mut Node, number: &str, trade_no: &str, finished: Option<i64>) {
    put(node, "reqTraceNum", number);
    put(node, "respTraceNum", trade_no);
    if let Some(at) = finished {
        put(node, "finishTime", china_time::write(DASHED, at));
    }
}

/// The channel's own numbers: what it asked VSP, what VSP answered, what the wallet shows.
fn channel_info(order: &Order, app: App, account: &str) -> Value {
    let vsp = vsp_trxid(&order.trade_no);
    json!({
        "chnlReqSn": order.trade_no,
        "chnlTrxId": vsp,
        "chnltrxid": app.receipt(&vsp),
        "trxcode": app.trxcodes()[0],
        "accttype": app.accttype(),
        "acct": account,
    })
}

/// VSP's number underneath, 18 digits.
pub(in super::super) fn vsp_trxid(trade_no: &str) -> String {
    let day = trade_no.get(2..8).unwrap_or_default();
    let serial = trade_no.get(18..).unwrap_or_default();
    format!("{day}1100{serial}")
}

fn put_channel_info(yst: &Yst, node: &mut Node, order: &Order, app: App, account: &str) {
    let name = if yst.options.channel_info_other_spelling { "channelparamInfo" } else { "channelParamInfo" };
    let info = channel_info(order, app, account);
    let value = if yst.options.channel_info_as_text { Value::String(info.to_string()) } else { info };
    node.insert(name.to_owned(), value);
}

fn refund_node(yst: &Yst, order: &Order, refund: &Refund) -> Node {
    let (result, finished) = match refund.state {
        RefundState::Pending => ("0", None),
        RefundState::Done => ("1", Some(refund.at)),
        RefundState::Failed => ("2", Some(refund.at)),
    };
    let mut node = done(result);
    put_numbers(&mut node, &refund.number, &refund.trade_no, finished);
    put_fen(&mut node, "orderAmount", refund.fen, yst.options.house.amounts);
    put_original(&mut node, order);
    node
}

fn confirm_node(yst: &Yst, order: &Order, confirm: &Confirm) -> Node {
    let mut node = done("1");
    put_numbers(&mut node, &confirm.number, &confirm.trade_no, Some(confirm.at));
    put_fen(&mut node, "orderAmount", fields::sum(&confirm.payees), yst.options.house.amounts);
    put_original(&mut node, order);
    node
}

fn put_original(node: &mut Node, order: &Order) {
    put(node, "orgReqTraceNum", &*order.terms.number);
    put(node, "orgRespTraceNum", &*order.trade_no);
}
