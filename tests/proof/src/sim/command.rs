//! `proof sim`: lives many lives, or one again to look at it.

use std::io::{BufRead, Write};

use clap::Args;
use payment::engine::Engine;

use super::errors;
use super::life::live;
use super::log::{Log, Printed};
use super::{SimOptions, run as run_many};

/// What to simulate.
#[derive(Debug, Clone, Args)]
pub struct SimArgs {
    /// Lives this one life again and prints its events.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Waits for Enter after each printed event; `e` and Enter prints the engine.
    #[arg(long, requires = "seed")]
    pub step: bool,
    /// The first event that is printed.
    #[arg(long, default_value_t = 0, requires = "seed")]
    pub from: u64,
    /// The last event that is printed.
    #[arg(long, default_value_t = u64::MAX, requires = "seed")]
    pub until: u64,
    /// Without --seed: the first seed of many.
    #[arg(long, default_value_t = 1)]
    pub first_seed: u64,
    /// Without --seed: at least so many orders.
    #[arg(long, default_value_t = 10_000)]
    pub orders: u64,
    /// Without --seed: so many lives at once.
    #[arg(long, default_value_t = 2)]
    pub threads: usize,
    /// Plants mistakes in the engine instead, and lives at most so many lives with each until it is caught.
    #[arg(long, conflicts_with = "seed")]
    pub mutants: Option<u64>,
}

/// Does what the arguments say; `true` when every promise held.
#[must_use]
pub fn run(args: &SimArgs) -> bool {
    if let Some(seeds_max) = args.mutants {
        return plant_all(seeds_max);
    }
    match args.seed {
        Some(seed) => replay(seed, Printed { from: args.from, until: args.until, step: args.step }),
        None => many(args),
    }
}

fn replay(seed: u64, printed: Printed) -> bool {
    let hears = errors::listen();
    let lived = live(seed, Log::printed(printed));
    println!("seed {seed}: {} orders, {} events", lived.orders, lived.events);
    let logged = errors::take();
    logged.iter().for_each(|error| println!("ERROR {error}"));
    let mut failures: Vec<String> =
        lived.broke(&logged).into_iter().map(|(wrong, what)| format!("{wrong:?}: {what}")).collect();
    failures.extend((!hears).then(|| errors::DEAF.to_owned()));
    failures.iter().for_each(|failure| println!("FAILED {failure}"));
    failures.is_empty()
}

fn many(args: &SimArgs) -> bool {
    let options = SimOptions { first_seed: args.first_seed, orders: args.orders, threads: args.threads, limit: None };
    let card = run_many(&options);
    println!("{card}");
    card.failures.is_empty()
}

fn plant_all(seeds_max: u64) -> bool {
    let caught = super::mutants(seeds_max);
    caught.iter().for_each(|mutant| println!("{mutant}"));
    caught.iter().all(|mutant| mutant.seeds_needed.is_some())
}

/// Between two events of a stepped life: Enter goes on, `e` prints the engine.
pub(super) fn wait_for_enter(engine: &Engine) {
    loop {
        print!("> ");
        let _shown = std::io::stdout().flush();
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line);
        if line.trim() != "e" || read.is_err() {
            return;
        }
        println!("{engine:#?}");
    }
}
