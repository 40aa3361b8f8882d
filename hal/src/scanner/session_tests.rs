use super::*;
use crate::{
    board::{ScannerKind, TriggerKind},
    sim::{
        dice::Dice,
        port::Device,
        scanner::{
            Mode, Scanner,
            caret::CaretScanner,
            faults::{Faults, Faulty},
            honeywell::HoneywellScanner,
            newland::NewlandScanner,
            ssi::SsiScanner,
            zone::ZoneScanner,
        },
    },
};

const CODE: &str = "281234567890123456";
const OTHER: &str = "134567890123456789";

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn spec(dialect: DialectKind, trigger: TriggerKind) -> ScannerSpec {
    ScannerSpec { kind: ScannerKind::Serial, dialect, trigger, ..ScannerSpec::default() }
}

/// A session and a scanner on one line, with made-up time.
struct Bench<D> {
    session: Session,
    scanner: D,
    now: Duration,
    lines: Vec<String>,
    ups: Vec<Option<String>>,
    advice: Vec<&'static str>,
    reopened: Vec<&'static str>,
    sent: Vec<(Duration, Vec<u8>)>,
    /// Reads are cut by it.
    cuts: Option<Dice>,
}

impl<D: Scanner> Bench<D> {
    fn new(spec: &ScannerSpec, scanner: D) -> Self {
        let mut bench = Self::unopened(spec, scanner);
        bench.open();
        bench
    }

    fn unopened(spec: &ScannerSpec, scanner: D) -> Self {
        let now = ms(1000);
        Self {
            session: Session::new(spec, now),
            scanner,
            now,
            lines: Vec::new(),
            ups: Vec::new(),
            advice: Vec::new(),
            reopened: Vec::new(),
            sent: Vec::new(),
            cuts: None,
        }
    }

    fn open(&mut self) {
        self.scanner.host_speed(self.session.baud);
        self.session.opened(self.now);
        self.carry();
    }

    /// Carries bytes both ways until nobody has any.
    fn carry(&mut self) {
        loop {
            let mut moved = false;
            while let Some(output) = self.session.output() {
                moved = true;
                match output {
                    Output::Send(bytes) => {
                        self.sent.push((self.now, bytes.clone()));
                        self.scanner.received(self.now, &bytes);
                    }
                    Output::Baud(baud) => self.scanner.host_speed(baud),
                    Output::Line(line) => self.lines.push(line.text),
                    Output::Up { identity } => self.ups.push(identity),
                    Output::Advice(advice) => self.advice.push(advice),
                    Output::Reopen(why) => {
                        self.reopened.push(why);
                        self.session.closed(false);
                        self.open();
                    }
                }
            }
            while let Some(bytes) = self.scanner.to_send() {
                moved = true;
                self.deliver(&bytes);
            }
            if !moved {
                return;
            }
        }
    }

    fn deliver(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let most = rest.len() as u64;
            let length = self.cuts.as_mut().map_or(most, |cuts| 1 + cuts.roll(most));
            let (part, tail) = rest.split_at(usize::try_from(length).unwrap());
            self.session.received(self.now, part);
            rest = tail;
        }
    }

    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        let mut steps = 0;
        loop {
            self.carry();
            let due = self.session.due().into_iter().chain(self.scanner.due()).min();
            let Some(due) = due.filter(|due| *due <= end) else { break };
            steps += 1;
            assert!(steps < 100_000, "it spins at {:?}", self.now);
            self.now = self.now.max(due);
            if self.session.due().is_some_and(|due| due <= self.now) {
                self.session.woken(self.now);
            }
            if self.scanner.due().is_some_and(|due| due <= self.now) {
                self.scanner.woken(self.now);
            }
        }
        self.now = end;
    }

    fn ready(mut self) -> Self {
        self.run(ms(15_000));
        assert_eq!(self.ups.len(), 1, "{:?}", self.advice);
        self
    }

    fn arm(&mut self, armed: bool) {
        self.session.armed(self.now, armed);
        self.run(ms(300));
    }

    fn show(&mut self, code: &str) {
        self.scanner.show(self.now, Some(code));
        self.run(ms(300));
        self.scanner.show(self.now, None);
        self.run(ms(300));
    }

    fn replug(&mut self) {
        self.session.closed(true);
        self.now += ms(500);
        self.open();
    }

    fn sent_words(&self) -> Vec<String> {
        self.sent.iter().map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned()).collect()
    }
}

