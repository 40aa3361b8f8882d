//! Simple pictures from discs, strokes and plates, with smooth edges, at any size.

use embedded_graphics::pixelcolor::Rgb565;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::Rectangle;

use super::colour::{ACCENT, INK, LINE, PAPER, blend};

/// What can be shown beside the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Picture {
    /// Three dots: the machine is busy.
    Dots,
    /// Keys: type something in.
    Keypad,
    /// A phone that shows a code to a scanner.
    ShowCode,
    /// A phone with a button to press.
    Confirm,
    /// A clock.
    Clock,
    /// Goods falling into the tray.
    Falling,
    /// A tick: all is well.
    Tick,
    /// Something went wrong.
    Attention,
    /// Closed.
    Closed,
}

/// Shapes are placed on a grid of this many units a side.
const GRID: i64 = 96;
/// Steps within a pixel, for the edges.
const FINE: i64 = 16;

#[derive(Clone, Copy)]
enum Shape {
    /// Middle and radius.
    Disc(i64, i64, i64),
    /// Two ends and half the thickness.
    Stroke(i64, i64, i64, i64, i64),
    /// Corner, size and radius of the corners.
    Plate(i64, i64, i64, i64, i64),
}

use Shape::{Disc, Plate, Stroke};

impl Picture {
    const fn shapes(self) -> &'static [(Shape, Rgb565)] {
        match self {
            Self::Dots => &[(Disc(20, 48, 9), ACCENT), (Disc(48, 48, 9), ACCENT), (Disc(76, 48, 9), ACCENT)],
            Self::Keypad => &KEYPAD,
            Self::ShowCode => &SHOW_CODE,
            Self::Confirm => &CONFIRM,
            Self::Clock => &[
                (Disc(48, 48, 42), ACCENT),
                (Disc(48, 48, 35), PAPER),
                (Stroke(48, 48, 48, 26, 3), INK),
                (Stroke(48, 48, 63, 57, 3), INK),
            ],
            Self::Falling => &[
                (Plate(28, 4, 40, 38, 5), ACCENT),
                (Plate(45, 4, 6, 14, 0), PAPER),
                (Stroke(48, 51, 48, 70, 3), INK),
                (Stroke(38, 61, 48, 71, 3), INK),
                (Stroke(58, 61, 48, 71, 3), INK),
                (Stroke(10, 68, 10, 88, 4), INK),
                (Stroke(86, 68, 86, 88, 4), INK),
                (Stroke(10, 88, 86, 88, 4), INK),
            ],
            Self::Tick => {
                &[(Disc(48, 48, 42), ACCENT), (Stroke(29, 50, 42, 63, 5), PAPER), (Stroke(42, 63, 68, 35, 5), PAPER)]
            }
            Self::Attention => &[(Disc(48, 48, 42), INK), (Stroke(48, 27, 48, 52, 5), PAPER), (Disc(48, 69, 6), PAPER)],
            Self::Closed => &[(Disc(48, 48, 42), INK), (Plate(24, 42, 48, 12, 3), PAPER)],
        }
    }

    /// Draws it into a square in the middle of `area`.
    ///
    /// # Errors
    ///
    /// What the target reports.
    pub fn draw<D: DrawTarget<Color = Rgb565>>(self, area: Rectangle, target: &mut D) -> Result<(), D::Error> {
        let side = area.size.width.min(area.size.height);
        let spare = area.size - Size::new_equal(side);
        let corner = area.top_left + Point::new((spare.width / 2).cast_signed(), (spare.height / 2).cast_signed());
        let square = Rectangle::new(Point::zero(), Size::new_equal(side));
        let scaled = |(shape, colour): &(Shape, Rgb565)| (shape.scaled(i64::from(side)), *colour);
        let shapes: Vec<_> = self.shapes().iter().map(scaled).collect();
        let colours = square.points().map(|point| colour_at(&shapes, point));
        target.fill_contiguous(&Rectangle::new(corner, square.size), colours)
    }
}

fn colour_at(shapes: &[(Shape, Rgb565)], point: Point) -> Rgb565 {
    let middle = |pixel: i32| i64::from(pixel) * FINE + FINE / 2;
    let at = (middle(point.x), middle(point.y));
    shapes.iter().fold(PAPER, |under, (shape, colour)| match (FINE / 2 - shape.distance(at)).clamp(0, FINE) {
        0 => under,
        FINE => *colour,
        coverage => blend(under, *colour, coverage as u32, FINE as u32),
    })
}

