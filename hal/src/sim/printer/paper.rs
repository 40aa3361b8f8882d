//! What comes out of a simulated printer: lines of text for a program, a picture for a person.

use std::io;

use embedded_graphics::Drawable;
use embedded_graphics::{
    Pixel,
    draw_target::DrawTarget,
    geometry::{OriginDimensions, Point, Size},
    mono_font::{
        MonoFont, MonoTextStyle,
        ascii::{FONT_6X10, FONT_10X20},
    },
    pixelcolor::BinaryColor,
    primitives::{Primitive, PrimitiveStyle, Rectangle},
    text::{Baseline, Text},
};

use crate::printer::Align;

/// Dots of a letter; a Chinese character is twice as wide.
pub(super) const LETTER: usize = 12;
const TALL: usize = 24;
/// Dots from one line of text to the next.
const SPACING: usize = 30;

/// One character of a line, as it was set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    pub(super) character: char,
    pub(super) size: usize,
    pub(super) bold: bool,
}

impl Cell {
    fn columns(self) -> usize {
        if self.character.is_ascii() { self.size } else { 2 * self.size }
    }
}

/// Columns of a line.
pub(super) fn columns(line: &[Cell]) -> usize {
    line.iter().map(|cell| cell.columns()).sum()
}

/// A piece of paper: a receipt once it was cut off.
#[derive(Debug, Clone, Default)]
pub struct Sheet {
    dots: usize,
    /// Each line with its place on the paper; `[qr …]` and `[picture]` for what is no text.
    pub lines: Vec<String>,
    rows: Vec<Vec<bool>>,
}

impl Sheet {
    pub(super) fn new(dots: usize) -> Self {
        Self { dots, ..Self::default() }
    }

    /// Length in dots; eight of them are a millimetre.
    #[must_use]
    pub fn length(&self) -> usize {
        self.rows.len()
    }

    /// Width in dots.
    #[must_use]
    pub fn width(&self) -> usize {
        self.dots
    }

    /// Whether a dot is black; the world outside is white.
    #[must_use]
    pub fn is_black(&self, x: usize, y: usize) -> bool {
        self.rows.get(y).and_then(|row| row.get(x)).copied().unwrap_or_default()
    }

    /// The picture, for a person to look at.
    ///
    /// # Errors
    /// Never for a sheet with something on it.
    pub fn to_png(&self) -> io::Result<Vec<u8>> {
        let mut file = Vec::new();
        let size = |dots: usize| u32::try_from(dots).map_err(io::Error::other);
        let mut encoder = png::Encoder::new(&mut file, size(self.dots)?, size(self.rows.len().max(1))?);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::Eight);
        let mut dots: Vec<u8> = self.rows.iter().flatten().map(|black| if *black { 0 } else { 255 }).collect();
        dots.resize(self.dots * self.rows.len().max(1), 255);
        encoder.write_header()?.write_image_data(&dots)?;
        Ok(file)
    }

    pub(super) fn feed(&mut self, rows: usize) {
        self.rows.resize(self.rows.len() + rows, vec![false; self.dots]);
    }

    fn offset(&self, width: usize, align: Align) -> usize {
        let free = self.dots.saturating_sub(width);
        match align {
            Align::Left => 0,
            Align::Centre => free / 2,
            Align::Right => free,
        }
    }

    /// Prints a line; the dots that it took.
    pub(super) fn line(&mut self, line: &[Cell], align: Align) -> usize {
        let left = self.offset(columns(line) * LETTER, align);
        let text: String = line.iter().map(|cell| cell.character).collect();
        self.lines.push(format!("{}{text}", " ".repeat(left / LETTER)).trim_end().to_owned());
        let tall = line.iter().map(|cell| cell.size * TALL).max().unwrap_or_default();
        let top = self.rows.len();
        let length = SPACING.max(tall + SPACING - TALL);
        self.feed(length);
        let mut x = left;
        for cell in line {
            self.draw(*cell, x, top + tall - cell.size * TALL);
            x += cell.columns() * LETTER;
        }
        length
    }

    /// A printer has glyphs for Chinese; this one draws a box with the character's number in it, as for a missing one.
    fn draw(&mut self, cell: Cell, left: usize, top: usize) {
        let mut glyph = Glyph::default();
        let bounds = Rectangle::new(Point::new(1, 1), Size::new(22, 22));
        if cell.character.is_ascii() {
            glyph.write(&cell.character.to_string(), &FONT_10X20, Point::new(1, 2));
        } else {
            // A glyph in memory takes everything.
            let _ = bounds.into_styled(PrimitiveStyle::with_stroke(BinaryColor::On, 1)).draw(&mut glyph);
            let number = format!("{:04X}", u32::from(cell.character));
            let (upper, lower) = number.split_at(2);
            glyph.write(upper, &FONT_6X10, Point::new(6, 2));
            glyph.write(lower, &FONT_6X10, Point::new(6, 12));
        }
        for (x, y) in glyph.dots(cell.bold) {
            for dot in 0..cell.size * cell.size {
                self.ink(left + x * cell.size + dot % cell.size, top + y * cell.size + dot / cell.size);
            }
        }
    }

    fn ink(&mut self, x: usize, y: usize) {
        if let Some(dot) = self.rows.get_mut(y).and_then(|row| row.get_mut(x)) {
            *dot = true;
        }
    }

    /// Prints a picture; the dots that it took.
    pub(super) fn picture(&mut self, name: String, rows: &[Vec<bool>], align: Align) -> usize {
        let left = self.offset(rows.iter().map(Vec::len).max().unwrap_or_default(), align);
        self.lines.push(name);
        let top = self.rows.len();
        self.feed(rows.len());
        for (y, row) in rows.iter().enumerate() {
            for (x, _) in row.iter().enumerate().filter(|(_, black)| **black) {
                self.ink(left + x, top + y);
            }
        }
        rows.len()
    }
}

/// One character's dots.
struct Glyph([[bool; TALL]; TALL]);

impl Default for Glyph {
    fn default() -> Self {
        Self([[false; TALL]; TALL])
    }
}

impl Glyph {
    fn write(&mut self, text: &str, font: &MonoFont<'_>, place: Point) {
        let style = MonoTextStyle::new(font, BinaryColor::On);
        // A glyph in memory takes everything.
        let _ = Text::with_baseline(text, place, style, Baseline::Top).draw(self);
    }

    fn dots(&self, bold: bool) -> impl Iterator<Item = (usize, usize)> {
        let inked = (0..TALL * TALL).map(|dot| (dot % TALL, dot / TALL));
        inked.filter(move |(x, y)| {
            let at = |x: usize| self.0.get(*y).and_then(|row| row.get(x)).copied().unwrap_or_default();
            at(*x) || bold && *x > 0 && at(x - 1)
        })
    }
}

impl OriginDimensions for Glyph {
    fn size(&self) -> Size {
        Size::new(24, 24)
    }
}

impl DrawTarget for Glyph {
    type Color = BinaryColor;
    type Error = core::convert::Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<BinaryColor>>>(&mut self, pixels: I) -> Result<(), Self::Error> {
        for Pixel(point, color) in pixels {
            let place = usize::try_from(point.x).ok().zip(usize::try_from(point.y).ok());
            if let Some(dot) = place.and_then(|(x, y)| self.0.get_mut(y)?.get_mut(x)) {
                *dot = color.is_on();
            }
        }
        Ok(())
    }
}
