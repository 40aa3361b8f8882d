//! `till refund` and `till cancel`

use clap::Args;
use payment::money::Fen;
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Value, json};

use super::client::{Client, escaped};
use super::{Answer, Exit, Failure, text};
use crate::api::wire::{Order, RefundMade, RefundState};

#[derive(Debug, Args)]
pub(super) struct RefundArgs {
    /// Any number of the order
    number: String,
    /// How much, in yuan; all that is left unless given
    #[arg(long, value_name = "YUAN")]
    amount: Option<Fen>,
    /// A key that makes it harmless to repeat this command; made up unless given
    #[arg(long)]
    key: Option<String>,
}

pub(super) async fn refund(client: &Client, args: RefundArgs) -> Result<Answer, Failure> {
    let key = match args.key {
        Some(key) => key,
        None => new_key()?,
    };
    let body = args.amount.map_or_else(|| json!({}), |amount| json!({ "amount": amount.get() }));
    let path = format!("/v1/orders/{}/refunds", escaped(&args.number));
    let sent = client.post(&path, &body, Some(&key)).await;
    let (made, json): (RefundMade, Value) = sent.map_err(|failure| with_key(failure, &key))?;
    let refund = &made.refund;
    let state = match refund.state {
        RefundState::Asked => "is asked for: another person must approve it, see `till refund --approve`",
        RefundState::Declined => "was refused by another person",
        RefundState::Replaced => "failed under this number, and was made again under another",
        RefundState::Pending => "is on its way back",
        RefundState::Owed => "is owed: the channel refuses for now, and it is tried again for ever",
        RefundState::Done => "went back",
    };
    let text = format!(
        "{} of order {} {state}.\nRefund {}; see `till order {}`",
        text::yuan(refund.amount),
        made.order,
        refund.number,
        made.order
    );
    Ok(Answer::done(text, json))
}

/// When nobody knows whether the refund was taken, the key is what makes asking again safe.
fn with_key(failure: Failure, key: &str) -> Failure {
    match failure {
        Failure::Unreachable { .. } | Failure::Answer(_) => Failure::other(
            failure.exit(),
            format!(
                "{failure}.\nIt is not known whether the refund was taken: repeat the command with --key {key}, and the money goes back once"
            ),
        ),
        Failure::Problem { .. } | Failure::Other { .. } => failure,
    }
}

fn new_key() -> Result<String, Failure> {
    let mut entropy = [0_u8; 16];
    let filled = SystemRandom::new().fill(&mut entropy);
    filled
        .map_err(|_| Failure::other(Exit::Refused, "the system gives no random numbers; give a --key of your own"))?;
    Ok(entropy.iter().map(|byte| format!("{byte:02x}")).collect())
}

pub(super) async fn cancel(client: &Client, number: &str) -> Result<Answer, Failure> {
    let path = format!("/v1/orders/{}/cancel", escaped(number));
    let (order, json): (Order, Value) = client.post(&path, &json!({}), None).await?;
    Ok(Answer::done(text::order(&order), json))
}
