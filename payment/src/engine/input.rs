//! Everything that can happen to the engine, and what it answers to those who ask.

use std::fmt;

use thiserror::Error;

use super::choice::Choice;
use super::effect::{CallId, JobId, Record};
use super::entry::{IdempotencyKey, Item, Origin, Said, SlotId, VendResult, WhoScans};
use super::faults::Fault;
use super::slots::SlotCount;
use crate::channel::Answer;
use crate::ids::{AttemptId, OrderId, RefundId};
use crate::instalment::NoPlan;
use crate::money::Fen;
use crate::voucher::VoucherRefused;

/// One event. Events come one at a time, each with the time at which it came.
///
/// [`Debug`](fmt::Debug) never shows a scanned line: it may be a buyer's pay code.
#[derive(Clone, PartialEq, Eq)]
pub enum Input {
    /// A deadline that [`super::Engine::poll_timeout`] named has come.
    Timer,
    /// A key of the keypad.
    Key(Key),
    /// A line from the machine's own scanner, as it was read.
    Scanned(String),
    /// An order through the API.
    Open(Box<NewOrder>),
    /// The machine took coins or notes and sold by itself: a fact to be recorded, whatever the faults.
    CashSale(Box<NewOrder>),
    /// The buyer chose at the machine's own keys, and its controller waits for the money.
    Chosen(Choice),
    /// The controller does not wait any more.
    ChoiceEnded,
    /// The machine's controller sold for coins or notes by itself: a fact to be recorded, whatever the faults.
    MachineSold(Choice),
    /// A code for an order, read by the API caller's own scanner.
    CodeGiven {
        /// The order to be paid.
        order: OrderId,
        /// The line that was read.
        line: String,
    },
    /// Nobody shall pay this order any more.
    Cancel {
        /// The order.
        order: OrderId,
    },
    /// Return money of a paid order; with approval by a second person, ask for it.
    Refund(RefundWanted),
    /// A second person's word about a refund that was asked for.
    RefundDecided {
        /// The order, open or loaded.
        order: OrderId,
        /// The refund.
        refund: RefundId,
        /// Whether it may be sent.
        approved: bool,
        /// Who decides, and why.
        said: Said,
    },
    /// A person did in the channel's portal what the channel wants to hear after a delivery.
    DutyDone {
        /// The order, open or loaded.
        order: OrderId,
        /// Who says so, and why.
        said: Said,
    },
    /// Pay an open order in this many instalments, or at once.
    ChooseInstalments {
        /// The order.
        order: OrderId,
        /// The months; `None` at once.
        periods: Option<u8>,
    },
    /// A channel's answer to an [`super::effect::Effect::Call`].
    Answered {
        /// Which call.
        call: CallId,
        /// What it said.
        answer: Answer,
    },
    /// The machine finished a vend or an inspection.
    Vended {
        /// Which job.
        job: JobId,
        /// How it ended.
        result: VendResult,
        /// The machine's drop counter now, if it has one.
        drops: Option<u64>,
        /// What the machine charged for the item, where it says so.
        taken: Option<Fen>,
    },
    /// The machine told its drop counter.
    Drops(Option<u64>),
    /// A record or a probe is durable.
    Recorded,
    /// The records could not be made durable; here they are back. Empty after a failed probe.
    NotRecorded(Vec<Record>),
    /// So much voucher money the hub has not acknowledged: told at start, after each commit and each acknowledgement.
    Unsettled(Fen),
    /// What is known of a slot: told at start of each, and when a technician counted what is in it.
    Slot {
        /// The slot.
        slot: SlotId,
        /// What is known, durable already.
        count: SlotCount,
    },
    /// A device or a technician reports a fault.
    Raise(Fault),
    /// A device or a technician says that it is over. With a slot's fault its failures are forgotten.
    Clear(Fault),
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = |line: &str| format!("<{} characters>", line.chars().count());
        match self {
            Self::Timer => f.write_str("Timer"),
            Self::Key(key) => write!(f, "Key({key:?})"),
            Self::Scanned(line) => write!(f, "Scanned({})", hidden(line)),
            Self::Open(wanted) => write!(f, "Open({wanted:?})"),
            Self::CashSale(sold) => write!(f, "CashSale({sold:?})"),
            Self::Chosen(choice) => write!(f, "Chosen({choice:?})"),
            Self::ChoiceEnded => f.write_str("ChoiceEnded"),
            Self::MachineSold(choice) => write!(f, "MachineSold({choice:?})"),
            Self::CodeGiven { order, line } => write!(f, "CodeGiven({order}, {})", hidden(line)),
            Self::Cancel { order } => write!(f, "Cancel({order})"),
            Self::Refund(wanted) => write!(f, "{wanted:?}"),
            Self::RefundDecided { order, refund, approved, said } => {
                write!(f, "RefundDecided({order}, {refund}, {approved}, {said:?})")
            }
            Self::DutyDone { order, said } => write!(f, "DutyDone({order}, {said:?})"),
            Self::ChooseInstalments { order, periods } => write!(f, "ChooseInstalments({order}, {periods:?})"),
            Self::Answered { call, answer } => write!(f, "Answered({call:?}, {answer:?})"),
            Self::Vended { job, result, drops, taken } => {
                write!(f, "Vended({job:?}, {result:?}, {drops:?}, {taken:?})")
            }
            Self::Drops(drops) => write!(f, "Drops({drops:?})"),
            Self::Recorded => f.write_str("Recorded"),
            Self::NotRecorded(batch) => write!(f, "NotRecorded({batch:?})"),
            Self::Unsettled(amount) => write!(f, "Unsettled({amount:?})"),
            Self::Slot { slot, count } => write!(f, "Slot({slot}, {count:?})"),
            Self::Raise(fault) => write!(f, "Raise({fault:?})"),
            Self::Clear(fault) => write!(f, "Clear({fault:?})"),
        }
    }
}

