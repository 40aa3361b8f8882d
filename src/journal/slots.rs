//! What is known of the machine's slots: a small table beside the entries, changed in the transaction of the entry that
//! changes it, or by a technician.
//!
//! It is no money. A table that is damaged costs the counts and the locks, and never an entry or a sale.

use payment::engine::entry::SlotId;
use payment::engine::slots::{SlotCount, SlotNews};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Journal;
use super::store;
use super::trouble::AppendError;

impl Journal {
    /// Notes what a technician counted or cleared. Durable when this returns.
    ///
    /// # Errors
    ///
    /// What an [`append`](Self::append) would meet.
    pub async fn keep_slot(&self, slot: SlotId, count: SlotCount) -> Result<(), AppendError> {
        self.have(move |writer| writer.in_transaction(|transaction| write(transaction, &slot, count))).await
    }
}

/// Takes in what the entries of this transaction mean for slots.
pub(super) fn apply(connection: &Connection, news: &[(SlotId, SlotNews)]) -> rusqlite::Result<()> {
    for (slot, news) in news {
        let before = read(connection, slot)?;
        let after = before.after(*news);
        if after != before {
            write(connection, slot, after)?;
        }
    }
    Ok(())
}

fn read(connection: &Connection, slot: &SlotId) -> rusqlite::Result<SlotCount> {
    let mut statement = connection.prepare_cached("SELECT slot, stock, failures, locked FROM slots WHERE slot = ?1")?;
    let found = statement.query_row([slot.as_str()], from_row).optional()?;
    Ok(found.map(|(_, count)| count).unwrap_or_default())
}

fn write(connection: &Connection, slot: &SlotId, count: SlotCount) -> rusqlite::Result<()> {
    let SlotCount { stock, failures, locked } = count;
    if count == SlotCount::default() {
        connection.prepare_cached("DELETE FROM slots WHERE slot = ?1")?.execute([slot.as_str()])?;
        return Ok(());
    }
    connection
        .prepare_cached("INSERT OR REPLACE INTO slots (slot, stock, failures, locked) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![slot.as_str(), stock, failures, locked])?;
    Ok(())
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<(SlotId, SlotCount)> {
    let name: String = row.get(0)?;
    let bad = || rusqlite::Error::FromSqlConversionFailure(0, Type::Text, "not a slot".into());
    let count = SlotCount { stock: row.get(1)?, failures: row.get(2)?, locked: row.get(3)? };
    Ok((SlotId::new(&name).ok_or_else(bad)?, count))
}

fn read_all(connection: &Connection) -> rusqlite::Result<Vec<(SlotId, SlotCount)>> {
    connection.prepare("SELECT slot, stock, failures, locked FROM slots")?.query_map([], from_row)?.collect()
}

/// All that is known at start. A table that cannot be read is made anew, empty: the machine sells as one whose slots
/// nobody counted.
pub(super) fn recover(connection: &Connection) -> Vec<(SlotId, SlotCount)> {
    read_all(connection).unwrap_or_else(|error| {
        tracing::error!(%error, "what is known of the slots cannot be read: count their stock again with `till stock`");
        let made =
            connection.execute_batch("DROP TABLE slots").and_then(|()| connection.execute_batch(store::ADDITIONS));
        if let Err(error) = made {
            tracing::error!(%error, "the table of slots cannot be made anew: stock and locks do not survive a restart");
        }
        Vec::new()
    })
}
