//! Taking an order up again after a restart: what was open is asked after, what turned is never turned again.

use super::{Job, Order};
use crate::channel::ChannelId;
use crate::engine::attempt::Attempt;
use crate::engine::attempt::refund::Refund;
use crate::engine::desk::{Desk, Office};
use crate::engine::effect::VendWhat;
use crate::engine::entry::CancelledBy;
use crate::engine::mutant::{Mutant, is_planted};
use crate::engine::record::{AttemptEnd, OrderRecord, RefundRecord, RefundStage, VendRecord};
use crate::time::Wall;

impl Order {
    /// Takes up an order that was open when the daemon stopped, or that gets a refund after it was closed.
    pub(crate) fn restore(office: &mut Office, record: OrderRecord) -> Self {
        let mut order = Self::idle(record);
        let waits = !order.record.is_delivered() && !order.record.is_given_back();
        order.attended = waits && order.is_recent(office);
        let in_time = order.record.paid_in_time || order.record.is_begun();
        order.deliver = order.attended && in_time && !order.record.is_given_back();
        order.restore_attempts(office);
        order.restore_vend(office);
        order.restore_refunds(office);
        order.restore_duties(office);
        if !order.attended {
            order.cancel(office, CancelledBy::Restart);
        }
        if order.has_goods_waiting() {
            order.machine_by = Some(office.now.mono.plus(office.settings.pace.release_ms));
        } else {
            order.settle(office);
        }
        order
    }

    /// Whether the buyer may still stand there after a restart: judged by the wall clock, and only by a trusted one.
    pub(super) fn is_recent(&self, office: &Office) -> bool {
        let paid_at = self.record.winner().and_then(|winner| match winner.end {
            Some(AttemptEnd::Paid { noted_at, .. }) => Some(noted_at),
            Some(AttemptEnd::NotPaid { .. }) | None => None,
        });
        let pace = &office.settings.pace;
        match paid_at {
            Some(at) => is_younger(at, office.now.wall, pace.resume_ms),
            None => {
                let limit = self.record.pay_within_ms.saturating_add(pace.resume_ms);
                self.record.cancelled.is_none() && is_younger(self.record.opened_at, office.now.wall, limit)
            }
        }
    }

    pub(super) fn restore_attempts(&mut self, office: &mut Office) {
        let open: Vec<_> = self.record.attempts.iter().filter(|known| known.end.is_none()).cloned().collect();
        for known in open {
            if known.reversing.is_some() && is_planted(Mutant::UndoingForgottenAtRestart) {
                continue;
            }
            if known.channel == ChannelId::Voucher {
                self.note_never_taken(office, known.attempt);
                continue;
            }
            let subject = known.subject();
            let mut desk = Desk { office, record: &mut self.record };
            let attempt = Attempt::restore(&mut desk, subject, known.reversing);
            self.attempts.insert(known.attempt, attempt);
        }
    }

    /// A motor that was to turn is never turned again: the machine is only asked whether something fell.
    pub(super) fn restore_vend(&mut self, office: &mut Office) {
        let started = self.record.items.iter().enumerate().find_map(|(index, item)| match item.vend {
            VendRecord::Started { drops_before } => {
                Some((index, item.item.slot.clone()?, item.item.price, drops_before))
            }
            VendRecord::Waiting | VendRecord::Ended(_) => None,
        });
        if let Some((index, slot, price, drops_before)) = started {
            let mut desk = Desk { office, record: &mut self.record };
            let again = is_planted(Mutant::MotorAgainAfterRestart);
            let what = if again { VendWhat::Dispense { price } } else { VendWhat::Inspect { drops_before } };
            let id = desk.vend(slot, what);
            self.job = Some(Job { id, item: index, turns: false, start_by: None });
        }
    }

    pub(super) fn restore_refunds(&mut self, office: &mut Office) {
        let open: Vec<_> = self.record.refunds.iter().filter(|known| is_open(known)).cloned().collect();
        for known in open {
            let paid = self.record.attempt(known.attempt).map(|attempt| (attempt.channel, attempt.trade()));
            let Some((channel, trade)) = paid else {
                continue;
            };
            if channel == ChannelId::Voucher {
                self.give_allowance_back(office, known.refund);
                continue;
            }
            let mut desk = Desk { office, record: &mut self.record };
            self.refunds.push(Refund::restore(&mut desk, channel, trade, &known));
        }
    }
}

/// Somebody has sent it, and nobody knows yet that the money is back.
const fn is_open(refund: &RefundRecord) -> bool {
    matches!(refund.stage, RefundStage::Sent | RefundStage::Failed)
}

fn is_younger(then: Wall, now: Wall, limit_ms: u64) -> bool {
    let age = now.ms.saturating_sub(then.ms);
    then.trusted && now.trusted && u64::try_from(age).is_ok_and(|age| age <= limit_ms)
}
