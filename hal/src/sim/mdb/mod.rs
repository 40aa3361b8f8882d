//! A simulated vending machine with MDB and a customer, behind an adapter of either kind.
//!
//! [`vmc`] is the master of the bus: a machine that polls, sells and keeps its own books. [`text_adapter`] and [`hex_adapter`] put
//! it behind the wire that the drivers speak. Everything is pure; [`port`](super::port) gives it a pty.

pub mod hex_adapter;
pub mod text_adapter;
pub mod vmc;

use std::time::Duration;

use super::port::Device;
use vmc::Vmc;

/// What goes wrong between the bus and us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The adapter loses its power for a second, and with it all that it was told.
    Reboot,
    /// Something is on the line that is no message.
    Noise,
    /// What the adapter says next does not arrive.
    LoseOut,
    /// What it is told next does not arrive.
    LoseIn,
}

/// An adapter with its machine.
pub trait Adapter: Device {
    /// The machine behind it.
    fn vmc(&mut self) -> &mut Vmc;
    /// Something goes wrong now.
    fn fault(&mut self, now: Duration, fault: Fault);
}

/// How long a reboot takes.
const REBOOT: Duration = Duration::from_secs(1);
