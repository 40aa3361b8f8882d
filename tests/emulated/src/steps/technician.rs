//! docs/technician.md from its fourth step on, command by command; the test lends its hands for keys, codes and the phone.

use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;
use tokio::time::Instant;

use crate::machine::Machine;
use crate::shop::press;
use crate::stage::Stage;
use crate::steps::sale;
use crate::terminal;

/// From the refund's order to the money at the buyer's.
const REFUND_WITHIN: Duration = Duration::from_secs(60);

/// What is plugged in, each part by itself, is it well, full slots, the first sale and its refund, a rehearsal, the bundle for a
/// colleague.
pub async fn walks(stage: &mut Stage) -> anyhow::Result<String> {
    let machine = stage.machine()?;
    let there = machine.must("till board detect").await?;
    ensure!(there.contains("/dev/serial/by-id/"), "the scanner's port has no name: {there}");
    let checked = machine.run("till board check /etc/till/board.toml").await?;
    ensure!(checked.code <= 1, "the board file of a machine that sells is refused: {}", checked.text);

    machine.must("systemctl stop till; rm -f /run/bringup /run/bringup.end").await?;
    let runs = stage.runs();
    let tried = brings_up(stage).await;
    let machine = stage.machine()?;
    machine.must("systemctl start till").await?;
    terminal::sells(machine).await?;
    tried?;
    // A motor that a person turned is of no order.
    stage.runs_by_hand += stage.runs() - runs;
    ensure!(stage.runs() == runs + 1, "one slot was named, and {} motors ran", stage.runs() - runs);

    let machine = stage.machine()?;
    let doctor = machine.run("till doctor").await?.code;
    machine.must("till stock fill").await?;
    let full = in_slot(stage.machine()?, "11").await?;
    sale::buyer_scans(stage).await?;
    let left = in_slot(stage.machine()?, "11").await?;
    ensure!(left == full - 1, "slot 11 held {full}, one was bought, and {left} are said to be in it");
    refunds(stage).await?;
    rehearses(stage).await?;
    let machine = stage.machine()?;
    machine.must("cd /root && till support bundle.tar.gz && test -s bundle.tar.gz").await?;
    Ok(format!("board check ends with {}, doctor with {doctor}", checked.code))
}

/// `till bringup all`, with a code and the keys when it asks for them.
async fn brings_up(stage: &mut Stage) -> anyhow::Result<()> {
    let (machine, shop) = stage.both()?;
    let begin = "setsid sh -c 'till bringup all --yes --slot 11 >/run/bringup 2>&1; echo $? >/run/bringup.end' \
                 >/dev/null 2>&1 </dev/null &";
    machine.must(begin).await?;
    let asks = |words: &str| format!("cat /run/bringup; grep -q '{words}' /run/bringup");
    machine.until("the scanner's turn", 120, &asks("hold any code")).await?;
    machine.scan(&shop.wallet().pay_code()).await?;
    machine.until("the keypad's turn", 60, &asks("press every key")).await?;
    press(machine, &["1", "2", "ok", "cancel"]).await?;
    machine.until("its end", 200, "cat /run/bringup; test -e /run/bringup.end").await?;
    let said = machine.run("cat /run/bringup; exit $(cat /run/bringup.end)").await?;
    ensure!(said.code == 0, "a part was not shown to work:\n{}", said.text);
    Ok(())
}

/// How many items the terminal believes to be in a slot.
async fn in_slot(machine: &mut Machine, name: &str) -> anyhow::Result<i64> {
    let list: Value = serde_json::from_str(&machine.must("till stock --json").await?)?;
    let slots = list["slots"].as_array().context("a list of slots")?;
    let slot = slots.iter().find(|slot| slot["slot"] == name).with_context(|| format!("slot {name}"))?;
    slot["stock"].as_i64().with_context(|| format!("slot {name} is not counted"))
}

/// Two cases of `till rehearse`: a person presses Enter, pays by the screen and by a pay code, and looks at the phone.
async fn rehearses(stage: &mut Stage) -> anyhow::Result<()> {
    let before = stage.ledger().net_fen();
    let (machine, shop) = stage.both()?;
    let begin = "rm -f /run/hands /run/rehearsal.end; mkfifo /run/hands; setsid sh -c 'exec 3<>/run/hands; \
                 till rehearse --case shown-paid --case code-paid --by Technician --out /root/rehearsal.md \
                 <&3 >/run/rehearsal 2>&1; echo $? >/run/rehearsal.end' >/dev/null 2>&1 </dev/null &";
    machine.must(begin).await?;
    answers(machine, "回车开始", 1, "").await?;
    hears(machine, "请扫屏幕上的二维码并付款", 1).await?;
    let code = shop.scan_screen(machine).await?;
    shop.wallet().confirm(&code)?;
    answers(machine, "y 是", 1, "y").await?;
    answers(machine, "回车开始", 2, "").await?;
    hears(machine, "请打开付款码", 1).await?;
    machine.scan(&shop.wallet().pay_code()).await?;
    answers(machine, "y 是", 2, "y").await?;
    machine.until("the rehearsal's end", 240, "cat /run/rehearsal; test -e /run/rehearsal.end").await?;
    let said = machine.run("cat /run/rehearsal /root/rehearsal.md; exit $(cat /run/rehearsal.end)").await?;
    ensure!(said.code == 0, "a case did not pass:\n{}", said.text);
    ensure!(stage.ledger().net_fen() == before, "a rehearsal kept money:\n{}", said.text);
    terminal::is_free(stage.machine()?).await
}

/// Waits until the rehearsal has said something so many times.
async fn hears(machine: &mut Machine, words: &str, times: u32) -> anyhow::Result<()> {
    let look = format!("cat /run/rehearsal; test $(grep -c '{words}' /run/rehearsal) -ge {times}");
    machine.until(words, 120, &look).await.map(|_| ())
}

/// Types a line once the rehearsal has asked.
async fn answers(machine: &mut Machine, question: &str, times: u32, line: &str) -> anyhow::Result<()> {
    hears(machine, question, times).await?;
    machine.must(&format!("echo '{line}' >/run/hands")).await.map(|_| ())
}

/// `till orders`, and the money of the newest goes back.
async fn refunds(stage: &mut Stage) -> anyhow::Result<()> {
    let before = stage.ledger().net_fen();
    let machine = stage.machine()?;
    let orders = terminal::orders(machine).await?;
    let newest = orders.first().context("an order")?;
    let (number, paid) = (newest["id"].as_str().context("its number")?, newest["paid"].as_i64().unwrap_or_default());
    ensure!(paid > 0, "the sale of a moment ago is not the newest order: {newest:#}");
    machine.must(&format!("till refund {number}")).await?;
    let end = Instant::now() + REFUND_WITHIN;
    while stage.ledger().net_fen() != before - paid {
        ensure!(
            Instant::now() < end,
            "{paid} fen of {number} did not go back:\n{}",
            terminal::log(stage.machine()?).await
        );
        terminal::is_free(stage.machine()?).await?;
    }
    Ok(())
}
