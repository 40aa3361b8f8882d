//! A controller with the XY-VMC protocol: asks every 200 ms, gives an answer 100 ms, repeats five times.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use super::port::Device;
use crate::vend::xy::{
    command,
    packet::{ACK, POLL, Packet, Reader},
};

const ASK_EVERY: Duration = Duration::from_millis(200);
const ANSWER_WITHIN: Duration = Duration::from_millis(100);
/// Once, and five repeats.
const SENDS_MAX: u8 = 6;
/// The motor's turn and the item's fall.
const TURN: Duration = Duration::from_millis(1500);

/// What becomes of the next delivery out of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It falls and is reported.
    Falls,
    /// The motor jams; nothing falls.
    Jams,
    /// There is no motor.
    NoMotor,
    /// The motor does not stop; an item fell.
    RunsOn,
    /// The purchase is broken off, with an item fallen or not.
    BrokenOff {
        /// Whether it fell.
        fell: bool,
    },
    /// It falls, and the machine says nothing.
    Silent,
}

/// A slot of the machine.
#[derive(Debug, Clone, Default)]
pub struct XySlot {
    /// In fen.
    pub price: u32,
    /// Items left.
    pub stock: u8,
    /// What becomes of the next deliveries; they fall when none is left.
    pub fates: VecDeque<Fate>,
}

struct Waiting {
    until: Duration,
    /// The packet to repeat; `None`: it was a POLL.
    packet: Option<(Packet, u8)>,
}

struct Turning {
    slot: u16,
    until: Duration,
    fate: Fate,
}

/// The machine.
pub struct XyMachine {
    slots: BTreeMap<u16, XySlot>,
    reader: Reader,
    next_ask: Duration,
    waiting: Option<Waiting>,
    say: VecDeque<(u8, Vec<u8>)>,
    number: u8,
    last_heard: Option<u8>,
    turning: Option<Turning>,
    send: VecDeque<Vec<u8>>,
    off: bool,
    turned: Vec<u16>,
    fell: Vec<u16>,
    cancelled: u32,
}

impl XyMachine {
    /// A machine with these slots, by number.
    #[must_use]
    pub fn new(slots: BTreeMap<u16, XySlot>) -> Self {
        Self {
            slots,
            reader: Reader::default(),
            next_ask: Duration::ZERO,
            waiting: None,
            say: VecDeque::new(),
            number: 0,
            last_heard: None,
            turning: None,
            send: VecDeque::new(),
            off: false,
            turned: Vec::new(),
            fell: Vec::new(),
            cancelled: 0,
        }
    }

    /// The slots whose motor was started, in order.
    #[must_use]
    pub fn turned(&self) -> &[u16] {
        &self.turned
    }

    /// The slots out of which an item fell, in order.
    #[must_use]
    pub fn fell(&self) -> &[u16] {
        &self.fell
    }

    /// How often a choice was turned away.
    #[must_use]
    pub fn cancelled(&self) -> u32 {
        self.cancelled
    }

    /// What becomes of the slot's next delivery.
    pub fn script(&mut self, slot: u16, fate: Fate) {
        self.slots.entry(slot).or_default().fates.push_back(fate);
    }

    /// A buyer presses the slot's key; 0 is the cancel key.
    pub fn choose(&mut self, slot: u16) {
        self.say.push_back((command::CHOICE, slot.to_be_bytes().into()));
    }

    /// A coin falls in.
    pub fn insert_coin(&mut self, fen: u32) {
        let mut text = vec![2];
        text.extend(fen.to_be_bytes());
        self.say.push_back((command::MONEY, text));
    }

    /// The power goes: a turning motor stops, with its item fallen or not, and every memory is lost.
    pub fn power_off(&mut self, fell: bool) {
        self.off = true;
        if let Some(turning) = self.turning.take()
            && fell
        {
            self.drop_item(turning.slot);
        }
        self.waiting = None;
        self.say.clear();
        self.send.clear();
        self.number = 0;
        self.last_heard = None;
        self.reader.forget();
    }

    /// The power is back.
    pub fn power_on(&mut self, now: Duration) {
        self.off = false;
        self.next_ask = now;
        self.say.push_back((command::SYNC, Vec::new()));
    }

    fn drop_item(&mut self, slot: u16) {
        self.fell.push(slot);
        if let Some(slot) = self.slots.get_mut(&slot) {
            slot.stock = slot.stock.saturating_sub(1);
        }
    }

    fn report_slot(&mut self, number: u16) {
        let Some(slot) = self.slots.get(&number) else { return };
        let mut text = Vec::from(number.to_be_bytes());
        text.extend(slot.price.to_be_bytes());
        text.extend([slot.stock, 10, 0, 0, 0]);
        self.say.push_back((command::SLOT, text));
    }