/// Does this with a scanner of each family, named by it and by `auto`, at the factory's speed.
macro_rules! for_each_family {
    ($trigger:expr, |$bench:ident| $body:block) => {{
        for named in [true, false] {
            let of = |kind| spec(if named { kind } else { DialectKind::Auto }, $trigger);
            {
                let mut $bench = Bench::new(&of(DialectKind::Zone), ZoneScanner::default()).ready();
                $body
            }
            {
                let mut $bench = Bench::new(&of(DialectKind::Newland), NewlandScanner::default()).ready();
                $body
            }
            {
                let mut $bench = Bench::new(&of(DialectKind::Honeywell), HoneywellScanner::default()).ready();
                $body
            }
            {
                let mut $bench = Bench::new(&of(DialectKind::Ssi), SsiScanner::default()).ready();
                $body
            }
            {
                let mut $bench = Bench::new(&of(DialectKind::Caret), CaretScanner::default()).ready();
                $body
            }
        }
    }};
}

#[path = "session_fuzz.rs"]
mod fuzz;
#[path = "session_health.rs"]
mod health;
#[path = "session_memory.rs"]
mod memory;

#[test]
fn every_family_says_who_it_is_and_reads() {
    let mut names = Vec::new();
    for_each_family!(TriggerKind::Scanner, |bench| {
        bench.show(CODE);
        bench.show(OTHER);
        assert_eq!(bench.lines, [CODE, OTHER], "{:?}", bench.ups);
        assert!(bench.advice.is_empty(), "{:?}", bench.advice);
        names.push(bench.ups.remove(0).unwrap());
    });
    let five = [
        "7e, version 64",
        "newland, Product Name: NLS-FM430  Firmware: 1.02",
        "honeywell, Product Name: Voyager 1450g  Boot Revision: CA000064BBC",
        "ssi, NBRFMAAC 00 SE2707",
        "caret",
    ];
    assert_eq!(names, [five, five].concat());
}

#[test]
fn where_the_host_triggers_a_scanner_reads_while_an_order_waits_and_is_dark_otherwise() {
    for_each_family!(TriggerKind::Host, |bench| {
        bench.show(CODE);
        assert!(bench.lines.is_empty(), "{:?} read while nobody waited", bench.ups);
        bench.arm(true);
        bench.show(CODE);
        assert_eq!(bench.lines, [CODE], "{:?}", bench.ups);
        bench.arm(false);
        bench.show(OTHER);
        assert_eq!(bench.lines, [CODE], "{:?} read after the order", bench.ups);
        bench.arm(true);
        bench.show(OTHER);
        assert_eq!(bench.lines, [CODE, OTHER], "{:?}", bench.ups);
    });
}

#[test]
fn a_read_that_timed_out_is_started_again_while_the_order_waits() {
    for_each_family!(TriggerKind::Host, |bench| {
        bench.arm(true);
        bench.run(ms(60_000));
        bench.scanner.show(bench.now, Some(CODE));
        bench.run(ms(1000));
        assert_eq!(bench.lines, [CODE], "{:?}", bench.ups);
        assert!(bench.reopened.is_empty());
        bench.arm(false);
        let sent = bench.sent.len();
        bench.scanner.show(bench.now, None);
        bench.run(ms(9000));
        assert!(bench.sent.len() <= sent + 1, "{:?} goes on talking to an idle scanner", bench.ups);
    });
}

#[test]
fn after_a_code_that_ended_no_order_the_next_one_is_read() {
    for_each_family!(TriggerKind::Host, |bench| {
        bench.arm(true);
        bench.show(CODE);
        bench.run(ms(700));
        bench.show(OTHER);
        assert_eq!(bench.lines, [CODE, OTHER], "{:?}", bench.ups);
    });
}

