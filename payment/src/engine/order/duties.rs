//! What is owed to the channel after a delivery, once it is certain what of the payment stays.

use super::Order;
use crate::channel::{Answer, Duty as Wanted, DutyKind};
use crate::engine::attempt::duty::Duty;
use crate::engine::desk::{Desk, Office};
use crate::engine::effect::CallId;
use crate::engine::entry::Said;
use crate::engine::mutant::{Mutant, is_planted};
use crate::engine::record::{AttemptEnd, DutyRecord};
use crate::money::Fen;
use crate::time::Wall;

impl Order {
    /// Begins what the paying channel wants to hear, when the delivery and the refunds that came of it are over.
    pub(super) fn begin_duty(&mut self, office: &mut Office) {
        self.drop_void_duties();
        // What was closed before owes its channel nothing: a refund of it is no delivery.
        if self.is_delivering() || self.is_refunding() || !self.duties.is_empty() || self.record.was_closed {
            return;
        }
        let due = self.record.winner().and_then(|winner| {
            let kind = *office.settings.duties.get(&winner.channel)?;
            let known = self.record.duties.iter().any(|duty| duty.attempt == winner.attempt && duty.kind == kind);
            let amount = self.record.stays_of(winner.attempt);
            (!known && amount.is_positive()).then_some((winner.channel, kind, amount))
        });
        let Some((channel, kind, amount)) = due else {
            return;
        };
        if let Some(wanted) = self.duty(kind, amount, office.now.wall) {
            let mut desk = Desk { office, record: &mut self.record };
            self.duties.push(Duty::begin(&mut desk, channel, wanted));
        }
    }

    /// Where all of the payment went back there is nothing left to confirm, and no delivery to tell of.
    fn drop_void_duties(&mut self) {
        let record = &self.record;
        self.duties.retain(|duty| !record.is_all_back(duty.attempt()));
    }

    /// Ends what is owed to the channel on a person's word: it was done in the channel's portal.
    pub(crate) fn settle_duties(&mut self, office: &mut Office, said: &Said) {
        let mut desk = Desk { office, record: &mut self.record };
        for duty in std::mem::take(&mut self.duties) {
            duty.settle_by_hand(&mut desk, said);
        }
        self.settle(office);
    }

    pub(crate) fn has_open_duty(&self) -> bool {
        !self.duties.is_empty()
    }

    fn duty(&self, kind: DutyKind, amount: Fen, delivered: Wall) -> Option<Wanted> {
        let winner = self.record.winner()?;
        let buyer = match &winner.end {
            Some(AttemptEnd::Paid { buyer, .. }) => buyer.clone(),
            Some(AttemptEnd::NotPaid { .. }) | None => None,
        };
        Some(Wanted { trade: winner.trade(), kind, goods: self.record.subject.clone(), amount, buyer, delivered })
    }

    pub(super) fn restore_duties(&mut self, office: &mut Office) {
        if is_planted(Mutant::DutyForgottenAtRestart) {
            return;
        }
        let open: Vec<DutyRecord> = self.record.open_duties().cloned().collect();
        for DutyRecord { attempt, kind, amount, begun, .. } in open {
            let channel = self.record.attempt(attempt).map(|attempt| attempt.channel);
            if let (Some(channel), Some(wanted)) = (channel, self.duty(kind, amount, begun)) {
                let mut desk = Desk { office, record: &mut self.record };
                self.duties.push(Duty::restore(&mut desk, channel, wanted));
            }
        }
    }

    pub(super) fn on_duty_answer(&mut self, office: &mut Office, call: CallId, answer: &Answer) {
        let Some(place) = self.duties.iter().position(|duty| duty.awaits(call)) else {
            return;
        };
        let mut desk = Desk { office, record: &mut self.record };
        if self.duties[place].on_answer(&mut desk, answer) {
            self.duties.remove(place);
        }
    }

    /// Whether a channel waits for word of this delivery for longer than `limit_ms`, or refuses it.
    pub(crate) fn has_overdue_duty(&self, now: Wall, limit_ms: u64) -> bool {
        let limit = i64::try_from(limit_ms).unwrap_or(i64::MAX);
        let late = |duty: &Duty| now.ms.saturating_sub(duty.since().ms) > limit;
        self.record.open_duties().any(|duty| duty.refused.is_some()) || self.duties.iter().any(late)
    }
}
