//! Lines of a serial scanner through a real pseudo-terminal into the real driver: each code arrives once, in order, and
//! nothing else does, however the bytes are cut and glued, spoiled, repeated, or broken off by an unplugged cable.
//!
//! What is sent is decided by the seed; when the driver reads it is real time.

mod lines;

use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, anyhow};
use hal::board::{BoardSpec, ScannerKind, ScannerSpec, Terminator};
use hal::sim::pty::ScannerPty;
use hal::{DeviceEvent, Devices};
use tokio::sync::mpsc::{Receiver, channel};
use tokio::time::timeout;

use crate::dice::Dice;
use lines::{Burst, Lines, TERMINATORS};

/// Nothing takes this long; it only ends a run that hangs.
const LIMIT: Duration = Duration::from_secs(30);
/// Events that the loop may have waiting, and lines in one go: no code is dropped because the loop is flooded.
const EVENTS_MAX: usize = 64;
const BURST_MAX: u64 = 40;
/// Lines of one scanner; then the next kind has its turn.
const FRAMES_PER_SCANNER: u64 = 10_000;
/// One in so many bursts is followed by trouble.
const TROUBLE: u64 = 100;
/// The same code in view is one read for longer than anything here lasts.
const DOUBLE_READ_MS: u32 = 3_600_000;
/// So many failures of one burst are looked back at, to tell a doubled code from an invented one.
const REMEMBERED: usize = 256;

/// What is to be tried.
#[derive(Debug, Clone, Copy)]
pub struct FramesOptions {
    /// Decides what is sent.
    pub seed: u64,
    /// How many lines.
    pub frames: u64,
}

/// What was found. `lost`, `doubled` and `invented` must be zero.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FramesCard {
    /// Lines that were sent, among them those from which nothing may come.
    pub frames: u64,
    /// Codes that arrived, once and in their turn.
    pub delivered: u64,
    /// Cables that were unplugged in the middle of a line.
    pub unplugged: u64,
    /// Codes that nobody waited for, and that did not arrive.
    pub disarmed: u64,
    /// Codes that did not arrive.
    pub lost: u64,
    /// Codes that arrived again.
    pub doubled: u64,
    /// Codes that were never sent, or must not arrive.
    pub invented: u64,
    /// The first of these, and the command that sends the same again.
    pub first_failure: Option<String>,
}

impl FramesCard {
    /// Whether nothing went wrong.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.lost == 0 && self.doubled == 0 && self.invented == 0
    }

    fn fail(&mut self, options: FramesOptions, what: impl FnOnce() -> String) {
        if self.first_failure.is_none() {
            let FramesOptions { seed, frames } = options;
            let what = what();
            self.first_failure = Some(format!(
                "about line {}: {what}; replay: cargo run --release -p proof -- frames --seed {seed} --frames {frames}",
                self.frames
            ));
        }
    }
}

/// Sends all lines.
///
/// # Errors
///
/// When there is no pseudo-terminal, or the driver neither reads nor says why.
pub fn run(options: FramesOptions) -> anyhow::Result<FramesCard> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut card = FramesCard::default();
    let mut scanners = 0_u64;
    while card.frames < options.frames {
        let kind = usize::try_from(scanners)? % TERMINATORS.len();
        let until = options.frames.min(card.frames + FRAMES_PER_SCANNER);
        let seed = Dice::new(options.seed ^ scanners.rotate_left(40)).roll(u64::MAX);
        runtime.block_on(async {
            let mut counter = Counter::open(options, seed, TERMINATORS[kind], &mut card).await?;
            counter.serve(until).await
        })?;
        scanners += 1;
    }
    Ok(card)
}

/// A shop counter: a scanner on its cable, the driver, and the loop's end of the event queue.
struct Counter<'a> {
    options: FramesOptions,
    card: &'a mut FramesCard,
    dice: Dice,
    lines: Lines,
    scanner: ScannerPty,
    devices: Devices,
    events: Receiver<DeviceEvent>,
    /// The newest codes that arrived.
    arrived: VecDeque<String>,
    _directory: tempfile::TempDir,
}

