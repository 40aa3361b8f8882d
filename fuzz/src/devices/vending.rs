//! Vending controllers: MDB through both kinds of adapter, XY, motor boards. What they say is theirs; what is promised is ours.

use std::{collections::BTreeMap, time::Duration};

use super::script::{Due, Step, pass, steps};
use crate::{
    board::{HexForm, MdbAdapter, MdbMode, ModbusMap, SlotSpec, VendKind, VendSpec, XyDrive},
    event::{DeviceEvent, VendResult},
    vend::{
        Job,
        bus::Protocol,
        mdb::{self, block, hex, money::Money},
        motor::{MotorBoard, Spring, rtu, spring},
        xy::{
            Xy, command,
            packet::{ACK, POLL, Packet, Reader},
        },
    },
};

/// The kinds that the first byte chooses from.
const KINDS: u8 = 13;
/// Jobs in one run.
const JOBS_MAX: u64 = 24;
const SLOTS: [(&str, u16); 3] = [("A1", 1), ("A2", 2), ("B7", 300)];
const MONEY: Money = Money { scale: 1, decimals: 2 };

/// The first byte chooses the controller; what follows are steps, 4 ms a unit.
pub fn any(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else { return };
    let spec = spec(choice % KINDS);
    let mut desk = Desk::new(spec);
    for step in steps(rest) {
        desk.step(&step);
    }
    desk.end();
}

fn spec(kind: u8) -> VendSpec {
    let slot = |(name, number): (&str, u16)| SlotSpec { name: name.into(), number: Some(number), line: None };
    let mut spec = VendSpec { slots: SLOTS.map(slot).into(), ..VendSpec::default() };
    let mdb = &mut spec.mdb;
    mdb.adapter = if kind < 2 { MdbAdapter::Text } else { MdbAdapter::Hex };
    mdb.mode = if kind == 1 || kind == 4 { MdbMode::PayFirst } else { MdbMode::SelectFirst };
    match kind {
        3 => (mdb.hex.receive, mdb.hex.receive_checksum, mdb.hex.acks) = (HexForm::Raw, false, false),
        4 => (mdb.hex.send, mdb.hex.send_checksum, mdb.hex.receive_checksum) = (HexForm::Ascii, false, false),
        5 => mdb.hex.answers_setup = true,
        _ => {}
    }
    spec.xy.drive = if kind == 7 { XyDrive::Buy } else { XyDrive::Direct };
    spec.xy.check = kind != 7;
    spec.modbus.map = match kind {
        10 => ModbusMap::Lane,
        11 => ModbusMap::Lane814,
        _ => ModbusMap::Registers,
    };
    if kind == 9 {
        (spec.modbus.registers.coils, spec.modbus.registers.run) = (true, 100);
    }
    spec.kind = match kind {
        0..=5 => VendKind::Mdb,
        6 | 7 => VendKind::Xy,
        8..=11 => VendKind::Modbus,
        _ => VendKind::Spring,
    };
    spec
}

fn protocol(spec: &VendSpec) -> Box<dyn Protocol> {
    match spec.kind {
        VendKind::Xy => Box::new(Xy::new(spec)),
        VendKind::Modbus => Box::new(MotorBoard::new(spec)),
        VendKind::Spring => Box::new(Spring::new(spec)),
        VendKind::Mdb | VendKind::None | VendKind::Relay | VendKind::Pulse => Box::new(mdb::controller(spec)),
    }
}

/// What a protocol sends that may make an item fall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// An approval of so many steps.
    Approval(u16),
    /// A motor.
    Motor(u16),
}

/// A job that is not answered.
struct Given {
    slot: u16,
    price: i64,
    /// Orders that left for it.
    orders: u32,
}

/// The loop's side, which keeps the books.
struct Desk {
    spec: VendSpec,
    protocol: Box<dyn Protocol>,
    now: Duration,
    open: bool,
    jobs: u64,
    given: BTreeMap<u64, Given>,
    /// What the buyer chose at the machine.
    chosen: Option<(Option<String>, Option<i64>)>,
    ready: bool,
    /// Sent since the last look.
    sent: usize,
}

