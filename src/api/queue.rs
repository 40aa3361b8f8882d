//! The queue to the hub: how it stands, and sending now.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::Api;
use super::body::Wanted;
use super::problem::{Code, Problem};
use super::wanted::Nothing;
use super::wire::queue::Queue;
use crate::sync::status::LinkState;

/// `GET /v1/queue`
pub(super) async fn show(State(api): State<Api>) -> Result<Json<Queue>, Problem> {
    let queue = api.terminal.queue().await?;
    Ok(Json(Queue::new(queue, api.terminal.status().await?.wall)))
}

/// `POST /v1/queue/flush`: the answer tells how the queue stood, not how the sending went.
pub(super) async fn flush(State(api): State<Api>, _: Wanted<Nothing>) -> Result<(StatusCode, Json<Queue>), Problem> {
    let queue = api.terminal.queue().await?;
    if queue.link.state == LinkState::Off {
        let detail =
            "this terminal has no hub to send to: add [hub] to till.toml; until then the journal keeps everything";
        return Err(Problem::new(Code::NoHub, detail));
    }
    api.terminal.send_now();
    Ok((StatusCode::ACCEPTED, Json(Queue::new(queue, api.terminal.status().await?.wall))))
}
