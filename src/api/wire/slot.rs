//! The machine's slots, on the wire.

use payment::engine::entry::SlotId;
use serde::{Deserialize, Serialize};

use crate::daemon::slots::SlotStatus;

/// One slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// The slot.
    pub slot: SlotId,
    /// What is in it.
    pub name: String,
    /// Its price in minor units.
    pub price: i64,
    /// Whether a fault blocks it.
    pub blocked: bool,
    /// How many items are in it; absent where nobody counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stock: Option<u32>,
    /// How many fit into it; absent where the settings do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
    /// How often in a row its motor turned and nothing fell.
    #[serde(default)]
    pub failures: u32,
    /// Whether nothing is left in it.
    #[serde(default)]
    pub sold_out: bool,
}

/// All slots that something is sold from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotList {
    /// The slots.
    pub slots: Vec<Slot>,
}

impl From<SlotStatus> for Slot {
    fn from(status: SlotStatus) -> Self {
        let SlotStatus { slot, name, price, blocked, capacity, count } = status;
        let (failures, sold_out) = (count.failures, count.is_sold_out());
        Self { slot, name, price: price.get(), blocked, stock: count.stock, capacity, failures, sold_out }
    }
}
