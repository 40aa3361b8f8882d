//! Scanners of every family behind a real pseudo-terminal, spoken to by the driver that ships.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod common;

use std::sync::mpsc;

use common::*;
use hal::{
    DeviceEvent, Devices,
    board::{BoardSpec, DialectKind, ScannerKind, ScannerSpec, TriggerKind},
    scanner::Memory,
    sim::{
        port::SimPort,
        scanner::{
            Scanner, caret::CaretScanner, honeywell::HoneywellScanner, newland::NewlandScanner, ssi::SsiScanner,
            zone::ZoneScanner,
        },
    },
};
use tempfile::{TempDir, tempdir};
use tokio::sync::mpsc::{Receiver, channel};

const CODE: &str = "281234567890123456";
const OTHER: &str = "134567890123456789";

/// A machine that has nothing but this scanner.
struct Counter<D> {
    port: SimPort<D>,
    devices: Devices,
    events: Receiver<DeviceEvent>,
    _directory: TempDir,
}

impl<D: Scanner> Counter<D> {
    fn open(scanner: D, dialect: DialectKind, trigger: TriggerKind) -> Self {
        Self::open_by(scanner, dialect, trigger, open)
    }

    fn open_by(
        scanner: D,
        dialect: DialectKind,
        trigger: TriggerKind,
        open: impl FnOnce(&BoardSpec) -> (Devices, Receiver<DeviceEvent>),
    ) -> Self {
        let directory = tempdir().expect("a directory");
        let path = directory.path().join("scanner");
        let port = SimPort::start(&path, scanner).expect("a port");
        let scanner = ScannerSpec {
            kind: ScannerKind::Serial,
            path: Some(path),
            dialect,
            trigger,
            stale_ms: 0,
            ..ScannerSpec::default()
        };
        let (devices, events) = open(&BoardSpec { name: "counter".into(), scanner, ..BoardSpec::default() });
        Self { port, devices, events, _directory: directory }
    }

    async fn up(&mut self) -> Option<String> {
        scanner_up(&mut self.events).await
    }

    async fn scanned(&mut self) -> String {
        scanned(&mut self.events).await
    }

    /// Holds the code before the window before the scanner is triggered: it reads in the same burst.
    fn hold(&self, code: Option<&str>) {
        self.port.with(|scanner, now| scanner.show(now, code));
    }

    async fn until(&self, wanted: impl FnMut(&mut D) -> bool) {
        tokio::time::timeout(GENEROUS, self.port.until(wanted)).await.expect("the scanner got there");
    }
}

async fn sells_twice<D: Scanner>(scanner: D, dialect: DialectKind, name: &str) {
    let mut counter = Counter::open(scanner, dialect, TriggerKind::Host);
    let identity = counter.up().await.expect("it says who it is");
    assert!(identity.starts_with(name), "{identity}");
    for code in [CODE, OTHER] {
        counter.hold(Some(code));
        counter.devices.arm_scanner(true);
        assert_eq!(counter.scanned().await, code);
        counter.devices.arm_scanner(false);
    }
}

#[tokio::test]
async fn an_acknowledgement_glued_to_a_code_costs_neither() {
    sells_twice(ZoneScanner::default(), DialectKind::Zone, "7e").await;
    sells_twice(NewlandScanner::default(), DialectKind::Newland, "newland").await;
    sells_twice(CaretScanner::default(), DialectKind::Caret, "caret").await;
}

#[tokio::test]
async fn scanners_without_acknowledgements_or_with_packets_sell_as_well() {
    sells_twice(HoneywellScanner::default(), DialectKind::Honeywell, "honeywell").await;
    sells_twice(SsiScanner::default(), DialectKind::Ssi, "ssi").await;
}

#[tokio::test]
async fn who_is_there_is_found_out_by_itself() {
    sells_twice(SsiScanner::default(), DialectKind::Auto, "ssi").await;
    sells_twice(HoneywellScanner::default(), DialectKind::Auto, "honeywell").await;
}

