//! Who the scanner is, and what it reads. A code is shown as its outline only.

use hal::DeviceEvent;
use payment::channel::route::{Route, Routes};
use payment::redact::PayCode;

use super::person::Person;
use super::{Trial, Verdict};
use crate::cli::files::CHANNELS;

pub(super) async fn read<P: Person>(trial: &mut Trial<'_, P>) -> Verdict {
    let routes = Routes::default_for(&CHANNELS);
    trial.devices.arm_scanner(true);
    let mut is_up = false;
    while let Some(event) = trial.next().await {
        if let DeviceEvent::ScannerUp { identity } = event {
            is_up = true;
            let who = identity.unwrap_or_else(|| "it says nothing of itself".to_owned());
            trial.say(format!("the scanner is there: {who}"));
            trial.say("hold any code before it, on paper or on a phone");
            trial.go_on();
        } else if let DeviceEvent::ScannerDown { reason } = event {
            is_up = false;
            trial.say(format!("not there: {reason}"));
        } else if let DeviceEvent::Scanned(line) = event {
            let (length, meaning) = (line.chars().count(), meaning(&routes.route(&line)));
            let read = format!("read {length} characters, {}: {meaning}", PayCode::new(line));
            trial.say(&read);
            return Ok(read);
        }
    }
    Err(if is_up {
        "it is there and read nothing: is it set to sense or continuous mode, or trigger = \"host\"? Is the terminator right? \
         Try dialect = \"auto\"; brighten the phone"
            .to_owned()
    } else {
        "`till board check` says whether its port is there and may be opened, and what is in the way".to_owned()
    })
}

/// What a sale would do with it.
fn meaning(route: &Route) -> String {
    match route {
        Route::Wallet { wallet, .. } => {
            format!("a pay code of {} would be taken, where its channel is set up", wallet.name())
        }
        Route::Voucher(_) => "a member or voucher code, which would be checked".to_owned(),
        Route::KnownElsewhere(name) => format!("a pay code of {name}, which no channel takes"),
        Route::CardNumber => "a bank card's number, which would be refused".to_owned(),
        Route::NotAPayCode => "no pay code; a buyer would be asked for one".to_owned(),
    }
}