#[test]
fn wherever_reads_are_cut_the_lines_are_the_same() {
    for seed in 0..60 {
        for_each_family!(TriggerKind::Host, |bench| {
            bench.cuts = Some(Dice::new(seed));
            bench.replug();
            bench.run(ms(6000));
            for code in [CODE, OTHER] {
                bench.arm(true);
                bench.show(code);
                bench.arm(false);
            }
            assert_eq!(bench.lines, [CODE, OTHER], "seed {seed} {:?}", bench.ups);
        });
    }
}

#[test]
fn an_acknowledgement_glued_to_a_code_is_peeled_off_at_every_cut() {
    let glued = b"\x02\x00\x00\x01\x00\x33\x31281234567890123456\r";
    for cut in 0..=glued.len() {
        let spec = spec(DialectKind::Zone, TriggerKind::Host);
        let mut bench = Bench::new(&spec, ZoneScanner::default()).ready();
        bench.session.received(bench.now, &glued[..cut]);
        bench.now += ms(90);
        bench.session.received(bench.now, &glued[cut..]);
        bench.carry();
        assert_eq!(bench.lines, [CODE], "cut at {cut}");
    }
}

#[test]
fn a_reply_that_never_becomes_whole_costs_at_most_its_own_line() {
    let spec = spec(DialectKind::Zone, TriggerKind::Scanner);
    let mut bench = Bench::new(&spec, ZoneScanner::default()).ready();
    bench.deliver(b"\x02\x00\x00\x08");
    bench.run(ms(3000));
    bench.show(CODE);
    assert_eq!(bench.lines, [CODE]);
    bench.deliver(format!("\x02\x00\x00\x08{CODE}\r{OTHER}\r").as_bytes());
    bench.run(ms(500));
    assert_eq!(bench.lines, [CODE, OTHER]);
}

#[test]
fn a_reply_that_does_not_come_swallows_no_code() {
    let spec = spec(DialectKind::Zone, TriggerKind::Host);
    let mut bench = Bench::new(&spec, ZoneScanner::default()).ready();
    bench.scanner.mute = true;
    bench.session.armed(bench.now, true);
    for length in [1, 7, 18] {
        let code = &CODE[..length];
        bench.deliver(format!("{code}\r").as_bytes());
        bench.run(ms(100));
        assert_eq!(bench.lines.last().map(String::as_str), Some(code));
    }
}

#[test]
fn half_a_code_before_the_unplug_is_never_joined_to_what_comes_after() {
    for_each_family!(TriggerKind::Scanner, |bench| {
        bench.session.received(bench.now, &CODE.as_bytes()[..9]);
        bench.replug();
        bench.run(ms(15_000));
        bench.show(OTHER);
        assert_eq!(bench.lines, [OTHER], "{:?}", bench.ups);
        assert_eq!(bench.ups.len(), 2);
    });
}

#[test]
fn codes_that_come_while_nobody_knows_who_is_there_are_read() {
    let spec = spec(DialectKind::Auto, TriggerKind::Scanner);
    let mut bench = Bench::new(&spec, ZoneScanner::mute());
    let mut shown = Vec::new();
    while bench.ups.is_empty() {
        let code = format!("28{:016}", bench.now.as_micros());
        bench.show(&code);
        // In the first 200 ms it is stale by right.
        shown.push(code);
    }
    assert_eq!(bench.ups, [None]);
    assert_eq!(bench.lines, shown[1..], "of {} codes", shown.len());
    assert!(bench.advice[0].contains("plain"), "{:?}", bench.advice);
    assert_eq!(bench.sent.last().unwrap().1, b"E", "what the words' letters did to another family is undone");
}

#[test]
fn who_was_there_is_asked_first_when_it_is_plugged_in_again() {
    let spec = spec(DialectKind::Auto, TriggerKind::Scanner);
    let mut bench = Bench::new(&spec, HoneywellScanner::default()).ready();
    bench.sent.clear();
    bench.replug();
    bench.run(ms(3000));
    assert_eq!(bench.ups.len(), 2);
    assert!(bench.sent_words().iter().all(|words| words.starts_with("\x16M\r")), "{:?}", bench.sent_words());
}

