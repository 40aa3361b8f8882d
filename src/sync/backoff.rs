//! How long to wait before trying again: longer each time, and never at the moment at which all others try.

use payment::time::Mono;

/// The first wait, in milliseconds. It doubles.
const FIRST_MS: u64 = 2_000;
/// The longest wait that this terminal chooses by itself.
const LONGEST_MS: u64 = 300_000;
/// Chance never makes a wait shorter than this.
const SHORTEST_MS: u64 = 500;
/// The longest wait that a hub may ask for.
const ASKED_FOR_MAX_MS: u64 = 3_600_000;

/// Failures in a row, and when the next try is due. "Full jitter": the wait is anything up to its limit, so that a
/// thousand terminals that lost the hub together do not come back together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// When to try again after one more failure. `asked_for_s` is the hub's `Retry-After`, `entropy` a random number.
    #[must_use]
    pub fn failed(&mut self, now: Mono, asked_for_s: Option<u64>, entropy: u64) -> Mono {
        let limit = FIRST_MS.checked_shl(self.failures).unwrap_or(LONGEST_MS).min(LONGEST_MS);
        self.failures = (self.failures + 1).min(16);
        let own = SHORTEST_MS + entropy % (limit - SHORTEST_MS + 1);
        let asked_for = asked_for_s.map_or(0, |seconds| seconds.saturating_mul(1_000).min(ASKED_FOR_MAX_MS));
        // Those who were asked to wait equally long come back spread over the same time as always.
        now.plus(if asked_for == 0 { own } else { asked_for + own })
    }

    /// Something went well.
    pub fn over(&mut self) {
        self.failures = 0;
    }

    /// Whether the last try failed.
    #[must_use]
    pub const fn is_failing(&self) -> bool {
        self.failures > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wait_may_be_twice_as_long_up_to_five_minutes() {
        let mut backoff = Backoff::default();
        let longest: Vec<u64> = (0..10)
            .map(|_| {
                let limit = FIRST_MS.checked_shl(backoff.failures).unwrap_or(LONGEST_MS).min(LONGEST_MS);
                backoff.failed(Mono(0), None, limit - SHORTEST_MS).0
            })
            .collect();
        assert_eq!(longest, [2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000]);
        backoff.over();
        assert_eq!(backoff.failed(Mono(0), None, 1_500).0, 2_000);
    }

    #[test]
    fn chance_makes_every_wait_up_to_the_limit_and_none_of_nothing() {
        for entropy in [0, 1, 777, u64::MAX] {
            let wait = Backoff::default().failed(Mono(10_000), None, entropy).0 - 10_000;
            assert!((SHORTEST_MS..=FIRST_MS).contains(&wait), "{wait}");
        }
        assert_eq!(Backoff::default().failed(Mono(0), None, 0).0, SHORTEST_MS);
    }

    #[test]
    fn a_hub_that_asks_for_time_gets_it_but_not_for_ever() {
        assert_eq!(Backoff::default().failed(Mono(0), Some(120), 0).0, 120_500);
        assert_eq!(Backoff::default().failed(Mono(0), Some(u64::MAX), 0).0, ASKED_FOR_MAX_MS + SHORTEST_MS);
        let mut long_away = Backoff { failures: 16 };
        assert!(long_away.failed(Mono(0), None, u64::MAX).0 <= LONGEST_MS);
    }
}
