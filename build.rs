//! Draws the screens' glyphs into bitmaps, so that the daemon carries no font engine and needs no system font.
//!
//! For every size there is one file in `OUT_DIR`, all numbers little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 2 | number of glyphs, n |
//! | 2n | the characters, sorted, all from the basic plane |
//! | 2n | how long each glyph's record is |
//! | 4⌈n/32⌉ | where every thirty-second record begins ([`ink::RECORDS_TO_A_MARK`]), counted from the first |
//! | the rest | the records |
//!
//! A record is `left`, `top` (signed; from the pen on the base line to the ink's upper left corner, y down), `width`,
//! `height`, `advance`, one byte each, then the pixels as `src/screen/ink.rs` packs them, with the odds of `glyphs.odds`.
//! A pixel has two bits, because at 16 px the edge pixels carry the strokes of dense characters: with one bit 量 and 盘
//! clog. The packing brings that back to about one bit.

#[path = "src/screen/ink.rs"]
mod ink;

use std::env;
use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use skrifa::instance::{LocationRef, Size};
use skrifa::outline::{DrawSettings, HintingInstance, OutlineGlyphCollection, OutlinePen, SmoothMode, Target};
use skrifa::{FontRef, GlyphId, MetadataProvider};
use zeno::{Command, Mask, Origin, Point};

use ink::{Interval, ODDS_BYTES, Odds, RECORDS_TO_A_MARK};

/// Text, at the sizes that are legible on small screens; larger text is scaled from these.
const TEXT: (&str, &[u16]) = ("till-screen.otf", &[16, 24]);
/// Amounts, countdowns and slots: few characters, so every size is drawn for itself.
const FIGURES: (&str, &[u16]) = ("till-figures.otf", &[16, 24, 32, 48, 64, 96]);

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/screen/ink.rs");
    if is_for_a_device() {
        let lld = link_with_lld(&out)?;
        leave_out_unwinding(&out, lld)?;
    }
    let mut faces = Vec::new();
    for ((file, sizes), name) in [(TEXT, "text"), (FIGURES, "figures")] {
        let path = Path::new("fonts").join(file);
        println!("cargo::rerun-if-changed={}", path.display());
        let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let font = FontRef::new(&bytes)?;
        for size in sizes {
            faces.push((format!("{name}-{size}.glyphs"), draw_face(&font, *size)?));
        }
    }
    let odds = learn(faces.iter().flat_map(|(_, face)| face).map(|(_, ink)| ink));
    fs::write(out.join("glyphs.odds"), odds)?;
    fs::write(out.join("openapi.json.z"), packed(Path::new("src/api/openapi.json"))?)?;
    for (name, face) in faces {
        fs::write(out.join(name), write_face(&face, &odds)?)?;
    }
    Ok(())
}

/// A file that is rarely asked for, as zlib packs it: a tenth of its size.
fn packed(path: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    println!("cargo::rerun-if-changed={}", path.display());
    let mut packer = ZlibEncoder::new(Vec::new(), Compression::best());
    packer.write_all(&fs::read(path)?)?;
    Ok(packer.finish()?)
}

/// The profile for devices is the one that is optimised for size.
fn is_for_a_device() -> bool {
    said("OPT_LEVEL") == "z" && said("CARGO_CFG_TARGET_ENV") == "gnu"
}

fn said(key: &str) -> String {
    env::var(key).unwrap_or_default()
}

/// LLD makes the program 0.3 MB smaller than Debian's linker does. Every toolchain of rustup has it, for whatever machine is compiled for;
/// packaging/cross-setup puts it to the same place. Whether the C compiler takes it is not to be known but by trying.
fn link_with_lld(out: &Path) -> Result<bool, Box<dyn Error>> {
    let rustc = said("RUSTC");
    let root = process::Command::new(&rustc).args(["--print", "sysroot"]).output()?.stdout;
    let root = PathBuf::from(String::from_utf8(root)?.trim());
    let programs = root.join("lib/rustlib").join(said("HOST")).join("bin/gcc-ld");
    let flags = [
        "-fuse-ld=lld".to_owned(),
        format!("-B{}", programs.display()),
        // Functions whose code is the same are in the program once. Rust promises no function an address of its own. SQLite
        // compares a few callbacks by theirs, and no two of them that have the same code mean different things there.
        "-Wl,--icf=all".to_owned(),
        // Addresses, packed. It needs glibc 2.36, Debian 12's, to start.
        "-Wl,-z,pack-relative-relocs".to_owned(),
    ];
    let source = out.join("nothing.rs");
    fs::write(&source, "fn main() {}")?;
    let mut trial = process::Command::new(rustc);
    trial.args(["--target", &said("TARGET"), "-o"]).arg(out.join("nothing")).arg(source);
    trial.args(flags.iter().map(|flag| format!("-Clink-arg={flag}")));
    if let Ok(linker) = env::var("RUSTC_LINKER") {
        trial.arg(format!("-Clinker={linker}"));
    }
    let works = trial.output()?.status.success();
    if works {
        flags.iter().for_each(|flag| println!("cargo::rustc-link-arg-bins={flag}"));
    } else {
        println!("cargo::warning=LLD is not there: the program becomes 0.3 MB larger than it needs to be");
    }
    Ok(works)
}

