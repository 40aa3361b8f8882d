//! The buyers: with a pay code or by scanning the screen, patient or not.

use std::time::Duration;

use sandbox::Wallet;
use tokio::time::Instant;

use super::counter::Counter;
use crate::dice::Dice;
use crate::shop::{Eyes, LIMIT, Shop};

/// How long a customer waits before the next one comes; the terminal goes on with the first.
const PATIENCE: Duration = Duration::from_secs(20);

/// A buyer whose code was not taken shows another after this.
const REFRESH: Duration = Duration::from_millis(250);

/// The panel tells most of what happens; for the rest a buyer looks again after this.
const LOOK_AGAIN: Duration = Duration::from_millis(60);

/// How long an order waits whose buyer just walks off, in seconds; the API takes no less.
const SHORT_S: u64 = 1;

/// The states in which a buyer leaves.
const OVER: [&str; 6] = ["completed", "cancelled", "cancelling", "expired", "failed", "refunded"];

/// How a buyer behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whim {
    Pays,
    /// Cancels at once, though a payment may be on its way.
    Cancels,
    /// Scans the screen, does not confirm, and cancels.
    CancelsScanned,
    /// Goes without a word.
    WalksOff,
}

/// One buyer.
pub(super) struct Buyer<'s> {
    shop: &'s Shop,
    wallet: Wallet,
    eyes: Eyes,
    who: &'static str,
    by_screen: bool,
    whim: Whim,
    /// When the phone did its part last: showed a code, or scanned one.
    acted: Option<Instant>,
}

impl<'s> Buyer<'s> {
    /// About four buyers of ten scan the screen.
    pub(super) fn comes(shop: &'s Shop, dice: &mut Dice) -> Self {
        let (who, by_screen) = match dice.roll(20) {
            0..=5 => ("buyer_scans", true),
            6 | 7 => ("either", true),
            8 => ("either", false),
            _ => ("merchant_scans", false),
        };
        let whim = match (by_screen, dice.roll(24)) {
            (_, 0) | (false, 1) => Whim::Cancels,
            (true, 1 | 2) => Whim::CancelsScanned,
            (true, 3) => Whim::WalksOff,
            _ => Whim::Pays,
        };
        let wallet = shop.scene.gateway.control().wallet();
        Self { shop, wallet, eyes: Eyes::on(&shop.scene), who, by_screen, whim, acted: None }
    }

    /// Whether the phone scanned the screen.
    pub(super) const fn has_scanned(&self) -> bool {
        self.by_screen && self.acted.is_some()
    }

    /// Whether there was to be a code on the screen, and no wish to pay it.
    pub(super) fn leaves_a_code(&self) -> bool {
        self.by_screen && self.whim != Whim::Pays
    }

    /// One order from the first request to its end; `false` when the terminal would not open one.
    pub(super) async fn buys(&mut self, counter: &Counter, dice: &mut Dice, slot: &str) -> anyhow::Result<bool> {
        let Some(order) = self.open(counter, slot).await? else {
            return Ok(false);
        };
        let patience = Instant::now() + PATIENCE;
        let mut waits = true;
        while Instant::now() < patience {
            self.acts(counter, dice, &order, waits).await?;
            let state = counter.state(&order).await?;
            if OVER.contains(&state.as_str()) {
                break;
            }
            waits = state == "waiting";
            self.eyes.wait(LOOK_AGAIN).await;
        }
        Ok(true)
    }

    /// Opens an order as soon as the machine is free and sells.
    async fn open(&mut self, counter: &Counter, slot: &str) -> anyhow::Result<Option<String>> {
        let within_s = (self.whim == Whim::WalksOff).then_some(SHORT_S);
        let give_up = Instant::now() + LIMIT;
        while Instant::now() < give_up {
            let order = counter.open(slot, self.who, within_s).await?;
            if order.is_some() {
                return Ok(order);
            }
            self.eyes.wait(LOOK_AGAIN).await;
        }
        Ok(None)
    }

    /// What the buyer does after each look at the machine, which still waits for somebody to pay or does not.
    async fn acts(&mut self, counter: &Counter, dice: &mut Dice, order: &str, waits: bool) -> anyhow::Result<()> {
        if self.by_screen {
            self.looks_at_screen();
        } else if waits && self.acted.is_none_or(|acted| acted.elapsed() > REFRESH) {
            self.shows_code(counter, dice, order).await?;
        }
        if matches!(self.whim, Whim::Pays | Whim::Cancels) {
            self.confirms();
        }
        match self.whim {
            Whim::Cancels => counter.cancel(order).await,
            Whim::CancelsScanned if self.acted.is_some() => counter.cancel(order).await,
            Whim::CancelsScanned | Whim::Pays | Whim::WalksOff => Ok(()),
        }
    }

    /// A phone scans a code once. A buyer who walks off has not even looked.
    fn looks_at_screen(&mut self) {
        if self.acted.is_none() && self.whim != Whim::WalksOff && self.eyes.scan(&self.wallet).is_some() {
            self.acted = Some(Instant::now());
        }
    }

    /// The buyer shows a fresh pay code: to the machine's scanner, or to the kiosk's own.
    async fn shows_code(&mut self, counter: &Counter, dice: &mut Dice, order: &str) -> anyhow::Result<()> {
        let code = self.wallet.pay_code();
        if dice.one_in(2) {
            counter.scanned(order, code).await?;
        } else {
            self.shop.scene.scan(&code)?;
        }
        self.acted = Some(Instant::now());
        Ok(())
    }

    /// Confirms whatever the phone asks for.
    fn confirms(&self) {
        for asked in self.wallet.requests() {
            let _too_late = self.wallet.confirm(&asked.id);
        }
    }
}
