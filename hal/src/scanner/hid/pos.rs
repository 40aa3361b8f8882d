//! HID POS: reports of 64 bytes that say where a code begins and ends (reference/hardware.md 1.11).

use std::{collections::VecDeque, time::Duration};

use super::Reports;
use crate::{
    board::{DialectKind, ScannerSpec},
    scanner::{
        dialect::{self, Act, Dialect, Wants},
        frame::{Assembler, Framing, KEPT_MAX, Line, Noise},
    },
};

/// Bytes of a report, its number included.
pub(crate) const REPORT: usize = 64;
/// The number of a report with a code in it.
const CODE: u8 = 0x02;
/// Most data in one report.
const DATA_MAX: usize = 56;
/// The number of a report that carries a command, and how Honeywell numbers it.
const COMMAND: u8 = 0x04;
const COMMAND_HONEYWELL: u8 = 0xFD;
/// Reports of one code follow each other at once.
const TORN_AFTER: Duration = Duration::from_secs(1);

/// A command in a report. Honeywell's form is known from drivers; the other is that of clones.
pub(crate) fn command(kind: DialectKind, bytes: &[u8]) -> Vec<u8> {
    let number = if kind == DialectKind::Honeywell { COMMAND_HONEYWELL } else { COMMAND };
    let length = u8::try_from(bytes.len()).unwrap_or_default();
    let mut report = [&[number, length], bytes].concat();
    report.resize(REPORT, 0);
    report
}

/// A scanner in HID POS mode.
pub(crate) struct Pos {
    kind: DialectKind,
    wants: Wants,
    dialect: Box<dyn Dialect>,
    assembler: Assembler,
    keep_aim: bool,
    /// The reports of the code so far, and when the first and the last came.
    pub(super) partial: Vec<u8>,
    began: Duration,
    last: Duration,
    again: Option<Duration>,
    send: VecDeque<Vec<u8>>,
}

impl Pos {
    pub(crate) fn new(spec: &ScannerSpec, now: Duration) -> Self {
        let wants = Wants::from(spec);
        Self {
            kind: spec.dialect,
            wants,
            dialect: dialect::make(spec.dialect, wants),
            assembler: Assembler::new(Framing::from(spec), now),
            keep_aim: !spec.strip_aim,
            partial: Vec::new(),
            began: now,
            last: now,
            again: None,
            send: VecDeque::new(),
        }
    }

    fn report(&mut self, now: Duration, report: &[u8]) -> Option<Line> {
        if now >= self.last + TORN_AFTER {
            self.partial.clear();
        }
        let (&[number, length, aim @ ..], continued) = (report.first_chunk::<5>()?, *report.get(REPORT - 1)?);
        let length = usize::from(length);
        if number != CODE || length > DATA_MAX {
            self.partial.clear();
            return None;
        }
        if self.partial.is_empty() {
            self.began = now;
            if self.keep_aim {
                self.partial.extend(aim.iter().filter(|byte| **byte != 0));
            }
        }
        self.last = now;
        let room = KEPT_MAX.saturating_sub(self.partial.len());
        self.partial.extend(report.get(5..5 + length)?.iter().take(room));
        if continued != 0 {
            return None;
        }
        let code = std::mem::take(&mut self.partial);
        self.assembler.whole(self.began, now, &code)
    }

    fn say(&mut self, act: Act) {
        if self.wants.host {
            let bytes = self.dialect.act(act).map(|ask| command(self.kind, &ask.bytes));
            self.send.extend(bytes);
        }
    }

    fn trigger(&mut self, now: Duration) {
        self.say(Act::Trigger);
        self.again = self.wants.host.then(|| now + self.dialect.read_time());
    }
}

impl Reports for Pos {
    fn opened(&mut self, now: Duration) {
        self.assembler.reopen(now);
        self.partial.clear();
        self.send.clear();
        self.again = None;
    }

    fn received(&mut self, now: Duration, bytes: &[u8]) -> Vec<Line> {
        bytes.chunks_exact(REPORT).filter_map(|report| self.report(now, report)).collect()
    }

    fn armed(&mut self, now: Duration, armed: bool) {
        if armed {
            self.trigger(now);
        } else {
            self.again = None;
            self.say(Act::Stop);
        }
    }

    fn woken(&mut self, now: Duration) -> Vec<Line> {
        if self.again.is_some_and(|again| again <= now) {
            self.trigger(now);
        }
        Vec::new()
    }

    fn due(&self) -> Option<Duration> {
        self.again
    }

    fn to_send(&mut self) -> Option<Vec<u8>> {
        self.send.pop_front()
    }

    fn noise(&self) -> Noise {
        self.assembler.noise()
    }

    fn is_keyboard(&self) -> bool {
        false
    }
}
