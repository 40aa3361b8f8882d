//! The physics of the machine: pins in, pins out, on a clock that is given.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use super::{
    spec::{MachineSpec, Pin},
    state::{MachineState, SlotState},
};
use crate::event::Key;

/// Presses that wait for the finger.
const PRESSES_MAX: usize = 64;

/// A motor under way.
#[derive(Debug)]
struct Turning {
    since: Duration,
    turns: u32,
    tripped: bool,
}

#[derive(Debug, Default)]
struct Slot {
    stock: u32,
    jammed: bool,
    turning: Option<Turning>,
    motor_starts: u64,
    drops: u64,
    one_shot_trips: u64,
}

/// The finger on the keypad.
#[derive(Debug, Clone, Copy)]
enum Finger {
    Down(Key, Duration),
    Lifted(Duration),
}

/// What happens next by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Trip(usize),
    Turn(usize),
    Fall(usize),
    BeamClear,
    Finger,
}

/// A vending machine without sockets, threads or clock.
#[derive(Debug)]
pub(super) struct Model {
    spec: MachineSpec,
    now: Duration,
    high: BTreeMap<String, bool>,
    slots: Vec<Slot>,
    falling: BTreeSet<(Duration, usize)>,
    beam_until: Option<Duration>,
    blocked: bool,
    drops: u64,
    beeps: u64,
    lamp_starts: u64,
    presses: VecDeque<Key>,
    finger: Option<Finger>,
    changed: Vec<(String, bool)>,
}

impl Model {
    pub(super) fn new(spec: MachineSpec) -> Self {
        let slots = spec.slots.iter().map(|_| Slot { stock: spec.stock, ..Slot::default() });
        Self {
            slots: slots.collect(),
            spec,
            now: Duration::ZERO,
            high: BTreeMap::new(),
            falling: BTreeSet::new(),
            beam_until: None,
            blocked: false,
            drops: 0,
            beeps: 0,
            lamp_starts: 0,
            presses: VecDeque::new(),
            finger: None,
            changed: Vec::new(),
        }
    }

    /// Lets time pass up to `now`; time that goes backwards is ignored.
    pub(super) fn advance(&mut self, now: Duration) {
        while let Some((at, due)) = self.next_due().filter(|(at, _)| *at <= now) {
            self.now = self.now.max(at);
            self.happen(due);
        }
        self.now = self.now.max(now);
    }

    /// When something will happen by itself.
    pub(super) fn next_deadline(&self) -> Option<Duration> {
        self.next_due().map(|(at, _)| at)
    }

    /// Inputs whose level changed since the last call.
    pub(super) fn take_changes(&mut self) -> Vec<(String, bool)> {
        std::mem::take(&mut self.changed)
    }

    /// The electrical level of a pin; a pin that nobody drives rests at its *off* level.
    pub(super) fn level(&self, line: &str) -> bool {
        self.high.get(line).copied().unwrap_or_else(|| self.pin(line).is_some_and(|pin| pin.active_low))
    }

    /// A driver sets the level of an output. False: there is no such output.
    pub(super) fn set_output(&mut self, line: &str, high: bool) -> bool {
        let Some(pin) = self.output_pin(line) else {
            return false;
        };
        let active = high != pin.active_low;
        let was_active = self.level(line) != pin.active_low;
        self.high.insert(line.to_owned(), high);
        if active != was_active {
            self.switched(line, active);
        }
        true
    }

    /// Whether a driver may read this pin.
    pub(super) fn is_input(&self, line: &str) -> bool {
        let is_key = self.spec.keys.iter().any(|(_, pin)| pin.line == line);
        let mut others = self.spec.drop_sensor.iter().chain(&self.spec.other_inputs);
        is_key || others.any(|pin| pin.line == line)
    }

    /// Presses a key, after the presses before it.
    pub(super) fn press(&mut self, key: Key) -> bool {
        let known = self.spec.keys.iter().any(|(known, _)| *known == key);
        let room = self.presses.len() < PRESSES_MAX;
        if known && room {
            self.presses.push_back(key);
            if self.finger.is_none() {
                self.next_press();
            }
        }
        known && room
    }

    /// Something lies in the light curtain, or no longer.
    pub(super) fn block_curtain(&mut self, blocked: bool) {
        self.blocked = blocked;
        self.update_curtain();
    }

    /// Changes one slot; false: there is no such slot.
    pub(super) fn jam(&mut self, name: &str, jammed: bool) -> bool {
        self.with_slot(name, |slot| slot.jammed = jammed)
    }

    /// Fills one slot; false: there is no such slot.
    pub(super) fn restock(&mut self, name: &str, stock: u32) -> bool {
        self.with_slot(name, |slot| slot.stock = stock)
    }

    pub(super) fn drops(&self) -> u64 {
        self.drops
    }

