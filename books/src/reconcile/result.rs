//! What a reconciliation comes to.

use payment::channel::ChannelId;
use payment::money::Fen;

use super::row::{Edge, Found, Row};
use super::{Date, Entry, EntryKind, State};
use crate::statement::{Kind, Line, Remark, Source, Standing, Statement};

/// The sums of one side, to the fen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// How many payments.
    pub payments: usize,
    /// What they come to.
    pub paid: Fen,
    /// How many refunds and undone payments.
    pub refunds: usize,
    /// What they come to.
    pub returned: Fen,
    /// What the channel takes for them, where it says so; our side has none.
    pub fees: Fen,
    /// Entries that are open, or lines that are neither or had failed: in none of the sums but the fees.
    pub apart: usize,
}

impl Totals {
    /// Payments less refunds.
    #[must_use]
    pub fn net(&self) -> Fen {
        Fen::new(self.paid.get().saturating_sub(self.returned.get()))
    }

    fn add_entry(&mut self, entry: &Entry) {
        match (entry.state, entry.kind) {
            (State::Open, _) => self.apart += 1,
            (State::Final, EntryKind::Payment) => self.pay(entry.amount),
            (State::Final, EntryKind::Refund) => self.give_back(entry.amount),
        }
    }

    fn add_line(&mut self, line: &Line) {
        match (line.standing, line.kind) {
            (Standing::Failed, _) | (_, Kind::Other) => self.apart += 1,
            (Standing::Done | Standing::Pending, Kind::Payment) => self.pay(line.amount),
            (Standing::Done | Standing::Pending, Kind::Refund | Kind::Reversal) => self.give_back(line.amount),
        }
        self.fees = plus(self.fees, line.fee.unwrap_or_default());
    }

    fn pay(&mut self, amount: Fen) {
        self.payments += 1;
        self.paid = plus(self.paid, amount);
    }

    fn give_back(&mut self, amount: Fen) {
        self.refunds += 1;
        self.returned = plus(self.returned, amount);
    }
}

fn plus(sum: Fen, more: Fen) -> Fen {
    Fen::new(sum.get().saturating_add(more.get()))
}

/// What a reconciliation comes to, as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Everything was compared and agrees.
    Agreed,
    /// A person must look at it.
    Differences,
    /// What was compared agrees, but not everything was.
    NotCompared,
}

impl Verdict {
    /// The exit code of a command that ends with it.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Agreed => 0,
            Self::Differences => 1,
            Self::NotCompared => 5,
        }
    }
}

/// The result for a day.
#[derive(Debug, Clone)]
pub struct Reconciliation<'a> {
    /// The day, in China's time.
    pub day: Date,
    /// Every entry and every line of the day once, what needs a person first.
    pub rows: Vec<Row<'a>>,
    /// What is to be known about the statements.
    pub remarks: Vec<(Source, &'a Remark)>,
    compared: Vec<ChannelId>,
}

impl<'a> Reconciliation<'a> {
    pub(super) fn new(day: Date, rows: Vec<Row<'a>>, files: &'a [Statement]) -> Self {
        let of = |file: &'a Statement| file.remarks.iter().map(|remark| (file.source, remark));
        let compared = files.iter().map(|file| file.source.channel()).collect();
        Self { day, rows, remarks: files.iter().flat_map(of).collect(), compared }
    }

    /// The sums of our entries of the day, of one channel or of all.
    #[must_use]
    pub fn ours(&self, channel: Option<ChannelId>) -> Totals {
        let mut totals = Totals::default();
        let of_the_day = |row: &&Row<'_>| !matches!(row.found, Found::OtherDay(Edge::Entry, _));
        let entries = self.rows.iter().filter(of_the_day).filter_map(|row| row.entry);
        entries.filter(|entry| channel.is_none_or(|is| is == entry.channel)).for_each(|entry| totals.add_entry(entry));
        totals
    }

    /// The sums of the lines of the day's files, of one channel or of all.
    #[must_use]
    pub fn theirs(&self, channel: Option<ChannelId>) -> Totals {
        let mut totals = Totals::default();
        let of_the_day = |row: &&Row<'_>| !matches!(row.found, Found::OtherDay(Edge::Line, _));
        let lines = self.rows.iter().filter(of_the_day).filter_map(|row| row.listed);
        lines
            .filter(|listed| channel.is_none_or(|is| is == listed.channel))
            .for_each(|listed| totals.add_line(listed.line));
        totals
    }

    /// The channels that have a statement or an entry on this day.
    #[must_use]
    pub fn channels(&self) -> Vec<ChannelId> {
        let of_entries = self.rows.iter().filter_map(|row| row.entry.map(|entry| entry.channel));
        let mut channels: Vec<ChannelId> = self.compared.iter().copied().chain(of_entries).collect();
        channels.sort();
        channels.dedup();
        channels
    }

    /// The whole of it. A statement that leaves doubt about its rows is a difference. An entry of a channel without a
    /// statement is none: nobody knows yet.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let doubt = self.remarks.iter().any(|(_, remark)| remark.is_doubt());
        let waits = |row: &Row<'_>| row.found == Found::NotCompared;
        let differs = self.rows.iter().any(|row| row.found.is_difference() && !waits(row));
        match (doubt || differs, self.compared.is_empty() || self.rows.iter().any(waits)) {
            (true, _) => Verdict::Differences,
            (false, true) => Verdict::NotCompared,
            (false, false) => Verdict::Agreed,
        }
    }
}
