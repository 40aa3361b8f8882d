//! Where a line of the board file is on this machine, today (reference/hardware.md 4.2).
//!
//! The name in the device tree first, then the chip's label and the offset on it. Never a chip's number: numbers change
//! with the kernel, and a relay is never switched on a chip that merely has the right number. What is there twice is
//! refused, too: two expanders of one make look alike, and only one of them has the motor.

use std::path::{Path, PathBuf};

use super::LineError;
use crate::board::LineSpec;

/// A chip as the kernel shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chip {
    /// Its device, such as `/dev/gpiochip0`.
    pub(crate) path: PathBuf,
    /// What the board file calls it.
    pub(crate) label: String,
    /// The names of its lines, by offset; empty where a line has none.
    pub(crate) names: Vec<String>,
}

/// A line's place until the next boot or re-plugging.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) chip: PathBuf,
    pub(crate) offset: u32,
}

fn missing(line: &LineSpec, why: String) -> LineError {
    LineError::NotFound { line: line.id(), why }
}

/// Finds the line among the chips. `locked` are the chips that could not be looked at, for the message.
pub(crate) fn find(line: &LineSpec, chips: &[Chip], locked: &[PathBuf]) -> Result<Place, LineError> {
    let found = match (&line.name, &line.chip, line.offset) {
        (Some(name), _, _) => by_name(name, chips),
        (None, Some(label), Some(offset)) => by_label(label, offset, chips),
        (None, _, _) => return Err(missing(line, "the board file does not name it".into())),
    };
    match found.as_slice() {
        [place] => Ok(place.clone()),
        [] => Err(missing(line, absent(line, chips, locked))),
        [first, second, ..] => Err(missing(line, twice(first, second))),
    }
}

fn by_name(name: &str, chips: &[Chip]) -> Vec<Place> {
    let named =
        chips.iter().flat_map(|chip| chip.names.iter().zip(0..).map(move |(known, offset)| (chip, known, offset)));
    named
        .filter(|(_, known, _)| known.as_str() == name)
        .map(|(chip, _, offset)| Place { chip: chip.path.clone(), offset })
        .collect()
}

fn by_label(label: &str, offset: u32, chips: &[Chip]) -> Vec<Place> {
    chips
        .iter()
        .filter(|chip| chip.label == label && usize::try_from(offset).is_ok_and(|offset| offset < chip.names.len()))
        .map(|chip| Place { chip: chip.path.clone(), offset })
        .collect()
}

fn absent(line: &LineSpec, chips: &[Chip], locked: &[PathBuf]) -> String {
    let mut why = match (&line.name, &line.chip, line.offset) {
        (None, Some(label), Some(offset)) => format!("no chip labelled {label} has a line {offset}"),
        (name, _, _) => format!("no chip has a line named {}", name.as_deref().unwrap_or_default()),
    };
    let labels: Vec<&str> = chips.iter().map(|chip| chip.label.as_str()).collect();
    match labels.as_slice() {
        [] => why.push_str(", and no chip can be seen"),
        labels => why = format!("{why} among {}", labels.join(", ")),
    }
    if let Some(path) = locked.first() {
        why = format!("{why} ({} may not be opened: put the user in the group gpio)", path.display());
    }
    why
}

fn twice(first: &Place, second: &Place) -> String {
    let show = |path: &Path| path.display().to_string();
    format!(
        "it is there twice, on {} line {} and on {} line {}; name it so that only one fits, or unplug one",
        show(&first.chip),
        first.offset,
        show(&second.chip),
        second.offset
    )
}
