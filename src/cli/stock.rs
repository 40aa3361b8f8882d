//! `till stock`: what is in the slots, and what a technician counted.

use clap::Subcommand;
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Client, escaped};
use super::{Answer, Exit, Failure, text};
use crate::api::wire::{Slot, SlotList};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Say how many items are in a slot
    Set {
        /// The slot, as printed beside it
        slot: String,
        /// How many are in it now
        count: u32,
    },
    /// Say that slots are full: these, or all whose capacity is in the settings
    Fill {
        /// The slots, as printed beside them
        slots: Vec<String>,
    },
    /// Do not count what is in a slot any more
    Forget {
        /// The slot, as printed beside it
        slot: String,
    },
}

pub(super) async fn act(client: &Client, command: Option<Command>) -> Result<Answer, Failure> {
    match command {
        None => {}
        Some(Command::Set { slot, count }) => set(client, &slot, Some(count)).await?,
        Some(Command::Forget { slot }) => set(client, &slot, None).await?,
        Some(Command::Fill { slots }) => fill(client, &slots).await?,
    }
    let (list, json): (SlotList, Value) = client.get("/v1/slots").await?;
    Ok(Answer::done(text_of(&list), json))
}

async fn set(client: &Client, slot: &str, stock: Option<u32>) -> Result<(), Failure> {
    let path = format!("/v1/slots/{}", escaped(slot));
    let _counted: (Slot, Value) = client.post(&path, &json!({ "stock": stock }), None).await?;
    Ok(())
}

async fn fill(client: &Client, wanted: &[String]) -> Result<(), Failure> {
    let (list, _): (SlotList, Value) = client.call(Method::GET, "/v1/slots").await?;
    let is_wanted = |slot: &&Slot| wanted.is_empty() || wanted.iter().any(|name| name == slot.slot.as_str());
    let slots: Vec<&Slot> = list.slots.iter().filter(is_wanted).collect();
    let unknown = wanted.iter().find(|name| !slots.iter().any(|slot| slot.slot.as_str() == name.as_str()));
    let without = slots.iter().find(|slot| !wanted.is_empty() && slot.capacity.is_none());
    if let Some(name) = unknown.map(String::as_str).or(without.map(|slot| slot.slot.as_str())) {
        let message = format!(
            "nothing was changed: nobody says how many fit into slot {name}. Use `till stock set {name} COUNT`, or add capacity to its [[product]]"
        );
        return Err(Failure::other(Exit::Refused, message));
    }
    if slots.iter().all(|slot| slot.capacity.is_none()) {
        let message = "nothing was changed: no [[product]] says its capacity. Use `till stock set SLOT COUNT`";
        return Err(Failure::other(Exit::Refused, message));
    }
    for slot in slots.iter().filter(|slot| slot.capacity.is_some()) {
        set(client, slot.slot.as_str(), slot.capacity).await?;
    }
    Ok(())
}

fn text_of(list: &SlotList) -> String {
    if list.slots.is_empty() {
        return "Nothing is sold from slots here.".to_owned();
    }
    let mut rows = vec![text::heading(&["SLOT", "PRODUCT", "PRICE", "STOCK", "FAILED", ""])];
    rows.extend(list.slots.iter().map(row));
    text::table(&rows)
}

fn row(slot: &Slot) -> Vec<String> {
    let stock = match (slot.stock, slot.capacity) {
        (None, _) => "not counted".to_owned(),
        (Some(stock), None) => stock.to_string(),
        (Some(stock), Some(capacity)) => format!("{stock} of {capacity}"),
    };
    let failed = if slot.failures == 0 { String::new() } else { slot.failures.to_string() };
    vec![slot.slot.to_string(), text::plain(&slot.name), text::yuan(slot.price), stock, failed, state(slot).to_owned()]
}

/// Why nothing is sold from it.
pub(super) const fn state(slot: &Slot) -> &'static str {
    match (slot.blocked, slot.sold_out) {
        (true, _) => "locked",
        (false, true) => "sold out",
        (false, false) => "",
    }
}
