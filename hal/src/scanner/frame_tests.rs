use super::*;

const CODE: &str = "281234567890123456";
const OTHER: &str = "134567890123456789";

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn framing(terminator: Terminator) -> Framing {
    Framing { terminator, ..Framing::from(&ScannerSpec::default()) }
}

/// Opened at 0; tests read from 1 s on, when nothing is stale.
fn assembler(terminator: Terminator) -> Assembler {
    Assembler::new(framing(terminator), ms(0))
}

fn texts(lines: Vec<Line>) -> Vec<String> {
    lines.into_iter().map(|line| line.text).collect()
}

fn read(assembler: &mut Assembler, at: u64, bytes: &[u8]) -> Vec<String> {
    texts(assembler.push(ms(at), bytes))
}

#[test]
fn every_split_of_two_glued_codes_gives_the_same_two_lines() {
    let stream = format!("{CODE}\r\n{OTHER}\r\n");
    for first in 0..=stream.len() {
        for second in first..=stream.len() {
            let mut assembler = assembler(Terminator::Any);
            let mut lines = Vec::new();
            let parts = [0..first, first..second, second..stream.len()];
            for (time, part) in (1000..).step_by(5).zip(parts) {
                lines.extend(read(&mut assembler, time, &stream.as_bytes()[part]));
            }
            assert_eq!(lines, [CODE, OTHER], "split at {first} and {second}");
        }
    }
}

#[test]
fn every_terminator_ends_a_line_wherever_it_is_split() {
    let cases = [
        (Terminator::Any, "\r"),
        (Terminator::Any, "\n"),
        (Terminator::Any, "\r\n"),
        (Terminator::Cr, "\r"),
        (Terminator::Lf, "\n"),
        (Terminator::Crlf, "\r\n"),
        (Terminator::Tab, "\t"),
    ];
    for (terminator, end) in cases {
        let stream = format!("{CODE}{end}{OTHER}{end}");
        for split in 0..=stream.len() {
            let mut assembler = assembler(terminator);
            let (head, tail) = stream.split_at(split);
            let mut lines = read(&mut assembler, 1000, head.as_bytes());
            lines.extend(read(&mut assembler, 1010, tail.as_bytes()));
            assert_eq!(lines, [CODE, OTHER], "{terminator:?} split at {split}");
        }
    }
}

#[test]
fn a_byte_at_a_time_is_enough() {
    let mut assembler = assembler(Terminator::Any);
    let stream = format!("]Q1{CODE}\r");
    let lines: Vec<String> =
        stream.bytes().zip(1000..).flat_map(|(byte, at)| read(&mut assembler, at, &[byte])).collect();
    assert_eq!(lines, [CODE]);
}

#[test]
fn a_line_knows_when_its_first_byte_came() {
    let mut assembler = assembler(Terminator::Any);
    assert!(assembler.push(ms(1000), b"2812").is_empty());
    let lines = assembler.push(ms(1040), b"34\r56\r");
    let began: Vec<Duration> = lines.iter().map(|line| line.began).collect();
    assert_eq!(began, [ms(1000), ms(1040)]);
}

#[test]
fn without_terminator_silence_ends_the_line() {
    let mut assembler = assembler(Terminator::None);
    assert!(read(&mut assembler, 1000, &CODE.as_bytes()[..9]).is_empty());
    assert_eq!(assembler.idle_deadline(), Some(ms(1050)));
    assert!(read(&mut assembler, 1049, &CODE.as_bytes()[9..]).is_empty());
    assert_eq!(assembler.flush(ms(1098)), None);
    let line = assembler.flush(ms(1099)).expect("silent for 50 ms");
    assert_eq!(line.text, CODE);
    assert_eq!(assembler.idle_deadline(), None);
}

#[test]
fn silence_is_noticed_by_the_next_read_as_well() {
    let mut assembler = assembler(Terminator::None);
    read(&mut assembler, 1000, CODE.as_bytes());
    assert_eq!(read(&mut assembler, 1100, OTHER.as_bytes()), [CODE]);
}

#[test]
fn cr_alone_is_no_end_where_crlf_is_asked_for() {
    let mut assembler = assembler(Terminator::Crlf);
    assert!(read(&mut assembler, 1000, b"12\r34\n56\r\n").is_empty());
    assert_eq!(assembler.noise().binary, 1);
    assert_eq!(read(&mut assembler, 1001, b"78\r\n"), ["78"]);
}

#[test]
fn a_line_too_long_is_dropped_up_to_its_end_and_the_next_is_read() {
    for terminator in [Terminator::Any, Terminator::Crlf] {
        let mut assembler = assembler(terminator);
        let long = "9".repeat(LINE_MAX + 1);
        let stream = format!("{long}{long}\r\n{CODE}\r\n");
        assert_eq!(read(&mut assembler, 1000, stream.as_bytes()), [CODE]);
        assert_eq!(assembler.noise().too_long, 1);
    }
}

