//! An order in instalments in the words of the promotion guide of 2017 (docs/instalments.md).

use books::day;
use jiff::Timestamp;
use jiff::civil::Date;
use payment::instalment::{Approval, REFUND_DAYS, RejectedShows, Standing, state, window_is_over};

use crate::api::wire::{AttemptState, Order, RefundState};

/// The guide's word; none for an order that was not opened in instalments, which the guide does not know.
pub(super) fn word(order: &Order, now: Timestamp) -> Option<&'static str> {
    order.instalments?;
    let standing = Standing {
        order: order.state,
        approval: approval(order),
        refunded_in_full: order.refunded >= order.paid,
        window_over: is_window_over(order, now).unwrap_or_default(),
    };
    Some(state(standing, RejectedShows::AsBefore).word())
}

/// What a person decided last. A refund that was approved leaves at once, which the order's own state says.
fn approval(order: &Order) -> Approval {
    match order.refunds.last().map(|refund| refund.state) {
        Some(RefundState::Asked) => Approval::Pending,
        Some(RefundState::Declined) => Approval::Rejected,
        Some(RefundState::Replaced | RefundState::Pending | RefundState::Owed | RefundState::Done) | None => {
            Approval::NotAsked
        }
    }
}

fn is_window_over(order: &Order, now: Timestamp) -> Option<bool> {
    Some(window_is_over(paid_on(order)?, day::of(now.as_millisecond())?, REFUND_DAYS))
}

/// The day in Beijing: Alipay's time begins with it, as `yyyy-MM-dd`.
fn paid_on(order: &Order) -> Option<Date> {
    let paid = order.attempts.iter().find(|attempt| attempt.state == AttemptState::Paid)?;
    paid.paid_at.as_deref()?.get(..10)?.parse().ok()
}
