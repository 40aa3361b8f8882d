//! Walks the whole chain and names what is not as it was written. The daemon may be running.
//!
//! One who can rewrite the whole file can also make a new chain: that is found by a [`Head`] that was noted elsewhere
//! before, and by nothing inside the file.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use rusqlite::Connection;
use thiserror::Error;

use super::chain::{Head, Record, read_seq, sql_seq};
use super::location::Location;
use super::project::{self, NumberKind, OrderSummary, Step};
use super::retain::{self, Gap};
use super::trouble::Trouble;
use super::{asked, outbox, recover, store, vouchers};
use payment::engine::entry::Entry;
use payment::money::Fen;

/// So many faults are described; the rest is counted. Where more is wrong, the first ones tell the story.
const FAULTS_KEPT: usize = 100;

/// What a walk found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// How many entries there are.
    pub entries: u64,
    /// How many gaps retention left between them.
    pub gaps: u64,
    /// How many entries were there.
    pub removed: u64,
    /// Where the journal ends: note it elsewhere, and a later walk can prove that nothing before it was cut off.
    pub head: Head,
    /// Whether the noted head was inside a gap: then nothing in the file can be held against it.
    pub noted_removed: bool,
    /// The first faults, in the order of the journal.
    pub faults: Vec<Fault>,
    /// How many there are in all.
    pub fault_count: usize,
}

impl Report {
    /// Whether everything is as it was written.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.fault_count == 0
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The place; 0 when it is about the whole file.
    pub seq: u64,
    /// The order that it concerns, when that can be told.
    pub order: Option<String>,
    /// What is wrong.
    pub wrong: Wrong,
}

/// What can be wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    /// The content is not what was sealed.
    Changed,
    /// This place, and all up to `to`, are empty.
    Missing {
        /// The last empty place.
        to: u64,
    },
    /// The contents of two places were exchanged.
    Swapped {
        /// The other place.
        with: u64,
    },
    /// What was written at another place is here.
    Moved {
        /// Where it was written.
        from: u64,
    },
    /// It does not follow the entry before: that one was replaced, or this one was put in.
    Unlinked,
    /// The order column and the content disagree.
    OtherOrder,
    /// Rightly sealed, but this version does not understand it.
    Unreadable(String),
    /// The journal ends before the head that it once had.
    CutOff {
        /// Where it ends.
        end: u64,
    },
    /// It once had another hash at this place.
    OtherHead,
    /// Retention says that it emptied this place and all up to `to`, and what it says does not fit.
    Gap {
        /// The last place of the gap.
        to: u64,
        /// What does not fit.
        why: GapWrong,
    },
    /// A derived table is not what the entries add up to. The entries themselves are sound.
    Derived(&'static str),
    /// SQLite finds the file damaged.
    File(String),
}

/// What can be wrong with a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GapWrong {
    /// It does not follow the entry before it.
    Unlinked,
    /// There are entries in it, or another gap, or the journal ended before it.
    Misplaced,
    /// The hub does not have what was there, and so retention did not remove it.
    Unacknowledged,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.seq {
            0 => f.write_str("the file")?,
            seq => write!(f, "entry {seq}")?,
        }
        if let Some(order) = &self.order {
            write!(f, " (order {order})")?;
        }
        write!(f, ": {}", self.wrong)
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed => f.write_str("changed after it was written"),
            Self::Missing { to } => write!(f, "missing, with all up to entry {to}"),
            Self::Swapped { with } => {
                write!(f, "its content was exchanged with that of entry {with}")
            }
            Self::Moved { from } => write!(f, "out of order: it was written as entry {from}"),
            Self::Unlinked => {
                f.write_str("does not follow the entry before: that one was replaced, or this one was put in")
            }
            Self::OtherOrder => f.write_str("its order column says another order than its content"),
            Self::Unreadable(why) => write!(f, "sealed rightly but not understood: {why}"),
            Self::CutOff { end } => {
                write!(f, "cut off: the journal ends at entry {end} and was longer")
            }
            Self::OtherHead => f.write_str("not the entry that was here when the head was noted"),
            Self::Gap { to, why: GapWrong::Unlinked } => {
                write!(f, "removed by retention, with all up to entry {to}, but not tied to the entry before")
            }
            Self::Gap { to, why: GapWrong::Misplaced } => {
                write!(f, "retention is said to have removed all up to entry {to}, and it did not")
            }
            Self::Gap { to, why: GapWrong::Unacknowledged } => {
                write!(f, "retention is said to have removed all up to entry {to}, but the hub does not have them")
            }
            Self::Derived(what) => write!(f, "{what} does not say what the entries say; the entries are what counts"),
            Self::File(what) => write!(f, "damaged: {what}"),
        }
    }
}

