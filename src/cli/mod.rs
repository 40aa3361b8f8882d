//! The command line: a client of the daemon's own API, so that it shows what the daemon believes. See `docs/cli.md`.
//!
//! What stands in `Command` itself stands alone; everything in `Question` asks the daemon.

mod alarms;
mod audit;
mod board;
mod bringup;
mod client;
mod complaints;
mod doctor;
mod duties;
mod faults;
mod files;
mod filing;
mod finding;
mod guide;
mod health;
mod hub;
mod instalments;
mod journal;
mod machine;
mod orders;
mod pay;
mod provision;
mod queue;
mod ready;
mod receipt;
mod reconcile;
mod refund;
mod refunds;
mod rehearse;
mod run;
mod screen;
mod status;
mod stock;
mod support;
#[cfg(test)]
mod tests;
mod text;
#[cfg(test)]
mod update_tests;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use payment::money::Fen;
use serde_json::{Value, json};

use crate::api::problem::ProblemBody;
use client::Client;

/// How the program ends. The numbers are documented and stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It was done, and nothing is wrong.
    Done,
    /// It was refused, or something was found to be wrong.
    Refused,
    /// Wrong usage. The parser of arguments says it by itself, but for what it cannot know.
    Usage,
    /// The daemon does not answer.
    Unreachable,
    /// The journal is not as it was written, or cannot be read.
    Journal,
    /// `till reconcile`: what was compared agrees, but not everything could be.
    NotCompared,
    /// The operator wants the daemon started anew; systemd does so.
    Restart,
    /// The configuration cannot be used (`EX_CONFIG`); systemd does not restart after it.
    Config,
}

impl Exit {
    /// The number.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Refused => 1,
            Self::Usage => 2,
            Self::Unreachable => 3,
            Self::Journal => 4,
            Self::NotCompared => 5,
            Self::Restart => 75,
            Self::Config => 78,
        }
    }
}

/// What a command says in the end, for people and for programs.
#[derive(Debug)]
struct Answer {
    text: String,
    json: Value,
    exit: Exit,
}

impl Answer {
    fn done(text: impl Into<String>, json: Value) -> Self {
        Self { text: text.into(), json, exit: Exit::Done }
    }
}

/// Why a command did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{}\n{}", problem.detail, problem.money)]
    Problem { problem: Box<ProblemBody> },
    #[error(
        "the daemon does not answer at {} ({why}).\nIs it running? See `systemctl status till`. Another socket is named with --socket or $TILL_SOCKET",
        socket.display()
    )]
    Unreachable { socket: PathBuf, why: String },
    #[error(
        "the daemon's answer is not understood ({0}); `till --version` and `till status` tell whether both are the same version"
    )]
    Answer(String),
    #[error("{message}")]
    Other { exit: Exit, message: String },
}

impl Failure {
    fn other(exit: Exit, message: impl Into<String>) -> Self {
        Self::Other { exit, message: message.into() }
    }

    const fn exit(&self) -> Exit {
        match self {
            Self::Problem { .. } | Self::Answer(_) => Exit::Refused,
            Self::Unreachable { .. } => Exit::Unreachable,
            Self::Other { exit, .. } => *exit,
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Problem { problem } => serde_json::to_value(problem).unwrap_or_default(),
            Self::Unreachable { .. } => {
                json!({ "code": "unreachable", "detail": self.to_string() })
            }
            Self::Answer(_) => {
                json!({ "code": "answer_not_understood", "detail": self.to_string() })
            }
            Self::Other { .. } => json!({ "code": "failed", "detail": self.to_string() }),
        }
    }
}

const EXIT_CODES: &str = "\
Exit codes:
  0   done, nothing is wrong
  1   refused, or something was found to be wrong
  2   wrong usage
  3   the daemon does not answer
  4   the journal is not as it was written, or cannot be read
  5   `till reconcile` only: not everything could be compared
  75  `till run` only: the operator wants it started anew
  78  the configuration cannot be used";

