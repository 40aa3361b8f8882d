//! `till provision`: settings, board and keys from a folder, and what a person says about a card on another board.
//! See `docs/provisioning.md`. Works on the files; the daemon must not be running for the second.

mod folder;
mod install;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::{Answer, Exit, Failure, board};
use crate::config::{self, Checked};
use crate::daemon::binding;
use install::Applied;

#[derive(Debug, Args)]
pub(super) struct ProvisionArgs {
    /// Take till.toml, the board and keys/ from this folder, such as /boot/firmware/till, and remove the keys there
    #[arg(group = "what", required_unless_present_any = ["moved", "new_identity"])]
    folder: Option<PathBuf>,
    /// The card was moved to this board, and the board before is out of service: go on as the same terminal
    #[arg(long, group = "what")]
    moved: bool,
    /// The card is a copy: begin as the new terminal that till.toml names; what was copied is put aside
    #[arg(long, group = "what")]
    new_identity: bool,
    /// Leave the folder as it is, for a stick that serves several machines
    #[arg(long)]
    keep: bool,
    /// Another root than this system's, such as a mounted card
    #[arg(long, value_name = "PATH", default_value = "/", conflicts_with_all = ["moved", "new_identity"])]
    root: PathBuf,
}

pub(super) fn act(args: &ProvisionArgs, socket: &Path) -> Result<Answer, Failure> {
    match &args.folder {
        Some(folder) => from_folder(folder, args),
        None => rebind(args, socket),
    }
}

/// What becomes of it is also written beside the folder, for who has only the card and a PC.
fn from_folder(folder: &Path, args: &ProvisionArgs) -> Result<Answer, Failure> {
    if !args.keep && folder::is_taken(folder) {
        folder::clear(folder).map_err(|error| Failure::other(Exit::Refused, not_cleared(folder, &error)))?;
        let text = "Till: was provisioned from here before; what was left of the folder is cleared now.";
        return Ok(Answer::done(text, json!({ "cleared": true })));
    }
    let report = folder.with_file_name("till-report.txt");
    let say = |text: &str| std::fs::write(&report, format!("{text}\n"));
    if !args.keep {
        say("Till: provisioning has begun and has not ended yet.").map_err(|error| {
            let message = format!(
                "{} cannot be written ({error}), so the keys could not be removed there either, and nothing was changed. \
                 Mount it for writing, or use --keep and take the folder away yourself",
                report.display()
            );
            Failure::other(Exit::Refused, message)
        })?;
    }
    let outcome = install::apply(folder, &args.root);
    let mut text = match &outcome {
        Ok(applied) => words(applied),
        Err(why) => format!("Till: NOT provisioned, and nothing on the machine was changed.\n\n{why}"),
    };
    if !args.keep {
        // Who runs this by hand reads it anyway. It is there before the folder goes: a power cut leaves it true.
        let _unwritten = say(&text);
        if let Some(error) = outcome.as_ref().ok().and_then(|_| folder::clear(folder).err()) {
            text = format!("{text}\n{}", not_cleared(folder, &error));
            let _unwritten = say(&text);
        }
    }
    match outcome {
        Ok(applied) => Ok(Answer::done(text, json!({ "terminal": applied.terminal, "keys": applied.keys }))),
        Err(_) => Err(Failure::other(Exit::Config, text)),
    }
}

fn not_cleared(folder: &Path, error: &std::io::Error) -> String {
    format!(
        "BUT {} could not be cleared ({error}): remove it by hand, the private keys are still in it.",
        folder.display()
    )
}

fn words(applied: &Applied) -> String {
    let hub = applied.hub.as_ref().map_or_else(String::new, |hub| format!("\nThis terminal's key for the hub: {hub}"));
    format!(
        "Till: provisioned as terminal {} with the board {}, {} files of keys.{hub}\nStart it with: systemctl daemon-reload && systemctl restart till",
        applied.terminal, applied.board, applied.keys
    )
}

fn rebind(args: &ProvisionArgs, socket: &Path) -> Result<Answer, Failure> {
    board::without_a_daemon(socket, "the journal is its own. Stop it first: systemctl stop till")?;
    let config = args.root.join("etc/till/till.toml");
    let checked = config::load_for_hub(&config)
        .map_err(|report| Failure::other(Exit::Config, format!("the configuration cannot be used\n{report}")))?;
    let aside = if args.new_identity { Some(put_aside(&checked)?) } else { None };
    let bound = binding::bind(&args.root, &checked.journal, &checked.terminal.id).map_err(|error| unwritten(&error))?;
    let board = bound.as_ref().map_or_else(
        || "this board, which has no serial number: a copy of its card would not be noticed".to_owned(),
        |bound| format!("the board with serial number {}", bound.serial),
    );
    let aside = aside.map_or_else(String::new, |aside| format!("\nWhat was copied is in {}", aside.display()));
    let text = format!(
        "Terminal {} now belongs to {board}.{aside}\nStart it with: systemctl restart till",
        checked.terminal.id
    );
    Ok(Answer::done(text, json!({ "terminal": checked.terminal.id, "serial": bound.map(|bound| bound.serial) })))
}

/// Nothing is deleted: whoever finds out that it was no copy after all puts it back. The name keeps the old number.
fn put_aside(checked: &Checked) -> Result<PathBuf, Failure> {
    let id = &checked.terminal.id;
    let noted = binding::noted(&checked.journal);
    if noted.as_ref().is_some_and(|noted| noted.terminal == *id) {
        let message = format!(
            "till.toml still says that this is terminal {id}, which is the one that was copied: give this one a number of its own in [terminal] id first"
        );
        return Err(Failure::other(Exit::Refused, message));
    }
    let copied = noted.map_or_else(|| "unknown".to_owned(), |noted| noted.terminal);
    let named = |more: &str| checked.journal.with_file_name(format!("copied-from-{copied}{more}"));
    let (mut aside, mut number) = (named(""), 1);
    while aside.exists() {
        // A power cut came in between, or there was a copy of a copy.
        number += 1;
        aside = named(&format!("-{number}"));
    }
    std::fs::create_dir(&aside).map_err(|error| unwritten(&error))?;
    for file in copied_files(checked) {
        let name = file.file_name().unwrap_or_default();
        if file.exists() {
            std::fs::rename(&file, aside.join(name)).map_err(|error| unwritten(&error))?;
        }
    }
    Ok(aside)
}

/// What makes a terminal this one and no other: what it sold, its key, what its hub has set, and its statements.
fn copied_files(checked: &Checked) -> Vec<PathBuf> {
    let journal = checked.journal.display();
    let mut files: Vec<PathBuf> =
        ["", "-wal", "-shm", ".lock"].iter().map(|end| format!("{journal}{end}").into()).collect();
    files.extend(["hub.toml", "statements"].map(|name| checked.journal.with_file_name(name)));
    files.push(
        checked.hub.as_ref().map_or_else(|| checked.journal.with_file_name("hub.key"), |hub| hub.key_file.clone()),
    );
    files
}

fn unwritten(error: &std::io::Error) -> Failure {
    Failure::other(Exit::Refused, format!("it cannot be written ({error}); do this as root"))
}