/// Why the walk could not be made.
#[derive(Debug, Error)]
#[error("the journal {path} cannot be checked: {trouble}")]
pub struct VerifyError {
    path: String,
    #[source]
    trouble: Trouble,
}

/// Walks the journal at `path`. With `noted`, a head that it had before, also finds what was cut off or made anew.
///
/// # Errors
///
/// When the file cannot be read at all.
pub fn verify(path: &Path, noted: Option<Head>) -> Result<Report, VerifyError> {
    verify_at(&Location::of(path), noted)
}

/// The same for a journal at `location`.
///
/// # Errors
///
/// When the file cannot be read at all.
pub fn verify_at(location: &Location, noted: Option<Head>) -> Result<Report, VerifyError> {
    let walk = || -> rusqlite::Result<Report> {
        let connection = store::connect_read_only(location)?;
        // One snapshot: what the daemon appends meanwhile is for the next walk. The write-ahead log grows by that much.
        let snapshot = connection.unchecked_transaction()?;
        let mut faults = Faults::default();
        check_file(&snapshot, &mut faults)?;
        let walked = Walk::along(&snapshot, noted, &mut faults)?;
        check_derived(&snapshot, &mut faults)?;
        Ok(faults.report(&walked))
    };
    let path = location.path().display().to_string();
    walk().map_err(|error| VerifyError { path, trouble: Trouble::of(error, location) })
}

#[derive(Default)]
struct Faults {
    kept: Vec<Fault>,
    count: usize,
    /// Records that are not as sealed, to see afterwards whether one's content is at another's place.
    suspects: Vec<Record>,
}

impl Faults {
    fn add(&mut self, seq: u64, order: Option<&str>, wrong: Wrong) {
        self.count += 1;
        if self.kept.len() < FAULTS_KEPT {
            self.kept.push(Fault { seq, order: order.map(str::to_owned), wrong });
        }
    }

    fn report(mut self, walked: &Walk) -> Report {
        let places: Vec<u64> = self.kept.iter().map(|fault| fault.seq).collect();
        for fault in &mut self.kept {
            let suspect = self.suspects.iter().find(|record| record.seq == fault.seq);
            if let (Wrong::Changed, Some(record)) = (&fault.wrong, suspect) {
                fault.wrong = explain(record, &self.suspects, &places);
            }
        }
        // What is about the whole file comes last: the named entries tell more.
        self.kept.sort_by_key(|fault| fault.seq.checked_sub(1).unwrap_or(u64::MAX));
        let Walk { entries, gaps, removed, head, noted_removed, .. } = *walked;
        Report { entries, gaps, removed, head, noted_removed, faults: self.kept, fault_count: self.count }
    }
}

/// How a record came to be not as sealed: exchanged, moved, or just changed.
fn explain(record: &Record, suspects: &[Record], places: &[u64]) -> Wrong {
    let others = || suspects.iter().filter(|other| other.seq != record.seq);
    let exchanged = others()
        .find(|other| (was_at(record, other.seq) && was_at(other, record.seq)) || holds_content_of(other, record));
    if let Some(other) = exchanged {
        return Wrong::Swapped { with: other.seq };
    }
    places.iter().find(|place| was_at(record, **place)).map_or(Wrong::Changed, |place| Wrong::Moved { from: *place })
}

fn was_at(record: &Record, seq: u64) -> bool {
    let there = Record { seq, ..record.clone() };
    there.is_sealed()
}

/// Whether `other` carries what was sealed as `record`.
fn holds_content_of(other: &Record, record: &Record) -> bool {
    let body_only = Record { body: other.body.clone(), ..record.clone() };
    let all = Record { at: other.at, state: other.state.clone(), ..body_only.clone() };
    body_only.is_sealed() || all.is_sealed()
}

fn check_file(connection: &Connection, faults: &mut Faults) -> rusqlite::Result<()> {
    let says: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if says != "ok" {
        faults.add(0, None, Wrong::File(says));
    }
    Ok(())
}

/// How far the chain was followed.
struct Walk {
    entries: u64,
    gaps: u64,
    removed: u64,
    head: Head,
    /// Whether the next record can be held against the head.
    is_whole: bool,
    /// The hub has every entry up to here; behind it retention removes nothing.
    acknowledged: u64,
    noted: Option<Head>,
    noted_removed: bool,
}

