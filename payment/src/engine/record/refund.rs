//! A refund as its entries tell it.

use super::OrderRecord;
use crate::engine::entry::{Entry, IdempotencyKey, RefundReason, Said};
use crate::ids::{AttemptId, RefundId};
use crate::money::Fen;
use crate::time::Wall;

/// One refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundRecord {
    /// Its number.
    pub refund: RefundId,
    /// The attempt that was paid.
    pub attempt: AttemptId,
    /// How much goes back.
    pub amount: Fen,
    /// When it got its number.
    pub begun: Wall,
    /// Why.
    pub reason: RefundReason,
    /// The caller's key.
    pub idempotency: Option<IdempotencyKey>,
    /// The channel's code when it refuses for now, or failed it under this number.
    pub owed: Option<String>,
    /// How far it is.
    pub stage: RefundStage,
    /// On whose word, if a person gave a name.
    pub said: Option<Said>,
    /// What another person decided about it, where that is needed.
    pub decision: Option<Decision>,
    /// When the terminal learnt that the money is back.
    pub done_at: Option<Wall>,
}

/// How far a refund is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundStage {
    /// It waits for another person's approval.
    Asked,
    /// That person refused it.
    Declined,
    /// Its request left, or may have left.
    Sent,
    /// It failed under this number and is made again under another.
    Failed,
    /// It was made again under another number.
    Replaced,
    /// The money went back.
    Done,
}

/// A person's word about a refund that somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whether it may be sent.
    pub approved: bool,
    /// Who, and why.
    pub said: Said,
    /// When.
    pub at: Wall,
}

impl RefundRecord {
    /// Whether the money went back.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.stage == RefundStage::Done
    }

    /// Whether another number took its place.
    pub(crate) fn is_replaced(&self) -> bool {
        self.stage == RefundStage::Replaced
    }

    /// Whether it takes part of what was paid: asked for, under way or done.
    #[must_use]
    pub const fn counts(&self) -> bool {
        !matches!(self.stage, RefundStage::Declined | RefundStage::Replaced)
    }

    /// Whether money goes or went back by it: somebody who only asks moves none.
    #[must_use]
    pub const fn moves_money(&self) -> bool {
        matches!(self.stage, RefundStage::Sent | RefundStage::Failed | RefundStage::Done)
    }
}

impl OrderRecord {
    /// Adds an entry about a refund to the sum; others change nothing.
    pub(super) fn apply_refund(&mut self, entry: &Entry, at: Wall) {
        self.note_refund_started(entry, at);
        self.note_refund_asked(entry, at);
        if let Entry::RefundDecided { refund, approved, said, .. } = entry {
            let decision = Decision { approved: *approved, said: said.clone(), at };
            self.set_refund(*refund, |known| {
                known.decision = Some(decision);
                if !*approved {
                    known.stage = RefundStage::Declined;
                }
            });
        }
        if let Entry::RefundFailed { refund, code, .. } = entry {
            self.set_refund(*refund, |known| {
                known.stage = RefundStage::Failed;
                known.owed = Some(code.clone());
            });
        }
        if let Entry::RefundDone { refund, .. } = entry {
            self.set_refund(*refund, |known| {
                known.stage = RefundStage::Done;
                known.done_at = Some(at);
                known.owed = None;
            });
        }
        if let Entry::RefundOwed { refund, code, .. } = entry {
            self.set_refund(*refund, |known| known.owed = Some(code.clone()));
        }
    }

    fn note_refund_started(&mut self, entry: &Entry, at: Wall) {
        let Entry::RefundStarted { attempt, refund, amount, reason, idempotency, said, instead_of, .. } = entry else {
            return;
        };
        let mut decision = None;
        if let Some(failed) = instead_of {
            self.set_refund(*failed, |known| {
                known.stage = RefundStage::Replaced;
                known.owed = None;
                decision.clone_from(&known.decision);
            });
        }
        self.add_refund(RefundRecord {
            refund: *refund,
            attempt: *attempt,
            amount: *amount,
            begun: at,
            reason: *reason,
            idempotency: idempotency.clone(),
            owed: None,
            stage: RefundStage::Sent,
            said: said.clone(),
            decision,
            done_at: None,
        });
    }

    fn note_refund_asked(&mut self, entry: &Entry, at: Wall) {
        let Entry::RefundAsked { attempt, refund, amount, said, idempotency, .. } = entry else {
            return;
        };
        self.add_refund(RefundRecord {
            refund: *refund,
            attempt: *attempt,
            amount: *amount,
            begun: at,
            reason: RefundReason::Operator,
            idempotency: idempotency.clone(),
            owed: None,
            stage: RefundStage::Asked,
            said: Some(said.clone()),
            decision: None,
            done_at: None,
        });
    }

    /// A refund that was asked for keeps what is known of the asking when it is sent.
    fn add_refund(&mut self, new: RefundRecord) {
        match self.refunds.iter_mut().find(|known| known.refund == new.refund) {
            Some(known) => {
                known.stage = new.stage;
                known.begun = new.begun;
            }
            None => self.refunds.push(new),
        }
    }

    fn set_refund(&mut self, refund: RefundId, change: impl FnOnce(&mut RefundRecord)) {
        if let Some(known) = self.refunds.iter_mut().find(|known| known.refund == refund) {
            change(known);
        }
    }
}
