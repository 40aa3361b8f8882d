//! What a scanner needs.

use std::path::Path;

use super::Findings;
use crate::board::{BoardSpec, DialectKind, ScannerKind, TriggerKind};

pub(super) const CHECKS: &[super::Check] = &[
    scanner_has_a_stable_port,
    scanner_speed_exists,
    scanner_can_be_spoken_to,
    scanner_can_be_triggered,
    scanner_has_the_led,
    scanner_timings_are_sane,
];

/// A number such as ttyACM0 belongs to whatever is plugged in first.
fn is_numbered_usb_port(path: &Path) -> bool {
    let text = path.to_string_lossy();
    ["/dev/ttyACM", "/dev/ttyUSB", "/dev/input/event", "/dev/hidraw"].iter().any(|start| text.starts_with(start))
}

/// Where the stable names of this kind are.
const fn place_of(kind: ScannerKind) -> &'static str {
    match kind {
        ScannerKind::None | ScannerKind::Serial => {
            "use its name in /dev/serial/by-id, or in /dev/serial/by-path if it has no serial number"
        }
        ScannerKind::Keyboard => {
            "use its name in /dev/input/by-id that ends in -event-kbd, or the same in /dev/input/by-path"
        }
        ScannerKind::HidPos => "use /dev/pay/scanner-hid, which systemd/60-till-scanner.rules makes",
    }
}

fn scanner_has_a_stable_port(board: &BoardSpec, found: &mut Findings) {
    if board.scanner.kind == ScannerKind::None {
        return;
    }
    match &board.scanner.path {
        None => found.add("scanner.path", "the scanner has no path", place_of(board.scanner.kind)),
        Some(path) if is_numbered_usb_port(path) => found.add(
            "scanner.path",
            format!("{} changes when the scanner is plugged in again", path.display()),
            place_of(board.scanner.kind),
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

fn scanner_can_be_spoken_to(board: &BoardSpec, found: &mut Findings) {
    match (board.scanner.kind, board.scanner.dialect) {
        (ScannerKind::None | ScannerKind::Serial, _)
        | (ScannerKind::Keyboard | ScannerKind::HidPos, DialectKind::Plain) => {}
        (ScannerKind::Keyboard, _) => found.add(
            "scanner.dialect",
            "a scanner that types takes no commands",
            "remove dialect, or switch the scanner to USB-COM and say kind = \"serial\"",
        ),
        (ScannerKind::HidPos, DialectKind::Auto | DialectKind::Ssi) => found.add(
            "scanner.dialect",
            "who is there cannot be found out over HID POS",
            "say dialect = \"honeywell\" or whose commands it takes, or remove it",
        ),
        (
            ScannerKind::HidPos,
            DialectKind::Zone | DialectKind::Newland | DialectKind::Honeywell | DialectKind::Caret,
        ) => {}
    }
}

fn scanner_can_be_triggered(board: &BoardSpec, found: &mut Findings) {
    let scanner = &board.scanner;
    if scanner.kind != ScannerKind::None
        && scanner.trigger == TriggerKind::Host
        && scanner.dialect == DialectKind::Plain
    {
        found.add(
            "scanner.trigger",
            "Till cannot trigger a scanner to which it says nothing",
            "name its dialect, or \"auto\", or remove trigger and set the scanner to continuous or sense mode",
        );
    }
}

fn scanner_has_the_led(board: &BoardSpec, found: &mut Findings) {
    let scanner = &board.scanner;
    if scanner.led.is_some() && !matches!(scanner.dialect, DialectKind::Zone | DialectKind::Auto) {
        found.add(
            "scanner.led",
            "no command for the LED of such a scanner is known",
            "remove led, and switch the LED by the codes of its manual; beep is there for other dialects, too",
        );
    }
}

fn scanner_timings_are_sane(board: &BoardSpec, found: &mut Findings) {
    let scanner = &board.scanner;
    found.in_range("scanner.idle_ms", scanner.idle_ms, 5..=1000, "ms");
    found.in_range("scanner.double_read_ms", scanner.double_read_ms, 0..=60_000, "ms");
    found.in_range("scanner.stale_ms", scanner.stale_ms, 0..=5000, "ms");
}
