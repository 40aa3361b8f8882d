//! Allinpay 收银宝 VSP, "apiweb": codes on our screen and the buyer's pay codes, for all wallets by one contract.
//!
//! | module | subject |
//! |---|---|
//! | [`setup`] | the settings, and what can be wrong with them |
//! | [`wire`] | a request's fields and its form |
//! | [`sign`] | the signed string, and MD5, RSA and SM2 over it |
//! | [`rsa`] | SHA1withRSA with small keys |
//! | [`codes`] | the tables of states, kinds of trade and refusals |
//! | [`statement`] | where a day's statement is |
//! | [`terminal`] | filing the machine's number |
//!
//! What an answer means for the money is in the private module `reply`, over the members that `answer` takes apart; what is
//! remembered of cancels is in `cancels`, of closes in `closes`. Decisions where sources are silent or disagree: `docs/allinpay.md`.

mod answer;
mod cancels;
mod closes;
pub mod codes;
mod reply;
pub mod rsa;
pub mod setup;
pub mod sign;
pub mod statement;
pub mod terminal;
#[cfg(test)]
pub(crate) mod tests;
pub mod wire;

use jiff::civil::Date;

use super::super::outcome::{Doubt, DoubtKind, DutyOutcome};
use super::super::{Answer, Decoded, HttpReply, HttpRequest, Request};
use crate::time::Wall;
use answer::{Members, Seal};
use cancels::Cancels;
pub use cancels::{cancel_number, cancelled_attempt};
use closes::Closes;
use reply::Reading;
use setup::Setup;
pub use setup::{Config, Folder, Folders, PayTypes, SetupError, Shown, SignType, Terminal};
pub use statement::{StatementError, StatementUrl};
pub use terminal::{TerminalError, TerminalFiled, TerminalOperation};

/// One VSP application, its keys loaded.
#[derive(Debug)]
pub struct Vsp {
    setup: Setup,
    cancels: Cancels,
    closes: Closes,
}

impl Vsp {
    /// Checks the settings and loads the keys.
    ///
    /// # Errors
    /// [`SetupError`] says which setting is wrong and what to do.
    pub fn new(config: Config) -> Result<Self, SetupError> {
        Ok(Self { setup: Setup::new(config)?, cancels: Cancels::default(), closes: Closes::default() })
    }

    /// Where payments go.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.setup.config.base_url
    }

    /// The signed HTTP request. The same `request` has the same numbers, so that sending it again is safe. A cancel that
    /// Allinpay received before is asked after instead of sent again.
    ///
    /// `wall` is when a shown code's time begins. `entropy` makes the request's random text, the SM2 signature's secret
    /// number and the blinding of RSA: 32 fresh random bytes for each call.
    #[must_use]
    pub fn encode(&self, request: &Request, wall: Wall, entropy: [u8; 32]) -> HttpRequest {
        if let Request::Close(trade) = request {
            self.closes.begin(trade.attempt);
        }
        wire::request(&self.setup, &self.cancels, request, wall, entropy)
    }

    /// What the reply to `request` means, at the time `wall`. Anything unverified, malformed or unlisted is a doubt, never
    /// a failure. [`Decoded::EncodeAgain`] comes once for a cancel that was sent before.
    #[must_use]
    pub fn decode(&self, request: &Request, wall: Wall, reply: &HttpReply) -> Decoded {
        self.open(request, wall, reply).unwrap_or_else(|doubt| Decoded::Answer(Answer::in_doubt(request, doubt)))
    }

    fn open(&self, request: &Request, wall: Wall, reply: &HttpReply) -> Result<Decoded, Doubt> {
        match request {
            // Nothing was to be done, so it is done whatever the question brought.
            Request::Duty(_) => return Ok(Decoded::Answer(Answer::Duty(DutyOutcome::Done))),
            // Sources disagree on this path: where there is none, the query must still be asked.
            Request::Close(_) if matches!(reply.status, 404 | 405) => {
                return Ok(Decoded::Answer(reply::ask("no_such_call")));
            }
            Request::ShowCode(_)
            | Request::TakeCode(..)
            | Request::Query(_)
            | Request::Cancel(_)
            | Request::Close(_)
            | Request::Refund(_)
            | Request::RefundQuery(_)
            | Request::Probe => {}
        }
        let members = Members::open(reply)?;
        match members.seal(&self.setup.keys) {
            Seal::Holds => {
                let (config, cancels, closes) = (&self.setup.config, &self.cancels, &self.closes);
                let reading = Reading { config, cancels, closes, wall };
                reading.verified(request, &members)
            }
            Seal::Absent => reply::unsigned(request, &members).map(Decoded::Answer),
            Seal::Broken => Err(broken()),
        }
    }

    /// Asks where the statement of `date` (China's day) is. It is made the next day; at which hour is not documented.
    #[must_use]
    pub fn statement_request(&self, date: Date, entropy: [u8; 32]) -> HttpRequest {
        statement::request(&self.setup, date, entropy)
    }

    /// Where the statement is, out of the reply to [`Vsp::statement_request`].
    ///
    /// # Errors
    /// [`StatementError`]: not there yet or refused, or it is not known; ask again later.
    pub fn statement_location(&self, reply: &HttpReply) -> Result<StatementUrl, StatementError> {
        statement::location(&self.setup, reply)
    }

    /// Fetches the statement: a ZIP with one GBK file in it.
    #[must_use]
    pub fn statement_download(url: &StatementUrl) -> HttpRequest {
        url.request()
    }

    /// The number under which the machine is filed.
    #[must_use]
    pub fn terminal_number(&self) -> &str {
        &self.setup.config.terminal.number
    }

    /// Files the machine's number, changes or cancels the filing, or asks how it stands.
    #[must_use]
    pub fn terminal_request(&self, operation: TerminalOperation, entropy: [u8; 32]) -> HttpRequest {
        terminal::request(&self.setup, operation, entropy)
    }

    /// What the reply to [`Vsp::terminal_request`] says.
    ///
    /// # Errors
    /// [`TerminalError`]: refused, or it is not known whether it was filed.
    pub fn terminal_answer(&self, reply: &HttpReply) -> Result<TerminalFiled, TerminalError> {
        terminal::answer(&self.setup, reply)
    }
}

fn broken() -> Doubt {
    Doubt::new(DoubtKind::BadSignature, "the signature is not Allinpay's over this answer")
}
