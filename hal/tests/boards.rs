//! Every board file of the project is sound, wires its devices to pins that exist and are free, and makes the machine it
//! describes.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a tree without boards fails the tests, and a test passes over the events it does not ask for"
)]

mod common;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use common::{event, machine_is, open};
use hal::{
    Beep, DeviceEvent, DisplayState, Key, PrinterState, VendResult,
    board::{BoardSpec, GpioKind, KeypadKind, Part, Proof, ScannerKind, Use, VendKind},
    display::Frame,
    printer::{Item, Receipt, Style},
    sim::{bench::Bench, machine::MachineSpec},
};
use tempfile::tempdir;
use tokio::task::{JoinSet, LocalSet};

const CODE: &str = "281234567890123456";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../boards")
}

fn boards() -> Vec<(String, BoardSpec)> {
    let entries = std::fs::read_dir(folder()).expect("the boards directory");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut boards: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| {
            let board = BoardSpec::read(&path).unwrap_or_else(|errors| panic!("{errors}"));
            (path.file_stem().unwrap().to_string_lossy().into_owned(), board)
        })
        .collect();
    boards.sort_by(|one, other| one.0.cmp(&other.0));
    boards
}

/// What a board may use: the label of each chip, the lines of it that are on a header, and those among them that its system
/// uses when it is told `config` (reference/hardware.md 5.1, 5.2, 5.4; the Luckfox's from memory).
fn header(name: &str) -> Vec<(&'static str, Vec<u32>, Vec<u32>)> {
    let pi = |label, taken: &[u32]| vec![(label, (0..28).collect(), taken.to_vec())];
    const SPI0: [u32; 5] = [7, 8, 9, 10, 11];
    match name {
        "raspberry-pi-zero-2w" => pi("pinctrl-bcm2835", &[&SPI0[..], &[14, 15]].concat()),
        // The hat takes SPI0, 17, 22, 24 and 25.
        "raspberry-pi-3b-plus" => pi("pinctrl-bcm2835", &[&SPI0[..], &[2, 3, 14, 15, 17, 18, 22, 24, 25, 27]].concat()),
        "raspberry-pi-4" => pi("pinctrl-bcm2711", &[2, 3, 14, 15]),
        "raspberry-pi-5" => pi("pinctrl-rp1", &[2, 3, 14, 15]),
        // uart3 on 4 and 5, PWM on 18, the clock's I2C on 2 and 3.
        "compute-module-4" => pi("pinctrl-bcm2711", &[&SPI0[..], &[2, 3, 4, 5, 14, 15, 18]].concat()),
        "orange-pi-3b" => {
            let numbers = [
                140, 141, 147, 118, 119, 128, 130, 131, 129, 138, 136, 132, 139, 134, 126, 133, 124, 144, 127, 120,
                125, 123, 122, 121,
            ];
            let bank = |bank: u32| numbers.iter().filter(move |number| *number / 32 == bank).map(|number| number % 32);
            vec![("gpio3", bank(3).collect(), vec![]), ("gpio4", bank(4).collect(), vec![])]
        }
        "orange-pi-zero-2w" => {
            let lines = vec![
                264, 263, 269, 224, 225, 226, 257, 227, 261, 270, 228, 231, 232, 262, 230, 229, 233, 266, 265, 256,
                271, 267, 268, 258, 76, 272, 260, 259,
            ];
            // The console's UART0, and the OLED's bus.
            vec![("300b000.pinctrl", lines, vec![224, 225, 263, 264])]
        }
        "luckfox-pico" => vec![("gpio1", (16..28).collect(), vec![16, 17, 18, 24, 25])],
        "x86-kiosk" | "sim" => Vec::new(),
        other => panic!("{other} has no table of pins: add what its header has"),
    }
}

#[test]
fn every_board_in_the_tree_validates_and_none_was_ever_on_metal() {
    let boards = boards();
    assert_eq!(boards.len(), 10);
    for (name, board) in boards {
        let about = &board.about;
        for part in Part::ALL.into_iter().filter(|_| name != "sim") {
            assert_eq!(about.tested.contains_key(&part), board.has(part), "{name}: {}", part.word());
        }
        assert!(about.tested.values().all(|proof| *proof < Proof::Metal), "{name}: who ran it on a device?");
        assert_eq!(about.models.is_empty(), name == "sim", "{name}");
        assert_eq!(about.architecture.is_none(), name == "sim", "{name}");
        assert_eq!(about.notes.is_empty(), name == "sim", "{name}");
    }
}

#[test]
fn every_line_is_on_its_boards_header_and_free() {
    for (name, board) in boards() {
        let header = header(&name);
        for wired in board.lines().iter().filter(|_| name != "sim") {
            let (chip, offset) = (wired.line.chip.as_deref().unwrap(), wired.line.offset.unwrap());
            let Some((_, there, taken)) = header.iter().find(|(label, ..)| *label == chip) else {
                panic!("{name}: {} is on {chip}, which it does not have", wired.key)
            };
            assert!(there.contains(&offset), "{name}: {} is on no pin of the header", wired.key);
            assert!(!taken.contains(&offset), "{name}: {} is used by the system", wired.key);
        }
    }
}