    /// The state as seen from outside; the caller fills in what it knows about drivers and frames.
    pub(super) fn state(&self) -> MachineState {
        let slots = self.spec.slots.iter().zip(&self.slots);
        MachineState {
            slots: slots.map(|((name, _), slot)| slot.state(name)).collect(),
            drops: self.drops,
            curtain_broken: self.curtain_broken(),
            lamp: self.is_on(self.spec.lamp.as_ref()),
            buzzer: self.is_on(self.spec.buzzer.as_ref()),
            beeps: self.beeps,
            lamp_starts: self.lamp_starts,
            frames: 0,
            drivers: 0,
            inputs_read: 0,
        }
    }

    fn with_slot(&mut self, name: &str, change: impl FnOnce(&mut Slot)) -> bool {
        let index = self.spec.slots.iter().position(|(known, _)| known == name);
        let slot = index.and_then(|index| self.slots.get_mut(index));
        slot.map(change).is_some()
    }

    fn output_pin(&self, line: &str) -> Option<Pin> {
        let relays = self.spec.slots.iter().map(|(_, pin)| pin);
        let known = relays.chain(&self.spec.lamp).chain(&self.spec.buzzer);
        known.chain(&self.spec.other_outputs).find(|pin| pin.line == line).cloned()
    }

    fn pin(&self, line: &str) -> Option<Pin> {
        let inputs = self.spec.keys.iter().map(|(_, pin)| pin);
        let mut inputs = inputs.chain(&self.spec.drop_sensor).chain(&self.spec.other_inputs);
        inputs.find(|pin| pin.line == line).cloned().or_else(|| self.output_pin(line))
    }

    fn is_on(&self, pin: Option<&Pin>) -> bool {
        pin.is_some_and(|pin| self.level(&pin.line) != pin.active_low)
    }

    fn switched(&mut self, line: &str, active: bool) {
        if self.spec.lamp.as_ref().is_some_and(|pin| pin.line == line) && active {
            self.lamp_starts += 1;
        }
        if self.spec.buzzer.as_ref().is_some_and(|pin| pin.line == line) && active {
            self.beeps += 1;
        }
        let relay = self.spec.slots.iter().position(|(_, pin)| pin.line == line);
        if let Some(slot) = relay.and_then(|index| self.slots.get_mut(index)) {
            slot.turning = active.then_some(Turning { since: self.now, turns: 0, tripped: false });
            slot.motor_starts += u64::from(active);
        }
    }

    fn next_due(&self) -> Option<(Duration, Due)> {
        let motors = self.slots.iter().enumerate().filter_map(|(index, slot)| {
            let turning = slot.turning.as_ref().filter(|turning| !turning.tripped)?;
            let turned = turning.since + self.spec.motor * (turning.turns + 1);
            let trips = turning.since + self.spec.one_shot;
            Some((turned, Due::Turn(index)).min((trips, Due::Trip(index))))
        });
        let falls = self.falling.first().map(|(at, slot)| (*at, Due::Fall(*slot)));
        let beam = self.beam_until.map(|at| (at, Due::BeamClear));
        let finger = self.finger.map(|finger| match finger {
            Finger::Down(_, until) | Finger::Lifted(until) => (until, Due::Finger),
        });
        motors.chain(falls).chain(beam).chain(finger).min()
    }

    fn happen(&mut self, due: Due) {
        match due {
            Due::Trip(index) => self.trip(index),
            Due::Turn(index) => self.turn(index),
            Due::Fall(index) => self.fall(index),
            Due::BeamClear => {
                self.beam_until = None;
                self.update_curtain();
            }
            Due::Finger => self.move_finger(),
        }
    }

    fn trip(&mut self, index: usize) {
        if let Some(slot) = self.slots.get_mut(index) {
            slot.one_shot_trips += 1;
            if let Some(turning) = &mut slot.turning {
                turning.tripped = true;
            }
        }
    }

    /// The spiral made a full turn: its front item tips over.
    fn turn(&mut self, index: usize) {
        let Some(slot) = self.slots.get_mut(index) else {
            return;
        };
        if let Some(turning) = &mut slot.turning {
            turning.turns += 1;
        }
        if slot.stock > 0 && !slot.jammed {
            slot.stock -= 1;
            self.falling.insert((self.now + self.spec.fall, index));
        }
    }

    fn fall(&mut self, index: usize) {
        self.falling.pop_first();
        if let Some(slot) = self.slots.get_mut(index) {
            slot.drops += 1;
        }
        self.drops += 1;
        self.beam_until = Some(self.now + self.spec.beam);
        self.update_curtain();
    }

    fn curtain_broken(&self) -> bool {
        self.blocked || self.beam_until.is_some()
    }

    fn update_curtain(&mut self) {
        if let Some(pin) = self.spec.drop_sensor.clone() {
            self.set_input(&pin, self.curtain_broken());
        }
    }

    fn set_input(&mut self, pin: &Pin, active: bool) {
        let high = active != pin.active_low;
        if self.level(&pin.line) != high {
            self.high.insert(pin.line.clone(), high);
            self.changed.push((pin.line.clone(), high));
        }
    }

