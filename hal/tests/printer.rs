//! The shipped printer driver against the simulated printer, through a real pseudo-terminal, in both ways of opening it.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that cannot go on fails, and passes over the events it does not ask for"
)]

mod common;

use common::{event, open};
use hal::{
    DeviceEvent, Devices, PrinterState,
    board::{BoardSpec, PrinterKind},
    printer::{Item, PrintRefused, Receipt, Style},
    sim::{port::SimPort, printer::Printer},
};
use tokio::sync::mpsc::Receiver;

const LONG_ROLL: usize = 100_000;

struct Shop {
    printer: SimPort<Printer>,
    devices: Devices,
    events: Receiver<DeviceEvent>,
    _directory: tempfile::TempDir,
}

impl Shop {
    fn open(kind: PrinterKind, roll: usize) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut board = BoardSpec::default().relative_to(directory.path());
        board.printer.kind = kind;
        board.printer.path = Some(directory.path().join("printer"));
        let path = board.printer.path.clone().unwrap();
        let printer = SimPort::start(path, Printer::new(32, roll)).unwrap();
        let (devices, events) = open(&board);
        Self { printer, devices, events, _directory: directory }
    }

    async fn state(&mut self) -> PrinterState {
        event(&mut self.events, |event| match event {
            DeviceEvent::Printer(state) => Some(state.clone()),
            _ => None,
        })
        .await
    }

    async fn down(&mut self) -> String {
        match self.state().await {
            PrinterState::Down { reason } => reason,
            other => panic!("{other:?}"),
        }
    }

    /// Waits until `count` receipts came out.
    async fn printed(&self, count: usize) -> Vec<Vec<String>> {
        let all = async {
            loop {
                let sheets = self
                    .printer
                    .with(|printer, _| printer.receipts().iter().map(|sheet| sheet.lines.clone()).collect::<Vec<_>>());
                if sheets.len() >= count {
                    return sheets;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(common::GENEROUS, all).await.expect("the receipts came out")
    }
}

fn receipt(words: &str) -> Receipt {
    Receipt {
        items: vec![Item::Text(words.into(), Style::default()), Item::Qr("https://example.com/1".into())],
        copy: false,
    }
}

#[tokio::test]
async fn a_receipt_is_printed_on_a_serial_printer_and_on_one_of_the_usb_class() {
    for kind in [PrinterKind::Serial, PrinterKind::Usb] {
        let mut shop = Shop::open(kind, LONG_ROLL);
        assert!(shop.devices.has_printer());
        assert_eq!(shop.state().await, PrinterState::Up, "{kind:?}");
        shop.devices.print(receipt("谢谢惠顾")).unwrap();
        shop.devices.print(receipt("again")).unwrap();
        let out = shop.printed(2).await;
        assert_eq!(out[0], ["谢谢惠顾", "[qr https://example.com/1]", ""], "{kind:?}");
        assert_eq!(out[1][0], "again");
        assert_eq!(shop.devices.prints_dropped(), 0);
    }
}

#[tokio::test]
async fn a_printer_that_was_unplugged_is_told_and_prints_again_once_it_is_back() {
    for kind in [PrinterKind::Serial, PrinterKind::Usb] {
        let mut shop = Shop::open(kind, LONG_ROLL);
        assert_eq!(shop.state().await, PrinterState::Up);
        shop.printer.unplug();
        let reason = shop.down().await;
        assert!(reason.contains("is gone") && reason.contains("cable"), "{kind:?}: {reason}");
        shop.devices.print(receipt("while it was away")).unwrap();
        shop.printer.replug().unwrap();
        while shop.state().await != PrinterState::Up {}
        assert_eq!(shop.printed(1).await[0][0], "while it was away", "{kind:?}");
    }
}

#[tokio::test]
async fn an_empty_roll_and_an_open_cover_reach_the_loop() {
    let mut shop = Shop::open(PrinterKind::Serial, 50);
    assert_eq!(shop.state().await, PrinterState::PaperLow);
    shop.devices.print(receipt("too long for this roll")).unwrap();
    assert!(shop.down().await.contains("out of paper"));
    shop.printer.with(|printer, _| printer.put_in(LONG_ROLL));
    assert_eq!(shop.state().await, PrinterState::Up);
    assert_eq!(shop.printed(1).await[0][0], "too long for this roll");
    shop.printer.with(|printer, _| printer.open_cover(true));
    assert!(shop.down().await.contains("cover"));
}

#[tokio::test]
async fn a_printer_that_is_not_there_says_where_to_look() {
    let mut board = BoardSpec::default();
    board.printer.kind = PrinterKind::Usb;
    board.printer.path = Some("/nonexistent/lp0".into());
    let (devices, mut events) = open(&board);
    let reason = event(&mut events, |event| match event {
        DeviceEvent::Printer(PrinterState::Down { reason }) => Some(reason.clone()),
        _ => None,
    })
    .await;
    assert!(reason.contains("/nonexistent/lp0") && reason.contains("cable"), "{reason}");
    drop(devices);
}

#[tokio::test]
async fn a_board_without_a_printer_says_so() {
    let (devices, _events) = open(&BoardSpec::default());
    assert!(!devices.has_printer());
    assert_eq!(devices.print(Receipt::default()), Err(PrintRefused::NoPrinter));
}