/// The payment terminal of a vending machine.
#[derive(Debug, Parser)]
#[command(name = "till", version, after_help = EXIT_CODES, disable_help_subcommand = true)]
struct Cli {
    /// The daemon's socket [default: $TILL_SOCKET, or /run/till/till.sock]
    #[arg(long, global = true, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Print JSON for programs instead of text for people
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

/// What stands alone, and what asks the daemon.
#[derive(Debug, Subcommand)]
enum Command {
    /// Run the terminal
    Run(files::Files),
    /// Try it without a machine: a simulated machine, gateway and phone in the browser
    #[cfg(feature = "demo")]
    Demo(run::DemoArgs),
    /// Check the configuration and the board; start nothing
    Check(files::Files),
    #[command(flatten)]
    Ask(Question),
    /// This terminal's key, and joining the operator's hub; the daemon may be running or not
    #[command(subcommand)]
    Hub(hub::Command),
    /// Check or export the journal; the daemon may be running or not
    #[command(subcommand)]
    Journal(journal::Command),
    /// Hold a day's statements of the channels against the journal; the daemon may be running or not
    Reconcile(Box<reconcile::ReconcileArgs>),
    /// Show what was sold by slot and wallet, write it as an EVA-DTS file, and begin its interval anew
    Audit(Box<audit::AuditArgs>),
    /// File this machine with Allinpay, which pay codes need, and ask how that stands; the daemon may be running or not
    Filing(filing::FilingArgs),
    /// Play the channels' joint-test cases with one fen each, return the money, and write a report
    Rehearse(Box<rehearse::RehearseArgs>),
    /// The boards that there are, what this computer has, and the machine's outputs; no daemon is asked
    #[command(subcommand)]
    Board(board::Command),
    /// Try one part of the machine by hand; the daemon must not be running
    Bringup(bringup::BringupArgs),
    /// Make this machine a terminal from a folder on its card, or say what a card does on another board
    Provision(provision::ProvisionArgs),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// What the daemon is asked.
#[derive(Debug, Subcommand)]
enum Question {
    /// Ask a buyer to pay
    Pay(pay::PayArgs),
    /// List orders, the newest first
    Orders(orders::ListArgs),
    /// Show one order, by any of its numbers
    Order {
        /// The order's number, an attempt's, a refund's, the channel's, or your reference
        number: String,
    },
    /// Return money of a paid order
    Refund(refund::RefundArgs),
    /// List complaints of buyers that wait for an answer
    Complaints,
    /// List what a person should see to, and end what was seen to
    Alarms {
        #[command(subcommand)]
        command: Option<alarms::Command>,
    },
    /// List refunds that wait for a second person
    Refunds(refunds::ListArgs),
    /// Send a refund that another person asked for
    Approve(refunds::ApproveArgs),
    /// Refuse a refund that another person asked for
    Decline(refunds::DeclineArgs),
    /// Say that a delivery was reported or confirmed by hand, in the channel's portal
    DutyDone(duties::DoneArgs),
    /// Show the receipt of a paid order, in Chinese
    Receipt {
        /// Any number of the order
        number: String,
        /// Print it on the machine's printer instead
        #[arg(long)]
        print: bool,
    },
    /// Show what a buyer may choose to pay by the month
    Instalments {
        /// What would be lent, in yuan, such as 300.00
        #[arg(value_name = "YUAN")]
        amount: Fen,
    },
    /// Stop waiting for the payment of an order
    Cancel {
        /// Any number of the order
        number: String,
    },
    /// Show how the terminal does
    Status,
    /// Show what waits for the operator's hub, and what the hub refused
    Queue {
        #[command(subcommand)]
        command: Option<queue::Command>,
    },
    /// Clear a fault after repair
    #[command(subcommand)]
    Faults(faults::Command),
    /// Show what is in the slots, or say what was filled in
    Stock {
        #[command(subcommand)]
        command: Option<stock::Command>,
    },
    /// Switch selling off for maintenance, or on again
    Sell {
        /// Whether the machine sells
        on_or_off: OnOff,
    },
    /// Save the picture on the machine's screen
    Screen(screen::ScreenArgs),
    /// Look for trouble, and say what to do about it
    Doctor(doctor::DoctorArgs),
    /// Pack what somebody far away needs to find a fault into one file, without secrets
    Support(support::SupportArgs),
    /// Say by the exit code whether this program does its work here, for updaters
    Health(health::HealthArgs),
    /// Say by the exit code whether the program may be replaced now, for updaters
    ReadyForUpdate(ready::ReadyArgs),
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OnOff {
    /// The machine sells
    On,
    /// The machine is out of service
    Off,
}

/// The shells of embedded Linux; those of other systems would only make the program larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shell {
    /// Bash
    Bash,
    /// Zsh
    Zsh,
    /// Fish
    Fish,
}

/// Where the journal of an installed terminal is.
#[derive(Debug, Args)]
struct JournalPath {
    /// The journal's file
    #[arg(default_value = "/var/lib/till/till.db")]
    path: PathBuf,
}

/// Runs the program and says how it ended.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let as_json = cli.json;
    let exit = match perform(cli) {
        Ok(answer) => tell(&answer, as_json),
        Err(failure) => complain(&failure, as_json),
    };
    ExitCode::from(exit.number())
}

fn perform(cli: Cli) -> Result<Answer, Failure> {
    match cli.command {
        Command::Run(files) => run::run(&files),
        #[cfg(feature = "demo")]
        Command::Demo(args) => run::demo(&args),
        Command::Check(files) => run::check(&files),
        Command::Ask(question) => wait(ask(&Client::new(socket(cli.socket))?, question)),
        Command::Hub(command) => wait(hub::act(command)),
        Command::Journal(command) => journal::act(command, cli.json),
        Command::Reconcile(args) => wait(reconcile::compare(*args)),
        Command::Audit(args) => wait(audit::act(*args, socket(cli.socket), cli.json)),
        Command::Filing(args) => wait(filing::act(args)),
        Command::Rehearse(args) => wait(rehearse::act(*args, socket(cli.socket))),
        Command::Board(command) => board::act(&command, &socket(cli.socket)),
        Command::Bringup(args) => wait(bringup::act(args, &socket(cli.socket), cli.json)),
        Command::Provision(args) => provision::act(&args, &socket(cli.socket)),
        Command::Completions { shell } => Ok(completions(shell)),
    }
}

async fn ask(client: &Client, question: Question) -> Result<Answer, Failure> {
    match question {
        Question::Pay(args) => pay::pay(client, args).await,
        Question::Orders(args) => orders::list(client, args).await,
        Question::Order { number } => orders::show(client, &number).await,
        Question::Refund(args) => refund::refund(client, args).await,
        Question::Complaints => complaints::list(client).await,
        Question::Alarms { command } => alarms::act(client, command).await,
        Question::Refunds(args) => refunds::list(client, args).await,
        Question::Approve(args) => refunds::approve(client, args).await,
        Question::Decline(args) => refunds::decline(client, args).await,
        Question::DutyDone(args) => duties::done(client, args).await,
        Question::Receipt { number, print: false } => receipt::show(client, &number).await,
        Question::Receipt { number, print: true } => receipt::print(client, &number).await,
        Question::Instalments { amount } => instalments::list(client, amount).await,
        Question::Cancel { number } => refund::cancel(client, &number).await,
        Question::Status => status::show(client).await,
        Question::Queue { command } => queue::act(client, command).await,
        Question::Faults(command) => faults::act(client, command).await,
        Question::Stock { command } => stock::act(client, command).await,
        Question::Sell { on_or_off } => faults::sell(client, on_or_off).await,
        Question::Screen(args) => screen::save(client, args).await,
        Question::Doctor(args) => doctor::examine(client, args).await,
        Question::Support(args) => support::bundle(client, args).await,
        Question::Health(args) => health::examine(client, args).await,
        Question::ReadyForUpdate(args) => ready::ask(client, args).await,
    }
}

fn socket(given: Option<PathBuf>) -> PathBuf {
    let named = given.or_else(|| std::env::var_os("TILL_SOCKET").map(PathBuf::from));
    named.unwrap_or_else(|| PathBuf::from("/run/till/till.sock"))
}

fn wait(command: impl Future<Output = Result<Answer, Failure>>) -> Result<Answer, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::other(Exit::Refused, format!("cannot start ({error})")))?;
    runtime.block_on(command)
}

