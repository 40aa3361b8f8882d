//! One scanner's conversation, pure: bytes, time and wishes in; bytes to send, lines and news out.
//!
//! It joins a [dialect](super::dialect) with the [line assembler](super::frame). Replies are peeled off before the assembler
//! sees them, wherever reads are cut and whatever they are glued to; a reply that does not come costs no code. A scanner that
//! answers nothing is read as a plain one: it may still send lines.

use std::{collections::VecDeque, time::Duration};

use super::{
    dialect::{self, Act, Ask, Dialect, Peel, Wants, auto},
    exchange::{Exchange, Purpose, Told},
    frame::{Assembler, Framing, Line, Noise},
    held::Held,
};
use crate::{
    board::{DialectKind, ScannerSpec},
    event::Beep,
};

/// Heartbeats of a scanner that answers them.
const BEAT: Duration = Duration::from_secs(10);
/// So many replies missed in a row, and the scanner is opened again.
const MISSES: u8 = 3;
/// After a code that did not end the order: look for the next.
const AFTER_A_CODE: Duration = Duration::from_millis(500);
/// Between the end of a read without a code and the next trigger.
const AFTER_A_READ: Duration = Duration::from_millis(100);
/// Where the scanner looks until it is stopped, it is told again now and then: it may have been restarted.
const TRIGGER_AGAIN: Duration = Duration::from_secs(30);
/// A version that is asked for only to find out who is there.
const PROBE_WITHIN: Duration = Duration::from_millis(300);
const PROBE_TRIES: u8 = 2;

/// So much of a reply is no accident any more.
const WRECK_MIN: usize = 3;
/// No text: the line that it is in is none.
const SPOIL: u8 = 0;

const NO_ANSWER: &str = "the scanner answers nothing, so it is read as a plain one and set up by nobody: compare dialect and baud \
    in [scanner] with its manual, or say dialect = \"plain\"";
const NO_FAMILY: &str = "the scanner answers no known command, so it is read as a plain one: if its maker is known, name the \
    dialect in [scanner]";

