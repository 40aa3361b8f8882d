//! Refunds on the wire: what somebody asks for, what another person decided, and how far the money is.

use payment::engine::entry::{Entry, RefundReason, Stored};
use payment::engine::record::{RefundRecord, RefundStage};
use payment::ids::{AttemptId, OrderId, RefundId};
use serde::{Deserialize, Serialize};

use super::rfc3339;

/// One return of money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// Its number, the channel's `out_request_no`.
    pub number: RefundId,
    /// The attempt whose money goes back.
    pub attempt: AttemptId,
    /// How much, in minor units.
    pub amount: i64,
    /// Why.
    pub reason: RefundReason,
    /// How it stands.
    pub state: RefundState,
    /// Why the channel refuses it for now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// On whose word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<String>,
    /// The reason that was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// When a person asked for it, RFC 3339; absent for what the terminal returns by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<String>,
    /// Who approved or declined it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// The reason that was given then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_why: Option<String>,
    /// When, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<String>,
    /// When its request left under this number, RFC 3339; absent while it waits for approval, and when it was declined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// When the terminal learnt that the money is back, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_at: Option<String>,
    /// The refund that failed under its number and was made again as this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<RefundId>,
    /// The refund by which this one was made again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<RefundId>,
}

/// How a refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    /// It waits for another person's approval.
    Asked,
    /// That person refused it.
    Declined,
    /// It failed under this number, and was made again under another.
    Replaced,
    /// On its way.
    Pending,
    /// The channel refuses for now; it is tried again for ever.
    Owed,
    /// The money went back.
    Done,
}

/// What `POST /v1/orders/{id}/refunds` made or found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundMade {
    /// The order.
    pub order: OrderId,
    /// The refund.
    #[serde(flatten)]
    pub refund: Refund,
}

/// A page of refunds, those that were asked for first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundPage {
    /// The refunds.
    pub refunds: Vec<RefundMade>,
    /// What `cursor` asks for the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl From<&RefundRecord> for Refund {
    fn from(record: &RefundRecord) -> Self {
        let (said, decision) = (record.said.as_ref(), record.decision.as_ref());
        Self {
            number: record.refund,
            attempt: record.attempt,
            amount: record.amount.get(),
            reason: record.reason,
            state: RefundState::of(record),
            code: record.owed.clone(),
            asked_by: said.map(|said| said.by.clone()),
            why: said.and_then(|said| given(&said.why)),
            asked_at: (record.reason == RefundReason::Operator).then(|| rfc3339(record.begun.ms)),
            decided_by: decision.map(|decision| decision.said.by.clone()),
            decided_why: decision.and_then(|decision| given(&decision.said.why)),
            decided_at: decision.map(|decision| rfc3339(decision.at.ms)),
            started_at: has_left(record.stage).then(|| rfc3339(record.begun.ms)),
            done_at: record.done_at.map(|at| rfc3339(at.ms)),
            instead_of: None,
            replaced_by: None,
        }
    }
}

impl RefundState {
    const fn of(record: &RefundRecord) -> Self {
        match (record.stage, &record.owed) {
            (RefundStage::Done, _) => Self::Done,
            (RefundStage::Asked, _) => Self::Asked,
            (RefundStage::Declined, _) => Self::Declined,
            (RefundStage::Replaced, _) => Self::Replaced,
            (RefundStage::Failed, _) | (RefundStage::Sent, Some(_)) => Self::Owed,
            (RefundStage::Sent, None) => Self::Pending,
        }
    }
}

/// Whether a request was, or may have been, sent under its number.
const fn has_left(stage: RefundStage) -> bool {
    match stage {
        RefundStage::Sent | RefundStage::Failed | RefundStage::Replaced | RefundStage::Done => true,
        RefundStage::Asked | RefundStage::Declined => false,
    }
}

fn given(why: &str) -> Option<String> {
    (!why.is_empty()).then(|| why.to_owned())
}

impl RefundMade {
    /// The refund that an entry asks for; `None` for any other entry.
    #[must_use]
    pub fn asked(stored: &Stored) -> Option<Self> {
        let Entry::RefundAsked { order, attempt, refund, amount, said, .. } = &stored.entry else {
            return None;
        };
        let refund = Refund {
            number: *refund,
            attempt: *attempt,
            amount: amount.get(),
            reason: RefundReason::Operator,
            state: RefundState::Asked,
            code: None,
            asked_by: Some(said.by.clone()),
            why: given(&said.why),
            asked_at: Some(rfc3339(stored.at.ms)),
            decided_by: None,
            decided_why: None,
            decided_at: None,
            started_at: None,
            done_at: None,
            instead_of: None,
            replaced_by: None,
        };
        Some(Self { order: *order, refund })
    }
}

/// Whether the entries say more of a refund than its record: when it was asked for, or which one took its place.
#[must_use]
pub fn has_history(record: &RefundRecord) -> bool {
    record.decision.is_some() || record.stage == RefundStage::Replaced
}

/// Adds what only the entries of the order tell: when each refund was asked for, and which took whose place.
pub fn tell_history(refunds: &mut [Refund], entries: &[Stored]) {
    for stored in entries {
        if let Entry::RefundAsked { refund, .. } = &stored.entry
            && let Some(known) = numbered(refunds, *refund)
        {
            known.asked_at = Some(rfc3339(stored.at.ms));
        }
        if let Entry::RefundStarted { refund, instead_of: Some(failed), .. } = &stored.entry {
            let asked_at = numbered(refunds, *failed).and_then(|failed| {
                failed.replaced_by = Some(*refund);
                failed.asked_at.clone()
            });
            if let Some(new) = numbered(refunds, *refund) {
                new.instead_of = Some(*failed);
                new.asked_at = asked_at;
            }
        }
    }
}

fn numbered(refunds: &mut [Refund], number: RefundId) -> Option<&mut Refund> {
    refunds.iter_mut().find(|known| known.number == number)
}
