//! `alipay.trade.cancel`: closes what is unpaid, returns what is paid (reference/alipay.md 5.4, 15 item 6).

use super::super::common::Biz;
use super::super::fields;
use super::super::ledger::TradeState;
use super::super::refusal::Refusal;
use super::super::trade::{Refund, Trade};
use super::super::world::World;
use super::{Moment, Node, Refused, put, success};

pub(super) fn execute(world: &mut World, biz: &Biz, moment: Moment<'_>) -> Result<Node, Refused> {
    fields::only_known(biz, &["out_trade_no", "trade_no"])?;
    let number = world.number_of(biz)?;
    let mut node = success();
    put(&mut node, "out_trade_no", &*number);
    put(&mut node, "retry_flag", "N");
    // An unknown number, an unscanned code among them: nothing is done, and nothing is said about it.
    let Some(trade) = world.trades.get(&number) else {
        return Ok(node);
    };
    check_window(trade, moment).map_err(final_refusal)?;
    put(&mut node, "trade_no", &*trade.trade_no);
    put(&mut node, "action", action(trade));
    undo(world, &number, moment.now);
    Ok(node)
}

/// The answer to a cancel that bad weather puts off.
pub(crate) fn later(biz: &Biz) -> Node {
    let mut node = success();
    if let Ok(number) = fields::out_trade_no(biz) {
        put(&mut node, "out_trade_no", number);
    }
    put(&mut node, "retry_flag", "Y");
    node
}

fn final_refusal(refusal: Refusal) -> Refused {
    Refused { refusal, beside: vec![("retry_flag", "N".to_owned())] }
}

fn check_window(trade: &Trade, moment: Moment<'_>) -> Result<(), Refusal> {
    if trade.state == TradeState::TradeFinished {
        return Err(Refusal::business("ACQ.TRADE_HAS_FINISHED", "交易已完结"));
    }
    if moment.now - trade.created_at > moment.options.cancel_window_ms {
        return Err(Refusal::business("ACQ.TRADE_CANCEL_TIME_OUT", "超过撤销时间范围"));
    }
    Ok(())
}

/// The same word on every repeat: what became of the trade does not change.
fn action(trade: &Trade) -> &'static str {
    if trade.paid_at.is_some() { "refund" } else { "close" }
}

fn undo(world: &mut World, number: &str, now: i64) {
    let Some(trade) = world.trades.get_mut(number) else {
        return;
    };
    match trade.state {
        TradeState::WaitBuyerPay => {
            trade.cancelled = true;
            world.close(number);
        }
        TradeState::TradeSuccess => {
            trade.cancelled = true;
            let (fen, parts) = (trade.left_fen(), trade.parts_left());
            let rest = Refund { number: None, fen, parts, biz: Biz::new(), at: now };
            world.give_back(number, rest);
        }
        TradeState::TradeFinished | TradeState::TradeClosed => {}
    }
}