impl Desk {
    fn new(spec: VendSpec) -> Self {
        let protocol = protocol(&spec);
        let now = Duration::from_secs(10);
        let given = BTreeMap::new();
        let mut desk = Self { spec, protocol, now, open: false, jobs: 0, given, chosen: None, ready: false, sent: 0 };
        desk.plug();
        desk
    }

    fn plug(&mut self) {
        self.open = !self.open;
        if self.open {
            self.protocol.opened(self.now);
        } else {
            self.protocol.closed(self.now, "the cable was pulled");
        }
        self.collect(self.now);
    }

    fn step(&mut self, step: &Step<'_>) {
        self.wait(Duration::from_millis(u64::from(step.pause) * 4));
        self.sent = 0;
        let now = self.now;
        match step.what % 8 {
            0 => self.receive(step.bytes),
            1..=3 => self.receive(&sealed(&self.spec, step.bytes)),
            4 => self.dispense(step),
            5 if step.byte(0) & 1 == 0 => self.protocol.wanted(now, Job::TurnAway),
            5 => self.inspect(),
            6 => self.plug(),
            _ => return self.wait(Duration::from_secs(step.byte(0).into())),
        }
        self.collect(now);
        assert!(self.sent <= 16 + step.bytes.len(), "{} messages after one step", self.sent);
    }

    fn wait(&mut self, time: Duration) {
        let (from, end) = (self.now, self.now + time);
        // Time passes within, and so does `now`.
        pass(self, from, end);
        self.now = end;
    }

    fn receive(&mut self, bytes: &[u8]) {
        if self.open {
            self.protocol.received(self.now, bytes);
        }
    }

    fn number(&mut self) -> Option<u64> {
        self.jobs += 1;
        (self.jobs <= JOBS_MAX).then_some(self.jobs)
    }

    /// Pays for what was chosen, or for anything.
    fn dispense(&mut self, step: &Step<'_>) {
        let Some(job) = self.number() else { return };
        let (name, number) = SLOTS[usize::from(step.byte(0)) % SLOTS.len()];
        let (mut slot, mut price) = (name.to_owned(), i64::from(step.byte(1)) * 10);
        if let (true, Some((chosen, asked))) = (step.what & 8 == 0, self.chosen.take()) {
            (slot, price) = (chosen.unwrap_or(slot), asked.unwrap_or(price));
        }
        let number = SLOTS.iter().find(|(name, _)| *name == slot).map_or(number, |(_, number)| *number);
        self.given.insert(job, Given { slot: number, price, orders: 0 });
        self.protocol.wanted(self.now, Job::Dispense { job, slot, price });
    }

    fn inspect(&mut self) {
        let Some(job) = self.number() else { return };
        // It may move nothing, so nothing may be ordered for it: a slot that is not there.
        self.given.insert(job, Given { slot: u16::MAX, price: 0, orders: 0 });
        self.protocol.wanted(self.now, Job::Inspect { job, drops_before: None });
    }

    /// Every job is answered, whatever the controller said, and the port may stay away for ever.
    fn end(mut self) {
        self.bounded();
        for _ in 0..=JOBS_MAX {
            if self.given.is_empty() {
                return;
            }
            self.wait(Duration::from_secs(300));
        }
        let left: Vec<u64> = self.given.keys().copied().collect();
        assert!(left.is_empty(), "never answered: {left:?}");
    }

    /// A controller that asks and acknowledges gets no more than a few packets: nothing was stored up for it.
    fn bounded(&mut self) {
        if self.spec.kind == VendKind::Xy && self.open {
            let mut rest = 0;
            for _ in 0..100 {
                self.sent = 0;
                self.receive(&Packet::bare(POLL).to_bytes());
                let answer = self.protocol.to_send();
                rest += usize::from(
                    answer.is_some_and(|bytes| bytes != Packet::bare(ACK).to_bytes() && !self.order(&bytes)),
                );
                self.receive(&Packet::bare(ACK).to_bytes());
                self.collect(self.now);
                self.wait(Duration::from_millis(10));
            }
            assert!(rest <= 24, "{rest} packets were stored up");
        }
    }

