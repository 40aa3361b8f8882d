//! The session with a text adapter: its settings, its states, our orders (reference/hardware.md 3.4). The adapter is the
//! reader on the bus; what it has delivered we know by its lines alone.

use std::{collections::VecDeque, time::Duration};

use super::{
    link::{Heard, Link, Trouble},
    money::{Money, UNKNOWN},
    text_line::{Line, Lines, Machine, parse},
};

/// The adapter answers a setting at once.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
/// Between tries with an adapter that does not answer.
const TRY_AGAIN: Duration = Duration::from_secs(5);
/// Tries before it is said to be silent.
const TRIES: u32 = 3;
/// An order that crossed a line of the adapter is answered within this.
const CROSSING: Duration = Duration::from_secs(2);
/// A denied request or a stopped session is over within this.
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// The machine shows a credit within this.
const BEGIN_WITHIN: Duration = Duration::from_secs(5);
/// After some tries it is asked less often.
const BEGIN_AGAIN: Duration = Duration::from_mins(1);
/// A machine that has not enabled us for so long: a line may have been lost, so the adapter is set up again.
const REVIVE: Duration = Duration::from_mins(3);
/// After this much silence the adapter is asked whether it is still on: a hat on a UART reboots without a sign.
const CHECK_AFTER: Duration = Duration::from_mins(1);
/// If being asked switches it off, it is not asked more often than this.
const CHECK_AFTER_MAX: Duration = Duration::from_hours(1);
const CHECK_WITHIN: Duration = Duration::from_secs(5);

/// What the adapter is told at every start; it forgets all of it at power-off.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// 10 for cashless 1, 60 for cashless 2.
    pub(crate) address: u8,
    pub(crate) money: Money,
    pub(crate) max_response_s: u8,
    pub(crate) always_idle: bool,
    pub(crate) cash_sales: bool,
    /// Further `name=value` of the board file.
    pub(crate) more: Vec<String>,
}

impl Settings {
    /// Everything from off to on, in order.
    fn lines(&self) -> Vec<String> {
        let set = |name: &str, value: &dyn std::fmt::Display| format!("C,SETCONF,mdb-{name}={value}");
        let mut lines = vec![
            "C,0".to_owned(),
            format!("C,SETCONF,mdb-addr={:#04x}", self.address),
            set("currency-code", &"0x1156"),
            set("scale-factor", &self.money.scale),
            set("decimal-places", &self.money.decimals),
            set("timeout", &self.max_response_s),
            set("timeout-vend", &self.max_response_s),
            set("restore-funds", &1),
            set("cashsale-enabled", &u8::from(self.cash_sales)),
            set("always-idle", &u8::from(self.always_idle)),
        ];
        lines.extend(self.more.iter().map(|more| format!("C,SETCONF,{more}")));
        lines.push("C,1".to_owned());
        lines
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Closed,
    /// A line of [`Settings::lines`] is sent and not answered.
    Setting {
        step: usize,
        until: Duration,
        tries: u32,
    },
    On,
}

/// How far an approval got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Approval {
    None,
    /// The adapter has it, or will in a moment.
    Sent,
    /// The adapter left the request without a word, or the machine took it back: one of both came first.
    Crossed {
        until: Duration,
        cancelled: bool,
    },
}

/// A credit that the machine does not show yet.
#[derive(Debug, Clone, Copy)]
struct Begun {
    credit: u16,
    until: Duration,
    tries: u32,
}

/// A text adapter.
#[derive(Debug)]
pub(crate) struct Text {
    settings: Settings,
    setup: Vec<String>,
    lines: Lines,
    phase: Phase,
    machine: Option<Machine>,
    /// The request that waits for our word.
    asked: Option<(u16, u16)>,
    approval: Approval,
    begun: Option<Begun>,
    /// A request or a session that is to end.
    stopping: Option<(Duration, u32)>,
    last_heard: Duration,
    check_after: Duration,
    /// It was asked whether it is on.
    checking: Option<Duration>,
    /// The machine has not enabled us; all is set up again then.
    revive: Option<Duration>,
    out: VecDeque<String>,
    heard: VecDeque<Heard>,
}

