//! The pay page. The code gets the largest square that leaves room for what the buyer must read.

use embedded_graphics::prelude::*;
use embedded_graphics::primitives::Rectangle;
use payment::engine::view::{PayTrouble, ServiceFault};
use payment::money::Fen;

use super::colour::{INK, LINE, QUIET};
use super::layout::{Align, Block, Column, Words};
use super::mark::Mark;
use super::pages::{Page, clock};
use super::picture::Picture;
use super::qr::{QUIET_ZONE, Symbol};
use super::words::fill;

/// What is to be paid, and how it can be.
pub struct Due<'a> {
    pub(super) name: &'a str,
    pub(super) amount: Fen,
    pub(super) seconds_left: u64,
    pub(super) wallets: &'a str,
    /// Member and voucher codes can be read.
    pub(super) takes_codes: bool,
    /// Why nothing else can pay.
    pub(super) codes_only: Option<ServiceFault>,
    pub(super) scanner: bool,
    pub(super) trouble: Option<PayTrouble>,
}

/// What fills the square.
enum Square {
    Code(Symbol),
    Coming,
}

/// While a code is fetched its place is kept for a symbol of version 4, which holds Alipay's longer codes.
const USUAL_MODULES: u32 = 33;

pub(super) fn compose(page: &Page<'_>, due: &Due<'_>, code: Option<&str>, coming: bool) -> Vec<Mark> {
    if let Some(why) = due.codes_only {
        return page.codes_only(due, why);
    }
    let side = page.size.width.min(page.size.height);
    let symbol = code.and_then(|text| Symbol::fitting(text, side));
    match symbol {
        Some(symbol) => with_square(page, due, &Square::Code(symbol)),
        None if coming => with_square(page, due, &Square::Coming),
        None if due.scanner => page.show_code(due),
        None => page.no_code(due),
    }
}

/// The arrangement with the largest modules; but one pixel less a module is given for an amount in large figures.
fn with_square(page: &Page<'_>, due: &Due<'_>, square: &Square) -> Vec<Mark> {
    let side = page.size.width.min(page.size.height);
    let largest = side / square.modules();
    let large = |module: &u32| arranged(page, due, square, *module, Figures::Large);
    let any = |module: &u32| arranged(page, due, square, *module, Figures::Any);
    let from_large = (1..=largest).rev();
    let compromise = from_large.clone().take(2).find_map(|module| large(&module));
    compromise.or_else(|| from_large.clone().find_map(|module| any(&module))).unwrap_or_else(|| page.no_code(due))
}

/// Beside or above each other, whichever suits the panel's shape better, at so many pixels a module.
fn arranged(page: &Page<'_>, due: &Due<'_>, square: &Square, module: u32, figures: Figures) -> Option<Vec<Mark>> {
    let side = square.modules() * module;
    let beside = || page.beside(due, square, side, figures);
    let stacked = || page.stacked(due, square, side, figures);
    if page.size.width > page.size.height { beside().or_else(stacked) } else { stacked().or_else(beside) }
}

/// How the amount may be set.
#[derive(Clone, Copy)]
enum Figures {
    Large,
    Any,
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

impl Page<'_> {
    /// The square at the left, the words in a column at the right.
    fn beside(&self, due: &Due<'_>, square: &Square, side: u32, figures: Figures) -> Option<Vec<Mark>> {
        let edge = (self.size.height.checked_sub(side)? / 2).min(self.class.margin());
        let start = edge + side + self.class.gap() / 2;
        let width = self.size.width.checked_sub(start + self.class.margin())?;
        let margin = self.class.margin();
        let right = Rectangle::new(
            Point::new(start.cast_signed(), margin.cast_signed()),
            Size::new(width, self.size.height - 2 * margin),
        );
        let mut blocks = vec![
            self.product_name(due.name).optional(),
            Block::text(self.figures(due.amount, width, figures)?, 1),
            self.time_left(due.seconds_left),
        ];
        blocks.extend(self.ways_to_pay(due));
        let column = Column::fit_the_needed(&blocks, right.size, self.class.gap(), Align::Left)?;
        let top = (self.size.height - side) / 2;
        let corner = Point::new(edge.cast_signed(), top.cast_signed());
        let mut marks = square.marks(self, Rectangle::new(corner, Size::new_equal(side)));
        marks.extend(column.place(right));
        Some(marks)
    }

