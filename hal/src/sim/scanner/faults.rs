//! A bad cable around a simulated scanner, the same for the same seed.

use std::{collections::VecDeque, time::Duration};

use super::Scanner;
use crate::sim::{dice::Dice, port::Device};

/// What happens to what the scanner sends; each is one in so many, 0: never.
#[derive(Debug, Clone, Copy, Default)]
pub struct Faults {
    /// A message is cut and its rest comes some milliseconds later.
    pub cut: u64,
    /// Two messages come as one.
    pub glue: u64,
    /// A byte changes so that it is no text.
    pub corrupt: u64,
    /// A byte that is no text comes in between.
    pub noise: u64,
    /// A message is lost.
    pub silence: u64,
}

/// A scanner behind a bad cable.
#[derive(Debug, Clone)]
pub struct Faulty<D> {
    /// The scanner.
    pub scanner: D,
    /// What happens.
    pub faults: Faults,
    dice: Dice,
    now: Duration,
    glued: Vec<u8>,
    later: VecDeque<(Duration, Vec<u8>)>,
}

impl<D: Device> Faulty<D> {
    /// This scanner behind a cable with these faults.
    pub fn new(scanner: D, faults: Faults, seed: u64) -> Self {
        let (dice, now) = (Dice::new(seed), Duration::ZERO);
        Self { scanner, faults, dice, now, glued: Vec::new(), later: VecDeque::new() }
    }

    fn spoil(&mut self, message: Vec<u8>) -> Vec<u8> {
        let mut spoilt = Vec::new();
        for byte in message {
            if self.dice.one_in(self.faults.noise) {
                spoilt.push(0x80 | u8::try_from(self.dice.roll(128)).unwrap_or_default());
            }
            spoilt.push(if self.dice.one_in(self.faults.corrupt) { byte | 0x80 } else { byte });
        }
        spoilt
    }

    fn put(&mut self, message: Vec<u8>) {
        let last = self.later.back().map_or(self.now, |(at, _)| *at);
        let split = usize::try_from(self.dice.roll(message.len() as u64)).unwrap_or_default();
        if split > 0 && self.dice.one_in(self.faults.cut) {
            let rest = message.get(split..).map(<[u8]>::to_vec).unwrap_or_default();
            self.later.push_back((last, message.get(..split).map(<[u8]>::to_vec).unwrap_or_default()));
            self.later.push_back((last + Duration::from_millis(1 + self.dice.roll(20)), rest));
        } else {
            self.later.push_back((last, message));
        }
    }

    fn pull(&mut self) {
        while let Some(message) = self.scanner.to_send() {
            if self.dice.one_in(self.faults.silence) {
                continue;
            }
            let message = self.spoil(message);
            self.glued.extend(message);
            if !self.dice.one_in(self.faults.glue) {
                let whole = std::mem::take(&mut self.glued);
                self.put(whole);
            }
        }
    }
}

impl<D: Device> Device for Faulty<D> {
    fn received(&mut self, now: Duration, bytes: &[u8]) {
        self.now = now;
        self.scanner.received(now, bytes);
        self.pull();
    }

    fn woken(&mut self, now: Duration) {
        self.now = now;
        if self.scanner.due().is_some_and(|due| due <= now) {
            self.scanner.woken(now);
        }
        self.pull();
    }

    fn due(&self) -> Option<Duration> {
        self.later.front().map(|(at, _)| *at).into_iter().chain(self.scanner.due()).min()
    }

    fn to_send(&mut self) -> Option<Vec<u8>> {
        self.pull();
        let due = self.later.front().is_some_and(|(at, _)| *at <= self.now);
        if due { self.later.pop_front().map(|(_, message)| message) } else { None }
    }
}

impl<D: Scanner> Scanner for Faulty<D> {
    fn show(&mut self, now: Duration, code: Option<&str>) {
        self.now = now;
        self.scanner.show(now, code);
        self.pull();
    }

    fn power_cycle(&mut self, now: Duration) {
        self.scanner.power_cycle(now);
    }

    fn host_speed(&mut self, baud: u32) {
        self.scanner.host_speed(baud);
    }
}
