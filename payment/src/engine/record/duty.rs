//! What is owed to a channel after a delivery, as its entries tell it.

use super::OrderRecord;
use crate::channel::DutyKind;
use crate::engine::entry::{Entry, Said};
use crate::ids::AttemptId;
use crate::money::Fen;
use crate::time::Wall;

/// What is owed to the channel after a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DutyRecord {
    /// The paid attempt.
    pub attempt: AttemptId,
    /// What is to be done.
    pub kind: DutyKind,
    /// What of the payment stayed when it began: the same at every call, whatever goes back later.
    pub amount: Fen,
    /// Since when.
    pub begun: Wall,
    /// The channel's code when it refuses for now.
    pub refused: Option<String>,
    /// Whether the channel knows.
    pub done: bool,
    /// Who did it by hand in the channel's portal, and why.
    pub said: Option<Said>,
}

impl OrderRecord {
    /// Adds an entry about a duty to the sum; others change nothing.
    pub(super) fn apply_duty(&mut self, entry: &Entry, at: Wall) {
        if let Entry::DutyBegun { attempt, duty, .. } = entry {
            let (attempt, kind) = (*attempt, *duty);
            let amount = self.stays_of(attempt);
            self.duties.push(DutyRecord { attempt, kind, amount, begun: at, refused: None, done: false, said: None });
        }
        if let Entry::DutyDone { attempt, duty, said, .. } = entry {
            self.set_duty(*attempt, *duty, |known| {
                known.said.clone_from(said);
                known.done = true;
                known.refused = None;
            });
        }
        if let Entry::DutyRefused { attempt, duty, code, .. } = entry {
            self.set_duty(*attempt, *duty, |known| known.refused = Some(code.clone()));
        }
    }

    /// What a channel is still to be told. Where all of the payment went back nothing is.
    pub fn open_duties(&self) -> impl Iterator<Item = &DutyRecord> {
        self.duties.iter().filter(|duty| !duty.done && !self.is_all_back(duty.attempt))
    }

    /// Whether all money of this attempt went back for certain.
    pub(crate) fn is_all_back(&self, attempt: AttemptId) -> bool {
        let back = self.refunds.iter().filter(|refund| refund.attempt == attempt && refund.is_done());
        let back: Fen = back.map(|refund| refund.amount).sum();
        self.attempt(attempt).is_some_and(|known| back >= known.amount)
    }

    /// What of a guaranteed payment the channel was told to give to the payee, unless it refused.
    pub(crate) fn confirmed_of(&self, attempt: AttemptId) -> Option<Fen> {
        let confirms = |duty: &&DutyRecord| duty.attempt == attempt && duty.kind == DutyKind::ConfirmGuarantee;
        let confirmation = self.duties.iter().find(confirms)?;
        confirmation.refused.is_none().then_some(confirmation.amount)
    }

    fn set_duty(&mut self, attempt: AttemptId, kind: DutyKind, change: impl FnOnce(&mut DutyRecord)) {
        if let Some(known) = self.duties.iter_mut().find(|known| known.attempt == attempt && known.kind == kind) {
            change(known);
        }
    }
}
