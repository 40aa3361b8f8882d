//! The hub without a socket and without a clock: a request in, an answer out.

use std::io;
use std::path::Path;

use rusqlite::{Connection, params};
use thiserror::Error;

use super::accept;
use super::books::Books;
use super::join;
use super::operator::SignedCommand;
use super::poll;
use super::signature::Signed;
use super::store::{self, sql};
use super::weather::Call;
use super::wire::{Refusal, Request, Response};

/// What keeps a hub from starting.
#[derive(Debug, Error)]
pub enum HubError {
    /// The database cannot be used.
    #[error("the hub cannot use its database: {0}")]
    Database(#[from] rusqlite::Error),
    /// The port cannot be used.
    #[error("the hub cannot listen: {0}; is another one running at this port?")]
    Port(#[from] io::Error),
    /// No key for the operator can be made.
    #[error("the system gives no entropy for the operator's key")]
    NoEntropy,
}

/// How hard the hub makes sure of what it acknowledges: `PRAGMA synchronous`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// Durable when it is acknowledged. What a hub must do.
    #[default]
    Full,
    /// A power cut may undo the newest batches. Only to show what that does to a terminal.
    Normal,
    /// Nothing is flushed. For simulations.
    Off,
}

impl Durability {
    pub(crate) const fn pragma(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Normal => "normal",
            Self::Off => "off",
        }
    }
}

/// Entries that the hub refuses for good: made by tests, to see them set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Only of this terminal, or of all.
    pub terminal: Option<String>,
    /// Only entries of this kind, such as `vend_ended`, or of all.
    pub kind: Option<String>,
    /// Only the entry at this place, or all.
    pub seq: Option<u64>,
    /// What the terminal is told.
    pub code: String,
    /// What a person reads beside it.
    pub detail: String,
}

impl Rule {
    /// Refuses every entry of a kind.
    #[must_use]
    pub fn kind(kind: &str, code: &str) -> Self {
        Self { terminal: None, kind: Some(kind.to_owned()), seq: None, code: code.to_owned(), detail: String::new() }
    }

    /// Refuses one place of one terminal.
    #[must_use]
    pub fn entry(terminal: &str, seq: u64, code: &str) -> Self {
        let terminal = Some(terminal.to_owned());
        Self { terminal, kind: None, seq: Some(seq), code: code.to_owned(), detail: String::new() }
    }

    pub(crate) fn meets(&self, terminal: &str, seq: u64, kind: &str) -> bool {
        self.terminal.as_deref().is_none_or(|only| only == terminal)
            && self.kind.as_deref().is_none_or(|only| only == kind)
            && self.seq.is_none_or(|only| only == seq)
    }
}

/// The hub behind the socket. One request at a time; its state is all in its database, but for the rules.
#[derive(Debug)]
pub struct Receiver {
    connection: Connection,
    rules: Vec<Rule>,
}

impl Receiver {
    /// A hub whose books are in memory.
    ///
    /// # Errors
    ///
    /// When SQLite does not work.
    pub fn in_memory() -> Result<Self, HubError> {
        Ok(Self { connection: store::open(None, Durability::Off)?, rules: Vec::new() })
    }

    /// A hub whose books are in this file; it is made when it is missing.
    ///
    /// # Errors
    ///
    /// When the file cannot be used.
    pub fn open(path: &Path, durability: Durability) -> Result<Self, HubError> {
        Ok(Self { connection: store::open(Some(path), durability)?, rules: Vec::new() })
    }

    /// Answers a request. `now_ms` is the hub's own clock, milliseconds since 1970.
    pub fn handle(&mut self, request: &Request, now_ms: i64) -> Response {
        self.answer(request, now_ms).unwrap_or_else(|refusal| refusal.answer())
    }

    fn answer(&mut self, request: &Request, now_ms: i64) -> Result<Response, Refusal> {
        let (terminal, call) = Call::at(&request.path)
            .ok_or_else(|| Refusal::new(404, "unknown_path", format!("there is nothing at {}", request.path)))?;
        if request.method != "POST" {
            return Err(Refusal::new(405, "not_post", format!("{} is not POST", request.method)));
        }
        let signed = Signed::read(request, terminal, now_ms)?;
        match call {
            Call::Join => join::join(&mut self.connection, terminal, &signed, request, now_ms),
            Call::Entries => {
                signed.verify(&store::known_key(&self.connection, terminal)?)?;
                accept::accept(&mut self.connection, &self.rules, terminal, request)
            }
            Call::Poll => {
                signed.verify(&store::known_key(&self.connection, terminal)?)?;
                poll::poll(&mut self.connection, terminal, request, now_ms)
            }
        }
    }

    /// How hard it makes sure of what it acknowledges, as the database says itself.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub fn durability(&self) -> Result<Durability, HubError> {
        let level: i64 = self.connection.pragma_query_value(None, "synchronous", |row| row.get(0))?;
        Ok(match level {
            0 => Durability::Off,
            1 => Durability::Normal,
            _ => Durability::Full,
        })
    }

    /// Refuses such entries from now on. What was accepted stays so.
    pub fn refuse(&mut self, rule: Rule) {
        self.rules.push(rule);
    }

    /// Refuses nothing more.
    pub fn refuse_nothing(&mut self) {
        self.rules.clear();
    }

    /// Lets one technician join one terminal with this code.
    ///
    /// # Errors
    ///
    /// When the database fails, or the code was given out before.
    pub fn add_join_code(&mut self, code: &str) -> Result<(), HubError> {
        self.connection.execute("INSERT INTO join_codes (code) VALUES (?)", [code])?;
        Ok(())
    }

    /// Lets a terminal in by its public key, as an operator does who read it off the machine. It replaces another key.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub fn let_in(&mut self, terminal: &str, public_key: &[u8; 32], now_ms: i64) -> Result<(), HubError> {
        self.connection.execute(
            "INSERT INTO terminals (terminal, public_key, joined_ms) VALUES (?1, ?2, ?3)
             ON CONFLICT (terminal) DO UPDATE SET public_key = ?2, joined_ms = ?3",
            params![terminal, public_key, now_ms],
        )?;
        Ok(())
    }

    /// The number that the next command for a terminal has.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub fn next_number(&self, terminal: &str) -> Result<u64, HubError> {
        Ok(store::newest_command(&self.connection, terminal)? + 1)
    }

    /// Queues a command under a number. Whether number, terminal and signature inside are right is the caller's business.
    ///
    /// # Errors
    ///
    /// When the database fails, or there is a command of this number.
    pub fn queue_command(&mut self, terminal: &str, number: u64, command: &SignedCommand) -> Result<(), HubError> {
        self.connection.execute(
            "INSERT INTO commands (terminal, number, command, signature) VALUES (?, ?, ?, ?)",
            params![terminal, sql(number), command.command, command.signature],
        )?;
        Ok(())
    }

    /// What the hub knows.
    #[must_use]
    pub fn books(&self) -> Books<'_> {
        Books::new(&self.connection)
    }
}
