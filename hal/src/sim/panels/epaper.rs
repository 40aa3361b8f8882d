//! An SSD1680 or SSD1683 behind its wire, with the film that it drives: two memories, a busy line, and a picture that
//! stays when the power goes.

use std::time::Duration;

use embedded_graphics::pixelcolor::{Rgb565, RgbColor};

use super::wire::{Chip, FarEnd, Panel};
use crate::{
    board::{Controller, DisplaySpec},
    display::Frame,
};

/// What the chip has been told so far, and the film.
#[derive(Debug)]
pub struct EpaperState {
    memory_row: usize,
    size: (usize, usize),
    left: usize,
    /// The wire.
    pub end: FarEnd,
    busy_until: Duration,
    held: bool,
    is_set_up: bool,
    sleeps: bool,
    command: u8,
    arguments: Vec<u8>,
    x_window: (usize, usize),
    y_window: (usize, usize),
    counter: (usize, usize),
    mode: u8,
    new: Vec<u8>,
    old: Vec<u8>,
    film: Vec<u8>,
    /// The chip never gets ready again.
    pub stuck: bool,
    /// The busy line leads nowhere.
    pub busy_unwired: bool,
    /// Every command with its arguments; of memory writes only the first bytes.
    pub log: Vec<(u8, Vec<u8>)>,
    /// Full refreshes so far.
    pub fulls: u32,
    /// Partial ones since the last full one.
    pub partials: u32,
    /// All partial ones.
    pub all_partials: u32,
}

/// One end of the wire, and the eye in front of the film.
pub type EpaperPanel = Panel<EpaperState>;

const LOGGED: usize = 4;

impl EpaperPanel {
    /// A panel of the board's size that still shows something from before: stripes.
    #[must_use]
    pub fn new(spec: &DisplaySpec, longest: usize) -> Self {
        let (columns, rows) = spec.controller.unwrap_or(Controller::Ssd1680).memory();
        let memory_row = columns.div_ceil(8) as usize;
        let bytes = memory_row * rows as usize;
        Self::of(EpaperState {
            memory_row,
            size: (spec.width as usize, spec.height as usize),
            left: spec.offset_x as usize / 8,
            end: FarEnd::new(longest),
            busy_until: Duration::ZERO,
            held: false,
            is_set_up: false,
            sleeps: false,
            command: 0,
            arguments: Vec::new(),
            x_window: (0, 0),
            y_window: (0, 0),
            counter: (0, 0),
            mode: 0,
            new: noise(bytes, 3),
            old: noise(bytes, 5),
            film: vec![0xF0; bytes],
            stuck: false,
            busy_unwired: false,
            log: Vec::new(),
            fulls: 0,
            partials: 0,
            all_partials: 0,
        })
    }
}

fn noise(bytes: usize, factor: usize) -> Vec<u8> {
    (0..bytes).map(|at| (at * factor * 31) as u8).collect()
}

impl EpaperState {
    /// What somebody in front of the film sees, as the panel is made, with or without power.
    #[must_use]
    pub fn picture(&self) -> Frame {
        let (width, height) = self.size;
        let mut frame = Frame::new(width as u32, height as u32);
        let [white, black] = [Rgb565::WHITE, Rgb565::BLACK].map(|colour| {
            use embedded_graphics::{pixelcolor::raw::RawU16, prelude::RawData};
            RawU16::from(colour).into_inner()
        });
        for (y, row) in frame.rows_mut().enumerate() {
            for (x, pixel) in row.iter_mut().enumerate() {
                let byte = self.film[y * self.memory_row + self.left + x / 8];
                *pixel = if byte & (0x80 >> (x % 8)) == 0 { black } else { white };
            }
        }
        frame
    }

    /// Whether the film shows something else than it was told last: the second memory was not what it showed.
    #[must_use]
    pub fn has_ghost(&self) -> bool {
        let rows = self.new.chunks(self.memory_row).zip(self.film.chunks(self.memory_row)).take(self.size.1);
        let used = self.left..self.left + self.size.0.div_ceil(8);
        rows.into_iter().any(|(new, film)| new[used.clone()] != film[used.clone()])
    }

    /// Virtual time passes.
    pub fn pass(&mut self, time: Duration) {
        self.end.now += time;
    }

    /// The power goes: the film stays, everything else is forgotten.
    pub fn cut_power(&mut self) {
        let bytes = self.new.len();
        (self.new, self.old) = (noise(bytes, 7), noise(bytes, 11));
        (self.is_set_up, self.sleeps, self.busy_until) = (false, false, self.end.now);
    }

