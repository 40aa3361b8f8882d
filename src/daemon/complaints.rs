//! Complaints of buyers, as a channel lists them: fetched now and then, and shown to people until they are answered. A leaf:
//! the loop never waits for it, and no sale depends on it.
//!
//! WeChat Pay wants a first answer within a day (reference/wechatpay.md 11). It tells by a notice too, but a machine behind a
//! shop's router has no address for one: so it asks.

use std::sync::Arc;
use std::time::Duration;

use jiff::Span;
use jiff::civil::Date;
use payment::channel::ChannelId;
use payment::channel::wechat::Wechat;
use payment::channel::wechat::complaint::{Complaint, ComplaintError, PAGE};
use payment::time::Wall;
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, watch};

use super::clock::Clock;
use crate::http::{self, Adapter, Channels, Limits};

/// How often the list is fetched. A day is the time for an answer.
const EVERY: Duration = Duration::from_secs(3_600);
/// The pause at a start, which has more urgent things to do; after a failure, from where it doubles; and the least one,
/// whoever asks for a look.
const LEAST: Duration = Duration::from_secs(60);
/// The days of one question; the channel answers for 30 days at most.
const DAYS: i64 = 29;
/// So many questions go back in time: half a year. A complaint that nobody answered does not go by itself.
const SPANS: u32 = 6;
/// So many pages of each are read; who has more complaints does not read them here.
const PAGES_MAX: u32 = 100;
const LIMITS: Limits = Limits { body: 1024 * 1024, total: Duration::from_secs(30) };

/// What WeChat Pay calls a complaint that is dealt with.
const DEALT_WITH: &str = "PROCESSED";

/// What is known of buyers' complaints. The list is the merchant's: other machines' orders are in it too.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Complaints {
    /// The channels that are asked; empty where none that lists complaints is set up.
    pub asked: Vec<ChannelId>,
    /// Those that wait for the merchant, as last fetched.
    pub open: Vec<OpenComplaint>,
    /// When they were last fetched, in milliseconds since 1970; `None` before the first time.
    pub fetched_ms: Option<i64>,
    /// Why they could not be fetched since.
    pub trouble: Option<String>,
}

/// A complaint that waits for the merchant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenComplaint {
    /// Where it was made.
    pub channel: ChannelId,
    /// Its number there.
    pub id: String,
    /// When it was made, as the channel writes it.
    pub at: String,
    /// What the buyer wrote.
    pub detail: String,
    /// The attempts' numbers that it is about.
    pub attempts: Vec<String>,
    /// Whether the buyer waits for an answer.
    pub awaits_answer: bool,
}

/// Fetches the list for ever and tells what is open; ends when nobody listens. Only a channel that lists complaints is asked:
/// by the hour, sooner when a notice says so, and soon again when it did not answer.
pub async fn watch(channels: Channels, clock: Clock, told: watch::Sender<Complaints>, look: Arc<Notify>) {
    if !matches!(channels.adapter(ChannelId::Wechat), Some(Adapter::Wechat(_))) {
        return;
    }
    told.send_modify(|known| known.asked = vec![ChannelId::Wechat]);
    let (mut failures, mut pause) = (0, LEAST);
    while !told.is_closed() {
        tokio::time::sleep(LEAST).await;
        tokio::select! {
            () = tokio::time::sleep(pause.saturating_sub(LEAST)) => {}
            () = look.notified() => {}
        }
        let wall = clock.now().wall;
        match list(&channels, wall).await {
            Ok(open) => {
                failures = 0;
                told.send_modify(|known| known.fetched(open, wall));
            }
            Err(why) => {
                failures += 1;
                tracing::warn!("the complaints of buyers could not be fetched: {why}");
                told.send_modify(|known| known.trouble = Some(why));
            }
        }
        pause = pause_after(failures);
    }
}

/// The pause after so many failures in a row.
fn pause_after(failures: u32) -> Duration {
    match failures {
        0 => EVERY,
        _ => EVERY.min(LEAST.saturating_mul(1 << (failures - 1).min(16))),
    }
}

impl Complaints {
    /// Whether nothing that is open is missing, as far as an hour can tell.
    #[must_use]
    pub const fn is_sure(&self) -> bool {
        self.fetched_ms.is_some() && self.trouble.is_none()
    }

    fn fetched(&mut self, open: Vec<OpenComplaint>, wall: Wall) {
        for new in open.iter().filter(|complaint| self.open.iter().all(|known| known.id != complaint.id)) {
            tracing::warn!(id = new.id, "a buyer complains about {}; answer within a day", new.attempts.join(", "));
        }
        *self = Self { asked: std::mem::take(&mut self.asked), open, fetched_ms: Some(wall.ms), trouble: None };
    }
}

