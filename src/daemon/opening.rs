//! A journal that cannot be opened yet: the screen says so, and the daemon waits for the disk instead of dying with a
//! dark panel.

use std::path::Path;
use std::time::Duration;

use hal::DeviceEvent;
use hal::board::{BoardSpec, Part};
use payment::engine::view::{ServiceFault, View};
use tokio::sync::{mpsc, watch};

use super::devices::Machinery;
use super::health;
use super::metrics::Metrics;
use super::picture::Picture;
use super::start::StartError;
use crate::journal::{Journal, Opened};
use crate::screen::Look;

/// How often a disk that fails is looked at.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// What systemd is asked for at each look: longer than the slowest look at a worn card takes.
const MORE_TIME: Duration = Duration::from_secs(60);
/// The same for the first look, which may count a whole journal.
const FIRST_LOOK: Duration = Duration::from_secs(600);
/// What the panel says of itself is not read.
const EVENTS_MAX: usize = 4;

/// The panel with its picture. The receiver is held because a panel whose events nobody could read stops.
struct Panel(
    #[expect(dead_code, reason = "held, not read")] Machinery,
    #[expect(dead_code, reason = "held, not read")] mpsc::Receiver<DeviceEvent>,
);

/// Opens the journal, and waits for a disk that is full, read-only or failing. `None`: the daemon was told to stop.
///
/// # Errors
///
/// What no waiting can mend: see [`may_heal`](crate::journal::OpenError::may_heal).
pub async fn open(
    path: &Path,
    board: &BoardSpec,
    look: &Look,
    stop: &mut watch::Receiver<bool>,
) -> Result<Option<Opened>, StartError> {
    let mut panel = None;
    // The first start of this version counts all that the journal holds.
    health::waits_for("opening the journal", FIRST_LOOK);
    loop {
        match Journal::open(path) {
            Ok(opened) => return Ok(Some(opened)),
            Err(error) if error.may_heal() => {
                tracing::error!(%error, "the journal cannot be opened: the machine sells nothing until it can");
            }
            Err(error) => return Err(error.into()),
        }
        health::waits_for("not selling: the journal cannot be opened", MORE_TIME);
        if panel.is_none() {
            panel = Some(out_of_service(board, look)?);
        }
        tokio::select! {
            _ = stop.wait_for(|stops| *stops) => return Ok(None),
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }
}

/// The panel, and nothing else: without the journal's lock another daemon may be driving the rest.
fn out_of_service(board: &BoardSpec, look: &Look) -> Result<Panel, StartError> {
    let (events, unread) = mpsc::channel(EVENTS_MAX);
    let machinery = Machinery::new(hal::open(&board.only(Part::Display), events)?);
    let mut picture = Picture::new(look.clone(), machinery.display_size());
    picture.follow(&View::OutOfService { reason: ServiceFault::Storage }, &machinery, &Metrics::default());
    Ok(Panel(machinery, unread))
}
