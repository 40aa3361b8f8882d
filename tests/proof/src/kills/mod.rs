//! Real kills: the release binary under a stream of sales, SIGKILL at random instants, also while it starts and recovers. The
//! same money and goods as if it had never been killed.
//!
//! The instants are real time, and how far a customer comes depends on them: a seed repeats the dice, not the whole run.

mod customers;
mod hits;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use payment::engine::entry::WhoScans;

use crate::dice::Dice;
use crate::shop::{Books, SLOTS, Shop, again};
use customers::customers;
use hits::Hit;

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
    /// Kills before the daemon was ready: while it opened its journal and recovered.
    pub at_start: u64,
    /// Kills while an order was open, by the journal's own times: from its opening until it was over, without the watch for
    /// late payments.
    pub in_a_sale: u64,
    /// Kills that were both: an order was open, and the daemon died while it recovered.
    pub recovering: u64,
    /// The shops' books, added up.
    pub books: Books,
}

impl KillCard {
    /// Adds another card.
    pub fn add(&mut self, other: Self) {
        self.kills += other.kills;
        self.at_start += other.at_start;
        self.in_a_sale += other.in_a_sale;
        self.recovering += other.recovering;
        self.books.add(other.books);
    }
}

/// Kills of one shop before its books are closed.
pub const KILLS_A_ROUND: u64 = 20;

/// A daemon that is ready lives this long at most before it is killed; a sale takes about a third of it.
const LIFE_MS: u64 = 1_200;

/// One start in so many is killed before it is ready, or hardly after.
const STARTS: u64 = 6;

/// Times of a terminal that does not wait for people. A code that nobody scanned is watched for minutes: often enough that
/// a late payment is found, seldom enough that the watching is not most of the work.
const HURRY: &str = "[pace]\nthanks_ms = 20\nsorry_ms = 20\ncode_poll_ms = 60\nconfirm_poll_ms = 60\nwatch_ms = 2000\n";

/// Runs until there were enough kills.
///
/// # Errors
///
/// When a shop cannot be opened, or a daemon ends by itself.
pub async fn run(options: &KillOptions) -> anyhow::Result<KillCard> {
    let mut card = KillCard::default();
    let mut seed = options.seed;
    let shops = options.shops.max(1);
    while card.kills < options.kills && card.books.is_sound() {
        let left = (options.kills - card.kills).div_ceil(shops).min(KILLS_A_ROUND);
        let seeds = seed..seed + shops;
        seed = seeds.end;
        let rounds: Vec<_> = seeds.map(|seed| tokio::spawn(round(options.program.clone(), seed, left))).collect();
        for round in rounds {
            card.add(round.await??);
        }
    }
    Ok(card)
}

async fn round(program: PathBuf, seed: u64, kills: u64) -> anyhow::Result<KillCard> {
    let again = again("kills", seed, "kills", kills);
    round_of(&program, seed, kills, again.clone()).await.context(again)
}

async fn round_of(program: &Path, seed: u64, kills: u64, again: String) -> anyhow::Result<KillCard> {
    let mut dice = Dice::new(seed);
    let mut shop = Shop::open(program, again, |scene| {
        scene.who_scans = WhoScans::Either;
        HURRY.clone_into(&mut scene.extra_config);
    })
    .await?;
    let mut usual_start = shop.until_ready().await?;
    let mut hits = Vec::new();
    for _ in 0..kills {
        if dice.one_in(STARTS) {
            tokio::time::sleep(at_start(usual_start, &mut dice)).await;
        } else {
            usual_start = shop.until_ready().await?;
            live(&shop, &mut dice).await;
        }
        hits.push(Hit::now(&shop));
        shop.kill().await?;
        shop.start()?;
    }
    shop.until_ready().await?;
    clear_up(&shop);
    let mut card = hits::count(&hits, &shop.histories().await?);
    card.books = shop.close().await?;
    Ok(card)
}

/// When a start is killed: from its first instant to a little after the usual time until it is ready.
fn at_start(usual: Duration, dice: &mut Dice) -> Duration {
    let most = usual.saturating_mul(5) / 4;
    Duration::from_micros(dice.roll(u64::try_from(most.as_micros()).unwrap_or(u64::MAX)))
}

/// A random time of sales.
async fn live(shop: &Shop, dice: &mut Dice) {
    if !dice.one_in(8) {
        shop.until_open().await;
    }
    let life = Duration::from_millis(dice.roll(LIFE_MS));
    // The customers never end by themselves.
    let _cut_off = tokio::time::timeout(life, customers(&shop.scene, dice)).await;
}

fn clear_up(shop: &Shop) {
    shop.scene.gateway.control().set_weather(sandbox::Weather::fair());
    for slot in SLOTS {
        shop.scene.machine.unjam(slot);
    }
}
