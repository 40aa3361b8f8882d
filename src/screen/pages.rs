//! What each view shows.

use embedded_graphics::prelude::*;
use embedded_graphics::primitives::Rectangle;
use payment::engine::view::{ChooseTrouble, MoneyWord, ProductView, ServiceFault, SorryWhat, View};
use payment::money::Fen;

use super::Look;
use super::colour::{ACCENT, INK, LINE, PAPER, QUIET};
use super::layout::{Align, Block, Column, Surface, Words};
use super::mark::Mark;
use super::pay;
use super::picture::Picture;
use super::style::Class;
use super::text::Font;
use super::words::{self, Language, fill};

/// A panel, and the words in the buyer's language.
pub struct Page<'a> {
    pub(super) size: Size,
    pub(super) class: Class,
    pub(super) look: &'a Look,
    pub(super) words: &'static words::Words,
}

pub(super) fn compose(view: &View, look: &Look, size: Size) -> Vec<Mark> {
    let page = Page { size, class: Class::of(size), look, words: look.language.words() };
    match view {
        View::Starting => page.starting(),
        View::Idle { codes_only } => page.idle(*codes_only),
        View::Choose { typed, product, trouble } => page.choose(typed, product.as_ref(), *trouble),
        View::Pay { name, amount, seconds_left, codes, plans, code_coming, wallets, codes_only, scanner, trouble } => {
            pay::compose(
                &page,
                &pay::Due {
                    name,
                    amount: *amount,
                    seconds_left: *seconds_left,
                    codes,
                    code_coming: *code_coming,
                    plans,
                    wallets,
                    codes_only: *codes_only,
                    scanner: *scanner,
                    trouble: *trouble,
                },
            )
        }
        View::Confirming { amount, seconds_left } => page.confirming(*amount, *seconds_left),
        View::Checking { amount } => page.checking(*amount),
        View::Delivering { name, item, of } => page.delivering(name, *item, *of),
        View::Thanks { amount, saved, change } => page.thanks(*amount, *saved, *change),
        View::Sorry { what, money, amount, number } => page.sorry(*what, *money, *amount, number),
        View::OutOfService { reason } => page.out_of_service(*reason),
    }
}

impl Page<'_> {
    fn starting(&self) -> Vec<Mark> {
        let words = self.words;
        self.poster(Picture::Dots, &[self.title(words.starting), self.body(words.starting_note), self.merchant()])
    }

    fn idle(&self, codes_only: Option<ServiceFault>) -> Vec<Mark> {
        let words = self.words;
        let mut blocks = vec![self.merchant(), self.title(words.welcome), self.body(words.enter_slot)];
        blocks.extend(codes_only.map(|why| self.trouble(words.codes_only(why))));
        self.poster(Picture::Keypad, &blocks)
    }

    fn choose(&self, typed: &str, product: Option<&ProductView>, trouble: Option<ChooseTrouble>) -> Vec<Mark> {
        if typed.is_empty() && product.is_none() && trouble.is_none() {
            return self.poster(Picture::Keypad, &[self.title(self.words.enter_slot)]);
        }
        let mut blocks = vec![self.slot(typed)];
        if let Some(product) = product {
            blocks.push(self.product_name(&product.name));
            blocks.push(self.amount(product.price));
        }
        match trouble {
            Some(trouble) => blocks.push(self.trouble(self.words.choose_trouble(trouble))),
            None if product.is_some() => blocks.push(self.body(self.words.confirm_key)),
            None => {}
        }
        self.column(&blocks)
    }

    fn confirming(&self, amount: Fen, seconds_left: u64) -> Vec<Mark> {
        let words = self.words;
        self.poster(
            Picture::Confirm,
            &[
                self.title(words.confirming),
                self.amount(amount),
                self.time_left(seconds_left),
                self.note(words.confirming_note).optional(),
            ],
        )
    }

    fn checking(&self, amount: Fen) -> Vec<Mark> {
        let words = self.words;
        self.poster(Picture::Clock, &[self.title(words.checking), self.amount(amount), self.body(words.checking_note)])
    }

    fn delivering(&self, name: &str, item: usize, of: usize) -> Vec<Mark> {
        let words = self.words;
        let mut blocks = vec![self.title(words.delivering), self.product_name(name)];
        if of > 1 {
            let count = fill(words.delivering_item, &format!("{item}/{of}"));
            blocks.push(self.body(&count));
        }
        blocks.push(self.note(words.delivering_note));
        self.poster(Picture::Falling, &blocks)
    }

    fn thanks(&self, amount: Fen, saved: Fen, change: Fen) -> Vec<Mark> {
        let words = self.words;
        let mut blocks = vec![self.title(words.thanks), self.note(words.paid), self.amount(amount)];
        if saved.is_positive() {
            blocks.push(self.note(&fill(words.saved, &yuan(saved))));
        }
        if change.is_positive() {
            blocks.push(self.note(&fill(words.change, &yuan(change))));
        }
        blocks.push(self.body(words.thanks_note));
        self.poster(Picture::Tick, &blocks)
    }

    fn sorry(&self, what: SorryWhat, money: MoneyWord, amount: Fen, number: &str) -> Vec<Mark> {
        let words = self.words;
        let money = fill(words.money(money), &yuan(amount));
        let mut blocks = vec![
            self.title(words.sorry(what)),
            Block::text(self.say(&money, self.class.body(), ACCENT), 3),
            self.note(&fill(words.order_number, number)),
        ];
        blocks.extend(self.support());
        self.poster(Picture::Attention, &blocks)
    }

    fn out_of_service(&self, reason: ServiceFault) -> Vec<Mark> {
        let words = self.words;
        let mut blocks = vec![self.title(words.out_of_service), self.body(words.fault(reason))];
        blocks.extend(self.support());
        self.poster(Picture::Closed, &blocks)
    }
}

