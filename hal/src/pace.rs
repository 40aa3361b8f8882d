//! The only place in this crate that reads a clock or sleeps: drivers pace hardware, and that takes real time.

use std::{
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

/// Monotonic time since the first use in this process.
///
/// A `Duration`, so that everything that reasons about time can be tested with made-up values.
#[expect(clippy::disallowed_methods, reason = "the one monotonic clock of the drivers")]
pub(crate) fn now() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// Holds the current device thread for `time`. Never called from the daemon's loop.
#[expect(clippy::disallowed_methods, reason = "a pulse or a retry pause has a length in real time")]
pub(crate) fn sleep(time: Duration) {
    thread::sleep(time);
}

/// Pauses between attempts to open a device that is gone: 100 ms doubling to 2 s.
#[derive(Debug, Default)]
pub(crate) struct BackOff {
    failures: u32,
}

impl BackOff {
    /// The next pause.
    pub(crate) fn next(&mut self) -> Duration {
        let pause = Duration::from_millis(100 << self.failures.min(5)).min(Duration::from_secs(2));
        self.failures = self.failures.saturating_add(1);
        pause
    }

    /// The device is back: start small again.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_two_seconds_and_start_again() {
        let mut pauses = BackOff::default();
        let ms: Vec<u128> = (0..7).map(|_| pauses.next().as_millis()).collect();
        assert_eq!(ms, [100, 200, 400, 800, 1600, 2000, 2000]);
        pauses.reset();
        assert_eq!(pauses.next().as_millis(), 100);
    }
}