impl Walk {
    fn along(connection: &Connection, noted: Option<Head>, faults: &mut Faults) -> rusqlite::Result<Self> {
        let acknowledged = outbox::marks(connection)?.acknowledged;
        let head = Head::beginning();
        let (is_whole, noted_removed) = (true, false);
        let mut walk = Self { entries: 0, gaps: 0, removed: 0, head, is_whole, acknowledged, noted, noted_removed };
        let mut gaps = retain::gaps(connection)?.into_iter().peekable();
        let mut statement = connection.prepare(include_str!("sql/entries_since.sql"))?;
        for record in statement.query_map([0, i64::MAX], Record::from_row)? {
            let record = record?;
            while let Some(gap) = gaps.next_if(|gap| gap.first <= record.seq) {
                walk.cross(connection, &gap, record.seq, faults)?;
            }
            walk.reach(connection, record.seq, faults)?;
            walk.is_whole = check_record(&record, walk.is_whole.then_some(walk.head), faults);
            walk.head = record.head();
            walk.entries += 1;
            walk.hold_against_noted(Some(&record.order), faults);
        }
        for gap in gaps {
            faults.add(gap.first, None, Wrong::Gap { to: gap.last, why: GapWrong::Misplaced });
        }
        if let Some(noted) = noted
            && noted.seq > walk.head.seq
        {
            let order = order_of_missing(connection, walk.head.seq + 1)?;
            faults.add(walk.head.seq + 1, order.as_deref(), Wrong::CutOff { end: walk.head.seq });
        }
        Ok(walk)
    }

    /// Crosses a gap on the way to the record at `next`. What the hub does not have was never removed by retention: a gap
    /// there is not believed, and its entries are missing.
    fn cross(&mut self, connection: &Connection, gap: &Gap, next: u64, faults: &mut Faults) -> rusqlite::Result<()> {
        let wrong = |why| Wrong::Gap { to: gap.last, why };
        if gap.last > self.acknowledged {
            faults.add(gap.first, None, wrong(GapWrong::Unacknowledged));
            return Ok(());
        }
        if gap.first <= self.head.seq || gap.last >= next {
            faults.add(gap.first, None, wrong(GapWrong::Misplaced));
            return Ok(());
        }
        self.reach(connection, gap.first, faults)?;
        if self.is_whole && self.head.hash != gap.prev {
            faults.add(gap.first, None, wrong(GapWrong::Unlinked));
        }
        self.head = Head { seq: gap.last, hash: gap.hash };
        self.is_whole = true;
        self.gaps += 1;
        self.removed += gap.last - gap.first + 1;
        self.noted_removed |= self.noted.is_some_and(|noted| (gap.first..gap.last).contains(&noted.seq));
        self.hold_against_noted(None, faults);
        Ok(())
    }

    /// Says what is missing before place `seq`.
    fn reach(&mut self, connection: &Connection, seq: u64, faults: &mut Faults) -> rusqlite::Result<()> {
        if seq > self.head.seq + 1 {
            let order = order_of_missing(connection, self.head.seq + 1)?;
            faults.add(self.head.seq + 1, order.as_deref(), Wrong::Missing { to: seq - 1 });
            self.is_whole = false;
        }
        Ok(())
    }

    fn hold_against_noted(&self, order: Option<&str>, faults: &mut Faults) {
        if self.noted.is_some_and(|noted| noted.seq == self.head.seq && noted.hash != self.head.hash) {
            faults.add(self.head.seq, order, Wrong::OtherHead);
        }
    }
}

/// Checks one record; `before` is the head that it must follow, when that is known to be sound. Returns whether the
/// next one can be held against this one.
fn check_record(record: &Record, before: Option<Head>, faults: &mut Faults) -> bool {
    let order = Some(record.order.as_str());
    if !record.is_sealed() {
        faults.add(record.seq, order, Wrong::Changed);
        if faults.suspects.len() < FAULTS_KEPT {
            faults.suspects.push(record.clone());
        }
        return false;
    }
    if before.is_some_and(|head| head.hash != record.prev) {
        faults.add(record.seq, order, Wrong::Unlinked);
    }
    match (record.entry(), record.state()) {
        (Ok(entry), Ok(_)) if entry.order().as_str() == record.order => {}
        (Ok(_), Ok(_)) => faults.add(record.seq, order, Wrong::OtherOrder),
        (Err(unreadable), _) | (_, Err(unreadable)) => {
            faults.add(record.seq, order, Wrong::Unreadable(unreadable.why));
        }
    }
    true
}

/// Whose entry is missing, as far as the derived tables still know.
fn order_of_missing(connection: &Connection, seq: u64) -> rusqlite::Result<Option<String>> {
    let mut statement = connection
        .prepare_cached("SELECT order_id FROM order_entries JOIN orders USING (opened_seq) WHERE seq = ?1")?;
    let mut found = statement.query_map([sql_seq(seq)], |row| row.get(0))?;
    found.next().transpose()
}

