//! The sections of a board file, as written. Defaults are those of `boards/sim.toml`'s comments.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Everything a board file says about one kind of machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BoardSpec {
    /// The machine's name, for logs and `check`.
    pub name: String,
    /// `[display]`
    pub display: DisplaySpec,
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
    pub buzzer: OutputSpec,
    /// `[sim]`
    pub sim: SimSpec,
}

/// Which display driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DisplayKind {
    /// No display; payment by the scanner alone.
    #[default]
    None,
    /// Frames are kept in memory only, for a screen that is seen through the API.
    Memory,
    /// The Linux framebuffer at `path`.
    Framebuffer,
    /// The simulated machine's panel.
    Sim,
}

/// How the panel is mounted: how far the picture is turned clockwise to stand upright.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(try_from = "u16", into = "u16")]
pub enum Rotation {
    /// As the panel is made.
    #[default]
    None,
    /// A quarter turn clockwise.
    Quarter,
    /// Upside down.
    Half,
    /// A quarter turn counter-clockwise.
    ThreeQuarters,
}

impl TryFrom<u16> for Rotation {
    type Error = String;

    fn try_from(degrees: u16) -> Result<Self, String> {
        match degrees {
            0 => Ok(Self::None),
            90 => Ok(Self::Quarter),
            180 => Ok(Self::Half),
            270 => Ok(Self::ThreeQuarters),
            other => Err(format!("rotation {other} is not one of 0, 90, 180, 270 degrees clockwise")),
        }
    }
}

impl From<Rotation> for u16 {
    fn from(rotation: Rotation) -> u16 {
        match rotation {
            Rotation::None => 0,
            Rotation::Quarter => 90,
            Rotation::Half => 180,
            Rotation::ThreeQuarters => 270,
        }
    }
}

/// `[display]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct DisplaySpec {
    /// Which driver; default `none`.
    pub kind: DisplayKind,
    /// The device of a framebuffer, such as `/dev/fb0`.
    pub path: Option<PathBuf>,
    /// The console whose text must not be drawn over the picture, such as `/dev/tty1`.
    pub console: Option<PathBuf>,
    /// Pixels across, as the panel is made.
    pub width: u32,
    /// Pixels down, as the panel is made.
    pub height: u32,
    /// 0, 90, 180 or 270 degrees clockwise.
    pub rotation: Rotation,
}

impl DisplaySpec {
    /// Width and height of the upright picture.
    #[must_use]
    pub fn size(&self) -> (u32, u32) {
        match self.rotation {
            Rotation::None | Rotation::Half => (self.width, self.height),
            Rotation::Quarter | Rotation::ThreeQuarters => (self.height, self.width),
        }
    }
}

/// Which scanner driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ScannerKind {
    /// No scanner.
    #[default]
    None,
    /// A line scanner on a serial port or USB-CDC.
    Serial,
}

/// What ends a line of the scanner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Terminator {
    /// CR, LF or CR LF, whichever comes.
    #[default]
    Any,
    /// CR only.
    Cr,
    /// LF only.
    Lf,
    /// CR followed by LF only.
    Crlf,
    /// TAB only.
    Tab,
    /// Nothing: a line ends when the scanner falls silent for `idle_ms`.
    None,
}

/// `[scanner]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScannerSpec {
    /// Which driver; default `none`.
    pub kind: ScannerKind,
    /// The port by a name that survives re-plugging: `/dev/serial/by-id/…`. Relative: in the runtime directory.
    pub path: Option<PathBuf>,
    /// Bits per second; default 9600. USB-CDC ignores it.
    pub baud: u32,
    /// What ends a line; default `any`.
    pub terminator: Terminator,
    /// Text that the scanner puts before every code; cut off.
    pub prefix: String,
    /// Text that the scanner puts after every code; cut off.
    pub suffix: String,
    /// Cuts off an AIM identifier such as `]Q1`; default true.
    pub strip_aim: bool,
    /// Silence that ends a line when `terminator = "none"`; default 50.
    pub idle_ms: u32,
    /// The same code within this time is read once; default 3000.
    pub double_read_ms: u32,
    /// What arrives this soon after opening is old and dropped; default 200.
    pub stale_ms: u32,
}

impl Default for ScannerSpec {
    fn default() -> Self {
        Self {
            kind: ScannerKind::None,
            path: None,
            baud: 9600,
            terminator: Terminator::Any,
            prefix: String::new(),
            suffix: String::new(),
            strip_aim: true,
            idle_ms: 50,
            double_read_ms: 3000,
            stale_ms: 200,
        }
    }
}

/// Which backend serves the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum GpioKind {
    /// No lines.
    #[default]
    None,
    /// The kernel's GPIO character device: every board with Linux 5.10 or newer.
    Chardev,
    /// The Raspberry Pi's registers through rppal.
    Rppal,
    /// The simulated machine's lines.
    Sim,
}

