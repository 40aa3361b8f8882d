//! The line assembler that every scanner shares (reference/hardware.md 1.9): bytes and their time in, lines out.
//!
//! It is pure: reads may be split anywhere and glued in any way, and the lines are the same.

use std::time::Duration;

use crate::board::{ScannerSpec, Terminator};

/// Longest line: that of an operator's member or voucher code. What is longer is dropped up to the next terminator.
pub const LINE_MAX: usize = 512;
/// So much of a code that comes in parts is kept: enough to know that it is too long.
pub(super) const KEPT_MAX: usize = LINE_MAX + 1;
/// A line that pauses this long in the middle is torn: the scanner was unplugged or bytes were lost.
const TORN_AFTER: Duration = Duration::from_secs(2);

/// A line as it was read.
#[derive(Clone, PartialEq, Eq)]
pub struct Line {
    /// Its text without terminator, prefix, suffix and AIM identifier.
    pub text: String,
    /// When its first byte came.
    pub began: Duration,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Line(<{} characters> at {:?})", self.text.len(), self.began)
    }
}

/// Lines that were not passed on, by reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Noise {
    /// Longer than [`LINE_MAX`].
    pub too_long: u64,
    /// Not printable ASCII.
    pub binary: u64,
    /// The same code again within the double-read time.
    pub repeated: u64,
    /// Broken off in the middle.
    pub torn: u64,
    /// Bytes that arrived too soon after opening.
    pub stale_bytes: u64,
}

/// The assembler's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Framing {
    /// What ends a line.
    pub terminator: Terminator,
    /// Cut off the front.
    pub prefix: String,
    /// Cut off the end.
    pub suffix: String,
    /// Cut off an AIM identifier.
    pub strip_aim: bool,
    /// Silence that ends a line without terminator.
    pub idle: Duration,
    /// The same text within this time is one read.
    pub double_read: Duration,
    /// What comes this soon after opening is old.
    pub stale: Duration,
}

impl From<&ScannerSpec> for Framing {
    fn from(spec: &ScannerSpec) -> Self {
        let milliseconds = |ms: u32| Duration::from_millis(ms.into());
        Self {
            terminator: spec.terminator,
            prefix: spec.prefix.clone(),
            suffix: spec.suffix.clone(),
            strip_aim: spec.strip_aim,
            idle: milliseconds(spec.idle_ms),
            double_read: milliseconds(spec.double_read_ms),
            stale: milliseconds(spec.stale_ms),
        }
    }
}

/// Joins bytes to lines.
pub struct Assembler {
    framing: Framing,
    opened: Duration,
    buffer: Vec<u8>,
    began: Duration,
    last_byte: Duration,
    skipping: bool,
    last_line: Option<(String, Duration)>,
    noise: Noise,
}

impl Assembler {
    /// An assembler for a port that was opened at `opened`.
    #[must_use]
    pub fn new(framing: Framing, opened: Duration) -> Self {
        Self {
            framing,
            opened,
            buffer: Vec::new(),
            began: opened,
            last_byte: opened,
            skipping: false,
            last_line: None,
            noise: Noise::default(),
        }
    }

    /// The port was closed and opened again: half a line from before is gone, the last code is remembered.
    pub fn reopen(&mut self, opened: Duration) {
        self.opened = opened;
        self.last_byte = opened;
        self.skipping = false;
        if !self.buffer.is_empty() {
            self.noise.torn += 1;
            self.buffer.clear();
        }
    }

    /// Takes what one read returned.
    pub fn push(&mut self, now: Duration, bytes: &[u8]) -> Vec<Line> {
        let mut lines = Vec::new();
        if now < self.opened + self.framing.stale {
            self.noise.stale_bytes += bytes.len() as u64;
            return lines;
        }
        lines.extend(self.flush(now));
        self.drop_torn(now);
        for byte in bytes {
            lines.extend(self.take(now, *byte));
        }
        self.last_byte = now;
        lines
    }

    /// When [`flush`](Self::flush) will end a line by silence.
    #[must_use]
    pub fn idle_deadline(&self) -> Option<Duration> {
        let waits = self.framing.terminator == Terminator::None && (self.skipping || !self.buffer.is_empty());
        waits.then(|| self.last_byte + self.framing.idle)
    }

