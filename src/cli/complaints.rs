//! `till complaints`: what buyers complain about.

use serde_json::Value;

use super::client::Client;
use super::{Answer, Exit, Failure, text};
use crate::api::wire::Complaints;

pub(super) async fn list(client: &Client) -> Result<Answer, Failure> {
    let (found, json): (Complaints, Value) = client.get("/v1/complaints").await?;
    if found.complaints.is_empty() {
        return Ok(Answer::done("no buyer's complaint is open, as last fetched", json));
    }
    let mut rows = vec![text::heading(&["COMPLAINT", "CHANNEL", "SINCE", "ATTEMPTS", "WORDS"])];
    rows.extend(found.complaints.iter().map(|complaint| {
        vec![
            complaint.id.clone(),
            complaint.channel.name().to_owned(),
            complaint.at.clone(),
            complaint.attempts.join(" "),
            text::plain(&complaint.detail),
        ]
    }));
    let next = "\n\nAnswer in the channel's portal: WeChat Pay wants a first answer within a day. `till order ATTEMPT` shows the order";
    Ok(Answer { exit: Exit::Refused, ..Answer::done(text::table(&rows) + next, json) })
}
