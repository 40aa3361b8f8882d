//! Making this terminal's key known to the hub, with a one-time code of the operator.

use std::time::Duration;

use payment::time::Wall;
use thiserror::Error;

use super::client::{HubClient, Post};
use super::key::{KeyError, TerminalKey};
use super::wire;
use crate::config::{Checked, Mode};
use crate::daemon::clock::Timekeeper;
use crate::http::ClientError;

/// The longest that a join may take: a technician waits for it.
const LIMIT: Duration = Duration::from_secs(30);

/// Looks at the clock are one here.
const LOOK_MS: u64 = 5_000;

/// Why the hub does not know this terminal.
#[derive(Debug, Error)]
pub enum JoinError {
    /// There is no hub.
    #[error("there is no hub in the settings: add [hub] with its url to till.toml first")]
    NoHub,
    /// The clock.
    #[error(
        "nobody has confirmed the clock of this machine, and the hub would not believe a signature of another time: wait \
         until its time service or clock chip has; setting it by hand confirms nothing"
    )]
    NoClock,
    /// The key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The HTTP client.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The hub cannot be reached.
    #[error("the hub does not answer ({0}). Nothing was changed; the same code may be used again")]
    NoAnswer(String),
    /// The hub refuses.
    #[error(
        "the hub does not let this terminal join ({said}). A code is good once and for one terminal: ask the operator for a \
         new one"
    )]
    Refused {
        /// In its words.
        said: wire::Said,
    },
}

/// What became of a join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// The terminal's number.
    pub terminal: String,
    /// The public half of its key, in Base64.
    pub public_key: String,
    /// The same, short enough to compare over the phone.
    pub fingerprint: String,
}

/// Joins with the operator's one-time `code`, making the key if there is none. Joining again with the same key changes
/// nothing.
///
/// # Errors
///
/// [`JoinError`]
pub async fn join(checked: &Checked, code: &str) -> Result<Joined, JoinError> {
    let hub = checked.hub.as_ref().ok_or(JoinError::NoHub)?;
    let wall = wall(checked.terminal.mode)?;
    let terminal = &checked.terminal.id;
    let client = HubClient::new(hub, terminal, TerminalKey::load_or_make(&hub.key_file)?)?;
    let key = client.key();
    let joined = Joined { terminal: terminal.clone(), public_key: key.public(), fingerprint: key.fingerprint() };
    let body = wire::join(&joined.public_key, code).into_bytes();
    let post = Post { to: "join", content_type: "application/json", is_gzip: false, body, limit: LIMIT };
    let replied = client.post(post, wall).await.map_err(JoinError::NoAnswer)?;
    match replied.status {
        200 => Ok(joined),
        429 | 500..=599 => Err(JoinError::NoAnswer(format!("status {}", replied.status))),
        _ => Err(JoinError::Refused { said: wire::refusal(&replied.body) }),
    }
}

/// What time it is, as far as this machine knows by itself. With pretend money its word is enough: the hub looks at it.
fn wall(mode: Mode) -> Result<Wall, JoinError> {
    let mut clock = Timekeeper::start(None, mode == Mode::Sandbox, LOOK_MS);
    let _would_ask = clock.attend();
    let wall = clock.now().wall;
    if wall.trusted || mode == Mode::Sandbox { Ok(wall) } else { Err(JoinError::NoClock) }
}
