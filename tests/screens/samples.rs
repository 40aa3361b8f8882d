//! Views to draw: every variant, with short and with long content.

use embedded_graphics::geometry::Size;
use payment::channel::{ChannelId, Wallet};
use payment::engine::view::{
    ChooseTrouble, CodeTrouble, CodeView, MoneyWord, PayTrouble, ProductView, ServiceFault, SorryWhat, View,
};
use payment::money::Fen;
use till::screen::{Language, Look};

use crate::shared::shared;

/// The sizes that Till names, landscape and portrait.
pub const SIZES: [Size; 7] = [
    Size::new(240, 240),
    Size::new(320, 240),
    Size::new(240, 320),
    Size::new(480, 320),
    Size::new(320, 480),
    Size::new(800, 480),
    Size::new(480, 800),
];

/// What Alipay's codes look like most often.
pub const USUAL_CODE: &str = "https://qr.alipay.com/bax03431ljhokirwl38f00a7";

pub fn looks() -> [Look; 2] {
    let look = |language, merchant: &str, support: &str| Look {
        language,
        merchant: merchant.to_owned(),
        support: Some(support.to_owned()),
    };
    [
        look(Language::Chinese, "城东便利店", "400-800-1234"),
        look(Language::English, "Eastgate Corner Shop", "400-800-1234"),
    ]
}

/// What is in the slots, in the buyer's language.
pub fn product(language: Language) -> &'static str {
    match language {
        Language::Chinese => "冰镇柠檬茶 500ml",
        Language::English => "Iced lemon tea 500 ml",
    }
}

pub fn long_product(language: Language) -> &'static str {
    match language {
        Language::Chinese => "新疆阿克苏冰糖心苹果脆片（无添加蔗糖）家庭分享装 280克×3袋",
        Language::English => "Sun-dried apple crisps without added sugar, family sharing pack, 280 g × 3",
    }
}

pub fn code_of(wallet: Option<Wallet>, text: &str) -> CodeView {
    CodeView { wallet, text: text.to_owned() }
}

/// A pay view as it is when all is well.
pub fn pay(code: Option<&str>, amount: i64, language: Language) -> View {
    View::Pay {
        name: product(language).to_owned(),
        amount: Fen::new(amount),
        seconds_left: 287,
        codes: code.into_iter().map(|text| code_of(Some(Wallet::Alipay), text)).collect(),
        plans: Vec::new(),
        code_coming: false,
        wallets: vec![ChannelId::Alipay],
        codes_only: None,
        scanner: false,
        trouble: None,
    }
}

/// Pay views with everything that can be shown on them.
pub fn pays(language: Language) -> Vec<(&'static str, View)> {
    let variant = |code: bool, coming: bool, with_scanner: bool, why: Option<PayTrouble>| {
        let mut view = pay(code.then_some(USUAL_CODE), 350, language);
        if let View::Pay { code_coming, scanner, trouble, .. } = &mut view {
            (*code_coming, *scanner, *trouble) = (coming, with_scanner, why);
        }
        view
    };
    vec![
        ("pay", variant(true, false, false, None)),
        ("pay-or-show", variant(true, false, true, None)),
        ("pay-refresh", variant(true, false, true, Some(PayTrouble::RefreshCode))),
        ("pay-another", variant(true, false, true, Some(PayTrouble::TryAnother))),
        ("pay-coming", variant(false, true, true, None)),
        ("pay-coming-only", variant(false, true, false, None)),
        ("pay-scanner", variant(false, false, true, None)),
        ("pay-scanner-trouble", variant(false, false, true, Some(PayTrouble::NotAPayCode))),
        ("pay-scanner-no-code", variant(false, false, true, Some(PayTrouble::NoCode))),
        ("pay-no-code", variant(false, false, false, Some(PayTrouble::NoCode))),
    ]
}

/// Pay views of a machine that takes member and voucher codes, with a network and without.
fn code_pays(language: Language) -> Vec<(&'static str, View)> {
    let either = |code: Option<&str>| {
        let mut view = pay(code, 350, language);
        if let View::Pay { wallets, scanner, .. } = &mut view {
            (*wallets, *scanner) = (vec![ChannelId::Alipay, ChannelId::Voucher], true);
        }
        view
    };
    let only = |why, what: Option<PayTrouble>| {
        let mut view = either(None);
        if let View::Pay { wallets, codes_only, trouble, .. } = &mut view {
            (*wallets, *codes_only, *trouble) = (vec![ChannelId::Voucher], Some(why), what);
        }
        view
    };
    let not_taken = |trouble| only(ServiceFault::Network, Some(PayTrouble::Code(trouble)));
    vec![
        ("pay-or-code", either(Some(USUAL_CODE))),
        ("pay-scanner-or-code", either(None)),
        ("pay-codes-only", only(ServiceFault::Network, None)),
        ("pay-codes-only-setup", only(ServiceFault::Setup, None)),
        ("pay-codes-only-wallet", only(ServiceFault::Network, Some(PayTrouble::WalletDown))),
        ("pay-codes-only-invalid", not_taken(CodeTrouble::Invalid)),
        ("pay-codes-only-expired", not_taken(CodeTrouble::Expired)),
        ("pay-codes-only-elsewhere", not_taken(CodeTrouble::Elsewhere)),
        ("pay-codes-only-used", not_taken(CodeTrouble::Used)),
        ("pay-codes-only-little", not_taken(CodeTrouble::TooLittle)),
        ("pay-codes-only-not-now", not_taken(CodeTrouble::NotNow)),
    ]
}

