//! Counters of this run, read by `/metrics`. A fixed set; money is never counted here, the journal does that.

use std::sync::atomic::{AtomicU64, Ordering};

/// One counter.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub fn add_one(&self) {
        self.add(1);
    }

    /// `n` more.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// How many so far.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The counters.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Commits of the journal.
    pub commits: Counter,
    /// Entries written.
    pub entries: Counter,
    /// Writes that the disk refused.
    pub commits_failed: Counter,
    /// Calls to channels.
    pub calls: Counter,
    /// Calls without a usable reply.
    pub calls_in_doubt: Counter,
    /// Codes that the scanner read while it was armed.
    pub scans: Counter,
    /// Motors started.
    pub vends: Counter,
    /// Items that did not fall.
    pub vends_failed: Counter,
    /// Turns of the loop.
    pub turns: Counter,
    /// Pictures drawn.
    pub frames: Counter,
    /// Requests that were turned away because too many waited.
    pub requests_refused: Counter,
}
