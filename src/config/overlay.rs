//! `hub.toml`: what the hub's config command lays over `till.toml`. Checked whole before it is stored, and again at each start;
//! one that has gone bad since (another board, another `till.toml`) is set aside: a machine never stops selling for it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::Ground;
use super::checked::{Base, Checked};
use super::report::{Problem, Report, Severity};
use super::source::Source;
use crate::durable;

/// The overlay's name, beside the journal.
pub const FILE_NAME: &str = "hub.toml";

/// Where the overlay of this terminal lives, whether or not there is one.
#[must_use]
pub fn path(checked: &Checked) -> PathBuf {
    checked.journal.with_file_name(FILE_NAME)
}

/// Whether this text can lie over the files as they are now. Nothing is stored.
///
/// # Errors
/// Every problem, for the answer to the hub: of the text, and of the whole that would come of it.
pub fn check(base: &Base, text: &str) -> Result<(), Report> {
    let ground = Ground::read(base)?;
    let alone = ground.check(None)?;
    let overlay = Source::sized(&path(&alone), text.to_owned()).map_err(|problem| Report::of(*problem))?;
    ground.check(Some(&overlay)).map(drop)
}

/// Stores a text that [`check`] found good: whole and durable, or not at all. It counts from the next start on.
///
/// # Errors
/// The folder or the disk; what was stored before still stands.
pub fn store(path: &Path, text: &str) -> io::Result<()> {
    let beside = path.with_extension("toml.new");
    durable::put(File::create(&beside)?, &beside, text.as_bytes(), path)
}

/// The config with the stored overlay, or without it and with the reason among the warnings.
pub(super) fn lay(ground: &Ground<'_>, alone: Checked) -> Checked {
    let path = path(&alone);
    let trouble = match Source::read_if_there(&path) {
        Ok(None) => return alone,
        Ok(Some(overlay)) => match ground.check(Some(&overlay)) {
            Ok(whole) => return whole,
            Err(report) => report,
        },
        Err(problem) => Report::of(*problem),
    };
    let warnings = set_aside(&path, trouble, &alone.warnings);
    Checked { warnings, ..alone }
}

fn set_aside(path: &Path, trouble: Report, others: &Report) -> Report {
    let mut warnings = Report::of(Problem {
        severity: Severity::Warning,
        file: path.to_owned(),
        line: None,
        column: None,
        key: String::new(),
        problem: "what the hub sent is set aside, and till.toml alone is in force: prices may be old ones".into(),
        advice: "the reasons follow; correct till.toml or the board, or have the hub send a new config".into(),
        excerpt: None,
    });
    let reasons = trouble.into_problems().into_iter().filter(|problem| problem.severity == Severity::Error);
    for reason in reasons {
        warnings.add(Problem { severity: Severity::Warning, ..reason });
    }
    for other in others.problems() {
        warnings.add(other.clone());
    }
    warnings
}
