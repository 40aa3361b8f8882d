//! Words set in columns: as large as the place allows, smaller when it is tight, with an ellipsis when nothing else
//! helps. What may be missing goes first.

use embedded_graphics::pixelcolor::Rgb565;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::Rectangle;

use super::breaking::Broken;
use super::colour::PAPER;
use super::mark::Mark;
use super::picture::Picture;
use super::text::Font;

/// Where lines stand in their column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// At the left edge.
    Left,
    /// In the middle.
    Centre,
}

/// What the words stand on.
#[derive(Debug, Clone, Copy)]
pub enum Surface {
    /// The paper.
    Bare,
    /// A panel of this colour.
    Filled(Rgb565),
    /// A frame of this colour.
    Framed(Rgb565),
}

/// A text with the fonts it may have, largest first.
#[derive(Debug, Clone)]
pub struct Words {
    /// What it says.
    pub text: String,
    /// The fonts it may have, largest first.
    pub fonts: &'static [Font],
    /// The colour of the letters.
    pub ink: Rgb565,
}

/// One paragraph, row or picture of a column.
#[derive(Debug, Clone)]
pub struct Block {
    content: Content,
    surface: Surface,
    wide: bool,
    optional: bool,
}

#[derive(Debug, Clone)]
enum Content {
    Paragraph { words: Words, lines: usize, elide: bool },
    Row(Vec<Words>),
    Picture(Picture, &'static [u32]),
}

/// A block with its font chosen and its lines broken; its marks count from the column's upper left corner.
#[derive(Debug, Clone)]
struct Set {
    marks: Vec<Mark>,
    height: u32,
}

/// Blocks under each other.
#[derive(Debug, Clone)]
pub struct Column {
    sets: Vec<Set>,
    gap: u32,
}

/// How many times a column may get smaller before something is left out.
const LEVELS: usize = 6;

impl Block {
    /// A text of at most `lines` lines that must be readable in full.
    pub const fn text(words: Words, lines: usize) -> Self {
        let content = Content::Paragraph { words, lines, elide: false };
        Self { content, surface: Surface::Bare, wide: false, optional: false }
    }

    /// A name: it is cut with an ellipsis rather than make everything else small.
    pub const fn name(words: Words, lines: usize) -> Self {
        let content = Content::Paragraph { words, lines, elide: true };
        Self { content, surface: Surface::Bare, wide: false, optional: false }
    }

    /// Texts side by side on one base line: the first at the left, the last at the right edge.
    pub const fn row(words: Vec<Words>) -> Self {
        Self { content: Content::Row(words), surface: Surface::Bare, wide: false, optional: false }
    }

    /// A picture in one of these sizes, largest first.
    pub const fn picture(picture: Picture, sides: &'static [u32]) -> Self {
        let content = Content::Picture(picture, sides);
        Self { content, surface: Surface::Bare, wide: false, optional: false }
    }

    /// On another surface.
    pub const fn on(mut self, surface: Surface) -> Self {
        self.surface = surface;
        self
    }

    /// Its surface is as wide as the column.
    pub const fn wide(mut self) -> Self {
        self.wide = true;
        self
    }

    /// May be left out where there is no room.
    pub const fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Whether it has nothing to say.
    pub fn is_empty(&self) -> bool {
        match &self.content {
            Content::Paragraph { words, .. } => words.text.is_empty(),
            Content::Row(words) => words.is_empty(),
            Content::Picture(..) => false,
        }
    }

    /// How many sizes it can have.
    fn sizes(&self) -> usize {
        match &self.content {
            Content::Paragraph { words, .. } => words.fonts.len(),
            Content::Row(words) => words.iter().map(|each| each.fonts.len()).max().unwrap_or(1),
            Content::Picture(_, sides) => sides.len(),
        }
    }

    fn elided(mut self) -> Self {
        if let Content::Paragraph { elide, .. } = &mut self.content {
            *elide = true;
        }
        self
    }

