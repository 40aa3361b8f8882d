//! The code that a phone reads (reference/hardware.md 2.2): whole-pixel modules, four light ones around, dark on light.

use std::fmt;

use embedded_graphics::pixelcolor::Rgb565;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::Rectangle;
use qrcode::types::Color;
use qrcode::{EcLevel, QrCode, Version};

use super::colour::{INK, PAPER};

/// Light modules on every side of the symbol (ISO 18004).
pub const QUIET_ZONE: u32 = 4;

/// With modules below this many pixels, a bigger module is worth more than error tolerance.
pub const SMALL_MODULE: u32 = 3;

/// No phone reads modules of one pixel at a distance that anybody would hold it.
const LEAST_MODULE: u32 = 2;

/// A text as a QR symbol.
#[derive(Clone)]
pub struct Symbol {
    dark: Vec<bool>,
    modules: u32,
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Symbol({0}×{0})", self.modules)
    }
}

impl Symbol {
    /// Encodes `text` for a square of `side` pixels: error level M, or L where that saves modules from getting too
    /// small. `None` when no symbol holds the text or the modules would be too small to read.
    #[must_use]
    pub fn fitting(text: &str, side: u32) -> Option<Self> {
        let medium = Self::encode(text, EcLevel::M)?;
        if medium.module_in(side) >= SMALL_MODULE {
            return Some(medium);
        }
        let low = Self::encode(text, EcLevel::L)?;
        (low.module_in(side) >= LEAST_MODULE).then_some(low)
    }

    /// The same text in a larger symbol, so that two stand side by side in one size. `None` when it does not fit in so
    /// many modules.
    #[must_use]
    pub fn of_modules(text: &str, modules: u32) -> Option<Self> {
        let version = i16::try_from(modules.checked_sub(17)? / 4).ok()?;
        Self::of(&QrCode::with_version(text, Version::Normal(version), EcLevel::M).ok()?)
    }

    fn encode(text: &str, level: EcLevel) -> Option<Self> {
        Self::of(&QrCode::with_error_correction_level(text, level).ok()?)
    }

    fn of(code: &QrCode) -> Option<Self> {
        Some(Self {
            modules: u32::try_from(code.width()).ok()?,
            dark: code.to_colors().into_iter().map(|module| module == Color::Dark).collect(),
        })
    }

    /// Modules on a side, without the quiet zone.
    #[must_use]
    pub const fn modules(&self) -> u32 {
        self.modules
    }

    /// Modules on a side, with the quiet zone.
    #[must_use]
    pub const fn modules_with_quiet_zone(&self) -> u32 {
        self.modules + 2 * QUIET_ZONE
    }

    /// Pixels of one module in a square of `side` pixels.
    #[must_use]
    pub const fn module_in(&self, side: u32) -> u32 {
        side / self.modules_with_quiet_zone()
    }

    /// Where the symbol itself, without quiet zone, stands when drawn into `area`: centred.
    #[must_use]
    pub fn place_in(&self, area: Rectangle) -> Rectangle {
        let side = self.modules * self.module_in(area.size.width.min(area.size.height));
        let spare = area.size - Size::new_equal(side);
        Rectangle::new(area.top_left + Point::zero().component_max(half(spare)), Size::new_equal(side))
    }

    /// Draws the symbol as large as whole-pixel modules allow; all of `area` around it is light.
    ///
    /// # Errors
    ///
    /// What the target reports.
    pub fn draw<D: DrawTarget<Color = Rgb565>>(&self, area: Rectangle, target: &mut D) -> Result<(), D::Error> {
        target.fill_solid(&area, PAPER)?;
        let place = self.place_in(area);
        let module = place.size.width / self.modules;
        for (y, row) in (0_i32..).zip(self.dark.chunks(self.modules as usize)) {
            for (start, length) in dark_runs(row) {
                let corner = Point::new(start, y) * module.cast_signed();
                let size = Size::new(length * module, module);
                target.fill_solid(&Rectangle::new(place.top_left + corner, size), INK)?;
            }
        }
        Ok(())
    }
}

fn half(size: Size) -> Point {
    Point::new((size.width / 2).cast_signed(), (size.height / 2).cast_signed())
}

/// Where dark modules begin in a row, and how many follow.
fn dark_runs(row: &[bool]) -> impl Iterator<Item = (i32, u32)> {
    let mut x = 0;
    row.chunk_by(|left, right| left == right).filter_map(move |run| {
        let start = x;
        x += run.len();
        let dark = run.first().copied().unwrap_or(false);
        dark.then_some((i32::try_from(start).ok()?, u32::try_from(run.len()).ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn level_m_while_modules_are_large_and_l_when_they_would_be_small() {
        let text = "https://qr.alipay.com/bax03431ljhokirwl38f00a7";
        assert_eq!(Symbol::fitting(text, 240).map(|s| s.modules()), Some(33));
        assert_eq!(Symbol::fitting(text, 3 * 41).map(|s| s.modules()), Some(33));
        assert_eq!(Symbol::fitting(text, 3 * 41 - 1).map(|s| s.modules()), Some(29));
    }

    #[test]
    fn a_text_that_no_symbol_holds_is_none() {
        assert!(Symbol::fitting(&"x".repeat(4000), 480).is_none());
        assert!(Symbol::fitting("x", 57).is_none());
    }

    #[test]
    fn runs_are_the_dark_ones() {
        let row = [true, true, false, true, false, false, true];
        let runs: Vec<_> = dark_runs(&row).collect();
        assert_eq!(runs, [(0, 2), (3, 1), (6, 1)]);
    }
}
