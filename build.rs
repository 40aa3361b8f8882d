//! Draws the screens' glyphs into bitmaps, so that the daemon carries no font engine and needs no system font.
//!
//! For every size there is one file in `OUT_DIR`, all numbers little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 2 | number of glyphs, n |
//! | 256 | for each pair of pixels (16), the 16 pairs that may stand below it, the most frequent first |
//! | 2n | the characters, sorted, all from the basic plane |
//! | 4n | where each glyph's record begins, counted from the first record |
//! | the rest | the records |
//!
//! A record is `left`, `top` (signed; from the pen on the base line to the ink's upper left corner, y down), `width`,
//! `height`, `advance`, one byte each, then the pixels, row by row, in pairs: each pair is its place in the list of the
//! pair above, in Elias' gamma code, bits from the highest down. A pixel has two bits, because at 16 px the edge pixels
//! carry the strokes of dense characters: with one bit 量 and 盘 clog. The coding brings that back to less than one bit.

use std::cmp::Reverse;
use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use skrifa::instance::{LocationRef, Size};
use skrifa::outline::{DrawSettings, HintingInstance, OutlineGlyphCollection, OutlinePen, SmoothMode, Target};
use skrifa::{FontRef, GlyphId, MetadataProvider};
use zeno::{Command, Mask, Origin, Point};

/// Text, at the sizes that are legible on small screens; larger text is scaled from these.
const TEXT: (&str, &[u16]) = ("till-screen.otf", &[16, 24]);
/// Amounts, countdowns and slots: few characters, so every size is drawn for itself.
const FIGURES: (&str, &[u16]) = ("till-figures.otf", &[16, 24, 32, 48, 64, 96]);

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo::rerun-if-changed=build.rs");
    pack_relocations();
    for ((file, sizes), name) in [(TEXT, "text"), (FIGURES, "figures")] {
        let path = Path::new("fonts").join(file);
        println!("cargo::rerun-if-changed={}", path.display());
        let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let font = FontRef::new(&bytes)?;
        for size in sizes {
            fs::write(out.join(format!("{name}-{size}.glyphs")), draw_face(&font, *size)?)?;
        }
    }
    Ok(())
}

