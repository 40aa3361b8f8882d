//! The report's words: channels and states as Chinese papers write them.

use payment::channel::{ChannelId, Method};
use payment::engine::entry::OrderState;

use crate::api::wire::{AttemptState, RefundState};

pub(super) const fn channel(channel: ChannelId) -> &'static str {
    match channel {
        ChannelId::Alipay => "支付宝",
        ChannelId::Wechat => "微信支付",
        ChannelId::AllinpayVsp => "通联支付（收银宝）",
        ChannelId::AllinpayYst => "通联支付（云商通）",
        ChannelId::Voucher => "会员码和券码",
    }
}

pub(super) const fn method(method: Method) -> &'static str {
    match method {
        Method::ShowCode => "买家扫屏幕",
        Method::TakeCode => "扫付款码",
    }
}

pub(super) const fn order(state: OrderState) -> &'static str {
    match state {
        OrderState::Waiting => "等待付款",
        OrderState::Confirming => "等待买家确认",
        OrderState::Unknown => "结果未知，正在查询",
        OrderState::Cancelling => "正在撤销",
        OrderState::Paid => "已付款",
        OrderState::Delivering => "正在交付",
        OrderState::Completed => "已付款并交付",
        OrderState::Cancelled => "已撤销，未付款",
        OrderState::Expired => "已过期，未付款",
        OrderState::Failed => "渠道拒绝，未付款",
        OrderState::Refunding => "正在退款",
        OrderState::Owed => "欠退款，继续重试",
        OrderState::Refunded => "已退款",
    }
}

pub(super) const fn attempt(state: AttemptState) -> &'static str {
    match state {
        AttemptState::Started => "未定",
        AttemptState::Reversing => "正在撤销",
        AttemptState::Paid => "已付款",
        AttemptState::NotPaid => "未付款",
    }
}

pub(super) const fn refund(state: RefundState) -> &'static str {
    match state {
        RefundState::Asked => "等待批准",
        RefundState::Declined => "未批准",
        RefundState::Replaced => "已由另一笔退款代替",
        RefundState::Pending => "处理中",
        RefundState::Owed => "渠道暂时拒绝，继续重试",
        RefundState::Done => "已退款",
    }
}
