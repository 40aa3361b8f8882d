//! `till pay`

use clap::{Args, ValueEnum};
use payment::engine::entry::OrderState;
use payment::money::Fen;
use serde_json::{Map, Value, json};

use super::client::Client;
use super::{Answer, Exit, Failure, text};
use crate::api::wire::{Delivery, Item, Order, Slot, TerminalStatus};

#[derive(Debug, Args)]
pub(super) struct PayArgs {
    /// How much, in yuan, such as 3.50
    #[arg(required_unless_present = "slot", conflicts_with = "slot", value_name = "YUAN")]
    amount: Option<Fen>,
    /// Sell what is in this slot; may be given several times
    #[arg(long)]
    slot: Vec<String>,
    /// Who may scan whom
    #[arg(long, value_enum, default_value_t = WhoScans::Either)]
    who_scans: WhoScans,
    /// The line on the buyer's bill
    #[arg(long)]
    subject: Option<String>,
    /// Your own number for it
    #[arg(long)]
    reference: Option<String>,
    /// Seconds that the buyer has to pay
    #[arg(long, value_name = "SECONDS")]
    pay_within: Option<u64>,
    /// Let the buyer pay in so many months, by Huabei
    #[arg(long, value_name = "MONTHS")]
    instalments: Option<u8>,
    /// What you took in cash beside the amount, in yuan
    #[arg(long, value_name = "YUAN", conflicts_with = "slot")]
    down_payment: Option<Fen>,
    /// A key that makes it harmless to repeat this command
    #[arg(long)]
    key: Option<String>,
    /// Wait until the order is over; exit code 1 unless it was paid and delivered
    #[arg(long)]
    wait: bool,
}

/// The words of the API and the settings.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum WhoScans {
    /// The buyer's phone scans the machine's screen
    BuyerScans,
    /// The machine's scanner reads the buyer's pay code
    MerchantScans,
    /// Whichever happens first
    Either,
}

impl WhoScans {
    const fn name(self) -> &'static str {
        match self {
            Self::BuyerScans => "buyer_scans",
            Self::MerchantScans => "merchant_scans",
            Self::Either => "either",
        }
    }
}

pub(super) async fn pay(client: &Client, args: PayArgs) -> Result<Answer, Failure> {
    let body = body(client, &args).await?;
    let (order, json): (Order, Value) = client.post("/v1/orders", &body, args.key.as_deref()).await?;
    if !args.wait {
        return Ok(Answer::done(text::order(&order), json));
    }
    wait_for_end(client, order, json).await
}

async fn body(client: &Client, args: &PayArgs) -> Result<Value, Failure> {
    let mut body = Map::new();
    let amount = match args.amount {
        Some(amount) => amount.get(),
        None => price_of(client, &args.slot).await?,
    };
    body.insert("amount".to_owned(), json!(amount));
    body.insert("currency".to_owned(), json!("CNY"));
    body.insert("who_scans".to_owned(), json!(args.who_scans.name()));
    let items: Vec<Value> = args.slot.iter().map(|slot| json!({ "slot": slot })).collect();
    let optional = [
        ("items", (!items.is_empty()).then(|| json!(items))),
        ("subject", args.subject.as_ref().map(|subject| json!(subject))),
        ("reference", args.reference.as_ref().map(|reference| json!(reference))),
        ("pay_within_s", args.pay_within.map(|seconds| json!(seconds))),
        ("instalments", args.instalments.map(|months| json!(months))),
        ("down_payment", args.down_payment.map(|amount| json!(amount.get()))),
    ];
    body.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    Ok(Value::Object(body))
}

/// What the machine wants for the slots together.
async fn price_of(client: &Client, wanted: &[String]) -> Result<i64, Failure> {
    let (terminal, _): (TerminalStatus, Value) = client.get("/v1/terminal").await?;
    let price = |name: &String| {
        let found = terminal.slots.iter().find(|slot| slot.slot.as_str() == name);
        found.map(|slot| slot.price).ok_or_else(|| no_such_slot(name, &terminal.slots))
    };
    wanted.iter().map(price).sum()
}

fn no_such_slot(name: &str, slots: &[Slot]) -> Failure {
    let known: Vec<&str> = slots.iter().map(|slot| slot.slot.as_str()).collect();
    Failure::other(Exit::Refused, format!("there is no slot {name} in this machine; it has {}", known.join(", ")))
}

/// Whether the buyer paid and has everything. The order may stay open longer: a code that nobody may pay any more is
/// watched until it cannot be paid.
fn is_delivered(order: &Order) -> bool {
    let has = |item: &Item| matches!(item.delivery, Delivery::ByHand | Delivery::Delivered);
    match order.state {
        OrderState::Paid | OrderState::Delivering | OrderState::Completed => order.items.iter().all(has),
        OrderState::Waiting
        | OrderState::Confirming
        | OrderState::Unknown
        | OrderState::Cancelling
        | OrderState::Cancelled
        | OrderState::Expired
        | OrderState::Failed
        | OrderState::Refunding
        | OrderState::Owed
        | OrderState::Refunded => false,
    }
}

/// Follows the order to its end, or until a person must look at it.
async fn wait_for_end(client: &Client, mut order: Order, mut json: Value) -> Result<Answer, Failure> {
    let mut entries = client.entries().await?;
    let path = format!("/v1/orders/{}", order.id);
    let mut told: Option<OrderState> = None;
    loop {
        if told != Some(order.state) {
            eprintln!("{}", text::words(order.state));
            told = Some(order.state);
        }
        if !order.open || order.state == OrderState::Owed || is_delivered(&order) {
            let exit = if is_delivered(&order) { Exit::Done } else { Exit::Refused };
            return Ok(Answer { text: text::order(&order), json, exit });
        }
        (order, json) = client.get(&path).await?;
        if told == Some(order.state) && order.open {
            entries.next().await?;
        }
    }
}
