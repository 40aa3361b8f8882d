//! What must always hold of money that goes back on somebody's word, and of what channels are told after a delivery.

use std::collections::{BTreeMap, BTreeSet};

use super::world::World;
use crate::channel::{ChannelId, Duty, DutyKind, RefundOrder, Request};
use crate::engine::effect::Call;
use crate::engine::entry::{Entry, RefundReason};
use crate::engine::faults::Fault;
use crate::engine::record::{OrderRecord, RefundStage};
use crate::ids::{AttemptId, OrderId, RefundId};
use crate::money::Fen;

/// What was seen so far and must not be unsaid.
#[derive(Debug, Default)]
pub struct Returns {
    /// Who asked for a refund that another person must approve.
    asked: BTreeMap<RefundId, String>,
    approved: BTreeSet<RefundId>,
    /// Refunds that people began, with their orders and amounts: what was made again is in it once.
    by_people: BTreeMap<RefundId, (OrderId, i64)>,
    failed: BTreeSet<RefundId>,
    replaced: BTreeSet<RefundId>,
    duties: BTreeSet<(AttemptId, DutyKind)>,
    /// What was told of each delivery.
    told: BTreeMap<(AttemptId, DutyKind), Fen>,
}

impl Returns {
    pub fn is_duty(&self, duty: &Duty) -> bool {
        self.duties.contains(&(duty.trade.attempt, duty.kind))
    }

    fn decided(&mut self, refund: RefundId, approved: bool, by: &str) {
        let asker = self.asked.get(&refund).expect("a refund is asked for before it is decided");
        assert!(!approved || !asker.trim().eq_ignore_ascii_case(by.trim()), "{by} approves what {asker} asked for");
        if approved {
            self.approved.insert(refund);
        }
    }

    /// No refund is sent before its approval where approval is on, however small the parts.
    fn began(&mut self, order: OrderId, refund: RefundId, amount: i64, above: Option<Fen>) {
        let before: i64 = self.by_people.values().filter(|(of, _)| *of == order).map(|(_, amount)| amount).sum();
        let free = above.is_none_or(|above| before + amount <= above.get());
        assert!(free || self.approved.contains(&refund), "{refund} needs a second person's word and has none");
        self.by_people.insert(refund, (order, amount));
    }

    /// Another number takes its place only after its channel ended it.
    fn replaces(&mut self, failed: RefundId) {
        assert!(self.failed.contains(&failed), "{failed} never failed, and is made again");
        assert!(self.replaced.insert(failed), "{failed} is made again twice");
    }
}

impl World {
    /// What an entry about a return or a duty claims is true when it is written.
    pub fn invariant_return_follows(&mut self, entry: &Entry) {
        let above = self.engine.settings().refunds.approval_above;
        let returns = &mut self.watched.returns;
        match entry {
            Entry::RefundAsked { refund, said, .. } => {
                assert!(returns.asked.insert(*refund, said.by.clone()).is_none());
            }
            Entry::RefundDecided { refund, approved, said, .. } => returns.decided(*refund, *approved, &said.by),
            Entry::RefundStarted { instead_of: Some(failed), .. } => returns.replaces(*failed),
            Entry::RefundStarted { order, refund, amount, reason: RefundReason::Operator, .. } => {
                returns.began(*order, *refund, amount.get(), above);
            }
            Entry::RefundFailed { refund, .. } => {
                assert!(self.wechat.closed_refunds.contains(refund), "{refund} failed, and its channel says no such");
                returns.failed.insert(*refund);
            }
            Entry::DutyBegun { order, attempt, duty } => {
                assert!(returns.duties.insert((*attempt, *duty)), "the channel of {order} is told twice");
            }
            Entry::DutyDone { said: Some(_), .. } => {}
            Entry::DutyDone { attempt, duty, .. } => {
                assert!(returns.told.contains_key(&(*attempt, *duty)), "nobody was told of {attempt}");
            }
            Entry::OrderOpened { .. }
            | Entry::AttemptStarted { .. }
            | Entry::CashTaken { .. }
            | Entry::AttemptPaid { .. }
            | Entry::AttemptNotPaid { .. }
            | Entry::ReverseStarted { .. }
            | Entry::OrderCancelled { .. }
            | Entry::VendStarted { .. }
            | Entry::VendEnded { .. }
            | Entry::RefundStarted { .. }
            | Entry::RefundDone { .. }
            | Entry::RefundOwed { .. }
            | Entry::DutyRefused { .. }
            | Entry::OrderClosed { .. } => {}
        }
    }

    /// A number that another one replaced is not sent again: it would return the money twice.
    pub fn invariant_refund_may_be_sent(&self, refund: &RefundOrder) {
        assert!(!self.watched.returns.replaced.contains(&refund.refund), "{} was replaced", refund.refund);
    }

    pub fn invariant_replaced_refunds_moved_nothing(&self) {
        for (attempt, trade) in self.trades() {
            let moved = trade.refunds.keys().find(|refund| self.watched.returns.replaced.contains(refund));
            assert_eq!(moved, None, "{attempt} went back under a number that was replaced");
            assert!(trade.net() >= Fen::ZERO, "{attempt}: more went back than was paid: {trade:?}");
        }
    }

    /// What is asked for, under way and done together is never more than was paid.
    pub fn invariant_never_more_back_than_paid(&self, order: OrderId) {
        let record = self.record(order);
        for attempt in &record.attempts {
            let back = record.returned_of(attempt.attempt);
            assert!(back <= attempt.amount, "{back} of {} go back: {record:#?}", attempt.amount);
        }
    }

    /// A channel is told what the buyer paid for goods that he has, and the same each time.
    pub fn invariant_duty_tells_the_truth(&mut self, call: &Call) {
        let Request::Duty(duty) = &call.request else {
            return;
        };
        let key = (duty.trade.attempt, duty.kind);
        let net = self.trade(key.0).expect("a trade").net();
        let told = *self.watched.returns.told.entry(key).or_insert(net);
        assert_eq!(duty.amount, told, "{} is told another sum", key.0);
    }

    /// A channel that refuses to hear of a delivery is seen.
    pub fn invariant_duty_troubles_are_seen(&self) {
        let refused = |record: &&OrderRecord| record.open_duties().any(|duty| duty.refused.is_some());
        for record in self.engine.orders().filter(refused) {
            let seen = self.engine.faults().any(|fault| *fault == Fault::Duty(record.order));
            assert!(seen, "a channel refuses to hear of the delivery of {}, unseen", record.order);
        }
    }

    /// Every delivery that a channel wants to hear of was told.
    pub fn invariant_duties_are_done(&self, record: &OrderRecord) {
        assert!(record.open_duties().next().is_none(), "{record:#?}");
        let Some(winner) = record.winner() else {
            return;
        };
        let own = |reason| reason != RefundReason::Operator;
        let back = record.refunds.iter().filter(|refund| refund.attempt == winner.attempt && own(refund.reason));
        let back: i64 = back.filter(|refund| refund.stage == RefundStage::Done).map(|refund| refund.amount.get()).sum();
        if back < winner.amount.get()
            && let Some(kind) = self.engine.settings().duties.get(&winner.channel)
        {
            let known = record.duties.iter().find(|duty| duty.attempt == winner.attempt && duty.kind == *kind);
            let duty = known.unwrap_or_else(|| panic!("nobody told {:?} of it: {record:#?}", winner.channel));
            let told = !duty.done || winner.channel != ChannelId::Wechat || self.wechat.told.contains(&winner.attempt);
            assert!(told, "{} is told in the journal only", winner.attempt);
        }
    }
}
