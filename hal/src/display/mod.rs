//! Displays: a frame in memory goes to a panel, on the panel's own thread.

pub mod bus;
pub mod changes;
mod console;
pub mod drm;
pub mod epaper;
pub mod fbdev;
pub mod frame;
pub mod layout;
pub mod light;
pub mod sim;
pub mod spidev;
pub mod test_card;
pub mod tft;
mod worker;

use std::time::Duration;

pub use frame::Frame;
pub(crate) use worker::{Ended, Lamp, Open, Screen, Worker};

/// Why a frame did not reach the panel.
#[derive(Debug, thiserror::Error)]
pub enum DisplayError {
    /// The device cannot be opened.
    #[error("the display {device} cannot be opened: {why}")]
    Open {
        /// Its path.
        device: String,
        /// What the system said and what to do.
        why: String,
    },
    /// The device went away or refused a frame.
    #[error("the display does not take frames: {0}")]
    Lost(String),
}

/// Something that shows frames. It may block: it has its own thread.
pub trait Display: Send {
    /// Shows an upright frame; the panel turns it as it is mounted.
    ///
    /// # Errors
    /// The display is then closed and opened again.
    fn show(&mut self, frame: &Frame) -> Result<(), DisplayError>;

    /// How often [`check`](Self::check) is worth calling while no frame comes; `None`: never.
    fn check_every(&self) -> Option<Duration> {
        None
    }

    /// Looks whether the panel is still there.
    ///
    /// # Errors
    /// The display is then closed and opened again.
    fn check(&mut self) -> Result<(), DisplayError> {
        Ok(())
    }

    /// Makes the panel dark while nobody looks, or shows the picture again. A panel that cannot stays as it is.
    ///
    /// # Errors
    /// The display is then closed and opened again.
    fn blank(&mut self, _dark: bool) -> Result<(), DisplayError> {
        Ok(())
    }

    /// The daemon stops: leaves nothing behind that a buyer could pay or be misled by.
    fn close(&mut self) {}
}

/// A display that exists in memory only: the daemon keeps the last frame anyway.
#[derive(Debug, Default)]
pub struct Memory;

impl Display for Memory {
    fn show(&mut self, _frame: &Frame) -> Result<(), DisplayError> {
        Ok(())
    }
}
