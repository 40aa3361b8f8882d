//! The devices that a terminal may use, each with the name that survives re-plugging.

use serde::Serialize;

use super::Tree;

/// One device of the computer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Device {
    /// `serial`, `gpio`, `framebuffer`, `screen`, `spi`, `i2c`, `keyboard`, `hidraw` or `printer`.
    pub(crate) kind: &'static str,
    /// Its file, or its name where it has none.
    pub(crate) device: String,
    /// What a board file should say instead, where that is something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// What it says of itself.
    pub(crate) says: String,
}

/// Everything that is there.
pub(crate) fn devices(tree: &Tree) -> Vec<Device> {
    let kinds: [fn(&Tree) -> Vec<Device>; 9] =
        [serial, gpio, framebuffers, screens, spi, i2c, keyboards, hidraw, printers];
    kinds.iter().flat_map(|kind| kind(tree)).collect()
}

fn device(kind: &'static str, device: String, name: Option<String>, says: Option<String>) -> Device {
    Device { kind, device, name, says: says.unwrap_or_default() }
}

/// The first link of these folders that leads to the device.
fn stable(tree: &Tree, folders: &[&str], device: &str, end: &str) -> Option<String> {
    let links = folders.iter().flat_map(|folder| {
        tree.names(folder).into_iter().filter(|name| name.ends_with(end)).map(move |name| format!("{folder}/{name}"))
    });
    links.into_iter().find(|link| tree.leads_to(link).as_deref() == Some(device))
}

/// Two bridges without a serial number share a name in by-id: then only one of them has it, and the other its place.
fn serial(tree: &Tree) -> Vec<Device> {
    let is_there = |name: &String| {
        let place = format!("/sys/class/tty/{name}");
        // A PC lists thirty UARTs that it does not have: their type is 0.
        tree.exists(format!("{place}/device")) && tree.text(format!("{place}/type")).is_none_or(|kind| kind != "0")
    };
    let found = tree.names("/sys/class/tty").into_iter().filter(is_there).map(|name| {
        let folders = ["/dev/serial/by-id", "/dev/serial/by-path", "/dev/pay"];
        let driver = tree.leads_to(format!("/sys/class/tty/{name}/device/driver"));
        device("serial", format!("/dev/{name}"), stable(tree, &folders, &name, ""), driver)
    });
    found.collect()
}

/// By label: the kernel's own answer on the machine itself, the old interface's in a made-up tree.
fn gpio(tree: &Tree) -> Vec<Device> {
    let labels = if tree.is_real() {
        hal::gpio::chardev::labels()
    } else {
        let chips = tree.names("/sys/class/gpio");
        chips.iter().filter_map(|chip| tree.text(format!("/sys/class/gpio/{chip}/label"))).collect()
    };
    labels.into_iter().map(|label| device("gpio", label, None, None)).collect()
}

fn framebuffers(tree: &Tree) -> Vec<Device> {
    let names = tree.names("/sys/class/graphics").into_iter().filter(|name| name.starts_with("fb"));
    let found = names.filter(|name| name != "fbcon").map(|name| {
        let told = |what: &str| tree.text(format!("/sys/class/graphics/{name}/{what}")).unwrap_or_default();
        let says = format!("{} {}", told("name"), told("virtual_size").replace(',', "×"));
        device("framebuffer", format!("/dev/{name}"), None, Some(says))
    });
    found.collect()
}

/// `card1-HDMI-A-1`: the card's number changes, the connector's name does not.
fn screens(tree: &Tree) -> Vec<Device> {
    let found = tree.names("/sys/class/drm").into_iter().filter_map(|entry| {
        let (card, connector) = entry.split_once('-')?;
        let told = |what: &str| tree.text(format!("/sys/class/drm/{entry}/{what}")).unwrap_or_default();
        let status = Some(told("status")).filter(|status| !status.is_empty())?;
        let modes = told("modes");
        let mode = modes.lines().next().map(|mode| format!(", {mode}")).unwrap_or_default();
        Some(device("screen", connector.to_owned(), None, Some(format!("{status}{mode}, on {card}"))))
    });
    found.collect()
}

fn spi(tree: &Tree) -> Vec<Device> {
    let most = tree.text("/sys/module/spidev/parameters/bufsiz").map(|bytes| format!("{bytes} bytes at once"));
    let names = tree.names("/sys/class/spidev");
    names.into_iter().map(|name| device("spi", format!("/dev/{name}"), None, most.clone())).collect()
}

fn i2c(tree: &Tree) -> Vec<Device> {
    let found = tree.names("/sys/class/i2c-dev").into_iter().map(|name| {
        let says = tree.text(format!("/sys/class/i2c-dev/{name}/name"));
        device("i2c", format!("/dev/{name}"), None, says)
    });
    found.collect()
}

/// What types: a scanner as keyboard is not told from a keyboard by anything but its name.
fn keyboards(tree: &Tree) -> Vec<Device> {
    let events = tree.names("/sys/class/input").into_iter().filter(|name| name.starts_with("event"));
    let found = events.filter_map(|name| {
        let folders = ["/dev/input/by-id", "/dev/input/by-path"];
        let link = stable(tree, &folders, &name, "-event-kbd")?;
        let says = tree.text(format!("/sys/class/input/{name}/device/name"));
        Some(device("keyboard", format!("/dev/input/{name}"), Some(link), says))
    });
    found.collect()
}

/// Usage page 8C, bar code scanner, is how a HID POS scanner begins its report descriptor.
const POS_PAGE: [u8; 2] = [0x05, 0x8C];

fn hidraw(tree: &Tree) -> Vec<Device> {
    let found = tree.names("/sys/class/hidraw").into_iter().map(|name| {
        let place = format!("/sys/class/hidraw/{name}/device");
        let told = tree.text(format!("{place}/uevent")).unwrap_or_default();
        let called = told.lines().find_map(|line| line.strip_prefix("HID_NAME=")).unwrap_or_default();
        let descriptor = std::fs::read(tree.path(format!("{place}/report_descriptor"))).unwrap_or_default();
        let is_pos = descriptor.windows(2).any(|pair| pair == POS_PAGE);
        let says = format!("{called}{}", if is_pos { ", a HID POS scanner" } else { "" });
        device("hidraw", format!("/dev/{name}"), stable(tree, &["/dev/pay"], &name, ""), Some(says))
    });
    found.collect()
}

fn printers(tree: &Tree) -> Vec<Device> {
    let names = tree.names("/sys/class/usbmisc").into_iter().filter(|name| name.starts_with("lp"));
    let found = names.map(|name| {
        let told = tree.text(format!("/sys/class/usbmisc/{name}/device/ieee1284_id"));
        device("printer", format!("/dev/usb/{name}"), None, told)
    });
    found.collect()
}
