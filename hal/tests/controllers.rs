//! A board with a controller on a serial line, opened whole: the loop's view of it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails, and passes over the events it does not ask for"
)]

use std::time::Duration;

use hal::{
    DeviceEvent, VendResult,
    board::{BoardSpec, SlotSpec, VendKind},
    sim::{
        motor::{RtuBoard, Speech, SpringBoard},
        port::SimPort,
        xy::{XyMachine, XySlot},
    },
};
use tokio::{sync::mpsc::Receiver, time::timeout};

fn board(kind: VendKind, port: &std::path::Path) -> BoardSpec {
    let mut board = BoardSpec { name: "bench".into(), ..BoardSpec::default() };
    board.vend.kind = kind;
    board.vend.slots = vec![SlotSpec { name: "7".into(), ..SlotSpec::default() }];
    board.vend.xy.path = Some(port.into());
    board.vend.modbus.path = Some(port.into());
    board.vend.modbus.late_ms = 100;
    board.vend.spring.path = Some(port.into());
    assert_eq!(board.validate(), []);
    board
}

async fn heard(events: &mut Receiver<DeviceEvent>) -> DeviceEvent {
    timeout(Duration::from_secs(30), events.recv()).await.unwrap().unwrap()
}

async fn sells_one(kind: VendKind, port: &std::path::Path) {
    let (events, mut told) = tokio::sync::mpsc::channel(16);
    let devices = hal::open(&board(kind, port), events).unwrap();
    assert_eq!(devices.slots(), ["7"]);
    assert_eq!(heard(&mut told).await, DeviceEvent::VendReady { drops: None });
    devices.dispense(1, "7", 350).unwrap();
    let DeviceEvent::VendEnded { job: 1, result: VendResult::Dropped, .. } = heard(&mut told).await else {
        panic!("{kind:?} delivers");
    };
    devices.inspect(2, "7", None).unwrap();
    let DeviceEvent::VendEnded { job: 2, result: VendResult::Unknown, told: Some(_), .. } = heard(&mut told).await
    else {
        panic!("{kind:?} cannot tell what was before");
    };
    assert_eq!(devices.dead_driver(), None);
}

#[tokio::test(flavor = "current_thread")]
async fn each_kind_of_controller_is_opened_by_its_board_and_sells() {
    let directory = tempfile::tempdir().unwrap();
    let port = |name: &str| directory.path().join(name);
    let slots = [(7, XySlot { price: 350, stock: 3, ..XySlot::default() })];
    let _xy = SimPort::start(port("xy"), XyMachine::new(slots.into())).unwrap();
    let _modbus = SimPort::start(port("modbus"), RtuBoard::new(Speech::Registers)).unwrap();
    let _spring = SimPort::start(port("spring"), SpringBoard::default()).unwrap();
    sells_one(VendKind::Xy, &port("xy")).await;
    sells_one(VendKind::Modbus, &port("modbus")).await;
    sells_one(VendKind::Spring, &port("spring")).await;
}
