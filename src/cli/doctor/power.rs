//! Voltage and heat. A weak power supply is the top cause of faults that seem to come from nowhere.

use super::Finding;
use crate::cli::machine::Tree;

/// A Raspberry Pi slows down at 80 °C; so do most others not far from there. In thousandths of a degree.
const HOT: i64 = 80_000;

const SUPPLY: &str =
    "fit a stronger power supply and a short thick cable: 5 V 3 A, a Pi 5 5 A; motors get a supply of their own";

pub(super) fn of_power(tree: &Tree) -> Vec<Finding> {
    of_voltage(tree).into_iter().chain(of_heat(tree)).collect()
}

/// The Pi's firmware keeps bits: 0 too little voltage now, 2 slowed down now, 16 and 18 the same since the start
/// (reference/hardware.md 5.6).
fn of_voltage(tree: &Tree) -> Option<Finding> {
    if let Some(told) = tree.text("/sys/devices/platform/soc/soc:firmware/get_throttled") {
        let bits = u32::from_str_radix(told.trim_start_matches("0x"), 16).ok()?;
        return Some(of_bits(bits));
    }
    // Newer kernels tell it as a sensor only.
    let sensors = tree.names("/sys/class/hwmon");
    let sensor = sensors.iter().map(|name| format!("/sys/class/hwmon/{name}"));
    let sensor = sensor.into_iter().find(|place| tree.text(format!("{place}/name")).as_deref() == Some("rpi_volt"))?;
    let is_low = tree.text(format!("{sensor}/in0_lcrit_alarm"))? == "1";
    Some(of_bits(u32::from(is_low)))
}

fn of_bits(bits: u32) -> Finding {
    let has = |bit: u32| bits & (1 << bit) != 0;
    match (has(0), has(16), has(2) || has(18)) {
        (true, ..) => Finding::bad("power", "too little voltage now", SUPPLY),
        (false, true, _) => Finding::bad("power", "too little voltage at some time since the start", SUPPLY),
        (false, false, true) => {
            Finding::bad("power", "the processor was slowed down since the start", "give it air, or a larger heat sink")
        }
        (false, false, false) => Finding::good("power", "the voltage was well since the start"),
    }
}

fn of_heat(tree: &Tree) -> Option<Finding> {
    let zones = tree.names("/sys/class/thermal").into_iter().filter(|name| name.starts_with("thermal_zone"));
    let hottest =
        zones.filter_map(|zone| tree.text(format!("/sys/class/thermal/{zone}/temp"))?.parse::<i64>().ok()).max()?;
    let found = format!("{} °C", hottest / 1000);
    Some(match hottest >= HOT {
        true => Finding::bad("temperature", found, "give it air; a machine in the sun needs a fan or a sunshade"),
        false => Finding::good("temperature", found),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_firmware_saw_since_the_start_is_told() {
        for (bits, good, words) in [
            (0, true, "was well"),
            (0x1, false, "now"),
            (0x5_0005, false, "now"),
            (0x1_0000, false, "at some time"),
            (0x4_0000, false, "slowed down"),
        ] {
            let found = of_bits(bits);
            assert!(found.good == good && found.found.contains(words), "{bits:x}: {}", found.found);
        }
    }
}
