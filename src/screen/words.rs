//! Every string of the screens, in both languages. `{}` is where an amount, a name or a number goes.

use payment::channel::route::takers;
use payment::channel::{ChannelId, Wallet};
use payment::engine::view::{ChooseTrouble, CodeTrouble, MoneyWord, PayTrouble, ServiceFault, SorryWhat};

/// The buyer's language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// Simplified Chinese.
    #[default]
    Chinese,
    /// English.
    English,
}

macro_rules! words {
    ($($name:ident: $chinese:literal, $english:literal;)*) => {
        pub(super) struct Words { $(pub(super) $name: &'static str,)* }
        const CHINESE: Words = Words { $($name: $chinese,)* };
        const ENGLISH: Words = Words { $($name: $english,)* };

        /// All strings, for whoever checks that each can be drawn.
        pub const ALL: &[(Language, &str)] =
            &[$((Language::Chinese, $chinese), (Language::English, $english),)*];
    };
}

words! {
    starting: "正在启动", "Starting";
    starting_note: "请稍候", "One moment, please";
    welcome: "欢迎光临", "Welcome";
    enter_slot: "请输入货道号", "Enter a slot number";
    codes_only_network: "网络中断，仅收会员码和券", "No network: member and voucher codes only";
    codes_only: "手机支付暂停，仅收会员码和券", "Phone payment is down: member and voucher codes only";
    confirm_key: "按确认键付款", "Press OK to pay";
    no_such_slot: "没有这个货道，请重新输入", "No such slot. Try another number.";
    slot_blocked: "该货道暂停销售，请选其他商品", "This slot is not selling. Choose another.";
    sold_out: "已售完，请选其他商品", "Sold out. Choose another.";

    alipay: "支付宝", "Alipay";
    wechat: "微信", "WeChat";
    union_pay: "云闪付", "UnionPay";
    ecny: "数字人民币", "e-CNY";
    between_wallets: "、", ", ";
    last_wallet: "、", " or ";
    more_wallets: "{}等", "{} etc.";
    scan_with: "请用{}扫码付款", "Scan with {} to pay";
    or_show_code: "或向扫码口出示付款码", "or show your pay code to the scanner";
    or_show_any: "或出示付款码、会员码或券", "or show a pay or member code";
    or_show_its_code: "或向扫码口出示{}付款码", "or show your {} pay code to the scanner";
    or_show_its_or_any: "或出示{}付款码、会员码或券", "or show a {} pay code or member code";
    show_code: "请出示付款码", "Show your pay code";
    to_the_scanner: "将{}付款码对准扫码口", "Hold your {} pay code to the scanner";
    any_to_the_scanner: "将{}付款码、会员码或券对准扫码口", "Hold your {} pay code, member or voucher code to the scanner";
    show_member_code: "请出示会员码或券", "Show your member or voucher code";
    code_coming: "正在获取二维码", "Getting your code";
    time_left: "剩余 {}", "{} left";
    plans: "支付宝分期，请按键选择", "Alipay instalments: press a key";
    plan_keys: "按{}选支付宝分期", "{}: Alipay instalments";
    plan_change: "支付宝分期，按0-{}改选", "Alipay plan: 0-{} to change";
    plan_even: "分{}期，每期{}，", "{} months: {} each, ";
    plan_uneven: "分{}期，首期{}，以后{}，", "{} months: {}, then {}, ";
    plan_fee: "含手续费{}", "incl. fee {}";
    plan_free: "免手续费", "no fee";
    at_once: "一次付清", "Pay at once";
    not_a_pay_code: "这不是可用的付款码", "Not a pay code we accept";
    refresh_code: "付款码已失效，请刷新后再出示", "Code out of date. Refresh it and show it again.";
    try_another: "未能付款，请换一种支付方式", "Payment declined. Try another way to pay.";
    no_code: "暂时无法显示二维码", "No code to scan right now";
    wallet_down: "付款码暂时不能用，没有扣款", "Pay codes do not work now. No money was taken.";
    code_invalid: "会员码或券无效", "Not a valid member or voucher code";
    code_expired: "此码已过期", "This code has expired";
    code_elsewhere: "此码不能在本机使用", "This code is for other machines";
    code_used: "此码已用完", "This code is used up";
    code_too_little: "此码余额不足", "Not enough is left on this code";
    code_not_now: "本机暂时不能收此码", "This machine cannot take this code now";

    confirming: "请在手机上确认", "Confirm on your phone";
    confirming_note: "确认后将自动出货", "Your item comes after you confirm";
    checking: "正在核对付款", "Checking your payment";
    checking_note: "请稍候，不要重复付款", "Please wait and do not pay again";
    delivering: "正在出货", "On its way";
    delivering_item: "第 {} 件", "Item {}";
    delivering_note: "请在取货口取走商品", "Take it from the tray";
    thanks: "谢谢惠顾", "Thank you";
    paid: "已付款", "Paid";
    saved: "已优惠 {}", "You saved {}";
    change: "找零 {} 将退回", "{} comes back to you";
    thanks_note: "请取走您的商品", "Please take your item";

    cancelled: "已取消", "Cancelled";
    expired: "付款超时", "Time ran out";
    refused: "付款未成功", "Payment not accepted";
    not_delivered: "商品未能出货", "Your item did not come out";
    no_answer: "付款结果未确认", "Payment not confirmed";
    nothing_taken: "没有扣款", "No money was taken.";
    comes_back: "如已扣款，{} 将自动退回", "If {} was taken, it comes back by itself.";
    being_refunded: "{} 正在原路退回", "{} is on its way back to you.";
    refunded: "{} 已原路退回", "{} has been refunded.";
    order_number: "订单尾号 {}", "Order number ends in {}";
    support: "客服 {}", "Help: {}";

    out_of_service: "暂停服务", "Out of service";
    storage: "无法保存交易记录", "Sales cannot be recorded.";
    clock: "设备时间有误", "The clock is not set.";
    network: "网络中断，请稍后再来", "No connection. Please come back later.";
    setup: "收款设置有误", "Payment is not set up correctly.";
    machine: "设备故障，无法出货", "The machine cannot deliver.";
    switched_off: "设备维护中", "Closed for maintenance.";
}

impl Language {
    pub(super) const fn words(self) -> &'static Words {
        match self {
            Self::Chinese => &CHINESE,
            Self::English => &ENGLISH,
        }
    }
}

/// How many wallets are named in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// Each, and what the scanner takes besides.
    All,
    /// Of more than two only the first two, and that there are others: where the place is tight.
    Few,
}

