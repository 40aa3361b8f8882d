//! The codes on the pay page: one, or two side by side with their wallets' names below.
//!
//! Two stand there only where a phone reads each of them ([`LEAST_MODULE_OF_TWO`], [`LEAST_SIDE_OF_TWO`]). Elsewhere the
//! first one is shown as large as if it were alone: two codes that nobody can read sell nothing, and codes that take
//! turns are gone by the time that the phone is held up. The other wallet is then named for its pay code, if one can be read.

use embedded_graphics::prelude::*;
use embedded_graphics::primitives::Rectangle;
use payment::channel::ChannelId;
use payment::engine::view::CodeView;

use super::colour::{INK, LINE};
use super::layout::{Align, Block, Column};
use super::mark::Mark;
use super::pages::Page;
use super::pay::Due;
use super::qr::{QUIET_ZONE, SMALL_MODULE, Symbol};
use super::words::Naming;

/// Pixels of a module of two. Older phones need 0.4 mm, and pixels are 0.13 to 0.18 mm on panels that are wide enough
/// (reference/hardware.md 2.2). One code alone may have two pixels: there is nothing else to show.
const LEAST_MODULE_OF_TWO: u32 = SMALL_MODULE;

/// Pixels of a square of two, quiet zone included: 15 to 20 mm, read from as far as one code on the smallest panel. Two of
/// these are wider than the panels of 240, whose pixels are the smallest.
const LEAST_SIDE_OF_TWO: u32 = 120;

/// Light modules between the quiet zones of two. A camera held for one has its frame free of the other's edge.
const MODULES_BETWEEN: u32 = QUIET_ZONE;

/// While a code is fetched its place is kept for a symbol of version 4, which holds Alipay's longer codes.
const USUAL_MODULES: u32 = 33;

/// What fills a square.
enum Square {
    Code(Symbol),
    Coming,
}

/// One code, or two, and what the words say about them.
pub(super) struct Codes {
    squares: Vec<Square>,
    /// What stands below each; empty for one code.
    names: Vec<&'static str>,
    /// The wallets that scan what is shown.
    pub(super) scanned_by: Vec<&'static str>,
    /// A wallet whose code has no place here.
    pub(super) without_place: Option<&'static str>,
}

impl Codes {
    /// What may be shown on this page, the best first.
    pub(super) fn of(page: &Page<'_>, due: &Due<'_>) -> Vec<Self> {
        [Self::two(page, due), Self::one(page, due)].into_iter().flatten().collect()
    }

    fn one(page: &Page<'_>, due: &Due<'_>) -> Option<Self> {
        let side = page.size.width.min(page.size.height);
        let code = due.codes.first();
        let symbol = code.and_then(|code| Symbol::fitting(&code.text, side)).map(Square::Code);
        let square = symbol.or_else(|| due.code_coming.then_some(Square::Coming))?;
        let name = |code: &CodeView| code.wallet.map(|wallet| page.words.wallet(wallet));
        let scanned_by = match code {
            Some(code) => name(code).map_or_else(|| page.words.wallets(&of_several(due.wallets)), |name| vec![name]),
            None => page.words.wallets(due.wallets),
        };
        let without_place = due.codes.get(1).and_then(name);
        Some(Self { squares: vec![square], names: Vec::new(), scanned_by, without_place })
    }

    fn two(page: &Page<'_>, due: &Due<'_>) -> Option<Self> {
        let side = page.size.width.checked_sub(MODULES_BETWEEN * LEAST_MODULE_OF_TWO)? / 2;
        let side = side.min(page.size.height);
        let [left, right] = places(page, due)?;
        let square = |code: Option<&CodeView>| match code {
            Some(code) => Symbol::fitting(&code.text, side).map(Square::Code),
            None => Some(Square::Coming),
        };
        let name =
            |code: Option<&CodeView>| code.and_then(|code| code.wallet).map_or("", |wallet| page.words.wallet(wallet));
        let names = vec![name(left), name(right)];
        let scanned_by = names.iter().copied().filter(|name| !name.is_empty()).collect();
        let squares = alike([(left, square(left)?), (right, square(right)?)]);
        Some(Self { squares, names, scanned_by, without_place: None })
    }

    /// Whether they are two.
    pub(super) const fn have_names(&self) -> bool {
        !self.names.is_empty()
    }

