//! `till orders` and `till order`

use clap::Args;
use serde_json::Value;

use super::client::{Client, escaped};
use super::{Answer, Failure, text};
use crate::api::wire::{Order, OrderPage};

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Only the order with this number: its own, an attempt's, a refund's, the channel's, or your reference
    number: Option<String>,
    /// Only orders in this state, such as owed
    #[arg(long)]
    state: Option<String>,
    /// Only orders taken at or after this time (RFC 3339, or milliseconds since 1970)
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Only orders taken before this time
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 20)]
    limit: u32,
    /// Go on where the page before ended
    #[arg(long)]
    cursor: Option<String>,
}

pub(super) async fn list(client: &Client, args: ListArgs) -> Result<Answer, Failure> {
    let parameters = [
        ("number", args.number),
        ("state", args.state),
        ("from", args.from),
        ("to", args.to),
        ("limit", Some(args.limit.to_string())),
        ("cursor", args.cursor),
    ];
    let (page, json): (OrderPage, Value) = client.list("/v1/orders", &parameters).await?;
    Ok(Answer::done(page_text(&page), json))
}

fn page_text(page: &OrderPage) -> String {
    if page.orders.is_empty() {
        return "no order matches".to_owned();
    }
    let mut rows = vec![text::heading(&["ORDER", "OPENED", "STATE", "AMOUNT", "PAID", "REFUNDED", "REFERENCE"])];
    rows.extend(page.orders.iter().map(|order| {
        vec![
            order.id.to_string(),
            order.opened_at.clone(),
            text::words(order.state),
            text::yuan(order.amount),
            text::yuan(order.paid),
            text::yuan(order.refunded),
            order.reference.as_deref().map_or_else(|| "-".to_owned(), text::plain),
        ]
    }));
    let more = page.next_cursor.as_ref().map(|cursor| format!("\n\nThere are more: add --cursor {cursor}"));
    text::table(&rows) + &more.unwrap_or_default()
}

pub(super) async fn show(client: &Client, number: &str) -> Result<Answer, Failure> {
    let (order, json): (Order, Value) = client.get(&format!("/v1/orders/{}", escaped(number))).await?;
    Ok(Answer::done(text::order(&order), json))
}
