//! The pay page. The codes get the largest modules that leave room for what the buyer must read.

use embedded_graphics::prelude::*;
use embedded_graphics::primitives::Rectangle;
use payment::channel::ChannelId;
use payment::engine::view::{CodeView, PayTrouble, PlanView, ServiceFault};
use payment::money::Fen;

use super::codes::Codes;
use super::colour::{INK, QUIET};
use super::layout::{Align, Block, Column, Words};
use super::mark::Mark;
use super::pages::{Page, clock};
use super::picture::Picture;
use super::plans::Form;
use super::words::{Naming, fill};

/// What is to be paid, and how it can be.
pub struct Due<'a> {
    pub(super) name: &'a str,
    pub(super) amount: Fen,
    pub(super) seconds_left: u64,
    pub(super) codes: &'a [CodeView],
    /// A code is being fetched.
    pub(super) code_coming: bool,
    pub(super) plans: &'a [PlanView],
    pub(super) wallets: &'a [ChannelId],
    /// Why nothing else can pay.
    pub(super) codes_only: Option<ServiceFault>,
    pub(super) scanner: bool,
    pub(super) trouble: Option<PayTrouble>,
}

impl Due<'_> {
    /// Member and voucher codes can be read.
    fn takes_codes(&self) -> bool {
        self.wallets.contains(&ChannelId::Voucher)
    }
}

pub(super) fn compose(page: &Page<'_>, due: &Due<'_>) -> Vec<Mark> {
    if let Some(why) = due.codes_only {
        return page.codes_only(due, why);
    }
    let shown = Codes::of(page, due).into_iter().find_map(|codes| Shown { page, due, codes: &codes }.largest());
    shown.unwrap_or_else(|| if due.scanner { page.show_code(due) } else { page.no_code(due) })
}

/// A pay page with codes.
#[derive(Clone, Copy)]
struct Shown<'a> {
    page: &'a Page<'a>,
    due: &'a Due<'a>,
    codes: &'a Codes,
}

/// What may be large or small, long or short.
#[derive(Clone, Copy)]
struct Setting {
    module: u32,
    figures: Figures,
    naming: Naming,
    plans: Form,
}

/// How the amount may be set.
#[derive(Clone, Copy)]
enum Figures {
    Large,
    Any,
}

impl Setting {
    /// Between the words; many lines stand closer.
    const fn gap(&self, page: &Page<'_>) -> u32 {
        match self.plans {
            Form::Full => page.class.gap() / 2,
            Form::Short => page.class.gap(),
        }
    }
}

