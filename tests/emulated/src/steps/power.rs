//! The plug is pulled somewhere in a sale.

use std::time::Duration;

use anyhow::ensure;
use tokio::time::timeout;

use crate::machine::Start;
use crate::shop::press;
use crate::stage::Stage;
use crate::terminal;

/// A sale takes about this long in the emulator; the plug is pulled within.
const SALE: Duration = Duration::from_secs(6);

/// Pulls the plug at a random instant of a sale, boots, and finds the sale settled: paid and delivered once, or the money
/// back, or nothing paid.
pub async fn cut(stage: &mut Stage, number: u32) -> anyhow::Result<String> {
    let (runs, net) = (stage.runs(), stage.ledger().net_fen());
    let after = instant(stage.wanted.seed, number);
    let (machine, shop) = stage.both()?;
    let known = terminal::orders(machine).await?.len();
    let sale = async {
        press(machine, &["1", "1", "ok"]).await?;
        let code = shop.scan_screen(machine).await?;
        shop.wallet().confirm(&code)?;
        terminal::is_free(machine).await
    };
    let ended = timeout(after, sale).await;
    stage.power_cut().await?;
    if let Ok(early) = ended {
        early?;
    }
    let booted = stage.boot(Start::default()).await?;
    let unpaid = stage.ledger().net_fen() == net;
    let machine = stage.machine()?;
    terminal::sells(machine).await?;
    if unpaid {
        terminal::is_free_and_unpaid(machine).await?;
    } else {
        terminal::is_free(machine).await?;
    }
    machine.must("till journal verify /var/lib/till/till.db").await?;
    let (turned, kept) = (stage.runs() - runs, stage.ledger().net_fen() - net);
    ensure!(turned <= 1, "the motor ran {turned} times for one order");
    ensure!(kept == 0 || kept == 200, "{kept} fen were kept for an item of 200");
    ensure!(kept == 0 || turned == 1, "paid, and no motor ever ran");
    let orders = terminal::orders(stage.machine()?).await?;
    let newest = orders.first().filter(|_| orders.len() > known);
    let state = newest.map_or("no order was begun", |order| order["state"].as_str().unwrap_or("no state"));
    Ok(format!(
        "after {:.1} s: {state}, {turned} motor runs, {kept} fen kept; up again in {booted:.0} s",
        after.as_secs_f64()
    ))
}

/// The instants are spread over the sale by a simple generator: the same seed cuts at the same instants.
fn instant(seed: u64, number: u32) -> Duration {
    let mixed = (seed.wrapping_add(u64::from(number))).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 31)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let share = (mixed >> 40) % 1000;
    Duration::from_millis(500 + SALE.as_millis() as u64 * share / 1000)
}
