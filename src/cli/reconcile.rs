//! `till reconcile`: a day's statements against the journal. The daemon may be running or not.

mod told;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

use books::export;
use books::reconcile::{Books, Date, Files, Reconciliation, reconcile};
use books::statement::{Statement, Unit};
use clap::{Args, ValueEnum};
use payment::channel::ChannelId;
use payment::time::Wall;

use super::files::{self, CHANNELS, clients, named};
use super::{Answer, Exit, Failure, text};
use crate::journal::window::{self, Moved};
use crate::statements::gather::{Gathering, Wishes, is_over};
use crate::statements::keep::Shelf;
use crate::statements::ours;

#[derive(Debug, Args)]
pub(super) struct ReconcileArgs {
    /// The day in China, such as 2026-11-21 [default: yesterday, and the day before that until ten in the morning]
    #[arg(long, value_name = "DAY")]
    date: Option<Date>,
    /// Only this channel; may be given more than once [default: all that are set up]
    #[arg(long, value_parser = channel, value_name = "CHANNEL")]
    channel: Vec<ChannelId>,
    /// A statement that was downloaded by hand, CHANNEL=PATH; may be given more than once
    #[arg(long, value_parser = named_file, value_name = "CHANNEL=PATH")]
    file: Vec<(ChannelId, PathBuf)>,
    /// Fetch the files again although they are kept here
    #[arg(long)]
    again: bool,
    /// Ask no channel: only files that are given or kept
    #[arg(long)]
    offline: bool,
    /// Compare a day that is not over in China, as far as the channels give it; nothing of it is kept as the day's file
    #[arg(long)]
    unfinished: bool,
    /// The unit of money in Allinpay's files
    #[arg(long, value_enum, default_value = "auto")]
    unit: UnitWord,
    /// Write the rows, the sums and the remarks as CSV into this folder
    #[arg(long, value_name = "DIR")]
    csv: Option<PathBuf>,
    /// Write all of it as one Excel file
    #[arg(long, value_name = "PATH")]
    xlsx: Option<PathBuf>,
    #[command(flatten)]
    files: files::Files,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum UnitWord {
    /// Told by the decimal points
    Auto,
    /// Yuan
    Yuan,
    /// Fen
    Fen,
}

impl From<UnitWord> for Unit {
    fn from(word: UnitWord) -> Self {
        match word {
            UnitWord::Auto => Self::ByPoint,
            UnitWord::Yuan => Self::Yuan,
            UnitWord::Fen => Self::Fen,
        }
    }
}

fn channel(name: &str) -> Result<ChannelId, String> {
    named(&CHANNELS, name)
}

fn named_file(text: &str) -> Result<(ChannelId, PathBuf), String> {
    let (name, path) = text.split_once('=').ok_or("write it as CHANNEL=PATH, such as wechat=bill.csv")?;
    Ok((channel(name)?, PathBuf::from(path)))
}

pub(super) async fn compare(args: ReconcileArgs) -> Result<Answer, Failure> {
    let now = files::wall();
    let day = day_of(&args, now)?;
    let checked = args.files.load()?;
    let held: Vec<ChannelId> = checked.channels.iter().map(|channel| channel.adapter.id()).collect();
    let wanted = wanted(&args, held)?;
    let (journal, shelf) = (checked.journal.clone(), Shelf::beside(&checked.journal));
    let mut gathering = Gathering::new(wishes(&args), clients(checked)?, shelf, now);
    let mut statements = Vec::new();
    for channel in wanted {
        statements.extend(gathering.statements(channel, day).await);
    }
    let moved = moved(&journal, day, &statements)?;
    let ours = ours::of_day(&moved.orders, day, &args.channel);
    let other_days = gathering.other_days(&ours.days, &numbers_of(&ours.books));
    let files = Files { day: &statements, other_days: &other_days };
    let result =
        reconcile(day, &ours.books, files).map_err(|error| Failure::other(Exit::Refused, error.to_string()))?;
    let mut troubles = gathering.troubles;
    troubles.extend(told::of_removed(&moved, day));
    let written = export(&result, &args, &mut troubles);
    Ok(told::answer(&result, &troubles, &written))
}

/// The day that is meant. One that is not over has no statement that counts, and would be asked for too early.
fn day_of(args: &ReconcileArgs, now: Wall) -> Result<Date, Failure> {
    let day = args.date.or_else(|| newest_made(now)).ok_or_else(|| Failure::other(Exit::Usage, "no such day"))?;
    if is_over(day, now) || args.unfinished {
        return Ok(day);
    }
    let advice = "channels make a day's statement in the morning after it: ask then, after ten o'clock in China";
    Err(Failure::other(
        Exit::Usage,
        format!("{day} is not over in China; {advice}. --unfinished compares what is there"),
    ))
}

/// The channels whose statements are compared: those named, or those that are set up and those of the given files.
fn wanted(args: &ReconcileArgs, held: Vec<ChannelId>) -> Result<Vec<ChannelId>, Failure> {
    let given = args.file.iter().map(|(channel, _)| *channel);
    if args.channel.is_empty() {
        let more: BTreeSet<ChannelId> = given.filter(|channel| !held.contains(channel)).collect();
        return Ok(held.into_iter().chain(more).collect());
    }
    match given.clone().find(|channel| !args.channel.contains(channel)) {
        Some(channel) => {
            let name = channel.name();
            let message =
                format!("--file has a statement of {name}, and --channel leaves {name} out; add --channel {name}");
            Err(Failure::other(Exit::Usage, message))
        }
        None => Ok(args.channel.iter().copied().collect::<BTreeSet<_>>().into_iter().collect()),
    }
}

fn wishes(args: &ReconcileArgs) -> Wishes {
    let (again, offline) = (args.again, args.offline);
    Wishes { files: args.file.clone(), again, offline, unit: args.unit.into() }
}

/// Ten in the morning, in ms.
const MADE_AT_MS: i64 = 10 * 3_600_000;

/// The newest day whose statements every channel has made: they make yesterday's until about ten in the morning. So a
/// machine that was off, and asks when it is on again, asks for the day that it missed.
fn newest_made(now: Wall) -> Option<Date> {
    books::day::of(now.ms.saturating_sub(MADE_AT_MS))?.yesterday().ok()
}

/// What the journal has of the day, and of what the statements name.
fn moved(journal: &Path, day: Date, statements: &[Statement]) -> Result<Moved, Failure> {
    let Some((from, to)) = ours::bounds(day) else {
        return Err(Failure::other(Exit::Usage, format!("{day} is at the end of the calendar")));
    };
    // A payment may be noted hours after it was made, and undone the day after.
    let margin = books::day::DAY_MS;
    let numbers =
        statements.iter().flat_map(|statement| &statement.lines).flat_map(|line| line.numbers.all()).collect();
    let moved = window::orders_moved(journal, from - margin, to + margin, &numbers);
    moved.map_err(|error| Failure::other(Exit::Journal, error.to_string()))
}

fn numbers_of(books: &Books) -> BTreeSet<String> {
    let entries = books.entries.iter().chain(&books.other_days);
    entries.flat_map(|entry| entry.numbers.all()).map(str::to_owned).collect()
}

/// Writes what was asked for, and says where. What could not be written takes nothing from what was found.
fn export(result: &Reconciliation<'_>, args: &ReconcileArgs, troubles: &mut Vec<String>) -> Vec<PathBuf> {
    let sheets = export::report(result);
    let mut written = Vec::new();
    let csv = args.csv.iter().flat_map(|folder| sheets.iter().map(move |sheet| (folder, sheet)));
    for (folder, sheet) in csv {
        let path = folder.join(format!("{}-{}.csv", sheet.name, result.day));
        note(export::csv(sheet).map_err(|error| error.to_string()), path, &mut written, troubles);
    }
    if let Some(path) = &args.xlsx {
        note(workbook(&sheets), path.clone(), &mut written, troubles);
    }
    written
}

fn note(bytes: Result<Vec<u8>, String>, path: PathBuf, written: &mut Vec<PathBuf>, troubles: &mut Vec<String>) {
    match bytes.and_then(|bytes| write(&path, &bytes).map_err(|error| error.to_string())) {
        Ok(()) => written.push(path),
        Err(why) => troubles.push(format!("{} could not be written: {why}", path.display())),
    }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::write(path, bytes)
}

#[cfg(feature = "xlsx")]
fn workbook(sheets: &[export::Sheet]) -> Result<Vec<u8>, String> {
    export::xlsx(sheets).map_err(|error| error.to_string())
}

#[cfg(not(feature = "xlsx"))]
fn workbook(_sheets: &[export::Sheet]) -> Result<Vec<u8>, String> {
    Err("this build of Till writes no Excel, to stay small: use --csv, or a build with the feature \"xlsx\" on another computer".to_owned())
}

#[cfg(test)]
mod tests;
