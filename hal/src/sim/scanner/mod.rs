//! Simulated scanners that speak the wire of each family (reference/hardware.md 9).
//!
//! Each is a pure [`Device`], used with made-up time, or behind a real port by [`SimPort`](super::port::SimPort). They are made
//! from the reference's facts, by themselves: they share no code with the drivers' dialects.

pub mod caret;
pub mod faults;
pub mod hid;
pub mod honeywell;
pub mod newland;
pub mod ssi;
pub mod zone;

use std::{collections::VecDeque, time::Duration};

use super::port::Device;

/// What a person and the world do to a scanner.
pub trait Scanner: Device {
    /// Holds a code before the window; `None`: takes it away.
    fn show(&mut self, now: Duration, code: Option<&str>);
    /// Switches it off and on.
    fn power_cycle(&mut self, now: Duration);
    /// The speed at which the host sends and listens, which a pty does not have.
    fn host_speed(&mut self, baud: u32);
}

/// The scanner's end of the line: what is sent when, and at which speed.
#[derive(Debug, Clone)]
pub struct Wire {
    /// The scanner's own speed.
    pub speed: u32,
    /// The host's.
    pub host: u32,
    waiting: VecDeque<(Duration, Vec<u8>)>,
    ready: VecDeque<Vec<u8>>,
}

impl Wire {
    /// A line at `speed`, which the host knows.
    #[must_use]
    pub fn at(speed: u32) -> Self {
        Self { speed, host: speed, waiting: VecDeque::new(), ready: VecDeque::new() }
    }

    /// What the scanner hears: nothing that makes sense, at the wrong speed.
    #[must_use]
    pub fn heard<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        if self.speed == self.host { bytes } else { &[] }
    }

    /// Sends these bytes at once.
    pub fn send(&mut self, bytes: &[u8]) {
        let garbled = self.speed != self.host;
        // The wrong speed makes half as many bytes, none of them text.
        let step = if garbled { 2 } else { 1 };
        self.ready
            .push_back(bytes.iter().step_by(step).map(|byte| if garbled { byte | 0x80 } else { *byte }).collect());
    }

    /// Sends these bytes later.
    pub fn send_at(&mut self, at: Duration, bytes: Vec<u8>) {
        self.waiting.push_back((at, bytes));
    }

    /// When something waits to be sent.
    #[must_use]
    pub fn due(&self) -> Option<Duration> {
        self.waiting.iter().map(|(at, _)| *at).min()
    }

    /// Sends what is due.
    pub fn woken(&mut self, now: Duration) {
        let waiting = std::mem::take(&mut self.waiting);
        let (due, rest): (VecDeque<_>, VecDeque<_>) = waiting.into_iter().partition(|(at, _)| *at <= now);
        self.waiting = rest;
        due.iter().for_each(|(_, bytes)| self.send(bytes));
    }

    /// Whether nothing waits to be sent.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.ready.is_empty()
    }

    /// The next bytes, in order.
    pub fn to_send(&mut self) -> Option<Vec<u8>> {
        self.ready.pop_front()
    }
}

/// The rest of a [`Device`] whose [`Wire`] alone decides when it sends.
macro_rules! sends_by_its_wire {
    () => {
        fn woken(&mut self, now: Duration) {
            self.wire.woken(now);
        }

        fn due(&self) -> Option<Duration> {
            self.wire.due()
        }

        fn to_send(&mut self) -> Option<Vec<u8>> {
            self.wire.to_send()
        }
    };
}
use sends_by_its_wire;

/// When a scanner looks for a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Always; each code once while it is held there.
    Always,
    /// After a trigger.
    OnCommand,
}

/// The window and what is before it.
#[derive(Debug, Clone)]
pub struct Eye {
    /// When it looks.
    pub mode: Mode,
    /// How long after a trigger; zero: until it is stopped.
    pub limit: Duration,
    looking: Option<Duration>,
    before: Option<String>,
    /// Triggers that it obeyed.
    pub triggers: u32,
}

const FOR_EVER: Duration = Duration::from_secs(1_000_000);

impl Eye {
    /// A window that looks like this.
    #[must_use]
    pub fn new(mode: Mode) -> Self {
        Self { mode, limit: Duration::from_secs(3), looking: None, before: None, triggers: 0 }
    }

    /// A code comes or goes; returns it if it is read now.
    pub fn show(&mut self, now: Duration, code: Option<&str>) -> Option<String> {
        self.before = code.map(str::to_owned);
        match self.mode {
            Mode::Always => self.before.clone(),
            Mode::OnCommand => self.look(now),
        }
    }

    /// The host triggers; returns the code that is before the window.
    pub fn trigger(&mut self, now: Duration) -> Option<String> {
        if self.mode == Mode::Always {
            return None;
        }
        self.triggers += 1;
        self.looking = Some(now + if self.limit.is_zero() { FOR_EVER } else { self.limit });
        self.look(now)
    }

    /// The host has seen enough.
    pub fn stop(&mut self) {
        self.looking = None;
    }

    fn look(&mut self, now: Duration) -> Option<String> {
        self.looking.take_if(|until| now >= *until);
        let code = self.looking.and(self.before.clone());
        if code.is_some() {
            self.looking = None;
        }
        code
    }
}
