//! The types of the wire, both ways. Their JSON is frozen: fields are added, never renamed or removed.

pub mod alarms;
pub mod audit;
pub mod instalments;
pub mod queue;
pub mod receipt;
pub mod refund;
pub mod slot;

use payment::channel::outcome::Details;
use payment::channel::{ChannelId, DutyKind, Instalment};
use payment::engine::entry::{
    CancelledBy, Ending, Method, OrderState, Origin, ReverseReason, SlotId, VendResult, WhoScans,
};
use payment::engine::faults::Fault;
use payment::engine::record::{AttemptEnd, AttemptRecord, DutyRecord, ItemRecord, OrderRecord, VendRecord};
use payment::ids::{AttemptId, OrderId};
use payment::time::Wall;
use serde::{Deserialize, Serialize};

use crate::daemon::terminal::Status;
use crate::journal::project::OrderSummary;
use crate::journal::view::Recorded;
pub use audit::AuditReset;
pub use refund::{Refund, RefundMade, RefundPage, RefundState};
pub use slot::{Slot, SlotList};

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Its number.
    pub id: OrderId,
    /// Its state. It only moves forward, but for money that must go back once more: `refunded` may become `refunding` or `owed`.
    pub state: OrderState,
    /// Whether anything is still to be done about it.
    pub open: bool,
    /// What it costs, in minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    /// What was paid over all attempts, in minor units.
    pub paid: i64,
    /// What of it the machine took in coins and notes, in minor units; absent when nothing.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub cash: i64,
    /// What went back for certain, in minor units.
    pub refunded: i64,
    /// The line on the buyer's bill.
    pub subject: String,
    /// Who may scan.
    pub who_scans: WhoScans,
    /// Where it came from.
    pub origin: Origin,
    /// The caller's own number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// How long the buyer had to pay, in seconds.
    pub pay_within_s: u64,
    /// When it was taken, RFC 3339.
    pub opened_at: String,
    /// Whether the clock was believed then.
    pub clock_trusted: bool,
    /// Who ended the wait for payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancelled_by: Option<CancelledBy>,
    /// How it ended, while it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending: Option<Ending>,
    /// What is bought.
    pub items: Vec<Item>,
    /// The attempts to collect, oldest first.
    pub attempts: Vec<Attempt>,
    /// The refunds, oldest first.
    pub refunds: Vec<Refund>,
    /// What a person took in cash beforehand, in minor units; not part of `amount`, absent when nothing.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub down_payment: i64,
    /// In how many months the buyer was to pay, as agreed at the opening. The attempts say what each was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instalments: Option<u8>,
    /// What is owed to the channel after the delivery: no money, but the channel wants to hear of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub duties: Vec<Duty>,
}

/// One thing that is bought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The slot that delivers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<SlotId>,
    /// The merchant's code.
    pub code: String,
    /// What the buyer reads.
    pub name: String,
    /// Its price in minor units.
    pub price: i64,
    /// Its way to the buyer.
    pub delivery: Delivery,
}

/// An item's way to the buyer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// A person hands it over.
    ByHand,
    /// Not begun.
    Waiting,
    /// The motor was started.
    Started,
    /// It fell.
    Delivered,
    /// It did not fall; its price goes back.
    NotDelivered,
    /// Nobody can tell.
    Unknown,
}

/// One try to collect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Its number, the channel's `out_trade_no`.
    pub number: AttemptId,
    /// Through which channel.
    pub channel: ChannelId,
    /// By which method.
    pub method: Method,
    /// How much, in minor units.
    pub amount: i64,
    /// How it stands.
    pub state: AttemptState,
    /// Why it is or was undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reversed_because: Option<ReverseReason>,
    /// The channel's own number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trade_no: Option<String>,
    /// When the buyer paid, in the channel's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_at: Option<String>,
    /// The buyer's account as the channel masks it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buyer: Option<String>,
    /// Why no money was taken: the channel's code or our word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The number of the member or voucher code that it spent of. The code itself is nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voucher: Option<String>,
    /// The plan of instalments that it was asked with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instalment: Option<Instalment>,
    /// The wallet, and what the channel told of the payment: further numbers, discounts, what the buyer paid himself.
    #[serde(flatten)]
    pub told: Details,
}

/// Something owed to a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duty {
    /// The paid attempt.
    pub attempt: AttemptId,
    /// What is to be done.
    pub kind: DutyKind,
    /// How it stands.
    pub state: DutyState,
    /// Since when, RFC 3339.
    pub since: String,
    /// Why the channel refuses it for now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Who did it by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_by: Option<String>,
    /// Why by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_why: Option<String>,
}

