//! The boards of the tree on made-up computers.

use std::path::{Path, PathBuf};

use super::*;
use crate::cli::machine::made_up::MadeUp;

fn boards() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("boards")
}

fn file(name: &str) -> PathBuf {
    boards().join(format!("{name}.toml"))
}

fn names(answer: &Answer) -> Vec<&str> {
    answer.json["boards"].as_array().unwrap().iter().map(|board| board["name"].as_str().unwrap()).collect()
}

#[test]
fn each_supported_computer_is_recognised_and_has_what_its_board_needs() {
    let mut seen = 0;
    for known in list::boards(&boards()) {
        let board = known.board.unwrap();
        for begins in &board.about.models {
            let computer = MadeUp::of(&board, &format!("{begins} Rev 1.0"));
            let found = detect::detect(&computer.tree(), &boards());
            assert_eq!(names(&found), [known.name.as_str()], "{begins}");
            assert!(found.text.contains(&known.name), "{}", found.text);
            let checked = check::check(&computer.tree(), &file(&known.name));
            assert_eq!(checked.exit, Exit::Done, "{}", checked.text);
            seen += 1;
        }
    }
    assert!(seen >= 9, "a board for each supported computer");
}

#[test]
fn what_is_missing_is_named_with_what_is_there_instead() {
    let name = "raspberry-pi-4";
    let board = BoardSpec::read(file(name)).unwrap();
    let computer = MadeUp::of(&board, "Raspberry Pi 4 Model B Rev 1.5");
    let scanner = board.scanner.path.as_ref().unwrap().display().to_string();
    computer.remove(&scanner);
    computer.device("/dev/serial/by-id/usb-Newland_NLS-if00", 7);
    computer.file("/sys/class/gpio/gpiochip0/label", "pinctrl-rp1");
    computer.file("/boot/firmware/config.txt", "# gpio=16-21=op,dl\n");
    computer.file("/proc/9/comm", "ModemManager");
    computer.mode("/dev/tty1", 0o600);
    let checked = check::check(&computer.tree(), &file(name));
    assert_eq!(checked.exit, Exit::Refused);
    for part in [
        "BAD  scanner.path",
        "there is /dev/serial/by-id/usb-Newland_NLS-if00",
        "is not here; there is pinctrl-rp1",
        "lacks\n       gpio=16-21=op,dl",
        "BAD  in the way: ModemManager",
        "till may not open it",
        "ok   computer: Raspberry Pi 4 Model B Rev 1.5",
        "note no clock chip",
    ] {
        assert!(checked.text.contains(part), "no {part:?} in\n{}", checked.text);
    }
}

#[test]
fn a_port_that_the_kernel_writes_to_is_in_the_way_of_the_board_that_uses_it_only() {
    let of = |name: &str| {
        let board = BoardSpec::read(file(name)).unwrap();
        let computer = MadeUp::of(&board, &board.about.models[0]);
        computer.file("/proc/cmdline", "console=ttyAMA0,115200");
        check::check(&computer.tree(), &file(name)).text
    };
    assert!(of("raspberry-pi-zero-2w").contains("writes its messages to /dev/ttyAMA0"));
    assert!(!of("raspberry-pi-4").contains("its messages"));
}

#[test]
fn the_board_of_another_computer_is_refused_and_a_two_fold_chip_too() {
    let board = BoardSpec::read(file("raspberry-pi-4")).unwrap();
    let computer = MadeUp::of(&board, "Raspberry Pi 5 Model B Rev 1.0");
    computer.file("/sys/class/gpio/gpiochip9/label", "pinctrl-bcm2711");
    let checked = check::check(&computer.tree(), &file("raspberry-pi-4"));
    assert!(checked.text.contains("BAD  computer: Raspberry Pi 5"), "{}", checked.text);
    assert!(checked.text.contains("is there twice"), "{}", checked.text);
}

#[test]
fn a_wrong_file_is_reported_with_lines_and_advice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("board.toml");
    std::fs::write(
        &path,
        "name = \"x\"\n[scanner]\nkind = \"serial\"\npath = \"/dev/ttyUSB0\"\n[about]\nmodel = \"x\"\n",
    )
    .unwrap();
    let checked = check::check(&MadeUp::new("x").tree(), &path);
    assert_eq!(checked.exit, Exit::Config);
    assert_eq!(checked.json["problems"][0]["line"], 4);
    assert!(checked.text.contains("/dev/serial/by-id") && checked.text.contains("about.model"), "{}", checked.text);
}

#[test]
fn boards_are_listed_with_their_parts_and_shown_whole() {
    let listed = list::list(&boards()).unwrap();
    assert_eq!(listed.json["boards"].as_array().unwrap().len(), 10);
    assert!(listed.text.contains("display (simulator), scanner (simulator)"), "{}", listed.text);
    let shown = list::show(&boards(), "orange-pi-3b").unwrap();
    assert_eq!(shown.text, std::fs::read_to_string(file("orange-pi-3b")).unwrap());
    assert_eq!(shown.json["tested"]["vend"], "simulator");
    let unknown = list::show(&boards(), "../boards/sim").unwrap_err();
    assert!(unknown.to_string().contains("till board list"), "{unknown}");
    assert!(list::list(Path::new("/nowhere")).unwrap_err().to_string().contains("--folder"));
}

#[test]
fn a_daemon_that_answers_keeps_its_devices() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("till.sock");
    let _daemon = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let refused = safe::make_safe(&file("sim"), &socket).unwrap_err();
    assert_eq!(refused.exit(), Exit::Refused);
    assert!(refused.to_string().contains("Stop it first"), "{refused}");
}

#[test]
fn a_socket_that_this_user_may_not_open_may_have_a_daemon_behind_it() {
    let tried = |kind: io::ErrorKind| nobody_answers(Err(kind.into()), Path::new("/run/till/till.sock"), "Stop it");
    assert!(tried(io::ErrorKind::NotFound).is_ok() && tried(io::ErrorKind::ConnectionRefused).is_ok());
    let refused = tried(io::ErrorKind::PermissionDenied).unwrap_err();
    assert!(refused.exit() == Exit::Refused && refused.to_string().contains("as root"), "{refused}");
}
