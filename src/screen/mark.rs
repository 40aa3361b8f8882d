//! What a screen is made of. A screen is first composed as a list of marks, each with its area, and then drawn; so it
//! can be checked that nothing overlaps before there is a pixel.

use embedded_graphics::pixelcolor::Rgb565;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::Rectangle;

use super::picture::Picture;
use super::qr::Symbol;
use super::text::{Font, draw_line, edges};

/// One thing on the screen. It draws nothing outside its area.
#[derive(Debug, Clone)]
pub enum Mark {
    /// A plain area that others stand on.
    Panel {
        /// Where.
        area: Rectangle,
        /// Its colour.
        colour: Rgb565,
    },
    /// A frame that others stand in.
    Frame {
        /// Where, with the bars.
        area: Rectangle,
        /// The bars' colour.
        colour: Rgb565,
        /// The bars' thickness.
        stroke: u32,
    },
    /// One line of text, filling its area exactly.
    Line {
        /// The line box.
        area: Rectangle,
        /// What it says.
        text: String,
        /// How large.
        font: Font,
        /// The letters' colour.
        ink: Rgb565,
        /// The ground that the edges of the letters blend into.
        paper: Rgb565,
    },
    /// The code to scan.
    Code {
        /// Where, with the quiet zone.
        area: Rectangle,
        /// The code.
        symbol: Symbol,
    },
    /// A simple picture.
    Picture {
        /// Where.
        area: Rectangle,
        /// Which.
        picture: Picture,
    },
}

impl Mark {
    /// Where it is.
    #[must_use]
    pub const fn area(&self) -> Rectangle {
        match self {
            Self::Panel { area, .. }
            | Self::Frame { area, .. }
            | Self::Line { area, .. }
            | Self::Code { area, .. }
            | Self::Picture { area, .. } => *area,
        }
    }

    /// The same, further right and down.
    #[must_use]
    pub fn moved(mut self, by: Point) -> Self {
        match &mut self {
            Self::Panel { area, .. }
            | Self::Frame { area, .. }
            | Self::Line { area, .. }
            | Self::Code { area, .. }
            | Self::Picture { area, .. } => area.top_left += by,
        }
        self
    }

    /// Whether others may stand on it.
    #[must_use]
    pub const fn is_ground(&self) -> bool {
        match self {
            Self::Panel { .. } | Self::Frame { .. } => true,
            Self::Line { .. } | Self::Code { .. } | Self::Picture { .. } => false,
        }
    }

    /// Draws it.
    ///
    /// # Errors
    ///
    /// What the target reports.
    pub fn draw<D: DrawTarget<Color = Rgb565>>(&self, target: &mut D) -> Result<(), D::Error> {
        match self {
            Self::Panel { area, colour } => target.fill_solid(area, *colour),
            Self::Frame { area, colour, stroke } => {
                for edge in edges(*area, *stroke) {
                    target.fill_solid(&edge, *colour)?;
                }
                Ok(())
            }
            Self::Line { area, text, font, ink, paper } => draw_line(text, *font, (*ink, *paper), *area, target),
            Self::Code { area, symbol } => symbol.draw(*area, target),
            Self::Picture { area, picture } => picture.draw(*area, target),
        }
    }
}
