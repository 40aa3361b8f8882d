//! A scanner that types: key events to text, US layout (reference/hardware.md 1.10).
//!
//! A code ends with Enter. A scanner that presses Enter *before* each code is known by it, and its codes end with silence; with
//! `terminator = "none"` all do. When the kernel lost events, the code in the middle of it is dropped whole.

use std::time::Duration;

use super::Reports;
use crate::{
    board::{ScannerSpec, Terminator},
    scanner::frame::{Assembler, Framing, Line, Noise},
};

/// Two machine words of time, type, code, value; on 32-bit kernels, words of 4 bytes, also with 64-bit time.
pub(crate) const EVENT: usize = 2 * size_of::<std::ffi::c_ulong>() + 8;

const EV_SYN: u16 = 0;
const EV_KEY: u16 = 1;
const SYN_REPORT: u16 = 0;
const SYN_DROPPED: u16 = 3;

const LEFT_SHIFT: u16 = 42;
const RIGHT_SHIFT: u16 = 54;
const CAPS_LOCK: u16 = 58;
const ENTER: u16 = 28;
const KEYPAD_ENTER: u16 = 96;

/// An Enter belongs to the code that follows within this time.
const ENTER_FIRST: Duration = Duration::from_millis(100);
/// Silence that ends a code of a scanner that presses Enter first: keys come 1 to 10 ms apart.
const SILENCE: u32 = 200;
/// No text: it spoils the line that it is in.
const SPOIL: u8 = 0;

/// Runs of key codes that follow each other: the first code, the keys alone, the keys with Shift.
const KEYS: [(u16, &[u8], &[u8]); 7] = [
    (2, b"1234567890-=", b"!@#$%^&*()_+"),
    (15, b"\tqwertyuiop[]", b"\tQWERTYUIOP{}"),
    (30, b"asdfghjkl;'`", b"ASDFGHJKL:\"~"),
    (43, b"\\zxcvbnm,./", b"|ZXCVBNM<>?"),
    (55, b"*\0 ", b"*\0 "),
    (71, b"789-456+1230.", b"789-456+1230."),
    (98, b"/", b"/"),
];

/// Which keys are held.
#[derive(Debug, Default)]
struct Decoder {
    left_shift: bool,
    right_shift: bool,
    caps: bool,
    /// The kernel lost events, up to the next report.
    lost: bool,
}

impl Decoder {
    /// The byte that was typed; Enter is CR.
    fn event(&mut self, kind: u16, code: u16, value: i32) -> Option<u8> {
        match (kind, code) {
            (EV_SYN, SYN_DROPPED) => {
                *self = Self { lost: true, caps: self.caps, ..Self::default() };
                Some(SPOIL)
            }
            (EV_SYN, SYN_REPORT) => {
                self.lost = false;
                None
            }
            (EV_KEY, _) if !self.lost => self.key(code, value),
            _ => None,
        }
    }

    /// `value`: 1 pressed, 0 released, 2 repeated by the kernel.
    fn key(&mut self, code: u16, value: i32) -> Option<u8> {
        match (code, value) {
            (LEFT_SHIFT, 0 | 1) => self.left_shift = value == 1,
            (RIGHT_SHIFT, 0 | 1) => self.right_shift = value == 1,
            (CAPS_LOCK, 1) => self.caps = !self.caps,
            (ENTER | KEYPAD_ENTER, 1) => return Some(b'\r'),
            (_, 1) => return self.typed(code),
            _ => {}
        }
        None
    }

    fn typed(&self, code: u16) -> Option<u8> {
        let shift = self.left_shift || self.right_shift;
        let (plain, shifted) = KEYS.iter().find_map(|(first, plain, shifted)| {
            let index = usize::from(code.checked_sub(*first)?);
            Some((*plain.get(index)?, *shifted.get(index)?))
        })?;
        let upper = shift != (self.caps && plain.is_ascii_lowercase());
        let byte = if upper { shifted } else { plain };
        (byte != 0).then_some(byte)
    }
}

/// The key events of one read: type, code, value. `size`: of one event.
pub(super) fn events(bytes: &[u8], size: usize) -> impl Iterator<Item = (u16, u16, i32)> {
    bytes.chunks_exact(size).filter_map(|event| match event {
        [.., a, b, c, d, e, f, g, h] => {
            Some((u16::from_ne_bytes([*a, *b]), u16::from_ne_bytes([*c, *d]), i32::from_ne_bytes([*e, *f, *g, *h])))
        }
        _ => None,
    })
}

/// A typing scanner.
pub(crate) struct Keyboard {
    decoder: Decoder,
    assembler: Assembler,
    /// Part of an event, where a read was cut.
    rest: Vec<u8>,
    /// How long a code may pause before it ends.
    silence: Duration,
    by_silence: bool,
    /// Enter was pressed with nothing before it.
    enter: Option<Duration>,
    /// The line that is being typed began with Enter.
    led: bool,
    last_key: Duration,
}

impl Keyboard {
    pub(crate) fn new(spec: &ScannerSpec, now: Duration) -> Self {
        let by_silence = spec.terminator == Terminator::None;
        let terminator = if spec.terminator == Terminator::Tab { Terminator::Tab } else { Terminator::Any };
        let framing = Framing { terminator, ..Framing::from(spec) };
        let silence = if by_silence { spec.idle_ms } else { SILENCE };
        Self {
            decoder: Decoder::default(),
            assembler: Assembler::new(framing, now),
            rest: Vec::new(),
            silence: Duration::from_millis(silence.into()),
            by_silence,
            enter: None,
            led: false,
            last_key: now,
        }
    }

    fn typed(&mut self, now: Duration, byte: u8) -> Vec<Line> {
        let begins = self.assembler.is_between_lines();
        if byte == b'\r' {
            self.enter = begins.then_some(now);
            self.led = false;
        } else if begins {
            self.led = self.enter.take().is_some_and(|enter| now < enter + ENTER_FIRST);
        }
        self.last_key = now;
        self.assembler.push(now, &[byte])
    }

    fn silent_since_long(&mut self, now: Duration) -> Vec<Line> {
        if self.due().is_none_or(|due| due > now) {
            return Vec::new();
        }
        self.led = false;
        self.assembler.push(now, b"\r")
    }
}

impl Reports for Keyboard {
    fn opened(&mut self, now: Duration) {
        self.decoder = Decoder::default();
        self.rest.clear();
        (self.enter, self.led) = (None, false);
        self.assembler.reopen(now);
    }

    fn received(&mut self, now: Duration, bytes: &[u8]) -> Vec<Line> {
        let mut lines = self.silent_since_long(now);
        self.rest.extend_from_slice(bytes);
        let whole = self.rest.len() - self.rest.len() % EVENT;
        let events: Vec<_> = events(self.rest.get(..whole).unwrap_or_default(), EVENT).collect();
        self.rest.drain(..whole);
        for (kind, code, value) in events {
            if let Some(byte) = self.decoder.event(kind, code, value) {
                lines.extend(self.typed(now, byte));
            }
        }
        lines
    }

    fn armed(&mut self, _: Duration, _: bool) {}

    fn woken(&mut self, now: Duration) -> Vec<Line> {
        self.silent_since_long(now)
    }

    fn due(&self) -> Option<Duration> {
        let ends = (self.by_silence || self.led) && !self.assembler.is_between_lines();
        ends.then(|| self.last_key + self.silence)
    }

    fn to_send(&mut self) -> Option<Vec<u8>> {
        None
    }

    fn noise(&self) -> Noise {
        self.assembler.noise()
    }

    fn is_keyboard(&self) -> bool {
        true
    }
}
