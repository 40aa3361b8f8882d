//! A refund as its entries tell it.

use crate::engine::entry::{IdempotencyKey, RefundReason, Said};
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
