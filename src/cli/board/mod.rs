//! `till board`: the boards that there are, what this computer has, and the machine's lines; all without a daemon.

mod check;
mod detect;
mod list;
mod safe;
#[cfg(test)]
mod tests;

use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use hal::board::{BoardErrors, BoardSpec};

use super::machine::Tree;
use super::{Answer, Exit, Failure};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the boards that came with Till, and what each one has
    List(Folder),
    /// Show a board file, to begin one's own with: till board show NAME > board.toml
    Show {
        /// A name out of `till board list`
        name: String,
        #[command(flatten)]
        folder: Folder,
    },
    /// Check a board file, and whether this computer has what it needs
    Check {
        /// The board
        #[arg(value_name = "PATH", default_value = "/etc/till/board.toml")]
        file: PathBuf,
    },
    /// Find out which computer this is, which boards are for it, what is plugged in, and what is in the way
    Detect(Folder),
    /// Switch every relay, lamp and buzzer off and let go of them, after a daemon that was killed
    Safe {
        /// The board: which outputs the machine has, and where
        #[arg(long, value_name = "PATH", default_value = "/etc/till/board.toml")]
        board: PathBuf,
    },
}

/// Where the boards are that came with Till.
#[derive(Debug, Args)]
pub(super) struct Folder {
    /// The folder with the boards [default: /usr/share/till/boards, or ./boards where that is not there]
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

impl Folder {
    fn path(&self) -> PathBuf {
        let installed = Path::new("/usr/share/till/boards");
        self.folder.clone().unwrap_or_else(|| if installed.is_dir() { installed.into() } else { "boards".into() })
    }
}

pub(super) fn act(command: &Command, socket: &Path) -> Result<Answer, Failure> {
    let tree = Tree::default();
    match command {
        Command::List(folder) => list::list(&folder.path()),
        Command::Show { name, folder } => list::show(&folder.path(), name),
        Command::Check { file } => Ok(check::check(&tree, file)),
        Command::Detect(folder) => Ok(detect::detect(&tree, &folder.path())),
        Command::Safe { board } => safe::make_safe(board, socket),
    }
}

/// The board, or why it cannot be used.
pub(super) fn read(path: &Path) -> Result<BoardSpec, Failure> {
    BoardSpec::read(path).map_err(|wrong| unusable(&wrong))
}

fn unusable(wrong: &BoardErrors) -> Failure {
    Failure::other(Exit::Config, format!("the board cannot be used\n{wrong}"))
}

/// Refuses while a daemon answers, or may be behind a socket that this user may not open: the devices are its own.
pub(super) fn without_a_daemon(socket: &Path, because: &str) -> Result<(), Failure> {
    nobody_answers(UnixStream::connect(socket).map(drop), socket, because)
}

fn nobody_answers(tried: io::Result<()>, socket: &Path, because: &str) -> Result<(), Failure> {
    let what = match tried {
        Ok(()) => "a daemon answers at",
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            "run this as root. This user may not see whether a daemon runs at"
        }
        Err(_) => return Ok(()),
    };
    Err(Failure::other(Exit::Refused, format!("{what} {}: {because}", socket.display())))
}
