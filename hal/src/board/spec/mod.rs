//! The sections of a board file, as written: one file for each. Defaults are those of `boards/sim.toml`'s comments.

mod about;
mod buzzer;
mod display;
mod keypad;
mod lines;
mod mdb;
mod motor;
mod printer;
mod pulse;
mod scanner;
mod sim;
mod sound;
mod status_display;
mod vend;
mod xy;

use std::path::{Path, PathBuf};

pub use about::{AboutSpec, Architecture, Part, Proof};
pub use buzzer::{BuzzerSpec, PwmSpec};
pub use display::{Controller, DisplayKind, DisplaySpec, LightSpec, Rotation};
pub use keypad::{KeySpec, KeypadKind, KeypadSpec};
pub use lines::{Bias, GpioKind, GpioSpec, LineSpec, OutputSpec, Use, WiredLine};
pub use mdb::{HexForm, HexSpec, MdbAdapter, MdbMode, MdbSpec};
pub use motor::{BitSpec, CodesSpec, LineParity, ModbusMap, ModbusSpec, RegisterSpec, SpringSpec, WriteSpec};
pub use printer::{Cut, PrinterKind, PrinterSpec, QrBy};
pub use pulse::PulseSpec;
pub use scanner::{DialectKind, ScannerKind, ScannerSpec, Terminator, TriggerKind};
pub use sim::SimSpec;
pub use sound::SoundSpec;
pub use status_display::{StatusKind, StatusSpec};
pub use vend::{CounterKind, SlotSpec, VendKind, VendSpec, WithoutSensor};
pub use xy::{XyDrive, XySpec};

/// Everything a board file says about one kind of machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BoardSpec {
    /// The machine's name, for logs and `check`.
    pub name: String,
    /// `[about]`
    pub about: AboutSpec,
    /// `[display]`
    pub display: DisplaySpec,
    /// `[status_display]`
    pub status_display: StatusSpec,
    /// `[scanner]`
    pub scanner: ScannerSpec,
    /// `[gpio]`
    pub gpio: GpioSpec,
    /// `[vend]`
    pub vend: VendSpec,
    /// `[keypad]`
    pub keypad: KeypadSpec,
    /// `[lamp]`
    pub lamp: OutputSpec,
    /// `[buzzer]`
    pub buzzer: BuzzerSpec,
    /// `[printer]`
    pub printer: PrinterSpec,
    /// `[sound]`
    pub sound: SoundSpec,
    /// `[sim]`
    pub sim: SimSpec,
}

impl BoardSpec {
    /// Resolves the relative paths of ports and simulator in the runtime directory.
    #[must_use]
    pub fn relative_to(mut self, directory: &Path) -> Self {
        let resolve = |path: &mut Option<PathBuf>| {
            if let Some(path) = path {
                *path = directory.join(&*path);
            }
        };
        resolve(&mut self.scanner.path);
        resolve(&mut self.vend.mdb.path);
        resolve(&mut self.printer.path);
        resolve(&mut self.vend.xy.path);
        resolve(&mut self.vend.modbus.path);
        resolve(&mut self.vend.spring.path);
        resolve(&mut self.sim.socket);
        self
    }

    /// The same board with its simulated machine at another socket.
    #[must_use]
    pub fn with_sim_socket(mut self, socket: impl Into<PathBuf>) -> Self {
        self.sim.socket = Some(socket.into());
        self
    }

    /// The same board with its scanner at another port.
    #[must_use]
    pub fn with_scanner_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.scanner.path = Some(path.into());
        self
    }

    /// Whether any device of this board is simulated.
    #[must_use]
    pub fn is_simulated(&self) -> bool {
        self.gpio.kind == GpioKind::Sim
            || self.display.kind == DisplayKind::Sim
            || self.vend.drop_counter == CounterKind::Sim
    }

    /// Every line that is wired, with its key in the file and whether it is an output.
    #[must_use]
    pub fn lines(&self) -> Vec<WiredLine<'_>> {
        let slots = self
            .vend
            .slots
            .iter()
            .enumerate()
            .map(|(index, slot)| (format!("vend.slots[{index}].line"), slot.line.as_ref(), Use::Relay));
        let keys = self
            .keypad
            .keys
            .iter()
            .enumerate()
            .map(|(index, key)| (format!("keypad.keys[{index}].line"), key.line.as_ref(), Use::Input));
        let rows = self.keypad.rows.iter().enumerate();
        let rows = rows.map(|(index, line)| (format!("keypad.rows[{index}]"), Some(line), Use::Indicator));
        let columns = self.keypad.columns.iter().enumerate();
        let columns = columns.map(|(index, line)| (format!("keypad.columns[{index}]"), Some(line), Use::Input));
        let display = self.display.lines().map(|(key, line, is_read)| {
            let purpose = if is_read { Use::Input } else { Use::Panel };
            (format!("display.{key}"), line, purpose)
        });
        let single = [
            ("vend.drop_sensor".to_owned(), self.vend.drop_sensor.as_ref(), Use::Input),
            ("vend.pulse.line".to_owned(), self.vend.pulse.line.as_ref(), Use::Relay),
            ("vend.pulse.inhibit".to_owned(), self.vend.pulse.inhibit.as_ref(), Use::Input),
            ("lamp.line".to_owned(), self.lamp.line.as_ref(), Use::Indicator),
            ("buzzer.line".to_owned(), self.buzzer.line.as_ref(), Use::Indicator),
        ];
        slots
            .chain(keys)
            .chain(rows)
            .chain(columns)
            .chain(single)
            .chain(display)
            .filter_map(|(key, line, purpose)| line.map(|line| WiredLine { key, line, purpose }))
            .collect()
    }
}
