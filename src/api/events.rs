//! The journal as a stream of server-sent events. The `id` of an event is its place in the journal, so a reader that
//! lost the connection misses nothing and sees nothing twice.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::request::Parts;
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::Api;
use super::body::parameters;
use super::problem::{Code, Problem};
use super::wire::{Event, Slot};
use crate::daemon::slots::SlotStatus;
use crate::journal::view::Recorded;

/// Entries read from the journal at once.
const PAGE_ENTRIES: u32 = 64;
/// Events that may wait for a slow reader; the journal keeps the rest.
const WAITING_MAX: usize = 16;
/// How often a quiet stream says that it is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

type Item = Result<SseEvent, Infallible>;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct EventQuery {
    after: Option<String>,
}

/// `GET /v1/events`
pub(super) async fn stream(State(api): State<Api>, parts: Parts) -> Result<Response, Problem> {
    let permit = api.limits.streams.clone().try_acquire_owned().map_err(|_| {
        api.terminal.metrics().requests_refused.add_one();
        Problem::new(Code::TooManyRequests, "too many event streams are open; close one and try again")
    })?;
    let after = start(&parts)?;
    let (events, waiting) = mpsc::channel(WAITING_MAX);
    let after = after.unwrap_or_else(|| *api.terminal.newest().borrow());
    tokio::spawn(async move {
        let mut stopping = api.stopping.clone();
        tokio::select! {
            _ = stopping.wait_for(|stops| *stops) => {}
            () = events.closed() => {}
            () = follow(&api, after, &events) => {}
        }
        drop(permit);
    });
    let stream = Sse::new(ReceiverStream::new(waiting)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    Ok(stream.into_response())
}

/// Behind which entry the stream starts. The header wins: a browser repeats the address, and the header is newer.
fn start(parts: &Parts) -> Result<Option<u64>, Problem> {
    let query: EventQuery = parameters(parts)?;
    let header = parts.headers.get("last-event-id").map(|value| value.to_str().unwrap_or("?"));
    let Some(text) = header.or(query.after.as_deref()) else {
        return Ok(None);
    };
    text.parse().map(Some).map_err(|_| {
        let name = if header.is_some() { "Last-Event-ID" } else { "after" };
        let detail = format!(
            "{text:?} is not a place in the journal: send the id of the last event that you have, or 0 for all"
        );
        Problem::new(Code::InvalidQuery, detail).at(name)
    })
}

/// Sends every entry behind `after`, page by page, and waits for new ones.
async fn follow(api: &Api, mut after: u64, events: &mpsc::Sender<Item>) {
    let mut newest = api.terminal.newest();
    let mut slots = api.terminal.slots();
    let mut told = slots.borrow_and_update().clone();
    loop {
        // Marked as seen before the page is read: what is written in between wakes us again.
        newest.borrow_and_update();
        let page = match api.terminal.entries_since(after, PAGE_ENTRIES).await {
            Ok(page) => page,
            Err(error) => {
                tracing::warn!(%error, "an event stream ends; its reader comes back");
                return;
            }
        };
        let is_empty = page.is_empty();
        for recorded in page {
            after = recorded.stored.seq;
            if events.send(Ok(event(recorded))).await.is_err() {
                return;
            }
        }
        if !is_empty {
            continue;
        }
        tokio::select! {
            changed = newest.changed() => if changed.is_err() {
                return;
            },
            Ok(()) = slots.changed() => {
                let now = slots.borrow_and_update().clone();
                for slot in now.iter().filter(|slot| !told.contains(slot)) {
                    if events.send(Ok(slot_event(slot.clone()))).await.is_err() {
                        return;
                    }
                }
                told = now;
            }
        }
    }
}

/// A slot is no entry of the journal: the event has no place in it, and who was not there asks for the slots.
fn slot_event(slot: SlotStatus) -> SseEvent {
    let json = serde_json::to_string(&Slot::from(slot)).unwrap_or_default();
    SseEvent::default().event("slot").data(json)
}

fn event(recorded: Recorded) -> SseEvent {
    let event = Event::from(recorded);
    let json = serde_json::to_value(&event).unwrap_or_default();
    let kind = json["entry"]["kind"].as_str().unwrap_or("entry").to_owned();
    SseEvent::default().id(event.seq.to_string()).event(kind).data(json.to_string())
}
