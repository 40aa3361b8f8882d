//! `till ready-for-update`: whether the program may be replaced now, so that nobody loses a minute over it.
//!
//! Nothing would be lost at any moment: whatever is open goes on from the journal after the restart. But the buyer in front
//! of the machine would stand there. Money that the channel refuses to take back for now (`owed`) is nobody in front of the
//! machine and may stay so for weeks: it does not hold up an update. Nor does an order that is done, and open only because a
//! code of it that nobody scanned is watched until it is dead: a machine that sells every minute always has one.

use std::time::Duration;

use clap::Args;
use payment::engine::entry::OrderState;
use reqwest::Method;
use serde_json::{Value, json};

use super::client::Client;
use super::{Answer, Exit, Failure, text};
use crate::api::wire::TerminalStatus;

const SWITCH: &str = "/v1/faults/switched-off";

#[derive(Debug, Args)]
pub(super) struct ReadyArgs {
    /// Wait for it, for so many seconds at most
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    wait: u64,
    /// Once it is ready, switch selling off until the restart; `till sell on` if the update does not come
    #[arg(long)]
    hold: bool,
}

pub(super) async fn ask(client: &Client, args: ReadyArgs) -> Result<Answer, Failure> {
    let waited = tokio::time::timeout(Duration::from_secs(args.wait), until_nothing_is_open(client)).await;
    waited.unwrap_or(Ok(()))?;
    let (terminal, _): (TerminalStatus, Value) = client.get("/v1/terminal").await?;
    let reasons = reasons(&terminal);
    if !reasons.is_empty() || !args.hold {
        return Ok(answer(&reasons));
    }
    hold(client, &terminal).await
}

/// Looks again whenever something is written; the stream's keep-alives count too.
async fn until_nothing_is_open(client: &Client) -> Result<(), Failure> {
    let mut entries = client.entries().await?;
    loop {
        let (terminal, _): (TerminalStatus, Value) = client.get("/v1/terminal").await?;
        if reasons(&terminal).is_empty() {
            return Ok(());
        }
        entries.next().await?;
    }
}

/// Switches selling off, and looks once more: somebody may have come in the meantime. Then it is switched on again.
async fn hold(client: &Client, before: &TerminalStatus) -> Result<Answer, Failure> {
    let was_off = before.faults.iter().any(|fault| fault.name == "switched-off");
    let (terminal, _): (TerminalStatus, Value) = client.call(Method::PUT, SWITCH).await?;
    let reasons = reasons(&terminal);
    if !reasons.is_empty() && !was_off {
        let _on: (Value, Value) = client.call(Method::DELETE, SWITCH).await?;
    }
    Ok(answer(&reasons))
}

/// What speaks against it.
fn reasons(terminal: &TerminalStatus) -> Vec<String> {
    let mut reasons: Vec<String> =
        terminal.order.iter().map(|order| format!("order {order} is at the machine")).collect();
    let open = terminal.open_orders.iter().filter(|open| holds_up(open.state));
    reasons.extend(open.map(|open| format!("{} {}", open.count, text::words(open.state))));
    let storage = terminal.faults.iter().filter(|fault| fault.name == "storage");
    reasons.extend(storage.map(|fault| format!("{}: what waits for the disk is only in memory", fault.text)));
    reasons
}

const fn holds_up(state: OrderState) -> bool {
    match state {
        OrderState::Waiting
        | OrderState::Confirming
        | OrderState::Unknown
        | OrderState::Cancelling
        | OrderState::Paid
        | OrderState::Delivering
        | OrderState::Refunding => true,
        OrderState::Completed
        | OrderState::Cancelled
        | OrderState::Expired
        | OrderState::Failed
        | OrderState::Owed
        | OrderState::Refunded => false,
    }
}

fn answer(reasons: &[String]) -> Answer {
    let json = json!({ "ready": reasons.is_empty(), "reasons": reasons });
    match reasons {
        [] => Answer::done("Ready: nothing is open, and nobody is at the machine.", json),
        _ => Answer { text: format!("Not ready: {}.", reasons.join("; ")), json, exit: Exit::Refused },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terminal(state: &str) -> TerminalStatus {
        serde_json::from_value(json!({
            "selling": true, "faults": [], "scanner_armed": false, "open_orders": [{ "state": state, "count": 2 }],
            "clock": { "time": "2026-11-22T00:00:00Z", "trusted": true }, "slots": [], "version": "0", "up_s": 1, "newest_seq": 1,
        }))
        .unwrap()
    }

    #[test]
    fn what_is_done_and_only_watched_holds_up_no_update_and_what_is_under_way_does() {
        for state in ["completed", "cancelled", "expired", "failed", "owed", "refunded"] {
            assert!(reasons(&terminal(state)).is_empty(), "{state}");
        }
        for state in ["waiting", "confirming", "unknown", "cancelling", "paid", "delivering", "refunding"] {
            let reasons = reasons(&terminal(state));
            assert!(matches!(&reasons[..], [one] if one.starts_with("2 ")), "{state}: {reasons:?}");
        }
    }
}
