//! A frozen program is replaced by systemd.

use anyhow::ensure;

use crate::stage::Stage;
use crate::terminal;

/// SIGSTOP, and within the unit's own limit there is another process that sells.
pub async fn replaces(stage: &mut Stage) -> anyhow::Result<String> {
    let machine = stage.machine()?;
    let limit = machine.must("systemctl show -P WatchdogUSec till").await?;
    // The shipped limit is for cards that hold a write for many seconds; a test need not wait as long.
    let shorter = "[Service]\nWatchdogSec=8\n";
    machine.put("/etc/systemd/system/till.service.d/zz-test.conf", "644", shorter.as_bytes()).await?;
    machine.must("systemctl daemon-reload && systemctl restart till").await?;
    terminal::sells(machine).await?;
    let before = machine.must("systemctl show -P MainPID -P NRestarts till").await?;
    machine.must("kill -STOP $(systemctl show -P MainPID till)").await?;
    let replaced = "[ \"$(systemctl show -P NRestarts till)\" -ge 1 ] && systemctl is-active -q till";
    let began = tokio::time::Instant::now();
    machine.until("another process", 120, replaced).await?;
    let seconds = began.elapsed().as_secs();
    terminal::sells(machine).await?;
    let after = machine.must("systemctl show -P MainPID -P NRestarts till").await?;
    ensure!(before != after, "the frozen process is still there: {after}");
    machine
        .must("rm /etc/systemd/system/till.service.d/zz-test.conf && systemctl daemon-reload && systemctl restart till")
        .await?;
    terminal::sells(machine).await?;
    Ok(format!("after {seconds} s with a limit of 8 s; {} ships", limit.trim()))
}
