//! A picture in memory, and the canvas that screens are drawn on.

use std::{convert::Infallible, io};

use embedded_graphics::{
    Pixel,
    draw_target::DrawTarget,
    geometry::{Dimensions, OriginDimensions, Size},
    pixelcolor::{Rgb565, RgbColor, raw::RawU16},
    prelude::RawData,
    primitives::{PointsIter, Rectangle},
};

use crate::board::Rotation;

/// RGB565 pixels, row by row, without padding.
///
/// Filling is by whole runs: embedded-graphics' own buffer goes pixel by pixel, which is many times slower on the QR code of
/// every sale (reference/crates.md, choice 4).
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    width: u32,
    pixels: Vec<u16>,
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Frame({}×{})", self.width(), self.height())
    }
}

fn raw(color: Rgb565) -> u16 {
    RawU16::from(color).into_inner()
}

impl Frame {
    /// A black picture. A side of 0 counts as 1.
    #[must_use]
    pub fn new(width: u32, height: u32) -> Self {
        let (width, height) = (width.max(1), height.max(1));
        Self { width, pixels: vec![0; width as usize * height as usize] }
    }

    /// Pixels across.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Pixels down.
    #[must_use]
    pub fn height(&self) -> u32 {
        u32::try_from(self.pixels.len() / self.width as usize).unwrap_or(u32::MAX)
    }

    /// The pixel at a place; `None` outside.
    #[must_use]
    pub fn pixel(&self, x: u32, y: u32) -> Option<Rgb565> {
        if x >= self.width {
            return None;
        }
        let index = y as usize * self.width as usize + x as usize;
        self.pixels.get(index).copied().map(|raw| RawU16::new(raw).into())
    }

    /// The rows from top to bottom, each `width` raw RGB565 values.
    pub fn rows(&self) -> impl Iterator<Item = &[u16]> {
        self.pixels.chunks_exact(self.width as usize)
    }

    /// The rows, to write to.
    pub fn rows_mut(&mut self) -> impl Iterator<Item = &mut [u16]> {
        self.pixels.chunks_exact_mut(self.width as usize)
    }

    /// The picture turned clockwise.
    #[must_use]
    pub fn rotated(&self, rotation: Rotation) -> Self {
        let (width, height) = (self.width as usize, self.height() as usize);
        let at = |x: usize, y: usize| self.pixels.get(y * width + x).copied().unwrap_or_default();
        let turned = |across: usize, down: usize, from: &dyn Fn(usize, usize) -> u16| {
            let places = (0..down).flat_map(|y| (0..across).map(move |x| (x, y)));
            places.map(|(x, y)| from(x, y)).collect::<Vec<u16>>()
        };
        let (across, pixels) = match rotation {
            Rotation::None => return self.clone(),
            Rotation::Quarter => (height, turned(height, width, &|x, y| at(y, height - 1 - x))),
            Rotation::Half => (width, turned(width, height, &|x, y| at(width - 1 - x, height - 1 - y))),
            Rotation::ThreeQuarters => (height, turned(height, width, &|x, y| at(width - 1 - y, x))),
        };
        Self { width: u32::try_from(across).unwrap_or(1), pixels }
    }

    /// The picture as a PNG file, 8 bits per channel.
    ///
    /// # Errors
    /// When the encoder refuses; it does not for a picture of this type.
    pub fn to_png(&self) -> io::Result<Vec<u8>> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, self.width, self.height());
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::Fast);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.to_rgb())?;
        writer.finish()?;
        Ok(file)
    }

    /// Three bytes per pixel: red, green, blue.
    #[must_use]
    pub fn to_rgb(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.pixels.len() * 3);
        for pixel in &self.pixels {
            bytes.extend_from_slice(&widen(*pixel));
        }
        bytes
    }

    fn fill_rows(&mut self, area: &Rectangle, raw: u16) {
        let area = area.intersection(&self.bounding_box());
        let (Ok(left), Ok(top)) = (usize::try_from(area.top_left.x), usize::try_from(area.top_left.y)) else {
            return;
        };
        let (across, down) = (area.size.width as usize, area.size.height as usize);
        for row in self.rows_mut().skip(top).take(down) {
            if let Some(run) = row.get_mut(left..left + across) {
                run.fill(raw);
            }
        }
    }
}

/// RGB565 to 8 bits per channel, so that white stays white.
#[must_use]
pub(crate) fn widen(pixel: u16) -> [u8; 3] {
    let five = |bits: u16| (bits << 3 | bits >> 2) as u8;
    let six = |bits: u16| (bits << 2 | bits >> 4) as u8;
    [five(pixel >> 11 & 0x1F), six(pixel >> 5 & 0x3F), five(pixel & 0x1F)]
}

impl OriginDimensions for Frame {
    fn size(&self) -> Size {
        Size::new(self.width(), self.height())
    }
}

impl DrawTarget for Frame {
    type Color = Rgb565;
    type Error = Infallible;

    fn draw_iter<I>(&mut self, pixels: I) -> Result<(), Infallible>
    where
        I: IntoIterator<Item = Pixel<Rgb565>>,
    {
        let bounds = self.bounding_box();
        for Pixel(point, color) in pixels {
            if bounds.contains(point) {
                // Inside the bounds neither is negative.
                let index = point.y.unsigned_abs() as usize * self.width as usize + point.x.unsigned_abs() as usize;
                if let Some(pixel) = self.pixels.get_mut(index) {
                    *pixel = raw(color);
                }
            }
        }
        Ok(())
    }

