//! Motor boards: an RTU slave with Till's own register map or a lane board's commands, and the 6-byte board.
//!
//! Both count every turn of every motor: the run-twice detector of the tests.

use std::{collections::VecDeque, time::Duration};

use super::port::Device;
use crate::vend::motor::{rtu, spring};

/// A motor's turn.
const TURN: Duration = Duration::from_millis(1200);
/// From there to the light curtain.
const FALL: Duration = Duration::from_millis(400);
/// How quickly a board replies.
const REPLY: Duration = Duration::from_millis(20);

/// What becomes of the next run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunFate {
    /// The item falls.
    Falls,
    /// The motor goes round and nothing falls.
    Empty,
    /// The motor gets stuck; nothing falls.
    Jams,
    /// There is no motor.
    NoMotor,
}

/// What becomes of the next replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyFate {
    /// Sent at once.
    Prompt,
    /// Sent this much later.
    Late(Duration),
    /// Never sent.
    Lost,
    /// Sent twice.
    Twice,
    /// Sent at once, and again this much later.
    Again(Duration),
}

/// What the slave speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speech {
    /// Registers 0 run, 1 status, 2 runs, 3 fell.
    Registers,
    /// Commands 03, 05, 06.
    Lane,
}

/// What is the same in both boards.
#[derive(Default)]
struct Motors {
    fates: VecDeque<RunFate>,
    turning: Option<(u16, RunFate, Duration)>,
    falling: VecDeque<(u16, Duration)>,
    turned: Vec<u16>,
    fell: Vec<u16>,
}

impl Motors {
    /// Starts a motor; the fate of a motor that is not there is told back.
    fn start(&mut self, now: Duration, motor: u16) -> RunFate {
        let fate = self.fates.pop_front().unwrap_or(RunFate::Falls);
        if fate != RunFate::NoMotor {
            self.turned.push(motor);
            self.turning = Some((motor, fate, now + TURN));
        }
        fate
    }

    /// The motor that stands still by now.
    fn stop(&mut self, now: Duration) -> Option<RunFate> {
        let (motor, fate, at) = self.turning.take_if(|(_, _, at)| *at <= now)?;
        if fate == RunFate::Falls {
            self.falling.push_back((motor, at + FALL));
        }
        Some(fate)
    }

    /// True: something fell by now.
    fn drop_items(&mut self, now: Duration) -> bool {
        let mut any = false;
        while let Some((motor, _)) = self.falling.pop_front_if(|(_, at)| *at <= now) {
            self.fell.push(motor);
            any = true;
        }
        any
    }

    fn due(&self) -> Option<Duration> {
        let turning = self.turning.map(|(_, _, at)| at);
        turning.into_iter().chain(self.falling.front().map(|(_, at)| *at)).min()
    }
}

/// An RTU slave that drives motors.
pub struct RtuBoard {
    speech: Speech,
    motors: Motors,
    replies: VecDeque<ReplyFate>,
    heard: Vec<u8>,
    heard_at: Duration,
    status: u16,
    runs: u16,
    seen: bool,
    motor: u16,
    /// The lane board's word for it: 2 open circuit, 3 time-out.
    fault: u8,
    pending: VecDeque<(Duration, Vec<u8>)>,
    send: VecDeque<Vec<u8>>,
    off: bool,
}

impl RtuBoard {
    /// A board at address 1.
    #[must_use]
    pub fn new(speech: Speech) -> Self {
        Self {
            speech,
            motors: Motors::default(),
            replies: VecDeque::new(),
            heard: Vec::new(),
            heard_at: Duration::ZERO,
            status: 0,
            runs: 0,
            seen: false,
            motor: 0,
            fault: 0,
            pending: VecDeque::new(),
            send: VecDeque::new(),
            off: false,
        }
    }

    /// What becomes of the next run that has no fate yet.
    pub fn script_run(&mut self, fate: RunFate) {
        self.motors.fates.push_back(fate);
    }

    /// What becomes of the next reply that has no fate yet.
    pub fn script_reply(&mut self, fate: ReplyFate) {
        self.replies.push_back(fate);
    }

    /// The motors that were started, in order.
    #[must_use]
    pub fn turned(&self) -> &[u16] {
        &self.motors.turned
    }

    /// The slots out of which an item fell, in order.
    #[must_use]
    pub fn fell(&self) -> &[u16] {
        &self.motors.fell
    }