impl Shape {
    /// The same in [`FINE`] steps of a picture `side` pixels wide.
    const fn scaled(self, side: i64) -> Self {
        const fn fine(units: i64, side: i64) -> i64 {
            units * side * FINE / GRID
        }
        match self {
            Disc(x, y, radius) => Disc(fine(x, side), fine(y, side), fine(radius, side)),
            Stroke(ax, ay, bx, by, half) => {
                Stroke(fine(ax, side), fine(ay, side), fine(bx, side), fine(by, side), fine(half, side))
            }
            Plate(left, top, width, height, radius) => {
                Plate(fine(left, side), fine(top, side), fine(width, side), fine(height, side), fine(radius, side))
            }
        }
    }

    /// How far a point is outside the shape, less than nothing inside.
    fn distance(self, (x, y): (i64, i64)) -> i64 {
        match self {
            Disc(cx, cy, radius) => length(x - cx, y - cy) - radius,
            Stroke(ax, ay, bx, by, half) => {
                let (along_x, along_y) = (bx - ax, by - ay);
                let (dx, dy) = (x - ax, y - ay);
                let whole = (along_x * along_x + along_y * along_y).max(1);
                let part = (dx * along_x + dy * along_y).clamp(0, whole);
                length(dx - along_x * part / whole, dy - along_y * part / whole) - half
            }
            Plate(left, top, width, height, radius) => {
                let out = |at: i64, from: i64, size: i64| (2 * (at - from) - size).abs() / 2 - size / 2 + radius;
                let (dx, dy) = (out(x, left, width), out(y, top, height));
                length(dx.max(0), dy.max(0)) + dx.max(dy).min(0) - radius
            }
        }
    }
}

const fn length(x: i64, y: i64) -> i64 {
    match (x, y) {
        (0, along) | (along, 0) => along.abs(),
        _ => (x * x + y * y).isqrt(),
    }
}

const KEYPAD: [(Shape, Rgb565); 10] = {
    const fn key(column: i64, row: i64) -> Shape {
        Plate(10 + 27 * column, 10 + 27 * row, 22, 22, 5)
    }
    [
        (Plate(2, 2, 92, 92, 10), INK),
        (key(0, 0), PAPER),
        (key(1, 0), PAPER),
        (key(2, 0), PAPER),
        (key(0, 1), PAPER),
        (key(1, 1), PAPER),
        (key(2, 1), PAPER),
        (key(0, 2), PAPER),
        (key(1, 2), PAPER),
        (key(2, 2), ACCENT),
    ]
};

const SHOW_CODE: [(Shape, Rgb565); 14] = [
    (Plate(26, 2, 44, 68, 7), INK),
    (Plate(31, 9, 34, 54, 2), PAPER),
    // The code on the phone.
    (Plate(35, 23, 11, 11, 0), INK),
    (Plate(38, 26, 5, 5, 0), PAPER),
    (Plate(50, 23, 11, 11, 0), INK),
    (Plate(53, 26, 5, 5, 0), PAPER),
    (Plate(35, 38, 11, 11, 0), INK),
    (Plate(38, 41, 5, 5, 0), PAPER),
    (Plate(50, 38, 5, 5, 0), INK),
    (Plate(56, 44, 5, 5, 0), INK),
    // The scanner's window and its light.
    (Stroke(22, 88, 74, 88, 5), ACCENT),
    (Stroke(36, 80, 33, 75, 1), ACCENT),
    (Stroke(48, 80, 48, 75, 1), ACCENT),
    (Stroke(60, 80, 63, 75, 1), ACCENT),
];

const CONFIRM: [(Shape, Rgb565); 7] = [
    (Plate(22, 2, 52, 92, 8), INK),
    (Plate(28, 11, 40, 73, 2), PAPER),
    (Stroke(36, 28, 60, 28, 2), LINE),
    (Stroke(36, 38, 60, 38, 2), LINE),
    (Plate(33, 56, 30, 18, 5), ACCENT),
    (Stroke(43, 65, 47, 69, 2), PAPER),
    (Stroke(47, 69, 54, 61, 2), PAPER),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_negative_inside_and_positive_outside() {
        for shape in [Disc(48, 48, 20), Stroke(30, 48, 66, 48, 10), Plate(28, 28, 40, 40, 5)] {
            let scaled = shape.scaled(GRID);
            assert!(scaled.distance((48 * FINE, 48 * FINE)) < 0);
            assert!(scaled.distance((48 * FINE, 10 * FINE)) > 0);
            assert!(scaled.distance((90 * FINE, 48 * FINE)) > 0);
        }
    }
}
