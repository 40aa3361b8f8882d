//! What a printer says of itself. The fixed bits of an answer tell which one it is.

/// How the printer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Condition {
    offline: bool,
    cover_open: bool,
    paper_end: bool,
    pub(super) paper_low: bool,
    cutter: bool,
    broken: bool,
    error: bool,
}

impl Condition {
    /// From the answers to `DLE EOT` 1 to 4.
    fn asked([printer, offline, error, paper]: [u8; 4]) -> Self {
        Self {
            offline: printer & 0x08 != 0,
            cover_open: offline & 0x04 != 0,
            paper_end: offline & 0x20 != 0 || paper & 0x60 != 0,
            paper_low: paper & 0x0c != 0,
            cutter: error & 0x08 != 0,
            broken: error & 0x20 != 0,
            error: offline & 0x40 != 0 || error & 0x40 != 0,
        }
    }

    /// From the four bytes that `GS a` lets it send.
    fn told([printer, error, paper, _]: [u8; 4]) -> Self {
        Self {
            offline: printer & 0x08 != 0,
            cover_open: printer & 0x20 != 0,
            paper_end: paper & 0x0c != 0,
            paper_low: paper & 0x03 != 0,
            cutter: error & 0x08 != 0,
            broken: error & 0x20 != 0,
            error: error & 0x44 != 0,
        }
    }

    /// Why it does not print, and what to do.
    pub(super) fn trouble(self) -> Option<&'static str> {
        let signs = [
            (self.cover_open, "the printer's cover is open: close it"),
            (self.paper_end, "the printer is out of paper: put in a new roll"),
            (self.cutter, "the printer's cutter is stuck: clear the paper jam, then switch the printer off and on"),
            (
                self.broken,
                "the printer reports a fault that it cannot clear: switch it off and on, then have it repaired",
            ),
            (self.error, "the printer reports an error: look for a jam or let it cool down"),
            (self.offline, "the printer is off line: look whether its FEED button is stuck"),
        ];
        signs.into_iter().find(|(is, _)| *is).map(|(_, why)| why)
    }
}

/// One thing that the printer said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// How it is.
    Condition(Condition),
    /// `GS r`: everything before the question was worked off.
    Through,
}

/// Puts bytes together to answers.
#[derive(Debug, Default)]
pub(super) struct Answers {
    asked: Vec<u8>,
    told: Vec<u8>,
}

impl Answers {
    /// The four questions are asked anew: an answer to those before is none to these.
    pub(super) fn start(&mut self) {
        self.asked.clear();
    }

    pub(super) fn take(&mut self, byte: u8) -> Option<Answer> {
        match byte & 0x93 {
            0x12 => full(&mut self.asked, byte).map(|bytes| Answer::Condition(Condition::asked(bytes))),
            0x10 => {
                self.told.clear();
                full(&mut self.told, byte);
                None
            }
            _ if byte & 0x90 != 0 => None,
            _ if self.told.is_empty() => Some(Answer::Through),
            _ => full(&mut self.told, byte).map(|bytes| Answer::Condition(Condition::told(bytes))),
        }
    }
}

fn full(bytes: &mut Vec<u8>, byte: u8) -> Option<[u8; 4]> {
    bytes.push(byte);
    let four = <[u8; 4]>::try_from(bytes.as_slice()).ok()?;
    bytes.clear();
    Some(four)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(bytes: &[u8]) -> Vec<Answer> {
        let mut answers = Answers::default();
        bytes.iter().filter_map(|byte| answers.take(*byte)).collect()
    }

    fn well(paper_low: bool) -> Answer {
        Answer::Condition(Condition { paper_low, ..Condition::default() })
    }

    fn why(bytes: &[u8]) -> &'static str {
        match heard(bytes).as_slice() {
            [Answer::Condition(condition)] => condition.trouble().unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_trouble_is_named_in_both_ways_of_telling() {
        let cases: [(&[u8], &[u8], &str); 6] = [
            (b"\x1a\x16\x12\x12", b"\x38\x00\x00\x00", "cover"),
            (b"\x1a\x32\x12\x72", b"\x18\x00\x0c\x00", "out of paper"),
            (b"\x1a\x52\x1a\x12", b"\x18\x08\x00\x00", "cutter"),
            (b"\x1a\x52\x32\x12", b"\x18\x20\x00\x00", "repaired"),
            (b"\x1a\x52\x52\x12", b"\x18\x40\x00\x00", "an error"),
            (b"\x1a\x12\x12\x12", b"\x18\x00\x00\x00", "off line"),
        ];
        for (asked, told, word) in cases {
            assert!(why(asked).contains(word), "{asked:x?}: {}", why(asked));
            assert!(why(told).contains(word), "{told:x?}: {}", why(told));
        }
    }

    #[test]
    fn a_printer_that_is_well_says_so_and_whether_its_roll_is_nearly_over() {
        assert_eq!(heard(b"\x16\x12\x12\x12"), [well(false)], "the drawer's pin means nothing");
        assert_eq!(heard(b"\x12\x12\x12\x1e"), [well(true)]);
        assert_eq!(heard(b"\x10\x00\x00\x00"), [well(false)]);
        assert_eq!(heard(b"\x14\x00\x03\x00"), [well(true)]);
    }

    #[test]
    fn answers_that_come_one_into_the_other_are_kept_apart() {
        let bytes = b"\x12\x00\x12\x10\x00\x12\x03\x00\x12\x11\x13";
        assert_eq!(heard(bytes), [Answer::Through, well(true), well(false)], "flow control is no answer");
        assert_eq!(heard(b"\x00\x03\x0c"), [Answer::Through; 3], "GS r with any paper");
    }
}
