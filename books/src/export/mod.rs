//! Tables out: CSV and Excel for people, with Chinese headings and words.

mod csv;
mod report;
#[cfg(feature = "xlsx")]
mod xlsx;

use payment::money::Fen;
use thiserror::Error;

pub use self::csv::csv;
pub use report::{channel_word, kind_word, report};
#[cfg(feature = "xlsx")]
pub use xlsx::xlsx;

/// A table with its headings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sheet {
    /// Its name: at most 31 characters, none of `[]:*?/\` (Excel's rule).
    pub name: String,
    /// One heading for each column.
    pub headings: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<Cell>>,
}

impl Sheet {
    /// A table without rows.
    #[must_use]
    pub fn new(name: &str, headings: &[&str]) -> Self {
        let headings = headings.iter().map(|heading| (*heading).to_owned()).collect();
        Self { name: name.to_owned(), headings, rows: Vec::new() }
    }
}

/// One cell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Cell {
    /// Nothing.
    #[default]
    Empty,
    /// Text, never a formula and never a number, even when it looks like one.
    Text(String),
    /// Money, written in yuan with two decimals.
    Money(Fen),
    /// A count.
    Count(u64),
}

impl Cell {
    /// Text, or nothing when it is blank.
    #[must_use]
    pub fn text(text: &str) -> Self {
        if text.is_empty() { Self::Empty } else { Self::Text(text.to_owned()) }
    }

    /// Text of what is there.
    #[must_use]
    pub fn of(text: Option<&str>) -> Self {
        text.map_or(Self::Empty, Self::text)
    }
}

/// Why no file was made.
#[derive(Debug, Error)]
pub enum ExportError {
    /// The sheet does not keep Excel's limits: rows, length of a text, characters of the name.
    #[error("the sheet {name:?} cannot be written as Excel ({reason}): export it as CSV, or fewer days at once")]
    Excel {
        /// The sheet's name.
        name: String,
        /// What the writer said.
        reason: String,
    },
    /// The CSV writer failed.
    #[error("the table could not be written as CSV ({0})")]
    Csv(String),
}

#[cfg(test)]
mod tests;
