//! `till reconcile`: a day's statements against the journal. The daemon may be running or not.

use std::fs;
use std::path::{Path, PathBuf};

use books::export;
use books::reconcile::{Books, Date, Files, Found, Reconciliation, Row, Totals, reconcile};
use books::statement::{Source, Statement, Unit, read};
use clap::{Args, ValueEnum};
use payment::channel::ChannelId;
use payment::time::Wall;
use serde_json::{Value, json};

use super::{Answer, Exit, Failure, text};
use crate::config::{self, Checked};
use crate::daemon::clock;
use crate::http::{Channels, ClientOptions};
use crate::journal::window;
use crate::statements::fetch::{Fetched, fetch};
use crate::statements::keep::Shelf;
use crate::statements::{ours, source_of};

/// So many rows that need a person are printed; an export has all.
const SHOWN_MAX: usize = 100;

#[derive(Debug, Args)]
pub(super) struct ReconcileArgs {
    /// The day in China, such as 2026-11-21 [default: yesterday]
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
    /// The unit of money in Allinpay's files
    #[arg(long, value_enum, default_value = "auto")]
    unit: UnitWord,
    /// Write the rows, the sums and the remarks as CSV into this folder
    #[arg(long, value_name = "DIR")]
    csv: Option<PathBuf>,
    /// Write all of it as one Excel file
    #[arg(long, value_name = "PATH")]
    xlsx: Option<PathBuf>,
    /// The configuration
    #[arg(long, value_name = "PATH", default_value = "/etc/till/till.toml")]
    config: PathBuf,
    /// The board
    #[arg(long, value_name = "PATH", default_value = "/etc/till/board.toml")]
    board: PathBuf,
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

/// The channels that write statements.
const CHANNELS: [ChannelId; 4] = [ChannelId::Alipay, ChannelId::Wechat, ChannelId::AllinpayVsp, ChannelId::AllinpayYst];

fn channel(name: &str) -> Result<ChannelId, String> {
    let found = CHANNELS.into_iter().find(|channel| channel.name() == name);
    found.ok_or_else(|| format!("it can be {}", CHANNELS.map(ChannelId::name).join(", ")))
}

fn named_file(text: &str) -> Result<(ChannelId, PathBuf), String> {
    let (name, path) = text.split_once('=').ok_or("write it as CHANNEL=PATH, such as wechat=bill.csv")?;
    Ok((channel(name)?, PathBuf::from(path)))
}

pub(super) async fn compare(args: ReconcileArgs) -> Result<Answer, Failure> {
    // A statement is asked for with a signature over the time; whoever asks here sees the clock.
    let now = Wall { trusted: true, ..clock::system_wall() };
    let day = args.date.or_else(|| yesterday(now)).ok_or_else(|| Failure::other(Exit::Refused, "no such day"))?;
    let checked = load(&args)?;
    let books = our_side(&checked.journal, day)?;
    let shelf = Shelf::beside(&checked.journal);
    let held: Vec<ChannelId> = checked.channels.iter().map(|channel| channel.adapter.id()).collect();
    let wanted: Vec<ChannelId> = if args.channel.is_empty() { held } else { args.channel.clone() };
    let channels = clients(checked)?;
    let mut gathering = Gathering { args: &args, channels, shelf, wall: now, troubles: Vec::new() };
    let mut statements = Vec::new();
    for channel in wanted {
        statements.extend(gathering.statement(channel, day).await);
    }
    let neighbours = gathering.neighbours(day);
    let files = Files { day: &statements, neighbours: &neighbours };
    let result = reconcile(day, &books, files).map_err(|error| Failure::other(Exit::Refused, error.to_string()))?;
    let written = export(&result, &args)?;
    Ok(answer(&result, &gathering.troubles, &written))
}

fn yesterday(now: Wall) -> Option<Date> {
    books::day::of(now.ms)?.yesterday().ok()
}

fn load(args: &ReconcileArgs) -> Result<Checked, Failure> {
    config::load(&args.config, &args.board)
        .map_err(|report| Failure::other(Exit::Config, format!("the configuration cannot be used\n{report}")))
}

fn our_side(journal: &Path, day: Date) -> Result<Books, Failure> {
    let Some((from, to)) = ours::bounds(day) else {
        return Err(Failure::other(Exit::Refused, format!("{day} is at the end of the calendar")));
    };
    // A payment may be noted hours after it was made, and undone the day after.
    let margin = books::day::DAY_MS;
    let orders = window::orders_between(journal, from - margin, to + margin);
    let orders = orders.map_err(|error| Failure::other(Exit::Journal, error.to_string()))?;
    Ok(ours::books(&orders, day))
}

/// Clients for the channels of a configuration.
pub(super) fn clients(checked: Checked) -> Result<Channels, Failure> {
    let options = ClientOptions {
        connect: checked.http.connect_timeout,
        total: checked.http.timeout,
        extra_roots: checked.http.extra_roots,
    };
    Channels::new(checked.channels, &options).map_err(|error| Failure::other(Exit::Config, error.to_string()))
}

/// Files on their way in, and what went wrong with some.
struct Gathering<'a> {
    args: &'a ReconcileArgs,
    channels: Channels,
    shelf: Shelf,
    wall: Wall,
    troubles: Vec<String>,
}

