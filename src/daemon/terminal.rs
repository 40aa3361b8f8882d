//! The way to the loop for everyone who is not a device: the local API, the command line behind it, the tests.
//!
//! A [`Terminal`] is cheap to clone. What it asks of the engine goes through one bounded queue, and an answer comes only
//! after everything that the question led to is durable; what it asks of the past goes to the journal's reader.

use std::sync::Arc;
use std::time::Duration;

use payment::engine::entry::{IdempotencyKey, Said, SlotId, Stored};
use payment::engine::input::{Done, Input, NewOrder, RefundWanted, Refused};
use payment::engine::record::OrderRecord;
use payment::ids::{AttemptId, OrderId, RefundId};
use payment::money::Fen;
use payment::time::Mono;
use thiserror::Error;
use tokio::sync::{Mutex, mpsc, oneshot, watch};

use super::metrics::Metrics;
use super::notices::ChannelNews;
use super::receipts::PrintError;
use super::slots::SlotStatus;
pub use super::status::Status;
use crate::journal::project::OrderSummary;
use crate::journal::view::{KeyOf, ListFilter, Recorded};
use crate::journal::{AuditTotal, CommandResult, ReadError, Reader, SetAside, SyncCounts};
use crate::sync::status::{LinkNews, Nudges, QueueStatus};

/// Questions that may wait for the loop. One more is turned away: the caller is told to come back.
pub const COMMANDS_MAX: usize = 64;

/// How long a caller waits for the loop; it is only ever slow when the disk is.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// A question to the loop.
#[derive(Debug)]
pub enum Command {
    /// Hand this to the engine; answer when all that follows is durable.
    Act {
        /// What.
        input: Box<Input>,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<Done, ActError>>,
    },
    /// Make a closed order known to the engine again, then hand it this. The loop itself reads the order: retention
    /// cannot come between the reading and the doing.
    Reopen {
        /// The order.
        order: OrderId,
        /// What.
        input: Box<Input>,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<Done, ActError>>,
    },
    /// The live record of an open order.
    Order {
        /// Its number.
        order: OrderId,
        /// Where the answer goes.
        reply: oneshot::Sender<Option<OrderRecord>>,
    },
    /// A technician counted what is in a slot, or does not count it any more.
    Stock {
        /// The slot.
        slot: SlotId,
        /// So many items.
        stock: Option<u32>,
        /// Where the answer goes: it is durable then.
        reply: oneshot::Sender<Result<(), ActError>>,
    },
    /// Print the receipt of a paid order.
    Print {
        /// The order.
        record: Box<OrderRecord>,
        /// Whether it says that it is a copy.
        reply: oneshot::Sender<Result<bool, PrintError>>,
    },
    /// Begin the audit's interval anew.
    ResetAudit {
        /// From these totals on; `None`: from this moment on.
        from: Option<Vec<AuditTotal>>,
        /// Where the answer goes: it is durable then; `false` when a total was never so high, and nothing was done.
        reply: oneshot::Sender<Result<bool, ActError>>,
    },
    /// How the terminal does.
    Status {
        /// Where the answer goes.
        reply: oneshot::Sender<Status>,
    },
    /// Something of the link to the hub is to be made durable, or done.
    Sync {
        /// What.
        wish: SyncWish,
        /// Where the answer goes: it is durable then.
        reply: oneshot::Sender<Result<(), ActError>>,
    },
    /// Stop as if by SIGTERM.
    Stop,
}

/// What the link to the hub wants of the loop.
#[derive(Debug)]
pub enum SyncWish {
    /// The hub has everything up to `up_to`, those set aside as refused for good.
    Acknowledge {
        /// Up to which place.
        up_to: u64,
        /// What it refuses.
        set_aside: Vec<SetAside>,
    },
    /// A command of the operator is done or refused.
    Handled(CommandResult),
    /// The hub knows the results up to this number.
    Reported(u64),
    /// A person knows of all that is set aside.
    SetAsideSeen,
    /// Restart as soon as nobody is at the machine.
    Restart,
}

