//! Lines through the Raspberry Pi's registers, by the maintained fork of rppal.
//!
//! For Pi images whose kernel the character device does not serve. The registers bypass the kernel's owner check, so two
//! programs can drive one pin: prefer the character device where there is a choice (reference/hardware.md 4.1).

use std::{
    sync::{
        Mutex,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    time::Duration,
};

use rppal::gpio::{Bias as PinBias, Error, Gpio, InputPin, OutputPin, Trigger};

use super::{Edge, InputLines, LineError, Lines, OutputLine};
use crate::board::{Bias, LineSpec, bcm_number};

/// The rppal backend.
pub struct Rppal(Gpio);

impl Rppal {
    /// Opens `/dev/gpiomem` and the Pi's chips.
    ///
    /// # Errors
    /// On anything but a Raspberry Pi, or without permission.
    pub fn open() -> Result<Self, LineError> {
        Gpio::new().map(Self).map_err(|error| {
            LineError::Gone(format!(
                "rppal cannot open the Pi's GPIO: {error}; set kind = \"chardev\" in [gpio] if this is no Raspberry Pi"
            ))
        })
    }
}

fn failed(line: &LineSpec, error: &Error) -> LineError {
    LineError::Failed { line: line.id(), why: error.to_string() }
}

fn number(line: &LineSpec) -> Result<u8, LineError> {
    bcm_number(line)
        .ok_or_else(|| LineError::NotFound { line: line.id(), why: "rppal needs a BCM number such as GPIO17".into() })
}

struct PiOutput {
    pin: Mutex<OutputPin>,
    active_low: bool,
}

fn drive(pin: &mut OutputPin, high: bool) {
    if high {
        pin.set_high();
    } else {
        pin.set_low();
    }
}

impl OutputLine for PiOutput {
    fn set(&self, active: bool) -> Result<(), LineError> {
        let mut pin = self.pin.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        drive(&mut pin, active != self.active_low);
        Ok(())
    }

    fn set_inactive_now(&self) {
        // Held only by the thread that is switching this very pin.
        if let Ok(mut pin) = self.pin.try_lock() {
            drive(&mut pin, self.active_low);
        }
    }
}

/// Interrupts arrive by callback: rppal's blocking wait holds one lock for all pins, so a waiting keypad would keep the
/// drop sensor from being watched.
struct PiInputs {
    pins: Vec<InputPin>,
    active_low: Vec<bool>,
    edges: Receiver<Edge>,
}

impl InputLines for PiInputs {
    fn is_active(&mut self, index: usize) -> Result<bool, LineError> {
        match (self.pins.get(index), self.active_low.get(index)) {
            (Some(pin), Some(active_low)) => Ok(pin.is_high() != *active_low),
            _ => Err(LineError::Gone(format!("there is no input {index}"))),
        }
    }

    fn wait_edge(&mut self, timeout: Duration) -> Result<Option<Edge>, LineError> {
        match self.edges.recv_timeout(timeout) {
            Ok(edge) => Ok(Some(edge)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(LineError::Gone("rppal's interrupt threads ended".into())),
        }
    }
}

impl Rppal {
    fn input(
        &self,
        line: &LineSpec,
        index: usize,
        debounce: Duration,
        edges: Sender<Edge>,
    ) -> Result<InputPin, LineError> {
        let pin = self.0.get(number(line)?).map_err(|error| failed(line, &error))?;
        let mut pin = pin.into_input();
        pin.set_bias(match line.bias {
            Some(Bias::PullUp) => PinBias::PullUp,
            Some(Bias::PullDown) => PinBias::PullDown,
            Some(Bias::Disabled) | None => PinBias::Off,
        });
        let active_low = line.active_low;
        pin.set_async_interrupt(Trigger::Both, Some(debounce), move |event| {
            let active = (event.trigger == Trigger::RisingEdge) != active_low;
            // The receiver is gone only while the pin is being dropped.
            let _ = edges.send(Edge { index, active });
        })
        .map_err(|error| failed(line, &error))?;
        Ok(pin)
    }
}

impl Lines for Rppal {
    fn output(&self, line: &LineSpec) -> Result<Box<dyn OutputLine>, LineError> {
        let pin = self.0.get(number(line)?).map_err(|error| failed(line, &error))?;
        // These set the level before the direction, so the relay sees no glitch.
        let mut pin = if line.active_low { pin.into_output_high() } else { pin.into_output_low() };
        // As an output that stays at its off level: an input could float and switch the relay on.
        pin.set_reset_on_drop(false);
        Ok(Box::new(PiOutput { pin: Mutex::new(pin), active_low: line.active_low }))
    }

    fn inputs(&self, lines: &[LineSpec], debounce: Duration) -> Result<Box<dyn InputLines>, LineError> {
        let (sender, edges) = channel();
        let mut pins = Vec::with_capacity(lines.len());
        for (index, line) in lines.iter().enumerate() {
            pins.push(self.input(line, index, debounce, sender.clone())?);
        }
        Ok(Box::new(PiInputs { pins, active_low: lines.iter().map(|line| line.active_low).collect(), edges }))
    }
}
