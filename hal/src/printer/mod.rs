//! Receipts on an ESC/POS printer.
//!
//! A receipt is paper, no record: a printer that is gone or out of paper stops no sale unless the board says so, and what
//! could not be printed in its time is dropped and counted. Nothing comes out hours later under another buyer's eyes.

mod driver;
mod escpos;
mod layout;
mod session;
mod status;

pub(crate) use driver::{Driver, QUEUE_MAX, Way};
use escpos::Paper;
pub(crate) use session::Session;

/// Where a line of text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Align {
    /// At the left edge.
    #[default]
    Left,
    /// In the middle.
    Centre,
    /// At the right edge.
    Right,
}

/// How a line of text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// Where it stands.
    pub align: Align,
    /// Twice as wide and as high.
    pub double: bool,
    /// Bold.
    pub bold: bool,
}

/// One thing on a receipt, from top to bottom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// Text, wrapped at the paper's width; line ends are kept, other control characters are not printed.
    Text(String, Style),
    /// A name at the left and an amount at the right; a name that is too long is wrapped above it.
    Pair(String, String),
    /// A line across the paper.
    Rule,
    /// A QR code in the middle, as large as it fits; printed as text if it is too long for one.
    Qr(String),
    /// Empty lines.
    Feed(u8),
}

/// One receipt.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receipt {
    /// What is on it.
    pub items: Vec<Item>,
    /// It may have been printed before, as after a power cut: says so at its head.
    pub copy: bool,
}

/// Why a receipt was not taken on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PrintRefused {
    /// The board has no printer.
    #[error("this machine has no printer")]
    NoPrinter,
    /// Too many receipts wait already, or the driver ended.
    #[error("too many receipts wait already: look at the printer")]
    Busy,
}
