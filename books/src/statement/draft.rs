//! A row on its way to a line: what cannot be read is remarked, never dropped.

use payment::money::Fen;
use rust_decimal::Decimal;

use super::amount::{decimal, fen, magnitude};
use super::{At, Cells, Kind, Line, Numbers, Remark, Standing, Statement, Trouble, Unit};
use crate::day;

/// One row and the statement that it will be a line of.
pub(super) struct Draft<'a> {
    statement: &'a mut Statement,
    row: usize,
    cells: Cells,
    unit: Unit,
}

impl<'a> Draft<'a> {
    pub(super) fn new(statement: &'a mut Statement, row: usize, cells: Cells, unit: Unit) -> Self {
        Self { statement, row, cells, unit }
    }

    pub(super) fn remark(&mut self, trouble: Trouble) {
        self.statement.remarks.push(Remark::Row { row: self.row, trouble });
    }

    /// A cell's text, empty when there is no such column.
    pub(super) fn text(&self, column: &str) -> String {
        self.cells.get(column).unwrap_or_default().to_owned()
    }

    /// A number of an order; the channels print `0` or nothing where there is none.
    pub(super) fn number(&self, column: &str) -> Option<String> {
        self.cells.get(column).filter(|text| !matches!(*text, "" | "0" | "-")).map(str::to_owned)
    }

    /// The same from the first of several columns that is there and not empty.
    pub(super) fn number_of(&self, columns: &[&str]) -> Option<String> {
        columns.iter().find_map(|column| self.number(column))
    }

    /// Whether the cells are such.
    pub(super) fn is(&self, such: impl Fn(&Cells) -> bool) -> bool {
        such(&self.cells)
    }

    /// A moment in China's time.
    pub(super) fn at(&self, column: &str) -> At {
        let text = self.text(column);
        let ms = day::read(&text);
        At { text, ms }
    }

    /// An amount with its sign; nothing when the column is not there or blank.
    pub(super) fn money(&mut self, column: &str) -> Option<Fen> {
        let text = self.cells.get(column).filter(|text| !text.is_empty())?.to_owned();
        let amount = decimal(&text).and_then(|number| fen(number, self.unit));
        if amount.is_none() {
            self.remark(Trouble::Cell { column: column.to_owned(), text });
        }
        amount
    }

    /// A fee with its sign as written. WeChat Pay writes five decimals: what is finer than a fen is remarked and left out.
    pub(super) fn fee(&mut self, column: &str) -> Option<Fen> {
        let text = self.cells.get(column).filter(|text| !text.is_empty())?.to_owned();
        let Some(number) = decimal(&text) else {
            self.remark(Trouble::Cell { column: column.to_owned(), text });
            return None;
        };
        let fee = fen(number, self.unit);
        if fee.is_none() {
            self.remark(Trouble::FineFee(text));
        }
        fee
    }

    /// Remarks a sign that the kind should not have: a payment below zero, a refund above it where refunds are below.
    pub(super) fn check_sign(&mut self, kind: Kind, amount: Option<Fen>, refunds_below_zero: bool) {
        let Some(amount) = amount.map(Fen::get) else { return };
        let strange = match kind {
            Kind::Payment => amount < 0,
            Kind::Refund | Kind::Reversal => refunds_below_zero && amount > 0,
            Kind::Other => false,
        };
        if strange {
            self.remark(Trouble::Sign);
        }
    }

    /// Adds the line. Without an amount it is no payment and no refund.
    pub(super) fn push(mut self, told: Told) {
        let kind = if told.amount.is_some() { told.kind } else { Kind::Other };
        // What stands there and is no amount was remarked when it was read.
        if told.amount.is_none() && told.kind != Kind::Other && self.text(told.amount_column).is_empty() {
            self.remark(Trouble::Cell { column: told.amount_column.to_owned(), text: self.text(told.amount_column) });
        }
        self.statement.lines.push(Line {
            row: self.row,
            kind,
            amount: told.amount.map(magnitude).unwrap_or_default(),
            fee: told.fee,
            at: told.at,
            numbers: told.numbers,
            standing: told.standing,
            words: told.words,
            cells: self.cells,
        });
    }
}

/// What a row told.
pub(super) struct Told {
    pub(super) kind: Kind,
    /// With or without its sign; the line has it without.
    pub(super) amount: Option<Fen>,
    /// Where the amount should have stood.
    pub(super) amount_column: &'static str,
    pub(super) fee: Option<Fen>,
    pub(super) at: At,
    pub(super) numbers: Numbers,
    pub(super) standing: Standing,
    pub(super) words: String,
}

/// A row whose cells fit under no headings: kept, and remarked.
pub(super) fn misshapen(statement: &mut Statement, row: usize, cells: Cells) {
    let trouble = Trouble::Shape { cells: cells.values.len(), headings: cells.headings.len() };
    statement.remarks.push(Remark::Row { row, trouble });
    statement.lines.push(Line {
        row,
        kind: Kind::Other,
        amount: Fen::ZERO,
        fee: None,
        at: At::default(),
        numbers: Numbers { others: long_cells(&cells), ..Numbers::default() },
        standing: Standing::Done,
        words: String::new(),
        cells,
    });
}

/// What could be a number of an order, so that a search still finds the row.
fn long_cells(cells: &Cells) -> Vec<String> {
    cells.values.iter().filter(|cell| cell.len() >= 12 && cell.is_ascii()).cloned().collect()
}

/// The sum of a column over lines, exactly; `None` when a cell is no number.
pub(super) fn sum_of<'a>(lines: impl Iterator<Item = &'a Line>, column: &str) -> Option<Decimal> {
    lines
        .map(|line| line.cells.get(column).unwrap_or_default())
        .try_fold(Decimal::ZERO, |sum, text| if text.is_empty() { Some(sum) } else { sum.checked_add(decimal(text)?) })
}
