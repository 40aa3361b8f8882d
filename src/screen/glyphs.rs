//! The glyphs that `build.rs` drew: look-up. `build.rs` describes the format, [`super::ink`] how pixels are packed.

use std::fmt;

use super::ink::{self, Odds, RECORDS_TO_A_MARK};

/// How likely pixels are, in all glyphs of all faces.
static ODDS: &Odds = include_bytes!(concat!(env!("OUT_DIR"), "/glyphs.odds"));

/// One font at one size.
pub struct Face {
    file: &'static [u8],
    em: u32,
}

/// Which one it is; the pixels would be pages of numbers.
impl fmt::Debug for Face {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Face").field("em", &self.em).field("bytes", &self.file.len()).finish()
    }
}

macro_rules! face {
    ($name:ident, $file:literal, $em:literal) => {
        pub(super) static $name: Face = Face { file: include_bytes!(concat!(env!("OUT_DIR"), "/", $file)), em: $em };
    };
}

face!(TEXT_16, "text-16.glyphs", 16);
face!(TEXT_24, "text-24.glyphs", 24);
face!(FIGURES_16, "figures-16.glyphs", 16);
face!(FIGURES_24, "figures-24.glyphs", 24);
face!(FIGURES_32, "figures-32.glyphs", 32);
face!(FIGURES_48, "figures-48.glyphs", 48);
face!(FIGURES_64, "figures-64.glyphs", 64);
face!(FIGURES_96, "figures-96.glyphs", 96);

/// Where a glyph's ink is, in pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Metrics {
    /// From the pen to the ink's left edge.
    pub(super) left: i32,
    /// From the base line to the ink's upper edge, down positive.
    pub(super) top: i32,
    /// The ink's width.
    pub(super) width: u32,
    /// The ink's height.
    pub(super) height: u32,
    /// How far the pen moves.
    pub(super) advance: u32,
}

const CHARACTERS: usize = 2;
const RECORD_HEAD: usize = 5;

impl Face {
    /// The height of the em square in pixels.
    pub(super) const fn em(&self) -> u32 {
        self.em
    }

    /// Whether the character can be drawn.
    pub(super) fn holds(&self, character: char) -> bool {
        self.record(character).is_some()
    }

    /// The measures of a character's glyph, if there is one.
    pub(super) fn metrics(&self, character: char) -> Option<Metrics> {
        let head = self.record(character)?.get(..RECORD_HEAD)?;
        Some(Metrics {
            left: i32::from(head[0].cast_signed()),
            top: i32::from(head[1].cast_signed()),
            width: u32::from(head[2]),
            height: u32::from(head[3]),
            advance: u32::from(head[4]),
        })
    }

    /// The measures and the pixels, row by row, each from 0 to [`ink::FULL`].
    pub(super) fn glyph(&self, character: char) -> Option<(Metrics, Vec<u8>)> {
        let metrics = self.metrics(character)?;
        let packed = self.record(character)?.get(RECORD_HEAD..)?;
        Some((metrics, ink::unpack(metrics.width as usize, metrics.height as usize, ODDS, packed)))
    }

    fn count(&self) -> usize {
        self.number(0)
    }

    fn number(&self, at: usize) -> usize {
        let bytes = self.file.get(at..at + 2);
        bytes.map_or(0, |two| usize::from(two[0]) | usize::from(two[1]) << 8)
    }

    fn record(&self, character: char) -> Option<&'static [u8]> {
        let wanted = usize::from(u16::try_from(u32::from(character)).ok()?);
        let (mut low, mut high) = (0, self.count());
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.number(CHARACTERS + 2 * middle) < wanted {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let found = low < self.count() && self.number(CHARACTERS + 2 * low) == wanted;
        found.then(|| self.record_at(low)).flatten()
    }

    fn record_at(&self, index: usize) -> Option<&'static [u8]> {
        let lengths = CHARACTERS + 2 * self.count();
        let marks = lengths + 2 * self.count();
        let records = marks + 4 * self.count().div_ceil(RECORDS_TO_A_MARK);
        let mark = marks + 4 * (index / RECORDS_TO_A_MARK);
        let marked = self.number(mark) | self.number(mark + 2) << 16;
        let stepped = index - index % RECORDS_TO_A_MARK..index;
        let past: usize = stepped.map(|index| self.number(lengths + 2 * index)).sum();
        self.file.get(records + marked + past..)
    }
}

#[cfg(test)]
mod tests {
    use super::ink::FULL;
    use super::*;

    #[test]
    fn a_glyph_has_ink_inside_its_measures() {
        for face in [&TEXT_16, &TEXT_24] {
            for character in "量盘支付宝Ag¥￥，。".chars() {
                let (metrics, pixels) = face.glyph(character).expect("it is in the subset");
                assert_eq!(pixels.len() as u32, metrics.width * metrics.height);
                assert!(pixels.contains(&FULL), "{character} has no dark pixel");
                let columns = metrics.width as usize;
                let first = pixels.iter().step_by(columns);
                assert!(first.copied().any(|level| level > 0), "{character} is not trimmed");
            }
        }
    }

    #[test]
    fn a_bar_is_a_bar_after_unpacking() {
        let (metrics, pixels) = FIGURES_96.glyph('-').expect("it is in the subset");
        assert!(metrics.width > 2 * metrics.height);
        let inner = &pixels[metrics.width as usize..][..metrics.width as usize];
        assert!(inner[2..inner.len() - 2].iter().all(|level| *level == FULL));
    }

    #[test]
    fn what_is_not_there_is_none() {
        assert!(TEXT_16.glyph('龘').is_none());
        assert!(TEXT_16.glyph('😀').is_none());
        assert!(FIGURES_32.glyph('元').is_none());
    }

    #[test]
    fn the_binary_carries_less_than_450_kilobytes_of_glyphs() {
        let faces = [&TEXT_16, &TEXT_24, &FIGURES_16, &FIGURES_24, &FIGURES_32, &FIGURES_48, &FIGURES_64, &FIGURES_96];
        let bytes = ODDS.len() + faces.map(|face| face.file.len()).iter().sum::<usize>();
        assert!(bytes < 450_000, "{bytes} bytes");
    }
}
