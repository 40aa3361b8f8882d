//! What differs between the picture that a panel shows and the next one: only that is sent.

use super::Frame;
use crate::board::Rotation;

/// Equal rows between two changes that are sent anyway: a window of its own costs as much time.
const GAP: usize = 3;

/// A rectangle of pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    /// Columns before it.
    pub left: usize,
    /// Rows above it.
    pub top: usize,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl Area {
    /// All of a picture.
    #[must_use]
    pub fn whole(frame: &Frame) -> Self {
        Self { left: 0, top: 0, width: frame.width() as usize, height: frame.height() as usize }
    }

    /// Its rows in a picture that holds it.
    pub fn rows(self, frame: &Frame) -> impl Iterator<Item = &[u16]> {
        let Self { left, top, width, height } = self;
        frame.rows().skip(top).take(height).map(move |row| row.get(left..left + width).unwrap_or_default())
    }

    fn reach(&mut self, row: usize, first: usize, last: usize) {
        let right = (self.left + self.width).max(last + 1);
        self.left = self.left.min(first);
        self.width = right - self.left;
        self.height = row - self.top + 1;
    }
}

/// The places where two pictures of one size differ, from the top to the bottom. Empty: they are equal.
#[must_use]
pub fn changes(old: &Frame, new: &Frame) -> Vec<Area> {
    let mut areas: Vec<Area> = Vec::new();
    for (top, (old, new)) in old.rows().zip(new.rows()).enumerate() {
        let differs = |(old, new): (&u16, &u16)| old != new;
        let Some(first) = old.iter().zip(new).position(differs) else { continue };
        let last = old.iter().zip(new).rposition(differs).unwrap_or(first);
        match areas.last_mut() {
            Some(area) if top <= area.top + area.height + GAP => area.reach(top, first, last),
            Some(_) | None => areas.push(Area { left: first, top, width: last + 1 - first, height: 1 }),
        }
    }
    areas
}

/// What a panel shows, as it is mounted.
#[derive(Debug)]
pub struct Shown {
    rotation: Rotation,
    picture: Option<Frame>,
}

impl Shown {
    /// Nothing yet: the first picture is sent whole.
    #[must_use]
    pub fn nothing(rotation: Rotation) -> Self {
        Self { rotation, picture: None }
    }

    /// Turns an upright frame as the panel is mounted, and says what of it is new. It counts as shown from now on.
    pub fn next(&mut self, frame: &Frame) -> (&Frame, Vec<Area>) {
        let turned = frame.rotated(self.rotation);
        let same_size = |old: &&Frame| (old.width(), old.height()) == (turned.width(), turned.height());
        let areas = match self.picture.as_ref().filter(same_size) {
            Some(old) => changes(old, &turned),
            None => vec![Area::whole(&turned)],
        };
        (self.picture.insert(turned), areas)
    }

    /// The picture, as the panel is made.
    #[must_use]
    pub fn picture(&self) -> Option<&Frame> {
        self.picture.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use embedded_graphics::pixelcolor::{Rgb565, RgbColor};

    use super::*;

    fn with(points: &[(usize, usize)]) -> Frame {
        let mut frame = Frame::new(8, 12);
        for (x, y) in points {
            frame.rows_mut().nth(*y).unwrap()[*x] = 7;
        }
        frame
    }

    #[test]
    fn a_change_is_its_rectangle_and_far_ones_are_several() {
        let old = Frame::new(8, 12);
        assert_eq!(changes(&old, &old), []);
        let near = with(&[(2, 1), (5, 3)]);
        assert_eq!(changes(&old, &near), [Area { left: 2, top: 1, width: 4, height: 3 }]);
        let far = with(&[(2, 1), (5, 9)]);
        let one = |left, top| Area { left, top, width: 1, height: 1 };
        assert_eq!(changes(&old, &far), [one(2, 1), one(5, 9)]);
        let all = Area { left: 0, top: 0, width: 8, height: 12 };
        assert_eq!(changes(&old, &Frame::filled(8, 12, Rgb565::WHITE)), [all]);
    }

    #[test]
    fn what_is_shown_again_is_not_new() {
        let mut shown = Shown::nothing(Rotation::Quarter);
        let frame = with(&[(0, 0)]);
        assert_eq!(shown.next(&frame).1, [Area { left: 0, top: 0, width: 12, height: 8 }]);
        assert_eq!(shown.next(&frame).1, []);
        // The upper left corner of the upright picture is the panel's upper right one.
        assert_eq!(shown.next(&with(&[])).1, [Area { left: 11, top: 0, width: 1, height: 1 }]);
    }
}
