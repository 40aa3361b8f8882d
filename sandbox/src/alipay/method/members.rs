//! Members that the answers of pay and query share (reference/alipay.md 5.2, 5.3).

use serde_json::{Value, json};

use super::super::amount::yuan;
use super::super::charges::Charges;
use super::super::china_time;
use super::super::common::Biz;
use super::super::coupon::voucher;
use super::super::terms::asks_for;
use super::super::trade::Trade;
use super::super::world::World;
use super::{Moment, Node, put};

/// Who pays what to whom.
pub(super) fn put_trade(node: &mut Node, world: &World, trade: &Trade) {
    put(node, "trade_no", &*trade.trade_no);
    put(node, "out_trade_no", &*trade.terms.out_trade_no);
    put_buyer(node, world, trade);
    put(node, "total_amount", yuan(trade.terms.amount_fen));
    put(node, "receipt_amount", yuan(trade.paid.receipt()));
    put(node, "buyer_pay_amount", yuan(trade.paid.buyer));
    put(node, "point_amount", "0.00");
    put(node, "invoice_amount", yuan(trade.paid.buyer));
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

/// Funds, coupons and discounts, each for those who asked in `query_options`.
pub(super) fn put_funds(node: &mut Node, trade: &Trade, asking: &Biz) {
    if trade.paid_at.is_none() {
        return;
    }
    if asks_for(asking, "fund_bill_list") {
        node.insert("fund_bill_list".to_owned(), funds(trade));
    }
    if asks_for(asking, "voucher_detail_list") && !trade.redeemed.is_empty() {
        node.insert("voucher_detail_list".to_owned(), trade.redeemed.iter().map(voucher).collect());
    }
    for (option, fen) in [("discount_amount", trade.paid.alipay), ("mdiscount_amount", trade.paid.merchant)] {
        if asks_for(asking, option) {
            put(node, option, yuan(fen));
        }
    }
}

fn funds(trade: &Trade) -> Value {
    let own = if trade.terms.plan.is_some() { "PCREDIT" } else { "ALIPAYACCOUNT" };
    let parts = [(own, trade.paid.buyer), ("COUPON", trade.paid.alipay), ("MDISCOUNT", trade.paid.merchant)];
    let used = parts.into_iter().filter(|(_, fen)| *fen > 0);
    used.map(|(channel, fen)| json!({ "fund_channel": channel, "amount": yuan(fen) })).collect()
}

/// The instalments that the buyer took (reference/alipay.md 5.3).
pub(super) fn put_instalments(node: &mut Node, trade: &Trade) {
    if let Some(plan) = trade.terms.plan.filter(|_| trade.paid_at.is_some()) {
        let taken = json!({ "user_install_num": plan.periods.to_string(), "fq_amount": yuan(trade.paid.buyer) });
        node.insert("hb_fq_pay_info".to_owned(), taken);
    }
}

/// What the merchant is charged: the ordinary fee, and the one of instalments that it bears.
pub(super) fn put_charges(node: &mut Node, trade: &Trade, moment: Moment<'_>) {
    if trade.paid_at.is_none() {
        return;
    }
    let charges = Charges::on(trade, trade.paid, moment.options);
    node.insert("charge_info_list".to_owned(), charges.list("charge_fee"));
}