    fn set(&self, level: usize, width: u32, align: Align) -> Option<Set> {
        match &self.content {
            Content::Paragraph { words, lines, elide } => {
                let (font, lines) = self.broken(words, (*lines, *elide), level, width)?;
                Some(self.paragraph(words.ink, font, lines, (width, align)))
            }
            Content::Row(words) => row(words, level, width),
            Content::Picture(picture, sides) => {
                let side = *sides.get(level.min(sides.len() - 1))?;
                let area = Rectangle::new(Point::zero(), Size::new(side.min(width), side));
                let area = aligned(area, width, align);
                let marks = vec![Mark::Picture { area, picture: *picture }];
                Some(Set { marks, height: side })
            }
        }
    }

    /// The largest font, from the level on, in which the text has no more than its lines.
    fn broken(
        &self,
        words: &Words,
        (most, elide): (usize, bool),
        level: usize,
        width: u32,
    ) -> Option<(Font, Vec<String>)> {
        let from = level.min(words.fonts.len() - 1);
        let inner = |font: Font| width.saturating_sub(2 * self.padding(font).width);
        for font in &words.fonts[from..] {
            let broken = Broken::new(&words.text, *font);
            if broken.keeps_words(inner(*font)) {
                let lines = broken.balanced_lines(inner(*font));
                if lines.len() <= most {
                    return Some((*font, lines));
                }
            }
        }
        let smallest = *words.fonts.last()?;
        let broken = Broken::new(&words.text, smallest);
        elide.then(|| (smallest, broken.lines_with_ellipsis(inner(smallest), most)))
    }

    fn padding(&self, font: Font) -> Size {
        match self.surface {
            Surface::Bare => Size::zero(),
            Surface::Filled(_) | Surface::Framed(_) => Size::new(font.em() / 2, font.em() / 4),
        }
    }

    fn paragraph(&self, ink: Rgb565, font: Font, lines: Vec<String>, (width, align): (u32, Align)) -> Set {
        let padding = self.padding(font);
        let line_height = font.line_height();
        let widest = lines.iter().map(|line| font.width(line)).max().unwrap_or(0);
        let height = line_height * lines.len() as u32 + 2 * padding.height;
        let content = widest + 2 * padding.width;
        let ground = Rectangle::new(Point::zero(), Size::new(if self.wide { width } else { content }, height));
        let ground = aligned(ground, width, align);
        let (mut marks, paper) = self.grounding(ground, font);
        for (index, text) in (0_u32..).zip(lines) {
            let y = (padding.height + index * line_height).cast_signed();
            let area =
                Rectangle::new(Point::new(padding.width.cast_signed(), y), Size::new(font.width(&text), line_height));
            let area = aligned(area, ground.size.width, align).translate(Point::new(ground.top_left.x, 0));
            marks.push(Mark::Line { area, text, font, ink, paper });
        }
        Set { marks, height }
    }

    fn grounding(&self, area: Rectangle, font: Font) -> (Vec<Mark>, Rgb565) {
        match self.surface {
            Surface::Bare => (Vec::new(), PAPER),
            Surface::Filled(colour) => (vec![Mark::Panel { area, colour }], colour),
            Surface::Framed(colour) => {
                let stroke = (font.em() / 16).max(2);
                (vec![Mark::Frame { area, colour, stroke }], PAPER)
            }
        }
    }
}

/// Moves an area sideways to where it stands in a column.
fn aligned(area: Rectangle, width: u32, align: Align) -> Rectangle {
    match align {
        Align::Left => area,
        Align::Centre => {
            let x = width.saturating_sub(area.size.width) / 2;
            Rectangle::new(Point::new(x.cast_signed(), area.top_left.y), area.size)
        }
    }
}

fn row(words: &[Words], level: usize, width: u32) -> Option<Set> {
    let deepest = words.iter().map(|each| each.fonts.len()).max()?;
    (level..deepest.max(level + 1)).find_map(|level| row_at(words, level, width))
}

fn row_at(words: &[Words], level: usize, width: u32) -> Option<Set> {
    let fonts: Vec<Font> = words.iter().map(|each| each.fonts[level.min(each.fonts.len() - 1)]).collect();
    let widths: Vec<u32> = words.iter().zip(&fonts).map(|(each, font)| font.width(&each.text)).collect();
    let gaps = u32::try_from(words.len().saturating_sub(1)).ok()?;
    let spare = width.checked_sub(widths.iter().sum())?;
    let least = fonts.iter().map(|font| font.em() / 2).min()?;
    if spare < gaps * least {
        return None;
    }
    let base = fonts.iter().map(|font| font.base_line()).max()?;
    let (mut x, mut height, mut marks) = (0, 0, Vec::new());
    for ((each, font), width) in words.iter().zip(fonts).zip(widths) {
        let y = base - font.base_line();
        let corner = Point::new(x, y.cast_signed());
        let area = Rectangle::new(corner, Size::new(width, font.line_height()));
        height = height.max(y + font.line_height());
        x += (width + spare / gaps.max(1)).cast_signed();
        marks.push(Mark::Line { area, text: each.text.clone(), font, ink: each.ink, paper: PAPER });
    }
    Some(Set { marks, height })
}

impl Column {
    /// Sets all blocks as large as the size allows. `None` when even the smallest fonts do not fit.
    pub fn fit(blocks: &[Block], size: Size, gap: u32, align: Align) -> Option<Self> {
        let levels = blocks.iter().map(Block::sizes).max().unwrap_or(1).min(LEVELS);
        (0..levels).find_map(|level| Self::fit_at(blocks, level, size, gap, align))
    }

