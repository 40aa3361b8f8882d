//! What a simulated machine looks like from outside at one instant.

use serde::Serialize;

/// One slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SlotState {
    /// Its name.
    pub name: String,
    /// Items left.
    pub stock: u32,
    /// Nothing falls however long the motor turns.
    pub jammed: bool,
    /// The relay's pin says *on*.
    pub relay_on: bool,
    /// The motor turns: the pin says *on* and the one-shot has not ended it.
    pub motor_on: bool,
    /// How often the motor was started.
    pub motor_starts: u64,
    /// How many items fell.
    pub drops: u64,
    /// How often the hardware one-shot had to stop the motor.
    pub one_shot_trips: u64,
}

/// The whole machine. Counters only grow, so a test can wait for them without missing a short pulse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MachineState {
    /// The slots in the order of the board.
    pub slots: Vec<SlotState>,
    /// The latched counter of all items that fell.
    pub drops: u64,
    /// Something is in the light curtain.
    pub curtain_broken: bool,
    /// The lamp is lit.
    pub lamp: bool,
    /// The buzzer sounds.
    pub buzzer: bool,
    /// How often the buzzer was switched on.
    pub beeps: u64,
    /// How often the lamp was switched on.
    pub lamp_starts: u64,
    /// Pictures received.
    pub frames: u64,
    /// Connections of drivers.
    pub drivers: usize,
    /// Pins that some driver reads: once the keypad's are among them, presses are heard.
    pub inputs_read: usize,
}

impl MachineState {
    /// The slot with this name.
    #[must_use]
    pub fn slot(&self, name: &str) -> Option<&SlotState> {
        self.slots.iter().find(|slot| slot.name == name)
    }

    /// How often any motor was started.
    #[must_use]
    pub fn motor_starts(&self) -> u64 {
        self.slots.iter().map(|slot| slot.motor_starts).sum()
    }
}
