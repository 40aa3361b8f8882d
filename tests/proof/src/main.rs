//! The report card's command line: the card itself, and each tier alone to look closer.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use proof::report::{self, ReportArgs};
use proof::{frames, kills, network, power, sim};

/// What proves that Till loses nothing and does nothing twice.
#[derive(Debug, Parser)]
#[command(name = "proof", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs every tier and prints the report card.
    Report(ReportArgs),
    /// Simulated lives: many, or one again.
    Sim(sim::command::SimArgs),
    /// Power cuts below SQLite: many, or one again.
    Power(PowerArgs),
    /// Lines of a scanner through a real pseudo-terminal.
    Frames {
        /// Decides what is sent.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// How many lines.
        #[arg(long, default_value_t = 20_000)]
        frames: u64,
    },
    /// The release binary, killed at random instants.
    Kills {
        /// Decides what the customers do.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// How many kills.
        #[arg(long, default_value_t = 100)]
        kills: u64,
        #[command(flatten)]
        shops: Shops,
    },
    /// Orders through real sockets over a bad network.
    Network {
        /// Decides what goes wrong.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// How many orders.
        #[arg(long, default_value_t = 500)]
        orders: u64,
        #[command(flatten)]
        shops: Shops,
    },
}

#[derive(Debug, clap::Args)]
struct Shops {
    /// Shops at the same time.
    #[arg(long, default_value_t = 8)]
    shops: u64,
    /// The program `till`; beside this one when it is left out.
    #[arg(long)]
    program: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct PowerArgs {
    /// Decides everything.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many cuts.
    #[arg(long, default_value_t = 20_000)]
    cuts: u64,
    /// Only this cut, told step by step.
    #[arg(long)]
    cut: Option<u64>,
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("proof: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// `true` when every promise held.
fn run(command: Command) -> anyhow::Result<bool> {
    match command {
        Command::Report(args) => report::run(&args),
        Command::Sim(args) => Ok(sim::command::run(&args)),
        Command::Power(args) => cut_power(&args),
        Command::Frames { seed, frames } => {
            let card = frames::run(frames::FramesOptions { seed, frames })?;
            println!("{card:#?}");
            Ok(card.is_clean())
        }
        Command::Kills { seed, kills, shops } => {
            let program = report::program(shops.program)?;
            let options = kills::KillOptions { program, kills, shops: shops.shops, seed };
            let card = report::in_runtime(kills::run(&options))?;
            println!("{card:#?}");
            Ok(card.books.is_sound())
        }
        Command::Network { seed, orders, shops } => {
            let program = report::program(shops.program)?;
            let options = network::NetworkOptions { program, orders, shops: shops.shops, seed };
            let card = report::in_runtime(network::run(&options))?;
            println!("{card:#?}");
            Ok(card.books.is_sound())
        }
    }
}

fn cut_power(args: &PowerArgs) -> anyhow::Result<bool> {
    let options = power::PowerOptions::new(args.seed, args.cuts);
    if let Some(number) = args.cut {
        println!("{}", power::replay(&options, number)?);
        return Ok(true);
    }
    let card = power::run(&options)?;
    println!("{card:#?}");
    Ok(card.is_clean())
}