    fn fit_at(blocks: &[Block], level: usize, size: Size, gap: u32, align: Align) -> Option<Self> {
        let mut column = Self { sets: Vec::with_capacity(blocks.len()), gap };
        for block in blocks {
            column.sets.push(block.set(level, size.width, align)?);
            // Breaking lines costs most of the time: no more of them than needed.
            if column.height() > size.height {
                return None;
            }
        }
        Some(column)
    }

    /// Like [`Column::fit`], but leaves out what is optional, from the last on, until the rest fits.
    pub fn fit_the_needed(blocks: &[Block], size: Size, gap: u32, align: Align) -> Option<Self> {
        let mut kept = blocks.to_vec();
        loop {
            if let Some(column) = Self::fit(&kept, size, gap, align) {
                return Some(column);
            }
            let last = kept.iter().rposition(|block| block.optional)?;
            kept.remove(last);
        }
    }

    /// Like [`Column::fit_the_needed`], and when not even that fits, as much as there is room for, in the smallest fonts.
    pub fn squeeze(blocks: &[Block], size: Size, gap: u32, align: Align) -> Self {
        Self::fit(blocks, size, gap, align)
            .or_else(|| Self::fit_the_needed(blocks, size, gap / 2, align))
            .unwrap_or_else(|| Self::cut(blocks, size, align))
    }

    fn cut(blocks: &[Block], size: Size, align: Align) -> Self {
        let mut column = Self { sets: Vec::new(), gap: 0 };
        for block in blocks.iter().filter(|block| !block.optional) {
            column.sets.extend(block.clone().elided().set(LEVELS, size.width, align));
            if column.height() > size.height {
                column.sets.pop();
            }
        }
        column
    }

    /// The first `count` blocks and the others, as two columns.
    pub fn split(mut self, count: usize) -> (Self, Self) {
        let rest = self.sets.split_off(count.min(self.sets.len()));
        let gap = self.gap;
        (self, Self { sets: rest, gap })
    }

    /// The height of all blocks under each other.
    pub fn height(&self) -> u32 {
        let gaps = self.sets.len().saturating_sub(1) as u32 * self.gap;
        self.sets.iter().map(|set| set.height).sum::<u32>() + gaps
    }

    /// Puts the blocks under each other, in the middle of an area.
    pub fn place(self, area: Rectangle) -> Vec<Mark> {
        let spare = area.size.height.saturating_sub(self.height());
        let mut corner = area.top_left + Point::new(0, (spare / 2).cast_signed());
        let mut marks = Vec::new();
        for set in self.sets {
            marks.extend(set.marks.into_iter().map(|mark| mark.moved(corner)));
            corner.y += (set.height + self.gap).cast_signed();
        }
        marks
    }
}
