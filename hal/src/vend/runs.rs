//! A protocol against the model of its controller, in made-up time, over a wire that cuts, loses, garbles and repeats.

use std::time::Duration;

use super::{Job, bus::Protocol};
use crate::{
    event::{DeviceEvent, VendResult},
    sim::{dice::Dice, port::Device},
};

impl Dice {
    pub(super) fn in_thousand(&mut self, chance: u64) -> bool {
        self.roll(1000) < chance
    }
}

/// How bad the wire is, in a thousand messages.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wire {
    pub(super) lost: u64,
    pub(super) garbled: u64,
    pub(super) repeated: u64,
    pub(super) noise: u64,
    /// The longest a chunk takes on the way, in ms.
    pub(super) delay_ms: u64,
}

struct Chunk {
    at: Duration,
    to_device: bool,
    bytes: Vec<u8>,
}

/// One history.
pub(super) struct Run<P, D> {
    pub(super) protocol: P,
    pub(super) device: D,
    pub(super) now: Duration,
    pub(super) dice: Dice,
    pub(super) wire: Wire,
    pub(super) events: Vec<(Duration, DeviceEvent)>,
    /// Everything the protocol sent, in order, and when.
    pub(super) sent: Vec<Vec<u8>>,
    pub(super) sent_at: Vec<Duration>,
    on_the_way: Vec<Chunk>,
    plugged: bool,
}

impl<P: Protocol, D: Device> Run<P, D> {
    pub(super) fn new(protocol: P, device: D, seed: u64, wire: Wire) -> Self {
        let mut run = Self {
            protocol,
            device,
            now: Duration::from_secs(10),
            dice: Dice::new(seed),
            wire,
            events: Vec::new(),
            sent: Vec::new(),
            sent_at: Vec::new(),
            on_the_way: Vec::new(),
            plugged: true,
        };
        run.protocol.opened(run.now);
        run.collect();
        run
    }

    pub(super) fn unplug(&mut self) {
        self.plugged = false;
        self.on_the_way.clear();
        self.protocol.closed(self.now, "the cable was pulled");
        self.collect();
    }

    pub(super) fn plug(&mut self) {
        self.plugged = true;
        self.protocol.opened(self.now);
        self.collect();
    }

    pub(super) fn give(&mut self, job: u64, slot: &str) {
        self.protocol.wanted(self.now, Job::Dispense { job, slot: slot.into(), price: 350 });
        self.collect();
    }