/// What comes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Output {
    /// Send this.
    Send(Vec<u8>),
    /// Go on at this speed.
    Baud(u32),
    /// A code was read.
    Line(Line),
    /// The scanner is ready; who it is, if it said so.
    Up { identity: Option<String> },
    /// For the log and its reader.
    Advice(&'static str),
    /// The scanner is mute: close the port and open it again. Why, and what to do.
    Reopen(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Closed,
    /// Asking who is there.
    Probing(DialectKind),
    SettingUp,
    Ready,
    /// Given up until the port is opened again.
    Mute,
}

/// Replies that stopped coming.
#[derive(Debug, Default)]
struct Health {
    next_beat: Option<Duration>,
    beats_missed: u8,
    triggers_missed: u8,
    /// A trigger was answered by itself before: from then on its silence says something.
    answers_triggers: bool,
    /// It fell silent while its port stayed: up again only when it answers.
    fell_silent: bool,
}

/// One scanner, over all its ports.
pub(crate) struct Session {
    wanted: DialectKind,
    wants: Wants,
    baud: u32,
    /// The speed at which the port is now.
    speed: u32,
    dialect: Box<dyn Dialect>,
    assembler: Assembler,
    held: Held,
    exchange: Exchange,
    search: auto::Search,
    found: Option<(DialectKind, u32)>,
    phase: Phase,
    /// It answered something since the port was opened.
    answered: bool,
    armed: bool,
    /// When to trigger again.
    again: Option<Duration>,
    health: Health,
    out: VecDeque<Output>,
}

impl Session {
    pub(crate) fn new(spec: &ScannerSpec, now: Duration) -> Self {
        let wants = Wants::from(spec);
        Self {
            wanted: spec.dialect,
            wants,
            baud: spec.baud,
            speed: spec.baud,
            dialect: dialect::make(DialectKind::Plain, wants),
            assembler: Assembler::new(Framing::from(spec), now),
            held: Held::default(),
            exchange: Exchange::default(),
            search: auto::Search::default(),
            found: None,
            phase: Phase::Closed,
            answered: false,
            armed: false,
            again: None,
            health: Health::default(),
            out: VecDeque::new(),
        }
    }

    /// What [`memory`](Self::memory) said before a restart is tried first. Whatever else the text is, and a speed that is not
    /// tried anyway, is ignored.
    pub(crate) fn recall(&mut self, memory: &str) {
        let wants = self.wants;
        let written = |kind, speed| written(dialect::make(kind, wants).name(), speed);
        self.found = auto::Search::new(self.wanted, self.baud, None).find(memory, written);
    }

    /// Who was found, for the time after a restart; `None`: nobody answered.
    pub(crate) fn memory(&self) -> Option<String> {
        let (_, speed) = self.found.filter(|_| self.answered)?;
        Some(written(self.dialect.name(), speed))
    }

    /// The port is open, at the board's speed.
    pub(crate) fn opened(&mut self, now: Duration) {
        self.assembler.reopen(now);
        self.held.clear();
        self.out.clear();
        self.speed = self.baud;
        self.answered = false;
        self.again = None;
        self.health = Health { fell_silent: self.health.fell_silent, ..Health::default() };
        self.search = auto::Search::new(self.wanted, self.baud, self.found);
        self.probe_next(now);
        self.go_on(now);
    }

    /// The port is gone. `pulled`: by itself, so that what is plugged in next may be another one.
    pub(crate) fn closed(&mut self, pulled: bool) {
        self.phase = Phase::Closed;
        self.health.fell_silent &= !pulled;
        self.out.clear();
    }

    /// Bytes came, cut anywhere.
    pub(crate) fn received(&mut self, now: Duration, bytes: &[u8]) {
        if self.held.bytes().is_empty() {
            let line = self.assembler.flush(now);
            self.line(now, line);
        }
        self.held.push(now, bytes);
        self.sort(now, false);
        self.exchange.heard(now, self.held.due());
        self.go_on(now);
    }

    /// An order waits for a code from now on, or does not any more.
    pub(crate) fn armed(&mut self, now: Duration, armed: bool) {
        let changed = std::mem::replace(&mut self.armed, armed) != armed;
        if !changed || self.phase == Phase::Closed {
            return;
        }
        match (armed, self.phase) {
            (true, Phase::Ready) => self.trigger(),
            (false, Phase::Ready) => self.stop(),
            (true | false, Phase::Closed | Phase::Probing(_) | Phase::SettingUp | Phase::Mute) => {}
        }
        self.go_on(now);
    }

    /// Has the scanner beep, where it can and the board wants to hear it.
    pub(crate) fn beep(&mut self, now: Duration, beep: Beep) {
        let act = match beep {
            Beep::Success => Act::BeepGood,
            Beep::Error => Act::BeepBad,
            Beep::Key | Beep::Scan => return,
        };
        if self.phase == Phase::Ready && self.wants.beep == Some(true) {
            self.say(Purpose::Beep, act);
            self.go_on(now);
        }
    }

    /// Something is due; it may come a little late, never early.
    pub(crate) fn woken(&mut self, now: Duration) {
        if self.held.due().is_some_and(|due| due <= now) {
            self.sort(now, true);
        }
        if self.held.bytes().is_empty() {
            let line = self.assembler.flush(now);
            self.line(now, line);
        }
        if self.again.is_some_and(|again| again <= now) {
            self.trigger();
        }
        if self.health.next_beat.is_some_and(|beat| beat <= now) {
            self.health.next_beat = Some(now + BEAT);
            self.say(Purpose::Heartbeat, Act::Heartbeat);
        }
        self.go_on(now);
    }

    /// When [`woken`](Self::woken) is to be called.
    pub(crate) fn due(&self) -> Option<Duration> {
        if self.phase == Phase::Closed {
            return None;
        }
        let line = if self.held.bytes().is_empty() { self.assembler.idle_deadline() } else { self.held.due() };
        let talk = if self.phase == Phase::Mute { None } else { self.exchange.due() };
        [line, talk, self.again, self.health.next_beat].into_iter().flatten().min()
    }

    /// The next thing to do, in order.
    pub(crate) fn output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// What was not passed on so far.
    pub(crate) fn noise(&self) -> Noise {
        self.assembler.noise()
    }

    /// How many bytes are not sorted yet.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn held(&self) -> usize {
        self.held.bytes().len()
    }

    /// Tells replies from codes. `over`: nothing more belongs to what is held.
    fn sort(&mut self, now: Duration, over: bool) {
        while !self.held.bytes().is_empty() {
            let between = self.assembler.is_between_lines();
            match self.dialect.peel(self.held.bytes(), between) {
                Peel::More if !over => return,
                Peel::More => self.wreck(),
                Peel::Text => self.text(),
                Peel::Reply(length) => {
                    let reply = self.held.take(length);
                    self.reply(now, &reply);
                }
                Peel::Message { length, code, answer, spoilt } => {
                    let began = self.held.began().unwrap_or(now);
                    self.held.take(length);
                    self.message(now, began, code, answer);
                    if spoilt {
                        self.spoil(began);
                    }
                }
            }
        }
    }

    /// A reply that never became whole. What comes behind it cannot be told from it, so the line that it is in is spoilt.
    fn wreck(&mut self) {
        let began = self.held.began().filter(|_| self.held.bytes().len() >= WRECK_MIN);
        if let Some(began) = began {
            self.spoil(began);
        }
        self.text();
    }

    fn spoil(&mut self, at: Duration) {
        for line in self.assembler.push(at, &[SPOIL]) {
            self.line(at, Some(line));
        }
    }

    /// The first byte is a code's.
    fn text(&mut self) {
        if let Some((at, byte)) = self.held.pop() {
            for line in self.assembler.push(at, &[byte]) {
                self.line(at, Some(line));
            }
        }
    }

    fn message(&mut self, now: Duration, began: Duration, code: Option<Vec<u8>>, answer: Option<Vec<u8>>) {
        self.known();
        self.out.extend(answer.map(Output::Send));
        let line = code.and_then(|code| self.assembler.whole(began, now, &code));
        self.line(now, line);
    }

    /// The scanner speaks this dialect at this speed.
    fn known(&mut self) {
        self.answered = true;
        if let Phase::Probing(kind) = self.phase {
            self.found = Some((kind, self.speed));
            self.phase = Phase::SettingUp;
        }
    }

    fn line(&mut self, now: Duration, line: Option<Line>) {
        let Some(line) = line else { return };
        self.out.push_back(Output::Line(line));
        self.search.keep_to(self.speed);
        self.health.triggers_missed = 0;
        self.health.fell_silent = false;
        if self.again.is_some() {
            self.again = Some(now + AFTER_A_CODE);
        }
    }

    fn reply(&mut self, now: Duration, reply: &[u8]) {
        let dialect = &self.dialect;
        match self.exchange.reply(now, |asked| dialect.fits(asked, reply)) {
            Some(Purpose::SetUp) => {
                self.known();
                self.dialect.answered(Some(reply));
            }
            Some(Purpose::Trigger) => {
                self.health.triggers_missed = 0;
                // A reply that comes along with a code says nothing about those that come without.
                self.health.answers_triggers |= self.held.bytes().is_empty();
                self.triggered(now);
            }
            Some(Purpose::Heartbeat) => self.health.beats_missed = 0,
            Some(Purpose::Stop | Purpose::Beep) | None => {}
        }
    }

    /// Does what can be done now.
    fn go_on(&mut self, now: Duration) {
        while self.phase != Phase::Mute {
            if self.exchange.is_idle() && matches!(self.phase, Phase::SettingUp) {
                match self.dialect.next() {
                    Some(ask) => self.exchange.ask(Purpose::SetUp, ask),
                    None => self.set_up(now),
                }
            }
            match self.exchange.poll(now) {
                Some(Told::Send(bytes)) => self.out.push_back(Output::Send(bytes)),
                Some(Told::Done(purpose)) => self.through(now, purpose),
                Some(Told::Silent(purpose)) => self.silent(now, purpose),
                None => return,
            }
        }
    }

    fn through(&mut self, now: Duration, purpose: Purpose) {
        match purpose {
            Purpose::Trigger => self.triggered(now),
            Purpose::SetUp | Purpose::Stop | Purpose::Beep | Purpose::Heartbeat => {}
        }
    }

    fn silent(&mut self, now: Duration, purpose: Purpose) {
        match purpose {
            Purpose::SetUp if matches!(self.phase, Phase::Probing(_)) => self.probe_next(now),
            Purpose::SetUp => self.dialect.answered(None),
            Purpose::Trigger => {
                self.health.triggers_missed += 1;
                let mute = self.health.answers_triggers && self.health.triggers_missed >= MISSES;
                if mute {
                    self.mute("does not answer the trigger any more");
                } else {
                    self.triggered(now);
                }
            }
            Purpose::Heartbeat => {
                self.health.beats_missed += 1;
                if self.health.beats_missed >= MISSES {
                    self.mute("does not answer any more");
                }
            }
            Purpose::Stop | Purpose::Beep => {}
        }
    }

    /// Tries the next family or speed.
    fn probe_next(&mut self, now: Duration) {
        self.exchange.reset(now);
        let Some((kind, speed)) = self.search.next() else { return self.found_nobody() };
        self.set_speed(speed);
        self.dialect = dialect::make(kind, self.wants);
        self.phase = Phase::Probing(kind);
        if let Some(ask) = self.dialect.next() {
            let known = self.wanted != DialectKind::Auto || self.found == Some((kind, speed));
            let ask = if known { ask } else { Ask { within: PROBE_WITHIN, tries: PROBE_TRIES, ..ask } };
            self.exchange.ask(Purpose::SetUp, ask);
        }
    }

    /// Nobody told a version. A named family is set up all the same, as far as it answers.
    fn found_nobody(&mut self) {
        self.set_speed(self.baud);
        self.dialect = dialect::make(self.wanted, self.wants);
        self.phase = Phase::SettingUp;
        match self.wanted {
            DialectKind::Plain => {}
            DialectKind::Auto => self.out.push_back(Output::Send(auto::ENABLE.to_vec())),
            DialectKind::Zone
            | DialectKind::Newland
            | DialectKind::Honeywell
            | DialectKind::Ssi
            | DialectKind::Caret => {
                if self.dialect.next().is_some() {
                    self.dialect.answered(None);
                }
            }
        }
    }

    fn set_speed(&mut self, speed: u32) {
        if std::mem::replace(&mut self.speed, speed) != speed {
            self.out.push_back(Output::Baud(speed));
        }
    }

    fn set_up(&mut self, now: Duration) {
        if self.health.fell_silent && !self.answered {
            return self.mute("answers nothing");
        }
        self.health.fell_silent = false;
        self.wants.save &= !self.dialect.saved();
        self.advise();
        self.phase = Phase::Ready;
        self.out.push_back(Output::Up { identity: self.identity() });
        self.health.next_beat = self.dialect.beats().then(|| now + BEAT);
        if self.armed {
            self.trigger();
        }
    }

    fn advise(&mut self) {
        let silence = match self.wanted {
            DialectKind::Plain => None,
            DialectKind::Auto => Some(NO_FAMILY),
            DialectKind::Zone
            | DialectKind::Newland
            | DialectKind::Honeywell
            | DialectKind::Ssi
            | DialectKind::Caret => Some(NO_ANSWER),
        };
        let advice = if self.answered { self.dialect.advice() } else { silence };
        self.out.extend(advice.map(Output::Advice));
    }

    fn identity(&self) -> Option<String> {
        let name = self.dialect.name();
        self.answered.then(|| self.dialect.version().map_or(name.to_owned(), |version| format!("{name}, {version}")))
    }

    fn say(&mut self, purpose: Purpose, act: Act) {
        if let Some(ask) = self.dialect.act(act) {
            self.exchange.ask(purpose, ask);
        }
    }

    fn trigger(&mut self) {
        self.again = None;
        if self.wants.host {
            self.exchange.forget(Purpose::Stop);
            self.say(Purpose::Trigger, Act::Trigger);
        }
    }

    fn stop(&mut self) {
        self.again = None;
        if self.wants.host {
            self.exchange.forget(Purpose::Trigger);
            self.say(Purpose::Stop, Act::Stop);
        }
    }

    /// The scanner looks for a code now, and will stop by itself.
    fn triggered(&mut self, now: Duration) {
        if self.armed {
            let read = self.dialect.read_time();
            self.again = Some(now + if read.is_zero() { TRIGGER_AGAIN } else { read + AFTER_A_READ });
        }
    }

    fn mute(&mut self, seen: &'static str) {
        self.phase = Phase::Mute;
        self.again = None;
        self.health.next_beat = None;
        self.health.fell_silent = true;
        self.out.push_back(Output::Reopen(seen));
    }
}

/// A dialect and a speed, as a line.
fn written(name: &str, speed: u32) -> String {
    format!("{name} {speed}\n")
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
