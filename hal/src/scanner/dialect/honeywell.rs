//! Honeywell's serial commands, also Youjie, Metrologic imagers, Canmax (reference/hardware.md 1.4).
//!
//! A reply has no frame: it is the question's own word with a status byte. So it is looked for only at the head of a line, and
//! only by the word that was asked last. Triggers are not answered at all.

use super::{
    Act, Ask, Dialect, Peel, Wants, begins, readable,
    words::{Item, Say, Script, status},
};

const MENU: &[u8] = b"\x16M\r";
/// Keeps a setting until power-off.
const FOR_NOW: &str = "!";
const REVISION: &str = "REVINF";
/// How the text before the echo of [`REVISION`] begins.
const TEXT: &[u8] = b"Product Name";
const REPLY_MAX: usize = 1000;
const DONE: u8 = 0x06;

/// Starts a read, in manual trigger mode.
const TRIGGER: &[u8] = b"\x16T\r";
/// Ends it.
const UNTRIGGER: &[u8] = b"\x16U\r";

/// A menu command as it goes over the wire.
pub(crate) fn command(words: &str) -> Vec<u8> {
    [MENU, words.as_bytes()].concat()
}

/// The set-up of one Honeywell scanner.
pub(crate) struct Honeywell {
    script: Script,
    /// The word of the last question: a late reply is still none of a code.
    asked: &'static str,
    version: Option<String>,
    unknown: bool,
}

impl Honeywell {
    pub(crate) fn new(wants: Wants) -> Self {
        let mut items = vec![Item::Version(REVISION)];
        if wants.setup && wants.host {
            items.push(Item::Want("TRGMOD", "0"));
        }
        if let Some(beep) = wants.beep.filter(|_| wants.setup) {
            items.push(Item::Want("BEPBEP", if beep { "1" } else { "0" }));
        }
        Self { script: Script::new(items), asked: "", version: None, unknown: false }
    }

    fn value<'a>(&mut self, tag: &str, reply: &'a [u8]) -> Option<&'a str> {
        if tag == REVISION {
            let end = reply.windows(tag.len()).rposition(|word| word == tag.as_bytes())?;
            let before = readable(reply.get(..end)?);
            let behind = || readable(reply.get(end + tag.len()..).unwrap_or_default());
            self.version = Some(if before.is_empty() { behind() } else { before });
            return None;
        }
        let (_keep, text) = reply.split_last()?;
        let (said, status) = status(text)?;
        if status == DONE { said.strip_prefix(tag) } else { None }
    }

    /// The word whose reply this is, or may become.
    fn word_of(&self, head: &[u8]) -> Option<&'static str> {
        if self.asked.is_empty() {
            None
        } else if begins(head, TEXT) {
            Some(REVISION)
        } else {
            begins(head, self.asked.as_bytes()).then_some(self.asked)
        }
    }
}

/// Behind the echoed word, its value, the status and the storage character.
fn end_of_reply(head: &[u8], asked: &str) -> Option<usize> {
    let echo = head.windows(asked.len()).position(|word| word == asked.as_bytes())?;
    let status = head.iter().skip(echo).position(|byte| matches!(byte, 0x05 | 0x06 | 0x15))?;
    let end = echo + status + 2;
    (head.len() >= end).then_some(end)
}

impl Dialect for Honeywell {
    fn name(&self) -> &'static str {
        "honeywell"
    }

    fn next(&mut self) -> Option<Ask> {
        let say = self.script.say()?;
        let words = match say {
            Say::Version(tag) => [tag, "."].concat(),
            Say::Query(tag) => [tag, "?."].concat(),
            Say::Set(tag, value) => [tag, value, FOR_NOW].concat(),
        };
        self.asked = match say {
            Say::Version(tag) | Say::Query(tag) | Say::Set(tag, _) => tag,
        };
        Some(Ask::new(command(&words)).within_ms(1000))
    }

    fn answered(&mut self, reply: Option<&[u8]>) {
        let Some(item) = self.script.item() else { return };
        let value = reply.and_then(|reply| self.value(item.tag(), reply));
        let is_version = matches!(item, Item::Version(_));
        self.unknown |= !is_version && value.is_none();
        self.script.heard(value);
    }

    fn fits(&self, asked: &[u8], reply: &[u8]) -> bool {
        let tag = asked.get(MENU.len()..MENU.len() + 6).unwrap_or(asked);
        reply.windows(tag.len()).any(|word| word == tag)
    }

    fn peel(&mut self, head: &[u8], between: bool) -> Peel {
        let Some(word) = self.word_of(head).filter(|_| between) else { return Peel::Text };
        // What is longer is none, whether its rest is here yet or not.
        match end_of_reply(head.get(..REPLY_MAX).unwrap_or(head), word) {
            // Anything else is damage, and its rest would stick to the next code.
            Some(end) if matches!(head.get(end - 1), Some(b'.' | b'!')) => Peel::Reply(end),
            Some(_) => Peel::Text,
            None if head.len() < REPLY_MAX => Peel::More,
            None => Peel::Text,
        }
    }

    fn act(&self, act: Act) -> Option<Ask> {
        match act {
            Act::Trigger => Some(Ask::unanswered(TRIGGER.to_vec())),
            Act::Stop => Some(Ask::unanswered(UNTRIGGER.to_vec())),
            Act::BeepGood => Some(Ask::unanswered(b"\x16\x07\r".to_vec())),
            Act::BeepBad | Act::Heartbeat => None,
        }
    }

    fn version(&self) -> Option<String> {
        self.version.clone()
    }

    fn advice(&self) -> Option<&'static str> {
        self.unknown.then_some(
            "the scanner does not know every setting that Till asked for: set its trigger mode by the manual's codes",
        )
    }
}
