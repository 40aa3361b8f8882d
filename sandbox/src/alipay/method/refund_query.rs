//! `alipay.trade.fastpay.refund.query` (reference/alipay.md 5.7).

use super::super::amount::yuan;
use super::super::china_time;
use super::super::common::Biz;
use super::super::fields;
use super::super::refusal::Refusal;
use super::super::terms::asks_for;
use super::super::world::World;
use super::{Node, put, success};

pub(super) fn execute(world: &World, biz: &Biz) -> Result<Node, Refusal> {
    let known = ["out_trade_no", "trade_no", "out_request_no", "org_pid", "query_options"];
    fields::only_known(biz, &known)?;
    let request = fields::required(biz, "out_request_no", 64)?;
    let trade = world.trade_of(biz)?;
    let mut node = success();
    // An unknown refund is a success without refund members.
    let Some(refund) = trade.refund(request) else {
        return Ok(node);
    };
    put(&mut node, "trade_no", &*trade.trade_no);
    put(&mut node, "out_trade_no", &*trade.terms.out_trade_no);
    put(&mut node, "out_request_no", request);
    put(&mut node, "total_amount", yuan(trade.terms.amount_fen));
    put(&mut node, "refund_amount", yuan(refund.fen));
    put(&mut node, "refund_status", "REFUND_SUCCESS");
    if asks_for(biz, "gmt_refund_pay") {
        put(&mut node, "gmt_refund_pay", china_time::write(refund.at));
    }
    Ok(node)
}
