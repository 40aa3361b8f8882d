//! The thread that owns the keypad.

use std::{sync::Arc, time::Duration};

use tokio::sync::mpsc::Sender;

use super::{Keypad, buttons::Buttons, matrix::Matrix};
use crate::{
    board::{KeypadKind, KeypadSpec},
    event::DeviceEvent,
    gpio::{Bank, LineError},
    pace::{self, BackOff},
};

/// How often an idle keypad looks whether the daemon is stopping.
const LOOK_UP_EVERY: Duration = Duration::from_secs(5);

/// The thread that owns the keypad.
pub(crate) struct Worker {
    pub(crate) bank: Arc<Bank>,
    pub(crate) spec: KeypadSpec,
    pub(crate) events: Sender<DeviceEvent>,
}

impl Worker {
    /// Runs until the events' receiver is gone.
    pub(crate) fn run(self) {
        let mut pauses = BackOff::default();
        let mut told = false;
        while !self.events.is_closed() {
            let fault = match self.open() {
                Ok(keypad) => {
                    pauses.up();
                    told = false;
                    self.serve(keypad)
                }
                Err(fault) => Some(fault),
            };
            let Some(fault) = fault else { return };
            if !std::mem::replace(&mut told, true) {
                tracing::warn!(%fault, "the keypad does not answer; trying again, said once");
            }
            pace::sleep(pauses.next());
        }
    }

    fn open(&self) -> Result<Box<dyn Keypad>, LineError> {
        match self.spec.kind {
            KeypadKind::Matrix => Ok(Box::new(Matrix::open(&self.bank, &self.spec)?)),
            KeypadKind::Buttons | KeypadKind::None => Ok(Box::new(Buttons::open(&self.bank, &self.spec)?)),
        }
    }

    /// `None`: the daemon is stopping.
    fn serve(&self, mut keypad: Box<dyn Keypad>) -> Option<LineError> {
        while !self.events.is_closed() {
            match keypad.wait_press(LOOK_UP_EVERY) {
                // A flooded loop loses presses; the buyer presses again.
                Ok(Some(key)) => drop(self.events.try_send(DeviceEvent::Key(key))),
                Ok(None) => {}
                Err(fault) => return Some(fault),
            }
        }
        None
    }
}
