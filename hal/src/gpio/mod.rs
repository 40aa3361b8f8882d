//! GPIO lines: one set of traits, three backends.
//!
//! Everything above (relays, buttons, lamp, buzzer) is written once on these traits, so the simulator exercises the real
//! drivers at pin level. Levels here are logical: *active* means the device is on, whatever the voltage.

#[cfg(feature = "gpio")]
pub mod chardev;
#[cfg(test)]
pub(crate) mod fake;
#[cfg(any(feature = "gpio", test))]
mod place;
#[cfg(feature = "rppal")]
pub mod rppal;
pub mod sim;

use std::{
    sync::{
        Arc, Mutex, PoisonError, TryLockError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crate::{
    board::LineSpec,
    safe_state::{self, MakeSafe},
};

/// Why a line cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// There is no such line on this machine.
    #[error("line {line} does not exist here: {why}; compare the board file with `gpioinfo`")]
    NotFound {
        /// The line as the board file names it.
        line: String,
        /// What was looked for.
        why: String,
    },
    /// The backend refused or failed.
    #[error("line {line}: {why}")]
    Failed {
        /// The line as the board file names it.
        line: String,
        /// What the backend said.
        why: String,
    },
    /// The backend itself is gone; opening again may help.
    #[error("the GPIO backend is gone: {0}")]
    Gone(String),
}

/// An output line.
pub trait OutputLine: Send + Sync {
    /// Switches the device behind the line.
    ///
    /// # Errors
    /// The level is then unknown.
    fn set(&self, active: bool) -> Result<(), LineError>;

    /// Best effort to go inactive at once, for the panic hook: waits for no lock and no answer.
    fn set_inactive_now(&self);

    /// Whether the device is on, read back from the line; `None` where the backend cannot tell.
    ///
    /// # Errors
    /// When the backend fails or is gone.
    fn is_active(&self) -> Result<Option<bool>, LineError> {
        Ok(None)
    }
}

/// A change of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// Which input of the group, in the order of the request.
    pub index: usize,
    /// The level after the change.
    pub active: bool,
}

/// A group of input lines that one thread waits on.
pub trait InputLines: Send {
    /// Whether the input is active now.
    ///
    /// # Errors
    /// When the backend fails or is gone.
    fn is_active(&mut self, index: usize) -> Result<bool, LineError>;

    /// The next change, or `None` after `timeout`. Changes between two calls are not lost.
    ///
    /// # Errors
    /// When the backend fails or is gone.
    fn wait_edge(&mut self, timeout: Duration) -> Result<Option<Edge>, LineError>;
}

/// A backend: hands out lines.
pub trait Lines: Send + Sync {
    /// Requests an output; it is inactive from the same moment.
    ///
    /// # Errors
    /// When the line does not exist or is in use.
    fn output(&self, line: &LineSpec) -> Result<Box<dyn OutputLine>, LineError>;

    /// Requests inputs with their bias and edge detection, filtered by `debounce`.
    ///
    /// # Errors
    /// When a line does not exist or is in use.
    fn inputs(&self, lines: &[LineSpec], debounce: Duration) -> Result<Box<dyn InputLines>, LineError>;
}

/// One open output, shared with its bank so that it can be made safe from outside.
struct Guarded {
    line: Box<dyn OutputLine>,
    closed: Arc<AtomicBool>,
}

/// The lines of one board, and the switch that puts all its outputs in their safe state for good.
pub struct Bank {
    lines: Arc<dyn Lines>,
    outputs: Mutex<Vec<Weak<Guarded>>>,
    closed: Arc<AtomicBool>,
}

impl Bank {
    /// A bank that the panic hook knows.
    #[must_use]
    pub fn new(lines: Arc<dyn Lines>) -> Arc<Self> {
        let bank = Arc::new(Self { lines, outputs: Mutex::default(), closed: Arc::default() });
        safe_state::register(&bank);
        bank
    }

    /// Another bank of the same lines that is closed by itself: a panel is cleared after the motors are off for good.
    #[must_use]
    pub fn beside(&self) -> Arc<Self> {
        Self::new(Arc::clone(&self.lines))
    }

    /// Requests an output, inactive from the same moment.
    ///
    /// # Errors
    /// As [`Lines::output`].
    pub fn output(&self, line: &LineSpec) -> Result<Output, LineError> {
        let guarded = Arc::new(Guarded { line: self.lines.output(line)?, closed: Arc::clone(&self.closed) });
        let mut outputs = self.outputs.lock().unwrap_or_else(PoisonError::into_inner);
        outputs.retain(|output| output.strong_count() > 0);
        outputs.push(Arc::downgrade(&guarded));
        Ok(Output { guarded })
    }

