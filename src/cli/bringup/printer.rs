//! A test receipt.

use std::time::Duration;

use hal::printer::{Align, Item, Receipt, Style};
use hal::{DeviceEvent, PrinterState};
use tokio::time::Instant;

use super::person::Person;
use super::{Trial, Verdict};

/// A printer that has trouble with a short receipt says so by then.
const TROUBLE_WITHIN: Duration = Duration::from_secs(3);

pub(super) async fn print<P: Person>(trial: &mut Trial<'_, P>) -> Verdict {
    ready(trial).await?;
    trial.devices.print(receipt()).map_err(|refused| refused.to_string())?;
    trial.say("a test receipt is on its way");
    no_trouble(trial).await?;
    let question =
        "Did a receipt come out, with Chinese text, columns to both edges, and a code that your phone reads?";
    let remedy = "boxes for letters: gb18030. Lines that break in odd places: columns. No code: qr = \"raster\". Rubbish: baud. Nothing: \
                  status = false if it cannot answer";
    trial.confirmed(question, "a test receipt was printed", remedy).await
}

async fn ready<P: Person>(trial: &mut Trial<'_, P>) -> Result<(), String> {
    while let Some(event) = trial.next().await {
        if let DeviceEvent::Printer(PrinterState::Down { reason }) = event {
            trial.say(format!("not yet: {reason}"));
        } else if let DeviceEvent::Printer(state) = event {
            let paper = if state == PrinterState::PaperLow { ", and its roll is near the end" } else { "" };
            trial.say(format!("the printer is there{paper}"));
            return Ok(());
        }
    }
    Err("it does not print; `till board check` says whether its port is there and may be opened".to_owned())
}

/// What it says of trouble while it prints.
async fn no_trouble<P: Person>(trial: &mut Trial<'_, P>) -> Result<(), String> {
    trial.until = Instant::now() + TROUBLE_WITHIN;
    while let Some(event) = trial.next().await {
        if let DeviceEvent::Printer(PrinterState::Down { reason }) = event {
            return Err(reason);
        }
    }
    trial.go_on();
    match trial.devices.prints_dropped() {
        0 => Ok(()),
        _ => Err("it was not printed to its end: look at paper, cover and cutter".to_owned()),
    }
}

fn receipt() -> Receipt {
    let head = Style { align: Align::Centre, double: true, bold: false };
    let text = |text: &str| Item::Text(text.to_owned(), Style::default());
    let items = vec![
        Item::Text("测试小票".to_owned(), head),
        text("Till test receipt. No sale was made. 没有交易。"),
        Item::Rule,
        Item::Pair("可口可乐 330ml".to_owned(), "¥3.50".to_owned()),
        Item::Pair("农夫山泉".to_owned(), "¥2.00".to_owned()),
        Item::Rule,
        Item::Qr("TILL TEST RECEIPT".to_owned()),
        Item::Feed(1),
    ];
    Receipt { items, copy: false }
}
