//! Which line answers for which entry.

use std::collections::BTreeMap;

use payment::channel::ChannelId;

use super::row::{Row, compare};
use super::{Entry, EntryKind, Listed};
use crate::statement::{Kind, Numbers};

/// By which number a pair was found, the surest first. Numbers of one movement come before those that a payment shares
/// with its refunds; the latter pair refunds only where their own numbers do not contradict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// Our refund's number.
    Refund,
    /// The attempt's number.
    Attempt,
    /// The channel's number of the refund.
    ChannelRefund,
    /// The channel's number of the payment.
    Channel,
    /// The number of the channel behind YunST.
    Acquirer,
    /// The wallet's number.
    Wallet,
    /// The number under which YunST asked.
    Request,
    /// Any number of the one equal to any of the other.
    Any,
}

impl By {
    /// All, in the order in which they are tried.
    pub const ALL: [Self; 8] = [
        Self::Refund,
        Self::Attempt,
        Self::ChannelRefund,
        Self::Channel,
        Self::Acquirer,
        Self::Wallet,
        Self::Request,
        Self::Any,
    ];

    /// The name for a person and for scripts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refund => "refund number",
            Self::Attempt => "attempt number",
            Self::ChannelRefund => "channel's refund number",
            Self::Channel => "channel's number",
            Self::Acquirer => "acquirer's number",
            Self::Wallet => "wallet's number",
            Self::Request => "request number",
            Self::Any => "another number",
        }
    }

    /// Whether a movement of this kind shares the number with no other one.
    const fn is_own(self, kind: EntryKind) -> bool {
        match kind {
            EntryKind::Payment => true,
            EntryKind::Refund => matches!(self, Self::Refund | Self::ChannelRefund),
        }
    }

    fn keys(self, numbers: &Numbers) -> Vec<&str> {
        match self {
            Self::Refund => numbers.refund_ours.as_deref().into_iter().collect(),
            Self::Attempt => numbers.ours.as_deref().into_iter().collect(),
            Self::ChannelRefund => numbers.refund_channel.as_deref().into_iter().collect(),
            Self::Channel => numbers.channel.as_deref().into_iter().collect(),
            Self::Acquirer => numbers.acquirer.as_deref().into_iter().collect(),
            Self::Wallet => numbers.wallet.as_deref().into_iter().collect(),
            Self::Request => numbers.request.as_deref().into_iter().collect(),
            Self::Any => numbers.all().collect(),
        }
    }
}

/// Entries and lines, and the pairs found so far.
pub(super) struct Pairing<'a> {
    entries: Vec<&'a Entry>,
    lines: Vec<Listed<'a>>,
    /// For each entry, its line's place.
    pairs: Vec<Option<(usize, By)>>,
    taken: Vec<bool>,
}

impl<'a> Pairing<'a> {
    pub(super) fn of(entries: Vec<&'a Entry>, lines: Vec<Listed<'a>>) -> Self {
        let (pairs, taken) = (vec![None; entries.len()], vec![false; lines.len()]);
        Self { entries, lines, pairs, taken }
    }

    /// Pairs of one kind, number by number, and for each number equal amounts first.
    pub(super) fn pair_kinds(&mut self) {
        for by in By::ALL {
            for equal_amounts in [true, false] {
                self.pair(by, &|entry, listed| {
                    entry.kind.is(listed.line.kind)
                        && (!equal_amounts || entry.amount == listed.line.amount)
                        && !contradicts(entry, &listed.line.numbers, by)
                });
            }
        }
    }

    /// Pairs across days, of one kind and equal amounts; of refunds only by their own numbers, since two refunds of one
    /// payment share all others.
    pub(super) fn pair_own(&mut self) {
        for by in By::ALL {
            self.pair(by, &|entry, listed| {
                by.is_own(entry.kind)
                    && entry.kind.is(listed.line.kind)
                    && entry.amount == listed.line.amount
                    && !contradicts(entry, &listed.line.numbers, by)
            });
        }
    }

