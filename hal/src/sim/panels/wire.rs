//! What the simulated panels on SPI share: the far end of the wire, its virtual time, and its rules.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::display::{
    DisplayError,
    bus::{PanelBus, Sent},
};

/// The far end of a wire.
#[derive(Debug)]
pub struct FarEnd {
    longest: usize,
    pub(super) now: Duration,
    /// The wire is cut.
    pub unplugged: bool,
    /// What a real panel would have taken amiss.
    pub faults: Vec<String>,
}

impl FarEnd {
    pub(super) fn new(longest: usize) -> Self {
        Self { longest, now: Duration::ZERO, unplugged: false, faults: Vec::new() }
    }

    pub(super) fn fault(&mut self, what: impl Into<String>) {
        self.faults.push(what.into());
    }
}

/// A chip at the far end.
pub(super) trait Chip: Send {
    fn end(&mut self) -> &mut FarEnd;

    /// Something came, before it is looked at.
    fn arrived(&mut self, _bytes: &[u8]) {}

    fn took_command(&mut self, command: u8);

    fn took_data(&mut self, bytes: &[u8]);

    fn hold_reset(&mut self, held: bool);

    fn is_busy(&self) -> bool {
        false
    }

    fn wait_ready(&mut self, _limit: Duration) -> bool {
        true
    }
}

/// One end of the wire, and the eye in front of the panel.
#[derive(Debug)]
pub struct Panel<C>(Arc<Mutex<C>>);

impl<C> Clone for Panel<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C> Panel<C> {
    pub(super) fn of(chip: C) -> Self {
        Self(Arc::new(Mutex::new(chip)))
    }

    /// The far end's state.
    pub fn state(&self) -> MutexGuard<'_, C> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C: Chip> PanelBus for Panel<C> {
    fn longest(&self) -> usize {
        self.state().end().longest
    }

    fn transfer(&mut self, sent: Sent, bytes: &[u8]) -> Result<(), DisplayError> {
        let mut chip = self.state();
        let end = chip.end();
        if end.unplugged {
            return Err(DisplayError::Lost("the SPI bus: unplugged".into()));
        }
        if bytes.is_empty() || bytes.len() > end.longest {
            end.fault(format!("a transfer of {} bytes", bytes.len()));
        }
        chip.arrived(bytes);
        match (sent, bytes) {
            (Sent::Command, [command]) => chip.took_command(*command),
            (Sent::Command, _) => chip.end().fault("a command is one byte"),
            (Sent::Data, data) => chip.took_data(data),
        }
        Ok(())
    }

    fn hold_reset(&mut self, held: bool) -> Result<(), DisplayError> {
        self.state().hold_reset(held);
        Ok(())
    }

    fn is_busy(&mut self) -> Result<bool, DisplayError> {
        Ok(self.state().is_busy())
    }

    fn wait_ready(&mut self, limit: Duration) -> Result<bool, DisplayError> {
        Ok(self.state().wait_ready(limit))
    }

    fn pause(&mut self, time: Duration) {
        self.state().end().now += time;
    }

    fn now(&self) -> Duration {
        self.state().end().now
    }
}
