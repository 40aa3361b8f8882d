//! `^_^` words of MDT engines: DE2120, HW1258 (reference/hardware.md 1.6).
//!
//! One byte answers everything, and nothing can be asked but the version: what the board wants is set at each start and never
//! saved. The words `SCMMAN` and `DSPYFW` are from public drivers of the DE2120. These read one byte behind `DSPYFW` and no text,
//! so there is no version to tell.

use super::{Act, Ask, Dialect, Peel, Wants};

const DONE: u8 = 0x06;
const REFUSED: u8 = 0x15;

/// A word as it goes over the wire.
pub(crate) fn command(word: &str) -> Vec<u8> {
    [b"^_^", word.as_bytes(), b"."].concat()
}

/// The set-up of one `^_^` scanner.
pub(crate) struct Caret {
    /// Words still to be said, the next one last.
    words: Vec<&'static str>,
    refused: bool,
}

impl Caret {
    pub(crate) fn new(wants: Wants) -> Self {
        let mut words = Vec::new();
        if wants.setup {
            words.extend(wants.beep.map(|beep| if beep { "BEPSUC1" } else { "BEPSUC0" }));
            words.extend(wants.host.then_some("SCMMAN"));
        }
        words.push("DSPYFW");
        Self { words, refused: false }
    }
}

impl Dialect for Caret {
    fn name(&self) -> &'static str {
        "caret"
    }

    fn next(&mut self) -> Option<Ask> {
        self.words.last().map(|word| Ask::new(command(word)))
    }

    fn answered(&mut self, reply: Option<&[u8]>) {
        let word = self.words.pop();
        self.refused |= word != Some("DSPYFW") && reply != Some(&[DONE]);
    }

    fn fits(&self, _: &[u8], _: &[u8]) -> bool {
        true
    }

    fn peel(&mut self, head: &[u8], between: bool) -> Peel {
        match head.first() {
            Some(&(DONE | REFUSED)) if between => Peel::Reply(1),
            Some(_) | None => Peel::Text,
        }
    }

    fn act(&self, act: Act) -> Option<Ask> {
        match act {
            Act::Trigger => Some(Ask::new(command("SCAN")).tries(2)),
            Act::Stop => Some(Ask::new(command("SLEEP")).tries(2)),
            Act::BeepGood | Act::BeepBad | Act::Heartbeat => None,
        }
    }

    fn advice(&self) -> Option<&'static str> {
        self.refused.then_some("the scanner refused a setting: set it by the codes of its manual")
    }
}
