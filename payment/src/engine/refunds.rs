//! Refunds that people ask for: who may, how much, until when, and the second person where the operator wants one.
//!
//! ```text
//! without approval:  asked for ─► sent ─► done (or owed, and tried again)
//! with approval:     asked ─┬─ approved by another person ─► sent ─► done
//!                           └─ declined
//! ```

use super::Engine;
use super::entry::{IdempotencyKey, RefundReason, Said};
use super::faults::Fault;
use super::input::{RefundWanted, Refused};
use super::mutant::{Mutant, is_planted};
use super::order::Order;
use super::record::{AttemptEnd, RefundRecord, RefundStage};
use crate::channel::text::china;
use crate::ids::{OrderId, RefundId};
use crate::instalment::window_is_over;
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
        if self.needs_approval(order, asked) {
            let said = said.filter(is_named).ok_or(Refused::NameWanted)?;
            self.with_order(now, id, |order, office| made = order.ask_refund(office, asked, idempotency, said));
        } else {
            self.with_order(now, id, |order, office| made = order.refund(office, asked, idempotency, said));
        }
        made.ok_or(Refused::NotPaid(id))
    }

    /// Many small refunds are one large one: what people returned of the order before counts too.
    fn needs_approval(&self, order: &Order, asked: Fen) -> bool {
        if is_planted(Mutant::ApprovalSkipped) {
            return false;
        }
        let by_people = |refund: &&RefundRecord| refund.reason == RefundReason::Operator && refund.counts();
        let before = order.record.refunds.iter().filter(by_people).map(|refund| refund.amount);
        let sum: Fen = before.chain([asked]).sum();
        self.settings.refunds.approval_above.is_some_and(|above| sum > above)
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
        if !is_named(&said) {
            return Err(Refused::NameWanted);
        }
        let is_asker = asked.said.as_ref().is_some_and(|asker| name_of(asker) == name_of(&said));
        if is_asker && !is_planted(Mutant::AskerApproves) {
            return Err(Refused::SamePerson(said.by));
        }
        if approved {
            self.check_window(order, now.wall)?;
        }
        if approved && order.is_refunding() {
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
        let Some(AttemptEnd::Paid { noted_at: paid_at, .. }) = winner.end else {
            return Ok(());
        };
        let refunds = &self.settings.refunds;
        let by_channel = refunds.windows_ms.get(&winner.channel).copied();
        let of_instalments = refunds.instalment_window_ms.filter(|_| winner.instalment.is_some());
        let (window, is_over) = match (of_instalments, by_channel) {
            (Some(window), _) => (window, is_another_day(paid_at, now, window / DAY_MS)),
            (None, Some(window)) => {
                (window, u64::try_from(now.ms.saturating_sub(paid_at.ms)).is_ok_and(|age| age > window))
            }
            (None, None) => return Ok(()),
        };
        let refused = Refused::RefundTooLate { order: order.record.order, days: window / DAY_MS };
        if is_over { Err(refused) } else { Ok(()) }
    }
}

/// Instalments count in natural days: the last of them is open until midnight in China, whatever the hour of the payment was.
fn is_another_day(paid_at: Wall, now: Wall, days: u64) -> bool {
    let days = u16::try_from(days).unwrap_or(u16::MAX);
    window_is_over(china(paid_at).date(), china(now).date(), days)
}

/// A name as people mean it: neither blanks nor capitals make another person.
fn name_of(said: &Said) -> String {
    said.by.split_whitespace().collect::<String>().to_lowercase()
}

fn is_named(said: &Said) -> bool {
    !said.by.trim().is_empty()
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
