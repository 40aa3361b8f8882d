//! The people in front of a machine that dies again and again.

use std::time::Duration;

use sandbox::{Fault, Method};
use till::demo::scene::Scene;
use tokio::time::Instant;

use crate::dice::Dice;
use crate::shop::{Eyes, SLOTS};

/// Longer nobody looks for a code on the panel.
const PATIENCE: Duration = Duration::from_millis(700);

/// One customer after another, for ever.
pub(super) async fn customers(scene: &Scene, dice: &mut Dice) {
    loop {
        let slot = *dice.pick(&SLOTS);
        luck(scene, dice, slot);
        slot.bytes().chain([b'*']).for_each(|key| press(scene, key));
        match dice.roll(8) {
            0..=3 => pay_by_screen(scene, dice).await,
            4..=6 => pay_by_code(scene, dice).await,
            _ => walk_away(scene, dice).await,
        }
        // The next one comes when this one has left, or is tired of waiting.
        tokio::time::sleep(Duration::from_millis(60 + dice.roll(180))).await;
    }
}

fn press(scene: &Scene, key: u8) {
    let key = if key.is_ascii_digit() { hal::Key::Digit(key - b'0') } else { hal::Key::Ok };
    // A dead daemon reads no keys.
    let _pressed = scene.machine.press(key);
}

/// Sometimes the slot jams, or the channel has a bad moment.
fn luck(scene: &Scene, dice: &mut Dice, slot: &str) {
    let control = scene.gateway.control();
    match dice.roll(8) {
        0 => {
            scene.machine.jam(slot);
        }
        1 => control.add_weather(Fault::DropReply.on(Method::Pay).times(1)),
        2 => control.add_weather(Fault::DropReply.on(Method::Refund).times(1)),
        3 => control.add_weather(Fault::DropRequest.times(1)),
        4 => control.add_weather(Fault::BuyerConfirms.times(1)),
        _ => {
            scene.machine.unjam(slot);
        }
    }
}

/// The phone scans the code on the panel, and its owner confirms.
async fn pay_by_screen(scene: &Scene, dice: &mut Dice) {
    let mut eyes = Eyes::on(scene);
    let wallet = scene.gateway.control().wallet();
    let tired = Instant::now() + PATIENCE;
    loop {
        if let Some(asked) = eyes.scan(&wallet) {
            tokio::time::sleep(Duration::from_millis(dice.roll(60))).await;
            let _too_late = wallet.confirm(&asked.id);
            return;
        }
        let left = tired.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        eyes.wait(left).await;
    }
}

async fn pay_by_code(scene: &Scene, dice: &mut Dice) {
    tokio::time::sleep(Duration::from_millis(60 + dice.roll(100))).await;
    let wallet = scene.gateway.control().wallet();
    let _unplugged = scene.scan(&wallet.pay_code());
    tokio::time::sleep(Duration::from_millis(dice.roll(150))).await;
    for asked in wallet.requests() {
        let _too_late = wallet.confirm(&asked.id);
    }
}

async fn walk_away(scene: &Scene, dice: &mut Dice) {
    tokio::time::sleep(Duration::from_millis(dice.roll(200))).await;
    let _pressed = scene.machine.press(hal::Key::Cancel);
}
