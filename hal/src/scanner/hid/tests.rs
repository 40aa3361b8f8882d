use std::{path::Path, sync::Arc};

use tokio::sync::mpsc::{Receiver, channel};

use super::{driver::HidScanner, keyboard::Keyboard, pos::Pos, *};
use crate::{
    board::{DialectKind, ScannerKind, ScannerSpec, Terminator, TriggerKind},
    event::DeviceEvent,
    scanner::{Gate, Scanner, frame::LINE_MAX},
    sim::{
        dice::Dice,
        port::{Device, SimPort},
        scanner::hid::{Enter, Key, SYN, SYN_DROPPED, event_bytes, pos_reports, typed},
    },
};

const CODE: &str = "281234567890123456";
const OTHER: &str = "134567890123456789";

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn keyboard(terminator: Terminator) -> Keyboard {
    let spec = ScannerSpec { kind: ScannerKind::Keyboard, terminator, stale_ms: 0, ..ScannerSpec::default() };
    let mut keyboard = Keyboard::new(&spec, ms(0));
    keyboard.opened(ms(0));
    keyboard
}

fn texts(lines: Vec<Line>) -> Vec<String> {
    lines.into_iter().map(|line| line.text).collect()
}

/// Types at `at` and is silent for a second.
fn read(keyboard: &mut Keyboard, at: u64, keys: &[Key]) -> Vec<String> {
    let mut lines = keyboard.received(ms(at), &event_bytes(keys));
    lines.extend(keyboard.woken(ms(at + 1000)));
    texts(lines)
}

#[test]
fn every_character_of_a_us_keyboard_is_read() {
    let all: String = (b'!'..=b'~').map(char::from).collect();
    let url = "https://a.B/c?d=e&f_G:1%";
    for text in [all.as_str(), url, "two words", CODE] {
        let mut keyboard = keyboard(Terminator::Any);
        assert_eq!(read(&mut keyboard, 1000, &typed(text, Enter::After)), [text]);
    }
}

#[test]
fn the_keys_of_the_number_pad_are_read() {
    let pad: Vec<Key> =
        [79, 80, 81, 75, 76, 77, 71, 72, 73, 82, 96].into_iter().flat_map(|code| [(1, code, 1), SYN]).collect();
    assert_eq!(read(&mut keyboard(Terminator::Any), 1000, &pad), ["1234567890"]);
}

#[test]
fn repeats_of_the_kernel_releases_and_unknown_keys_are_no_text() {
    let keys =
        [(1, 2, 1), SYN, (1, 2, 2), (1, 2, 2), (1, 2, 0), SYN, (1, 183, 1), (2, 3, 1), (4, 4, 30), (1, 28, 1), SYN];
    assert_eq!(read(&mut keyboard(Terminator::Any), 1000, &keys), ["1"]);
}

#[test]
fn caps_lock_turns_letters_and_nothing_else() {
    let caps = [(1, 58, 1), (1, 58, 0)];
    let keys: Vec<Key> = caps.into_iter().chain(typed("aB1!", Enter::After)).collect();
    assert_eq!(read(&mut keyboard(Terminator::Any), 1000, &keys), ["Ab1!"]);
}

#[test]
fn a_scanner_that_presses_enter_first_is_known_by_it() {
    let mut keyboard = keyboard(Terminator::Any);
    assert_eq!(read(&mut keyboard, 1000, &typed(CODE, Enter::Before)), [CODE]);
    assert_eq!(read(&mut keyboard, 5000, &typed(OTHER, Enter::Before)), [OTHER]);
}

#[test]
fn a_code_that_breaks_off_is_no_code_unless_enter_came_first() {
    let mut keyboard = keyboard(Terminator::Any);
    assert!(read(&mut keyboard, 1000, &typed(CODE, Enter::Never)).is_empty());
    assert_eq!(read(&mut keyboard, 9000, &typed(OTHER, Enter::After)), [OTHER]);
    // An Enter of long ago is no beginning.
    assert!(read(&mut keyboard, 20_000, &typed(CODE, Enter::Never)).is_empty());
}

#[test]
fn without_enter_silence_ends_a_code_where_the_board_says_so() {
    let mut keyboard = keyboard(Terminator::None);
    assert_eq!(read(&mut keyboard, 1000, &typed(CODE, Enter::Never)), [CODE]);
    assert_eq!(keyboard.due(), None);
}

#[test]
fn when_the_kernel_lost_events_the_code_in_it_is_dropped_and_the_next_is_read() {
    for at in 0..typed(CODE, Enter::After).len() - 4 {
        let mut keyboard = keyboard(Terminator::Any);
        let mut keys = typed(CODE, Enter::After);
        keys.splice(at..at + 2, [SYN_DROPPED, (1, 30, 1), SYN]);
        assert!(read(&mut keyboard, 1000, &keys).is_empty(), "lost at {at}");
        assert_eq!(read(&mut keyboard, 5000, &typed(OTHER, Enter::After)), [OTHER]);
    }
}

