//! The journal's side of a day: what was paid and what went back through the channels that write statements.

use std::collections::BTreeSet;

use books::day::{self, DAY_MS};
use books::reconcile::{Books, Date, Entry, EntryKind, State};
use books::statement::Numbers;
use payment::channel::ChannelId;
use payment::engine::record::{AttemptEnd, AttemptRecord, OrderRecord, RefundRecord};

/// How far a channel's clock, or the moment on which it dates a movement, may be from ours: ten minutes, longer than any
/// pay code or shown code is asked after.
const EDGE_MS: i64 = 10 * 60 * 1000;

/// A refund that was owed for longer is looked for in the files of its last days only.
const DAYS_MAX: usize = 40;

/// The journal's side of a day.
#[derive(Debug, Default)]
pub struct Ours {
    /// The movements.
    pub books: Books,
    /// The other days in whose files some of them may stand, or are answered for.
    pub days: BTreeSet<(ChannelId, Date)>,
}

/// The movements of `day`, and those of other days as far as `orders` have any. Only of `channels`, if there are any.
#[must_use]
pub fn of_day(orders: &[OrderRecord], day: Date, channels: &[ChannelId]) -> Ours {
    let wanted =
        |channel: ChannelId| channel != ChannelId::Voucher && (channels.is_empty() || channels.contains(&channel));
    let mut ours = Ours::default();
    for movement in orders.iter().flat_map(movements).filter(|movement| wanted(movement.entry.channel)) {
        let channel = movement.entry.channel;
        ours.days.extend(movement.days().filter(|other| *other != day).map(|other| (channel, other)));
        if day::of(movement.entry.at) == Some(day) {
            ours.books.entries.push(movement.entry);
        } else {
            ours.books.other_days.push(movement.entry);
        }
    }
    let attempts = orders.iter().flat_map(|order| &order.attempts).filter(|attempt| wanted(attempt.channel));
    ours.books.undone = attempts.filter(|known| is_undone(known)).map(|known| known.attempt.to_string()).collect();
    ours
}

/// The first and the first not moment of a day in China, in milliseconds since 1970.
#[must_use]
pub fn bounds(day: Date) -> Option<(i64, i64)> {
    Some((day::begin_ms(day)?, day::begin_ms(day.tomorrow().ok()?)?))
}

/// An entry, and between which moments the channel may have booked it.
struct Movement {
    entry: Entry,
    from: i64,
    to: i64,
}

impl Movement {
    /// The days in China between these moments, the last first.
    fn days(&self) -> impl Iterator<Item = Date> {
        let (first, last) = (self.from - EDGE_MS, self.to + EDGE_MS);
        let moments = std::iter::successors(Some(last), |at| at.checked_sub(DAY_MS));
        let moments = moments.take(DAYS_MAX).take_while(move |at| *at > first);
        moments.chain(std::iter::once(first)).filter_map(day::of)
    }
}

fn movements(order: &OrderRecord) -> Vec<Movement> {
    let payments = order.attempts.iter().filter_map(payment);
    let refunds = order.refunds.iter().filter(|refund| refund.moves_money()).filter_map(|known| refund(order, known));
    payments.chain(refunds).collect()
}

/// Nothing of an attempt that ended without money. One without an end may have been paid.
fn payment(attempt: &AttemptRecord) -> Option<Movement> {
    let begun = attempt.begun.ms;
    let (state, at, from, to) = match &attempt.end {
        Some(AttemptEnd::NotPaid { .. }) => return None,
        None => (State::Open, begun, begun, begun),
        Some(AttemptEnd::Paid { paid_at, noted_at, .. }) => match paid_at.as_deref().and_then(moment) {
            Some(told) => (State::Final, told, told, told),
            None => (State::Final, noted_at.ms, begun, noted_at.ms),
        },
    };
    let (kind, channel, amount, numbers) = (EntryKind::Payment, attempt.channel, attempt.amount, numbers(attempt));
    Some(Movement { entry: Entry { kind, channel, amount, at, numbers, state }, from, to })
}

/// WeChat Pay puts a refund on the day on which it was asked for, the others on which it was done. We know only when we
/// first asked, and when we learnt that it was done.
fn refund(order: &OrderRecord, refund: &RefundRecord) -> Option<Movement> {
    let attempt = order.attempt(refund.attempt)?;
    let begun = refund.begun.ms;
    let done = refund.done_at.map_or(begun, |at| at.ms);
    let entry = Entry {
        kind: EntryKind::Refund,
        channel: attempt.channel,
        amount: refund.amount,
        at: if attempt.channel == ChannelId::Wechat { begun } else { done },
        numbers: Numbers { refund_ours: Some(refund.refund.to_string()), ..numbers(attempt) },
        state: if refund.is_done() { State::Final } else { State::Open },
    };
    Some(Movement { entry, from: begun, to: done })
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

/// Undone, or being undone, without being known as paid: the channel may list a payment and its return.
fn is_undone(attempt: &AttemptRecord) -> bool {
    attempt.reversing.is_some() && !attempt.is_paid()
}

/// A channel's own words for a moment: China's time, or RFC 3339.
fn moment(text: &str) -> Option<i64> {
    day::read(text).or_else(|| text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond))
}
