//! A file's own sums against its rows.

use rust_decimal::Decimal;

use super::amount::decimal;
use super::{Remark, Statement};

/// One sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    /// Its name in the file.
    pub name: String,
    /// What the file says.
    pub said: String,
    /// What the rows make, in the same unit; `None` when a row could not be added up.
    pub rows: Option<Decimal>,
}

impl Total {
    /// Whether the file and its rows agree.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.rows.is_some() && decimal(&self.said) == self.rows
    }
}

impl Statement {
    /// Keeps a sum, and remarks one that differs.
    pub(super) fn total(&mut self, name: &str, said: &str, rows: Option<Decimal>) {
        let total = Total { name: name.to_owned(), said: said.to_owned(), rows };
        if !total.agrees() {
            let rows = rows.map_or_else(|| "?".to_owned(), |sum| sum.to_string());
            self.remarks.push(Remark::Total { name: total.name.clone(), said: total.said.clone(), rows });
        }
        self.totals.push(total);
    }
}

/// A count as a number to compare.
pub(super) fn count(lines: usize) -> Option<Decimal> {
    Some(Decimal::from(lines))
}
