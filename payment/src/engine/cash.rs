//! What the machine sold by itself for coins and notes: written down as it happened, never moved and never returned.

use super::Engine;
use super::entry::Entry;
use super::faults::Fault;
use super::input::{NewOrder, Refused};
use super::open::{check_amounts, opening};
use super::order::Order;
use crate::ids::OrderId;
use crate::time::Now;

impl Engine {
    /// A sale for cash. It has happened, so no fault refuses it but a journal that cannot be written; nobody at the
    /// screen notices.
    pub(super) fn cash_sale(&mut self, now: Now, sold: NewOrder) -> Result<OrderId, Refused> {
        check_amounts(&sold)?;
        if self.faults.has(&Fault::Storage) {
            return Err(Refused::OutOfService(Fault::Storage));
        }
        let order = self.mint.order();
        // Nobody was given time to pay.
        let entry: Entry = opening(order, sold, 0, None);
        Order::sold_for_cash(&mut self.office(now), entry);
        Ok(order)
    }
}
