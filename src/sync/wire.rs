//! What goes over the wire to the hub and comes back, as `docs/hub.md` and `openapi.json` describe it. The bytes are
//! frozen: `wire_tests.rs` holds them.

use serde::{Deserialize, Serialize};

use super::command::Delivered;
use crate::journal::CommandResult;
use crate::journal::chain::Record;
use crate::json::{Object, objects};

/// The most entries of one batch.
pub const ENTRIES_MAX: u32 = 500;
/// The longest batch before it is compressed, in bytes.
pub const BATCH_BYTES_MAX: usize = 1 << 20;
/// The longest answer that is read: a batch of refusals, or a configuration.
pub const ANSWER_BYTES_MAX: usize = 1 << 20;
/// How long the hub may keep a poll waiting, in seconds.
pub const POLL_WAIT_S: u64 = 50;
/// The most results in one poll; the others follow in the next.
pub const RESULTS_MAX: usize = 50;
/// A hub's word that is kept and shown is cut here, in characters.
const DETAIL_MAX: usize = 300;
/// The longest code of a refusal.
const CODE_MAX: usize = 64;

/// An entry as it is sent.
#[derive(Debug, Serialize)]
struct EntryLine<'a> {
    seq: u64,
    order: &'a str,
    at_ms: i64,
    trusted: bool,
    state: &'a str,
    prev: String,
    hash: String,
    body: &'a str,
}

/// The place of an entry that the hub cannot read.
#[derive(Debug, Serialize)]
struct UnreadableLine<'a> {
    seq: u64,
    prev: String,
    hash: String,
    unreadable: &'a str,
}

/// Entries in their order, as lines of JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Place of the first entry.
    pub first: u64,
    /// Place of the last entry.
    pub last: u64,
    /// The lines, not compressed.
    pub lines: String,
}

impl Batch {
    /// As many of `records` as fit into one batch, at least the first. `None` when there is none.
    #[must_use]
    pub fn of(records: &[Record]) -> Option<Self> {
        let (first, rest) = records.split_first()?;
        let mut batch = Self { first: first.seq, last: first.seq, lines: line_of(first) };
        for record in rest.iter().take(usize::try_from(ENTRIES_MAX - 1).unwrap_or(0)) {
            let line = line_of(record);
            if batch.lines.len() + line.len() > BATCH_BYTES_MAX {
                break;
            }
            batch.lines.push_str(&line);
            batch.last = record.seq;
        }
        Some(batch)
    }

    /// The place and the hashes of one entry that the hub refused as `code` because it could not read it.
    #[must_use]
    pub fn unreadable(record: &Record, code: &str) -> Self {
        let (prev, hash) = (record.prev.to_string(), record.hash.to_string());
        let line = UnreadableLine { seq: record.seq, prev, hash, unreadable: code };
        Self { first: record.seq, last: record.seq, lines: in_one_line(&line) }
    }

    /// How many entries it holds.
    #[must_use]
    pub const fn entries(&self) -> u64 {
        self.last - self.first + 1
    }
}

fn line_of(record: &Record) -> String {
    in_one_line(&EntryLine {
        seq: record.seq,
        order: &record.order,
        at_ms: record.at.ms,
        trusted: record.at.trusted,
        state: &record.state,
        prev: record.prev.to_string(),
        hash: record.hash.to_string(),
        body: &record.body,
    })
}

fn in_one_line(line: &impl Serialize) -> String {
    // Text and integers always have a JSON form.
    let mut text = serde_json::to_string(line).unwrap_or_default();
    text.push('\n');
    text
}

/// An entry that the hub refuses for good.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RefusedEntry {
    /// Its place.
    pub seq: u64,
    /// Why, as a word.
    pub code: String,
    /// Why, in a sentence.
    #[serde(default)]
    pub detail: String,
}

#[derive(Debug, Deserialize)]
struct TakenBody {
    acknowledged: u64,
    #[serde(default, deserialize_with = "objects")]
    refused: Vec<RefusedEntry>,
}

#[derive(Debug, Deserialize)]
struct ErrorBody {
    code: String,
    #[serde(default)]
    detail: String,
    acknowledged: Option<u64>,
}

/// The hub's answer to a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The hub has every entry up to here, those in the list as refused for good.
    Taken {
        /// Up to which place.
        acknowledged: u64,
        /// The refused ones.
        refused: Vec<RefusedEntry>,
    },
    /// The batch begins behind what the hub has.
    Gap {
        /// What the hub has.
        acknowledged: u64,
    },
    /// An entry that the hub has comes with another hash.
    Fork {
        /// In the hub's words.
        detail: String,
    },
    /// The batch as a whole cannot be read.
    BadBatch(Said),
    /// The signature or the key is not accepted.
    NotAccepted(Said),
    /// Not now.
    NotNow {
        /// What happened.
        detail: String,
        /// The hub's `Retry-After`, in seconds.
        retry_after_s: Option<u64>,
    },
    /// Nothing that a hub says: another server answers, or the address is wrong.
    Nonsense(String),
}

/// A refusal in the hub's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// As a word of letters, digits, `-` and `_`.
    pub code: String,
    /// In a sentence; may be empty.
    pub detail: String,
}

