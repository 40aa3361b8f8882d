//! `till audit`: what was sold since the last reset and ever, for people, for programs and as an EVA-DTS file.
//!
//! The totals are read from the journal's file, whether the daemon runs or not. A reset goes through the daemon.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use books::dts;
use clap::{Args, Subcommand};
use payment::engine::entry::SlotId;
use payment::engine::settings::Product;
use payment::money::Fen;
use serde_json::{Value, json};

use super::client::Client;
use super::files::Files;
use super::journal::there_is;
use super::{Answer, Exit, Failure, text};
use crate::api::wire::{AuditReset, rfc3339};
use crate::config::Checked;
use crate::durable;
use crate::journal::Reader;
use crate::journal::audit::{Audit, Counted, SlotTally, Tally};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct AuditArgs {
    #[command(subcommand)]
    command: Option<Command>,
    /// Write the EVA-DTS file, `-` for standard output. A file that is there is never replaced
    #[arg(long, value_name = "FILE")]
    dts: Option<PathBuf>,
    /// When the file is safe on the disk, begin the interval anew behind what is in it
    #[arg(long, requires = "dts")]
    reset: bool,
    #[command(flatten)]
    files: Files,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Begin the interval anew, from now on
    Reset,
}

pub(super) async fn act(args: AuditArgs, socket: PathBuf, as_json: bool) -> Result<Answer, Failure> {
    if let Some(Command::Reset) = args.command {
        let (done, json) = reset(&Client::new(socket)?, &json!({})).await?;
        return Ok(Answer::done(told(&done), json));
    }
    let file = args.dts.as_deref().filter(|path| *path != Path::new("-"));
    if args.reset && file.is_none() {
        return Err(Failure::other(Exit::Usage, "--reset wants a file: what standard output becomes, nobody knows"));
    }
    let machine = Machine::of(&args.files.load_without_keys()?).await?;
    let mut answer = Answer::done(machine.text(), machine.json());
    if let Some(path) = file {
        write_new(path, machine.dts().write().as_bytes()).map_err(|error| not_written(path, &error))?;
        answer.text += &format!("\n\nEVA-DTS: {}", path.display());
        answer.json["file"] = json!(path);
    } else if args.dts.is_some() {
        return print(machine.dts().write(), as_json);
    }
    if let Some(path) = file.filter(|_| args.reset) {
        let body = json!({ "totals": machine.audit.totals() });
        let (done, json) = reset(&Client::new(socket)?, &body).await.map_err(|failure| not_reset(path, &failure))?;
        answer.text += &format!("\n{}", told(&done));
        answer.json["reset"] = json;
    }
    Ok(answer)
}

async fn reset(client: &Client, body: &Value) -> Result<(AuditReset, Value), Failure> {
    client.post("/v1/audit/reset", body, None).await
}

fn told(done: &AuditReset) -> String {
    format!("A new interval has begun: reset {} at {}", done.resets, done.reset_at.as_deref().unwrap_or("-"))
}

fn not_reset(path: &Path, failure: &Failure) -> Failure {
    let advice = "its file is written and whole, but a new interval may not have begun: `till audit` says when one last did. If not, write another file";
    Failure::other(failure.exit(), format!("{failure}\n{}: {advice}", path.display()))
}

fn not_written(path: &Path, error: &io::Error) -> Failure {
    let message =
        format!("{} could not be written ({error}); no new interval was begun. Name another file", path.display());
    Failure::other(Exit::Refused, message)
}

/// The file as it is, to the byte. A reader that went away, such as `head`, is no error.
fn print(file: String, as_json: bool) -> Result<Answer, Failure> {
    if as_json {
        return Ok(Answer::done("", json!({ "dts": file })));
    }
    let mut out = io::stdout().lock();
    match out.write_all(file.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::other(Exit::Refused, format!("cannot write ({error})")))
        }
        Ok(()) | Err(_) => Ok(Answer::done("", Value::Null)),
    }
}

/// Whole and durable, or not there at all. An older file is the only record of its interval and stays.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if fs::symlink_metadata(path).is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = Path::new(&part);
    let written = File::create(part).and_then(|file| durable::put(file, part, bytes, path));
    if written.is_err() {
        let _nothing_more_to_do = fs::remove_file(part);
    }
    written
}

/// The machine whose audit it is.
struct Machine {
    id: String,
    name: String,
    products: BTreeMap<SlotId, Product>,
    /// With a row for every slot that sells or ever sold, in order.
    audit: Audit,
}

impl Machine {
    async fn of(checked: &Checked) -> Result<Self, Failure> {
        there_is(&checked.journal)?;
        let unread = |error: String| Failure::other(Exit::Journal, error);
        let reader = Reader::open(&checked.journal).map_err(|error| unread(error.to_string()))?;
        let mut audit = reader.audit().await.map_err(|error| unread(error.to_string()))?;
        let products = checked.settings.products.clone();
        let new = products.keys().filter(|slot| !audit.slots.iter().any(|known| known.slot == **slot));
        let none = Counted::default();
        let new: Vec<_> =
            new.map(|slot| SlotTally { slot: slot.clone(), cashless: none, cash: none, failed: none }).collect();
        audit.slots.extend(new);
        audit.slots.sort_by(|one, other| one.slot.cmp(&other.slot));
        audit.paid.sort_by_key(|paid| (paid.channel, paid.wallet));
        Ok(Self { id: checked.terminal.id.clone(), name: checked.terminal.name.clone(), products, audit })
    }

