//! `till duty-done`: a person did in the channel's portal what the channel wants to hear after a delivery.

use clap::Args;
use serde_json::{Value, json};

use super::client::{Client, escaped};
use super::{Answer, Failure};
use crate::api::wire::Order;

#[derive(Debug, Args)]
pub(super) struct DoneArgs {
    /// Any number of the order
    number: String,
    /// Who did it
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Why by hand
    #[arg(long, value_name = "TEXT")]
    why: String,
}

pub(super) async fn done(client: &Client, args: DoneArgs) -> Result<Answer, Failure> {
    let path = format!("/v1/orders/{}/duties/done", escaped(&args.number));
    let body = json!({ "by": args.by, "why": args.why });
    let (order, json): (Order, Value) = client.post(&path, &body, None).await?;
    let text = format!("noted: the channel of order {} is not called about its delivery any more", order.id);
    Ok(Answer::done(text, json))
}
