//! The computer below the daemon, made up.

use super::*;
use crate::cli::machine::made_up::MadeUp;

fn text(found: impl IntoIterator<Item = Finding>) -> String {
    text_of(&found.into_iter().collect::<Vec<_>>())
}

#[test]
fn a_weak_supply_and_heat_are_told_with_what_to_do() {
    let computer = MadeUp::new("Raspberry Pi 4 Model B");
    assert_eq!(text(power::of_power(&computer.tree())), "", "a computer that tells nothing is not bad");
    computer.file("/sys/devices/platform/soc/soc:firmware/get_throttled", "50005\n");
    computer.file("/sys/class/thermal/thermal_zone0/temp", "81234\n");
    let found = text(power::of_power(&computer.tree()));
    assert!(found.contains("BAD  power: too little voltage now") && found.contains("5 V 3 A"), "{found}");
    assert!(found.contains("BAD  temperature: 81 °C"), "{found}");
    let newer = MadeUp::new("Raspberry Pi 5");
    newer.file("/sys/class/hwmon/hwmon2/name", "rpi_volt\n");
    newer.file("/sys/class/hwmon/hwmon2/in0_lcrit_alarm", "0\n");
    assert!(text(power::of_power(&newer.tree())).contains("ok   power"));
}

#[test]
fn a_worn_module_is_told() {
    let computer = MadeUp::new("Raspberry Pi Compute Module 4");
    computer.file("/sys/block/mmcblk0/device/life_time", "0x01 0x0a\n");
    computer.file("/sys/block/mmcblk0/device/pre_eol_info", "0x01\n");
    // A card tells nothing.
    computer.file("/sys/block/mmcblk1/device/name", "SD64G\n");
    let found = text(disk::of_disk(&computer.tree(), std::path::Path::new("/nowhere-at-all/till.db")));
    assert!(found.contains("BAD  wear of mmcblk0: 90 to 100 %"), "{found}");
    assert!(found.contains("ok   wear of mmcblk1: it does not tell"), "{found}");
}

#[test]
fn a_watchdog_that_nobody_armed_is_bad() {
    let computer = MadeUp::new("Raspberry Pi 4 Model B");
    assert!(!watchdog::of_watchdog(&computer.tree()).good);
    computer.file("/sys/class/watchdog/watchdog0/identity", "Broadcom BCM2835 Watchdog timer\n");
    computer.file("/sys/class/watchdog/watchdog0/state", "inactive\n");
    let found = watchdog::of_watchdog(&computer.tree());
    assert!(!found.good && text([found]).contains("RuntimeWatchdogSec=14"));
    computer.file("/sys/class/watchdog/watchdog0/state", "active\n");
    computer.file("/sys/class/watchdog/watchdog0/timeout", "14\n");
    let found = watchdog::of_watchdog(&computer.tree());
    assert!(found.good && found.found.ends_with("bites after 14 s"), "{}", found.found);
}

#[test]
fn who_sets_the_clock_is_told() {
    let computer = MadeUp::new("Raspberry Pi 4 Model B");
    assert!(text(clock::of_clock(&computer.tree())).contains("BAD  time sync: no program sets the clock"));
    computer.file("/proc/312/comm", "systemd-timesyn\n");
    computer.file("/run/systemd/timesync/synchronized", "");
    computer.file("/sys/class/rtc/rtc0/name", "rtc-ds1307 1-0068\n");
    let found = text(clock::of_clock(&computer.tree()));
    assert!(found.contains("systemd-timesyn has set the clock") && found.contains("rtc-ds1307"), "{found}");
}

#[test]
fn key_files_are_looked_at_and_never_into() {
    let computer = MadeUp::new("Raspberry Pi 4 Model B");
    let lines = "[Service]\n#LoadCredential=vsp:/etc/till/keys/vsp.pem\nLoadCredential=alipay:/etc/till/keys/alipay.pem\n\
                 LoadCredential=wechat:/etc/till/keys/wechat.key\n";
    computer.file("/etc/systemd/system/till.service.d/keys.conf", lines);
    computer.file("/etc/till/keys/alipay.pem", "SECRET");
    computer.mode("/etc/till/keys/alipay.pem", 0o600);
    let found = text(keys::of_credentials(&computer.tree()));
    assert!(found.contains("ok   key alipay") && found.contains("BAD  key wechat"), "{found}");
    assert!(!found.contains("vsp") && !found.contains("SECRET"), "{found}");
    computer.mode("/etc/till/keys/alipay.pem", 0o644);
    let found = text(keys::of_credentials(&computer.tree()));
    assert!(found.contains("mode 644") && found.contains("chmod 600"), "{found}");
}
