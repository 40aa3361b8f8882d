//! Lines through the kernel's GPIO character device, uAPI v2 (reference/hardware.md 4.1 to 4.3).
//!
//! A line is found by its name or by its chip's label, never by a chip number: numbers changed three times on one board.

use std::{path::PathBuf, time::Duration};

use gpiocdev::{
    Request,
    chip::{Chip, chips},
    line::{Bias as KernelBias, EdgeDetection, EdgeKind, Value},
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{Edge, InputLines, LineError, Lines, OutputLine};
use crate::board::{Bias, LineSpec};

const CONSUMER: &str = "till";

/// The character device backend.
#[derive(Debug, Default)]
pub struct Chardev;

struct Place {
    chip: PathBuf,
    offset: u32,
}

fn failed(line: &LineSpec, error: impl std::fmt::Display) -> LineError {
    LineError::Failed {
        line: line.id(),
        why: format!("{error}; is the line in use, and is the user in the group gpio?"),
    }
}

fn not_found(line: &LineSpec, why: String) -> LineError {
    LineError::NotFound { line: line.id(), why }
}

fn find(line: &LineSpec) -> Result<Place, LineError> {
    match (&line.name, &line.chip, line.offset) {
        (Some(name), _, _) => gpiocdev::find_named_line(name)
            .map(|found| Place { chip: found.chip, offset: found.info.offset })
            .ok_or_else(|| not_found(line, format!("no chip has a line named {name}"))),
        (None, Some(label), Some(offset)) => find_by_label(line, label, offset),
        (None, _, _) => Err(not_found(line, "the board file does not name it".into())),
    }
}

/// The chip must carry the label: a relay is never switched on a chip that merely has the right number.
fn find_by_label(line: &LineSpec, label: &str, offset: u32) -> Result<Place, LineError> {
    let paths = chips().map_err(|error| failed(line, error))?;
    for path in paths {
        let info = Chip::from_path(&path).and_then(|chip| chip.info());
        let Ok(info) = info else { continue };
        if info.label == label && offset < info.num_lines {
            return Ok(Place { chip: path, offset });
        }
    }
    Err(not_found(line, format!("no chip labelled {label} has a line {offset}")))
}

struct CharOutput {
    line: LineSpec,
    request: Request,
}

impl OutputLine for CharOutput {
    fn set(&self, active: bool) -> Result<(), LineError> {
        self.request.set_lone_value(Value::from(active)).map_err(|error| failed(&self.line, error))
    }

    fn set_inactive_now(&self) {
        // One ioctl on an open file; nothing useful can be done if it fails.
        let _ = self.request.set_lone_value(Value::Inactive);
    }
}

struct CharInput {
    line: LineSpec,
    request: Request,
}

impl CharInput {
    fn open(line: &LineSpec, debounce: Duration) -> Result<Self, LineError> {
        let place = find(line)?;
        let mut builder = Request::builder();
        builder
            .on_chip(place.chip)
            .with_consumer(CONSUMER)
            .with_line(place.offset)
            .as_input()
            .with_bias(line.bias.map(kernel_bias))
            .with_edge_detection(EdgeDetection::BothEdges)
            .with_debounce_period(debounce);
        if line.active_low {
            builder.as_active_low();
        }
        let request = builder.request().map_err(|error| failed(line, error))?;
        Ok(Self { line: line.clone(), request })
    }

    fn read_edge(&self, index: usize) -> Result<Edge, LineError> {
        let event = self.request.read_edge_event().map_err(|error| failed(&self.line, error))?;
        Ok(Edge { index, active: event.kind == EdgeKind::Rising })
    }
}

fn kernel_bias(bias: Bias) -> KernelBias {
    match bias {
        Bias::PullUp => KernelBias::PullUp,
        Bias::PullDown => KernelBias::PullDown,
        Bias::Disabled => KernelBias::Disabled,
    }
}

struct CharInputs(Vec<CharInput>);

impl InputLines for CharInputs {
    fn is_active(&mut self, index: usize) -> Result<bool, LineError> {
        let input = self.0.get(index).ok_or_else(|| LineError::Gone(format!("there is no input {index}")))?;
        let value = input.request.lone_value().map_err(|error| failed(&input.line, error))?;
        Ok(value == Value::Active)
    }

    fn wait_edge(&mut self, timeout: Duration) -> Result<Option<Edge>, LineError> {
        let mut waits: Vec<PollFd<'_>> =
            self.0.iter().map(|input| PollFd::new(&input.request, PollFlags::IN)).collect();
        let timeout = Timespec {
            tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(timeout.subsec_nanos()),
        };
        match poll(&mut waits, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(LineError::Gone(error.to_string())),
        }
        let ready = waits.iter().position(|wait| !wait.revents().is_empty());
        drop(waits);
        match ready.and_then(|index| self.0.get(index).map(|input| (index, input))) {
            Some((index, input)) => input.read_edge(index).map(Some),
            None => Ok(None),
        }
    }
}

impl Lines for Chardev {
    fn output(&self, line: &LineSpec) -> Result<Box<dyn OutputLine>, LineError> {
        let place = find(line)?;
        let mut builder = Request::builder();
        builder
            .on_chip(place.chip)
            .with_consumer(CONSUMER)
            .with_line(place.offset)
            // The value belongs to the request: output first and level second would make a glitch.
            .as_output(Value::Inactive);
        if line.active_low {
            builder.as_active_low();
        }
        let request = builder.request().map_err(|error| failed(line, error))?;
        Ok(Box::new(CharOutput { line: line.clone(), request }))
    }

    fn inputs(&self, lines: &[LineSpec], debounce: Duration) -> Result<Box<dyn InputLines>, LineError> {
        let inputs = lines.iter().map(|line| CharInput::open(line, debounce)).collect::<Result<Vec<_>, _>>()?;
        Ok(Box::new(CharInputs(inputs)))
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
