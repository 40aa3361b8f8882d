//! Lines name one place each, have a backend, and start no motor at power-on.

use std::collections::BTreeMap;

use super::Findings;
use crate::board::{BoardSpec, GpioKind, LineSpec, Use};

pub(super) const CHECKS: &[super::Check] = &[
    lines_name_one_place,
    lines_are_used_once,
    lines_have_a_backend,
    rppal_lines_are_bcm_numbers,
    relays_are_on_safe_pins,
];

fn lines_name_one_place(board: &BoardSpec, found: &mut Findings) {
    for wired in board.lines() {
        let LineSpec { name, chip, offset, .. } = wired.line;
        let by_name = name.is_some() && chip.is_none() && offset.is_none();
        let by_chip = name.is_none() && chip.is_some() && offset.is_some();
        if !by_name && !by_chip {
            found.add(
                wired.key,
                "the line is named in neither of the two ways, or in both",
                "write { name = \"GPIO17\" } or { chip = \"pinctrl-bcm2711\", offset = 17 }",
            );
        }
    }
}

fn lines_are_used_once(board: &BoardSpec, found: &mut Findings) {
    let mut first_use: BTreeMap<String, String> = BTreeMap::new();
    for wired in board.lines() {
        let id = wired.line.id();
        if id == "unwired" {
            continue;
        }
        match first_use.get(&id) {
            Some(first) => found.add(
                wired.key,
                format!("line {id} is already used by {first}"),
                "two devices on one line would switch together: give one of them its own line",
            ),
            None => drop(first_use.insert(id, wired.key)),
        }
    }
}

fn lines_have_a_backend(board: &BoardSpec, found: &mut Findings) {
    if board.gpio.kind != GpioKind::None {
        return;
    }
    if let Some(wired) = board.lines().first() {
        found.add(
            "gpio.kind",
            format!("{} is wired but the board has no gpio", wired.key),
            "set kind = \"chardev\" (or \"rppal\" on a Raspberry Pi, \"sim\" for the simulator)",
        );
    }
}

/// The BCM number of a Pi line: `GPIO17`, or the offset on the Pi's pin controller.
pub(crate) fn bcm_number(line: &LineSpec) -> Option<u8> {
    match (&line.name, &line.chip, line.offset) {
        (Some(name), _, _) => name.strip_prefix("GPIO")?.parse().ok(),
        (None, Some(chip), Some(offset)) if chip.starts_with("pinctrl-bcm") || chip == "pinctrl-rp1" => {
            u8::try_from(offset).ok()
        }
        (None, _, _) => None,
    }
    .filter(|number| *number < 54)
}

fn rppal_lines_are_bcm_numbers(board: &BoardSpec, found: &mut Findings) {
    if board.gpio.kind != GpioKind::Rppal {
        return;
    }
    for wired in board.lines() {
        if bcm_number(wired.line).is_none() {
            found.add(
                wired.key,
                format!("rppal does not know the line {}", wired.line.id()),
                "name it by its BCM number, { name = \"GPIO17\" }",
            );
        }
    }
}

/// reference/hardware.md 4.4: what the Pi does with its pins between power-on and our start.
fn relays_are_on_safe_pins(board: &BoardSpec, found: &mut Findings) {
    if !matches!(board.gpio.kind, GpioKind::Chardev | GpioKind::Rppal) {
        return;
    }
    for wired in board.lines() {
        if wired.purpose != Use::Relay {
            continue;
        }
        let why = match bcm_number(wired.line) {
            Some(0..=3) => "has other duties or a strong pull-up",
            Some(14 | 15) => "is the serial console and toggles at power-on",
            Some(4..=8) if !wired.line.active_low => "is pulled high at power-on",
            Some(9..=27) if wired.line.active_low => "is pulled low at power-on, which is on for an active-low driver",
            Some(_) | None => continue,
        };
        found.add(
            wired.key,
            format!("{} {why}: the motor could turn before Till starts", wired.line.id()),
            "use an active-high driver on one of GPIO9 to 13 or GPIO16 to 27, with a 10 kΩ resistor to its off level",
        );
    }
}
