//! A simulated ESC/POS printer: its own side of the wire, its paper, its cover. Printing takes no time.
//!
//! Real-time commands are worked off when they arrive, wherever they stand; everything else waits in the buffer while the
//! printer is off line, and comes out when it is on line again: what a till must not let happen hours later.

mod paper;

use std::{collections::VecDeque, time::Duration};

use encoding_rs::GB18030;
pub use paper::Sheet;
use paper::{Cell, LETTER, columns};
use qrcode::QrCode;

use super::port::Device;
use crate::printer::Align;

/// The roll is nearly over when this much is left, in dots: about a hundred millimetres.
const LOW: usize = 800;
/// From the print line to the knife, in dots.
const TO_THE_KNIFE: usize = 100;

/// A printer with a roll of paper.
pub struct Printer {
    dots: usize,
    roll: usize,
    cover_open: bool,
    /// It answers nothing, as one that cannot.
    mute: bool,
    real_time: Vec<u8>,
    buffer: VecDeque<u8>,
    tells: bool,
    chinese: bool,
    align: Align,
    size: usize,
    bold: bool,
    line: Vec<Cell>,
    qr: (usize, Vec<u8>),
    sheet: Sheet,
    receipts: Vec<Sheet>,
    overflows: usize,
    strange: Vec<u8>,
    send: VecDeque<Vec<u8>>,
}

impl Printer {
    /// A printer for `columns` letters on a line, with a roll of `roll` dots; eight are a millimetre.
    #[must_use]
    pub fn new(columns: usize, roll: usize) -> Self {
        let dots = columns * LETTER;
        Self {
            dots,
            roll,
            cover_open: false,
            mute: false,
            real_time: Vec::new(),
            buffer: VecDeque::new(),
            tells: false,
            chinese: true,
            align: Align::Left,
            size: 1,
            bold: false,
            line: Vec::new(),
            qr: (3, Vec::new()),
            sheet: Sheet::new(dots),
            receipts: Vec::new(),
            overflows: 0,
            strange: Vec::new(),
            send: VecDeque::new(),
        }
    }

    /// The same printer without a voice: it prints, and answers nothing.
    #[must_use]
    pub fn mute(mut self) -> Self {
        self.mute = true;
        self
    }

    /// What was cut off, in order.
    #[must_use]
    pub fn receipts(&self) -> &[Sheet] {
        &self.receipts
    }

    /// What hangs out of it and is not cut off.
    #[must_use]
    pub fn hanging(&self) -> &Sheet {
        &self.sheet
    }

    /// Lines that were longer than the paper, so that the printer broke them.
    #[must_use]
    pub fn overflows(&self) -> usize {
        self.overflows
    }

    /// Bytes that it did not understand.
    #[must_use]
    pub fn strange(&self) -> &[u8] {
        &self.strange
    }

    /// Puts in a roll of `dots`.
    pub fn put_in(&mut self, dots: usize) {
        self.change(|printer| printer.roll = dots);
    }

    /// Opens or closes the cover.
    pub fn open_cover(&mut self, open: bool) {
        self.change(|printer| printer.cover_open = open);
    }

    fn change(&mut self, change: impl FnOnce(&mut Self)) {
        let before = self.back();
        change(self);
        self.tell_if_changed(before);
        self.work();
    }

    fn is_online(&self) -> bool {
        !self.cover_open && self.roll > 0
    }

    fn say(&mut self, bytes: &[u8]) {
        if !self.mute {
            self.send.push_back(bytes.to_vec());
        }
    }

    fn real_time_status(&self, question: u8) -> u8 {
        let bit = |is: bool, bits: u8| if is { bits } else { 0 };
        let (out, low) = (self.roll == 0, self.roll < LOW);
        0x12 | match question {
            1 => bit(!self.is_online(), 0x08),
            2 => bit(self.cover_open, 0x04) | bit(out, 0x20),
            4 => bit(low, 0x0c) | bit(out, 0x60),
            _ => 0,
        }
    }

