//! A TFT controller behind its wire: memory, windows, colour depth, and the glass as it is mostly wired.

use std::time::Duration;

use super::wire::{Chip, FarEnd, Panel};
use crate::{
    board::{Controller, DisplaySpec},
    display::Frame,
};

/// What a panel has been told so far.
#[derive(Debug)]
pub struct TftState {
    controller: Controller,
    glass: Glass,
    /// The wire.
    pub end: FarEnd,
    /// Nothing may come before.
    ready_at: Duration,
    in_reset: bool,
    asleep: bool,
    is_on: bool,
    inverted: bool,
    access: u8,
    depth: usize,
    columns: Option<(usize, usize)>,
    rows: Option<(usize, usize)>,
    command: u8,
    arguments: Vec<u8>,
    written: usize,
    memory: Vec<[u8; 3]>,
    /// Every command but pixels, with its arguments.
    pub log: Vec<(u8, Vec<u8>)>,
    /// Bytes on the wire.
    pub bytes: usize,
}

/// How the glass is wired to the controller.
#[derive(Debug, Clone, Copy)]
struct Glass {
    width: usize,
    height: usize,
    offset: (usize, usize),
    /// The memory access byte with which its picture is upright and in its colours.
    access: u8,
    /// Whether it needs inversion.
    inverted: bool,
}

/// One end of the wire, and the eye in front of the panel.
pub type TftPanel = Panel<TftState>;

impl TftPanel {
    /// A panel as it is mostly sold with the board's controller, of the board's size and offset.
    #[must_use]
    pub fn new(spec: &DisplaySpec, longest: usize) -> Self {
        let controller = spec.controller.unwrap_or(Controller::St7789);
        let (access, inverted) = if controller == Controller::St7789 { (0, true) } else { (0x48, false) };
        let glass = Glass {
            width: spec.width as usize,
            height: spec.height as usize,
            offset: (spec.offset_x as usize, spec.offset_y as usize),
            access,
            inverted,
        };
        let (columns, rows) = controller.memory();
        // What is in a memory after power-on is noise.
        let memory = (0..columns * rows).map(|at| [(at * 37) as u8, (at * 11) as u8, (at * 5) as u8]).collect();
        Self::of(TftState {
            controller,
            glass,
            end: FarEnd::new(longest),
            ready_at: Duration::ZERO,
            in_reset: false,
            asleep: true,
            is_on: false,
            inverted: false,
            access: 0,
            depth: 0,
            columns: None,
            rows: None,
            command: 0,
            arguments: Vec::new(),
            written: 0,
            memory,
            log: Vec::new(),
            bytes: 0,
        })
    }
}

impl TftState {
    /// What somebody in front of the panel sees, as the panel is made; `None`: it is dark.
    #[must_use]
    pub fn picture(&self) -> Option<Frame> {
        if self.asleep || !self.is_on || self.in_reset {
            return None;
        }
        let mut frame = Frame::new(self.glass.width as u32, self.glass.height as u32);
        for (y, row) in frame.rows_mut().enumerate() {
            for (x, pixel) in row.iter_mut().enumerate() {
                *pixel = self.seen(x, y);
            }
        }
        Some(frame)
    }

    fn seen(&self, x: usize, y: usize) -> u16 {
        let Glass { width, height, offset, access, inverted } = self.glass;
        let differs = self.access ^ access;
        let x = if differs & 0x40 == 0 { x } else { width - 1 - x };
        let y = if differs & 0x80 == 0 { y } else { height - 1 - y };
        let columns = self.controller.memory().0 as usize;
        let [mut red, green, mut blue] =
            self.memory.get((y + offset.1) * columns + x + offset.0).copied().unwrap_or_default();
        if differs & 0x08 != 0 {
            std::mem::swap(&mut red, &mut blue);
        }
        let raw = u16::from(red >> 3) << 11 | u16::from(green >> 2) << 5 | u16::from(blue >> 3);
        if self.inverted == inverted { raw } else { !raw }
    }