/// Saves 0.28 MB of addresses in the device's program. It needs glibc 2.36, Debian 12's, to start: so only the profile for
/// devices, the one that is optimised for size, asks for it.
fn pack_relocations() {
    let target = |key| env::var(key).unwrap_or_default();
    let (arch, libc) = (target("CARGO_CFG_TARGET_ARCH"), target("CARGO_CFG_TARGET_ENV"));
    if arch == "x86_64" && libc == "gnu" && target("OPT_LEVEL") == "z" {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// All glyphs of a font at one size, as one file.
fn draw_face(font: &FontRef<'_>, size: u16) -> Result<Vec<u8>, Box<dyn Error>> {
    let outlines = font.outline_glyphs();
    let brush = Brush::new(font, &outlines, size)?;
    let mut glyphs = Vec::new();
    for (character, glyph) in font.charmap().mappings() {
        glyphs.push((u16::try_from(character)?, brush.draw(glyph)?));
    }
    let order = Order::learnt(glyphs.iter().map(|(_, ink)| ink));
    let mut places = Vec::new();
    let mut records = Vec::new();
    for (_, ink) in &glyphs {
        places.extend(u32::try_from(records.len())?.to_le_bytes());
        ink.record(&order, &mut records)?;
    }
    let mut file = u16::try_from(glyphs.len())?.to_le_bytes().to_vec();
    file.extend(order.0.iter().flatten());
    file.extend(glyphs.iter().flat_map(|(character, _)| character.to_le_bytes()));
    file.extend(places.into_iter().chain(records));
    Ok(file)
}

/// What is needed to draw one glyph after the other.
struct Brush<'a> {
    font: &'a FontRef<'a>,
    outlines: &'a OutlineGlyphCollection<'a>,
    size: Size,
    hinting: HintingInstance,
}

impl<'a> Brush<'a> {
    fn new(font: &'a FontRef<'a>, outlines: &'a OutlineGlyphCollection<'a>, size: u16) -> Result<Self, Box<dyn Error>> {
        let size = Size::new(f32::from(size));
        let target = Target::from(SmoothMode::Normal);
        let hinting = HintingInstance::new(outlines, size, LocationRef::default(), target)?;
        Ok(Self { font, outlines, size, hinting })
    }

    fn draw(&self, glyph: GlyphId) -> Result<Ink, Box<dyn Error>> {
        let mut path = Path2d::default();
        let outline = self.outlines.get(glyph).ok_or("a character without an outline")?;
        outline.draw(DrawSettings::hinted(&self.hinting, false), &mut path)?;
        let (coverage, place) = Mask::new(&path.0[..]).origin(Origin::TopLeft).render();
        let metrics = self.font.glyph_metrics(self.size, LocationRef::default());
        let advance = metrics.advance_width(glyph).unwrap_or_default().round();
        let mut ink = Ink::trimmed(&coverage, place.width as usize);
        ink.left += place.left;
        ink.top += place.top;
        ink.advance = advance as u8;
        Ok(ink)
    }
}

/// The pixels of a glyph without the empty margin, in four levels.
struct Ink {
    left: i32,
    top: i32,
    width: usize,
    advance: u8,
    rows: Vec<Vec<u8>>,
}

impl Ink {
    fn trimmed(coverage: &[u8], width: usize) -> Self {
        let levels: Vec<u8> = coverage.iter().map(|alpha| level(*alpha)).collect();
        let rows: Vec<&[u8]> = levels.chunks(width.max(1)).collect();
        let inked = |row: &&[u8]| row.iter().any(|pixel| *pixel > 0);
        let top = rows.iter().position(inked).unwrap_or(rows.len());
        let bottom = rows.iter().rposition(inked).map_or(top, |last| last + 1);
        let column_inked = |x: &usize| rows.iter().any(|row| row[*x] > 0);
        let left = (0..width).find(column_inked).unwrap_or(0);
        let right = (0..width).rfind(column_inked).map_or(left, |last| last + 1);
        Self {
            left: left as i32,
            top: top as i32,
            width: right - left,
            advance: 0,
            rows: rows[top..bottom].iter().map(|row| row[left..right].to_vec()).collect(),
        }
    }

    /// Every pair of pixels with the pair above it.
    fn pairs(&self) -> impl Iterator<Item = (usize, u8)> {
        let pair = |row: &[u8], x: usize| row[x] << 2 | row.get(x + 1).copied().unwrap_or(0);
        (0..self.rows.len()).flat_map(move |y| {
            (0..self.width).step_by(2).map(move |x| {
                let above = if y == 0 { 0 } else { pair(&self.rows[y - 1], x) };
                (usize::from(above), pair(&self.rows[y], x))
            })
        })
    }

    fn record(&self, order: &Order, records: &mut Vec<u8>) -> Result<(), Box<dyn Error>> {
        records.push(i8::try_from(self.left)?.cast_unsigned());
        records.push(i8::try_from(self.top)?.cast_unsigned());
        records.push(u8::try_from(self.width)?);
        records.push(u8::try_from(self.rows.len())?);
        records.push(self.advance);
        let mut bits = Vec::new();
        for (above, pair) in self.pairs() {
            gamma(order.rank(above, pair) + 1, &mut bits);
        }
        records.extend(bits.chunks(8).map(join));
        Ok(())
    }
}

/// For each pair of pixels, which pairs stand below it, the most frequent first.
struct Order([[u8; 16]; 16]);

impl Order {
    fn learnt<'a>(glyphs: impl Iterator<Item = &'a Ink>) -> Self {
        let mut seen = [[0_u32; 16]; 16];
        for (above, pair) in glyphs.flat_map(Ink::pairs) {
            seen[above][usize::from(pair)] += 1;
        }
        Self(seen.map(|below| {
            let mut pairs: [u8; 16] = std::array::from_fn(|pair| pair as u8);
            pairs.sort_by_key(|pair| Reverse(below[usize::from(*pair)]));
            pairs
        }))
    }

    fn rank(&self, above: usize, pair: u8) -> usize {
        let same = |other: &u8| *other == pair;
        self.0[above].iter().position(same).unwrap_or(0)
    }
}

/// Elias' gamma code of a number from 1: as many zeros as it has binary digits after the first, then the digits.
fn gamma(number: usize, bits: &mut Vec<bool>) {
    let digits = number.ilog2();
    bits.extend((0..digits).map(|_| false));
    bits.extend((0..=digits).rev().map(|digit| number >> digit & 1 == 1));
}

/// Up to eight bits as one byte, the first the highest.
fn join(bits: &[bool]) -> u8 {
    let place = |(index, bit): (usize, &bool)| u8::from(*bit) << (7 - index);
    bits.iter().enumerate().map(place).sum()
}

/// Coverage in four levels, a little darker than it is: thin strokes have to hold in daylight.
fn level(alpha: u8) -> u8 {
    match alpha {
        0..32 => 0,
        32..104 => 1,
        104..180 => 2,
        180..=255 => 3,
    }
}

/// An outline as zeno wants it, y down.
#[derive(Default)]
struct Path2d(Vec<Command>);

#[expect(clippy::float_arithmetic, reason = "outlines are in floating point")]
fn point(x: f32, y: f32) -> Point {
    Point::new(x, -y)
}

impl OutlinePen for Path2d {
    fn move_to(&mut self, x: f32, y: f32) {
        self.0.push(Command::MoveTo(point(x, y)));
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.0.push(Command::LineTo(point(x, y)));
    }

    fn quad_to(&mut self, cx: f32, cy: f32, x: f32, y: f32) {
        self.0.push(Command::QuadTo(point(cx, cy), point(x, y)));
    }

    fn curve_to(&mut self, ax: f32, ay: f32, bx: f32, by: f32, x: f32, y: f32) {
        self.0.push(Command::CurveTo(point(ax, ay), point(bx, by), point(x, y)));
    }

    fn close(&mut self) {
        self.0.push(Command::Close);
    }
}
