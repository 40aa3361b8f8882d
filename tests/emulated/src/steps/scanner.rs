//! A scanner on a USB serial port, and one that types.

use anyhow::ensure;

use crate::shop::press;
use crate::stage::Stage;
use crate::steps::sale::one_item_for;
use crate::terminal;

/// Buys slot 12 and shows a pay code to the scanner.
pub async fn machine_scans(stage: &mut Stage) -> anyhow::Result<()> {
    let (runs, net) = (stage.runs(), stage.ledger().net_fen());
    waits_for_a_code(stage).await?;
    let (machine, shop) = stage.both()?;
    machine.scan(&shop.wallet().pay_code()).await?;
    terminal::is_free(machine).await?;
    one_item_for(stage, runs, net, 450)
}

/// Somebody buys slot 12, and the scanner is let through.
async fn waits_for_a_code(stage: &mut Stage) -> anyhow::Result<()> {
    let machine = stage.machine()?;
    press(machine, &["1", "2", "ok"]).await?;
    terminal::until(machine, "an armed scanner", ARMED, |status| status["scanner_armed"] == true).await.map(|_| ())
}

const ARMED: std::time::Duration = std::time::Duration::from_secs(60);

/// Without its cable the terminal says so and goes on selling by the screen; with it the next code is read.
pub async fn replugged(stage: &mut Stage) -> anyhow::Result<String> {
    let (machine, _) = stage.both()?;
    let is_down = |status: &serde_json::Value| {
        status["faults"].as_array().is_some_and(|faults| faults.iter().any(|fault| fault["name"] == "scanner"))
    };
    machine.unplug_scanner().await?;
    let status = terminal::until(machine, "the fault scanner", ARMED, is_down).await?;
    ensure!(status["selling"] == true, "a machine with a screen sells without its scanner: {status:#}");
    machine.plug_scanner().await?;
    terminal::until(machine, "the scanner again", ARMED, |status| !is_down(status)).await?;
    let name = machine.must("readlink -f /dev/serial/by-id/*").await?;
    machine_scans(stage).await?;
    Ok(format!("it came back as {}", name.trim()))
}

/// Another board with a scanner that is a keyboard: the program reads it, and nobody else does.
pub async fn types(stage: &mut Stage) -> anyhow::Result<String> {
    let machine = stage.machine()?;
    machine.plug_keyboard().await?;
    let path = machine.until("the keyboard's name", 30, "ls /dev/input/by-id/*-event-kbd").await?;
    let path = path.trim();
    let board = format!(
        "cp /etc/till/board.toml /root/board.toml && sed -i '/^\\[scanner\\]/,/^$/ {{ s|^kind.*|kind = \"keyboard\"|; \
         s|^path.*|path = \"{path}\"|; }}' /etc/till/board.toml && systemctl restart till"
    );
    machine.must(&board).await?;
    terminal::sells(machine).await?;
    // A program that listens beside it, such as a console's login.
    machine.must(&format!("setsid sh -c 'timeout 60 cat {path} >/run/overheard' >/dev/null 2>&1 </dev/null &")).await?;

    let (runs, net) = (stage.runs(), stage.ledger().net_fen());
    waits_for_a_code(stage).await?;
    let (machine, shop) = stage.both()?;
    machine.types(&shop.wallet().pay_code()).await?;
    terminal::is_free(machine).await?;
    one_item_for(stage, runs, net, 450)?;

    let machine = stage.machine()?;
    let overheard = machine.must("stat -c %s /run/overheard").await?;
    ensure!(overheard.trim() == "0", "another program read {} bytes of the code", overheard.trim());
    machine.must("cp /root/board.toml /etc/till/board.toml && systemctl restart till").await?;
    terminal::sells(machine).await?;
    machine.unplug_keyboard().await?;
    Ok(format!("by {}", path.rsplit('/').next().unwrap_or_default()))
}