    fn fill_contiguous<I>(&mut self, area: &Rectangle, colors: I) -> Result<(), Infallible>
    where
        I: IntoIterator<Item = Rgb565>,
    {
        let bounds = self.bounding_box();
        let mut colors = colors.into_iter();
        if area.intersection(&bounds) != *area {
            return self.draw_iter(placed(area, colors));
        }
        // The whole area is inside, so neither is negative.
        let left = area.top_left.x.unsigned_abs() as usize;
        let top = area.top_left.y.unsigned_abs() as usize;
        let (across, down) = (area.size.width as usize, area.size.height as usize);
        for row in self.rows_mut().skip(top).take(down) {
            for pixel in row.iter_mut().skip(left).take(across) {
                let Some(color) = colors.next() else {
                    return Ok(());
                };
                *pixel = raw(color);
            }
        }
        Ok(())
    }

    fn fill_solid(&mut self, area: &Rectangle, color: Rgb565) -> Result<(), Infallible> {
        self.fill_rows(area, raw(color));
        Ok(())
    }

    fn clear(&mut self, color: Rgb565) -> Result<(), Infallible> {
        self.pixels.fill(raw(color));
        Ok(())
    }
}

/// The colours of an area, row by row, as pixels.
fn placed(area: &Rectangle, colors: impl Iterator<Item = Rgb565>) -> impl Iterator<Item = Pixel<Rgb565>> {
    area.points().zip(colors).map(|(at, color)| Pixel(at, color))
}

impl Frame {
    /// A frame of one colour.
    #[must_use]
    pub fn filled(width: u32, height: u32, color: Rgb565) -> Self {
        let mut frame = Self::new(width, height);
        frame.pixels.fill(raw(color));
        frame
    }

    /// Whether every pixel is black: nothing has been drawn yet.
    #[must_use]
    pub fn is_black(&self) -> bool {
        let black = raw(Rgb565::BLACK);
        self.pixels.iter().all(|pixel| *pixel == black)
    }
}

#[cfg(test)]
mod tests {
    use embedded_graphics::{
        geometry::Point,
        mock_display::MockDisplay,
        prelude::{Drawable, Primitive, WebColors},
        primitives::{Circle, PrimitiveStyle},
    };

    use super::*;

    fn numbered() -> Frame {
        let mut frame = Frame::new(3, 2);
        for (number, pixel) in (1..).zip(&mut frame.pixels) {
            *pixel = number;
        }
        frame
    }

    #[test]
    fn a_filled_rectangle_is_cut_at_the_edges() {
        let mut frame = Frame::new(4, 3);
        let area = Rectangle::new(Point::new(-1, 1), Size::new(3, 9));
        frame.fill_solid(&area, Rgb565::WHITE).unwrap();
        let rows: Vec<Vec<u16>> = frame.rows().map(<[u16]>::to_vec).collect();
        let full = u16::MAX;
        assert_eq!(rows, [[0, 0, 0, 0], [full, full, 0, 0], [full, full, 0, 0]]);
        let outside = Rectangle::new(Point::new(10, 10), Size::new(3, 3));
        frame.fill_solid(&outside, Rgb565::WHITE).unwrap();
    }

    #[test]
    fn contiguous_colours_land_row_by_row_inside_and_across_the_edge() {
        for origin in [Point::new(1, 0), Point::new(2, 1), Point::new(-1, -1)] {
            let area = Rectangle::new(origin, Size::new(2, 2));
            let colors = [Rgb565::RED, Rgb565::GREEN, Rgb565::BLUE, Rgb565::WHITE];
            let mut frame = Frame::new(3, 2);
            frame.fill_contiguous(&area, colors).unwrap();
            let mut expected = Frame::new(3, 2);
            expected.draw_iter(placed(&area, colors.into_iter())).unwrap();
            assert!(frame == expected, "at {origin}");
        }
    }

    #[test]
    fn a_circle_is_the_circle_that_the_mock_display_draws() {
        let circle = Circle::new(Point::new(1, 2), 12).into_styled(PrimitiveStyle::with_fill(Rgb565::CSS_ORANGE));
        let mut frame = Frame::new(16, 16);
        circle.draw(&mut frame).unwrap();
        let mut mock = MockDisplay::new();
        mock.set_allow_overdraw(true);
        circle.draw(&mut mock).unwrap();
        for at in frame.bounding_box().points() {
            let expected = mock.get_pixel(at).unwrap_or(Rgb565::BLACK);
            let (x, y) = (at.x.unsigned_abs(), at.y.unsigned_abs());
            assert_eq!(frame.pixel(x, y), Some(expected), "at {at}");
        }
    }

    #[test]
    fn four_quarter_turns_are_none_and_one_is_clockwise() {
        let frame = numbered();
        let quarter = frame.rotated(Rotation::Quarter);
        assert_eq!((quarter.width(), quarter.height()), (2, 3));
        assert_eq!(quarter.pixels, [4, 1, 5, 2, 6, 3]);
        assert!(quarter.rotated(Rotation::Quarter) == frame.rotated(Rotation::Half));
        assert!(quarter.rotated(Rotation::ThreeQuarters) == frame);
    }

    #[test]
    fn the_png_reads_back_pixel_by_pixel() {
        let mut frame = Frame::filled(5, 3, Rgb565::WHITE);
        let dot = Rectangle::new(Point::new(1, 1), Size::new(1, 1));
        frame.fill_solid(&dot, Rgb565::RED).unwrap();
        let file = frame.to_png().unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut bytes).unwrap();
        assert_eq!((info.width, info.height), (5, 3));
        assert_eq!(bytes, frame.to_rgb());
        assert_eq!(bytes[..3], [255, 255, 255]);
        assert_eq!(bytes[(5 + 1) * 3..][..3], [255, 0, 0]);
    }
}
