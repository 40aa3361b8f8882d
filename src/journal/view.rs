//! Questions to the journal, on a thread and a connection of their own that cannot write.

use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use payment::channel::allinpay::vsp::cancelled_attempt;
use payment::engine::entry::{OrderState, Stored};
use payment::ids::{OrderId, RefundId};
use payment::money::Fen;
use payment::time::Wall;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::{mpsc, oneshot};

use super::asked;
use super::audit::{self, Audit};
use super::chain::Unreadable;
use super::chain::{Head, Record, sql_seq, state_named};
use super::location::Location;
use super::outbox::{self, SyncCounts, SyncStatus};
use super::project::{self, NumberKind, OrderSummary};
use super::recover;
use super::store;
use super::trouble::{OpenError, ReadError, Trouble};
use super::vouchers;

/// Questions that may wait; one who asks beyond that waits itself.
const WAITING_MAX: usize = 64;
/// The most rows of one answer; more is to be asked for with a cursor.
pub const PAGE_MAX: u32 = 1_000;

/// An order with all its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRecord {
    /// At a glance.
    pub summary: OrderSummary,
    /// All its entries in their order.
    pub entries: Vec<Stored>,
}

/// An entry and what it made of its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The entry.
    pub stored: Stored,
    /// The order's state after it.
    pub state: OrderState,
}

/// Which orders to list; everything that is given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListFilter {
    /// Any number of the order: its own, of an attempt or a refund, the channel's, the caller's.
    pub number: Option<String>,
    /// Its state.
    pub state: Option<OrderState>,
    /// Taken at or after, milliseconds since 1970.
    pub from_ms: Option<i64>,
    /// Taken before, milliseconds since 1970.
    pub to_ms: Option<i64>,
    /// Only orders before this cursor, the `opened_seq` of the last one on the page before.
    pub before: Option<u64>,
    /// At most so many, and never more than [`PAGE_MAX`]; 0 means [`PAGE_MAX`].
    pub limit: u32,
}

/// Which requests a key belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyOf {
    /// Requests that open an order.
    Order,
    /// Requests for a refund.
    Refund,
}

/// What a request with an idempotency key did the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// The order that it made, or whose refund it asked for.
    pub order: OrderId,
    /// The refund that it made.
    pub refund: Option<RefundId>,
    /// Hash of that request's body.
    pub body_sha256: String,
}

/// Where the journal stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Totals {
    /// Place and hash of the last entry.
    pub head: Head,
    /// When it was recorded; `None` when there is none.
    pub last_at: Option<Wall>,
    /// How many orders are open, by state.
    pub open: Vec<(OrderState, u64)>,
}

type Query = Box<dyn FnOnce(&Connection) + Send>;

/// Why one question has no answer.
pub(super) enum NoAnswer {
    Sql(rusqlite::Error),
    Unreadable(Unreadable),
}

impl From<rusqlite::Error> for NoAnswer {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<Unreadable> for NoAnswer {
    fn from(unreadable: Unreadable) -> Self {
        Self::Unreadable(unreadable)
    }
}

/// Asks the journal. Clones share one thread, which ends with the last of them.
#[derive(Debug, Clone)]
pub struct Reader(Arc<ReaderThread>);

#[derive(Debug)]
struct ReaderThread {
    location: Location,
    queries: Option<mpsc::Sender<Query>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for ReaderThread {
    fn drop(&mut self) {
        self.queries = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the journal's reader ended by a panic");
        }
    }
}

impl Reader {
    /// A reader of the journal at `path`, which must exist. The daemon may be writing to it.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::open_at(&Location::of(path))
    }