impl Gathering<'_> {
    /// A channel's statement of the day: given by hand, kept, or fetched now.
    async fn statement(&mut self, channel: ChannelId, day: Date) -> Vec<Statement> {
        let by_hand: Vec<PathBuf> =
            self.args.file.iter().filter(|(of, _)| *of == channel).map(|(_, path)| path.clone()).collect();
        if !by_hand.is_empty() {
            return by_hand.iter().filter_map(|path| self.given(channel, path)).collect();
        }
        let bytes = match self.kept(channel, day) {
            Some(bytes) => bytes,
            None if self.args.offline => {
                self.troubles.push(format!("{}: no file is kept for {day}, and --offline asks nobody", channel.name()));
                return Vec::new();
            }
            None => match self.fetched(channel, day).await {
                Some(bytes) => bytes,
                None => return Vec::new(),
            },
        };
        self.read(channel, &bytes).into_iter().collect()
    }

    fn kept(&mut self, channel: ChannelId, day: Date) -> Option<Vec<u8>> {
        if self.args.again {
            return None;
        }
        self.shelf.find(channel, day).unwrap_or_else(|error| {
            self.troubles.push(format!("{}: the kept file cannot be read ({error})", channel.name()));
            None
        })
    }

    async fn fetched(&mut self, channel: ChannelId, day: Date) -> Option<Vec<u8>> {
        let bytes = match fetch(&self.channels, channel, day, self.wall).await {
            Ok(Fetched::File(bytes)) => bytes,
            Ok(Fetched::Nothing) => Vec::new(),
            Err(error) => {
                self.troubles.push(error.to_string());
                return None;
            }
        };
        if let Err(error) = self.shelf.keep(channel, day, &bytes) {
            self.troubles.push(format!("{}: the file could not be kept here ({error})", channel.name()));
        }
        Some(bytes)
    }

    fn given(&mut self, channel: ChannelId, path: &Path) -> Option<Statement> {
        match fs::read(path) {
            Ok(bytes) => self.read(channel, &bytes),
            Err(error) => {
                self.troubles.push(format!("{} cannot be read ({error})", path.display()));
                None
            }
        }
    }

    /// No bytes are a day without movements.
    fn read(&mut self, channel: ChannelId, bytes: &[u8]) -> Option<Statement> {
        let source = source_of(channel, self.args.unit.into())?;
        if bytes.is_empty() {
            return Some(nothing_on_that_day(source));
        }
        match read(source, bytes) {
            Ok(statement) => Some(statement),
            Err(error) => {
                self.troubles.push(format!("{}: {error}", channel.name()));
                None
            }
        }
    }

    /// The files of the days beside, as far as they are kept: they explain what happened around midnight.
    fn neighbours(&self, day: Date) -> Vec<Statement> {
        let days = [day.yesterday().ok(), day.tomorrow().ok()];
        let kept = |channel, day| self.shelf.find(channel, day).ok().flatten().filter(|bytes| !bytes.is_empty());
        CHANNELS
            .into_iter()
            .flat_map(|channel| days.into_iter().flatten().map(move |day| (channel, day)))
            .filter_map(|(channel, day)| read(source_of(channel, self.args.unit.into())?, &kept(channel, day)?).ok())
            .collect()
    }
}

fn nothing_on_that_day(source: Source) -> Statement {
    Statement { source, lines: Vec::new(), totals: Vec::new(), remarks: Vec::new() }
}

/// Writes what was asked for, and says where.
fn export(result: &Reconciliation<'_>, args: &ReconcileArgs) -> Result<Vec<PathBuf>, Failure> {
    let sheets = export::report(result);
    let mut written = Vec::new();
    let refused = |path: &Path, why: String| Failure::other(Exit::Refused, format!("{}: {why}", path.display()));
    if let Some(folder) = &args.csv {
        fs::create_dir_all(folder).map_err(|error| refused(folder, error.to_string()))?;
        for sheet in &sheets {
            let path = folder.join(format!("{}-{}.csv", sheet.name, result.day));
            let bytes = export::csv(sheet).map_err(|error| refused(&path, error.to_string()))?;
            fs::write(&path, bytes).map_err(|error| refused(&path, error.to_string()))?;
            written.push(path);
        }
    }
    if let Some(path) = &args.xlsx {
        fs::write(path, workbook(&sheets)?).map_err(|error| refused(path, error.to_string()))?;
        written.push(path.clone());
    }
    Ok(written)
}

#[cfg(feature = "xlsx")]
fn workbook(sheets: &[export::Sheet]) -> Result<Vec<u8>, Failure> {
    export::xlsx(sheets).map_err(|error| Failure::other(Exit::Refused, error.to_string()))
}