/// What is open now, of the last half year.
///
/// # Errors
///
/// Why the list could not be had, in words.
pub async fn list(channels: &Channels, wall: Wall) -> Result<Vec<OpenComplaint>, String> {
    let Some(Adapter::Wechat(wechat)) = channels.adapter(ChannelId::Wechat) else {
        return Err("WeChat Pay is not set up".to_owned());
    };
    if !wall.trusted {
        return Err("the clock is not trusted, and WeChat Pay answers only who has the right time".to_owned());
    }
    let mut to = books::day::of(wall.ms).ok_or("the clock says no day")?;
    let mut open: Vec<OpenComplaint> = Vec::new();
    for _ in 0..SPANS {
        let from = to.saturating_sub(Span::new().days(DAYS));
        for complaint in span(channels, wechat, wall, (from, to)).await? {
            // A new one moves the others to the next page while pages are read.
            if complaint.state != DEALT_WITH && open.iter().all(|known| known.id != complaint.id) {
                open.push(OpenComplaint::of(complaint));
            }
        }
        to = from.saturating_sub(Span::new().days(1));
    }
    Ok(open)
}

/// All complaints of these days.
async fn span(channels: &Channels, wechat: &Wechat, wall: Wall, days: (Date, Date)) -> Result<Vec<Complaint>, String> {
    let mut all = Vec::new();
    for page in 0..PAGES_MAX {
        let complaints = fetch(channels, wechat, wall, days, page * PAGE).await?;
        let is_last = complaints.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        all.extend(complaints);
        if is_last {
            return Ok(all);
        }
    }
    Err(format!("there are more than {} complaints in a month, and they were not all read", PAGES_MAX * PAGE))
}

async fn fetch(
    channels: &Channels,
    wechat: &Wechat,
    wall: Wall,
    (from, to): (Date, Date),
    offset: u32,
) -> Result<Vec<Complaint>, String> {
    let entropy = http::entropy().map_err(|doubt| doubt.detail)?;
    let http = wechat.complaints_request(from, to, offset, wall, entropy);
    let reply = channels.exchange(ChannelId::Wechat, &http, wall, LIMITS).await.map_err(|doubt| doubt.detail)?;
    let serial = match wechat.complaints(wall, &reply) {
        Err(ComplaintError::UnknownKey { serial }) => serial,
        read => return read.map_err(|error| error.to_string()),
    };
    channels.fetch_key(ChannelId::Wechat, &serial, wall).await.map_err(|doubt| doubt.detail)?;
    wechat.complaints(wall, &reply).map_err(|error| error.to_string())
}

impl OpenComplaint {
    fn of(complaint: Complaint) -> Self {
        Self {
            channel: ChannelId::Wechat,
            id: complaint.id,
            at: complaint.at,
            detail: payment::redact::without_codes(&complaint.detail).into_owned(),
            attempts: complaint.orders.into_iter().map(|order| order.out_trade_no).collect(),
            awaits_answer: complaint.awaits_answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_tried_again_in_minutes_and_a_long_one_by_the_hour() {
        let minutes = |failures| pause_after(failures).as_secs() / 60;
        assert_eq!([0, 1, 2, 3, 4, 5, 6, 7, 100].map(minutes), [60, 1, 2, 4, 8, 16, 32, 60, 60]);
    }

    #[test]
    fn what_was_open_stays_while_nobody_answers_and_is_not_said_to_be_sure() {
        let mut known = Complaints { asked: vec![ChannelId::Wechat], ..Complaints::default() };
        assert!(!known.is_sure(), "never fetched");
        let text = str::to_owned;
        let open = OpenComplaint {
            channel: ChannelId::Wechat,
            id: text("2"),
            at: text("2026-05-28T10:00:00+08:00"),
            detail: text("没有出货"),
            attempts: Vec::new(),
            awaits_answer: true,
        };
        known.fetched(vec![open], Wall { ms: 5, trusted: true });
        assert!(known.is_sure() && known.fetched_ms == Some(5));
        known.trouble = Some(text("timed out"));
        assert!(!known.is_sure() && known.open.len() == 1);
        known.fetched(Vec::new(), Wall { ms: 9, trusted: true });
        assert!(known.is_sure() && known.open.is_empty() && known.asked == [ChannelId::Wechat]);
    }
}