    /// The four bytes that are sent without being asked for.
    fn back(&self) -> [u8; 4] {
        let bit = |is: bool, bits: u8| if is { bits } else { 0 };
        let first = 0x10 | bit(!self.is_online(), 0x08) | bit(self.cover_open, 0x20);
        [first, 0, bit(self.roll < LOW, 0x03) | bit(self.roll == 0, 0x0c), 0]
    }

    fn tell_if_changed(&mut self, before: [u8; 4]) {
        let now = self.back();
        if self.tells && now != before {
            self.say(&now);
        }
    }

    /// Takes a byte; real-time commands are never buffered.
    fn take(&mut self, byte: u8) {
        self.real_time.push(byte);
        match *self.real_time.as_slice() {
            [0x10] | [0x10, 0x04..=0x05] => {}
            [0x10, 0x04, question @ 1..=4] => {
                self.real_time.clear();
                let status = self.real_time_status(question);
                self.say(&[status]);
            }
            [0x10, 0x05, 2] => {
                self.real_time.clear();
                self.buffer.clear();
                self.line.clear();
            }
            _ => self.buffer.extend(self.real_time.drain(..)),
        }
    }

    /// Works off what it can.
    fn work(&mut self) {
        while self.is_online() {
            let bytes: Vec<u8> = self.buffer.iter().copied().collect();
            let before = self.back();
            let Some(used) = self.command(&bytes) else { return };
            self.buffer.drain(..used);
            self.tell_if_changed(before);
        }
    }

    /// The length of the first command, once it is there whole and done.
    fn command(&mut self, bytes: &[u8]) -> Option<usize> {
        match *bytes {
            [] | [0x1b..=0x1d] => None,
            [b'\n', ..] => self.end_line(1),
            [0x1b, b'@', ..] => {
                (self.align, self.size, self.bold, self.tells) = (Align::Left, 1, false, false);
                self.line.clear();
                Some(2)
            }
            [0x1c, b'&', ..] => self.set(2, |printer| printer.chinese = true),
            [0x1c, b'.', ..] => self.set(2, |printer| printer.chinese = false),
            [0x1b, b'a', align @ 0..=2, ..] => self.set(3, |printer| {
                printer.align = match align {
                    0 => Align::Left,
                    1 => Align::Centre,
                    _ => Align::Right,
                };
            }),
            [0x1b, b'E', bold, ..] => self.set(3, |printer| printer.bold = bold & 1 == 1),
            [0x1d, b'!', size @ (0 | 0x11), ..] => self.set(3, |printer| printer.size = if size == 0 { 1 } else { 2 }),
            [0x1d, b'a', what, ..] => self.set(3, |printer| {
                printer.tells = what != 0;
                let now = printer.back();
                printer.say(&now);
            }),
            [0x1b, b'd', lines, ..] => {
                self.feed(usize::from(lines) * 30);
                Some(3)
            }
            [0x1d, b'r', 1, ..] => {
                let low = if self.roll < LOW { 3 } else { 0 };
                self.say(&[low]);
                Some(3)
            }
            [0x1d, b'V', b'A' | b'B', _, ..] => {
                self.feed(TO_THE_KNIFE);
                self.receipts.push(std::mem::replace(&mut self.sheet, Sheet::new(self.dots)));
                Some(4)
            }
            [0x1d, b'(', b'k', low, high, ref rest @ ..] => {
                let length = usize::from(u16::from_le_bytes([low, high]));
                self.qr_command(rest.get(..length)?);
                Some(5 + length)
            }
            [0x1d, b'v', b'0', 0, xl, xh, yl, yh, ref rest @ ..] => {
                let across = usize::from(u16::from_le_bytes([xl, xh]));
                let length = across * usize::from(u16::from_le_bytes([yl, yh]));
                let dots = rest
                    .get(..length)?
                    .chunks(across.max(1))
                    .map(|row| row.iter().flat_map(|byte| (0..8).map(move |bit| byte << bit & 0x80 != 0)).collect());
                let dots: Vec<Vec<bool>> = dots.collect();
                self.picture("[picture]".into(), &dots);
                Some(8 + length)
            }
            [0x1b..=0x1d, ..] if bytes.len() < 8 => None,
            [byte @ 0x20..=0x7e, ..] => self.put(char::from(byte), 1),
            [0x81..=0xfe, ref rest @ ..] if self.chinese => {
                let length = if rest.first()?.is_ascii_digit() { 4 } else { 2 };
                let (text, _, broken) = GB18030.decode(bytes.get(..length)?);
                let character = text.chars().next().filter(|_| !broken);
                match character {
                    Some(character) => self.put(character, length),
                    None => self.wonder(bytes, length),
                }
            }
            _ => self.wonder(bytes, 1),
        }
    }

