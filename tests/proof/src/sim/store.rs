//! The real journal on a simulated card, as a world of virtual time uses it: every wait is over when the call returns.

use hal::sim::disk::{Card, Failure, Fate};
use payment::engine::effect::Record;
use payment::engine::entry::Stored;
use payment::engine::input::Input;
use payment::money::Fen;
use till::daemon::Broken;
use till::daemon::journaling::Journaling;
use till::daemon::metrics::Metrics;
use till::journal::chain::Record as Chained;
use till::journal::verify::{Report, verify_at};
use till::journal::view::PAGE_MAX;
use till::journal::{Journal, Location, OpenError, Opened, ReadError, Reader, SetAside};
use tokio::runtime::Runtime;

use crate::dice::Dice;

/// The card's log is thrown away after so many commits.
const COMMITS_PER_TRIM: u32 = 32;

/// Where the journal lies. It outlives the process.
pub struct Disk {
    card: Card,
    runtime: Runtime,
}

/// An open journal.
pub struct Store {
    journaling: Journaling,
    reader: Reader,
    metrics: Metrics,
    commits: u32,
}

/// What the journal says at a start.
pub struct Found {
    /// The journal.
    pub store: Store,
    /// The entries of each open order.
    pub open_orders: Vec<Vec<Stored>>,
    /// Place of the last entry; 0 when there is none.
    pub newest: u64,
    /// What was spent of the operator's codes.
    pub spent: Vec<payment::voucher::VoucherSpent>,
    /// Voucher money that the hub does not have.
    pub unsettled: Fen,
    /// Up to where the hub has everything.
    pub acknowledged: u64,
}

impl Disk {
    /// A new, empty card.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        Self { card: Card::new(seed), runtime }
    }

    fn location(&self) -> Location {
        Location::on_vfs(self.card.vfs(), &self.card.path())
    }

    /// Opens the journal as the daemon does at its start.
    ///
    /// # Errors
    ///
    /// See [`OpenError`].
    pub fn open(&self) -> Result<Found, OpenError> {
        let Opened { journal, open_orders, last, spent, unsettled, acknowledged, .. } =
            Journal::open_at(&self.location())?;
        let newest = last.map_or(0, |(seq, _)| seq);
        let store = Store {
            reader: journal.reader(),
            journaling: Journaling::new(journal, newest),
            metrics: Metrics::default(),
            commits: 0,
        };
        Ok(Found { store, open_orders, newest, spent, unsettled, acknowledged })
    }

    /// Makes the batch durable, or gives it back.
    pub fn append(&self, store: &mut Store, batch: Vec<Record>) -> Input {
        store.commits += 1;
        if store.commits.is_multiple_of(COMMITS_PER_TRIM) {
            self.card.trim();
        }
        self.runtime.block_on(store.journaling.append(batch, &store.metrics))
    }

    /// Tries a tiny durable write.
    pub fn probe(&self, store: &mut Store) -> Input {
        self.runtime.block_on(store.journaling.probe())
    }

    /// Voucher money that the hub does not have.
    #[must_use]
    pub fn unsettled(&self, store: &Store) -> Option<Fen> {
        self.runtime.block_on(store.journaling.unsettled()).ok()
    }

    /// What waits for the hub after place `after`.
    ///
    /// # Errors
    ///
    /// When the disk does not read.
    pub fn outbox(
        &self,
        store: &Store,
        after: u64,
        entries_max: u32,
        bytes_max: usize,
    ) -> Result<Vec<Chained>, ReadError> {
        self.runtime.block_on(store.reader.outbox(after, entries_max, bytes_max))
    }

    /// Makes the hub's acknowledgement durable; `None` when it is not.
    pub fn acknowledge(&self, store: &mut Store, up_to: u64, set_aside: Vec<SetAside>) -> Option<()> {
        self.runtime.block_on(store.journaling.acknowledge(up_to, set_aside))
    }

    /// The entries after place `seq`.
    #[must_use]
    pub fn entries_since(&self, store: &Store, mut seq: u64) -> Vec<Stored> {
        let mut entries = Vec::new();
        loop {
            let page = self.runtime.block_on(store.reader.entries_since(seq, PAGE_MAX)).expect("a readable journal");
            let Some(last) = page.last() else {
                return entries;
            };
            seq = last.stored.seq;
            entries.extend(page.into_iter().map(|recorded| recorded.stored));
        }
    }

    /// The entries of the order that has this number.
    #[must_use]
    pub fn order(&self, store: &Store, number: &str) -> Vec<Stored> {
        let found = self.runtime.block_on(store.reader.order(number));
        found.ok().flatten().map(|record| record.entries).unwrap_or_default()
    }

    /// Walks the whole chain.
    ///
    /// # Errors
    ///
    /// In words, when it cannot be read.
    pub fn verify(&self) -> Result<Report, String> {
        verify_at(&self.location(), None).map_err(|error| error.to_string())
    }

    // ---- what happens to it ----

    /// How many things were asked of the card.
    #[must_use]
    pub fn instant(&self) -> usize {
        self.card.instant()
    }

    /// The process was killed: what it had asked for is there.
    pub fn process_dies(&mut self) {
        self.card = self.card.copy();
    }

    /// The process was killed at that instant.
    pub fn process_died_at(&mut self, instant: usize) {
        self.card = self.card.rebuild(instant, &mut |_| Fate::Kept);
    }

    /// The power fails, at that instant or now: each write that was not made safe is kept, lost or torn.
    pub fn power_fails(&mut self, instant: Option<usize>, mut dice: Dice) {
        let mut fate = |_: hal::sim::disk::Pending<'_>| match dice.roll(4) {
            0 => Fate::Kept,
            1 => Fate::Lost,
            2 => Fate::Torn(usize::try_from(dice.roll(4_200)).unwrap_or(0)),
            _ => Fate::Sectors(dice.roll(u64::MAX)),
        };
        self.card = self.card.rebuild(instant.unwrap_or(usize::MAX), &mut fate);
    }

    /// The card fails after so many more writes.
    pub fn fails_after(&self, writes: u64, failure: Failure) {
        self.card.fail_after(writes, failure);
    }

    /// Only so many bytes more find room.
    pub fn has_room_for(&self, bytes: u64) {
        self.card.set_capacity(Some(self.card.used() + bytes));
    }

    /// The card works again.
    pub fn heal(&self) {
        self.card.heal();
        self.card.set_capacity(None);
    }
}

impl Store {
    /// Whether the journal and this run still agree.
    ///
    /// # Errors
    ///
    /// See [`Broken`]: the daemon would start anew.
    pub fn is_whole(&self) -> Result<(), Broken> {
        self.journaling.is_whole()
    }

    /// Whether the last write failed.
    #[must_use]
    pub const fn is_failing(&self) -> bool {
        self.journaling.is_failing()
    }
}