/// The firmware of a Raspberry Pi must know each relay; where the pulls at power-on are not known, no motor hangs on a pin.
#[test]
fn no_relay_moves_before_linux_runs() {
    for (name, board) in boards() {
        let config = &board.about.config;
        for line in board.firmware_lines() {
            assert!(config.contains(&line), "{name}: {line} is missing in about.config");
        }
        let on_pins = board.lines().iter().any(|wired| wired.purpose == Use::Relay);
        if on_pins && board.gpio.kind == GpioKind::Chardev && board.firmware_lines().is_empty() {
            assert_eq!(board.vend.kind, VendKind::Pulse, "{name}");
            assert!(board.about.notes.iter().any(|note| note.contains("at power-on")), "{name}");
        }
    }
}

#[test]
fn the_boards_together_show_every_kind_of_device() {
    let boards = boards();
    let shown = |kind: &dyn Fn(&BoardSpec) -> String| -> BTreeSet<String> {
        boards.iter().map(|(_, board)| kind(board)).collect()
    };
    let words = |words: &str| words.split(' ').map(String::from).collect::<BTreeSet<_>>();
    let displays = shown(&|board| format!("{:?}", board.display.kind));
    assert_eq!(displays, words("Drm Epaper Framebuffer None Sim Spi"));
    let scanners = shown(&|board| format!("{:?}", board.scanner.kind));
    assert_eq!(scanners, words("HidPos Keyboard Serial"));
    let dialects = shown(&|board| format!("{:?}", board.scanner.dialect));
    assert_eq!(dialects, words("Auto Caret Honeywell Newland Plain Ssi Zone"));
    let vends = shown(&|board| format!("{:?}", board.vend.kind));
    assert_eq!(vends, words("Mdb Modbus None Pulse Relay Spring Xy"));
    assert_eq!(shown(&|board| format!("{:?}", board.keypad.kind)), words("Buttons Matrix None"));
    assert_eq!(shown(&|board| format!("{:?}", board.printer.kind)), words("None Serial Usb"));
    assert_eq!(shown(&|board| format!("{:?}", board.status_display.kind)), words("None Ssd1306"));
}

#[test]
fn every_board_has_its_row_in_the_table_of_what_is_supported() {
    let readme = std::fs::read_to_string(folder().join("../README.md")).unwrap();
    for (name, _) in boards() {
        assert!(readme.contains(&format!("\n| `boards/{name}.toml` |")), "{name} is not in README.md");
    }
}

/// Every part that the board names comes up by the drivers that ship, and does its work.
#[tokio::test]
async fn every_board_opens_on_simulators() {
    // Side by side: each waits for its own devices.
    let (here, mut all) = (LocalSet::new(), JoinSet::new());
    for (name, board) in boards() {
        all.spawn_local_on(opens(name, board), &here);
    }
    let opened = async {
        while let Some(opened) = all.join_next().await {
            opened.unwrap();
        }
    };
    here.run_until(opened).await;
}

async fn opens(name: String, board: BoardSpec) {
    let directory = tempdir().unwrap();
    let bench = Bench::start(&board, directory.path()).unwrap();
    assert_eq!(bench.board.validate(), [], "{name}");
    for part in Part::ALL.into_iter().filter(|part| bench.board.has(*part)) {
        println!("{name}: {}", part.word());
        comes_up(&bench, part).await;
    }
    let (devices, _events) = open(&bench.board);
    assert_eq!(devices.dead_driver(), None, "{name}: whole");
}