    /// Ends a line by silence, where there is no terminator.
    pub fn flush(&mut self, now: Duration) -> Option<Line> {
        self.idle_deadline().filter(|at| *at <= now)?;
        self.end_line(now)
    }

    /// A code that came as a whole, with its length told: its own packet or report. Lines around it stay as they are.
    pub fn whole(&mut self, began: Duration, now: Duration, code: &[u8]) -> Option<Line> {
        if now < self.opened + self.framing.stale {
            self.noise.stale_bytes += code.len() as u64;
            return None;
        }
        if code.len() > LINE_MAX {
            self.noise.too_long += 1;
            return None;
        }
        let end = code.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n' | b'\t'))?;
        self.line_of(began, now, code.get(..=end)?.to_vec())
    }

    /// Whether no line has begun, so that what comes next is the head of something.
    #[must_use]
    pub fn is_between_lines(&self) -> bool {
        self.buffer.is_empty() && !self.skipping
    }

    /// What was not passed on so far.
    #[must_use]
    pub fn noise(&self) -> Noise {
        self.noise
    }

    fn drop_torn(&mut self, now: Duration) {
        if now >= self.last_byte + TORN_AFTER && (self.skipping || !self.buffer.is_empty()) {
            self.noise.torn += u64::from(!self.skipping);
            self.skipping = false;
            self.buffer.clear();
        }
    }

    fn take(&mut self, now: Duration, byte: u8) -> Option<Line> {
        if self.ends_line(byte) {
            return self.end_line(now);
        }
        if self.skipping {
            return None;
        }
        if self.buffer.is_empty() {
            self.began = now;
        }
        if self.buffer.len() >= LINE_MAX {
            self.noise.too_long += 1;
            self.skipping = true;
            self.buffer.clear();
            return None;
        }
        self.buffer.push(byte);
        None
    }

    fn ends_line(&mut self, byte: u8) -> bool {
        match self.framing.terminator {
            Terminator::Any => matches!(byte, b'\r' | b'\n'),
            Terminator::Cr => byte == b'\r',
            Terminator::Lf => byte == b'\n',
            Terminator::Tab => byte == b'\t',
            Terminator::None => false,
            Terminator::Crlf => {
                // While skipping there is no buffer to hold the CR; an LF is the end of the line then.
                let after_cr = byte == b'\n' && (self.skipping || self.buffer.last() == Some(&b'\r'));
                if after_cr {
                    self.buffer.pop();
                }
                after_cr
            }
        }
    }

    fn end_line(&mut self, now: Duration) -> Option<Line> {
        let skipped = std::mem::take(&mut self.skipping);
        let bytes = std::mem::take(&mut self.buffer);
        if skipped || bytes.is_empty() {
            return None;
        }
        self.line_of(self.began, now, bytes)
    }

    fn line_of(&mut self, began: Duration, now: Duration, bytes: Vec<u8>) -> Option<Line> {
        if !bytes.iter().all(|byte| (b' '..=b'~').contains(byte)) {
            self.noise.binary += 1;
            return None;
        }
        let text = self.strip(&String::from_utf8(bytes).ok()?);
        if text.is_empty() {
            return None;
        }
        self.pass_once(now, text).map(|text| Line { text, began })
    }

    fn strip(&self, line: &str) -> String {
        let line = line.trim();
        let line = line.strip_prefix(&self.framing.prefix).unwrap_or(line);
        let line = line.strip_suffix(&self.framing.suffix).unwrap_or(line);
        let line = match line.as_bytes() {
            [b']', letter, digit, ..]
                if self.framing.strip_aim && letter.is_ascii_alphabetic() && digit.is_ascii_alphanumeric() =>
            {
                &line[3..]
            }
            _ => line,
        };
        line.trim().to_owned()
    }

    /// A phone held in view is read again and again: each sighting renews the guard.
    fn pass_once(&mut self, now: Duration, text: String) -> Option<String> {
        let repeated =
            self.last_line.as_ref().is_some_and(|(last, at)| *last == text && now < *at + self.framing.double_read);
        self.last_line = Some((text.clone(), now));
        if repeated {
            self.noise.repeated += 1;
            return None;
        }
        Some(text)
    }
}

#[cfg(test)]
#[path = "frame_tests.rs"]
mod tests;