    /// An order leaves: for a job, once, and for no more money than was paid.
    fn order(&mut self, bytes: &[u8]) -> bool {
        let Some(order) = ordered(&self.spec, bytes) else { return false };
        let pay_first = self.spec.kind == VendKind::Mdb && self.spec.mdb.mode == MdbMode::PayFirst;
        let fits = |given: &&mut Given| match order {
            Order::Motor(slot) => given.slot == slot && given.orders == 0,
            Order::Approval(steps) => match MONEY.fen(steps) {
                // After a failure the buyer may select again.
                Some(fen) if pay_first => fen <= given.price,
                Some(fen) => fen == given.price && given.orders == 0,
                None => false,
            },
        };
        match self.given.values_mut().find(fits) {
            Some(given) => given.orders += 1,
            None => panic!("{order:?} for no job"),
        }
        true
    }

    fn happened(&mut self, event: DeviceEvent) {
        match event {
            DeviceEvent::VendEnded { job, result, taken, told, .. } => {
                let Some(given) = self.given.remove(&job) else {
                    panic!("job {job} is answered twice, or was never given")
                };
                let inspected = given.slot == u16::MAX;
                let ordered = given.orders > 0;
                // A machine with MDB may say that it delivered while its approval still waits for the poll.
                let at_its_own_word = self.spec.kind == VendKind::Mdb && !inspected;
                match result {
                    VendResult::Dropped => assert!(ordered || at_its_own_word, "fell, and nothing was ordered"),
                    VendResult::Unknown => assert!(ordered || inspected, "unknown, and nothing was ordered"),
                    VendResult::NotDropped => assert!(!inspected, "nobody can know that"),
                }
                assert!(taken.is_none_or(|taken| taken <= given.price), "charged more than was paid");
                assert!(told.is_some() || result == VendResult::Dropped, "a bad ending says why");
            }
            DeviceEvent::Chosen { slot, price } => {
                assert!(slot.as_ref().is_none_or(|slot| SLOTS.iter().any(|(name, _)| name == slot)), "{slot:?}");
                assert!(price.is_none_or(|price| price >= 0), "{price:?}");
                self.chosen = Some((slot, price));
            }
            DeviceEvent::ChoiceEnded => self.chosen = None,
            DeviceEvent::CashSold { price, .. } => assert!(price >= 0, "{price}"),
            DeviceEvent::VendReady { .. } => {
                assert!(self.open && !std::mem::replace(&mut self.ready, true), "ready twice, or without a port");
            }
            DeviceEvent::VendDown { reason } => {
                self.ready = false;
                assert!(!reason.is_empty(), "away, and nobody says why");
            }
            DeviceEvent::Scanned(_)
            | DeviceEvent::ScannerUp { .. }
            | DeviceEvent::ScannerDown { .. }
            | DeviceEvent::Key(_)
            | DeviceEvent::Display(_)
            | DeviceEvent::Printer(_)
            | DeviceEvent::DriverEnded { .. } => panic!("not a controller's: {event:?}"),
        }
    }
}

impl Due for Desk {
    fn due(&self) -> Option<Duration> {
        self.protocol.due()
    }

    fn woken(&mut self, now: Duration) {
        self.now = now;
        self.protocol.woken(now);
    }

    /// What is sent goes before what is told: so the driver's loop has it, too, as far as the wire is concerned.
    fn collect(&mut self, _: Duration) {
        while let Some(bytes) = self.protocol.to_send() {
            self.sent += 1;
            assert!((1..=300).contains(&bytes.len()), "{} bytes at once", bytes.len());
            if self.open {
                self.order(&bytes);
            }
        }
        while let Some(event) = self.protocol.happened() {
            self.happened(event);
        }
    }
}

