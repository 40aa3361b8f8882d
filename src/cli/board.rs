//! `till board`: works on the machine's lines, without a daemon.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use hal::board::{BoardSpec, Use};
use serde_json::json;

use super::{Answer, Exit, Failure};
use crate::config::Env;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Switch every relay, lamp and buzzer off and let go of them, after a daemon that was killed
    Safe {
        /// The board: which outputs the machine has, and where
        #[arg(long, value_name = "PATH", default_value = "/etc/till/board.toml")]
        board: PathBuf,
    },
}

pub(super) fn act(command: &Command, socket: &Path) -> Result<Answer, Failure> {
    match command {
        Command::Safe { board } => make_safe(board, socket),
    }
}

fn make_safe(path: &Path, socket: &Path) -> Result<Answer, Failure> {
    let board = BoardSpec::read(path)
        .map_err(|wrong| Failure::other(Exit::Config, format!("the board cannot be used\n{wrong}")))?
        .relative_to(Env::of_process().runtime());
    if UnixStream::connect(socket).is_ok() {
        let message = format!(
            "a daemon answers at {}: its outputs are its own, and may be turning a motor. Stop it first; it switches them off by itself",
            socket.display()
        );
        return Err(Failure::other(Exit::Refused, message));
    }
    let outputs = board.lines().iter().filter(|line| line.purpose != Use::Input).count();
    let problems = hal::release_outputs(&board).err().unwrap_or_default();
    let json = json!({ "safe": problems.is_empty(), "outputs": outputs, "problems": problems });
    if problems.is_empty() {
        return Ok(Answer::done(format!("{outputs} outputs are off."), json));
    }
    let text = format!(
        "{} of {outputs} outputs could not be switched off; look at the machine before you trust it:\n{}",
        problems.len(),
        problems.join("\n")
    );
    Ok(Answer { text, json, exit: Exit::Refused })
}
