//! `till journal`: works on the file, whether the daemon runs or not.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use clap::Subcommand;
use serde_json::{Value, json};

use super::{Answer, Exit, Failure, JournalPath};
use crate::journal::chain::Head;
use crate::journal::export::{self, ExportError};
use crate::journal::verify::{self, Report};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Walk the whole chain and name what is not as it was written
    Verify {
        #[command(flatten)]
        journal: JournalPath,
        /// A head that was noted before (SEQ:HASH): finds also what was cut off or written anew
        #[arg(long)]
        head: Option<Head>,
    },
    /// Print every entry as a line of JSON
    Export {
        #[command(flatten)]
        journal: JournalPath,
        /// Print the orders as CSV instead
        #[arg(long)]
        csv: bool,
    },
    /// Make the tables of orders and numbers anew from the entries, when `verify` says that they differ. Stop the daemon first
    Rebuild {
        #[command(flatten)]
        journal: JournalPath,
    },
}

pub(super) fn act(command: Command, as_json: bool) -> Result<Answer, Failure> {
    let (Command::Verify { journal, .. } | Command::Export { journal, .. } | Command::Rebuild { journal }) = &command;
    there_is(&journal.path)?;
    match command {
        Command::Verify { journal, head } => check(&journal.path, head),
        Command::Export { csv: true, .. } if as_json => Err(Failure::other(
            Exit::Refused,
            "--csv and --json exclude each other: an export without --csv is JSON lines",
        )),
        Command::Export { journal, csv } => copy(&journal.path, csv),
        Command::Rebuild { journal } => rebuild(&journal.path),
    }
}

/// A missing file is told apart from a failing disk.
pub(super) fn there_is(path: &Path) -> Result<(), Failure> {
    path.metadata().map(|_| ()).map_err(|error| {
        let path = path.display();
        let advice =
            "name the file; before the first start there is none, and only root and the user of till may read it";
        Failure::other(Exit::Journal, format!("there is no journal to be read at {path} ({error}): {advice}"))
    })
}

fn check(path: &Path, head: Option<Head>) -> Result<Answer, Failure> {
    let report = verify::verify(path, head).map_err(|error| Failure::other(Exit::Journal, error.to_string()))?;
    let exit = if report.is_sound() { Exit::Done } else { Exit::Journal };
    Ok(Answer { text: text(&report), json: report_json(&report), exit })
}

fn rebuild(path: &Path) -> Result<Answer, Failure> {
    crate::journal::rebuild(path).map_err(|error| Failure::other(Exit::Journal, error.to_string()))?;
    Ok(Answer::done("The tables are made anew from the entries.", json!({ "rebuilt": true })))
}

fn text(report: &Report) -> String {
    if report.is_sound() {
        return format!(
            "{} entries, all as they were written.{}{}\nHead: {}\nNote the head elsewhere; `till journal verify --head` then proves that nothing before it was cut off.",
            report.entries,
            removed(report),
            if report.noted_removed { NOTED_REMOVED } else { "" },
            report.head
        );
    }
    let mut lines: Vec<String> = report.faults.iter().map(ToString::to_string).collect();
    if report.fault_count > report.faults.len() {
        lines.push(format!("… and {} more", report.fault_count - report.faults.len()));
    }
    lines.push(format!(
        "\n{} of {} entries: {} not as written. Keep the file and its -wal as evidence, and hold the orders named above against the channel's own list.",
        report.faults.len().min(report.fault_count),
        report.entries,
        report.fault_count
    ));
    lines.join("\n")
}

const NOTED_REMOVED: &str = "\nThe noted head was not held against anything: its entry was removed by retention, and only the hub still has it. Note the newer head below.";

/// What retention took away, when it took anything.
fn removed(report: &Report) -> String {
    match (report.removed, report.gaps) {
        (0, _) => String::new(),
        (entries, gaps) => format!(
            "\n{entries} older ones in {gaps} gaps were removed by retention: closed, and the hub has them. The chain is whole across the gaps."
        ),
    }
}

fn report_json(report: &Report) -> Value {
    let faults =
        report.faults.iter().map(|fault| json!({ "seq": fault.seq, "order": fault.order, "text": fault.to_string() }));
    json!({
        "sound": report.is_sound(),
        "entries": report.entries,
        "gaps": report.gaps,
        "removed": report.removed,
        "noted_removed": report.noted_removed,
        "head": report.head.to_string(),
        "fault_count": report.fault_count,
        "faults": faults.collect::<Vec<_>>(),
    })
}

/// Streams the export to stdout. A reader that went away, such as `head`, is no error.
fn copy(path: &Path, csv: bool) -> Result<Answer, Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    let copied = if csv { export::orders(path, &mut out) } else { export::entries(path, &mut out) };
    let copied = copied.and_then(|_| Ok(out.flush()?));
    match copied {
        Ok(()) => Ok(Answer::done("", Value::Null)),
        Err(ExportError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            Ok(Answer::done("", Value::Null))
        }
        Err(error @ ExportError::Write(_)) => Err(Failure::other(Exit::Refused, error.to_string())),
        Err(error @ ExportError::Storage(_)) => Err(Failure::other(Exit::Journal, error.to_string())),
    }
}
