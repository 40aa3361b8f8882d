//! Whether a computer that hangs is restarted by its watchdog.

use super::Finding;
use crate::cli::machine::Tree;

/// Longer than most hardware can count: on older kernels there is then no watchdog at all (reference/hardware.md 4.8).
const LONGEST_S: u32 = 15;

pub(super) fn of_watchdog(tree: &Tree) -> Finding {
    let remedy =
        "RuntimeWatchdogSec=14 under [Manager] in /etc/systemd/system.conf.d/till.conf, and restart the computer";
    let dogs = tree.names("/sys/class/watchdog");
    let Some(dog) = dogs.first() else {
        return Finding::bad(
            "watchdog",
            "the computer has none, or its driver is not loaded",
            "load it (bcm2835_wdt, iTCO_wdt, sunxi_wdt, dw_wdt); without one a computer that hangs waits for a person",
        );
    };
    let told = |what: &str| tree.text(format!("/sys/class/watchdog/{dog}/{what}"));
    let identity = told("identity").unwrap_or_else(|| dog.clone());
    match (told("state").as_deref(), told("timeout").and_then(|seconds| seconds.parse::<u32>().ok())) {
        (Some("active"), Some(seconds)) if seconds > LONGEST_S => {
            Finding::good("watchdog", format!("{identity} bites after {seconds} s, which is long"))
        }
        (Some("active"), seconds) => {
            let after = seconds.map(|seconds| format!(" after {seconds} s")).unwrap_or_default();
            Finding::good("watchdog", format!("{identity} bites{after}"))
        }
        (Some(_), _) => Finding::bad("watchdog", format!("{identity} is there and nobody armed it"), remedy),
        (None, _) => {
            Finding::good("watchdog", format!("{identity} is there; this kernel does not tell whether it is armed"))
        }
    }
}
