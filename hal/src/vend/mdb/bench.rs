//! The real controller and a simulated machine with its adapter, joined in made-up time: bytes arrive late and cut anywhere.

use std::{collections::VecDeque, time::Duration};

use super::controller;
use crate::{
    board::{HexForm, HexSpec, MdbAdapter, MdbMode, SlotSpec, VendSpec},
    event::{DeviceEvent, VendResult},
    sim::{
        dice::Dice,
        mdb::{
            Adapter,
            hex_adapter::HexAdapter,
            text_adapter::TextAdapter,
            vmc::{Act, Vmc, VmcSpec},
        },
    },
    vend::{Job, bus::Protocol, mdb::controller::Controller},
};

/// How the adapter is made. Every scene is played on each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Make {
    Text,
    /// Bytes towards the box and text from it, with ACKs: as the box that was seen.
    Hex,
    /// Bytes both ways, no checksum from the box and no ACKs.
    HexBlind,
    /// Text both ways, without any checksum.
    HexText,
    /// A box that answers SETUP itself.
    HexOwn,
}

pub(super) const MAKES: [Make; 5] = [Make::Text, Make::Hex, Make::HexBlind, Make::HexText, Make::HexOwn];

impl Make {
    fn hex(self) -> HexSpec {
        let hex = HexSpec::default();
        match self {
            Self::Text | Self::Hex => hex,
            Self::HexBlind => HexSpec { receive: HexForm::Raw, receive_checksum: false, acks: false, ..hex },
            Self::HexText => HexSpec { send: HexForm::Ascii, send_checksum: false, receive_checksum: false, ..hex },
            Self::HexOwn => HexSpec { answers_setup: true, ..hex },
        }
    }

    /// Whether this adapter can agree on "always idle".
    pub(super) fn can_idle(self) -> bool {
        self != Self::HexOwn
    }
}

/// A board with three slots at the machine's three items.
pub(super) fn board(make: Make, mode: MdbMode, always_idle: bool) -> VendSpec {
    let slot = |name: &str, number| SlotSpec { name: name.into(), number, ..SlotSpec::default() };
    let mut spec = VendSpec::default();
    spec.mdb.adapter = if make == Make::Text { MdbAdapter::Text } else { MdbAdapter::Hex };
    spec.mdb.mode = mode;
    spec.mdb.always_idle = always_idle;
    spec.mdb.hex = make.hex();
    spec.slots = match mode {
        MdbMode::SelectFirst => vec![slot("5", None), slot("A6", Some(6)), slot("7", None)],
        MdbMode::PayFirst => vec![slot("C5", None), slot("C2", None)],
    };
    spec
}

enum Sim {
    Text(Box<TextAdapter>),
    Hex(Box<HexAdapter>),
}

/// The bench.
pub(super) struct Bench {
    pub(super) controller: Controller,
    sim: Sim,
    pub(super) now: Duration,
    pub(super) dice: Dice,
    to_us: VecDeque<(Duration, Vec<u8>)>,
    to_adapter: VecDeque<(Duration, Vec<u8>)>,
    pub(super) is_open: bool,
    /// Everything that happened.
    pub(super) events: Vec<(Duration, DeviceEvent)>,
    pub(super) seen: usize,
    /// Approvals that left the controller.
    pub(super) approved: Vec<Duration>,
    make: Make,
}

impl Bench {
    pub(super) fn new(make: Make, spec: &VendSpec, vmc: VmcSpec, seed: u64) -> Self {
        let vmc = Vmc::new(vmc);
        let sim = match make {
            Make::Text => Sim::Text(Box::new(TextAdapter::new(vmc))),
            Make::Hex | Make::HexBlind | Make::HexText | Make::HexOwn => {
                Sim::Hex(Box::new(HexAdapter::new(vmc, 0x10, spec.mdb.hex.clone())))
            }
        };
        let mut bench = Self {
            controller: controller(spec),
            sim,
            now: Duration::ZERO,
            dice: Dice::new(seed),
            to_us: VecDeque::new(),
            to_adapter: VecDeque::new(),
            is_open: false,
            events: Vec::new(),
            seen: 0,
            approved: Vec::new(),
            make,
        };
        bench.plug();
        bench
    }

    pub(super) fn adapter(&mut self) -> &mut dyn Adapter {
        match &mut self.sim {
            Sim::Text(adapter) => adapter.as_mut(),
            Sim::Hex(adapter) => adapter.as_mut(),
        }
    }

    pub(super) fn vmc(&mut self) -> &mut Vmc {
        self.adapter().vmc()
    }

    /// Approvals that reached the adapter.
    pub(super) fn approvals(&self) -> u32 {
        match &self.sim {
            Sim::Text(adapter) => adapter.approvals(),
            Sim::Hex(adapter) => adapter.approvals(),
        }
    }

    pub(super) fn plug(&mut self) {
        self.is_open = true;
        self.controller.opened(self.now);
        self.pump();
    }

    pub(super) fn unplug(&mut self) {
        self.is_open = false;
        self.to_us.clear();
        self.to_adapter.clear();
        self.controller.closed(self.now, "the cable is out");
        self.pump();
    }

    pub(super) fn want(&mut self, job: Job) {
        self.controller.wanted(self.now, job);
        self.pump();
    }