    /// The same for a journal at `location`.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn open_at(location: &Location) -> Result<Self, OpenError> {
        let connection = store::connect_read_only(location)
            .and_then(|connection| recover::head(&connection).map(|_| connection))
            .map_err(|error| OpenError::Storage(Trouble::of(error, location)))?;
        let (queries, mut waiting) = mpsc::channel::<Query>(WAITING_MAX);
        let thread = thread::Builder::new()
            .name("journal-reader".to_owned())
            .spawn(move || {
                while let Some(query) = waiting.blocking_recv() {
                    query(&connection);
                }
            })
            .map_err(|source| OpenError::File { path: location.path().to_owned(), source })?;
        let location = location.clone();
        Ok(Self(Arc::new(ReaderThread { location, queries: Some(queries), thread: Some(thread) })))
    }

    /// The order that has `number`: its own, of an attempt or a refund, the channel's, the caller's reference, or of the
    /// cancel of an attempt at Allinpay VSP, the first of these that there is. Of several under one reference the newest.
    ///
    /// # Errors
    ///
    /// When the journal cannot be read.
    pub async fn order(&self, number: &str) -> Result<Option<OrderRecord>, ReadError> {
        let number = number.to_owned();
        self.ask(move |connection| {
            let Some(summary) = by_number(connection, &number)? else {
                return Ok(None);
            };
            let entries = recover::entries_of(connection, summary.opened_seq)?;
            let entries = entries.iter().map(Record::proved).collect::<Result<_, _>>()?;
            Ok(Some(OrderRecord { summary, entries }))
        })
        .await
    }

    /// The orders that match, the newest first.
    ///
    /// # Errors
    ///
    /// When the journal cannot be read.
    pub async fn list(&self, filter: ListFilter) -> Result<Vec<OrderSummary>, ReadError> {
        self.ask(move |connection| Ok(list(connection, &filter)?)).await
    }

    /// The entries after place `seq`, at most `limit` and never more than [`PAGE_MAX`].
    ///
    /// # Errors
    ///
    /// When the journal cannot be read.
    pub async fn entries_since(&self, seq: u64, limit: u32) -> Result<Vec<Recorded>, ReadError> {
        self.ask(move |connection| {
            let records = records_since(connection, seq, page(limit))?;
            let recorded = records
                .iter()
                .map(|record| Ok::<_, NoAnswer>(Recorded { stored: record.stored()?, state: record.state()? }));
            recorded.collect()
        })
        .await
    }

    /// The entries after place `after` by which somebody asks for a refund that nobody decided about, those that wait
    /// longest first: at most `limit` and never more than [`PAGE_MAX`]. Costs what waits, not what ever was.
    ///
    /// # Errors
    ///
    /// When the journal cannot be read.
    pub async fn refunds_asked(&self, after: u64, limit: u32) -> Result<Vec<Stored>, ReadError> {
        self.ask(move |connection| asked::page(connection, after, page(limit))).await
    }

    /// How many refunds wait for somebody's decision.
    ///
    /// # Errors
    ///
    /// When the journal cannot be read.
    pub async fn refunds_waiting(&self) -> Result<u64, ReadError> {
        self.ask(|connection| Ok(asked::count(connection)?)).await
    }

    /// What a request with this key did, if there was one.
    ///
    /// # Errors
    ///
    /// When the journal cannot be read.
    pub async fn remembered(&self, of: KeyOf, key: &str) -> Result<Option<Remembered>, ReadError> {
        let key = key.to_owned();
        self.ask(move |connection| Ok(remembered(connection, of, &key)?)).await
    }

    /// Where the journal stands. Costs what is open, not what ever was.
    ///
    /// # Errors
    ///
    /// When the journal cannot be read.
    pub async fn totals(&self) -> Result<Totals, ReadError> {
        self.ask(|connection| Ok(totals(connection)?)).await
    }

    /// The running totals for an audit.
    ///
    /// # Errors
    ///
    /// When the journal cannot be read.
    pub async fn audit(&self) -> Result<Audit, ReadError> {
        self.ask(|connection| Ok(audit::read(connection)?)).await
    }

    /// What the hub does not have yet, after place `after` and in its order: at most `entries_max` entries whose lines
    /// on the wire have `bytes_max` bytes or less together, and at least one when there is one.
    ///
    /// Empty when nothing comes after, or when retention removed what came next: without a gap or not at all.
    ///
    /// # Errors
    ///
    /// When the journal cannot be read.
    pub async fn outbox(&self, after: u64, entries_max: u32, bytes_max: usize) -> Result<Vec<Record>, ReadError> {
        self.ask(move |connection| Ok(outbox::page(connection, after, entries_max, bytes_max)?)).await
    }

    /// Where the journal and the hub stand. The amount is added up over all that waits: to be asked for by people.
    ///
    /// # Errors
    ///
    /// When the journal cannot be read.
    pub async fn sync_status(&self) -> Result<SyncStatus, ReadError> {
        self.ask(|connection| Ok(outbox::status(connection)?)).await
    }

    /// The numbers of [`sync_status`](Self::sync_status) that cost nothing, for counters.
    ///
    /// # Errors
    ///
    /// When the journal cannot be read.
    pub async fn sync_counts(&self) -> Result<SyncCounts, ReadError> {
        self.ask(|connection| Ok(outbox::counts(connection)?)).await
    }

    /// What was paid by the operator's codes in entries that the hub does not have, less what of it went back.
    ///
    /// # Errors
    ///
    /// When the journal cannot be read.
    pub async fn unsettled(&self) -> Result<Fen, ReadError> {
        self.ask(|connection| {
            let marks = outbox::marks(connection)?;
            Ok(vouchers::unsettled(connection, marks.acknowledged)?)
        })
        .await
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, NoAnswer> + Send + 'static,
    ) -> Result<T, ReadError> {
        let (reply, answer) = oneshot::channel();
        let queries = self.0.queries.as_ref().ok_or(ReadError::Stopped)?;
        let query: Query = Box::new(move |connection| {
            let _ = reply.send(question(connection));
        });
        queries.send(query).await.map_err(|_| ReadError::Stopped)?;
        let answered = answer.await.map_err(|_| ReadError::Stopped)?;
        answered.map_err(|failure| match failure {
            NoAnswer::Sql(error) => ReadError::Storage(Trouble::of(error, &self.0.location)),
            NoAnswer::Unreadable(unreadable) => ReadError::Unreadable(unreadable),
        })
    }
}

