use super::made_up::MadeUp;
use super::*;

fn found<'d>(devices: &'d [Device], kind: &str) -> Vec<(&'d str, Option<&'d str>, &'d str)> {
    let of_kind = devices.iter().filter(|device| device.kind == kind);
    of_kind.map(|device| (device.device.as_str(), device.name.as_deref(), device.says.as_str())).collect()
}

#[test]
fn every_kind_of_device_is_found_with_the_name_that_survives_replugging() {
    let computer = MadeUp::new("Bench");
    computer.device("/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0", 0);
    computer.link("/sys/class/tty/ttyUSB0/device/driver", "../../../bus/usb-serial/drivers/ch341-uart");
    // A PC lists UARTs that it does not have.
    computer.file("/sys/class/tty/ttyS7/device/uevent", "");
    computer.file("/sys/class/tty/ttyS7/type", "0\n");
    computer.file("/sys/class/tty/tty1/dev", "4:1");
    computer.file("/sys/class/gpio/gpiochip512/label", "pinctrl-rp1\n");
    computer.file("/sys/class/graphics/fb0/name", "vc4drmfb\n");
    computer.file("/sys/class/graphics/fb0/virtual_size", "800,480\n");
    computer.file("/sys/class/graphics/fbcon/uevent", "");
    computer.file("/sys/class/drm/card1-HDMI-A-1/status", "connected\n");
    computer.file("/sys/class/drm/card1-HDMI-A-1/modes", "1920x1080\n1280x720\n");
    computer.file("/sys/class/drm/card1-HDMI-A-2/status", "disconnected\n");
    computer.file("/sys/class/drm/card1/dev", "226:1");
    computer.file("/sys/class/spidev/spidev0.0/uevent", "");
    computer.file("/sys/class/i2c-dev/i2c-1/name", "bcm2835 (i2c@7e804000)\n");
    computer.device("/dev/input/by-id/usb-Newland-event-kbd", 3);
    computer.file("/sys/class/input/event3/device/name", "Newland Auto-ID NLS-FM430\n");
    computer.device("/dev/pay/scanner-hid", 1);
    computer.file("/sys/class/hidraw/hidraw1/device/uevent", "DRIVER=hid-generic\nHID_NAME=Honeywell 3320\n");
    computer.bytes("/sys/class/hidraw/hidraw1/device/report_descriptor", &[0x05, 0x8C, 0x09, 0x02]);
    computer.file("/sys/class/usbmisc/lp0/device/ieee1284_id", "MFG:Xprinter;CMD:ESC/POS;\n");
    let devices = devices(&computer.tree());
    let serial = "/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0";
    assert_eq!(found(&devices, "serial"), [("/dev/ttyUSB0", Some(serial), "ch341-uart")]);
    assert_eq!(found(&devices, "gpio"), [("pinctrl-rp1", None, "")]);
    assert_eq!(found(&devices, "framebuffer"), [("/dev/fb0", None, "vc4drmfb 800×480")]);
    let screens = [("HDMI-A-1", None, "connected, 1920x1080, on card1"), ("HDMI-A-2", None, "disconnected, on card1")];
    assert_eq!(found(&devices, "screen"), screens);
    assert_eq!(found(&devices, "spi"), [("/dev/spidev0.0", None, "")]);
    assert_eq!(found(&devices, "i2c"), [("/dev/i2c-1", None, "bcm2835 (i2c@7e804000)")]);
    let typed = ("/dev/input/event3", Some("/dev/input/by-id/usb-Newland-event-kbd"), "Newland Auto-ID NLS-FM430");
    assert_eq!(found(&devices, "keyboard"), [typed]);
    let pos = ("/dev/hidraw1", Some("/dev/pay/scanner-hid"), "Honeywell 3320, a HID POS scanner");
    assert_eq!(found(&devices, "hidraw"), [pos]);
    assert_eq!(found(&devices, "printer"), [("/dev/usb/lp0", None, "MFG:Xprinter;CMD:ESC/POS;")]);
}

#[test]
fn what_takes_ports_and_screens_is_named_with_its_remedy() {
    let computer = MadeUp::new("Bench");
    assert_eq!(thieves(&computer.tree()), []);
    computer.file("/proc/cmdline", "console=serial0,115200 console=tty1 root=/dev/mmcblk0p2\n");
    computer.file("/proc/417/comm", "ModemManager\n");
    computer.file("/proc/418/comm", "Xorg\n");
    let found = thieves(&computer.tree());
    let who: Vec<&str> = found.iter().map(|thief| thief.what.as_str()).collect();
    assert_eq!(
        who,
        [
            "ModemManager runs and talks to every new serial port for ten seconds",
            "Xorg runs and holds the screen",
            "the kernel writes its messages to /dev/serial0",
        ]
    );
    assert!(found[0].remedy.contains("mask --now ModemManager") && found[2].remedy.contains("cmdline.txt"));
}

#[test]
fn a_pc_tells_its_product_name_and_a_computer_without_either_is_unknown() {
    let computer = MadeUp::new("");
    assert_eq!(computer.tree().model(), None);
    computer.remove("/proc/device-tree/model");
    computer.file("/sys/class/dmi/id/product_name", "OptiPlex 3060\n");
    assert_eq!(computer.tree().model().as_deref(), Some("OptiPlex 3060"));
}
