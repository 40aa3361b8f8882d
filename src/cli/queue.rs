//! `till queue`: what waits for the operator's hub.

use std::time::Duration;

use clap::Subcommand;
use serde_json::{Value, json};

use super::client::Client;
use super::{Answer, Exit, Failure, status, text};
use crate::api::wire::queue::{Link, Queue, Refused};

/// How long `flush` looks for what becomes of it, and how often.
const FLUSH_LOOKS: u32 = 60;
const FLUSH_PAUSE: Duration = Duration::from_millis(500);

const MIB: u64 = 1 << 20;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Send now, without waiting for the next try, and say what becomes of it
    Flush,
}

pub(super) async fn act(client: &Client, command: Option<Command>) -> Result<Answer, Failure> {
    match command {
        None => show(client).await,
        Some(Command::Flush) => flush(client).await,
    }
}

async fn show(client: &Client) -> Result<Answer, Failure> {
    let (queue, json): (Queue, Value) = client.get("/v1/queue").await?;
    Ok(answer(&queue, json))
}

/// Done when the hub has everything that was there at the beginning; else what keeps it, once something does.
async fn flush(client: &Client) -> Result<Answer, Failure> {
    let (before, _): (Queue, Value) = client.post("/v1/queue/flush", &json!({}), None).await?;
    let mut looks = 0;
    loop {
        tokio::time::sleep(FLUSH_PAUSE).await;
        let (queue, json): (Queue, Value) = client.get("/v1/queue").await?;
        looks += 1;
        let is_sent = queue.acknowledged_seq >= before.newest_seq;
        let is_held = queue.trouble.is_some() && queue.link != Link::Sending;
        if is_sent || is_held || looks >= FLUSH_LOOKS {
            let shown = answer(&queue, json);
            return Ok(Answer { text: format!("{}\n\n{}", outcome(&before, &queue), shown.text), ..shown });
        }
    }
}

fn outcome(before: &Queue, after: &Queue) -> String {
    let sent = after.acknowledged_seq.saturating_sub(before.acknowledged_seq);
    match (sent, after.acknowledged_seq >= before.newest_seq) {
        (0, true) => "Nothing waited: the hub has everything.".to_owned(),
        (_, true) => format!("Sent: the hub has taken {}.", entries(sent)),
        (0, false) => "Nothing was sent; everything that waited still waits, and nothing is lost.".to_owned(),
        (_, false) => format!("The hub has taken {} so far; the rest still waits, and nothing is lost.", entries(sent)),
    }
}

/// The queue as text; exit code 1 when a person should look.
pub(super) fn answer(queue: &Queue, json: Value) -> Answer {
    let exit = if remedy(queue).is_none() { Exit::Done } else { Exit::Refused };
    Answer { text: text_of(queue), json, exit }
}

fn text_of(queue: &Queue) -> String {
    let refused =
        (queue.set_aside_count > 0).then(|| format!("{}, refused by the hub", entries(queue.set_aside_count)));
    let mut parts = vec![text::pairs(&[
        ("Hub", Some(link(queue))),
        ("Waiting", Some(waiting(queue))),
        ("Oldest", oldest(queue)),
        ("Acknowledged", acknowledged(queue)),
        ("Last answer", queue.last_success_at.clone()),
        ("Next try", queue.next_try_in_s.map(|seconds| format!("in {}", status::duration(seconds)))),
        ("Set aside", refused),
        ("Journal", Some(size(queue))),
        ("To do", remedy(queue)),
    ])];
    if !queue.set_aside.is_empty() {
        parts.push(set_aside(queue));
    }
    parts.join("\n\n")
}

/// What the link does, in words.
pub(super) fn link(queue: &Queue) -> String {
    let state = match queue.link {
        Link::Off => "none in the settings; the journal keeps everything",
        Link::Idle => "has everything",
        Link::Sending if queue.trouble.is_none() => "being sent to",
        Link::Sending => "being sent to again, because before",
        Link::Waiting if queue.trouble.is_none() => "will be sent to in a moment",
        Link::Waiting => "not reached; it is tried again by itself",
        Link::Refused => "needs a person",
    };
    match &queue.trouble {
        Some(trouble) => format!("{state}: {}", text::plain(trouble)),
        None => state.to_owned(),
    }
}

