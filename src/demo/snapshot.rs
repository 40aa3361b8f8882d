//! The whole stage as one JSON value, made anew whenever something changes.

use std::sync::Arc;

use hal::sim::machine::SlotState;
use payment::engine::entry::OrderState;
use sandbox::{allinpay, wechat};
use serde::Serialize;
use tokio::sync::watch;

use super::goods::Product;
use super::ledgers::{Account, Ledgers, Payment};
use super::phone::{Asked, word_of};
use super::scene::MERCHANT;
use super::stage::Stage;
use super::supervisor::Life;
use super::terminal::Seen;
use super::weather::Switches;
use crate::api::wire::{OrderRow, TerminalStatus};
use crate::config::Language;

/// Orders and payments on the page.
const ROWS: usize = 6;

#[derive(Serialize)]
struct Snapshot {
    language: Language,
    one_code: bool,
    /// Which picture is on the panel; 0 is a dark one.
    picture: u64,
    life: Life,
    machine: MachineView,
    phone: Phone,
    weather: Switches,
    terminal: Option<TerminalStatus>,
    books: Books,
}

#[derive(Serialize)]
struct MachineView {
    slots: Vec<SlotView>,
    lamp: bool,
    buzzer: bool,
    beeps: u64,
    drops: u64,
    connected: bool,
    scanner: bool,
    bay: Vec<String>,
}

#[derive(Serialize)]
struct SlotView {
    #[serde(flatten)]
    state: SlotState,
    product: &'static str,
    price: i64,
}

#[derive(Serialize)]
struct Phone {
    merchant: &'static str,
    app: &'static str,
    balance: i64,
    code: Option<String>,
    expires_at_ms: i64,
    requests: Vec<Asked>,
    payments: Vec<Payment>,
    more_payments: usize,
}

/// The terminal's books beside the gateways'.
#[derive(Serialize)]
struct Books {
    states: Vec<(String, usize)>,
    orders: Vec<Row>,
    accounts: Vec<Account>,
    charged: i64,
    refunded: i64,
    net: i64,
    worth: i64,
    /// What went back on a person's word although the goods had fallen.
    given_back: i64,
}

#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    order: OrderRow,
    /// What a person can do about it.
    can: Can,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Can {
    Nothing,
    Refund,
    Decide,
}

/// Makes snapshots for ever, each into `telling`.
pub async fn watch_stage(stage: Arc<Stage>, telling: watch::Sender<Arc<str>>) {
    let mut machine = stage.scene.machine.subscribe();
    let mut frames = stage.scene.machine.frames();
    let mut alipay = stage.scene.gateway.control().changes();
    let mut wechat = stage.scene.wechat.as_ref().map(|gateway| gateway.control().changes());
    let mut allinpay = stage.scene.vsp.as_ref().map(|gateway| gateway.control().changes());
    let mut life = stage.supervisor.life();
    let mut seen = stage.seen.clone();
    let mut nudges = stage.nudges();
    let mut picture = u64::from(frames.borrow_and_update().is_some());
    loop {
        let json = snapshot(&stage, picture, &life.borrow_and_update(), &seen.borrow_and_update());
        telling.send_if_modified(|told| {
            let is_new = **told != *json;
            if is_new {
                *told = json.into();
            }
            is_new
        });
        tokio::select! {
            Ok(()) = machine.changed() => {}
            Ok(()) = frames.changed() => picture += 1,
            () = alipay.next() => {}
            () = next_at_wechat(&mut wechat) => {}
            () = next_at_allinpay(&mut allinpay) => {}
            Ok(()) = life.changed() => {}
            Ok(()) = seen.changed() => {}
            Ok(()) = nudges.changed() => {}
        }
    }
}

async fn next_at_wechat(changes: &mut Option<wechat::Changes>) {
    match changes {
        Some(changes) => changes.next().await,
        None => std::future::pending().await,
    }
}

