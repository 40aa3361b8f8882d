//! `till support`: what somebody far away needs to find a fault, in one file, and nothing that is worth stealing.
//!
//! What is a secret is not read: of keys there are names and modes only. Of orders there is what a till's own paper would show.
//! What may hold anything, the log and the texts of the files, is masked on its way in; there is no other way in.

mod archive;
mod masked;
#[cfg(test)]
mod tests;

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::client::Client;
use super::doctor::{self, DoctorArgs};
use super::machine::{Tree, architecture, devices, thieves};
use super::{Answer, Exit, Failure, text};
use crate::api::wire::{OrderPage, OrderRow};
use crate::config;
use masked::masked;

/// The newest lines of the log.
const LOG_LINES: &str = "2000";
/// The newest orders.
const ORDERS: u32 = 200;
/// A log that does not come by then is left out.
const LOG_WITHIN: Duration = Duration::from_secs(20);

#[derive(Debug, Args)]
pub(super) struct SupportArgs {
    /// The file to write, such as vm-0001.tar.gz; it must not be there yet
    file: PathBuf,
    #[command(flatten)]
    files: DoctorArgs,
}

pub(super) async fn bundle(client: &Client, args: SupportArgs) -> Result<Answer, Failure> {
    let log = log().await;
    let parts = gather(client, &args.files, &Tree::default(), &log).await;
    write(&args.file, &parts)?;
    let mut rows = vec![text::heading(&["IN IT", "BYTES", "WHAT IT IS"])];
    rows.extend(parts.iter().map(|part| vec![part.name.to_owned(), part.text.len().to_string(), part.what.to_owned()]));
    let text = format!(
        "{} is written. No keys, pay codes or accounts are in it; read it before you send it: tar xzOf {0} | less\n\n{}",
        args.file.display(),
        text::table(&rows)
    );
    let contents: Vec<Value> =
        parts.iter().map(|part| json!({ "name": part.name, "bytes": part.text.len(), "what": part.what })).collect();
    Ok(Answer::done(text, json!({ "file": args.file, "contents": contents })))
}

/// One file of the bundle. Its text is masked: this is the only way to make one.
struct Part {
    name: &'static str,
    what: &'static str,
    text: String,
}

impl Part {
    fn new(name: &'static str, what: &'static str, text: &str) -> Self {
        Self { name, what, text: masked(text) }
    }
}

async fn gather(client: &Client, files: &DoctorArgs, tree: &Tree, log: &str) -> Vec<Part> {
    let examined = doctor::look(client, files, tree).await;
    let status: Result<(Value, Value), Failure> = client.get("/v1/terminal").await;
    let queue: Result<(Value, Value), Failure> = client.get("/v1/queue").await;
    let orders: Result<(OrderPage, Value), Failure> = client.get(&format!("/v1/orders?limit={ORDERS}")).await;
    let version = json!({ "till": env!("CARGO_PKG_VERSION"), "architecture": architecture(), "model": tree.model() });
    let computer = json!({ "devices": devices(tree), "in_the_way": thieves(tree) });
    vec![
        Part::new("version.json", "this program and this computer", &pretty(&version)),
        Part::new("doctor.json", "what `till doctor` found", &pretty(&json!(examined.findings))),
        Part::new("status.json", "how the terminal does", &answered(status)),
        Part::new("queue.json", "what waits for the hub", &answered(queue)),
        Part::new("orders.json", "the newest orders: numbers, states, amounts", &pretty(&states(orders))),
        Part::new("settings.txt", "the settings in force; keys are names of files", &settings(files)),
        Part::new("board.toml", "the board, without its comments", &without_comments(&files.board)),
        Part::new("computer.json", "what is plugged in, and what is in the way", &pretty(&computer)),
        Part::new("log.txt", "the newest lines of the log", log),
    ]
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

fn answered(asked: Result<(Value, Value), Failure>) -> String {
    asked.map_or_else(|failure| failure.to_string(), |(_, json)| pretty(&json))
}

/// The caller's own reference may be anybody's telephone number: it stays here.
fn states(asked: Result<(OrderPage, Value), Failure>) -> Value {
    let row = |row: &OrderRow| {
        json!({
            "id": row.id, "state": row.state, "open": row.open, "amount": row.amount, "paid": row.paid,
            "refunded": row.refunded, "origin": row.origin, "opened_at": row.opened_at, "changed_at": row.changed_at,
        })
    };
    match asked {
        Ok((page, _)) => page.orders.iter().map(row).collect(),
        Err(failure) => json!(failure.to_string()),
    }
}

/// As `till check` shows them: secrets are never among them, only their files.
fn settings(files: &DoctorArgs) -> String {
    match config::load_without_keys(&files.config, &files.board) {
        Ok(checked) => checked.effective.to_string(),
        Err(report) => report.to_string(),
    }
}

/// A comment may be about anything.
fn without_comments(board: &Path) -> String {
    let text = match std::fs::read_to_string(board) {
        Ok(text) => text,
        Err(error) => return format!("{}: {error}", board.display()),
    };
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim_end());
    let kept = lines.filter(|line| !line.is_empty()).map(|line| format!("{line}\n"));
    kept.collect()
}

/// The service's log, from the system's own.
async fn log() -> String {
    let asked = tokio::process::Command::new("journalctl")
        .args(["--unit=till", "--no-pager", "--output=short-iso", "--lines", LOG_LINES])
        .kill_on_drop(true)
        .output();
    match tokio::time::timeout(LOG_WITHIN, asked).await {
        Ok(Ok(told)) => String::from_utf8_lossy(&told.stdout).into_owned() + &String::from_utf8_lossy(&told.stderr),
        Ok(Err(error)) => format!("journalctl: {error}\n"),
        Err(_) => "journalctl did not answer\n".to_owned(),
    }
}

/// Its owner's only, and never over another file.
fn write(file: &Path, parts: &[Part]) -> Result<(), Failure> {
    let failed =
        |error: std::io::Error| Failure::other(Exit::Refused, format!("{} cannot be written: {error}", file.display()));
    let files: Vec<(&str, &[u8])> = parts.iter().map(|part| (part.name, part.text.as_bytes())).collect();
    let packed = archive::packed(&files, jiff::Timestamp::now().as_second()).map_err(failed)?;
    let mut written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).map_err(failed)?;
    written.write_all(&packed).and_then(|()| written.sync_all()).map_err(failed)
}
