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

use rppal::{
    gpio::{Bias as PinBias, Error, Gpio, InputPin, OutputPin, Trigger},
    system::{DeviceInfo, SoC},
};

use super::{Edge, InputLines, LineError, Lines, OutputLine};
use crate::board::{Bias, LineSpec, bcm_number};

const INSTEAD: &str = "set kind = \"chardev\" in [gpio], which serves every board with Linux 5.10 or newer";

/// The rppal backend.
pub struct Rppal {
    gpio: Gpio,
    /// The label of this Pi's pin controller.
    label: &'static str,
}

impl Rppal {
    /// Maps the Pi's registers, by `/dev/gpiomem` or else `/dev/mem`, and opens its chip for the interrupts.
    ///
    /// # Errors
    /// On anything but a Raspberry Pi that rppal knows, under a kernel that shows the chip otherwise, or without permission.
    pub fn open() -> Result<Self, LineError> {
        let info = DeviceInfo::new().map_err(|_| refused("this is no Raspberry Pi that it knows"))?;
        let label = label_of(info.soc()).ok_or_else(|| refused("it has a chip that Till does not know"))?;
        let gpio = Gpio::new().map_err(|error| match error {
            Error::PermissionDenied(path) => {
                LineError::Gone(format!("rppal may not open {path}: put the user in the group gpio"))
            }
            // It counts up from /dev/gpiochip0 and stops at the first number that is missing.
            Error::Io(error) => refused(&format!("the kernel does not show the chip as it expects ({error})")),
            Error::UnknownModel | Error::PinUsed(_) | Error::PinNotAvailable(_) | Error::ThreadPanic => {
                refused(&error.to_string())
            }
        })?;
        Ok(Self { gpio, label })
    }

    /// The pin's BCM number. A chip's label must be this Pi's: an offset on another is another pin.
    fn number(&self, line: &LineSpec) -> Result<u8, LineError> {
        let missing = |why: String| LineError::NotFound { line: line.id(), why };
        if let (None, Some(chip)) = (&line.name, &line.chip)
            && chip != self.label
        {
            return Err(missing(format!("this Pi's chip is {}", self.label)));
        }
        bcm_number(line).ok_or_else(|| missing("rppal needs a BCM number such as GPIO17".into()))
    }
}

/// reference/hardware.md 4.2.
fn label_of(soc: SoC) -> Option<&'static str> {
    match soc {
        SoC::Bcm2835 | SoC::Bcm2836 | SoC::Bcm2837A1 | SoC::Bcm2837B0 => Some("pinctrl-bcm2835"),
        SoC::Bcm2711 => Some("pinctrl-bcm2711"),
        SoC::Bcm2712 => Some("pinctrl-rp1"),
        // The list is open: a chip of next year.
        _ => None,
    }
}

fn refused(why: &str) -> LineError {
    LineError::Gone(format!("rppal does not serve this machine: {why}; {INSTEAD}"))
}

fn failed(line: &LineSpec, error: &Error) -> LineError {
    LineError::Failed { line: line.id(), why: error.to_string() }
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

    fn is_active(&self) -> Result<Option<bool>, LineError> {
        let pin = self.pin.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(Some(pin.is_set_high() != self.active_low))
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
        let pin = self.gpio.get(self.number(line)?).map_err(|error| failed(line, &error))?;
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
        let pin = self.gpio.get(self.number(line)?).map_err(|error| failed(line, &error))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn off_a_pi_the_message_names_the_other_backend() {
        if DeviceInfo::new().is_ok() {
            return;
        }
        let text = Rppal::open().err().unwrap().to_string();
        assert!(text.contains("no Raspberry Pi") && text.contains("chardev"), "{text}");
    }

    #[test]
    fn every_pi_has_the_label_of_its_chip() {
        assert_eq!(label_of(SoC::Bcm2837B0), Some("pinctrl-bcm2835"));
        assert_eq!(label_of(SoC::Bcm2711), Some("pinctrl-bcm2711"));
        assert_eq!(label_of(SoC::Bcm2712), Some("pinctrl-rp1"));
    }
}
