//! `till doctor`: looks for trouble from the outside in, and says what to do about each finding.

mod clock;
mod daemon;
mod devices;
mod disk;
mod journal;
mod keys;
mod power;
mod queue;
#[cfg(test)]
mod tests;
mod watchdog;

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::client::Client;
pub(super) use super::finding::{Finding, text_of};
use super::machine::Tree;
use super::{Answer, Exit, Failure};
use crate::api::wire::TerminalStatus;
pub(super) use daemon::remedy_of_fault;
pub(super) use devices::of_devices;

#[derive(Debug, Clone, Args)]
pub(super) struct DoctorArgs {
    /// The journal's file
    #[arg(long, value_name = "PATH", default_value = "/var/lib/till/till.db")]
    pub(super) journal: PathBuf,
    /// The board, to see whether its device files are there
    #[arg(long, value_name = "PATH", default_value = "/etc/till/board.toml")]
    pub(super) board: PathBuf,
    /// The configuration, to see whether the operator's key is there
    #[arg(long, value_name = "PATH", default_value = "/etc/till/till.toml")]
    pub(super) config: PathBuf,
}

pub(super) async fn examine(client: &Client, args: DoctorArgs) -> Result<Answer, Failure> {
    let examined = look(client, &args, &Tree::default()).await;
    let exit = examined.exit();
    let findings = examined.findings;
    let json = json!({ "good": exit == Exit::Done, "findings": findings });
    Ok(Answer { text: text_of(&findings), json, exit })
}

/// What was found, and the two things that decide how the program ends.
pub(super) struct Examined {
    pub(super) findings: Vec<Finding>,
    reached: bool,
    journal_good: bool,
}

impl Examined {
    fn exit(&self) -> Exit {
        match (self.findings.iter().all(|finding| finding.good), self.reached, self.journal_good) {
            (true, ..) => Exit::Done,
            (false, false, _) => Exit::Unreachable,
            (false, true, false) => Exit::Journal,
            (false, true, true) => Exit::Refused,
        }
    }
}

/// From the daemon's own word to the computer below it.
pub(super) async fn look(client: &Client, args: &DoctorArgs, tree: &Tree) -> Examined {
    let mut findings = Vec::new();
    let asked: Result<(TerminalStatus, Value), Failure> = client.get("/v1/terminal").await;
    let reached = asked.is_ok();
    match asked {
        Ok((terminal, _)) => {
            findings.extend(daemon::of_terminal(client.socket(), &terminal));
            findings.extend(daemon::of_complaints(&client.get("/v1/complaints").await));
            findings.extend(daemon::of_refunds(&client.get("/v1/refunds?state=asked&limit=500").await));
            findings.extend(queue::of_queue(&client.get("/v1/queue").await));
        }
        Err(failure) => {
            findings.push(Finding::bad("daemon", failure.to_string(), daemon::remedy_of_socket(client.socket())));
        }
    }
    findings.push(keys::of_operator(&args.config));
    findings.extend(keys::of_credentials(tree));
    let journal = journal::of_journal(&args.journal);
    let journal_good = journal.good;
    findings.push(journal);
    findings.extend(disk::of_disk(tree, &args.journal));
    findings.extend(devices::of_board(tree, &args.board));
    findings.extend(power::of_power(tree));
    findings.extend(clock::of_clock(tree));
    findings.push(watchdog::of_watchdog(tree));
    Examined { findings, reached, journal_good }
}
