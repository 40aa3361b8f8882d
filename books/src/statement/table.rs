//! Rows and headings of a text table, where quoting and commas are not to be relied on.

use std::sync::Arc;

use super::unreadable::beginning;
use super::{CELLS_MAX, ROWS_MAX, Unreadable};

/// Whether two headings name the same column: `金额（元）` and `金额(元)` do.
pub(super) fn same_heading(one: &str, other: &str) -> bool {
    plain(one).eq(plain(other))
}

fn plain(heading: &str) -> impl Iterator<Item = char> {
    let narrow = |c| match c {
        '（' => '(',
        '）' => ')',
        '＋' => '+',
        '－' => '-',
        _ => c,
    };
    heading.chars().filter(|c| !c.is_whitespace() && *c != '\u{feff}').map(narrow)
}

/// A cell without what the channels put around it: blanks, tabs (Alipay) and the leading back-tick (WeChat Pay).
pub(super) fn bare(cell: &str) -> &str {
    let cell = cell.trim();
    cell.strip_prefix('`').unwrap_or(cell).trim()
}

/// The headings of a table that was found.
pub(super) struct Headings {
    pub(super) names: Arc<[String]>,
}

impl Headings {
    /// These names, when all `wanted` are among them.
    pub(super) fn of(cells: &[String], wanted: &[&str]) -> Option<Self> {
        let has = |name: &&str| cells.iter().any(|cell| same_heading(cell, name));
        wanted.iter().all(has).then(|| Self { names: cells.into() })
    }

    /// The place of a column.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| same_heading(known, name))
    }
}

/// The lines that say something, with their numbers from 1.
pub(super) fn lines(text: &str) -> Result<Vec<(usize, &str)>, Unreadable> {
    let written = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let lines: Vec<(usize, &str)> = written.map(|(at, line)| (at + 1, line)).take(ROWS_MAX + 1).collect();
    if lines.len() > ROWS_MAX {
        return Err(Unreadable::TooManyRows { limit: ROWS_MAX });
    }
    Ok(lines)
}

/// No table: what is missing in the line that was taken for the headings.
pub(super) fn no_table(wanted: &[&'static str], first: &str) -> Unreadable {
    let cells = split(first, ',');
    let lacks = |name: &&&'static str| !cells.iter().any(|cell| same_heading(cell, name));
    let missing = wanted.iter().filter(lacks).copied().collect();
    Unreadable::Columns { missing, beginning: beginning(first) }
}

/// Cells between separators, bare. The last one keeps the rest of a line with too many.
pub(super) fn split(line: &str, separator: char) -> Vec<String> {
    line.splitn(CELLS_MAX, separator).map(|cell| bare(cell).to_owned()).collect()
}

/// A row's cells under the headings, or as they stand when they do not fit.
pub(super) type Fitted = Result<Vec<String>, Vec<String>>;

/// Which column takes the commas that nobody quoted, and how a fitting row is told.
pub(super) struct Fit<'a> {
    pub(super) columns: usize,
    /// The column of free text.
    pub(super) free: Option<usize>,
    /// Whether the anchors on the right hold: times and amounts under their headings.
    pub(super) plausible: &'a dyn Fn(&[String]) -> bool,
}

impl Fit<'_> {
    /// The cells of a row.
    pub(super) fn cells(&self, line: &str) -> Fitted {
        let plain = split(line, ',');
        let readings = [
            Some(plain.iter().map(|cell| unquoted(cell)).collect()),
            quoted(line),
            self.without_empty_end(&plain),
            self.with_free_text(&plain),
        ];
        let fits = |cells: &Vec<String>| cells.len() == self.columns && (self.plausible)(cells);
        readings.into_iter().flatten().find(fits).ok_or(plain)
    }

    fn without_empty_end(&self, cells: &[String]) -> Option<Vec<String>> {
        let (kept, end) = cells.split_at_checked(self.columns)?;
        end.iter().all(String::is_empty).then(|| kept.to_vec())
    }

    /// Anchored on the left up to the free text, and on the right after it.
    fn with_free_text(&self, cells: &[String]) -> Option<Vec<String>> {
        let surplus = cells.len().checked_sub(self.columns)?;
        let (left, rest) = cells.split_at_checked(self.free?)?;
        let (free, right) = rest.split_at_checked(surplus + 1)?;
        Some(left.iter().cloned().chain([free.join(",")]).chain(right.iter().cloned()).collect())
    }
}

fn unquoted(cell: &str) -> String {
    let inner = cell.strip_prefix('"').and_then(|cell| cell.strip_suffix('"'));
    inner.map_or_else(|| cell.to_owned(), |inner| bare(&inner.replace("\"\"", "\"")).to_owned())
}

/// The line as a CSV with quotes, if it has any.
fn quoted(line: &str) -> Option<Vec<String>> {
    if !line.contains('"') {
        return None;
    }
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(line.as_bytes());
    let record = reader.records().next()?.ok()?;
    (record.len() <= CELLS_MAX).then(|| record.iter().map(|cell| bare(cell).to_owned()).collect())
}
