//! Black-and-white e-paper with an SSD1680 or SSD1683 (reference/hardware.md 2.5).
//!
//! It keeps its picture without power: what a buyer could still pay is cleared when the panel is opened, which is first
//! thing at the start, and when the daemon stops. A partial refresh moves only the pixels that differ between the chip's two
//! memories, so the second one always holds what the glass shows.

use std::time::Duration;

use super::{Display, DisplayError, Frame, bus::PanelBus, frame::widen};
use crate::board::{Controller, DisplaySpec, Rotation};

const DRIVER_OUTPUT: u8 = 0x01;
const DEEP_SLEEP: u8 = 0x10;
const DATA_ENTRY: u8 = 0x11;
const SOFT_RESET: u8 = 0x12;
const TEMPERATURE: u8 = 0x18;
const ACTIVATE: u8 = 0x20;
const UPDATE_CONTROL_1: u8 = 0x21;
const UPDATE_CONTROL_2: u8 = 0x22;
const WRITE_NEW: u8 = 0x24;
const WRITE_OLD: u8 = 0x26;
const BORDER: u8 = 0x3C;
const X_WINDOW: u8 = 0x44;
const Y_WINDOW: u8 = 0x45;
const X_COUNTER: u8 = 0x4E;
const Y_COUNTER: u8 = 0x4F;

/// A full refresh takes 2 to 3 s, in the cold longer.
const BUSY_LIMIT: Duration = Duration::from_secs(10);
/// The film keeps shadows of what many partial refreshes moved.
const PARTIALS_MAX: u32 = 8;
/// From here on a new page is a good moment for a full refresh; a countdown is not.
const PARTIALS_ENOUGH: u32 = 5;
/// A change of fewer pixels than one in this many, such as a countdown's, waits: the film wears, and each refresh flickers.
const SMALL: usize = 50;
/// How long it waits.
const PATIENCE: Duration = Duration::from_secs(10);
/// After so long without a change the chip is put to sleep: powered for hours it damages the film.
const IDLE: Duration = Duration::from_secs(30);

/// The two ways to bring a picture to the glass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refresh {
    Full,
    Partial,
}

/// An open e-paper.
pub struct Epaper {
    bus: Box<dyn PanelBus>,
    glass: Glass,
    /// What the glass shows, one bit per pixel, 1 is white.
    picture: Vec<u8>,
    /// A small change that waits.
    waiting: Option<Vec<u8>>,
    partials: u32,
    updated: Duration,
    is_asleep: bool,
}

/// What the board says about the panel.
struct Glass {
    controller: Controller,
    rotation: Rotation,
    width: usize,
    height: usize,
    /// First byte of a row of the chip's memory that has glass.
    left: u8,
    init: Vec<Vec<u8>>,
}

fn low_high(value: usize) -> [u8; 2] {
    u16::try_from(value).unwrap_or(u16::MAX).to_le_bytes()
}

impl Glass {
    fn row_bytes(&self) -> usize {
        self.width.div_ceil(8)
    }

    fn white(&self) -> Vec<u8> {
        vec![0xFF; self.row_bytes() * self.height]
    }

    /// The picture as the panel is made; what it is larger than the glass is cut off.
    fn bits(&self, frame: &Frame) -> Vec<u8> {
        let turned = frame.rotated(self.rotation);
        let mut bits = self.white();
        for (row, pixels) in bits.chunks_exact_mut(self.row_bytes()).zip(turned.rows()) {
            for (x, _) in pixels.iter().enumerate().take(self.width).filter(|(_, pixel)| is_dark(**pixel)) {
                if let Some(byte) = row.get_mut(x / 8) {
                    *byte &= !(0x80 >> (x % 8));
                }
            }
        }
        bits
    }

