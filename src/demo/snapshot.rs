//! The whole stage as one JSON value, made anew whenever something changes.

use std::sync::Arc;

use hal::sim::machine::SlotState;
use sandbox::{Ledger, TradeState};
use serde::Serialize;
use tokio::sync::watch;

use super::goods::Product;
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
    balance: i64,
    code: Option<String>,
    expires_at_ms: i64,
    requests: Vec<Asked>,
    payments: Vec<Payment>,
    more_payments: usize,
}

#[derive(Serialize)]
struct Asked {
    id: String,
    amount: i64,
    subject: String,
}

#[derive(Serialize)]
struct Payment {
    number: String,
    subject: String,
    charged: i64,
    refunded: i64,
}

/// The terminal's books beside the gateway's.
#[derive(Serialize)]
struct Books {
    states: Vec<(String, usize)>,
    orders: Vec<OrderRow>,
    charged: i64,
    refunded: i64,
    net: i64,
    worth: i64,
}

/// Makes snapshots for ever, each into `telling`.
pub async fn watch_stage(stage: Arc<Stage>, telling: watch::Sender<Arc<str>>) {
    let mut machine = stage.scene.machine.subscribe();
    let mut frames = stage.scene.machine.frames();
    let mut gateway = stage.scene.gateway.control().changes();
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
            () = gateway.next() => {}
            Ok(()) = life.changed() => {}
            Ok(()) = seen.changed() => {}
            Ok(()) = nudges.changed() => {}
        }
    }
}

fn snapshot(stage: &Stage, picture: u64, life: &Life, seen: &Seen) -> String {
    let control = stage.scene.gateway.control();
    let ledger = control.ledger();
    let language = stage.language();
    let snapshot = Snapshot {
        language,
        picture,
        life: life.clone(),
        machine: machine(stage, language),
        phone: phone(stage, &ledger),
        weather: Switches::of(&control.weather()),
        terminal: seen.terminal.clone(),
        books: books(stage, &ledger, &seen.orders),
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

fn phone(stage: &Stage, ledger: &Ledger) -> Phone {
    let name = stage.wallet.name();
    let mut mine: Vec<_> = ledger
        .trades
        .iter()
        .filter(|trade| trade.buyer == name && trade.state != TradeState::WaitBuyerPay)
        .filter(|trade| trade.charged_fen > 0)
        .collect();
    mine.sort_by(|a, b| b.trade_no.cmp(&a.trade_no));
    let payments = mine.iter().take(ROWS).map(|trade| Payment {
        number: trade.trade_no.clone(),
        subject: trade.subject.clone(),
        charged: trade.charged_fen,
        refunded: trade.refunded_fen,
    });
    let requests = stage.wallet.requests().into_iter().map(|request| Asked {
        id: request.id,
        amount: request.amount_fen,
        subject: request.subject,
    });
    let shown = stage.shown_code();
    Phone {
        merchant: MERCHANT,
        balance: stage.wallet.balance_fen(),
        expires_at_ms: shown.as_ref().map_or(0, |shown| shown.expires_at_ms),
        code: shown.map(|shown| shown.code),
        requests: requests.collect(),
        payments: payments.collect(),
        more_payments: mine.len().saturating_sub(ROWS),
    }
}

fn books(stage: &Stage, ledger: &Ledger, orders: &[OrderRow]) -> Books {
    let mut states: Vec<(String, usize)> = Vec::new();
    for order in orders {
        let word = serde_json::to_value(order.state).unwrap_or_default();
        let word = word.as_str().unwrap_or_default().to_owned();
        match states.iter_mut().find(|(known, _)| *known == word) {
            Some((_, count)) => *count += 1,
            None => states.push((word, 1)),
        }
    }
    Books {
        states,
        orders: orders.iter().take(ROWS).cloned().collect(),
        charged: ledger.charged_fen(),
        refunded: ledger.refunded_fen(),
        net: ledger.net_fen(),
        worth: stage.scene.worth_of_fallen_fen(),
    }
}
