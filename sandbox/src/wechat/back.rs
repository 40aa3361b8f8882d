//! Money back by reverse, the same for both versions (reference/wechatpay.md 5.5).

use super::http::Moment;
use super::order::{Order, OrderKey, Origin, Refund, RefundState, TradeState};
use super::weather::Fault;
use super::world::World;

/// How long after its creation an order may be reversed.
const WINDOW_MS: i64 = 7 * 24 * 3_600_000;

/// Why an order was not reversed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotReversed {
    /// There is no such order.
    NoOrder,
    /// It is a Native order: close or refund it.
    NotByPayCode,
    /// Less than 15 s after the payment. The real code for it is not documented.
    TooEarly,
    /// More than 7 days after it.
    TooLate,
    /// It was refunded.
    Refunded,
    /// The buyer is paying.
    Paying,
    /// Nothing was done; call again.
    Recall,
}

impl NotReversed {
    /// `err_code`, its words, and `recall`.
    pub(crate) const fn v2(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::NoOrder => ("ORDERNOTEXIST", "订单不存在", "N"),
            Self::NotByPayCode => ("INVALID_REQUEST", "非付款码支付订单不能撤销", "N"),
            Self::TooEarly => ("INVALID_REQUEST", "支付后请勿立即撤销订单", "Y"),
            Self::TooLate => ("REVERSE_EXPIRE", "订单无法撤销", "N"),
            Self::Refunded => ("TRADE_ERROR", "订单已退款，不能撤销", "N"),
            Self::Paying => ("USERPAYING", "正在支付中不能发起撤销", "Y"),
            Self::Recall => ("SYSTEMERROR", "系统超时", "Y"),
        }
    }

    /// Status and code of APIv3.
    pub(crate) const fn v3(self) -> (u16, &'static str) {
        match self {
            Self::NoOrder => (404, "ORDER_NOT_EXIST"),
            Self::NotByPayCode | Self::TooEarly => (400, "INVALID_REQUEST"),
            Self::TooLate => (400, "REVERSE_EXPIRE"),
            Self::Refunded => (400, "TRADE_ERROR"),
            Self::Paying => (400, "USERPAYING"),
            Self::Recall => (500, "SYSTEM_ERROR"),
        }
    }
}

/// Closes what is unpaid, returns what is paid. Again and again the same.
pub(crate) fn reverse(world: &mut World, key: &OrderKey, moment: Moment<'_>) -> Result<(), NotReversed> {
    if moment.has(&Fault::RecallReverse) {
        return Err(NotReversed::Recall);
    }
    if moment.has(&Fault::ReverseWhilePaying) {
        return Err(NotReversed::Paying);
    }
    let order = world.orders.get(key).ok_or(NotReversed::NoOrder)?;
    check(order, moment)?;
    undo(world, key, moment.now);
    Ok(())
}

fn check(order: &Order, moment: Moment<'_>) -> Result<(), NotReversed> {
    let age = moment.now - order.created_at;
    if order.terms.origin != Origin::PayCode {
        return Err(NotReversed::NotByPayCode);
    }
    if age < moment.options.reverse_after_ms {
        return Err(NotReversed::TooEarly);
    }
    if age > WINDOW_MS {
        return Err(NotReversed::TooLate);
    }
    if order.state == TradeState::Refund { Err(NotReversed::Refunded) } else { Ok(()) }
}

fn undo(world: &mut World, key: &OrderKey, now: i64) {
    let refund_id = world.serial("50300000001", now);
    let Some(order) = world.orders.get_mut(key) else {
        return;
    };
    order.state = TradeState::Revoked;
    order.reversed_at.get_or_insert(now);
    let (fen, buyer) = (order.left_fen(), order.buyer.clone());
    if fen == 0 {
        return;
    }
    order.refunds.push(Refund {
        refund_id,
        number: None,
        fen,
        reason: None,
        state: RefundState::Success,
        created_at: now,
        ends_at: now,
        ends_as: RefundState::Success,
    });
    world.credit(&buyer.unwrap_or_default(), fen);
}