#[test]
fn events_of_32_and_of_64_bit_kernels_are_told_apart_by_their_size_alone() {
    for words in [8, 16] {
        let one = |code: u16, value: i32| {
            [&vec![0xEE; words][..], &1u16.to_ne_bytes(), &code.to_ne_bytes(), &value.to_ne_bytes()].concat()
        };
        let bytes = [one(2, 1), one(28, 0)].concat();
        assert_eq!(keyboard::events(&bytes, words + 8).collect::<Vec<_>>(), [(1, 2, 1), (1, 28, 0)]);
    }
}

#[test]
fn key_events_may_be_cut_anywhere() {
    let bytes = event_bytes(&typed("aB-3", Enter::After));
    for cut in 0..=bytes.len() {
        let mut keyboard = keyboard(Terminator::Any);
        let mut lines = keyboard.received(ms(1000), &bytes[..cut]);
        lines.extend(keyboard.received(ms(1001), &bytes[cut..]));
        assert_eq!(texts(lines), ["aB-3"], "cut at {cut}");
    }
}

#[test]
fn any_key_events_are_survived() {
    for seed in 0..200 {
        let mut dice = Dice::new(seed);
        let mut keyboard = keyboard(if dice.one_in(2) { Terminator::Any } else { Terminator::None });
        let mut now = 1000;
        for _ in 0..400 {
            now += dice.roll(150);
            let random = |dice: &mut Dice, sides| u16::try_from(dice.roll(sides)).unwrap();
            let key = (random(&mut dice, 3), random(&mut dice, 120), i32::from(random(&mut dice, 3)));
            for line in read(&mut keyboard, now, &[key]) {
                assert!(line.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
            }
        }
    }
}

fn pos(dialect: DialectKind, trigger: TriggerKind) -> Pos {
    let spec = ScannerSpec { kind: ScannerKind::HidPos, dialect, trigger, stale_ms: 0, ..ScannerSpec::default() };
    Pos::new(&spec, ms(0))
}

fn joined(aim: &str, code: &str) -> Vec<u8> {
    pos_reports(aim, code).concat()
}

#[test]
fn reports_are_joined_until_the_last_one_says_so() {
    for length in [1, 18, 55, 56, 57, 112, 113, 400] {
        let code = "7".repeat(length);
        let mut pos = pos(DialectKind::Plain, TriggerKind::Scanner);
        assert_eq!(texts(pos.received(ms(1000), &joined("]Q1", &code))), [code]);
    }
    let two = [joined("]C1", CODE), joined("]Q1", OTHER)].concat();
    let mut pos = pos(DialectKind::Plain, TriggerKind::Scanner);
    assert_eq!(texts(pos.received(ms(1000), &two)), [CODE, OTHER]);
}

#[test]
fn half_a_code_in_reports_is_never_joined_to_the_next() {
    let long = "7".repeat(100);
    let mut pos = pos(DialectKind::Plain, TriggerKind::Scanner);
    assert!(pos.received(ms(1000), &joined("]Q1", &long)[..64]).is_empty());
    assert_eq!(texts(pos.received(ms(3000), &joined("]Q1", CODE))), [CODE]);
    assert!(pos.received(ms(4000), &joined("]Q1", &long)[..64]).is_empty());
    pos.opened(ms(4100));
    assert_eq!(texts(pos.received(ms(4200), &joined("]Q1", OTHER))), [OTHER]);
}

#[test]
fn reports_without_end_are_not_joined_without_end() {
    let mut pos = pos(DialectKind::Plain, TriggerKind::Scanner);
    let endless = joined("]Q1", &"7".repeat(56 * 1000));
    for (at, reports) in endless.chunks(640).enumerate() {
        assert!(pos.received(ms(1000 + at as u64), reports).is_empty());
        assert!(pos.partial.len() <= LINE_MAX + 1);
    }
    assert_eq!(pos.noise().too_long, 1);
    assert_eq!(texts(pos.received(ms(5000), &joined("]Q1", CODE))), [CODE]);
}

#[test]
fn any_reports_are_survived() {
    for seed in 0..300 {
        let mut dice = Dice::new(seed);
        let mut pos = pos(DialectKind::Plain, TriggerKind::Scanner);
        for step in 0..50 {
            let mut report: Vec<u8> = (0..dice.roll(130)).map(|_| u8::try_from(dice.roll(256)).unwrap()).collect();
            if let Some(first) = report.first_mut().filter(|_| dice.one_in(2)) {
                *first = 2;
            }
            pos.received(ms(1000 + step * 10), &report);
        }
    }
}

#[test]
fn a_trigger_is_worded_as_the_maker_wants_it() {
    let mut honeywell = pos(DialectKind::Honeywell, TriggerKind::Host);
    honeywell.armed(ms(1000), true);
    let report = honeywell.to_send().unwrap();
    assert_eq!((report.len(), &report[..6]), (64, [0xFD, 0x03, 0x16, 0x54, 0x0D, 0].as_slice()));
    honeywell.woken(honeywell.due().unwrap());
    assert_eq!(honeywell.to_send().unwrap(), report, "again while the order waits");
    honeywell.armed(ms(9000), false);
    assert_eq!(honeywell.to_send().unwrap()[..5], [0xFD, 0x03, 0x16, 0x55, 0x0D]);
    assert_eq!(honeywell.due(), None);
    let mut clone = pos(DialectKind::Newland, TriggerKind::Host);
    clone.armed(ms(1000), true);
    let report = clone.to_send().unwrap();
    assert_eq!((report[0], report[1]), (0x04, 16));
    assert_eq!(&report[2..18], b"~\x010000@SCNTRG1;\x03");
    let mut silent = pos(DialectKind::Honeywell, TriggerKind::Scanner);
    silent.armed(ms(1000), true);
    assert_eq!(silent.to_send(), None);
}

/// The far end of a device file: sends what it is given, keeps what it gets.
#[derive(Default)]
struct Far {
    send: Vec<Vec<u8>>,
    got: Vec<u8>,
}

impl Device for Far {
    fn received(&mut self, _: Duration, bytes: &[u8]) {
        self.got.extend_from_slice(bytes);
    }

    fn woken(&mut self, _: Duration) {}

    fn due(&self) -> Option<Duration> {
        None
    }

    fn to_send(&mut self) -> Option<Vec<u8>> {
        if self.send.is_empty() { None } else { Some(self.send.remove(0)) }
    }
}

/// Starts the driver that ships at the far end's file.
fn start(path: &Path, reports: Box<dyn Reports>) -> (Arc<Gate>, Receiver<DeviceEvent>) {
    let gate = Arc::new(Gate::new());
    let (sender, events) = channel(16);
    let driver = HidScanner::new(path.to_owned(), reports, Arc::clone(&gate), sender).without_grab();
    tokio::spawn(driver.run());
    (gate, events)
}

/// Far longer than anything takes.
async fn in_time<T>(wait: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap()
}

async fn next(events: &mut Receiver<DeviceEvent>) -> DeviceEvent {
    in_time(events.recv()).await.unwrap()
}

#[tokio::test]
async fn a_typing_scanner_is_read_unplugged_and_found_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("scanner-event-kbd");
    let mut port = SimPort::start(&path, Far::default()).unwrap();
    let (gate, mut events) = start(&path, Box::new(keyboard(Terminator::Any)));
    assert_eq!(next(&mut events).await, DeviceEvent::ScannerUp { identity: None });
    let half = event_bytes(&typed(&CODE[..9], Enter::Never));
    port.with(|far, _| far.send.push(event_bytes(&typed(CODE, Enter::After))));
    let counted = async {
        while gate.dropped() == 0 {
            tokio::task::yield_now().await;
        }
    };
    in_time(counted).await;
    gate.arm(true);
    port.with(|far, _| far.send.push([event_bytes(&typed(OTHER, Enter::After)), half].concat()));
    assert_eq!(next(&mut events).await, DeviceEvent::Scanned(OTHER.into()), "the one before was for nobody");
    port.unplug();
    assert!(matches!(next(&mut events).await, DeviceEvent::ScannerDown { reason } if reason.contains("plug it in")));
    port.replug().unwrap();
    assert_eq!(next(&mut events).await, DeviceEvent::ScannerUp { identity: None });
    port.with(|far, _| far.send.push(event_bytes(&typed("777", Enter::After))));
    assert_eq!(next(&mut events).await, DeviceEvent::Scanned("777".into()));
}