impl Text {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            setup: settings.lines(),
            settings,
            lines: Lines::default(),
            phase: Phase::Closed,
            machine: None,
            asked: None,
            approval: Approval::None,
            begun: None,
            stopping: None,
            last_heard: Duration::ZERO,
            check_after: CHECK_AFTER,
            checking: None,
            revive: None,
            out: VecDeque::new(),
            heard: VecDeque::new(),
        }
    }

    fn say(&mut self, line: impl Into<String>) {
        self.out.push_back(line.into());
    }

    /// From off to on, from the first line.
    fn set_up(&mut self, now: Duration, tries: u32) {
        self.machine = None;
        self.asked = None;
        self.approval = Approval::None;
        (self.begun, self.stopping, self.checking, self.revive) = (None, None, None, None);
        self.out.clear();
        let patience = if tries < TRIES { ANSWER_WITHIN } else { TRY_AGAIN };
        self.step(now + patience, 0, tries);
    }

    fn step(&mut self, until: Duration, step: usize, tries: u32) {
        match self.setup.get(step).cloned() {
            Some(line) => {
                self.say(line);
                self.phase = Phase::Setting { step, until, tries };
            }
            None => {
                self.phase = Phase::On;
                self.revive = Some(until + REVIVE);
            }
        }
    }

    /// The adapter began anew, or has to.
    fn again(&mut self, now: Duration) {
        self.heard.push_back(Heard::Reset);
        self.set_up(now, 0);
    }

    fn on_line(&mut self, now: Duration, line: Line) {
        match self.phase {
            Phase::Closed => {}
            Phase::Setting { step, tries, .. } => self.on_answer(now, line, step, tries),
            Phase::On => self.on_news(now, line),
        }
    }

    fn on_answer(&mut self, now: Duration, line: Line, step: usize, tries: u32) {
        let is_last = step + 1 == self.setup.len();
        let next = match line {
            Line::IsOn if step > 0 && !is_last => {
                // It was not off yet.
                if tries < TRIES {
                    self.set_up(now, tries + 1);
                }
                return;
            }
            Line::Set => step > 0,
            Line::Off | Line::IsOff => step == 0,
            Line::IsOn | Line::On => is_last,
            Line::Status(_) => step == 0 || is_last,
            Line::Error => {
                tracing::warn!(setting = self.setup.get(step), "the MDB adapter refuses a setting");
                step > 0
            }
            Line::Request { .. }
            | Line::Success
            | Line::CashSale { .. }
            | Line::Cancelled
            | Line::Failed
            | Line::WasReset
            | Line::NotUnderstood
            | Line::WrongState => false,
        };
        if next {
            self.step(now + ANSWER_WITHIN, step + 1, tries);
        }
        if is_last && matches!(line, Line::Status(_)) {
            self.on_news(now, line);
        }
    }

    fn on_news(&mut self, now: Duration, line: Line) {
        let was_asked = self.checking.take().is_some();
        match line {
            Line::Status(Machine::Inactive) => self.on_inactive(now, was_asked),
            Line::Status(machine) => self.on_status(now, machine),
            Line::Request { price, item } => self.on_request(price, item),
            Line::Success => self.on_end(Heard::Success),
            Line::Failed => self.on_end(Heard::Failure),
            Line::CashSale { price, item } => self.heard.push_back(Heard::CashSale { price, item }),
            Line::Cancelled => {
                self.withdraw();
                self.cross(now, true);
            }
            Line::WasReset => self.heard.push_back(Heard::Reset),
            Line::NotUnderstood => {
                self.refused();
                self.say("C,VEND,-1");
            }
            Line::WrongState => self.refused(),
            Line::IsOn if was_asked => self.check_after = CHECK_AFTER,
            Line::On if was_asked => {
                self.check_after = (self.check_after * 2).min(CHECK_AFTER_MAX);
                self.again(now);
            }
            Line::Off | Line::IsOff => self.again(now),
            Line::Set | Line::On | Line::IsOn | Line::Error => {}
        }
    }

    fn on_inactive(&mut self, now: Duration, was_asked: bool) {
        self.revive = Some(now + REVIVE);
        match self.machine.replace(Machine::Inactive) {
            None => self.heard.push_back(Heard::Down(Trouble::NotPolled)),
            Some(Machine::Inactive) if !was_asked => {}
            Some(_) => {
                if was_asked {
                    self.check_after = (self.check_after * 2).min(CHECK_AFTER_MAX);
                }
                self.again(now);
            }
        }
    }

    fn on_status(&mut self, now: Duration, machine: Machine) {
        let before = self.machine.replace(machine);
        self.revive = (machine == Machine::Disabled).then_some(now + REVIVE);
        let had_session = matches!(before, Some(Machine::Idle | Machine::Vend));
        // A request that is not open any more, and nobody said why.
        self.withdraw();
        self.cross(now, false);
        if machine == Machine::Idle {
            if self.stopping.is_some() && before == Some(Machine::Vend) {
                // Denied, as it should be.
                self.stopping = None;
            }
            if !had_session {
                self.begun = None;
                self.heard.push_back(Heard::SessionOpen);
            }
            return;
        }
        self.stopping = None;
        if had_session {
            self.heard.push_back(Heard::SessionOver);
        }
        self.heard.push_back(if machine == Machine::Enabled {
            Heard::Up { always_idle: self.settings.always_idle }
        } else {
            self.begun = None;
            Heard::Down(Trouble::Disabled)
        });
    }

    fn on_request(&mut self, price: Option<u16>, item: u16) {
        self.machine = Some(Machine::Vend);
        // Whatever was to end has not ended before this.
        (self.begun, self.revive, self.stopping) = (None, None, None);
        if let Approval::Crossed { .. } = self.approval {
            // Our approval was not refused: it met this request instead of the one before.
            self.approval = Approval::Sent;
            return;
        }
        let Some(price) = price else {
            tracing::warn!("the machine asks for a price that is no whole number of its steps: scale in [vend.mdb]");
            return self.say("C,VEND,-1");
        };
        if self.asked == Some((price, item)) {
            return;
        }
        self.withdraw();
        if self.approval == Approval::Sent {
            self.heard.push_back(Heard::Lost);
        }
        self.approval = Approval::None;
        self.asked = Some((price, item));
        self.heard.push_back(Heard::Request { price, item });
    }

    fn on_end(&mut self, how: Heard) {
        self.withdraw();
        if self.approval != Approval::None {
            self.approval = Approval::None;
            self.heard.push_back(how);
        }
    }

    /// A request that nobody answered is over.
    fn withdraw(&mut self) {
        if self.asked.take().is_some() {
            self.heard.push_back(Heard::Withdrawn);
        }
    }

    /// The adapter is not at our approved request any more. If it refuses the approval, it says so in a moment.
    fn cross(&mut self, now: Duration, is_cancel: bool) {
        self.approval = match self.approval {
            Approval::None => Approval::None,
            Approval::Sent => Approval::Crossed { until: now + CROSSING, cancelled: is_cancel },
            Approval::Crossed { until, cancelled } => Approval::Crossed { until, cancelled: cancelled || is_cancel },
        };
    }

    /// The adapter did not take our approval: the machine never saw it.
    fn refused(&mut self) {
        if self.approval != Approval::None {
            self.approval = Approval::None;
            self.heard.push_back(Heard::Withdrawn);
        }
    }

    fn crossed(&mut self, now: Duration) {
        if let Approval::Crossed { until, cancelled } = self.approval
            && until <= now
        {
            self.approval = Approval::None;
            self.heard.push_back(if cancelled { Heard::Withdrawn } else { Heard::Lost });
        }
    }

    fn unanswered(&mut self, now: Duration) {
        if let Phase::Setting { until, tries, .. } = self.phase
            && until <= now
        {
            if tries + 1 == TRIES {
                self.heard.push_back(Heard::Down(Trouble::Silent));
            }
            self.set_up(now, (tries + 1).min(TRIES));
        }
        if self.checking.is_some_and(|until| until <= now) {
            self.heard.push_back(Heard::Down(Trouble::Silent));
            self.again(now);
        }
    }

    fn not_stopped(&mut self, now: Duration) {
        if let Some((until, tries)) = self.stopping
            && until <= now
        {
            if tries < TRIES {
                self.say("C,STOP");
                self.stopping = Some((now + STOP_WITHIN, tries + 1));
            } else {
                self.again(now);
            }
        }
        if let Some(begun) = self.begun
            && begun.until <= now
        {
            self.start(now, begun.credit, begun.tries + 1);
        }
        if self.revive.is_some_and(|due| due <= now) {
            self.again(now);
        }
    }

    fn start(&mut self, now: Duration, credit: u16, tries: u32) {
        if self.phase == Phase::On && self.machine == Some(Machine::Enabled) {
            let amount = self.settings.money.text(credit);
            self.say(format!("C,START,{amount}"));
            let patience = if tries < TRIES { BEGIN_WITHIN } else { BEGIN_AGAIN };
            self.begun = Some(Begun { credit, until: now + patience, tries });
        } else {
            self.begun = None;
        }
    }

    fn check(&mut self, now: Duration) {
        if self.check_due().is_some_and(|due| due <= now) {
            self.checking = Some(now + CHECK_WITHIN);
            self.say("C,1");
        }
    }

    fn check_due(&self) -> Option<Duration> {
        let may_ask = self.phase == Phase::On && self.checking.is_none();
        may_ask.then(|| self.last_heard + self.check_after)
    }
}