    /// Whether the outputs were put in their safe state for good: nothing can be switched on any more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// Requests inputs.
    ///
    /// # Errors
    /// As [`Lines::inputs`].
    pub fn inputs(&self, lines: &[LineSpec], debounce: Duration) -> Result<Box<dyn InputLines>, LineError> {
        self.lines.inputs(lines, debounce)
    }
}

impl MakeSafe for Bank {
    /// From now on every output is inactive and stays so.
    fn make_safe(&self) {
        self.closed.store(true, Ordering::SeqCst);
        let outputs = match self.outputs.try_lock() {
            Ok(outputs) => outputs,
            Err(TryLockError::Poisoned(outputs)) => outputs.into_inner(),
            // An output is being opened this instant; it opens inactive and cannot be switched on any more.
            Err(TryLockError::WouldBlock) => return,
        };
        for output in outputs.iter().filter_map(Weak::upgrade) {
            output.line.set_inactive_now();
        }
    }
}

/// An output that is inactive when it is opened, when it is dropped, when its bank is closed and in the panic hook.
pub struct Output {
    guarded: Arc<Guarded>,
}

impl Output {
    /// Switches the device behind the line.
    ///
    /// # Errors
    /// As [`OutputLine::set`]; also once the bank is closed, which then is no claim about the past.
    pub fn set(&self, active: bool) -> Result<(), LineError> {
        let Guarded { line, closed } = self.guarded.as_ref();
        let closing = || LineError::Gone("the devices are being closed".into());
        if active && closed.load(Ordering::SeqCst) {
            return Err(closing());
        }
        line.set(active)?;
        // Closed between the look and the switch.
        if active && closed.load(Ordering::SeqCst) {
            line.set_inactive_now();
            return Err(closing());
        }
        Ok(())
    }

    /// Whether the device is on, as the line says: a line that is gone shows without being switched.
    ///
    /// # Errors
    /// As [`OutputLine::is_active`].
    pub fn is_active(&self) -> Result<Option<bool>, LineError> {
        self.guarded.line.is_active()
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if self.set(false).is_err() {
            self.guarded.line.set_inactive_now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One output whose level a test can see.
    #[derive(Clone, Default)]
    struct Bench {
        level: Arc<AtomicBool>,
        log: Arc<Mutex<Vec<bool>>>,
    }

    impl OutputLine for Bench {
        fn set(&self, active: bool) -> Result<(), LineError> {
            self.level.store(active, Ordering::SeqCst);
            self.log.lock().unwrap().push(active);
            Ok(())
        }

        fn set_inactive_now(&self) {
            self.level.store(false, Ordering::SeqCst);
        }
    }

    impl Lines for Bench {
        fn output(&self, _: &LineSpec) -> Result<Box<dyn OutputLine>, LineError> {
            Ok(Box::new(self.clone()))
        }

        fn inputs(&self, _: &[LineSpec], _: Duration) -> Result<Box<dyn InputLines>, LineError> {
            Err(LineError::Gone("the bench has no inputs".into()))
        }
    }

    #[test]
    fn a_dropped_output_is_inactive() {
        let bench = Bench::default();
        let bank = Bank::new(Arc::new(bench.clone()));
        let relay = bank.output(&LineSpec::default()).unwrap();
        relay.set(true).unwrap();
        drop(relay);
        assert_eq!(*bench.log.lock().unwrap(), [true, false]);
    }

    #[test]
    fn an_output_of_a_panicking_thread_is_inactive() {
        let bench = Bench::default();
        let lines = bench.clone();
        let died = std::thread::spawn(move || {
            let bank = Bank::new(Arc::new(lines));
            let relay = bank.output(&LineSpec::default()).unwrap();
            relay.set(true).unwrap();
            panic!("a broken invariant");
        })
        .join();
        assert!(died.is_err());
        assert!(!bench.level.load(Ordering::SeqCst));
    }

    #[test]
    fn a_closed_bank_is_off_and_cannot_be_switched_on_again() {
        let bench = Bench::default();
        let bank = Bank::new(Arc::new(bench.clone()));
        let relay = bank.output(&LineSpec::default()).unwrap();
        relay.set(true).unwrap();
        assert!(!bank.is_closed());
        bank.make_safe();
        assert!(bank.is_closed());
        assert!(!bench.level.load(Ordering::SeqCst));
        relay.set(true).unwrap_err();
        assert!(!bench.level.load(Ordering::SeqCst));
    }
}
