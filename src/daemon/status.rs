//! How the terminal does, as the loop sees it.

use std::collections::BTreeMap;

use payment::engine::entry::OrderState;
use payment::engine::faults::Fault;
use payment::ids::OrderId;
use payment::time::Wall;

use super::Daemon;
use super::slots::SlotStatus;

/// How the terminal does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The faults that stand.
    pub faults: Vec<Fault>,
    /// The one that keeps the machine from selling.
    pub blocking: Option<Fault>,
    /// The one for which it sells to member and voucher codes only.
    pub codes_only: Option<Fault>,
    /// The order at the machine.
    pub order: Option<OrderId>,
    /// Whether the scanner lets codes through.
    pub scanner_armed: bool,
    /// Open orders by state.
    pub open: Vec<(OrderState, u64)>,
    /// The wall clock.
    pub wall: Wall,
    /// Who confirmed the time, or why it is not believed.
    pub clock: String,
    /// Milliseconds since the daemon started.
    pub up_ms: u64,
    /// The newest entry of the journal.
    pub last_seq: u64,
    /// What the machine sells: slot, name, price, and whether a fault blocks it.
    pub slots: Vec<SlotStatus>,
}

impl Daemon {
    pub(super) fn status(&self) -> Status {
        let now = self.clock.now();
        let mut open: BTreeMap<OrderState, u64> = BTreeMap::new();
        for order in self.engine.orders() {
            *open.entry(order.state()).or_default() += 1;
        }
        let faults: Vec<Fault> = self.engine.faults().cloned().collect();
        Status {
            slots: SlotStatus::all(&self.engine),
            blocking: self.engine.blocking_fault(),
            codes_only: self.engine.codes_only_because(),
            order: self.engine.order_at_machine(),
            scanner_armed: self.engine.is_scanner_armed(),
            open: open.into_iter().collect(),
            wall: now.wall,
            clock: self.clock.words(),
            up_ms: now.mono.0,
            last_seq: self.journal.last_seq(),
            faults,
        }
    }
}