    /// The next command ends the last one.
    fn end_of_command(&mut self) {
        if self.command == 0x2C {
            let (columns, rows) = (self.columns.unwrap_or_default(), self.rows.unwrap_or_default());
            let whole = (columns.1 + 1 - columns.0) * (rows.1 + 1 - rows.0);
            if self.written != whole {
                self.end.fault(format!("{} pixels for a window of {whole}", self.written));
            }
        } else if self.command != 0 {
            let (command, arguments) = (self.command, self.arguments.clone());
            let wanted = match command {
                0x2A | 0x2B => 4,
                0x36 | 0x3A => 1,
                _ => 0,
            };
            if arguments.len() != wanted {
                self.end.fault(format!("{} arguments for command {command:02X}", arguments.len()));
            }
            self.log.push((command, arguments));
        }
        self.command = 0;
    }

    fn took_arguments(&mut self, bytes: &[u8]) {
        self.arguments.extend_from_slice(bytes);
        let edges = |bytes: &[u8]| match bytes {
            [a, b, c, d] => Some((usize::from(*a) << 8 | usize::from(*b), usize::from(*c) << 8 | usize::from(*d))),
            _ => None,
        };
        let (columns, rows) = self.controller.memory();
        match (self.command, &self.arguments[..]) {
            (0x2A, [.., _, _, _, _]) => self.columns = edges(&self.arguments),
            (0x2B, [.., _, _, _, _]) => self.rows = edges(&self.arguments),
            (0x36, [access]) => self.access = *access,
            (0x3A, [0x66]) => self.depth = 3,
            (0x3A, [0x55]) if matches!(self.controller, Controller::St7789 | Controller::Ili9341) => self.depth = 2,
            (0x3A, [format]) => {
                let format = *format;
                self.end.fault(format!("pixel format {format:02X} does not work here on SPI"));
            }
            _ => {}
        }
        for (edges, count) in [(self.columns, columns), (self.rows, rows)] {
            if edges.is_some_and(|(first, last)| first > last || last >= count as usize) {
                self.end.fault("a window outside the memory");
            }
        }
    }

    fn took_pixels(&mut self, bytes: &[u8]) {
        let (Some(columns), Some(rows), depth @ 2..) = (self.columns, self.rows, self.depth) else { return };
        if !bytes.len().is_multiple_of(depth) {
            self.end.fault("a pixel in two transfers");
        }
        let across = columns.1 + 1 - columns.0;
        for pixel in bytes.chunks_exact(depth) {
            let (x, y) = (columns.0 + self.written % across, rows.0 + self.written / across);
            let stride = self.controller.memory().0 as usize;
            if y > rows.1 {
                return self.end.fault("more pixels than the window holds");
            }
            self.memory[y * stride + x] = match pixel {
                [high, low] => {
                    let [red, green, blue] = crate::display::frame::widen(u16::from_be_bytes([*high, *low]));
                    [red, green, blue]
                }
                [red, green, blue] => [*red, *green, *blue],
                _ => return,
            };
            self.written += 1;
        }
    }
}

impl Chip for TftState {
    fn end(&mut self) -> &mut FarEnd {
        &mut self.end
    }

    fn arrived(&mut self, bytes: &[u8]) {
        if self.in_reset || self.end.now < self.ready_at {
            self.end.fault(format!("{bytes:02X?} while it resets"));
        }
        self.bytes += bytes.len();
    }

    fn took_command(&mut self, command: u8) {
        self.end_of_command();
        self.command = command;
        self.arguments.clear();
        self.written = 0;
        match command {
            0x01 => {
                (self.asleep, self.is_on, self.inverted, self.access, self.depth) = (true, false, false, 0, 0);
                (self.columns, self.rows) = (None, None);
                self.ready_at = self.end.now + Duration::from_millis(120);
            }
            0x11 => {
                self.asleep = false;
                self.ready_at = self.end.now + Duration::from_millis(5);
            }
            0x20 | 0x21 => self.inverted = command == 0x21,
            0x28 | 0x29 => self.is_on = command == 0x29,
            0x2C if self.columns.is_none() || self.rows.is_none() => self.end.fault("pixels before there is a window"),
            0x2C if self.depth == 0 => self.end.fault("pixels before their format"),
            0x13 | 0x2A..=0x2C | 0x36 | 0x3A => {}
            other => self.end.fault(format!("command {other:02X} is not known")),
        }
    }

    fn took_data(&mut self, bytes: &[u8]) {
        if self.command == 0x2C { self.took_pixels(bytes) } else { self.took_arguments(bytes) }
    }

    fn hold_reset(&mut self, held: bool) {
        self.in_reset = held;
        (self.asleep, self.is_on, self.depth) = (true, false, 0);
        self.ready_at = self.end.now + Duration::from_millis(120);
    }
}
