//! A panel in memory.

use std::convert::Infallible;

use embedded_graphics::pixelcolor::Rgb565;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::Rectangle;
use till::screen::{self, Look};

use payment::engine::view::View;

/// Pixels, and how many were aimed past the edge.
pub struct Panel {
    pub size: Size,
    pub pixels: Vec<Rgb565>,
    pub outside: usize,
}

impl Panel {
    /// A panel in a colour that no screen uses, so that what was not drawn shows.
    pub fn unpainted(size: Size) -> Self {
        let pixels = vec![UNPAINTED; (size.width * size.height) as usize];
        Self { size, pixels, outside: 0 }
    }

    /// A view, drawn.
    pub fn showing(view: &View, look: &Look, size: Size) -> Self {
        let mut panel = Self::unpainted(size);
        let Ok(()) = screen::draw(view, look, &mut panel);
        panel
    }

    pub fn at(&self, point: Point) -> Rgb565 {
        self.pixels[point.y as usize * self.size.width as usize + point.x as usize]
    }

    /// Light and dark, as a camera without colour sees it.
    pub fn grey(&self, point: Point) -> u8 {
        let [r, g, b] = rgb(self.at(point));
        ((u32::from(r) * 299 + u32::from(g) * 587 + u32::from(b) * 114) / 1000) as u8
    }

    pub fn write_png(&self, path: &std::path::Path) {
        let file = std::fs::File::create(path).expect("the folder can be written");
        let mut encoder = png::Encoder::new(file, self.size.width, self.size.height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let bytes: Vec<u8> = self.pixels.iter().flat_map(|pixel| rgb(*pixel)).collect();
        let mut writer = encoder.write_header().expect("a header");
        writer.write_image_data(&bytes).expect("the pixels");
    }
}

/// A colour that no screen uses.
pub const UNPAINTED: Rgb565 = Rgb565::new(31, 0, 31);

fn rgb(colour: Rgb565) -> [u8; 3] {
    let wide = |value: u8, most: u8| (u32::from(value) * 255 / u32::from(most)) as u8;
    [wide(colour.r(), 31), wide(colour.g(), 63), wide(colour.b(), 31)]
}

impl OriginDimensions for Panel {
    fn size(&self) -> Size {
        self.size
    }
}

impl DrawTarget for Panel {
    type Color = Rgb565;
    type Error = Infallible;

    fn draw_iter<I>(&mut self, pixels: I) -> Result<(), Infallible>
    where
        I: IntoIterator<Item = Pixel<Rgb565>>,
    {
        let (width, height) = (self.size.width as i32, self.size.height as i32);
        for Pixel(point, colour) in pixels {
            if (0..width).contains(&point.x) && (0..height).contains(&point.y) {
                self.pixels[(point.y * width + point.x) as usize] = colour;
            } else {
                self.outside += 1;
            }
        }
        Ok(())
    }

    fn fill_solid(&mut self, area: &Rectangle, colour: Rgb565) -> Result<(), Infallible> {
        let visible = area.intersection(&self.bounding_box());
        self.outside += (area.size.width * area.size.height) as usize;
        self.outside -= (visible.size.width * visible.size.height) as usize;
        for y in visible.rows() {
            let start = (y * self.size.width as i32 + visible.top_left.x) as usize;
            self.pixels[start..][..visible.size.width as usize].fill(colour);
        }
        Ok(())
    }
}

/// Paper that notes who draws past a line.
pub struct Fence {
    pub size: Size,
    pub inside: Rectangle,
    pub strays: Vec<Point>,
}

impl OriginDimensions for Fence {
    fn size(&self) -> Size {
        self.size
    }
}

impl DrawTarget for Fence {
    type Color = Rgb565;
    type Error = Infallible;

    fn draw_iter<I>(&mut self, pixels: I) -> Result<(), Infallible>
    where
        I: IntoIterator<Item = Pixel<Rgb565>>,
    {
        let points = pixels.into_iter().map(|Pixel(point, _)| point);
        self.strays.extend(points.filter(|point| !self.inside.contains(*point)));
        Ok(())
    }

    fn fill_solid(&mut self, area: &Rectangle, _: Rgb565) -> Result<(), Infallible> {
        if area.intersection(&self.inside) != *area {
            self.strays.push(area.top_left);
        }
        Ok(())
    }
}
