//! The files of a day: given by hand, kept, or fetched now. What cannot be had or read is a trouble for a person, and the
//! others are gone on with.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use books::day;
use books::reconcile::Date;
use books::statement::{Source, Statement, Unit, read};
use payment::channel::ChannelId;
use payment::time::Wall;

use super::fetch::{Fetched, fetch};
use super::keep::Shelf;
use super::source_of;
use crate::http::Channels;

/// What a person asks for.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// Files that were downloaded by hand.
    pub files: Vec<(ChannelId, PathBuf)>,
    /// Fetch also what is kept.
    pub again: bool,
    /// Ask no channel.
    pub offline: bool,
    /// The unit of money in Allinpay's files.
    pub unit: Unit,
}

/// Files on their way in, and what went wrong with some.
#[derive(Debug)]
pub struct Gathering {
    wishes: Wishes,
    channels: Channels,
    shelf: Shelf,
    wall: Wall,
    /// For a person.
    pub troubles: Vec<String>,
}

impl Gathering {
    /// Nothing gathered yet.
    #[must_use]
    pub const fn new(wishes: Wishes, channels: Channels, shelf: Shelf, wall: Wall) -> Self {
        Self { wishes, channels, shelf, wall, troubles: Vec::new() }
    }

    /// The statements of a day that a channel has, several when several were given by hand.
    pub async fn statements(&mut self, channel: ChannelId, day: Date) -> Vec<Statement> {
        let files = self.wishes.files.iter().filter(|(of, _)| *of == channel);
        let by_hand: Vec<PathBuf> = files.map(|(_, path)| path.clone()).collect();
        if !by_hand.is_empty() {
            return by_hand.iter().filter_map(|path| self.given(channel, path)).collect();
        }
        let found = match self.kept(channel, day) {
            Some(bytes) => self.read_kept(channel, day, &bytes),
            None if self.wishes.offline => {
                self.trouble(channel, format!("no file is kept for {day}, and --offline asks nobody"));
                None
            }
            None => self.fetched(channel, day).await,
        };
        found.into_iter().collect()
    }

    fn given(&mut self, channel: ChannelId, path: &Path) -> Option<Statement> {
        let bytes = fs::read(path).map_err(|error| format!("{} cannot be read ({error})", path.display()));
        let found =
            bytes.and_then(|bytes| self.read(channel, &bytes).map_err(|why| format!("{}: {why}", path.display())));
        found.map_err(|why| self.trouble(channel, why)).ok()
    }

    fn kept(&mut self, channel: ChannelId, day: Date) -> Option<Vec<u8>> {
        if self.wishes.again {
            return None;
        }
        self.shelf.find(channel, day).unwrap_or_else(|error| {
            self.trouble(channel, format!("the kept file cannot be read ({error}), so it is asked for again"));
            None
        })
    }

    /// No bytes were kept for a day without movements.
    fn read_kept(&mut self, channel: ChannelId, day: Date, bytes: &[u8]) -> Option<Statement> {
        if bytes.is_empty() {
            return self.nothing_on_that_day(channel);
        }
        let found = self.read(channel, bytes);
        found
            .map_err(|why| self.trouble(channel, format!("the file kept for {day}: {why}. --again fetches it anew")))
            .ok()
    }

    async fn fetched(&mut self, channel: ChannelId, day: Date) -> Option<Statement> {
        match fetch(&self.channels, channel, day, self.wall).await {
            Ok(Fetched::File(bytes)) => self.take(channel, day, &bytes),
            Ok(Fetched::NoneSoFar) => self.nothing_on_that_day(channel),
            Ok(Fetched::Nothing) => {
                self.keep(channel, day, &[]);
                self.nothing_on_that_day(channel)
            }
            Err(error) => {
                self.troubles.push(error.to_string());
                None
            }
        }
    }

    /// Only what can be read is kept: a page of somebody's proxy would be the day's file for ever.
    fn take(&mut self, channel: ChannelId, day: Date, bytes: &[u8]) -> Option<Statement> {
        match self.read(channel, bytes) {
            Ok(statement) => {
                self.keep(channel, day, bytes);
                Some(statement)
            }
            Err(why) => {
                self.trouble(channel, format!("{why}. What came was not kept, and the next run asks again"));
                None
            }
        }
    }

    fn keep(&mut self, channel: ChannelId, day: Date, bytes: &[u8]) {
        let kept = match (is_over(day, self.wall), bytes.is_empty()) {
            (true, _) => self.shelf.keep(channel, day, bytes).map(drop),
            (false, false) => self.shelf.keep_unfinished(channel, day, bytes).map(drop),
            (false, true) => Ok(()),
        };
        if let Err(error) = kept {
            self.trouble(channel, format!("the file could not be kept here ({error})"));
        }
    }

    fn read(&self, channel: ChannelId, bytes: &[u8]) -> Result<Statement, String> {
        let source = self.source(channel).ok_or("it writes no statements")?;
        read(source, bytes).map_err(|error| error.to_string())
    }

    fn source(&self, channel: ChannelId) -> Option<Source> {
        source_of(channel, self.wishes.unit)
    }

    fn nothing_on_that_day(&self, channel: ChannelId) -> Option<Statement> {
        let source = self.source(channel)?;
        Some(Statement { source, lines: Vec::new(), totals: Vec::new(), remarks: Vec::new() })
    }