/// Starts a daemon's scanner with what was kept before; what it keeps instead by the time it is up.
async fn kept<D: Scanner>(scanner: D, dialect: DialectKind, before: Option<&str>) -> Vec<String> {
    let (keep, kept) = mpsc::channel();
    let keep = Box::new(move |found| keep.send(found).expect("it is kept"));
    let memory = Memory { before: before.map(str::to_owned), keep };
    let mut counter = Counter::open_by(scanner, dialect, TriggerKind::Scanner, |board| {
        let (sender, events) = channel(64);
        (hal::open_remembering(board, sender, memory).expect("devices"), events)
    });
    counter.up().await;
    kept.try_iter().collect()
}

#[tokio::test]
async fn what_was_found_is_kept_once_and_only_where_it_was_looked_for() {
    let ssi = ["ssi 9600\n"];
    assert_eq!(kept(SsiScanner::default(), DialectKind::Auto, None).await, ssi);
    assert_eq!(kept(SsiScanner::default(), DialectKind::Auto, Some("7e 9600\n")).await, ssi);
    assert!(kept(SsiScanner::default(), DialectKind::Auto, Some(ssi[0])).await.is_empty(), "nothing wears");
    assert!(kept(SsiScanner::default(), DialectKind::Ssi, None).await.is_empty());
}

#[tokio::test]
async fn a_code_scanned_while_idle_is_dropped_and_two_glued_ones_are_two() {
    let mut counter = Counter::open(ZoneScanner::default(), DialectKind::Zone, TriggerKind::Scanner);
    counter.up().await;
    counter.hold(Some(CODE));
    scans_dropped(&counter.devices, 1).await;
    counter.devices.arm_scanner(true);
    counter.port.with(|scanner, _| scanner.wire.send(format!("{OTHER}\r777\r").as_bytes()));
    assert_eq!((counter.scanned().await.as_str(), counter.scanned().await.as_str()), (OTHER, "777"));
}

#[tokio::test]
async fn a_code_whose_first_half_came_before_the_order_is_none() {
    let mut counter = Counter::open(ZoneScanner::default(), DialectKind::Zone, TriggerKind::Scanner);
    counter.up().await;
    counter.port.with(|scanner, _| scanner.wire.send(&CODE.as_bytes()[..9]));
    // It is in the port; whether the driver has read it by then is the scheduler's choice.
    counter.until(|scanner| scanner.wire.is_idle()).await;
    counter.devices.arm_scanner(true);
    counter.port.with(|scanner, _| scanner.wire.send(format!("{}\r{OTHER}\r", &CODE[9..]).as_bytes()));
    assert_eq!(counter.scanned().await, OTHER);
}

#[tokio::test]
async fn unplugged_in_the_middle_of_a_code_and_back_under_a_new_name() {
    let mut counter = Counter::open(ZoneScanner::default(), DialectKind::Auto, TriggerKind::Host);
    let before = counter.up().await;
    counter.devices.arm_scanner(true);
    counter.until(|scanner| scanner.eye.triggers > 0).await;
    counter.port.with(|scanner, _| scanner.wire.send(&CODE.as_bytes()[..9]));
    counter.port.unplug();
    let reason = scanner_down(&mut counter.events).await;
    assert!(reason.contains("plug it in"), "{reason}");
    counter.port.with(|scanner, now| scanner.power_cycle(now));
    counter.port.replug().expect("another pty behind the same link");
    assert_eq!(counter.up().await, before);
    counter.hold(Some(OTHER));
    assert_eq!(counter.scanned().await, OTHER, "it is triggered for the order that still waits");
}

#[tokio::test]
async fn a_scanner_that_is_silent_after_the_trigger_still_reads() {
    let mut counter = Counter::open(ZoneScanner::default(), DialectKind::Zone, TriggerKind::Host);
    counter.up().await;
    counter.port.with(|scanner, _| scanner.mute = true);
    counter.devices.arm_scanner(true);
    counter.port.with(|scanner, _| scanner.wire.send(format!("{CODE}\r").as_bytes()));
    assert_eq!(counter.scanned().await, CODE);
}
