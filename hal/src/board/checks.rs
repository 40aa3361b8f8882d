//! What a board must fulfil beyond its shape: a list of small named checks.

use std::{collections::BTreeMap, ops::RangeInclusive, path::Path};

use super::spec::{BoardSpec, CounterKind, DisplayKind, GpioKind, KeypadKind, LineSpec, ScannerKind, Use, VendKind};
use crate::event::Key;

/// One thing that is wrong with a board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The key in the file, such as `vend.slots[2].name`.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub advice: String,
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, key: impl Into<String>, problem: impl Into<String>, advice: impl Into<String>) {
        self.0.push(Finding { key: key.into(), problem: problem.into(), advice: advice.into() });
    }

    fn in_range(&mut self, key: &str, value: u32, range: RangeInclusive<u32>, unit: &str) {
        if !range.contains(&value) {
            self.add(
                key,
                format!("{value} {unit} is out of range"),
                format!("use {} to {} {unit}", range.start(), range.end()),
            );
        }
    }
}

type Check = fn(&BoardSpec, &mut Findings);

const CHECKS: &[Check] = &[
    board_has_a_name,
    display_has_what_its_kind_needs,
    scanner_has_a_stable_port,
    scanner_speed_exists,
    scanner_timings_are_sane,
    lines_name_one_place,
    lines_are_used_once,
    lines_have_a_backend,
    rppal_lines_are_bcm_numbers,
    relays_are_on_safe_pins,
    vend_has_slots,
    slot_names_are_printable,
    slots_have_relays,
    vend_timings_are_sane,
    missing_drop_sensor_is_explained,
    drop_counter_has_a_backend,
    keypad_keys_are_known,
    keypad_timings_are_sane,
    simulated_devices_have_a_machine,
    simulated_machine_can_deliver,
];

impl BoardSpec {
    /// Runs every check; an empty list means the board is sound.
    #[must_use]
    pub fn validate(&self) -> Vec<Finding> {
        let mut findings = Findings::default();
        for check in CHECKS {
            check(self, &mut findings);
        }
        findings.0
    }
}

fn board_has_a_name(board: &BoardSpec, found: &mut Findings) {
    if board.name.trim().is_empty() {
        found.add("name", "the board has no name", "add name = \"…\" as the first line");
    }
}

fn display_has_what_its_kind_needs(board: &BoardSpec, found: &mut Findings) {
    let display = &board.display;
    if display.kind == DisplayKind::None {
        return;
    }
    found.in_range("display.width", display.width, 128..=4096, "pixels");
    found.in_range("display.height", display.height, 128..=4096, "pixels");
    if display.kind == DisplayKind::Framebuffer && display.path.is_none() {
        found.add("display.path", "a framebuffer display has no path", "name the device, usually path = \"/dev/fb0\"");
    }
}

/// A number such as ttyACM0 belongs to whatever is plugged in first.
fn is_numbered_usb_port(path: &Path) -> bool {
    let text = path.to_string_lossy();
    text.starts_with("/dev/ttyACM") || text.starts_with("/dev/ttyUSB")
}

fn scanner_has_a_stable_port(board: &BoardSpec, found: &mut Findings) {
    if board.scanner.kind == ScannerKind::None {
        return;
    }
    match &board.scanner.path {
        None => {
            found.add("scanner.path", "a serial scanner has no path", "look in /dev/serial/by-id and name the port")
        }
        Some(path) if is_numbered_usb_port(path) => found.add(
            "scanner.path",
            format!("{} changes when the scanner is plugged in again", path.display()),
            "use its name in /dev/serial/by-id, or in /dev/serial/by-path if it has no serial number",
        ),
        Some(_) => {}
    }
}

fn scanner_speed_exists(board: &BoardSpec, found: &mut Findings) {
    const SPEEDS: &[u32] = &[1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200, 230_400, 460_800, 921_600];
    if !SPEEDS.contains(&board.scanner.baud) {
        found.add(
            "scanner.baud",
            format!("{} is not a serial speed", board.scanner.baud),
            "scanners leave the factory at 9600 or 115200",
        );
    }
}

fn scanner_timings_are_sane(board: &BoardSpec, found: &mut Findings) {
    let scanner = &board.scanner;
    found.in_range("scanner.idle_ms", scanner.idle_ms, 5..=1000, "ms");
    found.in_range("scanner.double_read_ms", scanner.double_read_ms, 0..=60_000, "ms");
    found.in_range("scanner.stale_ms", scanner.stale_ms, 0..=5000, "ms");
}

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
            Some(_) | None => continue,
        };
        found.add(
            wired.key,
            format!("{} {why}: the motor could turn before Till starts", wired.line.id()),
            "move the relay to one of GPIO9 to 13 or GPIO16 to 27, with a 10 kΩ resistor to its off level",
        );
    }
}

fn vend_has_slots(board: &BoardSpec, found: &mut Findings) {
    if board.vend.kind == VendKind::Relay && board.vend.slots.is_empty() {
        found.add(
            "vend.slots",
            "a vending machine without slots",
            "add a [[vend.slots]] block per slot, or set kind = \"none\"",
        );
    }
    if board.vend.kind == VendKind::None && !board.vend.slots.is_empty() {
        found.add(
            "vend.kind",
            "slots are listed but the vending driver is \"none\"",
            "set kind = \"relay\", or remove the slots",
        );
    }
}