/// The blocks that pages are made of.
impl Page<'_> {
    /// Whether it is an e-paper of two or three inches: 122 or 128 rows, with room for a code and three lines.
    pub(super) fn is_tiny(&self) -> bool {
        self.size.width.min(self.size.height) < 200
    }

    pub(super) fn say(&self, text: &str, fonts: &'static [Font], ink: embedded_graphics::pixelcolor::Rgb565) -> Words {
        Words { text: text.to_owned(), fonts, ink }
    }

    pub(super) fn title(&self, text: &str) -> Block {
        let lines = match self.look.language {
            Language::Chinese => 1,
            Language::English => 2,
        };
        Block::text(self.say(text, self.class.title(), INK), lines)
    }

    pub(super) fn body(&self, text: &str) -> Block {
        Block::text(self.say(text, self.class.body(), INK), 4)
    }

    pub(super) fn note(&self, text: &str) -> Block {
        Block::text(self.say(text, self.class.note(), QUIET), 5)
    }

    pub(super) fn amount(&self, amount: Fen) -> Block {
        let width = self.size.width - 2 * self.class.margin();
        let words = self.large_amount(amount, width);
        Block::text(words.unwrap_or_else(|| self.long_amount(amount)), 1)
    }

    /// An amount in large figures, if they fit.
    pub(super) fn large_amount(&self, amount: Fen, width: u32) -> Option<Words> {
        let words = self.say(&yuan(amount), self.class.amount(), ACCENT);
        let narrowest = words.fonts.last()?.width(&words.text);
        (narrowest <= width).then_some(words)
    }

    /// An amount that may get small, but is never cut.
    pub(super) fn long_amount(&self, amount: Fen) -> Words {
        self.say(&yuan(amount), self.class.long_amount(), ACCENT)
    }

    pub(super) fn product_name(&self, name: &str) -> Block {
        Block::name(self.say(name, self.class.body(), INK), 2)
    }

    pub(super) fn time_left(&self, seconds: u64) -> Block {
        self.note(&fill(self.words.time_left, &clock(seconds)))
    }

    pub(super) fn trouble(&self, text: &str) -> Block {
        Block::text(self.say(text, self.class.body(), PAPER), 6).on(Surface::Filled(INK))
    }

    fn merchant(&self) -> Block {
        let name = self.say(&self.look.merchant, self.class.note(), QUIET);
        Block::name(name, 1).optional()
    }

    fn slot(&self, typed: &str) -> Block {
        let typed = typed.to_uppercase();
        let figures = self.class.amount();
        let drawable = figures.iter().all(|font| font.holds(&typed));
        let fonts = if drawable { figures } else { self.class.title() };
        Block::name(self.say(&typed, fonts, INK), 1).on(Surface::Framed(LINE))
    }

    fn support(&self) -> Option<Block> {
        let support = self.look.support.as_deref()?;
        Some(self.note(&fill(self.words.support, support)))
    }
}

/// How blocks stand on the page.
impl Page<'_> {
    fn inner(&self) -> Rectangle {
        let margin = self.class.margin();
        Rectangle::new(Point::new_equal(margin.cast_signed()), self.size - Size::new_equal(2 * margin))
    }

    fn column(&self, blocks: &[Block]) -> Vec<Mark> {
        let inner = self.inner();
        Column::squeeze(blocks, inner.size, self.class.gap(), Align::Centre).place(inner)
    }

    /// A picture with words: above them, or at their left on a wide panel.
    pub(super) fn poster(&self, picture: Picture, blocks: &[Block]) -> Vec<Mark> {
        let blocks: Vec<Block> = blocks.iter().filter(|block| !block.is_empty()).cloned().collect();
        if self.size.width * 4 < self.size.height * 5 {
            let picture = Block::picture(picture, self.class.pictures());
            return self.column(&[&[picture], &blocks[..]].concat());
        }
        let inner = self.inner();
        let third = Size::new(inner.size.width * 2 / 5 - self.class.margin(), inner.size.height);
        let shown = Block::picture(picture, self.class.side_pictures());
        let left = Rectangle::new(inner.top_left, third);
        let start = (third.width + self.class.margin()).cast_signed();
        let right = Rectangle::new(
            inner.top_left + Point::new(start, 0),
            Size::new(inner.size.width - third.width - self.class.margin(), inner.size.height),
        );
        let mut marks = Column::squeeze(&[shown], left.size, 0, Align::Centre).place(left);
        marks.extend(Column::squeeze(&blocks, right.size, self.class.gap(), Align::Left).place(right));
        marks
    }
}

/// An amount as people read it.
pub fn yuan(amount: Fen) -> String {
    format!("¥{amount}")
}

/// Minutes and seconds.
pub fn clock(seconds: u64) -> String {
    format!("{}:{:02}", seconds / 60, seconds % 60)
}
