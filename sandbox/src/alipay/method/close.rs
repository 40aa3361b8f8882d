//! `alipay.trade.close`: ends an unpaid trade, and nothing else (reference/alipay.md 5.5).

use super::super::common::Biz;
use super::super::fields;
use super::super::ledger::TradeState;
use super::super::refusal::Refusal;
use super::super::world::World;
use super::{Node, put, success};

pub(super) fn execute(world: &mut World, biz: &Biz) -> Result<Node, Refusal> {
    fields::only_known(biz, &["out_trade_no", "trade_no", "operator_id"])?;
    fields::lengths(biz, &[("operator_id", 28)])?;
    let trade = world.trade_of(biz)?;
    let number = trade.terms.out_trade_no.clone();
    let mut node = success();
    put(&mut node, "trade_no", &*trade.trade_no);
    put(&mut node, "out_trade_no", &*number);
    match trade.state {
        TradeState::TradeSuccess | TradeState::TradeFinished => {
            Err(Refusal::business("ACQ.TRADE_STATUS_ERROR", "交易状态不合法"))
        }
        TradeState::TradeClosed if trade.paid_at.is_some() => {
            Err(Refusal::business("ACQ.REASON_TRADE_STATUS_INVALID", "交易状态异常"))
        }
        TradeState::WaitBuyerPay | TradeState::TradeClosed => {
            world.close(&number);
            Ok(node)
        }
    }
}