fn page(limit: u32) -> u32 {
    if limit == 0 { PAGE_MAX } else { limit.min(PAGE_MAX) }
}

fn by_number(connection: &Connection, number: &str) -> rusqlite::Result<Option<OrderSummary>> {
    let mut statement = connection.prepare_cached(include_str!("sql/order_by_number.sql"))?;
    let found = statement.query_row([number], project::read_order).optional()?;
    // A statement of Allinpay VSP names an undone attempt by the number of its cancel, which no entry holds.
    match (found, cancelled_attempt(number)) {
        (None, Some(attempt)) => statement.query_row([attempt.as_str()], project::read_order).optional(),
        (found, _) => Ok(found),
    }
}

/// Each filter has the statement whose cost follows the answer, not the journal.
fn list(connection: &Connection, filter: &ListFilter) -> rusqlite::Result<Vec<OrderSummary>> {
    let in_time = filter.from_ms.is_some() || filter.to_ms.is_some();
    let statement = match (&filter.number, filter.state) {
        (Some(_), _) => include_str!("sql/orders_by_number.sql"),
        (None, _) if in_time => include_str!("sql/orders_by_time.sql"),
        (None, Some(_)) => include_str!("sql/orders_by_state.sql"),
        (None, None) => include_str!("sql/orders_newest.sql"),
    };
    connection
        .prepare_cached(statement)?
        .query_map(
            params![
                filter.number,
                filter.state.map(OrderState::name),
                filter.from_ms,
                filter.to_ms,
                filter.before.map(sql_seq),
                page(filter.limit),
            ],
            project::read_order,
        )?
        .collect()
}

/// The records after place `seq`.
pub(super) fn records_since(connection: &Connection, seq: u64, limit: u32) -> rusqlite::Result<Vec<Record>> {
    connection
        .prepare_cached(include_str!("sql/entries_since.sql"))?
        .query_map(params![sql_seq(seq), limit], Record::from_row)?
        .collect()
}

fn remembered(connection: &Connection, of: KeyOf, key: &str) -> rusqlite::Result<Option<Remembered>> {
    let kind = match of {
        KeyOf::Order => NumberKind::OrderKey,
        KeyOf::Refund => NumberKind::RefundKey,
    };
    let bad =
        |column, what: &str| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, what.to_owned().into());
    connection
        .prepare_cached(include_str!("sql/key.sql"))?
        .query_row(params![key, kind.name()], |row| {
            let order: String = row.get(0)?;
            let refund: Option<String> = row.get(1)?;
            Ok(Remembered {
                order: order.parse().map_err(|_| bad(0, "not an order number"))?,
                refund: refund.map(|number| number.parse().map_err(|_| bad(1, "not a refund number"))).transpose()?,
                body_sha256: row.get(2)?,
            })
        })
        .optional()
}

fn totals(connection: &Connection) -> rusqlite::Result<Totals> {
    let last = recover::last(connection)?;
    let open = connection
        .prepare_cached("SELECT state, count(*) FROM orders WHERE open = 1 GROUP BY state")?
        .query_map([], |row| {
            let name: String = row.get(0)?;
            let count: i64 = row.get(1)?;
            Ok(state_named(&name).map(|state| (state, u64::try_from(count).unwrap_or(0))))
        })?
        .filter_map(Result::transpose)
        .collect::<rusqlite::Result<_>>()?;
    Ok(Totals {
        head: last.as_ref().map_or_else(Head::beginning, Record::head),
        last_at: last.map(|record| record.at),
        open,
    })
}
