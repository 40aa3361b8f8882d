//! The machine and what the program costs in it.

use std::time::Duration;

use anyhow::ensure;

use crate::machine::Start;
use crate::stage::Stage;

/// How long the program is watched at rest.
const REST: Duration = Duration::from_secs(40);
/// The ceiling of the design, in KiB of resident memory.
const RESIDENT_MAX_KB: u64 = 12 * 1024;

/// What the memory is of: KiB resident, KiB its own, name.
const PARTS: &str = "awk '/^[0-9a-f]+-/ { name = $6 == \"\" ? \"nameless\" : $6 } /^Rss:/ { r[name] += $2 } /^Private_Dirty:/ { d[name] += $2 } \
                     END { for (name in r) print r[name], d[name], name }' /proc/$(systemctl show -P MainPID till)/smaps | sort -rn | head -12";

/// Boots, with systemd as the first process and pins that can be driven.
pub async fn boots(stage: &mut Stage) -> anyhow::Result<String> {
    let seconds = stage.boot(Start::default()).await?;
    let machine = stage.machine()?;
    let first = machine.must("cat /proc/1/comm").await?;
    ensure!(first.trim() == "systemd", "the first process is {first}");
    machine.until("the pretend pins", 60, "test -e /run/gpio/sim_gpio0/value").await?;
    let facts = machine.must("uname -rm; dpkg --print-architecture").await?;
    Ok(format!("{} after {seconds:.0} s", facts.split_whitespace().collect::<Vec<_>>().join(" ")))
}

/// Memory read in the machine, where it is the program's and not the emulator's; and how often it wakes.
pub async fn rests(stage: &mut Stage) -> anyhow::Result<String> {
    let machine = stage.machine()?;
    let look = "pid=$(systemctl show -P MainPID till); \
                grep -hE '^(VmRSS|VmHWM|RssAnon|RssFile|RssShmem)' /proc/$pid/status; grep -h ^Pss: /proc/$pid/smaps_rollup; \
                cat /proc/$pid/task/*/status | awk '/^(non)?voluntary_ctxt/ { n += $2 } END { print \"switches\", n }'; \
                awk '{ print \"ticks\", $14 + $15 }' /proc/$pid/stat";
    let before = machine.must(look).await?;
    tokio::time::sleep(REST).await;
    let after = machine.must(look).await?;
    let (resident, peak) = (figure(&after, "VmRSS:"), figure(&after, "VmHWM:"));
    let (anonymous, files) = (figure(&after, "RssAnon:"), figure(&after, "RssFile:"));
    let switches = figure(&after, "switches").saturating_sub(figure(&before, "switches"));
    let ticks = figure(&after, "ticks").saturating_sub(figure(&before, "ticks"));
    ensure!(resident > 0, "nothing to read: {after}");
    ensure!(
        resident <= RESIDENT_MAX_KB,
        "{resident} KiB are resident, more than {RESIDENT_MAX_KB}: {}",
        machine.must(PARTS).await?
    );
    let seconds = REST.as_secs();
    Ok(format!(
        "{resident} KiB resident of {RESIDENT_MAX_KB} ({files} of files, {anonymous} its own), at most {peak}, {} proportional; \
         in {seconds} s {switches} switches and {ticks} ticks",
        figure(&after, "Pss:")
    ))
}

/// The number behind a word.
fn figure(text: &str, word: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(word));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}
