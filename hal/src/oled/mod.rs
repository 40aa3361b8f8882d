//! A small OLED for a few words to the technician: SSD1306 and SH1106 on I²C (reference/hardware.md 2.6).
//!
//! No code is shown on it: 128×64 pixels are too few for a phone. Such a display burns in within months, so the words wander
//! by some pixels and get dim when nothing changes.

mod i2c;
mod text;

use std::{io, time::Duration};

use crate::{
    board::{StatusKind, StatusSpec},
    latest::Latest,
    pace::{self, BackOff},
};

/// Pixels across.
pub const WIDTH: usize = 128;

const BRIGHT: u8 = 0xCF;
const DIM: u8 = 0x01;
/// How often the words move.
const WANDER: Duration = Duration::from_secs(60);
/// Where they stand, in turn.
const PLACES: [(i32, i32); 8] = [(0, 0), (1, 0), (2, 0), (3, 0), (3, 1), (2, 1), (1, 1), (0, 1)];

/// The wire: each message is one I²C write.
pub trait Wire: Send {
    /// Sends one message.
    ///
    /// # Errors
    /// When nobody answers.
    fn send(&mut self, message: &[u8]) -> io::Result<()>;
}

/// The words and how they stand, without a clock and without a wire.
pub struct Oled {
    kind: StatusKind,
    upside_down: bool,
    rows: usize,
    dim_after: Duration,
    lines: Vec<String>,
    changed: Duration,
    moved: Duration,
    place: usize,
    is_dim: bool,
    /// What each page of eight rows holds; empty: unknown.
    pages: Vec<Vec<u8>>,
}

impl Oled {
    /// Nothing is shown yet.
    #[must_use]
    pub fn new(spec: &StatusSpec) -> Self {
        Self {
            kind: spec.kind,
            upside_down: spec.upside_down,
            rows: if spec.height == 32 { 32 } else { 64 },
            dim_after: Duration::from_secs(spec.dim_after_s.into()),
            lines: Vec::new(),
            changed: Duration::ZERO,
            moved: Duration::ZERO,
            place: 0,
            is_dim: false,
            pages: Vec::new(),
        }
    }

    /// What wakes the chip; everything is drawn anew after it.
    pub fn wake(&mut self, now: Duration) -> Vec<Vec<u8>> {
        self.pages = vec![Vec::new(); self.rows / 8];
        self.is_dim = false;
        self.changed = now;
        let [columns, scan] = if self.upside_down { [0xA0, 0xC0] } else { [0xA1, 0xC8] };
        let rows = if self.rows == 32 { [0x1F, 0x02] } else { [0x3F, 0x12] };
        // Each has its own way to make the voltage; the second byte of the pair for the SSD1306 also chooses pages.
        let pump: &[u8] = if self.kind == StatusKind::Sh1106 { &[0xAD, 0x8B] } else { &[0x8D, 0x14, 0x20, 0x02] };
        let head = [0x00, 0xAE, 0xD5, 0x80, 0xA8, rows[0], 0xD3, 0x00, 0x40];
        let tail = [columns, scan, 0xDA, rows[1], 0x81, BRIGHT, 0xD9, 0xF1, 0xDB, 0x40, 0xA4, 0xA6];
        let mut messages = vec![[&head[..], pump, &tail[..]].concat()];
        messages.extend(self.draw());
        messages.push(vec![0x00, 0xAF]);
        messages
    }

    /// New words.
    pub fn show(&mut self, now: Duration, lines: Vec<String>) -> Vec<Vec<u8>> {
        if lines == self.lines {
            return Vec::new();
        }
        (self.lines, self.changed) = (lines, now);
        let mut messages = self.draw();
        messages.extend(self.dim(false));
        messages
    }

    /// When [`woken`](Self::woken) is to be called.
    #[must_use]
    pub fn due(&self) -> Duration {
        let wander = self.moved + WANDER;
        if self.is_dim { wander } else { wander.min(self.changed + self.dim_after) }
    }

    /// Time has passed: the words move, or get dim.
    pub fn woken(&mut self, now: Duration) -> Vec<Vec<u8>> {
        let mut messages = Vec::new();
        if now >= self.moved + WANDER {
            (self.moved, self.place) = (now, (self.place + 1) % PLACES.len());
            messages.extend(self.draw());
        }
        if now >= self.changed + self.dim_after {
            messages.extend(self.dim(true));
        }
        messages
    }

    fn dim(&mut self, dim: bool) -> Option<Vec<u8>> {
        let changes = self.is_dim != dim;
        self.is_dim = dim;
        changes.then(|| vec![0x00, 0x81, if dim { DIM } else { BRIGHT }])
    }

    /// The pages that differ from what is there.
    fn draw(&mut self) -> Vec<Vec<u8>> {
        let place = PLACES.get(self.place).copied().unwrap_or_default();
        let drawn = text::pages(&self.lines, self.rows, place);
        // The SH1106 has 132 columns, and glass on the middle ones.
        let column = if self.kind == StatusKind::Sh1106 { 2 } else { 0 };
        let mut messages = Vec::new();
        for (number, (page, drawn)) in (0_u8..).zip(self.pages.iter_mut().zip(drawn)) {
            if *page != drawn {
                messages.push(vec![0x00, 0xB0 | number, column, 0x10]);
                messages.push([&[0x40], &drawn[..]].concat());
                *page = drawn;
            }
        }
        messages
    }
}

/// Runs a status display until the mailbox is closed; it goes dark then. One that is not there is no fault of the machine.
pub(crate) fn run(spec: &StatusSpec, words: &Latest<Vec<String>>) {
    let mut pauses = BackOff::default();
    let mut oled = Oled::new(spec);
    let mut reported = false;
    while !words.is_closed() {
        match serve(spec, &mut oled, words, &mut pauses) {
            Ok(()) => return,
            Err(fault) if !reported => tracing::warn!(%fault, "the status display does not answer; it is tried again"),
            Err(_) => {}
        }
        reported = true;
        if let Some(lines) = words.take_within(pauses.next()) {
            oled.lines = lines;
        }
    }
}

fn serve(spec: &StatusSpec, oled: &mut Oled, words: &Latest<Vec<String>>, pauses: &mut BackOff) -> io::Result<()> {
    let mut wire = i2c::open(spec)?;
    let mut messages = oled.wake(pace::now());
    loop {
        messages.iter().try_for_each(|message| wire.send(message))?;
        pauses.up();
        let rest = oled.due().saturating_sub(pace::now());
        messages = match words.take_within(rest) {
            Some(lines) => oled.show(pace::now(), lines),
            None if words.is_closed() => return wire.send(&[0x00, 0xAE]),
            None => oled.woken(pace::now()),
        };
    }
}

#[cfg(test)]
mod tests;