    /// How the wallets can be named, the best first.
    pub(super) const fn namings(&self) -> &'static [Naming] {
        let shorter = self.scanned_by.len() > 2 || self.without_place.is_some();
        if shorter { &[Naming::All, Naming::Few] } else { &[Naming::All] }
    }

    /// Modules on a side, with the quiet zone; of the larger one.
    pub(super) fn modules(&self) -> u32 {
        self.squares.iter().map(Square::modules).max().unwrap_or(1)
    }

    /// The fewest pixels of a module with which they can be read.
    pub(super) fn least_module(&self) -> u32 {
        if self.have_names() { LEAST_MODULE_OF_TWO.max(LEAST_SIDE_OF_TWO.div_ceil(self.modules())) } else { 1 }
    }

    /// The most pixels of a module that a panel has room for.
    pub(super) fn largest_module(&self, page: &Page<'_>) -> u32 {
        let Size { width, height } = page.size;
        let count = self.squares.len() as u32;
        let across = count * self.modules() + (count - 1) * MODULES_BETWEEN;
        (width / across).min(height / self.modules())
    }

    /// What they take, with their names.
    pub(super) fn size(&self, page: &Page<'_>, module: u32) -> Size {
        let side = self.modules() * module;
        let count = self.squares.len() as u32;
        let name = if self.have_names() { name_height(page) } else { 0 };
        Size::new(count * side + (count - 1) * MODULES_BETWEEN * module, side + name)
    }

    /// Places them in `area`, which is as high as [`Codes::size`] and at least as wide; what it is wider goes evenly to
    /// their sides and between them.
    pub(super) fn marks(&self, page: &Page<'_>, area: Rectangle, module: u32) -> Vec<Mark> {
        let least = self.size(page, module);
        let spare = (area.size.width - least.width) / (self.squares.len() as u32 + 1);
        let side = self.modules() * module;
        let step = side + MODULES_BETWEEN * module + spare;
        let mut corner = area.top_left + Point::new(spare.cast_signed(), 0);
        let mut marks = Vec::new();
        for (index, square) in self.squares.iter().enumerate() {
            marks.extend(square.marks(page, Rectangle::new(corner, Size::new_equal(side))));
            let below = corner + Point::new(0, side.cast_signed());
            let name = self.names.get(index).filter(|name| !name.is_empty());
            marks.extend(name.into_iter().flat_map(|name| name_marks(page, name, below, side)));
            corner.x += step.cast_signed();
        }
        marks
    }
}

/// The channels whose code is for several wallets; all of them if none is.
fn of_several(channels: &[ChannelId]) -> Vec<ChannelId> {
    let several: Vec<ChannelId> = channels.iter().copied().filter(|channel| channel.own_wallet().is_none()).collect();
    if several.iter().all(|channel| *channel == ChannelId::Voucher) { channels.to_vec() } else { several }
}

/// The codes at the left and at the right. While one is fetched the other stands where it will stay: the wallets come in
/// the order of the channels, as their codes do unless the settings say otherwise.
fn places<'a>(page: &Page<'_>, due: &Due<'a>) -> Option<[Option<&'a CodeView>; 2]> {
    match due.codes {
        [] => None,
        [only] => {
            let wallet = only.wallet.filter(|_| due.code_coming)?;
            let is_first = page.words.wallets(due.wallets).first() == Some(&page.words.wallet(wallet));
            Some(if is_first { [Some(only), None] } else { [None, Some(only)] })
        }
        [left, right, ..] => Some([Some(left), Some(right)]),
    }
}

/// Two squares of one size, where the shorter text can be written as large as the longer one.
fn alike(squares: [(Option<&CodeView>, Square); 2]) -> Vec<Square> {
    let modules = squares.iter().map(|(_, square)| square.modules()).max().unwrap_or(0).saturating_sub(2 * QUIET_ZONE);
    let grown = |(code, square): (Option<&CodeView>, Square)| {
        let larger = code.and_then(|code| Symbol::of_modules(&code.text, modules));
        match square {
            Square::Code(symbol) if symbol.modules() < modules => Square::Code(larger.unwrap_or(symbol)),
            Square::Code(_) | Square::Coming => square,
        }
    };
    squares.into_iter().map(grown).collect()
}

/// A line, and what keeps it from the words below.
fn name_height(page: &Page<'_>) -> u32 {
    page.class.note().first().map_or(0, |font| font.line_height()) + page.class.gap() / 2
}

fn name_marks(page: &Page<'_>, name: &str, corner: Point, width: u32) -> Vec<Mark> {
    let size = Size::new(width, name_height(page) - page.class.gap() / 2);
    let block = [Block::text(page.say(name, page.class.note(), INK), 1)];
    Column::squeeze(&block, size, 0, Align::Centre).place(Rectangle::new(corner, size))
}

impl Square {
    fn modules(&self) -> u32 {
        match self {
            Self::Code(symbol) => symbol.modules_with_quiet_zone(),
            Self::Coming => USUAL_MODULES + 2 * QUIET_ZONE,
        }
    }

    fn marks(&self, page: &Page<'_>, area: Rectangle) -> Vec<Mark> {
        match self {
            Self::Code(symbol) => vec![Mark::Code { area, symbol: symbol.clone() }],
            Self::Coming => {
                let module = area.size.width / self.modules();
                let frame = area.offset(-(QUIET_ZONE * module).cast_signed());
                let inner = frame.offset(-(2 * module).cast_signed());
                let note = [page.note(page.words.code_coming)];
                let mut marks = vec![Mark::Frame { area: frame, colour: LINE, stroke: module / 2 }];
                let words = Column::squeeze(&note, inner.size, 0, Align::Centre);
                marks.extend(words.place(inner));
                marks
            }
        }
    }
}
