//! The journal as the loop uses it: records go in, an input for the engine comes out.

use payment::engine::effect::Record;
use payment::engine::input::Input;
use tokio::sync::watch;

use super::Broken;
use super::metrics::Metrics;
use crate::journal::{AppendError, Journal, NewEntry};

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
        let written = self.journal.append(batch.iter().map(new_entry).collect()).await;
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
                tracing::error!(%error, "the journal cannot be written: no sale starts until it can");
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
            AppendError::Storage(_) => {}
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
        Record { at, entry, state: OrderState::Refunded }
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
