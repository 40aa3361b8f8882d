//! An order in instalments in the words of the promotion guide of 2017 (docs/instalments.md).

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use payment::instalment::{Approval, REFUND_DAYS, RejectedShows, Standing, state, window_is_over};

use crate::api::wire::{AttemptState, Order, RefundState};

/// The guide's word; none for an order that was not opened in instalments, which the guide does not know.
pub(super) fn word(order: &Order, now: Timestamp) -> Option<&'static str> {
    order.instalments?;
    let standing = Standing {
        order: order.state,
        approval: approval(order),
        refunded_in_full: order.refunded >= order.paid,
        window_over: paid_on(order).is_some_and(|paid| window_is_over(paid, in_china(now), REFUND_DAYS)),
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

/// The day in Beijing: Alipay's time begins with it, as `yyyy-MM-dd`.
fn paid_on(order: &Order) -> Option<Date> {
    let paid = order.attempts.iter().find(|attempt| attempt.state == AttemptState::Paid)?;
    paid.paid_at.as_deref()?.get(..10)?.parse().ok()
}

fn in_china(now: Timestamp) -> Date {
    Offset::constant(8).to_datetime(now).date()
}
