//! Lines through the kernel's GPIO character device, uAPI v2 (reference/hardware.md 4.1 to 4.3).
//!
//! A line is found by its name or by its chip's label, see `place.rs`. A chip that goes away, such as an expander on USB, is
//! [`LineError::Gone`]: whoever uses it opens it again, wherever it is by then.

use std::{path::Path, time::Duration};

use gpiocdev::{
    Error, Request, chip,
    line::{Bias as KernelBias, EdgeDetection, EdgeKind, Value},
    request::Builder,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{
    Edge, InputLines, LineError, Lines, OutputLine,
    place::{self, Chip, Place},
};
use crate::board::{Bias, LineSpec};

/// What `gpioinfo` shows as the user of our lines.
const CONSUMER: &str = "till";

/// The character device backend.
#[derive(Debug, Default)]
pub struct Chardev;

fn failed(line: &LineSpec, error: impl std::fmt::Display) -> LineError {
    LineError::Failed { line: line.id(), why: error.to_string() }
}

fn look_at(path: &Path) -> Result<Chip, Error> {
    let open = chip::Chip::from_path(path)?;
    let info = open.info()?;
    let name = |offset| open.line_info(offset).map(|line| line.name).unwrap_or_default();
    Ok(Chip { path: path.to_owned(), label: info.label, names: (0..info.num_lines).map(name).collect() })
}

/// The labels of the chips that this user may look at; two chips of one make have one label.
#[must_use]
pub fn labels() -> Vec<String> {
    let chips = chip::chips().unwrap_or_default();
    chips.iter().filter_map(|path| Some(chip::Chip::from_path(path).ok()?.info().ok()?.label)).collect()
}

fn find(line: &LineSpec) -> Result<Place, LineError> {
    let (mut seen, mut locked) = (Vec::new(), Vec::new());
    for path in chip::chips().map_err(|error| failed(line, error))? {
        match look_at(&path) {
            Ok(chip) => seen.push(chip),
            Err(_) => locked.push(path),
        }
    }
    place::find(line, &seen, &locked)
}

/// Why the kernel did not give the line.
fn refused(line: &LineSpec, place: &Place, error: &Error) -> LineError {
    let info = chip::Chip::from_path(&place.chip).and_then(|chip| chip.line_info(place.offset));
    match info {
        Ok(info) if info.used => {
            let holder = if info.consumer.is_empty() { "the kernel" } else { &info.consumer };
            failed(line, format_args!("it is in use by {holder}: stop that, or free the pin in the device tree"))
        }
        Ok(_) | Err(_) => {
            failed(line, format_args!("{error}; is the user in the group gpio, and Linux 5.10 or newer?"))
        }
    }
}

/// A requested line.
struct Held {
    line: LineSpec,
    request: Request,
}

impl Held {
    fn request(line: &LineSpec, set_up: impl FnOnce(&mut Builder)) -> Result<Self, LineError> {
        let place = find(line)?;
        let mut builder = Request::builder();
        builder.on_chip(&place.chip).with_consumer(CONSUMER).with_line(place.offset);
        set_up(&mut builder);
        if line.active_low {
            builder.as_active_low();
        }
        let request = builder.request().map_err(|error| refused(line, &place, &error))?;
        Ok(Self { line: line.clone(), request })
    }

    /// The kernel shows a chip that was unplugged as hung up, on every request of it.
    fn fault(&self, error: &Error) -> LineError {
        let mut asked = [PollFd::new(&self.request, PollFlags::empty())];
        match poll(&mut asked, Some(&Timespec::default())) {
            Ok(ready) if ready > 0 => gone(&self.line),
            Ok(_) | Err(_) => failed(&self.line, error),
        }
    }

    fn level(&self) -> Result<bool, LineError> {
        let value = self.request.lone_value().map_err(|error| self.fault(&error))?;
        Ok(value == Value::Active)
    }
}

fn gone(line: &LineSpec) -> LineError {
    LineError::Gone(format!("the chip of line {} was unplugged, or its driver was removed", line.id()))
}

impl OutputLine for Held {
    fn set(&self, active: bool) -> Result<(), LineError> {
        self.request.set_lone_value(Value::from(active)).map_err(|error| self.fault(&error))
    }

    fn set_inactive_now(&self) {
        // One ioctl on an open file; nothing useful can be done if it fails.
        let _ = self.request.set_lone_value(Value::Inactive);
    }

    fn is_active(&self) -> Result<Option<bool>, LineError> {
        self.level().map(Some)
    }
}

fn kernel_bias(bias: Bias) -> KernelBias {
    match bias {
        Bias::PullUp => KernelBias::PullUp,
        Bias::PullDown => KernelBias::PullDown,
        Bias::Disabled => KernelBias::Disabled,
    }
}

/// Each input is a request of its own, for they may be on several chips; one poll waits for all.
struct Inputs(Vec<Held>);

impl Inputs {
    /// Which input has something to tell, within `timeout`.
    fn ready(&self, timeout: Duration) -> Result<Option<(usize, PollFlags)>, LineError> {
        let mut waits: Vec<PollFd<'_>> =
            self.0.iter().map(|input| PollFd::new(&input.request, PollFlags::IN)).collect();
        // A time-out too long for the kernel is none.
        let timeout = Timespec::try_from(timeout).ok();
        match poll(&mut waits, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(LineError::Gone(error.to_string())),
        }
        let ready = waits.iter().map(PollFd::revents).enumerate().find(|(_, flags)| !flags.is_empty());
        Ok(ready)
    }
}

impl InputLines for Inputs {
    fn is_active(&mut self, index: usize) -> Result<bool, LineError> {
        let input = self.0.get(index).ok_or_else(|| LineError::Gone(format!("there is no input {index}")))?;
        input.level()
    }

    fn wait_edge(&mut self, timeout: Duration) -> Result<Option<Edge>, LineError> {
        let Some((index, flags)) = self.ready(timeout)? else { return Ok(None) };
        let Some(input) = self.0.get(index) else { return Ok(None) };
        // Reading without an event waits for one, and a chip that is gone has none: asking again would spin.
        if !flags.contains(PollFlags::IN) {
            return Err(gone(&input.line));
        }
        let event = input.request.read_edge_event().map_err(|error| input.fault(&error))?;
        Ok(Some(Edge { index, active: event.kind == EdgeKind::Rising }))
    }
}

impl Lines for Chardev {
    fn output(&self, line: &LineSpec) -> Result<Box<dyn OutputLine>, LineError> {
        // The value belongs to the request: output first and level second would make a glitch.
        let held = Held::request(line, |builder| {
            builder.as_output(Value::Inactive);
        })?;
        Ok(Box::new(held))
    }

    fn inputs(&self, lines: &[LineSpec], debounce: Duration) -> Result<Box<dyn InputLines>, LineError> {
        let input = |line: &LineSpec| {
            Held::request(line, |builder| {
                builder
                    .as_input()
                    .with_bias(line.bias.map(kernel_bias))
                    .with_edge_detection(EdgeDetection::BothEdges)
                    .with_debounce_period(debounce);
            })
        };
        let inputs: Vec<Held> = lines.iter().map(input).collect::<Result<_, _>>()?;
        Ok(Box::new(Inputs(inputs)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_does_not_exist_is_named_with_the_remedy() {
        let line = LineSpec { chip: Some("pinctrl-of-another-board".into()), offset: Some(17), ..LineSpec::default() };
        let Err(error) = Chardev.output(&line) else {
            panic!("no machine has this chip");
        };
        let text = error.to_string();
        assert!(text.contains("pinctrl-of-another-board"), "{text}");
        assert!(text.contains("gpioinfo"), "{text}");
    }
}
