//! Text for people: money, tables whose columns line up even in Chinese, words for states.

use payment::money::Fen;

use crate::api::wire::{Attempt, Order, Refund};

/// An amount as people write it.
pub(super) fn yuan(fen: i64) -> String {
    format!("¥{}", Fen::new(fen).to_yuan())
}

/// Rows in columns, the first row being the heading.
pub(super) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max().unwrap_or(0))
        .collect();
    let lines = rows.iter().map(|row| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| padded(cell, *width));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Names and values, one pair in a line; pairs without a value are left out.
pub(super) fn pairs(rows: &[(&str, Option<String>)]) -> String {
    let given = rows.iter().filter_map(|(name, value)| Some(vec![format!("{name}:"), value.clone()?]));
    table(&given.collect::<Vec<_>>())
}

/// What others wrote, without what could steer a terminal.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { '\u{FFFD}' } else { character }).collect()
}

/// A name of the API as words: `not_delivered` is "not delivered".
pub(super) fn words(name: impl serde::Serialize) -> String {
    let name = serde_json::to_value(name).ok();
    name.and_then(|name| name.as_str().map(|name| name.replace('_', " "))).unwrap_or_default()
}

fn padded(cell: &str, to: usize) -> String {
    format!("{cell}{}", " ".repeat(to.saturating_sub(width(cell))))
}

/// How many columns of a terminal the text takes.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(|character| if is_wide(character) { 2 } else { 1 }).sum()
}

/// Whether a terminal draws the character over two columns (Unicode's East Asian Width W and F, by blocks).
fn is_wide(character: char) -> bool {
    matches!(u32::from(character),
        0x1100..=0x115F | 0x2E80..=0x303E | 0x3041..=0xA4CF | 0xA960..=0xA97F | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F | 0xFF01..=0xFF60 | 0xFFE0..=0xFFE6 | 0x1F300..=0x1F64F | 0x1F900..=0x1FAFF | 0x20000..=0x3FFFD)
}

/// A whole order.
pub(super) fn order(order: &Order) -> String {
    let mut parts = vec![head(order)];
    if !order.items.is_empty() {
        parts.push(items(order));
    }
    if !order.attempts.is_empty() {
        parts.push(attempts(order));
    }
    if !order.refunds.is_empty() {
        parts.push(refunds(order));
    }
    if !order.duties.is_empty() {
        parts.push(duties(order));
    }
    parts.join("\n\n")
}

fn head(order: &Order) -> String {
    let clock = if order.clock_trusted { "" } else { " (the clock was not trusted)" };
    let positive = |fen: i64| (fen > 0).then(|| yuan(fen));
    pairs(&[
        ("Order", Some(order.id.to_string())),
        ("State", Some(format!("{}: {}", words(order.state), meaning(order)))),
        ("Amount", Some(yuan(order.amount))),
        ("Paid", positive(order.paid)),
        ("In cash", positive(order.cash)),
        ("Down payment", positive(order.down_payment)),
        ("Instalments", order.instalments.map(|months| format!("{months} months"))),
        ("In the guide", super::guide::word(order, jiff::Timestamp::now()).map(ToOwned::to_owned)),
        ("Refunded", positive(order.refunded)),
        ("Subject", Some(plain(&order.subject))),
        ("Reference", order.reference.as_deref().map(plain)),
        ("Opened", Some(format!("{}{clock}", order.opened_at))),
        ("Who scans", Some(words(order.who_scans))),
        ("Ended by", order.cancelled_by.map(words)),
    ])
}

fn items(order: &Order) -> String {
    let mut rows = vec![heading(&["SLOT", "ITEM", "PRICE", "DELIVERY"])];
    rows.extend(order.items.iter().map(|item| {
        let slot = item.slot.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
        vec![slot, plain(&item.name), yuan(item.price), words(item.delivery)]
    }));
    table(&rows)
}

fn attempts(order: &Order) -> String {
    let mut rows = vec![heading(&["ATTEMPT", "CHANNEL", "METHOD", "AMOUNT", "STATE", "TRADE NO", "BUYER"])];
    rows.extend(order.attempts.iter().map(|attempt| {
        let state = match &attempt.code {
            Some(code) => format!("{} ({})", words(attempt.state), plain(code)),
            None => words(attempt.state),
        };
        let text = |text: &Option<String>| text.as_deref().map_or_else(|| "-".to_owned(), plain);
        let payer = attempt.buyer.clone().or_else(|| Some(format!("code {}", attempt.voucher.as_ref()?)));
        vec![
            attempt.number.to_string(),
            attempt.channel.name().to_owned(),
            words(attempt.method),
            yuan(attempt.amount),
            state,
            text(&attempt.trade_no),
            text(&payer),
        ]
    }));
    let told: Vec<String> = order.attempts.iter().flat_map(told).collect();
    [vec![table(&rows)], told].concat().join("\n")
}