    /// Amount and time above the square, the other words below it.
    fn stacked(&self, due: &Due<'_>, square: &Square, side: u32, figures: Figures) -> Option<Vec<Mark>> {
        let gap = self.class.gap();
        let left = self.size.width.checked_sub(side)? / 2;
        let width = self.size.width - 2 * self.class.margin();
        let room = Size::new(width, self.size.height.checked_sub(side)?);
        let set = |blocks: &[Block]| Column::fit_the_needed(blocks, room, gap, Align::Centre);
        let mut roomy = vec![self.head(due, figures, false)?];
        roomy.extend(self.ways_to_pay(due));
        roomy.push(self.product_name(due.name).optional());
        let mut compact = vec![self.head(due, figures, true)?];
        compact.extend(self.hint(due));
        let column = set(&roomy).or_else(|| set(&compact))?;
        let (head, rest) = column.split(1);
        let spare = room.height - head.height() - rest.height();
        let above = head.height() + spare / 3;
        let place = |y: u32, height: u32| {
            let corner = Point::new(self.class.margin().cast_signed(), y.cast_signed());
            Rectangle::new(corner, Size::new(width, height))
        };
        let corner = Point::new(left.cast_signed(), above.cast_signed());
        let mut marks = head.place(place(0, above));
        marks.extend(square.marks(self, Rectangle::new(corner, Size::new_equal(side))));
        marks.extend(rest.place(place(above + side, self.size.height - above - side)));
        Some(marks)
    }

    /// The amount at the left and the time at the right; on a tight panel the wallets between them.
    fn head(&self, due: &Due<'_>, figures: Figures, with_wallets: bool) -> Option<Block> {
        let mut row = vec![self.figures(due.amount, self.size.width, figures)?];
        if with_wallets {
            row.push(self.say(due.wallets, self.class.note(), INK));
        }
        row.push(self.say(&clock(due.seconds_left), self.class.countdown(), QUIET));
        Some(Block::row(row))
    }

    fn figures(&self, amount: Fen, width: u32, figures: Figures) -> Option<Words> {
        match figures {
            Figures::Large => self.large_amount(amount, width),
            Figures::Any => Some(self.long_amount(amount)),
        }
    }

    fn ways_to_pay(&self, due: &Due<'_>) -> Vec<Block> {
        let scan = self.body(&fill(self.words.scan_with, due.wallets));
        let mut blocks = vec![scan];
        blocks.extend(self.hint(due));
        blocks
    }

    /// What went wrong with the last pay code, or that one may be shown.
    fn hint(&self, due: &Due<'_>) -> Option<Block> {
        let trouble = due.trouble.map(|trouble| self.trouble(self.words.pay_trouble(trouble)));
        let show = if due.takes_codes { self.words.or_show_any } else { self.words.or_show_code };
        trouble.or_else(|| due.scanner.then(|| self.note(show)))
    }

    /// Only the scanner can be used.
    fn show_code(&self, due: &Due<'_>) -> Vec<Mark> {
        let words = self.words;
        let hold = if due.takes_codes { words.any_to_the_scanner } else { words.to_the_scanner };
        let mut blocks =
            vec![self.title(words.show_code), self.amount(due.amount), self.body(&fill(hold, due.wallets))];
        blocks.extend(due.trouble.map(|trouble| self.trouble(words.pay_trouble(trouble))));
        blocks.push(self.time_left(due.seconds_left));
        blocks.push(self.product_name(due.name).optional());
        self.poster(Picture::ShowCode, &blocks)
    }

    /// No wallet can pay at the moment: said before anybody tries.
    fn codes_only(&self, due: &Due<'_>, why: ServiceFault) -> Vec<Mark> {
        let words = self.words;
        let mut blocks = vec![self.title(words.show_member_code), self.amount(due.amount)];
        let only = self.body(words.codes_only(why));
        match due.trouble {
            // Whoever shows a code has read the line; what is wrong with the code is new.
            Some(trouble) => blocks.extend([self.trouble(words.pay_trouble(trouble)), only.optional()]),
            None => blocks.push(only),
        }
        blocks.push(self.time_left(due.seconds_left));
        blocks.push(self.product_name(due.name).optional());
        self.poster(Picture::ShowCode, &blocks)
    }

    /// There is no way to pay at the moment.
    fn no_code(&self, due: &Due<'_>) -> Vec<Mark> {
        let trouble = due.trouble.unwrap_or(PayTrouble::NoCode);
        let blocks = [
            self.title(self.words.pay_trouble(trouble)),
            self.amount(due.amount),
            self.time_left(due.seconds_left),
            self.product_name(due.name).optional(),
        ];
        self.poster(Picture::Attention, &blocks)
    }
}
