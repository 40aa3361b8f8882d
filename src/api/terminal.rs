//! The terminal itself: how it does, its faults, its picture.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use payment::engine::entry::SlotId;
use payment::engine::faults::Fault;
use payment::engine::input::Input;

use super::Api;
use super::body::{Named, Wanted};
use super::problem::{Code, Problem};
use super::wanted::Nothing;
use super::wire::{FaultRow, Reach, TerminalStatus};

/// How long `GET /v1/reach` waits for all channels together: its caller gives up after 30 s.
const REACH_LIMIT: Duration = Duration::from_secs(20);

/// Faults that come and go with their cause, by the beginning of their names.
const BY_THEMSELVES: [&str; 8] =
    ["storage", "journal-full", "clock", "network-", "setup-", "scanner", "machine", "display"];

/// `GET /v1/terminal`
pub(super) async fn show(State(api): State<Api>) -> Result<Json<TerminalStatus>, Problem> {
    let (alarms, _) = api.terminal.news().alarms();
    let status = TerminalStatus::from(api.terminal.status().await?);
    Ok(Json(TerminalStatus { alarms: alarms.into_iter().map(FaultRow::from).collect(), ..status }))
}

/// `PUT /v1/faults/{name}`
pub(super) async fn raise(
    State(api): State<Api>,
    Named(name): Named,
    _: Wanted<Nothing>,
) -> Result<Json<TerminalStatus>, Problem> {
    let fault = by_hand(&api, &name).await?;
    if fault != Fault::SwitchedOff {
        let detail = format!("{name} is found by the machine itself; by hand only switched-off can be set");
        return Err(Problem::new(Code::FaultNotByHand, detail));
    }
    api.terminal.act(Input::Raise(fault)).await?;
    show(State(api)).await
}

/// `DELETE /v1/faults/{name}`
pub(super) async fn clear(State(api): State<Api>, Named(name): Named) -> Result<Json<TerminalStatus>, Problem> {
    let fault = by_hand(&api, &name).await?;
    api.terminal.act(Input::Clear(fault)).await?;
    show(State(api)).await
}

/// The fault of this name, if a person may end it.
async fn by_hand(api: &Api, name: &str) -> Result<Fault, Problem> {
    if name == "switched-off" {
        return Ok(Fault::SwitchedOff);
    }
    // What the hub refused for good is for a person; what else it complains of is raised again when it is news.
    if name == "hub" {
        return Ok(Fault::Hub);
    }
    if let Some(slot) = name.strip_prefix("slot-").and_then(SlotId::new) {
        let (is_ours, fault) = (api.products.contains_key(&slot), Fault::Slot(slot));
        // A machine that chooses by itself has slots that till.toml does not name.
        if is_ours || api.terminal.status().await?.faults.contains(&fault) {
            return Ok(fault);
        }
    }
    if let Some(order) = name.strip_prefix("duty-") {
        let detail = format!(
            "{name} ends when the channel knows of the delivery, or when POST /v1/orders/{order}/duties/done says so"
        );
        return Err(Problem::new(Code::FaultNotByHand, detail));
    }
    if BY_THEMSELVES.iter().any(|known| name == *known || (known.ends_with('-') && name.starts_with(known))) {
        let detail = format!("{name} ends by itself when its cause is mended; GET /v1/terminal says what it is");
        return Err(Problem::new(Code::FaultNotByHand, detail));
    }
    let shown: String = name.chars().take(64).collect();
    let detail = format!("there is no fault {shown:?}; GET /v1/terminal lists those that stand");
    Err(Problem::new(Code::NoSuchFault, detail))
}

/// `GET /v1/screen.png`
pub(super) async fn screen(State(api): State<Api>) -> Result<Response, Problem> {
    let frame = api
        .terminal
        .screen()
        .ok_or_else(|| Problem::new(Code::NoPicture, "the screen was not drawn yet; ask again in a second"))?;
    let drawn = tokio::task::spawn_blocking(move || frame.to_png()).await;
    match drawn {
        Ok(Ok(png)) => Ok(([(header::CONTENT_TYPE, "image/png")], png).into_response()),
        Ok(Err(error)) => Err(Problem::new(Code::PictureFailed, error.to_string())),
        Err(error) => Err(Problem::new(Code::PictureFailed, error.to_string())),
    }
}

/// `GET /v1/reach`: asks the channels now. Nothing is signed, and no money is asked for.
pub(super) async fn reach(State(api): State<Api>) -> Json<Reach> {
    let nobody = || "no channel is set up that could be asked".to_owned();
    let asked = match &api.terminal.news().notices {
        Some(notices) => {
            let asked = tokio::time::timeout(REACH_LIMIT, notices.channels.ask_time()).await;
            asked.unwrap_or_else(|_late| Err("no channel has answered in time".to_owned()))
        }
        None => Err(nobody()),
    };
    Json(Reach { channel: asked.as_ref().ok().copied(), trouble: asked.err() })
}

/// `GET /healthz`: 200 as long as the loop answers, whether the machine sells or not.
pub(super) async fn health(State(api): State<Api>) -> Result<&'static str, Problem> {
    api.terminal.status().await?;
    Ok("ok\n")
}
