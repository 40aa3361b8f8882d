//! Credit by pulses: a line that imitates a coin acceptor, and a line by which the machine says that it takes no coins
//! (reference/hardware.md 3.5).
//!
//! The machine answers nothing: a pulse that was not seen is lost money, one too many a gift. So a train runs once, from its
//! first pulse to its last; one that was cut short, by a line that fails or a program that dies, is unknown and never resumed.
//! A whole train counts as delivered: what the machine does with its credit nobody sees.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{Ended, Vend, VendError};
use crate::{
    board::{PulseSpec, VendSpec},
    event::VendResult,
    gpio::{Bank, InputLines, LineError, Output},
    pace,
};

/// A machine takes no longer pulse for a coin.
const PULSE_MAX: Duration = Duration::from_millis(200);
/// The inhibit line is a level, not an edge.
const INHIBIT_DEBOUNCE: Duration = Duration::from_millis(10);

/// The lines of the imitated coin acceptor.
pub struct PulseVend {
    spec: PulseSpec,
    /// By slot; slots without a line of their own share one.
    lines: BTreeMap<String, Arc<Output>>,
    inhibit: Option<Box<dyn InputLines>>,
    /// When the last train ended.
    rested_since: Option<Duration>,
}

/// How a train ended.
enum Train {
    Whole,
    /// A pulse was so long that the machine may have taken it for a fault.
    TooLong,
    Broken(LineError),
}

impl PulseVend {
    /// Requests the lines, idle from the same moment.
    ///
    /// # Errors
    /// When a line cannot be had.
    pub fn open(bank: &Bank, spec: &VendSpec) -> Result<Self, VendError> {
        let output = |line| bank.output(line).map(Arc::new);
        let shared = spec.pulse.line.as_ref().map(output).transpose()?;
        let mut lines = BTreeMap::new();
        for slot in &spec.slots {
            let own = slot.line.as_ref().map(output).transpose()?;
            if let Some(line) = own.or_else(|| shared.clone()) {
                lines.insert(slot.name.clone(), line);
            }
        }
        let inhibit = match &spec.pulse.inhibit {
            Some(line) => Some(bank.inputs(std::slice::from_ref(line), INHIBIT_DEBOUNCE)?),
            None => None,
        };
        Ok(Self { spec: spec.pulse.clone(), lines, inhibit, rested_since: None })
    }

    /// The machine counts pulses that come close behind one another as one coin.
    fn rest(&self) {
        let gap = Duration::from_millis(self.spec.gap_ms.into());
        if let Some(since) = self.rested_since {
            pace::sleep((since + gap).saturating_sub(pace::now()));
        }
    }

    fn untouched(told: String, fault: Option<VendError>) -> Ended {
        Ended { result: VendResult::NotDropped, drops: None, fault, told: Some(told) }
    }

    fn train(&self, line: &Output, pulses: u32) -> Train {
        for pulse in 0..pulses {
            if pulse > 0 {
                pace::sleep(Duration::from_millis(self.spec.off_ms.into()));
            }
            match self.pulse(line) {
                Ok(length) if length <= PULSE_MAX => {}
                Ok(_too_long) => return Train::TooLong,
                Err(fault) => return Train::Broken(fault),
            }
        }
        Train::Whole
    }

    /// One pulse: never shorter than set, and idle afterwards whatever happened. Returns how long it was at the most.
    fn pulse(&self, line: &Output) -> Result<Duration, LineError> {
        let start = pace::now();
        let on = line.set(true);
        if on.is_ok() {
            pace::sleep(Duration::from_millis(self.spec.on_ms.into()));
        }
        let off = line.set(false);
        on.and(off)?;
        Ok(pace::now().saturating_sub(start))
    }
}

impl Vend for PulseVend {
    fn dispense(&mut self, slot: &str, price: i64) -> Ended {
        let Some(line) = self.lines.get(slot).cloned() else {
            return Self::untouched("the board gives this slot no pulse line".into(), None);
        };
        let pulses = match self.spec.pulses(price) {
            Ok(pulses) => pulses,
            Err(why) => return Self::untouched(why, None),
        };
        self.rest();
        if let Err(fault) = self.check() {
            return Self::untouched(fault.to_string(), Some(fault));
        }
        let train = self.train(&line, pulses);
        self.rested_since = Some(pace::now());
        let (result, told, fault) = match train {
            Train::Whole => (VendResult::Dropped, None, None),
            Train::TooLong => {
                (VendResult::Unknown, Some("a pulse became too long; the rest was not sent".into()), None)
            }
            Train::Broken(fault) => {
                (VendResult::Unknown, Some(format!("the pulses broke off: {fault}")), Some(VendError::from(fault)))
            }
        };
        Ended { result, drops: None, fault, told }
    }

    fn inspect(&mut self, _drops_before: Option<u64>) -> Ended {
        let told = "nobody counted the pulses of an interrupted order; none is sent again";
        Ended { result: VendResult::Unknown, drops: None, fault: None, told: Some(told.into()) }
    }

    fn drops(&self) -> Option<u64> {
        None
    }

    fn check(&mut self) -> Result<(), VendError> {
        let Some(inhibit) = &mut self.inhibit else { return Ok(()) };
        // Changes are of no interest, only the level.
        while inhibit.wait_edge(Duration::ZERO)?.is_some() {}
        if inhibit.is_active(0)? { Err(VendError::Inhibited) } else { Ok(()) }
    }
}

#[cfg(test)]
#[path = "pulse_tests.rs"]
mod tests;
