//! Excel out: money as numbers with two decimals, everything else as text, so that no number of an order loses a digit.

use payment::money::Fen;
use rust_xlsxwriter::{ColNum, Format, RowNum, Workbook, Worksheet, XlsxError};

use super::{Cell, ExportError, Sheet};

/// Sheets as one workbook.
///
/// # Errors
/// [`ExportError::Excel`] when a sheet is beyond Excel's limits: 1,048,576 rows, 32,767 characters in a cell, the
/// characters of its name.
pub fn xlsx(sheets: &[Sheet]) -> Result<Vec<u8>, ExportError> {
    let mut book = Workbook::new();
    for sheet in sheets {
        fill(book.add_worksheet(), sheet)
            .map_err(|error| ExportError::Excel { name: sheet.name.clone(), reason: error.to_string() })?;
    }
    let name = || sheets.first().map(|sheet| sheet.name.clone()).unwrap_or_default();
    book.save_to_buffer().map_err(|error| ExportError::Excel { name: name(), reason: error.to_string() })
}

fn fill(page: &mut Worksheet, sheet: &Sheet) -> Result<(), XlsxError> {
    page.set_name(&sheet.name)?;
    let bold = Format::new().set_bold();
    for (column, heading) in sheet.headings.iter().enumerate() {
        page.write_string_with_format(0, place(column)?, heading, &bold)?;
    }
    let money = Format::new().set_num_format("#,##0.00");
    for (row, cells) in sheet.rows.iter().enumerate() {
        let row = RowNum::try_from(row + 1).map_err(|_| XlsxError::RowColumnLimitError)?;
        for (column, cell) in cells.iter().enumerate() {
            write(page, (row, place(column)?), cell, &money)?;
        }
    }
    Ok(())
}

fn write(page: &mut Worksheet, (row, column): (RowNum, ColNum), cell: &Cell, money: &Format) -> Result<(), XlsxError> {
    match cell {
        Cell::Empty => Ok(()),
        Cell::Text(text) => page.write_string(row, column, text).map(drop),
        Cell::Money(amount) => match excel_number(*amount) {
            Some(number) => page.write_number_with_format(row, column, number, money).map(drop),
            None => page.write_string(row, column, amount.to_yuan()).map(drop),
        },
        Cell::Count(count) => match u32::try_from(*count) {
            Ok(number) => page.write_number(row, column, number).map(drop),
            Err(_) => page.write_string(row, column, count.to_string()).map(drop),
        },
    }
}

fn place(column: usize) -> Result<ColNum, XlsxError> {
    ColNum::try_from(column).map_err(|_| XlsxError::RowColumnLimitError)
}

/// Excel keeps numbers as floats of 15 digits: beyond ten trillion yuan the text is exact and the number is not.
fn excel_number(amount: Fen) -> Option<f64> {
    (amount.get().unsigned_abs() < 1_000_000_000_000_000).then(|| amount.to_yuan().parse().ok()).flatten()
}
