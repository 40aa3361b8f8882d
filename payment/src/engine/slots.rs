//! What is known of the machine's slots: how many items a technician counted in them, and how often they failed in a row.
//!
//! No money and no entry of the journal. The journal keeps it in a table of its own, by the same [`SlotCount::after`], in
//! the transaction of the entry that changes it; the engine is told at start by [`super::input::Input::Slot`].

use std::collections::BTreeMap;

use super::entry::SlotId;
use crate::ids::OrderId;

/// What is known of one slot. A slot of which nothing is known sells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SlotCount {
    /// How many items are in it; `None` where nobody counted.
    pub stock: Option<u32>,
    /// How often in a row its motor turned and nothing fell.
    pub failures: u32,
    /// It is not sold from until a technician clears it.
    pub locked: bool,
}

/// What happened in a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotNews {
    /// An item fell.
    Dropped,
    /// Its motor turned and nothing fell.
    Failed {
        /// That was once too often.
        locks: bool,
    },
    /// The machine sold from it by itself, for coins or notes.
    Sold,
}

impl SlotCount {
    /// What is known after `news`. Only a technician unlocks.
    #[must_use]
    pub const fn after(self, news: SlotNews) -> Self {
        let stock = match self.stock {
            Some(stock) => Some(stock.saturating_sub(1)),
            None => None,
        };
        match news {
            SlotNews::Dropped => Self { stock, failures: 0, ..self },
            SlotNews::Failed { locks } => {
                Self { failures: self.failures.saturating_add(1), locked: self.locked || locks, ..self }
            }
            SlotNews::Sold => Self { stock, ..self },
        }
    }

    /// After a repair: nothing failed, nothing is locked.
    #[must_use]
    pub const fn cleared(self) -> Self {
        Self { failures: 0, locked: false, ..self }
    }

    /// Whether nothing is left that is known to be there.
    #[must_use]
    pub fn is_sold_out(self) -> bool {
        self.stock == Some(0)
    }
}

/// All slots of which something is known.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    counts: BTreeMap<SlotId, SlotCount>,
    /// Sold by the machine itself, in entries that are not written yet: a cash sale that the disk refuses is forgotten.
    sold: Vec<(OrderId, SlotId)>,
    changes: u64,
}

impl Slots {
    pub(crate) fn count(&self, slot: &SlotId) -> SlotCount {
        self.counts.get(slot).copied().unwrap_or_default()
    }

    pub(crate) fn counts(&self) -> impl Iterator<Item = (&SlotId, &SlotCount)> {
        self.counts.iter()
    }

    /// Grows with every change.
    pub(crate) const fn changes(&self) -> u64 {
        self.changes
    }

    pub(crate) fn set(&mut self, slot: SlotId, count: SlotCount) {
        if self.count(&slot) == count {
            return;
        }
        self.changes += 1;
        if count == SlotCount::default() {
            self.counts.remove(&slot);
        } else {
            self.counts.insert(slot, count);
        }
    }

    pub(crate) fn take_in(&mut self, slot: &SlotId, news: SlotNews) {
        self.set(slot.clone(), self.count(slot).after(news));
    }

    /// A failure of this slot, of which so many in a row lock it.
    pub(crate) fn failure(&self, slot: &SlotId, lock_after: u32) -> SlotNews {
        SlotNews::Failed { locks: self.count(slot).failures.saturating_add(1) >= lock_after }
    }

    /// The machine sold from `slot` by itself, in an entry that is still to be written.
    pub(crate) fn sell(&mut self, order: OrderId, slot: SlotId) {
        self.sold.push((order, slot));
    }

    /// What was sold counts for the orders that are written.
    pub(crate) fn settle_sold(&mut self, is_written: impl Fn(OrderId) -> bool) {
        for (order, slot) in std::mem::take(&mut self.sold) {
            if is_written(order) {
                self.take_in(&slot, SlotNews::Sold);
            } else {
                self.sold.push((order, slot));
            }
        }
    }

    /// The order was never written.
    pub(crate) fn forget(&mut self, order: OrderId) {
        self.sold.retain(|(known, _)| *known != order);
    }
}
