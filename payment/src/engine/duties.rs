//! What channels want to hear after a delivery and do not take: seen as a fault, and ended by a person where no call helps.

use std::collections::BTreeSet;

use super::Engine;
use super::entry::Said;
use super::faults::Fault;
use super::input::{Done, Refused};
use crate::ids::OrderId;
use crate::time::Now;

/// A channel that has not heard of a delivery for so long is a person's business: WeChat Pay gives two days.
const LIMIT_MS: u64 = 86_400_000;

impl Engine {
    /// Each order whose channel does not take the word of its delivery is a fault, until it does.
    pub(super) fn watch_duties(&mut self, now: Now) {
        let known = self.faults.standing().filter(|fault| matches!(fault, Fault::Duty(_))).cloned();
        let known: BTreeSet<Fault> = known.collect();
        let overdue = self.orders.values().filter(|order| order.has_overdue_duty(now.wall, LIMIT_MS));
        let overdue: BTreeSet<Fault> = overdue.map(|order| Fault::Duty(order.record.order)).collect();
        known.difference(&overdue).for_each(|fault| self.faults.clear(fault));
        overdue.difference(&known).for_each(|fault| self.faults.raise(fault.clone()));
    }

    /// A channel that does not take the word of a delivery is told in its portal, by a person who says so here.
    pub(super) fn on_duty_done(&mut self, now: Now, id: OrderId, said: &Said) -> Result<Done, Refused> {
        let order = self.orders.get(&id).ok_or(Refused::NoSuchOrder(id))?;
        if self.faults.has(&Fault::Storage) {
            return Err(Refused::OutOfService(Fault::Storage));
        }
        if !order.has_open_duty() {
            return Err(Refused::NoDuty(id));
        }
        if said.by.trim().is_empty() {
            return Err(Refused::NameWanted);
        }
        self.with_order(now, id, |order, office| order.settle_duties(office, said));
        Ok(Done::Taken)
    }
}