    fn report_delivery(&mut self, code: u8, slot: u16) {
        let [high, low] = slot.to_be_bytes();
        self.say.push_back((command::DELIVERY, vec![code, high, low]));
    }

    fn heard(&mut self, now: Duration, packet: &Packet) {
        if packet.command == ACK {
            self.waiting = None;
            return;
        }
        // Whoever speaks out of turn is not heard.
        if !self.waiting.as_ref().is_some_and(|waiting| waiting.packet.is_none() && now <= waiting.until) {
            return;
        }
        self.waiting = None;
        self.send.push_back(Packet::bare(ACK).to_bytes());
        let number = packet.text.first().copied();
        if std::mem::replace(&mut self.last_heard, number) != number {
            self.obey(now, packet.command, packet.text.get(1..).unwrap_or_default());
        }
    }

    fn obey(&mut self, now: Duration, command: u8, text: &[u8]) {
        let slot = |place: usize| match text.get(place..place + 2) {
            Some(&[high, low]) => u16::from_be_bytes([high, low]),
            Some(_) | None => 0,
        };
        match command {
            command::CHECK => {
                let number = slot(0);
                let state = self.slots.get(&number).map_or(3, |slot| if slot.stock == 0 { 2 } else { 1 });
                let [high, low] = number.to_be_bytes();
                self.say.push_back((command::CHECKED, vec![state, high, low]));
            }
            command::DRIVE => self.turn(now, slot(2)),
            command::BUY => self.turn(now, slot(0)),
            command::CHOICE => self.cancelled += 1,
            command::SYNC => {
                let numbers: Vec<u16> = self.slots.keys().copied().collect();
                numbers.into_iter().for_each(|number| self.report_slot(number));
            }
            _ => {}
        }
    }

    fn turn(&mut self, now: Duration, slot: u16) {
        let fate = self.slots.get_mut(&slot).and_then(|slot| slot.fates.pop_front()).unwrap_or(Fate::Falls);
        if fate == Fate::NoMotor || !self.slots.contains_key(&slot) || self.turning.is_some() {
            return self.report_delivery(6, slot);
        }
        self.turned.push(slot);
        self.report_delivery(1, slot);
        self.turning = Some(Turning { slot, until: now + TURN, fate });
    }

    fn stop(&mut self, Turning { slot, fate, .. }: Turning) {
        if matches!(fate, Fate::Falls | Fate::RunsOn | Fate::Silent | Fate::BrokenOff { fell: true }) {
            self.drop_item(slot);
        }
        match fate {
            Fate::Falls => self.report_delivery(2, slot),
            Fate::Jams => self.report_delivery(3, slot),
            Fate::NoMotor => self.report_delivery(6, slot),
            Fate::RunsOn => self.report_delivery(4, slot),
            Fate::BrokenOff { .. } => self.report_delivery(0xFF, slot),
            Fate::Silent => return,
        }
        self.report_slot(slot);
    }

    /// The next question: the packet that was not acknowledged, else one that waits, else POLL.
    fn ask(&mut self, now: Duration) {
        self.next_ask = now + ASK_EVERY;
        let repeat = self.waiting.take().and_then(|waiting| waiting.packet).filter(|(_, sends)| *sends < SENDS_MAX);
        let packet = repeat.or_else(|| {
            let (command, text) = self.say.pop_front()?;
            self.number = self.number.checked_add(1).unwrap_or(1);
            Some((Packet::numbered(command, self.number, &text), 0))
        });
        let bytes = packet.as_ref().map_or_else(|| Packet::bare(POLL).to_bytes(), |(packet, _)| packet.to_bytes());
        self.send.push_back(bytes);
        let packet = packet.map(|(packet, sends)| (packet, sends + 1));
        self.waiting = Some(Waiting { until: now + ANSWER_WITHIN, packet });
    }
}

impl Device for XyMachine {
    fn received(&mut self, now: Duration, bytes: &[u8]) {
        if self.off {
            return;
        }
        self.reader.push(bytes);
        while let Some(packet) = self.reader.next() {
            self.heard(now, &packet);
        }
    }

    fn woken(&mut self, now: Duration) {
        if let Some(turning) = self.turning.take_if(|turning| turning.until <= now) {
            self.stop(turning);
        }
        if now >= self.next_ask {
            self.reader.forget();
            self.ask(now);
        }
    }

    fn due(&self) -> Option<Duration> {
        if self.off {
            return None;
        }
        let turning = self.turning.as_ref().map(|turning| turning.until);
        turning.into_iter().chain([self.next_ask]).min()
    }

    fn to_send(&mut self) -> Option<Vec<u8>> {
        self.send.pop_front()
    }
}
