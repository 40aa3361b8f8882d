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
//! | `sell` | through which channel, with whose code |
//! | `later` | `[refunds]`, `[instalments]` |
//! | `channels` | which channels are set up |
//! | `alipay`, `wechat`, `allinpay_vsp`, `allinpay_yst` | one channel each |
//! | `hub` | `[hub]`, `[operator]`, `[vouchers]` |
//! | `overlay` | `hub.toml`: what the hub's config command lays over `till.toml` |
//! | `keys` | key files and systemd credentials |
//! | `effective` | every setting with its source, secrets left out |
//! | `report`, `source` | problems with file, line, column and advice |

mod alipay;
mod allinpay_vsp;
mod allinpay_yst;
mod channels;
mod check;
mod checked;
mod effective;
mod gateway;
mod goods;
mod hub;
mod keys;
mod later;
pub mod overlay;
mod pace;
mod raw;
mod report;
mod sell;
mod selling;
mod showing;
mod source;
#[cfg(test)]
mod tests;
mod wechat;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use hal::board::{BoardErrors, BoardSpec};

pub use checked::{
    ApiConfig, Base, Checked, HttpConfig, HubConfig, Language, LogLevel, Mode, PrintReceipts, RetentionConfig,
    TcpConfig, TerminalConfig,
};
pub use effective::{Effective, Origin, Setting};
pub use report::{Excerpt, Problem, Report, Severity};
pub(crate) use source::has_a_key as looks_like_a_key;
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

/// Reads and checks both files in the environment of this process, and what the hub's config laid over them.
///
/// # Errors
/// Every problem of both files at once. Warnings alone do not fail; they come along in [`Checked::warnings`].
pub fn load(config_path: &Path, board_path: &Path) -> Result<Checked, Report> {
    load_in(config_path, board_path, &Env::of_process())
}

/// Reads and checks the files in a given environment.
///
/// # Errors
/// As [`load`].
pub fn load_in(config_path: &Path, board_path: &Path, env: &Env) -> Result<Checked, Report> {
    load_needing(Needs::Everything, config_path, board_path, env)
}

/// Reads and checks both files without opening a key file, for who only asks the daemon: its keys are root's, and come to it
/// alone. What is wrong with keys is not said, and nothing can be collected with the result: it has no channels.
///
/// # Errors
/// As [`load`], but for the keys that name files.
pub fn load_without_keys(config_path: &Path, board_path: &Path) -> Result<Checked, Report> {
    keyless_in(config_path, board_path, &Env::of_process())
}

fn keyless_in(config_path: &Path, board_path: &Path, env: &Env) -> Result<Checked, Report> {
    let checked = load_needing(Needs::AllButKeys, config_path, board_path, env)?;
    Ok(Checked { channels: Vec::new(), ..checked })
}

fn load_needing(needs: Needs, config_path: &Path, board_path: &Path, env: &Env) -> Result<Checked, Report> {
    let base = Base { config: config_path.to_owned(), board: board_path.to_owned(), env: env.clone() };
    let ground = Ground { needs, ..Ground::read(&base)? };
    // Sound by itself: the machine must start when the overlay does not fit any more.
    let alone = ground.check(None)?;
    Ok(overlay::lay(&ground, alone))
}

/// Reads what the hub needs, whatever else is not in place yet: a terminal joins before the keys of its channels are there,
/// and whoever does it may not be allowed to read them.
///
/// # Errors
/// Every problem of the file itself, of `[terminal]`, `[journal]`, `[hub]` and `[operator]`.
pub fn load_for_hub(config_path: &Path) -> Result<Checked, Report> {
    let base = Base { config: config_path.to_owned(), env: Env::of_process(), ..Base::default() };
    let of_hub = |problem: &Problem| {
        let is_near =
            ["", "terminal", "journal", "hub", "operator"].contains(&problem.key.split('.').next().unwrap_or_default());
        problem.file == base.config && problem.severity == Severity::Error && is_near
    };
    let source = Source::read(config_path).map_err(|problem| Report::of(*problem))?;
    let ground = Ground { base: &base, source, board: None, report: Report::default(), needs: Needs::Everything };
    let (checked, report) = ground.examine(None);
    let report = report.only(of_hub);
    checked.filter(|_| report.is_empty()).ok_or(report)
}

/// What must be there for the files to be of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    /// All that they say: the daemon runs with it.
    Everything,
    /// All but the files of keys, which are not opened.
    AllButKeys,
}

impl Needs {
    fn concerns(self, problem: &Problem) -> bool {
        match self {
            Self::Everything => true,
            Self::AllButKeys => !problem.key.ends_with("_file") && !problem.key.ends_with("_files"),
        }
    }
}

/// Both files of a person, read.
struct Ground<'b> {
    base: &'b Base,
    source: Source,
    board: Option<BoardSpec>,
    /// What is wrong with the board file.
    report: Report,
    needs: Needs,
}

impl<'b> Ground<'b> {
    fn read(base: &'b Base) -> Result<Self, Report> {
        let mut report = Report::default();
        let board = BoardSpec::read(&base.board).map_err(|wrong| add_board(&mut report, wrong)).ok();
        match Source::read(&base.config) {
            Ok(source) => Ok(Self { base, source, board, report, needs: Needs::Everything }),
            Err(problem) => {
                report.add(*problem);
                Err(report.sorted())
            }
        }
    }

    fn check(&self, overlay: Option<&Source>) -> Result<Checked, Report> {
        let (checked, report) = self.examine(overlay);
        let report = report.only(|problem| self.needs.concerns(problem));
        match checked {
            Some(checked) if !report.has_errors() => Ok(Checked { warnings: report, ..checked }),
            Some(_) | None => Err(report),
        }
    }

    /// What is good when the report has no error; `None` when a file is not TOML.
    fn examine(&self, overlay: Option<&Source>) -> (Option<Checked>, Report) {
        let mut found = Findings { source: &self.source, overlay, report: self.report.clone(), needs: self.needs };
        let over = raw::Overlay::read(&mut found);
        let raw = raw::Raw::read(&mut found).map(|mut raw| {
            over.into_iter().for_each(|over| raw.lay(over));
            raw
        });
        let checked = raw.map(|raw| check::check(raw, self.board.clone(), self.base, &mut found));
        (checked, found.report.sorted())
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
