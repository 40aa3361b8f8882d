//! The 6-byte board of TCN and others (reference/hardware.md 3.7): `00 FF slot (FF−slot) AA 55` turns a motor with the drop sensor
//! on; one reply of five bytes comes when it stood still: `00`, 5D for good or 5C for a fault, a code, what the sensor saw, and
//! the sum of the four. The reply's form is read in three client programs and untested on a board.
//!
//! The board cannot be asked what it does, so silence after the order means that nobody knows, and the order goes out once.

use std::time::Duration;

use crate::{
    board::VendSpec,
    event::{DeviceEvent, VendResult},
    vend::{
        Job,
        bus::Protocol,
        desk::{Desk, Order},
    },
};

const GOOD: u8 = 0x5D;
const FAULT: u8 = 0x5C;
const FELL: u8 = 0xAA;
/// After a reply or a silence, before the next order: a late reply is thrown away meanwhile.
const REST: Duration = Duration::from_secs(1);

/// The order to turn a slot's motor once.
pub(crate) fn order(slot: u8) -> [u8; 6] {
    [0x00, 0xFF, slot, !slot, 0xAA, 0x55]
}

/// A reply, as a board sends it.
pub(crate) fn reply(kind: u8, code: u8, seen: u8) -> [u8; 5] {
    [0x00, kind, code, seen, kind.wrapping_add(code).wrapping_add(seen)]
}

/// The first whole reply in these bytes.
fn read(bytes: &[u8]) -> Option<(VendResult, &'static str)> {
    bytes.windows(5).find_map(|window| match *window {
        [0, kind @ (GOOD | FAULT), code, seen, _] if *window == reply(kind, code, seen) => {
            Some(meaning(kind, code, seen))
        }
        _ => None,
    })
}

/// Only what says that no motor can have turned, or that nothing fell past a working sensor, is certain.
fn meaning(kind: u8, code: u8, seen: u8) -> (VendResult, &'static str) {
    match (kind, code, seen) {
        (GOOD, 0, FELL) => (VendResult::Dropped, ""),
        (GOOD, 0, 0) | (_, 4, 0) => (VendResult::NotDropped, "the motor turned and nothing fell: slot empty or jammed"),
        (_, 100, _) => (VendResult::NotDropped, "the slot has no motor"),
        (_, 131, _) => (VendResult::NotDropped, "the board did not understand the order: look at the line"),
        (_, 134, _) => (VendResult::NotDropped, "the board has no such slot"),
        (_, 1..=3, _) => (VendResult::Unknown, "the drop sensor has a fault"),
        (_, 72, _) => (VendResult::Unknown, "the motor is short-circuited"),
        (_, 128, _) => (VendResult::Unknown, "the motor did not get round"),
        (_, 129, _) => (VendResult::Unknown, "the motor's driver does not answer the board"),
        _ => (VendResult::Unknown, "the board gave a code that nobody listed"),
    }
}

/// The protocol's state.
pub(crate) struct Spring {
    desk: Desk,
    vend: Duration,
    open: bool,
    current: Option<(Order, Duration)>,
    heard: Vec<u8>,
    rest_until: Duration,
    send: Option<Vec<u8>>,
}

impl Spring {
    pub(crate) fn new(spec: &VendSpec) -> Self {
        Self {
            desk: Desk::new(spec),
            vend: Duration::from_millis(spec.spring.vend_ms.into()),
            open: false,
            current: None,
            heard: Vec::new(),
            rest_until: Duration::ZERO,
            send: None,
        }
    }

    fn go_on(&mut self, now: Duration) {
        if !self.open || self.current.is_some() || now < self.rest_until {
            return;
        }
        while let Some(next) = self.desk.next_order() {
            let Ok(slot) = u8::try_from(next.number) else {
                self.desk.ended(next.job, VendResult::NotDropped, "the board has no such slot");
                continue;
            };
            self.heard.clear();
            self.send = Some(order(slot).into());
            self.current = Some((next, now + self.vend));
            return;
        }
    }

    fn end(&mut self, now: Duration, rest: Duration, result: VendResult, told: &str) {
        // A rest that is under way is not cut short: its late reply would be taken for the next order's.
        self.rest_until = self.rest_until.max(now + rest);
        if let Some((order, _)) = self.current.take() {
            self.desk.ended(order.job, result, told);
        }
    }
}

impl Protocol for Spring {
    fn opened(&mut self, now: Duration) {
        self.open = true;
        self.rest_until = self.rest_until.max(now + REST);
        // Whether a board is behind the port shows only with the first order.
        self.desk.up();
    }

    fn closed(&mut self, now: Duration, why: &str) {
        self.open = false;
        self.send = None;
        // The reply that is missing may still come once the port is back.
        let rest = if self.current.is_some() { self.vend } else { Duration::ZERO };
        self.end(now, rest, VendResult::Unknown, "the port went away after the order was sent");
        self.desk.down(why);
    }

    fn received(&mut self, now: Duration, bytes: &[u8]) {
        if self.current.is_none() {
            self.rest_until = self.rest_until.max(now + REST);
            return;
        }
        if self.heard.len() < 512 {
            self.heard.extend_from_slice(bytes);
        }
        if let Some((result, told)) = read(&self.heard) {
            self.end(now, REST, result, told);
        }
    }

    fn wanted(&mut self, now: Duration, job: Job) {
        // Nobody chooses at a motor board.
        let _ = self.desk.wanted(job);
        self.go_on(now);
    }

    fn woken(&mut self, now: Duration) {
        if self.current.as_ref().is_some_and(|(_, until)| *until <= now) {
            self.end(now, self.vend, VendResult::Unknown, "the board never said how it ended: is it there at all?");
        }
        self.go_on(now);
    }

    fn due(&self) -> Option<Duration> {
        match &self.current {
            Some((_, until)) => Some(*until),
            None => (self.open && self.desk.has_orders()).then_some(self.rest_until),
        }
    }

    fn to_send(&mut self) -> Option<Vec<u8>> {
        self.send.take()
    }

    fn happened(&mut self) -> Option<DeviceEvent> {
        self.desk.happened()
    }
}

#[cfg(test)]
#[path = "spring_tests.rs"]
mod tests;
