//! What happened in a life, event by event: counted, and when wanted hashed or printed.

use ring::digest::{Context, SHA256};

/// Which events are printed, and whether each is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Printed {
    /// The first that is printed.
    pub from: u64,
    /// The last that is printed.
    pub until: u64,
    /// After each one, Enter is waited for.
    pub step: bool,
}

impl Printed {
    /// All events, without a pause.
    pub const ALL: Self = Self { from: 0, until: u64::MAX, step: false };
}

enum Mode {
    /// Events are counted only: a million orders leave no time for words.
    Counted,
    Hashed(Box<Context>),
    Printed(Printed),
}

/// The log of one life.
pub struct Log {
    number: u64,
    mode: Mode,
}

impl Log {
    /// Counts events.
    #[must_use]
    pub const fn counted() -> Self {
        Self { number: 0, mode: Mode::Counted }
    }

    /// Takes a hash over all events.
    #[must_use]
    pub fn hashed() -> Self {
        Self { number: 0, mode: Mode::Hashed(Box::new(Context::new(&SHA256))) }
    }

    /// Prints events to the standard output.
    #[must_use]
    pub const fn printed(which: Printed) -> Self {
        Self { number: 0, mode: Mode::Printed(which) }
    }

    /// An event. `true` when it was printed and is to be waited at.
    pub fn note(&mut self, at: u64, what: impl FnOnce() -> String) -> bool {
        self.number += 1;
        match &mut self.mode {
            Mode::Counted => false,
            Mode::Hashed(context) => {
                context.update(format!("{at} {}\n", what()).as_bytes());
                false
            }
            Mode::Printed(which) => {
                let wanted = (which.from..=which.until).contains(&self.number);
                if wanted {
                    println!("{:>6}  {}  {}", self.number, clock_of(at), what());
                }
                wanted && which.step
            }
        }
    }

    /// How many events there were.
    #[must_use]
    pub const fn events(&self) -> u64 {
        self.number
    }

    /// The hash over all events so far, where one is taken.
    #[must_use]
    pub fn hash(&self) -> Option<String> {
        match &self.mode {
            Mode::Hashed(context) => {
                let hash = context.as_ref().clone().finish();
                Some(hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
            }
            Mode::Counted | Mode::Printed(_) => None,
        }
    }
}

/// Days, hours, minutes, seconds and milliseconds since the life began.
fn clock_of(ms: u64) -> String {
    let (seconds, ms) = (ms / 1_000, ms % 1_000);
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    let (hours, minutes) = (minutes / 60, minutes % 60);
    format!("{:>4}d {:02}:{minutes:02}:{seconds:02}.{ms:03}", hours / 24, hours % 24)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn virtual_time_reads_like_a_clock() {
        assert_eq!(clock_of(0), "   0d 00:00:00.000");
        assert_eq!(clock_of(90_061_007), "   1d 01:01:01.007");
    }

    #[test]
    fn the_same_events_have_the_same_hash_and_others_another() {
        let hash = |events: &[&str]| {
            let mut log = Log::hashed();
            for event in events {
                assert!(!log.note(7, || (*event).to_owned()));
            }
            log.hash()
        };
        assert_eq!(hash(&["a", "b"]), hash(&["a", "b"]));
        assert_ne!(hash(&["a", "b"]), hash(&["b", "a"]));
        assert_ne!(hash(&["a"]), hash(&["a", "b"]));
    }
}