    fn set_up(&self, bus: &mut (dyn PanelBus + 'static)) -> Result<(), DisplayError> {
        let [low, high] = low_high(self.height - 1);
        let right = self.left + u8::try_from(self.row_bytes() - 1).unwrap_or(u8::MAX);
        // The outputs in use: of the smaller chip's 176, glass has the 160 in the middle (from memory).
        let outputs = if self.controller == Controller::Ssd1683 { 0x00 } else { 0x80 };
        bus.reset(Duration::from_millis(10))?;
        bus.command(SOFT_RESET, &[])?;
        bus.pause(Duration::from_millis(10));
        ready(bus)?;
        bus.command(DRIVER_OUTPUT, &[low, high, 0])?;
        bus.command(DATA_ENTRY, &[0x03])?;
        bus.command(X_WINDOW, &[self.left, right])?;
        bus.command(Y_WINDOW, &[0, 0, low, high])?;
        bus.command(BORDER, &[0x05])?;
        bus.command(TEMPERATURE, &[0x80])?;
        bus.command(UPDATE_CONTROL_1, &[0x00, outputs])?;
        bus.commands(&self.init)
    }

    fn write(&self, bus: &mut (dyn PanelBus + 'static), memory: u8, bits: &[u8]) -> Result<(), DisplayError> {
        bus.command(X_COUNTER, &[self.left])?;
        bus.command(Y_COUNTER, &[0, 0])?;
        bus.command(memory, bits)
    }
}

fn is_dark(pixel: u16) -> bool {
    let [red, green, blue] = widen(pixel).map(u32::from);
    red * 299 + green * 587 + blue * 114 < 128_000
}

fn ready(bus: &mut (dyn PanelBus + 'static)) -> Result<(), DisplayError> {
    if bus.wait_ready(BUSY_LIMIT)? {
        return Ok(());
    }
    Err(DisplayError::Lost(format!(
        "the e-paper has been busy for {} s: is it powered, and display.busy the right line and level?",
        BUSY_LIMIT.as_secs()
    )))
}

impl Epaper {
    /// Resets the panel and clears it: what it showed before is of no order of today.
    ///
    /// # Errors
    /// When the bus refuses, the chip stays busy, or the board names no controller that this driver knows.
    pub fn open(bus: Box<dyn PanelBus>, spec: &DisplaySpec) -> Result<Self, DisplayError> {
        let known = |controller: &Controller| matches!(controller, Controller::Ssd1680 | Controller::Ssd1683);
        let controller = spec.controller.filter(known);
        let glass = Glass {
            controller: controller
                .ok_or_else(|| DisplayError::Lost("the board names no black-and-white e-paper".into()))?,
            rotation: spec.rotation,
            width: spec.width.max(1) as usize,
            height: spec.height.max(1) as usize,
            left: u8::try_from(spec.offset_x / 8).unwrap_or(0),
            init: spec.init.clone(),
        };
        let white = glass.white();
        let mut panel = Self {
            bus,
            picture: white.clone(),
            glass,
            waiting: None,
            partials: 0,
            updated: Duration::ZERO,
            is_asleep: true,
        };
        panel.update(white, Refresh::Full)?;
        Ok(panel)
    }

    fn wake(&mut self) -> Result<(), DisplayError> {
        if self.is_asleep {
            self.glass.set_up(self.bus.as_mut())?;
            // Its memories may have forgotten.
            self.glass.write(self.bus.as_mut(), WRITE_OLD, &self.picture)?;
            self.is_asleep = false;
        }
        Ok(())
    }

    fn update(&mut self, bits: Vec<u8>, refresh: Refresh) -> Result<(), DisplayError> {
        self.wake()?;
        let bus = self.bus.as_mut();
        self.glass.write(bus, WRITE_NEW, &bits)?;
        let mode = match refresh {
            Refresh::Full => {
                self.glass.write(bus, WRITE_OLD, &bits)?;
                self.partials = 0;
                0xF7
            }
            Refresh::Partial => {
                self.partials += 1;
                0xFF
            }
        };
        bus.command(UPDATE_CONTROL_2, &[mode])?;
        bus.command(ACTIVATE, &[])?;
        bus.pause(Duration::from_millis(10));
        if !bus.is_busy()? {
            let unheard = "the e-paper is not busy while it draws: is display.busy the right line and level?";
            return Err(DisplayError::Lost(unheard.into()));
        }
        ready(bus)?;
        self.glass.write(bus, WRITE_OLD, &bits)?;
        self.picture = bits;
        self.waiting = None;
        self.updated = self.bus.now();
        Ok(())
    }

    fn refresh_for(&self, is_small: bool) -> Refresh {
        let most = if is_small { PARTIALS_MAX } else { PARTIALS_ENOUGH };
        if self.partials >= most { Refresh::Full } else { Refresh::Partial }
    }

    fn since_update(&self) -> Duration {
        self.bus.now().saturating_sub(self.updated)
    }

    fn sleep(&mut self) -> Result<(), DisplayError> {
        if !self.is_asleep {
            self.bus.command(DEEP_SLEEP, &[0x01])?;
            self.is_asleep = true;
        }
        Ok(())
    }

    fn clear_and_sleep(&mut self) -> Result<(), DisplayError> {
        self.update(self.glass.white(), Refresh::Full)?;
        self.sleep()
    }
}

fn differing(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).map(|(one, other)| (one ^ other).count_ones() as usize).sum()
}

impl Display for Epaper {
    fn show(&mut self, frame: &Frame) -> Result<(), DisplayError> {
        let bits = self.glass.bits(frame);
        let moved = differing(&bits, &self.picture);
        if moved == 0 {
            self.waiting = None;
            return Ok(());
        }
        let is_small = moved * SMALL < self.glass.width * self.glass.height;
        if is_small && self.since_update() < PATIENCE {
            self.waiting = Some(bits);
            return Ok(());
        }
        self.update(bits, self.refresh_for(is_small))
    }

    fn check_every(&self) -> Option<Duration> {
        let due = match &self.waiting {
            Some(_) => PATIENCE,
            None if self.is_asleep => return None,
            None => IDLE,
        };
        Some(due.saturating_sub(self.since_update()))
    }

    fn check(&mut self) -> Result<(), DisplayError> {
        let since = self.since_update();
        if since >= PATIENCE
            && let Some(bits) = self.waiting.take()
        {
            return self.update(bits, self.refresh_for(true));
        }
        if since < IDLE || self.waiting.is_some() {
            return Ok(());
        }
        if self.partials > 0 {
            self.update(self.picture.clone(), Refresh::Full)?;
        }
        self.sleep()
    }

    fn close(&mut self) {
        if let Err(fault) = self.clear_and_sleep() {
            tracing::error!(%fault, "the e-paper may still show the last picture");
        }
    }
}

#[cfg(test)]
#[path = "epaper_tests.rs"]
mod tests;
