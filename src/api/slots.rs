//! The machine's slots: what is in them, and what a technician counted.

use axum::Json;
use axum::extract::State;
use payment::engine::entry::SlotId;
use payment::engine::input::Refused;

use super::Api;
use super::body::{Named, Wanted};
use super::problem::Problem;
use super::wanted::WantedStock;
use super::wire::{Slot, SlotList};
use crate::daemon::slots::SlotStatus;
use crate::daemon::terminal::ActError;

/// `GET /v1/slots`
pub(super) async fn list(State(api): State<Api>) -> Result<Json<SlotList>, Problem> {
    let slots = api.terminal.status().await?.slots;
    Ok(Json(SlotList { slots: slots.into_iter().map(Slot::from).collect() }))
}

/// `POST /v1/slots/{slot}`: so many items are in it now.
pub(super) async fn count(
    State(api): State<Api>,
    Named(name): Named,
    wanted: Wanted<WantedStock>,
) -> Result<Json<Slot>, Problem> {
    let known = find(&api, &name).await?;
    let stock = wanted.body.stock(known.capacity)?;
    api.terminal.count_stock(known.slot, stock).await?;
    Ok(Json(find(&api, &name).await?.into()))
}

async fn find(api: &Api, name: &str) -> Result<SlotStatus, Problem> {
    let slots = api.terminal.status().await?.slots;
    let found = slots.into_iter().find(|known| known.slot.as_str() == name);
    found.ok_or_else(|| match SlotId::new(name) {
        Some(slot) => ActError::Refused(Refused::NoSuchSlot(slot)).into(),
        None => Problem::field("slot", "a slot has 1 to 8 letters or digits, as printed beside it"),
    })
}
