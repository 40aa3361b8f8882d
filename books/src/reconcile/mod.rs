//! A day's statements against our own entries, movement by movement.
//!
//! Entries and lines of one channel are paired by every number that both have, the surest first ([`By`]), and within a
//! number equal amounts first. One line answers for one entry, never for two, and every entry and every line of the day
//! stands in exactly one [`Row`]. A pair is by number only: amounts and times never make one.
//!
//! On which day a channel lists a movement is known only roughly: a clock had passed midnight, or a reply was lost and the
//! end was learnt days later. So what is left over is looked for in other days too, by the movement's own numbers.

mod elsewhere;
mod pairing;
mod result;
mod row;

use payment::channel::ChannelId;
use payment::money::Fen;

pub use jiff::civil::Date;
pub use pairing::By;
pub use result::{Reconciliation, Totals, Verdict};
pub use row::{Difference, Edge, Found, Row};

use crate::day;
use crate::statement::{Kind, Line, Numbers, Sort, Standing, Statement};
use pairing::Pairing;
use thiserror::Error;

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// A buyer paid.
    Payment,
    /// Money went back to the buyer, by a refund or by undoing the payment.
    Refund,
}

/// How sure we are of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The channel told its end.
    Final,
    /// Its end is not known yet.
    Open,
}

/// One movement by our journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is about.
    pub kind: EntryKind,
    /// Whose statement should list it.
    pub channel: ChannelId,
    /// How much, above zero.
    pub amount: Fen,
    /// When, in ms UTC: of a payment, when it was paid; of a refund, when it was done (WeChat Pay: asked for), as far as we
    /// know, since that decides in which day's file it should stand.
    pub at: i64,
    /// The numbers. A payment has `ours`, a refund `refund_ours` and the attempt's number in `ours`; a payment that was
    /// undone without a refund number leaves `refund_ours` empty. Others as far as the journal knows them.
    pub numbers: Numbers,
    /// How sure it is.
    pub state: State,
}

/// Our side of a day.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Books {
    /// All movements of the day through channels that write statements, so no vouchers: each becomes one row.
    pub entries: Vec<Entry>,
    /// Movements of other days, as far as they are known: they explain lines of this day's files, and become a row only
    /// when they do.
    pub other_days: Vec<Entry>,
    /// Numbers of attempts that we undid, or are undoing, without knowing them paid: for these the channel may list a payment and its
    /// return, which agree when they sum to nothing.
    pub undone: Vec<String>,
}

/// The channels' side of a day.
#[derive(Debug, Clone, Copy, Default)]
pub struct Files<'a> {
    /// The statements of the day, several for one channel if it has them in parts. All of one channel list trades, or all
    /// its ledger.
    pub day: &'a [Statement],
    /// Those of other days, as far as they are there.
    pub other_days: &'a [(Date, Statement)],
}

/// Why there was nothing to compare with.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum Refused {
    /// Trades and ledger of one channel: every movement would stand there twice.
    #[error("both trades and the ledger of {} were given: every payment stands in both; reconcile them one after the other", .0.name())]
    TradesAndLedger(ChannelId),
    /// No such day.
    #[error("{0} is at the end of the calendar")]
    NoSuchDay(Date),
}

/// Compares.
///
/// # Errors
/// [`Refused`] when the files cannot be compared together.
pub fn reconcile<'a>(day: Date, books: &'a Books, files: Files<'a>) -> Result<Reconciliation<'a>, Refused> {
    one_sort_each(files.day)?;
    day::begin_ms(day).ok_or(Refused::NoSuchDay(day))?;
    let mut rows = Vec::new();
    let lines = row::undone(listed(files.day), &books.undone, &mut rows);
    let mut pairing = Pairing::of(books.entries.iter().collect(), lines);
    pairing.pair_kinds();
    pairing.pair_identities();
    rows.extend(pairing.agreed_and_differing());
    let (entries, lines) = pairing.left();
    let entries = elsewhere::entries(entries, files, &mut rows);
    let lines = elsewhere::lines(lines, books, files, &mut rows);
    rows.extend(entries.into_iter().map(|entry| row::without_line(entry, files.day)));
    rows.extend(row::without_entry(&lines, &rows));
    rows.sort_by_key(Row::order);
    Ok(Reconciliation::new(day, rows, files.day))
}

fn one_sort_each(files: &[Statement]) -> Result<(), Refused> {
    for file in files {
        let channel = file.source.channel();
        let sorts = files.iter().filter(|other| other.source.channel() == channel).map(|other| other.source.sort());
        if sorts.clone().any(|sort| sort == Sort::Trades) && sorts.clone().any(|sort| sort == Sort::Ledger) {
            return Err(Refused::TradesAndLedger(channel));
        }
    }
    Ok(())
}

/// A line and whose it is.
#[derive(Debug, Clone, Copy)]
pub struct Listed<'a> {
    /// Whose statement it stands in.
    pub channel: ChannelId,
    /// Which of the day's statements, by its place; of those of other days for [`Edge::Line`].
    pub file: usize,
    /// The line.
    pub line: &'a Line,
}

fn listed<'a>(files: impl IntoIterator<Item = &'a Statement>) -> Vec<Listed<'a>> {
    let of = |(file, statement): (usize, _)| {
        let statement: &'a Statement = statement;
        statement.lines.iter().map(move |line| Listed { channel: statement.source.channel(), file, line })
    };
    files.into_iter().enumerate().flat_map(of).collect()
}

impl EntryKind {
    const fn is(self, kind: Kind) -> bool {
        match (self, kind) {
            (Self::Payment, Kind::Payment) | (Self::Refund, Kind::Refund | Kind::Reversal) => true,
            (Self::Payment, Kind::Refund | Kind::Reversal | Kind::Other)
            | (Self::Refund, Kind::Payment | Kind::Other) => false,
        }
    }
}

/// Whether a line says that its movement is done.
const fn is_done(line: &Line) -> bool {
    match line.standing {
        Standing::Done => true,
        Standing::Pending | Standing::Failed => false,
    }
}

#[cfg(test)]
mod tests;