impl Link for Text {
    fn opened(&mut self, now: Duration) {
        self.closed();
        self.last_heard = now;
        self.set_up(now, 0);
    }

    fn closed(&mut self) {
        *self = Self::new(self.settings.clone());
    }

    fn received(&mut self, now: Duration, bytes: &[u8]) {
        self.last_heard = now;
        for line in self.lines.push(bytes) {
            if let Some(line) = parse(self.settings.money, &line) {
                self.on_line(now, line);
            }
        }
    }

    fn woken(&mut self, now: Duration) {
        self.unanswered(now);
        self.crossed(now);
        self.not_stopped(now);
        self.check(now);
    }

    fn due(&self) -> Option<Duration> {
        let setting = match self.phase {
            Phase::Setting { until, .. } => Some(until),
            Phase::Closed | Phase::On => None,
        };
        let crossing = match self.approval {
            Approval::Crossed { until, .. } => Some(until),
            Approval::None | Approval::Sent => None,
        };
        let stopping = self.stopping.map(|(until, _)| until);
        let begun = self.begun.map(|begun| begun.until);
        [setting, crossing, stopping, begun, self.checking, self.revive, self.check_due()].into_iter().flatten().min()
    }

    fn to_send(&mut self, _now: Duration) -> Option<Vec<u8>> {
        self.out.pop_front().map(|line| (line + "\r\n").into_bytes())
    }

    fn heard(&mut self) -> Option<Heard> {
        self.heard.pop_front()
    }

    fn begin(&mut self, now: Duration, credit: u16) {
        self.start(now, credit, 1);
    }

    fn approve(&mut self, _now: Duration, steps: u16) {
        if self.asked.take().is_some() && steps != UNKNOWN {
            let amount = self.settings.money.text(steps);
            self.say(format!("C,VEND,{amount}"));
            self.approval = Approval::Sent;
        }
    }

    /// What was said is on its way at once.
    fn take_back(&mut self, _now: Duration) -> bool {
        false
    }

    fn deny(&mut self, now: Duration) {
        if self.asked.take().is_some() {
            self.say("C,VEND,-1");
            self.stopping = Some((now + CROSSING, 0));
        }
    }

    fn finish(&mut self, now: Duration) {
        // Also at a request on which the machine never said another word.
        let is_open = matches!(self.machine, Some(Machine::Idle | Machine::Vend));
        if self.begun.take().is_some() || is_open {
            self.say("C,STOP");
        }
        if is_open {
            self.stopping = Some((now + STOP_WITHIN, 0));
        }
    }
}

#[cfg(test)]
mod tests;
