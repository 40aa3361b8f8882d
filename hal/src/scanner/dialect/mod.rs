//! What can be said to a scanner, one file for each family (reference/hardware.md 1.1 to 1.6).
//!
//! A dialect is pure: it words questions, tells replies from codes, and knows what to set. When a question is sent, and what
//! happens when no reply comes, is the [session's](super::session) business.

pub(crate) mod auto;
mod caret;
mod honeywell;
mod newland;
mod plain;
mod ssi;
#[cfg(test)]
mod tests;
mod words;
mod zone;

use std::time::Duration;

pub(crate) use self::{honeywell::Honeywell, plain::Plain};
use crate::board::{DialectKind, ScannerSpec, Terminator, TriggerKind};

/// How long a scanner usually looks for a code after a trigger.
const READ_TIME: Duration = Duration::from_secs(3);

/// What the board wants of a scanner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wants {
    /// The host triggers.
    pub(crate) host: bool,
    /// Settings may be changed.
    pub(crate) setup: bool,
    /// Settings may be written to memory that wears.
    pub(crate) save: bool,
    /// Its own beep at a good read; `None`: as it is.
    pub(crate) beep: Option<bool>,
    /// Its own LED at a good read; `None`: as it is.
    pub(crate) led: Option<bool>,
    /// What the assembler waits for.
    pub(crate) terminator: Terminator,
}

impl From<&ScannerSpec> for Wants {
    fn from(spec: &ScannerSpec) -> Self {
        Self {
            host: spec.trigger == TriggerKind::Host,
            setup: spec.setup,
            save: spec.setup,
            beep: spec.beep,
            led: spec.led,
            terminator: spec.terminator,
        }
    }
}

/// Something to say to a scanner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ask {
    /// As it goes over the wire.
    pub(crate) bytes: Vec<u8>,
    /// When the reply is late; zero: there is none.
    pub(crate) within: Duration,
    /// How often it is said before it is given up.
    pub(crate) tries: u8,
    /// A byte that wakes the scanner goes first.
    pub(crate) wake: bool,
}

impl Ask {
    /// A question.
    const fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, within: Duration::from_millis(500), tries: 3, wake: false }
    }

    /// An order that is not answered.
    const fn unanswered(bytes: Vec<u8>) -> Self {
        Self { bytes, within: Duration::ZERO, tries: 1, wake: false }
    }

    fn within_ms(self, within: u64) -> Self {
        Self { within: Duration::from_millis(within), ..self }
    }

    fn tries(self, tries: u8) -> Self {
        Self { tries, ..self }
    }
}

/// What a scanner can be told outside its set-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Look for a code.
    Trigger,
    /// Look no more.
    Stop,
    /// Beep: it went well.
    BeepGood,
    /// Beep: it went wrong.
    BeepBad,
    /// Say that you are there.
    Heartbeat,
}

/// What the head of the bytes is that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Peel {
    /// The first byte is no part of a reply.
    Text,
    /// It may become a reply.
    More,
    /// So many bytes are a reply.
    Reply(usize),
    /// So many bytes are a message of the scanner's own.
    Message {
        /// How many.
        length: usize,
        /// The code in it, once it is complete and new.
        code: Option<Vec<u8>>,
        /// What it wants to hear.
        answer: Option<Vec<u8>>,
        /// It came through badly, and so may its end: what follows is no code.
        spoilt: bool,
    },
}

/// One family's way of talking.
pub(crate) trait Dialect: Send {
    /// What it is called in the log and in the up event.
    fn name(&self) -> &'static str;

    /// The next question of the set-up, of which the first asks for the version; `None`: it is done.
    fn next(&mut self) -> Option<Ask> {
        None
    }

    /// The reply to it, or that none came.
    fn answered(&mut self, reply: Option<&[u8]>) {
        let _ = reply;
    }

    /// Whether this can be the reply to that.
    fn fits(&self, asked: &[u8], reply: &[u8]) -> bool {
        let _ = (asked, reply);
        false
    }

    /// Looks at the head of what came. `between`: no line has begun.
    fn peel(&mut self, head: &[u8], between: bool) -> Peel {
        let _ = (head, between);
        Peel::Text
    }

    /// How to say this, where the family can.
    fn act(&self, act: Act) -> Option<Ask> {
        let _ = act;
        None
    }

    /// What it said about itself.
    fn version(&self) -> Option<String> {
        None
    }

    /// How long it looks for a code; zero: until it is stopped.
    fn read_time(&self) -> Duration {
        READ_TIME
    }

    /// Whether it answers heartbeats.
    fn beats(&self) -> bool {
        false
    }

    /// Whether settings were written to memory that wears.
    fn saved(&self) -> bool {
        false
    }

    /// What the technician should know.
    fn advice(&self) -> Option<&'static str> {
        None
    }
}

/// A dialect as at power-on.
pub(crate) fn make(kind: DialectKind, wants: Wants) -> Box<dyn Dialect> {
    match kind {
        DialectKind::Plain | DialectKind::Auto => Box::new(Plain),
        DialectKind::Zone => Box::new(zone::Zone::new(wants)),
        DialectKind::Newland => Box::new(newland::Newland::new(wants)),
        DialectKind::Honeywell => Box::new(Honeywell::new(wants)),
        DialectKind::Ssi => Box::new(ssi::Ssi::new(wants)),
        DialectKind::Caret => Box::new(caret::Caret::new(wants)),
    }
}

/// Printable text of a reply, short enough for a log.
fn readable(bytes: &[u8]) -> String {
    let printable = bytes.iter().map(|byte| if (b' '..=b'~').contains(byte) { char::from(*byte) } else { ' ' });
    let text: String = printable.take(80).collect();
    text.trim().to_owned()
}

/// Whether these bytes are `whole`'s beginning, as far as they go.
fn begins(bytes: &[u8], whole: &[u8]) -> bool {
    bytes.iter().zip(whole).all(|(have, want)| have == want)
}
