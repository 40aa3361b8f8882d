//! The same screen over DRM.

use anyhow::ensure;

use crate::stage::Stage;
use crate::steps::sale;
use crate::terminal;

/// Changes the board from the framebuffer to DRM, sells, and changes it back.
pub async fn over_drm(stage: &mut Stage) -> anyhow::Result<String> {
    let machine = stage.machine()?;
    let change = "cp /etc/till/board.toml /root/board.toml && \
                  sed -i 's/^kind = \"framebuffer\"/kind = \"drm\"/; /^path = .\\/dev\\/fb0/d; /^console/d' /etc/till/board.toml && systemctl restart till";
    machine.must(change).await?;
    terminal::sells(machine).await?;
    let holder = machine
        .must("ls -l /proc/$(systemctl show -P MainPID till)/fd | grep -o '/dev/dri/card[0-9]*' | head -1")
        .await?;
    ensure!(holder.starts_with("/dev/dri/"), "the program has no DRM device open");
    let sold = sale::buyer_scans(stage).await?;
    let machine = stage.machine()?;
    machine.must("cp /root/board.toml /etc/till/board.toml && systemctl restart till").await?;
    terminal::sells(machine).await?;
    Ok(format!("{}; {sold}", holder.trim()))
}
