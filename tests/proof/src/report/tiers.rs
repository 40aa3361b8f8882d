//! The tiers, each run in pieces until its budget is used up.

use super::{Budget, ReportArgs, Row, grouped, in_runtime, now, program};
use crate::shop::Books;
use crate::{frames, kills, network, power, sim};

/// One tier.
pub(super) struct Tier {
    pub(super) name: &'static str,
    /// The number of a full run.
    pub(super) full: u64,
    pub(super) run: fn(&ReportArgs, Budget) -> anyhow::Result<Row>,
}

/// All of them, in the order of the card.
pub(super) const ALL: [Tier; 5] = [
    Tier { name: "sim", full: 1_000_000, run: simulate },
    Tier { name: "power", full: 1_000_000, run: cut_power },
    Tier { name: "kills", full: 5_000, run: kill },
    Tier { name: "network", full: 100_000, run: trouble_network },
    Tier { name: "frames", full: 1_000_000, run: send_frames },
];

/// Pieces small enough that a tier ends near its time.
const ORDERS_A_PIECE: u64 = 20_000;
const CUTS_A_PIECE: u64 = 10_000;
const FRAMES_A_PIECE: u64 = 10_000;
/// Seeds within which every planted mistake must be found.
const MUTANT_SEEDS: u64 = 1_000;

fn simulate(args: &ReportArgs, budget: Budget) -> anyhow::Result<Row> {
    let mut row = Row { unit: "simulated orders", ..Row::default() };
    let threads = usize::try_from(args.threads)?;
    let (mut seed, mut all) = (args.seed, sim::SimCard::default());
    while !budget.is_over(row.tried) {
        let limit = budget.until.map(|until| until.saturating_duration_since(now()));
        let orders = ORDERS_A_PIECE.min(budget.units - row.tried);
        let card = sim::run(&sim::SimOptions { first_seed: seed, orders, threads, limit });
        seed = card.seeds.end;
        all.add_all(card);
        row = Row {
            tried: all.orders,
            lost: all.lost,
            doubled: all.doubled,
            stuck: all.stuck,
            broken: all.broken,
            ..row
        };
        progress(&row);
    }
    let (said, listed, unlisted) = all.codes_said();
    row.faults = format!(
        "{} faults, {} deaths, {} lives; {said} of {listed} channel codes, {unlisted} unlisted",
        grouped(all.faults.sum()),
        grouped(all.crashes),
        grouped(seed - args.seed)
    );
    row.first = all.failures.first().map(|failure| format!("{}\n{}", failure.message, failure.command()));
    row.seeds = format!("{} to {}", args.seed, seed.saturating_sub(1));
    Ok(row)
}

fn cut_power(args: &ReportArgs, budget: Budget) -> anyhow::Result<Row> {
    let mut row = Row { unit: "power cuts", ..Row::default() };
    let (mut seed, mut all) = (args.seed, power::PowerCard::default());
    while !budget.is_over(row.tried) {
        let mut options = power::PowerOptions::new(seed, CUTS_A_PIECE);
        options.threads = args.threads;
        let card = power::run(&options)?;
        row.first = row.first.or_else(|| card.first_failure.clone());
        all.add(card);
        row.tried = all.cuts;
        row.lost = all.lost;
        row.doubled = all.invented;
        row.stuck = all.stuck;
        row.broken = all.unopened + all.chain_broken;
        seed += 1;
        progress(&row);
    }
    let kinds = all.lives.iter().map(|(kind, lives)| format!("{} {}", grouped(*lives), kind.name()));
    let kinds = kinds.collect::<Vec<_>>().join(", ");
    let disks = grouped(all.disks);
    row.faults = format!("{kinds} journals; writes kept, lost, torn, reordered: {disks} different disks");
    row.seeds = format!("{} to {}", args.seed, seed - 1);
    Ok(row)
}