    /// Goes on for this long.
    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.next_at().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.step();
        }
        self.now = end;
    }

    /// Goes on until something of this kind was told, at most `limit`; true: it was.
    pub(super) fn until(&mut self, limit: Duration, wanted: impl Fn(&DeviceEvent) -> bool) -> bool {
        let (end, from) = (self.now + limit, self.events.len());
        loop {
            if self.events.iter().skip(from).any(|(_, event)| wanted(event)) {
                return true;
            }
            match self.next_at().filter(|at| *at <= end) {
                None => return false,
                Some(at) => {
                    self.now = self.now.max(at);
                    self.step();
                }
            }
        }
    }

    /// Gives a job and goes on until it ended.
    pub(super) fn deliver(&mut self, job: u64, slot: &str) -> (VendResult, Option<String>) {
        let from = self.events.len();
        self.give(job, slot);
        let ended = |event: &DeviceEvent| matches!(event, DeviceEvent::VendEnded { .. });
        if !self.events.iter().skip(from).any(|(_, event)| ended(event)) {
            assert!(self.until(Duration::from_secs(600), ended), "job {job} never ends");
        }
        let mut told = self.events.iter().skip(from).filter_map(|(_, event)| {
            let DeviceEvent::VendEnded { job: of, result, told, .. } = event else { return None };
            (*of == job).then(|| (*result, told.clone()))
        });
        told.next().expect("its own result")
    }

    pub(super) fn ready(&mut self) {
        let ready = |event: &DeviceEvent| matches!(event, DeviceEvent::VendReady { .. });
        assert!(self.until(Duration::from_secs(60), ready), "{:?}", self.events);
    }

    /// Every result that was told of a job.
    pub(super) fn results(&self, job: u64) -> Vec<VendResult> {
        let results = self.events.iter().filter_map(|(_, event)| {
            let DeviceEvent::VendEnded { job: of, result, .. } = event else { return None };
            (*of == job).then_some(*result)
        });
        results.collect()
    }

    fn next_at(&self) -> Option<Duration> {
        let chunk = self.on_the_way.iter().map(|chunk| chunk.at).min();
        [chunk, self.protocol.due(), self.device.due()].into_iter().flatten().min()
    }

    fn step(&mut self) {
        let (now, plugged) = (self.now, self.plugged);
        let arrived = self.on_the_way.iter().position(|chunk| chunk.at <= now);
        if let Some(place) = arrived {
            let chunk = self.on_the_way.remove(place);
            match chunk.to_device {
                true => self.device.received(now, &chunk.bytes),
                false if plugged => self.protocol.received(now, &chunk.bytes),
                false => {}
            }
        } else if self.protocol.due().is_some_and(|due| due <= now) {
            self.protocol.woken(now);
        } else {
            self.device.woken(now);
        }
        self.collect();
    }

    fn collect(&mut self) {
        while let Some(bytes) = self.protocol.to_send() {
            if self.plugged {
                self.sent.push(bytes.clone());
                self.sent_at.push(self.now);
                self.put(true, bytes);
            }
        }
        while let Some(bytes) = self.device.to_send() {
            if self.plugged {
                self.put(false, bytes);
            }
        }
        while let Some(event) = self.protocol.happened() {
            self.events.push((self.now, event));
        }
    }

    fn put(&mut self, to_device: bool, mut bytes: Vec<u8>) {
        if self.dice.in_thousand(self.wire.noise) {
            let length = 1 + self.dice.roll(6);
            let noise = (0..length).map(|_| (self.dice.roll(256)) as u8).collect();
            self.cut(to_device, noise);
        }
        if self.dice.in_thousand(self.wire.lost) {
            return;
        }
        if self.dice.in_thousand(self.wire.garbled) {
            let place = self.dice.roll(bytes.len() as u64) as usize;
            bytes[place] ^= 1 << self.dice.roll(8);
        }
        if self.dice.in_thousand(self.wire.repeated) {
            self.cut(to_device, bytes.clone());
        }
        self.cut(to_device, bytes);
    }

    /// In order, each direction for itself, cut anywhere.
    fn cut(&mut self, to_device: bool, bytes: Vec<u8>) {
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let length = 1 + self.dice.roll(rest.len() as u64) as usize;
            let (head, tail) = rest.split_at(length);
            let last = self.on_the_way.iter().filter(|chunk| chunk.to_device == to_device).map(|chunk| chunk.at).max();
            let at = self.now + Duration::from_micros(self.dice.roll(self.wire.delay_ms * 1000 + 1));
            let at = last.map_or(at, |last| last.max(at));
            self.on_the_way.push(Chunk { at, to_device, bytes: head.into() });
            rest = tail;
        }
    }
}

/// Shared by the tests below every protocol: what was told of each job against what the machine did.
pub(super) struct Truth<'a> {
    pub(super) slot: &'a str,
    pub(super) jobs: Vec<u64>,
    /// Motors that were started for the slot.
    pub(super) turned: usize,
    /// Items that fell out of it.
    pub(super) fell: usize,
}

impl<P: Protocol, D: Device> Run<P, D> {
    /// One result per job; no more turns than jobs; Dropped only for what fell, NotDropped only for what did not.
    pub(super) fn judge(&self, seed: u64, truth: &Truth<'_>) {
        let (mut dropped, mut unknown) = (0, 0);
        for job in &truth.jobs {
            match self.results(*job).as_slice() {
                [VendResult::Dropped] => dropped += 1,
                [VendResult::Unknown] => unknown += 1,
                [VendResult::NotDropped] => {}
                results => panic!("seed {seed}: job {job} has {} results", results.len()),
            }
        }
        let Truth { slot, jobs, turned, fell } = truth;
        assert!(*turned <= jobs.len(), "seed {seed}: slot {slot} turned {turned} times for {} jobs", jobs.len());
        assert!(dropped <= *fell, "seed {seed}: slot {slot}: {dropped} told dropped, {fell} fell");
        assert!(*fell <= dropped + unknown, "seed {seed}: slot {slot}: {fell} fell, only {dropped}+{unknown} told");
    }
}