/// `[gpio]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct GpioSpec {
    /// Which backend; default `none`.
    pub kind: GpioKind,
}

/// The pull resistor of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bias {
    /// To the supply.
    PullUp,
    /// To ground.
    PullDown,
    /// None; the circuit has its own.
    Disabled,
}

/// One GPIO line: `{ name = "GPIO17" }` or `{ chip = "pinctrl-bcm2711", offset = 17 }`.
///
/// Never by chip number: the same chip had three numbers on one board (reference/hardware.md 4.2).
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct LineSpec {
    /// The line's name in the device tree.
    pub name: Option<String>,
    /// The chip's label.
    pub chip: Option<String>,
    /// The line's offset on that chip.
    pub offset: Option<u32>,
    /// True when the low level switches the device on.
    pub active_low: bool,
    /// The pull of an input; left as it is when absent.
    pub bias: Option<Bias>,
}

impl LineSpec {
    /// One word for logs, and the line's name on the simulated machine.
    #[must_use]
    pub fn id(&self) -> String {
        match (&self.name, &self.chip, self.offset) {
            (Some(name), _, _) => name.clone(),
            (None, Some(chip), Some(offset)) => format!("{chip}:{offset}"),
            (None, _, _) => "unwired".into(),
        }
    }
}

/// Which vending driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum VendKind {
    /// Nothing to deliver: a counter.
    #[default]
    None,
    /// One relay per slot, and a drop sensor if there is one.
    Relay,
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
            slots: Vec::new(),
        }
    }
}

/// `[[vend.slots]]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct SlotSpec {
    /// What is printed beside the slot: 1 to 8 letters or digits.
    pub name: String,
    /// The line of its relay.
    pub line: Option<LineSpec>,
}

/// Which keypad driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeypadKind {
    /// No keypad.
    #[default]
    None,
    /// One line per key.
    Buttons,
}

/// `[keypad]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeypadSpec {
    /// Which driver; default `none`.
    pub kind: KeypadKind,
    /// Contact bounce that the kernel filters; default 20.
    pub debounce_ms: u32,
    /// Shortest time between two presses of one key; default 150.
    pub repeat_ms: u32,
    /// `[[keypad.keys]]`
    pub keys: Vec<KeySpec>,
}

impl Default for KeypadSpec {
    fn default() -> Self {
        Self { kind: KeypadKind::None, debounce_ms: 20, repeat_ms: 150, keys: Vec::new() }
    }
}

/// `[[keypad.keys]]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeySpec {
    /// `0` to `9`, `ok` or `cancel`.
    pub key: String,
    /// The line of the button.
    pub line: Option<LineSpec>,
}

/// `[lamp]` and `[buzzer]`: one output line, or none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutputSpec {
    /// The line; absent: there is no such device.
    pub line: Option<LineSpec>,
}

/// `[sim]`: the simulated machine behind every device of kind `sim`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct SimSpec {
    /// The Unix socket where the machine listens. Relative: in the runtime directory.
    pub socket: Option<PathBuf>,
    /// How long a motor turns until its item tips over; default 1200.
    pub motor_ms: u32,
    /// How long an item falls until it breaks the beam; default 250.
    pub fall_ms: u32,
    /// The hardware one-shot behind each relay; default 3000.
    pub one_shot_ms: u32,
    /// Items in each slot at the start; default 8.
    pub stock: u32,
}

impl Default for SimSpec {
    fn default() -> Self {
        Self { socket: None, motor_ms: 1200, fall_ms: 250, one_shot_ms: 3000, stock: 8 }
    }
}

impl BoardSpec {
    /// Resolves the relative paths of scanner and simulator in the runtime directory.
    #[must_use]
    pub fn relative_to(mut self, directory: &Path) -> Self {
        let resolve = |path: &mut Option<PathBuf>| {
            if let Some(path) = path {
                *path = directory.join(&*path);
            }
        };
        resolve(&mut self.scanner.path);
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
        let single = [
            ("vend.drop_sensor".to_owned(), self.vend.drop_sensor.as_ref(), Use::Input),
            ("lamp.line".to_owned(), self.lamp.line.as_ref(), Use::Indicator),
            ("buzzer.line".to_owned(), self.buzzer.line.as_ref(), Use::Indicator),
        ];
        slots
            .chain(keys)
            .chain(single)
            .filter_map(|(key, line, purpose)| line.map(|line| WiredLine { key, line, purpose }))
            .collect()
    }
}

/// What a line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Drives a motor.
    Relay,
    /// Drives a lamp or a buzzer.
    Indicator,
    /// Is read.
    Input,
}

/// A line and where the board file names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WiredLine<'a> {
    /// The key in the file, such as `vend.slots[0].line`.
    pub key: String,
    /// The line.
    pub line: &'a LineSpec,
    /// What it is for.
    pub purpose: Use,
}