    /// Something else drives the motors: a technician's key.
    pub fn turn_by_hand(&mut self, now: Duration, motor: u16) {
        self.run(now, motor);
    }

    /// The power goes and comes back: a motor stops, with its item tipped over or not; the memory is lost.
    pub fn power_cycle(&mut self, now: Duration, tipped: bool) {
        if let Some((motor, _, _)) = self.motors.turning.take()
            && tipped
        {
            self.motors.falling.push_back((motor, now + FALL));
        }
        self.pending.clear();
        self.heard.clear();
        (self.status, self.runs, self.seen, self.motor) = (0, 0, false, 0);
    }

    /// Switches the board off or on; off it hears and says nothing. Its motor is the business of
    /// [`power_cycle`](Self::power_cycle).
    pub fn set_off(&mut self, off: bool) {
        self.off = off;
    }

    fn run(&mut self, now: Duration, motor: u16) -> u8 {
        if self.speech == Speech::Lane && self.status == 2 {
            return 3;
        }
        if self.motors.turning.is_some() {
            return 2;
        }
        self.runs = self.runs.wrapping_add(1);
        self.motor = motor;
        self.seen = false;
        (self.status, self.fault) = (1, 0);
        if self.motors.start(now, motor) == RunFate::NoMotor {
            self.status = if self.speech == Speech::Lane { 2 } else { 4 };
            self.fault = 2;
        }
        0
    }

    fn settle(&mut self, now: Duration) {
        if let Some(fate) = self.motors.stop(now) {
            self.fault = if fate == RunFate::Jams { 3 } else { 0 };
            self.status = match (self.speech, fate) {
                (Speech::Registers, RunFate::Jams) => 3,
                (Speech::Registers | Speech::Lane, _) => 2,
            };
        }
        self.seen |= self.motors.drop_items(now);
    }

    fn obey(&mut self, now: Duration, function: u8, data: &[u8]) -> Option<Vec<u8>> {
        let word = |place: usize| Some(u16::from_be_bytes([*data.get(place)?, *data.get(place + 1)?]));
        match (self.speech, function) {
            (Speech::Registers, rtu::READ) => {
                let (first, count) = (word(0)?, word(2)?);
                let registers = [0, self.status, self.runs, self.seen.into()];
                let mut reply = vec![u8::try_from(count * 2).ok()?];
                for number in first..first + count {
                    reply.extend(registers.get(usize::from(number))?.to_be_bytes());
                }
                Some(rtu::frame(1, function, &reply))
            }
            (Speech::Registers, rtu::WRITE) if word(0)? == 0 => Some(match self.run(now, word(2)?) {
                0 => rtu::frame(1, function, data),
                _ => rtu::frame(1, function | rtu::REFUSED, &[6]),
            }),
            (Speech::Registers, _) => Some(rtu::frame(1, function | rtu::REFUSED, &[2])),
            (Speech::Lane, 3) => {
                let motor = u8::try_from(self.motor).ok()?;
                let status = u8::try_from(self.status).ok()?;
                let result = self.fault | if self.seen { 0 } else { 4 };
                Some(rtu::frame(1, 3, &[status, motor, result, 0, 90, 0, 60, 12]))
            }
            (Speech::Lane, 5) => {
                let code = self.run(now, u16::from(*data.first()?));
                Some(rtu::frame(1, 5, &[code]))
            }
            (Speech::Lane, 6) => {
                if self.status == 2 {
                    self.status = 0;
                }
                Some(rtu::frame(1, 6, &[]))
            }
            (Speech::Lane, _) => None,
        }
    }

    fn reply(&mut self, now: Duration, bytes: Vec<u8>) {
        let at = now + REPLY;
        match self.replies.pop_front().unwrap_or(ReplyFate::Prompt) {
            ReplyFate::Prompt => self.pending.push_back((at, bytes)),
            ReplyFate::Late(late) => self.pending.push_back((at + late, bytes)),
            ReplyFate::Lost => {}
            ReplyFate::Again(later) => {
                self.pending.push_back((at, bytes.clone()));
                self.pending.push_back((at + later, bytes));
            }
            ReplyFate::Twice => {
                self.pending.push_back((at, bytes.clone()));
                self.pending.push_back((at, bytes));
            }
        }
    }

