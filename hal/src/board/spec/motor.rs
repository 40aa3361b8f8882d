//! `[vend.modbus]` and `[vend.spring]`: boards that drive the motors of a machine without a controller of its own.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What the board on the RS-485 line speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ModbusMap {
    /// Modbus RTU with the registers of `[vend.modbus.registers]`.
    #[default]
    Registers,
    /// Lane boards of the DCADH815 kind, commands 03, 05 and 06: Modbus's frame and CRC, not its functions.
    Lane,
    /// Lane boards of the ADH814 kind: the same with commands A3, A5 and A6.
    Lane814,
}

/// The parity of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LineParity {
    /// 8N1.
    #[default]
    None,
    /// 8E1, which is what Modbus's own standard asks for.
    Even,
}

/// `[vend.modbus]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModbusSpec {
    /// The port by a name that survives re-plugging. Relative: in the runtime directory.
    pub path: Option<PathBuf>,
    /// Bits per second; default 9600.
    pub baud: u32,
    /// Parity; default `none`.
    pub parity: LineParity,
    /// What the board speaks; default `registers`.
    pub map: ModbusMap,
    /// The board's address on the line; default 1.
    pub address: u8,
    /// How long a reply is waited for; default 300.
    pub reply_ms: u32,
    /// The latest at which a reply may still come, counted from the end of that wait; default 1000. Nothing is sent meanwhile.
    pub late_ms: u32,
    /// How often a turning motor is asked after; default 200.
    pub poll_ms: u32,
    /// How long a delivery may take before nobody can tell any more how it ended; default 20000.
    pub vend_ms: u32,
    /// Lane boards: a light curtain is wired to the board; default true.
    pub drop_sensor: bool,
    /// The registers, for `map = "registers"`.
    pub registers: RegisterSpec,
}

impl Default for ModbusSpec {
    fn default() -> Self {
        Self {
            path: None,
            baud: 9600,
            parity: LineParity::None,
            map: ModbusMap::Registers,
            address: 1,
            reply_ms: 300,
            late_ms: 1000,
            poll_ms: 200,
            vend_ms: 20_000,
            drop_sensor: true,
            registers: RegisterSpec::default(),
        }
    }
}

/// `[vend.modbus.registers]`: holding registers, counted from 0. Without this table they are those of Till's own map;
/// with it, what it does not name does not exist.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterSpec {
    /// Writing a slot's number here turns its motor once. With `coils`: the coil of slot n is `run` + n.
    pub run: u16,
    /// Motors are turned by coils, one for each slot; default false.
    #[serde(default)]
    pub coils: bool,
    /// What the board does now, in the words of `codes`.
    pub status: u16,
    /// Goes up by one with every motor that was started.
    #[serde(default)]
    pub runs: Option<u16>,
    /// Something fell since the motor was started.
    #[serde(default)]
    pub fell: Option<BitSpec>,
    /// What is written where to make the board forget its last result.
    #[serde(default)]
    pub clear: Option<WriteSpec>,
    /// What the values of `status` mean.
    #[serde(default)]
    pub codes: CodesSpec,
}

impl Default for RegisterSpec {
    fn default() -> Self {
        Self {
            run: 0,
            coils: false,
            status: 1,
            runs: Some(2),
            fell: Some(BitSpec { register: 3, bit: 0 }),
            clear: None,
            codes: CodesSpec::default(),
        }
    }
}

/// One bit of a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BitSpec {
    /// The register.
    pub register: u16,
    /// 0 to 15, 0 the lowest.
    pub bit: u8,
}

/// One value for one register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WriteSpec {
    /// The register.
    pub register: u16,
    /// What is written.
    pub value: u16,
}

/// `[vend.modbus.registers.codes]`: any other value means that nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct CodesSpec {
    /// Nothing turns and there is no result; default 0.
    pub idle: u16,
    /// A motor turns; default 1.
    pub turning: u16,
    /// The motor made its turn; default 2.
    pub done: u16,
    /// The motor did not get round; default 3.
    pub jam: u16,
    /// There is no motor, or its wire is broken; default 4.
    pub no_motor: u16,
    /// Something lies in the light curtain: no motor was started; default 5.
    pub blocked: u16,
}

impl Default for CodesSpec {
    fn default() -> Self {
        Self { idle: 0, turning: 1, done: 2, jam: 3, no_motor: 4, blocked: 5 }
    }
}

/// `[vend.spring]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct SpringSpec {
    /// The port by a name that survives re-plugging. Relative: in the runtime directory.
    pub path: Option<PathBuf>,
    /// Bits per second; default 9600.
    pub baud: u32,
    /// How long a delivery may take before nobody can tell any more how it ended; default 20000.
    pub vend_ms: u32,
}

impl Default for SpringSpec {
    fn default() -> Self {
        Self { path: None, baud: 9600, vend_ms: 20_000 }
    }
}

impl RegisterSpec {
    /// The first register that a question after the state reads, and how many.
    pub(crate) fn reach(&self) -> (u16, u16) {
        let read = [Some(self.status), self.runs, self.fell.map(|fell| fell.register)];
        let (first, last) = read
            .into_iter()
            .flatten()
            .fold((u16::MAX, 0), |(first, last), register| (register.min(first), register.max(last)));
        (first, (last - first).saturating_add(1))
    }
}
