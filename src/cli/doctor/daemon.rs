//! What the daemon itself knows: version, clock, faults, alarms, owed money, and who waits for a person.

use std::path::Path;

use serde_json::Value;

use super::{Failure, Finding};
use crate::api::wire::alarms::Complaints;
use crate::api::wire::{RefundPage, TerminalStatus};

pub(super) fn of_terminal(socket: &Path, terminal: &TerminalStatus) -> Vec<Finding> {
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
    if !terminal.faults.iter().any(|fault| fault.name.starts_with("network")) {
        findings.push(Finding::good("channels", "each one answered when it was last asked"));
    }
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
pub(super) fn of_complaints(asked: &Result<(Complaints, Value), Failure>) -> Option<Finding> {
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
pub(super) fn of_refunds(asked: &Result<(RefundPage, Value), Failure>) -> Option<Finding> {
    let (page, _) = asked.as_ref().ok()?;
    let more = if page.next_cursor.is_some() { " and more" } else { "" };
    let waiting = page.refunds.len();
    (waiting > 0).then(|| {
        Finding::good("refunds", format!("{waiting}{more} wait for a second person; `till refunds` lists them"))
    })
}

/// What to do about a fault, by its name.
pub(in crate::cli) fn remedy_of_fault(name: &str) -> &'static str {
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
        "printer" => "put in paper, close the cover, look at its cable; `till bringup printer` prints a test receipt",
        "display" => "check the display's cable and its device in the board file",
        "switched" => "`till sell on` when the work at the machine is done",
        _ => "see docs/api.md, faults",
    }
}

pub(super) fn remedy_of_socket(socket: &Path) -> String {
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
