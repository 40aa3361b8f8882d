//! The serial driver against a scanner on a real pseudo-terminal.

mod common;

use common::*;
use hal::{
    DeviceEvent,
    board::{BoardSpec, ScannerKind, ScannerSpec},
    sim::pty::ScannerPty,
};
use tempfile::{TempDir, tempdir};

const CODE: &str = "281234567890123456";
const OTHER: &str = "134567890123456789";

fn scanner_only(directory: &TempDir) -> BoardSpec {
    BoardSpec {
        name: "counter".into(),
        scanner: ScannerSpec {
            kind: ScannerKind::Serial,
            path: Some(directory.path().join("scanner")),
            stale_ms: 0,
            ..ScannerSpec::default()
        },
        ..BoardSpec::default()
    }
}

#[tokio::test]
async fn a_code_that_waited_in_the_port_before_the_daemon_came_is_dropped() {
    let directory = tempdir().unwrap();
    let board = scanner_only(&directory);
    let mut scanner = ScannerPty::new(directory.path().join("scanner")).unwrap();
    scanner.scan(CODE).unwrap();
    let (devices, mut events) = open(&board);
    devices.arm_scanner(true);
    scanner_up(&mut events).await;
    scanner.scan(OTHER).unwrap();
    assert_eq!(scanned(&mut events).await, OTHER);
}

#[tokio::test]
async fn a_code_shown_to_an_idle_machine_never_pays_the_next_order() {
    let directory = tempdir().unwrap();
    let board = scanner_only(&directory);
    let mut scanner = ScannerPty::new(directory.path().join("scanner")).unwrap();
    let (devices, mut events) = open(&board);
    scanner_up(&mut events).await;
    scanner.scan(CODE).unwrap();
    scans_dropped(&devices, 1).await;
    // In the port, and not yet read when the order comes.
    scanner.scan(CODE).unwrap();
    devices.arm_scanner(true);
    devices.arm_scanner(true);
    scanner.scan(OTHER).unwrap();
    assert_eq!(scanned(&mut events).await, OTHER);
    devices.arm_scanner(false);
    let before = devices.scans_dropped();
    scanner.scan(CODE).unwrap();
    scans_dropped(&devices, before + 1).await;
    assert!(events.try_recv().is_err());
}

#[tokio::test]
async fn what_is_in_the_port_unread_when_the_order_comes_is_not_the_orders_not_even_its_second_half() {
    for unread in [CODE.to_owned() + "\r", CODE[..9].to_owned()] {
        let directory = tempdir().unwrap();
        let board = scanner_only(&directory);
        let mut scanner = ScannerPty::new(directory.path().join("scanner")).unwrap();
        let (devices, mut events) = open(&board);
        scanner_up(&mut events).await;
        // The driver, on this same thread, does not run until the next await.
        scanner.raw(unread.as_bytes()).unwrap();
        devices.arm_scanner(true);
        scanner.raw(format!("{}\r{OTHER}\r", &CODE[9..]).as_bytes()).unwrap();
        let first = scanned(&mut events).await;
        let expected = if unread.ends_with('\r') { &CODE[9..] } else { OTHER };
        assert_eq!(first, expected, "{} bytes were unread", unread.len());
        scans_dropped(&devices, 1).await;
    }
}

#[tokio::test]
async fn an_unplugged_scanner_is_reported_once_and_found_again_under_its_name() {
    let directory = tempdir().unwrap();
    let board = scanner_only(&directory);
    let mut scanner = ScannerPty::new(directory.path().join("scanner")).unwrap();
    let (devices, mut events) = open(&board);
    devices.arm_scanner(true);
    scanner_up(&mut events).await;
    scanner.raw(&CODE.as_bytes()[..9]).unwrap();
    scanner.unplug();
    let reason = scanner_down(&mut events).await;
    assert!(reason.contains("plug it in"), "{reason}");
    scanner.replug().unwrap();
    let next = event(&mut events, |event| Some(event.clone())).await;
    assert_eq!(next, DeviceEvent::ScannerUp { identity: None });
    scanner.scan(OTHER).unwrap();
    assert_eq!(scanned(&mut events).await, OTHER);
}

#[tokio::test]
async fn a_scanner_that_is_missing_at_the_start_is_reported_and_found_later() {
    let directory = tempdir().unwrap();
    let board = scanner_only(&directory);
    let (devices, mut events) = open(&board);
    devices.arm_scanner(true);
    let reason = scanner_down(&mut events).await;
    assert!(reason.contains("does not exist"), "{reason}");
    let mut scanner = ScannerPty::new(directory.path().join("scanner")).unwrap();
    scanner_up(&mut events).await;
    scanner.scan(CODE).unwrap();
    assert_eq!(scanned(&mut events).await, CODE);
}

#[tokio::test]
async fn two_daemons_never_share_one_scanner() {
    let directory = tempdir().unwrap();
    let board = scanner_only(&directory);
    let _scanner = ScannerPty::new(directory.path().join("scanner")).unwrap();
    let (first, mut first_events) = open(&board);
    scanner_up(&mut first_events).await;
    let (_second, mut second_events) = open(&board);
    let reason = scanner_down(&mut second_events).await;
    assert!(reason.contains("another program"), "{reason}");
    drop(first);
    scanner_up(&mut second_events).await;
}

#[tokio::test]
async fn split_glued_and_prefixed_codes_come_through_the_wire() {
    let directory = tempdir().unwrap();
    let board = scanner_only(&directory);
    let mut scanner = ScannerPty::new(directory.path().join("scanner")).unwrap();
    let (devices, mut events) = open(&board);
    devices.arm_scanner(true);
    scanner_up(&mut events).await;
    let glued = format!("]Q1{CODE}\r\n{CODE}\r\n]C1{OTHER}\r\n");
    for part in glued.as_bytes().chunks(7) {
        scanner.raw(part).unwrap();
        tokio::task::yield_now().await;
    }
    assert_eq!(scanned(&mut events).await, CODE);
    assert_eq!(scanned(&mut events).await, OTHER);
}
