//! What takes a port or a screen away from a terminal.

use serde::Serialize;

use super::Tree;

/// Something that runs, or will, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Thief {
    /// Who, and what it does.
    pub(crate) what: String,
    /// What to do.
    pub(crate) remedy: &'static str,
    /// Whose machine it harms.
    #[serde(skip)]
    pub(super) takes: Takes,
}

/// What somebody takes away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Takes {
    /// Serial ports that are plugged in.
    UsbPorts,
    UsbPrinters,
    Screen,
    /// One serial port.
    Port(String),
}

/// Programs by the name that the kernel knows, which has at most 15 letters.
const PROGRAMS: [(&str, Takes, &str, &str); 9] = [
    (
        "ModemManager",
        Takes::UsbPorts,
        "talks to every new serial port for ten seconds",
        "systemctl mask --now ModemManager",
    ),
    ("brltty", Takes::UsbPorts, "takes CH340, CP210x and FTDI bridges for braille displays", "apt-get remove brltty"),
    ("cupsd", Takes::UsbPrinters, "takes printers of the USB class", "systemctl mask --now cups"),
    ("ipp-usb", Takes::UsbPrinters, "takes printers of the USB class", "systemctl mask --now ipp-usb"),
    ("Xorg", Takes::Screen, "holds the screen", DESKTOP),
    ("labwc", Takes::Screen, "holds the screen", DESKTOP),
    ("wayfire", Takes::Screen, "holds the screen", DESKTOP),
    ("weston", Takes::Screen, "holds the screen", DESKTOP),
    (
        "plymouthd",
        Takes::Screen,
        "holds the screen while the system starts",
        "take `splash` out of the kernel's command line",
    ),
];
const DESKTOP: &str = "systemctl set-default multi-user.target, and restart";
const CONSOLE: &str = "take this console= out of the kernel's command line (/boot/firmware/cmdline.txt on a Raspberry Pi), mask \
                       its serial-getty@ service, and restart";

/// Everyone who was found.
pub(crate) fn thieves(tree: &Tree) -> Vec<Thief> {
    let running = PROGRAMS.iter().filter(|(name, ..)| runs(tree, name));
    let programs = running.map(|(name, takes, does, remedy)| Thief {
        what: format!("{name} runs and {does}"),
        remedy,
        takes: takes.clone(),
    });
    let consoles = consoles(tree).into_iter().map(|port| Thief {
        what: format!("the kernel writes its messages to {port}"),
        remedy: CONSOLE,
        takes: Takes::Port(port),
    });
    programs.chain(consoles).collect()
}

/// Whether a program of this name runs.
pub(crate) fn runs(tree: &Tree, program: &str) -> bool {
    let processes = tree.names("/proc").into_iter().filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
    processes.into_iter().any(|process| tree.text(format!("/proc/{process}/comm")).as_deref() == Some(program))
}

/// The serial ports that the kernel writes its messages to.
fn consoles(tree: &Tree) -> Vec<String> {
    let line = tree.text("/proc/cmdline").unwrap_or_default();
    let named = line.split_whitespace().filter_map(|word| word.strip_prefix("console="));
    let ports = named.map(|console| console.split(',').next().unwrap_or_default());
    // tty0 and tty1 are screens.
    let serial = ports.filter(|port| port.strip_prefix("tty").is_none_or(|rest| rest.parse::<u8>().is_err()));
    serial.map(|port| format!("/dev/{port}")).collect()
}
