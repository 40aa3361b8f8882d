//! One job at a time: is the board free, run once, ask until it says how it ended.

use std::{collections::VecDeque, time::Duration};

use super::dialect::{Activity, Asked, Dialect, End, Reply, Report};
use crate::{
    board::{VendSpec, WithoutSensor},
    event::{DeviceEvent, VendResult},
    vend::{
        Job,
        bus::Protocol,
        desk::{Desk, Order},
    },
};

/// A board does not speak by itself, so one that stands still is asked whether it is there.
const IDLE_EVERY: Duration = Duration::from_secs(3);
/// So many questions without a reply are a board that is away.
const MISSES_MAX: u8 = 3;
/// A board that was told to run and still knows nothing of it after this has forgotten it, or never heard of it.
const START_WITHIN: Duration = Duration::from_secs(2);

/// The line: at most one question at a time, and silence when a reply may still be on its way.
#[derive(Default)]
struct Line {
    asked: Option<(Asked, Duration)>,
    heard: Vec<u8>,
    quiet_until: Duration,
}

/// How far a job is.
enum Stage {
    /// The board's state is looked at; no motor was told to run.
    Look { tries: u8 },
    /// The order to run is next: nothing has left yet.
    Free { before: Option<u16> },
    /// The order to run has left, once.
    Run(Running),
}

#[derive(Clone, Copy)]
struct Running {
    /// How many runs the board had counted before.
    before: Option<u16>,
    /// When nobody can tell any more.
    until: Duration,
    /// The board took the order on, in so many words.
    taken: bool,
    /// Since when the board knows nothing of a run.
    idle_since: Option<Duration>,
    /// When the motor stood still; what fell may still be falling.
    stopped: Option<Duration>,
}

struct Current {
    order: Order,
    stage: Stage,
}

/// The protocol's state.
pub(crate) struct MotorBoard {
    dialect: Dialect,
    desk: Desk,
    without_sensor: WithoutSensor,
    reply: Duration,
    late: Duration,
    poll: Duration,
    vend: Duration,
    drop_window: Duration,
    /// Three and a half characters: what separates two frames.
    gap: Duration,
    open: bool,
    line: Line,
    misses: u8,
    next_look: Duration,
    /// The last result was told and is to be forgotten by the board.
    tidy: bool,
    current: Option<Current>,
    send: VecDeque<Vec<u8>>,
}

impl MotorBoard {
    pub(crate) fn new(spec: &VendSpec) -> Self {
        let modbus = &spec.modbus;
        let milliseconds = |ms: u32| Duration::from_millis(ms.into());
        Self {
            dialect: Dialect::of(modbus),
            desk: Desk::new(spec),
            without_sensor: spec.without_sensor.unwrap_or(WithoutSensor::Unknown),
            reply: milliseconds(modbus.reply_ms),
            late: milliseconds(modbus.late_ms),
            poll: milliseconds(modbus.poll_ms),
            vend: milliseconds(modbus.vend_ms),
            drop_window: milliseconds(spec.drop_window_ms),
            gap: milliseconds(38_500 / modbus.baud.max(1) + 1),
            open: false,
            line: Line::default(),
            misses: 0,
            next_look: Duration::ZERO,
            tidy: false,
            current: None,
            send: VecDeque::new(),
        }
    }

    fn ask(&mut self, now: Duration, asked: Asked) {
        self.send.push_back(self.dialect.request(asked));
        self.line.heard.clear();
        self.line.asked = Some((asked, now + self.reply));
    }

    /// Asks what is next, when the line is free.
    fn go_on(&mut self, now: Duration) {
        if !self.open || self.line.asked.is_some() || now < self.line.quiet_until {
            return;
        }
        if std::mem::take(&mut self.tidy) {
            return self.ask(now, Asked::Clear);
        }
        if self.current.is_none() {
            self.current = self.desk.next_order().map(|order| Current { order, stage: Stage::Look { tries: 0 } });
        }
        let look_due = now >= self.next_look;
        match &mut self.current {
            Some(Current { stage: Stage::Look { .. }, .. }) => self.ask(now, Asked::State),
            Some(Current { order, stage: stage @ Stage::Free { .. } }) => {
                let Stage::Free { before } = *stage else { return };
                let (number, until) = (order.number, now + self.vend);
                self.next_look = now + self.poll;
                // From here on the motor may have turned, whatever comes back.
                *stage = Stage::Run(Running { before, until, taken: false, idle_since: None, stopped: None });
                self.ask(now, Asked::Run(number));
            }
            Some(Current { stage: Stage::Run(_), .. }) if look_due => self.ask(now, Asked::State),
            Some(Current { stage: Stage::Run(_), .. }) => {}
            None if look_due => {
                self.next_look = now + IDLE_EVERY;
                self.ask(now, Asked::State);
            }
            None => {}
        }
    }

