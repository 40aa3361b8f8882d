//! `till complaints`: what buyers complain about.

use serde_json::Value;

use super::client::Client;
use super::{Answer, Exit, Failure, text};
use crate::api::wire::alarms::Complaints;

/// Exit code 0 only when it is known that nothing is open.
pub(super) async fn list(client: &Client) -> Result<Answer, Failure> {
    let (found, json): (Complaints, Value) = client.get("/v1/complaints").await?;
    let (is_known, since) = how_known(&found);
    if found.complaints.is_empty() {
        let (exit, text) = match is_known {
            true => (Exit::Done, format!("no complaint of a buyer of this merchant is open, {since}")),
            false => (Exit::Refused, format!("it is not known whether a buyer complains: {since}")),
        };
        return Ok(Answer { exit, ..Answer::done(text, json) });
    }
    let next = "All of the merchant's, whichever machine sold: HERE says which are about orders of this one.\n\
                Answer in the channel's portal: WeChat Pay wants a first answer within a day. `till order ATTEMPT` shows an \
                order of this machine";
    let text = format!("{}\n\n{}\n{next}", table(&found), since);
    Ok(Answer { exit: Exit::Refused, ..Answer::done(text, json) })
}

/// Whether the list is as new as it can be, and as of when it is.
fn how_known(found: &Complaints) -> (bool, String) {
    match (&found.channels[..], &found.fetched_at, &found.trouble) {
        ([], ..) => (false, "no channel that lists complaints is set up here (only WeChat Pay does)".to_owned()),
        (_, None, None) => (false, "the list was not fetched yet; that is done a minute after the start".to_owned()),
        (_, None, Some(trouble)) => (false, format!("the list was never fetched: {trouble}")),
        (_, Some(at), None) => (true, format!("as fetched at {at}")),
        (_, Some(at), Some(trouble)) => (false, format!("as fetched at {at}, and not since: {trouble}")),
    }
}

fn table(found: &Complaints) -> String {
    let mut rows = vec![text::heading(&["COMPLAINT", "CHANNEL", "SINCE", "HERE", "ATTEMPTS", "WORDS"])];
    rows.extend(found.complaints.iter().map(|row| {
        let complaint = &row.complaint;
        vec![
            text::plain(&complaint.id),
            complaint.channel.name().to_owned(),
            text::plain(&complaint.at),
            if row.own { "yes" } else { "no" }.to_owned(),
            text::plain(&complaint.attempts.join(" ")),
            text::plain(&complaint.detail),
        ]
    }));
    text::table(&rows)
}
