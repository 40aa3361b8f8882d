//! A card that was copied to another board.

use anyhow::ensure;

use crate::machine::Machine;
use crate::stage::Stage;
use crate::terminal;

/// Where boards with a device tree tell their serial number. The emulated one has none, so the step lays one over it.
const TREE: &str = "/sys/firmware/devicetree/base";

/// On a second board the same card is refused with what to do, until a technician says that it was moved.
pub async fn is_refused(stage: &mut Stage) -> anyhow::Result<String> {
    let machine = stage.machine()?;
    machine.must(&format!("mount -t tmpfs none {TREE} && echo -n 10000000aaaaaaaa >{TREE}/serial-number")).await?;
    machine.must("systemctl restart till").await?;
    terminal::sells(machine).await?;
    machine.must("grep -q 10000000aaaaaaaa /var/lib/till/board.id").await?;

    machine.must(&format!("echo -n 10000000bbbbbbbb >{TREE}/serial-number")).await?;
    machine.run("systemctl restart till").await?;
    machine.until("a refusal", 60, "systemctl is-failed till").await?;
    let said =
        machine.must("systemctl show -P ExecMainStatus till; journalctl -u till -n 20 --no-pager -o cat").await?;
    ensure!(said.contains("till provision --moved"), "the log does not say what to do: {said}");
    let code = said.lines().next().unwrap_or_default().to_owned();

    machine.must("till provision --moved && systemctl reset-failed till && systemctl start till").await?;
    terminal::sells(machine).await?;
    forgets(machine).await?;
    Ok(format!("refused with exit code {code}, and taken once it was said to be moved"))
}

/// Back to a board without a number, which is bound to nothing.
async fn forgets(machine: &mut Machine) -> anyhow::Result<()> {
    machine
        .must(&format!("systemctl stop till && umount {TREE} && rm /var/lib/till/board.id && systemctl start till"))
        .await?;
    terminal::sells(machine).await
}
