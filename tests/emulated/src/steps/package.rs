//! The package that ships: installed, set up as a technician does it, upgraded, purged.

use anyhow::{Context, ensure};

use crate::machine::Machine;
use crate::report::Done;
use crate::stage::Stage;
use crate::terminal;

const BOARD: &str = include_str!("../../terminal/board.toml");
const CONFIG: &str = include_str!("../../terminal/till.toml");

/// The boot partition of a card, which any PC can write.
const CARD: &str = "/boot/firmware";
/// The journal of an installed terminal.
const JOURNAL: &str = "/var/lib/till/till.db";

/// `dpkg -i`, and the service does not fail for want of a configuration.
pub async fn installs(stage: &mut Stage) -> anyhow::Result<String> {
    let package = std::fs::metadata(&stage.wanted.deb)?.len();
    let machine = stage.machine()?;
    machine.must("dpkg -i /load/till.deb").await?;
    machine.must("id till && getent group gpio && test -d /etc/till && systemctl is-enabled till").await?;
    let state = machine.run("systemctl is-failed till").await?;
    ensure!(
        state.text.trim() != "failed",
        "a terminal without a configuration is no failure:\n{}",
        terminal::log(machine).await
    );
    let version = machine.must("till --version").await?;
    let size = machine.must("stat -c %s /usr/bin/till").await?;
    Ok(format!("{}, program {} bytes, package {} bytes", version.trim(), size.trim(), package))
}

/// A folder on the boot partition, as docs/technician.md has it; a start takes it, and the terminal says READY and sells.
pub async fn is_set_up(stage: &mut Stage) -> anyhow::Result<String> {
    let (machine, shop) = stage.both()?;
    let port = machine.until("the scanner's stable name", 30, "ls /dev/serial/by-id/* | head -1").await?;
    let board = BOARD.replace("@SCANNER@", port.trim());
    let config = CONFIG.replace("@APP_ID@", &sandbox::merchant_keys().app_id);
    machine.put(&format!("{CARD}/till/board.toml"), "644", board.as_bytes()).await?;
    machine.put(&format!("{CARD}/till/till.toml"), "644", config.as_bytes()).await?;
    for (name, text) in shop.keys() {
        machine.put(&format!("{CARD}/till/keys/{name}"), "644", text.as_bytes()).await?;
    }
    machine.run("systemctl restart till-provision; systemctl daemon-reload; systemctl restart till").await?;
    let report = machine.run(&format!("cat {CARD}/till-report.txt")).await?.text;
    ensure!(report.contains("Till: provisioned"), "{report}");
    terminal::sells(machine).await.with_context(|| report.clone())?;
    machine
        .must(&format!("test -d {CARD}/till-done && test ! -e {CARD}/till-done/keys/alipay-private-key.pem"))
        .await?;
    let modes = machine.must("stat -c '%a %U' /etc/till/keys/alipay-private-key.pem").await?;
    ensure!(modes.trim() == "600 root", "the private key is {modes}");
    let found = machine.run("till doctor").await?;
    Ok(format!("scanner {}; doctor ends with {}", port.trim().rsplit('/').next().unwrap_or_default(), found.code))
}

/// A package of another version over this one: the journal stays, the service is the new one.
pub async fn upgrades(stage: &mut Stage) -> anyhow::Result<Done> {
    if stage.wanted.older.is_none() {
        return Ok(Done::NotRun("no package of another version was given (--older)".to_owned()));
    }
    let machine = stage.machine()?;
    let (orders, before) = (terminal::orders(machine).await?.len(), pid(machine).await?);
    machine.must("dpkg -i /load/other.deb").await?;
    // The package does not replace a program that serves somebody: it waits for its moment.
    machine
        .until(
            "another process",
            120,
            &format!("till ready-for-update; [ \"$(systemctl show -P MainPID till)\" != {} ]", before.trim()),
        )
        .await?;
    terminal::sells(machine).await?;
    ensure!(terminal::orders(machine).await?.len() == orders, "the journal lost orders");
    machine.must(&format!("till journal verify {JOURNAL}")).await?;
    let version = machine.must("dpkg-query -W -f '${Version}' till").await?;
    Ok(Done::Passed(format!("now {version}, {orders} orders kept")))
}

async fn pid(machine: &mut Machine) -> anyhow::Result<String> {
    machine.must("systemctl show -P MainPID till").await
}

/// Removed: the program is gone and the journal is not. Purged: nothing is left but a journal that holds money matters.
pub async fn purges(stage: &mut Stage) -> anyhow::Result<String> {
    let machine = stage.machine()?;
    machine.must("dpkg -r till").await?;
    machine
        .must(&format!(
            "test ! -e /usr/bin/till && test -e {JOURNAL} && test -e /etc/till/till.toml && ! systemctl is-active till"
        ))
        .await?;
    machine.must("dpkg -P till").await?;
    let left = machine.must("ls -d /etc/till /var/lib/till /run/till /lib/systemd/system/till* /etc/systemd/system/till* 2>/dev/null; true").await?;
    let left: Vec<&str> = left.split_whitespace().collect();
    ensure!(left.iter().all(|path| *path == "/var/lib/till"), "left behind: {left:?}");
    Ok(if left.is_empty() { "nothing is left".to_owned() } else { "only the journal is left".to_owned() })
}
