//! What the terminal told the world. Nothing of it may be unsaid, by whatever dies or fails later.

use std::collections::{BTreeMap, BTreeSet};

use payment::channel::{ChannelId, DutyKind, Instalment};
use payment::engine::effect::Record;
use payment::engine::entry::{Entry, OrderState, Said, Stored};
use payment::engine::faults::Fault;
use payment::engine::record::OrderRecord;
use payment::ids::{AttemptId, OrderId, RefundId};
use payment::money::Fen;

use super::codes::Use;

/// The memory of a world.
#[derive(Debug, Default)]
pub struct Memory {
    /// The entries that the journal called durable, in their order.
    pub told: Vec<Stored>,
    /// Batches that were given to the journal since, without an answer that they are durable: they may be there or not.
    pub in_flight: Vec<Vec<Record>>,
    of_order: BTreeMap<OrderId, Vec<usize>>,
    /// The orders that are not closed.
    pub open: BTreeSet<OrderId>,
    /// The newest public state of each order.
    pub states: BTreeMap<OrderId, OrderState>,
    /// The attempts that have a number.
    pub started: BTreeMap<AttemptId, OrderId>,
    /// Through which channel each of them collects.
    pub channels: BTreeMap<AttemptId, ChannelId>,
    /// The plan of instalments of each of them.
    pub instalments: BTreeMap<AttemptId, Option<Instalment>>,
    /// When each pay code left the terminal.
    pub sent: BTreeMap<AttemptId, u64>,
    /// The refunds that were asked for, by whom.
    pub asked: BTreeMap<RefundId, Said>,
    /// Those that another person decided about, and whether they were approved.
    pub decided: BTreeMap<RefundId, bool>,
    /// The refunds that failed under their number.
    pub failed: BTreeSet<RefundId>,
    /// Which refund each one is made instead of.
    pub instead_of: BTreeMap<RefundId, RefundId>,
    /// What is owed to channels after deliveries.
    pub duties: BTreeSet<(AttemptId, DutyKind)>,
    /// The attempts whose undoing was begun.
    pub reversing: BTreeSet<AttemptId>,
    /// The refunds that have a number.
    pub refunds: BTreeMap<RefundId, AttemptId>,
    /// What kept the machine from delivering when each order was opened.
    pub jams: BTreeMap<OrderId, Vec<Fault>>,
    /// The orders that are paid.
    pub paid: BTreeSet<OrderId>,
    /// The items whose motor was started.
    pub vends: BTreeSet<(OrderId, usize)>,
    /// How much each refund returns.
    pub refund_amounts: BTreeMap<RefundId, Fen>,
    /// The refunds that are written as done.
    pub refunds_done: BTreeSet<RefundId>,
    /// What was begun with the operator's codes.
    pub uses: BTreeMap<AttemptId, Use>,
    /// What was sold for cash, and by which process.
    pub cash: Vec<(OrderId, u64)>,
    /// What the callers' keys of refunds led to.
    pub keys: BTreeMap<String, RefundId>,
}

impl Memory {
    /// An entry is durable.
    pub fn tell(&mut self, stored: Stored) {
        let order = stored.entry.order();
        if matches!(stored.entry, Entry::OrderClosed { .. }) {
            self.open.remove(&order);
        } else {
            self.open.insert(order);
        }
        self.of_order.entry(order).or_default().push(self.told.len());
        self.told.push(stored);
    }

    /// The orders, by their number.
    pub fn orders(&self) -> impl Iterator<Item = OrderId> + '_ {
        self.of_order.keys().copied()
    }

    /// How many orders there were.
    #[must_use]
    pub fn order_count(&self) -> u64 {
        self.of_order.len() as u64
    }

    /// The newest order.
    #[must_use]
    pub fn newest(&self) -> Option<OrderId> {
        let opened = self.told.iter().rev().find(|stored| matches!(stored.entry, Entry::OrderOpened { .. }));
        opened.map(|stored| stored.entry.order())
    }

    /// The entries of an order.
    #[must_use]
    pub fn entries(&self, order: OrderId) -> Vec<Stored> {
        let places = self.of_order.get(&order).into_iter().flatten();
        places.map(|place| self.told[*place].clone()).collect()
    }

    /// The order of a refund that was asked for.
    #[must_use]
    pub fn order_of_asked(&self, refund: RefundId) -> Option<OrderId> {
        let asks = |entry: &Entry| matches!(entry, Entry::RefundAsked { refund: asked, .. } if *asked == refund);
        self.told.iter().rev().find(|stored| asks(&stored.entry)).map(|stored| stored.entry.order())
    }

    /// The refund that this one was made for in the first place.
    #[must_use]
    pub fn root_of(&self, refund: RefundId) -> RefundId {
        let mut root = refund;
        while let Some(before) = self.instead_of.get(&root) {
            root = *before;
        }
        root
    }

    /// An order as its entries tell it.
    #[must_use]
    pub fn record(&self, order: OrderId) -> Option<OrderRecord> {
        OrderRecord::from_entries(&self.entries(order))
    }
}
