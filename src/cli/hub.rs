//! `till hub`: this terminal's key, and making it known to the operator's hub. Works on the files, before the first start too.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::{Answer, Exit, Failure};
use crate::config::{self, Checked};
use crate::sync::join::{JoinError, join};
use crate::sync::key::TerminalKey;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show the public half of this terminal's key; one is made when there is none
    Key(Config),
    /// Make the key known to the hub, with a one-time code of the operator
    Join {
        /// The code
        #[arg(long)]
        code: String,
        #[command(flatten)]
        config: Config,
    },
}

#[derive(Debug, Args)]
pub(super) struct Config {
    /// The configuration
    #[arg(long, value_name = "PATH", default_value = "/etc/till/till.toml")]
    config: PathBuf,
}

pub(super) async fn act(command: Command) -> Result<Answer, Failure> {
    match command {
        Command::Key(config) => key(&read(&config)?),
        Command::Join { code, config } => {
            let checked = read(&config)?;
            let joined = join(&checked, code.trim()).await.map_err(|error| not_joined(&error))?;
            let text = format!(
                "Terminal {} has joined.\nFingerprint: {}\nThe operator should see the same one at the hub. A running till notices \
                 by itself; `till queue` shows how the sending goes.",
                joined.terminal, joined.fingerprint
            );
            let json = json!({
                "joined": true,
                "terminal": joined.terminal,
                "public_key": joined.public_key,
                "fingerprint": joined.fingerprint,
            });
            Ok(Answer::done(text, json))
        }
    }
}

fn read(config: &Config) -> Result<Checked, Failure> {
    config::load_for_hub(&config.config).map_err(|report| {
        Failure::other(Exit::Config, format!("the configuration does not say how to reach the hub\n{report}"))
    })
}

fn key(checked: &Checked) -> Result<Answer, Failure> {
    let Some(hub) = &checked.hub else {
        return Err(not_joined(&JoinError::NoHub));
    };
    let key = TerminalKey::load_or_make(&hub.key_file).map_err(|error| not_joined(&error.into()))?;
    let (public, fingerprint, terminal) = (key.public(), key.fingerprint(), &checked.terminal.id);
    let text = format!("Terminal:    {terminal}\nPublic key:  {public}\nFingerprint: {fingerprint}");
    Ok(Answer::done(text, json!({ "terminal": terminal, "public_key": public, "fingerprint": fingerprint })))
}

fn not_joined(error: &JoinError) -> Failure {
    let exit = match error {
        JoinError::NoHub => Exit::Config,
        JoinError::NoClock
        | JoinError::Key(_)
        | JoinError::Client(_)
        | JoinError::NoAnswer(_)
        | JoinError::Refused { .. } => Exit::Refused,
    };
    Failure::other(exit, error.to_string())
}
