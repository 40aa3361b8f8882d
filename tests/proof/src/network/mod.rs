//! Orders through real sockets over a bad network: the real program, HTTP over TCP, connections that are refused, cut and
//! slowed down, and a gateway that loses, delays and garbles its answers.

pub mod proxy;

use std::path::PathBuf;
use std::time::Duration;

use payment::engine::entry::WhoScans;
use reqwest::Method as Verb;
use sandbox::{Condition, Fault, Method};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::dice::Dice;
use crate::shop::{Books, LIMIT, SLOTS, Shop};
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
    /// The shops' books, added up.
    pub books: Books,
}

/// Orders of one shop before its books are closed.
pub const ORDERS_A_ROUND: u64 = 250;

/// How long a customer waits before the next one comes; the terminal goes on with the first.
const PATIENCE: Duration = Duration::from_secs(20);

/// A buyer whose code was not taken shows another after this.
const REFRESH: Duration = Duration::from_millis(250);

/// The states in which a buyer leaves.
const OVER: [&str; 6] = ["completed", "cancelled", "cancelling", "expired", "failed", "refunded"];

/// Between two looks at an order.
const LOOK_AGAIN: Duration = Duration::from_millis(60);

/// Times of a terminal that does not wait for people.
const HURRY: &str = "[pace]\nthanks_ms = 10\nsorry_ms = 10\nrelease_ms = 1000\nin_flight_ms = 1500\n\
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
            let found = round.await??;
            card.orders += found.orders;
            card.connections_harmed += found.connections_harmed;
            card.faults += found.faults;
            card.books.add(found.books);
        }
    }
    Ok(card)
}

async fn round(program: PathBuf, seed: u64, orders: u64) -> anyhow::Result<NetworkCard> {
    let mut dice = Dice::new(seed);
    // The proxy needs to know the gateway's port before the terminal's configuration is written.
    let port = free_port()?;
    let proxy = Proxy::start(([127, 0, 0, 1], port).into(), seed).await?;
    let path = format!("http://{}/gateway.do", proxy.address());
    let shop = Shop::open(&program, |scene| {
        scene.who_scans = WhoScans::MerchantScans;
        scene.pay_within_s = 5;
        // Nobody looks at the panel.
        scene.board = scene.board.replacen("[display]\nkind = \"sim\"", "[display]\nkind = \"none\"", 1);
        scene.gateway.port = port;
        scene.extra_config = format!("[channels.alipay]\ngateway_url = \"{path}\"\n{HURRY}");
    })
    .await?;
    let client = reqwest::Client::builder().unix_socket(shop.scene.socket_path.clone()).build()?;
    let mut card = NetworkCard::default();
    for _ in 0..orders {
        card.faults += bad_luck(&shop, &mut dice);
        card.orders += u64::from(customer(&shop, &client, &mut dice).await?);
    }
    proxy.clear_up();
    shop.scene.gateway.control().set_weather(sandbox::Weather::fair());
    card.connections_harmed = proxy.harmed();
    card.books = shop.close().await?;
    Ok(card)
}

fn free_port() -> std::io::Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
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

/// One order from the first request to its end; `false` when the terminal would not open one.
async fn customer(shop: &Shop, client: &reqwest::Client, dice: &mut Dice) -> anyhow::Result<bool> {
    let slot = *dice.pick(&SLOTS);
    // A technician comes by before each customer; now and then the slot jams again.
    let _cleared = call(client, Verb::DELETE, &format!("/v1/faults/slot-{slot}"), None).await?;
    if dice.one_in(16) {
        shop.scene.machine.jam(slot)
    } else {
        shop.scene.machine.unjam(slot)
    };
    let Some(order) = open(shop, client, dice, slot).await? else {
        return Ok(false);
    };
    let wallet = shop.scene.gateway.control().wallet();
    let leaves = dice.one_in(12);
    let mut shown = show_code(shop, client, dice, &order, &wallet).await?;
    let patience = Instant::now() + PATIENCE;
    while Instant::now() < patience {
        for asked in wallet.requests() {
            let _too_late = wallet.confirm(&asked.id);
        }
        if leaves {
            let _over = call(client, Verb::POST, &format!("/v1/orders/{order}/cancel"), None).await;
        }
        let (_, now) = call(client, Verb::GET, &format!("/v1/orders/{order}"), None).await?;
        let state = now["state"].as_str().unwrap_or_default();
        if OVER.contains(&state) {
            break;
        }
        if state == "waiting" && shown.elapsed() > REFRESH {
            shown = show_code(shop, client, dice, &order, &wallet).await?;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    Ok(true)
}

/// The buyer shows a fresh pay code: to the machine's scanner, or to the kiosk's own.
async fn show_code(
    shop: &Shop,
    client: &reqwest::Client,
    dice: &mut Dice,
    order: &str,
    wallet: &sandbox::Wallet,
) -> anyhow::Result<Instant> {
    if dice.one_in(2) {
        let body = json!({"order": order, "code": wallet.pay_code()});
        // A code that is not taken is not charged; the next one is.
        let _answer = call(client, Verb::POST, "/v1/scans", Some(body)).await?;
    } else {
        shop.scene.scan(&wallet.pay_code())?;
    }
    Ok(Instant::now())
}

/// Opens an order as soon as the machine is free and sells.
async fn open(shop: &Shop, client: &reqwest::Client, dice: &mut Dice, slot: &str) -> anyhow::Result<Option<String>> {
    let product = shop.scene.products.iter().find(|product| product.slot == slot);
    let amount = product.map_or(0, |product| product.price_fen);
    let who = if dice.one_in(20) { "either" } else { "merchant_scans" };
    let body = json!({"amount": amount, "currency": "CNY", "items": [{"slot": slot}], "who_scans": who});
    let give_up = Instant::now() + LIMIT;
    while Instant::now() < give_up {
        let (status, answer) = call(client, Verb::POST, "/v1/orders", Some(body.clone())).await?;
        match status {
            201 => return Ok(answer["id"].as_str().map(str::to_owned)),
            409 | 503 => tokio::time::sleep(LOOK_AGAIN).await,
            _ => anyhow::bail!("the terminal refused an order with {status}: {answer}"),
        }
    }
    Ok(None)
}

async fn call(client: &reqwest::Client, verb: Verb, path: &str, body: Option<Value>) -> anyhow::Result<(u16, Value)> {
    let mut request = client.request(verb, format!("http://till{path}"));
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    let response = request.send().await?;
    let status = response.status().as_u16();
    let text = response.text().await?;
    Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
}
