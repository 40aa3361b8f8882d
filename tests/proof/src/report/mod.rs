//! The report card: every tier for a given time or to the full numbers, and a table that says what was tried and found.

mod tiers;

use std::fmt;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::bail;
use clap::Args;

/// What `--only` may name. A name that is none would run nothing, and nothing tried looks clean.
const NAMES: [&str; 6] = ["sim", "power", "kills", "network", "frames", "mutants"];

/// What to run, and for how long.
#[derive(Debug, Clone, Args)]
pub struct ReportArgs {
    /// Runs the full numbers, however long that takes.
    #[arg(long)]
    pub full: bool,
    /// Without --full: how long the whole report may take, about.
    #[arg(long, default_value_t = 10, value_name = "MINUTES")]
    pub minutes: u64,
    /// The first seed; the others follow it.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Threads for the tiers that compute.
    #[arg(long, default_value_t = 2)]
    pub threads: u64,
    /// Shops at the same time for the tiers with the real program.
    #[arg(long, default_value_t = 16)]
    pub shops: u64,
    /// Only these tiers: sim, power, kills, network, frames, mutants.
    #[arg(long, value_delimiter = ',', value_parser = NAMES)]
    pub only: Vec<String>,
    /// The program `till`; beside this one when it is left out.
    #[arg(long)]
    pub program: Option<PathBuf>,
}

/// How much of a tier.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// So many units are enough.
    pub units: u64,
    /// Nothing begins after this.
    pub until: Option<Instant>,
}

impl Budget {
    fn is_over(&self, done: u64) -> bool {
        done >= self.units || self.until.is_some_and(|until| now() >= until)
    }
}

/// What one tier found.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// How much was tried.
    pub tried: u64,
    /// Of what.
    pub unit: &'static str,
    /// What was done to it.
    pub faults: String,
    /// Money or records that were lost.
    pub lost: u64,
    /// Charges, goods or records that were there twice, or for nothing.
    pub doubled: u64,
    /// What never came to rest.
    pub stuck: u64,
    /// Journals that did not hold.
    pub broken: u64,
    /// The seeds.
    pub seeds: String,
    /// How long it took.
    pub seconds: u64,
    /// The first failure.
    pub first: Option<String>,
}

impl Row {
    /// Whether something was tried, and everything that must be zero is zero.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.tried > 0
            && self.lost == 0
            && self.doubled == 0
            && self.stuck == 0
            && self.broken == 0
            && self.first.is_none()
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { unit, faults, lost, doubled, stuck, broken, seeds, seconds, .. } = self;
        let tried = grouped(self.tried);
        write!(f, "| {tried} {unit} | {faults} | {lost} | {doubled} | {stuck} | {broken} | {seeds} | {seconds} s |")
    }
}

/// Runs what is asked for and prints the card; `true` when all zeros are zeros and every mutant was caught.
///
/// # Errors
///
/// When a tier cannot be run at all.
pub fn run(args: &ReportArgs) -> anyhow::Result<bool> {
    println!(
        "commit {}, {}",
        commit(),
        if args.full { "full numbers".to_owned() } else { format!("about {} minutes", args.minutes) }
    );
    println!("\n| tried | with | lost | doubled | stuck | broken | seeds | took |\n|---|---|---|---|---|---|---|---|");
    let mut clean = true;
    let chosen: Vec<_> = tiers::ALL
        .iter()
        .filter(|tier| args.only.is_empty() || args.only.iter().any(|name| name == tier.name))
        .collect();
    let share = Duration::from_secs(args.minutes * 60) / u32::try_from(chosen.len().max(1))?;
    for tier in &chosen {
        let until = (!args.full).then(|| now() + share);
        let began = now();
        let mut row = (tier.run)(args, Budget { units: tier.full, until })?;
        row.seconds = began.elapsed().as_secs();
        println!("{row}");
        if let Some(first) = &row.first {
            println!("\n{first}\n");
        }
        clean &= row.is_clean();
    }
    if args.only.is_empty() || args.only.iter().any(|name| name == "mutants") {
        clean &= tiers::mutants();
    }
    println!("\n{}", if clean { "all zeros where they must be zero" } else { "NOT CLEAN" });
    Ok(clean)
}

/// The program to prove: the one that was named, or the one beside this.
///
/// # Errors
///
/// When there is none.
pub fn program(named: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    let beside = std::env::current_exe()?.with_file_name("till");
    let program = named.unwrap_or(beside);
    if !program.is_file() {
        bail!("{} is not there: build it with `cargo build --release`, or name it with --program", program.display());
    }
    Ok(program)
}

/// Runs what needs sockets and child processes.
///
/// # Errors
///
/// What it met.
pub fn in_runtime<T>(what: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    // The API's socket has no TLS, and the library wants to know by what it would be done; a second word is not taken.
    let _second = rustls::crypto::ring::default_provider().install_default();
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(what)
}

#[expect(clippy::disallowed_methods, reason = "how long the proof itself may run; nothing under test sees it")]
fn now() -> Instant {
    Instant::now()
}

fn commit() -> String {
    let said = Command::new("git").args(["describe", "--always", "--dirty", "--exclude=*"]).output();
    let text = said.ok().filter(|said| said.status.success()).and_then(|said| String::from_utf8(said.stdout).ok());
    text.map_or_else(|| "unknown".to_owned(), |text| text.trim().to_owned())
}

/// A number in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three() {
        assert_eq!(
            ["0", "999", "1,000", "1,234,567"],
            [0, 999, 1_000, 1_234_567].map(grouped).each_ref().map(String::as_str)
        );
    }

    #[test]
    fn one_loss_makes_a_row_unclean() {
        let tried = Row { tried: 1, ..Row::default() };
        assert!(tried.is_clean());
        assert!(!Row { lost: 1, ..tried.clone() }.is_clean());
        assert!(!Row { first: Some("an ERROR was logged".to_owned()), ..tried }.is_clean());
        assert!(!Row::default().is_clean(), "nothing was tried");
    }

    #[test]
    fn every_tier_can_be_named_alone() {
        let tiers: Vec<_> = tiers::ALL.iter().map(|tier| tier.name).chain(["mutants"]).collect();
        assert_eq!(tiers, NAMES);
    }
}
