//! One relay per slot, a light curtain above the tray, and perhaps a latched drop counter.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{DropCounter, Ended, Vend, VendError};
use crate::{
    board::{VendSpec, WithoutSensor},
    event::VendResult,
    gpio::{Bank, InputLines, LineError, Output},
    pace,
};

/// A falling item breaks the beam for tens of milliseconds: no filter that could swallow it.
const SENSOR_DEBOUNCE: Duration = Duration::from_millis(1);

#[derive(Debug, Clone, Copy)]
struct Timing {
    max_on: Duration,
    drop_window: Duration,
    settle: Duration,
}

/// Relays and drop sensor of an open machine.
pub struct RelayVend {
    relays: BTreeMap<String, Output>,
    sensor: Option<Box<dyn InputLines>>,
    counter: Option<Arc<dyn DropCounter>>,
    timing: Timing,
    without_sensor: WithoutSensor,
}

impl RelayVend {
    /// Requests every relay, off from the same moment, then the drop sensor.
    ///
    /// # Errors
    /// When a line cannot be had.
    pub fn open(bank: &Bank, counter: Option<Arc<dyn DropCounter>>, spec: &VendSpec) -> Result<Self, VendError> {
        let milliseconds = |ms: u32| Duration::from_millis(ms.into());
        let mut relays = BTreeMap::new();
        for slot in &spec.slots {
            if let Some(line) = &slot.line {
                relays.insert(slot.name.clone(), bank.output(line)?);
            }
        }
        let sensor = match &spec.drop_sensor {
            Some(line) => Some(bank.inputs(std::slice::from_ref(line), SENSOR_DEBOUNCE)?),
            None => None,
        };
        Ok(Self {
            relays,
            sensor,
            counter,
            timing: Timing {
                max_on: milliseconds(spec.max_on_ms),
                drop_window: milliseconds(spec.drop_window_ms),
                settle: milliseconds(spec.settle_ms),
            },
            without_sensor: spec.without_sensor.unwrap_or(WithoutSensor::Unknown),
        })
    }

    /// Energises the relay until something falls or the time is up; true: something fell.
    fn pulse(&mut self, slot: &str) -> Result<bool, LineError> {
        let Some(relay) = self.relays.get(slot) else {
            return Ok(false);
        };
        let turned = relay.set(true).and_then(|()| watch(&mut self.sensor, self.timing.max_on));
        // Released whatever happened; the first failure is the one to report.
        let released = relay.set(false);
        let fell = turned?;
        released?;
        Ok(fell || watch_late(&mut self.sensor, self.timing.drop_window)?)
    }

    /// What is known after the motor stood still again.
    fn judge(&self, seen: &Result<bool, LineError>, before: Option<u64>, after: Option<u64>) -> VendResult {
        let counted = before.zip(after).map(|(before, after)| after > before);
        match (seen, counted) {
            (Ok(true), _) | (_, Some(true)) => VendResult::Dropped,
            (Err(_), _) => VendResult::Unknown,
            (Ok(false), Some(false)) => VendResult::NotDropped,
            (Ok(false), None) if self.sensor.is_some() => VendResult::NotDropped,
            (Ok(false), None) => match self.without_sensor {
                WithoutSensor::Dropped => VendResult::Dropped,
                WithoutSensor::Unknown => VendResult::Unknown,
            },
        }
    }

    fn untouched(&self, fault: Option<VendError>) -> Ended {
        let told = fault.as_ref().map_or_else(|| "the board has no such relay".into(), VendError::to_string);
        Ended { result: VendResult::NotDropped, drops: self.drops(), fault, told: Some(told) }
    }
}

/// What a technician wants to know of a vend that did not go well.
fn reason(result: VendResult, seen: &Result<bool, LineError>) -> Option<String> {
    match (result, seen) {
        (VendResult::Dropped, _) => None,
        (_, Err(fault)) => Some(fault.to_string()),
        (VendResult::NotDropped, Ok(_)) => Some("the motor ran and nothing fell: slot empty or jammed".into()),
        (VendResult::Unknown, Ok(_)) => Some("the motor ran; there is no drop sensor".into()),
    }
}

/// Waits for the beam to break; without a sensor, waits the whole time.
fn watch(sensor: &mut Option<Box<dyn InputLines>>, time: Duration) -> Result<bool, LineError> {
    let Some(sensor) = sensor else {
        pace::sleep(time);
        return Ok(false);
    };
    let deadline = pace::now() + time;
    loop {
        let rest = deadline.saturating_sub(pace::now());
        match sensor.wait_edge(rest)? {
            Some(edge) if edge.active => return Ok(true),
            Some(_cleared) => {}
            None => return Ok(false),
        }
    }
}

/// Items that tipped over just before the relay went off; nothing to wait for without a sensor.
fn watch_late(sensor: &mut Option<Box<dyn InputLines>>, time: Duration) -> Result<bool, LineError> {
    if sensor.is_none() {
        return Ok(false);
    }
    watch(sensor, time)
}

impl Vend for RelayVend {
    fn dispense(&mut self, slot: &str, _price: i64) -> Ended {
        if !self.relays.contains_key(slot) {
            return self.untouched(None);
        }
        // The motor has not been touched yet, so this is certainly no drop.
        if let Err(fault) = self.check() {
            return self.untouched(Some(fault));
        }
        let before = self.drops();
        let seen = self.pulse(slot);
        pace::sleep(self.timing.settle);
        let after = self.drops();
        let result = self.judge(&seen, before, after);
        let told = reason(result, &seen);
        Ended { result, drops: after, fault: seen.err().map(VendError::from), told }
    }

    fn inspect(&mut self, drops_before: Option<u64>) -> Ended {
        // What tipped over while nobody watched may still be falling.
        pace::sleep(self.timing.drop_window + self.timing.settle);
        let drops = self.drops();
        let result = match drops_before.zip(drops) {
            Some((before, now)) if now > before => VendResult::Dropped,
            Some((before, now)) if now == before => VendResult::NotDropped,
            // No counter, or one that was set back.
            Some(_) | None => VendResult::Unknown,
        };
        Ended { result, drops, fault: None, told: None }
    }

    fn drops(&self) -> Option<u64> {
        self.counter.as_ref()?.drops()
    }

    fn check(&mut self) -> Result<(), VendError> {
        for relay in self.relays.values() {
            relay.is_active()?;
        }
        let Some(sensor) = &mut self.sensor else {
            return Ok(());
        };
        let blocked = sensor.is_active(0)?;
        // Edges from before now belong to no vend.
        while sensor.wait_edge(Duration::ZERO)?.is_some() {}
        if blocked {
            return Err(VendError::Blocked);
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "relay_tests.rs"]
mod tests;
