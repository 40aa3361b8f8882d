//! `till status`

use serde_json::Value;

use super::client::Client;
use super::{Answer, Exit, Failure, stock, text};
use crate::api::wire::{FaultRow, TerminalStatus};

pub(super) async fn show(client: &Client) -> Result<Answer, Failure> {
    let (terminal, json): (TerminalStatus, Value) = client.get("/v1/terminal").await?;
    Ok(answer(&terminal, json))
}

/// The terminal as text; exit code 1 when it does not sell.
pub(super) fn answer(terminal: &TerminalStatus, json: Value) -> Answer {
    let exit = if terminal.selling { Exit::Done } else { Exit::Refused };
    Answer { text: text_of(terminal), json, exit }
}

fn text_of(terminal: &TerminalStatus) -> String {
    let selling = match &terminal.blocking {
        None => terminal.codes_only.as_ref().map_or_else(|| "yes".to_owned(), codes_only),
        Some(fault) => format!("no: {} ({})", fault.text, fault.name),
    };
    let believed = if terminal.clock.trusted { "" } else { "not trusted: " };
    let clock = format!("{} ({believed}{})", terminal.clock.time, terminal.clock.why);
    let open: Vec<String> =
        terminal.open_orders.iter().map(|open| format!("{} {}", open.count, text::words(open.state))).collect();
    let mut parts = vec![text::pairs(&[
        ("Selling", Some(selling)),
        ("At the machine", Some(terminal.order.map_or_else(|| "nobody".to_owned(), |order| format!("order {order}")))),
        ("Open orders", Some(if open.is_empty() { "none".to_owned() } else { open.join(", ") })),
        ("Clock", Some(clock)),
        ("Journal", Some(format!("{} entries", terminal.newest_seq))),
        ("Version", Some(format!("{}, up {}", terminal.version, duration(terminal.up_s)))),
    ])];
    if !terminal.faults.is_empty() {
        parts.push(rows_of("FAULT", &terminal.faults));
    }
    if !terminal.alarms.is_empty() {
        parts.push(rows_of("ALARM", &terminal.alarms));
    }
    if !terminal.slots.is_empty() {
        parts.push(slots(terminal));
    }
    parts.join("\n\n")
}

fn codes_only(fault: &FaultRow) -> String {
    format!("to member and voucher codes only: {} ({})", fault.text, fault.name)
}

fn rows_of(what: &str, found: &[FaultRow]) -> String {
    let mut rows = vec![text::heading(&[what, "MEANING"])];
    rows.extend(found.iter().map(|row| vec![text::plain(&row.name), text::plain(&row.text)]));
    text::table(&rows)
}

fn slots(terminal: &TerminalStatus) -> String {
    let mut rows = vec![text::heading(&["SLOT", "PRODUCT", "PRICE", ""])];
    rows.extend(terminal.slots.iter().map(|slot| {
        let state = if slot.blocked { "blocked" } else { stock::state(slot) };
        let name = text::plain(&slot.name);
        vec![slot.slot.to_string(), name, text::yuan(slot.price), state.to_owned()]
    }));
    text::table(&rows)
}

/// So long, in words.
pub(super) fn duration(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}
