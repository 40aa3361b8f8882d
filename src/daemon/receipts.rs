//! When a receipt is printed: after an order that delivered, if the settings say so, and again when somebody asks.
//!
//! Paper is no record: what is not printed stops no sale, and a restart prints nothing by itself.

use std::collections::VecDeque;

use hal::printer::PrintRefused;
use payment::engine::effect::Record;
use payment::engine::entry::{Entry, OrderState};
use payment::engine::faults::Fault;
use payment::engine::record::OrderRecord;
use payment::ids::OrderId;
use thiserror::Error;

use super::Daemon;
use super::devices::Machinery;
use super::paper::paper;
use super::terminal::ActError;
use crate::api::receipt::receipt;
use crate::config::PrintReceipts;

/// So many orders are remembered; a second word about an older one comes days later.
const KNOWN_MAX: usize = 64;

/// Why nothing was printed.
#[derive(Debug, Error)]
pub enum PrintError {
    /// The board has no printer.
    #[error("this machine has no printer: nothing was printed. The receipt itself is at /v1/orders/{{number}}/receipt")]
    NoPrinter,
    /// The settings say so.
    #[error("[sell] print_receipts is \"never\": nothing was printed")]
    Off,
    /// It has trouble, or too many receipts wait.
    #[error("the printer does not print now, so nothing was printed: look at paper, cover and cable, then ask again")]
    NotReady,
    /// The loop did not answer.
    #[error(transparent)]
    NotAsked(#[from] ActError),
}

/// What was printed since the start.
#[derive(Debug)]
pub struct Receipts {
    policy: PrintReceipts,
    /// Orders that delivered in this run, the newest last, and whether their receipt was printed. One that is not here may
    /// have been printed before: its receipt says that it is a copy.
    known: VecDeque<(OrderId, bool)>,
}

impl Receipts {
    /// At a start.
    #[must_use]
    pub const fn new(policy: PrintReceipts) -> Self {
        Self { policy, known: VecDeque::new() }
    }

    /// The orders that a batch completes and that were not known to be complete: the buyer has everything now.
    fn completed(&self, batch: &[Record]) -> Vec<OrderId> {
        let mut orders: Vec<OrderId> = batch.iter().filter_map(completed).collect();
        orders.dedup();
        orders.retain(|order| self.known.iter().all(|(known, _)| known != order));
        orders
    }

    fn remember(&mut self, order: OrderId, printed: bool) {
        if self.known.len() >= KNOWN_MAX {
            self.known.pop_front();
        }
        self.known.push_back((order, printed));
    }

    /// Prints, and notes that it was; tells whether what is printed is a copy, as far as is known.
    fn print<E>(&mut self, order: OrderId, print: impl FnOnce(bool) -> Result<(), E>) -> Result<bool, E> {
        let known = self.known.iter_mut().find(|(known, _)| *known == order);
        let copy = known.as_ref().is_none_or(|(_, printed)| *printed);
        print(copy)?;
        known.into_iter().for_each(|(_, printed)| *printed = true);
        Ok(copy)
    }
}

/// The order that this entry completes: by the last item that fell, or by the payment of goods that a person hands over.
fn completed(record: &Record) -> Option<OrderId> {
    let (Entry::AttemptPaid { order, .. } | Entry::VendEnded { order, .. }) = &record.entry else { return None };
    (record.state == OrderState::Completed).then_some(*order)
}

impl Daemon {
    /// What a batch means for paper.
    pub(super) fn receipts_due(&self, batch: &[Record]) -> Vec<OrderId> {
        if !self.machinery.has_printer() || self.receipts.policy == PrintReceipts::Never {
            return Vec::new();
        }
        self.receipts.completed(batch)
    }

    /// Prints what is due, now that it is durable. The engine has let go of an order that is over: the journal has it.
    pub(super) async fn print_due(&mut self, due: Vec<OrderId>) {
        for order in due {
            let printed = self.receipts.policy == PrintReceipts::Always && self.print_first(order).await;
            self.receipts.remember(order, printed);
        }
    }

    async fn print_first(&self, order: OrderId) -> bool {
        let entries = self.journal.entries_of(order).await.ok().flatten();
        let Some(record) = entries.and_then(|entries| OrderRecord::from_entries(&entries)) else { return false };
        let given = give_to_printer(&self.machinery, &record, false);
        if let Err(refused) = &given {
            tracing::warn!(%order, %refused, "no receipt was printed; `till receipt --print` does it later");
        }
        given.is_ok()
    }

    /// Prints a receipt because somebody asked; tells whether it says that it is a copy.
    pub(super) fn print_again(&mut self, record: &OrderRecord) -> Result<bool, PrintError> {
        if !self.machinery.has_printer() {
            return Err(PrintError::NoPrinter);
        }
        if self.receipts.policy == PrintReceipts::Never {
            return Err(PrintError::Off);
        }
        if self.engine.faults().any(|fault| *fault == Fault::Printer) {
            return Err(PrintError::NotReady);
        }
        let machinery = &self.machinery;
        self.receipts
            .print(record.order, |copy| give_to_printer(machinery, record, copy))
            .map_err(|_| PrintError::NotReady)
    }
}

fn give_to_printer(machinery: &Machinery, record: &OrderRecord, copy: bool) -> Result<(), PrintRefused> {
    machinery.print(hal::printer::Receipt { items: paper(&receipt(record, &[])), copy })
}

#[cfg(test)]
mod tests {
    use payment::ids::IdMint;

    use super::*;

    #[test]
    fn the_first_receipt_is_none_and_each_further_one_is_a_copy() {
        let mut mint = IdMint::new([7; 32]);
        let orders: Vec<OrderId> = (0..70).map(|_| mint.order()).collect();
        let mut receipts = Receipts::new(PrintReceipts::Asked);
        receipts.remember(orders[0], false);
        let mut print = |order, taken: bool| receipts.print(order, |_| if taken { Ok(()) } else { Err(()) });
        assert_eq!(print(orders[0], false), Err(()), "a printer that takes nothing has printed nothing");
        assert_eq!([print(orders[0], true), print(orders[0], true)], [Ok(false), Ok(true)]);
        assert_eq!(print(orders[1], true), Ok(true), "nobody knows whether one of before the restart was printed");
        orders.iter().for_each(|order| receipts.remember(*order, true));
        assert_eq!(receipts.known.len(), KNOWN_MAX);
    }
}
