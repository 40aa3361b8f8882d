//! Orders through real sockets over a bad network: the real program, HTTP over TCP, connections that are refused, cut and
//! slowed down, and a gateway that loses, delays and garbles its answers.

mod buyer;
mod counter;
pub mod proxy;

use std::path::{Path, PathBuf};

use anyhow::Context;
use payment::engine::entry::WhoScans;
use sandbox::{Condition, Fault, Method};

use crate::dice::Dice;
use crate::shop::{Books, SLOTS, Shop, again};
use buyer::Buyer;
use counter::Counter;
use proxy::Proxy;

/// What is to be done.
#[derive(Debug, Clone)]
pub struct NetworkOptions {
    /// The program `till`, built with `--release`.
    pub program: PathBuf,
    /// How many orders at least.
    pub orders: u64,
    /// Shops at the same time.
    pub shops: u64,
    /// Decides what goes wrong, and what the customers do.
    pub seed: u64,
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct NetworkCard {
    /// Orders that were opened.
    pub orders: u64,
    /// Connections that were refused, cut or slowed down.
    pub connections_harmed: u64,
    /// Faults that the gateway was told to have.
    pub faults: u64,
    /// Orders whose buyer scanned the code on the screen.
    pub scanned: u64,
    /// Orders with a code on the screen that the buyer left or cancelled.
    pub left: u64,
    /// The shops' books, added up.
    pub books: Books,
}

impl NetworkCard {
    /// Adds another card.
    pub fn add(&mut self, other: Self) {
        self.orders += other.orders;
        self.connections_harmed += other.connections_harmed;
        self.faults += other.faults;
        self.scanned += other.scanned;
        self.left += other.left;
        self.books.add(other.books);
    }
}

/// Orders of one shop before its books are closed.
pub const ORDERS_A_ROUND: u64 = 100;

/// Times of a terminal that does not wait for people. A code that nobody scanned cannot be killed and is watched until it
/// dies: often enough that a late payment is found, seldom enough that the watching is not most of the work.
const HURRY: &str = "[pace]\nthanks_ms = 10\nsorry_ms = 10\nrelease_ms = 1000\nin_flight_ms = 1500\n\
    code_poll_ms = 60\nwatch_ms = 5000\ncode_valid_ms = 60000\n\
    confirm_total_ms = 2000\nconfirm_grace_ms = 500\nconfirm_poll_ms = 40\nretry_ms = 20\nretry_max_ms = 100\nprobe_ms = 20\n";

/// Runs until there were enough orders.
///
/// # Errors
///
/// When a shop cannot be opened.
pub async fn run(options: &NetworkOptions) -> anyhow::Result<NetworkCard> {
    let mut card = NetworkCard::default();
    let mut seed = options.seed;
    while card.orders < options.orders && card.books.is_sound() {
        let shops = options.shops.max(1);
        let left = (options.orders - card.orders).div_ceil(shops).min(ORDERS_A_ROUND);
        let seeds = seed..seed + shops;
        seed = seeds.end;
        let rounds: Vec<_> = seeds.map(|seed| tokio::spawn(round(options.program.clone(), seed, left))).collect();
        for round in rounds {
            card.add(round.await??);
        }
    }
    Ok(card)
}

async fn round(program: PathBuf, seed: u64, orders: u64) -> anyhow::Result<NetworkCard> {
    let again = again("network", seed, "orders", orders);
    round_of(&program, seed, orders, again.clone()).await.context(again)
}

async fn round_of(program: &Path, seed: u64, orders: u64, again: String) -> anyhow::Result<NetworkCard> {
    let mut dice = Dice::new(seed);
    // The terminal's configuration names the proxy, so that is there before the gateway.
    let proxy = Proxy::start(seed).await?;
    let path = format!("http://{}/gateway.do", proxy.address());
    let shop = Shop::open(program, again, |scene| {
        scene.who_scans = WhoScans::MerchantScans;
        scene.pay_within_s = 5;
        // A small panel is drawn and read in a fraction of the time.
        scene.board = scene.board.replacen("width = 480", "width = 320", 1).replacen("height = 320", "height = 240", 1);
        scene.extra_config = format!("[channels.alipay]\ngateway_url = \"{path}\"\n{HURRY}");
    })
    .await?;
    proxy.lead_to(shop.scene.gateway.address());
    let mut card = serve(&shop, orders, &mut dice).await?;
    proxy.clear_up();
    shop.scene.gateway.control().set_weather(sandbox::Weather::fair());
    card.connections_harmed = proxy.harmed();
    card.books = shop.close().await?;
    Ok(card)
}

async fn serve(shop: &Shop, orders: u64, dice: &mut Dice) -> anyhow::Result<NetworkCard> {
    let counter = Counter::of(shop)?;
    let mut card = NetworkCard::default();
    for _ in 0..orders {
        card.faults += bad_luck(shop, dice);
        let slot = *dice.pick(&SLOTS);
        technician(shop, &counter, dice, slot).await?;
        let mut buyer = Buyer::comes(shop, dice);
        if buyer.buys(&counter, dice, slot).await? {
            card.orders += 1;
            card.scanned += u64::from(buyer.has_scanned());
            card.left += u64::from(buyer.leaves_a_code());
        }
    }
    Ok(card)
}

/// A technician comes by before each customer; now and then the slot jams again.
async fn technician(shop: &Shop, counter: &Counter, dice: &mut Dice, slot: &str) -> anyhow::Result<()> {
    counter.clear(slot).await?;
    if dice.one_in(16) {
        shop.scene.machine.jam(slot)
    } else {
        shop.scene.machine.unjam(slot)
    };
    Ok(())
}

/// Sometimes the gateway has a bad moment of its own.
fn bad_luck(shop: &Shop, dice: &mut Dice) -> u64 {
    let method = *dice.pick(&[Method::Pay, Method::Query, Method::Refund, Method::Cancel, Method::Precreate]);
    let fault = match dice.roll(14) {
        0 => Fault::DropReply,
        1 => Fault::DropRequest,
        2 => Fault::SlowReply(dice.roll(400)),
        3 => Fault::SlowRequest(dice.roll(400)),
        4 => Fault::HttpStatus { status: 502, executed: dice.one_in(2) },
        5 => Fault::BadSignature,
        6 => Fault::Unavailable { executed: dice.one_in(2) },
        7 => Fault::SubCode { sub_code: "ACQ.SYSTEM_ERROR".to_owned(), executed: dice.one_in(2) },
        8 => Fault::BuyerConfirms,
        9 => Fault::CancelLater,
        _ => return 0,
    };
    let limited = Condition::from(fault).times(1);
    let control = shop.scene.gateway.control();
    if matches!(limited.fault, Fault::BuyerConfirms | Fault::CancelLater) {
        control.add_weather(limited);
    } else {
        control.add_weather(limited.on(method));
    }
    1
}
