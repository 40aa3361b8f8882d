//! The journal's side of a day: what was paid and what went back through the channels that write statements.

use books::day;
use books::reconcile::{Books, Date, EDGE_MS, Entry, EntryKind, State};
use books::statement::Numbers;
use payment::channel::ChannelId;
use payment::engine::record::{AttemptEnd, AttemptRecord, OrderRecord, RefundRecord};

/// The movements of `day` and of its edges, out of the orders that had any.
#[must_use]
pub fn books(orders: &[OrderRecord], day: Date) -> Books {
    let mut books = Books::default();
    let Some((from, to)) = bounds(day) else {
        return books;
    };
    for entry in orders.iter().flat_map(entries) {
        match entry.at {
            at if (from..to).contains(&at) => books.entries.push(entry),
            at if (from - EDGE_MS..to + EDGE_MS).contains(&at) => books.neighbours.push(entry),
            _ => {}
        }
    }
    books.undone = orders
        .iter()
        .flat_map(|order| &order.attempts)
        .filter(|known| is_undone(known))
        .flat_map(numbers_of_undone)
        .collect();
    books
}

/// The first and the first not moment of a day in China, in milliseconds since 1970.
#[must_use]
pub fn bounds(day: Date) -> Option<(i64, i64)> {
    Some((day::begin_ms(day)?, day::begin_ms(day.tomorrow().ok()?)?))
}

fn entries(order: &OrderRecord) -> Vec<Entry> {
    let payments = order.attempts.iter().filter_map(payment);
    let refunds = order.refunds.iter().filter(|refund| refund.moves_money()).filter_map(|known| refund(order, known));
    payments.chain(refunds).collect()
}

fn has_statements(channel: ChannelId) -> bool {
    channel != ChannelId::Voucher
}

fn payment(attempt: &AttemptRecord) -> Option<Entry> {
    let Some(AttemptEnd::Paid { paid_at, noted_at, .. }) = &attempt.end else {
        return None;
    };
    let told = paid_at.as_deref().and_then(moment);
    has_statements(attempt.channel).then(|| Entry {
        kind: EntryKind::Payment,
        channel: attempt.channel,
        amount: attempt.amount,
        at: told.unwrap_or(noted_at.ms),
        numbers: numbers(attempt),
        state: State::Final,
    })
}

/// WeChat Pay puts a refund on the day on which it was asked for, the others on which it was done.
fn refund(order: &OrderRecord, refund: &RefundRecord) -> Option<Entry> {
    let attempt = order.attempt(refund.attempt)?;
    let done = refund.done_at.map(|at| at.ms);
    let at = if attempt.channel == ChannelId::Wechat { refund.begun.ms } else { done.unwrap_or(refund.begun.ms) };
    has_statements(attempt.channel).then(|| Entry {
        kind: EntryKind::Refund,
        channel: attempt.channel,
        amount: refund.amount,
        at,
        numbers: Numbers { refund_ours: Some(refund.refund.to_string()), ..numbers(attempt) },
        state: if refund.is_done() { State::Final } else { State::Open },
    })
}

/// The five numbers, as far as the channel told them.
fn numbers(attempt: &AttemptRecord) -> Numbers {
    let ours = Some(attempt.attempt.to_string());
    match &attempt.end {
        Some(AttemptEnd::Paid { trade_no, details, .. }) => Numbers {
            ours,
            channel: Some(trade_no.clone()),
            request: details.request_no.clone(),
            acquirer: details.channel_no.clone(),
            wallet: details.wallet_no.clone(),
            ..Numbers::default()
        },
        Some(AttemptEnd::NotPaid { .. }) | None => Numbers { ours, ..Numbers::default() },
    }
}

/// Undone without ever being known as paid: the channel may list a payment and its return.
fn is_undone(attempt: &AttemptRecord) -> bool {
    attempt.reversing.is_some() && !attempt.is_paid()
}

/// The attempt's number, and the one under which Allinpay VSP was asked to undo it.
fn numbers_of_undone(attempt: &AttemptRecord) -> [String; 2] {
    let number = attempt.attempt.as_str();
    [number.to_owned(), format!("C{}", number.get(1..).unwrap_or_default())]
}

/// A channel's own words for a moment: China's time, or RFC 3339.
fn moment(text: &str) -> Option<i64> {
    day::read(text).or_else(|| text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond))
}
