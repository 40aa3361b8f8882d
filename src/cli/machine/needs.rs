//! What a board needs of this computer, and whether it is there.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use hal::board::{AboutSpec, BoardSpec, DisplayKind, PrinterKind};

use super::thieves::{Takes, Thief};
use super::{Device, Tree, User, devices, may_open, thieves};
use crate::cli::finding::Finding;

/// Everything, in the order in which a person would look.
pub(crate) fn needs(tree: &Tree, board: &BoardSpec) -> Vec<Finding> {
    let there = devices(tree);
    let user = User::of_service(tree);
    let files = board.device_files().into_iter().map(|(key, path)| of_file(tree, user.as_ref(), &there, key, path));
    let mut found: Vec<Finding> = of_model(tree, board).into_iter().chain(files).collect();
    found.extend(board.chips().into_iter().map(|label| of_chip(&there, label)));
    found.extend(of_config(tree, board));
    found.extend(of_thieves(tree, board));
    found
}

fn of_model(tree: &Tree, board: &BoardSpec) -> Option<Finding> {
    let about = &board.about;
    let model = tree.model()?;
    if about.models.is_empty() || about.is_for(&model) {
        return Some(Finding::good("computer", model));
    }
    let found = format!("{model}; the board is for {}", about.models.join(", "));
    Some(Finding::bad("computer", found, "`till board detect` names the boards for this computer"))
}

fn of_file(tree: &Tree, user: Option<&User>, there: &[Device], key: &str, path: &Path) -> Finding {
    let about = format!("{key} {}", path.display());
    let Ok(file) = fs::metadata(tree.path(path)) else {
        return Finding::bad(about, "is missing", remedy_of_missing(there, key));
    };
    if file.is_dir() {
        return Finding::good(about, "is there");
    }
    match user {
        None => Finding::good(about, "is there; without a user till nobody can say yet who may open it"),
        Some(user) if may_open(user, &file) => Finding::good(about, format!("is there, and {} may open it", user.name)),
        Some(user) => {
            let mode = file.mode() & 0o777;
            let group = group(tree, file.gid());
            let found = format!("is there, and {} may not open it (group {group}, mode {mode:o})", user.name);
            let remedy = format!(
                "`systemctl edit till`: SupplementaryGroups={group} under [Service], or a udev rule as in 60-till-scanner.rules"
            );
            Finding::bad(about, found, remedy)
        }
    }
}

fn group(tree: &Tree, number: u32) -> String {
    let groups = tree.text("/etc/group").unwrap_or_default();
    let fields = |line: &str| -> Option<String> {
        let mut fields = line.split(':');
        let (name, _, id) = (fields.next()?, fields.next()?, fields.next()?);
        (id.parse() == Ok(number)).then(|| name.to_owned())
    };
    groups.lines().find_map(fields).unwrap_or_else(|| number.to_string())
}

/// What is there of the same kind, by the names that a board file should use.
fn remedy_of_missing(there: &[Device], key: &str) -> String {
    let kinds: &[&str] = match key {
        "display.path" => &["framebuffer"],
        "display.spi" => &["spi"],
        "status_display.path" => &["i2c"],
        "scanner.path" => &["serial", "keyboard", "hidraw"],
        "printer.path" => &["serial", "printer"],
        "display.console" | "display.light" | "sound.folder" => &[],
        _ => &["serial"],
    };
    // A number belongs to whatever was plugged in first, and is refused.
    let is_numbered = |device: &Device| {
        device.name.is_none()
            && ["/dev/ttyUSB", "/dev/ttyACM", "/dev/hidraw"].iter().any(|start| device.device.starts_with(start))
    };
    let named = there.iter().filter(|device| kinds.contains(&device.kind) && !is_numbered(device));
    let names: Vec<&str> = named.map(|device| device.name.as_deref().unwrap_or(&device.device)).collect();
    match names.as_slice() {
        [] => "plug it in, or switch it on in the system's configuration; else correct the board file".to_owned(),
        names => format!("plug it in, or correct the board file: there is {}", names.join(", ")),
    }
}

fn of_chip(there: &[Device], label: &str) -> Finding {
    let about = format!("gpio chip {label}");
    let chips: Vec<&str> =
        there.iter().filter(|device| device.kind == "gpio").map(|device| device.device.as_str()).collect();
    match chips.iter().filter(|known| **known == label).count() {
        1 => Finding::good(about, "is there"),
        0 if chips.is_empty() => Finding::bad(
            about,
            "no chip can be seen",
            "run this as root, or join the group gpio; the kernel must be 5.10 or newer",
        ),
        0 => Finding::bad(
            about,
            format!("is not here; there is {}", chips.join(", ")),
            "take the board file of this computer, or correct the label",
        ),
        _ => Finding::bad(about, "is there twice", "unplug one of the two expanders, or name its lines by name"),
    }
}

/// What the firmware or the boot loader must be told.
fn of_config(tree: &Tree, board: &BoardSpec) -> Option<Finding> {
    let mut wanted = board.about.config.clone();
    wanted.extend(board.firmware_lines().into_iter().filter(|line| !board.about.config.contains(line)));
    let file = board.about.config_file();
    let about = file.display().to_string();
    if wanted.is_empty() {
        return None;
    }
    let Some(text) = tree.text(file) else {
        let found = format!("cannot be read here; on the machine it needs\n{}", wanted.join("\n"));
        return Some(Finding::good(about, found));
    };
    let missing = AboutSpec::missing(&wanted, &text);
    if missing.is_empty() {
        return Some(Finding::good(about, "has every line"));
    }
    let found = format!("lacks\n{}", missing.join("\n"));
    Some(Finding::bad(about, found, "add these lines, and restart the computer"))
}

/// Those that take something away from this board.
fn of_thieves(tree: &Tree, board: &BoardSpec) -> Vec<Finding> {
    let ports: Vec<String> = board.device_files().iter().map(|(_, path)| path.display().to_string()).collect();
    let has_usb_port = ports.iter().any(|path| path.starts_with("/dev/serial/") || path.starts_with("/dev/pay/"));
    let takes = |thief: &Thief| match &thief.takes {
        Takes::UsbPorts => has_usb_port,
        Takes::UsbPrinters => board.printer.kind == PrinterKind::Usb,
        Takes::Screen => matches!(board.display.kind, DisplayKind::Drm | DisplayKind::Framebuffer),
        Takes::Port(port) => ports.contains(port),
    };
    let found = thieves(tree).into_iter().filter(takes);
    found.map(|thief| Finding::bad("in the way", thief.what, thief.remedy)).collect()
}
