//! What must always hold of several channels side by side, of refunds that fail or that somebody must approve, of duties
//! and of instalments.

use std::collections::BTreeMap;

use payment::channel::{ChannelId, DutyKind, Request, Wallet};
use payment::engine::effect::Call;
use payment::engine::entry::{Entry, Method, RefundReason, Said};
use payment::engine::faults::Fault;
use payment::engine::record::{AttemptRecord, OrderRecord};
use payment::engine::view::View;
use payment::ids::{AttemptId, OrderId, RefundId};
use payment::money::Fen;

use super::ledger::Trade;
use super::operators::is_one_person;
use super::verdict::must;
use super::world::World;

impl World {
    // ---- calls ----

    /// What leaves and is asked about later.
    pub(super) fn note_sent(&mut self, call: &Call) {
        if let Request::TakeCode(offer, _) = &call.request {
            let before = self.memory.sent.insert(offer.attempt, self.at);
            must!(before.is_none(), Doubled, "a pay code is sent a second time: {call:?}");
        }
    }

    /// No pay code is undone before its channel takes that.
    pub(super) fn invariant_cancel_is_waited_for(&self, call: &Call) {
        if let Request::Cancel(trade) = &call.request
            && let Some(sent) = self.memory.sent.get(&trade.attempt)
        {
            let from = sent + self.settings.pace_of(call.channel).cancel_after_ms;
            must!(self.at >= from, Broken, "undone at {}, and not before {from}: {call:?}", self.at);
        }
    }

    /// A refund that failed under its number is never sent under it again.
    pub(super) fn invariant_spent_number_is_not_sent(&self, call: &Call) {
        if let Request::Refund(wanted) | Request::RefundQuery(wanted) = &call.request {
            let spent = self.memory.failed.contains(&wanted.refund);
            must!(!spent, Doubled, "a refund leaves under a number that is spent: {call:?}");
        }
    }

    // ---- entries ----

    /// Counts the codes that are made because another channel made none or went away.
    pub(super) fn note_fail_over(&mut self, entry: &Entry) {
        let Entry::AttemptStarted { order, channel, method: Method::ShowCode, wallet, .. } = entry else {
            return;
        };
        let place = |channel: ChannelId, wallet: Option<Wallet>| channel.own_wallet().or(wallet);
        let one_place = self.settings.shows.is_empty();
        let other = |known: &AttemptRecord| {
            let same_place = one_place || place(known.channel, known.wallet) == place(*channel, *wallet);
            known.method == Method::ShowCode && known.channel != *channel && same_place
        };
        if self.memory.record(*order).is_some_and(|record| record.attempts.iter().any(other)) {
            self.tally.add("code of another channel");
        }
    }

    /// Nothing is sent without approval where it is needed, and what replaces a refund is that refund.
    pub(super) fn invariant_refund_is_permitted(&mut self, entry: &Entry) {
        let Entry::RefundStarted { order, attempt, refund, amount, reason, instead_of, .. } = entry else {
            return;
        };
        let record = self.memory.record(*order);
        if let Some(failed) = instead_of {
            must!(self.memory.failed.contains(failed), Doubled, "{refund} replaces {failed}, which did not fail");
            let before = record.as_ref().and_then(|record| record.refunds.iter().find(|known| known.refund == *failed));
            let same = before.is_some_and(|old| (old.attempt, old.amount, old.reason) == (*attempt, *amount, *reason));
            must!(same, Doubled, "{refund} replaces {failed} and is another refund");
            let new = !self.memory.instead_of.values().any(|known| known == failed);
            must!(new, Doubled, "{failed} is replaced twice, by {refund} too");
            self.memory.instead_of.insert(*refund, *failed);
            return;
        }
        let asked = self.memory.asked.contains_key(refund);
        let approved = self.memory.decided.get(refund) == Some(&true);
        must!(!asked || approved, Broken, "{refund} is sent, and nobody approved it");
        if *reason == RefundReason::Operator && !asked {
            let known = record.map(|record| by_people(&record)).unwrap_or_default();
            let sum: Fen = [known, *amount].into_iter().sum();
            let free = self.settings.refunds.approval_above.is_none_or(|above| sum <= above);
            must!(free, Broken, "{refund} makes it {sum:?}, and nobody was asked");
        }
    }

