//! The machine's slots as the loop shows them, and a technician's word about them.

use payment::engine::Engine;
use payment::engine::entry::SlotId;
use payment::engine::faults::Fault;
use payment::engine::input::Input;
use payment::engine::slots::SlotCount;
use payment::money::Fen;
use tokio::sync::watch;

use super::Daemon;
use super::terminal::ActError;

/// One slot of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotStatus {
    /// The slot.
    pub slot: SlotId,
    /// What is in it.
    pub name: String,
    /// Its price.
    pub price: Fen,
    /// Whether a fault blocks it.
    pub blocked: bool,
    /// How many fit into it, where the settings say so.
    pub capacity: Option<u32>,
    /// How many are in it, and how often it failed.
    pub count: SlotCount,
}

impl SlotStatus {
    /// All slots that something is sold from.
    #[must_use]
    pub fn all(engine: &Engine) -> Vec<Self> {
        let settings = engine.settings();
        let slots = settings.products.iter().map(|(slot, product)| Self {
            slot: slot.clone(),
            name: product.name.clone(),
            price: product.price,
            blocked: engine.faults().any(|fault| matches!(fault, Fault::Slot(blocked) if blocked == slot)),
            capacity: settings.capacities.get(slot).copied(),
            count: engine.slot(slot),
        });
        slots.collect()
    }
}

/// Tells those who follow the slots what changed.
#[derive(Debug)]
pub(super) struct SlotNotice {
    seen: u64,
    told: watch::Sender<Vec<SlotStatus>>,
}

impl SlotNotice {
    pub(super) fn new(engine: &Engine) -> Self {
        Self { seen: engine.slot_changes(), told: watch::Sender::new(SlotStatus::all(engine)) }
    }

    /// What is told from now on.
    pub(super) fn subscribe(&self) -> watch::Receiver<Vec<SlotStatus>> {
        self.told.subscribe()
    }

    /// To be called when all effects are carried out.
    pub(super) fn follow(&mut self, engine: &Engine) {
        if self.seen != engine.slot_changes() {
            self.seen = engine.slot_changes();
            self.told.send_replace(SlotStatus::all(engine));
        }
    }
}

impl Daemon {
    /// What a technician counted stands when it is durable.
    pub(super) async fn count_stock(&mut self, slot: SlotId, stock: Option<u32>) -> Result<(), ActError> {
        let count = self.keep_slot(&slot, |count| SlotCount { stock, ..count }).await?;
        self.handle(Input::Slot { slot, count })?;
        Ok(())
    }

    /// Makes a technician's word about a slot durable. What the journal still has to write of this slot comes first, or its
    /// table would say another thing than this run.
    pub(super) async fn keep_slot(
        &mut self,
        slot: &SlotId,
        change: impl Fn(SlotCount) -> SlotCount,
    ) -> Result<SlotCount, ActError> {
        self.drain().await;
        if self.journal.is_failing() {
            return Err(ActError::NotStored);
        }
        let count = change(self.engine.slot(slot));
        self.journal.keep_slot(slot.clone(), count).await.ok_or(ActError::NotStored)?;
        Ok(count)
    }
}
