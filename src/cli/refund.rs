//! `till refund` and `till cancel`

use clap::Args;
use payment::money::Fen;
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Map, Value, json};

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
    /// Who asks for it: needed where a second person must approve
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Why, for whoever approves it or asks later
    #[arg(long, value_name = "TEXT", requires = "by")]
    why: Option<String>,
    /// A key that makes it harmless to repeat this command; made up unless given
    #[arg(long)]
    key: Option<String>,
}

pub(super) async fn refund(client: &Client, args: RefundArgs) -> Result<Answer, Failure> {
    let key = match &args.key {
        Some(key) => key.clone(),
        None => new_key()?,
    };
    let body = body(&args);
    let path = format!("/v1/orders/{}/refunds", escaped(&args.number));
    let sent = client.post(&path, &body, Some(&key)).await;
    let (made, json): (RefundMade, Value) = sent.map_err(|failure| with_key(failure, &key))?;
    Ok(Answer::done(happened(&made), json))
}

fn body(args: &RefundArgs) -> Value {
    let fields = [
        ("amount", args.amount.map(|amount| json!(amount.get()))),
        ("by", args.by.as_ref().map(|by| json!(by))),
        ("why", args.why.as_ref().map(|why| json!(why))),
    ];
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect::<Map<_, _>>().into()
}

/// What became of a refund, what it means for the money, and what is next.
pub(super) fn happened(made: &RefundMade) -> String {
    let RefundMade { order, refund } = made;
    let number = refund.number;
    let amount = text::yuan(refund.amount);
    let state = match refund.state {
        RefundState::Asked => format!(
            "is asked for. Nothing was sent: the buyer has no money back yet.\nAnother person decides: `till approve {number} --by NAME`, or `till decline {number} --by NAME --why TEXT`"
        ),
        RefundState::Declined => {
            "was declined. Nothing was sent; the buyer keeps what was bought, and the merchant the money".to_owned()
        }
        RefundState::Replaced => match refund.replaced_by {
            Some(new) => format!("failed under this number; the money goes back under {new}"),
            None => "failed under this number, and was made again under another".to_owned(),
        },
        RefundState::Pending => "is on its way back".to_owned(),
        RefundState::Owed => "is owed: the channel refuses for now, and it is tried again for ever".to_owned(),
        RefundState::Done => "went back".to_owned(),
    };
    format!("{amount} of order {order} {state}.\nRefund {number}; see `till order {order}`")
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