    /// Nobody knows the price of a slot that sells nothing any more: 0.
    fn dts(&self) -> dts::Audit {
        let slots = self.audit.slots.iter().map(|slot| dts::Slot {
            name: slot.slot.to_string(),
            price: self.products.get(&slot.slot).map_or(0, |product| fen(product.price)),
            cashless: totals(slot.cashless),
            cash: totals(slot.cash),
        });
        let failed = self.audit.failed_vends();
        let failed = dts::Event {
            code: FAILED.to_owned(),
            since_reset: failed.since_reset.number,
            since_initialisation: failed.ever.number,
            // It happens and is over; whether a slot is locked is another thing.
            active: false,
        };
        dts::Audit {
            communication_id: sender(&self.id),
            serial: self.id.clone(),
            model: "TILL".to_owned(),
            location: self.name.clone(),
            asset: self.id.clone(),
            slots: slots.collect(),
            cash_elsewhere: totals(self.audit.cash_elsewhere),
            events: vec![failed],
        }
    }

    fn json(&self) -> Value {
        let audit = &self.audit;
        let slots = audit.slots.iter().map(|slot| {
            let product = self.products.get(&slot.slot);
            json!({
                "slot": slot.slot,
                "name": product.map(|product| &product.name),
                "price": product.map(|product| product.price.get()),
                "cashless": counted(slot.cashless),
                "cash": counted(slot.cash),
                "failed": counted(slot.failed),
            })
        });
        let paid = audit.paid.iter().map(|paid| {
            json!({
                "channel": paid.channel,
                "wallet": paid.wallet,
                "paid": counted(paid.paid),
                "refunded": counted(paid.refunded),
            })
        });
        json!({
            "resets": audit.resets,
            "reset_at": audit.reset_ms.map(rfc3339),
            "slots": slots.collect::<Vec<_>>(),
            "cash_elsewhere": counted(audit.cash_elsewhere),
            "cashless": counted(audit.cashless_vends()),
            "cash": counted(audit.cash_items()),
            "failed": counted(audit.failed_vends()),
            "wallets": paid.collect::<Vec<_>>(),
            "paid": counted(audit.paid()),
            "refunded": counted(audit.refunded()),
        })
    }

    fn text(&self) -> String {
        let since = match self.audit.reset_ms {
            Some(ms) => format!("Since reset {} at {}", self.audit.resets, rfc3339(ms)),
            None => "Since the beginning: never reset".to_owned(),
        };
        let new = self.tables(|counted| counted.since_reset);
        if self.audit.reset_ms.is_none() {
            return format!("{since}\n\n{new}");
        }
        format!("{since}\n\n{new}\n\nEver\n\n{}", self.tables(|counted| counted.ever))
    }

    fn tables(&self, of: fn(Counted) -> Tally) -> String {
        let cell = |counted| cell(of(counted));
        let audit = &self.audit;
        let mut slots = vec![text::heading(&["SLOT", "PRODUCT", "CASHLESS", "CASH", "FAILED"])];
        slots.extend(audit.slots.iter().map(|slot| {
            let name = self.products.get(&slot.slot).map_or("not sold now", |product| &product.name);
            let [cashless, cash, failed] = [slot.cashless, slot.cash, slot.failed].map(cell);
            vec![slot.slot.to_string(), text::plain(name), cashless, cash, failed]
        }));
        let row = |name: &str, counted: [Counted; 3]| {
            [vec![String::new(), name.to_owned()], counted.map(cell).into()].concat()
        };
        if audit.cash_elsewhere != Counted::default() {
            slots.push(row("no slot is known", [Counted::default(), audit.cash_elsewhere, Counted::default()]));
        }
        slots.push(row("all", [audit.cashless_vends(), audit.cash_items(), audit.failed_vends()]));
        let mut paid = vec![text::heading(&["CHANNEL", "WALLET", "PAID", "REFUNDED"])];
        paid.extend(audit.paid.iter().map(|paid| {
            let wallet = paid.wallet.map_or("-", |wallet| wallet.name());
            vec![paid.channel.name().to_owned(), wallet.to_owned(), cell(paid.paid), cell(paid.refunded)]
        }));
        paid.push(vec![String::new(), "all".to_owned(), cell(audit.paid()), cell(audit.refunded())]);
        format!("{}\n\n{}", text::table(&slots), text::table(&paid))
    }
}

/// How often a motor was to turn and nobody saw that anything fell. A code of our own: those of the standard's list name
/// causes, such as a jam of one column, and which it was is not known.
const FAILED: &str = "EO_1";

/// Three letters of the maker, and the last seven digits of the terminal's number.
fn sender(id: &str) -> String {
    let digits: String = id.chars().filter(char::is_ascii_digit).collect();
    format!("TIL{:0>7}", digits.get(digits.len().saturating_sub(7)..).unwrap_or_default())
}

fn fen(amount: Fen) -> u64 {
    u64::try_from(amount.get()).unwrap_or(0)
}

fn totals(counted: Counted) -> dts::Totals {
    let count = |tally: Tally| dts::Count { vends: tally.number, fen: fen(tally.amount) };
    dts::Totals { since_initialisation: count(counted.ever), since_reset: count(counted.since_reset) }
}

fn counted(counted: Counted) -> Value {
    let tally = |tally: Tally| json!({ "number": tally.number, "amount": tally.amount.get() });
    json!({ "ever": tally(counted.ever), "since_reset": tally(counted.since_reset) })
}

fn cell(tally: Tally) -> String {
    if tally == Tally::default() {
        "-".to_owned()
    } else {
        format!("{} {}", tally.number, text::yuan(tally.amount.get()))
    }
}

#[cfg(test)]
mod tests;
