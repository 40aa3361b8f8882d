//! Words as the chip's pages: eight rows to a byte, the upper one in the lowest bit.

use std::convert::Infallible;

use embedded_graphics::{
    mono_font::{MonoFont, MonoTextStyle, ascii},
    pixelcolor::BinaryColor,
    prelude::*,
    text::{Baseline, Text},
};

use super::WIDTH;

/// Letters of the large font in a row.
const LARGE_MOST: usize = 12;

struct Pages {
    rows: usize,
    bytes: Vec<u8>,
}

impl OriginDimensions for Pages {
    fn size(&self) -> Size {
        Size::new(WIDTH as u32, self.rows as u32)
    }
}

impl DrawTarget for Pages {
    type Color = BinaryColor;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<BinaryColor>>>(&mut self, pixels: I) -> Result<(), Infallible> {
        for Pixel(Point { x, y }, colour) in pixels {
            if let (Ok(x @ 0..WIDTH), Ok(y)) = (usize::try_from(x), usize::try_from(y))
                && let Some(byte) = self.bytes.get_mut(y / 8 * WIDTH + x)
                && colour.is_on()
            {
                *byte |= 1 << (y % 8);
            }
        }
        Ok(())
    }
}

/// Draws the lines from a place on, the first one large if it is short. What has no room is left out.
pub(super) fn pages(lines: &[String], rows: usize, (x, mut y): (i32, i32)) -> Vec<Vec<u8>> {
    let mut target = Pages { rows, bytes: vec![0; WIDTH * rows / 8] };
    for (index, line) in lines.iter().enumerate() {
        let is_large = index == 0 && line.chars().count() <= LARGE_MOST;
        let font: &MonoFont<'_> = if is_large { &ascii::FONT_10X20 } else { &ascii::FONT_6X10 };
        let height = font.character_size.height.cast_signed();
        if y + height > rows as i32 {
            break;
        }
        let style = MonoTextStyle::new(font, BinaryColor::On);
        let Ok(_) = Text::with_baseline(line, Point::new(x, y), style, Baseline::Top).draw(&mut target);
        y += height;
    }
    target.bytes.chunks(WIDTH).map(<[u8]>::to_vec).collect()
}