/// A key of the keypad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// 0 to 9.
    Digit(u8),
    /// Buy.
    Ok,
    /// Cancel.
    Cancel,
}

/// An order as the API takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrder {
    /// Where it came from.
    pub origin: Origin,
    /// What it costs. With items it must be the sum of their prices.
    pub amount: Fen,
    /// What is bought; may be empty.
    pub items: Vec<Item>,
    /// The line for the buyer's bill; `None` makes it of the items.
    pub subject: Option<String>,
    /// Who may scan.
    pub who_scans: WhoScans,
    /// How long the buyer has to pay; `None` takes the terminal's setting.
    pub pay_within_ms: Option<u64>,
    /// What a person has taken in cash beforehand. With items `amount` and this are the sum of their prices.
    pub down_payment: Fen,
    /// Over how many months the buyer pays by Huabei; `None` at once, or as chosen at the screen.
    pub periods: Option<u8>,
    /// The caller's own number.
    pub reference: Option<String>,
    /// The caller's key.
    pub idempotency: Option<IdempotencyKey>,
}

/// A refund as a person asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundWanted {
    /// The order, open or loaded.
    pub order: OrderId,
    /// How much; `None` returns all that is left.
    pub amount: Option<Fen>,
    /// The caller's key, so that a repeated request returns money once.
    pub idempotency: Option<IdempotencyKey>,
    /// Who asks, and why. Needed where a second person must approve.
    pub said: Option<Said>,
}

/// What an input led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// It was taken in.
    Taken,
    /// An order was opened under this number.
    Opened(OrderId),
    /// The code was taken; it is paid with under this number.
    Trying(AttemptId),
    /// Money goes back under this number, or waits for approval under it.
    Refunding(RefundId),
}

