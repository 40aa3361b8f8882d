//! `alipay.trade.query` (reference/alipay.md 5.3).

use super::super::common::Biz;
use super::super::fields;
use super::super::refusal::Refusal;
use super::super::trade::Trade;
use super::super::world::World;
use super::{Moment, Node, Refused, members, put, success};

pub(super) fn execute(world: &World, biz: &Biz, moment: Moment<'_>) -> Result<Node, Refused> {
    let known = ["out_trade_no", "trade_no", "org_pid", "query_options"];
    fields::only_known(biz, &known)?;
    let trade = world.trade_of(biz).map_err(|refusal| with_empty_amounts(refusal, biz))?;
    Ok(answer(world, trade, biz, moment))
}

fn answer(world: &World, trade: &Trade, biz: &Biz, moment: Moment<'_>) -> Node {
    let mut node = success();
    members::put_trade(&mut node, world, trade);
    put(&mut node, "trade_status", trade.state.wire());
    members::put_payment_time(&mut node, "send_pay_date", trade);
    for name in ["store_id", "terminal_id"] {
        if !trade.terms.text(name).is_empty() {
            put(&mut node, name, trade.terms.text(name));
        }
    }
    if trade.cancelled {
        put(&mut node, "ext_infos", r#"{"action":"cancel"}"#);
    }
    members::put_funds(&mut node, trade, biz);
    members::put_instalments(&mut node, trade);
    members::put_charges(&mut node, trade, moment);
    node
}

/// A trade that does not exist still shows amounts of nothing, which are not to be read as a trade.
fn with_empty_amounts(refusal: Refusal, biz: &Biz) -> Refused {
    let mut refused = Refused::from(refusal);
    if refused.refusal.sub_code == "ACQ.TRADE_NOT_EXIST" {
        let names = ["buyer_pay_amount", "invoice_amount", "point_amount", "receipt_amount"];
        refused.beside = names.map(|name| (name, "0.00".to_owned())).to_vec();
        if let Ok(number) = fields::out_trade_no(biz) {
            refused.beside.push(("out_trade_no", number.to_owned()));
        }
    }
    refused
}
