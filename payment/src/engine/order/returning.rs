//! Giving money back: what was not delivered, what came too late, what came twice, and what a person asks for.

use super::Order;
use crate::channel::{Answer, ChannelId};
use crate::engine::attempt::refund::Refund;
use crate::engine::desk::{Desk, Office};
use crate::engine::entry::{Entry, IdempotencyKey, RefundReason};
use crate::engine::mutant::{Mutant, is_planted};
use crate::ids::{AttemptId, RefundId};
use crate::money::Fen;

impl Order {
    /// What can still be returned of the payment that bought the order.
    pub(crate) fn returnable(&self) -> Fen {
        let winner = self.record.winner();
        winner.map_or(Fen::ZERO, |winner| winner.amount.less(self.record.returned_of(winner.attempt)))
    }

    /// Returns money on somebody's word.
    pub(crate) fn refund(
        &mut self,
        office: &mut Office,
        amount: Fen,
        idempotency: Option<IdempotencyKey>,
    ) -> Option<RefundId> {
        let attempt = self.record.winner()?.attempt;
        let refund = self.start_refund(office, attempt, amount, RefundReason::Operator, idempotency);
        self.settle(office);
        refund
    }

    pub(super) fn on_refund_answer(&mut self, office: &mut Office, id: RefundId, answer: &Answer) {
        let mut desk = Desk { office, record: &mut self.record };
        let done = self.refunds.get_mut(&id).is_some_and(|refund| refund.on_answer(&mut desk, answer));
        if done {
            self.refunds.remove(&id);
        }
    }

    pub(super) fn return_double_payments(&mut self, office: &mut Office) {
        if is_planted(Mutant::SecondPaymentKept) {
            return;
        }
        let winner = self.record.winner().map(|winner| winner.attempt);
        let paid = self.record.attempts.iter().filter(|attempt| attempt.is_paid() && Some(attempt.attempt) != winner);
        let double: Vec<(AttemptId, Fen)> = paid
            .map(|attempt| (attempt.attempt, attempt.amount.less(self.record.returned_of(attempt.attempt))))
            .collect();
        for (attempt, amount) in double.into_iter().filter(|(_, amount)| amount.is_positive()) {
            self.start_refund(office, attempt, amount, RefundReason::PaidTwice, None);
        }
    }

    /// What was paid and will not be delivered goes back by itself.
    pub(super) fn return_undelivered(&mut self, office: &mut Office) {
        if self.is_delivering() || self.record.is_given_back() || self.record.was_closed {
            return;
        }
        let Some(winner) = self.record.winner().cloned() else {
            return;
        };
        let in_time = self.deliver || self.record.paid_in_time || self.record.is_begun();
        let (kept, reason) = if in_time {
            (self.kept_by_the_goods(), RefundReason::Undelivered)
        } else {
            (Fen::ZERO, RefundReason::Late)
        };
        let back = winner.amount.less(kept).less(self.record.returned_of(winner.attempt));
        if back.is_positive() {
            self.start_refund(office, winner.attempt, back, reason, None);
        }
    }

    /// What of the payment is for goods that the buyer has.
    fn kept_by_the_goods(&self) -> Fen {
        let worth = self.record.delivered_worth();
        if is_planted(Mutant::WholeOrderIsRefunded) && worth < self.record.amount {
            return Fen::ZERO;
        }
        if is_planted(Mutant::JamIsKept) { self.record.amount } else { worth }
    }

    pub(super) fn start_refund(
        &mut self,
        office: &mut Office,
        attempt: AttemptId,
        amount: Fen,
        reason: RefundReason,
        idempotency: Option<IdempotencyKey>,
    ) -> Option<RefundId> {
        let channel = self.record.attempt(attempt)?.channel;
        let mut desk = Desk { office, record: &mut self.record };
        let (order, refund) = (desk.order(), desk.new_refund());
        let entry = Entry::RefundStarted { order, attempt, refund, amount, reason, idempotency };
        if channel == ChannelId::Voucher {
            desk.note(entry);
            self.give_allowance_back(office, refund);
            return Some(refund);
        }
        let state = Refund::start(&mut desk, channel, entry)?;
        self.refunds.insert(refund, state);
        Some(refund)
    }

    pub(crate) fn is_refunding(&self) -> bool {
        !self.refunds.is_empty()
    }
}
