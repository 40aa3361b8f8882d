//! An order: what the gateway knows of one payment, and of the money that went back.

use serde_json::Value;

/// `trade_state` (reference/wechatpay.md 4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TradeState {
    /// Exists, unpaid.
    NotPay,
    /// The buyer types the password. Pay code orders only.
    UserPaying,
    /// Paid.
    Success,
    /// Paid, and refunded at least in part.
    Refund,
    /// Closed unpaid.
    Closed,
    /// Reversed. Pay code orders only.
    Revoked,
    /// The payment failed. Pay code orders only.
    PayError,
}

impl TradeState {
    /// The word on the wire.
    #[must_use]
    pub const fn wire(self) -> &'static str {
        match self {
            Self::NotPay => "NOTPAY",
            Self::UserPaying => "USERPAYING",
            Self::Success => "SUCCESS",
            Self::Refund => "REFUND",
            Self::Closed => "CLOSED",
            Self::Revoked => "REVOKED",
            Self::PayError => "PAYERROR",
        }
    }

    /// `trade_state_desc`.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::NotPay => "订单未支付",
            Self::UserPaying => "需要用户输入支付密码",
            Self::Success => "支付成功",
            Self::Refund => "订单发生过退款",
            Self::Closed => "订单已关闭",
            Self::Revoked => "订单已撤销",
            Self::PayError => "支付失败",
        }
    }
}

/// `status` of a refund (reference/wechatpay.md 6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundState {
    /// The money is under way.
    Processing,
    /// The buyer has it.
    Success,
    /// It went back to the merchant; final.
    Closed,
    /// It cannot reach the buyer; somebody has to act.
    Abnormal,
}

impl RefundState {
    /// The word on the wire.
    #[must_use]
    pub const fn wire(self) -> &'static str {
        match self {
            Self::Processing => "PROCESSING",
            Self::Success => "SUCCESS",
            Self::Closed => "CLOSED",
            Self::Abnormal => "ABNORMAL",
        }
    }
}

/// Whose number it is: numbers are unique within an account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Account {
    /// Who signs: the merchant or the service provider.
    pub(crate) mchid: String,
    /// The shop, in the partner forms.
    pub(crate) sub_mchid: Option<String>,
}

impl Account {
    /// Who gets the money.
    pub(crate) fn payee(&self) -> &str {
        self.sub_mchid.as_deref().unwrap_or(&self.mchid)
    }
}

/// Names an order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct OrderKey {
    pub(crate) account: Account,
    pub(crate) number: String,
}

/// How the order came to be. The same number may not change between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A Native order: the buyer scans.
    Native,
    /// A pay code order of either version.
    PayCode,
}

/// What the merchant asked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Terms {
    pub(crate) key: OrderKey,
    pub(crate) origin: Origin,
    pub(crate) appid: String,
    pub(crate) sub_appid: Option<String>,
    pub(crate) description: String,
    pub(crate) total_fen: i64,
    pub(crate) attach: Option<String>,
    pub(crate) device_id: Option<String>,
    /// The whole request, for comparison with repeats; a new pay code is no other request.
    pub(crate) request: Value,
}

/// The code of a Native order.
#[derive(Debug, Clone)]
pub(crate) struct CodeUrl {
    pub(crate) text: String,
    pub(crate) expires_at: i64,
}

/// What the weather wants of a pay code order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AtQuery {
    pub(crate) queries_left: u32,
    pub(crate) pays: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Order {
    /// Known to the merchant when it is paid.
    pub(crate) transaction_id: String,
    pub(crate) terms: Terms,
    pub(crate) state: TradeState,
    pub(crate) buyer: Option<String>,
    pub(crate) code: Option<CodeUrl>,
    pub(crate) created_at: i64,
    /// From when on it cannot be paid.
    pub(crate) payable_until: i64,
    /// When it changes by itself: an unpaid Native order closes, an unanswered password fails.
    pub(crate) ends_at: i64,
    /// Queries do not know it before.
    pub(crate) hidden_until: i64,
    pub(crate) at_query: Option<AtQuery>,
    pub(crate) paid_at: Option<i64>,
    pub(crate) reversed_at: Option<i64>,
    pub(crate) charged_fen: i64,
    pub(crate) refunds: Vec<Refund>,
    /// Uploads of delivery, as they came.
    pub(crate) deliveries: Vec<Value>,
}

/// Money that went back, or is on its way.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refund {
    pub(crate) refund_id: String,
    /// `out_refund_no`; `None` when a reverse returned the money.
    pub(crate) number: Option<String>,
    pub(crate) fen: i64,
    pub(crate) reason: Option<String>,
    pub(crate) state: RefundState,
    pub(crate) created_at: i64,
    /// When it stops to be `PROCESSING`, and how.
    pub(crate) ends_at: i64,
    pub(crate) ends_as: RefundState,
}

impl Refund {
    /// How it stands at a moment.
    pub(crate) fn state_at(&self, at: i64) -> RefundState {
        if self.ends_at <= at { self.ends_as } else { RefundState::Processing }
    }
}

impl Order {
    /// What was taken back from the merchant, arrived or not.
    pub(crate) fn returned_fen(&self) -> i64 {
        self.refunds.iter().filter(|refund| refund.state != RefundState::Closed).map(|refund| refund.fen).sum()
    }

    /// What the merchant has left of it.
    pub(crate) fn left_fen(&self) -> i64 {
        self.charged_fen - self.returned_fen()
    }

    /// Whether the buyer may still pay.
    pub(crate) fn is_waiting(&self) -> bool {
        matches!(self.state, TradeState::NotPay | TradeState::UserPaying)
    }

    /// Whether time alone may still change it.
    pub(crate) fn is_restless(&self) -> bool {
        self.is_waiting() || self.refunds.iter().any(|refund| refund.state == RefundState::Processing)
    }

    pub(crate) fn is_paid(&self) -> bool {
        matches!(self.state, TradeState::Success | TradeState::Refund)
    }
}

/// A payment that the buyer confirmed and that reaches the gateway later.
#[derive(Debug, Clone)]
pub(crate) struct Landing {
    pub(crate) key: OrderKey,
    pub(crate) at: i64,
    /// Lands even when the order was closed in between.
    pub(crate) despite_close: bool,
}
