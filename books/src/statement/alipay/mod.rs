//! Alipay's bills: a zip with a detail and a sum, GBK, comments after `#` (reference/alipay.md 11).

pub(super) mod ledger;
pub(super) mod trade;

use super::container::{self, Contents, Encoding, Text};
use super::table::{self, Headings};
use super::{Cells, Unreadable};

/// The word in the name of the file that holds sums per store.
const SUMS: &str = "汇总";

/// The texts of a bill, its sums apart from its details.
struct Files {
    details: Vec<Text>,
    sums: Vec<Text>,
}

fn files(bytes: &[u8]) -> Result<Files, Unreadable> {
    match container::open(bytes, Encoding::Gbk)? {
        Contents::Texts(texts) => {
            let (sums, details) = texts.into_iter().partition(|text| text.name.contains(SUMS));
            Ok(Files { details, sums })
        }
        Contents::Sheets(_) => Err(Unreadable::Excel { reason: "Alipay's bills are text, not Excel".to_owned() }),
    }
}

/// One file: its table, and the comments around it.
struct Section<'t> {
    headings: Headings,
    rows: Vec<(usize, &'t str)>,
    comments: Vec<&'t str>,
}

fn section<'t>(text: &'t str, wanted: &[&'static str]) -> Result<Section<'t>, Unreadable> {
    let (comments, mut rows): (Vec<_>, Vec<_>) =
        table::lines(text)?.into_iter().partition(|(_, line)| line.trim_start().starts_with('#'));
    let first = rows.first().map_or("", |(_, line)| *line);
    let headings = Headings::of(&table::split(first, ','), wanted).ok_or_else(|| table::no_table(wanted, first))?;
    rows.remove(0);
    Ok(Section { headings, rows, comments: comments.into_iter().map(|(_, line)| line).collect() })
}

impl Section<'_> {
    /// A row's cells; the goods' names may hold commas that nobody quoted.
    fn cells(&self, line: &str, plausible: &dyn Fn(&Cells) -> bool) -> Result<Cells, Cells> {
        let named = |values: Vec<String>| Cells { headings: self.headings.names.clone(), values };
        let fit = table::Fit {
            columns: self.headings.names.len(),
            free: self.headings.place("商品名称"),
            plausible: &|cells| plausible(&named(cells.to_vec())),
        };
        fit.cells(line).map(named).map_err(named)
    }
}
