//! Newland's unified commands, also Sunmi's (reference/hardware.md 1.3).
//!
//! Every setting is made until power-off only, at each start: nothing wears. `SETUPE0` keeps a buyer's printed set-up code from
//! acting.

use std::time::Duration;

use super::{
    Act, Ask, Dialect, Peel, READ_TIME, Wants, begins, readable,
    words::{Item, Say, Script, status},
};

const HEAD: &[u8] = b"\x02\x010000";
const END: &[u8] = b";\x03";
/// Longest reply; the firmware's text is the longest.
const REPLY_MAX: usize = 400;
const DONE: u8 = 0x06;

/// A command as it goes over the wire; `keep`: `@` through power-off, `#` until then.
pub(crate) fn command(keep: u8, words: &str) -> Vec<u8> {
    [b"~\x010000".as_slice(), &[keep], words.as_bytes(), END].concat()
}

/// The set-up of one Newland scanner.
pub(crate) struct Newland {
    script: Script,
    version: Option<String>,
    read_ms: Option<u64>,
    unknown: bool,
}

impl Newland {
    pub(crate) fn new(wants: Wants) -> Self {
        let mut items = vec![Item::Version("QRYSYS")];
        if wants.setup {
            items.push(Item::Set("SETUPE", "0"));
            if wants.host {
                items.push(Item::Want("SCNMOD", "0"));
            }
            if let Some(beep) = wants.beep {
                items.push(Item::Want("GRBENA", if beep { "1" } else { "0" }));
            }
        }
        if wants.host {
            items.push(Item::Learn("ORTSET"));
        }
        Self { script: Script::new(items), version: None, read_ms: None, unknown: false }
    }

    /// What came behind the tag, if the scanner knows it.
    fn value<'a>(&mut self, tag: &str, reply: &'a [u8]) -> Option<&'a str> {
        let text = words(reply)?;
        if tag == "QRYSYS" {
            self.version = Some(readable(text.get(tag.len()..text.len().saturating_sub(1))?));
            return None;
        }
        let (said, status) = status(text)?;
        if status == DONE { said.strip_prefix(tag) } else { None }
    }
}

/// What is between the storage letter and the end.
fn words(reply: &[u8]) -> Option<&[u8]> {
    reply.strip_prefix(HEAD)?.strip_suffix(END)?.split_first().map(|(_, words)| words)
}

impl Dialect for Newland {
    fn name(&self) -> &'static str {
        "newland"
    }

    fn next(&mut self) -> Option<Ask> {
        Some(Ask::new(match self.script.say()? {
            Say::Version(tag) => command(b'#', tag),
            Say::Query(tag) => command(b'#', &[tag, "*"].concat()),
            Say::Set(tag, value) => command(b'#', &[tag, value].concat()),
        }))
    }

    fn answered(&mut self, reply: Option<&[u8]>) {
        let Some(item) = self.script.item() else { return };
        let value = reply.and_then(|reply| self.value(item.tag(), reply));
        match item {
            Item::Learn(_) => self.read_ms = value.and_then(|value| value.parse().ok()),
            Item::Set(..) | Item::Want(..) => self.unknown |= value.is_none(),
            Item::Version(_) => {}
        }
        self.script.heard(value);
    }

    fn fits(&self, asked: &[u8], reply: &[u8]) -> bool {
        let tag = asked.get(HEAD.len() + 1..HEAD.len() + 7);
        words(reply).zip(tag).is_some_and(|(words, tag)| words.starts_with(tag))
    }

    fn peel(&mut self, head: &[u8], _: bool) -> Peel {
        if !begins(head, HEAD) {
            return Peel::Text;
        }
        let Some(rest) = head.get(HEAD.len()..) else { return Peel::More };
        // Another head begins another reply, and what is longer is none, whether its rest is here yet or not.
        let own = rest.iter().take(REPLY_MAX - HEAD.len()).take_while(|byte| **byte != 0x02).count();
        let end = rest.get(..own).and_then(|own| own.windows(END.len()).position(|two| two == END));
        match end {
            Some(end) => Peel::Reply(HEAD.len() + end + END.len()),
            None if head.len() < REPLY_MAX && !rest.contains(&0x02) => Peel::More,
            None => Peel::Text,
        }
    }

    fn act(&self, act: Act) -> Option<Ask> {
        match act {
            Act::Trigger => Some(Ask::new(command(b'@', "SCNTRG1")).tries(2)),
            Act::Stop => Some(Ask::new(command(b'@', "SCNTRG0")).tries(2)),
            Act::BeepGood | Act::BeepBad | Act::Heartbeat => None,
        }
    }

    fn version(&self) -> Option<String> {
        self.version.clone()
    }

    fn read_time(&self) -> Duration {
        self.read_ms.map_or(READ_TIME, Duration::from_millis)
    }

    fn advice(&self) -> Option<&'static str> {
        self.unknown.then_some(
            "the scanner does not know every setting that Till asked for: try a read, and a printed set-up code, by hand",
        )
    }
}
