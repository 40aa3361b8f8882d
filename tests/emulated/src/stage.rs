//! What the steps share: the shop outside, the terminal's disk, and the machine that runs on it.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use sandbox::Ledger;

use crate::machine::{Disk, Machine, Parts, Start, load_disk};
use crate::shop::Shop;

/// What the caller gave.
#[derive(Debug)]
pub struct Wanted {
    pub image: PathBuf,
    pub deb: PathBuf,
    pub older: Option<PathBuf>,
    pub programs: Option<PathBuf>,
    pub cuts: u32,
    pub seed: u64,
    pub keep: Option<PathBuf>,
}

/// The stage.
pub struct Stage {
    pub wanted: Wanted,
    pub parts: Parts,
    pub shop: Shop,
    pub disk: Disk,
    machine: Option<Machine>,
    /// Motor runs of machines that ended.
    pub runs_before: usize,
    /// Motor runs that a person ordered, which are of no sale.
    pub runs_by_hand: usize,
    _temporary: Option<tempfile::TempDir>,
}

impl Stage {
    /// Opens the shop and makes the terminal's disk; nothing is booted.
    ///
    /// # Errors
    ///
    /// When a file is missing or a tool fails.
    pub async fn set(wanted: Wanted) -> anyhow::Result<Self> {
        for file in [&wanted.image.join("root.img"), &wanted.deb] {
            ensure!(file.exists(), "{} is missing", file.display());
        }
        let (run, temporary) = match &wanted.keep {
            Some(keep) => (keep.clone(), None),
            None => {
                let temporary = tempfile::tempdir()?;
                (temporary.path().to_owned(), Some(temporary))
            }
        };
        std::fs::create_dir_all(&run)?;
        let run = run.canonicalize()?;
        let shop = Shop::open().await?;
        let mut load = vec![("till.deb", wanted.deb.as_path())];
        load.extend(wanted.older.as_deref().map(|older| ("other.deb", older)));
        let programs =
            wanted.programs.as_ref().map(|folder| ["gpio_sim", "console"].map(|name| (name, folder.join(name))));
        load.extend(programs.iter().flatten().map(|(name, program)| (*name, program.as_path())));
        let load = load_disk(&run, &load).await?;
        let parts = Parts { image: wanted.image.canonicalize()?, run, channel_port: shop.port(), load };
        let disk = Disk::new(&parts, "terminal").await?;
        Ok(Self { wanted, parts, shop, disk, machine: None, runs_before: 0, runs_by_hand: 0, _temporary: temporary })
    }

    /// Boots the terminal's disk.
    ///
    /// # Errors
    ///
    /// When it does not come up.
    pub async fn boot(&mut self, start: Start) -> anyhow::Result<f64> {
        self.machine = None;
        let machine = Machine::boot(&self.parts, &self.disk, start).await?;
        let seconds = machine.booted_s;
        self.machine = Some(machine);
        Ok(seconds)
    }

    /// The running machine.
    ///
    /// # Errors
    ///
    /// When none runs.
    pub fn machine(&mut self) -> anyhow::Result<&mut Machine> {
        self.machine.as_mut().context("no machine runs, because a step before failed")
    }

    /// The running machine and the shop beside it.
    ///
    /// # Errors
    ///
    /// When none runs.
    pub fn both(&mut self) -> anyhow::Result<(&mut Machine, &Shop)> {
        let machine = self.machine.as_mut().context("no machine runs, because a step before failed")?;
        Ok((machine, &self.shop))
    }

    /// Pulls the plug.
    ///
    /// # Errors
    ///
    /// When the machine had ended by itself.
    pub async fn power_cut(&mut self) -> anyhow::Result<()> {
        if let Some(machine) = self.machine.take() {
            self.runs_before += runs(&machine.power_cut().await?);
        }
        Ok(())
    }

    /// Shuts down in order.
    ///
    /// # Errors
    ///
    /// When it does not end.
    pub async fn power_off(&mut self) -> anyhow::Result<()> {
        if let Some(machine) = self.machine.take() {
            self.runs_before += runs(&machine.power_off().await?);
        }
        Ok(())
    }

    /// Motor runs since the disk was made, counted outside.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.runs_before + self.machine.as_ref().map_or(0, |machine| runs(&machine.motors()))
    }

    /// The channel's books.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.shop.control().ledger()
    }
}

fn runs(told: &[String]) -> usize {
    told.iter().filter(|word| word.starts_with("run ")).count()
}

/// The time on this side, which a machine without one is given.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "an emulated machine's clock is set by somebody outside, as a time server would"
)]
pub fn unix_seconds() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