    /// Pairs of different kinds, for what cannot be chance: the movement's own number, and the same amount.
    pub(super) fn pair_identities(&mut self) {
        self.pair(By::Any, &|entry, listed| {
            let own = match entry.kind {
                EntryKind::Payment => entry.numbers.ours.as_deref(),
                EntryKind::Refund => entry.numbers.refund_ours.as_deref(),
            };
            let numbers = &listed.line.numbers;
            let its = match listed.line.kind {
                Kind::Payment | Kind::Other => [numbers.ours.as_deref(), numbers.refund_ours.as_deref()],
                Kind::Refund | Kind::Reversal => [numbers.refund_ours.as_deref(), None],
            };
            own.is_some() && its.contains(&own) && entry.amount == listed.line.amount
        });
    }

    fn pair(&mut self, by: By, fits: &dyn Fn(&Entry, &Listed<'_>) -> bool) {
        let mut index: BTreeMap<(ChannelId, &str), Vec<usize>> = BTreeMap::new();
        for (place, listed) in self.lines.iter().enumerate().filter(|(place, _)| !self.taken[*place]) {
            for key in by.keys(&listed.line.numbers) {
                index.entry((listed.channel, key)).or_default().push(place);
            }
        }
        for (entry, pair) in self.entries.iter().zip(&mut self.pairs).filter(|(_, pair)| pair.is_none()) {
            let candidates = by.keys(&entry.numbers).into_iter().filter_map(|key| index.get(&(entry.channel, key)));
            let free = |place: &&usize| !self.taken[**place] && fits(entry, &self.lines[**place]);
            if let Some(place) = candidates.flatten().find(free).copied() {
                self.taken[place] = true;
                *pair = Some((place, by));
            }
        }
    }

    /// A row for each pair.
    pub(super) fn agreed_and_differing(&self) -> Vec<Row<'a>> {
        let row = |(entry, pair): (&&'a Entry, &Option<(usize, By)>)| {
            let (place, by) = (*pair)?;
            let listed = self.lines[place];
            let found = compare(entry, listed.line);
            Some(Row { found, entry: Some(*entry), listed: Some(listed), by: Some(by) })
        };
        self.entries.iter().zip(&self.pairs).filter_map(row).collect()
    }

    /// What has no counterpart.
    pub(super) fn left(self) -> (Vec<&'a Entry>, Vec<Listed<'a>>) {
        let entries = self.entries.iter().zip(&self.pairs).filter(|(_, pair)| pair.is_none());
        let lines = self.lines.iter().zip(&self.taken).filter(|(_, taken)| !**taken);
        (entries.map(|(entry, _)| *entry).collect(), lines.map(|(listed, _)| *listed).collect())
    }
}

/// Two refunds of one payment share its numbers: their own ones tell them apart. And a number that somebody else made
/// never outweighs two different ones of ours.
fn contradicts(entry: &Entry, line: &Numbers, by: By) -> bool {
    let differ = |one: &Option<String>, other: &Option<String>| one.is_some() && other.is_some() && one != other;
    let ours = &entry.numbers;
    match entry.kind {
        EntryKind::Refund => by != By::Refund && differ(&ours.refund_ours, &line.refund_ours),
        EntryKind::Payment => by == By::Any && differ(&ours.ours, &line.ours),
    }
}

/// The numbers that both sides of a pair know and that are not the same. Of a refund only those are compared whose part
/// is certain: behind the channel, some write the payment's numbers and some the refund's own.
pub(super) fn differing_numbers(entry: &Entry, line: &Numbers) -> Vec<By> {
    let certain = |by: &By| match by {
        By::Refund | By::Attempt | By::ChannelRefund | By::Channel => true,
        By::Acquirer | By::Wallet | By::Request => entry.kind == EntryKind::Payment,
        By::Any => false,
    };
    let differs = |by: &By| {
        let (one, other) = (by.keys(&entry.numbers), by.keys(line));
        !one.is_empty() && !other.is_empty() && one != other
    };
    By::ALL.into_iter().filter(certain).filter(differs).collect()
}
