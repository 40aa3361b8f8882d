//! The same screen over DRM, and the console under the framebuffer.

use anyhow::{Context, ensure};

use crate::report::Done;
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

/// The service's console while it runs and after it, and hal's own tests of a console beside it.
pub async fn console(stage: &mut Stage) -> anyhow::Result<Done> {
    if stage.wanted.programs.is_none() {
        return Ok(Done::NotRun("no test programs were given (--programs)".to_owned()));
    }
    let machine = stage.machine()?;
    machine.must("cp /load/console /root/ && chmod +x /root/console").await?;
    let asked = |mode: u8| {
        format!("TILL_CONSOLE=/dev/tty1 TILL_CONSOLE_MODE={mode} /root/console --ignored the_console_is_in_the_mode")
    };
    machine.must(&asked(1)).await.context("no graphics mode while the service runs")?;
    machine.must("systemctl stop till").await?;
    machine.must(&asked(0)).await.context("no text after the service has ended")?;
    machine.must("systemctl start till").await?;
    terminal::sells(machine).await?;
    let tests = "TILL_CONSOLE=/dev/tty2 TILL_FRAMEBUFFER=/dev/fb0 /root/console --ignored --test-threads=1";
    let said = machine.must(tests).await?;
    let closing = said.lines().rev().find(|line| line.starts_with("test result")).context("a closing line")?;
    Ok(Done::Passed(closing.trim_start_matches("test result: ").to_owned()))
}
