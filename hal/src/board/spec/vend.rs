//! `[vend]`: what delivers, and its slots.

use serde::{Deserialize, Serialize};

use super::{LineSpec, MdbMode, MdbSpec, ModbusSpec, PulseSpec, SpringSpec, XySpec};

/// Which vending driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum VendKind {
    /// Nothing to deliver: a counter.
    #[default]
    None,
    /// One relay per slot, and a drop sensor if there is one.
    Relay,
    /// A line that imitates a coin acceptor.
    Pulse,
    /// A controller with the XY-VMC "upper computer" protocol.
    Xy,
    /// A motor board on RS-485: Modbus RTU, or a lane board with its frames.
    Modbus,
    /// A motor board with the 6-byte "spring" protocol.
    Spring,
    /// The cashless reader of a machine with MDB.
    Mdb,
}

/// Where the latched drop counter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CounterKind {
    /// There is none: what fell while nobody watched is unknown.
    #[default]
    None,
    /// The simulated machine's counter.
    Sim,
}

/// What a finished pulse means on a machine without a drop sensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WithoutSensor {
    /// A completed pulse counts as delivered.
    Dropped,
    /// Every vend ends unknown: nobody can tell, so the money goes back. For trying a machine out, not for selling.
    Unknown,
}

/// `[vend]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct VendSpec {
    /// Which driver; default `none`.
    pub kind: VendKind,
    /// Longest time a relay is on for one item; default 4000. Without a drop sensor every pulse has this length.
    pub max_on_ms: u32,
    /// How long after the relay is off an item may still fall; default 1500.
    pub drop_window_ms: u32,
    /// Rest before the machine is used again or inspected; default 500.
    pub settle_ms: u32,
    /// The light curtain above the tray: active while something is in the beam.
    pub drop_sensor: Option<LineSpec>,
    /// A counter that latches drops by itself; default `none`.
    pub drop_counter: CounterKind,
    /// Needed when there is no drop sensor.
    pub without_sensor: Option<WithoutSensor>,
    /// `[vend.pulse]`
    pub pulse: PulseSpec,
    /// `[vend.xy]`
    pub xy: XySpec,
    /// `[vend.modbus]`
    pub modbus: ModbusSpec,
    /// `[vend.spring]`
    pub spring: SpringSpec,
    /// `[vend.mdb]`
    pub mdb: MdbSpec,
    /// `[[vend.slots]]`
    pub slots: Vec<SlotSpec>,
}

impl Default for VendSpec {
    fn default() -> Self {
        Self {
            kind: VendKind::None,
            max_on_ms: 4000,
            drop_window_ms: 1500,
            settle_ms: 500,
            drop_sensor: None,
            drop_counter: CounterKind::None,
            without_sensor: None,
            pulse: PulseSpec::default(),
            xy: XySpec::default(),
            modbus: ModbusSpec::default(),
            spring: SpringSpec::default(),
            mdb: MdbSpec::default(),
            slots: Vec::new(),
        }
    }
}

impl VendSpec {
    /// Whether the buyer may choose at the machine's own keys, and its controller waits for the money.
    #[must_use]
    pub fn machine_chooses(&self) -> bool {
        match self.kind {
            VendKind::Xy => true,
            VendKind::Mdb => self.mdb.mode == MdbMode::SelectFirst,
            VendKind::None | VendKind::Relay | VendKind::Pulse | VendKind::Modbus | VendKind::Spring => false,
        }
    }
}

/// `[[vend.slots]]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct SlotSpec {
    /// What is printed beside the slot: 1 to 8 letters or digits.
    pub name: String,
    /// The line of its relay or of its pulses.
    pub line: Option<LineSpec>,
    /// Its number in the controller; without one the name is the number.
    pub number: Option<u16>,
}

impl SlotSpec {
    /// The slot's number in the controller.
    #[must_use]
    pub fn controller_number(&self) -> Option<u16> {
        self.number.or_else(|| self.name.parse().ok())
    }
}

impl VendSpec {
    /// Why the machine can never deliver for this price in fen, with what to do; `None`: it can.
    #[must_use]
    pub fn refuses_price(&self, price: i64) -> Option<String> {
        match self.kind {
            VendKind::Pulse => self.pulse.pulses(price).err(),
            VendKind::Mdb => self.mdb.refuses_price(price),
            VendKind::None | VendKind::Relay | VendKind::Xy | VendKind::Modbus | VendKind::Spring => None,
        }
    }
}
