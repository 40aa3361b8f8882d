//! The promotion guide's words for an order's state, and its tabs.
//!
//! Till's own states say more; this is how a list or a screen for people who know the guide shows them.
//!
//! | guide | Till |
//! |---|---|
//! | 待支付 | waiting, confirming, unknown, cancelling: nothing is final |
//! | 已支付 | paid, delivering, completed; and refunded in part |
//! | 交易成功 | the same, when the time to ask for a refund is over |
//! | 退款审核中 | paid, and a refund waits for its approval |
//! | 退款中 | approved and not yet sent; refunding; owed |
//! | 已退款 | refunded, the full amount |
//! | 已取消 | cancelled, expired, failed: over, nothing paid |
//!
//! Where the guide says 已退款 of a refund that was only approved, Till says 退款中: the money is not back yet.
//!
//! Source: reference/alipay.md 17.1 and 17.2.

use jiff::ToSpan;
use jiff::civil::Date;

use crate::engine::entry::OrderState;

/// Within how many natural days of the payment the guide refunds online.
pub const REFUND_DAYS: u16 = 15;

/// Whether the time to ask for a refund is over on `today`: both are days in Beijing. The day of payment is not counted, so
/// the last day is the 15th after it; the guide does not say, and this reading is the buyer's.
#[must_use]
pub fn window_is_over(paid: Date, today: Date, days: u16) -> bool {
    // A day beyond the end of the calendar never comes.
    paid.checked_add(i32::from(days).days()).is_ok_and(|last| today > last)
}

/// How far the approval of a refund is. Till refunds without one; this is the operator's process around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approval {
    /// Nobody asked.
    NotAsked,
    /// Asked, not decided.
    Pending,
    /// Approved; the refund may leave.
    Approved,
    /// Refused.
    Rejected,
}

/// What a refused refund shows: the guide's pages disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RejectedShows {
    /// 已支付 as before, by the page about states.
    #[default]
    AsBefore,
    /// 退款审核驳回 under refunds, by another page.
    Rejected,
}

/// All that the guide's word depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Till's state.
    pub order: OrderState,
    /// The approval of a refund.
    pub approval: Approval,
    /// Whether the full amount went back; only asked of a refunded order.
    pub refunded_in_full: bool,
    /// Whether the time to ask for a refund is over: [`window_is_over`].
    pub window_over: bool,
}

/// The guide's states of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuideState {
    /// 待支付
    ToPay,
    /// 已支付
    Paid,
    /// 交易成功
    Success,
    /// 退款审核中
    RefundInReview,
    /// 退款审核驳回
    RefundRejected,
    /// 退款中
    Refunding,
    /// 已退款
    Refunded,
    /// 已取消
    Cancelled,
}

/// The tabs of the guide's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    /// Orders to be paid.
    Pending,
    /// Paid orders, refunds on their way among them.
    Paid,
    /// Deleted and refunded orders.
    DeletedOrRefunded,
}

/// The guide's screens after a try to pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Screen {
    /// 支付成功
    Success,
    /// 支付失败
    Failure,
    /// 等待支付
    Waiting,
}

/// The guide's state of an order.
#[must_use]
pub fn state(standing: Standing, rejected: RejectedShows) -> GuideState {
    match standing.order {
        OrderState::Waiting | OrderState::Confirming | OrderState::Unknown | OrderState::Cancelling => {
            GuideState::ToPay
        }
        OrderState::Paid | OrderState::Delivering | OrderState::Completed => paid(standing, rejected),
        OrderState::Cancelled | OrderState::Expired | OrderState::Failed => GuideState::Cancelled,
        OrderState::Refunding | OrderState::Owed => GuideState::Refunding,
        OrderState::Refunded if standing.refunded_in_full => GuideState::Refunded,
        OrderState::Refunded => paid(standing, rejected),
    }
}

/// Of an order whose money is here, or most of it.
fn paid(standing: Standing, rejected: RejectedShows) -> GuideState {
    match (standing.approval, rejected) {
        (Approval::Pending, _) => GuideState::RefundInReview,
        // A refund in part that is done was approved too: it is not on its way any more.
        (Approval::Approved, _) if standing.order != OrderState::Refunded => GuideState::Refunding,
        (Approval::Rejected, RejectedShows::Rejected) => GuideState::RefundRejected,
        (Approval::NotAsked | Approval::Approved, _) | (Approval::Rejected, RejectedShows::AsBefore) => {
            if standing.window_over { GuideState::Success } else { GuideState::Paid }
        }
    }
}

/// The screen of an order, or `None` where the guide has none: a cancelled order, and money on its way back.
#[must_use]
pub const fn screen(order: OrderState) -> Option<Screen> {
    match order {
        OrderState::Waiting | OrderState::Confirming | OrderState::Unknown | OrderState::Cancelling => {
            Some(Screen::Waiting)
        }
        OrderState::Paid | OrderState::Delivering | OrderState::Completed => Some(Screen::Success),
        OrderState::Failed => Some(Screen::Failure),
        OrderState::Cancelled
        | OrderState::Expired
        | OrderState::Refunding
        | OrderState::Owed
        | OrderState::Refunded => None,
    }
}

impl GuideState {
    /// The guide's word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::ToPay => "待支付",
            Self::Paid => "已支付",
            Self::Success => "交易成功",
            Self::RefundInReview => "退款审核中",
            Self::RefundRejected => "退款审核驳回",
            Self::Refunding => "退款中",
            Self::Refunded => "已退款",
            Self::Cancelled => "已取消",
        }
    }

    /// The tab that it stands in. The guide's lists do not name 退款审核中; it stands beside 退款中.
    #[must_use]
    pub const fn tab(self) -> Tab {
        match self {
            Self::ToPay => Tab::Pending,
            Self::Paid | Self::Success | Self::RefundInReview | Self::Refunding => Tab::Paid,
            Self::RefundRejected | Self::Refunded | Self::Cancelled => Tab::DeletedOrRefunded,
        }
    }
}

impl Screen {
    /// The guide's word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Success => "支付成功",
            Self::Failure => "支付失败",
            Self::Waiting => "等待支付",
        }
    }
}
