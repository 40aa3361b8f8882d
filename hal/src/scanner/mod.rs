//! Scanners: pure line assembler, dialects and session, and the drivers around them.
//!
//! | module | subject |
//! |---|---|
//! | [`frame`] | bytes to lines; what is no code is dropped and counted |
//! | `dialect` | what can be said to a scanner of each family |
//! | `session` | one scanner's conversation: set-up, trigger, health; replies are peeled off before the lines |
//! | `serial` | the driver of serial ports and USB-CDC |
//! | `hid` | USB scanners that type like a keyboard, and those in HID POS mode |

pub(crate) mod dialect;
mod exchange;
pub mod frame;
mod held;
pub(crate) mod hid;
mod outlet;
pub(crate) mod serial;
pub(crate) mod session;

use std::{
    os::fd::OwnedFd,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::Notify;

use crate::{event::Beep, pace};

const DISARMED: u64 = u64::MAX;
/// More than a tty's 4 KiB: a device that sends without end does not hold the loop.
const EARLY_READS: usize = 8;

/// A scanner as the daemon's loop holds it: armed while an order waits for a code, and not otherwise.
///
/// A line counts only if its first byte came while armed: a code shown to an idle machine would pay the next order.
pub trait Scanner: Send + Sync {
    /// Arms or disarms. Arming an armed scanner changes nothing.
    fn arm(&self, armed: bool);
    /// Has the scanner itself beep, where it can.
    fn beep(&self, beep: Beep);
    /// Lines that were dropped because nobody waited for them, or because the loop was flooded.
    fn dropped(&self) -> u64;
}

/// What `dialect = "auto"` found, over restarts: one line of text that means nothing outside this crate.
pub struct Memory {
    /// What was kept before. Anything else costs time, and is no fault.
    pub before: Option<String>,
    /// Keeps this instead; called only when it differs, and must not wait.
    pub keep: Box<dyn Fn(String) + Send>,
}

/// The switch between the loop and a driver.
#[derive(Debug)]
pub(crate) struct Gate {
    /// Microseconds of [`pace::now`] at which it was armed.
    armed_at: AtomicU64,
    dropped: AtomicU64,
    /// The open port, to take what the kernel holds when arming.
    port: Mutex<Option<OwnedFd>>,
    /// What came before it was armed and was not read yet.
    early: Mutex<Vec<Vec<u8>>>,
    beep: Mutex<Option<Beep>>,
    changed: Notify,
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(DISARMED - 1)
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self {
            armed_at: AtomicU64::new(DISARMED),
            dropped: AtomicU64::new(0),
            port: Mutex::default(),
            early: Mutex::default(),
            beep: Mutex::default(),
            changed: Notify::new(),
        }
    }

    pub(crate) fn is_armed(&self) -> bool {
        self.armed_at.load(Ordering::SeqCst) != DISARMED
    }

    /// The loop wants something since this was last awaited.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    pub(crate) fn take_beep(&self) -> Option<Beep> {
        lock(&self.beep).take()
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
        *lock(&self.port) = port;
        lock(&self.early).clear();
    }

    /// Takes what the kernel holds: thrown away, it could be the first half of a code, whose second half is then a code of its
    /// own; left there, it would look as if it came after the order. Loop and driver share one thread, so nobody else reads now.
    fn read_early(&self) {
        let port = lock(&self.port);
        let Some(port) = port.as_ref() else { return };
        let mut early = lock(&self.early);
        let mut bytes = [0; 1024];
        for _ in 0..EARLY_READS {
            // A port that cannot be read is empty, or gone, and its driver finds out by reading.
            let Ok(length @ 1..) = rustix::io::read(port, &mut bytes) else { return };
            early.extend(bytes.get(..length).map(<[u8]>::to_vec));
        }
    }

    /// What came before it was armed, and a time before that.
    pub(crate) fn take_early(&self) -> (Duration, Vec<Vec<u8>>) {
        let armed_at = self.armed_at.load(Ordering::SeqCst);
        let before = if armed_at == DISARMED { pace::now() } else { Duration::from_micros(armed_at.saturating_sub(1)) };
        (before, std::mem::take(&mut *lock(&self.early)))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Scanner for Gate {
    fn arm(&self, armed: bool) {
        match (self.is_armed(), armed) {
            (false, true) => {
                self.read_early();
                self.armed_at.store(micros(pace::now()), Ordering::SeqCst);
            }
            (true, false) => self.armed_at.store(DISARMED, Ordering::SeqCst),
            (true, true) | (false, false) => return,
        }
        self.changed.notify_one();
    }

    fn beep(&self, beep: Beep) {
        *lock(&self.beep) = Some(beep);
        self.changed.notify_one();
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
