//! Allinpay's statements: VSP and YunST, text and Excel.

pub(super) mod vsp;
pub(super) mod yst;

use std::sync::Arc;

use super::container::Sheet;
use super::table::{self, Fitted, Headings};
use super::{Cells, Remark, Statement, Unit, Unreadable};

/// Titles and notes may stand above Excel's headings.
const ABOVE_HEADINGS: usize = 30;

/// A table as it was found: its rows fit under its headings or not.
struct Table {
    headings: Headings,
    rows: Vec<(usize, Fitted)>,
    /// Where the amount stands, and its unit when the heading tells it.
    amount: (&'static str, Option<Unit>),
    /// Excel shows `4.00` as `4`.
    hides_points: bool,
}

/// The headings that an amount can have, and the unit that they tell.
const AMOUNTS: &[(&str, Option<Unit>)] = &[
    ("交易金额(元)", Some(Unit::Yuan)),
    ("交易金额(分)", Some(Unit::Fen)),
    ("交易金额", None),
    ("订单金额(元)", Some(Unit::Yuan)),
    ("订单金额(分)", Some(Unit::Fen)),
    ("订单金额", None),
];

fn amount_column(headings: &Headings) -> Option<(&'static str, Option<Unit>)> {
    AMOUNTS.iter().copied().find(|(name, _)| headings.place(name).is_some())
}

impl Table {
    /// The table of a sheet, below whatever stands above its headings.
    fn of_sheet(sheet: &Sheet, wanted: &[&'static str]) -> Option<Self> {
        let top = sheet.rows.iter().take(ABOVE_HEADINGS);
        let (place, headings) =
            top.enumerate().find_map(|(place, (_, cells))| Some((place, Headings::of(cells, wanted)?)))?;
        let amount = amount_column(&headings)?;
        let width = headings.names.len();
        let fitted = |cells: &Vec<String>| {
            let mut cells = cells.clone();
            if cells.len() > width {
                Err(cells)
            } else {
                cells.resize(width, String::new());
                Ok(cells)
            }
        };
        let body = sheet.rows.iter().skip(place + 1);
        let rows = body.map(|(row, cells)| (*row, fitted(cells))).collect();
        Some(Self { headings, rows, amount, hides_points: true })
    }

    /// Settles in which unit the money is, before a single amount is believed.
    fn unit(&self, asked: Unit, statement: &mut Statement) -> Result<Unit, Unreadable> {
        if let Some(told) = self.amount.1 {
            return Ok(told);
        }
        match asked {
            Unit::Yuan | Unit::Fen => return Ok(asked),
            Unit::ByPoint => (),
        }
        let Some(column) = self.headings.place(self.amount.0) else { return Ok(asked) };
        let written = |(row, cells): &(usize, Fitted)| {
            let text = cells.as_ref().ok()?.get(column)?;
            text.contains(|c: char| c.is_ascii_digit()).then(|| (*row, text.contains('.')))
        };
        let points: Vec<(usize, bool)> = self.rows.iter().filter_map(written).collect();
        self.by_point(&points, statement)
    }

    fn by_point(&self, points: &[(usize, bool)], statement: &mut Statement) -> Result<Unit, Unreadable> {
        let Some((_, first)) = points.first() else { return Ok(Unit::Yuan) };
        let other = points.iter().find(|(_, point)| point != first);
        let (unit, what, chinese) = match (self.hides_points, *first || other.is_some(), other) {
            (false, _, Some((row, _))) => return Err(Unreadable::MixedUnits { row: *row }),
            (true, false, _) => return Err(Unreadable::UnknownUnit),
            (_, true, _) => (Unit::Yuan, "amounts have decimal points: read as yuan", "金额带小数点，按元读取"),
            (false, false, None) => {
                (Unit::Fen, "no amount has a decimal point: read as fen", "金额均无小数点，按分读取")
            }
        };
        statement.remarks.push(Remark::Assumed { what, chinese });
        Ok(unit)
    }

    fn cells(&self, values: Vec<String>) -> Cells {
        Cells { headings: Arc::clone(&self.headings.names), values }
    }
}

/// The tables of an Excel file; sheets without one are remarked unless they are empty.
fn tables_of(sheets: &[Sheet], wanted: &[&'static str], statement: &mut Statement) -> Result<Vec<Table>, Unreadable> {
    let mut tables = Vec::new();
    for sheet in sheets {
        match Table::of_sheet(sheet, wanted) {
            Some(table) => tables.push(table),
            None if sheet.rows.is_empty() => (),
            None => statement.remarks.push(Remark::ExtraFile { name: sheet.name.clone() }),
        }
    }
    if tables.is_empty() {
        let first = sheets.iter().find_map(|sheet| sheet.rows.first());
        return Err(table::no_table(wanted, &first.map(|(_, cells)| cells.join(",")).unwrap_or_default()));
    }
    Ok(tables)
}

/// A row that adds up others, as Excel files end.
fn is_sum(cells: &Cells) -> bool {
    cells
        .values
        .iter()
        .find(|cell| !cell.is_empty())
        .is_some_and(|cell| cell.starts_with("合计") || cell.starts_with("总计"))
}