async fn next_at_allinpay(changes: &mut Option<allinpay::Changes>) {
    match changes {
        Some(changes) => changes.next().await,
        None => std::future::pending().await,
    }
}

fn snapshot(stage: &Stage, picture: u64, life: &Life, seen: &Seen) -> String {
    let ledgers = Ledgers::of(&stage.scene);
    let language = stage.language();
    let snapshot = Snapshot {
        language,
        one_code: stage.one_code(),
        picture,
        life: life.clone(),
        machine: machine(stage, language),
        phone: phone(stage, &ledgers),
        weather: stage.sky.switches(),
        terminal: seen.terminal.clone(),
        books: books(stage, &ledgers, seen),
    };
    // Only strings, numbers and lists: it always has a JSON form.
    serde_json::to_string(&snapshot).unwrap_or_default()
}

fn machine(stage: &Stage, language: Language) -> MachineView {
    let state = stage.scene.machine.state();
    let product = |name: &str| -> Option<&Product> {
        let products = &stage.scene.products;
        products.iter().find(|product| product.slot == name)
    };
    let slots = state.slots.iter().map(|slot| {
        let product = product(&slot.name);
        SlotView {
            state: slot.clone(),
            product: product.map_or("", |product| product.name(language)),
            price: product.map_or(0, |product| product.price_fen),
        }
    });
    MachineView {
        slots: slots.collect(),
        lamp: state.lamp,
        buzzer: state.buzzer,
        beeps: state.beeps,
        drops: state.drops,
        connected: state.drivers > 0,
        scanner: stage.scene.is_scanner_plugged(),
        bay: stage.bay(),
    }
}

fn phone(stage: &Stage, ledgers: &Ledgers) -> Phone {
    let app = stage.phone.app();
    let mut payments = ledgers.payments(app);
    stage.phone.newest_first(&mut payments, |payment| &payment.number);
    let more_payments = payments.len().saturating_sub(ROWS);
    payments.truncate(ROWS);
    let shown = stage.phone.shown_code();
    let balances = stage.phone.balances();
    Phone {
        merchant: MERCHANT,
        app: word_of(app),
        balance: balances.iter().find(|(known, _)| *known == app).map_or(0, |(_, fen)| *fen),
        expires_at_ms: shown.as_ref().map_or(0, |shown| shown.expires_at_ms),
        code: shown.map(|shown| shown.code),
        requests: stage.phone.requests(),
        payments,
        more_payments,
    }
}

fn books(stage: &Stage, ledgers: &Ledgers, seen: &Seen) -> Books {
    let mut states: Vec<(String, usize)> = Vec::new();
    for order in &seen.orders {
        let word = serde_json::to_value(order.state).unwrap_or_default();
        let word = word.as_str().unwrap_or_default().to_owned();
        match states.iter_mut().find(|(known, _)| *known == word) {
            Some((_, count)) => *count += 1,
            None => states.push((word, 1)),
        }
    }
    let accounts = ledgers.accounts();
    let sum = |part: fn(&Account) -> i64| accounts.iter().map(part).sum();
    let given_back = seen.orders.iter().filter(|order| stage.was_given_back(&order.id)).map(|order| order.refunded);
    Books {
        states,
        orders: seen
            .orders
            .iter()
            .take(ROWS)
            .map(|order| Row { order: order.clone(), can: can(order, seen) })
            .collect(),
        charged: sum(|account| account.charged),
        refunded: sum(|account| account.refunded),
        net: sum(|account| account.net),
        worth: stage.scene.worth_of_fallen_fen(),
        given_back: given_back.sum(),
        accounts,
    }
}

fn can(order: &OrderRow, seen: &Seen) -> Can {
    if seen.asked.iter().any(|asked| asked.order == order.id) {
        return Can::Decide;
    }
    match order.state == OrderState::Completed && order.paid > order.refunded {
        true => Can::Refund,
        false => Can::Nothing,
    }
}
