//! The life of a journal on a card: what was asked of it, what it promised, and when.

use anyhow::{Context, bail};
use hal::sim::disk::{Card, What};
use payment::engine::entry::Stored;
use payment::money::Fen;
use till::journal::location::Location;
use till::journal::outbox::{CommandOutcome, CommandResult, SetAside, SyncStatus};
use till::journal::verify::{Report, verify_at};
use till::journal::view::Totals;
use till::journal::{Journal, Opened, Reader};
use tokio::runtime::Runtime;

use super::sales::Sales;
use super::{CardKind, JournalKind, PowerOptions};
use crate::dice::Dice;

/// The journal empties its log after so many commits. It does so on its own thread after it has answered; whoever wants
/// the same log in every run waits for it.
const COMMITS_PER_CHECKPOINT: u32 = 64;

/// Days after which everything that the hub has is old.
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// What a journal says about itself: two that say the same hold the same entries, because the head's hash covers them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Place, hash and time of the last entry, and what is open.
    pub totals: Totals,
    /// How far the hub has it.
    pub sync: SyncStatus,
    /// Voucher money that the hub does not know of.
    pub unsettled: Fen,
    /// Entries that are there, and not yet removed for their age.
    pub entries: u64,
}

/// One request to the journal.
#[derive(Debug, Clone)]
pub struct Request {
    /// What was asked for.
    pub what: String,
    /// The instant before anything of it could be on the card.
    pub sent: usize,
    /// The instant when it was promised.
    pub promised: usize,
}

/// A card that a journal lived on.
pub struct Life {
    /// The card.
    pub card: Card,
    /// What was asked, in order.
    pub requests: Vec<Request>,
    /// What the journal said before the first request and after each.
    pub states: Vec<State>,
    /// Every entry that was ever sent, by its place.
    pub sent: Vec<Stored>,
    /// Only each so many-th instant is cut: the lives with a large journal are slow to check.
    pub stride: usize,
    /// Which kind it is.
    pub kind: Kind,
}

impl Life {
    /// Which states a card may be found in when the power failed at `instant`: from what was promised to what was asked.
    #[must_use]
    pub fn allowed(&self, instant: usize) -> std::ops::RangeInclusive<usize> {
        let promised = self.requests.iter().take_while(|request| request.promised <= instant).count();
        let sent = self.requests.iter().take_while(|request| request.sent < instant).count();
        promised..=sent.max(promised)
    }
}

/// Where a life begins, and how much happens in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// On an empty card: the journal is made.
    New,
    /// On a card that was in use for some sales.
    Used,
    /// As that, and so many commits that the journal empties its log meanwhile.
    Busy,
    /// On a journal of more than a thousand entries, of which old ones are removed.
    Old,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::New, Self::Used, Self::Busy, Self::Old];

    /// By chance, so that also a run of few lives for each seed meets every kind.
    pub(super) fn of(seed: u64, number: u64) -> Self {
        match Dice::new(seed.rotate_left(31) ^ number).roll(40) {
            0 | 1 => Self::New,
            2 => Self::Busy,
            3 => Self::Old,
            _ => Self::Used,
        }
    }

    /// What such journals are called on the card.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Used => "used",
            Self::Busy => "busy",
            Self::Old => "old",
        }
    }

    const fn requests(self) -> u64 {
        match self {
            Self::New => 4,
            Self::Used | Self::Old => 12,
            Self::Busy => 80,
        }
    }

    const fn stride(self) -> usize {
        match self {
            Self::New | Self::Used => 1,
            Self::Busy => 5,
            Self::Old => 7,
        }
    }
}

/// Lives, one number each, on one thread.
pub struct Lives<'a> {
    /// What is to be tried.
    pub options: &'a PowerOptions,
    /// Where the journal's answers are waited for.
    pub runtime: &'a Runtime,
}

/// A journal in use.
struct Run<'a> {
    lives: &'a Lives<'a>,
    dice: Dice,
    sales: Sales,
    opened: Option<Opened>,
    commits: u32,
    life: Life,
}

