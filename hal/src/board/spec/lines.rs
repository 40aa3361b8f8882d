//! `[gpio]`, and every place that names a line: `[lamp]`, `[buzzer]`, relays, keys, the drop sensor.

use serde::{Deserialize, Serialize};

/// Which backend serves the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum GpioKind {
    /// No lines.
    #[default]
    None,
    /// The kernel's GPIO character device: every board with Linux 5.10 or newer.
    Chardev,
    /// The Raspberry Pi's registers through rppal.
    Rppal,
    /// The simulated machine's lines.
    Sim,
}

/// `[gpio]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct GpioSpec {
    /// Which backend; default `none`.
    pub kind: GpioKind,
}

/// The pull resistor of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bias {
    /// To the supply.
    PullUp,
    /// To ground.
    PullDown,
    /// None; the circuit has its own.
    Disabled,
}

/// One GPIO line: `{ name = "GPIO17" }` or `{ chip = "pinctrl-bcm2711", offset = 17 }`.
///
/// Never by chip number: the same chip had three numbers on one board (reference/hardware.md 4.2).
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct LineSpec {
    /// The line's name in the device tree.
    pub name: Option<String>,
    /// The chip's label.
    pub chip: Option<String>,
    /// The line's offset on that chip.
    pub offset: Option<u32>,
    /// True when the low level switches the device on.
    pub active_low: bool,
    /// The pull of an input; left as it is when absent.
    pub bias: Option<Bias>,
}

impl LineSpec {
    /// One word for logs, and the line's name on the simulated machine.
    #[must_use]
    pub fn id(&self) -> String {
        match (&self.name, &self.chip, self.offset) {
            (Some(name), _, _) => name.clone(),
            (None, Some(chip), Some(offset)) => format!("{chip}:{offset}"),
            (None, _, _) => "unwired".into(),
        }
    }
}

/// `[lamp]`: one output line, or none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutputSpec {
    /// The line; absent: there is no such device.
    pub line: Option<LineSpec>,
}

/// What a line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Drives a motor, or gives the machine credit.
    Relay,
    /// Drives a lamp or a buzzer.
    Indicator,
    /// Drives a panel or its light.
    Panel,
    /// Is read.
    Input,
}

/// A line and where the board file names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WiredLine<'a> {
    /// The key in the file, such as `vend.slots[0].line`.
    pub key: String,
    /// The line.
    pub line: &'a LineSpec,
    /// What it is for.
    pub purpose: Use,
}