/// Holds the derived tables against the entries: every order is added up anew.
fn check_derived(connection: &Connection, faults: &mut Faults) -> rusqlite::Result<()> {
    let mut orders = connection.prepare("SELECT opened_seq, order_id FROM orders ORDER BY 1")?;
    let has_additions = store::has_additions(connection)?;
    let has_asked = asked::has_table(connection)?;
    let (mut numbers, mut uses, mut waiting) = (0, 0, 0);
    let rows = orders.query_map([], |row| Ok((read_seq(row, 0)?, row.get::<_, String>(1)?)))?;
    for row in rows {
        let (opened_seq, order) = row?;
        let sum = add_up(&recover::entries_of(connection, opened_seq)?);
        // A row that cannot be read says nothing, which is never what the entries say.
        let found = project::order(connection, &order).unwrap_or(None);
        if sum.as_ref().map(|sum| &sum.summary) != found.as_ref() {
            faults.add(opened_seq, Some(&order), Wrong::Derived("table orders"));
        }
        for number in sum.iter().flat_map(|sum| sum.numbers.values()) {
            numbers += 1;
            if !project::holds(connection, opened_seq, number)? {
                faults.add(opened_seq, Some(&order), Wrong::Derived("table numbers"));
            }
        }
        let asked = sum.as_ref().map_or_else(Vec::new, |sum| sum.asked.clone());
        waiting += asked.len();
        let held = if has_asked { asked::held(connection, opened_seq)? } else { Vec::new() };
        if held != asked {
            faults.add(opened_seq, Some(&order), Wrong::Derived("table refunds_asked"));
        }
        if let Some(sum) = sum.filter(|sum| has_additions || !sum.uses.is_empty()) {
            uses += sum.uses.len();
            if !has_additions || vouchers::held(connection, opened_seq)? != sum.uses {
                faults.add(opened_seq, Some(&order), Wrong::Derived("table voucher_uses"));
            }
        }
    }
    let count = |sql| connection.query_row(sql, [], |row| read_seq(row, 0));
    // Each order's own rows are right; equal counts say that there are no others and that no entry is left out.
    if count("SELECT count(*) FROM entries")? != count("SELECT count(*) FROM order_entries")? {
        faults.add(0, None, Wrong::Derived("table order_entries"));
    }
    if count("SELECT count(*) FROM numbers")? != numbers {
        faults.add(0, None, Wrong::Derived("table numbers"));
    }
    if has_additions && usize::try_from(count("SELECT count(*) FROM voucher_uses")?) != Ok(uses) {
        faults.add(0, None, Wrong::Derived("table voucher_uses"));
    }
    if has_asked && usize::try_from(count("SELECT count(*) FROM refunds_asked")?) != Ok(waiting) {
        faults.add(0, None, Wrong::Derived("table refunds_asked"));
    }
    Ok(())
}

struct Sum {
    summary: OrderSummary,
    numbers: BTreeMap<(&'static str, String), project::Number>,
    uses: Vec<vouchers::Use>,
    asked: Vec<asked::Asked>,
}

/// What the records of one order add up to; `None` when they are not a whole story.
fn add_up(records: &[Record]) -> Option<Sum> {
    let mut summary = None;
    let mut numbers: BTreeMap<(&'static str, String), project::Number> = BTreeMap::new();
    let amount = |numbers: &BTreeMap<_, project::Number>, kind: NumberKind, number: &str| {
        let found = numbers.get(&(kind.name(), number.to_owned()));
        found.and_then(|number| number.amount).unwrap_or(Fen::ZERO)
    };
    let entries: Vec<Entry> = records.iter().map(|record| record.entry().ok()).collect::<Option<_>>()?;
    for (record, entry) in records.iter().zip(&entries) {
        let moved = project::moves(entry).map_or(Fen::ZERO, |(kind, number)| amount(&numbers, kind, number));
        let step = Step { seq: record.seq, at: record.at, state: record.state().ok()?, entry };
        let before: Option<OrderSummary> = summary.take();
        if before.as_ref().is_some_and(|order| order.order != entry.order()) {
            return None;
        }
        summary = Some(project::project(before, &step, moved).ok()?);
        for number in project::numbers(entry) {
            let key = (number.kind.name(), number.number.clone());
            numbers.entry(key).or_insert(number);
        }
    }
    let mut uses = vouchers::uses(records.iter().map(|record| record.seq).zip(&entries));
    uses.sort_by(|one, other| one.attempt.cmp(&other.attempt));
    let asked = asked::waiting(records.iter().map(|record| record.seq).zip(&entries));
    summary.map(|summary| Sum { summary, numbers, uses, asked })
}
