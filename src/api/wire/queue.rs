//! The queue to the hub, on the wire.

use payment::time::Wall;
use serde::{Deserialize, Serialize};

use super::rfc3339;
use crate::journal::SetAside;
use crate::sync::status::{LinkState, LinkStatus, QueueStatus};

/// What waits for the hub, what the hub refused, and how the link does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    /// What the link does.
    pub link: Link,
    /// What keeps it from the hub, and what to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// How many entries wait.
    pub waiting: u64,
    /// What was paid in them, in minor units.
    pub paid: i64,
    /// ISO 4217.
    pub currency: String,
    /// When the oldest of them was recorded, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_at: Option<String>,
    /// How long ago that was, in seconds, by a clock that is believed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_age_s: Option<u64>,
    /// Every entry up to this place is the hub's too.
    pub acknowledged_seq: u64,
    /// The newest entry of the journal.
    pub newest_seq: u64,
    /// When the hub last took something or answered, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_success_at: Option<String>,
    /// In how many seconds it is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_try_in_s: Option<u64>,
    /// How many entries the hub refused for good.
    pub set_aside_count: u64,
    /// The newest of those, in the order of the journal.
    pub set_aside: Vec<Refused>,
    /// The operator's newest command that was done or refused; 0 when there was none.
    pub commands_handled: u64,
    /// What the journal takes of the disk.
    pub used_bytes: u64,
    /// At so many bytes the terminal stops selling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_bytes: Option<u64>,
}

/// What the link to the hub does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// There is no hub in the settings.
    Off,
    /// The hub has everything.
    Idle,
    /// Entries are on their way.
    Sending,
    /// Entries wait: for more of the same sale, for the hub, or for a clock that is trusted.
    Waiting,
    /// The hub refuses, and a person must look; it is tried again all the same.
    Refused,
}

/// An entry that the hub refused for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Its place in the journal.
    pub seq: u64,
    /// The order that it is about.
    pub order: String,
    /// Why, as the hub's word.
    pub code: String,
    /// Why, as the hub's sentence.
    pub detail: String,
    /// When, RFC 3339.
    pub at: String,
}

impl Queue {
    /// The queue as it stands at `wall`.
    #[must_use]
    pub fn new(QueueStatus { status, link, limit_bytes }: QueueStatus, wall: Wall) -> Self {
        let age = |ms: i64| u64::try_from(wall.ms.saturating_sub(ms) / 1_000).ok().filter(|_| wall.trusted);
        let LinkStatus { state, last_success_ms, next_try_in_ms, trouble } = link;
        Self {
            link: state.into(),
            trouble,
            waiting: status.waiting,
            paid: status.amount.get(),
            currency: "CNY".to_owned(),
            oldest_at: status.oldest_ms.map(rfc3339),
            oldest_age_s: status.oldest_ms.and_then(age),
            acknowledged_seq: status.acknowledged,
            newest_seq: status.newest,
            last_success_at: last_success_ms.map(rfc3339),
            next_try_in_s: next_try_in_ms.map(|ms| ms.div_ceil(1_000)),
            set_aside_count: status.set_aside_count,
            set_aside: status.set_aside.into_iter().map(Refused::from).collect(),
            commands_handled: status.handled,
            used_bytes: status.used_bytes,
            limit_bytes: (limit_bytes < u64::MAX).then_some(limit_bytes),
        }
    }
}

impl From<LinkState> for Link {
    fn from(state: LinkState) -> Self {
        match state {
            LinkState::Off => Self::Off,
            LinkState::Idle => Self::Idle,
            LinkState::Sending => Self::Sending,
            LinkState::Waiting => Self::Waiting,
            LinkState::Refused => Self::Refused,
        }
    }
}

impl From<SetAside> for Refused {
    fn from(entry: SetAside) -> Self {
        let SetAside { seq, order, code, detail, at_ms } = entry;
        Self { seq, order, code, detail, at: rfc3339(at_ms) }
    }
}
