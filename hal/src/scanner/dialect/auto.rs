//! Finds out what a scanner understands, and at which speed.
//!
//! Versions are asked for, nothing is set. Families with binary frames come first: to them, and to a scanner of no family, a
//! frame is noise. Words come last, because some scanners take single letters as commands: `D` and `F` put a Datalogic to
//! sleep (reference/hardware.md 1.7), so [`ENABLE`] is said when nobody has answered.

use crate::board::DialectKind;

/// Undoes what a word's letters may have done to a scanner that is of no family.
pub(crate) const ENABLE: &[u8] = b"E";

const ORDER: [DialectKind; 5] =
    [DialectKind::Zone, DialectKind::Ssi, DialectKind::Newland, DialectKind::Caret, DialectKind::Honeywell];
/// What scanners leave the factory with.
const SPEEDS: [u32; 2] = [9600, 115_200];

/// What is to be tried, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Search {
    /// The next one last.
    plan: Vec<(DialectKind, u32)>,
}

impl Search {
    /// Looks for a scanner that the board calls `wanted` at `baud`; what was `found` before is tried first.
    pub(crate) fn new(wanted: DialectKind, baud: u32, found: Option<(DialectKind, u32)>) -> Self {
        let kinds: &[DialectKind] = match wanted {
            DialectKind::Auto => &ORDER,
            DialectKind::Plain => &[],
            DialectKind::Zone
            | DialectKind::Newland
            | DialectKind::Honeywell
            | DialectKind::Ssi
            | DialectKind::Caret => &[wanted],
        };
        let speeds = [baud].into_iter().chain(SPEEDS.into_iter().filter(|speed| *speed != baud));
        let fresh = speeds.flat_map(|speed| kinds.iter().map(move |kind| (*kind, speed)));
        let mut plan: Vec<_> = found.into_iter().chain(fresh.filter(|one| Some(*one) != found)).collect();
        plan.reverse();
        Self { plan }
    }

    /// What is planned and was written down like this.
    pub(crate) fn find(self, text: &str, written: impl Fn(DialectKind, u32) -> String) -> Option<(DialectKind, u32)> {
        self.plan.into_iter().find(|(kind, speed)| written(*kind, *speed) == text)
    }

    /// The next to try.
    pub(crate) fn next(&mut self) -> Option<(DialectKind, u32)> {
        self.plan.pop()
    }

    /// Codes came through at this speed: no other is tried.
    pub(crate) fn keep_to(&mut self, baud: u32) {
        self.plan.retain(|(_, speed)| *speed == baud);
    }
}