/// How a duty stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DutyState {
    /// The channel is being told.
    Waiting,
    /// The channel refuses for now; it is tried again.
    Refused,
    /// The channel knows, or a person did it in its portal.
    Done,
    /// All of the payment went back before the channel knew: nothing is to be told any more.
    Void,
}

/// How an attempt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptState {
    /// Its number may be known to the channel; the outcome is open.
    Started,
    /// It is being undone.
    Reversing,
    /// The buyer's money was taken.
    Paid,
    /// No money was taken and none will be.
    NotPaid,
}

/// An order in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRow {
    /// Its number.
    pub id: OrderId,
    /// Its state.
    pub state: OrderState,
    /// Whether anything is still to be done about it.
    pub open: bool,
    /// What it costs, in minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    /// What was paid.
    pub paid: i64,
    /// What went back.
    pub refunded: i64,
    /// Where it came from.
    pub origin: Origin,
    /// The caller's own number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// When it was taken, RFC 3339.
    pub opened_at: String,
    /// When its newest entry was written, RFC 3339.
    pub changed_at: String,
}

/// A page of orders, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderPage {
    /// The orders.
    pub orders: Vec<OrderRow>,
    /// What `cursor` asks for the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// One entry of the journal, as an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// Its place in the journal.
    pub seq: u64,
    /// What the wall clock said, RFC 3339.
    pub at: String,
    /// Whether the clock was believed.
    pub clock_trusted: bool,
    /// Whose it is.
    pub order: OrderId,
    /// The order's state after it.
    pub state: OrderState,
    /// The fact, as the journal holds it.
    pub entry: payment::engine::entry::Entry,
}

/// How the terminal does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalStatus {
    /// Whether a buyer can be served.
    pub selling: bool,
    /// What keeps it from selling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocking: Option<FaultRow>,
    /// Why only member and voucher codes are taken, and no wallet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codes_only: Option<FaultRow>,
    /// Everything that is wrong.
    pub faults: Vec<FaultRow>,
    /// What a person should see to, and what stops no sale: open complaints, and what channels warn of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alarms: Vec<FaultRow>,
    /// The order at the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// Whether the scanner lets codes through.
    pub scanner_armed: bool,
    /// How many orders are open, by state.
    pub open_orders: Vec<OpenOrders>,
    /// The wall clock.
    pub clock: Clock,
    /// What the machine sells.
    pub slots: Vec<Slot>,
    /// The daemon's version.
    pub version: String,
    /// Seconds since the daemon started.
    pub up_s: u64,
    /// The newest entry of the journal.
    pub newest_seq: u64,
}

/// Whether a channel can be reached now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// The first that answered; absent when none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelId>,
    /// Why none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultRow {
    /// Its stable name.
    pub name: String,
    /// What it means.
    pub text: String,
}

/// How many orders are open in one state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenOrders {
    /// The state.
    pub state: OrderState,
    /// How many.
    pub count: u64,
}

/// The wall clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// RFC 3339.
    pub time: String,
    /// Whether it is believed.
    pub trusted: bool,
    /// Who confirmed it, or why it is not believed.
    #[serde(default)]
    pub why: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
const fn is_nothing(fen: &i64) -> bool {
    *fen == 0
}

/// The moment in RFC 3339, UTC, with milliseconds. A clock that says no possible time gives `1970-01-01T00:00:00.000Z`.
#[must_use]
pub fn rfc3339(ms: i64) -> String {
    format!("{:.3}", jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH))
}

impl From<&OrderRecord> for Order {
    fn from(record: &OrderRecord) -> Self {
        Self {
            id: record.order,
            state: record.state(),
            open: record.ending.is_none(),
            amount: record.amount.get(),
            currency: record.currency.clone(),
            paid: record.paid().get(),
            cash: record.cash.get(),
            refunded: record.refunded().get(),
            subject: record.subject.clone(),
            who_scans: record.who_scans,
            origin: record.origin,
            reference: record.reference.clone(),
            pay_within_s: record.pay_within_ms / 1000,
            opened_at: rfc3339(record.opened_at.ms),
            clock_trusted: record.opened_at.trusted,
            cancelled_by: record.cancelled,
            ending: record.ending,
            items: record.items.iter().map(Item::from).collect(),
            attempts: record.attempts.iter().map(Attempt::from).collect(),
            refunds: record.refunds.iter().map(Refund::from).collect(),
            down_payment: record.down_payment.get(),
            instalments: record.instalment.map(|plan| plan.periods),
            duties: duties(record),
        }
    }
}

impl From<&ItemRecord> for Item {
    fn from(record: &ItemRecord) -> Self {
        let item = &record.item;
        Self {
            slot: item.slot.clone(),
            code: item.code.clone(),
            name: item.name.clone(),
            price: item.price.get(),
            delivery: if item.slot.is_none() { Delivery::ByHand } else { record.vend.into() },
        }
    }
}

