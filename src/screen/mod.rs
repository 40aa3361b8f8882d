//! The buyer's screen: pure drawing from [`View`] to any [`DrawTarget`].
//!
//! | module | subject |
//! |---|---|
//! | `words` | every string, in both languages |
//! | `pages` | what each view shows |
//! | `pay` | the pay page: the largest code that leaves room for the words |
//! | `codes`, `plans` | what stands on it: one code or two, the instalments |
//! | `layout` | columns of text that fit their place |
//! | `mark` | what a screen is made of, each with its area |
//! | `qr`, `picture`, `text`, `breaking`, `glyphs`, `ink` | how the marks are drawn |
//! | `style`, `colour` | sizes for each class of panel, the palette |
//!
//! Any size from 240×240 up works, landscape and portrait; on e-papers of 250×122 and 296×128 the pay page with one code and
//! the short notices do. Nothing here fails but the target: a character without a
//! glyph is a box, a text without room shrinks and then ends in an ellipsis.

mod breaking;
mod codes;
pub mod colour;
mod glyphs;
mod ink;
mod layout;
pub mod mark;
mod pages;
mod pay;
pub mod picture;
mod plans;
pub mod qr;
mod style;
mod text;
mod words;

use embedded_graphics::pixelcolor::Rgb565;
use embedded_graphics::prelude::*;
use payment::engine::view::View;

use mark::Mark;

pub use text::{Font, text_fonts};
pub use words::{ALL as ALL_WORDS, Language};

/// What a screen shows besides the view.
#[derive(Debug, Clone, Default)]
pub struct Look {
    /// The buyer's language.
    pub language: Language,
    /// The merchant's name; may be empty.
    pub merchant: String,
    /// Whom to call when it did not work out, such as a telephone number.
    pub support: Option<String>,
}

/// Draws a view over the whole target.
///
/// # Errors
///
/// What the target reports; nothing else can fail.
pub fn draw<D: DrawTarget<Color = Rgb565>>(view: &View, look: &Look, target: &mut D) -> Result<(), D::Error> {
    let screen = target.bounding_box();
    target.fill_solid(&screen, colour::PAPER)?;
    for mark in compose(view, look, screen.size) {
        mark.moved(screen.top_left).draw(target)?;
    }
    Ok(())
}

/// What a view is made of on a panel of this size, counted from its upper left corner.
#[must_use]
pub fn compose(view: &View, look: &Look, size: Size) -> Vec<Mark> {
    pages::compose(view, look, size)
}
