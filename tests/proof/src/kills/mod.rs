//! Real kills: the release binary under a stream of sales, SIGKILL at random instants. The same money and goods as if it had
//! never been killed.
//!
//! The instants are real time, so a run is not repeated exactly by its seed; the sales are.

use std::path::PathBuf;
use std::time::Duration;

use payment::engine::entry::WhoScans;
use sandbox::{Fault, Method};
use till::demo::scene::Scene;

use crate::dice::Dice;
use crate::shop::{Books, SLOTS, Shop};

/// What is to be done.
#[derive(Debug, Clone)]
pub struct KillOptions {
    /// The program `till`, built with `--release`.
    pub program: PathBuf,
    /// How many kills at least.
    pub kills: u64,
    /// Shops at the same time.
    pub shops: u64,
    /// Decides what the customers do.
    pub seed: u64,
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct KillCard {
    /// SIGKILLs.
    pub kills: u64,
    /// The shops' books, added up.
    pub books: Books,
}

/// Kills of one shop before its books are closed.
pub const KILLS_A_ROUND: u64 = 50;

/// A daemon lives this long at most before it is killed; a sale takes about half of it.
const LIFE_MS: u64 = 900;

/// Runs until there were enough kills.
///
/// # Errors
///
/// When a shop cannot be opened, or a daemon ends by itself.
pub async fn run(options: &KillOptions) -> anyhow::Result<KillCard> {
    let mut card = KillCard::default();
    let mut seed = options.seed;
    while card.kills < options.kills && card.books.is_sound() {
        let shops = seed..seed + options.shops.max(1);
        seed = shops.end;
        let rounds: Vec<_> = shops.map(|seed| tokio::spawn(round(options.clone(), seed))).collect();
        for round in rounds {
            let (kills, books) = round.await??;
            card.kills += kills;
            card.books.add(books);
        }
    }
    Ok(card)
}

async fn round(options: KillOptions, seed: u64) -> anyhow::Result<(u64, Books)> {
    let mut dice = Dice::new(seed);
    let kills = KILLS_A_ROUND.min(options.kills);
    let mut shop = Shop::open(&options.program, |scene| scene.who_scans = WhoScans::Either).await?;
    for _ in 0..kills {
        if !dice.one_in(8) {
            shop.until_open().await;
        }
        let life = Duration::from_millis(dice.roll(LIFE_MS));
        let day = customers(&shop.scene, &mut dice);
        // The customers never end by themselves.
        let _cut_off = tokio::time::timeout(life, day).await;
        shop.kill().await?;
        shop.restart().await?;
    }
    shop.scene.gateway.control().set_weather(sandbox::Weather::fair());
    for slot in SLOTS {
        shop.scene.machine.unjam(slot);
    }
    Ok((kills, shop.close().await?))
}

/// One customer after another, for ever.
async fn customers(scene: &Scene, dice: &mut Dice) {
    loop {
        let slot = *dice.pick(&SLOTS);
        luck(scene, dice, slot);
        slot.bytes().chain([b'*']).for_each(|key| press(scene, key));
        match dice.roll(4) {
            0 | 1 => pay_by_screen(scene, dice).await,
            2 => pay_by_code(scene, dice).await,
            _ => walk_away(scene, dice).await,
        }
        // The next one comes when this one has left, or is tired of waiting.
        tokio::time::sleep(Duration::from_millis(200 + dice.roll(300))).await;
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

/// The code on the panel, as a picture that the phone can scan.
async fn pay_by_screen(scene: &Scene, dice: &mut Dice) {
    let mut frames = scene.machine.frames();
    let wallet = scene.gateway.control().wallet();
    loop {
        let picture = frames.borrow_and_update().as_ref().and_then(|frame| frame.to_png().ok());
        if let Some(asked) = picture.and_then(|png| wallet.scan_picture(&png).ok()) {
            tokio::time::sleep(Duration::from_millis(dice.roll(60))).await;
            let _too_late = wallet.confirm(&asked.id);
            return;
        }
        if frames.changed().await.is_err() {
            return;
        }
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
