//! Keypads.

mod buttons;
mod matrix;
mod worker;

use std::time::Duration;

pub(crate) use worker::Worker;

use crate::{event::Key, gpio::LineError};

/// A keypad that one thread waits on.
pub trait Keypad: Send {
    /// The next press, or `None` after `timeout`.
    ///
    /// # Errors
    /// When the backend fails or is gone.
    fn wait_press(&mut self, timeout: Duration) -> Result<Option<Key>, LineError>;
}
