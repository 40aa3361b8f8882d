//! What every scanner driver has in common: lines go through the gate to the loop, and so does news, once each.

use std::sync::Arc;

use tokio::{
    sync::mpsc::{Sender, error::TrySendError},
    time::sleep,
};

use super::{
    Gate,
    frame::{Line, Noise},
};
use crate::{event::DeviceEvent, pace::BackOff};

/// The loop's end of the event queue is gone: the daemon is stopping.
pub(super) struct Stopping;

/// The way from a driver to the loop.
pub(super) struct Outlet {
    pub(super) gate: Arc<Gate>,
    pub(super) events: Sender<DeviceEvent>,
    noise: Noise,
    pauses: BackOff,
    reported_down: bool,
}

impl Outlet {
    pub(super) fn new(gate: Arc<Gate>, events: Sender<DeviceEvent>) -> Self {
        Self { gate, events, noise: Noise::default(), pauses: BackOff::default(), reported_down: false }
    }

    /// A flooded loop loses codes, which are counted; it is never waited for with a code that grows old.
    pub(super) fn pass(&self, line: Line) -> Result<(), Stopping> {
        if !self.gate.admits(line.began) {
            return Ok(());
        }
        match self.events.try_send(DeviceEvent::Scanned(line.text)) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_)) => {
                self.gate.count_dropped();
                Ok(())
            }
            Err(TrySendError::Closed(_)) => Err(Stopping),
        }
    }

    /// The scanner is ready.
    pub(super) async fn up(&mut self, identity: Option<String>) -> Result<(), Stopping> {
        tracing::info!(identity = identity.as_deref().unwrap_or("says nothing of itself"), "the scanner is up");
        self.pauses.up();
        self.reported_down = false;
        self.tell(DeviceEvent::ScannerUp { identity }).await
    }

    /// The scanner is gone: says so once, and waits until it may be looked for again.
    pub(super) async fn down(&mut self, reason: String) -> Result<(), Stopping> {
        if !std::mem::replace(&mut self.reported_down, true) {
            self.tell(DeviceEvent::ScannerDown { reason }).await?;
        }
        tokio::select! {
            () = sleep(self.pauses.next()) => Ok(()),
            () = self.events.closed() => Err(Stopping),
        }
    }

    /// Counts only: what was read may be a buyer's code, even if it came through badly.
    pub(super) fn report(&mut self, noise: Noise) {
        if noise != self.noise {
            self.noise = noise;
            tracing::info!(?noise, "the scanner's reads so far that were no codes");
        }
    }

    async fn tell(&self, event: DeviceEvent) -> Result<(), Stopping> {
        self.events.send(event).await.map_err(|_| Stopping)
    }
}