    /// Of no attempt goes back more than was paid by it.
    pub(super) fn invariant_no_more_is_returned_than_was_paid(&self, entry: &Entry) {
        let Entry::RefundStarted { order, attempt, refund, amount, instead_of, .. } = entry else {
            return;
        };
        let Some(record) = self.memory.record(*order) else {
            return;
        };
        let paid = record.attempt(*attempt).filter(|known| known.is_paid()).map_or(Fen::ZERO, |known| known.amount);
        let others = record.refunds.iter().filter(|known| {
            known.attempt == *attempt && known.counts() && known.refund != *refund && Some(known.refund) != *instead_of
        });
        let back: Fen = others.map(|known| known.amount).chain([*amount]).sum();
        must!(back <= paid, Doubled, "{refund} makes it {back:?} of {attempt}, and {paid:?} was paid");
    }

    /// Who asks for a refund does not decide about it, and it is decided about once.
    pub(super) fn invariant_another_person_decides(&mut self, refund: RefundId, approved: bool, said: &Said) {
        let other = self.memory.asked.get(&refund).is_some_and(|asker| !is_one_person(asker, said));
        must!(
            other,
            Broken,
            "{refund} is decided about by {:?}, asked for by {:?}",
            said,
            self.memory.asked.get(&refund)
        );
        must!(self.memory.decided.insert(refund, approved).is_none(), Broken, "{refund} is decided about twice");
    }

    /// "Failed" is what the ledger says: no money moved, and none ever will under this number.
    pub(super) fn invariant_refund_failed_for_good(&mut self, refund: RefundId) {
        must!(self.memory.failed.insert(refund), Broken, "{refund} is written as failed again");
        let trade = self.memory.refunds.get(&refund).and_then(|attempt| self.channels.trade(*attempt));
        let failed = trade.is_some_and(|trade| trade.has_failed(refund, self.at));
        must!(failed, Doubled, "{refund} is written as failed, and its channel says {trade:?}");
        self.tally.add("refund failed under its number");
    }

    /// "Told" is what the channel says.
    pub(super) fn invariant_delivery_was_told(&self, attempt: AttemptId) {
        let told = self.channels.iter().any(|channel| channel.told.contains_key(&attempt));
        must!(told, Lost, "the delivery of {attempt} is written as told, and nobody heard of it");
    }

    // ---- the screen and the faults ----

    /// The codes of one place are never two at once.
    pub(super) fn invariant_one_code_in_one_place(&self) {
        let View::Pay { codes, .. } = self.view() else {
            return;
        };
        let places = self.settings.shows.len().max(1);
        must!(codes.len() <= places, Doubled, "{} codes in {places} places: {codes:?}", codes.len());
        let twice = codes.iter().enumerate().find(|(n, code)| codes[..*n].iter().any(|one| one.wallet == code.wallet));
        must!(twice.is_none(), Doubled, "two codes for one wallet: {codes:?}");
    }

    /// A code that may be scanned asks for the plan that the screen says, and for none where the buyer chose none.
    pub(super) fn invariant_codes_say_what_was_chosen(&self) {
        let View::Pay { plans, .. } = self.view() else {
            return;
        };
        if plans.is_empty() {
            return;
        }
        let chosen = plans.iter().find(|plan| plan.chosen).map(|plan| plan.periods);
        for attempt in self.codes_on_screen() {
            let lends = self.memory.channels.get(&attempt).is_some_and(|channel| channel.takes_instalments());
            let said = self.memory.instalments.get(&attempt).copied().flatten().map(|plan| plan.periods);
            let wanted = chosen.filter(|_| lends);
            must!(said == wanted, Lost, "{attempt} is a code for {said:?} months, and {wanted:?} are chosen");
        }
    }

    /// A delivery of which its channel does not want to hear is visible.
    pub(super) fn invariant_refused_duty_is_visible(&self) {
        let refused = |record: &&OrderRecord| record.open_duties().any(|duty| duty.refused.is_some());
        for record in self.engine.orders().filter(refused) {
            let stands = self.engine.faults().any(|fault| *fault == Fault::Duty(record.order));
            must!(stands, Lost, "a refused duty that nobody sees: {record:?}");
        }
    }

