//! What is owed to the channel after a delivery, once it is certain what of the payment stays.

use super::Order;
use crate::channel::{Answer, ChannelId, Duty as Wanted, DutyKind};
use crate::engine::attempt::duty::Duty;
use crate::engine::desk::{Desk, Office};
use crate::engine::effect::CallId;
use crate::engine::record::AttemptEnd;
use crate::money::Fen;
use crate::time::Wall;

impl Order {
    /// Begins what the paying channel wants to hear, when the delivery and the refunds that came of it are over.
    pub(super) fn begin_duty(&mut self, office: &mut Office) {
        if self.is_delivering() || !self.refunds.is_empty() || !self.duties.is_empty() {
            return;
        }
        let due = self.record.winner().and_then(|winner| {
            let kind = *office.settings.duties.get(&winner.channel)?;
            let known = self.record.duties.iter().any(|duty| duty.attempt == winner.attempt && duty.kind == kind);
            (!known).then_some((winner.channel, kind))
        });
        let Some((channel, kind)) = due else {
            return;
        };
        if let Some(wanted) = self.duty(kind, office.now.wall).filter(|duty| duty.amount.is_positive()) {
            let mut desk = Desk { office, record: &mut self.record };
            self.duties.push(Duty::begin(&mut desk, channel, wanted));
        }
    }

    fn duty(&self, kind: DutyKind, delivered: Wall) -> Option<Wanted> {
        let winner = self.record.winner()?;
        let buyer = match &winner.end {
            Some(AttemptEnd::Paid { buyer, .. }) => buyer.clone(),
            Some(AttemptEnd::NotPaid { .. }) | None => None,
        };
        let amount: Fen = winner.amount.less(self.record.returned_of(winner.attempt));
        Some(Wanted { trade: winner.trade(), kind, goods: self.record.subject.clone(), amount, buyer, delivered })
    }

    pub(super) fn restore_duties(&mut self, office: &mut Office) {
        let open: Vec<(ChannelId, DutyKind, Wall)> = self
            .record
            .duties
            .iter()
            .filter(|duty| !duty.done)
            .filter_map(|duty| Some((self.record.attempt(duty.attempt)?.channel, duty.kind, duty.begun)))
            .collect();
        for (channel, kind, begun) in open {
            if let Some(wanted) = self.duty(kind, begun) {
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
        let refused = self.record.duties.iter().any(|duty| !duty.done && duty.refused.is_some());
        refused || self.duties.iter().any(late)
    }
}
