//! How a glyph's pixels are packed: what the build script, which packs them, and the screens, which unpack them, do alike.
//!
//! A pixel is one of four levels and is told by up to three answers: is there ink, is it [`FULL`], is it the darker of
//! the two between. How likely a yes is depends on the five pixels around it that are already known: these odds were counted
//! in all glyphs. Each answer narrows an [`Interval`] of numbers, a likely one a little, an unlikely one much (arithmetic
//! coding); the first bytes of a number that is left are the packed glyph. Pixels stand row by row, from the left.

/// A pixel that is fully covered.
pub const FULL: u8 = 3;

/// Bytes of the odds: three questions for each of the ways in which five pixels of four levels may surround a sixth.
pub const ODDS_BYTES: usize = 3 << 10;

/// Of every so many records in a file of glyphs the first one's beginning is noted: no more are stepped over to find one.
pub const RECORDS_TO_A_MARK: usize = 32;

/// How likely a yes is, in 256ths and never 0, for each question in each surrounding.
pub type Odds = [u8; ODDS_BYTES];

/// The pixels of a packed glyph, each from 0 to [`FULL`].
pub fn unpack(width: usize, height: usize, odds: &Odds, packed: &[u8]) -> Vec<u8> {
    let mut answers = Answers::new(packed);
    let mut pixels = Vec::with_capacity(width * height);
    while pixels.len() < width * height {
        let place = place(&pixels, width);
        let mut yes = |question: usize| answers.next(odds.get(place + question).copied().unwrap_or(1));
        let level = if !yes(0) {
            0
        } else if yes(1) {
            FULL
        } else {
            1 + u8::from(yes(2))
        };
        pixels.push(level);
    }
    pixels
}

/// Where the odds of the next pixel begin, by what is known around it: two pixels to the left and three above.
pub fn place(known: &[u8], width: usize) -> usize {
    let x = known.len() % width;
    let level = |on_the_row: bool, back: usize| {
        let at = known.len().checked_sub(back).filter(|_| on_the_row);
        at.and_then(|at| known.get(at)).map_or(0, |level| usize::from(*level))
    };
    let around = [
        level(x >= 1, 1),
        level(x >= 2, 2),
        level(true, width),
        level(x + 1 < width, width - 1),
        level(x >= 1, width + 1),
    ];
    3 * around.into_iter().fold(0, |place, level| place << 2 | level)
}

/// The numbers that are still possible, both ends included. Only their last four bytes: those before are settled.
pub struct Interval {
    /// The smallest.
    pub low: u32,
    /// The largest.
    pub high: u32,
}

impl Interval {
    /// Before the first answer.
    pub const WHOLE: Self = Self { low: 0, high: u32::MAX };

    /// The last number that means yes.
    pub const fn last_yes(&self, odds: u8) -> u32 {
        self.low + ((self.high - self.low) >> 8) * odds as u32
    }

    /// Keeps the numbers that mean this answer.
    pub const fn keep(&mut self, yes: bool, last_yes: u32) {
        if yes {
            self.high = last_yes;
        } else {
            self.low = last_yes + 1;
        }
    }

    /// Takes the first byte off, once all numbers that are left have the same.
    pub const fn settle(&mut self) -> Option<u8> {
        let ([low, ..], [high, ..]) = (self.low.to_be_bytes(), self.high.to_be_bytes());
        if low != high {
            return None;
        }
        self.low <<= 8;
        self.high = self.high << 8 | 0xFF;
        Some(high)
    }
}

/// The answers that a packed glyph holds.
struct Answers<'a> {
    bytes: std::slice::Iter<'a, u8>,
    interval: Interval,
    number: u32,
}

impl<'a> Answers<'a> {
    fn new(packed: &'a [u8]) -> Self {
        let mut answers = Self { bytes: packed.iter(), interval: Interval::WHOLE, number: 0 };
        (0..4).for_each(|_| answers.read_byte());
        answers
    }

    fn next(&mut self, odds: u8) -> bool {
        let last_yes = self.interval.last_yes(odds);
        let yes = self.number <= last_yes;
        self.interval.keep(yes, last_yes);
        while self.interval.settle().is_some() {
            self.read_byte();
        }
        yes
    }

    /// What follows the glyph's own bytes does not matter.
    fn read_byte(&mut self) {
        self.number = self.number << 8 | u32::from(self.bytes.next().copied().unwrap_or_default());
    }
}
