//! What the terminals of the tests are set to, and what is ordered at them.

use std::collections::BTreeMap;

use crate::channel::route::Routes;
use crate::channel::{ChannelId, DutyKind, Wallet};
use crate::engine::entry::{Item, Origin, Said, SlotId, WhoScans};
use crate::engine::input::NewOrder;
use crate::engine::settings::{CodeShown, Pace, Product, RefundSettings, Settings};
use crate::instalment::{Bearer, Rates, Terms};
use crate::money::Fen;

pub fn slot(name: &str) -> SlotId {
    SlotId::new(name).expect("a slot's name")
}

pub fn settings(who_scans: WhoScans) -> Settings {
    let product = |name: &str, fen| Product { code: format!("g{fen}"), name: name.to_owned(), price: Fen::new(fen) };
    let products = [("11", product("Water", 350)), ("12", product("Tea", 500)), ("21", product("Nuts", 800))];
    Settings {
        products: products.into_iter().map(|(name, product)| (slot(name), product)).collect(),
        channels: vec![ChannelId::Alipay],
        routes: Routes::default_for(&[ChannelId::Alipay]),
        who_scans,
        has_scanner: true,
        ..Settings::default()
    }
}

/// An order of goods through the API.
pub fn basket(slots: &[&str], who_scans: WhoScans) -> NewOrder {
    let products = settings(who_scans).products;
    let item = |name: &&str| {
        let product = products[&slot(name)].clone();
        Item { slot: Some(slot(name)), code: product.code, name: product.name, price: product.price }
    };
    let items: Vec<Item> = slots.iter().map(item).collect();
    NewOrder { amount: items.iter().map(|item| item.price).sum(), items, ..bare(0, who_scans) }
}

/// An order of a bare amount through the API: a person hands the goods over.
pub fn bare(fen: i64, who_scans: WhoScans) -> NewOrder {
    NewOrder {
        origin: Origin::Api,
        amount: Fen::new(fen),
        items: Vec::new(),
        subject: None,
        who_scans,
        pay_within_ms: None,
        down_payment: Fen::ZERO,
        periods: None,
        reference: None,
        idempotency: None,
    }
}

pub fn said(by: &str) -> Said {
    Said { by: by.to_owned(), why: String::new() }
}

/// Alipay and WeChat Pay side by side; refunds above 3 yuan need a second person, and WeChat Pay hears of deliveries.
pub fn two_channels(who_scans: WhoScans) -> Settings {
    let channels = vec![ChannelId::Alipay, ChannelId::Wechat];
    let own = |wallet, channel| CodeShown { wallet: Some(wallet), channels: vec![channel] };
    Settings {
        shows: vec![own(Wallet::Alipay, ChannelId::Alipay), own(Wallet::Wechat, ChannelId::Wechat)],
        routes: Routes::default_for(&channels),
        channels,
        refunds: RefundSettings { approval_above: Some(Fen::new(300)), ..RefundSettings::default() },
        duties: BTreeMap::from([(ChannelId::Wechat, DutyKind::ReportDelivery)]),
        paces: BTreeMap::from([(ChannelId::Wechat, Pace::default().for_channel(ChannelId::Wechat))]),
        ..settings(who_scans)
    }
}

/// The same, and Alipay lends for 3 or 6 months.
pub fn with_instalments(who_scans: WhoScans) -> Settings {
    let offered = [(3, Bearer::Buyer), (6, Bearer::Buyer)];
    let terms = Terms::new(offered, &Rates::documented_2018(), Fen::new(1)).expect("documented rates");
    Settings { instalments: Some(terms), ..two_channels(who_scans) }
}

/// One code, by an acquirer that lends nothing; Alipay comes after it, and lends.
pub fn acquirer_first(who_scans: WhoScans) -> Settings {
    let channels = vec![ChannelId::AllinpayVsp, ChannelId::Alipay];
    Settings { shows: Vec::new(), routes: Routes::default_for(&channels), channels, ..with_instalments(who_scans) }
}

/// The same with one code: WeChat Pay's when Alipay makes none.
pub fn one_after_the_other(who_scans: WhoScans) -> Settings {
    Settings { shows: Vec::new(), ..two_channels(who_scans) }
}
