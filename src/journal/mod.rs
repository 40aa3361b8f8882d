//! The journal: the append-only, hash-chained record of everything about money and goods, in SQLite.
//!
//! | file | subject |
//! |---|---|
//! | [`append`] | the one writer thread: durable when it answers |
//! | [`chain`] | one record and the hash that ties it to the one before |
//! | [`project`] | what the entries of an order add up to |
//! | [`store`] | opening the file: lock, pragmas, migrations |
//! | [`recover`] | what is open, read at start |
//! | [`view`] | questions, on a connection that cannot write |
//! | [`verify`] | walks the chain and names what was tampered with |
//! | [`export`] | JSON lines and CSV |
//! | [`trouble`] | what can go wrong, and what to do then |
//!
//! Only the writer thread touches the connection that writes. Readers have their own, read-only. An entry is never
//! changed and never deleted; the tables beside it are derived and can be made again.

pub mod append;
pub mod chain;
pub mod export;
pub mod project;
pub mod recover;
pub mod store;
pub mod trouble;
pub mod verify;
pub mod view;

#[cfg(test)]
mod disk_tests;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod format_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod verify_tests;
#[cfg(test)]
mod view_tests;

use std::path::Path;

use payment::engine::entry::{Entry, OrderState, Stored};
use payment::time::Wall;
use project::ProjectError;

pub use append::Journal;
pub use trouble::{AppendError, OpenError, ReadError, Trouble};
pub use view::Reader;

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
        let lock = store::lock(path)?;
        let connection = store::create(path)?;
        let recovered = recover::recover(&connection)?;
        let journal = Self::start(path, lock, connection, recovered.head)?;
        Ok(Opened { journal, open_orders: recovered.open_orders, last: recovered.last })
    }
}

/// Makes the derived tables of the journal at `path` again from its entries, for when [`verify`] finds that they do not
/// say what the entries say. The daemon must not be running.
///
/// # Errors
///
/// See [`OpenError`]; the tables are as before then.
pub fn rebuild(path: &Path) -> Result<(), OpenError> {
    let _lock = store::lock(path)?;
    let mut connection = store::create(path)?;
    let storage = |error| OpenError::Storage(Trouble::of(error, path));
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