/// Without a hub nothing waits for it.
fn waiting(queue: &Queue) -> String {
    match (queue.link, queue.waiting) {
        (Link::Off, kept) => format!("{} kept, {} paid in them", entries(kept), text::yuan(queue.paid)),
        (_, 0) => "nothing".to_owned(),
        (_, waiting) => format!("{}, {} paid in them", entries(waiting), text::yuan(queue.paid)),
    }
}

fn oldest(queue: &Queue) -> Option<String> {
    let at = queue.oldest_at.as_deref()?;
    let age = queue.oldest_age_s.map(|seconds| format!(" ({} ago)", status::duration(seconds)));
    Some(format!("{at}{}", age.unwrap_or_default()))
}

fn acknowledged(queue: &Queue) -> Option<String> {
    let is_there = queue.link != Link::Off || queue.acknowledged_seq > 0;
    is_there.then(|| format!("up to entry {} of {}", queue.acknowledged_seq, queue.newest_seq))
}

/// How much of the disk that it may take the journal takes.
pub(super) fn size(queue: &Queue) -> String {
    let used = format!("{}.{} MiB", queue.used_bytes / MIB, queue.used_bytes % MIB * 10 / MIB);
    match queue.limit_bytes {
        Some(limit) => format!("{used} of {} MiB, at which the machine stops selling", limit / MIB),
        None => used,
    }
}

/// Whether the journal is far from where the machine stops selling.
pub(super) fn is_roomy(queue: &Queue) -> bool {
    queue.limit_bytes.is_none_or(|limit| queue.used_bytes < limit / 10 * 9)
}

/// What a person should do, when anything.
pub(super) fn remedy(queue: &Queue) -> Option<String> {
    let is_full = queue.limit_bytes.is_some_and(|limit| queue.used_bytes >= limit);
    let mut remedies = Vec::new();
    if is_full && queue.link == Link::Off {
        remedies.push("raise [journal] limit_mb, or add a [hub] that takes what is in it");
    } else if is_full {
        remedies.push("get the hub to take what waits, or raise [journal] limit_mb; then the machine sells again");
    }
    match (queue.link, &queue.trouble) {
        (Link::Refused, _) => remedies.push("what the first line says; then `till queue flush`"),
        (Link::Sending | Link::Idle, Some(_)) => remedies.push("ask again in a moment with `till queue`"),
        (Link::Waiting, Some(_)) => {
            remedies.push("check cable or SIM card, DNS and the address in [hub]; then `till queue flush`. Nothing is lost meanwhile");
        }
        (Link::Off, _) | (Link::Waiting | Link::Sending | Link::Idle, None) => {}
    }
    if queue.set_aside_count > 0 {
        remedies
            .push("tell the operator which entries the hub refused, then `till faults clear hub`; they stay in the journal, `till order` shows them");
    }
    (!remedies.is_empty()).then(|| remedies.join(". "))
}

fn set_aside(queue: &Queue) -> String {
    let mut rows = vec![text::heading(&["ENTRY", "ORDER", "REFUSED", "CODE", "WHY"])];
    let row = |entry: &Refused| {
        let (code, why) = (text::plain(&entry.code), text::plain(&entry.detail));
        vec![entry.seq.to_string(), text::plain(&entry.order), entry.at.clone(), code, why]
    };
    rows.extend(queue.set_aside.iter().map(row));
    let hidden = queue.set_aside_count.saturating_sub(queue.set_aside.len().try_into().unwrap_or(u64::MAX));
    let more = if hidden > 0 { format!("\n… and {hidden} before them") } else { String::new() };
    text::table(&rows) + &more
}

fn entries(count: u64) -> String {
    match count {
        1 => "1 entry".to_owned(),
        more => format!("{more} entries"),
    }
}
