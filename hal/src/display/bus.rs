//! The wire to a panel that is driven from here: bytes, a line that tells commands from data, reset, busy, and time.

use std::time::Duration;

use super::DisplayError;

/// What the dc line says about bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// One command byte.
    Command,
    /// Its arguments, or pixels.
    Data,
}

/// The wire, real or simulated. The driver on it has no other clock.
pub trait PanelBus: Send {
    /// The most bytes of one transfer.
    fn longest(&self) -> usize;

    /// Sends at most [`longest`](Self::longest) bytes.
    ///
    /// # Errors
    /// When the bus or the dc line refuses.
    fn transfer(&mut self, sent: Sent, bytes: &[u8]) -> Result<(), DisplayError>;

    /// Holds the chip in reset, or lets go of it. Without the line nothing happens.
    ///
    /// # Errors
    /// When the line refuses.
    fn hold_reset(&mut self, held: bool) -> Result<(), DisplayError>;

    /// Whether the chip says that it is busy; never without the line.
    ///
    /// # Errors
    /// When the line cannot be read.
    fn is_busy(&mut self) -> Result<bool, DisplayError>;

    /// Waits until the chip is no longer busy; false when it still is after `limit`.
    ///
    /// # Errors
    /// When the line cannot be read.
    fn wait_ready(&mut self, limit: Duration) -> Result<bool, DisplayError>;

    /// Lets time pass.
    fn pause(&mut self, time: Duration);

    /// Monotonic time.
    fn now(&self) -> Duration;
}

/// What the drivers say on the wire.
impl dyn PanelBus {
    /// A command with its arguments.
    ///
    /// # Errors
    /// As [`transfer`](PanelBus::transfer).
    pub fn command(&mut self, command: u8, arguments: &[u8]) -> Result<(), DisplayError> {
        self.transfer(Sent::Command, &[command])?;
        self.data(arguments)
    }

    /// Any number of data bytes.
    ///
    /// # Errors
    /// As [`transfer`](PanelBus::transfer).
    pub fn data(&mut self, bytes: &[u8]) -> Result<(), DisplayError> {
        let longest = self.longest().max(1);
        bytes.chunks(longest).try_for_each(|chunk| self.transfer(Sent::Data, chunk))
    }

    /// Resets by the line: low for 10 ms, then `rest`.
    ///
    /// # Errors
    /// As [`hold_reset`](PanelBus::hold_reset).
    pub fn reset(&mut self, rest: Duration) -> Result<(), DisplayError> {
        self.hold_reset(true)?;
        self.pause(Duration::from_millis(10));
        self.hold_reset(false)?;
        self.pause(rest);
        Ok(())
    }

    /// The commands of a board file.
    ///
    /// # Errors
    /// As [`transfer`](PanelBus::transfer).
    pub fn commands(&mut self, commands: &[Vec<u8>]) -> Result<(), DisplayError> {
        let mut each = commands.iter().filter_map(|bytes| bytes.split_first());
        each.try_for_each(|(command, arguments)| self.command(*command, arguments))
    }
}