fn board(port: &Path, terminator: Terminator) -> BoardSpec {
    let scanner = ScannerSpec {
        kind: ScannerKind::Serial,
        path: Some(port.to_owned()),
        terminator,
        double_read_ms: DOUBLE_READ_MS,
        stale_ms: 0,
        ..ScannerSpec::default()
    };
    BoardSpec { name: "counter".into(), scanner, ..BoardSpec::default() }
}

/// A scanner alone has nothing else to tell while it is plugged in.
fn code_of(event: DeviceEvent) -> anyhow::Result<String> {
    match event {
        DeviceEvent::Scanned(code) => Ok(code),
        event @ (DeviceEvent::ScannerUp { .. }
        | DeviceEvent::ScannerDown { .. }
        | DeviceEvent::Key(_)
        | DeviceEvent::VendReady { .. }
        | DeviceEvent::VendDown { .. }
        | DeviceEvent::VendEnded { .. }
        | DeviceEvent::Chosen { .. }
        | DeviceEvent::ChoiceEnded
        | DeviceEvent::CashSold { .. }
        | DeviceEvent::Printer(_)
        | DeviceEvent::Display(_)
        | DeviceEvent::DriverEnded { .. }) => Err(anyhow!("not a code: {event:?}")),
    }
}

impl<'a> Counter<'a> {
    async fn open(
        options: FramesOptions,
        seed: u64,
        terminator: Terminator,
        card: &'a mut FramesCard,
    ) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let port = directory.path().join("scanner");
        let scanner = ScannerPty::new(&port)?;
        let (sender, events) = channel(EVENTS_MAX);
        let devices = hal::open(&board(&port, terminator), sender).map_err(|error| anyhow!("{error}"))?;
        devices.arm_scanner(true);
        let (dice, lines) = (Dice::new(seed), Lines::new(!seed, terminator));
        let mut counter = Self {
            options,
            card,
            dice,
            lines,
            scanner,
            devices,
            events,
            arrived: VecDeque::new(),
            _directory: directory,
        };
        counter.until(|event| matches!(event, DeviceEvent::ScannerUp { .. })).await?;
        Ok(counter)
    }

    /// Sends lines until there were `until` in all.
    async fn serve(&mut self, until: u64) -> anyhow::Result<()> {
        while self.card.frames < until {
            let frames = (1 + self.dice.roll(BURST_MAX)).min(until - self.card.frames);
            let burst = self.lines.burst(frames);
            self.card.frames += burst.frames;
            self.send(&burst.bytes).await?;
            self.receive(burst).await?;
            if self.dice.one_in(TROUBLE) {
                match self.dice.roll(4) {
                    0 => self.unplug().await?,
                    _ => self.disarm(until).await?,
                }
            }
        }
        Ok(())
    }

    /// Sends the bytes at once, one by one, or in pieces. The driver reads whenever it comes to it.
    async fn send(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        let piece = match self.dice.roll(4) {
            0 => bytes.len(),
            1 => 1,
            _ => usize::try_from(1 + self.dice.roll(64))?,
        };
        for part in bytes.chunks(piece.max(1)) {
            self.scanner.raw(part)?;
            if self.dice.one_in(2) {
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    /// Takes codes until the last of the burst is here.
    async fn receive(&mut self, burst: Burst) -> anyhow::Result<()> {
        let mut expected = burst.expected;
        while !expected.is_empty() {
            let Ok(event) = timeout(LIMIT, self.events.recv()).await else {
                self.card.lost += expected.len() as u64;
                self.card.fail(self.options, || format!("never arrived: {expected:?}"));
                return Ok(());
            };
            let code = code_of(event.context("the driver ended")?)?;
            self.arrive(&code, &mut expected);
        }
        Ok(())
    }

    fn arrive(&mut self, code: &str, expected: &mut VecDeque<String>) {
        match expected.iter().position(|wanted| wanted == code) {
            Some(skipped) => {
                let missing: Vec<_> = expected.drain(..=skipped).take(skipped).collect();
                self.card.lost += missing.len() as u64;
                self.card.delivered += 1;
                self.arrived.push_back(code.to_owned());
                if self.arrived.len() > REMEMBERED {
                    self.arrived.pop_front();
                }
                if !missing.is_empty() {
                    self.card.fail(self.options, || format!("{missing:?} did not arrive before {code:?}"));
                }
            }
            None if self.arrived.iter().any(|before| before == code) => {
                self.card.doubled += 1;
                self.card.fail(self.options, || format!("{code:?} arrived again"));
            }
            None => {
                self.card.invented += 1;
                self.card.fail(self.options, || format!("{code:?} must not arrive; waited for {expected:?}"));
            }
        }
    }

    /// The cable is pulled in the middle of a line, and plugged in again with something in the port already.
    async fn unplug(&mut self) -> anyhow::Result<()> {
        let half = self.lines.half_line();
        self.send(&half).await?;
        self.scanner.unplug();
        self.until(|event| matches!(event, DeviceEvent::ScannerDown { .. })).await?;
        self.scanner.replug()?;
        self.until(|event| matches!(event, DeviceEvent::ScannerUp { .. })).await?;
        self.card.unplugged += 1;
        Ok(())
    }

    /// Codes are shown while nobody waits for one.
    async fn disarm(&mut self, until: u64) -> anyhow::Result<()> {
        if self.card.frames >= until {
            return Ok(());
        }
        self.devices.arm_scanner(false);
        let before = self.devices.scans_dropped();
        let burst = self.lines.burst(5.min(until - self.card.frames));
        self.card.frames += burst.frames;
        let dropped = burst.expected.len() as u64;
        self.send(&burst.bytes).await?;
        timeout(LIMIT, async {
            while self.devices.scans_dropped() < before + dropped {
                tokio::task::yield_now().await;
            }
        })
        .await
        .context("the driver counts codes that nobody waits for")?;
        self.card.disarmed += dropped;
        self.devices.arm_scanner(true);
        Ok(())
    }

    /// Waits for an event; codes that arrive meanwhile must not.
    async fn until(&mut self, wanted: impl Fn(&DeviceEvent) -> bool) -> anyhow::Result<()> {
        loop {
            let event = timeout(LIMIT, self.events.recv()).await.context("the driver says what happens")?;
            let event = event.context("the driver ended")?;
            if wanted(&event) {
                return Ok(());
            }
            self.arrive(&code_of(event)?, &mut VecDeque::new());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_arrives_once_in_order_and_nothing_else() {
        let card = run(FramesOptions { seed: 1, frames: 10_000 }).unwrap();
        assert!(card.is_clean(), "{card:#?}");
        assert_eq!(card.frames, 10_000);
        assert!(card.delivered > 6_000 && card.unplugged > 0 && card.disarmed > 0, "{card:#?}");
    }

    #[test]
    fn a_code_that_is_missing_or_comes_again_is_counted() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut card = FramesCard::default();
        let options = FramesOptions { seed: 2, frames: 4 };
        runtime.block_on(async {
            let mut counter = Counter::open(options, 2, Terminator::Cr, &mut card).await.unwrap();
            counter.scanner.raw(b"281\r283\r281\r999\r284\r").unwrap();
            let expected = ["281", "282", "283", "284"].map(str::to_owned).into();
            counter.receive(Burst { bytes: Vec::new(), frames: 4, expected }).await.unwrap();
        });
        assert_eq!((card.delivered, card.lost, card.doubled, card.invented), (3, 1, 1, 1), "{card:#?}");
    }
}
