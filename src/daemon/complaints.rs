//! Complaints of buyers, as a channel lists them: fetched now and then, and shown to people until they are answered. A leaf:
//! the loop never waits for it, and no sale depends on it.
//!
//! WeChat Pay wants a first answer within a day (reference/wechatpay.md 11). It tells by a notice too, but a machine behind a
//! shop's router has no address for one: so it asks.

use std::time::Duration;

use payment::channel::ChannelId;
use payment::channel::wechat::Wechat;
use payment::channel::wechat::complaint::{Complaint, ComplaintError, PAGE};
use payment::time::Wall;
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::clock::Clock;
use crate::http::{Adapter, Channels, Limits};

/// How often the list is fetched. A day is the time for an answer.
const EVERY: Duration = Duration::from_secs(3_600);
/// A start has more urgent things to do.
const FIRST: Duration = Duration::from_secs(60);
/// How far back complaints are looked for; the channel lists 30 days at most.
const DAYS: i64 = 29;
/// So many pages are read; who has more complaints does not read them here.
const PAGES_MAX: u32 = 4;
const LIMITS: Limits = Limits { body: 1024 * 1024, total: Duration::from_secs(30) };

/// What WeChat Pay calls a complaint that is dealt with.
const DEALT_WITH: &str = "PROCESSED";

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

/// Fetches the list for ever and tells what is open; ends when nobody listens. Only a channel that lists complaints is asked.
pub async fn watch(channels: Channels, clock: Clock, told: watch::Sender<Vec<OpenComplaint>>) {
    if !matches!(channels.adapter(ChannelId::Wechat), Some(Adapter::Wechat(_))) {
        return;
    }
    let mut pause = FIRST;
    while !told.is_closed() {
        tokio::time::sleep(pause).await;
        pause = EVERY;
        let wall = clock.now().wall;
        if !wall.trusted {
            continue;
        }
        match list(&channels, wall).await {
            Ok(open) => tell(&told, open),
            Err(why) => tracing::warn!("the complaints of buyers could not be fetched: {why}"),
        }
    }
}

fn tell(told: &watch::Sender<Vec<OpenComplaint>>, open: Vec<OpenComplaint>) {
    for new in open.iter().filter(|complaint| !told.borrow().contains(complaint)) {
        tracing::warn!(id = new.id, "a buyer complains about {}; answer within a day", new.attempts.join(", "));
    }
    told.send_if_modified(|known| {
        let changed = *known != open;
        *known = open;
        changed
    });
}

/// What is open now.
///
/// # Errors
///
/// Why the list could not be had, in words.
pub async fn list(channels: &Channels, wall: Wall) -> Result<Vec<OpenComplaint>, String> {
    let Some(Adapter::Wechat(wechat)) = channels.adapter(ChannelId::Wechat) else {
        return Ok(Vec::new());
    };
    let mut open = Vec::new();
    for page in 0..PAGES_MAX {
        let complaints = fetch(channels, wechat, wall, page * PAGE).await?;
        let is_last = complaints.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        open.extend(complaints.into_iter().filter(|complaint| complaint.state != DEALT_WITH).map(OpenComplaint::of));
        if is_last {
            break;
        }
    }
    Ok(open)
}

async fn fetch(channels: &Channels, wechat: &Wechat, wall: Wall, offset: u32) -> Result<Vec<Complaint>, String> {
    let today = books::day::of(wall.ms).ok_or("the clock says no day")?;
    let from = today.saturating_sub(jiff::Span::new().days(DAYS));
    let mut entropy = [0; 32];
    SystemRandom::new().fill(&mut entropy).map_err(|_| "the system gives no random numbers")?;
    let http = wechat.complaints_request(from, today, offset, wall, entropy);
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
