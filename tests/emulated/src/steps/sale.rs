//! Sales: keys and relay through the pins, the screen through the phone's eye, the money at the channel outside.

use anyhow::{Context, ensure};
use serde_json::Value;
use tokio::time::Instant;

use crate::shop::press;
use crate::stage::Stage;
use crate::terminal;

/// Buys slot 11 by the keypad, pays what the screen shows, and gets one item.
pub async fn buyer_scans(stage: &mut Stage) -> anyhow::Result<String> {
    let (runs, net) = (stage.runs(), stage.ledger().net_fen());
    let (machine, shop) = stage.both()?;
    press(machine, &["1", "1", "ok"]).await?;
    let began = Instant::now();
    let code = shop.scan_screen(machine).await?;
    let shown = began.elapsed();
    shop.wallet().confirm(&code)?;
    terminal::is_free(machine).await?;
    one_item_for(stage, runs, net, 200)?;
    Ok(format!("a phone reads the code {:.1} s after the key", shown.as_secs_f64()))
}

/// Exactly one motor run more, and exactly the price.
pub fn one_item_for(stage: &Stage, runs_before: usize, net_before: i64, price: i64) -> anyhow::Result<()> {
    let (runs, net) = (stage.runs() - runs_before, stage.ledger().net_fen() - net_before);
    ensure!(runs == 1, "{runs} motor runs for one item");
    ensure!(net == price, "{net} fen were collected for an item of {price}");
    Ok(())
}

/// A jam gives the money back; the lamp shines while the motor works; a person clears the slot.
pub async fn jams(stage: &mut Stage) -> anyhow::Result<()> {
    let net = stage.ledger().net_fen();
    let (machine, shop) = stage.both()?;
    let watch = "touch /run/jammed; : >/run/lit; \
                 setsid sh -c 'while [ -e /run/jammed ]; do cat /run/gpio/sim_gpio4/value >>/run/lit; sleep 0.1; done' >/dev/null 2>&1 </dev/null &";
    machine.must(watch).await?;
    press(machine, &["2", "1", "ok"]).await?;
    let code = shop.scan_screen(machine).await?;
    shop.wallet().confirm(&code)?;
    terminal::is_free(machine).await?;
    machine.must("rm /run/jammed; grep -q 1 /run/lit").await.context("the lamp shines while the machine delivers")?;
    let said = machine.run("till status").await?.text;
    machine.run("till faults clear slot-21").await?;
    ensure!(stage.ledger().net_fen() == net, "the money of a jam did not come back whole; the terminal says:\n{said}");
    Ok(())
}

/// Everything that was ever sold here: every order ended, the channel kept what the terminal believes, no motor ran twice
/// for an order, and the journal is as it was written.
pub async fn books_agree(stage: &mut Stage) -> anyhow::Result<String> {
    let machine = stage.machine()?;
    terminal::is_free(machine).await?;
    machine.must("till journal verify /var/lib/till/till.db").await?;
    let orders = terminal::orders(machine).await?;
    let sum = |key: &str| orders.iter().filter_map(|order| order[key].as_i64()).sum::<i64>();
    let (kept, net) = (sum("paid") - sum("refunded"), stage.ledger().net_fen());
    ensure!(kept == net, "the terminal kept {kept} fen, the channel {net}: {orders:#?}");
    let paid = orders.iter().filter(|order| order["paid"].as_i64() > Some(0)).count();
    let runs = stage.runs() - stage.runs_by_hand;
    ensure!(runs <= paid, "{runs} motor runs for {paid} paid orders");
    let ended = |order: &&Value| order["state"] != "owed";
    ensure!(orders.iter().all(|order| ended(&order)), "owed: {orders:#?}");
    Ok(format!("{} orders, {paid} paid, {net} fen kept, {runs} motor runs", orders.len()))
}
