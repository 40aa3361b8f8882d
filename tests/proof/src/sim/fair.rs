//! What a terminal of a life has: its goods, its channels and their codes, what it lends, and what its operator allows.

use std::collections::BTreeMap;

use payment::channel::route::{Routes, takers};
use payment::channel::{ChannelId, DutyKind, Wallet};
use payment::engine::entry::WhoScans;
use payment::engine::settings::{CodeShown, Pace, Product, RefundSettings, Settings, VoucherSettings};
use payment::instalment::{Bearer, Rates, Terms};
use payment::money::Fen;

use super::people::{SLOTS, slot};
use crate::dice::Dice;

use ChannelId::{Alipay, AllinpayVsp, Wechat};

/// The channels of a life, the preferred one first.
const CHANNELS: [&[ChannelId]; 12] = [
    &[Alipay],
    &[Alipay],
    &[Alipay],
    &[Wechat],
    &[AllinpayVsp],
    &[Alipay, Wechat],
    &[Alipay, Wechat],
    &[Wechat, Alipay],
    &[Alipay, AllinpayVsp],
    &[Wechat, AllinpayVsp],
    &[Alipay, Wechat, AllinpayVsp],
    &[Alipay, Wechat, AllinpayVsp],
];

/// The amounts above which a second person must approve.
const APPROVALS: [Option<Fen>; 5] = [None, None, Some(Fen::ZERO), Some(Fen::new(99)), Some(Fen::new(400))];

/// A terminal that takes Alipay and sells three kinds of goods.
#[must_use]
pub fn settings(who_scans: WhoScans, vouchers: Option<VoucherSettings>) -> Settings {
    let product = |fen| Product { code: format!("g{fen}"), name: format!("Goods for {fen} fen"), price: Fen::new(fen) };
    let products: BTreeMap<_, _> =
        SLOTS.iter().zip([350, 500, 800]).map(|(name, fen)| (slot(name), product(fen))).collect();
    Settings {
        products,
        channels: vec![Alipay],
        routes: Routes::default_for(&[Alipay]),
        who_scans,
        has_scanner: true,
        vouchers,
        ..Settings::default()
    }
}

/// The same with what the dice add to it.
#[must_use]
pub fn fair(dice: &mut Dice, base: Settings) -> Settings {
    let channels = dice.pick(&CHANNELS).to_vec();
    let shows = if dice.one_in(2) { side_by_side(&channels) } else { Vec::new() };
    let lends = channels.contains(&Alipay) && dice.one_in(3);
    let reports = channels.contains(&Wechat) && dice.one_in(2);
    let approval_above = *dice.pick(&APPROVALS);
    Settings {
        shows,
        routes: Routes::default_for(&channels),
        paces: channels.iter().map(|channel| (*channel, Pace::default().for_channel(*channel))).collect(),
        instalments: lends.then(terms),
        duties: reports.then_some((Wechat, DutyKind::ReportDelivery)).into_iter().collect(),
        refunds: RefundSettings { approval_above, ..RefundSettings::default() },
        channels,
        ..base
    }
}

/// A code for each of the two great wallets, by whichever channel can make it.
fn side_by_side(channels: &[ChannelId]) -> Vec<CodeShown> {
    let places = [Wallet::Alipay, Wallet::Wechat].map(|wallet| (wallet, takers(wallet, channels)));
    let made = places.into_iter().filter(|(_, channels)| !channels.is_empty());
    made.map(|(wallet, channels)| CodeShown { wallet: Some(wallet), channels }).collect()
}

fn terms() -> Terms {
    let offered = [(3, Bearer::Buyer), (6, Bearer::Buyer), (12, Bearer::Seller)];
    Terms::new(offered, &Rates::documented_2018(), Fen::new(1)).expect("documented rates")
}
