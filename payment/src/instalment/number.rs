//! The guide's order numbers: `ANT`, the second as `yyMMddHHmmss`, and 5 letters or digits, such as
//! `ANT170908141236SX0DL`. It fits every `out_trade_no` (reference/alipay.md 17.1).

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use jiff::civil::DateTime;
use thiserror::Error;

use crate::channel::text::china;
use crate::time::Wall;

const PREFIX: &str = "ANT";
const SECOND: usize = 12;
/// How many characters end a number that is read: one of the guide's samples has 4, most likely by mistake.
const READ_END: RangeInclusive<usize> = 4..=MADE_END;
const MADE_END: usize = 5;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// A number of that style: 20 characters, 19 in an old list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AntNumber {
    text: String,
    at: DateTime,
}

/// Why a text is no such number.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("not an order number of the guide: it is ANT, year to second in 12 digits, and 5 letters or digits")]
pub struct NotAnAntNumber;

/// A new number for an order of this moment; `None` without a trusted clock, and in years that two digits of this century
/// cannot say.
///
/// Two orders of one second differ by the 5 characters only, 916,132,832 of them: fresh `entropy` for each, and a number
/// that is taken is made again.
#[must_use]
pub fn ant_number(wall: Wall, entropy: u64) -> Option<AntNumber> {
    let at = wall.trusted.then(|| china(wall))?;
    if !(2000..2100).contains(&at.year()) {
        return None;
    }
    let second = at.strftime("%y%m%d%H%M%S");
    format!("{PREFIX}{second}{}", ending(entropy)).parse().ok()
}

/// The bias of the remainder is below one in ten billion.
fn ending(entropy: u64) -> String {
    let mut rest = entropy;
    let mut next = || {
        // The remainder is below 62.
        let character = ALPHABET[usize::try_from(rest % 62).unwrap_or(0)];
        rest /= 62;
        char::from(character)
    };
    (0..MADE_END).map(|_| next()).collect()
}

impl AntNumber {
    /// The number.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The second in it, Beijing time: at most one second before the order was made.
    #[must_use]
    pub const fn at(&self) -> DateTime {
        self.at
    }
}

impl fmt::Display for AntNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for AntNumber {
    type Err = NotAnAntNumber;

    /// Reads a number of an old list, 4 or 5 characters at its end.
    fn from_str(text: &str) -> Result<Self, NotAnAntNumber> {
        let rest = text.strip_prefix(PREFIX).ok_or(NotAnAntNumber)?;
        let (second, end) = rest.split_at_checked(SECOND).ok_or(NotAnAntNumber)?;
        if !READ_END.contains(&end.len()) || !end.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(NotAnAntNumber);
        }
        let at = read_second(second).ok_or(NotAnAntNumber)?;
        Ok(Self { text: text.to_owned(), at })
    }
}

fn read_second(text: &str) -> Option<DateTime> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |index: usize| text.get(2 * index..2 * index + 2)?.parse::<i8>().ok();
    let year = 2000 + i16::from(part(0)?);
    DateTime::new(year, part(1)?, part(2)?, part(3)?, part(4)?, part(5)?, 0).ok()
}
