//! The journal: the append-only, hash-chained record of everything about money and goods, in SQLite.
//!
//! | file | subject |
//! |---|---|
//! | [`append`] | the one writer thread: durable when it answers |
//! | [`chain`] | one record and the hash that ties it to the one before |
//! | [`project`] | what the entries of an order add up to |
//! | [`store`] | opening the file: lock, pragmas, migrations |
//! | [`location`] | where the file lies: on this system, or on a disk that a test made |
//! | [`recover`] | what is open, read at start |
//! | [`view`] | questions, on a connection that cannot write |
//! | [`outbox`] | what the hub has, what waits for it, what it refused |
//! | `asked` | refunds that wait for another person |
//! | [`vouchers`] | what was spent of the operator's member and voucher codes |
//! | [`slots`] | what is known of the machine's slots: no entry, kept beside them |
//! | [`audit`] | running totals that outlive the entries |
//! | [`retain`] | removing what is old, closed and the hub's, so that the chain can still be followed |
//! | [`verify`] | walks the chain and names what was tampered with |
//! | [`export`] | JSON lines and CSV |
//! | [`trouble`] | what can go wrong, and what to do then |
//!
//! Only the writer thread touches the connection that writes. Readers have their own, read-only. An entry is never
//! changed, and removed only by [`retain`]; the tables beside it are derived and can be made again.

pub mod append;
mod asked;
pub mod audit;
pub mod chain;
pub mod export;
pub mod location;
pub mod outbox;
pub mod project;
pub mod recover;
pub mod retain;
pub mod slots;
pub mod store;
pub mod trouble;
pub mod verify;
pub mod view;
pub mod vouchers;
pub mod window;

#[cfg(test)]
mod asked_tests;
#[cfg(test)]
mod audit_tests;
#[cfg(test)]
mod back_tests;
#[cfg(test)]
mod disk_tests;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod format_tests;
#[cfg(test)]
mod location_tests;
#[cfg(test)]
mod outbox_tests;
#[cfg(test)]
mod retain_tests;
#[cfg(test)]
mod slots_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod verify_tests;
#[cfg(test)]
mod view_tests;
#[cfg(test)]
mod voucher_tests;

use std::path::Path;

use payment::engine::entry::{Entry, OrderState, SlotId, Stored};
use payment::engine::slots::SlotCount;
use payment::money::Fen;
use payment::time::Wall;
use project::ProjectError;

pub use append::Journal;
pub use audit::AuditTotal;
pub use location::Location;
pub use outbox::{CommandOutcome, CommandResult, SetAside, SyncCounts, SyncStatus};
pub use retain::Retained;
pub use trouble::{AppendError, OpenError, ReadError, Trouble};
pub use view::Reader;
pub use vouchers::VoucherSpent;

/// A fact to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    /// What the wall clock says.
    pub at: Wall,
    /// The fact.
    pub entry: Entry,
    /// Its order's public state after it.
    pub state: OrderState,
}

/// A journal that was opened, and what it says is still going on.
#[derive(Debug)]
pub struct Opened {
    /// The journal.
    pub journal: Journal,
    /// The entries of each open order in their order, the oldest order first.
    pub open_orders: Vec<Vec<Stored>>,
    /// Place and time of the last entry; `None` when there is none.
    pub last: Option<(u64, Wall)>,
    /// Every entry up to this place is the hub's too; 0 when none is.
    pub acknowledged: u64,
    /// Number of the hub's newest command that was done or refused; 0 when there was none.
    pub handled: u64,
    /// What became of commands and was not reported yet, in the order of their numbers.
    pub results: Vec<CommandResult>,
    /// Whether an entry is set aside that no person has seen.
    pub unseen: bool,
    /// What was spent of the operator's codes, of each that may not have expired yet.
    pub spent: Vec<VoucherSpent>,
    /// What was paid by the operator's codes in entries that the hub does not have.
    pub unsettled: Fen,
    /// What is known of the machine's slots.
    pub slots: Vec<(SlotId, SlotCount)>,
}

impl Journal {
    /// Opens the journal at `path`, making it when it is missing, and reads what is open. Blocks on the disk.
    ///
    /// The cost grows with what is open, not with what ever was.
    ///
    /// # Errors
    ///
    /// See [`OpenError`]: a second daemon, a disk or a file that cannot be trusted with money.
    pub fn open(path: &Path) -> Result<Opened, OpenError> {
        Self::open_at(&Location::of(path))
    }

    /// The same through the SQLite VFS of that name; `None` is the system's own. See [`Location::on_vfs`].
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_on(path: &Path, vfs: Option<&'static str>) -> Result<Opened, OpenError> {
        Self::open_at(&vfs.map_or_else(|| Location::of(path), |vfs| Location::on_vfs(vfs, path)))
    }

    /// The same for a journal at `location`.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_at(location: &Location) -> Result<Opened, OpenError> {
        let lock = store::lock(location)?;
        let mut connection = store::create(location)?;
        let recovered = recover::recover(&connection, location)?;
        audit::catch_up(&mut connection);
        let journal = Self::start(location, lock, connection, recovered.head)?;
        Ok(Opened {
            journal,
            open_orders: recovered.open_orders,
            last: recovered.last,
            acknowledged: recovered.acknowledged,
            handled: recovered.handled,
            results: recovered.results,
            unseen: recovered.unseen,
            spent: recovered.spent,
            unsettled: recovered.unsettled,
            slots: recovered.slots,
        })
    }
}

/// Makes the derived tables of the journal at `path` again from its entries, for when [`verify`] finds that they do not
/// say what the entries say. The daemon must not be running.
///
/// # Errors
///
/// See [`OpenError`]; the tables are as before then.
pub fn rebuild(path: &Path) -> Result<(), OpenError> {
    let location = Location::of(path);
    let _lock = store::lock(&location)?;
    let mut connection = store::create(&location)?;
    let storage = |error| OpenError::Storage(Trouble::of(error, &location));
    let transaction = connection.transaction().map_err(storage)?;
    project::rebuild(&transaction).map_err(|error| match error {
        ProjectError::Sql(error) => storage(error),
        ProjectError::Unreadable(unreadable) => OpenError::Unreadable(unreadable),
        ProjectError::Misplaced { order, source } => {
            OpenError::Tampered { what: format!("the entries of order {order} are no whole story, {source}") }
        }
    })?;
    transaction.commit().map_err(storage)
}