impl Lives<'_> {
    /// Opens the journal on `card`.
    ///
    /// # Errors
    ///
    /// When it cannot be opened.
    pub fn open(&self, card: &Card) -> Result<Opened, till::journal::OpenError> {
        Journal::open_at(&self.location(card))
    }

    /// Where the journal on `card` lies.
    #[must_use]
    pub fn location(&self, card: &Card) -> Location {
        match self.options.journal {
            JournalKind::Real => Location::on_vfs(card.vfs(), &card.path()),
            JournalKind::Weakened => Location::weakened_on_vfs(card.vfs(), &card.path()),
        }
    }

    /// What the journal on `card` says, and whether its chain and tables hold.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn look(&self, card: &Card, reader: &Reader) -> anyhow::Result<(State, Report)> {
        let report = verify_at(&self.location(card), None)?;
        let (sync, totals, unsettled) = self.runtime.block_on(async {
            anyhow::Ok((reader.sync_status().await?, reader.totals().await?, reader.unsettled().await?))
        })?;
        // How many pages are used is no promise.
        let sync = SyncStatus { used_bytes: 0, ..sync };
        Ok((State { totals, sync, unsettled, entries: report.entries }, report))
    }

    /// Lives the life with this number.
    ///
    /// # Errors
    ///
    /// When the journal refuses something on a card that does not fail.
    pub fn live(&self, number: u64) -> anyhow::Result<Life> {
        let seed = self.options.seed ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut kind = Kind::of(self.options.seed, number);
        if kind == Kind::Old && !self.options.large_journals {
            kind = Kind::Used;
        }
        let mut dice = Dice::new(seed);
        let mut sales = Sales::new(dice.roll(u64::MAX));
        let (card, sent) = self.beginning(kind, &mut dice, &mut sales)?;
        card.set_lying(self.options.card == CardKind::Lying);
        let life = Life { card, requests: Vec::new(), states: Vec::new(), sent, stride: kind.stride(), kind };
        let mut run = Run { lives: self, dice, sales, opened: None, commits: 0, life };
        run.open()?;
        run.life.states.push(run.state()?);
        for _ in 0..kind.requests() {
            run.request(kind)?;
        }
        drop(run.opened.take());
        Ok(run.life)
    }

    /// The card that a life begins with, and the entries on it.
    fn beginning(&self, kind: Kind, dice: &mut Dice, sales: &mut Sales) -> anyhow::Result<(Card, Vec<Stored>)> {
        let card = Card::new(dice.roll(u64::MAX));
        if kind == Kind::New {
            return Ok((card, Vec::new()));
        }
        let opened = self.open(&card)?;
        let mut sent = Vec::new();
        let enough = if kind == Kind::Old { 1_120 } else { 1 + dice.roll(20) };
        while (sent.len() as u64) < enough {
            let batches = if kind == Kind::Old { 100 } else { 1 };
            let batch: Vec<_> = (0..batches).flat_map(|_| sales.next_batch()).collect();
            keep(&mut sent, &batch);
            self.runtime.block_on(opened.journal.append(batch))?;
        }
        if kind == Kind::Old {
            self.runtime.block_on(opened.journal.acknowledge(sent.len() as u64, Vec::new()))?;
        }
        // Half of the cards were in a terminal that was killed: the log is still full.
        let killed = dice.one_in(2).then(|| card.copy());
        drop(opened);
        Ok((killed.unwrap_or_else(|| card.copy()), sent))
    }
}

/// Notes what is sent.
pub fn keep(sent: &mut Vec<Stored>, batch: &[till::journal::NewEntry]) {
    for new in batch {
        let seq = sent.len() as u64 + 1;
        sent.push(Stored { seq, at: new.at, entry: new.entry.clone() });
    }
}

