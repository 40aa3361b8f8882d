//! How many requests a door lets in over time: a caller in an endless loop shall not take the machine's one core from the
//! sale. A bucket that fills steadily and is emptied by one for each request.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// So many requests may come at once.
pub const BURST: u32 = 400;

/// Between two requests of a caller who never stops: 200 in a second.
const PACE: Duration = Duration::from_millis(5);

/// The bucket of one door.
#[derive(Debug)]
pub struct Rate(Mutex<Bucket>);

/// Kept as the moment at which it will be full again, so that nothing fills it by a timer.
#[derive(Debug)]
struct Bucket {
    full_at: Instant,
}

impl Rate {
    /// A full bucket.
    #[must_use]
    pub fn new() -> Self {
        Self(Mutex::new(Bucket { full_at: Instant::now() }))
    }

    /// Takes one out; `false` when it is empty.
    pub fn admits(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take(Instant::now())
    }
}

impl Default for Rate {
    fn default() -> Self {
        Self::new()
    }
}

impl Bucket {
    fn take(&mut self, now: Instant) -> bool {
        let full_at = self.full_at.max(now) + PACE;
        let has_one = full_at.duration_since(now) <= PACE * BURST;
        if has_one {
            self.full_at = full_at;
        }
        has_one
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: usize = BURST as usize;

    fn admitted(bucket: &mut Bucket, tries: usize, now: Instant) -> usize {
        (0..tries).filter(|_| bucket.take(now)).count()
    }

    #[test]
    fn a_burst_passes_and_then_so_many_as_flow_in() {
        let start = Instant::now();
        let mut bucket = Bucket { full_at: start };
        assert_eq!(admitted(&mut bucket, 10 * ALL, start), ALL);
        let later = start + PACE * 30;
        assert_eq!(admitted(&mut bucket, 10 * ALL, later), 30);
        let much_later = later + Duration::from_secs(3_600);
        assert_eq!(admitted(&mut bucket, 10 * ALL, much_later), ALL, "it holds no more than a burst");
    }

    #[test]
    fn a_caller_at_the_pace_is_never_turned_away() {
        let start = Instant::now();
        let mut bucket = Bucket { full_at: start };
        assert!((0..10 * BURST).all(|turn| bucket.take(start + PACE * turn)));
    }
}