/// Why the loop did not do what was asked.
#[derive(Debug, Error)]
pub enum ActError {
    /// The engine refused; nothing changed.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Too many questions wait.
    #[error("the terminal has too many requests waiting; nothing was changed, ask again in a second")]
    Full,
    /// The journal could not take it.
    #[error(
        "the terminal cannot write its journal, so no order was opened and no money was asked for. A cancel or refund that was just asked for is kept, and done when the disk is back; see /v1/terminal for the fault"
    )]
    NotStored,
    /// The answer did not come in time.
    #[error(
        "the terminal did not answer in time; the request may still be carried out: ask with the same Idempotency-Key or look the order up"
    )]
    Late,
    /// The daemon is stopping.
    #[error("the terminal is stopping; nothing was changed")]
    Stopping,
    /// The same key came with another body.
    #[error(
        "this Idempotency-Key was used before with another body; nothing was changed. Use a new key for a new request"
    )]
    KeyReused,
    /// The journal could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// What a terminal knows of its link to the hub.
#[derive(Debug, Clone)]
pub struct SyncEnds {
    /// How the link does.
    pub link: watch::Receiver<LinkNews>,
    /// What the link is told.
    pub nudges: watch::Sender<Nudges>,
    /// At so many bytes of journal the terminal stops selling.
    pub limit_bytes: u64,
}

/// A handle to the running terminal.
#[derive(Debug, Clone)]
pub struct Terminal {
    commands: mpsc::Sender<Command>,
    journal: Reader,
    newest: watch::Receiver<u64>,
    screen: watch::Receiver<Option<Arc<hal::display::Frame>>>,
    metrics: Arc<Metrics>,
    /// Requests with a key come one at a time, so that two equal ones cannot both be the first.
    keyed: Arc<Mutex<()>>,
    sync: SyncEnds,
    news: ChannelNews,
    slots: watch::Receiver<Vec<SlotStatus>>,
}

impl Terminal {
    /// A handle over the loop's ends, without a hub and without a limit of disk.
    #[must_use]
    pub fn new(
        commands: mpsc::Sender<Command>,
        journal: Reader,
        newest: watch::Receiver<u64>,
        screen: watch::Receiver<Option<Arc<hal::display::Frame>>>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let sync = SyncEnds {
            link: watch::Sender::default().subscribe(),
            nudges: watch::Sender::default(),
            limit_bytes: u64::MAX,
        };
        let (keyed, news) = (Arc::default(), ChannelNews::default());
        let slots = watch::Sender::default().subscribe();
        Self { commands, journal, newest, screen, metrics, keyed, sync, news, slots }
    }

    /// The same with a link to the hub.
    #[must_use]
    pub fn with_sync(self, sync: SyncEnds) -> Self {
        Self { sync, ..self }
    }

    /// The same with what changes in its slots.
    #[must_use]
    pub fn with_slots(self, slots: watch::Receiver<Vec<SlotStatus>>) -> Self {
        Self { slots, ..self }
    }

    /// The same with what its channels tell besides the sales.
    #[must_use]
    pub fn with_news(self, news: ChannelNews) -> Self {
        Self { news, ..self }
    }

    /// Complaints, alarms and notices.
    #[must_use]
    pub const fn news(&self) -> &ChannelNews {
        &self.news
    }

    /// Opens an order, or finds the one that the same key and body opened before; `true` when it is new.
    ///
    /// # Errors
    ///
    /// See [`ActError`].
    pub async fn open(&self, wanted: NewOrder) -> Result<(OrderRecord, bool), ActError> {
        self.make_order(wanted.idempotency.clone(), Input::Open(Box::new(wanted))).await
    }

    /// Records a sale that the machine made for coins or notes, or finds the one that the same key and body recorded
    /// before; `true` when it is new.
    ///
    /// # Errors
    ///
    /// See [`ActError`].
    pub async fn cash_sale(&self, sold: NewOrder) -> Result<(OrderRecord, bool), ActError> {
        self.make_order(sold.idempotency.clone(), Input::CashSale(Box::new(sold))).await
    }

