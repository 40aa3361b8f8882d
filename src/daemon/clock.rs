//! The only clock of the daemon.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use payment::time::{Mono, Now, Wall};

/// Before this no Till was built: a clock that says so was never set. 2026-01-01T00:00:00Z.
const BUILT_MS: i64 = 1_767_225_600_000;

/// A clock may be set back a little by its time server without being distrusted.
const STEP_BACK_MS: i64 = 300_000;

/// Monotonic time since the start, and wall time with the word whether to trust it.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    started: Instant,
    floor_ms: i64,
}

impl Clock {
    /// Starts now. The wall clock is not trusted while it is earlier than the newest entry of the journal.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn start(newest: Option<Wall>) -> Self {
        let newest = newest.filter(|wall| wall.trusted).map_or(0, |wall| wall.ms.saturating_sub(STEP_BACK_MS));
        Self { started: Instant::now(), floor_ms: newest.max(BUILT_MS) }
    }

    /// Both clocks.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn now(&self) -> Now {
        let mono = Mono(millis(self.started.elapsed()));
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let ms = i64::try_from(since_1970.as_millis()).unwrap_or(0);
        Now { mono, wall: Wall { ms, trusted: ms >= self.floor_ms } }
    }

    /// The instant of a moment, for the runtime's timers.
    #[must_use]
    pub fn instant(&self, at: Mono) -> Instant {
        self.started + Duration::from_millis(at.0)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_behind_the_journal_is_not_trusted() {
        let now = Clock::start(None).now().wall;
        assert!(now.trusted);
        let ahead = Wall { ms: now.ms + 2 * STEP_BACK_MS, trusted: true };
        assert!(!Clock::start(Some(ahead)).now().wall.trusted);
    }

    #[test]
    fn an_entry_of_an_untrusted_clock_distrusts_nothing() {
        let decades_ahead = Wall { ms: i64::MAX / 2, trusted: false };
        assert!(Clock::start(Some(decades_ahead)).now().wall.trusted);
    }
}
