//! The configuration: `till.toml` and the board file, read once, checked whole, and nobody else reads them.
//!
//! | module | subject |
//! |---|---|
//! | `raw` | the file as written: every key with its kind and place |
//! | `checked` | what the daemon runs with |
//! | `check` | from the one to the other, one named check at a time |
//! | `pace` | the ranges of the paces |
//! | `goods` | products against the board's slots, and who can scan there |
//! | `gateway` | which gateway is allowed in which mode |
//! | `alipay` | `[channels.alipay]` |
//! | `keys` | key files and systemd credentials |
//! | `effective` | every setting with its source, secrets left out |
//! | `report`, `source` | problems with file, line, column and advice |

mod alipay;
mod check;
mod checked;
mod effective;
mod gateway;
mod goods;
mod keys;
mod pace;
mod raw;
mod report;
mod source;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use hal::board::{BoardErrors, BoardSpec};

pub use checked::{ApiConfig, Checked, HttpConfig, Language, LogLevel, Mode, TcpConfig, TerminalConfig};
pub use effective::{Effective, Origin, Setting};
pub use report::{Excerpt, Problem, Report, Severity};
use source::{Findings, Source};

/// The exit code for files that cannot be used (`EX_CONFIG`); systemd must not restart after it.
pub const EXIT_CONFIG: u8 = 78;

/// What the configuration takes from outside of its files. The environment is read here and nowhere else.
#[derive(Debug, Clone, Default)]
pub struct Env {
    /// `$STATE_DIRECTORY`: where the journal lives by default.
    pub state_directory: Option<PathBuf>,
    /// `$RUNTIME_DIRECTORY`: where the sockets live by default.
    pub runtime_directory: Option<PathBuf>,
    /// `$CREDENTIALS_DIRECTORY`: where `credential:NAME` is looked up.
    pub credentials_directory: Option<PathBuf>,
    /// Whether this program contains the simulated gateway, so that a gateway on loopback makes sense.
    pub sandbox_built: bool,
}

impl Env {
    /// The environment of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let folder = |name| std::env::var_os(name).and_then(first_folder);
        Self {
            state_directory: folder("STATE_DIRECTORY"),
            runtime_directory: folder("RUNTIME_DIRECTORY"),
            credentials_directory: folder("CREDENTIALS_DIRECTORY"),
            sandbox_built: cfg!(feature = "demo"),
        }
    }

    /// The folder for sockets.
    #[must_use]
    pub fn runtime(&self) -> &Path {
        self.runtime_directory.as_deref().unwrap_or(Path::new("/run/till"))
    }

    /// The folder for what must survive.
    #[must_use]
    pub fn state(&self) -> &Path {
        self.state_directory.as_deref().unwrap_or(Path::new("/var/lib/till"))
    }
}

/// systemd joins several folders with colons; the first is ours.
fn first_folder(value: OsString) -> Option<PathBuf> {
    std::env::split_paths(&value).next().filter(|folder| !folder.as_os_str().is_empty())
}

/// Reads and checks both files in the environment of this process.
///
/// # Errors
/// Every problem of both files at once. Warnings alone do not fail; they come along in [`Checked::warnings`].
pub fn load(config_path: &Path, board_path: &Path) -> Result<Checked, Report> {
    load_in(config_path, board_path, &Env::of_process())
}

/// Reads and checks both files in a given environment.
///
/// # Errors
/// As [`load`].
pub fn load_in(config_path: &Path, board_path: &Path, env: &Env) -> Result<Checked, Report> {
    let mut report = Report::default();
    let board = BoardSpec::read(board_path).map_err(|wrong| add_board(&mut report, wrong)).ok();
    let source = match Source::read(config_path) {
        Ok(source) => source,
        Err(problem) => {
            report.add(*problem);
            return Err(report.sorted());
        }
    };
    let mut found = Findings { source: &source, report };
    let checked = raw::Raw::read(&mut found).map(|raw| check::check(raw, board, env, &mut found));
    let report = found.report.sorted();
    match checked {
        Some(checked) if !report.has_errors() => Ok(Checked { warnings: report, ..checked }),
        Some(_) | None => Err(report),
    }
}

fn add_board(report: &mut Report, wrong: BoardErrors) {
    for problem in wrong.0 {
        report.add(Problem {
            severity: Severity::Error,
            file: problem.file,
            line: problem.line,
            column: None,
            key: problem.key,
            problem: problem.problem,
            advice: problem.advice,
            excerpt: None,
        });
    }
}