    fn end(&mut self, result: VendResult, told: &str) {
        if let Some(current) = self.current.take() {
            self.desk.ended(current.order.job, result, told);
        }
    }

    fn replied(&mut self, now: Duration, asked: Asked, reply: Reply) {
        self.line.asked = None;
        // A board that forgets its result may have a copy of it on its way to us: it must not be read after the next run.
        let pause = if asked == Asked::Clear { self.late } else { self.gap };
        self.line.quiet_until = now + pause;
        self.misses = 0;
        self.desk.up();
        match (asked, reply) {
            (Asked::State, Reply::State(report)) => self.looked(now, report),
            (Asked::Run(_), Reply::Taken) => self.run_replied(now, true),
            (Asked::Run(_), Reply::Refused(why)) => self.end(VendResult::NotDropped, why),
            (Asked::Run(_), Reply::Doubtful | Reply::State(_)) => self.run_replied(now, false),
            (Asked::Clear, _) | (Asked::State, Reply::Taken | Reply::Refused(_) | Reply::Doubtful) => {}
        }
    }

    fn run_replied(&mut self, now: Duration, yes: bool) {
        self.next_look = now + self.poll;
        if let Some(Current { stage: Stage::Run(running), .. }) = &mut self.current {
            running.taken = yes;
        }
    }

    /// No reply: nothing is sent until the slowest reply would have come.
    fn missed(&mut self, now: Duration, asked: Asked) {
        self.line.asked = None;
        self.line.quiet_until = now + self.late;
        self.misses = self.misses.saturating_add(1);
        if let (Some(Current { stage: Stage::Look { tries }, .. }), Asked::State | Asked::Clear) =
            (&mut self.current, asked)
        {
            *tries += 1;
            if *tries >= MISSES_MAX {
                self.end(VendResult::NotDropped, "the motor board does not answer; no motor was told to run");
            }
        }
        if self.misses >= MISSES_MAX && self.current.is_none() {
            self.desk.down(
                "the motor board does not answer: look at its power, at A and B of the line, and at baud and address in [vend.modbus]",
            );
        }
    }

    fn looked(&mut self, now: Duration, report: Report) {
        match &self.current {
            Some(Current { stage: Stage::Look { tries }, .. }) => self.looked_before(*tries, report),
            Some(Current { order, stage: Stage::Run(running) }) => {
                self.next_look = now + self.poll;
                let (number, running) = (order.number, *running);
                self.looked_under_way(now, number, running, report);
            }
            Some(Current { stage: Stage::Free { .. }, .. }) | None => {}
        }
    }

    fn looked_before(&mut self, tries: u8, report: Report) {
        match report.activity {
            Activity::Turning => self.end(VendResult::NotDropped, "the board already turns a motor; nothing was sent"),
            Activity::Ended(_) if self.dialect.clears() => {
                if tries >= MISSES_MAX {
                    return self
                        .end(VendResult::NotDropped, "the board does not forget its last result; nothing was sent");
                }
                self.tidy = true;
                self.stage(Stage::Look { tries: tries + 1 });
            }
            Activity::Idle | Activity::Ended(_) => self.stage(Stage::Free { before: report.runs }),
        }
    }

    fn stage(&mut self, stage: Stage) {
        if let Some(current) = &mut self.current {
            current.stage = stage;
        }
    }

    fn looked_under_way(&mut self, now: Duration, number: u16, mut running: Running, report: Report) {
        let counted = running.before.zip(report.runs).map(|(before, runs)| runs == before.wrapping_add(1));
        let ours = counted.unwrap_or_else(|| report.motor.is_none_or(|motor| motor == number));
        match report.activity {
            Activity::Ended(end) if ours => self.ended(now, running, end, report.fell),
            Activity::Turning if ours => {
                running.idle_since = None;
                self.stage(Stage::Run(running));
            }
            Activity::Idle | Activity::Turning | Activity::Ended(_) => {
                let since = *running.idle_since.get_or_insert(now);
                self.stage(Stage::Run(running));
                if now >= since + START_WITHIN {
                    self.end(VendResult::Unknown, forgotten(running.taken));
                }
            }
        }
    }