    fn trouble(&mut self, channel: ChannelId, what: String) {
        self.troubles.push(format!("{}: {what}", channel.name()));
    }

    /// The files of other days, as far as they are kept, and of these only the lines with one of `numbers`: a merchant's
    /// file may be long.
    #[must_use]
    pub fn other_days(&self, days: &BTreeSet<(ChannelId, Date)>, numbers: &BTreeSet<String>) -> Vec<(Date, Statement)> {
        let mut found = Vec::new();
        for (channel, day) in days {
            let bytes = self.shelf.find(*channel, *day).ok().flatten().filter(|bytes| !bytes.is_empty());
            let statement = bytes.and_then(|bytes| self.read(*channel, &bytes).ok());
            found.extend(statement.map(|mut statement| {
                statement.lines.retain(|line| line.numbers.all().any(|number| numbers.contains(number)));
                (*day, statement)
            }));
        }
        found
    }
}

/// Whether the day is over in China.
#[must_use]
pub fn is_over(day: Date, now: Wall) -> bool {
    day::of(now.ms).is_some_and(|today| day < today)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::http::ClientOptions;

    const CHANNEL: ChannelId = ChannelId::AllinpayYst;
    const DAY: Date = Date::constant(2026, 11, 21);
    /// What YunST's reader takes for a day without orders.
    const FILE: &[u8] = "通联订单号|订单类型|交易金额|\n".as_bytes();

    fn gathering(place: &Path, wishes: Wishes, now: &str) -> Gathering {
        let second = Duration::from_secs(1);
        let options = ClientOptions { connect: second, total: second, extra_roots: None };
        let wall = Wall { ms: day::read(now).unwrap(), trusted: true };
        Gathering::new(
            wishes,
            Channels::new(Vec::new(), &options).unwrap(),
            Shelf::beside(&place.join("till.db")),
            wall,
        )
    }

    fn on_the_shelf(place: &Path) -> Option<Vec<u8>> {
        Shelf::beside(&place.join("till.db")).find(CHANNEL, DAY).unwrap()
    }

    #[test]
    fn only_what_can_be_read_becomes_the_days_file() {
        let place = tempfile::tempdir().unwrap();
        let mut gathering = gathering(place.path(), Wishes::default(), "2026-11-22 10:30:00");
        for no_file in ["{\"code\":\"10001\"}", "<html>log in</html>", ""] {
            assert_eq!(gathering.take(CHANNEL, DAY, no_file.as_bytes()), None);
            assert_eq!(on_the_shelf(place.path()), None);
        }
        assert_eq!(gathering.troubles.len(), 3);
        assert!(gathering.troubles[0].contains("the next run asks again"), "{}", gathering.troubles[0]);
        assert!(gathering.take(CHANNEL, DAY, FILE).is_some());
        assert_eq!(on_the_shelf(place.path()).as_deref(), Some(FILE));
    }

    #[test]
    fn a_day_that_is_not_over_leaves_no_file_of_the_day() {
        let place = tempfile::tempdir().unwrap();
        let mut gathering = gathering(place.path(), Wishes::default(), "2026-11-21 23:59:59");
        assert!(gathering.take(CHANNEL, DAY, FILE).is_some());
        assert_eq!(on_the_shelf(place.path()), None);
        assert!(is_over(DAY, Wall { ms: gathering.wall.ms + 1_000, trusted: true }));
    }

    #[tokio::test]
    async fn a_kept_file_that_cannot_be_read_is_named_with_the_way_out() {
        let place = tempfile::tempdir().unwrap();
        Shelf::beside(&place.path().join("till.db")).keep(CHANNEL, DAY, b"{}").unwrap();
        let mut gathering = gathering(place.path(), Wishes::default(), "2026-11-22 10:30:00");
        assert!(gathering.statements(CHANNEL, DAY).await.is_empty());
        assert!(gathering.troubles[0].contains("--again fetches it anew"), "{}", gathering.troubles[0]);
    }

    #[tokio::test]
    async fn what_is_neither_kept_nor_given_is_said_when_nobody_may_be_asked() {
        let place = tempfile::tempdir().unwrap();
        let wishes = Wishes { offline: true, ..Wishes::default() };
        let mut gathering = gathering(place.path(), wishes, "2026-11-22 10:30:00");
        assert!(gathering.statements(CHANNEL, DAY).await.is_empty());
        assert!(gathering.troubles[0].contains("--offline"), "{}", gathering.troubles[0]);
    }

    #[test]
    fn of_other_days_only_the_lines_are_kept_in_mind_that_our_numbers_name() {
        let place = tempfile::tempdir().unwrap();
        let line = |ours: &str| format!("T{ours}|2085|350|0|20261121100000|{ours}||||||||||||||||||\n");
        let text = format!("heading|\n{}{}", line("P1"), line("P2"));
        Shelf::beside(&place.path().join("till.db")).keep(CHANNEL, DAY, text.as_bytes()).unwrap();
        let gathering = gathering(place.path(), Wishes::default(), "2026-11-23 10:30:00");
        let found = gathering.other_days(&[(CHANNEL, DAY)].into(), &["P2".to_owned()].into());
        let ours: Vec<_> = found[0].1.lines.iter().map(|line| line.numbers.ours.as_deref()).collect();
        assert_eq!((found[0].0, ours), (DAY, vec![Some("P2")]));
    }
}
