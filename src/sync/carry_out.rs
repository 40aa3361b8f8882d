//! Carrying out what the operator wants, once: by the key `hub:N` for money, and by the journal's mark for the rest.

use payment::engine::entry::IdempotencyKey;
use payment::engine::input::Refused;

use super::command::{Delivered, Judged, Wish, judge, sha256_of};
use super::link::Link;
use crate::config::overlay;
use crate::daemon::terminal::{ActError, SyncWish};
use crate::journal::{CommandOutcome, CommandResult, ReadError};

/// So much of a reason goes to the hub, in characters.
const DETAIL_MAX: usize = 500;

/// What is to be done after the mark is durable: it may end this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    Nothing,
    Restart,
    SendNow,
}

/// What became of a command.
#[derive(Debug)]
pub(super) enum CarriedOut {
    /// It is done or refused, and that is durable.
    Handled {
        /// What became of it.
        result: CommandResult,
        /// A restart is wanted for it.
        restarts: bool,
    },
    /// It cannot be done now.
    NotNow(String),
    /// Nobody knows who sent it, and it is not even the next one.
    Dropped(&'static str),
}

impl Link {
    /// Does a command and notes durably what became of it; only then it sends, or wants a restart. `is_next`: its number is the
    /// next one.
    pub(super) async fn carry_out(&self, delivered: &Delivered, is_next: bool) -> CarriedOut {
        let judged = match &self.options.operator_key {
            Some(key) => judge(delivered, &self.options.terminal_id, key),
            None => Judged::NotGenuine("this terminal knows no operator"),
        };
        let number = delivered.number;
        let (outcome, detail, after) = match judged {
            Judged::NotGenuine(why) if !is_next => return CarriedOut::Dropped(why),
            Judged::NotGenuine(why) => {
                tracing::warn!(number, why, "a command of the hub is not genuine and was not done");
                (CommandOutcome::Refused, why.to_owned(), After::Nothing)
            }
            Judged::Useless(why) => (CommandOutcome::Refused, why, After::Nothing),
            Judged::Genuine(wish) => match self.grant(number, &delivered.command, wish).await {
                Ok((detail, after)) => (CommandOutcome::Done, detail, after),
                Err(NotDone::Refused(why)) => (CommandOutcome::Refused, why, After::Nothing),
                Err(NotDone::NotNow(why)) => return CarriedOut::NotNow(why),
            },
        };
        let detail = detail.chars().take(DETAIL_MAX).collect();
        let result = CommandResult { number, outcome, detail };
        if let Err(error) = self.ends.terminal.sync(SyncWish::Handled(result.clone())).await {
            return CarriedOut::NotNow(error.to_string());
        }
        tracing::info!(number, outcome = outcome.name(), detail = result.detail, "a command of the operator");
        match after {
            After::Nothing | After::Restart => {}
            After::SendNow => self.ends.terminal.send_now(),
        }
        CarriedOut::Handled { result, restarts: after == After::Restart }
    }

    /// Has the terminal restart when nobody is at the machine; whether the loop heard it.
    pub(super) async fn restart(&self) -> bool {
        let heard = self.ends.terminal.sync(SyncWish::Restart).await;
        if let Err(error) = &heard {
            tracing::warn!(%error, "the restart that the operator wants is asked for again");
        }
        heard.is_ok()
    }

    async fn grant(&self, number: u64, command: &str, wish: Wish) -> Result<(String, After), NotDone> {
        match wish {
            Wish::Refund { order, amount } => {
                let key = IdempotencyKey { key: format!("hub:{number}"), body_sha256: sha256_of(command.as_bytes()) };
                let (_, refund, _) = self.ends.terminal.refund(order, amount, Some(key)).await?;
                Ok((refund.to_string(), After::Nothing))
            }
            Wish::Config { toml } => {
                self.keep_overlay(toml).await?;
                Ok(("stored; in force after the restart that follows".to_owned(), After::Restart))
            }
            Wish::Restart => Ok((String::new(), After::Restart)),
            Wish::SendNow => Ok((String::new(), After::SendNow)),
        }
    }

    /// Checks the overlay whole and stores it. Reading and writing files is not for the loop's thread.
    async fn keep_overlay(&self, toml: String) -> Result<(), NotDone> {
        let (base, path) = (self.options.base.clone(), self.options.overlay_path.clone());
        let work = tokio::task::spawn_blocking(move || {
            overlay::check(&base, &toml).map_err(|report| NotDone::Refused(report.to_string()))?;
            overlay::store(&path, &toml)
                .map_err(|error| NotDone::NotNow(format!("{} cannot be written ({error})", path.display())))
        });
        work.await.unwrap_or_else(|_| Err(NotDone::NotNow("the configuration could not be checked".to_owned())))
    }
}

/// Why a wish was not granted.
#[derive(Debug)]
enum NotDone {
    /// It will not be.
    Refused(String),
    /// It may be later.
    NotNow(String),
}

impl From<ActError> for NotDone {
    fn from(error: ActError) -> Self {
        let words = error.to_string();
        match error {
            // The disk: the same command is asked again, under the same key.
            ActError::Refused(Refused::OutOfService(_))
            | ActError::Full
            | ActError::NotStored
            | ActError::Late
            | ActError::Stopping
            | ActError::Read(ReadError::Storage(_) | ReadError::Stopped) => Self::NotNow(words),
            ActError::Refused(Refused::NoSuchOrder(order)) => Self::Refused(format!(
                "this terminal has no order {order}: the number is another one's, or the order was removed when it was older \
                 than journal.keep_days. Return its money at the channel itself"
            )),
            ActError::Refused(_) | ActError::KeyReused | ActError::Read(ReadError::Unreadable(_)) => {
                Self::Refused(words)
            }
        }
    }
}