    pub(super) fn dispense(&mut self, job: u64, slot: &str, price: i64) {
        self.want(Job::Dispense { job, slot: slot.into(), price });
    }

    /// The customer or the machine does this now.
    pub(super) fn act(&mut self, act: Act) {
        let now = self.now;
        self.vmc().plan(now, act);
    }

    /// What both sides have to say goes on its way, in pieces.
    fn pump(&mut self) {
        while let Some(bytes) = self.controller.to_send() {
            let is_approval = match self.make {
                Make::Text => bytes.starts_with(b"C,VEND,") && !bytes.starts_with(b"C,VEND,-1"),
                Make::HexText => bytes.starts_with(b"05"),
                Make::Hex | Make::HexBlind | Make::HexOwn => bytes.first() == Some(&5),
            };
            if is_approval {
                self.approved.push(self.now);
            }
            if self.is_open {
                send(&mut self.dice, self.now, &mut self.to_adapter, &bytes);
            }
        }
        while let Some(bytes) = self.adapter().to_send() {
            if self.is_open {
                send(&mut self.dice, self.now, &mut self.to_us, &bytes);
            }
        }
        while let Some(mut event) = self.controller.happened() {
            if let DeviceEvent::VendEnded { result, told, .. } = &mut event {
                assert_eq!(told.take().is_none(), *result == VendResult::Dropped, "a bad ending says why");
            }
            self.events.push((self.now, event));
        }
    }

    /// The next thing that is due, not after `limit`; false: nothing was.
    fn step(&mut self, limit: Duration) -> bool {
        let wires = [&self.to_us, &self.to_adapter].map(|wire| wire.front().map(|(at, _)| *at));
        let dues = [self.controller.due(), self.adapter().due(), wires[0], wires[1]];
        let Some(due) = dues.into_iter().flatten().min().filter(|due| *due <= limit) else {
            self.now = limit;
            return false;
        };
        self.now = self.now.max(due);
        let now = self.now;
        while let Some((_, bytes)) = self.to_us.pop_front_if(|(at, _)| *at <= now) {
            self.controller.received(now, &bytes);
        }
        while let Some((_, bytes)) = self.to_adapter.pop_front_if(|(at, _)| *at <= now) {
            self.adapter().received(now, &bytes);
        }
        if self.controller.due().is_some_and(|due| due <= now) {
            self.controller.woken(now);
        }
        if self.adapter().due().is_some_and(|due| due <= now) {
            self.adapter().woken(now);
        }
        self.pump();
        true
    }

    pub(super) fn run(&mut self, time: Duration) {
        let limit = self.now + time;
        while self.step(limit) {}
    }

    /// The next event that was not looked at.
    pub(super) fn next_event(&mut self, patience: Duration) -> Option<DeviceEvent> {
        let limit = self.now + patience;
        while self.seen == self.events.len() && self.step(limit) {}
        let event = self.events.get(self.seen).map(|(_, event)| event.clone());
        self.seen += usize::from(event.is_some());
        event
    }

    /// Runs until this happens; everything before it is skipped.
    pub(super) fn until(&mut self, wanted: &DeviceEvent) {
        while let Some(event) = self.next_event(Duration::from_mins(5)) {
            if event == *wanted {
                return;
            }
        }
        panic!("{wanted:?} never came: {:#?}", self.events);
    }

    /// Runs until the machine takes selections.
    pub(super) fn until_open(&mut self) {
        assert!(self.opens(Duration::from_mins(3)), "the machine takes no selection: {:#?}", self.events);
    }

    /// Whether the machine takes selections within this time.
    pub(super) fn opens(&mut self, within: Duration) -> bool {
        let limit = self.now + within;
        while !self.vmc().takes_selections() {
            if !self.step(limit) {
                return false;
            }
        }
        true
    }

    /// How the jobs ended, in order.
    pub(super) fn endings(&self) -> Vec<(u64, VendResult, Option<i64>)> {
        let ending = |event: &DeviceEvent| {
            let DeviceEvent::VendEnded { job, result, taken, .. } = event else { return None };
            Some((*job, *result, *taken))
        };
        self.events.iter().filter_map(|(_, event)| ending(event)).collect()
    }

    pub(super) fn count(&self, wanted: &DeviceEvent) -> usize {
        self.events.iter().filter(|(_, event)| event == wanted).count()
    }
}

/// Puts bytes on a wire: cut anywhere, a few milliseconds late, in order.
fn send(dice: &mut Dice, now: Duration, wire: &mut VecDeque<(Duration, Vec<u8>)>, bytes: &[u8]) {
    let mut at = wire.back().map_or(now, |(at, _)| *at).max(now) + Duration::from_millis(1 + dice.roll(4));
    let mut rest = bytes;
    while !rest.is_empty() {
        let cut = usize::try_from(dice.roll(12)).unwrap_or(1).clamp(1, rest.len());
        let (piece, more) = rest.split_at(cut);
        wire.push_back((at, piece.to_vec()));
        at += Duration::from_millis(dice.roll(3));
        rest = more;
    }
}

pub(super) fn ended(job: u64, result: VendResult, taken: Option<i64>) -> DeviceEvent {
    DeviceEvent::VendEnded { job, result, drops: None, taken, told: None }
}

pub(super) fn chosen(slot: &str, price: i64) -> DeviceEvent {
    DeviceEvent::Chosen { slot: Some(slot.into()), price: Some(price) }
}
