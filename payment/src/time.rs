//! Time as data. The engine never asks a clock; the daemon hands it a [`Now`] with every input.

use serde::{Deserialize, Serialize};

/// Milliseconds on the monotonic clock since the daemon started. Deadlines are made of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Mono(pub u64);

impl Mono {
    /// The moment `ms` milliseconds later; saturates at the end of time.
    #[must_use]
    pub fn plus(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from this moment until `later`; 0 when `later` is already past.
    #[must_use]
    pub fn until(self, later: Self) -> u64 {
        later.0.saturating_sub(self.0)
    }
}

/// Wall time: data to be recorded and sent, never a deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wall {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub ms: i64,
    /// Whether the clock is believed. Without a trusted clock no sale starts.
    pub trusted: bool,
}

/// What the clocks said when an input arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// The monotonic clock.
    pub mono: Mono,
    /// The wall clock.
    pub wall: Wall,
}
