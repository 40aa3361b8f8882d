//! TFT panels on SPI: ST7789, ILI9341, ILI9486, ILI9488 (reference/hardware.md 2.3).
//!
//! The picture is turned before it is sent, so that the window into the chip's memory is the same for every rotation.

use std::time::Duration;

use super::{
    Display, DisplayError, Frame,
    bus::PanelBus,
    changes::{Area, Shown},
    frame::widen,
};
use crate::board::{Controller, DisplaySpec};

// MIPI DCS.
const SOFT_RESET: u8 = 0x01;
const SLEEP_OUT: u8 = 0x11;
const NORMAL_MODE: u8 = 0x13;
const INVERSION_OFF: u8 = 0x20;
const INVERSION_ON: u8 = 0x21;
const DISPLAY_OFF: u8 = 0x28;
const DISPLAY_ON: u8 = 0x29;
const COLUMNS: u8 = 0x2A;
const ROWS: u8 = 0x2B;
const WRITE: u8 = 0x2C;
const MEMORY_ACCESS: u8 = 0x36;
const PIXEL_FORMAT: u8 = 0x3A;

// Bits of MEMORY_ACCESS.
const MIRROR_Y: u8 = 0x80;
const MIRROR_X: u8 = 0x40;
const BLUE_FIRST: u8 = 0x08;

/// After a reset, and after the wake-up, the chips want so long.
const SETTLE: Duration = Duration::from_millis(120);

/// How a controller takes its pixels, and how the glass on it is mostly made.
struct Habits {
    /// Argument of [`PIXEL_FORMAT`].
    format: u8,
    bytes_per_pixel: usize,
    memory_access: u8,
    inverted: bool,
}

fn habits(controller: Controller) -> Habits {
    match controller {
        Controller::St7789 => Habits { format: 0x55, bytes_per_pixel: 2, memory_access: 0, inverted: true },
        Controller::Ili9341 => {
            Habits { format: 0x55, bytes_per_pixel: 2, memory_access: MIRROR_X | BLUE_FIRST, inverted: false }
        }
        // Both take nothing but 18 bits on SPI.
        Controller::Ili9486 | Controller::Ili9488 => {
            Habits { format: 0x66, bytes_per_pixel: 3, memory_access: MIRROR_X | BLUE_FIRST, inverted: false }
        }
        Controller::Ssd1680 | Controller::Ssd1683 | Controller::Ssd1680Red => {
            Habits { format: 0, bytes_per_pixel: 0, memory_access: 0, inverted: false }
        }
    }
}

/// An open panel.
pub struct Tft {
    bus: Box<dyn PanelBus>,
    bytes_per_pixel: usize,
    offset: (usize, usize),
    shown: Shown,
    is_on: bool,
    chunk: Vec<u8>,
}

impl Tft {
    /// Resets the panel and sets it up. It stays dark until the first picture is in its memory.
    ///
    /// # Errors
    /// When the bus refuses, or the board names no TFT controller.
    pub fn open(mut bus: Box<dyn PanelBus>, spec: &DisplaySpec) -> Result<Self, DisplayError> {
        let controller = spec.controller.filter(|controller| !controller.is_epaper());
        let habits = habits(controller.ok_or_else(|| DisplayError::Lost("the board names no TFT controller".into()))?);
        set_up(bus.as_mut(), &habits, spec)?;
        Ok(Self {
            bus,
            bytes_per_pixel: habits.bytes_per_pixel,
            offset: (spec.offset_x as usize, spec.offset_y as usize),
            shown: Shown::nothing(spec.rotation),
            is_on: false,
            chunk: Vec::new(),
        })
    }

    fn switch(&mut self, on: bool) -> Result<(), DisplayError> {
        if self.is_on != on {
            self.bus.command(if on { DISPLAY_ON } else { DISPLAY_OFF }, &[])?;
            self.is_on = on;
        }
        Ok(())
    }
}

fn set_up(bus: &mut (dyn PanelBus + 'static), habits: &Habits, spec: &DisplaySpec) -> Result<(), DisplayError> {
    let flipped = |bit: u8, flip: bool| if flip { bit } else { 0 };
    let order = spec.bgr.map(|bgr| flipped(BLUE_FIRST, bgr)).unwrap_or(habits.memory_access & BLUE_FIRST);
    let mirror = flipped(MIRROR_X, spec.mirror_x) | flipped(MIRROR_Y, spec.mirror_y);
    let memory_access = (habits.memory_access & !BLUE_FIRST ^ mirror) | order;
    let inversion = if spec.invert.unwrap_or(habits.inverted) { INVERSION_ON } else { INVERSION_OFF };
    bus.reset(SETTLE)?;
    bus.command(SOFT_RESET, &[])?;
    bus.pause(SETTLE);
    bus.command(SLEEP_OUT, &[])?;
    bus.pause(SETTLE);
    bus.command(PIXEL_FORMAT, &[habits.format])?;
    bus.command(MEMORY_ACCESS, &[memory_access])?;
    bus.command(inversion, &[])?;
    bus.command(NORMAL_MODE, &[])?;
    bus.commands(&spec.init)
}

/// First and last, as the window commands want them.
fn span(first: usize, count: usize) -> [u8; 4] {
    let [a, b] = [first, first + count - 1].map(|edge| u16::try_from(edge).unwrap_or(u16::MAX).to_be_bytes());
    [a[0], a[1], b[0], b[1]]
}

fn put(pixel: u16, bytes_per_pixel: usize, into: &mut Vec<u8>) {
    match bytes_per_pixel {
        3 => into.extend(widen(pixel).map(|channel| channel & 0xFC)),
        _ => into.extend(pixel.to_be_bytes()),
    }
}

/// One window with its pixels; no pixel is cut in two by the end of a transfer.
fn send(
    bus: &mut (dyn PanelBus + 'static),
    chunk: &mut Vec<u8>,
    (area, pixels): (Area, impl Iterator<Item = u16>),
    (x, y): (usize, usize),
    bytes_per_pixel: usize,
) -> Result<(), DisplayError> {
    bus.command(COLUMNS, &span(x + area.left, area.width))?;
    bus.command(ROWS, &span(y + area.top, area.height))?;
    bus.command(WRITE, &[])?;
    let full = bus.longest().saturating_sub(bytes_per_pixel - 1);
    for pixel in pixels {
        put(pixel, bytes_per_pixel, chunk);
        if chunk.len() >= full {
            bus.data(chunk)?;
            chunk.clear();
        }
    }
    bus.data(chunk)?;
    chunk.clear();
    Ok(())
}

impl Display for Tft {
    fn show(&mut self, frame: &Frame) -> Result<(), DisplayError> {
        let (picture, areas) = self.shown.next(frame);
        for area in areas {
            let pixels = area.rows(picture).flatten().copied();
            send(self.bus.as_mut(), &mut self.chunk, (area, pixels), self.offset, self.bytes_per_pixel)?;
        }
        self.switch(true)
    }

    fn blank(&mut self, dark: bool) -> Result<(), DisplayError> {
        self.switch(!dark)
    }

    fn close(&mut self) {
        // A panel without power has nothing to show either.
        let _ = self.switch(false);
    }
}

#[cfg(test)]
#[path = "tft_tests.rs"]
mod tests;
