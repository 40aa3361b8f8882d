//! Members that the answers of pay and query share (reference/alipay.md 5.2, 5.3).

use serde_json::{Value, json};

use super::super::amount::yuan;
use super::super::china_time;
use super::super::trade::Trade;
use super::super::world::World;
use super::{Node, put};

/// Who pays what to whom.
pub(super) fn put_trade(node: &mut Node, world: &World, trade: &Trade) {
    let paid = trade.paid_at.map_or(0, |_| trade.terms.amount_fen);
    put(node, "trade_no", &*trade.trade_no);
    put(node, "out_trade_no", &*trade.terms.out_trade_no);
    put_buyer(node, world, trade);
    put(node, "total_amount", yuan(trade.terms.amount_fen));
    put(node, "receipt_amount", yuan(paid));
    put(node, "buyer_pay_amount", yuan(paid));
    put(node, "point_amount", "0.00");
    put(node, "invoice_amount", yuan(paid));
}

/// The buyer, masked.
pub(super) fn put_buyer(node: &mut Node, world: &World, trade: &Trade) {
    if let Some(buyer) = world.buyers.get(&trade.buyer) {
        put(node, "buyer_logon_id", buyer.masked());
        put(node, "buyer_user_id", &*buyer.user_id);
    }
}

/// When the buyer paid, under the name that the method uses.
pub(super) fn put_payment_time(node: &mut Node, name: &str, trade: &Trade) {
    if let Some(paid_at) = trade.paid_at {
        put(node, name, china_time::write(paid_at));
    }
}

/// The funds, for those who asked.
pub(super) fn put_fund_bill(node: &mut Node, trade: &Trade, asked: bool) {
    if asked && trade.paid_at.is_some() {
        let amount = yuan(trade.terms.amount_fen);
        let bill: Value = json!([{ "fund_channel": "ALIPAYACCOUNT", "amount": amount }]);
        node.insert("fund_bill_list".to_owned(), bill);
    }
}
