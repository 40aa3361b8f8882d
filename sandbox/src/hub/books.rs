//! What the hub knows, and what the entries of all terminals add up to.
#![expect(clippy::expect_used, reason = "a witness that cannot read its own books shall say so and stop")]

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, Params, Row, params};

use super::seal::to_hex;
use super::store::{self, number, sql};

/// The end of each question that cannot be answered.
const UNREADABLE: &str = "the hub's books can be read";

/// An entry that the hub has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptEntry {
    /// Its place in the terminal's journal.
    pub seq: u64,
    /// Its hash: 64 hexadecimal digits.
    pub hash: String,
    /// Its JSON as the terminal wrote it; `None` when it was refused for good.
    pub body: Option<String>,
    /// The order's state after it; `None` when it was refused for good.
    pub state: Option<String>,
}

/// An entry that the hub refused for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedEntry {
    /// Its place.
    pub seq: u64,
    /// What the terminal was told.
    pub code: String,
    /// What a person reads beside it.
    pub detail: String,
}

/// What a terminal said of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptResult {
    /// The command's number.
    pub number: u64,
    /// `done` or `refused`.
    pub outcome: String,
    /// In words.
    pub detail: String,
}

/// What the entries of one terminal add up to, in fen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Paid, by whatever channel, cash included.
    pub paid: i64,
    /// Gone back.
    pub refunded: i64,
    /// Orders of which something was paid.
    pub orders: u64,
}

/// One sale that a member or voucher code was spent in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// At which terminal.
    pub terminal: String,
    /// In which order.
    pub order: String,
    /// How much, in fen, less what went back.
    pub spent: i64,
}

/// A code over its allowance, or a voucher used in two sales.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoubleUse {
    /// The code's number.
    pub code: String,
    /// Whether it was good for one sale only.
    pub once: bool,
    /// All that might be spent, in fen.
    pub allowance: i64,
    /// All that was spent, in fen.
    pub spent: i64,
    /// Where, by terminal and order.
    pub uses: Vec<Use>,
}

/// The hub's books, open for reading. They panic when the database fails.
#[derive(Debug, Clone, Copy)]
pub struct Books<'a> {
    connection: &'a Connection,
}

impl<'a> Books<'a> {
    pub(crate) const fn new(connection: &'a Connection) -> Self {
        Self { connection }
    }

    /// The terminals that joined.
    #[must_use]
    pub fn terminals(&self) -> Vec<String> {
        self.list("SELECT terminal FROM terminals ORDER BY terminal", [], |row| row.get(0))
    }

    /// Up to where the hub has everything of a terminal.
    #[must_use]
    pub fn acknowledged(&self, terminal: &str) -> u64 {
        store::head(self.connection, terminal).expect(UNREADABLE).0
    }

    /// The hash of the last entry of a terminal, in hexadecimal digits; that of the empty journal without any.
    #[must_use]
    pub fn head(&self, terminal: &str) -> String {
        to_hex(&store::head(self.connection, terminal).expect(UNREADABLE).1)
    }

    /// Everything of a terminal, in its order.
    #[must_use]
    pub fn entries(&self, terminal: &str) -> Vec<KeptEntry> {
        let query = "SELECT seq, hash, body, state FROM entries WHERE terminal = ? ORDER BY seq";
        self.list(query, [terminal], |row| {
            let hash: Vec<u8> = row.get(1)?;
            Ok(KeptEntry { seq: number(row, 0)?, hash: to_hex(&hash), body: row.get(2)?, state: row.get(3)? })
        })
    }

    /// What was refused of a terminal for good.
    #[must_use]
    pub fn refused(&self, terminal: &str) -> Vec<RefusedEntry> {
        self.list("SELECT seq, code, detail FROM refused WHERE terminal = ? ORDER BY seq", [terminal], |row| {
            Ok(RefusedEntry { seq: number(row, 0)?, code: row.get(1)?, detail: row.get(2)? })
        })
    }

    /// Up to which command a terminal said it had handled everything.
    #[must_use]
    pub fn handled(&self, terminal: &str) -> u64 {
        self.one("SELECT handled FROM terminals WHERE terminal = ?", [terminal], |row| number(row, 0)).unwrap_or(0)
    }

    /// What a terminal said of its commands.
    #[must_use]
    pub fn results(&self, terminal: &str) -> Vec<KeptResult> {
        let query = "SELECT number, outcome, detail FROM results WHERE terminal = ? ORDER BY number";
        self.list(query, [terminal], |row| {
            Ok(KeptResult { number: number(row, 0)?, outcome: row.get(1)?, detail: row.get(2)? })
        })
    }

    /// What a terminal said of one command.
    #[must_use]
    pub fn result(&self, terminal: &str, of: u64) -> Option<KeptResult> {
        let query = "SELECT number, outcome, detail FROM results WHERE terminal = ? AND number = ?";
        self.one(query, params![terminal, sql(of)], |row| {
            Ok(KeptResult { number: number(row, 0)?, outcome: row.get(1)?, detail: row.get(2)? })
        })
    }

    /// Paid and refunded, by terminal.
    #[must_use]
    pub fn totals(&self) -> BTreeMap<String, Totals> {
        let query = "SELECT terminal, paid, refunded, orders FROM totals";
        let rows = self.list(query, [], |row| {
            let totals = Totals { paid: row.get(1)?, refunded: row.get(2)?, orders: number(row, 3)? };
            Ok((row.get(0)?, totals))
        });
        rows.into_iter().collect()
    }

    /// Every code that was used twice or overdrawn, once.
    #[must_use]
    pub fn double_uses(&self) -> Vec<DoubleUse> {
        let found = self.list("SELECT code, once, allowance, spent FROM double_uses ORDER BY code", [], |row| {
            let uses = Vec::new();
            Ok(DoubleUse { code: row.get(0)?, once: row.get(1)?, allowance: row.get(2)?, spent: row.get(3)?, uses })
        });
        found.into_iter().map(|found| DoubleUse { uses: self.uses(&found.code), ..found }).collect()
    }

    /// Where a code was spent, by terminal and order.
    #[must_use]
    pub fn uses(&self, code: &str) -> Vec<Use> {
        let query = "SELECT terminal, order_number, spent FROM code_uses WHERE code = ? AND spent > 0 ORDER BY 1, 2";
        self.list(query, [code], |row| Ok(Use { terminal: row.get(0)?, order: row.get(1)?, spent: row.get(2)? }))
    }

    fn list<T>(&self, query: &str, params: impl Params, read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>) -> Vec<T> {
        let mut statement = self.connection.prepare_cached(query).expect(UNREADABLE);
        let rows = statement.query_map(params, read).expect(UNREADABLE);
        rows.collect::<rusqlite::Result<_>>().expect(UNREADABLE)
    }

    fn one<T>(
        &self,
        query: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Option<T> {
        let mut statement = self.connection.prepare_cached(query).expect(UNREADABLE);
        statement.query_row(params, read).optional().expect(UNREADABLE)
    }
}