#[test]
fn the_longest_line_is_still_read() {
    let mut assembler = assembler(Terminator::Any);
    let longest = "9".repeat(LINE_MAX);
    assert_eq!(read(&mut assembler, 1000, format!("{longest}\r").as_bytes()), [longest]);
}

#[test]
fn empty_lines_are_ignored() {
    let mut assembler = assembler(Terminator::Any);
    assert!(read(&mut assembler, 1000, b"\r\n\n\r   \r").is_empty());
    assert_eq!(assembler.noise(), Noise::default());
}

#[test]
fn aim_identifier_prefix_and_suffix_are_cut_off() {
    let framing = Framing { prefix: "<".into(), suffix: ">".into(), ..framing(Terminator::Any) };
    let mut assembler = Assembler::new(framing, ms(0));
    let stream = format!("<]C1{CODE}>\r]Q3{OTHER}\r]]1\r");
    assert_eq!(read(&mut assembler, 1000, stream.as_bytes()), [CODE, OTHER, "]]1"]);
}

#[test]
fn an_aim_identifier_stays_when_the_board_says_so() {
    let framing = Framing { strip_aim: false, ..framing(Terminator::Any) };
    let mut assembler = Assembler::new(framing, ms(0));
    assert_eq!(read(&mut assembler, 1000, b"]C1123\r"), ["]C1123"]);
}

#[test]
fn a_phone_held_in_view_is_read_once() {
    let mut assembler = assembler(Terminator::Any);
    let line = format!("{CODE}\r");
    assert_eq!(read(&mut assembler, 1000, line.as_bytes()), [CODE]);
    for at in [1200, 3900, 6800] {
        assert!(read(&mut assembler, at, line.as_bytes()).is_empty(), "at {at}");
    }
    assert_eq!(assembler.noise().repeated, 3);
    assert_eq!(read(&mut assembler, 9800, line.as_bytes()), [CODE]);
}

#[test]
fn another_code_passes_at_once_and_the_first_may_come_back() {
    let mut assembler = assembler(Terminator::Any);
    let stream = format!("{CODE}\r{OTHER}\r{CODE}\r");
    assert_eq!(read(&mut assembler, 1000, stream.as_bytes()), [CODE, OTHER, CODE]);
}

#[test]
fn what_waited_in_the_port_before_it_was_opened_is_dropped() {
    let mut assembler = Assembler::new(framing(Terminator::Any), ms(5000));
    let line = format!("{CODE}\r");
    assert!(read(&mut assembler, 5199, line.as_bytes()).is_empty());
    assert_eq!(assembler.noise().stale_bytes, 19);
    assert_eq!(read(&mut assembler, 5200, line.as_bytes()), [CODE]);
}

#[test]
fn half_a_code_from_before_the_unplug_is_never_joined_to_the_next() {
    let mut assembler = assembler(Terminator::Any);
    read(&mut assembler, 1000, &CODE.as_bytes()[..10]);
    assembler.reopen(ms(1500));
    assert_eq!(read(&mut assembler, 1800, format!("{OTHER}\r").as_bytes()), [OTHER]);
    assert_eq!(assembler.noise().torn, 1);
}

#[test]
fn half_a_code_followed_by_long_silence_is_dropped() {
    let mut assembler = assembler(Terminator::Any);
    read(&mut assembler, 1000, b"2812");
    assert_eq!(read(&mut assembler, 3000, b"13\r"), ["13"]);
    assert_eq!(assembler.noise().torn, 1);
}

#[test]
fn the_code_before_a_reopen_is_still_guarded() {
    let mut assembler = assembler(Terminator::Any);
    let line = format!("{CODE}\r");
    assert_eq!(read(&mut assembler, 1000, line.as_bytes()), [CODE]);
    assembler.reopen(ms(1100));
    assert!(read(&mut assembler, 1400, line.as_bytes()).is_empty());
}

#[test]
fn binary_garbage_is_counted_and_never_a_line() {
    let mut assembler = assembler(Terminator::Any);
    for byte in (0..=u8::MAX).filter(|byte| !(b' '..=b'~').contains(byte)) {
        if matches!(byte, b'\r' | b'\n') {
            continue;
        }
        let stream = [b'1', byte, b'2', b'\r'];
        assert!(read(&mut assembler, 1000, &stream).is_empty(), "{byte:02X}");
    }
    assert_eq!(assembler.noise().binary, 256 - 95 - 2);
    assert_eq!(read(&mut assembler, 1001, b"12\r"), ["12"]);
}

#[test]
fn a_line_is_never_printed_by_debug() {
    let mut assembler = assembler(Terminator::Any);
    let lines = assembler.push(ms(1000), format!("{CODE}\r").as_bytes());
    assert!(!format!("{lines:?}").contains(CODE));
}