    /// The length of a request by its function.
    fn request_length(&self, function: u8) -> usize {
        match (self.speech, function) {
            (Speech::Registers, _) => 8,
            (Speech::Lane, 5) => 5,
            (Speech::Lane, _) => 4,
        }
    }
}

impl Device for RtuBoard {
    fn received(&mut self, now: Duration, bytes: &[u8]) {
        if self.off {
            return;
        }
        self.settle(now);
        if now > self.heard_at + Duration::from_millis(50) {
            self.heard.clear();
        }
        self.heard_at = now;
        self.heard.extend_from_slice(bytes);
        while let Some(place) = self.heard.iter().position(|byte| *byte == 1) {
            self.heard.drain(..place);
            let Some(&function) = self.heard.get(1) else { return };
            let length = self.request_length(function);
            if self.heard.len() < length {
                return;
            }
            let data = rtu::whole(&self.heard, length).map(<[u8]>::to_vec);
            match data {
                None => drop(self.heard.drain(..1)),
                Some(data) => {
                    self.heard.drain(..length);
                    if let Some(reply) = self.obey(now, function, &data) {
                        self.reply(now, reply);
                    }
                }
            }
        }
        self.heard.clear();
    }

    fn woken(&mut self, now: Duration) {
        self.settle(now);
        while let Some(place) = self.pending.iter().position(|(at, _)| *at <= now) {
            if let Some((_, bytes)) = self.pending.remove(place)
                && !self.off
            {
                self.send.push_back(bytes);
            }
        }
    }

    fn due(&self) -> Option<Duration> {
        self.pending.iter().map(|(at, _)| *at).chain(self.motors.due()).min()
    }

    fn to_send(&mut self) -> Option<Vec<u8>> {
        self.send.pop_front()
    }
}

/// The 6-byte board: one reply when the motor stood still.
#[derive(Default)]
pub struct SpringBoard {
    motors: Motors,
    heard: Vec<u8>,
    done: VecDeque<(Duration, [u8; 5])>,
    /// The replies to come that are lost.
    mute: u32,
    send: VecDeque<Vec<u8>>,
}

impl SpringBoard {
    /// What becomes of the next run that has no fate yet.
    pub fn script_run(&mut self, fate: RunFate) {
        self.motors.fates.push_back(fate);
    }

    /// The next reply is lost.
    pub fn lose_reply(&mut self) {
        self.mute += 1;
    }

    /// The motors that were started, in order.
    #[must_use]
    pub fn turned(&self) -> &[u16] {
        &self.motors.turned
    }

    /// The slots out of which an item fell, in order.
    #[must_use]
    pub fn fell(&self) -> &[u16] {
        &self.motors.fell
    }

    fn obey(&mut self, now: Duration, slot: u8) {
        let reply = match self.motors.start(now, slot.into()) {
            RunFate::Falls => spring::reply(0x5D, 0, 0xAA),
            RunFate::Empty => spring::reply(0x5D, 0, 0),
            RunFate::Jams => spring::reply(0x5C, 128, 0),
            RunFate::NoMotor => spring::reply(0x5C, 100, 0),
        };
        self.done.push_back((now + TURN + FALL, reply));
    }
}

impl Device for SpringBoard {
    fn received(&mut self, now: Duration, bytes: &[u8]) {
        self.heard.extend_from_slice(bytes);
        while self.heard.len() >= 6 {
            match self.heard.get(2).copied().filter(|slot| self.heard.starts_with(&spring::order(*slot))) {
                Some(slot) => {
                    self.heard.drain(..6);
                    if self.motors.turning.is_none() {
                        self.obey(now, slot);
                    }
                }
                None => drop(self.heard.drain(..1)),
            }
        }
    }

    fn woken(&mut self, now: Duration) {
        self.motors.stop(now);
        self.motors.drop_items(now);
        while let Some((_, reply)) = self.done.pop_front_if(|(at, _)| *at <= now) {
            if self.mute > 0 {
                self.mute -= 1;
            } else {
                self.send.push_back(reply.into());
            }
        }
    }

    fn due(&self) -> Option<Duration> {
        self.done.front().map(|(at, _)| *at).into_iter().chain(self.motors.due()).min()
    }

    fn to_send(&mut self) -> Option<Vec<u8>> {
        self.send.pop_front()
    }
}
