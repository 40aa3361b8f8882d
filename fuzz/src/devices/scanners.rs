//! Scanners: every family's conversation over a serial line, typing scanners, HID POS.

use std::time::Duration;

use super::script::{Due, Step, pass, steps};
use crate::{
    board::{DialectKind, ScannerSpec, Terminator, TriggerKind},
    event::Beep,
    scanner::{
        frame::{LINE_MAX, Line},
        hid::{
            Reports,
            keyboard::{EVENT, Keyboard},
            pos::{Pos, REPORT},
        },
        session::{Output, Session},
    },
};

const KINDS: [DialectKind; 7] = [
    DialectKind::Plain,
    DialectKind::Auto,
    DialectKind::Zone,
    DialectKind::Newland,
    DialectKind::Honeywell,
    DialectKind::Ssi,
    DialectKind::Caret,
];

/// No command of any family is longer.
const COMMAND_MAX: usize = 96;
/// More than any reply or message.
const HELD_MAX: usize = 1024;

/// Of the first two bytes one chooses the scanner, the other how the board wants it. What follows are steps, 8 ms a unit.
pub fn any(data: &[u8]) {
    let Some((&[choice, ways], rest)) = data.split_first_chunk::<2>() else { return };
    let spec = spec(choice, ways);
    let steps = steps(rest);
    match choice % 9 {
        7 => {
            let keyboard = || Typed::new(Box::new(Keyboard::new(&spec, START)), false);
            assert!(keyboard().run(&steps, true) == keyboard().run(&steps, false), "split reads type other lines");
        }
        8 => drop(Typed::new(Box::new(Pos::new(&spec, START)), true).run(&steps, true)),
        // How long a probe waits depends on when its reply began, so that split reads may find out at another time who is there.
        1 => drop(Talk::new(&spec).run(&steps, ways & 0x80 == 0)),
        _ => alike(&Talk::new(&spec).run(&steps, true), &Talk::new(&spec).run(&steps, false)),
    }
}

/// Split reads make the same conversation; but that a reply to a trigger came alone is a sign of health, so that one of the two
/// may give the scanner up, and from there on they differ.
fn alike(whole: &[Output], split: &[Output]) {
    let lines = |said: &[Output]| -> Vec<Line> {
        let kept = said.iter().take_while(|output| !matches!(output, Output::Reopen(_)));
        kept.filter_map(|output| if let Output::Line(line) = output { Some(line.clone()) } else { None }).collect()
    };
    let reopened = [whole, split].map(|said| said.iter().any(|output| matches!(output, Output::Reopen(_))));
    let (whole, split) = (lines(whole), lines(split));
    let common = whole.len().min(split.len());
    let same = if reopened.contains(&true) { whole[..common] == split[..common] } else { whole == split };
    assert!(same, "split reads are another conversation");
}

const START: Duration = Duration::from_secs(1);

fn spec(choice: u8, ways: u8) -> ScannerSpec {
    let has = |bit: u8| ways & bit != 0;
    let terminators = [Terminator::Any, Terminator::Cr, Terminator::None, Terminator::Tab];
    ScannerSpec {
        dialect: KINDS[usize::from(if choice % 9 < 7 { choice % 9 } else { ways >> 5 }) % KINDS.len()],
        trigger: if has(1) { TriggerKind::Host } else { TriggerKind::Scanner },
        setup: !has(2),
        beep: has(4).then_some(true),
        terminator: terminators[usize::from(ways >> 3) % 4],
        double_read_ms: 0,
        stale_ms: 0,
        ..ScannerSpec::default()
    }
}

/// What must hold of every line: text, from bytes that came, begun when one of them came.
struct Heard {
    bytes: usize,
    letters: usize,
    times: Vec<Duration>,
}

impl Heard {
    fn check(&mut self, line: &Line) {
        let text = &line.text;
        assert!((1..=LINE_MAX).contains(&text.len()), "{} characters", text.len());
        assert!(text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && text.trim() == text, "no text");
        assert!(self.times.contains(&line.began), "begun when nothing came: whom does it pay?");
        self.letters += text.len();
        assert!(self.letters <= self.bytes, "{} letters out of {} bytes", self.letters, self.bytes);
    }
}

/// A conversation over a serial line.
struct Talk {
    plain: bool,
    session: Session,
    heard: Heard,
    said: Vec<Output>,
}

impl Talk {
    fn new(spec: &ScannerSpec) -> Self {
        let mut talk = Self {
            plain: spec.dialect == DialectKind::Plain,
            session: Session::new(spec, START),
            heard: Heard { bytes: 0, letters: 0, times: Vec::new() },
            said: Vec::new(),
        };
        talk.session.opened(START);
        talk.collect(START);
        talk
    }

