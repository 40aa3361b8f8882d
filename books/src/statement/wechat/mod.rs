//! WeChat Pay's bills: UTF-8, plain or gzip, every cell of a row behind a back-tick, a sum of two lines at the end
//! (reference/wechatpay.md 8.1).

pub(super) mod fund_flow;
pub(super) mod trade;

use super::container::{self, Contents, Encoding};
use super::table::{self, Headings};
use super::{CELLS_MAX, Cells, Unreadable};

/// A bill: its rows, and the names and cells of its sum.
struct Bill {
    rows: Vec<(usize, Cells)>,
    sum: Option<Cells>,
}

fn bill(bytes: &[u8], wanted: &[&'static str], sum_begins: &str) -> Result<Bill, Unreadable> {
    let texts = match container::open(bytes, Encoding::Utf8)? {
        Contents::Texts(texts) => texts,
        Contents::Sheets(_) => {
            return Err(Unreadable::Excel { reason: "WeChat Pay's bills are text, not Excel".to_owned() });
        }
    };
    let [text] = texts.as_slice() else {
        return Err(Unreadable::Damaged { reason: format!("{} files instead of one bill", texts.len()) });
    };
    let lines = table::lines(&text.text)?;
    let first = lines.first().map_or("", |(_, line)| *line);
    let headings = Headings::of(&table::split(first, ','), wanted).ok_or_else(|| table::no_table(wanted, first))?;
    let body = lines.get(1..).unwrap_or_default();
    let end = body.iter().position(|(_, line)| table::bare(line).starts_with(sum_begins)).unwrap_or(body.len());
    let named = |line| Cells { headings: headings.names.clone(), values: cells(line) };
    let rows = body.iter().take(end).map(|(row, line)| (*row, named(line))).collect();
    Ok(Bill { rows, sum: sum(body.get(end..).unwrap_or_default()) })
}

/// The sum's names and, in the next line, its cells.
fn sum(lines: &[(usize, &str)]) -> Option<Cells> {
    let [(_, names), (_, values), ..] = lines else { return None };
    Some(Cells { headings: table::split(names, ',').into(), values: cells(values) })
}

/// A comma and a back-tick part the cells: a lone comma is the text's own, even where WeChat Pay says it writes none.
fn cells(line: &str) -> Vec<String> {
    match line.trim_start().strip_prefix('`') {
        Some(line) => line.splitn(CELLS_MAX, ",`").map(|cell| table::bare(cell).to_owned()).collect(),
        None => table::split(line, ','),
    }
}
