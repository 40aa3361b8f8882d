//! The journal as the loop uses it: records go in, an input for the engine comes out.

use payment::engine::effect::Record;
use payment::engine::entry::{SlotId, Stored};
use payment::engine::input::Input;
use payment::engine::slots::SlotCount;
use payment::ids::OrderId;
use payment::money::Fen;
use tokio::sync::watch;

use super::Broken;
use super::metrics::Metrics;
use crate::journal::{AppendError, AuditTotal, CommandResult, Journal, NewEntry, ReadError, Retained, SetAside};

/// The writer's end and the number of the newest entry.
#[derive(Debug)]
pub struct Journaling {
    journal: Journal,
    newest: watch::Sender<u64>,
    failing: bool,
    /// Why this run must not go on writing.
    lost: Option<AppendError>,
    #[cfg(feature = "demo")]
    crash: Option<super::crash::CrashPoint>,
}

impl Journaling {
    /// Over an open journal whose newest entry is `newest`.
    #[must_use]
    pub fn new(journal: Journal, newest: u64) -> Self {
        Self {
            journal,
            newest: watch::Sender::new(newest),
            failing: false,
            lost: None,
            #[cfg(feature = "demo")]
            crash: super::crash::CrashPoint::from_environment(),
        }
    }

    /// The number of the newest entry, and a way to wait for the next.
    #[must_use]
    pub fn newest(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    /// The number of the newest entry.
    #[must_use]
    pub fn last_seq(&self) -> u64 {
        *self.newest.borrow()
    }

    /// Whether the last write failed.
    #[must_use]
    pub const fn is_failing(&self) -> bool {
        self.failing
    }

    /// Makes the batch durable, or gives it back.
    pub async fn append(&mut self, batch: Vec<Record>, metrics: &Metrics) -> Input {
        #[cfg(feature = "demo")]
        let (first, entries) = (self.last_seq() + 1, batch.len());
        #[cfg(feature = "demo")]
        if let Some(point) = self.crash {
            point.before_commit(first, entries);
        }
        let slots = batch.iter().flat_map(|record| record.slots.iter().cloned()).collect();
        let written = self.journal.append_with(batch.iter().map(new_entry).collect(), slots).await;
        self.failing = written.is_err();
        match written {
            Ok(seqs) => {
                #[cfg(feature = "demo")]
                if let Some(point) = self.crash {
                    point.after_commit(first, entries);
                }
                metrics.commits.add_one();
                metrics.entries.add(u64::try_from(seqs.len()).unwrap_or(0));
                if let Some(newest) = seqs.last() {
                    self.newest.send_replace(*newest);
                }
                Input::Recorded
            }
            Err(error) => {
                metrics.commits_failed.add_one();
                tracing::warn!(%error, "the journal cannot be written: no sale starts until it can");
                self.note(error);
                Input::NotRecorded(batch)
            }
        }
    }

    /// Tries a tiny durable write.
    pub async fn probe(&mut self) -> Input {
        match self.journal.probe().await {
            Ok(()) => {
                self.failing = false;
                Input::Recorded
            }
            Err(error) => {
                tracing::warn!(%error, "the journal still cannot be written");
                self.note(error);
                Input::NotRecorded(Vec::new())
            }
        }
    }

    /// Makes the hub's acknowledgement durable; `None` when it is not.
    pub async fn acknowledge(&mut self, up_to: u64, set_aside: Vec<SetAside>) -> Option<()> {
        let kept = self.journal.acknowledge(up_to, set_aside).await;
        self.kept(kept)
    }

    /// Notes durably what became of a command; `None` when it is not noted.
    pub async fn command_handled(&mut self, result: CommandResult) -> Option<()> {
        let kept = self.journal.command_handled(result).await;
        self.kept(kept)
    }

    /// Forgets results that the hub has; `None` when they are not forgotten.
    pub async fn results_reported(&mut self, up_to: u64) -> Option<()> {
        let kept = self.journal.results_reported(up_to).await;
        self.kept(kept)
    }

    /// Notes that a person knows of all that is set aside; `None` when it is not noted.
    pub async fn set_aside_seen(&mut self) -> Option<()> {
        let kept = self.journal.set_aside_seen().await;
        self.kept(kept)
    }

    /// Notes what a technician said of a slot; `None` when it is not noted.
    pub async fn keep_slot(&mut self, slot: SlotId, count: SlotCount) -> Option<()> {
        let kept = self.journal.keep_slot(slot, count).await;
        self.kept(kept)
    }

    /// Begins the audit's interval anew; `None` when it did not.
    pub async fn reset_audit(&mut self, at_ms: i64, from: Option<Vec<AuditTotal>>) -> Option<bool> {
        let kept = self.journal.reset_audit(at_ms, from).await;
        self.kept(kept)
    }

    /// Removes old orders that the hub has.
    pub async fn retain(&mut self, keep_from_ms: i64, entries_max: u32) -> Option<Retained> {
        let kept = self.journal.retain(keep_from_ms, entries_max).await;
        self.kept(kept)
    }

    /// What the journal takes of the disk.
    pub async fn used_bytes(&mut self) -> Option<u64> {
        let kept = self.journal.used_bytes().await;
        self.kept(kept)
    }

    /// Waits until the journal's thread answers. What it says of a failing disk is no matter here: that is a fault, and no
    /// reason to die.
    pub async fn answers(&self) {
        let _size = self.journal.used_bytes().await;
    }

    /// What is recorded of an order; `None` when there is no such order, or none any more.
    ///
    /// # Errors
    ///
    /// When the journal cannot be read.
    pub async fn entries_of(&self, order: OrderId) -> Result<Option<Vec<Stored>>, ReadError> {
        Ok(self.journal.reader().order(order.as_str()).await?.map(|stored| stored.entries))
    }

    /// Voucher money that the hub does not have.
    ///
    /// # Errors
    ///
    /// When the journal cannot be read.
    pub async fn unsettled(&self) -> Result<Fen, ReadError> {
        self.journal.reader().unsettled().await
    }

    /// What is no entry does not stop the sale: the next entry tells whether the disk works.
    fn kept<T>(&mut self, outcome: Result<T, AppendError>) -> Option<T> {
        outcome
            .map_err(|error| {
                tracing::warn!(%error, "what the journal keeps beside the entries cannot be written now");
                self.note(error);
            })
            .ok()
    }

    /// Whether this run and the journal still agree.
    ///
    /// # Errors
    ///
    /// [`Broken::Journal`] when they do not. A commit of which a failing disk said no, and which is there nevertheless,
    /// ends so too: trying again in this run would never succeed.
    pub fn is_whole(&self) -> Result<(), Broken> {
        self.lost.clone().map_or(Ok(()), |error| Err(Broken::Journal(error)))
    }

    fn note(&mut self, error: AppendError) {
        match error {
            AppendError::Storage(_) | AppendError::Beyond { .. } => {}
            AppendError::Refused { .. } | AppendError::Changed | AppendError::Stopped => self.lost = Some(error),
        }
    }
}

fn new_entry(record: &Record) -> NewEntry {
    NewEntry { at: record.at, entry: record.entry.clone(), state: record.state }
}

#[cfg(test)]
mod tests {
    use payment::engine::entry::{Ending, Entry, OrderState};
    use payment::ids::IdMint;
    use payment::time::Wall;

    use super::*;

    fn closed() -> Record {
        let at = Wall { ms: 1_800_000_000_000, trusted: true };
        let entry = Entry::OrderClosed { order: IdMint::new([1; 32]).order(), ending: Ending::Refunded };
        Record { at, entry, state: OrderState::Refunded, slots: Vec::new() }
    }

    #[tokio::test]
    async fn an_entry_that_contradicts_the_journal_ends_the_run_instead_of_stalling_it_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        let opened = Journal::open(&dir.path().join("till.db")).unwrap();
        let mut journal = Journaling::new(opened.journal, 0);
        assert!(matches!(journal.probe().await, Input::Recorded));
        journal.is_whole().unwrap();
        let outcome = journal.append(vec![closed()], &Metrics::default()).await;
        assert!(matches!(outcome, Input::NotRecorded(batch) if batch == [closed()]));
        let broken = journal.is_whole().unwrap_err();
        assert!(matches!(broken, Broken::Journal(AppendError::Refused { .. })), "{broken}");
    }
}
