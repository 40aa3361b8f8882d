//! Reads QR codes from PNG pictures, as a phone's camera does: whatever their size.

use png::{ColorType, Decoder, Transformations};

/// Larger pictures than this are not looked at.
const MOST_PIXELS: usize = 16_000_000;

/// Grey values, row by row.
struct Grey {
    width: usize,
    height: usize,
    values: Vec<u8>,
}

/// The texts of the QR codes in a PNG picture; empty when there are none or it is no picture.
pub(crate) fn qr_texts(png: &[u8]) -> Vec<String> {
    let Some(grey) = read_png(png) else {
        return Vec::new();
    };
    // Screens draw modules of one or two pixels, cameras of dozens: look at several sizes.
    let larger = [1, 2, 3, 4].into_iter().map(|times| grey.enlarged(times));
    let smaller = [2, 3, 4].into_iter().map(|times| grey.reduced(times));
    larger
        .chain(smaller)
        .flatten()
        .map(|picture| texts_at(&picture))
        .find(|texts| !texts.is_empty())
        .unwrap_or_default()
}

fn texts_at(grey: &Grey) -> Vec<String> {
    let pixel = |x: usize, y: usize| grey.at(x, y);
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(grey.width, grey.height, pixel);
    let grids = picture.detect_grids();
    grids.into_iter().filter_map(|grid| grid.decode().ok().map(|(_, text)| text)).collect()
}

impl Grey {
    fn at(&self, x: usize, y: usize) -> u8 {
        let value = self.values.get(y * self.width + x);
        value.copied().unwrap_or(u8::MAX)
    }

    fn enlarged(&self, times: usize) -> Option<Self> {
        self.mapped(self.width * times, self.height * times, |x, y| self.at(x / times, y / times))
    }

    fn reduced(&self, times: usize) -> Option<Self> {
        let area = u32::try_from(times * times).ok()?;
        self.mapped(self.width / times, self.height / times, |x, y| {
            let cells = (0..times * times).map(|cell| self.at(x * times + cell % times, y * times + cell / times));
            let sum: u32 = cells.map(u32::from).sum();
            u8::try_from(sum / area).unwrap_or(u8::MAX)
        })
    }

    fn mapped(&self, width: usize, height: usize, value: impl Fn(usize, usize) -> u8) -> Option<Self> {
        if width * height > MOST_PIXELS || width < 21 || height < 21 {
            return None;
        }
        let cells = (0..width * height).map(|cell| value(cell % width, cell / width));
        Some(Self { width, height, values: cells.collect() })
    }
}

fn read_png(bytes: &[u8]) -> Option<Grey> {
    let mut decoder = Decoder::new(std::io::Cursor::new(bytes));
    decoder.set_transformations(Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().ok()?;
    let size = reader.output_buffer_size()?;
    if size > MOST_PIXELS * 4 {
        return None;
    }
    let mut buffer = vec![0; size];
    let frame = reader.next_frame(&mut buffer).ok()?;
    let pixels = buffer.get(..frame.buffer_size())?;
    Some(Grey {
        width: usize::try_from(frame.width).ok()?,
        height: usize::try_from(frame.height).ok()?,
        values: grey_values(pixels, frame.color_type)?,
    })
}

fn grey_values(pixels: &[u8], color: ColorType) -> Option<Vec<u8>> {
    let samples = match color {
        ColorType::Grayscale => 1,
        ColorType::GrayscaleAlpha => 2,
        ColorType::Rgb => 3,
        ColorType::Rgba => 4,
        ColorType::Indexed => return None,
    };
    Some(pixels.chunks_exact(samples).map(grey_value).collect())
}

/// Brightness over white paper.
fn grey_value(pixel: &[u8]) -> u8 {
    let (color, alpha) = match *pixel {
        [grey] => (u32::from(grey), 255),
        [grey, alpha] => (u32::from(grey), u32::from(alpha)),
        [red, green, blue] => (luma(red, green, blue), 255),
        [red, green, blue, alpha] => (luma(red, green, blue), u32::from(alpha)),
        _ => (255, 255),
    };
    u8::try_from((color * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX)
}

fn luma(red: u8, green: u8, blue: u8) -> u32 {
    (u32::from(red) * 299 + u32::from(green) * 587 + u32::from(blue) * 114) / 1000
}
