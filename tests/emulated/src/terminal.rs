//! The terminal in the machine, asked as its technician asks it: by its command line.

use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::machine::Machine;

/// Between two questions.
const ASK_AGAIN: Duration = Duration::from_millis(400);

/// An order that was cancelled before this one may be watched for minutes yet, until its code is dead.
const EVERY_ORDER_ENDS: Duration = Duration::from_secs(420);

/// What `till status` knows.
///
/// # Errors
///
/// When the machine is gone. A daemon that does not answer is `None`.
pub async fn status(machine: &mut Machine) -> anyhow::Result<Option<Value>> {
    // Exit code 1 says that it does not sell, 3 that nobody answers.
    let said = machine.run("till status --json").await?;
    Ok(if matches!(said.code, 0 | 1) { Some(serde_json::from_str(&said.text)?) } else { None })
}

/// Waits until the status is as wished.
///
/// # Errors
///
/// When it is not in time: with what the terminal says and the end of its log.
pub async fn until(
    machine: &mut Machine,
    what: &str,
    within: Duration,
    wished: impl Fn(&Value) -> bool,
) -> anyhow::Result<Value> {
    let end = Instant::now() + within;
    loop {
        if let Some(status) = status(machine).await?
            && wished(&status)
        {
            return Ok(status);
        }
        if Instant::now() > end {
            bail!("waited {} s in vain for {what}\n{}", within.as_secs(), log(machine).await);
        }
        sleep(ASK_AGAIN).await;
    }
}

/// Waits until the terminal sells.
///
/// # Errors
///
/// As [`until`].
pub async fn sells(machine: &mut Machine) -> anyhow::Result<()> {
    let within = Duration::from_secs(150);
    until(machine, "a terminal that sells", within, |status| status["selling"] == true).await.map(|_| ())
}

/// Waits until nobody stands at the machine and every order has its outcome. One that is completed may still be open: the
/// code that nobody scanned is watched until it is dead.
///
/// # Errors
///
/// As [`until`].
pub async fn is_free(machine: &mut Machine) -> anyhow::Result<()> {
    rests(machine, &["completed"]).await
}

/// As [`is_free`], for a terminal that has no money of its last order: that may be watched until its code is dead.
///
/// # Errors
///
/// As [`until`].
pub async fn is_free_and_unpaid(machine: &mut Machine) -> anyhow::Result<()> {
    rests(machine, &["completed", "cancelling"]).await
}

async fn rests(machine: &mut Machine, at_rest: &[&str]) -> anyhow::Result<()> {
    let free = |status: &Value| {
        let open = status["open_orders"].as_array();
        let rests = |open: &Value| open["state"].as_str().is_some_and(|state| at_rest.contains(&state));
        status["order"].is_null() && open.is_some_and(|open| open.iter().all(rests))
    };
    until(machine, "the end of every order", EVERY_ORDER_ENDS, free).await.map(|_| ())
}

/// The latest orders.
///
/// # Errors
///
/// When the terminal does not answer.
pub async fn orders(machine: &mut Machine) -> anyhow::Result<Vec<Value>> {
    let page: Value = serde_json::from_str(&machine.must("till orders --json --limit 500").await?)?;
    Ok(page["orders"].as_array().context("a list of orders")?.clone())
}

/// What there is to know when something is wrong.
pub async fn log(machine: &mut Machine) -> String {
    let look = "till status; till orders | head -8; systemctl status till --no-pager -l | head -15; \
                journalctl -u till --no-pager -n 30 -o cat";
    machine.run(look).await.map(|said| said.text).unwrap_or_default()
}
