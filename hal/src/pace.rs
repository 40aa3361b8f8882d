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

/// When nothing is due.
const NO_DEADLINE: Duration = Duration::from_secs(3600);

/// From now until `due`.
pub(crate) fn rest(due: Option<Duration>) -> Duration {
    due.map_or(NO_DEADLINE, |due| due.saturating_sub(now()))
}

/// A device that stays this long is really back. One that comes and goes faster is flapping.
const STEADY: Duration = Duration::from_secs(5);

/// Pauses between attempts to open a device that is gone: 100 ms doubling to 2 s.
#[derive(Debug, Default)]
pub(crate) struct BackOff {
    failures: u32,
    up_since: Option<Duration>,
}

impl BackOff {
    /// The next pause.
    pub(crate) fn next(&mut self) -> Duration {
        self.next_at(now())
    }

    /// The device is there. If it stays, the pauses start small again.
    pub(crate) fn up(&mut self) {
        self.up_at(now());
    }

    fn next_at(&mut self, now: Duration) -> Duration {
        if self.up_since.take().is_some_and(|since| now >= since + STEADY) {
            self.failures = 0;
        }
        let pause = Duration::from_millis(100 << self.failures.min(5)).min(Duration::from_secs(2));
        self.failures = self.failures.saturating_add(1);
        pause
    }

    fn up_at(&mut self, now: Duration) {
        self.up_since.get_or_insert(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Duration = Duration::from_secs(60);

    #[test]
    fn pauses_grow_to_two_seconds_and_start_again_once_the_device_stayed() {
        let mut pauses = BackOff::default();
        let ms: Vec<u128> = (0..7).map(|_| pauses.next_at(AT).as_millis()).collect();
        assert_eq!(ms, [100, 200, 400, 800, 1600, 2000, 2000]);
        pauses.up_at(AT);
        pauses.up_at(AT + STEADY);
        assert_eq!(pauses.next_at(AT + STEADY).as_millis(), 100);
    }

    #[test]
    fn a_device_that_comes_and_goes_is_not_opened_ten_times_a_second() {
        let mut pauses = BackOff::default();
        let mut flap = || {
            pauses.up_at(AT);
            pauses.next_at(AT + STEADY / 2).as_millis()
        };
        let ms: Vec<u128> = (0..6).map(|_| flap()).collect();
        assert_eq!(ms, [100, 200, 400, 800, 1600, 2000]);
    }
}
