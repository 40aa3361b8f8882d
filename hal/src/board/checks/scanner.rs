//! What a scanner needs.

use std::path::Path;

use super::Findings;
use crate::board::{BoardSpec, ScannerKind};

pub(super) const CHECKS: &[super::Check] = &[scanner_has_a_stable_port, scanner_speed_exists, scanner_timings_are_sane];

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
