//! `alipay.trade.refund` (reference/alipay.md 5.6, 15 item 7).

use super::super::amount::{read_payable, yuan};
use super::super::charges::Charges;
use super::super::china_time;
use super::super::common::Biz;
use super::super::fields;
use super::super::ledger::TradeState;
use super::super::refusal::Refusal;
use super::super::trade::{Refund, Trade};
use super::super::world::World;
use super::{Moment, Node, members, put, success};

/// The pause that Alipay asks for between two refunds of one trade.
const PACE_MS: i64 = 3000;

const KNOWN: [&str; 12] = [
    "out_trade_no",
    "trade_no",
    "refund_amount",
    "out_request_no",
    "refund_reason",
    "operator_id",
    "store_id",
    "terminal_id",
    "refund_goods_detail",
    "refund_royalty_parameters",
    "query_options",
    "org_pid",
];

pub(super) fn execute(world: &mut World, biz: &Biz, moment: Moment<'_>) -> Result<Node, Refusal> {
    fields::only_known(biz, &KNOWN)?;
    fields::lengths(biz, &LENGTHS)?;
    let asked = Asked::read(biz)?;
    let trade = world.trade_of(biz)?;
    let (number, request) = (trade.terms.out_trade_no.clone(), asked.number_for(trade)?);
    if let Some(earlier) = trade.refund(&request) {
        return repeat(earlier, biz).map(|()| answer(world, trade, "N", earlier.at));
    }
    check(trade, &asked, moment)?;
    let before = trade.parts_left();
    let parts = before.first(asked.fen);
    let returned = Charges::returned(trade, before, before.less(parts), moment.options);
    let refund = Refund { number: Some(request), fen: asked.fen, parts, biz: biz.clone(), at: moment.now };
    world.give_back(&number, refund);
    let trade = world.trade_of(biz)?;
    let mut node = answer(world, trade, "Y", moment.now);
    node.insert("refund_charge_info_list".to_owned(), returned.list("refund_charge_fee"));
    Ok(node)
}

const LENGTHS: [(&str, usize); 5] =
    [("refund_reason", 256), ("operator_id", 30), ("store_id", 32), ("terminal_id", 32), ("org_pid", 16)];

struct Asked<'a> {
    fen: i64,
    number: Option<&'a str>,
}

impl<'a> Asked<'a> {
    fn read(biz: &'a Biz) -> Result<Self, Refusal> {
        let fen = biz
            .get("refund_amount")
            .and_then(read_payable)
            .ok_or_else(|| Refusal::field("refund_amount", "退款金额格式错误"))?;
        let number = fields::text(biz, "out_request_no", 64)?;
        Ok(Self { fen, number })
    }

    /// The refund's number. Only a full refund may leave it out; then it is the trade's own.
    fn number_for(&self, trade: &Trade) -> Result<String, Refusal> {
        match self.number {
            Some(number) => Ok(number.to_owned()),
            None if self.fen == trade.terms.amount_fen => Ok(trade.terms.out_trade_no.clone()),
            None => Err(Refusal::field("out_request_no", "a partial refund needs its own number")),
        }
    }
}

/// The same number again moves nothing, and is refused when anything else is different.
fn repeat(earlier: &Refund, biz: &Biz) -> Result<(), Refusal> {
    if earlier.biz == *biz {
        return Ok(());
    }
    Err(Refusal::business("ACQ.DISCORDANT_REPEAT_REQUEST", "同一笔退款请求参数不一致"))
}

fn check(trade: &Trade, asked: &Asked<'_>, moment: Moment<'_>) -> Result<(), Refusal> {
    let refuse = |sub_code: &str, sub_msg: &str| Err(Refusal::business(sub_code, sub_msg));
    match trade.state {
        TradeState::WaitBuyerPay => return refuse("ACQ.TRADE_STATUS_ERROR", "交易状态不合法"),
        TradeState::TradeFinished => return refuse("ACQ.TRADE_HAS_FINISHED", "交易已完结"),
        TradeState::TradeClosed => return refuse("ACQ.TRADE_HAS_CLOSE", "交易已经关闭"),
        TradeState::TradeSuccess => {}
    }
    if asked.fen > trade.left_fen() {
        return refuse("ACQ.REASON_TRADE_REFUND_FEE_ERR", "退款金额无效");
    }
    let last = trade.refunds.last().map(|refund| refund.at);
    let hasty = last.is_some_and(|last| moment.now - last < PACE_MS);
    if moment.options.refund_pace && hasty {
        // The code for this is not documented; a SYSTEM_ERROR makes the terminal come back with the same number.
        return refuse("ACQ.SYSTEM_ERROR", "两次退款之间至少间隔3秒");
    }
    Ok(())
}

/// `refund_fee` is the sum of all refunds of the trade, not this one.
fn answer(world: &World, trade: &Trade, fund_change: &str, at: i64) -> Node {
    let mut node = success();
    put(&mut node, "trade_no", &*trade.trade_no);
    put(&mut node, "out_trade_no", &*trade.terms.out_trade_no);
    members::put_buyer(&mut node, world, trade);
    put(&mut node, "fund_change", fund_change);
    put(&mut node, "refund_fee", yuan(trade.refunded_fen()));
    put(&mut node, "gmt_refund_pay", china_time::write(at));
    node
}
