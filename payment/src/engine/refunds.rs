//! Refunds that people ask for: who may, how much, until when, and the second person where the operator wants one.
//!
//! ```text
//! without approval:  asked for ─► sent ─► done (or owed, and tried again)
//! with approval:     asked ─┬─ approved by another person ─► sent ─► done
//!                           └─ declined
//! ```

use super::Engine;
use super::entry::{IdempotencyKey, Said};
use super::faults::Fault;
use super::input::{RefundWanted, Refused};
use super::order::Order;
use super::record::{AttemptEnd, RefundStage};
use crate::ids::{OrderId, RefundId};
use crate::money::Fen;
use crate::time::{Now, Wall};

const DAY_MS: u64 = 86_400_000;

impl Engine {
    /// Money of a paid order goes back, or somebody asks that it shall.
    pub(super) fn on_refund(&mut self, now: Now, wanted: RefundWanted) -> Result<RefundId, Refused> {
        let RefundWanted { order: id, amount, idempotency, said } = wanted;
        let order = self.orders.get(&id).ok_or(Refused::NoSuchOrder(id))?;
        if let Some(made) = made_before(order, idempotency.as_ref()) {
            return Ok(made);
        }
        if self.faults.has(&Fault::Storage) {
            return Err(Refused::OutOfService(Fault::Storage));
        }
        let asked = check(order, amount)?;
        self.check_window(order, now.wall)?;
        let mut made = None;
        if self.settings.refunds.approval_above.is_some_and(|above| asked > above) {
            let said = said.ok_or(Refused::NameWanted)?;
            self.with_order(now, id, |order, office| made = order.ask_refund(office, asked, idempotency, said));
        } else {
            self.with_order(now, id, |order, office| made = order.refund(office, asked, idempotency, said));
        }
        made.ok_or(Refused::NotPaid(id))
    }

    /// Another person's word about a refund that was asked for.
    pub(super) fn on_refund_decided(
        &mut self,
        now: Now,
        id: OrderId,
        refund: RefundId,
        approved: bool,
        said: Said,
    ) -> Result<RefundId, Refused> {
        let order = self.orders.get(&id).ok_or(Refused::NoSuchOrder(id))?;
        if self.faults.has(&Fault::Storage) {
            return Err(Refused::OutOfService(Fault::Storage));
        }
        let asked = order.record.refunds.iter().find(|known| known.refund == refund);
        let asked = asked.filter(|known| known.stage == RefundStage::Asked).ok_or(Refused::NotAsked(refund))?;
        if asked.said.as_ref().is_some_and(|asker| asker.by.trim() == said.by.trim()) {
            return Err(Refused::SamePerson(said.by));
        }
        if order.is_refunding() {
            return Err(Refused::RefundUnderWay(id));
        }
        self.with_order(now, id, |order, office| order.decide_refund(office, refund, approved, said));
        Ok(refund)
    }

    /// A channel takes refunds for so long after the payment.
    fn check_window(&self, order: &Order, now: Wall) -> Result<(), Refused> {
        let Some(winner) = order.record.winner() else {
            return Ok(());
        };
        let refunds = &self.settings.refunds;
        let by_channel = refunds.windows_ms.get(&winner.channel).copied();
        let window = winner.instalment.and(refunds.instalment_window_ms).or(by_channel);
        let paid_at = match winner.end {
            Some(AttemptEnd::Paid { noted_at, .. }) => Some(noted_at),
            Some(AttemptEnd::NotPaid { .. }) | None => None,
        };
        let age_ms = paid_at.and_then(|at| u64::try_from(now.ms.saturating_sub(at.ms)).ok());
        match (window, age_ms) {
            (Some(window), Some(age)) if age > window => {
                Err(Refused::RefundTooLate { order: order.record.order, days: window / DAY_MS })
            }
            (Some(_) | None, _) => Ok(()),
        }
    }
}

/// The refund that the same request made before: the newest, where one failed and was made again.
fn made_before(order: &Order, idempotency: Option<&IdempotencyKey>) -> Option<RefundId> {
    let known = |key| order.record.refunds.iter().rfind(|refund| refund.idempotency.as_ref() == Some(key));
    idempotency.and_then(known).map(|refund| refund.refund)
}

fn check(order: &Order, amount: Option<Fen>) -> Result<Fen, Refused> {
    let id = order.record.order;
    if order.record.cash.is_positive() {
        return Err(Refused::PaidInCash(id));
    }
    if order.record.winner().is_none() {
        return Err(Refused::NotPaid(id));
    }
    if order.is_delivering() {
        return Err(Refused::Delivering(id));
    }
    let waits = order.record.refunds.iter().any(|refund| refund.stage == RefundStage::Asked);
    if waits || order.is_refunding() {
        return Err(Refused::RefundUnderWay(id));
    }
    let left = order.returnable();
    let asked = amount.unwrap_or(left);
    if !asked.is_positive() || asked > left {
        return Err(Refused::TooMuch { left, asked });
    }
    Ok(asked)
}
