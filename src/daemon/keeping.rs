//! What the loop does for the journal beside selling: the hub's acknowledgements, retention, and the limit of disk.
//!
//! Retention is done in small portions while nobody is at the machine. `keep_days` is a wish and the limit is a limit:
//! near it, whatever is closed and the hub's goes, however young. Without a hub nothing is ever acknowledged, so nothing
//! is removed, and a journal at its limit wants a person.

use payment::engine::effect::Record;
use payment::engine::entry::{Entry, OrderState};
use payment::engine::faults::Fault;
use payment::engine::input::Input;
use payment::time::{Mono, Wall};
use tokio::sync::watch;

use super::Daemon;
use super::terminal::{ActError, SyncWish};
use crate::config::RetentionConfig;
use crate::journal::AuditTotal;
use crate::sync::status::Nudges;

/// After so many commits the size of the journal is looked at.
const COMMITS_PER_LOOK: u32 = 64;
/// About so many entries are removed in one turn of the loop.
const RETAINED_PER_TURN: u32 = 500;
/// Between two such turns a customer may come.
const BETWEEN_TURNS_MS: u64 = 1_000;
/// Retention begins at most this often.
const BETWEEN_ROUNDS_MS: u64 = 3_600_000;
const DAY_MS: i64 = 86_400_000;

/// What the loop has to keep in mind about it.
#[derive(Debug)]
pub struct Keeping {
    limits: RetentionConfig,
    /// Commits since the size was looked at.
    commits: u32,
    /// Near the limit of disk.
    is_tight: bool,
    /// When the next portion is due.
    retain_at: Option<Mono>,
    /// Before this no round begins.
    next_round: Mono,
    takes_vouchers: bool,
    wants_restart: bool,
    nudges: watch::Sender<Nudges>,
}

impl Keeping {
    /// At a start.
    #[must_use]
    pub fn new(limits: RetentionConfig, takes_vouchers: bool, nudges: watch::Sender<Nudges>) -> Self {
        Self {
            limits,
            commits: COMMITS_PER_LOOK,
            is_tight: false,
            retain_at: None,
            next_round: Mono::default(),
            takes_vouchers,
            wants_restart: false,
            nudges,
        }
    }

    /// A batch was committed.
    pub fn committed(&mut self) {
        self.commits = self.commits.saturating_add(1);
    }

    /// A fault began or is over: the link to the hub wants to know of some.
    pub fn on_fault(&self, fault: &Fault, began: bool) {
        match (fault, began) {
            (Fault::Clock, began) => self.nudges.send_modify(|nudges| nudges.clock_trusted = !began),
            (Fault::Hub, false) => self.nudges.send_modify(|nudges| nudges.hub_cleared += 1),
            (Fault::Network(_), false) => self.nudges.send_modify(|nudges| nudges.link_back += 1),
            (
                Fault::Network(_)
                | Fault::Duty(_)
                | Fault::Storage
                | Fault::Setup(_)
                | Fault::Scanner
                | Fault::Machine
                | Fault::Slot(_)
                | Fault::Display
                | Fault::Printer
                | Fault::SwitchedOff
                | Fault::JournalFull
                | Fault::Hub,
                _,
            ) => {}
        }
    }

    fn acknowledged(&mut self, now: Mono) {
        let at = if self.is_tight { now } else { self.next_round.max(now) };
        self.retain_at = Some(self.retain_at.map_or(at, |due| due.min(at)));
    }

    /// Near the limit the next look does not wait for an acknowledgement: a machine that sells nothing any more brings
    /// the hub nothing to acknowledge.
    fn look_for_room(&mut self, now: Mono) {
        self.retain_at = self.retain_at.or_else(|| Some(self.next_round.max(now)));
    }

    /// What came of one portion of retention; `None` when the disk did not take it.
    fn retained(&mut self, now: Mono, more: Option<bool>) {
        let pause = if more == Some(true) { BETWEEN_TURNS_MS } else { BETWEEN_ROUNDS_MS };
        let next = now.plus(pause);
        self.retain_at = (more != Some(false)).then_some(next);
        if more != Some(true) {
            self.next_round = next;
        }
    }

    fn keep_from_ms(&self, now: Wall) -> i64 {
        let days = i64::try_from(self.limits.keep_days).unwrap_or(i64::MAX);
        if self.is_tight { i64::MAX } else { now.ms.saturating_sub(days.saturating_mul(DAY_MS)) }
    }
}