#[test]
fn a_scanner_at_the_other_usual_speed_is_found() {
    for wanted in [DialectKind::Auto, DialectKind::Zone] {
        let mut scanner = ZoneScanner::default();
        scanner.wire.speed = 115_200;
        let mut bench = Bench::new(&spec(wanted, TriggerKind::Scanner), scanner).ready();
        assert!(bench.ups[0].is_some(), "{wanted:?}");
        bench.show(CODE);
        assert_eq!(bench.lines, [CODE]);
    }
}

#[test]
fn a_scanner_that_answers_nothing_is_read_as_a_plain_one_and_the_reason_told() {
    for kind in [DialectKind::Zone, DialectKind::Newland, DialectKind::Honeywell, DialectKind::Ssi, DialectKind::Caret]
    {
        let mute = ZoneScanner::mute();
        let mut bench = Bench::new(&spec(kind, TriggerKind::Host), mute).ready();
        assert_eq!(bench.ups, [None], "{kind:?}");
        assert!(bench.advice[0].contains("answers nothing"), "{:?}", bench.advice);
        bench.arm(true);
        bench.show(CODE);
        bench.run(ms(60_000));
        bench.show(OTHER);
        assert_eq!(bench.lines, [CODE, OTHER], "{kind:?}");
        assert!(bench.reopened.is_empty(), "{kind:?}");
    }
}

#[test]
fn flash_is_written_once_and_only_where_something_differs() {
    let spec = ScannerSpec { beep: Some(false), ..spec(DialectKind::Zone, TriggerKind::Host) };
    let mut bench = Bench::new(&spec, ZoneScanner::default()).ready();
    assert_eq!((bench.scanner.zone(0), bench.scanner.saves, bench.scanner.writes), (0x91, 1, 1));
    assert_eq!(bench.scanner.flash[&0], 0x91);
    bench.replug();
    bench.run(ms(6000));
    assert_eq!((bench.scanner.saves, bench.scanner.writes), (1, 1));
    // One that forgets what it saved is set again, and its flash is left in peace.
    bench.scanner.flash.insert(0, 0xD2);
    bench.scanner.power_cycle(bench.now);
    bench.replug();
    bench.run(ms(6000));
    assert_eq!((bench.scanner.zone(0), bench.scanner.saves), (0x91, 1));
}

#[test]
fn the_led_of_a_7e_scanner_is_switched_as_the_board_wants_it_and_nothing_else() {
    // Of a scanner whose LED is on and of one whose LED is off.
    for (before, led, after) in [
        (0xD2, None, 0xD2),
        (0xD2, Some(true), 0xD2),
        (0xD2, Some(false), 0x52),
        (0x52, None, 0x52),
        (0x52, Some(true), 0xD2),
        (0x52, Some(false), 0x52),
    ] {
        let mut scanner = ZoneScanner::default();
        scanner.zones.insert(0, before);
        let spec = ScannerSpec { led, ..spec(DialectKind::Zone, TriggerKind::Scanner) };
        let mut bench = Bench::new(&spec, scanner).ready();
        bench.show(CODE);
        let lit = u32::from(after & 0x80 != 0);
        assert_eq!((bench.scanner.zone(0), bench.scanner.flashes), (after, lit), "{led:?} from {before:02X}");
        assert_eq!(bench.scanner.saves, u32::from(before != after));
    }
}

#[test]
fn only_the_wanted_bits_of_a_zone_change() {
    for (terminator, before, after) in [
        (crate::board::Terminator::Any, 0x00, 0x01),
        (crate::board::Terminator::Any, 0x9D, 0x09),
        (crate::board::Terminator::Any, 0x21, 0x21),
        (crate::board::Terminator::Crlf, 0x03, 0x23),
        (crate::board::Terminator::Tab, 0x01, 0x41),
        (crate::board::Terminator::None, 0x01, 0x00),
    ] {
        let spec = ScannerSpec { terminator, ..spec(DialectKind::Zone, TriggerKind::Scanner) };
        let mut scanner = ZoneScanner::default();
        scanner.zones.insert(0x0060, before);
        let bench = Bench::new(&spec, scanner).ready();
        assert_eq!(bench.scanner.zone(0x0060), after, "{terminator:?} from {before:02X}");
        assert_eq!(bench.scanner.zone(0), 0xD2);
    }
}

