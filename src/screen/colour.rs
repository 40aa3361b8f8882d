//! The palette: paper, ink, one accent. Nothing relies on a difference of hue.

use embedded_graphics::pixelcolor::{Rgb565, RgbColor, WebColors};

/// The ground of every screen, and the light modules of a code.
pub const PAPER: Rgb565 = Rgb565::WHITE;
/// Text, and the dark modules of a code.
pub const INK: Rgb565 = Rgb565::BLACK;
/// Text of second rank: still 7 to 1 against the paper.
pub const QUIET: Rgb565 = Rgb565::new(10, 21, 11);
/// Amounts, and what went well.
pub const ACCENT: Rgb565 = Rgb565::new(0, 22, 24);
/// Lines and empty places.
pub const LINE: Rgb565 = Rgb565::CSS_LIGHT_GRAY;

/// `ink` over `paper`, `part` of `whole`.
#[must_use]
pub fn blend(paper: Rgb565, ink: Rgb565, part: u32, whole: u32) -> Rgb565 {
    let mix = |under: u8, over: u8| {
        let sum = u32::from(under) * (whole - part.min(whole)) + u32::from(over) * part.min(whole);
        u8::try_from((sum + whole / 2) / whole).unwrap_or(u8::MAX)
    };
    Rgb565::new(mix(paper.r(), ink.r()), mix(paper.g(), ink.g()), mix(paper.b(), ink.b()))
}
