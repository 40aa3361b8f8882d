//! What a simulated machine is made of.

use std::time::Duration;

use crate::{
    board::{BoardSpec, LineSpec, Rotation, Use},
    event::Key,
};

/// One pin of the machine and the level that means *on*.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// Its name on the wire: the line's name in the board file, or `chip:offset`.
    pub line: String,
    /// True when the low level is *on*.
    pub active_low: bool,
}

impl Pin {
    fn from_line(line: &LineSpec) -> Self {
        Self { line: line.id(), active_low: line.active_low }
    }
}

/// A machine to simulate. All times are real time; make them short in tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineSpec {
    /// Name and relay of each slot.
    pub slots: Vec<(String, Pin)>,
    /// The light curtain above the tray.
    pub drop_sensor: Option<Pin>,
    /// The keypad's buttons.
    pub keys: Vec<(Key, Pin)>,
    /// The lamp.
    pub lamp: Option<Pin>,
    /// The buzzer.
    pub buzzer: Option<Pin>,
    /// Outputs behind which nothing is simulated, such as a coin input or the rows of a matrix.
    pub other_outputs: Vec<Pin>,
    /// Inputs that rest at their *off* level for ever.
    pub other_inputs: Vec<Pin>,
    /// How the panel is mounted; [`frame`](super::Machine::frame) shows the picture upright.
    pub rotation: Rotation,
    /// Items in each slot at the start.
    pub stock: u32,
    /// How long a motor turns until its item tips over.
    pub motor: Duration,
    /// How long an item falls until it breaks the beam.
    pub fall: Duration,
    /// How long a falling item breaks the beam.
    pub beam: Duration,
    /// The hardware one-shot behind each relay: a motor stops after this, whatever the pin says.
    pub one_shot: Duration,
    /// How long a finger stays on a key.
    pub press: Duration,
    /// How long it is off before the next.
    pub lift: Duration,
}

impl MachineSpec {
    /// The machine that belongs to a board: same pins, with the timings of its `[sim]` section.
    #[must_use]
    pub fn from_board(board: &BoardSpec) -> Self {
        let milliseconds = |ms: u32| Duration::from_millis(ms.into());
        let slots = board.vend.slots.iter().filter_map(|slot| {
            let line = slot.line.as_ref()?;
            Some((slot.name.clone(), Pin::from_line(line)))
        });
        let keys = board.keypad.keys.iter().filter_map(|key| {
            let line = key.line.as_ref()?;
            Some((Key::from_name(&key.key)?, Pin::from_line(line)))
        });
        let others = |wanted: fn(Use) -> bool| {
            let lines = board.lines().into_iter().filter(move |wired| wanted(wired.purpose));
            lines.map(|wired| Pin::from_line(wired.line)).collect()
        };
        Self {
            other_outputs: others(|purpose| purpose != Use::Input),
            other_inputs: others(|purpose| purpose == Use::Input),
            slots: slots.collect(),
            drop_sensor: board.vend.drop_sensor.as_ref().map(Pin::from_line),
            keys: keys.collect(),
            lamp: board.lamp.line.as_ref().map(Pin::from_line),
            buzzer: board.buzzer.line.as_ref().map(Pin::from_line),
            rotation: board.display.rotation,
            stock: board.sim.stock,
            motor: milliseconds(board.sim.motor_ms),
            fall: milliseconds(board.sim.fall_ms),
            beam: Duration::from_millis(40),
            one_shot: milliseconds(board.sim.one_shot_ms),
            press: Duration::from_millis(60),
            // Well above what counts as one press, so that a busy computer does not make one press of two.
            lift: milliseconds(board.keypad.repeat_ms.saturating_mul(2)),
        }
    }
}