#[test]
fn families_with_passing_settings_are_set_without_wearing_anything() {
    let spec_of = |kind| ScannerSpec { beep: Some(false), ..spec(kind, TriggerKind::Host) };
    let newland = Bench::new(&spec_of(DialectKind::Newland), NewlandScanner::default()).ready().scanner;
    let set = ["SCNMOD", "SETUPE", "GRBENA"].map(|tag| newland.value(tag).unwrap());
    assert_eq!((set, newland.kept), ([0, 0, 0], 0));
    let honeywell = Bench::new(&spec_of(DialectKind::Honeywell), HoneywellScanner::default()).ready().scanner;
    assert_eq!((honeywell.value("TRGMOD"), honeywell.value("BEPBEP"), honeywell.kept), (Some(0), Some(0), 0));
    let ssi = Bench::new(&spec_of(DialectKind::Ssi), SsiScanner::default()).ready().scanner;
    assert_eq!((ssi.parameter(0x8A), ssi.parameter(0xEE), ssi.kept), (8, 1, 0));
    let caret = Bench::new(&spec_of(DialectKind::Caret), CaretScanner::default()).ready().scanner;
    assert_eq!((caret.beeps, caret.saves), (false, 0));
}

#[test]
fn without_setup_nothing_is_set_and_the_version_is_asked_for_all_the_same() {
    let spec_of = |kind| ScannerSpec { setup: false, beep: Some(false), ..spec(kind, TriggerKind::Scanner) };
    let zone = Bench::new(&spec_of(DialectKind::Zone), ZoneScanner::default()).ready();
    assert_eq!((zone.scanner.writes, zone.scanner.saves, zone.ups[0].is_some()), (0, 0, true));
    let newland = Bench::new(&spec_of(DialectKind::Newland), NewlandScanner::default()).ready();
    assert_eq!((newland.scanner.value("SETUPE"), newland.ups[0].is_some()), (Some(1), true));
    let ssi = Bench::new(&spec_of(DialectKind::Ssi), SsiScanner::default()).ready();
    assert_eq!(ssi.scanner.parameter(0xEE), 0);
}

#[test]
fn a_buyers_set_up_code_does_not_reprogram_a_newland_scanner() {
    let spec = spec(DialectKind::Newland, TriggerKind::Scanner);
    let mut bench = Bench::new(&spec, NewlandScanner::default()).ready();
    bench.scanner.show_setup_code("SCNMOD", 0);
    assert_eq!(bench.scanner.value("SCNMOD"), Some(3));
    bench.scanner.power_cycle(bench.now);
    bench.replug();
    bench.run(ms(3000));
    bench.scanner.show_setup_code("SCNMOD", 0);
    assert_eq!(bench.scanner.value("SCNMOD"), Some(3), "also after it lost its power");
}

#[test]
fn commands_are_paced_and_a_slow_reply_is_waited_for() {
    for_each_family!(TriggerKind::Host, |bench| {
        bench.arm(true);
        bench.arm(false);
        let times: Vec<Duration> =
            bench.sent.iter().filter(|(_, bytes)| bytes.get(1) != Some(&0xD0)).map(|(at, _)| *at).collect();
        assert!(times.windows(2).all(|two| two[1] >= two[0] + ms(50)), "{:?} {times:?}", bench.ups);
    });
    let slow = NewlandScanner::slow(ms(400));
    let bench = Bench::new(&spec(DialectKind::Newland, TriggerKind::Host), slow).ready();
    assert!(bench.ups[0].is_some() && bench.scanner.value("SCNMOD") == Some(0));
}

