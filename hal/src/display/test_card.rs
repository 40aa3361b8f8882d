//! A picture to bring a panel up with: what is cropped, turned, mirrored, inverted or in the wrong colours is seen at once.

use embedded_graphics::{
    mono_font::{MonoTextStyle, ascii::FONT_10X20},
    pixelcolor::Rgb565,
    prelude::*,
    primitives::Rectangle,
    text::{Baseline, Text},
};
use qrcode::{Color, EcLevel, QrCode};

use super::Frame;

/// What the code on the card says.
pub const TEST_CODE: &str = "TILL TEST CARD";

/// Light modules around a code.
const QUIET: u32 = 4;
/// From the edge to what is inside of it.
const MARGIN: u32 = 4;
/// The large letters' height.
const LETTER: u32 = 20;

const BARS: [Rgb565; 8] = [
    Rgb565::WHITE,
    Rgb565::YELLOW,
    Rgb565::CYAN,
    Rgb565::GREEN,
    Rgb565::MAGENTA,
    Rgb565::RED,
    Rgb565::BLUE,
    Rgb565::BLACK,
];

/// Draws the card: a frame of one pixel at the very edge, A B C D clockwise from the upper left corner, colour bars in the
/// order white, yellow, cyan, green, magenta, red, blue, black, steps of grey, `lines` of ASCII, and a code that says
/// [`TEST_CODE`]. What has no room is left out, the code last.
#[must_use]
pub fn test_card(width: u32, height: u32, lines: &[&str]) -> Frame {
    let mut frame = Frame::filled(width, height, Rgb565::WHITE);
    let (width, height) = (frame.width(), frame.height());
    edge(&mut frame);
    corners(&mut frame);
    let band = (height / 10).max(8);
    let top = MARGIN + LETTER + 2;
    let across = width.saturating_sub(2 * MARGIN);
    steps(&mut frame, (MARGIN, top, across, band), &BARS);
    let greys: Vec<Rgb565> = (0..16_u8).map(|step| Rgb565::new(step * 2, step * 4 + step / 8, step * 2)).collect();
    steps(&mut frame, (MARGIN, top + band, across, band), &greys);
    let first = top + 2 * band + 2;
    let room = height.saturating_sub(first + 2);
    let side = code(&mut frame, first, room);
    words(&mut frame, lines, first, side);
    frame
}

fn fill(frame: &mut Frame, (x, y, across, down): (u32, u32, u32, u32), colour: Rgb565) {
    let corner = Point::new(x.cast_signed(), y.cast_signed());
    let Ok(()) = frame.fill_solid(&Rectangle::new(corner, Size::new(across, down)), colour);
}

fn edge(frame: &mut Frame) {
    let (width, height) = (frame.width(), frame.height());
    let sides = [(0, 0, width, 1), (0, height - 1, width, 1), (0, 0, 1, height), (width - 1, 0, 1, height)];
    sides.into_iter().for_each(|side| fill(frame, side, Rgb565::RED));
}

fn write(frame: &mut Frame, text: &str, x: u32, y: u32) {
    let corner = Point::new(x.cast_signed(), y.cast_signed());
    let style = MonoTextStyle::new(&FONT_10X20, Rgb565::BLACK);
    let Ok(_) = Text::with_baseline(text, corner, style, Baseline::Top).draw(frame);
}

fn corners(frame: &mut Frame) {
    let right = frame.width().saturating_sub(MARGIN + 10);
    let bottom = frame.height().saturating_sub(2 + LETTER);
    let corners = [("A", MARGIN, 2), ("B", right, 2), ("C", right, bottom), ("D", MARGIN, bottom)];
    corners.into_iter().for_each(|(letter, x, y)| write(frame, letter, x, y));
}

fn steps(frame: &mut Frame, (left, top, across, down): (u32, u32, u32, u32), colours: &[Rgb565]) {
    let count = colours.len() as u32;
    for (index, colour) in (0..count).zip(colours) {
        let (from, to) = (across * index / count, across * (index + 1) / count);
        fill(frame, (left + from, top, to - from, down), *colour);
    }
}

