//! Whether the computer can know the time without a person: a clock chip, and a service that sets it.

use super::Finding;
use crate::cli::machine::{Tree, runs};

/// Programs that set the clock from the network, by the names that the kernel knows.
const SETTERS: [&str; 4] = ["systemd-timesyn", "chronyd", "ntpd", "ntpsec"];

pub(super) fn of_clock(tree: &Tree) -> Vec<Finding> {
    let setter = SETTERS.iter().find(|name| runs(tree, name));
    let synchronised = tree.exists("/run/systemd/timesync/synchronized");
    let chip =
        tree.text("/sys/class/rtc/rtc0/name").map(|name| name.split_whitespace().next().unwrap_or_default().to_owned());
    vec![
        match (setter, synchronised) {
            (Some(setter), true) => Finding::good("time sync", format!("{setter} has set the clock since the start")),
            (Some(setter), false) => Finding::good("time sync", format!("{setter} runs")),
            (None, _) => Finding::bad(
                "time sync",
                "no program sets the clock",
                "timedatectl set-ntp true; in China with NTP=ntp.aliyun.com in /etc/systemd/timesyncd.conf",
            ),
        },
        match chip {
            Some(chip) => Finding::good("clock chip", chip),
            None => Finding::good("clock chip", "none: after a power cut without a network the machine does not sell"),
        },
    ]
}