#[test]
fn the_second_answer_to_a_repeated_question_is_not_taken_for_that_to_the_next() {
    // Slower than a question's patience: every reply comes when the question was said again, and a second one follows.
    let bench = Bench::new(&spec(DialectKind::Zone, TriggerKind::Host), ZoneScanner::slow(ms(600))).ready();
    assert!(bench.ups[0].is_some());
    assert_eq!((bench.scanner.zone(0), bench.scanner.zone(0x0060), bench.scanner.zone(0x0006)), (0xD1, 0x01, 0x32));
}

#[test]
fn a_packet_that_is_sent_again_counts_once() {
    let spec = spec(DialectKind::Ssi, TriggerKind::Scanner);
    let mut bench = Bench::new(&spec, SsiScanner::default()).ready();
    assert_eq!(bench.scanner.parameter(0xEE), 1);
    bench.scanner.show(bench.now, Some(CODE));
    // The acknowledgement gets lost: nobody carries it.
    while let Some(bytes) = bench.scanner.to_send() {
        bench.session.received(bench.now, &bytes);
    }
    while let Some(output) = bench.session.output() {
        if let Output::Line(line) = output {
            bench.lines.push(line.text);
        }
    }
    // Later than the double-read guard would help.
    bench.session.assembler = Assembler::new(Framing::from(&spec), bench.now);
    bench.run(ms(7000));
    assert_eq!(bench.lines, [CODE]);
    assert_eq!((bench.scanner.errors, bench.scanner.needless_acks), (0, 0), "the repeat was acknowledged");
}

#[test]
fn a_code_in_a_packet_says_who_is_there_as_well_as_a_version() {
    let spec = spec(DialectKind::Ssi, TriggerKind::Scanner);
    let mut bench = Bench::new(&spec, ZoneScanner::mute());
    bench.run(ms(300));
    let packet = b"\x17\xF3\x00\x00\x03134567890123456789\xFB\x3B";
    bench.deliver(packet);
    bench.run(ms(15_000));
    assert_eq!(
        (bench.lines.as_slice(), bench.ups.as_slice()),
        ([OTHER.into()].as_slice(), [Some("ssi".into())].as_slice())
    );
}

#[test]
fn raw_codes_of_an_ssi_scanner_are_never_acknowledged() {
    let spec = ScannerSpec { setup: false, ..spec(DialectKind::Ssi, TriggerKind::Scanner) };
    let mut bench = Bench::new(&spec, SsiScanner::default()).ready();
    bench.sent.clear();
    bench.show(CODE);
    bench.show("A");
    assert_eq!(bench.lines, [CODE, "A"]);
    assert!(bench.sent.is_empty(), "{:?}", bench.sent);
}

#[test]
fn a_sleeping_ssi_scanner_loses_only_the_byte_that_wakes_it() {
    let spec = spec(DialectKind::Ssi, TriggerKind::Host);
    let mut bench = Bench::new(&spec, SsiScanner::default()).ready();
    bench.run(ms(30_000));
    bench.arm(true);
    assert_eq!(bench.scanner.eye.triggers, 1);
}

#[test]
fn a_scanner_beeps_for_the_host_where_the_board_wants_it() {
    for (beep, heard) in [(Some(true), 1), (Some(false), 0), (None, 0)] {
        let spec = ScannerSpec { beep, ..spec(DialectKind::Ssi, TriggerKind::Scanner) };
        let mut bench = Bench::new(&spec, SsiScanner::default()).ready();
        bench.session.beep(bench.now, Beep::Success);
        bench.session.beep(bench.now, Beep::Key);
        bench.run(ms(300));
        assert_eq!(bench.scanner.beeps, heard, "{beep:?}");
    }
}

#[test]
fn a_scanner_in_command_mode_that_nobody_triggers_is_told_of() {
    let mut scanner = ZoneScanner::default();
    scanner.zones.insert(0, 0xD1);
    scanner.eye.mode = Mode::OnCommand;
    let bench = Bench::new(&spec(DialectKind::Zone, TriggerKind::Scanner), scanner).ready();
    assert!(bench.advice[0].contains("trigger = \"host\""), "{:?}", bench.advice);
}
