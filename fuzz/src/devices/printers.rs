//! Printers: what they answer, and what is sent to them for it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::script::{Due, Step, pass, steps};
use crate::{
    board::{PrinterSpec, QrBy},
    event::PrinterState,
    printer::{Align, Item, Receipt, Session, Style},
    sim::{port::Device, printer::Printer},
};

/// Receipts in one run.
const RECEIPTS_MAX: u64 = 12;
/// `GS r 1`, behind every piece of a printer that answers.
const ARE_YOU_THROUGH: &[u8] = b"\x1dr\x01";

/// The first byte says how the printer is; what follows are steps, 16 ms a unit.
pub fn any(data: &[u8]) {
    let Some((ways, rest)) = data.split_first() else { return };
    let has = |bit: u8| ways & bit != 0;
    let spec = PrinterSpec {
        status: !has(1),
        gb18030: has(2),
        qr: if has(4) { QrBy::Raster } else { QrBy::Command },
        columns: if has(8) { 48 } else { 32 },
        patience_ms: 5000,
        ..PrinterSpec::default()
    };
    let mut desk = Desk::new(&spec);
    for step in steps(rest) {
        desk.step(&step);
    }
    desk.end();
}

struct Desk {
    answers: bool,
    session: Session,
    dropped: Arc<AtomicU64>,
    /// Shows on paper what is sent.
    paper: Printer,
    now: Duration,
    open: bool,
    wanted: u64,
    /// Bytes that the printer said.
    heard: usize,
    /// A piece was sent, and nothing has come since then that could be the answer.
    unanswered: bool,
    told: Option<PrinterState>,
}

impl Desk {
    fn new(spec: &PrinterSpec) -> Self {
        let dropped = Arc::<AtomicU64>::default();
        let mut desk = Self {
            answers: spec.status,
            session: Session::new(spec, Arc::clone(&dropped)),
            dropped,
            paper: Printer::new(spec.columns.into(), 10_000_000),
            now: Duration::from_secs(1),
            open: true,
            wanted: 0,
            heard: 0,
            unanswered: false,
            told: None,
        };
        desk.session.opened(desk.now);
        desk.collect(desk.now);
        desk
    }

    fn step(&mut self, step: &Step<'_>) {
        self.wait(Duration::from_millis(u64::from(step.pause) * 16));
        match step.what % 4 {
            0 => self.want(step),
            1 => self.plug(),
            _ if self.open => self.received(step.bytes),
            _ => {}
        }
        self.collect(self.now);
    }

    fn wait(&mut self, time: Duration) {
        let (from, end) = (self.now, self.now + time);
        pass(self, from, end);
        self.now = end;
    }

    /// Byte by byte: what is sent for each is looked at.
    fn received(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.heard += 1;
            // The only bytes that can be the answer to "are you through".
            self.unanswered &= byte & 0x90 != 0;
            self.session.received(self.now, &[*byte]);
            self.collect(self.now);
        }
    }

    fn want(&mut self, step: &Step<'_>) {
        if self.wanted == RECEIPTS_MAX {
            return;
        }
        self.wanted += 1;
        let text = String::from_utf8_lossy(step.bytes.get(1..).unwrap_or_default()).into_owned();
        let style = Style { align: Align::Centre, double: step.byte(0) & 1 != 0, bold: step.byte(0) & 2 != 0 };
        let item = match step.byte(0) >> 2 & 3 {
            0 => Item::Text(text, style),
            1 => Item::Pair(text.clone(), text),
            2 => Item::Qr(text),
            _ => Item::Feed(step.byte(1)),
        };
        let receipt = Receipt { items: vec![item, Item::Rule], copy: step.byte(0) & 0x10 != 0 };
        self.session.wanted(self.now, &receipt);
    }

    fn plug(&mut self) {
        self.open = !self.open;
        if self.open {
            self.session.opened(self.now);
        } else {
            self.unanswered = false;
            self.session.closed(self.now, "the cable was pulled");
            // What was on its way is torn, and so is the paper.
            self.paper = Printer::new(32, 10_000_000);
        }
    }

    /// Nothing waits for ever, and what was not printed is counted.
    fn end(mut self) {
        self.wait(Duration::from_secs(60));
        let dropped = self.dropped.load(Ordering::Relaxed);
        assert!(dropped <= self.wanted, "{dropped} of {} were dropped", self.wanted);
        let printed = self.wanted - dropped;
        // Each piece needs its answer.
        assert!(!self.answers || printed <= self.heard as u64, "{printed} printed, and {} bytes heard", self.heard);
        assert!(self.paper.strange().is_empty(), "commands that nobody meant: {:x?}", self.paper.strange());
        for sheet in self.paper.receipts().iter().chain([self.paper.hanging()]) {
            assert!(
                sheet.lines.iter().flat_map(|line| line.chars()).all(|letter| !letter.is_control()),
                "{:?}",
                sheet.lines
            );
        }
    }
}

impl Due for Desk {
    fn due(&self) -> Option<Duration> {
        self.session.due()
    }

    fn woken(&mut self, now: Duration) {
        self.now = now;
        // A receipt that is dropped takes its piece with it.
        let before = self.dropped.load(Ordering::Relaxed);
        self.session.woken(now);
        self.unanswered &= self.dropped.load(Ordering::Relaxed) == before;
    }

    fn collect(&mut self, now: Duration) {
        while let Some(bytes) = self.session.next_to_send() {
            assert!(self.open, "sent to nobody");
            if self.answers && bytes.ends_with(ARE_YOU_THROUGH) {
                assert!(!std::mem::replace(&mut self.unanswered, true), "a second piece before the first was answered");
            }
            self.paper.received(now, &bytes);
        }
        while let Some(state) = self.session.happened() {
            assert!(self.told.as_ref() != Some(&state), "{state:?} twice");
            if let PrinterState::Down { reason } = &state {
                assert!(!reason.is_empty(), "away, and nobody says why");
            }
            self.told = Some(state);
        }
    }
}
