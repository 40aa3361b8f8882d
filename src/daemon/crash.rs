//! Dying on purpose, for the tests that prove recovery: `TILL_CRASH=before:N` or `after:N` kills the process by SIGKILL
//! around the commit that holds the journal's entry N, `TILL_CRASH=panic` panics at a scan. Only in builds with the demo.

use std::str::FromStr;
use std::sync::LazyLock;

use payment::engine::Engine;

/// Where to die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrashPoint {
    after: bool,
    entry: u64,
}

impl CrashPoint {
    /// What the environment asks for.
    #[must_use]
    pub fn from_environment() -> Option<Self> {
        std::env::var("TILL_CRASH").ok()?.parse().ok()
    }

    /// Dies if the next commit, from entry `first` on, holds the point and is not made yet.
    pub fn before_commit(self, first: u64, entries: usize) {
        if !self.after && self.is_in(first, entries) {
            die();
        }
    }

    /// Dies if the commit that was just made holds the point.
    pub fn after_commit(self, first: u64, entries: usize) {
        if self.after && self.is_in(first, entries) {
            die();
        }
    }

    fn is_in(self, first: u64, entries: usize) -> bool {
        let end = first.saturating_add(u64::try_from(entries).unwrap_or(u64::MAX));
        (first..end).contains(&self.entry)
    }
}

impl FromStr for CrashPoint {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (when, entry) = text.split_once(':').ok_or(())?;
        let after = match when {
            "before" => false,
            "after" => true,
            _ => return Err(()),
        };
        Ok(Self { after, entry: entry.parse().map_err(|_| ())? })
    }
}

/// Panics when a code was scanned, and says all that the engine knows: with `TILL_CRASH=panic`, for the test that no
/// message of a panic can hold a secret.
///
/// # Panics
///
/// That is what it is for.
pub fn panic_at_scan(engine: &Engine, is_scan: bool) {
    static WANTED: LazyLock<bool> = LazyLock::new(|| std::env::var("TILL_CRASH").is_ok_and(|what| what == "panic"));
    assert!(!(is_scan && *WANTED), "TILL_CRASH: {engine:?}");
}

fn die() -> ! {
    let killed = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    tracing::error!(?killed, "SIGKILL did not kill");
    std::process::abort()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_in_the_commit_that_holds_its_entry() {
        let point: CrashPoint = "after:5".parse().unwrap();
        assert!(point.is_in(4, 2) && point.is_in(5, 1));
        assert!(!point.is_in(6, 1) && !point.is_in(3, 2));
        assert!("sometime:5".parse::<CrashPoint>().is_err());
    }
}