fn send_frames(args: &ReportArgs, budget: Budget) -> anyhow::Result<Row> {
    let mut row = Row { unit: "scanner frames", ..Row::default() };
    let (mut seed, mut delivered, mut unplugged) = (args.seed, 0, 0);
    while !budget.is_over(row.tried) {
        let card = frames::run(frames::FramesOptions { seed, frames: FRAMES_A_PIECE })?;
        row.tried += card.frames;
        delivered += card.delivered;
        unplugged += card.unplugged;
        row.lost += card.lost;
        row.doubled += card.doubled + card.invented;
        row.first = row.first.or(card.first_failure);
        seed += 1;
        progress(&row);
    }
    row.faults = format!("{} codes, noise, {} cables pulled", grouped(delivered), grouped(unplugged));
    row.seeds = format!("{} to {}", args.seed, seed - 1);
    Ok(row)
}

fn kill(args: &ReportArgs, budget: Budget) -> anyhow::Result<Row> {
    let program = program(args.program.clone())?;
    let mut row = Row { unit: "SIGKILLs", ..Row::default() };
    let (mut seed, mut all) = (args.seed, kills::KillCard::default());
    while !budget.is_over(row.tried) && all.books.is_sound() {
        let options = kills::KillOptions {
            program: program.clone(),
            kills: kills::KILLS_A_ROUND * args.shops,
            shops: args.shops,
            seed,
        };
        all.add(in_runtime(kills::run(&options))?);
        row = with_books(Row { tried: all.kills, ..row }, &all.books);
        seed += args.shops;
        progress(&row);
    }
    row.faults = format!(
        "{} of them in a sale, {} at a start; {} orders, {} paid",
        grouped(all.in_a_sale),
        grouped(all.at_start),
        grouped(all.books.orders),
        grouped(all.books.paid)
    );
    row.seeds = format!("{} to {}", args.seed, seed - 1);
    Ok(row)
}

fn trouble_network(args: &ReportArgs, budget: Budget) -> anyhow::Result<Row> {
    let program = program(args.program.clone())?;
    let mut row = Row { unit: "orders through real sockets", ..Row::default() };
    let (mut seed, mut all) = (args.seed, network::NetworkCard::default());
    while !budget.is_over(row.tried) && all.books.is_sound() {
        let orders = network::ORDERS_A_ROUND * args.shops;
        let options = network::NetworkOptions { program: program.clone(), orders, shops: args.shops, seed };
        all.add(in_runtime(network::run(&options))?);
        row = with_books(Row { tried: all.orders, ..row }, &all.books);
        seed += args.shops;
        progress(&row);
    }
    row.faults = format!(
        "{} connections harmed, {} faults at the gateway; {} codes scanned from the screen, {} left",
        grouped(all.connections_harmed),
        grouped(all.faults),
        grouped(all.scanned),
        grouped(all.left)
    );
    row.seeds = format!("{} to {}", args.seed, seed - 1);
    Ok(row)
}

/// Says how far a tier is, for whoever waits: a full run takes hours on a small machine.
fn progress(row: &Row) {
    let Row { tried, unit, lost, doubled, stuck, broken, .. } = row;
    eprintln!("{} {unit}: lost {lost}, doubled {doubled}, stuck {stuck}, broken {broken}", grouped(*tried));
}

fn with_books(row: Row, books: &Books) -> Row {
    Row {
        lost: books.lost,
        doubled: books.doubled,
        stuck: books.stuck,
        broken: books.broken,
        first: books.first.clone(),
        ..row
    }
}

/// Plants each mistake and tells after how many seeds it was found; `true` when all were.
pub(super) fn mutants() -> bool {
    println!("\n| planted mistake | found after seeds | by |\n|---|---|---|");
    let found = sim::mutants(MUTANT_SEEDS);
    for caught in &found {
        let seeds = caught.seeds_needed.map_or_else(|| "NOT FOUND".to_owned(), |seeds| seeds.to_string());
        let what = caught.what.lines().next().unwrap_or_default();
        let what: String = what.chars().take(100).collect::<String>().replace('|', "/");
        println!("| {:?} | {seeds} | {what} |", caught.mutant);
    }
    found.iter().all(|caught| caught.seeds_needed.is_some())
}
