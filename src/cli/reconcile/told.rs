//! What `till reconcile` says of its result, to people and to programs.

use std::path::PathBuf;

use books::reconcile::{Date, Edge, Found, Reconciliation, Row, Totals, Verdict};
use payment::channel::ChannelId;
use serde_json::{Value, json};

use super::{Answer, Exit, text};
use crate::journal::window::Moved;

/// So many rows that need a person are printed; an export has all.
const SHOWN_MAX: usize = 100;

pub(super) fn answer(result: &Reconciliation<'_>, troubles: &[String], written: &[PathBuf]) -> Answer {
    let mut lines: Vec<String> = troubles.iter().map(|trouble| format!("warning: {trouble}")).collect();
    lines.extend(result.remarks.iter().map(|(source, remark)| format!("{}: {remark}", source.channel().name())));
    let told = |row: &&Row<'_>| row.found.is_difference() || matches!(row.found, Found::OtherDay(..));
    let told: Vec<&Row<'_>> = result.rows.iter().filter(told).collect();
    lines.extend(told.iter().take(SHOWN_MAX).map(|row| line(row)));
    if told.len() > SHOWN_MAX {
        lines.push(format!("… and {} more; --csv DIR writes all", told.len() - SHOWN_MAX));
    }
    for channel in result.channels() {
        let (ours, theirs) = (result.ours(Some(channel)), result.theirs(Some(channel)));
        lines.push(format!("{:<13} journal   {}", channel.name(), sums(&ours)));
        lines.push(format!("{:<13} statement {}", "", sums(&theirs)));
    }
    lines.extend(written.iter().map(|path| format!("written: {}", path.display())));
    let verdict = overall(result, troubles);
    lines.push(summary(result, verdict, !troubles.is_empty()));
    Answer { text: lines.join("\n"), json: as_json(result, troubles), exit: exit_of(verdict) }
}

/// The whole of it: what could not be had or trusted was not compared.
fn overall(result: &Reconciliation<'_>, troubles: &[String]) -> Verdict {
    match (result.verdict(), troubles.is_empty()) {
        (Verdict::Agreed, false) => Verdict::NotCompared,
        (verdict, _) => verdict,
    }
}

const fn exit_of(verdict: Verdict) -> Exit {
    match verdict {
        Verdict::Agreed => Exit::Done,
        Verdict::Differences => Exit::Refused,
        Verdict::NotCompared => Exit::NotCompared,
    }
}

/// The last line: what a person reads first.
fn summary(result: &Reconciliation<'_>, verdict: Verdict, warned: bool) -> String {
    let count = |of: fn(&Found) -> bool| result.rows.iter().filter(|row| of(&row.found)).count();
    let agreed = count(|found| matches!(found, Found::Agreed | Found::OtherDay(..)));
    let differing = count(|found| found.is_difference() && *found != Found::NotCompared);
    let missing = count(|found| *found == Found::NotCompared);
    let said = match verdict {
        Verdict::Agreed => format!("all {agreed} movements agree, to the fen"),
        Verdict::Differences if differing == 0 => {
            format!("{agreed} movements agree, but a statement cannot be trusted in all: see its remarks")
        }
        Verdict::Differences => format!("{agreed} movements agree, {differing} need a person"),
        Verdict::NotCompared if agreed == 0 => "no movement was compared".to_owned(),
        Verdict::NotCompared => format!("{agreed} movements agree"),
    };
    let gaps = match (warned, missing) {
        (false, 0) => String::new(),
        (true, 0) => "; not everything was compared, see the warnings".to_owned(),
        (_, missing) => format!("; not everything was compared: {missing} of ours have no statement"),
    };
    let open = match count(|found| *found == Found::Waiting) {
        0 => String::new(),
        waiting => format!("; {waiting} are still open here: run this day again when they are settled"),
    };
    format!("{}: {said}{gaps}{open}", result.day)
}

