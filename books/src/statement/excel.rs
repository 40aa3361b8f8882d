//! Excel in: every sheet's cells as text, streamed, so that a far corner of a sheet costs nothing.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, Reader, Xlsx};

use super::container::Sheet;
use super::table::bare;
use super::{CELLS_MAX, ROWS_MAX, UNPACKED_MAX, Unreadable};

/// More sheets than a month of days have no place in a statement.
const SHEETS_MAX: usize = 64;

/// From here on Excel's numbers have lost digits.
const EXACT_DIGITS: usize = 15;

/// All sheets. `entries` are the same file unpacked, which bounded its size already.
pub(super) fn sheets(bytes: &[u8], entries: &[(String, Vec<u8>)]) -> Result<Vec<Sheet>, Unreadable> {
    for (_, content) in entries {
        believable_counts(content)?;
    }
    // The reader is careful, but it has expectations of its own: a file that breaks one is refused like any other.
    catch_unwind(AssertUnwindSafe(|| read(bytes))).unwrap_or_else(|_| Err(excel("it is damaged")))
}

fn excel(reason: impl std::fmt::Display) -> Unreadable {
    Unreadable::Excel { reason: reason.to_string() }
}

/// The reader reserves memory for as many texts as the file claims to have, so a claim beyond its bytes is refused.
fn believable_counts(content: &[u8]) -> Result<(), Unreadable> {
    const CLAIM: &[u8] = b"uniqueCount";
    let mut from = 0;
    while let Some(found) =
        content.get(from..).and_then(|rest| rest.windows(CLAIM.len()).position(|part| part == CLAIM))
    {
        from += found + CLAIM.len();
        let rest = content.get(from..).unwrap_or_default();
        let digits =
            rest.iter().skip_while(|byte| matches!(byte, b'=' | b'"' | b'\'' | b' ' | b'\t' | b'\r' | b'\n' | b'+'));
        let digits: Vec<u8> = digits.take_while(|byte| byte.is_ascii_digit()).take(20).copied().collect();
        let claimed: usize = std::str::from_utf8(&digits).ok().and_then(|text| text.parse().ok()).unwrap_or(usize::MAX);
        if claimed > content.len() {
            return Err(excel("it claims to hold more than it does"));
        }
    }
    Ok(())
}

/// What all sheets together may still hold: one text may stand in a million cells, one sheet under many names.
struct Room {
    rows: usize,
    bytes: usize,
}

fn read(bytes: &[u8]) -> Result<Vec<Sheet>, Unreadable> {
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(excel)?;
    let mut room = Room { rows: ROWS_MAX, bytes: UNPACKED_MAX };
    let names = book.sheet_names();
    names.into_iter().take(SHEETS_MAX).map(|name| sheet(&mut book, name, &mut room)).collect()
}

fn sheet(book: &mut Xlsx<Cursor<&[u8]>>, name: String, room: &mut Room) -> Result<Sheet, Unreadable> {
    let mut rows: Vec<(usize, Vec<String>)> = Vec::new();
    let mut cells = book.worksheet_cells_reader(&name).map_err(excel)?;
    while let Some(cell) = cells.next_cell().map_err(excel)? {
        let (row, column) = cell.get_position();
        let (Ok(row), Ok(column)) = (usize::try_from(row), usize::try_from(column)) else { continue };
        let text = text(cell.get_value());
        if text.is_empty() {
            continue;
        }
        if column >= CELLS_MAX {
            return Err(excel(format_args!("row {} has more than {CELLS_MAX} cells", row + 1)));
        }
        if rows.last().is_none_or(|(last, _)| *last != row + 1) {
            room.take_row()?;
            rows.push((row + 1, Vec::new()));
        }
        room.take_text(&text)?;
        if let Some((_, cells)) = rows.last_mut() {
            cells.resize(cells.len().max(column + 1), String::new());
            cells[column] = text;
        }
    }
    Ok(Sheet { name, rows })
}

impl Room {
    fn take_row(&mut self) -> Result<(), Unreadable> {
        self.rows = self.rows.checked_sub(1).ok_or(Unreadable::TooManyRows { limit: ROWS_MAX })?;
        Ok(())
    }

    fn take_text(&mut self, text: &str) -> Result<(), Unreadable> {
        self.bytes = self.bytes.checked_sub(text.len()).ok_or(Unreadable::TooLarge { limit: UNPACKED_MAX })?;
        Ok(())
    }
}

fn text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Int(number) => exact(number.to_string()),
        DataRef::Float(number) => exact(number.to_string()),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => bare(text).to_owned(),
        DataRef::SharedString(text) => bare(text).to_owned(),
        DataRef::Bool(truth) => truth.to_string(),
        DataRef::DateTime(at) => {
            let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
        }
        DataRef::Error(error) => error.to_string(),
        DataRef::Empty => String::new(),
    }
}

/// A long number that was stored as a number is not the number any more: it is marked, and matches nothing.
fn exact(number: String) -> String {
    let digits = number.chars().filter(char::is_ascii_digit).count();
    if digits > EXACT_DIGITS { format!("≈{number}") } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_lost_digits_is_marked_and_matches_nothing() {
        assert_eq!(text(&DataRef::Float(3.5)), "3.5");
        assert_eq!(text(&DataRef::Float(350.0)), "350");
        assert!(text(&DataRef::Float(4.200_001_234_202_605e27)).starts_with('≈'));
    }

    #[test]
    fn a_claim_beyond_the_files_own_size_reserves_nothing() {
        assert_eq!(believable_counts(b"<sst uniqueCount=\"3\"><si/><si/><si/></sst>"), Ok(()));
        for claim in ["uniqueCount=\"99999999999\"", "uniqueCount = '18446744073709551615'", "uniqueCount=x"] {
            assert!(believable_counts(format!("<sst {claim}/>").as_bytes()).is_err(), "{claim}");
        }
    }

    #[test]
    fn one_long_text_in_many_cells_is_refused() {
        let mut book = rust_xlsxwriter::Workbook::new();
        let page = book.add_worksheet();
        let long = "x".repeat(32_000);
        for row in 0..2_200 {
            page.write_string(row, 0, &long).unwrap();
        }
        let bytes = book.save_to_buffer().unwrap();
        assert_eq!(read(&bytes).map(drop), Err(Unreadable::TooLarge { limit: UNPACKED_MAX }));
    }
}
