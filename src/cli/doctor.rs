//! `till doctor`: looks for trouble from the outside in, and says what to do about each finding.

use std::path::{Path, PathBuf};

use clap::Args;
use hal::board::BoardSpec;
use serde::Serialize;
use serde_json::{Value, json};

use super::client::Client;
use super::{Answer, Exit, Failure, queue, status, text};
use crate::api::wire::alarms::Complaints;
use crate::api::wire::queue::{Link, Queue};
use crate::api::wire::{RefundPage, TerminalStatus};
use crate::config;
use crate::journal::verify;

/// A larger journal is not walked by the doctor: the daemon proves its end at each start, `till journal verify` all of it.
const WALKED_BYTES_MAX: u64 = 64 << 20;

#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    /// The journal's file
    #[arg(long, value_name = "PATH", default_value = "/var/lib/till/till.db")]
    journal: PathBuf,
    /// The board, to see whether its device files are there
    #[arg(long, value_name = "PATH", default_value = "/etc/till/board.toml")]
    board: PathBuf,
    /// The configuration, to see whether the operator's key is there
    #[arg(long, value_name = "PATH", default_value = "/etc/till/till.toml")]
    config: PathBuf,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    pub(super) about: String,
    pub(super) good: bool,
    pub(super) found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

impl Finding {
    pub(super) fn good(about: impl Into<String>, found: impl Into<String>) -> Self {
        Self { about: about.into(), good: true, found: found.into(), remedy: None }
    }

    pub(super) fn bad(about: impl Into<String>, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { about: about.into(), good: false, found: found.into(), remedy: Some(remedy.into()) }
    }
}

pub(super) async fn examine(client: &Client, args: DoctorArgs) -> Result<Answer, Failure> {
    let mut findings = Vec::new();
    let asked: Result<(TerminalStatus, Value), Failure> = client.get("/v1/terminal").await;
    let reached = asked.is_ok();
    match asked {
        Ok((terminal, _)) => {
            findings.extend(of_terminal(client.socket(), &terminal));
            findings.extend(of_complaints(&client.get("/v1/complaints").await));
            findings.extend(of_refunds(&client.get("/v1/refunds?state=asked&limit=500").await));
            findings.extend(of_queue(&client.get("/v1/queue").await));
        }
        Err(failure) => findings.push(Finding::bad("daemon", failure.to_string(), remedy_of_socket(client.socket()))),
    }
    findings.push(of_operator(&args.config));
    let journal = of_journal(&args.journal);
    let journal_good = journal.good;
    findings.push(journal);
    findings.extend(of_devices(&args.board));
    let all_good = findings.iter().all(|finding| finding.good);
    let exit = match (all_good, reached, journal_good) {
        (true, ..) => Exit::Done,
        (false, false, _) => Exit::Unreachable,
        (false, true, false) => Exit::Journal,
        (false, true, true) => Exit::Refused,
    };
    Ok(Answer { text: text_of(&findings), json: json!({ "good": all_good, "findings": findings }), exit })
}

fn of_terminal(socket: &Path, terminal: &TerminalStatus) -> Vec<Finding> {
    let mut findings = vec![Finding::good("daemon", format!("answers at {}", socket.display()))];
    let ours = env!("CARGO_PKG_VERSION");
    findings.push(match terminal.version.as_str() {
        theirs if theirs == ours => Finding::good("version", format!("{ours}, the same as this command")),
        theirs => Finding::bad(
            "version",
            format!("the daemon is {theirs}, this command is {ours}"),
            "restart the daemon after an update: systemctl restart till",
        ),
    });
    findings.push(if terminal.clock.trusted {
        Finding::good("clock", format!("{}, {}", terminal.clock.time, terminal.clock.why))
    } else {
        let found = format!("{} is not trusted: {}", terminal.clock.time, terminal.clock.why);
        Finding::bad("clock", found, remedy_of_fault("clock"))
    });
    findings.push(match &terminal.blocking {
        None => Finding::good("selling", "yes"),
        Some(fault) => Finding::bad("selling", format!("no: {}", fault.text), "mend what is named here, or see below"),
    });
    let remedy =
        "see to it in the channel's portal, then `till alarms clear` with this name; complaints end by themselves";
    findings.extend(
        terminal.alarms.iter().map(|alarm| Finding::bad(format!("alarm {}", alarm.name), alarm.text.clone(), remedy)),
    );
    let others = terminal.faults.iter().filter(|fault| fault.name != "clock");
    findings.extend(
        others.map(|fault| {
            Finding::bad(format!("fault {}", fault.name), fault.text.clone(), remedy_of_fault(&fault.name))
        }),
    );
    findings.extend(terminal.open_orders.iter().filter(|open| open.state == payment::engine::entry::OrderState::Owed).map(
        |open| {
            let found = format!("{} orders with money that must go back and that the channel refuses for now", open.count);
            Finding::bad("owed money", found, "`till orders --state owed` names them, `till order NUMBER` the channel's code; top up the merchant account")
        },
    ));
    findings
}

