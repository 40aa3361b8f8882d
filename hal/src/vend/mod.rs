//! Vending: one item out of one slot, and the truth about whether it fell.
//!
//! | module | subject |
//! |---|---|
//! | [`relay`], [`pulse`] | driven lines: a [`Vend`] each, on a thread that may block |
//! | `xy`, `motor` | controllers on serial lines: a pure `bus::Protocol` each, under one driver |
//! | `mdb` | the cashless reader of a machine with MDB, through an adapter: a `bus::Protocol`, too |

pub(crate) mod bus;
mod desk;
#[cfg(test)]
mod driven;
pub(crate) mod mdb;
pub(crate) mod motor;
pub mod pulse;
pub mod relay;
#[cfg(test)]
mod runs;
mod worker;
pub(crate) mod xy;

use crate::{event::VendResult, gpio::LineError};

pub(crate) use worker::{QUEUE_MAX, Worker};

/// What the loop wants of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Job {
    /// Deliver one item out of a slot; `price` in fen is what the buyer has paid for it.
    Dispense { job: u64, slot: String, price: i64 },
    /// Find out what became of an interrupted vend, without turning a motor.
    Inspect { job: u64, drops_before: Option<u64> },
    /// What the buyer chose at the machine will not be paid: let the controller go.
    TurnAway,
}

/// A counter that latches drops by itself, so that it knows what fell while the daemon was dead.
pub trait DropCounter: Send + Sync {
    /// Items that fell since the counter was made; `None` when it cannot be read now.
    fn drops(&self) -> Option<u64>;
}

/// Why the vending hardware cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum VendError {
    /// A relay or the drop sensor.
    #[error("the vending hardware does not answer: {0}")]
    Line(#[from] LineError),
    /// Something lies in the light curtain; no drop could be seen.
    #[error("something blocks the drop sensor: clear the tray and clean the sensor")]
    Blocked,
    /// The machine takes no coins now.
    #[error("the machine inhibits its coin input: it is empty, out of order or switched off")]
    Inhibited,
}

/// How a vend or an inspection ended.
#[derive(Debug)]
pub struct Ended {
    /// What happened to the item.
    pub result: VendResult,
    /// The latched counter afterwards, where there is one.
    pub drops: Option<u64>,
    /// The hardware failed on the way and must be opened again.
    pub fault: Option<VendError>,
    /// Why it ended so, where that is known: short English, for the log and the technician.
    pub told: Option<String>,
}

impl Ended {
    /// What can be said while there is no hardware to ask.
    fn without_hardware(result: VendResult) -> Self {
        Self { result, drops: None, fault: None, told: Some("the vending hardware is away".into()) }
    }
}

/// Vending hardware. It may block: it has its own thread.
pub trait Vend: Send {
    /// Delivers one item out of the slot, once; `price` in fen is what the buyer has paid for it.
    fn dispense(&mut self, slot: &str, price: i64) -> Ended;

    /// Finds out whether an item fell since the counter stood at `drops_before`. Never turns a motor.
    fn inspect(&mut self, drops_before: Option<u64>) -> Ended;

    /// The latched counter, where there is one.
    fn drops(&self) -> Option<u64>;

    /// Looks whether the machine could deliver now, without moving anything.
    ///
    /// # Errors
    /// The hardware is then closed and opened again until it can.
    fn check(&mut self) -> Result<(), VendError>;
}