    async fn make_order(&self, key: Option<IdempotencyKey>, input: Input) -> Result<(OrderRecord, bool), ActError> {
        let _one_at_a_time = self.keyed.lock().await;
        self.after_the_others().await?;
        if let Some(key) = &key
            && let Some(before) = self.journal.remembered(KeyOf::Order, &key.key).await?
        {
            let record = self.known_order(before.order).await?;
            // An order to be paid and a cash sale may look the same, and are two things.
            let is_same = before.body_sha256 == key.body_sha256 && record.cash.is_positive() == is_cash(&input);
            return if is_same { Ok((record, false)) } else { Err(ActError::KeyReused) };
        }
        match self.act(input).await? {
            Done::Opened(order) => Ok((self.known_order(order).await?, true)),
            Done::Taken | Done::Trying(_) | Done::Refunding(_) => Err(ActError::Late),
        }
    }

    /// Ends the wait for payment.
    ///
    /// # Errors
    ///
    /// See [`ActError`].
    pub async fn cancel(&self, order: OrderId) -> Result<OrderRecord, ActError> {
        self.act(Input::Cancel { order }).await?;
        self.known_order(order).await
    }

    /// Pays an order with a code that the caller's own scanner read.
    ///
    /// # Errors
    ///
    /// See [`ActError`].
    pub async fn give_code(&self, order: OrderId, line: String) -> Result<(OrderRecord, AttemptId), ActError> {
        match self.act(Input::CodeGiven { order, line }).await? {
            Done::Trying(attempt) => Ok((self.known_order(order).await?, attempt)),
            Done::Taken | Done::Opened(_) | Done::Refunding(_) => Err(ActError::Late),
        }
    }

    /// Returns money of an order, or finds the refund that the same key and body made before; `true` when it is new.
    ///
    /// # Errors
    ///
    /// See [`ActError`].
    pub async fn refund(
        &self,
        order: OrderId,
        amount: Option<Fen>,
        key: Option<IdempotencyKey>,
        said: Option<Said>,
    ) -> Result<(OrderRecord, RefundId, bool), ActError> {
        let _one_at_a_time = self.keyed.lock().await;
        self.after_the_others().await?;
        if let Some(key) = &key
            && let Some(before) = self.journal.remembered(KeyOf::Refund, &key.key).await?
        {
            return match (before.refund, before.order == order && before.body_sha256 == key.body_sha256) {
                (Some(refund), true) => Ok((self.known_order(order).await?, refund, false)),
                (Some(_) | None, _) => Err(ActError::KeyReused),
            };
        }
        let input = Input::Refund(RefundWanted { order, amount, idempotency: key, said });
        match self.act_on(order, input).await? {
            Done::Refunding(refund) => Ok((self.known_order(order).await?, refund, true)),
            Done::Taken | Done::Opened(_) | Done::Trying(_) => Err(ActError::Late),
        }
    }

    /// Another person's word about a refund that was asked for.
    ///
    /// # Errors
    ///
    /// See [`ActError`].
    pub async fn decide_refund(
        &self,
        order: OrderId,
        refund: RefundId,
        approved: bool,
        said: Said,
    ) -> Result<OrderRecord, ActError> {
        self.act_on(order, Input::RefundDecided { order, refund, approved, said }).await?;
        self.known_order(order).await
    }

    /// A person did in the channel's portal what the channel wants to hear after a delivery.
    ///
    /// # Errors
    ///
    /// See [`ActError`].
    pub async fn duty_done(&self, order: OrderId, said: Said) -> Result<OrderRecord, ActError> {
        self.act_on(order, Input::DutyDone { order, said }).await?;
        self.known_order(order).await
    }

    /// Pays an open order in so many months, or at once.
    ///
    /// # Errors
    ///
    /// See [`ActError`].
    pub async fn choose_instalments(&self, order: OrderId, periods: Option<u8>) -> Result<OrderRecord, ActError> {
        self.act(Input::ChooseInstalments { order, periods }).await?;
        self.known_order(order).await
    }

