//! `till board safe`: every output off, after a daemon that was killed.

use std::path::Path;

use hal::board::Use;
use serde_json::json;

use super::{Answer, Exit, Failure, read, without_a_daemon};
use crate::config::Env;

pub(super) fn make_safe(path: &Path, socket: &Path) -> Result<Answer, Failure> {
    let board = read(path)?.relative_to(Env::of_process().runtime());
    without_a_daemon(
        socket,
        "its outputs are its own, and may be turning a motor. Stop it first; it switches them off by itself",
    )?;
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
