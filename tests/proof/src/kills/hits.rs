//! What the kills hit. It is read from the journal afterwards: a second reader beside a dying daemon would change how SQLite
//! opens the journal next time.

use payment::engine::entry::{OrderState, Stored};
use payment::engine::record::OrderRecord;

use super::KillCard;
use crate::shop::Shop;

/// One kill.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit {
    /// Milliseconds since 1970, as the daemon's journal counts.
    at_ms: i64,
    /// The daemon had not said that it is ready.
    at_start: bool,
}

impl Hit {
    /// The daemon of this shop is killed now.
    pub(super) fn now(shop: &Shop) -> Self {
        Self { at_ms: now_ms(), at_start: !shop.is_ready() }
    }
}

/// Counts what was hit.
pub(super) fn count(hits: &[Hit], histories: &[Vec<Stored>]) -> KillCard {
    let mut card = KillCard::default();
    for hit in hits {
        let in_a_sale = histories.iter().any(|entries| is_under_way(entries, hit.at_ms));
        card.kills += 1;
        card.at_start += u64::from(hit.at_start);
        card.in_a_sale += u64::from(in_a_sale);
        card.recovering += u64::from(hit.at_start && in_a_sale);
    }
    card
}

/// Whether the order with these entries was open at that time, and more than a code that is watched for a late payment.
fn is_under_way(entries: &[Stored], at_ms: i64) -> bool {
    let written = entries.partition_point(|stored| stored.at.ms <= at_ms);
    match OrderRecord::from_entries(&entries[..written]).map(|order| order.state()) {
        Some(
            OrderState::Waiting
            | OrderState::Confirming
            | OrderState::Unknown
            | OrderState::Paid
            | OrderState::Delivering
            | OrderState::Refunding,
        ) => true,
        Some(
            OrderState::Cancelling
            | OrderState::Completed
            | OrderState::Cancelled
            | OrderState::Expired
            | OrderState::Failed
            | OrderState::Owed
            | OrderState::Refunded,
        )
        | None => false,
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "to be held against the times in the journal; nothing under test sees it"
)]
fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
