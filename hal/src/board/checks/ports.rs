//! What every serial port of a vending controller needs.

use std::path::{Path, PathBuf};

use super::Findings;

const SPEEDS: &[u32] = &[1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200];

/// A number such as ttyUSB0 belongs to whatever is plugged in first.
fn is_numbered(path: &Path) -> bool {
    let text = path.to_string_lossy();
    text.starts_with("/dev/ttyACM") || text.starts_with("/dev/ttyUSB")
}

/// Checks the keys `path` and `baud` of a section such as `vend.xy`.
pub(super) fn check(found: &mut Findings, section: &str, path: Option<&PathBuf>, baud: u32) {
    let key = format!("{section}.path");
    match path {
        None => {
            found.add(key, "the controller's port has no path", "name it, such as /dev/ttyS1 or /dev/serial/by-id/…")
        }
        Some(path) if is_numbered(path) => found.add(
            key,
            format!("{} changes when the adapter is plugged in again", path.display()),
            "use its name in /dev/serial/by-id, or in /dev/serial/by-path if it has no serial number",
        ),
        Some(_) => {}
    }
    if !SPEEDS.contains(&baud) {
        found.add(
            format!("{section}.baud"),
            format!("{baud} is not a serial speed"),
            "look in the controller's manual",
        );
    }
}