/// Whether complaints would be heard of. Those that are open are an alarm.
fn of_complaints(asked: &Result<(Complaints, Value), Failure>) -> Option<Finding> {
    let (found, _) = asked.as_ref().ok()?;
    let trouble = found.trouble.as_ref()?;
    let since = found.fetched_at.as_ref().map(|at| format!(" since {at}")).unwrap_or_default();
    let text = format!("the list of buyers' complaints could not be fetched{since}: {trouble}");
    Some(Finding::bad(
        "complaints",
        text,
        "look for them in the merchant portal meanwhile; it is tried again by itself",
    ))
}

/// No trouble, but somebody waits for an answer. A daemon of a version before does not know the question.
fn of_refunds(asked: &Result<(RefundPage, Value), Failure>) -> Option<Finding> {
    let (page, _) = asked.as_ref().ok()?;
    let more = if page.next_cursor.is_some() { " and more" } else { "" };
    let waiting = page.refunds.len();
    (waiting > 0).then(|| {
        Finding::good("refunds", format!("{waiting}{more} wait for a second person; `till refunds` lists them"))
    })
}

/// The hub and the journal's room. A journal that nearly fills its limit is found before the machine stops selling for it.
fn of_queue(asked: &Result<(Queue, Value), Failure>) -> Vec<Finding> {
    let queue = match asked {
        Ok((queue, _)) => queue,
        Err(failure) => return vec![Finding::bad("queue", failure.to_string(), "see what the journal is told below")],
    };
    let waits = if queue.waiting > 0 && queue.link != Link::Off {
        let oldest = queue.oldest_age_s.map(|seconds| format!(", the oldest for {}", status::duration(seconds)));
        format!("; {} entries wait{}", queue.waiting, oldest.unwrap_or_default())
    } else {
        String::new()
    };
    let hub = format!("{}{waits}", queue::link(queue));
    let size = queue::size(queue);
    let is_roomy = queue.limit_bytes.is_none_or(|limit| queue.used_bytes < limit / 10 * 9);
    let set_aside = (queue.set_aside_count > 0).then(|| {
        let found = format!("{} entries are refused for good by the hub", queue.set_aside_count);
        Finding::bad("hub refused", found, "`till queue` names them; tell the operator. They stay in the journal")
    });
    let findings = [
        Some(match &queue.trouble {
            None => Finding::good("hub", hub),
            Some(_) => Finding::bad("hub", hub, "`till queue` says what to do; nothing is lost meanwhile"),
        }),
        set_aside,
        Some(match is_roomy {
            true => Finding::good("journal size", size),
            false => Finding::bad("journal size", size, "get the hub to take what waits, or raise [journal] limit_mb"),
        }),
    ];
    findings.into_iter().flatten().collect()
}

/// Whether commands and codes of the operator could be checked.
fn of_operator(config: &Path) -> Finding {
    let about = "operator's key";
    let checked = match config::load_for_hub(config) {
        Ok(checked) => checked,
        Err(report) => {
            let found = format!("{} errors in {}", report.problems().len(), config.display());
            return Finding::bad(about, found, "`till check` shows them; name another file with --config");
        }
    };
    match (checked.operator_key, checked.hub) {
        (Some(_), _) => Finding::good(about, "is there"),
        (None, None) => Finding::good(about, "none, and no hub that would send commands"),
        (None, Some(_)) => Finding::good(about, "none: refunds, prices and restarts from the hub are refused"),
    }
}

