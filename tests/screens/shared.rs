//! Pay views with two codes, codes for several wallets, and instalments.

use payment::channel::{ChannelId, Wallet};
use payment::engine::view::{CodeView, PayTrouble, PlanView, View};
use payment::money::Fen;
use till::screen::Language;

use crate::samples::{USUAL_CODE, code_of, pay};

/// What WeChat's codes look like most often.
pub const WECHAT_CODE: &str = "weixin://wxpay/bizpayurl?pr=pIxqM3fz1";
pub const UNION_PAY_CODE: &str = "https://qr.95516.com/48020000410110151480200004101101";
pub const ECNY_CODE: &str = "https://pay.example.com/ecny/7K2M9QK4T8";

pub fn alipay() -> CodeView {
    code_of(Some(Wallet::Alipay), USUAL_CODE)
}

pub fn wechat() -> CodeView {
    code_of(Some(Wallet::Wechat), WECHAT_CODE)
}

const BOTH: [ChannelId; 2] = [ChannelId::Alipay, ChannelId::Wechat];

/// A pay view with these codes, for these channels.
pub fn with_codes(codes: Vec<CodeView>, channels: &[ChannelId], armed: bool, language: Language) -> View {
    let mut view = pay(None, 350, language);
    if let View::Pay { codes: shown, wallets, scanner, .. } = &mut view {
        (*shown, *wallets, *scanner) = (codes, channels.to_vec(), armed);
    }
    view
}

/// Three plans: one even and without a fee, one uneven, one long. The one of the key `chosen` is chosen.
pub fn plans(chosen: u8) -> Vec<PlanView> {
    let plan = |key, periods, first, later, fee| PlanView {
        key,
        periods,
        first_month: Fen::new(first),
        later_month: Fen::new(later),
        buyer_fee: Fen::new(fee),
        chosen: key == chosen,
    };
    vec![plan(1, 3, 34_100, 34_100, 0), plan(2, 6, 17_818, 17_815, 4_593), plan(3, 12, 9_171, 9_163, 7_664)]
}

/// The same view with instalments to choose from, for 1,023 yuan.
pub fn lent(mut view: View, chosen: u8) -> View {
    if let View::Pay { amount, plans: offered, .. } = &mut view {
        (*amount, *offered) = (Fen::new(102_300), plans(chosen));
    }
    view
}

fn pairs(language: Language) -> Vec<(&'static str, View)> {
    let pair = |armed| with_codes(vec![alipay(), wechat()], &BOTH, armed, language);
    let changed = |mut view: View, why: Option<PayTrouble>, more: Option<ChannelId>| {
        if let View::Pay { trouble, wallets, .. } = &mut view {
            *trouble = why;
            wallets.extend(more);
        }
        view
    };
    let half = |code: CodeView| {
        let mut view = with_codes(vec![code], &BOTH, true, language);
        if let View::Pay { code_coming, .. } = &mut view {
            *code_coming = true;
        }
        view
    };
    let others = vec![code_of(Some(Wallet::UnionPay), UNION_PAY_CODE), code_of(Some(Wallet::Ecny), ECNY_CODE)];
    let mut largest = pair(true);
    if let View::Pay { amount, .. } = &mut largest {
        *amount = Fen::new(10_000_000_000);
    }
    vec![
        ("two", pair(false)),
        ("two-or-show", pair(true)),
        ("two-refresh", changed(pair(true), Some(PayTrouble::RefreshCode), None)),
        ("two-or-code", changed(pair(true), None, Some(ChannelId::Voucher))),
        ("two-one-coming", half(alipay())),
        ("two-other-coming", half(wechat())),
        ("two-largest", largest),
        ("two-union-pay", with_codes(others, &[ChannelId::AllinpayVsp], true, language)),
    ]
}

fn aggregates(language: Language) -> Vec<(&'static str, View)> {
    let any = || vec![code_of(None, "https://syb.allinpay.com/apiweb/h5unionpay/7K2M9QK4T8")];
    let allinpay = [ChannelId::AllinpayVsp];
    let mut untold = with_codes(Vec::new(), &allinpay, true, language);
    if let View::Pay { trouble, .. } = &mut untold {
        *trouble = Some(PayTrouble::NotAPayCode);
    }
    vec![
        ("any", with_codes(any(), &allinpay, false, language)),
        ("any-or-show", with_codes(any(), &allinpay, true, language)),
        ("any-scanner", with_codes(Vec::new(), &allinpay, true, language)),
        ("any-scanner-trouble", untold),
        ("one-of-two", with_codes(vec![wechat()], &BOTH, true, language)),
    ]
}

fn instalments(language: Language) -> Vec<(&'static str, View)> {
    let one = || with_codes(vec![alipay()], &[ChannelId::Alipay], false, language);
    let armed = || with_codes(vec![alipay()], &BOTH, true, language);
    let two = || with_codes(vec![alipay(), wechat()], &BOTH, true, language);
    let single = {
        let mut view = lent(one(), 0);
        if let View::Pay { plans, .. } = &mut view {
            plans.truncate(1);
        }
        view
    };
    vec![
        ("plans", lent(one(), 0)),
        ("plans-chosen", lent(one(), 2)),
        ("plans-or-show", lent(armed(), 3)),
        ("plans-one", single),
        ("plans-two", lent(two(), 0)),
        ("plans-two-chosen", lent(two(), 2)),
        ("plans-scanner", lent(with_codes(Vec::new(), &BOTH, true, language), 2)),
    ]
}

/// All of them, by a name for the picture.
pub fn shared(language: Language) -> Vec<(&'static str, View)> {
    let mut views = pairs(language);
    views.extend(aggregates(language));
    views.extend(instalments(language));
    views
}