    /// An input about an order that may be closed.
    async fn act_on(&self, order: OrderId, input: Input) -> Result<Done, ActError> {
        match self.live_order(order).await? {
            Some(_) => self.act(input).await,
            None => self.reopen(order, input).await,
        }
    }

    /// A caller who gave up waiting has left its request in the queue, and may repeat it under the same key: whatever
    /// was asked before is in the journal when this returns.
    async fn after_the_others(&self) -> Result<(), ActError> {
        self.status().await.map(|_| ())
    }

    async fn reopen(&self, order: OrderId, input: Input) -> Result<Done, ActError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Command::Reopen { order, input: Box::new(input), reply })?;
        wait_for(answer).await?
    }

    /// Hands an input to the engine.
    ///
    /// # Errors
    ///
    /// See [`ActError`].
    pub async fn act(&self, input: Input) -> Result<Done, ActError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Command::Act { input: Box::new(input), reply })?;
        wait_for(answer).await?
    }

    /// The order that any of its numbers names: its own, an attempt's, a refund's, the channel's, the caller's.
    ///
    /// # Errors
    ///
    /// [`ActError::Read`] when the journal cannot be read, or the loop does not answer.
    pub async fn order(&self, number: &str) -> Result<Option<OrderRecord>, ActError> {
        if let Ok(order) = number.parse()
            && let Some(live) = self.live_order(order).await?
        {
            return Ok(Some(live));
        }
        let Some(stored) = self.journal.order(number).await? else {
            return Ok(None);
        };
        match self.live_order(stored.summary.order).await? {
            Some(live) => Ok(Some(live)),
            None => Ok(OrderRecord::from_entries(&stored.entries)),
        }
    }

    /// All entries of an order.
    ///
    /// # Errors
    ///
    /// [`ActError::Read`] when the journal cannot be read.
    pub async fn entries_of(&self, order: OrderId) -> Result<Vec<Stored>, ActError> {
        let stored = self.journal.order(order.as_str()).await?;
        Ok(stored.map(|stored| stored.entries).unwrap_or_default())
    }

    /// The entries after number `after` that ask for a refund about which nobody decided, the longest wait first.
    ///
    /// # Errors
    ///
    /// [`ActError::Read`] when the journal cannot be read.
    pub async fn refunds_asked(&self, after: u64, limit: u32) -> Result<Vec<Stored>, ActError> {
        Ok(self.journal.refunds_asked(after, limit).await?)
    }

    /// How many refunds wait for somebody's decision.
    ///
    /// # Errors
    ///
    /// [`ActError::Read`] when the journal cannot be read.
    pub async fn refunds_waiting(&self) -> Result<u64, ActError> {
        Ok(self.journal.refunds_waiting().await?)
    }

    /// Orders, newest first.
    ///
    /// # Errors
    ///
    /// [`ActError::Read`] when the journal cannot be read.
    pub async fn orders(&self, filter: ListFilter) -> Result<Vec<OrderSummary>, ActError> {
        Ok(self.journal.list(filter).await?)
    }

    /// Up to `limit` entries after number `seq`.
    ///
    /// # Errors
    ///
    /// [`ActError::Read`] when the journal cannot be read.
    pub async fn entries_since(&self, seq: u64, limit: u32) -> Result<Vec<Recorded>, ActError> {
        Ok(self.journal.entries_since(seq, limit).await?)
    }

    /// The number of the newest entry, and a way to wait for the next.
    #[must_use]
    pub fn newest(&self) -> watch::Receiver<u64> {
        self.newest.clone()
    }

    /// The slots, and a way to wait for a change.
    #[must_use]
    pub fn slots(&self) -> watch::Receiver<Vec<SlotStatus>> {
        self.slots.clone()
    }

    /// Notes what a technician counted in a slot; `None`: it is not counted any more.
    ///
    /// # Errors
    ///
    /// See [`ActError`].
    pub async fn count_stock(&self, slot: SlotId, stock: Option<u32>) -> Result<(), ActError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Command::Stock { slot, stock, reply })?;
        wait_for(answer).await?
    }

    /// Gives the receipt of a paid order to the printer; tells whether it says that it is a copy.
    ///
    /// # Errors
    ///
    /// See [`PrintError`].
    pub async fn print(&self, record: OrderRecord) -> Result<bool, PrintError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Command::Print { record: Box::new(record), reply })?;
        wait_for(answer).await?
    }

    /// Begins the audit's interval anew, see [`Command::ResetAudit`].
    ///
    /// # Errors
    ///
    /// See [`ActError`].
    pub async fn reset_audit(&self, from: Option<Vec<AuditTotal>>) -> Result<bool, ActError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Command::ResetAudit { from, reply })?;
        wait_for(answer).await?
    }

    /// The picture on the display; `None` before the first.
    #[must_use]
    pub fn screen(&self) -> Option<Arc<hal::display::Frame>> {
        self.screen.borrow().clone()
    }

    /// How the terminal does.
    ///
    /// # Errors
    ///
    /// [`ActError::Full`], [`ActError::Late`] or [`ActError::Stopping`].
    pub async fn status(&self) -> Result<Status, ActError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Command::Status { reply })?;
        wait_for(answer).await
    }

    /// How the queue to the hub stands.
    ///
    /// # Errors
    ///
    /// See [`ActError`].
    pub async fn queue(&self) -> Result<QueueStatus, ActError> {
        let now = Mono(self.status().await?.up_ms);
        let status = self.journal.sync_status().await?;
        let link = self.sync.link.borrow().at(now);
        Ok(QueueStatus { status, link, limit_bytes: self.sync.limit_bytes })
    }

    /// The numbers of the queue that cost nothing to find, for counters.
    ///
    /// # Errors
    ///
    /// [`ActError::Read`] when the journal cannot be read.
    pub async fn sync_counts(&self) -> Result<SyncCounts, ActError> {
        Ok(self.journal.sync_counts().await?)
    }

    /// How the link to the hub does, and at how many bytes of journal the terminal stops selling.
    #[must_use]
    pub fn link(&self) -> (LinkNews, u64) {
        (self.sync.link.borrow().clone(), self.sync.limit_bytes)
    }

    /// Has what waits for the hub sent now, whatever it waits for. Without a hub nothing happens.
    pub fn send_now(&self) {
        self.sync.nudges.send_modify(|nudges| nudges.send_now += 1);
    }

    /// Has something of the link to the hub made durable or done.
    pub(crate) async fn sync(&self, wish: SyncWish) -> Result<(), ActError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Command::Sync { wish, reply })?;
        wait_for(answer).await?
    }

    /// Questions to the journal.
    pub(crate) const fn journal(&self) -> &Reader {
        &self.journal
    }

    /// The counters.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Asks the daemon to stop.
    ///
    /// # Errors
    ///
    /// [`ActError::Full`] or [`ActError::Stopping`].
    pub fn stop(&self) -> Result<(), ActError> {
        self.ask(Command::Stop)
    }

    async fn live_order(&self, order: OrderId) -> Result<Option<OrderRecord>, ActError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Command::Order { order, reply })?;
        wait_for(answer).await
    }

    async fn known_order(&self, order: OrderId) -> Result<OrderRecord, ActError> {
        let record = self.order(order.as_str()).await?;
        record.ok_or(ActError::Refused(Refused::NoSuchOrder(order)))
    }

    fn ask(&self, command: Command) -> Result<(), ActError> {
        self.commands.try_send(command).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => ActError::Full,
            mpsc::error::TrySendError::Closed(_) => ActError::Stopping,
        })
    }
}

const fn is_cash(input: &Input) -> bool {
    matches!(input, Input::CashSale(_))
}

async fn wait_for<T>(answer: oneshot::Receiver<T>) -> Result<T, ActError> {
    match tokio::time::timeout(ANSWER_LIMIT, answer).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(_)) => Err(ActError::Stopping),
        Err(_) => Err(ActError::Late),
    }
}