/// Whether a batch may move money of the operator's codes.
pub(super) fn moves_money(batch: &[Record]) -> bool {
    batch.iter().any(|record| match &record.entry {
        Entry::AttemptPaid { .. } | Entry::RefundDone { .. } => true,
        Entry::AttemptStarted { voucher, .. } => voucher.is_some(),
        Entry::OrderOpened { .. }
        | Entry::CashTaken { .. }
        | Entry::AttemptNotPaid { .. }
        | Entry::ReverseStarted { .. }
        | Entry::OrderCancelled { .. }
        | Entry::VendStarted { .. }
        | Entry::VendEnded { .. }
        | Entry::RefundStarted { .. }
        | Entry::RefundOwed { .. }
        | Entry::RefundAsked { .. }
        | Entry::RefundDecided { .. }
        | Entry::RefundFailed { .. }
        | Entry::DutyBegun { .. }
        | Entry::DutyDone { .. }
        | Entry::DutyRefused { .. }
        | Entry::OrderClosed { .. } => false,
    })
}

impl Daemon {
    /// Whether a restart is wanted, and nobody stands there for whom it would be the wrong moment. What a failing disk
    /// keeps waiting in this run would be forgotten with it.
    pub(super) fn may_restart(&self) -> bool {
        let is_served = |state| matches!(state, OrderState::Paid | OrderState::Delivering);
        let is_at_rest = self.is_idle() && !self.journal.is_failing();
        self.keeping.wants_restart && is_at_rest && !self.engine.orders().any(|order| is_served(order.state()))
    }

    fn is_idle(&self) -> bool {
        self.engine.order_at_machine().is_none()
    }

    /// When something here is due.
    pub(super) fn keeping_deadline(&self) -> Option<Mono> {
        self.keeping.retain_at.filter(|_| self.is_idle() && !self.journal.is_failing())
    }

    /// Does what is due. To be called when all effects are carried out.
    pub(super) async fn keep(&mut self) {
        if self.journal.is_failing() {
            return;
        }
        if self.keeping.commits >= COMMITS_PER_LOOK {
            self.look_at_disk().await;
        }
        let now = self.clock.now();
        if self.is_idle() && self.keeping.retain_at.is_some_and(|at| at <= now.mono) {
            self.retain(now.mono, now.wall).await;
        }
    }

    async fn look_at_disk(&mut self) {
        self.keeping.commits = 0;
        let Some(used) = self.journal.used_bytes().await else {
            return;
        };
        let limit = self.keeping.limits.limit_bytes;
        self.keeping.is_tight = used >= limit / 10 * 9;
        if self.keeping.is_tight {
            self.keeping.look_for_room(self.clock.now().mono);
        }
        if used >= limit {
            self.act(Input::Raise(Fault::JournalFull));
        } else if !self.keeping.is_tight {
            self.act(Input::Clear(Fault::JournalFull));
        }
        self.drain().await;
    }

    /// One portion. By age only when the time is certain; near the limit whatever may go.
    async fn retain(&mut self, now: Mono, wall: Wall) {
        if !wall.trusted && !self.keeping.is_tight {
            self.keeping.retain_at = Some(now.plus(BETWEEN_ROUNDS_MS));
            return;
        }
        let retained = self.journal.retain(self.keeping.keep_from_ms(wall), RETAINED_PER_TURN).await;
        self.keeping.retained(now, retained.as_ref().map(|retained| retained.more));
        if let Some(retained) = retained.filter(|retained| retained.orders > 0) {
            tracing::debug!(orders = retained.orders, entries = retained.entries, "old orders were removed");
        }
        if self.keeping.is_tight {
            self.look_at_disk().await;
        }
    }

    /// What the link to the hub wants.
    pub(super) async fn on_sync(&mut self, wish: SyncWish) -> Result<(), ActError> {
        match wish {
            SyncWish::Acknowledge { up_to, set_aside } => {
                self.journal.acknowledge(up_to, set_aside).await.ok_or(ActError::NotStored)?;
                self.keeping.acknowledged(self.clock.now().mono);
                self.tell_unsettled().await;
            }
            SyncWish::Handled(result) => self.journal.command_handled(result).await.ok_or(ActError::NotStored)?,
            SyncWish::Reported(up_to) => self.journal.results_reported(up_to).await.ok_or(ActError::NotStored)?,
            SyncWish::SetAsideSeen => self.journal.set_aside_seen().await.ok_or(ActError::NotStored)?,
            SyncWish::Restart => self.keeping.wants_restart = true,
        }
        Ok(())
    }

