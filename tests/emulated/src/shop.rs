//! What stands outside the machine: the payment channel, and the buyer with a phone.

use std::time::Duration;

use anyhow::{Context, bail};
use sandbox::{Control, Gateway, GatewayOptions, Wallet, merchant_keys};
use tokio::time::{Instant, sleep};

use crate::front::Front;
use crate::machine::Machine;

/// How long a code may take to stand on the screen.
const CODE_WITHIN: Duration = Duration::from_secs(60);

/// The line of each key, as `terminal/board.toml` wires them.
const KEYS: [(&str, u8); 4] = [("1", 8), ("2", 9), ("ok", 10), ("cancel", 11)];

/// The simulated Alipay, with TLS in front, on a loopback port of this side.
pub struct Shop {
    gateway: Gateway,
    front: Front,
}

impl Shop {
    /// Opens it.
    ///
    /// # Errors
    ///
    /// When there is no free port.
    pub async fn open() -> anyhow::Result<Self> {
        // The machine's clock is its own, and a second or ten behind is no matter here.
        let gateway = Gateway::start(GatewayOptions::default()).await?;
        let front = Front::open(gateway.address()).await?;
        Ok(Self { gateway, front })
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.front.port
    }

    /// The other side of the channel.
    #[must_use]
    pub fn control(&self) -> Control {
        self.gateway.control()
    }

    /// The buyer's wallet.
    #[must_use]
    pub fn wallet(&self) -> Wallet {
        self.control().wallet()
    }

    /// The phone scans what stands on the screen, as soon as a code does, and returns the trade's name.
    ///
    /// # Errors
    ///
    /// When none appears in time; the last picture is in the run's folder.
    pub async fn scan_screen(&self, machine: &mut Machine) -> anyhow::Result<String> {
        let until = Instant::now() + CODE_WITHIN;
        loop {
            let picture = machine.screen().await?;
            match self.wallet().scan_picture(&picture) {
                Ok(scanned) => return Ok(scanned.id),
                Err(error) if Instant::now() > until => bail!("no code that a phone reads is on the screen: {error}"),
                Err(_) => sleep(Duration::from_millis(300)).await,
            }
        }
    }

    /// The files of the merchant's keys, as they lie on the terminal: name and text.
    #[must_use]
    pub fn keys(&self) -> Vec<(&'static str, String)> {
        let keys = merchant_keys();
        vec![
            ("alipay-private-key.pem", keys.app_private_key_pem),
            ("alipay_public_key.pem", keys.alipay_public_key_pem),
            ("outside_root.pem", self.front.root_pem.clone()),
        ]
    }
}

/// Presses keys of the keypad, one after the other.
///
/// # Errors
///
/// When the machine is gone.
pub async fn press(machine: &mut Machine, keys: &[&str]) -> anyhow::Result<()> {
    let lines = keys.iter().map(|key| {
        let line = KEYS.iter().find(|(name, _)| name == key).map(|(_, line)| line);
        line.map(|line| {
            let pull = format!("/run/gpio/sim_gpio{line}/pull");
            format!("echo pull-down >{pull}; sleep 0.12; echo pull-up >{pull}; sleep 0.25")
        })
    });
    let script: Option<Vec<String>> = lines.collect();
    let script = script.with_context(|| format!("a key of {keys:?} is not on the keypad"))?;
    machine.must(&script.join("\n")).await.map(|_| ())
}
