//! Carrying out what the operator wants, once: by the key `hub:N` for money, and by the journal's mark for the rest.

use payment::engine::entry::IdempotencyKey;
use payment::engine::faults::Fault;
use payment::engine::input::Refused;

use super::command::{Delivered, Judged, Wish, judge, sha256_of};
use super::link::Link;
use crate::config::overlay;
use crate::daemon::terminal::{ActError, SyncWish};
use crate::journal::view::KeyOf;
use crate::journal::{CommandOutcome, CommandResult, ReadError, Trouble};

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
    /// Nobody knows who sent it, and it is the next one: that it was refused is durable.
    Forged(CommandResult),
    /// Nobody knows who sent it, and it is not even the next one.
    Dropped(&'static str),
}

/// When a command comes to be done.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
    /// Its number is the next one.
    pub(super) is_next: bool,
    /// So often in a row it could not be done.
    pub(super) tries: u32,
}

impl Link {
    /// Does a command and notes durably what became of it; only then it sends, or wants a restart.
    pub(super) async fn carry_out(&self, delivered: &Delivered, turn: Turn) -> CarriedOut {
        let judged = match &self.options.operator_key {
            Some(key) => judge(delivered, &self.options.terminal_id, key),
            None => Judged::NotGenuine("this terminal knows no operator"),
        };
        let number = delivered.number;
        let (outcome, detail, after) = match judged {
            Judged::NotGenuine(why) if !turn.is_next => return CarriedOut::Dropped(why),
            Judged::NotGenuine(why) => return self.refuse_forged(number, why).await,
            Judged::Useless(why) => (CommandOutcome::Refused, why, After::Nothing),
            Judged::Genuine(wish) => match self.grant(delivered, wish, turn.tries).await {
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

    /// One that is next uses up its number, and the operator hears of it.
    async fn refuse_forged(&self, number: u64, why: &str) -> CarriedOut {
        tracing::warn!(number, why, "a command of the hub is not genuine and was not done");
        let result = CommandResult { number, outcome: CommandOutcome::Refused, detail: why.to_owned() };
        match self.ends.terminal.sync(SyncWish::Handled(result.clone())).await {
            Ok(()) => CarriedOut::Forged(result),
            Err(error) => CarriedOut::NotNow(error.to_string()),
        }
    }

    /// Has the terminal restart when nobody is at the machine; whether the loop heard it.
    pub(super) async fn restart(&self) -> bool {
        let heard = self.ends.terminal.sync(SyncWish::Restart).await;
        if let Err(error) = &heard {
            tracing::warn!(%error, "the restart that the operator wants is asked for again");
        }
        heard.is_ok()
    }

    async fn grant(&self, delivered: &Delivered, wish: Wish, tries: u32) -> Result<(String, After), NotDone> {
        match wish {
            Wish::Refund { order, amount } => {
                let body_sha256 = sha256_of(delivered.command.as_bytes());
                let key = IdempotencyKey { key: format!("hub:{}", delivered.number), body_sha256 };
                let done = self.ends.terminal.refund(order, amount, Some(key.clone()), None).await;
                let refund = match done {
                    Ok((_, refund, _)) => refund.to_string(),
                    Err(error) if gives_up(&error, tries) => self.refund_under(&key, error).await?,
                    Err(error) => return Err(error.into()),
                };
                Ok((refund, After::Nothing))
            }
            Wish::Config { toml } => {
                self.keep_overlay(toml).await.map_err(|why| why.after(tries))?;
                Ok(("stored; in force after the restart that follows".to_owned(), After::Restart))
            }
            Wish::Restart => Ok((String::new(), After::Restart)),
            Wish::SendNow => Ok((String::new(), After::SendNow)),
        }
    }

    /// The refund that was begun under this key, though the order cannot be read. A refund that is refused for good has moved
    /// nothing: only when the journal has none, and nothing that it could not write yet, the command is refused.
    async fn refund_under(&self, key: &IdempotencyKey, error: ActError) -> Result<String, NotDone> {
        let all_is_written = !self.ends.terminal.status().await?.faults.contains(&Fault::Storage);
        let begun = self.ends.terminal.journal().remembered(KeyOf::Refund, &key.key).await.map_err(ActError::from);
        match begun {
            Ok(Some(before)) if before.body_sha256 == key.body_sha256 => {
                before.refund.map(|refund| refund.to_string()).ok_or_else(|| NotDone::Refused(error.to_string()))
            }
            Ok(_) if all_is_written => Err(NotDone::Refused(format!("no money was moved: {error}"))),
            Ok(_) | Err(_) => Err(NotDone::NotNow(error.to_string())),
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

/// After so many tries in a row what nothing came of is refused: those after it wait.
const TRIES_MAX: u32 = 10;

/// Whether it makes no sense to ask the journal again. That a refund could not be written, or that no answer came in time, is
/// none of this: it may be done all the same.
const fn gives_up(error: &ActError, tries: u32) -> bool {
    match error {
        ActError::Read(ReadError::Unreadable(_) | ReadError::Storage(Trouble::Corrupt { .. })) => true,
        ActError::Read(ReadError::Storage(_)) => tries + 1 >= TRIES_MAX,
        ActError::Read(ReadError::Stopped)
        | ActError::Refused(_)
        | ActError::Full
        | ActError::NotStored
        | ActError::Late
        | ActError::Stopping
        | ActError::KeyReused => false,
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

impl NotDone {
    /// What cannot be done now for long is refused. For wishes of which nothing is left behind when they fail.
    fn after(self, tries: u32) -> Self {
        match self {
            Self::NotNow(why) if tries + 1 >= TRIES_MAX => Self::Refused(why),
            Self::NotNow(_) | Self::Refused(_) => self,
        }
    }
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
            | ActError::Read(_) => Self::NotNow(words),
            ActError::Refused(Refused::NoSuchOrder(order)) => Self::Refused(format!(
                "this terminal has no order {order}: the number is another one's, or the order was removed when it was older \
                 than journal.keep_days. Return its money at the channel itself"
            )),
            ActError::Refused(_) | ActError::KeyReused => Self::Refused(words),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn broken() -> Arc<rusqlite::Error> {
        Arc::new(rusqlite::Error::InvalidQuery)
    }

    #[test]
    fn a_damaged_page_is_given_up_at_once_a_bad_read_after_ten_tries_and_what_may_have_been_done_never() {
        let corrupt = ActError::Read(ReadError::Storage(Trouble::Corrupt { source: broken() }));
        assert!(gives_up(&corrupt, 0));
        let bad_sector = ActError::Read(ReadError::Storage(Trouble::Io { source: broken() }));
        assert!(!gives_up(&bad_sector, TRIES_MAX - 2) && gives_up(&bad_sector, TRIES_MAX - 1));
        for perhaps_done in [ActError::NotStored, ActError::Late, ActError::Full, ActError::Stopping] {
            assert!(!gives_up(&perhaps_done, 1_000), "{perhaps_done}");
            assert!(matches!(NotDone::from(perhaps_done), NotDone::NotNow(_)));
        }
    }

    #[test]
    fn a_configuration_that_cannot_be_stored_does_not_keep_the_later_commands_for_ever() {
        let full = || NotDone::NotNow("the disk is full".to_owned());
        assert!(matches!(full().after(TRIES_MAX - 2), NotDone::NotNow(_)));
        assert!(matches!(full().after(TRIES_MAX - 1), NotDone::Refused(_)));
    }
}