impl Shown<'_> {
    /// The arrangement with the largest modules; but one pixel less a module is given for an amount in large figures, and
    /// a third of the pixels for instalments to choose from.
    fn largest(self) -> Option<Vec<Mark>> {
        let (module, marks) = self.with_short_plans()?;
        if self.due.plans.is_empty() {
            return Some(marks);
        }
        let least = (module * 2).div_ceil(3).max(self.codes.least_module());
        let full = |module| {
            let set = |figures| self.arranged(module, figures, Form::Full);
            set(Figures::Large).or_else(|| set(Figures::Any))
        };
        (least..=module).rev().find_map(full).or(Some(marks))
    }

    fn with_short_plans(self) -> Option<(u32, Vec<Mark>)> {
        let modules = (self.codes.least_module()..=self.codes.largest_module(self.page)).rev();
        let set = |module, figures| Some((module, self.arranged(module, figures, Form::Short)?));
        // Words beside one code do not cost it anything; below two they always do.
        let given = if self.codes.have_names() { 3 } else { 2 };
        let compromise = modules.clone().take(given).find_map(|module| set(module, Figures::Large));
        compromise.or_else(|| modules.clone().find_map(|module| set(module, Figures::Any)))
    }

    /// Beside or above each other, whichever suits the panel's shape better, at so many pixels a module; with all wallets
    /// named or only a few.
    fn arranged(self, module: u32, figures: Figures, plans: Form) -> Option<Vec<Mark>> {
        self.codes.namings().iter().find_map(|naming| {
            let setting = Setting { module, figures, naming: *naming, plans };
            let beside = || self.beside(setting);
            let stacked = || self.stacked(setting);
            let Size { width, height } = self.page.size;
            // Two codes are wide themselves.
            let wide = width > height && !self.codes.have_names();
            if wide { beside().or_else(stacked) } else { stacked().or_else(beside) }
        })
    }

    /// The codes at the left, the words in a column at the right.
    fn beside(self, setting: Setting) -> Option<Vec<Mark>> {
        let Self { page, due, codes } = self;
        let taken = codes.size(page, setting.module);
        let (margin, gap) = (page.class.margin(), page.class.gap());
        let edge = (page.size.height.checked_sub(taken.height)? / 2).min(margin);
        let start = edge + taken.width + gap / 2;
        let width = page.size.width.checked_sub(start + margin)?;
        let right = Rectangle::new(
            Point::new(start.cast_signed(), margin.cast_signed()),
            Size::new(width, page.size.height - 2 * margin),
        );
        let gap = setting.gap(page);
        let mut blocks = vec![
            page.product_name(due.name).optional(),
            Block::text(page.figures(due.amount, width, setting.figures)?, 1),
            page.time_left(due.seconds_left),
        ];
        blocks.extend(self.ways_to_pay(setting));
        let column = Column::fit_the_needed(&blocks, right.size, gap, Align::Left)?;
        let top = (page.size.height - taken.height) / 2;
        let corner = Point::new(edge.cast_signed(), top.cast_signed());
        let mut marks = codes.marks(page, Rectangle::new(corner, taken), setting.module);
        marks.extend(column.place(right));
        Some(marks)
    }

    /// Amount and time above the codes, the other words below them.
    fn stacked(self, setting: Setting) -> Option<Vec<Mark>> {
        let Self { page, due, codes } = self;
        let taken = codes.size(page, setting.module);
        let margin = page.class.margin();
        page.size.width.checked_sub(taken.width)?;
        let width = page.size.width - 2 * margin;
        let room = Size::new(width, page.size.height.checked_sub(taken.height)?);
        let set = |blocks: &[Block]| Column::fit_the_needed(blocks, room, setting.gap(page), Align::Centre);
        let mut roomy = vec![self.head(setting, false)?];
        roomy.extend(self.ways_to_pay(setting));
        roomy.push(page.product_name(due.name).optional());
        let mut compact = vec![self.head(setting, !codes.have_names())?];
        // Where there is no room, a plan that was chosen comes before the scanner.
        let chosen = due.plans.iter().any(|plan| plan.chosen);
        compact.extend(self.hint(setting).filter(|_| !chosen || due.trouble.is_some()));
        compact.extend(page.plans(due.plans, setting.plans));
        let column = set(&roomy).or_else(|| set(&compact))?;
        let (head, rest) = column.split(1);
        let spare = room.height - head.height() - rest.height();
        let above = head.height() + spare / 3;
        let below = above + taken.height;
        let place = |x: u32, y: u32, size: Size| Rectangle::new(Point::new(x.cast_signed(), y.cast_signed()), size);
        let mut marks = head.place(place(margin, 0, Size::new(width, above)));
        let row = Size::new(page.size.width, taken.height);
        marks.extend(codes.marks(page, place(0, above, row), setting.module));
        marks.extend(rest.place(place(margin, below, Size::new(width, page.size.height - below))));
        Some(marks)
    }

    /// The amount at the left and the time at the right; on a tight panel the wallets between them.
    fn head(self, setting: Setting, with_wallets: bool) -> Option<Block> {
        let Self { page, due, codes } = self;
        let mut row = vec![page.figures(due.amount, page.size.width, setting.figures)?];
        if with_wallets {
            let names = page.words.list(&codes.scanned_by, setting.naming);
            row.push(page.say(&names, page.class.note(), INK));
        }
        row.push(page.say(&clock(due.seconds_left), page.class.countdown(), QUIET));
        Some(Block::row(row))
    }

    fn ways_to_pay(self, setting: Setting) -> Vec<Block> {
        let Self { page, due, codes } = self;
        let names = page.words.list(&codes.scanned_by, setting.naming);
        let scan = page.body(&fill(page.words.scan_with, &names));
        // Two codes have their names below them.
        let mut blocks = vec![if codes.have_names() { scan.optional() } else { scan }];
        blocks.extend(self.hint(setting));
        blocks.extend(page.plans(due.plans, setting.plans));
        blocks
    }

    /// What went wrong with the last pay code, or that one may be shown.
    fn hint(self, setting: Setting) -> Option<Block> {
        let Self { page, due, codes } = self;
        let trouble = due.trouble.map(|trouble| page.trouble(page.words.pay_trouble(trouble)));
        let other = codes.without_place.filter(|_| setting.naming == Naming::All);
        let show = match (other, due.takes_codes()) {
            (Some(wallet), false) => &fill(page.words.or_show_its_code, wallet),
            (Some(wallet), true) => &fill(page.words.or_show_its_or_any, wallet),
            (None, false) => page.words.or_show_code,
            (None, true) => page.words.or_show_any,
        };
        // On the smallest e-papers the code would shrink for it until no phone reads it.
        let note = |text| if page.is_tiny() { page.note(text).optional() } else { page.note(text) };
        trouble.or_else(|| due.scanner.then(|| note(show)))
    }
}

impl Page<'_> {
    fn figures(&self, amount: Fen, width: u32, figures: Figures) -> Option<Words> {
        match figures {
            Figures::Large => self.large_amount(amount, width),
            Figures::Any => Some(self.long_amount(amount)),
        }
    }

    /// Only the scanner can be used.
    fn show_code(&self, due: &Due<'_>) -> Vec<Mark> {
        let words = self.words;
        let hold = if due.takes_codes() { words.any_to_the_scanner } else { words.to_the_scanner };
        let names = words.list(&words.wallets(due.wallets), Naming::Few);
        let hold = self.body(&fill(hold, &names));
        // What a plan costs is read before anybody holds up a phone.
        let hold = if due.plans.is_empty() { hold } else { hold.optional() };
        let mut blocks = vec![self.title(words.show_code), self.amount(due.amount), hold];
        blocks.extend(due.trouble.map(|trouble| self.trouble(words.pay_trouble(trouble))));
        blocks.extend(self.plans(due.plans, Form::Short));
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