#[tokio::test]
async fn a_hid_pos_scanner_is_triggered_by_a_report_while_an_order_waits() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("scanner-hid");
    let port = SimPort::start(&path, Far::default()).unwrap();
    let (gate, mut events) = start(&path, Box::new(pos(DialectKind::Honeywell, TriggerKind::Host)));
    assert_eq!(next(&mut events).await, DeviceEvent::ScannerUp { identity: None });
    gate.arm(true);
    in_time(port.until(|far| far.got.len() >= 64)).await;
    assert_eq!(port.with(|far, _| far.got[..5].to_vec()), [0xFD, 0x03, 0x16, 0x54, 0x0D]);
    port.with(|far, _| far.send.push(joined("]Q1", CODE)));
    assert_eq!(next(&mut events).await, DeviceEvent::Scanned(CODE.into()));
}

#[tokio::test]
async fn what_is_no_keyboard_is_said_to_be_none() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("scanner");
    let _port = SimPort::start(&path, Far::default()).unwrap();
    let (sender, mut events) = channel(16);
    let driver = HidScanner::new(path, Box::new(keyboard(Terminator::Any)), Arc::new(Gate::new()), sender);
    tokio::spawn(driver.run());
    assert!(matches!(next(&mut events).await, DeviceEvent::ScannerDown { reason } if reason.contains("-event-kbd")));
}
