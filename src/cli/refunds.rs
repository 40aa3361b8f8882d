//! `till refunds`, `till approve` and `till decline`: the second person.

use clap::Args;
use serde_json::{Value, json};

use super::client::{Client, escaped};
use super::refund::happened;
use super::{Answer, Exit, Failure, text};
use crate::api::wire::{Order, Refund, RefundMade, RefundPage, RefundState};

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// At most so many
    #[arg(long, default_value_t = 50)]
    limit: u32,
    /// Go on where the page before ended
    #[arg(long)]
    cursor: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct ApproveArgs {
    /// The refund's number, or any number of its order
    number: String,
    /// Who approves: not the one who asked
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    why: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct DeclineArgs {
    /// The refund's number, or any number of its order
    number: String,
    /// Who declines: not the one who asked
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Why, for the one who asked
    #[arg(long, value_name = "TEXT")]
    why: String,
}

/// Those that wait for a decision.
pub(super) async fn list(client: &Client, args: ListArgs) -> Result<Answer, Failure> {
    let parameters =
        [("state", Some("asked".to_owned())), ("limit", Some(args.limit.to_string())), ("cursor", args.cursor)];
    let (page, json): (RefundPage, Value) = client.list("/v1/refunds", &parameters).await?;
    Ok(Answer::done(page_text(&page), json))
}

fn page_text(page: &RefundPage) -> String {
    if page.refunds.is_empty() {
        return "no refund waits for a decision".to_owned();
    }
    let mut rows = vec![text::heading(&["REFUND", "ORDER", "AMOUNT", "ASKED", "BY", "WHY"])];
    rows.extend(page.refunds.iter().map(|RefundMade { order, refund }| {
        let told = |text: &Option<String>| text.as_deref().map_or_else(|| "-".to_owned(), text::plain);
        vec![
            refund.number.to_string(),
            order.to_string(),
            text::yuan(refund.amount),
            told(&refund.asked_at),
            told(&refund.asked_by),
            told(&refund.why),
        ]
    }));
    let more = page.next_cursor.as_ref().map(|cursor| format!("\nThere are more: add --cursor {cursor}"));
    let next = "\n\nNothing of this was sent. `till approve REFUND --by NAME` sends it, `till decline REFUND --by NAME --why TEXT` does not";
    text::table(&rows) + next + &more.unwrap_or_default()
}

pub(super) async fn approve(client: &Client, args: ApproveArgs) -> Result<Answer, Failure> {
    let body = match args.why {
        Some(why) => json!({ "approved": true, "by": args.by, "why": why }),
        None => json!({ "approved": true, "by": args.by }),
    };
    decide(client, &args.number, &body).await
}

pub(super) async fn decline(client: &Client, args: DeclineArgs) -> Result<Answer, Failure> {
    decide(client, &args.number, &json!({ "approved": false, "by": args.by, "why": args.why })).await
}

async fn decide(client: &Client, number: &str, body: &Value) -> Result<Answer, Failure> {
    let (order, _): (Order, Value) = client.get(&format!("/v1/orders/{}", escaped(number))).await?;
    let refund = meant(&order, number)?;
    let path = format!("/v1/orders/{}/refunds/{}/decision", order.id, refund.number);
    let (made, json): (RefundMade, Value) = client.post(&path, body, None).await.map_err(repeatable)?;
    Ok(Answer::done(happened(&made), json))
}

/// The refund with this number; of an order's other numbers the one that waits. There is one at most.
fn meant<'o>(order: &'o Order, number: &str) -> Result<&'o Refund, Failure> {
    let named = order.refunds.iter().find(|refund| refund.number.as_str() == number);
    let waits = || order.refunds.iter().find(|refund| refund.state == RefundState::Asked);
    named.or_else(waits).ok_or_else(|| {
        let message = format!(
            "no refund of order {} waits for a decision; nothing was changed. `till refunds` lists those that wait",
            order.id
        );
        Failure::other(Exit::Refused, message)
    })
}

/// A decision whose answer was lost may be repeated as it is.
fn repeatable(failure: Failure) -> Failure {
    match failure {
        Failure::Unreachable { .. } | Failure::Answer(_) => Failure::other(
            failure.exit(),
            format!(
                "{failure}.\nIt is not known whether the decision was taken: repeat the same command, it counts once"
            ),
        ),
        Failure::Problem { .. } | Failure::Other { .. } => failure,
    }
}