/// Retention leaves whole orders out: what they list and we have not any more looks like a stranger's money.
pub(super) fn of_removed(moved: &Moved, day: Date) -> Option<String> {
    let begin = books::day::begin_ms(day)?;
    let until = moved.removed_until.filter(|until| *until >= begin)?;
    let whole = books::day::of(until).and_then(|day| day.tomorrow().ok());
    let since = whole.map_or_else(String::new, |day| format!(" The journal is whole from {day} on."));
    Some(format!(
        "[journal] keep_days: orders of {day} may have been removed here, so a long row may be one of them: look for it at \
         the hub before any refund.{since}"
    ))
}

fn sums(totals: &Totals) -> String {
    format!(
        "{} paid {}, {} returned {}, net {}, fees {}",
        totals.payments,
        text::yuan(totals.paid.get()),
        totals.refunds,
        text::yuan(totals.returned.get()),
        text::yuan(totals.net().get()),
        text::yuan(totals.fees.get())
    )
}

/// A row that needs a person: what is wrong, whose, how much, under which numbers.
fn line(row: &Row<'_>) -> String {
    let channel = row.entry.map(|entry| entry.channel).or(row.listed.map(|listed| listed.channel));
    let amount = row.entry.map(|entry| entry.amount).or(row.line().map(|line| line.amount)).unwrap_or_default();
    let numbers = row.entry.map(|entry| &entry.numbers).or(row.line().map(|line| &line.numbers));
    let numbers: Vec<&str> = numbers.map(|numbers| numbers.all().collect()).unwrap_or_default();
    let detail = match &row.found {
        Found::Differing(differences) => {
            format!(": {}", differences.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        }
        Found::Long { twice: true } => ": listed twice".to_owned(),
        Found::OtherDay(Edge::Line, day) => format!(": listed on {day}"),
        Found::OtherDay(Edge::Entry, day) => format!(": ours is of {day}"),
        Found::Agreed
        | Found::Undone
        | Found::Waiting
        | Found::DoneByThem
        | Found::Long { twice: false }
        | Found::Short
        | Found::Other
        | Found::NotCompared => String::new(),
    };
    let channel = channel.map_or("", ChannelId::name);
    format!("{}: {channel} {} {}{detail}", row.found.name(), text::yuan(amount.get()), numbers.join(" "))
}

fn as_json(result: &Reconciliation<'_>, troubles: &[String]) -> Value {
    let totals = |totals: Totals| {
        json!({
            "payments": totals.payments, "paid": totals.paid, "refunds": totals.refunds,
            "returned": totals.returned, "net": totals.net(), "fees": totals.fees,
        })
    };
    let row = |row: &Row<'_>| {
        json!({
            "found": row.found.name(),
            "other_day": match row.found {
                Found::OtherDay(_, day) => Some(day.to_string()),
                Found::Agreed
                | Found::Undone
                | Found::Waiting
                | Found::DoneByThem
                | Found::Differing(_)
                | Found::Long { .. }
                | Found::Short
                | Found::Other
                | Found::NotCompared => None,
            },
            "channel": row.entry.map(|entry| entry.channel).or(row.listed.map(|listed| listed.channel)),
            "ours": row.entry.map(|entry| entry.amount),
            "theirs": row.line().map(|line| line.amount),
            "numbers": row.entry.map(|entry| &entry.numbers).or(row.line().map(|line| &line.numbers))
                .map(|numbers| numbers.all().collect::<Vec<_>>()),
        })
    };
    json!({
        "day": result.day.to_string(),
        "agreed": overall(result, troubles) == Verdict::Agreed,
        "troubles": troubles,
        "remarks": result.remarks.iter().map(|(_, remark)| remark.to_string()).collect::<Vec<_>>(),
        "channels": result.channels().into_iter().map(|channel| json!({
            "channel": channel,
            "ours": totals(result.ours(Some(channel))),
            "theirs": totals(result.theirs(Some(channel))),
        })).collect::<Vec<_>>(),
        "rows": result.rows.iter().map(row).collect::<Vec<_>>(),
    })
}