    fn ended(&mut self, now: Duration, mut running: Running, end: End, fell: Option<bool>) {
        let stopped = *running.stopped.get_or_insert(now);
        let (result, told) = match (end, fell) {
            (End::Nothing(why), Some(false) | None) => (VendResult::NotDropped, why),
            // Fell, from a motor that never turned: somebody is wrong.
            (End::Nothing(why), Some(true)) => (VendResult::Unknown, why),
            (End::Unlisted, _) => (VendResult::Unknown, "the board gave a code that nobody listed"),
            (End::Done | End::Jam, Some(true)) => (VendResult::Dropped, ""),
            (End::Done | End::Jam, Some(false)) if now < stopped + self.drop_window => {
                return self.stage(Stage::Run(running));
            }
            (End::Done, Some(false)) => {
                (VendResult::NotDropped, "the motor turned and nothing fell: slot empty or jammed")
            }
            (End::Jam, Some(false)) => (VendResult::NotDropped, "the motor did not get round and nothing fell"),
            (End::Jam, None) => (VendResult::Unknown, "the motor did not get round; there is no drop sensor"),
            (End::Done, None) => match self.without_sensor {
                WithoutSensor::Dropped => (VendResult::Dropped, ""),
                WithoutSensor::Unknown => (VendResult::Unknown, "the motor turned; there is no drop sensor"),
            },
        };
        self.tidy = self.dialect.clears();
        self.end(result, told);
    }
}

fn forgotten(taken: bool) -> &'static str {
    if taken {
        "the board took the order and has forgotten it: it was without power, or set back"
    } else {
        "the board's reply to the order was lost, and it knows nothing of a run: it may have turned"
    }
}

impl Protocol for MotorBoard {
    fn opened(&mut self, now: Duration) {
        self.open = true;
        // Somebody's reply may still be on its way.
        self.line = Line { quiet_until: now + self.late, ..Line::default() };
        self.next_look = now;
        self.misses = 0;
    }

    fn closed(&mut self, _: Duration, why: &str) {
        self.open = false;
        self.send.clear();
        self.line.asked = None;
        match &self.current {
            Some(Current { stage: Stage::Run(_), .. }) => {
                self.end(VendResult::Unknown, "the port went away after the motor was told to run");
            }
            Some(Current { stage: Stage::Look { .. } | Stage::Free { .. }, .. }) => {
                self.end(VendResult::NotDropped, "the port went away before the motor was told to run");
            }
            None => {}
        }
        self.desk.down(why);
    }

    fn received(&mut self, now: Duration, bytes: &[u8]) {
        match self.line.asked {
            None => self.line.quiet_until = self.line.quiet_until.max(now + self.gap),
            Some((asked, _)) => {
                // No reply is longer than this; a line full of noise has no end.
                if self.line.heard.len() < 512 {
                    self.line.heard.extend_from_slice(bytes);
                }
                if let Some(reply) = self.dialect.read(asked, &self.line.heard) {
                    self.replied(now, asked, reply);
                }
            }
        }
        self.go_on(now);
    }

    fn wanted(&mut self, now: Duration, job: Job) {
        // Nobody chooses at a motor board.
        let _ = self.desk.wanted(job);
        self.go_on(now);
    }

    fn woken(&mut self, now: Duration) {
        if let Some((asked, until)) = self.line.asked
            && until <= now
        {
            self.missed(now, asked);
        }
        if let Some(Current { stage: Stage::Run(running), .. }) = &self.current
            && running.until <= now
        {
            self.end(VendResult::Unknown, "the board never said how the run ended");
        }
        self.go_on(now);
    }

    fn due(&self) -> Option<Duration> {
        if !self.open {
            return None;
        }
        let (line, until) = match (&self.line.asked, &self.current) {
            (Some((_, until)), Some(Current { stage: Stage::Run(running), .. })) => (*until, Some(running.until)),
            (Some((_, until)), _) => (*until, None),
            (None, Some(Current { stage: Stage::Run(running), .. })) => {
                (self.line.quiet_until.max(self.next_look), Some(running.until))
            }
            (None, Some(_)) => (self.line.quiet_until, None),
            (None, None) if self.tidy => (self.line.quiet_until, None),
            // An order that waits was looked at when it came, or when the line becomes quiet.
            (None, None) if self.desk.has_orders() => (self.line.quiet_until, None),
            (None, None) => (self.line.quiet_until.max(self.next_look), None),
        };
        until.into_iter().chain([line]).min()
    }

    fn to_send(&mut self) -> Option<Vec<u8>> {
        self.send.pop_front()
    }

    fn happened(&mut self) -> Option<DeviceEvent> {
        self.desk.happened()
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
