//! `till faults` and `till sell`

use clap::Subcommand;
use reqwest::Method;
use serde_json::Value;

use super::client::{Client, escaped};
use super::{Answer, Failure, OnOff, status};
use crate::api::wire::TerminalStatus;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Clear a fault after repair, such as slot-12
    Clear {
        /// Its name, as `till status` shows it
        name: String,
    },
}

pub(super) async fn act(client: &Client, command: Command) -> Result<Answer, Failure> {
    match command {
        Command::Clear { name } => change(client, Method::DELETE, &name).await,
    }
}

pub(super) async fn sell(client: &Client, on_or_off: OnOff) -> Result<Answer, Failure> {
    let method = match on_or_off {
        OnOff::On => Method::DELETE,
        OnOff::Off => Method::PUT,
    };
    change(client, method, "switched-off").await
}

/// What was asked for is done, so the exit code is 0 even when the machine does not sell now.
async fn change(client: &Client, method: Method, fault: &str) -> Result<Answer, Failure> {
    let path = format!("/v1/faults/{}", escaped(fault));
    let (terminal, json): (TerminalStatus, Value) = client.call(method, &path).await?;
    let shown = status::answer(&terminal, json);
    Ok(Answer::done(shown.text, shown.json))
}
