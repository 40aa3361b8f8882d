//! `till run`, `till demo` and `till check`: what starts the daemon, or would.

use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::files::Files;
use super::{Answer, Exit, Failure, wait};
use crate::config::{self, Checked};
use crate::daemon::Ended;
use crate::daemon::start::{self, StartError};

pub(super) fn run(files: &Files) -> Result<Answer, Failure> {
    let checked = files.load()?;
    log_to_stderr(&checked);
    for warning in checked.warnings.problems() {
        tracing::warn!("{}: {}", warning.problem, warning.advice);
    }
    wait(async {
        let stop = stop_by_signal()?;
        let ended = start::run(checked, stop).await.map_err(not_started)?;
        let exit = match ended {
            Ended::Stopped => Exit::Done,
            Ended::Restart => Exit::Restart,
        };
        Ok(Answer { exit, ..Answer::done("", serde_json::Value::Null) })
    })
}

fn not_started(error: StartError) -> Failure {
    let exit = match error {
        StartError::Journal(_) => Exit::Journal,
        StartError::OtherBoard(_) => Exit::Config,
        StartError::Client(_)
        | StartError::Devices(_)
        | StartError::Api(_)
        | StartError::Entropy
        | StartError::Broken(_)
        | StartError::ApiEnded => Exit::Refused,
    };
    Failure::other(exit, error.to_string())
}

fn log_to_stderr(checked: &Checked) {
    log_at(checked.log.name().parse().unwrap_or(tracing::Level::INFO));
}

/// Under systemd the journal adds the time and the unit.
pub(super) fn log_at(level: tracing::Level) {
    let log = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).with_target(false);
    // Only a second call could fail.
    let _ = log.try_init();
}

/// `true` once SIGTERM or SIGINT came.
fn stop_by_signal() -> Result<watch::Receiver<bool>, Failure> {
    let on = |kind| {
        signal(kind).map_err(|error| Failure::other(Exit::Refused, format!("cannot wait for signals ({error})")))
    };
    let (mut terminate, mut interrupt) = (on(SignalKind::terminate())?, on(SignalKind::interrupt())?);
    let (stop, stopping) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stop.send_replace(true);
        // Held until the end: a sender that is gone would say the same too early.
        stop.closed().await;
    });
    Ok(stopping)
}

pub(super) fn check(files: &Files) -> Result<Answer, Failure> {
    let (report, effective, exit) = match config::load(&files.config, &files.board) {
        Ok(checked) => (checked.warnings, Some(checked.effective), Exit::Done),
        Err(report) => (report, None, Exit::Config),
    };
    let json = json!({ "valid": exit == Exit::Done, "problems": report, "settings": effective });
    let mut text = if report.is_empty() { String::new() } else { format!("{report}\n\n") };
    if let Some(effective) = effective {
        text.push_str(&effective.to_string());
        text.push_str("\nTill can start with these files.");
    }
    Ok(Answer { text, json, exit })
}

#[cfg(feature = "demo")]
#[derive(Debug, clap::Args)]
pub(super) struct DemoArgs {
    /// The port of the page in the browser; 0 takes a free one [default: 8400, or the next free one]
    #[arg(long)]
    port: Option<u16>,
    /// Keep state and log in this folder [default: one that is removed at the end]
    #[arg(long, value_name = "DIR")]
    dir: Option<std::path::PathBuf>,
    /// The language of the machine's screens
    #[arg(long, value_parser = ["zh", "en"], default_value = "en")]
    language: String,
}

/// Runs until it is interrupted.
#[cfg(feature = "demo")]
pub(super) fn demo(args: &DemoArgs) -> Result<Answer, Failure> {
    let language = match args.language.as_str() {
        "zh" => crate::config::Language::Chinese,
        _ => crate::config::Language::English,
    };
    let ended = crate::demo::run(crate::demo::DemoOptions { port: args.port, dir: args.dir.clone(), language });
    ended.map_err(|error| Failure::other(Exit::Refused, format!("{error:#}")))?;
    Ok(Answer::done("", serde_json::Value::Null))
}