    fn set_key(&mut self, key: Key, active: bool) {
        let pin = self.spec.keys.iter().find(|(known, _)| *known == key);
        if let Some((_, pin)) = pin.cloned() {
            self.set_input(&pin, active);
        }
    }

    fn next_press(&mut self) {
        self.finger = self.presses.pop_front().map(|key| {
            self.set_key(key, true);
            Finger::Down(key, self.now + self.spec.press)
        });
    }

    fn move_finger(&mut self) {
        match self.finger {
            Some(Finger::Down(key, _)) => {
                self.set_key(key, false);
                self.finger = Some(Finger::Lifted(self.now + self.spec.lift));
            }
            Some(Finger::Lifted(_)) | None => self.next_press(),
        }
    }
}

impl Slot {
    fn state(&self, name: &str) -> SlotState {
        SlotState {
            name: name.to_owned(),
            stock: self.stock,
            jammed: self.jammed,
            relay_on: self.turning.is_some(),
            motor_on: self.turning.as_ref().is_some_and(|motor| !motor.tripped),
            motor_starts: self.motor_starts,
            drops: self.drops,
            one_shot_trips: self.one_shot_trips,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::Rotation;

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn pin(line: &str, active_low: bool) -> Pin {
        Pin { line: line.into(), active_low }
    }

    fn machine() -> Model {
        Model::new(MachineSpec {
            slots: vec![("11".into(), pin("relay-11", false)), ("12".into(), pin("relay-12", true))],
            drop_sensor: Some(pin("curtain", true)),
            keys: vec![(Key::Ok, pin("key-ok", false))],
            lamp: Some(pin("lamp", false)),
            buzzer: None,
            rotation: Rotation::None,
            stock: 3,
            motor: ms(100),
            fall: ms(30),
            beam: ms(10),
            one_shot: ms(250),
            other_outputs: vec![],
            other_inputs: vec![],
            press: ms(20),
            lift: ms(20),
        })
    }

    #[test]
    fn an_item_falls_after_a_full_turn_and_breaks_the_beam_for_a_moment() {
        let mut model = machine();
        assert!(model.set_output("relay-11", true));
        model.advance(ms(99));
        assert_eq!(model.state().slots[0].stock, 3);
        model.advance(ms(105));
        model.set_output("relay-11", false);
        model.advance(ms(130));
        assert_eq!(model.drops(), 1);
        assert_eq!(model.take_changes(), [("curtain".to_owned(), false)]);
        model.advance(ms(140));
        assert_eq!(model.take_changes(), [("curtain".to_owned(), true)]);
        assert_eq!(model.next_deadline(), None);
    }

    #[test]
    fn a_relay_released_early_drops_nothing() {
        let mut model = machine();
        model.set_output("relay-11", true);
        model.advance(ms(90));
        model.set_output("relay-11", false);
        model.advance(ms(1000));
        assert_eq!(model.drops(), 0);
        assert_eq!(model.state().slots[0].motor_starts, 1);
    }

    #[test]
    fn a_driver_that_forgets_to_release_gets_a_second_item_until_the_one_shot_trips() {
        let mut model = machine();
        model.set_output("relay-11", true);
        model.advance(ms(5000));
        let slot = &model.state().slots[0];
        assert_eq!((slot.drops, slot.one_shot_trips), (2, 1));
        assert!(slot.relay_on && !slot.motor_on);
    }

    #[test]
    fn an_active_low_relay_rests_high() {
        let mut model = machine();
        assert!(model.level("relay-12"));
        model.set_output("relay-12", true);
        assert_eq!(model.state().slots[1].motor_starts, 0);
        model.set_output("relay-12", false);
        assert!(model.state().slots[1].motor_on);
    }

    #[test]
    fn nothing_falls_from_a_jammed_or_empty_slot() {
        let mut model = machine();
        assert!(model.jam("11", true));
        assert!(model.restock("12", 0));
        assert!(!model.jam("99", true));
        model.set_output("relay-11", true);
        model.set_output("relay-12", false);
        model.advance(ms(5000));
        assert_eq!(model.drops(), 0);
    }

    #[test]
    fn two_presses_are_two_pulses() {
        let mut model = machine();
        assert!(model.press(Key::Ok));
        assert!(model.press(Key::Ok));
        assert!(!model.press(Key::Cancel));
        model.advance(ms(1000));
        let levels: Vec<bool> = model.take_changes().into_iter().map(|(_, high)| high).collect();
        assert_eq!(levels, [true, false, true, false]);
    }

    #[test]
    fn a_blocked_curtain_stays_broken_after_an_item_fell_through() {
        let mut model = machine();
        model.block_curtain(true);
        model.set_output("relay-11", true);
        model.advance(ms(120));
        model.set_output("relay-11", false);
        model.advance(ms(1000));
        assert!(model.state().curtain_broken);
        assert_eq!(model.take_changes(), [("curtain".to_owned(), false)]);
    }

    #[test]
    fn an_unknown_output_is_refused() {
        assert!(!machine().set_output("relay-99", true));
        assert!(!machine().set_output("curtain", true));
        assert!(machine().is_input("curtain"));
    }
}
