use std::path::Path;

use super::*;

const SOUND: &str = r#"
name = "bench"
[display]
kind = "memory"
width = 320
height = 240
rotation = 90
[scanner]
kind = "serial"
path = "/dev/serial/by-id/usb-scanner"
[gpio]
kind = "chardev"
[vend]
kind = "relay"
drop_sensor = { name = "GPIO24", bias = "pull-up", active_low = true }
[[vend.slots]]
name = "11"
line = { chip = "pinctrl-bcm2711", offset = 17 }
[keypad]
kind = "buttons"
[[keypad.keys]]
key = "ok"
line = { name = "GPIO10" }
"#;

fn parse(text: &str) -> Result<BoardSpec, BoardErrors> {
    BoardSpec::parse(Path::new("bench.toml"), text)
}

fn problems(text: &str) -> Vec<BoardProblem> {
    parse(text).expect_err("the board is wrong").0
}

fn keys(text: &str) -> Vec<String> {
    problems(text).into_iter().map(|problem| problem.key).collect()
}

#[test]
fn a_sound_board_is_read_with_its_defaults() {
    let board = parse(SOUND).expect("sound");
    assert_eq!(board.display.size(), (240, 320));
    assert_eq!(board.scanner.baud, 9600);
    assert_eq!(board.vend.max_on_ms, 4000);
    assert_eq!(board.lines().len(), 3);
    assert_eq!(board.vend.slots[0].line.as_ref().map(LineSpec::id), Some("pinctrl-bcm2711:17".into()));
}

#[test]
fn every_section_reports_its_own_shape_error_with_line_and_key() {
    let text = SOUND
        .replace("width = 320", "widht = 320")
        .replace("kind = \"serial\"", "kind = \"serial\"\nbaud = \"fast\"")
        .replace("[keypad]", "[keyboard]\n[keypad]");
    let found = problems(&text);
    let places: Vec<(Option<usize>, &str)> = found.iter().map(|problem| (problem.line, problem.key.as_str())).collect();
    assert_eq!(places, [(Some(5), "display.widht"), (Some(10), "scanner.baud"), (Some(20), "keyboard"),], "{found:#?}");
}

#[test]
fn a_wrong_key_deep_in_a_section_is_named_whole() {
    let cases = [
        (SOUND.replace("offset = 17", "offset = \"17\""), "vend.slots[0].line.offset", 18),
        (SOUND.replace("offset = 17", "ofset = 17"), "vend.slots[0].line.ofset", 18),
        (SOUND.replace("bias = \"pull-up\"", "bias = \"up\""), "vend.drop_sensor.bias", 15),
    ];
    for (text, key, line) in cases {
        let found = problems(&text);
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!((found[0].key.as_str(), found[0].line), (key, Some(line)), "{found:#?}");
    }
}

#[test]
fn every_failed_check_is_reported_at_once_with_its_line() {
    let text = SOUND
        .replace("name = \"11\"", "name = \"too long name\"")
        .replace("path = \"/dev/serial/by-id/usb-scanner\"", "path = \"/dev/ttyACM0\"")
        .replace("offset = 17", "offset = 2")
        .replace("key = \"ok\"", "key = \"enter\"")
        .replace("height = 240", "height = 24");
    let found = problems(&text);
    let places: Vec<(Option<usize>, &str)> = found.iter().map(|problem| (problem.line, problem.key.as_str())).collect();
    assert_eq!(
        places,
        [
            (Some(6), "display.height"),
            (Some(10), "scanner.path"),
            (Some(17), "vend.slots[0].name"),
            (Some(18), "vend.slots[0].line"),
            (Some(22), "keypad.keys[0].key"),
        ],
        "{found:#?}"
    );
}

#[test]
fn a_line_used_twice_names_both_users() {
    let found = problems(&SOUND.replace("GPIO10", "GPIO24"));
    assert_eq!(found.len(), 1);
    assert!(found[0].problem.contains("keypad.keys[0].line"), "{found:?}");
}

#[test]
fn a_slot_without_a_relay_and_a_missing_sensor_are_problems() {
    let text = SOUND
        .replace("line = { chip = \"pinctrl-bcm2711\", offset = 17 }", "")
        .replace("drop_sensor = { name = \"GPIO24\", bias = \"pull-up\", active_low = true }", "");
    assert_eq!(keys(&text), ["vend.drop_sensor", "vend.slots[0].line"]);
}