#[cfg(not(feature = "xlsx"))]
fn workbook(_sheets: &[export::Sheet]) -> Result<Vec<u8>, Failure> {
    Err(Failure::other(
        Exit::Refused,
        "this build of Till writes no Excel, to stay small: use --csv, or a build with the feature \"xlsx\" on another computer",
    ))
}

fn answer(result: &Reconciliation<'_>, troubles: &[String], written: &[PathBuf]) -> Answer {
    let mut lines: Vec<String> = troubles.iter().map(|trouble| format!("warning: {trouble}")).collect();
    lines.extend(result.remarks.iter().map(|(source, remark)| format!("{}: {remark}", source.channel().name())));
    let differing: Vec<&Row<'_>> = result.rows.iter().filter(|row| row.found.is_difference()).collect();
    lines.extend(differing.iter().take(SHOWN_MAX).map(|row| line(row)));
    if differing.len() > SHOWN_MAX {
        lines.push(format!("… and {} more; --csv DIR writes all", differing.len() - SHOWN_MAX));
    }
    for channel in result.channels() {
        let (ours, theirs) = (result.ours(Some(channel)), result.theirs(Some(channel)));
        lines.push(format!("{:<13} journal   {}", channel.name(), sums(&ours)));
        lines.push(format!("{:<13} statement {}", "", sums(&theirs)));
    }
    lines.extend(written.iter().map(|path| format!("written: {}", path.display())));
    lines.push(verdict(result, differing.len()));
    let exit = if result.verdict().exit_code() == 0 && troubles.is_empty() { Exit::Done } else { Exit::Refused };
    Answer { text: lines.join("\n"), json: as_json(result, troubles), exit }
}

fn verdict(result: &Reconciliation<'_>, differing: usize) -> String {
    let agreed = result.rows.iter().filter(|row| row.found == Found::Agreed).count();
    match result.verdict() {
        books::reconcile::Verdict::Agreed => format!("{}: all {agreed} movements agree, to the fen", result.day),
        books::reconcile::Verdict::Differences => {
            format!("{}: {agreed} movements agree, {differing} need a person", result.day)
        }
        books::reconcile::Verdict::NotCompared => {
            format!("{}: nothing was compared: there is no statement to compare with", result.day)
        }
    }
}

fn sums(totals: &Totals) -> String {
    format!(
        "{} paid {}, {} returned {}, net {}, fees {}",
        totals.payments,
        text::yuan(totals.paid.get()),
        totals.refunds,
        text::yuan(totals.returned.get()),
        text::yuan(totals.net().get()),
        text::yuan(totals.fees.get())
    )
}

/// A row that needs a person: what is wrong, whose, how much, under which numbers.
fn line(row: &Row<'_>) -> String {
    let channel = row.entry.map(|entry| entry.channel).or(row.listed.map(|listed| listed.channel));
    let amount = row.entry.map(|entry| entry.amount).or(row.line().map(|line| line.amount)).unwrap_or_default();
    let numbers = row.entry.map(|entry| &entry.numbers).or(row.line().map(|line| &line.numbers));
    let numbers: Vec<&str> = numbers.map(|numbers| numbers.all().collect()).unwrap_or_default();
    let detail = match &row.found {
        Found::Differing(differences) => {
            format!(": {}", differences.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        }
        Found::Long { twice: true } => ": listed twice".to_owned(),
        Found::Agreed
        | Found::Undone
        | Found::NeighbourDay(_)
        | Found::Waiting
        | Found::DoneByThem
        | Found::Long { twice: false }
        | Found::Short
        | Found::Other
        | Found::NotCompared => String::new(),
    };
    let channel = channel.map_or("", ChannelId::name);
    format!("{}: {channel} {} {}{detail}", row.found.name(), text::yuan(amount.get()), numbers.join(" "))
}

fn as_json(result: &Reconciliation<'_>, troubles: &[String]) -> Value {
    let totals = |totals: Totals| {
        json!({
            "payments": totals.payments, "paid": totals.paid, "refunds": totals.refunds,
            "returned": totals.returned, "net": totals.net(), "fees": totals.fees,
        })
    };
    let row = |row: &Row<'_>| {
        json!({
            "found": row.found.name(),
            "channel": row.entry.map(|entry| entry.channel).or(row.listed.map(|listed| listed.channel)),
            "ours": row.entry.map(|entry| entry.amount),
            "theirs": row.line().map(|line| line.amount),
            "numbers": row.entry.map(|entry| &entry.numbers).or(row.line().map(|line| &line.numbers))
                .map(|numbers| numbers.all().collect::<Vec<_>>()),
        })
    };
    json!({
        "day": result.day.to_string(),
        "agreed": result.verdict().exit_code() == 0 && troubles.is_empty(),
        "troubles": troubles,
        "remarks": result.remarks.iter().map(|(_, remark)| remark.to_string()).collect::<Vec<_>>(),
        "channels": result.channels().into_iter().map(|channel| json!({
            "channel": channel,
            "ours": totals(result.ours(Some(channel))),
            "theirs": totals(result.theirs(Some(channel))),
        })).collect::<Vec<_>>(),
        "rows": result.rows.iter().map(row).collect::<Vec<_>>(),
    })
}
