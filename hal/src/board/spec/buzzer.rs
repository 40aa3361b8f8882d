//! `[buzzer]`: what beeps.

use serde::{Deserialize, Serialize};

use super::LineSpec;

/// One channel of a kernel PWM chip: `{ device = "fe20c000.pwm", channel = 0 }`.
///
/// Never by chip number: it differs by kernel (reference/hardware.md 4.5).
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct PwmSpec {
    /// The device that the chip belongs to, as `ls -l /sys/class/pwm` shows it: one part of the path, or several in a row.
    pub device: String,
    /// The channel of the chip; default 0.
    pub channel: u32,
}

/// `[buzzer]`: on a line, for one that makes its tone by itself, or on a PWM channel; neither: there is none.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct BuzzerSpec {
    /// The line of a buzzer that sounds while it is driven.
    pub line: Option<LineSpec>,
    /// The channel of a buzzer that is driven with a tone.
    pub pwm: Option<PwmSpec>,
    /// The tone on `pwm`; default 2700, where small piezo buzzers are loudest.
    pub frequency_hz: u32,
}

impl Default for BuzzerSpec {
    fn default() -> Self {
        Self { line: None, pwm: None, frequency_hz: 2700 }
    }
}
