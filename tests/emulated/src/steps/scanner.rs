//! A scanner on a USB serial port.

use anyhow::ensure;

use crate::shop::press;
use crate::stage::Stage;
use crate::steps::sale::one_item_for;
use crate::terminal;

/// Buys slot 12 and shows a pay code to the scanner.
pub async fn machine_scans(stage: &mut Stage) -> anyhow::Result<()> {
    let (runs, net) = (stage.runs(), stage.ledger().net_fen());
    let (machine, shop) = stage.both()?;
    press(machine, &["1", "2", "ok"]).await?;
    terminal::until(machine, "an armed scanner", ARMED, |status| status["scanner_armed"] == true).await?;
    machine.scan(&shop.wallet().pay_code()).await?;
    terminal::is_free(machine).await?;
    one_item_for(stage, runs, net, 450)
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
