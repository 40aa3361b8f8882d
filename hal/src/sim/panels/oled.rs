//! An SSD1306 or SH1106 behind its wire, in page mode.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{board::StatusKind, oled::Wire};

/// The chip.
#[derive(Debug)]
pub struct OledState {
    kind: StatusKind,
    page: usize,
    column: usize,
    memory: Vec<u8>,
    skip: usize,
    command: u8,
    is_on: bool,
    /// How bright, 0 to 255.
    pub contrast: u8,
    /// Nobody answers.
    pub is_away: bool,
    /// What a real chip would have taken amiss.
    pub faults: Vec<String>,
}

/// The chip, from both ends.
#[derive(Debug, Clone)]
pub struct OledPanel(Arc<Mutex<OledState>>);

/// Columns of the larger memory.
const COLUMNS: usize = 132;

impl OledPanel {
    /// A chip with noise in its memory.
    #[must_use]
    pub fn new(kind: StatusKind) -> Self {
        Self(Arc::new(Mutex::new(OledState {
            kind,
            page: 0,
            column: 0,
            memory: (0..COLUMNS * 8).map(|at| (at * 29) as u8).collect(),
            skip: 0,
            command: 0,
            is_on: false,
            contrast: 0x7F,
            is_away: false,
            faults: Vec::new(),
        })))
    }

    /// The chip's state.
    pub fn state(&self) -> MutexGuard<'_, OledState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OledState {
    /// What is lit, row by row; all dark while it is off.
    #[must_use]
    pub fn picture(&self, rows: usize) -> Vec<Vec<bool>> {
        let left = if self.kind == StatusKind::Sh1106 { 2 } else { 0 };
        let lit = |x: usize, y: usize| self.is_on && self.memory[y / 8 * COLUMNS + left + x] >> (y % 8) & 1 == 1;
        (0..rows).map(|y| (0..128).map(|x| lit(x, y)).collect()).collect()
    }

    fn took(&mut self, byte: u8) {
        if self.skip > 0 {
            self.skip -= 1;
            match (self.command, byte) {
                (0x81, contrast) => self.contrast = contrast,
                (0x20, mode) if mode != 0x02 => self.faults.push("only page mode is simulated".into()),
                _ => {}
            }
            return;
        }
        self.command = byte;
        match byte {
            0x00..=0x0F => self.column = self.column & 0xF0 | usize::from(byte),
            0x10..=0x1F => self.column = self.column & 0x0F | usize::from(byte & 0x0F) << 4,
            0xB0..=0xB7 => self.page = usize::from(byte & 0x07),
            0xAE | 0xAF => self.is_on = byte == 0xAF,
            0x20 | 0x8D if self.kind == StatusKind::Ssd1306 => self.skip = 1,
            0xAD if self.kind == StatusKind::Sh1106 => self.skip = 1,
            0x81 | 0xA8 | 0xD3 | 0xD5 | 0xD9 | 0xDA | 0xDB => self.skip = 1,
            0x40..=0x7F | 0xA0 | 0xA1 | 0xA4 | 0xA6 | 0xC0 | 0xC8 => {}
            other => self.faults.push(format!("command {other:02X} is not known")),
        }
    }
}

impl Wire for OledPanel {
    fn send(&mut self, message: &[u8]) -> io::Result<()> {
        let mut chip = self.state();
        if chip.is_away {
            return Err(io::Error::from_raw_os_error(rustix::io::Errno::IO.raw_os_error()));
        }
        match message {
            [0x00, commands @ ..] => commands.iter().for_each(|byte| chip.took(*byte)),
            [0x40, data @ ..] => {
                for byte in data {
                    let place = chip.page * COLUMNS + chip.column;
                    let width = if chip.kind == StatusKind::Sh1106 { COLUMNS } else { 128 };
                    if chip.column >= width {
                        chip.faults.push("data past the last column".into());
                        break;
                    }
                    chip.memory[place] = *byte;
                    chip.column += 1;
                }
            }
            other => chip.faults.push(format!("a message that starts with {:02X?}", other.first())),
        }
        Ok(())
    }
}
