//! Motors, each after a question. Whatever becomes of a turn, it is ordered once.

use std::time::Duration;

use hal::board::VendKind;
use hal::{DeviceEvent, VendResult};
use tokio::time::Instant;

use super::person::Person;
use super::{Trial, Verdict};

/// The slowest controller may take five minutes for an item (`vend_ms`).
const TURN_WITHIN: Duration = Duration::from_secs(310);

pub(super) async fn turn<P: Person>(trial: &mut Trial<'_, P>) -> Verdict {
    if let Some(refused) = trial.board.vend.refuses_price(trial.args.price.get()) {
        return Err(format!("{refused}; name another price with --price"));
    }
    ready(trial).await?;
    let all: Vec<String> = trial.devices.slots().to_vec();
    trial.say(format!("slots: {}", all.join(" ")));
    let wanted = if trial.args.slots.is_empty() { all } else { trial.args.slots.clone() };
    let chosen_there = trial.board.vend.kind == VendKind::Mdb && trial.board.vend.machine_chooses();
    let (mut turned, mut failed) = (0, Vec::new());
    for (job, slot) in (1..).zip(&wanted) {
        let price = if chosen_there { chosen(trial, slot).await? } else { trial.args.price.get() };
        if trial.asks(&format!("Turn slot {slot} now? An item falls.")).await != Some(true) {
            trial.devices.turn_away();
            trial.say(format!("slot {slot}: left alone"));
            continue;
        }
        turned += 1;
        if let Err(what) = one(trial, job, slot, price).await {
            failed.push(what);
        }
    }
    match (turned, failed.is_empty()) {
        (0, _) => Err("no motor was turned".to_owned()),
        (_, true) => Ok(format!("{turned} of {turned} items fell")),
        (_, false) => Err(failed.join("; ")),
    }
}

async fn ready<P: Person>(trial: &mut Trial<'_, P>) -> Result<(), String> {
    while let Some(event) = trial.next().await {
        if let DeviceEvent::VendReady { drops } = event {
            let sensor = if trial.board.vend.drop_sensor.is_some() { "; the drop sensor is clear" } else { "" };
            let counted = drops.map(|drops| format!("; {drops} items were counted so far")).unwrap_or_default();
            trial.say(format!("the machine is ready{sensor}{counted}"));
            trial.go_on();
            return Ok(());
        } else if let DeviceEvent::VendDown { reason } = event {
            trial.say(format!("not ready: {reason}"));
        }
    }
    Err("the machine is not ready; look at its cable and its power, and at `till board check`".to_owned())
}

/// A reader on MDB delivers only what was chosen at the machine's own keys.
async fn chosen<P: Person>(trial: &mut Trial<'_, P>, wanted: &str) -> Result<i64, String> {
    trial.say(format!("choose slot {wanted} at the machine's own keys"));
    while let Some(event) = trial.next().await {
        if let DeviceEvent::Chosen { slot, price } = event {
            if slot.as_deref().is_none_or(|slot| slot == wanted) {
                trial.go_on();
                let price = price.unwrap_or(trial.args.price.get());
                trial.say(format!("chosen, for {price} fen"));
                return Ok(price);
            }
            trial.say(format!("slot {} was chosen", slot.unwrap_or_default()));
            trial.devices.turn_away();
        } else if let DeviceEvent::VendDown { reason } = event {
            return Err(reason);
        }
    }
    Err("nothing was chosen: does the machine show that a reader is there? Compare slot numbers with the board file"
        .to_owned())
}

async fn one<P: Person>(trial: &mut Trial<'_, P>, job: u64, slot: &str, price: i64) -> Result<(), String> {
    trial.devices.dispense(job, slot, price).map_err(|refused| refused.to_string())?;
    trial.say(format!("slot {slot}: ordered"));
    trial.until = Instant::now() + TURN_WITHIN;
    while let Some(event) = trial.next().await {
        if let DeviceEvent::VendEnded { job: ended, result, told, .. } = event {
            if ended != job {
                continue;
            }
            trial.go_on();
            let told = told.map(|told| format!(" ({told})")).unwrap_or_default();
            trial.say(format!("slot {slot}: {}{told}", words(result)));
            return match result {
                VendResult::Dropped => Ok(()),
                VendResult::NotDropped | VendResult::Unknown => Err(format!("slot {slot}: {}", remedy(result))),
            };
        } else if let DeviceEvent::VendDown { reason } = event {
            trial.say(format!("not ready: {reason}"));
        }
    }
    trial.go_on();
    Err(format!("slot {slot}: nothing was heard of it; look at the machine"))
}

const fn words(result: VendResult) -> &'static str {
    match result {
        VendResult::Dropped => "an item fell",
        VendResult::NotDropped => "nothing fell",
        VendResult::Unknown => "nobody can tell whether an item fell",
    }
}

const fn remedy(result: VendResult) -> &'static str {
    match result {
        VendResult::Dropped => "",
        VendResult::NotDropped => {
            "nothing fell. Did the motor turn? If not: its line, its power. If it did: is max_on_ms long enough, and does \
                                   the drop sensor see a hand?"
        }
        VendResult::Unknown => {
            "unknown. Without a drop sensor say what a pulse means with without_sensor; else look at the cable"
        }
    }
}
