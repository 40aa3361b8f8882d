//! `till rehearse`: the joint-test cases, played one by one, and a report that can be handed in. See `docs/rehearsal.md`.
//!
//! | module | subject |
//! |---|---|
//! | `cases` | the list of cases, as data |
//! | `play` | the scripts: what is done in each case, and what must come out |
//! | `stage` | orders opened, waited for, cancelled and returned through the daemon's API |
//! | `ground` | what the terminal's files say that the cases depend on |
//! | `buyer` | who plays the buyer; a person at the machine |
//! | `walk` | the list from its beginning to its end, with every fen returned |
//! | `interrupts` | Ctrl-C, heard from the first case to the report |
//! | `papers` | the files of the report |
//! | `words` | channels and states in Chinese |
//! | `report` | the report, as Markdown and CSV |
//! | `sandbox` | the scene with its gateways, and the robot that plays the buyer there |

mod buyer;
mod cases;
mod ground;
mod interrupts;
mod papers;
mod play;
mod report;
#[cfg(feature = "demo")]
mod sandbox;
mod stage;
#[cfg(test)]
mod tests;
mod walk;
mod words;

use std::path::PathBuf;

use clap::Args;
use payment::channel::ChannelId;
use serde_json::Value;

use super::client::Client;
use super::files::{CHANNELS, Files, named};
use super::{Answer, Failure};
use crate::api::wire::TerminalStatus;
use buyer::{Buyer, Person};
use cases::Case;
use ground::Ground;
use interrupts::Interrupts;
use papers::Papers;
use report::{Head, Report};
use walk::Walk;

#[derive(Debug, Args)]
pub(super) struct RehearseArgs {
    /// Only this channel; may be given more than once [default: all that collect]
    #[arg(long, value_parser = channel, value_name = "CHANNEL")]
    channel: Vec<ChannelId>,
    /// Only this case; may be given more than once [default: all but instalments]
    #[arg(long, value_parser = cases::named, value_name = "CASE")]
    case: Vec<&'static Case>,
    /// The amount of an order, in fen; cases that divide it take at least two
    #[arg(long, value_name = "FEN", default_value_t = 1, value_parser = clap::value_parser!(i64).range(1..=100))]
    amount_fen: i64,
    /// Write the report here, as Markdown
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    /// Write the orders of the report here, as CSV
    #[arg(long, value_name = "PATH")]
    csv: Option<PathBuf>,
    /// Who rehearses, for the report and the refunds
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// How long one step may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..=7200))]
    patience: u64,
    #[command(flatten)]
    files: Files,
    /// In a simulated machine with simulated gateways and a robot for a buyer: no real money, nobody needed
    #[cfg(feature = "demo")]
    #[arg(long, conflicts_with_all = ["config", "board"])]
    sandbox: bool,
    /// The simulated gateway goes wrong in this way, to see a report of a failure
    #[cfg(feature = "demo")]
    #[arg(long, value_enum, requires = "sandbox")]
    misbehave: Option<sandbox::Misbehave>,
}

fn channel(name: &str) -> Result<ChannelId, String> {
    named(&CHANNELS, name)
}

/// Plays the cases, writes the report, and says how it ended.
pub(super) async fn act(args: RehearseArgs, socket: PathBuf) -> Result<Answer, Failure> {
    let papers = Papers::open(&args)?;
    let interrupts = Interrupts::heard()?;
    #[cfg(feature = "demo")]
    if args.sandbox {
        return Ok(papers.write(&sandbox::rehearse(&args, &interrupts).await?));
    }
    let client = Client::new(socket)?;
    // The keys are the daemon's alone: it is asked, and nothing is signed here.
    let ground = Ground::of(&args.files.load_without_keys()?);
    let channels = if args.channel.is_empty() { ground.channels().to_vec() } else { args.channel.clone() };
    let site = Site { client: &client, ground: &ground, channels: &channels, is_simulated: false, interrupts };
    Ok(papers.write(&at_the_machine(&args, site, &mut Person::here()).await?))
}

/// One terminal, and what of it is rehearsed.
struct Site<'a> {
    client: &'a Client,
    ground: &'a Ground,
    channels: &'a [ChannelId],
    is_simulated: bool,
    interrupts: Interrupts,
}

/// All the channels that were asked for.
async fn at_the_machine<B: Buyer>(args: &RehearseArgs, site: Site<'_>, buyer: &mut B) -> Result<Report, Failure> {
    let Site { client, ground, channels, is_simulated, interrupts } = site;
    let (before, _): (TerminalStatus, Value) = client.get("/v1/terminal").await?;
    let mut walk = Walk::new(args, client, ground, interrupts, buyer);
    for channel in channels.iter().filter(|channel| CHANNELS.contains(channel)) {
        walk.channel(*channel).await;
    }
    let outcomes = walk.close().await;
    let after: Result<(TerminalStatus, Value), Failure> = client.get("/v1/terminal").await;
    let head = Head {
        terminal: ground.terminal.clone(),
        name: ground.name.clone(),
        version: before.version,
        mode: ground.mode,
        is_simulated,
        by: args.by.clone(),
        begun: before.clock.time,
        ended: after.map(|(terminal, _)| terminal.clock.time).unwrap_or_default(),
        clock_trusted: before.clock.trusted,
    };
    Ok(Report { head, outcomes })
}
