//! Line scanners: a pure line assembler and the serial driver around it.

pub mod frame;
pub mod serial;

use std::{
    os::fd::OwnedFd,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use rustix::termios::{QueueSelector, tcflush};

use crate::pace;

const DISARMED: u64 = u64::MAX;

/// A scanner as the daemon's loop holds it: armed while an order waits for a code, and not otherwise.
///
/// A line counts only if its first byte came while armed: a code shown to an idle machine would pay the next order.
pub trait Scanner: Send + Sync {
    /// Arms or disarms. Arming an armed scanner changes nothing.
    fn arm(&self, armed: bool);
    /// Lines that were dropped because nobody waited for them, or because the loop was flooded.
    fn dropped(&self) -> u64;
}

/// The switch between the loop and a driver.
#[derive(Debug)]
pub(crate) struct Gate {
    /// Microseconds of [`pace::now`] at which it was armed.
    armed_at: AtomicU64,
    dropped: AtomicU64,
    /// The open port, to throw away what the kernel holds when arming.
    port: Mutex<Option<OwnedFd>>,
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(DISARMED - 1)
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self { armed_at: AtomicU64::new(DISARMED), dropped: AtomicU64::new(0), port: Mutex::default() }
    }

    /// Whether a line that began then may be passed on; if not, it is counted.
    pub(crate) fn admits(&self, began: Duration) -> bool {
        // Disarmed is later than any time.
        let admitted = micros(began) >= self.armed_at.load(Ordering::SeqCst);
        if !admitted {
            self.count_dropped();
        }
        admitted
    }

    pub(crate) fn count_dropped(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn set_port(&self, port: Option<OwnedFd>) {
        *self.port.lock().unwrap_or_else(PoisonError::into_inner) = port;
    }

    fn discard_input(&self) {
        let port = self.port.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(port) = port.as_ref() {
            // A port that cannot be flushed is gone, and its driver finds out by reading.
            let _ = tcflush(port, QueueSelector::IFlush);
        }
    }
}

impl Scanner for Gate {
    fn arm(&self, armed: bool) {
        let was_armed = self.armed_at.load(Ordering::SeqCst) != DISARMED;
        match (was_armed, armed) {
            (false, true) => {
                self.discard_input();
                self.armed_at.store(micros(pace::now()), Ordering::SeqCst);
            }
            (true, false) => self.armed_at.store(DISARMED, Ordering::SeqCst),
            (true, true) | (false, false) => {}
        }
    }

    fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_that_began_while_armed_are_admitted_and_the_others_counted() {
        let gate = Gate::new();
        assert!(!gate.admits(pace::now()));
        let before = pace::now();
        pace::sleep(Duration::from_millis(1));
        gate.arm(true);
        assert!(!gate.admits(before));
        assert!(gate.admits(pace::now()));
        gate.arm(false);
        assert!(!gate.admits(pace::now()));
        assert_eq!(gate.dropped(), 3);
    }
}
