//! `till bringup`: one part of the machine after the other, for a person who stands in front of it.
//!
//! It opens what the board names and says what happens in plain words. It sells nothing and never opens the journal; the
//! daemon must not be running, since the devices are its own. Without its owner an output goes inactive: a person who breaks it
//! off, or a program that does, leaves no motor turning.

mod display;
mod keypad;
mod lamp;
mod person;
mod printer;
mod scanner;
#[cfg(test)]
mod tests;
mod vend;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use hal::board::{BoardSpec, Part};
use hal::{DeviceEvent, Devices};
use payment::money::Fen;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{Answer, Exit, Failure, board, run, text};
use crate::config::Env;
use person::{Console, Person};

/// More events than devices tell while a person reads a line.
const EVENTS_MAX: usize = 64;

/// Which part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    /// A test card, then a code for a phone
    Display,
    /// Who it is, and what it reads
    Scanner,
    /// Each key once
    Keypad,
    /// The lamp blinks, and every beep sounds
    Lamp,
    /// A test receipt
    Printer,
    /// Turns motors, each after a question
    Vend,
    /// All that the board has, one after the other
    All,
}

impl Which {
    const fn part(self) -> Option<Part> {
        match self {
            Self::Display => Some(Part::Display),
            Self::Scanner => Some(Part::Scanner),
            Self::Keypad => Some(Part::Keypad),
            Self::Lamp => Some(Part::Lamp),
            Self::Printer => Some(Part::Printer),
            Self::Vend => Some(Part::Vend),
            Self::All => None,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct BringupArgs {
    /// Which part
    part: Which,
    /// The board: which devices the machine has, and where
    #[arg(long, value_name = "PATH", default_value = "/etc/till/board.toml")]
    board: PathBuf,
    /// How long to wait for the part, and for each answer
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    seconds: u64,
    /// Answer every question with yes, for scripts; motors turn only in slots that are named
    #[arg(long)]
    yes: bool,
    /// vend: only this slot; may be repeated
    #[arg(long = "slot", value_name = "SLOT")]
    slots: Vec<String>,
    /// vend: the price that a controller or a coin input is told
    #[arg(long, value_name = "YUAN", default_value = "1.00")]
    price: Fen,
}

/// What became of a part: what was shown, or what to do.
type Verdict = Result<String, String>;

pub(super) async fn act(args: BringupArgs, socket: &Path, as_json: bool) -> Result<Answer, Failure> {
    let board = board::read(&args.board)?.relative_to(Env::of_process().runtime());
    board::without_a_daemon(socket, "the devices are its own. Stop it first: systemctl stop till")?;
    run::log_at(tracing::Level::WARN);
    let mut console = Console::new(as_json);
    tokio::select! {
        answer = bring_up(&board, &args, &mut console) => answer,
        // The devices are dropped on the way out: every output goes inactive.
        _ = tokio::signal::ctrl_c() => Err(Failure::other(Exit::Refused, "broken off; every output is off")),
    }
}

async fn bring_up(board: &BoardSpec, args: &BringupArgs, person: &mut impl Person) -> Result<Answer, Failure> {
    let parts = wanted(board, args)?;
    let mut results = Vec::new();
    for part in parts {
        if args.part == Which::All {
            person.hears(&format!("--- {} ---", part.word()));
        }
        results.push((part, one(board, part, args, person).await));
    }
    Ok(answer(args, &results))
}

/// The parts that are asked for and that the board has.
fn wanted(board: &BoardSpec, args: &BringupArgs) -> Result<Vec<Part>, Failure> {
    let has_vend = |parts: &[Part]| parts.contains(&Part::Vend);
    let parts: Vec<Part> = match args.part.part() {
        Some(part) => vec![part],
        None => Part::ALL.into_iter().filter(|part| board.has(*part)).collect(),
    };
    if let Some(missing) = parts.iter().find(|part| !board.has(**part)) {
        let message = format!("the board {} has no {}", args.board.display(), missing.word());
        return Err(Failure::other(Exit::Usage, message));
    }
    if let Some(unknown) = args.slots.iter().find(|slot| board.vend.slots.iter().all(|known| known.name != **slot)) {
        return Err(Failure::other(Exit::Usage, format!("the board has no slot {unknown}")));
    }
    if has_vend(&parts) && args.yes && args.slots.is_empty() {
        let message = "--yes turns motors without asking: name the slots, as in --yes --slot 11";
        return Err(Failure::other(Exit::Usage, message));
    }
    Ok(parts)
}

async fn one(board: &BoardSpec, part: Part, args: &BringupArgs, person: &mut impl Person) -> Verdict {
    let only = board.only(part);
    if part == Part::Lamp {
        // Its drivers tell nothing: a line that is not there would blink unseen.
        hal::release_outputs(&only).map_err(|faults| faults.join("; "))?;
    }
    let (sender, events) = mpsc::channel(EVENTS_MAX);
    let devices = hal::open(&only, sender).map_err(|error| error.to_string())?;
    let patience = Duration::from_secs(args.seconds);
    let mut trial = Trial { board: only, devices, events, person, args, patience, until: Instant::now() + patience };
    match part {
        Part::Display => display::show(&mut trial).await,
        Part::Scanner => scanner::read(&mut trial).await,
        Part::Keypad => keypad::press(&mut trial).await,
        Part::Lamp => lamp::blink(&mut trial).await,
        Part::Printer => printer::print(&mut trial).await,
        Part::Vend => vend::turn(&mut trial).await,
    }
}

/// One part, opened, and the person in front of it.
struct Trial<'t, P> {
    board: BoardSpec,
    devices: Devices,
    events: mpsc::Receiver<DeviceEvent>,
    person: &'t mut P,
    args: &'t BringupArgs,
    patience: Duration,
    until: Instant,
}

impl<P: Person> Trial<'_, P> {
    fn say(&mut self, line: impl AsRef<str>) {
        self.person.hears(line.as_ref());
    }

    /// The next thing that happens; `None`: the time is over.
    async fn next(&mut self) -> Option<DeviceEvent> {
        tokio::time::timeout_at(self.until, self.events.recv()).await.ok().flatten()
    }

    /// Begins to wait anew: something happened, or the person has answered.
    fn go_on(&mut self) {
        self.until = Instant::now() + self.patience;
    }

    /// Whether the person says yes; with `--yes`, always. `None`: nobody answers.
    async fn asks(&mut self, question: &str) -> Option<bool> {
        if self.args.yes {
            self.say(format!("{question} (taken for a yes)"));
            return Some(true);
        }
        let answer = self.person.answers(question, self.patience).await;
        self.go_on();
        answer
    }

    /// The person's word on what only a person can see.
    async fn confirmed(&mut self, question: &str, shown: &str, remedy: &str) -> Verdict {
        match self.asks(question).await {
            Some(true) if self.args.yes => Ok(format!("{shown}; nobody looked")),
            Some(true) => Ok(format!("{shown}, and the person says yes")),
            Some(false) => Err(remedy.to_owned()),
            None => Err("nobody answered; run it again and answer with y or n, or take --yes".to_owned()),
        }
    }
}

fn answer(args: &BringupArgs, results: &[(Part, Verdict)]) -> Answer {
    let worked = results.iter().all(|(_, verdict)| verdict.is_ok());
    let told = |verdict: &Verdict| match verdict {
        Ok(shown) => shown.clone(),
        Err(remedy) => remedy.clone(),
    };
    let mut rows = vec![text::heading(&["PART", "WORKS", "WHAT WAS SEEN, OR WHAT TO DO"])];
    rows.extend(results.iter().map(|(part, verdict)| {
        vec![part.word().to_owned(), if verdict.is_ok() { "yes" } else { "NO" }.to_owned(), told(verdict)]
    }));
    let text = match (args.part, results) {
        (Which::All, _) => text::table(&rows),
        (_, [(part, Ok(shown))]) => format!("{} works: {shown}", part.word()),
        (_, [(part, Err(remedy))]) => format!("{} was not shown to work: {remedy}", part.word()),
        _ => String::new(),
    };
    let parts: Vec<_> = results
        .iter()
        .map(|(part, verdict)| json!({ "part": part.word(), "works": verdict.is_ok(), "told": told(verdict) }))
        .collect();
    let exit = if worked { Exit::Done } else { Exit::Refused };
    Answer { text, json: json!({ "works": worked, "parts": parts }), exit }
}
