//! Giving money back: what was not delivered, what came too late, what came twice, and what a person asks for.

use super::Order;
use crate::channel::{Answer, ChannelId};
use crate::engine::attempt::refund::{Refund, RefundStart};
use crate::engine::desk::{Desk, Office};
use crate::engine::effect::CallId;
use crate::engine::entry::{Entry, IdempotencyKey, RefundReason, Said};
use crate::engine::mutant::{Mutant, is_planted};
use crate::ids::{AttemptId, RefundId};
use crate::money::Fen;

impl Order {
    /// What can still be returned of the payment that bought the order.
    pub(crate) fn returnable(&self) -> Fen {
        self.record.winner().map_or(Fen::ZERO, |winner| self.record.stays_of(winner.attempt))
    }

    /// Returns money on somebody's word.
    pub(crate) fn refund(
        &mut self,
        office: &mut Office,
        amount: Fen,
        idempotency: Option<IdempotencyKey>,
        said: Option<Said>,
    ) -> Option<RefundId> {
        let attempt = self.record.winner()?.attempt;
        let refund = office.mint.refund();
        let reason = RefundReason::Operator;
        let start = RefundStart { attempt, refund, amount, reason, idempotency, said, instead_of: None };
        self.start_refund(office, start)?;
        self.settle(office);
        Some(refund)
    }

    /// Notes that somebody asks for a refund that another person must approve.
    pub(crate) fn ask_refund(
        &mut self,
        office: &mut Office,
        amount: Fen,
        idempotency: Option<IdempotencyKey>,
        said: Said,
    ) -> Option<RefundId> {
        let attempt = self.record.winner()?.attempt;
        let mut desk = Desk { office, record: &mut self.record };
        let (order, refund) = (desk.order(), desk.new_refund());
        desk.note(Entry::RefundAsked { order, attempt, refund, amount, said, idempotency });
        self.settle(office);
        Some(refund)
    }

    /// Notes what another person decided about it; what is approved is sent.
    pub(crate) fn decide_refund(&mut self, office: &mut Office, refund: RefundId, approved: bool, said: Said) {
        let asked = self.record.refunds.iter().find(|known| known.refund == refund).map(RefundStart::of);
        let mut desk = Desk { office, record: &mut self.record };
        let order = desk.order();
        desk.note(Entry::RefundDecided { order, refund, approved, said });
        if let Some(start) = asked.filter(|_| approved) {
            self.start_refund(office, start);
        }
        self.settle(office);
    }

    pub(super) fn on_refund_answer(&mut self, office: &mut Office, call: CallId, answer: &Answer) {
        let Some(place) = self.refunds.iter().position(|refund| refund.awaits(call)) else {
            return;
        };
        let mut desk = Desk { office, record: &mut self.record };
        if self.refunds[place].on_answer(&mut desk, answer) {
            self.refunds.remove(place);
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
            self.return_of(office, attempt, amount, RefundReason::PaidTwice);
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
            let reason = if self.record.has_everything() { RefundReason::Change } else { RefundReason::Undelivered };
            (self.kept_by_the_goods(), reason)
        } else {
            (Fen::ZERO, RefundReason::Late)
        };
        let back = winner.amount.less(kept).less(self.record.returned_of(winner.attempt));
        if back.is_positive() {
            self.return_of(office, winner.attempt, back, reason);
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

    /// The terminal's own decision to return money.
    fn return_of(&mut self, office: &mut Office, attempt: AttemptId, amount: Fen, reason: RefundReason) {
        let refund = office.mint.refund();
        let start = RefundStart { attempt, refund, amount, reason, idempotency: None, said: None, instead_of: None };
        self.start_refund(office, start);
    }

    fn start_refund(&mut self, office: &mut Office, start: RefundStart) -> Option<()> {
        let channel = self.record.attempt(start.attempt)?.channel;
        let mut desk = Desk { office, record: &mut self.record };
        if channel == ChannelId::Voucher {
            desk.note(start.entry(desk.order()));
            self.give_allowance_back(office, start.refund);
            return Some(());
        }
        self.refunds.push(Refund::start(&mut desk, start)?);
        Some(())
    }

    /// Whether money of the payment that bought the order is going back. A second payment's refund, which may be owed for
    /// weeks, is another matter.
    pub(crate) fn is_refunding(&self) -> bool {
        let winner = self.record.winner().map(|winner| winner.attempt);
        self.refunds.iter().any(|refund| Some(refund.attempt()) == winner)
    }
}