#[test]
fn a_scanner_is_told_only_what_it_can_be_told() {
    let scanner = |lines: &str| SOUND.replace("kind = \"serial\"", lines);
    let cases = [
        ("kind = \"serial\"\ntrigger = \"host\"", vec!["scanner.trigger"]),
        ("kind = \"serial\"\ndialect = \"auto\"\ntrigger = \"host\"\nbeep = true\nsetup = false", vec![]),
        ("kind = \"serial\"\ndialect = \"7e\"\nled = true", vec![]),
        ("kind = \"serial\"\ndialect = \"auto\"\nled = false", vec![]),
        ("kind = \"serial\"\ndialect = \"ssi\"\nled = true", vec!["scanner.led"]),
        ("kind = \"keyboard\"\ndialect = \"newland\"", vec!["scanner.dialect"]),
        ("kind = \"hidpos\"\ndialect = \"auto\"", vec!["scanner.dialect"]),
        ("kind = \"hidpos\"\ndialect = \"honeywell\"\ntrigger = \"host\"", vec![]),
        ("kind = \"serial\"\ndialect = \"gm65\"", vec!["scanner.dialect"]),
    ];
    for (lines, wrong) in cases {
        let found: Vec<String> = parse(&scanner(lines))
            .err()
            .map_or_else(Vec::new, |errors| errors.0.into_iter().map(|problem| problem.key).collect());
        assert_eq!(found, wrong, "{lines}");
    }
}

#[test]
fn numbered_devices_of_every_kind_of_scanner_are_refused_with_the_place_of_better_names() {
    for (kind, path, place) in [
        ("serial", "/dev/ttyUSB0", "/dev/serial/by-id"),
        ("keyboard", "/dev/input/event3", "-event-kbd"),
        ("hidpos", "/dev/hidraw0", "/dev/pay/scanner-hid"),
    ] {
        let text = SOUND.replace("kind = \"serial\"", &format!("kind = \"{kind}\""));
        let found = problems(&text.replace("/dev/serial/by-id/usb-scanner", path));
        assert!(found[0].key == "scanner.path" && found[0].advice.contains(place), "{found:?}");
    }
}

#[test]
fn lines_without_a_backend_are_a_problem() {
    assert_eq!(keys(&SOUND.replace("kind = \"chardev\"", "kind = \"none\"")), ["gpio.kind"]);
}

#[test]
fn rppal_knows_only_bcm_numbers() {
    let text = SOUND.replace("kind = \"chardev\"", "kind = \"rppal\"").replace("GPIO10", "PH4");
    assert_eq!(keys(&text), ["keypad.keys[0].line"]);
}

#[test]
fn a_rotation_that_no_panel_has_is_refused() {
    let found = problems(&SOUND.replace("rotation = 90", "rotation = 45"));
    assert_eq!(found[0].key, "display.rotation");
    assert!(found[0].problem.contains("0, 90, 180, 270"), "{found:?}");
}

#[test]
fn broken_toml_names_the_line() {
    let found = problems("name = \"x\"\n[display\nkind = 3\n");
    assert_eq!(found[0].line, Some(2), "{found:?}");
}

#[test]
fn a_missing_file_says_what_to_check() {
    let error = BoardSpec::read("/nonexistent/board.toml").expect_err("missing");
    assert!(error.to_string().contains("--board"), "{error}");
}

#[test]
fn relative_paths_are_resolved_in_the_runtime_directory() {
    let board = parse(&SOUND.replace("/dev/serial/by-id/usb-scanner", "scanner"))
        .expect("sound")
        .with_sim_socket("machine.sock")
        .relative_to(Path::new("/run/till"));
    assert_eq!(board.scanner.path.as_deref(), Some(Path::new("/run/till/scanner")));
    assert_eq!(board.sim.socket.as_deref(), Some(Path::new("/run/till/machine.sock")));
}

#[test]
fn what_prints_and_sounds_is_read_with_its_defaults() {
    let text = format!(
        "{SOUND}{}",
        r#"
[buzzer]
pwm = { device = "fe20c000.pwm", channel = 1 }
[printer]
kind = "usb"
path = "/dev/usb/lp0"
columns = 48
[sound]
folder = "/usr/share/till/sounds"
"#
    );
    let board = parse(&text).expect("sound");
    assert_eq!((board.buzzer.frequency_hz, board.buzzer.pwm.map(|pwm| pwm.channel)), (2700, Some(1)));
    assert_eq!((board.printer.kind, board.printer.cut, board.printer.status), (PrinterKind::Usb, Cut::Partial, true));
    assert_eq!((board.sound.player.to_str(), board.sound.limit_ms), (Some("aplay"), 5000));
}