async fn comes_up(bench: &Bench, part: Part) {
    let (devices, mut events) = open(&bench.board.only(part));
    match part {
        Part::Display => {
            let (width, height) = devices.size().unwrap();
            devices.show(Frame::new(width, height));
            event(&mut events, |event| matches!(event, DeviceEvent::Display(DisplayState::Up)).then_some(())).await;
            machine_is(&bench.machine, |state| state.frames > 0).await;
        }
        Part::Scanner => {
            devices.arm_scanner(true);
            event(&mut events, |event| matches!(event, DeviceEvent::ScannerUp { .. }).then_some(())).await;
            bench.scan(CODE);
            let read = event(&mut events, |event| match event {
                DeviceEvent::Scanned(text) => Some(text.clone()),
                _ => None,
            });
            assert_eq!(read.await, CODE);
        }
        Part::Keypad => {
            if bench.board.keypad.kind == KeypadKind::Buttons {
                let keys = bench.board.keypad.keys.len();
                machine_is(&bench.machine, |state| state.inputs_read == keys).await;
                assert!(bench.machine.press(Key::Ok));
                event(&mut events, |event| matches!(event, DeviceEvent::Key(Key::Ok)).then_some(())).await;
            }
        }
        Part::Lamp => {
            devices.lamp(true);
            devices.beep(Beep::Success);
            let has_lamp = bench.board.lamp.line.is_some();
            let has_buzzer = bench.board.buzzer.line.is_some();
            machine_is(&bench.machine, |state| state.lamp == has_lamp && (state.beeps > 0) == has_buzzer).await;
        }
        Part::Printer => {
            event(&mut events, |event| matches!(event, DeviceEvent::Printer(PrinterState::Up)).then_some(())).await;
            let items = vec![Item::Text("你好".into(), Style::default())];
            devices.print(Receipt { items, copy: false }).unwrap();
            let printer = bench.printer.as_ref().unwrap();
            let out = async {
                while printer.with(|printer, _| printer.receipts().is_empty()) {
                    tokio::task::yield_now().await;
                }
            };
            tokio::time::timeout(common::GENEROUS, out).await.expect("the receipt came out");
        }
        Part::Vend => {
            event(&mut events, |event| matches!(event, DeviceEvent::VendReady { .. }).then_some(())).await;
            if bench.board.vend.kind == VendKind::Mdb {
                // A reader delivers only what was chosen at the machine.
                let number = bench.board.vend.slots[0].controller_number().unwrap();
                while !bench.choose(number) {
                    tokio::task::yield_now().await;
                }
                event(&mut events, |event| matches!(event, DeviceEvent::Chosen { .. }).then_some(())).await;
            }
            devices.dispense(1, &devices.slots()[0].clone(), 100).unwrap();
            let ended = event(&mut events, |event| match event {
                DeviceEvent::VendEnded { result, .. } => Some(*result),
                _ => None,
            });
            assert_eq!(ended.await, VendResult::Dropped, "{}", bench.board.name);
        }
    }
    assert_eq!(devices.dead_driver(), None);
}

#[test]
fn a_board_cut_down_to_one_part_names_no_other() {
    for (name, board) in boards() {
        for part in Part::ALL.into_iter().filter(|part| board.has(*part)) {
            let only = board.only(part);
            let named: Vec<_> = Part::ALL.into_iter().filter(|part| only.has(*part)).collect();
            assert_eq!(named, [part], "{name}");
            assert_eq!((&only.name, only.gpio.kind), (&board.name, board.gpio.kind));
        }
    }
}

#[test]
fn the_machine_of_a_board_has_its_pins() {
    for (name, board) in boards() {
        let machine = MachineSpec::from_board(&board);
        let wired = board.vend.slots.iter().filter(|slot| slot.line.is_some()).count();
        assert_eq!(machine.slots.len(), wired, "{name}");
        assert_eq!(machine.keys.len(), board.keypad.keys.len(), "{name}");
        assert_eq!(machine.other_inputs.len() + machine.other_outputs.len(), board.lines().len(), "{name}");
    }
}

#[test]
fn only_the_simulator_and_pins_by_label_are_in_the_tree() {
    for (name, board) in boards() {
        let simulated = board.gpio.kind == GpioKind::Sim || board.scanner.kind == ScannerKind::None;
        assert_eq!(simulated, name == "sim", "{name}");
    }
}

#[test]
fn the_simulator_board_has_what_the_demo_needs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../boards/sim.toml");
    let board = BoardSpec::read(path).expect("sound").relative_to(Path::new("/run/till"));
    let slots: Vec<&str> = board.vend.slots.iter().map(|slot| slot.name.as_str()).collect();
    assert_eq!(slots, ["11", "12", "13", "21", "22", "23"]);
    assert_eq!(board.keypad.keys.len(), 12);
    assert_eq!(board.display.size(), (480, 320));
    assert!(board.lamp.line.is_some() && board.buzzer.line.is_some());
    assert_eq!(board.sim.socket.as_deref(), Some(Path::new("/run/till/machine.sock")));
    assert_eq!(board.scanner.path.as_deref(), Some(Path::new("/run/till/scanner")));
}

/// The simulator's board with one block of its comments switched on.
fn with_block(section: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../boards/sim.toml");
    let mut on = false;
    let text = std::fs::read_to_string(path).expect("the board");
    let lines = text.lines().map(|line| {
        let head = line.strip_prefix("# [").map(|head| head.split(']').next().unwrap_or_default());
        on = match head {
            Some(head) => head == section || head.starts_with(&format!("{section}.")),
            None => on && line.starts_with("# "),
        };
        let shown = if on { line.strip_prefix("# ").unwrap_or(line) } else { line };
        format!("{shown}\n")
    });
    lines.collect()
}

#[test]
fn every_commented_block_of_the_simulator_board_is_a_section_with_known_keys() {
    for section in ["about", "vend.pulse", "vend.xy", "vend.modbus", "vend.spring", "vend.mdb"] {
        let text = with_block(section);
        assert!(text.contains(&format!("\n[{section}]")), "{section}");
        let Err(errors) = BoardSpec::parse(Path::new("sim.toml"), &text) else { continue };
        // Wired and not used is all that may be wrong with it.
        assert!(errors.0.iter().all(|error| error.problem.contains("not used")), "{errors}");
    }
}
