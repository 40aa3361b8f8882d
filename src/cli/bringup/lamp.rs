//! What tells the buyer without a picture: the lamp blinks three times, then each beep sounds.

use std::time::Duration;

use hal::Beep;

use super::person::Person;
use super::{Trial, Verdict};

const BLINKS: u32 = 3;
const BLINK: Duration = Duration::from_millis(250);
/// Longer than the longest pattern of beeps.
const BETWEEN_BEEPS: Duration = Duration::from_millis(800);

pub(super) async fn blink<P: Person>(trial: &mut Trial<'_, P>) -> Verdict {
    let board = &trial.board;
    let has_lamp = board.lamp.line.is_some();
    let has_beeps = board.buzzer.line.is_some() || board.buzzer.pwm.is_some() || board.sound.folder.is_some();
    if has_lamp {
        trial.say("the lamp blinks three times");
        for _ in 0..BLINKS {
            for on in [true, false] {
                trial.devices.lamp(on);
                tokio::time::sleep(BLINK).await;
            }
        }
    }
    if has_beeps {
        for (beep, name) in
            [(Beep::Key, "a key"), (Beep::Scan, "a code was read"), (Beep::Success, "paid"), (Beep::Error, "trouble")]
        {
            trial.say(format!("beep: {name}"));
            trial.devices.beep(beep);
            tokio::time::sleep(BETWEEN_BEEPS).await;
        }
    }
    let question = match (has_lamp, has_beeps) {
        (true, true) => "Did the lamp blink, and did you hear all four?",
        (true, false) => "Did the lamp blink?",
        (false, _) => "Did you hear all four?",
    };
    let remedy = "compare the lines with the board file (active_low?); a buzzer that needs a tone goes on pwm; for sounds try aplay by hand";
    if let Some(driver) = trial.devices.dead_driver() {
        return Err(format!("{driver} ended: see the messages above"));
    }
    trial.confirmed(question, "lamp and beeps were driven", remedy).await
}