    /// Begins the audit's interval anew. What the journal still has to write comes first: it was before.
    pub(super) async fn reset_audit(&mut self, from: Option<Vec<AuditTotal>>) -> Result<bool, ActError> {
        self.drain().await;
        if self.journal.is_failing() {
            return Err(ActError::NotStored);
        }
        self.journal.reset_audit(self.clock.now().wall.ms, from).await.ok_or(ActError::NotStored)
    }

    /// Tells the engine how much voucher money the hub does not have.
    pub(super) async fn tell_unsettled(&mut self) {
        if !self.keeping.takes_vouchers {
            return;
        }
        match self.journal.unsettled().await {
            Ok(unsettled) => self.act(Input::Unsettled(unsettled)),
            Err(error) => tracing::warn!(%error, "what is unsettled of member codes is not known"),
        }
    }
}

#[cfg(test)]
mod tests {
    use payment::channel::ChannelId;

    use super::*;

    fn keeping() -> Keeping {
        let limits = RetentionConfig { keep_days: 30, limit_bytes: 1_000 };
        Keeping::new(limits, false, watch::Sender::new(Nudges::default()))
    }

    #[test]
    fn a_round_of_retention_begins_with_an_acknowledgement_and_at_most_once_an_hour() {
        let mut keeping = keeping();
        assert_eq!(keeping.retain_at, None, "nothing to do, and nothing to wake for");
        keeping.acknowledged(Mono(5));
        assert_eq!(keeping.retain_at, Some(Mono(5)));
        (keeping.retain_at, keeping.next_round) = (None, Mono(5 + BETWEEN_ROUNDS_MS));
        keeping.acknowledged(Mono(10));
        keeping.acknowledged(Mono(20));
        assert_eq!(keeping.retain_at, Some(Mono(5 + BETWEEN_ROUNDS_MS)));
        keeping.is_tight = true;
        keeping.acknowledged(Mono(30));
        assert_eq!(keeping.retain_at, Some(Mono(30)), "near the limit every acknowledgement makes room");
    }

    #[test]
    fn near_the_limit_room_is_looked_for_without_an_acknowledgement_and_once_an_hour() {
        let mut keeping = keeping();
        keeping.look_for_room(Mono(5));
        assert_eq!(keeping.retain_at, Some(Mono(5)), "a machine that was switched off in the middle of it starts full");
        keeping.retained(Mono(5), Some(true));
        keeping.look_for_room(Mono(6));
        assert_eq!(keeping.retain_at, Some(Mono(5 + BETWEEN_TURNS_MS)));
        keeping.retained(Mono(2_000), Some(false));
        assert_eq!(keeping.retain_at, None);
        keeping.look_for_room(Mono(2_001));
        assert_eq!(keeping.retain_at, Some(Mono(2_000 + BETWEEN_ROUNDS_MS)));
    }

    #[test]
    fn retention_that_the_disk_did_not_take_is_tried_again() {
        let mut keeping = keeping();
        keeping.retained(Mono(5), None);
        assert_eq!(keeping.retain_at, Some(Mono(5 + BETWEEN_ROUNDS_MS)));
    }

    #[test]
    fn near_the_limit_age_does_not_matter() {
        let mut keeping = keeping();
        let now = Wall { ms: 40 * DAY_MS, trusted: true };
        assert_eq!(keeping.keep_from_ms(now), 10 * DAY_MS);
        keeping.is_tight = true;
        assert_eq!(keeping.keep_from_ms(now), i64::MAX);
    }

    #[test]
    fn the_link_hears_of_the_clock_and_of_a_network_that_is_back_and_of_nothing_else() {
        let keeping = keeping();
        let told = keeping.nudges.subscribe();
        keeping.on_fault(&Fault::Network(ChannelId::Alipay), true);
        keeping.on_fault(&Fault::Machine, false);
        assert!(!told.has_changed().unwrap());
        keeping.on_fault(&Fault::Network(ChannelId::Alipay), false);
        keeping.on_fault(&Fault::Clock, false);
        assert_eq!(*told.borrow(), Nudges { link_back: 1, clock_trusted: true, ..Nudges::default() });
        keeping.on_fault(&Fault::Clock, true);
        assert!(!told.borrow().clock_trusted);
    }
}