#[test]
fn what_prints_and_sounds_is_checked() {
    let cases = [
        ("[buzzer]\nline = { name = \"GPIO9\" }\npwm = { device = \"a.pwm\" }", "buzzer.pwm"),
        ("[buzzer]\npwm = { channel = 1 }", "buzzer.pwm"),
        ("[buzzer]\nfrequency_hz = 27000", "buzzer.frequency_hz"),
        ("[printer]\nkind = \"usb\"", "printer.path"),
        ("[printer]\ncolumns = 8", "printer.columns"),
        ("[printer]\npatience_ms = 5", "printer.patience_ms"),
        ("[printer]\nrequired = true", "printer.required"),
        ("[printer]\nkind = \"usb\"\npath = \"/dev/usb/lp0\"\nrequired = true\nstatus = false", "printer.required"),
        ("[sound]\nfolder = \"sounds\"", "sound.folder"),
        ("[sound]\nlimit_ms = 0", "sound.limit_ms"),
    ];
    for (text, key) in cases {
        assert_eq!(keys(&format!("{SOUND}{text}\n")), [key], "{text}");
    }
}

#[test]
fn a_matrix_names_every_crossing_once() {
    let keypad = |layout: &str| {
        let matrix = format!(
            "kind = \"matrix\"\nrows = [{{ name = \"GPIO5\" }}]\n\
             columns = [{{ name = \"GPIO12\" }}, {{ name = \"GPIO13\" }}]\nlayout = {layout}\n"
        );
        let (before, _) = SOUND.split_once("kind = \"buttons\"").expect("a keypad");
        format!("{before}{matrix}")
    };
    let board = parse(&keypad("[\"1\", \"\"]")).expect("sound");
    assert_eq!(board.lines().iter().filter(|wired| wired.key.starts_with("keypad.")).count(), 3);
    assert_eq!(keys(&keypad("[\"1\"]")), ["keypad.layout"]);
    assert_eq!(keys(&keypad("[\"1\", \"1\"]")), ["keypad.layout[1]"]);
    assert_eq!(keys(&keypad("[\"1\", \"start\"]")), ["keypad.layout[1]"]);
    assert_eq!(keys(&SOUND.replace("kind = \"buttons\"", "kind = \"buttons\"\nlayout = [\"1\"]")), ["keypad.kind"]);
}

/// A board whose slots a controller on a serial line drives.
fn controlled(kind: &str, section: &str) -> String {
    format!(
        "name = \"bench\"\n[vend]\nkind = \"{kind}\"\n{section}\n[[vend.slots]]\nname = \"11\"\n\
         [[vend.slots]]\nname = \"A1\"\nnumber = 21\n"
    )
}

#[test]
fn each_controller_is_read_with_its_defaults_and_its_slots_numbers() {
    let bauds = VendSpec::default();
    assert_eq!((bauds.xy.baud, bauds.modbus.baud, bauds.spring.baud), (57_600, 9600, 9600));
    for kind in ["xy", "modbus", "spring"] {
        let board = parse(&controlled(kind, &format!("[vend.{kind}]\npath = \"/dev/ttyS1\""))).expect(kind);
        let numbers: Vec<_> = board.vend.slots.iter().map(SlotSpec::controller_number).collect();
        assert_eq!(numbers, [Some(11), Some(21)]);
        assert_eq!(keys(&controlled(kind, "")), [format!("vend.{kind}.path")]);
        let usb = format!("[vend.{kind}]\npath = \"/dev/ttyUSB0\"\nbaud = 1234");
        assert_eq!(keys(&controlled(kind, &usb)), [format!("vend.{kind}.path"), format!("vend.{kind}.baud")]);
    }
}

#[test]
fn slots_of_a_controller_have_one_number_each_and_no_line() {
    let text = controlled("xy", "[vend.xy]\npath = \"/dev/ttyS1\"");
    assert_eq!(keys(&text.replace("number = 21", "number = 11")), ["vend.slots[1].number"]);
    assert_eq!(keys(&text.replace("number = 21", "number = 1000")), ["vend.slots[1].number"]);
    assert_eq!(keys(&text.replace("number = 21", "")), ["vend.slots[1].number"]);
    let wired =
        text.replace("number = 21", "number = 21\nline = { name = \"GPIO17\" }") + "[gpio]\nkind = \"chardev\"\n";
    assert_eq!(keys(&wired), ["vend.slots[1].line"]);
}