impl From<VendRecord> for Delivery {
    fn from(vend: VendRecord) -> Self {
        match vend {
            VendRecord::Waiting => Self::Waiting,
            VendRecord::Started { .. } => Self::Started,
            VendRecord::Ended(VendResult::Dropped) => Self::Delivered,
            VendRecord::Ended(VendResult::NotDropped) => Self::NotDelivered,
            VendRecord::Ended(VendResult::Unknown) => Self::Unknown,
        }
    }
}

impl From<&AttemptRecord> for Attempt {
    fn from(record: &AttemptRecord) -> Self {
        let open = Self {
            number: record.attempt,
            channel: record.channel,
            method: record.method,
            amount: record.amount.get(),
            state: if record.reversing.is_some() { AttemptState::Reversing } else { AttemptState::Started },
            reversed_because: record.reversing,
            trade_no: None,
            paid_at: None,
            buyer: None,
            code: None,
            voucher: record.voucher.as_ref().map(|voucher| voucher.code.clone()),
            instalment: record.instalment,
            told: Details { wallet: record.wallet, ..Details::default() },
        };
        match record.end.clone() {
            None => open,
            Some(AttemptEnd::Paid { trade_no, paid_at, buyer, details, .. }) => {
                let told = Details { wallet: details.wallet.or(record.wallet), ..details };
                Self { state: AttemptState::Paid, trade_no: Some(trade_no), paid_at, buyer, told, ..open }
            }
            Some(AttemptEnd::NotPaid { code }) => Self { state: AttemptState::NotPaid, code: Some(code), ..open },
        }
    }
}

/// What the order's channels are told, each as it stands.
fn duties(order: &OrderRecord) -> Vec<Duty> {
    let stands = |duty: &DutyRecord| match (duty.done, order.open_duties().any(|open| open == duty), &duty.refused) {
        (true, ..) => DutyState::Done,
        (false, false, _) => DutyState::Void,
        (false, true, Some(_)) => DutyState::Refused,
        (false, true, None) => DutyState::Waiting,
    };
    let shown = |duty: &DutyRecord| {
        let said = duty.said.clone();
        Duty {
            attempt: duty.attempt,
            kind: duty.kind,
            state: stands(duty),
            since: rfc3339(duty.begun.ms),
            code: duty.refused.clone(),
            done_by: said.as_ref().map(|said| said.by.clone()),
            done_why: said.map(|said| said.why).filter(|why| !why.is_empty()),
        }
    };
    order.duties.iter().map(shown).collect()
}

impl From<OrderSummary> for OrderRow {
    fn from(order: OrderSummary) -> Self {
        Self {
            id: order.order,
            state: order.state,
            open: order.open,
            amount: order.amount.get(),
            currency: order.currency,
            paid: order.paid.get(),
            refunded: order.refunded.get(),
            origin: order.origin,
            reference: order.reference,
            opened_at: rfc3339(order.opened_ms),
            changed_at: rfc3339(order.last_ms),
        }
    }
}

impl From<Recorded> for Event {
    fn from(recorded: Recorded) -> Self {
        let stored = recorded.stored;
        Self {
            seq: stored.seq,
            at: rfc3339(stored.at.ms),
            clock_trusted: stored.at.trusted,
            order: stored.entry.order(),
            state: recorded.state,
            entry: stored.entry,
        }
    }
}

impl From<&Fault> for FaultRow {
    fn from(fault: &Fault) -> Self {
        Self { name: fault.name(), text: fault.to_string() }
    }
}

impl Clock {
    fn new(wall: Wall, why: String) -> Self {
        Self { time: rfc3339(wall.ms), trusted: wall.trusted, why }
    }
}

/// A fault in words, the clock's with its reason.
fn fault_row(fault: &Fault, clock: &str) -> FaultRow {
    let mut row = FaultRow::from(fault);
    if *fault == Fault::Clock {
        row.text = format!("{}: {clock}", row.text);
    }
    row
}

impl From<Status> for TerminalStatus {
    fn from(status: Status) -> Self {
        Self {
            selling: status.blocking.is_none(),
            blocking: status.blocking.as_ref().map(|fault| fault_row(fault, &status.clock)),
            codes_only: status.codes_only.as_ref().map(FaultRow::from),
            faults: status.faults.iter().map(|fault| fault_row(fault, &status.clock)).collect(),
            alarms: Vec::new(),
            order: status.order,
            scanner_armed: status.scanner_armed,
            open_orders: status.open.into_iter().map(|(state, count)| OpenOrders { state, count }).collect(),
            clock: Clock::new(status.wall, status.clock),
            slots: status.slots.into_iter().map(Slot::from).collect(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            up_s: status.up_ms / 1000,
            newest_seq: status.last_seq,
        }
    }
}
