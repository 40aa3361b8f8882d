//! Why bytes are not a statement: for the person who ordered the reconciliation.

use thiserror::Error;

/// What happened, what it means, what to do.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum Unreadable {
    /// No bytes.
    #[error("the file is empty: nothing was downloaded; fetch it again")]
    Empty,
    /// Beyond [`super::UNPACKED_MAX`].
    #[error(
        "the file has more than {limit} bytes (unpacked, if it is packed): it was not read; check that it is a statement, or ask the channel for smaller ones"
    )]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// Beyond [`super::ROWS_MAX`].
    #[error("the file has more than {limit} rows: it was not read; ask the channel for one file per store")]
    TooManyRows {
        /// The limit.
        limit: usize,
    },
    /// Zip or gzip, but broken.
    #[error("the archive is damaged ({reason}): no row of it can be trusted; fetch it again")]
    Damaged {
        /// What the unpacking said.
        reason: String,
    },
    /// A zip behind a password.
    #[error(
        "{name:?} in the archive is locked with a password: it is no statement of the open platform; download the bill by the interface or the merchant's portal"
    )]
    Locked {
        /// The entry's name.
        name: String,
    },
    /// Not the encoding that this channel writes.
    #[error(
        "the text is not {wanted}: the file is damaged, of another channel, or was saved anew by another program; use the file as it was downloaded"
    )]
    Encoding {
        /// The encoding that was expected.
        wanted: &'static str,
    },
    /// The gateway's answer instead of a file.
    #[error(
        "this is an answer of the gateway, not a statement: {beginning:?}; there may be no trade on that day, or the file is not made yet; look at the code in it, or fetch again later"
    )]
    Answer {
        /// Its beginning.
        beginning: String,
    },
    /// No table with the columns of this source.
    #[error(
        "no table with the columns {missing:?} was found; the file begins with {beginning:?}. It is of another kind or channel, or the channel changed its layout; nothing was read"
    )]
    Columns {
        /// The columns that are not there.
        missing: Vec<&'static str>,
        /// What is there instead.
        beginning: String,
    },
    /// [`super::Unit::ByPoint`] met both forms.
    #[error(
        "row {row} writes money with a decimal point and other rows do not: yuan and fen cannot be told apart; set the unit of this channel's statements"
    )]
    MixedUnits {
        /// The first row of the second form.
        row: usize,
    },
    /// [`super::Unit::ByPoint`] met no decimal point in Excel, which does not show it for whole yuan.
    #[error(
        "no amount in the Excel file has decimals, so it cannot be told whether it is yuan or fen; set the unit of this channel's statements"
    )]
    UnknownUnit,
    /// Excel that could not be opened.
    #[error("the Excel file could not be read ({reason}): open it and save it as .xlsx, or use the text file")]
    Excel {
        /// What the reader said.
        reason: String,
    },
    /// Excel in a build without it.
    #[error(
        "this is an Excel file, and this build of Till reads only text statements: use the text file, or the build for offices"
    )]
    NoExcel,
}

/// The beginning of a text, short enough for a message.
pub(super) fn beginning(text: &str) -> String {
    text.trim_start_matches('\u{feff}').trim().chars().take(120).collect()
}
