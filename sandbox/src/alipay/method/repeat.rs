//! The same number again: same parameters get the real state, others are refused (reference/alipay.md 6, 7.5).

use super::super::ledger::TradeState;
use super::super::refusal::Refusal;
use super::super::terms::Terms;
use super::super::trade::{Origin, Trade};
use super::super::world::World;

/// The trade that already has the number of `terms`, if these terms may go on with it.
pub(super) fn standing<'w>(world: &'w World, terms: &Terms, origin: Origin) -> Result<Option<&'w Trade>, Refusal> {
    let Some(trade) = world.trades.get(&terms.out_trade_no) else {
        return same_offer(world, terms).map(|()| None);
    };
    match trade.state {
        TradeState::TradeClosed => Err(has_close()),
        TradeState::TradeSuccess | TradeState::TradeFinished if trade.origin != origin => Err(has_success()),
        TradeState::WaitBuyerPay | TradeState::TradeSuccess | TradeState::TradeFinished if trade.terms != *terms => {
            Err(inconsistent())
        }
        TradeState::WaitBuyerPay | TradeState::TradeSuccess | TradeState::TradeFinished => Ok(Some(trade)),
    }
}

/// A code that nobody scanned also binds its number to its parameters.
fn same_offer(world: &World, terms: &Terms) -> Result<(), Refusal> {
    match world.offers.get(&terms.out_trade_no) {
        Some(offer) if offer.terms != *terms => Err(inconsistent()),
        Some(_) | None => Ok(()),
    }
}

fn inconsistent() -> Refusal {
    Refusal::business("ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改")
}

fn has_close() -> Refusal {
    Refusal::business("ACQ.TRADE_HAS_CLOSE", "交易已经关闭")
}

pub(super) fn has_success() -> Refusal {
    Refusal::business("ACQ.TRADE_HAS_SUCCESS", "交易已被支付")
}
