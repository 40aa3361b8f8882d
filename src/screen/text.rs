//! Lines of text: measuring and drawing.

use embedded_graphics::pixelcolor::Rgb565;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::Rectangle;

use super::colour::blend;
use super::glyphs::{self, Face, Metrics};
use super::ink::FULL;

/// A face at a whole-number scale.
#[derive(Debug, Clone, Copy)]
pub struct Font {
    face: &'static Face,
    scale: u32,
}

macro_rules! font {
    ($name:ident, $face:ident, $scale:literal) => {
        pub(super) const $name: Font = Font { face: &glyphs::$face, scale: $scale };
    };
}

font!(TEXT_16, TEXT_16, 1);
font!(TEXT_24, TEXT_24, 1);
font!(TEXT_32, TEXT_16, 2);
font!(TEXT_48, TEXT_24, 2);
font!(FIGURES_16, FIGURES_16, 1);
font!(FIGURES_24, FIGURES_24, 1);
font!(FIGURES_32, FIGURES_32, 1);
font!(FIGURES_48, FIGURES_48, 1);
font!(FIGURES_64, FIGURES_64, 1);
font!(FIGURES_96, FIGURES_96, 1);

impl Font {
    /// The height of the em square in pixels.
    pub(super) const fn em(self) -> u32 {
        self.face.em() * self.scale
    }

    /// The height of one line: a quarter more than the em square, which holds every descender.
    pub(super) const fn line_height(self) -> u32 {
        self.em() * 5 / 4
    }

    /// From the top of the line to the base line: the em square is in the middle and 0.88 of it is above the line.
    pub(super) const fn base_line(self) -> u32 {
        (self.line_height() - self.em()) / 2 + self.em() * 88 / 100
    }

    /// Whether every character has a glyph.
    #[must_use]
    pub fn holds(self, text: &str) -> bool {
        text.chars().all(|character| self.face.holds(character))
    }

    /// The width of a text in one line.
    pub(super) fn width(self, text: &str) -> u32 {
        text.chars().map(|character| self.advance(character)).sum()
    }

    fn advance(self, character: char) -> u32 {
        let glyph = self.face.metrics(character);
        glyph.map_or(self.em(), |metrics| metrics.advance * self.scale)
    }
}

/// Text of the sizes that the screens use, for a check that no character is missing.
#[must_use]
pub const fn text_fonts() -> [Font; 2] {
    [TEXT_16, TEXT_24]
}

/// Draws one line from the upper left corner of its line box. Nothing is drawn outside `area`.
pub(super) fn draw_line<D: DrawTarget<Color = Rgb565>>(
    text: &str,
    font: Font,
    (ink, paper): (Rgb565, Rgb565),
    area: Rectangle,
    target: &mut D,
) -> Result<(), D::Error> {
    let mut inside = target.clipped(&area);
    let mut pen = area.top_left + Point::new(0, font.base_line().cast_signed());
    for character in text.chars() {
        match font.face.glyph(character) {
            Some((metrics, pixels)) => {
                let glyph = Glyph { metrics, pixels: &pixels, scale: font.scale };
                glyph.draw(pen, (ink, paper), &mut inside)?;
            }
            None => draw_missing(font, pen, ink, &mut inside)?,
        }
        pen.x += font.advance(character).cast_signed();
    }
    Ok(())
}

/// The box that stands for a character which the subset does not hold.
fn draw_missing<D: DrawTarget<Color = Rgb565>>(
    font: Font,
    pen: Point,
    ink: Rgb565,
    target: &mut D,
) -> Result<(), D::Error> {
    let (em, stroke) = (font.em(), font.em() / 12);
    let gap = em / 8;
    let outer = Rectangle::new(
        pen + Point::new(gap.cast_signed(), (gap + stroke).cast_signed() - (em * 88 / 100).cast_signed()),
        Size::new_equal(em - 2 * gap),
    );
    for edge in edges(outer, stroke) {
        target.fill_solid(&edge, ink)?;
    }
    Ok(())
}

/// The four bars of a frame, inside `outer`.
pub(super) fn edges(outer: Rectangle, stroke: u32) -> [Rectangle; 4] {
    let Size { width, height } = outer.size;
    let far = |length: u32| length.saturating_sub(stroke).cast_signed();
    [
        Rectangle::new(outer.top_left, Size::new(width, stroke)),
        Rectangle::new(outer.top_left + Point::new(0, far(height)), Size::new(width, stroke)),
        Rectangle::new(outer.top_left, Size::new(stroke, height)),
        Rectangle::new(outer.top_left + Point::new(far(width), 0), Size::new(stroke, height)),
    ]
}

/// A glyph about to be drawn.
struct Glyph<'a> {
    metrics: Metrics,
    pixels: &'a [u8],
    scale: u32,
}

impl Glyph<'_> {
    fn draw<D: DrawTarget<Color = Rgb565>>(
        &self,
        pen: Point,
        (ink, paper): (Rgb565, Rgb565),
        target: &mut D,
    ) -> Result<(), D::Error> {
        let scale = self.scale.cast_signed();
        let corner = pen + Point::new(self.metrics.left, self.metrics.top) * scale;
        let size = Size::new(self.metrics.width, self.metrics.height) * self.scale;
        let shades: [Rgb565; SHADES as usize + 1] =
            std::array::from_fn(|shade| blend(paper, ink, shade as u32, SHADES));
        let points = Rectangle::new(Point::zero(), size).points();
        let colours = points.map(|point| shades[self.shade(point) as usize]);
        target.fill_contiguous(&Rectangle::new(corner, size), colours)
    }

    /// How dark the glyph is at a pixel of its scaled picture, from 0 to [`SHADES`].
    fn shade(&self, point: Point) -> u32 {
        if self.scale == 1 {
            return u32::from(self.level(point.x, point.y)) * SHADES / u32::from(FULL);
        }
        self.smooth_shade(point)
    }

    /// Enlarged text would be made of blocks. Instead, coverage is interpolated between the four nearest pixels and
    /// then made steeper, which turns the blocks' stairs into edges.
    fn smooth_shade(&self, point: Point) -> u32 {
        let step = 2 * self.scale.cast_signed();
        let at = |pixel: i32| 2 * pixel + 1 - self.scale.cast_signed();
        let (x, y) = (at(point.x), at(point.y));
        let (column, row) = (x.div_euclid(step), y.div_euclid(step));
        let (right, down) = (x.rem_euclid(step), y.rem_euclid(step));
        let level = |dx: i32, dy: i32| i32::from(self.level(column + dx, row + dy));
        let upper = level(0, 0) * (step - right) + level(1, 0) * right;
        let lower = level(0, 1) * (step - right) + level(1, 1) * right;
        let full = i32::from(FULL) * step * step;
        let coverage = upper * (step - down) + lower * down;
        let steep = (coverage * 2 - full / 2).clamp(0, full);
        (steep * SHADES.cast_signed() / full).cast_unsigned()
    }

    fn level(&self, x: i32, y: i32) -> u8 {
        let (width, height) = (self.metrics.width.cast_signed(), self.metrics.height.cast_signed());
        let inside = (0..width).contains(&x) && (0..height).contains(&y);
        let index = if inside { usize::try_from(y * width + x).ok() } else { None };
        index.and_then(|index| self.pixels.get(index)).copied().unwrap_or(0)
    }
}

/// Steps from paper to ink; a multiple of [`FULL`].
const SHADES: u32 = 15;