    fn run(mut self, steps: &[Step<'_>], glued: bool) -> Vec<Output> {
        let mut now = START;
        for step in steps {
            let next = now + Duration::from_millis(u64::from(step.pause) * 8);
            pass(&mut self, now, next);
            now = next;
            let before = self.said.len();
            match step.what % 8 {
                0 => self.session.armed(now, true),
                1 => self.session.armed(now, false),
                2 => self.reopen(now, step.byte(0) & 1 == 1),
                3 => self.session.beep(now, if step.byte(0) & 1 == 1 { Beep::Success } else { Beep::Error }),
                _ => self.received(now, step.bytes, glued),
            }
            self.collect(now);
            let answers = self.said.len() - before;
            assert!(answers <= 12 + 2 * step.bytes.len(), "{answers} answers to {} bytes", step.bytes.len());
        }
        pass(&mut self, now, now + Duration::from_secs(60));
        self.said
    }

    fn received(&mut self, now: Duration, bytes: &[u8], glued: bool) {
        self.heard.bytes += bytes.len();
        self.heard.times.push(now);
        let size = if glued { bytes.len().max(1) } else { 1 };
        for part in bytes.chunks(size) {
            self.session.received(now, part);
            self.collect(now);
            assert!(self.session.held() <= HELD_MAX, "{} bytes are kept", self.session.held());
        }
    }

    fn reopen(&mut self, now: Duration, pulled: bool) {
        self.session.closed(pulled);
        assert_eq!(self.session.due(), None, "due while it is closed");
        self.session.opened(now);
    }
}

impl Due for Talk {
    fn due(&self) -> Option<Duration> {
        self.session.due()
    }

    fn woken(&mut self, now: Duration) {
        self.session.woken(now);
    }

    fn collect(&mut self, now: Duration) {
        while let Some(output) = self.session.output() {
            match &output {
                Output::Send(bytes) => {
                    assert!(!self.plain, "a plain scanner is told something");
                    assert!((1..=COMMAND_MAX).contains(&bytes.len()), "a command of {} bytes", bytes.len());
                }
                Output::Line(line) => self.heard.check(line),
                Output::Up { identity } => {
                    let shown = identity.as_deref().unwrap_or_default();
                    assert!(shown.len() <= 100 && shown.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{shown}");
                }
                Output::Reopen(_) => self.reopen(now, false),
                Output::Baud(_) | Output::Advice(_) => {}
            }
            self.said.push(output);
        }
    }
}

/// A scanner whose reports come whole.
struct Typed {
    reports: Box<dyn Reports>,
    pos: bool,
    heard: Heard,
    lines: Vec<Line>,
}

impl Typed {
    fn new(mut reports: Box<dyn Reports>, pos: bool) -> Self {
        reports.opened(START);
        Self { reports, pos, heard: Heard { bytes: 0, letters: 0, times: Vec::new() }, lines: Vec::new() }
    }

    fn run(mut self, steps: &[Step<'_>], glued: bool) -> Vec<Line> {
        let mut now = START;
        for step in steps {
            let next = now + Duration::from_millis(u64::from(step.pause) * 8);
            pass(&mut self, now, next);
            now = next;
            match step.what % 8 {
                0 => self.reports.armed(now, true),
                1 => self.reports.armed(now, false),
                2 => self.reports.opened(now),
                3 => self.received(now, step.bytes, glued),
                _ if self.pos => self.received(now, &report(step), true),
                _ => self.received(now, &keys(step.bytes), glued),
            }
            self.collect(now);
        }
        pass(&mut self, now, now + Duration::from_secs(60));
        self.lines
    }

    fn received(&mut self, now: Duration, bytes: &[u8], glued: bool) {
        self.heard.bytes += bytes.len();
        self.heard.times.push(now);
        for part in bytes.chunks(if glued { bytes.len().max(1) } else { 1 }) {
            let lines = self.reports.received(now, part);
            self.take(lines);
        }
    }

    fn take(&mut self, lines: Vec<Line>) {
        lines.iter().for_each(|line| self.heard.check(line));
        self.lines.extend(lines);
    }
}

impl Due for Typed {
    fn due(&self) -> Option<Duration> {
        self.reports.due()
    }

    fn woken(&mut self, now: Duration) {
        let lines = self.reports.woken(now);
        self.take(lines);
    }

    fn collect(&mut self, _: Duration) {
        while let Some(command) = self.reports.to_send() {
            assert!(self.pos && command.len() == REPORT, "{} bytes are no report", command.len());
            assert!(
                command.get(1).is_some_and(|length| usize::from(*length) <= REPORT - 2),
                "it says more than it holds"
            );
        }
    }
}

/// Key events: each byte a key, pressed, or with the highest bit released.
fn keys(bytes: &[u8]) -> Vec<u8> {
    let event = |byte: &u8| {
        let mut event = vec![0; EVENT - 8];
        event.extend(1_u16.to_ne_bytes());
        event.extend(u16::from(byte & 0x7F).to_ne_bytes());
        event.extend(i32::from(byte & 0x80 == 0).to_ne_bytes());
        event
    };
    bytes.iter().flat_map(event).collect()
}

/// A report with a code in it, of which the step says whether it goes on.
fn report(step: &Step<'_>) -> Vec<u8> {
    let content = step.bytes.get(..56).unwrap_or(step.bytes);
    let length = u8::try_from(content.len()).unwrap_or_default();
    let mut report = [&[2, length, b']', b'Q', b'1'], content].concat();
    report.resize(REPORT, 0);
    if let Some(last) = report.last_mut() {
        *last = step.what >> 3 & 1;
    }
    report
}
