//! What a buzzer needs.

use super::Findings;
use crate::board::BoardSpec;

pub(super) const CHECKS: &[super::Check] = &[buzzer_is_driven_one_way, tone_can_be_heard];

fn buzzer_is_driven_one_way(board: &BoardSpec, found: &mut Findings) {
    let buzzer = &board.buzzer;
    if buzzer.line.is_some() && buzzer.pwm.is_some() {
        found.add(
            "buzzer.pwm",
            "the buzzer has a line and a PWM channel",
            "keep line for a buzzer that makes its tone by itself, or pwm for one that needs it",
        );
    }
    if buzzer.pwm.as_ref().is_some_and(|pwm| pwm.device.is_empty()) {
        found.add(
            "buzzer.pwm",
            "the PWM channel has no device",
            "write { device = \"fe20c000.pwm\", channel = 0 } as `ls -l /sys/class/pwm` shows it",
        );
    }
}

fn tone_can_be_heard(board: &BoardSpec, found: &mut Findings) {
    found.in_range("buzzer.frequency_hz", board.buzzer.frequency_hz, 100..=10_000, "Hz");
}