/// With the frame around it that the controller would have made.
fn sealed(spec: &VendSpec, content: &[u8]) -> Vec<u8> {
    match spec.kind {
        VendKind::Mdb if spec.mdb.adapter == MdbAdapter::Text => [b"c,", content, b"\r\n"].concat(),
        VendKind::Mdb => {
            let wire = &spec.mdb.hex;
            // The first byte is the command's, without the address.
            let block = content.iter().enumerate().map(|(at, byte)| if at == 0 { 0x10 | byte & 7 } else { *byte });
            hex::encode(block.collect(), wire.receive_checksum, wire.receive == HexForm::Ascii)
        }
        VendKind::Xy => match content {
            [] => Packet::bare(POLL).to_bytes(),
            [command] => Packet::bare(*command).to_bytes(),
            [command, number, text @ ..] => Packet::numbered(*command, *number, text).to_bytes(),
        },
        VendKind::Modbus => {
            let (function, data) = content.split_first().unwrap_or((&3, &[]));
            rtu::frame(spec.modbus.address, *function, data)
        }
        VendKind::None | VendKind::Relay | VendKind::Pulse | VendKind::Spring => {
            let byte = |place: usize| content.get(place).copied().unwrap_or_default();
            spring::reply(0x5C | byte(0) & 1, byte(1), byte(2)).into()
        }
    }
}

/// The order in what was sent, read by the words of the reference.
fn ordered(spec: &VendSpec, bytes: &[u8]) -> Option<Order> {
    match spec.kind {
        VendKind::Mdb if spec.mdb.adapter == MdbAdapter::Text => {
            let amount = std::str::from_utf8(bytes).ok()?.strip_prefix("C,VEND,")?.trim_end();
            (amount != "-1").then(|| Order::Approval(MONEY.read(amount).unwrap_or(u16::MAX)))
        }
        VendKind::Mdb => match unwrapped(spec, bytes)?.as_slice() {
            [5, high, low] => Some(Order::Approval(u16::from_be_bytes([*high, *low]))),
            _ => None,
        },
        VendKind::Xy => {
            let mut reader = Reader::default();
            reader.push(bytes);
            let packet = reader.next()?;
            match (packet.command, packet.text.as_slice()) {
                (command::DRIVE, [_, _, _, high, low]) | (command::BUY, [_, high, low]) => {
                    Some(Order::Motor(u16::from_be_bytes([*high, *low])))
                }
                (command::DRIVE | command::BUY, _) => panic!("an order of another length"),
                _ => None,
            }
        }
        VendKind::Modbus => match (spec.modbus.map, bytes) {
            (ModbusMap::Registers, [_, rtu::WRITE, a, b, high, low, ..])
                if u16::from_be_bytes([*a, *b]) == spec.modbus.registers.run && !spec.modbus.registers.coils =>
            {
                Some(Order::Motor(u16::from_be_bytes([*high, *low])))
            }
            (ModbusMap::Registers, [_, rtu::WRITE_COIL, a, b, ..]) => {
                Some(Order::Motor(u16::from_be_bytes([*a, *b]).wrapping_sub(spec.modbus.registers.run)))
            }
            // Slots of these boards are one byte; a larger number becomes one that no board has.
            (ModbusMap::Lane | ModbusMap::Lane814, [_, 0x05 | 0xA5, motor, _, _]) => {
                Some(Order::Motor(if *motor == u8::MAX { 300 } else { u16::from(*motor) }))
            }
            (ModbusMap::Registers | ModbusMap::Lane | ModbusMap::Lane814, _) => None,
        },
        VendKind::None | VendKind::Relay | VendKind::Pulse | VendKind::Spring => match bytes {
            [0, 0xFF, slot, _, 0xAA, 0x55] => Some(Order::Motor(u16::from(*slot))),
            _ => panic!("a six-byte board is told nothing else"),
        },
    }
}

/// A status towards a box, without its form and its checksum.
fn unwrapped(spec: &VendSpec, bytes: &[u8]) -> Option<Vec<u8>> {
    let wire = &spec.mdb.hex;
    let digit = |letter: &u8| char::from(*letter).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let block = match wire.send {
        HexForm::Raw => bytes.to_vec(),
        HexForm::Ascii => {
            let digits: Option<Vec<u8>> = bytes.strip_suffix(b"\r\n")?.iter().map(digit).collect();
            digits?.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
        }
    };
    if wire.send_checksum { block::unseal(&block).map(<[u8]>::to_vec) } else { Some(block) }
}