    // ---- the end of a life ----

    /// The money of every attempt is at its channel what the journal says, to the fen.
    pub(super) fn invariant_channels_and_journal_agree(&self) {
        for order in self.memory.orders() {
            let Some(record) = self.memory.record(order) else {
                continue;
            };
            for attempt in record.attempts.iter().filter(|attempt| attempt.channel != ChannelId::Voucher) {
                let channel = self.channels.get(attempt.channel);
                let kept =
                    channel.and_then(|channel| channel.trades.get(&attempt.attempt)).map_or(Fen::ZERO, Trade::net);
                let written = stays(&record, attempt);
                must!(kept <= written, Lost, "{:?} keeps {kept:?}, the journal says {written:?}: {record:#?}", attempt);
                must!(
                    kept >= written,
                    Doubled,
                    "{:?} keeps {kept:?}, the journal says {written:?}: {record:#?}",
                    attempt
                );
            }
        }
    }

    /// A refund that was replaced moved no money, then or later.
    pub(super) fn invariant_spent_numbers_moved_nothing(&self) {
        for refund in &self.memory.failed {
            let trade = self.memory.refunds.get(refund).and_then(|attempt| self.channels.trade(*attempt));
            let moved = trade.is_some_and(|trade| trade.has_moved(*refund, u64::MAX));
            must!(!moved, Doubled, "{refund} failed, was made again, and moved: {trade:?}");
            let replaced = self.memory.instead_of.values().any(|known| known == refund);
            must!(replaced, Lost, "{refund} failed, and nothing was made of it");
        }
    }

    /// Every delivery that a channel wants to hear of was told to it, and the journal says so.
    pub(super) fn invariant_deliveries_were_told(&self) {
        for order in self.memory.orders() {
            let Some(record) = self.memory.record(order) else {
                continue;
            };
            let open = record.open_duties().next();
            must!(open.is_none(), Lost, "a channel never heard of the delivery of {order}: {record:#?}");
            let due = due_duty(&self.settings.duties, &record);
            let known = |(attempt, kind)| record.duties.iter().any(|duty| duty.attempt == attempt && duty.kind == kind);
            must!(due.is_none_or(known), Lost, "nobody told the channel of the delivery of {order}: {record:#?}");
            self.invariant_duties_are_the_winners(order, &record);
        }
    }

    fn invariant_duties_are_the_winners(&self, order: OrderId, record: &OrderRecord) {
        // Of what was returned whole before its channel knew of the delivery there was nothing left to tell.
        for duty in record.duties.iter().filter(|duty| duty.done) {
            let channel = self.memory.channels.get(&duty.attempt);
            let told =
                channel.and_then(|id| self.channels.get(*id)).and_then(|channel| channel.told.get(&duty.attempt));
            let right = told.is_some_and(|told| told.amount == duty.amount && told.kind == duty.kind);
            must!(right, Lost, "{order} was to tell {duty:?}, and the channel heard {told:?}");
        }
    }
}

/// What people returned of it, or want to.
fn by_people(record: &OrderRecord) -> Fen {
    let mine = record.refunds.iter().filter(|known| known.reason == RefundReason::Operator && known.counts());
    mine.map(|known| known.amount).sum()
}

/// What the journal says that stays with the merchant of one attempt.
fn stays(record: &OrderRecord, attempt: &AttemptRecord) -> Fen {
    let back = record.refunds.iter().filter(|refund| refund.attempt == attempt.attempt && refund.is_done());
    let back: Fen = back.map(|refund| refund.amount).sum();
    if attempt.is_paid() { Fen::new(attempt.amount.get() - back.get()) } else { Fen::ZERO }
}

/// What is owed for an order of which all was delivered and nothing went back.
fn due_duty(duties: &BTreeMap<ChannelId, DutyKind>, record: &OrderRecord) -> Option<(AttemptId, DutyKind)> {
    let winner = record.winner().filter(|_| record.refunds.is_empty() && record.is_delivered())?;
    duties.get(&winner.channel).map(|kind| (winner.attempt, *kind))
}
