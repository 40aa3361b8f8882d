//! When to try again.

use super::settings::Pace;
use crate::time::Mono;

/// Waits that double from a first to a longest one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Backoff {
    tries: u32,
}

impl Backoff {
    /// The moment of the next try, `first_ms` after the first failure and later after each further one.
    pub(crate) fn next(&mut self, now: Mono, first_ms: u64, pace: &Pace) -> Mono {
        let factor = 1_u64.checked_shl(self.tries).unwrap_or(u64::MAX);
        self.tries = self.tries.saturating_add(1).min(40);
        let longest = pace.retry_max_ms.max(first_ms);
        now.plus(first_ms.saturating_mul(factor).min(longest))
    }

    /// How many tries there were since the last success.
    pub(crate) const fn tries(self) -> u32 {
        self.tries
    }

    /// Starts over after a success.
    pub(crate) fn reset(&mut self) {
        self.tries = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let pace = Pace { retry_max_ms: 10_000, ..Pace::default() };
        let mut backoff = Backoff::default();
        let mut wait = || backoff.next(Mono(0), 2_000, &pace).0;
        assert_eq!([wait(), wait(), wait(), wait(), wait()], [2_000, 4_000, 8_000, 10_000, 10_000]);
    }

    #[test]
    fn a_hundred_failures_do_not_overflow() {
        let mut backoff = Backoff::default();
        for _ in 0..100 {
            assert!(backoff.next(Mono(0), 2_000, &Pace::default()).0 <= 600_000);
        }
    }
}
