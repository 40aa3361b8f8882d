//! Opens the keypad.

use std::sync::Arc;

use super::{OpenError, Opening};
use crate::{board::KeypadKind, keypad};

impl Opening<'_> {
    pub(super) fn keypad(&mut self) -> Result<(), OpenError> {
        match self.board.keypad.kind {
            KeypadKind::None => Ok(()),
            KeypadKind::Buttons | KeypadKind::Matrix => {
                self.devices.has_keypad = true;
                let worker = keypad::Worker {
                    bank: Arc::clone(&self.backend()?.bank),
                    spec: self.board.keypad.clone(),
                    events: self.events.clone(),
                };
                self.spawn("keypad", move || worker.run())
            }
        }
    }
}