#[test]
fn a_register_map_that_cannot_tell_one_vend_from_the_next_is_refused() {
    let map = |more: &str| {
        let registers = format!("[vend.modbus.registers]\nrun = 5\nstatus = 6\n{more}");
        controlled(
            "modbus",
            &format!("without_sensor = \"dropped\"\n[vend.modbus]\npath = \"/dev/ttyS1\"\n{registers}"),
        )
    };
    assert_eq!(keys(&map("")), ["vend.modbus.registers"]);
    let counted = parse(&map("runs = 7")).expect("sound").vend.modbus.registers;
    assert_eq!((counted.runs, counted.fell, counted.clear), (Some(7), None, None));
    parse(&map("clear = { register = 6, value = 0 }")).expect("sound");
    assert_eq!(keys(&map("runs = 7").replace("without_sensor = \"dropped\"", "")), ["vend.without_sensor"]);
    assert_eq!(keys(&map("runs = 700")), ["vend.modbus.registers"]);
    let coils = |run: &str| map("coils = true\nruns = 7").replace("run = 5", run);
    parse(&coils("run = 65514")).expect("the last coil is 65535");
    assert_eq!(keys(&coils("run = 65515")), ["vend.slots[1].number"]);
    assert_eq!(keys(&map("runs = 7\nfell = { register = 8, bit = 16 }")), ["vend.modbus.registers.fell"]);
}

#[test]
fn pulses_want_a_line_and_the_length_of_a_coin() {
    let text = SOUND
        .replace("kind = \"relay\"", "kind = \"pulse\"")
        .replace("drop_sensor", "pulse.line")
        .replace(", active_low = true", "");
    parse(&text).expect("sound");
    assert_eq!(keys(&text.replace("kind = \"pulse\"", "kind = \"pulse\"\npulse.on_ms = 10")), ["vend.pulse.on_ms"]);
    let bare = text.replace("pulse.line = { name = \"GPIO24\", bias = \"pull-up\" }", "");
    parse(&bare).expect("the slot has a line of its own");
    let none = bare.replace("line = { chip = \"pinctrl-bcm2711\", offset = 17 }", "");
    assert_eq!(keys(&none), ["vend.slots[0].line"]);
    let board = parse(&text).expect("sound");
    assert_eq!((board.vend.refuses_price(300), board.vend.refuses_price(350).is_some()), (None, true));
    assert_eq!(parse(SOUND).expect("sound").vend.refuses_price(350), None);
}

#[test]
fn an_mdb_reader_wants_a_port_and_numbers_that_the_bus_can_say() {
    const MDB: &str = r#"
name = "bench"
[vend]
kind = "mdb"
[vend.mdb]
path = "/dev/serial/by-id/usb-Qibixx"
[[vend.slots]]
name = "A1"
number = 0x0102
[[vend.slots]]
name = "5"
"#;
    let board = parse(MDB).expect("sound");
    assert_eq!(board.vend.slots[0].controller_number(), Some(258));
    assert!(board.vend.machine_chooses());
    let with = |key: &str| MDB.replace("path =", &format!("{key}\npath ="));
    assert_eq!(keys(&MDB.replace("path = \"/dev/serial/by-id/usb-Qibixx\"", "")), ["vend.mdb.path"]);
    assert_eq!(keys(&MDB.replace("number = 0x0102", "")), ["vend.slots[0].number"]);
    assert_eq!(keys(&MDB.replace("0x0102", "5")), ["vend.slots[1].number"]);
    assert_eq!(
        keys(&MDB.replace("number", "line = { name = \"GPIO17\" }\nnumber")),
        ["gpio.kind", "vend.slots[0].line"]
    );
    let cases = [
        ("device = 3", "device"),
        ("level = 4", "level"),
        ("scale = 0", "scale"),
        ("decimals = 3", "decimals"),
        ("scale = 5\ndecimals = 0", "decimals"),
        ("baud = 9601", "baud"),
        ("max_response_s = 5", "max_response_s"),
        ("select_within_s = 0", "select_within_s"),
        ("result_within_s = 1", "result_within_s"),
        ("setconf = [\"mdb-x\"]", "setconf"),
        ("scale = 10\nidle_credit_fen = 1005", "idle_credit_fen"),
        ("idle_credit_fen = 65535", "idle_credit_fen"),
    ];
    for (line, key) in cases {
        assert_eq!(keys(&with(line)), [format!("vend.mdb.{key}")], "{line}");
    }
    for line in ["scale = 50\ndecimals = 1", "decimals = 0", "scale = 5\ndecimals = 0\nadapter = \"hex\""] {
        assert!(parse(&with(line)).is_ok(), "{line}");
    }
    // The amounts on offer are no places in the machine, and it never asks first.
    let amounts = with("mode = \"pay_first\"");
    assert_eq!(keys(&amounts), ["vend.slots[0].number"]);
    let board = parse(&amounts.replace("number = 0x0102", "")).expect("sound");
    assert!(!board.vend.machine_chooses());
    let jiao = parse(&with("scale = 10")).expect("sound").vend;
    assert_eq!((jiao.refuses_price(350), jiao.refuses_price(355).is_some()), (None, true));
}