impl Answer {
    /// What an HTTP answer means. `retry_after` is the header as it came.
    #[must_use]
    pub fn read(status: u16, retry_after: Option<&str>, body: &[u8]) -> Self {
        match status {
            200 => match serde_json::from_slice(body) {
                Ok(Object(TakenBody { acknowledged, refused })) => {
                    Self::Taken { acknowledged, refused: refused.into_iter().map(RefusedEntry::tidied).collect() }
                }
                Err(error) => Self::not_understood("answer", &error),
            },
            400 | 413 | 422 => Self::BadBatch(Said::read(body, "unreadable")),
            401 | 403 => Self::NotAccepted(Said::read(body, "not_accepted")),
            409 => Self::read_conflict(body),
            408 | 425 | 429 | 500..=599 => {
                let retry_after_s = retry_after.and_then(|text| text.trim().parse().ok());
                Self::NotNow { detail: format!("the hub answers with status {status}"), retry_after_s }
            }
            _ => Self::Nonsense(format!("it answers with status {status}, which no hub does")),
        }
    }

    fn read_conflict(body: &[u8]) -> Self {
        match serde_json::from_slice(body) {
            Ok(Object(ErrorBody { code, acknowledged: Some(acknowledged), .. })) if code == "gap" => {
                Self::Gap { acknowledged }
            }
            Ok(Object(ErrorBody { code, detail, .. })) if code == "fork" => Self::Fork { detail: cut(detail) },
            Ok(Object(ErrorBody { code, .. })) => {
                Self::Nonsense(format!("it answers 409 with the code {:?}", word(&code, "?")))
            }
            Err(error) => Self::not_understood("409", &error),
        }
    }

    /// The reader's words hold what was read, however long that is.
    fn not_understood(what: &str, error: &serde_json::Error) -> Self {
        Self::Nonsense(cut(format!("its {what} is not understood ({error})")))
    }

    /// No answer came.
    #[must_use]
    pub fn none(detail: impl Into<String>) -> Self {
        Self::NotNow { detail: detail.into(), retry_after_s: None }
    }
}

impl RefusedEntry {
    /// What is kept and shown is short and printable, whatever the hub says.
    fn tidied(self) -> Self {
        Self { seq: self.seq, code: word(&self.code, "refused"), detail: cut(self.detail) }
    }
}

impl Said {
    fn read(body: &[u8], otherwise: &str) -> Self {
        match serde_json::from_slice::<Object<ErrorBody>>(body) {
            Ok(Object(said)) => Self { code: word(&said.code, otherwise), detail: cut(said.detail) },
            Err(_) => Self { code: otherwise.to_owned(), detail: String::new() },
        }
    }
}

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.detail.is_empty() {
            true => f.write_str(&self.code),
            false => write!(f, "{}: {}", self.code, self.detail),
        }
    }
}

fn word(code: &str, otherwise: &str) -> String {
    let fits = (1..=CODE_MAX).contains(&code.len());
    let plain = code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if fits && plain { code.to_owned() } else { otherwise.to_owned() }
}

fn cut(text: String) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(DETAIL_MAX).collect()
}

#[derive(Debug, Serialize)]
struct PollBody<'a> {
    handled: u64,
    results: Vec<ResultBody<'a>>,
    wait_s: u64,
}

#[derive(Debug, Serialize)]
struct ResultBody<'a> {
    number: u64,
    outcome: &'static str,
    detail: &'a str,
}

/// The body of a poll: what was handled so far, and the results that the hub does not have yet.
#[must_use]
pub fn poll(handled: u64, results: &[CommandResult], wait_s: u64) -> String {
    let results = results.iter().map(|result| ResultBody {
        number: result.number,
        outcome: result.outcome.name(),
        detail: &result.detail,
    });
    // Text and integers always have a JSON form.
    serde_json::to_string(&PollBody { handled, results: results.collect(), wait_s }).unwrap_or_default()
}

#[derive(Debug, Deserialize)]
struct CommandsBody {
    #[serde(deserialize_with = "objects")]
    commands: Vec<Delivered>,
}

/// The commands in the hub's answer to a poll.
///
/// # Errors
///
/// What the hub says instead.
pub fn commands(status: u16, retry_after: Option<&str>, body: &[u8]) -> Result<Vec<Delivered>, Answer> {
    if status != 200 {
        return Err(match Answer::read(status, retry_after, body) {
            Answer::BadBatch(said) => Answer::Nonsense(format!("it does not understand a poll ({said})")),
            answer @ (Answer::Taken { .. }
            | Answer::Gap { .. }
            | Answer::Fork { .. }
            | Answer::NotAccepted(_)
            | Answer::NotNow { .. }
            | Answer::Nonsense(_)) => answer,
        });
    }
    let read = serde_json::from_slice::<Object<CommandsBody>>(body);
    read.map(|Object(body)| body.commands).map_err(|error| Answer::not_understood("answer", &error))
}

/// The body of a join.
#[must_use]
pub fn join(public_key: &str, code: &str) -> String {
    serde_json::json!({ "public_key": public_key, "code": code }).to_string()
}

/// What the hub says of a join that it refuses.
#[must_use]
pub fn refusal(body: &[u8]) -> Said {
    Said::read(body, "refused")
}