/// Pay views with content at the limits.
pub fn extreme_pays(language: Language) -> Vec<(&'static str, View)> {
    let mut long_name = pay(Some(USUAL_CODE), 128_050, language);
    if let View::Pay { name, .. } = &mut long_name {
        long_product(language).clone_into(name);
    }
    let mut untold = pay(Some(&"x".repeat(3000)), 100, language);
    if let View::Pay { scanner, .. } = &mut untold {
        *scanner = true;
    }
    vec![
        ("pay-long-name", long_name),
        ("pay-largest", pay(Some(USUAL_CODE), 10_000_000_000, language)),
        ("pay-code-too-long", untold),
    ]
}

fn choices(language: Language) -> Vec<(&'static str, View)> {
    let choose = |typed: &str, name: Option<&str>, trouble| View::Choose {
        typed: typed.to_owned(),
        product: name.map(|name| ProductView { name: name.to_owned(), price: Fen::new(350) }),
        trouble,
    };
    vec![
        ("choose-nothing", choose("", None, None)),
        ("choose-half", choose("1", None, None)),
        ("choose", choose("12", Some(product(language)), None)),
        ("choose-long", choose("A12", Some(long_product(language)), None)),
        ("choose-none", choose("99", None, Some(ChooseTrouble::NoSuchSlot))),
        ("choose-blocked", choose("12", Some(product(language)), Some(ChooseTrouble::SlotBlocked))),
        ("choose-sold-out", choose("12", Some(product(language)), Some(ChooseTrouble::SoldOut))),
        ("choose-odd", choose("三号_龘", Some("龘靐 😀"), None)),
    ]
}

fn endings() -> Vec<(&'static str, View)> {
    let sorry = |what, money| View::Sorry { what, money, amount: Fen::new(350), number: "7K2M9Q".to_owned() };
    let closed = |reason| View::OutOfService { reason };
    vec![
        ("thanks", View::Thanks { amount: Fen::new(350), saved: Fen::ZERO, change: Fen::ZERO }),
        ("thanks, with a coupon", View::Thanks { amount: Fen::new(300), saved: Fen::new(50), change: Fen::ZERO }),
        ("thanks, with change", View::Thanks { amount: Fen::new(350), saved: Fen::ZERO, change: Fen::new(150) }),
        ("sorry-cancelled", sorry(SorryWhat::Cancelled, MoneyWord::NothingTaken)),
        ("sorry-expired", sorry(SorryWhat::Expired, MoneyWord::ComesBackIfTaken)),
        ("sorry-refused", sorry(SorryWhat::Refused, MoneyWord::NothingTaken)),
        ("sorry-not-delivered", sorry(SorryWhat::NotDelivered, MoneyWord::BeingRefunded)),
        ("sorry-refunded", sorry(SorryWhat::NotDelivered, MoneyWord::Refunded)),
        ("sorry-no-answer", sorry(SorryWhat::NoAnswer, MoneyWord::ComesBackIfTaken)),
        ("closed-storage", closed(ServiceFault::Storage)),
        ("closed-clock", closed(ServiceFault::Clock)),
        ("closed-network", closed(ServiceFault::Network)),
        ("closed-setup", closed(ServiceFault::Setup)),
        ("closed-machine", closed(ServiceFault::Machine)),
        ("closed-switched-off", closed(ServiceFault::SwitchedOff)),
    ]
}

/// Every view, by a name for its picture.
pub fn views(language: Language) -> Vec<(&'static str, View)> {
    let amount = Fen::new(350);
    let delivering = |item, of| View::Delivering { name: product(language).to_owned(), item, of };
    let mut views = vec![
        ("starting", View::Starting),
        ("idle", View::Idle { codes_only: None }),
        ("idle-codes-only", View::Idle { codes_only: Some(ServiceFault::Network) }),
        ("idle-codes-only-setup", View::Idle { codes_only: Some(ServiceFault::Setup) }),
        ("confirming", View::Confirming { amount, seconds_left: 52 }),
        ("checking", View::Checking { amount }),
        ("delivering", delivering(1, 1)),
        ("delivering-two", delivering(2, 3)),
    ];
    views.extend(choices(language));
    views.extend(pays(language));
    views.extend(code_pays(language));
    views.extend(extreme_pays(language));
    views.extend(endings());
    views.extend(shared(language));
    views
}
