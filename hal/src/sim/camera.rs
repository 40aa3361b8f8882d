//! A phone's camera in front of a panel: another scale, a lens that blurs, light from one side, noise.

use crate::display::Frame;

/// A grey photograph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Photo {
    /// Pixels across.
    pub width: usize,
    /// Row by row, 0 is black.
    pub grey: Vec<u8>,
}

/// Fixed point: so many parts of a pixel.
const ONE: usize = 256;
/// Samples on a side for one pixel of the photograph.
const SAMPLES: usize = 6;

/// Photographs a picture so that `panel` pixels of it are `photo` tenths of a pixel wide. The lens spreads each point over
/// one and a half pixels; the sensor adds up to 12 levels of noise, the same for the same seed.
#[must_use]
pub fn photograph(frame: &Frame, (panel, photo): (usize, usize), seed: u64) -> Photo {
    let (across, down) = (frame.width() as usize, frame.height() as usize);
    let grey: Vec<usize> = frame.to_rgb().chunks_exact(3).map(brightness).collect();
    let step = (panel * 10 * ONE / photo.max(1)).max(1);
    let (width, height) = (across * ONE / step, down * ONE / step);
    // Lens: the samples reach a quarter of a pixel into each neighbour.
    let reach = step * 3 / 2;
    let start = step / 4;
    let at = |x: usize, y: usize| {
        let (x, y) = (x.saturating_sub(start) / ONE, y.saturating_sub(start) / ONE);
        grey.get(y.min(down - 1) * across + x.min(across - 1)).copied().unwrap_or(0)
    };
    let mut noise = seed | 1;
    let mut pixels = Vec::with_capacity(width * height);
    for y in 0..height {
        for x in 0..width {
            let samples = (0..SAMPLES * SAMPLES).map(|each| {
                let (right, below) = (each % SAMPLES * reach / SAMPLES, each / SAMPLES * reach / SAMPLES);
                at(x * step + right, y * step + below)
            });
            let lens = samples.sum::<usize>() / (SAMPLES * SAMPLES);
            noise ^= noise << 13;
            noise ^= noise >> 7;
            noise ^= noise << 17;
            // Black is never quite black, white not white, and the window is at the left.
            let lit = 30 + lens * 170 / 255 + 30 * (width - x) / width;
            pixels.push((lit + (noise % 25) as usize).saturating_sub(12).min(255) as u8);
        }
    }
    Photo { width, grey: pixels }
}

fn brightness(rgb: &[u8]) -> usize {
    match rgb {
        [red, green, blue] => (usize::from(*red) * 299 + usize::from(*green) * 587 + usize::from(*blue) * 114) / 1000,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use embedded_graphics::pixelcolor::{Rgb565, RgbColor};

    use super::*;

    #[test]
    fn a_photograph_has_its_scale_its_contrast_and_the_same_noise_again() {
        let mut frame = Frame::filled(60, 30, Rgb565::WHITE);
        frame.rows_mut().for_each(|row| row[..30].fill(0));
        let photo = photograph(&frame, (3, 20), 7);
        assert_eq!((photo.width, photo.grey.len()), (40, 800));
        assert!(photo.grey[5] < 90 && photo.grey[35] > 180, "{photo:?}");
        assert_eq!(photo, photograph(&frame, (3, 20), 7));
        assert_ne!(photo, photograph(&frame, (3, 20), 8));
    }
}
