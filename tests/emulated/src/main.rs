//! Boots a whole terminal in an emulated arm64 machine, installs the package that ships, and uses it: `tests/emulated/run`
//! makes what this needs and calls it.

mod front;
mod line;
mod machine;
mod report;
mod shop;
mod stage;
mod steps;
mod terminal;

use std::fs::File;
use std::io;
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;

use clap::{Parser, Subcommand};

use crate::machine::{Disk, Machine, Parts, Start};
use crate::report::Report;
use crate::shop::Shop;
use crate::stage::{Stage, Wanted};

#[derive(Debug, Parser)]
#[command(name = "emulated", about = "A whole terminal in an emulated machine", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the steps and end with "N passed, N failed"
    Run(RunArgs),
    /// Boot a terminal's disk of an earlier run (--keep), and run each line of standard input in it
    Shell {
        /// The folder that tests/emulated/image filled
        #[arg(long)]
        image: PathBuf,
        /// The run's folder
        #[arg(long)]
        keep: PathBuf,
    },
    /// Join standard input and output to a loopback port; the emulator calls this
    #[command(hide = true)]
    Pipe { port: u16 },
}

#[derive(Debug, clap::Args)]
struct RunArgs {
    /// The folder that tests/emulated/image filled
    #[arg(long)]
    image: PathBuf,
    /// The arm64 package
    #[arg(long)]
    deb: PathBuf,
    /// An arm64 package of another version, for the upgrade; without it that step says that it did not run
    #[arg(long)]
    older: Option<PathBuf>,
    /// Test programs of hal, cross-built: gpio_sim, console, rppal_pi
    #[arg(long)]
    programs: Option<PathBuf>,
    /// One power cut at most
    #[arg(long)]
    short: bool,
    /// How often the power is cut in a sale
    #[arg(long, default_value_t = 10)]
    cuts: u32,
    /// Where the instants of the power cuts come from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only steps whose name has this in it, and those that they need
    #[arg(long)]
    only: Option<String>,
    /// Where disks, pictures and logs go; a temporary folder otherwise
    #[arg(long)]
    keep: Option<PathBuf>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Pipe { port } => match pipe(port) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Command::Shell { image, keep } => match shell(image, keep).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("emulated: {error:#}");
                ExitCode::FAILURE
            }
        },
        Command::Run(args) => run(args).await,
    }
}

/// For a person who looks for what went wrong.
async fn shell(image: PathBuf, keep: PathBuf) -> anyhow::Result<()> {
    let run = keep.canonicalize()?;
    let shop = Shop::open().await?;
    let parts = Parts { image: image.canonicalize()?, load: run.join("load.img"), channel_port: shop.port(), run };
    let mut machine = Machine::boot(&parts, &Disk::of_run(&parts), Start::default()).await?;
    for line in io::stdin().lines() {
        let said = machine.run(&line?).await?;
        println!("{}[{}]", said.text, said.code);
    }
    machine.power_off().await.map(|_| ())
}

async fn run(args: RunArgs) -> ExitCode {
    let wanted = Wanted {
        image: args.image,
        deb: args.deb,
        older: args.older,
        programs: args.programs,
        cuts: if args.short { args.cuts.min(1) } else { args.cuts },
        seed: args.seed,
        keep: args.keep,
    };
    let mut report = Report::new(args.only);
    match Stage::set(wanted).await {
        Ok(mut stage) => steps::all(&mut stage, &mut report).await,
        Err(error) => report.broken("the stage", &error),
    }
    report.end()
}

/// One connection of the machine to the outside. Each direction ends by itself: the channel may still answer after the
/// question has ended.
fn pipe(port: u16) -> io::Result<()> {
    let mut there = TcpStream::connect(("127.0.0.1", port))?;
    let mut back = there.try_clone()?;
    thread::spawn(move || {
        let asked = io::copy(&mut io::stdin(), &mut there);
        asked.and_then(|_| there.shutdown(Shutdown::Write))
    });
    // Standard output as a file: as a text stream it would keep bytes back until a line ends.
    let mut answers = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    io::copy(&mut back, &mut answers).map(|_| ())
}