/// What to do about a fault, by its name.
pub(super) fn remedy_of_fault(name: &str) -> &'static str {
    match name.split('-').next().unwrap_or(name) {
        "storage" => {
            "look at `dmesg` and `df`: the disk is full, worn out or read-only. Till goes on by itself once it can write"
        }
        "journal" => {
            "`till queue` says why the hub has not taken the journal; or raise [journal] limit_mb and restart till"
        }
        "hub" => "`till queue` says what the hub refuses, and what to do",
        "clock" => "give the machine the time: check `timedatectl`, the network, and the battery of its clock",
        "network" => "check the cable or the SIM card, `ip route` and the DNS server. Till tries again by itself",
        "setup" => {
            "the channel refuses app id, keys or permissions: compare them with the merchant's console, then restart till"
        }
        "duty" => {
            "`till order` with its number shows the channel's code; do it in the channel's portal, then `till duty-done` ends this"
        }
        "scanner" => "plug it in again, and look whether its path in the board file exists",
        "machine" => "look at the machine's controller, its cable and its power",
        "slot" => "clear the jam, then `till faults clear` with the name of this fault",
        "display" => "check the display's cable and its device in the board file",
        "switched" => "`till sell on` when the work at the machine is done",
        _ => "see docs/api.md, faults",
    }
}

fn remedy_of_socket(socket: &Path) -> String {
    match std::os::unix::net::UnixStream::connect(socket) {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            "you may not open the socket: run this as root, or join its group (`ls -l` on it says which)".to_owned()
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            "there is no socket: start the daemon with `systemctl start till`, or name the socket with --socket"
                .to_owned()
        }
        Ok(_) | Err(_) => "see `systemctl status till` and `journalctl -u till`".to_owned(),
    }
}

fn of_journal(path: &Path) -> Finding {
    let about = format!("journal {}", path.display());
    let size = match std::fs::metadata(path) {
        Ok(found) => found.len(),
        Err(error) => {
            let remedy = "name it with --journal; before the first start there is none";
            return Finding::bad(about, format!("cannot be seen ({error})"), remedy);
        }
    };
    if let Err(errno) = rustix::fs::access(path, rustix::fs::Access::WRITE_OK) {
        let remedy =
            "run this as root or as the user of till; if it fails there too, the disk is read-only: see `dmesg`";
        return Finding::bad(about, format!("cannot be written ({errno})"), remedy);
    }
    if size > WALKED_BYTES_MAX {
        return Finding::good(about, "writable; too large to be walked here, use `till journal verify`");
    }
    match verify::verify(path, None) {
        Ok(report) if report.is_sound() => {
            let removed = (report.removed > 0).then(|| format!("; {} old ones removed by retention", report.removed));
            let found = format!("writable, all {} entries as they were written", report.entries);
            Finding::good(about, found + &removed.unwrap_or_default())
        }
        Ok(report) => {
            let first = report.faults.first().map(ToString::to_string).unwrap_or_default();
            Finding::bad(
                about,
                format!("{} faults, the first: {first}", report.fault_count),
                "`till journal verify` names all; keep the file as evidence",
            )
        }
        Err(error) => Finding::bad(about, error.to_string(), "keep the file and its -wal, and see `dmesg`"),
    }
}

pub(super) fn of_devices(board: &Path) -> Vec<Finding> {
    let spec = match BoardSpec::read(board) {
        Ok(spec) => spec,
        Err(wrong) => {
            let found = format!("{} wrong in {}", wrong.0.len(), board.display());
            return vec![Finding::bad("board", found, "`till check` shows them; name another board with --board")];
        }
    };
    // A relative path is made by the simulator in the runtime directory, and is not a device of the machine.
    let files = [spec.display.path, spec.scanner.path].into_iter().flatten().filter(|file| file.is_absolute());
    let findings = files.map(|file| {
        let about = format!("device {}", file.display());
        if file.exists() {
            Finding::good(about, "is there")
        } else {
            Finding::bad(
                about,
                "is missing",
                "is it plugged in? `ls -l /dev/serial/by-id` shows what is; correct the board file if its name changed",
            )
        }
    });
    findings.collect()
}

pub(super) fn text_of(findings: &[Finding]) -> String {
    let lines = findings.iter().map(|finding| {
        let mark = if finding.good { "ok  " } else { "BAD " };
        let remedy = finding.remedy.as_ref().map(|remedy| format!("\n       do: {remedy}")).unwrap_or_default();
        format!("{mark} {}: {}{remedy}", text::plain(&finding.about), finding.found.replace('\n', "\n       "))
    });
    lines.collect::<Vec<_>>().join("\n")
}
