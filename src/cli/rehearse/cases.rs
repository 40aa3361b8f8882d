//! The list of joint-test cases, as data. The channels' own lists are not public; these are what their documents say that a
//! terminal must be able to do (reference/alipay.md 5.12, 5.15, 7.4, 17.3; wechatpay.md 1.1, 5.7; allinpay.md 9).

use payment::channel::ChannelId::{self, Alipay, AllinpayVsp, AllinpayYst, Wechat};

/// One case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Case {
    /// Names it on the command line and in the report.
    pub id: &'static str,
    /// Its title for whoever receives the report.
    pub chinese: &'static str,
    /// Its title in English.
    pub english: &'static str,
    /// The channels that it is for.
    pub channels: &'static [ChannelId],
    /// What the person at the machine does.
    pub doing: &'static str,
    /// What must come out.
    pub must: &'static str,
    /// Which evidence the report holds.
    pub evidence: &'static str,
    /// How it is played.
    pub script: Script,
}

/// How a case is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Script {
    /// A shown code is scanned and paid.
    ShownPaid,
    /// A shown code is left alone until its time is over.
    ShownLeft,
    /// A code is scanned, and the order cancelled before it is paid.
    CancelledBefore,
    /// A pay code is read and pays at once.
    CodePaid,
    /// A pay code is read, and the buyer confirms by password.
    CodePassword,
    /// A pay code that is dead is refused by the channel.
    CodeDead,
    /// A code of a wallet that is not taken is refused by name.
    CodeForeign,
    /// The order is found under each of its numbers.
    Numbers,
    /// All of the money goes back.
    RefundWhole,
    /// The money goes back in two parts.
    RefundParts,
    /// The same refund is asked for twice.
    RefundTwice,
    /// The order carries goods code and store code.
    Goods,
    /// A coupon is used.
    Coupon,
    /// Two codes stand side by side.
    TwoCodes,
    /// The buyer pays in instalments.
    Instalments,
    /// The channel hears of the delivery.
    Delivery,
}

impl Script {
    /// The least amount, in fen: what is divided takes two.
    pub(super) const fn least_fen(self) -> i64 {
        match self {
            Self::RefundParts | Self::Goods | Self::Coupon => 2,
            Self::ShownPaid
            | Self::ShownLeft
            | Self::CancelledBefore
            | Self::CodePaid
            | Self::CodePassword
            | Self::CodeDead
            | Self::CodeForeign
            | Self::Numbers
            | Self::RefundWhole
            | Self::RefundTwice
            | Self::TwoCodes
            | Self::Instalments
            | Self::Delivery => 1,
        }
    }
}

const ALL: &[ChannelId] = &[Alipay, Wechat, AllinpayVsp, AllinpayYst];

