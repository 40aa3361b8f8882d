//! One finding of a reconciliation.

use std::fmt;

use payment::money::Fen;

use super::pairing::{By, differing_numbers};
use super::{Date, Entry, EntryKind, Listed, State, is_done};
use crate::statement::{Kind, Line, Standing, Statement};

/// What was found about an entry, a line or a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Both sides say the same.
    Agreed,
    /// We undid an attempt without knowing it paid; they list the payment and its return, which sum to nothing.
    Undone,
    /// It stands in that other day's file or books: one clock had passed midnight, or its end was learnt on another day.
    /// Otherwise it agrees.
    OtherDay(Edge, Date),
    /// Open on our side, and theirs does not say done either: nothing to compare yet.
    Waiting,
    /// Open on our side, done on theirs.
    DoneByThem,
    /// Both have it, but not the same.
    Differing(Vec<Difference>),
    /// They have it, we do not.
    Long {
        /// The same movement stands in another line that was already answered for.
        twice: bool,
    },
    /// We have it, they do not.
    Short,
    /// A line that is neither payment nor refund, or of one that did not happen (a refund that WeChat Pay closed).
    Other,
    /// We have it, and no statement of its channel was given.
    NotCompared,
}

/// On which side the day differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edge {
    /// Our entry is of this day, their line in another day's file.
    Line,
    /// Their line is in this day's file, our entry of another day.
    Entry,
}

/// What differs in a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// The amounts.
    Amount {
        /// Ours.
        ours: Fen,
        /// Theirs.
        theirs: Fen,
    },
    /// Payment here, refund or something else there.
    Kind,
    /// Done here; failed there.
    State,
    /// Another number than the one by which they were paired.
    Number(By),
}

/// A row of the result: an entry, a line, or both.
#[derive(Debug, Clone)]
pub struct Row<'a> {
    /// What was found.
    pub found: Found,
    /// Our side.
    pub entry: Option<&'a Entry>,
    /// Their side.
    pub listed: Option<Listed<'a>>,
    /// By which number the two were paired.
    pub by: Option<By>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Amount { ours, theirs } => write!(f, "the amount is {ours} here and {theirs} there"),
            Self::Kind => f.write_str("one side has a payment, the other something else"),
            Self::State => f.write_str("it is done here and failed there"),
            Self::Number(by) => write!(f, "the {} differs", by.name()),
        }
    }
}

impl Found {
    /// The name for a person and for scripts.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Agreed => "agreed",
            Self::Undone => "undone",
            Self::OtherDay(..) => "other_day",
            Self::Waiting => "waiting",
            Self::DoneByThem => "done_by_them",
            Self::Differing(_) => "differing",
            Self::Long { .. } => "long",
            Self::Short => "short",
            Self::Other => "other",
            Self::NotCompared => "not_compared",
        }
    }

    /// Whether a person must look at it.
    #[must_use]
    pub const fn is_difference(&self) -> bool {
        match self {
            Self::DoneByThem | Self::Differing(_) | Self::Long { .. } | Self::Short | Self::NotCompared => true,
            Self::Agreed | Self::Undone | Self::OtherDay(..) | Self::Waiting | Self::Other => false,
        }
    }

    /// What needs a person comes first.
    const fn rank(&self) -> u8 {
        match self {
            Self::Short => 0,
            Self::Long { .. } => 1,
            Self::Differing(_) => 2,
            Self::DoneByThem => 3,
            Self::NotCompared => 4,
            Self::Other => 5,
            Self::Waiting => 6,
            Self::OtherDay(..) => 7,
            Self::Undone => 8,
            Self::Agreed => 9,
        }
    }
}

impl Row<'_> {
    /// The order of a report: what needs a person first, then by time.
    pub(super) fn order(&self) -> (u8, i64, usize) {
        let line = self.listed.map(|listed| (listed.line.at.ms.unwrap_or(i64::MAX), listed.line.row));
        let (at, row) = line.unwrap_or((i64::MAX, 0));
        (self.found.rank(), self.entry.map_or(at, |entry| entry.at), row)
    }

    /// Their line.
    #[must_use]
    pub fn line(&self) -> Option<&Line> {
        self.listed.map(|listed| listed.line)
    }
}

