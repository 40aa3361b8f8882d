//! `till health`: whether this program does its work on this machine. An updater keeps it or goes back by the exit code.
//!
//! What broke before the update is no reason to go back: `--before` names the answer of the old program, and what was bad
//! in it is not held against the new one. So a machine without a network, or with a dead scanner, can be updated. A daemon that
//! does not answer is never excused.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::client::Client;
use super::doctor::{Finding, of_devices, remedy_of_fault, text_of};
use super::files::Files;
use super::{Answer, Exit, Failure, queue};
use crate::api::wire::TerminalStatus;
use crate::api::wire::queue::{Link, Queue};

/// Between two looks with `--within`. Nothing tells when a device or a network comes up, so it is looked at again.
const PAUSE: Duration = Duration::from_secs(2);

/// Faults that a new program may have brought. A jam, a switch and a duty are others' business; the network, the hub and the
/// clock are asked for by themselves.
const OF_THE_PROGRAM: [&str; 7] = ["storage", "journal-full", "scanner", "machine", "display", "printer", "setup-"];

#[derive(Debug, Args)]
pub(super) struct HealthArgs {
    /// How long the daemon must have been up, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    up: u64,
    /// Look again until all is well, for so many seconds at most
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    within: u64,
    /// What `till health --json` said before an update: what was bad then is not held against this program
    #[arg(long, value_name = "PATH")]
    before: Option<PathBuf>,
    #[command(flatten)]
    files: Files,
}

pub(super) async fn examine(client: &Client, args: HealthArgs) -> Result<Answer, Failure> {
    let excused = args.before.as_deref().map(bad_before).transpose()?.unwrap_or_default();
    let mut found = look(client, &args, &excused).await;
    let until_well = async {
        while !is_well(&found) {
            tokio::time::sleep(PAUSE).await;
            found = look(client, &args, &excused).await;
        }
    };
    let _late = tokio::time::timeout(Duration::from_secs(args.within), until_well).await;
    let healthy = is_well(&found);
    let reached = found.first().is_some_and(|daemon| daemon.good);
    let exit = match (healthy, reached) {
        (true, _) => Exit::Done,
        (false, true) => Exit::Refused,
        (false, false) => Exit::Unreachable,
    };
    Ok(Answer { text: text_of(&found), json: json!({ "healthy": healthy, "findings": found }), exit })
}

fn is_well(found: &[Finding]) -> bool {
    found.iter().all(|finding| finding.good)
}

/// What a program before found bad.
fn bad_before(path: &Path) -> Result<Vec<String>, Failure> {
    let unusable = |why: String| {
        Failure::other(Exit::Usage, format!("{} is no answer of `till health --json` ({why})", path.display()))
    };
    let text = std::fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?;
    let answer: Value = serde_json::from_str(&text).map_err(|error| unusable(error.to_string()))?;
    let findings = answer["findings"].as_array().ok_or_else(|| unusable("it has no findings".to_owned()))?;
    let bad = findings.iter().filter(|finding| finding["good"] == false && finding["about"] != "daemon");
    Ok(bad.filter_map(|finding| finding["about"].as_str().map(ToOwned::to_owned)).collect())
}

async fn look(client: &Client, args: &HealthArgs, excused: &[String]) -> Vec<Finding> {
    let mut found = Vec::new();
    let asked: Result<(TerminalStatus, Value), Failure> = client.get("/v1/terminal").await;
    match asked {
        Ok((terminal, _)) => {
            found.extend(of_terminal(&terminal, args.up));
            found.push(of_channels(&client.get("/v1/reach").await));
            found.push(of_queue(&client.get("/v1/queue").await));
        }
        Err(failure) => found.push(Finding::bad("daemon", failure.to_string(), "see `journalctl -u till`")),
    }
    found.push(of_files(&args.files));
    found.extend(of_devices(&args.files.board));
    for finding in found.iter_mut().filter(|finding| !finding.good && excused.contains(&finding.about)) {
        finding.good = true;
        finding.found.push_str(", as before the update");
    }
    found
}

fn of_terminal(terminal: &TerminalStatus, up_s: u64) -> Vec<Finding> {
    let ours = env!("CARGO_PKG_VERSION");
    let remedy = "wait, or restart the daemon: the program on the disk is another one than the one that runs";
    let up = format!("{} is up for {} s", terminal.version, terminal.up_s);
    let mut found = vec![
        Finding::good("daemon", "answers"),
        match terminal.version == ours && terminal.up_s >= up_s {
            true => Finding::good("program", up),
            false => Finding::bad("program", format!("{up}; {ours} for {up_s} s is wanted"), remedy),
        },
        match terminal.clock.trusted {
            true => Finding::good("clock", &*terminal.clock.why),
            false => Finding::bad("clock", &*terminal.clock.why, remedy_of_fault("clock")),
        },
    ];
    let of_program =
        terminal.faults.iter().filter(|fault| OF_THE_PROGRAM.iter().any(|name| fault.name.starts_with(name)));
    found.extend(of_program.map(|fault| Finding::bad(&*fault.name, &*fault.text, remedy_of_fault(&fault.name))));
    found
}

fn of_channels(asked: &Result<(Value, Value), Failure>) -> Finding {
    let trouble = match asked {
        Ok((reach, _)) => match (reach["channel"].as_str(), reach["trouble"].as_str()) {
            (Some(channel), _) => return Finding::good("network", format!("{channel} answers")),
            (None, trouble) => trouble.unwrap_or_default().to_owned(),
        },
        Err(failure) => failure.to_string(),
    };
    Finding::bad("network", trouble, remedy_of_fault("network"))
}

/// Away is the network's matter; a hub that refuses, or a journal that is nearly full, is not.
fn of_queue(asked: &Result<(Queue, Value), Failure>) -> Finding {
    match asked {
        Ok((queue, _)) => {
            let said = format!("{}; {}", queue::link(queue), queue::size(queue));
            match queue::is_roomy(queue) && queue.link != Link::Refused && queue.set_aside_count == 0 {
                true => Finding::good("queue", said),
                false => Finding::bad("queue", said, "`till queue` says what to do"),
            }
        }
        Err(failure) => Finding::bad("queue", failure.to_string(), "see `journalctl -u till`"),
    }
}

fn of_files(files: &Files) -> Finding {
    match files.load_without_keys() {
        Ok(_) => Finding::good("settings", "can be used"),
        Err(failure) => Finding::bad("settings", failure.to_string(), "`till check` shows them"),
    }
}
