//! CSV as Excel opens it: UTF-8 with a byte order mark, CR LF, and no cell that becomes a formula or loses digits.

use rust_decimal::Decimal;

use super::{Cell, ExportError, Sheet};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Excel shows longer numbers as 4.2E+27 and forgets their end.
const DIGITS_SHOWN: usize = 11;

/// One sheet as CSV.
///
/// # Errors
/// [`ExportError::Csv`] when the writer fails, which bytes in memory give no reason for.
pub fn csv(sheet: &Sheet) -> Result<Vec<u8>, ExportError> {
    let failed = |error: String| ExportError::Csv(error);
    let mut writer = csv::WriterBuilder::new()
        .flexible(true)
        .terminator(csv::Terminator::CRLF)
        .from_writer(BYTE_ORDER_MARK.to_vec());
    let headings: Vec<String> = sheet.headings.iter().map(|heading| guarded(heading)).collect();
    writer.write_record(&headings).map_err(|error| failed(error.to_string()))?;
    for row in &sheet.rows {
        let cells: Vec<String> = row.iter().map(written).collect();
        writer.write_record(&cells).map_err(|error| failed(error.to_string()))?;
    }
    writer.into_inner().map_err(|error| failed(error.to_string()))
}

fn written(cell: &Cell) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Text(text) => guarded(text),
        Cell::Money(amount) => amount.to_yuan(),
        Cell::Count(count) => count.to_string(),
    }
}

/// An apostrophe before what Excel would compute, and a tab behind what it would shorten, as the channels' own bills
/// have it.
fn guarded(text: &str) -> String {
    let begins_formula = text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
        || text.starts_with(['\t', '\r', '\n']);
    if begins_formula && Decimal::from_str_exact(text).is_err() {
        return format!("'{text}");
    }
    let digits = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    if digits && (text.len() > DIGITS_SHOWN || (text.len() > 1 && text.starts_with('0'))) {
        return format!("{text}\t");
    }
    text.to_owned()
}