/// What a pair comes to.
pub(super) fn compare(entry: &Entry, line: &Line) -> Found {
    let mut differences: Vec<Difference> = Vec::new();
    if !entry.kind.is(line.kind) {
        differences.push(Difference::Kind);
    }
    if entry.amount != line.amount {
        differences.push(Difference::Amount { ours: entry.amount, theirs: line.amount });
    }
    differences.extend(differing_numbers(entry, &line.numbers).into_iter().map(Difference::Number));
    // What was under way when their file was made may well be done now; what had failed is not.
    if entry.state == State::Final && line.standing == Standing::Failed {
        differences.push(Difference::State);
    }
    match (differences.is_empty(), entry.state) {
        (false, _) => Found::Differing(differences),
        (true, State::Final) => Found::Agreed,
        (true, State::Open) if is_done(line) => Found::DoneByThem,
        (true, State::Open) => Found::Waiting,
    }
}

/// An entry that no line answers for.
pub(super) fn without_line<'a>(entry: &'a Entry, files: &[Statement]) -> Row<'a> {
    let has_file = files.iter().any(|file| file.source.channel() == entry.channel);
    let found = match (has_file, entry.state) {
        (false, _) => Found::NotCompared,
        (true, State::Open) => Found::Waiting,
        (true, State::Final) => Found::Short,
    };
    Row { found, entry: Some(entry), listed: None, by: None }
}

/// Lines of attempts that we undid: a payment and its return of the same amount. The rest is handed back.
pub(super) fn undone<'a>(lines: Vec<Listed<'a>>, numbers: &[String], rows: &mut Vec<Row<'a>>) -> Vec<Listed<'a>> {
    let mut left = lines;
    for number in numbers {
        let is_of = |line: &Line| is_done(line) && line.numbers.ours.as_ref() == Some(number);
        let pays = |listed: &Listed<'_>| EntryKind::Payment.is(listed.line.kind) && is_of(listed.line);
        let Some(payment) = left.iter().position(pays) else { continue };
        let amount = left[payment].line.amount;
        let returns = |listed: &Listed<'_>| {
            EntryKind::Refund.is(listed.line.kind) && is_of(listed.line) && listed.line.amount == amount
        };
        let Some(back) = left.iter().position(returns) else { continue };
        for place in [payment.max(back), payment.min(back)] {
            let listed = Some(left.remove(place));
            rows.push(Row { found: Found::Undone, entry: None, listed, by: Some(By::Attempt) });
        }
    }
    left
}

/// Lines that no entry answers for.
pub(super) fn without_entry<'a>(lines: &[Listed<'a>], answered: &[Row<'a>]) -> Vec<Row<'a>> {
    let known: std::collections::BTreeSet<Identity<'_>> =
        answered.iter().filter_map(|row| identity(&row.listed?)).collect();
    let moved = |line: &Line| line.kind != Kind::Other && line.standing != Standing::Failed;
    let found = |listed: &Listed<'_>| {
        if !moved(listed.line) {
            return Found::Other;
        }
        Found::Long { twice: identity(listed).is_some_and(|identity| known.contains(&identity)) }
    };
    lines.iter().map(|listed| Row { found: found(listed), entry: None, listed: Some(*listed), by: None }).collect()
}

type Identity<'a> = (&'static str, bool, &'a str);

/// What a movement is known by: its kind and its own number.
fn identity<'a>(listed: &Listed<'a>) -> Option<Identity<'a>> {
    let numbers = &listed.line.numbers;
    let own = if listed.line.kind.returns() {
        numbers.refund_ours.as_deref().or(numbers.refund_channel.as_deref())
    } else {
        numbers.ours.as_deref().or(numbers.channel.as_deref())
    };
    Some((listed.channel.name(), listed.line.kind.returns(), own?))
}
