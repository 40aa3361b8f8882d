//! Every board file of the project is sound, and each makes the machine it describes.

#![expect(clippy::expect_used, reason = "a tree without boards fails the tests")]

use std::path::{Path, PathBuf};

use hal::{
    board::{BoardSpec, GpioKind},
    sim::machine::MachineSpec,
};

fn boards() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../boards");
    let entries = std::fs::read_dir(directory).expect("the boards directory");
    entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect()
}

#[test]
fn every_board_in_the_tree_validates() {
    let boards = boards();
    assert!(boards.len() >= 2, "{boards:?}");
    for path in boards {
        if let Err(errors) = BoardSpec::read(&path) {
            panic!("{errors}");
        }
    }
}

#[test]
fn every_board_can_be_simulated_with_its_own_pins() {
    for path in boards() {
        let mut board = BoardSpec::read(&path).expect("sound");
        let machine = MachineSpec::from_board(&board);
        assert_eq!(machine.slots.len(), board.vend.slots.len());
        assert_eq!(machine.keys.len(), board.keypad.keys.len());
        board.gpio.kind = GpioKind::Sim;
        let board = board.with_sim_socket("machine.sock");
        assert_eq!(board.validate(), [], "{}", path.display());
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
    for section in ["vend.pulse", "vend.xy", "vend.modbus", "vend.spring"] {
        let text = with_block(section);
        assert!(text.contains(&format!("\n[{section}]")), "{section}");
        let Err(errors) = BoardSpec::parse(Path::new("sim.toml"), &text) else { continue };
        // Wired and not used is all that may be wrong with it.
        assert!(errors.0.iter().all(|error| error.problem.contains("not used")), "{errors}");
    }
}