#[test]
fn a_relay_that_is_on_at_power_on_is_refused_whichever_way_its_driver_works() {
    let cases = [(17, "", 0), (17, ", active_low = true", 1), (5, "", 1), (5, ", active_low = true", 0), (14, "", 1)];
    for (offset, inverted, problems) in cases {
        let text = SOUND.replace("offset = 17", &format!("offset = {offset}{inverted}"));
        assert_eq!(parse(&text).map_or_else(|errors| errors.0.len(), |_| 0), problems, "{offset}{inverted}");
    }
}

/// Each wrong display, with the key that is named and a word of the advice.
#[test]
fn a_panel_that_could_not_work_is_refused_with_what_to_do() {
    const TFT: &str = r#"
kind = "spi"
controller = "ili9341"
spi = "/dev/spidev0.0"
dc = { name = "GPIO25" }
reset = { name = "GPIO27", active_low = true }
width = 240
height = 320
light = { line = { name = "GPIO18" } }
"#;
    const EPAPER: &str = r#"
kind = "epaper"
controller = "ssd1680"
spi = "/dev/spidev0.0"
dc = { name = "GPIO25" }
reset = { name = "GPIO17", active_low = true }
busy = { name = "GPIO22" }
width = 122
height = 250
rotation = 90
"#;
    let with = |display: &str| {
        let (head, rest) = SOUND.split_once("[display]").expect("a display");
        let (_, rest) = rest.split_once("[scanner]").expect("a scanner");
        format!("{head}[display]{display}[scanner]{rest}")
    };
    assert_eq!(parse(&with(TFT)).expect("sound").display.size(), (240, 320));
    assert_eq!(parse(&with(EPAPER)).expect("sound").display.size(), (250, 122));
    let wrong = [
        (TFT, "active_low = true", "", "display.reset", "active_low = true"),
        (TFT, "dc = { name = \"GPIO25\" }", "", "display.dc", "dc ="),
        (TFT, "spi = \"/dev/spidev0.0\"", "", "display.spi", "spidev"),
        (TFT, "controller = \"ili9341\"", "", "display.controller", "st7789"),
        (TFT, "\"ili9341\"", "\"ssd1680\"", "display.controller", "st7789"),
        (TFT, "width = 240\nheight = 320", "width = 320\nheight = 240", "display.width", "rotation = 90"),
        (TFT, "width = 240", "width = 240\noffset_x = 1", "display.width", "as the panel is made"),
        (TFT, "width", "speed_hz = 80_000_000\nwidth", "display.speed_hz", "40000000"),
        (TFT, "width", "spi_mode = 1\nwidth", "display.spi_mode", "3"),
        (TFT, "width", "init = [[0x36, 0x08], []]\nwidth", "display.init", "argument"),
        (TFT, "width", "brightness = 40\nwidth", "display.brightness", "pwm"),
        (TFT, "line = { name = \"GPIO18\" }", "", "display.light", "backlight"),
        (TFT, "GPIO18", "GPIO25", "display.light.line", "its own line"),
        (TFT, "width", "blank_after_s = 1\nwidth", "display.blank_after_s", "10"),
        (EPAPER, "\"ssd1680\"", "\"ssd1680-red\"", "display.controller", "black-and-white"),
        (EPAPER, "width", "blank_after_s = 60\nwidth", "display.blank_after_s", "remove"),
        (EPAPER, "busy = { name = \"GPIO22\" }", "", "display.busy", "when a picture is done"),
        (EPAPER, "reset = { name = \"GPIO17\", active_low = true }", "", "display.reset", "wakes it"),
    ];
    for (text, from, to, key, advice) in wrong {
        let found = problems(&with(&text.replacen(from, to, 1)));
        assert_eq!(found.len(), 1, "{from} -> {to}: {found:#?}");
        assert_eq!(found[0].key, key, "{found:#?}");
        assert!(found[0].advice.contains(advice), "{found:#?}");
    }
}

#[test]
fn a_status_display_needs_a_bus_and_an_address_that_such_displays_have() {
    let text = format!("{SOUND}[status_display]\nkind = \"ssd1306\"\naddress = 0x27\nheight = 48\n");
    assert_eq!(keys(&text), ["status_display.path", "status_display.address", "status_display.height"]);
    let sound = format!("{SOUND}[status_display]\nkind = \"sh1106\"\npath = \"/dev/i2c-1\"\n");
    assert_eq!(parse(&sound).expect("sound").status_display.address, 0x3C);
}
