//! One record of the journal, and the hash that ties it to the one before.

use std::fmt;
use std::str::FromStr;

use payment::engine::entry::{Entry, OrderState, Stored};
use payment::time::Wall;
use ring::digest::{Context, SHA256, digest};
use rusqlite::Row;
use serde::Deserialize;
use serde::de::value::{Error as NameError, StrDeserializer};
use thiserror::Error;

use super::NewEntry;

/// Names the format in every hash, so that no hash of ours can be taken for one of something else.
const DOMAIN: &[u8] = b"till journal entry, format 1";
/// What the first entry is tied to is the hash of this.
const BEGINNING: &[u8] = b"till journal, format 1";

/// A SHA-256 hash. As text: 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// What the first entry is tied to.
    #[must_use]
    pub fn beginning() -> Self {
        Self::of_bytes(digest(&SHA256, BEGINNING).as_ref())
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The hash in a column. One of another length matches nothing: it is all zeros.
    pub(super) fn of_bytes(bytes: &[u8]) -> Self {
        Self(bytes.try_into().unwrap_or([0; 32]))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no journal head.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("not a journal head: write it as SEQ:HASH, such as 42:9f86…, with the 64 hexadecimal digits of the hash")]
pub struct NotAHead;

impl FromStr for Hash {
    type Err = NotAHead;

    fn from_str(text: &str) -> Result<Self, NotAHead> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(NotAHead);
        }
        for (place, byte) in bytes.iter_mut().enumerate() {
            let digits = text.get(2 * place..2 * place + 2).ok_or(NotAHead)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| NotAHead)?;
        }
        Ok(Self(bytes))
    }
}

/// The end of a chain: knowing it is enough to find any change before it. As text: `SEQ:HASH`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Place of the last entry; 0 when there is none.
    pub seq: u64,
    /// Its hash.
    pub hash: Hash,
}

impl Head {
    /// The head of an empty journal.
    #[must_use]
    pub fn beginning() -> Self {
        Self { seq: 0, hash: Hash::beginning() }
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, self.hash)
    }
}

impl FromStr for Head {
    type Err = NotAHead;

    fn from_str(text: &str) -> Result<Self, NotAHead> {
        let (seq, hash) = text.split_once(':').ok_or(NotAHead)?;
        Ok(Self { seq: seq.parse().map_err(|_| NotAHead)?, hash: hash.parse()? })
    }
}

/// A row of the journal, as it lies in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its place, from 1.
    pub seq: u64,
    /// The order that it is about, as the column says.
    pub order: String,
    /// What the wall clock said.
    pub at: Wall,
    /// Name of the order's state after it.
    pub state: String,
    /// The entry as JSON, exactly the bytes that were hashed.
    pub body: String,
    /// Hash of the record before.
    pub prev: Hash,
    /// Its own hash.
    pub hash: Hash,
}

/// A record whose content this version of Till does not understand.
#[derive(Debug, Error)]
#[error(
    "entry {seq} cannot be read ({why}): it was written by a newer till, or the file is damaged. \
     Run `till journal verify` to tell which"
)]
pub struct Unreadable {
    /// Its place.
    pub seq: u64,
    /// What could not be read.
    pub why: String,
}

impl Record {
    /// The record of `new`, tied to `head`.
    ///
    /// # Errors
    ///
    /// When the entry cannot be written as JSON.
    pub fn after(head: &Head, new: &NewEntry) -> Result<Self, serde_json::Error> {
        let mut record = Self {
            seq: head.seq + 1,
            order: new.entry.order().to_string(),
            at: new.at,
            state: new.state.name().to_owned(),
            body: serde_json::to_string(&new.entry)?,
            prev: head.hash,
            hash: head.hash,
        };
        record.hash = record.seal();
        Ok(record)
    }

    /// The hash that this content must have: SHA-256 over every field behind its length, so that no two contents
    /// give the same bytes.
    #[must_use]
    pub fn seal(&self) -> Hash {
        let mut context = Context::new(&SHA256);
        for field in [
            DOMAIN,
            &self.seq.to_be_bytes(),
            &self.at.ms.to_be_bytes(),
            &[u8::from(self.at.trusted)],
            self.state.as_bytes(),
            self.prev.as_bytes(),
            self.body.as_bytes(),
        ] {
            let length = u64::try_from(field.len()).unwrap_or(u64::MAX);
            context.update(&length.to_be_bytes());
            context.update(field);
        }
        Hash::of_bytes(context.finish().as_ref())
    }

    /// Whether the content is what was sealed.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        self.seal() == self.hash
    }

    /// The head of a journal that ends here.
    #[must_use]
    pub const fn head(&self) -> Head {
        Head { seq: self.seq, hash: self.hash }
    }

    /// The fact.
    ///
    /// # Errors
    ///
    /// When this version does not know such an entry.
    pub fn entry(&self) -> Result<Entry, Unreadable> {
        serde_json::from_str(&self.body).map_err(|error| self.unreadable(error))
    }

    /// The order's state after it.
    ///
    /// # Errors
    ///
    /// When this version does not know such a state.
    pub fn state(&self) -> Result<OrderState, Unreadable> {
        state_named(&self.state).ok_or_else(|| self.unreadable(format!("unknown state {:?}", self.state)))
    }

    /// The entry as the engine takes it.
    ///
    /// # Errors
    ///
    /// When this version does not know such an entry.
    pub fn stored(&self) -> Result<Stored, Unreadable> {
        let entry = self.entry()?;
        Ok(Stored { seq: self.seq, at: self.at, entry })
    }

    /// The same of a record that is still what was sealed: what moves money is built on nothing else.
    ///
    /// # Errors
    ///
    /// When it was changed, or this version does not know such an entry.
    pub fn proved(&self) -> Result<Stored, Unreadable> {
        if !self.is_sealed() {
            return Err(self.unreadable("it is not what was written"));
        }
        self.stored()
    }

    /// Reads a row of `seq, order_id, at_ms, trusted, state, body, prev, hash`.
    pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: read_seq(row, 0)?,
            order: row.get(1)?,
            at: Wall { ms: row.get(2)?, trusted: row.get(3)? },
            state: row.get(4)?,
            body: row.get(5)?,
            prev: Hash::of_bytes(row.get_ref(6)?.as_blob()?),
            hash: Hash::of_bytes(row.get_ref(7)?.as_blob()?),
        })
    }

    fn unreadable(&self, why: impl fmt::Display) -> Unreadable {
        Unreadable { seq: self.seq, why: why.to_string() }
    }
}

/// The state of that name, if there is one.
pub(super) fn state_named(name: &str) -> Option<OrderState> {
    OrderState::deserialize(StrDeserializer::<NameError>::new(name)).ok()
}

/// A place as SQLite holds it. Places never come near the limit of its integers.
pub(super) fn sql_seq(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

/// The place in a column.
pub(super) fn read_seq(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let seq: i64 = row.get(column)?;
    u64::try_from(seq).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, seq))
}