/// Below the bands in the middle, between the letters; returns where it begins at the left.
fn code(frame: &mut Frame, top: u32, room: u32) -> u32 {
    let width = frame.width();
    let between = width.saturating_sub(2 * (MARGIN + 12));
    let Ok(code) = QrCode::with_error_correction_level(TEST_CODE, EcLevel::L) else { return width };
    let count = code.width() as u32;
    let module = room.min(between) / (count + 2 * QUIET);
    if module < 2 {
        return width;
    }
    let all = module * (count + 2 * QUIET);
    let (left, top) = ((width - all) / 2, top + (room - all) / 2);
    fill(frame, (left, top, all, all), Rgb565::WHITE);
    for (index, colour) in (0..).zip(code.to_colors()) {
        let (x, y) = (index % count + QUIET, index / count + QUIET);
        if colour == Color::Dark {
            fill(frame, (left + x * module, top + y * module, module, module), Rgb565::BLACK);
        }
    }
    left
}

/// At the left of the code, each line in one row.
fn words(frame: &mut Frame, lines: &[&str], top: u32, code_left: u32) {
    let most = (code_left.saturating_sub(MARGIN) / 10) as usize;
    let bottom = frame.height().saturating_sub(2 + LETTER);
    for (index, line) in (0..).zip(lines) {
        let y = top + index * LETTER;
        if y + LETTER > bottom {
            return;
        }
        let cut: String = line.chars().take(most).collect();
        write(frame, &cut, MARGIN, y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::Rotation;

    const SIZES: [(u32, u32); 9] =
        [(240, 240), (240, 320), (320, 240), (320, 480), (480, 320), (800, 480), (250, 122), (296, 128), (400, 300)];

    fn read(frame: &Frame) -> Vec<String> {
        let (width, height) = (frame.width() as usize, frame.height() as usize);
        let grey = |x: usize, y: usize| frame.pixel(x as u32, y as u32).unwrap().g() * 4;
        let mut picture = rqrr::PreparedImage::prepare_from_greyscale(width, height, grey);
        picture.detect_grids().iter().map(|grid| grid.decode().expect("it reads").1).collect()
    }

    #[test]
    fn its_code_reads_and_its_edge_is_the_outermost_pixel_on_every_panel() {
        let folder = std::env::var_os("TILL_PICTURES").map(std::path::PathBuf::from);
        for (width, height) in SIZES {
            let card = test_card(width, height, &["st7789 0.0", "32 MHz"]);
            if let Some(folder) = &folder {
                std::fs::write(folder.join(format!("card-{width}x{height}.png")), card.to_png().unwrap()).unwrap();
            }
            let edge = |x, y| card.pixel(x, y) == Some(Rgb565::RED);
            assert!((0..width).all(|x| edge(x, 0) && edge(x, height - 1)), "{width}×{height}");
            assert!((0..height).all(|y| edge(0, y) && edge(width - 1, y)), "{width}×{height}");
            let room = height - (MARGIN + LETTER + 4 + 2 * (height / 10).max(8));
            if room >= 60 {
                assert_eq!(read(&card), [TEST_CODE], "{width}×{height}");
            }
        }
    }

    #[test]
    fn a_turned_card_is_another_card() {
        let card = test_card(240, 240, &[]);
        let turns = [Rotation::Quarter, Rotation::Half, Rotation::ThreeQuarters];
        assert!(turns.into_iter().all(|turn| card.rotated(turn) != card));
    }

    #[test]
    fn a_panel_of_any_size_does_no_harm() {
        for side in [0, 1, 2, 9, 30, 61] {
            let _ = test_card(side, 200, &["x"]);
            let _ = test_card(200, side, &["a line that is longer than the panel is wide"]);
        }
    }
}