/// Why an input was refused. It changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refused {
    /// Somebody else is buying.
    #[error("the machine is serving order {0}; try again when it is over")]
    Busy(OrderId),
    /// The machine does not sell now.
    #[error("the machine does not sell now: {0}")]
    OutOfService(Fault),
    /// No such product slot.
    #[error("there is no slot {0} in this machine")]
    NoSuchSlot(SlotId),
    /// The slot is jammed or switched off.
    #[error("slot {0} is blocked by a fault; clear it after repair")]
    SlotBlocked(SlotId),
    /// Nothing is left in the slot.
    #[error("slot {0} is sold out, or holds less than the order wants; `till stock set` says what was filled in")]
    SoldOut(SlotId),
    /// The amount is not one that can be paid.
    #[error("an amount must be from 1 fen to 10000000000 fen (100,000,000.00 yuan), not {0:?}")]
    Amount(Fen),
    /// The items do not add up.
    #[error("the items cost {items:?} together, but the order says {amount:?}")]
    SumDiffers {
        /// What the items cost.
        items: Fen,
        /// What the order says.
        amount: Fen,
    },
    /// Too many items.
    #[error("an order has at most {MOST_ITEMS} items, not {0}")]
    TooManyItems(usize),
    /// The time to pay is out of range.
    #[error("the time to pay must be from 1 second to 2 hours, not {0} ms")]
    PayWithin(u64),
    /// Nobody could scan.
    #[error("this order asks for the scanner, and the machine has none that works")]
    NoScanner,
    /// No such order is open.
    #[error("there is no open order {0}")]
    NoSuchOrder(OrderId),
    /// Too late to cancel.
    #[error("order {0} is paid; return its money with a refund instead")]
    AlreadyPaid(OrderId),
    /// Nothing was paid.
    #[error("order {0} is not paid, so there is nothing to return")]
    NotPaid(OrderId),
    /// Paid in coins or notes.
    #[error("order {0} was paid in cash, which the terminal cannot return: cash is returned by hand")]
    PaidInCash(OrderId),
    /// Delivery is under way.
    #[error("order {0} is being delivered; what does not fall is returned by itself, wait until it is over")]
    Delivering(OrderId),
    /// One refund at a time: the channel wants a gap between two.
    #[error("a refund of order {0} is under way; ask again when it is over")]
    RefundUnderWay(OrderId),
    /// More than was paid.
    #[error("at most {left:?} can still be returned, not {asked:?}")]
    TooMuch {
        /// What is left.
        left: Fen,
        /// What was asked.
        asked: Fen,
    },
    /// The channel takes no refund so long after the payment.
    #[error(
        "order {order} was paid more than {days} days ago, and its channel takes no refund after that; return the money by hand"
    )]
    RefundTooLate {
        /// The order.
        order: OrderId,
        /// The window, in whole days.
        days: u64,
    },
    /// A second person must approve, and the first one gave no name.
    #[error("refunds need the approval of a second person here, so say who asks for this one")]
    NameWanted,
    /// The one who asked may not approve.
    #[error("{0} asked for this refund; another person must decide about it")]
    SamePerson(String),
    /// It does not wait for a decision.
    #[error("refund {0} does not wait for a decision")]
    NotAsked(RefundId),
    /// The channel is owed no word of a delivery.
    #[error("no channel waits for word of the delivery of order {0}")]
    NoDuty(OrderId),
    /// Not in such instalments.
    #[error("{0}")]
    NoPlan(#[from] NoPlan),
    /// This terminal offers none.
    #[error("this terminal offers no instalments; let the buyer pay at once")]
    NoInstalments,
    /// A machine delivers nothing for which a person took part of the money.
    #[error("a down payment is taken where a person hands the goods over, and these are delivered by the machine")]
    DownPayment,
    /// Too late to choose.
    #[error("order {0} is being paid or is over, so how it is paid can no longer be chosen")]
    TooLateToChoose(OrderId),
    /// No order waits for a code.
    #[error("no order waits for a pay code, so this one was not used; no money was taken")]
    NotWaiting,
    /// Not a pay code.
    #[error("this is not a pay code of a wallet; no money was taken")]
    NotAPayCode,
    /// A bank card's printed number.
    #[error(
        "this looks like the number of a bank card, which is not a pay code; it was not kept, and no money was taken"
    )]
    CardNumber,
    /// A wallet that this terminal does not take.
    #[error("this is a {0} pay code, which this terminal does not take; no money was taken")]
    WalletNotTaken(&'static str),
    /// Read before.
    #[error("this pay code was used a moment ago; let the buyer refresh it. It was not charged again")]
    CodeUsed,
    /// A member or voucher code that cannot be taken.
    #[error(transparent)]
    Voucher(#[from] VoucherRefused),
}

/// The most items of one order: each is delivered by its own motor run.
pub const MOST_ITEMS: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scanned_code_is_never_printed() {
        let line = "281234567890123456".to_owned();
        let order = OrderId::from_entropy([1; 16]);
        let given = format!("{:?}", Input::CodeGiven { order, line: line.clone() });
        assert_eq!(given, format!("CodeGiven({order}, <18 characters>)"));
        assert_eq!(format!("{:?}", Input::Scanned(line)), "Scanned(<18 characters>)");
    }
}
