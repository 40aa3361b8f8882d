//! A terminal whose clock starts in 1970, as a Raspberry Pi's without a network does.

use std::time::Duration;

use crate::machine::Start;
use crate::stage::{Stage, unix_seconds};
use crate::steps::sale;
use crate::terminal;

/// It starts, does not sell and says why; once the time is set it sells.
pub async fn starts_in_1970(stage: &mut Stage) -> anyhow::Result<String> {
    stage.power_off().await?;
    stage.boot(Start { clock: Some("1970-01-01T00:01:00".to_owned()), ..Start::default() }).await?;
    let machine = stage.machine()?;
    let within = Duration::from_secs(120);
    let wrong = |status: &serde_json::Value| {
        status["selling"] == false
            && status["faults"].as_array().is_some_and(|faults| faults.iter().any(|fault| fault["name"] == "clock"))
    };
    let status = terminal::until(machine, "the fault clock", within, wrong).await?;
    let why = status["clock"]["why"].as_str().unwrap_or_default().to_owned();
    // systemd sets a clock forward that is older than itself; to the day of its own making, which is as wrong.
    let date = machine.must("date +%F").await?;
    let now = unix_seconds();
    machine.must(&format!("date -s @{now} >/dev/null")).await?;
    terminal::sells(machine).await?;
    sale::buyer_scans(stage).await?;
    stage.power_off().await?;
    stage.boot(Start::default()).await?;
    terminal::sells(stage.machine()?).await?;
    Ok(format!("on {}, as it believed, it said: {why}", date.trim()))
}