/// A string with its `{}` filled in.
pub(super) fn fill(template: &str, value: &str) -> String {
    template.replacen("{}", value, 1)
}

impl Words {
    /// A wallet's name.
    pub(super) const fn wallet(&self, wallet: Wallet) -> &'static str {
        match wallet {
            Wallet::Alipay => self.alipay,
            Wallet::Wechat => self.wechat,
            Wallet::UnionPay => self.union_pay,
            Wallet::Ecny => self.ecny,
        }
    }

    /// The names of the wallets that these channels take, each once. An acquirer takes all. Member and voucher codes are no
    /// wallet's: nothing is scanned with them.
    pub(super) fn wallets(&self, channels: &[ChannelId]) -> Vec<&'static str> {
        let all = [Wallet::Alipay, Wallet::Wechat, Wallet::UnionPay, Wallet::Ecny];
        let mut wallets = Vec::new();
        for channel in channels {
            let takes = |wallet: &Wallet| takers(*wallet, &[*channel]).contains(channel) && !wallets.contains(wallet);
            let taken: Vec<Wallet> = all.into_iter().filter(takes).collect();
            wallets.extend(taken);
        }
        wallets.into_iter().map(|wallet| self.wallet(wallet)).collect()
    }

    /// Names as a list.
    pub(super) fn list(&self, names: &[&str], naming: Naming) -> String {
        match (naming, names) {
            (_, []) => String::new(),
            (_, [only]) => (*only).to_owned(),
            (Naming::Few, [first, second, _, ..]) => {
                fill(self.more_wallets, &format!("{first}{}{second}", self.between_wallets))
            }
            (Naming::All | Naming::Few, [others @ .., last]) => {
                format!("{}{}{last}", others.join(self.between_wallets), self.last_wallet)
            }
        }
    }

    pub(super) const fn choose_trouble(&self, trouble: ChooseTrouble) -> &'static str {
        match trouble {
            ChooseTrouble::NoSuchSlot => self.no_such_slot,
            ChooseTrouble::SlotBlocked => self.slot_blocked,
            ChooseTrouble::SoldOut => self.sold_out,
        }
    }

    pub(super) const fn pay_trouble(&self, trouble: PayTrouble) -> &'static str {
        match trouble {
            PayTrouble::NotAPayCode => self.not_a_pay_code,
            PayTrouble::RefreshCode => self.refresh_code,
            PayTrouble::TryAnother => self.try_another,
            PayTrouble::NoCode => self.no_code,
            PayTrouble::WalletDown => self.wallet_down,
            PayTrouble::Code(trouble) => self.code_trouble(trouble),
        }
    }

    const fn code_trouble(&self, trouble: CodeTrouble) -> &'static str {
        match trouble {
            CodeTrouble::Invalid => self.code_invalid,
            CodeTrouble::Expired => self.code_expired,
            CodeTrouble::Elsewhere => self.code_elsewhere,
            CodeTrouble::Used => self.code_used,
            CodeTrouble::TooLittle => self.code_too_little,
            CodeTrouble::NotNow => self.code_not_now,
        }
    }

    /// Why no wallet can pay, and what still can.
    pub(super) const fn codes_only(&self, why: ServiceFault) -> &'static str {
        match why {
            ServiceFault::Network => self.codes_only_network,
            ServiceFault::Storage
            | ServiceFault::Clock
            | ServiceFault::Setup
            | ServiceFault::Machine
            | ServiceFault::SwitchedOff => self.codes_only,
        }
    }

    pub(super) const fn sorry(&self, what: SorryWhat) -> &'static str {
        match what {
            SorryWhat::Cancelled => self.cancelled,
            SorryWhat::Expired => self.expired,
            SorryWhat::Refused => self.refused,
            SorryWhat::NotDelivered => self.not_delivered,
            SorryWhat::NoAnswer => self.no_answer,
        }
    }

    pub(super) const fn money(&self, word: MoneyWord) -> &'static str {
        match word {
            MoneyWord::NothingTaken => self.nothing_taken,
            MoneyWord::ComesBackIfTaken => self.comes_back,
            MoneyWord::BeingRefunded => self.being_refunded,
            MoneyWord::Refunded => self.refunded,
        }
    }

    pub(super) const fn fault(&self, fault: ServiceFault) -> &'static str {
        match fault {
            ServiceFault::Storage => self.storage,
            ServiceFault::Clock => self.clock,
            ServiceFault::Network => self.network,
            ServiceFault::Setup => self.setup,
            ServiceFault::Machine => self.machine,
            ServiceFault::SwitchedOff => self.switched_off,
        }
    }
}