fn slot_names_are_printable(board: &BoardSpec, found: &mut Findings) {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, slot) in board.vend.slots.iter().enumerate() {
        let key = format!("vend.slots[{index}].name");
        let length_ok = (1..=8).contains(&slot.name.len());
        if !length_ok || !slot.name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            found.add(
                key,
                format!("\"{}\" is not a slot name", slot.name),
                "use 1 to 8 letters or digits, as printed beside the slot",
            );
        } else if let Some(first) = seen.insert(&slot.name, index) {
            found.add(
                key,
                format!("slot {} is already vend.slots[{first}]", slot.name),
                "every slot needs its own name",
            );
        }
    }
}

fn slots_have_relays(board: &BoardSpec, found: &mut Findings) {
    for (index, slot) in board.vend.slots.iter().enumerate() {
        if slot.line.is_none() {
            found.add(
                format!("vend.slots[{index}].line"),
                format!("slot {} has no relay line", slot.name),
                "add line = { name = \"…\" }",
            );
        }
    }
}

fn vend_timings_are_sane(board: &BoardSpec, found: &mut Findings) {
    let vend = &board.vend;
    found.in_range("vend.max_on_ms", vend.max_on_ms, 50..=15_000, "ms");
    found.in_range("vend.drop_window_ms", vend.drop_window_ms, 0..=10_000, "ms");
    found.in_range("vend.settle_ms", vend.settle_ms, 0..=10_000, "ms");
}

fn missing_drop_sensor_is_explained(board: &BoardSpec, found: &mut Findings) {
    let vend = &board.vend;
    if vend.kind == VendKind::Relay && vend.drop_sensor.is_none() && vend.without_sensor.is_none() {
        found.add(
            "vend.drop_sensor",
            "there is no drop sensor, so nobody sees whether the item fell",
            "wire drop_sensor, or choose without_sensor = \"dropped\" (a jam is then paid by the buyer) or \"unknown\"",
        );
    }
}

fn drop_counter_has_a_backend(board: &BoardSpec, found: &mut Findings) {
    if board.vend.drop_counter == CounterKind::Sim && board.gpio.kind != GpioKind::Sim {
        found.add(
            "vend.drop_counter",
            "the simulated drop counter counts simulated items only",
            "remove it, or set kind = \"sim\" in [gpio]",
        );
    }
}

fn keypad_keys_are_known(board: &BoardSpec, found: &mut Findings) {
    let keypad = &board.keypad;
    if keypad.kind == KeypadKind::Buttons && keypad.keys.is_empty() {
        found.add(
            "keypad.keys",
            "a keypad without keys",
            "add a [[keypad.keys]] block per key, or set kind = \"none\"",
        );
    }
    let mut seen: BTreeMap<Key, usize> = BTreeMap::new();
    for (index, key) in keypad.keys.iter().enumerate() {
        let place = format!("keypad.keys[{index}]");
        match Key::from_name(&key.key) {
            None => found.add(
                format!("{place}.key"),
                format!("\"{}\" is not a key", key.key),
                "keys are \"0\" to \"9\", \"ok\" and \"cancel\"",
            ),
            Some(known) => {
                if let Some(first) = seen.insert(known, index) {
                    found.add(
                        format!("{place}.key"),
                        format!("key {} is already keypad.keys[{first}]", key.key),
                        "every key appears once",
                    );
                }
            }
        }
        if key.line.is_none() {
            found.add(format!("{place}.line"), format!("key {} has no line", key.key), "add line = { name = \"…\" }");
        }
    }
}

fn keypad_timings_are_sane(board: &BoardSpec, found: &mut Findings) {
    let keypad = &board.keypad;
    found.in_range("keypad.debounce_ms", keypad.debounce_ms, 1..=100, "ms");
    found.in_range("keypad.repeat_ms", keypad.repeat_ms, 0..=2000, "ms");
}

fn simulated_devices_have_a_machine(board: &BoardSpec, found: &mut Findings) {
    if board.is_simulated() && board.sim.socket.is_none() {
        found.add(
            "sim.socket",
            "a device of kind \"sim\" has no simulated machine",
            "add [sim] with socket = \"machine.sock\"",
        );
    }
}

fn simulated_machine_can_deliver(board: &BoardSpec, found: &mut Findings) {
    let sim = &board.sim;
    found.in_range("sim.motor_ms", sim.motor_ms, 1..=15_000, "ms");
    found.in_range("sim.fall_ms", sim.fall_ms, 0..=5000, "ms");
    found.in_range("sim.one_shot_ms", sim.one_shot_ms, 1..=30_000, "ms");
    if board.is_simulated() && sim.motor_ms >= sim.one_shot_ms.min(board.vend.max_on_ms) {
        found.add(
            "sim.motor_ms",
            "the simulated relay is switched off before an item can fall",
            "make motor_ms shorter than one_shot_ms and vend.max_on_ms",
        );
    }
}