    /// Whether it is in deep sleep.
    #[must_use]
    pub fn is_asleep(&self) -> bool {
        self.sleeps
    }

    fn activate(&mut self) {
        let time = match self.mode {
            0xF7 => {
                self.film.clone_from(&self.new);
                (self.fulls, self.partials) = (self.fulls + 1, 0);
                2500
            }
            0xFF => {
                for ((film, new), old) in self.film.iter_mut().zip(&self.new).zip(&self.old) {
                    let moved = new ^ old;
                    *film = *film & !moved | new & moved;
                }
                self.partials += 1;
                self.all_partials += 1;
                400
            }
            other => {
                self.end.fault(format!("update mode {other:02X} is not known"));
                0
            }
        };
        self.busy_until = self.end.now + Duration::from_millis(time);
    }

    /// One byte goes right to the end of the window, then down.
    fn write(&mut self, byte: u8) {
        let (x, y) = self.counter;
        let inside =
            (self.x_window.0..=self.x_window.1).contains(&x) && (self.y_window.0..=self.y_window.1).contains(&y);
        let place = y * self.memory_row + x;
        let memory = if self.command == 0x24 { &mut self.new } else { &mut self.old };
        match memory.get_mut(place).filter(|_| inside && x < self.memory_row) {
            Some(cell) => *cell = byte,
            None => return self.end.fault(format!("a byte at {x}, {y} outside the window")),
        }
        self.counter = if x < self.x_window.1 { (x + 1, y) } else { (self.x_window.0, y + 1) };
    }
}

fn word(low: u8, high: u8) -> usize {
    usize::from(low) | usize::from(high) << 8
}

impl Chip for EpaperState {
    fn end(&mut self) -> &mut FarEnd {
        &mut self.end
    }

    fn took_command(&mut self, command: u8) {
        if self.held || self.sleeps {
            return self.end.fault(format!("command {command:02X} while it is in reset or asleep"));
        }
        if self.end.now < self.busy_until {
            self.end.fault(format!("command {command:02X} while it is busy"));
        }
        if !self.is_set_up && command != 0x12 && self.command == 0 {
            self.end.fault("no soft reset after power-on");
        }
        (self.command, self.arguments) = (command, Vec::new());
        self.log.push((command, Vec::new()));
        match command {
            0x12 => {
                self.is_set_up = true;
                self.busy_until = self.end.now + Duration::from_millis(9);
            }
            0x20 => self.activate(),
            0x01 | 0x10 | 0x11 | 0x18 | 0x21 | 0x22 | 0x24 | 0x26 | 0x3C | 0x44 | 0x45 | 0x4E | 0x4F => {}
            other => self.end.fault(format!("command {other:02X} is not known")),
        }
    }

    fn took_data(&mut self, bytes: &[u8]) {
        if let Some((_, logged)) = self.log.last_mut() {
            logged.extend(bytes.iter().take(LOGGED.saturating_sub(logged.len())));
        }
        if matches!(self.command, 0x24 | 0x26) {
            return bytes.iter().for_each(|byte| self.write(*byte));
        }
        self.arguments.extend_from_slice(bytes);
        match (self.command, &self.arguments[..]) {
            (0x10, [0x01]) => self.sleeps = true,
            (0x11, [mode]) if *mode != 0x03 => self.end.fault("only data entry 03 is simulated"),
            (0x22, [mode]) => self.mode = *mode,
            (0x44, [first, last]) => self.x_window = (usize::from(*first), usize::from(*last)),
            (0x45, [a, b, c, d]) => self.y_window = (word(*a, *b), word(*c, *d)),
            (0x4E, [x]) => self.counter.0 = usize::from(*x),
            (0x4F, [low, high]) => self.counter.1 = word(*low, *high),
            _ => {}
        }
    }

    fn hold_reset(&mut self, held: bool) {
        self.held = held;
        if self.sleeps {
            // Nobody promises what the memories hold after a deep sleep.
            let bytes = self.new.len();
            (self.new, self.old) = (noise(bytes, 13), noise(bytes, 17));
        }
        (self.sleeps, self.is_set_up, self.command) = (false, false, 0);
    }

    fn is_busy(&self) -> bool {
        !self.busy_unwired && (self.stuck || self.end.now < self.busy_until)
    }

    fn wait_ready(&mut self, limit: Duration) -> bool {
        if self.busy_unwired {
            return true;
        }
        let end = self.end.now + limit;
        if self.stuck || self.busy_until > end {
            self.end.now = end;
            return false;
        }
        self.end.now = self.end.now.max(self.busy_until);
        true
    }
}