/// What the channel told of the payment besides its number, a line each.
fn told(attempt: &Attempt) -> Vec<String> {
    let told = &attempt.told;
    let discounts = told.discounts.iter().map(|discount| {
        format!("{} off, {}, borne by: {}", yuan(discount.amount.get()), plain(&discount.name), words(discount.by))
    });
    let rows = [
        ("wallet", told.wallet.map(words)),
        ("request no", told.request_no.as_deref().map(plain)),
        ("channel no", told.channel_no.as_deref().map(plain)),
        ("wallet no", told.wallet_no.as_deref().map(plain)),
        ("buyer paid", told.buyer_paid.map(|paid| yuan(paid.get()))),
        ("merchant gets", told.merchant_gets.map(|gets| yuan(gets.get()))),
        (
            "instalments",
            told.instalments.or(attempt.instalment.map(|plan| plan.periods)).map(|months| months.to_string()),
        ),
    ];
    let rows = rows.into_iter().filter_map(|(name, value)| Some(format!("{name} {}", value?)));
    rows.chain(discounts).map(|row| format!("{}: {row}", attempt.number)).collect()
}

fn refunds(order: &Order) -> String {
    let mut rows = vec![heading(&["REFUND", "AMOUNT", "REASON", "STATE", "ASKED", "DECIDED", "SENT", "BACK"])];
    rows.extend(order.refunds.iter().map(|refund| {
        let asked = person(refund.asked_by.as_deref(), refund.why.as_deref());
        let decided = person(refund.decided_by.as_deref(), refund.decided_why.as_deref());
        let when = |at: &Option<String>| at.clone().unwrap_or_else(|| "-".to_owned());
        vec![
            refund.number.to_string(),
            yuan(refund.amount),
            words(refund.reason),
            refund_state(refund),
            asked,
            decided,
            when(&refund.started_at),
            when(&refund.done_at),
        ]
    }));
    table(&rows)
}

fn refund_state(refund: &Refund) -> String {
    let replaced = refund.replaced_by.map(|new| format!("{} by {new}", words(refund.state)));
    let coded = || refund.code.as_deref().map(|code| format!("{} ({})", words(refund.state), plain(code)));
    replaced.or_else(coded).unwrap_or_else(|| words(refund.state))
}

/// Who, and why if that was said.
fn person(by: Option<&str>, why: Option<&str>) -> String {
    match (by.map(plain), why.map(plain)) {
        (Some(by), Some(why)) => format!("{by}: {why}"),
        (Some(by), None) => by,
        (None, _) => "-".to_owned(),
    }
}

fn duties(order: &Order) -> String {
    let mut rows = vec![heading(&["THE CHANNEL HEARS", "STATE", "SINCE"])];
    rows.extend(order.duties.iter().map(|duty| {
        let state = match &duty.code {
            Some(code) => format!("{} ({})", words(duty.state), plain(code)),
            None => words(duty.state),
        };
        vec![words(duty.kind), state, duty.since.clone()]
    }));
    table(&rows)
}

pub(super) fn heading(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// What an order's state means for the money.
fn meaning(order: &Order) -> &'static str {
    use payment::engine::entry::OrderState as State;
    match order.state {
        State::Waiting => "nobody has paid yet",
        State::Confirming => "the buyer is confirming on the phone",
        State::Unknown => "it is not known yet whether the buyer paid; the channel is being asked",
        State::Cancelling => "nobody may pay any more; the channel is being made sure of",
        State::Paid => "the money was taken, nothing is delivered yet",
        State::Delivering => "the money was taken, the machine is delivering",
        State::Completed => "paid and delivered",
        State::Cancelled => "over, nothing was paid",
        State::Expired => "over, nothing was paid in time",
        State::Failed => "over, the channel refused and nothing was paid",
        State::Refunding => "money is on its way back to the buyer",
        State::Owed => "money must go back and the channel refuses for now; it is tried again for ever",
        State::Refunded => "the money that was due went back",
    }
}
