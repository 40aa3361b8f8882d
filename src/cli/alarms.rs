//! `till alarms`: what a person should see to. None of it stops a sale.

use clap::Subcommand;
use reqwest::Method;
use serde_json::Value;

use super::client::{Client, escaped};
use super::{Answer, Exit, Failure, text};
use crate::api::wire::alarms::AlarmList;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// End an alarm after somebody has seen to it
    Clear {
        /// Its number, as `till alarms` shows it
        id: String,
    },
}

/// Exit code 1 while one stands; ending one is done when it is done.
pub(super) async fn act(client: &Client, command: Option<Command>) -> Result<Answer, Failure> {
    match command {
        None => {
            let (found, json): (AlarmList, Value) = client.get("/v1/alarms").await?;
            let exit = if found.alarms.is_empty() { Exit::Done } else { Exit::Refused };
            Ok(Answer { exit, ..Answer::done(text_of(&found), json) })
        }
        Some(Command::Clear { id }) => {
            let path = format!("/v1/alarms/{}", escaped(&id));
            let (left, json): (AlarmList, Value) = client.call(Method::DELETE, &path).await?;
            Ok(Answer::done(text_of(&left), json))
        }
    }
}

fn text_of(found: &AlarmList) -> String {
    let dropped = match found.dropped {
        0 => String::new(),
        dropped => format!("\n\n{dropped} more went unseen because there were too many: see the merchant portal"),
    };
    if found.alarms.is_empty() {
        return "no alarm stands".to_owned() + &dropped;
    }
    let mut rows = vec![text::heading(&["ALARM", "CHANNEL", "SINCE", "EVENT", "MEANING"])];
    rows.extend(found.alarms.iter().map(|alarm| {
        let [id, at, event, words] = [&alarm.id, &alarm.at, &alarm.event, &alarm.text].map(|part| text::plain(part));
        vec![id, alarm.channel.name().to_owned(), at, event, words]
    }));
    text::table(&rows) + &dropped + "\n\nSee to it in the channel's portal; `till alarms clear ALARM` ends one"
}
