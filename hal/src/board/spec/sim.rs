//! `[sim]`: the simulated machine.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// `[sim]`: the simulated machine behind every device of kind `sim`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct SimSpec {
    /// The Unix socket where the machine listens. Relative: in the runtime directory.
    pub socket: Option<PathBuf>,
    /// How long a motor turns until its item tips over; default 1200.
    pub motor_ms: u32,
    /// How long an item falls until it breaks the beam; default 250.
    pub fall_ms: u32,
    /// The hardware one-shot behind each relay; default 3000.
    pub one_shot_ms: u32,
    /// Items in each slot at the start; default 8.
    pub stock: u32,
}

impl Default for SimSpec {
    fn default() -> Self {
        Self { socket: None, motor_ms: 1200, fall_ms: 250, one_shot_ms: 3000, stock: 8 }
    }
}
