//! Vending: one item out of one slot, and the truth about whether it fell.

pub(crate) mod bus;
pub(crate) mod mdb;
pub mod relay;
mod worker;

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
}

/// Vending hardware. It may block: it has its own thread.
pub trait Vend: Send {
    /// Turns the slot's motor once and watches the drop.
    fn dispense(&mut self, slot: &str) -> Ended;

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