/// Saves 0.9 MB of tables that only unwinding reads: in the profile for devices a panic ends the program (docs/decisions/0017).
/// 32-bit ARM has tables of another kind, which only LLD can leave out.
fn leave_out_unwinding(out: &Path, lld: bool) -> Result<(), Box<dyn Error>> {
    const SCRIPT: &str = "SECTIONS { /DISCARD/ : { *(.eh_frame .eh_frame.* .eh_frame_hdr .gcc_except_table .gcc_except_table.* \
                          .ARM.exidx .ARM.exidx.* .ARM.extab .ARM.extab.*) } }\n\
                          INSERT BEFORE .rodata;\n";
    if said("CARGO_CFG_TARGET_ARCH") == "arm" && !lld {
        return Ok(());
    }
    let script = out.join("no-unwinding.ld");
    fs::write(&script, SCRIPT)?;
    println!("cargo::rustc-link-arg-bins=-Wl,--no-eh-frame-hdr,-T,{}", script.display());
    Ok(())
}

/// All glyphs of a font at one size, each with its character.
fn draw_face(font: &FontRef<'_>, size: u16) -> Result<Vec<(u16, Ink)>, Box<dyn Error>> {
    let outlines = font.outline_glyphs();
    let brush = Brush::new(font, &outlines, size)?;
    let glyphs = font.charmap().mappings();
    glyphs.map(|(character, glyph)| Ok((u16::try_from(character)?, brush.draw(glyph)?))).collect()
}

/// A face as one file.
fn write_face(face: &[(u16, Ink)], odds: &Odds) -> Result<Vec<u8>, Box<dyn Error>> {
    let records = face.iter().map(|(_, ink)| ink.record(odds)).collect::<Result<Vec<_>, _>>()?;
    let mut file = u16::try_from(face.len())?.to_le_bytes().to_vec();
    file.extend(face.iter().flat_map(|(character, _)| character.to_le_bytes()));
    for record in &records {
        file.extend(u16::try_from(record.len())?.to_le_bytes());
    }
    let mut begin = 0_usize;
    for some in records.chunks(RECORDS_TO_A_MARK) {
        file.extend(u32::try_from(begin)?.to_le_bytes());
        begin += some.iter().map(Vec::len).sum::<usize>();
    }
    file.extend(records.concat());
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

/// The pixels of a glyph without the empty margin, in four levels, row by row.
struct Ink {
    left: i32,
    top: i32,
    width: usize,
    height: usize,
    advance: u8,
    pixels: Vec<u8>,
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
            height: bottom - top,
            advance: 0,
            pixels: rows[top..bottom].iter().flat_map(|row| &row[left..right]).copied().collect(),
        }
    }

    /// Every answer that tells the pixels, with the place of its odds.
    fn answers(&self) -> impl Iterator<Item = (usize, bool)> {
        self.pixels.iter().enumerate().flat_map(|(index, level)| {
            let place = ink::place(&self.pixels[..index], self.width);
            let answers: &[bool] = match level {
                0 => &[false],
                1 => &[true, false, false],
                2 => &[true, false, true],
                _ => &[true, true],
            };
            answers.iter().enumerate().map(move |(question, yes)| (place + question, *yes))
        })
    }

    fn record(&self, odds: &Odds) -> Result<Vec<u8>, Box<dyn Error>> {
        let packed = pack(self.answers().map(|(place, yes)| (odds[place], yes)));
        if ink::unpack(self.width, self.height, odds, &packed) != self.pixels {
            return Err("a glyph does not unpack to what was packed".into());
        }
        let mut record = vec![
            i8::try_from(self.left)?.cast_unsigned(),
            i8::try_from(self.top)?.cast_unsigned(),
            u8::try_from(self.width)?,
            u8::try_from(self.height)?,
            self.advance,
        ];
        record.extend(packed);
        Ok(record)
    }
}

/// How likely a yes is, for every question in every surrounding.
fn learn<'a>(glyphs: impl Iterator<Item = &'a Ink>) -> Odds {
    let mut seen = vec![(0_usize, 0_usize); ODDS_BYTES];
    for (place, yes) in glyphs.flat_map(Ink::answers) {
        seen[place].0 += usize::from(yes);
        seen[place].1 += 1;
    }
    std::array::from_fn(|place| {
        let (yes, all) = seen[place];
        (256 * yes / all.max(1)).clamp(1, 255) as u8
    })
}

/// Packs answers, each with its odds.
fn pack(answers: impl Iterator<Item = (u8, bool)>) -> Vec<u8> {
    let mut packed = Vec::new();
    let mut interval = Interval::WHOLE;
    for (odds, yes) in answers {
        let last_yes = interval.last_yes(odds);
        interval.keep(yes, last_yes);
        packed.extend(std::iter::from_fn(|| interval.settle()));
    }
    packed.extend(last_bytes(&interval));
    packed
}

/// The fewest bytes that are inside, whatever follows them: in the program that is the next glyph.
fn last_bytes(interval: &Interval) -> Vec<u8> {
    let fewest = (0..4).find_map(|count| {
        let rest = u32::MAX >> (8 * count);
        let number = interval.low.checked_add(rest)? & !rest;
        (number | rest <= interval.high).then(|| number.to_be_bytes()[..count].to_vec())
    });
    fewest.unwrap_or_else(|| interval.low.to_be_bytes().to_vec())
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
