//! What the day leaves over, looked for in other days.

use super::pairing::Pairing;
use super::row::{Edge, Found, Row};
use super::{Books, Date, Entry, Files, Listed, listed};
use crate::day;

/// Our entries of the day that stand in another day's file. The rest is handed back.
pub(super) fn entries<'a>(left: Vec<&'a Entry>, files: Files<'a>, rows: &mut Vec<Row<'a>>) -> Vec<&'a Entry> {
    let mut pairing = Pairing::of(left, other_lines(files));
    pairing.pair_own();
    let mut left = Vec::new();
    for row in pairing.agreed_and_differing() {
        let day = row.listed.and_then(|listed| Some(files.other_days.get(listed.file)?.0));
        match (day, row.entry) {
            (Some(day), _) if row.found == Found::Agreed => rows.push(on(day, Edge::Line, row)),
            (_, Some(entry)) => left.push(entry),
            (_, None) => (),
        }
    }
    left.extend(pairing.left().0);
    left
}

/// Lines of the day's files that belong to an entry of another day. The rest is handed back.
pub(super) fn lines<'a>(
    left: Vec<Listed<'a>>,
    books: &'a Books,
    files: Files<'a>,
    rows: &mut Vec<Row<'a>>,
) -> Vec<Listed<'a>> {
    let mut pairing = Pairing::of(unanswered(books, files), left);
    pairing.pair_own();
    let mut left = Vec::new();
    for row in pairing.agreed_and_differing() {
        let day = row.entry.and_then(|entry| day::of(entry.at));
        match (&row.found, day, row.listed) {
            (Found::Agreed, Some(day), _) => rows.push(on(day, Edge::Entry, row)),
            // Our journal waits for what they have listed: no line of a stranger.
            (Found::DoneByThem | Found::Waiting, _, _) => rows.push(row),
            (_, _, Some(listed)) => left.push(listed),
            (_, _, None) => (),
        }
    }
    left.extend(pairing.left().1);
    left
}

/// Entries of other days that no line of another day's file answers for: one line answers for one entry, on whatever day.
fn unanswered<'a>(books: &'a Books, files: Files<'a>) -> Vec<&'a Entry> {
    let mut pairing = Pairing::of(books.other_days.iter().collect(), other_lines(files));
    pairing.pair_own();
    let not_the_same = pairing.agreed_and_differing().into_iter().filter(|row| row.found != Found::Agreed);
    let mut entries: Vec<&Entry> = not_the_same.filter_map(|row| row.entry).collect();
    entries.extend(pairing.left().0);
    entries
}

fn other_lines(files: Files<'_>) -> Vec<Listed<'_>> {
    listed(files.other_days.iter().map(|(_, statement)| statement))
}

fn on(day: Date, edge: Edge, row: Row<'_>) -> Row<'_> {
    Row { found: Found::OtherDay(edge, day), ..row }
}