fn completions(shell: Shell) -> Answer {
    use clap_complete::{generate, shells};
    let mut script = Vec::new();
    let mut command = Cli::command();
    match shell {
        Shell::Bash => generate(shells::Bash, &mut command, "till", &mut script),
        Shell::Zsh => generate(shells::Zsh, &mut command, "till", &mut script),
        Shell::Fish => generate(shells::Fish, &mut command, "till", &mut script),
    }
    let script = String::from_utf8_lossy(&script).into_owned();
    Answer::done(script.clone(), json!({ "script": script }))
}

/// Prints the answer. A reader that went away, such as `head`, is no error.
fn tell(answer: &Answer, as_json: bool) -> Exit {
    let json = || {
        if answer.json.is_null() { String::new() } else { format!("{:#}", answer.json) }
    };
    let text = if as_json { json() } else { answer.text.clone() };
    if !text.is_empty() {
        let _ = writeln!(io::stdout().lock(), "{}", text.trim_end());
    }
    answer.exit
}

/// Prints what went wrong: people read it on stderr, programs get JSON on stdout as always.
fn complain(failure: &Failure, as_json: bool) -> Exit {
    if as_json {
        let _ = writeln!(io::stdout().lock(), "{:#}", failure.json());
    } else {
        let _ = writeln!(io::stderr().lock(), "till: {failure}");
    }
    failure.exit()
}