    fn set(&mut self, length: usize, set: impl FnOnce(&mut Self)) -> Option<usize> {
        set(self);
        Some(length)
    }

    fn wonder(&mut self, bytes: &[u8], length: usize) -> Option<usize> {
        self.strange.extend(bytes.iter().take(length));
        Some(length)
    }

    fn put(&mut self, character: char, length: usize) -> Option<usize> {
        let cell = Cell { character, size: self.size, bold: self.bold };
        self.line.push(cell);
        if columns(&self.line) * LETTER > self.dots {
            self.line.pop();
            self.overflows += 1;
            self.end_line(0)?;
            self.line.push(cell);
        }
        Some(length)
    }

    fn end_line(&mut self, length: usize) -> Option<usize> {
        let line = std::mem::take(&mut self.line);
        let took = self.sheet.line(&line, self.align);
        self.roll = self.roll.saturating_sub(took);
        Some(length)
    }

    fn feed(&mut self, dots: usize) {
        self.sheet.feed(dots);
        self.roll = self.roll.saturating_sub(dots);
    }

    fn picture(&mut self, name: String, rows: &[Vec<bool>]) {
        let took = self.sheet.picture(name, rows, self.align);
        self.roll = self.roll.saturating_sub(took);
    }

    fn qr_command(&mut self, parameters: &[u8]) {
        match *parameters {
            [b'1', b'A', b'2', 0] | [b'1', b'E', b'0'..=b'3'] => {}
            [b'1', b'C', module @ 1..=16] => self.qr.0 = module.into(),
            [b'1', b'P', b'0', ref content @ ..] => self.qr.1 = content.to_vec(),
            [b'1', b'Q', b'0'] => self.print_qr(),
            _ => self.strange.extend_from_slice(parameters),
        }
    }

    /// As a printer does it: without a white border, which is the caller's business.
    fn print_qr(&mut self) {
        let (module, content) = self.qr.clone();
        let Ok(code) = QrCode::new(&content) else {
            self.strange.extend_from_slice(&content);
            return;
        };
        let side = code.width();
        let colors = code.to_colors();
        let dark = |x: usize, y: usize| colors.get(y * side + x) == Some(&qrcode::Color::Dark);
        let row = |y: usize| (0..side * module).map(|x| dark(x / module, y / module)).collect();
        let rows: Vec<Vec<bool>> = (0..side * module).map(row).collect();
        self.picture(format!("[qr {}]", String::from_utf8_lossy(&content)), &rows);
    }
}

impl Device for Printer {
    fn received(&mut self, _: Duration, bytes: &[u8]) {
        for byte in bytes {
            self.take(*byte);
        }
        self.work();
    }

    fn woken(&mut self, _: Duration) {}

    fn due(&self) -> Option<Duration> {
        None
    }

    fn to_send(&mut self) -> Option<Vec<u8>> {
        self.send.pop_front()
    }
}