impl Run<'_> {
    fn open(&mut self) -> anyhow::Result<()> {
        self.opened = Some(self.lives.open(&self.life.card)?);
        self.commits = 0;
        Ok(())
    }

    fn journal(&self) -> anyhow::Result<&Journal> {
        Ok(&self.opened.as_ref().context("the journal is open")?.journal)
    }

    fn state(&self) -> anyhow::Result<State> {
        let (state, report) = self.lives.look(&self.life.card, &self.journal()?.reader())?;
        match report.faults.first() {
            Some(fault) => bail!("a journal that lost no power is not sound: {fault}"),
            None => Ok(state),
        }
    }

    fn newest(&self) -> u64 {
        self.life.sent.len() as u64
    }

    /// Asks for something, and notes when it was asked and when it was promised.
    fn request(&mut self, kind: Kind) -> anyhow::Result<()> {
        let sent = self.life.card.instant();
        let (what, commits) = match (kind, self.dice.roll(16)) {
            (Kind::Old, 0..5) => self.retain()?,
            (Kind::Busy, 4..16) => self.command()?,
            (_, 0..8) => self.append()?,
            (_, 8 | 9) => self.acknowledge()?,
            (_, 10 | 11) => self.command()?,
            (_, 12) => self.report()?,
            (_, 13) => self.probe()?,
            _ => self.reopen()?,
        };
        let promised = self.life.card.instant();
        self.life.requests.push(Request { what, sent, promised });
        self.life.states.push(self.state()?);
        self.commits += commits;
        if self.commits >= COMMITS_PER_CHECKPOINT {
            self.wait_for_checkpoint(sent)?;
        }
        Ok(())
    }

    fn append(&mut self) -> anyhow::Result<(String, u32)> {
        let batch = self.sales.next_batch();
        let before = self.newest();
        keep(&mut self.life.sent, &batch);
        let places = self.lives.runtime.block_on(self.journal()?.append(batch))?;
        if places != (before + 1..=self.newest()).collect::<Vec<_>>() {
            bail!("the journal says that {} entries after {before} are at {places:?}", self.newest() - before);
        }
        Ok((format!("append entries {} to {}", before + 1, self.newest()), 1))
    }

    fn acknowledge(&mut self) -> anyhow::Result<(String, u32)> {
        let up_to = self.dice.roll(self.newest() + 1);
        let aside = up_to > 0 && self.dice.one_in(4);
        let set_aside = aside.then(|| SetAside {
            seq: up_to,
            order: self.life.sent[usize::try_from(up_to - 1).unwrap_or(0)].entry.order().to_string(),
            code: "BAD_ENTRY".to_owned(),
            detail: "not understood".to_owned(),
            at_ms: self.sales.now_ms(),
        });
        self.lives.runtime.block_on(self.journal()?.acknowledge(up_to, set_aside.into_iter().collect()))?;
        Ok((format!("acknowledge up to {up_to}{}", if aside { ", that one set aside" } else { "" }), 1))
    }

    fn command(&mut self) -> anyhow::Result<(String, u32)> {
        let number = self.life.states.last().map_or(0, |state| state.sync.handled) + 1;
        let outcome = if self.dice.one_in(3) { CommandOutcome::Refused } else { CommandOutcome::Done };
        let result = CommandResult { number, outcome, detail: "as told".to_owned() };
        self.lives.runtime.block_on(self.journal()?.command_handled(result))?;
        Ok((format!("note the result of command {number}"), 1))
    }

    fn report(&mut self) -> anyhow::Result<(String, u32)> {
        let handled = self.life.states.last().map_or(0, |state| state.sync.handled);
        let up_to = self.dice.roll(handled + 1);
        self.lives.runtime.block_on(self.journal()?.results_reported(up_to))?;
        Ok((format!("forget results up to {up_to}"), 1))
    }

    fn probe(&self) -> anyhow::Result<(String, u32)> {
        self.lives.runtime.block_on(self.journal()?.probe())?;
        Ok(("probe".to_owned(), 0))
    }

    fn retain(&mut self) -> anyhow::Result<(String, u32)> {
        let keep_from_ms = self.sales.now_ms() + DAY_MS;
        let entries_max = u32::try_from(1 + self.dice.roll(40)).unwrap_or(1);
        let gone = self.lives.runtime.block_on(self.journal()?.retain(keep_from_ms, entries_max))?;
        Ok((format!("remove old orders: {} of them, {} entries", gone.orders, gone.entries), 1))
    }

    /// The daemon is stopped and started.
    fn reopen(&mut self) -> anyhow::Result<(String, u32)> {
        self.opened = None;
        self.open()?;
        Ok(("close and open".to_owned(), 0))
    }

    /// Waits until the database was synced after `sent`: the last thing that emptying the log does.
    fn wait_for_checkpoint(&mut self, sent: usize) -> anyhow::Result<()> {
        const LOOKS_MAX: u32 = 300_000;
        let database = self.life.card.path();
        let name = database.file_name().and_then(|name| name.to_str()).context("the card names its database")?;
        for _ in 0..LOOKS_MAX {
            let is_done = self
                .life
                .card
                .log()
                .iter()
                .skip(sent)
                .any(|op| &*op.name == name && matches!(op.what, What::Sync | What::SyncIgnored));
            if is_done {
                self.commits = 0;
                return Ok(());
            }
            std::thread::yield_now();
        }
        bail!(
            "the journal no longer empties its log after {COMMITS_PER_CHECKPOINT} commits: tell this tier the new number"
        )
    }
}
