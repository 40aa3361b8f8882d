//! What waits for the hub, and the journal's room.

use serde_json::Value;

use super::{Failure, Finding};
use crate::api::wire::queue::{Link, Queue};
use crate::cli::{queue, status};

/// The hub and the journal's room. A journal that nearly fills its limit is found before the machine stops selling for it.
pub(super) fn of_queue(asked: &Result<(Queue, Value), Failure>) -> Vec<Finding> {
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
        Some(match queue::is_roomy(queue) {
            true => Finding::good("journal size", size),
            false => Finding::bad("journal size", size, "get the hub to take what waits, or raise [journal] limit_mb"),
        }),
    ];
    findings.into_iter().flatten().collect()
}
