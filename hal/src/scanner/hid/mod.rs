//! USB scanners that are no serial port: keyboards through evdev, HID POS through hidraw (reference/hardware.md 1.10, 1.11).
//!
//! What their reports mean is pure; [`driver`] opens the device and carries bytes.

pub(crate) mod driver;
mod evdev;
pub(crate) mod keyboard;
pub(crate) mod pos;
#[cfg(test)]
mod tests;

use std::time::Duration;

use super::frame::{Line, Noise};

/// The meaning of a device's reports: bytes and time in, lines out.
pub(crate) trait Reports: Send {
    /// The device is open, and nothing is known of it.
    fn opened(&mut self, now: Duration);
    /// What one read returned.
    fn received(&mut self, now: Duration, bytes: &[u8]) -> Vec<Line>;
    /// An order waits for a code from now on, or does not any more.
    fn armed(&mut self, now: Duration, armed: bool);
    /// Something is due.
    fn woken(&mut self, now: Duration) -> Vec<Line>;
    /// When [`woken`](Self::woken) is to be called.
    fn due(&self) -> Option<Duration>;
    /// The next report to send.
    fn to_send(&mut self) -> Option<Vec<u8>>;
    /// What was not passed on so far.
    fn noise(&self) -> Noise;
    /// Whether nobody else shall see the keys.
    fn is_keyboard(&self) -> bool;
}