/// Every case, in the order in which they are played.
pub(super) const CASES: [Case; 16] = [
    Case {
        id: "shown-paid",
        chinese: "扫码支付：买家扫屏幕二维码并付款",
        english: "Shown code paid",
        channels: ALL,
        doing: "用手机扫屏幕上的二维码，并付款",
        must: "订单已支付，金额一致，有渠道交易号；之后全额退回",
        evidence: "商户订单号、渠道交易号、支付时间",
        script: Script::ShownPaid,
    },
    Case {
        id: "shown-left",
        chinese: "扫码支付：二维码无人扫，到时撤销",
        english: "Shown code left alone until cancelled",
        channels: ALL,
        doing: "不要扫码，等到二维码消失",
        must: "订单以未支付结束，没有扣款",
        evidence: "商户订单号、渠道或终端给出的未支付原因",
        script: Script::ShownLeft,
    },
    Case {
        id: "cancel-before",
        chinese: "付款前撤销",
        english: "Cancelled before payment",
        channels: ALL,
        doing: "用手机扫屏幕上的二维码，但不要付款；撤销后再试着付款",
        must: "撤销后不能再付款，没有扣款",
        evidence: "商户订单号、撤销结果",
        script: Script::CancelledBefore,
    },
    Case {
        id: "code-paid",
        chinese: "付款码支付：免密，立即成功",
        english: "Pay code paid at once",
        channels: ALL,
        doing: "打开付款码（免密支付开启），对准扫码头",
        must: "订单已支付，没有要求输入密码；之后全额退回",
        evidence: "商户订单号、渠道交易号、支付时间",
        script: Script::CodePaid,
    },
    Case {
        id: "code-password",
        chinese: "付款码支付：需要输入密码",
        english: "Pay code with password",
        channels: ALL,
        doing: "在钱包里关闭免密支付，打开付款码对准扫码头，然后在手机上输入密码",
        must: "先为等待买家确认，确认后已支付；之后全额退回",
        evidence: "商户订单号、渠道交易号、支付时间",
        script: Script::CodePassword,
    },
    Case {
        id: "code-dead",
        chinese: "付款码支付：过期或已用的付款码被拒绝",
        english: "Stale or used pay code refused",
        channels: ALL,
        doing: "把付款码截图，等三分钟，再用截图对准扫码头",
        must: "渠道拒绝，没有扣款",
        evidence: "商户订单号、渠道返回的拒绝码",
        script: Script::CodeDead,
    },
    Case {
        id: "code-foreign",
        chinese: "不受理的钱包的付款码，按名称拒绝",
        english: "Another wallet's code refused by name",
        channels: ALL,
        doing: "无需操作：程序用一个样例号码",
        must: "拒绝并说出钱包名称，不发往任何渠道，没有扣款",
        evidence: "拒绝的文字",
        script: Script::CodeForeign,
    },
    Case {
        id: "query-number",
        chinese: "按商户订单号查询",
        english: "Query under our number",
        channels: ALL,
        doing: "用手机扫屏幕上的二维码，并付款",
        must: "付款结果由查询得知；按订单号、商户订单号、渠道交易号都查到同一订单",
        evidence: "三种号码",
        script: Script::Numbers,
    },
    Case {
        id: "refund-whole",
        chinese: "全额退款",
        english: "Refund whole",
        channels: ALL,
        doing: "用手机扫屏幕上的二维码，并付款",
        must: "一笔退款，金额等于支付金额，渠道确认",
        evidence: "退款单号、金额",
        script: Script::RefundWhole,
    },
    Case {
        id: "refund-parts",
        chinese: "分两次部分退款",
        english: "Refund in two parts",
        channels: ALL,
        doing: "用手机扫屏幕上的二维码，并付款（两分）",
        must: "两笔退款，合计等于支付金额，渠道都确认",
        evidence: "两个退款单号、金额",
        script: Script::RefundParts,
    },
    Case {
        id: "refund-repeat",
        chinese: "重复退款请求只退一次",
        english: "Repeated refund request moves money once",
        channels: ALL,
        doing: "用手机扫屏幕上的二维码，并付款",
        must: "同一请求发两次，只有一笔退款，只退一次",
        evidence: "退款单号、金额",
        script: Script::RefundTwice,
    },
    Case {
        id: "goods-store",
        chinese: "订单带商品编码（SKU）和门店编码",
        english: "Order with goods code and store code",
        channels: &[Alipay],
        doing: "用手机扫屏幕上的二维码，并付款；然后在商家后台查看这笔订单",
        must: "商家后台的订单在本门店下，并带商品编码；门店的订单同步开关已打开",
        evidence: "门店编码、商品编码、商户订单号",
        script: Script::Goods,
    },
    Case {
        id: "coupon",
        chinese: "优惠券和折扣记入订单",
        english: "Coupon and discount carried to the order",
        channels: &[Alipay, Wechat],
        doing: "先在钱包里领取适用的优惠券，再扫码付款",
        must: "订单记录优惠名称、金额和承担方，实付不高于订单金额；退款后全部退回",
        evidence: "优惠名称、金额、承担方",
        script: Script::Coupon,
    },
    Case {
        id: "two-codes",
        chinese: "两个钱包的二维码并排显示",
        english: "Two codes side by side",
        channels: ALL,
        doing: "用本渠道的钱包扫它自己的二维码，并付款",
        must: "只有一个渠道收款一次，另一个二维码被关闭",
        evidence: "两个商户订单号及结果",
        script: Script::TwoCodes,
    },
    Case {
        id: "instalments",
        chinese: "花呗分期",
        english: "Instalments",
        channels: &[Alipay],
        doing: "用支付宝扫屏幕上的二维码，按分期付款；金额是分期的最低金额，不是一分",
        must: "订单记录分期期数，与要求一致；之后全额退回",
        evidence: "期数、金额、渠道交易号",
        script: Script::Instalments,
    },
    Case {
        id: "delivery",
        chinese: "发货上报或担保确认",
        english: "Delivery reported, or guarantee confirmed",
        channels: &[Wechat, AllinpayYst],
        doing: "用手机扫屏幕上的二维码，并付款",
        must: "交付后渠道确认收到上报；之后全额退回",
        evidence: "上报的种类和结果",
        script: Script::Delivery,
    },
];

/// The case of this name.
pub(super) fn named(id: &str) -> Result<&'static Case, String> {
    let names = || CASES.map(|case| case.id).join(", ");
    CASES.iter().find(|case| case.id == id).ok_or_else(|| format!("it can be {}", names()))
}
